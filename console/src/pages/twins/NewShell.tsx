/** A new shell: its names, and the asset it stands for. */
import { Form, Input, Modal, Select } from "antd";
import { useState } from "react";
import { ErrorBox } from "../../parts/Notice";
import { go } from "../../router";
import { useTexts } from "../../texts";
import { twinAddress } from "./aas";
import { aas } from "./aas-api";
import { wrongName } from "./checks";

interface Values {
  idShort: string;
  id: string;
  asset: string;
  kind: "Instance" | "Type";
}

export function NewShell({ onClose }: { onClose: () => void }) {
  const texts = useTexts();
  const t = texts.twins;
  const [form] = Form.useForm<Values>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const save = async ({ idShort, id, asset, kind }: Values) => {
    setBusy(true);
    setError(undefined);
    try {
      await aas.addShell({
        modelType: "AssetAdministrationShell", id, idShort,
        assetInformation: { assetKind: kind, ...(asset ? { globalAssetId: asset } : {}) },
      });
      go(twinAddress(id));
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Modal open title={t.newShell} onCancel={onClose} okText={t.add} confirmLoading={busy} onOk={() => form.submit()} mask={{ closable: false }}>
      <ErrorBox error={error} />
      <Form form={form} layout="vertical" onFinish={(v) => void save(v)} initialValues={{ kind: "Instance", id: `urn:uuid:${uuid()}`, asset: "" }}>
        <Form.Item name="idShort" label="idShort" required rules={[{ validator: async (_, text: string) => { const wrong = wrongName(text ?? "", t.checks); if (wrong) throw new Error(wrong); } }]}>
          <Input autoFocus maxLength={128} />
        </Form.Item>
        <Form.Item name="id" label={t.id} rules={[{ required: true, message: t.checks.textMissing }]}><Input maxLength={2048} className="path-text" /></Form.Item>
        <Form.Item name="asset" label={t.asset} extra={t.assetHint} rules={[{ required: true, message: t.checks.textMissing }]}><Input maxLength={2048} /></Form.Item>
        <Form.Item name="kind" label={t.assetKind}>
          <Select options={[{ value: "Instance", label: t.assetKinds.Instance }, { value: "Type", label: t.assetKinds.Type }]} />
        </Form.Item>
      </Form>
    </Modal>
  );
}

/** Random, also where the page is not served over TLS and `crypto.randomUUID` is missing. */
export function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
