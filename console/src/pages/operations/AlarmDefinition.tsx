/** A new alarm, tried on history before it is kept. */
import { Alert, App, AutoComplete, Button, Form, Input, InputNumber, Modal, Select, Space } from "antd";
import { useState } from "react";
import { api } from "../../api";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { explain } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { alarmsApi, LIMITS, type Alarm, type LimitName, type Priority } from "./alarms-api";

type Fields = Record<LimitName, number | null> & Record<`${LimitName}_priority`, Priority> & {
  name: string;
  point: string;
  description?: string;
  dead_band?: number | null;
  on_delay_s?: number | null;
  off_delay_s?: number | null;
  cause?: string;
  action?: string;
};

const DEFAULTS: Record<LimitName, Priority> = { hihi: "high", hi: "medium", lo: "medium", lolo: "high" };

function alarmOf(f: Fields): Alarm {
  const limits = LIMITS.filter((n) => typeof f[n] === "number").map((n) => [n, { value: f[n], priority: f[`${n}_priority`] }]);
  return {
    name: f.name.trim(),
    point: f.point.trim(),
    ...Object.fromEntries(limits),
    dead_band: f.dead_band ?? 0,
    on_delay_s: f.on_delay_s ?? 0,
    off_delay_s: f.off_delay_s ?? 0,
    description: f.description ?? "",
    advice: { cause: f.cause ?? "", action: f.action ?? "" },
  };
}

export function AlarmDefinition({ onClose }: { onClose: () => void }) {
  const texts = useTexts();
  const format = useFormat();
  const { message } = App.useApp();
  const [form] = Form.useForm<Fields>();
  const [search, setSearch] = useState("");
  const [told, setTold] = useState<{ ok: boolean; text: string }>();
  const points = useLoad(`points ${search}`, (signal) => api.search(search, signal));
  const attempt = async (act: (alarm: Alarm) => Promise<void>) => {
    const fields = await form.validateFields().catch(() => undefined);
    if (!fields) return;
    if (!LIMITS.some((n) => typeof fields[n] === "number")) {
      setTold({ ok: false, text: texts.alarms.limitsNeeded });
      return;
    }
    try {
      await act(alarmOf(fields));
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      setTold({ ok: false, text: `${sentence} ${remedy}` });
    }
  };
  const preview = () => attempt(async (alarm) => {
    const found = await alarmsApi.preview(alarm);
    const text = found.rung ? texts.alarms.wouldRing(format.count(found.rung), format.age(found.active_ns / 1e6)) : texts.alarms.wouldNot;
    setTold({ ok: true, text });
  });
  const save = () => attempt(async (alarm) => {
    await alarmsApi.define(alarm);
    void message.success(`${alarm.name}: ${texts.alarms.entry["defined"] ?? ""}`);
    onClose();
  });
  const required = [{ required: true, whitespace: true, message: texts.login.fill }];
  const priorities = (["low", "medium", "high", "critical"] as Priority[]).map((value) => ({ value, label: texts.alarms.priority[value] }));
  return (
    <Modal
      open
      width={640}
      title={texts.alarms.define}
      onCancel={onClose}
      footer={[
        <Button key="preview" onClick={() => void preview()}>{texts.alarms.preview}</Button>,
        <Button key="cancel" onClick={onClose}>{texts.common.cancel}</Button>,
        <Button key="save" type="primary" onClick={() => void save()}>{texts.common.save}</Button>,
      ]}
    >
      <Form form={form} layout="vertical" initialValues={Object.fromEntries(LIMITS.map((n) => [`${n}_priority`, DEFAULTS[n]]))}>
        <Form.Item name="name" label={texts.alarms.name} rules={required}><Input maxLength={200} autoFocus /></Form.Item>
        <Form.Item name="point" label={texts.alarms.point} rules={required}>
          <AutoComplete showSearch={{ onSearch: setSearch }} options={(points.data?.items ?? []).map((p) => ({ value: p.path }))} />
        </Form.Item>
        <div className="alarm-limits">{LIMITS.map((n) => (
          <Form.Item key={n} label={texts.alarms.limits[n]}>
            <Space.Compact>
              <Form.Item name={n} noStyle><InputNumber aria-label={texts.alarms.limits[n]} style={{ width: 120 }} /></Form.Item>
              <Form.Item name={`${n}_priority`} noStyle><Select options={priorities} popupMatchSelectWidth={false} /></Form.Item>
            </Space.Compact>
          </Form.Item>
        ))}</div>
        <Space wrap>
          <Form.Item name="dead_band" label={texts.alarms.deadBand}><InputNumber min={0} /></Form.Item>
          <Form.Item name="on_delay_s" label={texts.alarms.onDelay}><InputNumber min={0} max={86_400} /></Form.Item>
          <Form.Item name="off_delay_s" label={texts.alarms.offDelay}><InputNumber min={0} max={86_400} /></Form.Item>
        </Space>
        <Form.Item name="description" label={texts.alarms.description}><Input /></Form.Item>
        <Form.Item name="cause" label={texts.alarms.cause}><Input /></Form.Item>
        <Form.Item name="action" label={texts.alarms.action}><Input /></Form.Item>
      </Form>
      {told && <Alert type={told.ok ? "info" : "error"} showIcon role="status" title={told.text} />}
    </Modal>
  );
}
