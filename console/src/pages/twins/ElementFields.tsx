/** The fields of an element's form, by type. */
import { DeleteOutlined, PlusOutlined, UploadOutlined } from "@ant-design/icons";
import { Alert, Button, Form, Input, Select, Space, Upload } from "antd";
import { useTexts } from "../../texts";
import type { Element } from "./aas";
import { useBoundPoint } from "./bindings";
import { VALUE_TYPES, wrongLanguage, wrongName, wrongValue } from "./checks";
import { TYPE_MARKS } from "./kinds";

const TYPES = Object.keys(TYPE_MARKS);

/** A rule from a check that answers with what is wrong. */
function rule(check: (text: string) => string) {
  return { validator: async (_: unknown, text: string | undefined) => { const wrong = check(text ?? ""); if (wrong) throw new Error(wrong); } };
}

export function NewFields({ inList, list }: { inList: boolean; list: Element | undefined }) {
  const t = useTexts().twins;
  const types: Record<string, string> = t.types;
  const options = (inList && list?.typeValueListElement && TYPES.includes(list.typeValueListElement) ? [list.typeValueListElement] : TYPES)
    .map((type) => ({ value: type, label: types[type] ?? type }));
  return (
    <div className="form-pair">
      <Form.Item name="modelType" label={t.type}><Select options={options} showSearch={{ optionFilterProp: "label" }} /></Form.Item>
      {!inList && <Form.Item name="idShort" label="idShort" required rules={[rule((text) => wrongName(text, t.checks))]}><Input autoFocus maxLength={128} /></Form.Item>}
    </div>
  );
}

interface ValueProps {
  modelType: string;
  /** Empty for a new element. */
  path: string;
}

export function ValueFields({ modelType, path }: ValueProps) {
  const t = useTexts().twins;
  const point = useBoundPoint(path);
  const form = Form.useFormInstance();
  const type = Form.useWatch("valueType", form) as string | undefined;
  const value = (name: string, label: string) => (
    <Form.Item name={name} label={label} dependencies={["valueType"]} rules={[rule((text) => wrongValue(text, type, t.checks))]}>
      {name === "text" && type === "xs:boolean"
        ? <Select options={[{ value: "true", label: "true" }, { value: "false", label: "false" }]} allowClear />
        : <Input />}
    </Form.Item>
  );
  const reference = (name: string, label: string) => (
    <Form.Item name={name} label={label} extra={t.referenceHint}><Input.TextArea rows={3} className="path-text" spellCheck={false} /></Form.Item>
  );
  // The value of a bound element is its machine's: it is written there, guarded, or not at all.
  if (point) return <Form.Item><Alert type="info" showIcon title={t.boundEdit} description={<span className="path-text">{point.path}</span>} /></Form.Item>;
  switch (modelType) {
    case "Property": return <div className="form-pair">{value("text", t.value)}<TypeField /></div>;
    case "Range": return <div className="form-pair">{value("min", t.min)}{value("max", t.max)}<TypeField /></div>;
    case "MultiLanguageProperty": return <Languages name="langs" label={t.value} />;
    case "File": return <FileFields />;
    case "Blob": return <><ContentType /><Form.Item name="text" label={t.base64}><Input.TextArea rows={3} className="path-text" /></Form.Item></>;
    case "ReferenceElement": return reference("reference", t.value);
    case "RelationshipElement":
    case "AnnotatedRelationshipElement": return <>{reference("first", t.first)}{reference("second", t.second)}</>;
    case "Entity": return <EntityFields />;
    case "SubmodelElementList": return <ListFields />;
    default: return null;
  }
}

function TypeField() {
  const t = useTexts().twins;
  return (
    <Form.Item name="valueType" label={t.valueType}>
      <Select showSearch options={VALUE_TYPES.map((type) => ({ value: type, label: type }))} />
    </Form.Item>
  );
}

function ContentType() {
  const t = useTexts().twins;
  return <Form.Item name="contentType" label={t.contentType}><Input placeholder="application/pdf" /></Form.Item>;
}

function FileFields() {
  const t = useTexts().twins;
  const form = Form.useFormInstance();
  const file = Form.useWatch("file", { form, preserve: true }) as File | undefined;
  const take = (chosen: File) => {
    form.setFieldsValue({ file: chosen, contentType: chosen.type || "application/octet-stream" });
    return false;  // it is sent when the form is
  };
  return (
    <>
      <Form.Item label={t.upload}>
        <Space>
          <Upload maxCount={1} beforeUpload={take} showUploadList={false}><Button icon={<UploadOutlined />}>{t.chooseFile}</Button></Upload>
          {file && <span>{file.name}</span>}
        </Space>
      </Form.Item>
      <div className="form-pair">
        <Form.Item name="text" label={t.fileAt} extra={t.fileAtHint}><Input disabled={!!file} /></Form.Item>
        <ContentType />
      </div>
    </>
  );
}

function EntityFields() {
  const t = useTexts().twins;
  return (
    <div className="form-pair">
      <Form.Item name="entityType" label={t.entityType}>
        <Select options={[{ value: "CoManagedEntity", label: t.coManaged }, { value: "SelfManagedEntity", label: t.selfManaged }]} />
      </Form.Item>
      <Form.Item name="globalAssetId" label={t.asset}><Input /></Form.Item>
    </div>
  );
}

function ListFields() {
  const t = useTexts().twins;
  const types: Record<string, string> = t.types;
  return (
    <div className="form-pair">
      <Form.Item name="listType" label={t.listOf}><Select showSearch options={TYPES.map((type) => ({ value: type, label: types[type] ?? type }))} /></Form.Item>
      <TypeField />
    </div>
  );
}

export function CommonFields() {
  const t = useTexts().twins;
  return (
    <>
      <Form.Item name="semanticId" label={t.semanticId}><Input maxLength={2048} className="path-text" /></Form.Item>
      <Languages name="description" label={t.description} />
    </>
  );
}

/** Texts with their languages, one a line. */
export function Languages({ name, label }: { name: string; label: string }) {
  const texts = useTexts();
  const t = texts.twins;
  return (
    <Form.Item label={label} className="languages">
      <Form.List name={name}>
        {(fields, { add, remove }) => (
          <>
            {fields.map((field) => (
              <div key={field.key} className="language-line">
                <Form.Item name={[field.name, "language"]} rules={[rule((text) => wrongLanguage(text, t.checks))]}><Input aria-label={t.language} placeholder="en" /></Form.Item>
                <Form.Item name={[field.name, "text"]} rules={[{ required: true, message: t.checks.textMissing }]}><Input.TextArea aria-label={label} autoSize={{ minRows: 1, maxRows: 5 }} /></Form.Item>
                <Button type="text" icon={<DeleteOutlined />} aria-label={texts.common.remove} onClick={() => remove(field.name)} />
              </div>
            ))}
            <Button size="small" icon={<PlusOutlined />} onClick={() => add({ language: fields.length ? "" : "en", text: "" })}>{t.addLanguage}</Button>
          </>
        )}
      </Form.List>
    </Form.Item>
  );
}
