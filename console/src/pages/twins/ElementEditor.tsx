/** An element in a form, or as JSON; what is wrong stands beside the field that it is wrong in. */
import { Alert, Button, Form, Input, Modal, Segmented } from "antd";
import { useMemo, useState } from "react";
import { Problem } from "../../http";
import { ErrorBox } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { findElement, type Element, type Submodel } from "./aas";
import { aas } from "./aas-api";
import { Conflict } from "./Conflict";
import { CommonFields, NewFields, ValueFields } from "./ElementFields";
import { elementOf, fieldOf, formOf, type Values } from "./element-form";

interface Props {
  submodel: Submodel;
  etag: string;
  /** The element, or the one that a new one goes into. */
  path: string;
  fresh: boolean;
  onClose: () => void;
  onSaved: (path: string) => void;
}

const BLANK: Element = { modelType: "Property", valueType: "xs:string" };

export function ElementEditor({ submodel, etag, path, fresh, onClose, onSaved }: Props) {
  const texts = useTexts();
  const t = texts.twins;
  const [form] = Form.useForm<Values>();
  // What was there when editing began: what comes meanwhile is told as a conflict, not mixed in.
  const [start] = useState(() => ({ etag, element: findElement(submodel, path) }));
  const before = fresh ? BLANK : start.element ?? BLANK;
  const inList = fresh ? start.element?.modelType === "SubmodelElementList" : /\]$/.test(path);
  const [as, setAs] = useState<"form" | "json">("form");
  const [json, setJson] = useState("");
  const [jsonError, setJsonError] = useState("");
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [conflict, setConflict] = useState<{ mine: Element; theirs: Element | undefined; etag: string }>();
  const initial = useMemo(() => formOf(before), [before]);
  const modelType = Form.useWatch("modelType", form) ?? before.modelType;

  const save = async (element: Element, known: string) => {
    setBusy(true);
    setError(undefined);
    try {
      if (fresh) await aas.addElement(submodel.id, path, element, "");
      else await aas.putElement(submodel.id, path, element, known);
      const file = form.getFieldValue("file") as File | undefined;
      const at = fresh ? pathOfNew(start.element, path, element) : path;
      if (file && element.modelType === "File" && at) await aas.attach(submodel.id, at, file);
      onSaved(at);
    } catch (failure) {
      if (failure instanceof Problem && failure.status === 412) await meet(element);
      else tell(failure);
    }
    setBusy(false);
  };
  const meet = async (mine: Element) => {
    const now = await aas.submodel(submodel.id).catch(() => undefined);
    setConflict({ mine, theirs: now && findElement(now.data, path), etag: now?.etag ?? "" });
  };
  const tell = (failure: unknown) => {
    const found = failure instanceof Problem ? failure.messages.map((text) => [fieldOf(text), text] as const) : [];
    const known = found.filter(([field]) => field && form.getFieldInstance(field) !== undefined);
    for (const [field, text] of known) if (field) form.setFields([{ name: field, errors: [text] }]);
    if (known.length < Math.max(found.length, 1)) setError(failure);
  };
  const submit = async () => {
    if (as === "json") {
      const element = parsed();
      if (element) await save(element, start.etag);
      return;
    }
    try {
      await form.validateFields();
    } catch {
      return;  // what is wrong stands beside the fields
    }
    await save(elementOf(before, form.getFieldsValue(true) as Values), start.etag);
  };
  const parsed = (): Element | undefined => {
    try {
      setJsonError("");
      return JSON.parse(json) as Element;
    } catch (failure) {
      setJsonError(t.notJson(failure instanceof Error ? failure.message : ""));
      return undefined;
    }
  };
  const turn = (to: "form" | "json") => {
    if (to === "json") setJson(JSON.stringify(elementOf(before, form.getFieldsValue(true) as Values), null, 2));
    else {
      const element = parsed();
      if (!element) return;
      form.setFieldsValue(formOf(element));
    }
    setAs(to);
  };
  return (
    <Modal
      open
      width={640}
      title={fresh ? (path ? t.addTo(path) : t.addElement) : t.editTitle(path)}
      onCancel={onClose}
      mask={{ closable: false }}
      footer={[
        <Button key="close" onClick={onClose}>{texts.common.cancel}</Button>,
        <Button key="save" type="primary" loading={busy} onClick={() => void submit()}>{fresh ? t.add : texts.common.save}</Button>,
      ]}
    >
      <Segmented aria-label={t.form} className="editor-form" value={as} onChange={turn} options={[{ value: "form", label: t.asForm }, { value: "json", label: "JSON" }]} />
      <ErrorBox error={error} />
      <Form form={form} layout="vertical" initialValues={initial} hidden={as === "json"} onFinish={() => void submit()} preserve>
        {fresh && <NewFields inList={inList} list={start.element} />}
        <ValueFields modelType={modelType} path={fresh ? "" : path} />
        <CommonFields />
        <button type="submit" hidden />
      </Form>
      {as === "json" && (
        <>
          <Input.TextArea aria-label="JSON" className="path-text" rows={18} spellCheck={false} value={json} status={jsonError ? "error" : ""} onChange={(e) => setJson(e.target.value)} />
          {jsonError && <Alert type="error" title={jsonError} />}
        </>
      )}
      {conflict && (
        <Conflict
          base={start.element}
          mine={conflict.mine}
          theirs={conflict.theirs}
          onMine={() => { setConflict(undefined); void save(conflict.mine, conflict.etag); }}
          onTheirs={() => onSaved(path)}
          onBack={() => setConflict(undefined)}
        />
      )}
    </Modal>
  );
}

/** Where a new element is found; nothing in a list, whose end is not known. */
function pathOfNew(parent: Element | undefined, path: string, element: Element): string {
  if (parent?.modelType === "SubmodelElementList") return path;
  return path ? `${path}.${element.idShort ?? ""}` : element.idShort ?? "";
}
