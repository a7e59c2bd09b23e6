/** A new template, tried on history before it is kept. */
import { MinusCircleOutlined, PlusOutlined } from "@ant-design/icons";
import { Alert, App, Button, Form, Input, InputNumber, Modal, Select, Space } from "antd";
import { useState } from "react";
import { useFormat } from "../../format";
import { useFocusBack, useLoad } from "../../hooks";
import { explain } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { framesApi, KINDS, TAKES, type Attribute, type Kind, type Preview, type Template } from "./frames-api";

interface Fields {
  name: string;
  assets: string[];
  begin: string;
  end?: string;
  kind: Kind;
  parent?: string;
  attributes?: Partial<Attribute>[];
  min_s?: number | null;
  max_s?: number | null;
  description?: string;
}

function templateOf(f: Fields): Template {
  return {
    name: f.name.trim(),
    assets: f.assets,
    begin: f.begin,
    end: f.end ?? "",
    kind: f.kind,
    parent: f.parent ?? "",
    attributes: (f.attributes ?? []).filter((a): a is Attribute => !!a?.name && !!a.of && !!a.take),
    min_s: f.min_s ?? 0,
    ...(f.max_s ? { max_s: f.max_s } : {}),
    description: f.description ?? "",
  };
}

export default function FrameForm({ onClose }: { onClose: () => void }) {
  useFocusBack();
  const texts = useTexts();
  const format = useFormat();
  const { message } = App.useApp();
  const [form] = Form.useForm<Fields>();
  const [problem, setProblem] = useState("");
  const [told, setTold] = useState<Preview>();
  const templates = useLoad("frame templates", framesApi.templates);
  const attempt = async (act: (template: Template) => Promise<void>) => {
    const fields = await form.validateFields().catch(() => undefined);
    if (!fields) return;
    setProblem("");
    try {
      await act(templateOf(fields));
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      setTold(undefined);
      setProblem(`${sentence} ${remedy}`);
    }
  };
  const preview = () => attempt(async (template) => setTold(await framesApi.preview(template)));
  const save = () => attempt(async (template) => {
    await framesApi.define(template);
    void message.success(texts.frames.saved(template.name));
    onClose();
  });
  const required = [{ required: true, message: texts.login.fill }];
  return (
    <Modal
      open
      width={720}
      title={texts.frames.define}
      onCancel={onClose}
      footer={[
        <Button key="preview" onClick={() => void preview()}>{texts.frames.preview}</Button>,
        <Button key="cancel" onClick={onClose}>{texts.common.cancel}</Button>,
        <Button key="save" type="primary" onClick={() => void save()}>{texts.common.save}</Button>,
      ]}
    >
      <Form form={form} layout="vertical" initialValues={{ kind: "cycle" }}>
        <Form.Item name="name" label={texts.frames.template} rules={required}><Input maxLength={100} autoFocus /></Form.Item>
        <Form.Item name="assets" label={texts.frames.assets} extra={texts.frames.assetsHint} rules={required}><Select mode="tags" open={false} tokenSeparators={[",", " "]} /></Form.Item>
        <Form.Item name="begin" label={texts.frames.begin} extra={texts.frames.beginHint} rules={required}><Input className="path-text" /></Form.Item>
        <Form.Item name="end" label={texts.frames.end} extra={texts.frames.endHint}><Input className="path-text" /></Form.Item>
        <Space wrap>
          <Form.Item name="kind" label={texts.frames.kind}><Select style={{ width: 150 }} options={KINDS.map((value) => ({ value, label: texts.frames.kinds[value] }))} /></Form.Item>
          <Form.Item name="parent" label={texts.frames.parent}><Select allowClear style={{ width: 180 }} options={(templates.data?.items ?? []).map((v) => ({ value: v.template.name }))} /></Form.Item>
          <Form.Item name="min_s" label={texts.frames.shortest}><InputNumber min={0} /></Form.Item>
          <Form.Item name="max_s" label={texts.frames.longest}><InputNumber min={1} placeholder="604800" /></Form.Item>
        </Space>
        <Form.List name="attributes">
          {(fields, { add, remove }) => (
            <div className="stacked">
              <h2>{texts.frames.attributes}</h2>
              {fields.map((field) => (
                <Space.Compact key={field.key} block>
                  <Form.Item name={[field.name, "name"]} noStyle><Input placeholder={texts.frames.attributeName} aria-label={texts.frames.attributeName} style={{ width: 180 }} /></Form.Item>
                  <Form.Item name={[field.name, "take"]} noStyle initialValue="mean"><Select aria-label={texts.frames.take} style={{ width: 150 }} options={TAKES.map((value) => ({ value, label: texts.frames.takes[value] }))} /></Form.Item>
                  <Form.Item name={[field.name, "of"]} noStyle><Input className="path-text" placeholder={texts.frames.expression} aria-label={texts.frames.expression} /></Form.Item>
                  <Button aria-label={texts.common.remove} icon={<MinusCircleOutlined />} onClick={() => remove(field.name)} />
                </Space.Compact>
              ))}
              <div><Button size="small" icon={<PlusOutlined />} onClick={() => add()}>{texts.frames.addAttribute}</Button></div>
            </div>
          )}
        </Form.List>
        <Form.Item name="description" label={texts.frames.description}><Input /></Form.Item>
      </Form>
      {problem && <Alert type="error" showIcon role="alert" title={problem} />}
      {told && (
        <Alert
          type="info"
          showIcon
          role="status"
          title={texts.frames.wouldGive(format.count(told.count))}
          description={<ul className="frame-trial">{told.items.slice(0, 8).map((f) => <li key={f.key}>{format.time(f.start_ns / 1e6)} · {format.span(f.duration_s * 1000)} <span className="quiet">{f.asset}</span></li>)}</ul>}
        />
      )}
    </Modal>
  );
}
