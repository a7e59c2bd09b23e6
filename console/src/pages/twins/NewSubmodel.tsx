/** A new, empty submodel in a shell. */
import { Form, Input, Modal } from "antd";
import { useState } from "react";
import { ErrorBox } from "../../parts/Notice";
import { go } from "../../router";
import { useTexts } from "../../texts";
import { twinAddress, type Shell, type Submodel } from "./aas";
import { aas } from "./aas-api";
import { wrongName } from "./checks";
import { uuid } from "./NewShell";

interface Values {
  idShort: string;
  id: string;
  semanticId?: string;
}

export function NewSubmodel({ shell, onClose, onDone }: { shell: Shell; onClose: () => void; onDone: () => void }) {
  const t = useTexts().twins;
  const [form] = Form.useForm<Values>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const save = async ({ idShort, id, semanticId }: Values) => {
    setBusy(true);
    setError(undefined);
    const submodel: Submodel = { modelType: "Submodel", id, idShort, kind: "Instance" };
    if (semanticId) submodel.semanticId = { type: "ExternalReference", keys: [{ type: "GlobalReference", value: semanticId }] };
    try {
      await aas.addSubmodel(submodel);
      await aas.addReference(shell.id, id);
      onDone();
      onClose();
      go(twinAddress(shell.id, id));
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Modal open title={t.newSubmodel} onCancel={onClose} okText={t.add} confirmLoading={busy} onOk={() => form.submit()} mask={{ closable: false }}>
      <ErrorBox error={error} />
      <Form form={form} layout="vertical" onFinish={(v) => void save(v)} initialValues={{ id: `urn:uuid:${uuid()}` }}>
        <Form.Item name="idShort" label="idShort" required rules={[{ validator: async (_, text: string) => { const wrong = wrongName(text ?? "", t.checks); if (wrong) throw new Error(wrong); } }]}>
          <Input autoFocus maxLength={128} />
        </Form.Item>
        <Form.Item name="id" label={t.id} rules={[{ required: true, message: t.checks.textMissing }]}><Input maxLength={2048} className="path-text" /></Form.Item>
        <Form.Item name="semanticId" label={t.semanticId}><Input maxLength={2048} className="path-text" /></Form.Item>
      </Form>
    </Modal>
  );
}
