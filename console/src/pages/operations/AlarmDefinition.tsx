/** A new alarm of any kind, tried on history while it is written. */
import { Alert, App, AutoComplete, Button, Checkbox, Form, Input, InputNumber, Modal, Select, Space } from "antd";
import { useEffect, useRef, useState } from "react";
import { api } from "../../api";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { explain } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { Activations } from "./Activations";
import { alarmOf, complete, DEFAULTS, KINDS, WITH_LIMITS, type DetectorKind, type Fields } from "./alarm-form";
import { alarmsApi, LIMITS, type Alarm, type Preview, type Priority } from "./alarms-api";

const PAUSE_MS = 800;

interface Told {
  ok: boolean;
  text: string;
  preview?: Preview;
}

export function AlarmDefinition({ onClose }: { onClose: () => void }) {
  const texts = useTexts();
  const format = useFormat();
  const { message } = App.useApp();
  const [form] = Form.useForm<Fields>();
  const [told, setTold] = useState<Told>();
  const kind = Form.useWatch("kind", form) ?? "limit";
  const point = Form.useWatch("point", form) ?? "";
  const pause = useRef(0);
  const round = useRef(0);
  useEffect(() => () => window.clearTimeout(pause.current), []);

  const attempt = async (alarm: Alarm, act: (alarm: Alarm) => Promise<Told | undefined>) => {
    const mine = ++round.current;
    let found: Told | undefined;
    try {
      found = await act(alarm);
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      found = { ok: false, text: `${sentence} ${remedy}` };
    }
    // An answer that a newer question overtook says nothing any more.
    if (mine === round.current) setTold(found);
  };
  const tried = async (alarm: Alarm): Promise<Told> => {
    const preview = await alarmsApi.preview(alarm);
    const rang = preview.rung ? texts.alarms.wouldRing(format.count(preview.rung), format.age(preview.active_ns / 1e6)) : texts.alarms.wouldNot;
    const covered = preview.suppressed ? ` ${texts.alarms.wouldBeSuppressed(format.count(preview.suppressed))}` : "";
    return { ok: true, text: rang + covered, preview };
  };
  const saved = async (alarm: Alarm) => {
    await alarmsApi.define(alarm);
    void message.success(`${alarm.name}: ${texts.alarms.entry["defined"] ?? ""}`);
    onClose();
    return undefined;
  };
  const asked = async (act: (alarm: Alarm) => Promise<Told | undefined>) => {
    window.clearTimeout(pause.current);
    const fields = await form.validateFields().catch(() => undefined);
    if (!fields) return;
    if (!complete(fields)) setTold({ ok: false, text: WITH_LIMITS.includes(fields.kind) ? texts.alarms.limitsNeeded : texts.login.fill });
    else await attempt(alarmOf(fields), act);
  };
  const trying = useRef(false);
  const changed = () => {
    window.clearTimeout(pause.current);
    pause.current = window.setTimeout(() => {
      const fields = form.getFieldsValue(true) as Fields;
      if (!complete(fields)) return;
      // One at a time: a week of a fast point is work for the server.
      if (trying.current) changed();
      else {
        trying.current = true;
        void attempt(alarmOf(fields), tried).finally(() => { trying.current = false; });
      }
    }, PAUSE_MS);
  };
  const required = [{ required: true, whitespace: true, message: texts.login.fill }];
  return (
    <Modal
      open
      width={640}
      title={texts.alarms.define}
      onCancel={onClose}
      footer={[
        <Button key="preview" onClick={() => void asked(tried)}>{texts.alarms.preview}</Button>,
        <Button key="cancel" onClick={onClose}>{texts.common.cancel}</Button>,
        <Button key="save" type="primary" onClick={() => void asked(saved)}>{texts.common.save}</Button>,
      ]}
    >
      <Form form={form} layout="vertical" initialValues={DEFAULTS} onValuesChange={changed}>
        <Form.Item name="name" label={texts.alarms.name} rules={required}><Input maxLength={200} autoFocus /></Form.Item>
        <Form.Item name="point" label={texts.alarms.point} rules={required}><PointInput /></Form.Item>
        <Form.Item name="kind" label={texts.alarms.kind} extra={texts.alarms.kindHint[kind]}>
          <Select options={KINDS.map((value) => ({ value, label: texts.alarms.kinds[value] }))} />
        </Form.Item>
        <Detector kind={kind} />
        {WITH_LIMITS.includes(kind) ? <Limits /> : <Form.Item name="priority" label={texts.alarms.priorityTitle}><Priorities /></Form.Item>}
        <Space wrap>
          {WITH_LIMITS.includes(kind) && <Form.Item name="dead_band" label={texts.alarms.deadBand}><InputNumber min={0} /></Form.Item>}
          <Form.Item name="on_delay_s" label={texts.alarms.onDelay}><InputNumber min={0} max={86_400} /></Form.Item>
          <Form.Item name="off_delay_s" label={texts.alarms.offDelay}><InputNumber min={0} max={86_400} /></Form.Item>
          <Form.Item name="group" label={texts.alarms.group}><Input /></Form.Item>
        </Space>
        <Form.Item name="suppress_when" label={texts.alarms.suppressWhen}><Input className="path-text" placeholder="state == 'stopped'" /></Form.Item>
        <Form.Item name="description" label={texts.alarms.description}><Input /></Form.Item>
        <Form.Item name="cause" label={texts.alarms.cause}><Input /></Form.Item>
        <Form.Item name="consequence" label={texts.alarms.consequence}><Input /></Form.Item>
        <Form.Item name="action" label={texts.alarms.action}><Input /></Form.Item>
        <Form.Item name="respond_min" label={texts.alarms.respondMinutes}><InputNumber min={0} /></Form.Item>
      </Form>
      {told && (
        <div className="alarm-told">
          <Alert type={told.ok ? "info" : "error"} showIcon role="status" title={told.text} />
          {told.preview && <Activations preview={told.preview} point={point} />}
        </div>
      )}
    </Modal>
  );
}

function PointInput(props: { value?: string; onChange?: (value: string) => void; id?: string }) {
  const [search, setSearch] = useState("");
  const points = useLoad(`points ${search}`, (signal) => api.search(search, signal));
  const options = (points.data?.items ?? []).map((p) => ({ value: p.path }));
  return <AutoComplete {...props} showSearch={{ onSearch: setSearch }} options={options} />;
}

function Priorities(props: { value?: Priority; onChange?: (value: Priority) => void; id?: string }) {
  const texts = useTexts();
  const options = (["low", "medium", "high", "critical"] as Priority[]).map((value) => ({ value, label: texts.alarms.priority[value] }));
  return <Select {...props} options={options} popupMatchSelectWidth={false} />;
}

function Limits() {
  const texts = useTexts();
  return (
    <>
      <div className="alarm-limits">{LIMITS.map((n) => (
        <Form.Item key={n} label={texts.alarms.limits[n]}>
          <Space.Compact>
            <Form.Item name={n} noStyle><InputNumber aria-label={texts.alarms.limits[n]} style={{ width: 120 }} /></Form.Item>
            <Form.Item name={`${n}_priority`} noStyle><Priorities /></Form.Item>
          </Space.Compact>
        </Form.Item>
      ))}</div>
      <Form.Item name="separate" valuePropName="checked"><Checkbox>{texts.alarms.separate}</Checkbox></Form.Item>
    </>
  );
}

/** What only this kind needs. */
function Detector({ kind }: { kind: DetectorKind }) {
  const texts = useTexts();
  switch (kind) {
    case "limit":
      return null;
    case "deviation":
      return <Form.Item name="deviation_from" label={texts.alarms.deviationFrom}><PointInput /></Form.Item>;
    case "rate":
      return (
        <Space wrap>
          <Form.Item name="over" label={texts.alarms.over}><Input placeholder="1m" /></Form.Item>
          <Form.Item name="per" label={texts.alarms.per}><Select options={["s", "min", "h"].map((value) => ({ value, label: value }))} /></Form.Item>
        </Space>
      );
    case "off_normal":
    case "trip":
      return <Form.Item name="normal" label={texts.alarms.normalValue}><InputNumber /></Form.Item>;
    case "discrepancy":
      return (
        <>
          <Form.Item name="command" label={texts.alarms.command}><PointInput /></Form.Item>
          <Space wrap>
            <Form.Item name="within_s" label={texts.alarms.within}><InputNumber min={0} max={86_400} /></Form.Item>
            <Form.Item name="tolerance" label={texts.alarms.tolerance}><InputNumber min={0} /></Form.Item>
          </Space>
        </>
      );
    case "stale":
      return <Form.Item name="stale_s" label={texts.alarms.staleAfter}><InputNumber min={1} /></Form.Item>;
    case "when":
    case "value":
      return <Form.Item name="expression" label={texts.alarms.expression}><Input.TextArea className="path-text" rows={2} spellCheck={false} placeholder={kind === "when" ? "avg(vibration, '5m') > 4 && speed > 1000" : "flow_in - flow_out"} /></Form.Item>;
  }
}
