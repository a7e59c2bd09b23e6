/** A file becomes a document of a machine: what is said of it after VDI 2770, then it is sent. */
import { PaperClipOutlined, UploadOutlined } from "@ant-design/icons";
import { Button, Form, Input, Modal, Select, Upload } from "antd";
import { useState } from "react";
import { useFormat } from "../../format";
import { ErrorBox } from "../../parts/Notice";
import { useLanguage, useTexts } from "../../texts";
import { wrongLanguage } from "./checks";
import { twins, type AboutDocument } from "./twins-api";

interface Props {
  shell: string;
  onClose: () => void;
  /** Called with the submodel that it stands in now. */
  onAdded: (submodel: string) => void;
}

export function AddDocument({ shell, onClose, onAdded }: Props) {
  const texts = useTexts();
  const t = texts.twins.documents;
  const format = useFormat();
  const language = useLanguage();
  const [form] = Form.useForm<AboutDocument>();
  const [file, setFile] = useState<File>();
  const [missing, setMissing] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const take = (chosen: File) => {
    setFile(chosen);
    setMissing(false);
    if (!form.getFieldValue("title")) form.setFieldValue("title", chosen.name.replace(/\.[^.]+$/, "").replace(/[_-]+/g, " "));
    return false;  // it is sent when the form is
  };
  const save = async (about: AboutDocument) => {
    if (!file) return;
    setBusy(true);
    setError(undefined);
    try {
      onAdded((await twins.addDocument(shell, file, about)).submodel);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const submit = () => {
    setMissing(!file);
    form.submit();
  };
  const classes = Object.entries(t.classes).map(([id, name]) => ({ value: id, label: `${id} ${name}` }));
  const required = [{ required: true, message: texts.twins.checks.textMissing }];
  return (
    <Modal open title={t.add} onCancel={onClose} okText={texts.twins.add} confirmLoading={busy} onOk={submit} mask={{ closable: false }}>
      <ErrorBox error={error} />
      <Form form={form} layout="vertical" onFinish={(about) => void save(about)} initialValues={{ class_id: "03-02", language, version: "1" }}>
        <Form.Item label={texts.twins.upload} required validateStatus={missing ? "error" : ""} help={missing ? t.fileMissing : undefined}>
          <Upload.Dragger maxCount={1} showUploadList={false} beforeUpload={take}>
            {file ? <p><PaperClipOutlined /> {file.name} <span className="quiet">{format.bytes(file.size)}</span></p>
              : <p><Button icon={<UploadOutlined />}>{texts.twins.chooseFile}</Button> <span className="quiet">{t.orDrop}</span></p>}
          </Upload.Dragger>
        </Form.Item>
        <Form.Item name="title" label={t.title} rules={required}><Input maxLength={1000} /></Form.Item>
        <Form.Item name="class_id" label={t.class}><Select options={classes} showSearch={{ optionFilterProp: "label" }} /></Form.Item>
        <div className="form-pair">
          <Form.Item name="language" label={texts.twins.language} rules={[{ validator: async (_, text: string) => { const wrong = wrongLanguage(text ?? "", texts.twins.checks); if (wrong) throw new Error(wrong); } }]}><Input /></Form.Item>
          <Form.Item name="version" label={texts.twins.version} rules={required}><Input maxLength={128} /></Form.Item>
        </div>
        <div className="form-pair">
          <Form.Item name="identifier" label={t.number}><Input maxLength={128} /></Form.Item>
          <Form.Item name="organization" label={t.organization}><Input maxLength={1000} /></Form.Item>
        </div>
      </Form>
    </Modal>
  );
}
