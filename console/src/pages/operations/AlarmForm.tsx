/** An alarm of any kind in a form, tried on history while it is written. */
import { Alert, App, Button, Form, Input, InputNumber, Modal, Select, Space } from "antd";
import { useEffect, useRef, useState } from "react";
import { useFormat } from "../../format";
import { Problem } from "../../http";
import { explain } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { Activations } from "./Activations";
import { Detector, Limits, More, PointInput, Priorities } from "./AlarmFields";
import { alarmOf, complete, DEFAULTS, fieldOf, fieldsOf, KINDS, WITH_LIMITS, type Fields } from "./alarm-form";
import { alarmsApi, type Alarm, type Definition, type Preview } from "./alarms-api";
import type { Task } from "./AlarmDefinition";

const PAUSE_MS = 800;

interface Props {
  task: Task["do"];
  title: string;
  /** What is changed or copied; nothing for a new one. */
  subject?: Definition;
  onCopy: () => void;
  /** To begin again with the alarm as it is now. */
  onAgain: () => void;
  onClose: () => void;
  onSaved: (name: string) => void;
}

/** What is told below the form: a trial, or why something could not be done. */
interface Told {
  preview?: Preview;
  /** How often it rings as it is, while it is changed. */
  before?: number;
  failure?: string;
  overtaken?: boolean;
}

export function AlarmForm({ task, title, subject, onCopy, onAgain, onClose, onSaved }: Props) {
  const texts = useTexts();
  const { message } = App.useApp();
  const [form] = Form.useForm<Fields>();
  const [told, setTold] = useState<Told>();
  const [busy, setBusy] = useState<"trial" | "save">();
  const kind = Form.useWatch("kind", form) ?? "limit";
  const point = Form.useWatch("point", form) ?? "";
  const pause = useRef(0);
  const round = useRef(0);
  const before = useRef<number | undefined>(undefined);
  const elsewhere = task === "edit" && !!subject && (subject.in_file || !!subject.device);
  const base = subject?.alarm;
  const written = (): Alarm => alarmOf(form.getFieldsValue(true) as Fields, base);

  const attempt = async (what: "trial" | "save", act: () => Promise<Told | undefined>) => {
    const mine = ++round.current;
    let found: Told | undefined;
    setBusy(what);
    try {
      found = await act();
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      const status = error instanceof Problem ? error.status : 0;
      const fields = form.getFieldsValue(true) as Fields;
      const name = fieldOf(sentence, status, fields);
      const overtaken = status === 409 && task === "edit";
      if (mine === round.current && name && !overtaken) form.setFields([{ name, errors: [`${sentence} ${remedy}`] }]);
      else found = { failure: `${sentence} ${remedy}`, overtaken };
    }
    // An answer that a newer question overtook says nothing any more.
    if (mine !== round.current) return;
    setTold(found);
    setBusy(undefined);
  };
  const tried = async (): Promise<Told> => {
    const preview = await alarmsApi.preview(written());
    if (task === "edit") before.current ??= preview.rung;
    return { preview, before: before.current };
  };
  const saved = async () => {
    const alarm = written();
    const permit = (form.getFieldValue("permit") as string | undefined)?.trim() ?? "";
    await alarmsApi.define(alarm, task === "edit" ? (subject?.tag ?? "") : "", permit);
    void message.success(`${alarm.name}: ${texts.alarms.entry["defined"] ?? ""}`);
    onSaved(alarm.name);
    return undefined;
  };
  const asked = async (what: "trial" | "save") => {
    window.clearTimeout(pause.current);
    const fields = await form.validateFields().catch(() => undefined);
    if (fields) await attempt(what, what === "save" ? saved : tried);
  };
  const trying = useRef(false);
  const changed = (wait = PAUSE_MS) => {
    window.clearTimeout(pause.current);
    pause.current = window.setTimeout(() => {
      if (!complete(form.getFieldsValue(true) as Fields)) return;
      // One at a time: a week of a fast point is work for the server.
      if (trying.current) changed();
      else {
        trying.current = true;
        void attempt("trial", tried).finally(() => { trying.current = false; });
      }
    }, wait);
  };
  useEffect(() => {
    if (base) changed(0);
    return () => window.clearTimeout(pause.current);
  }, []);
  const required = [{ required: true, whitespace: true, message: texts.login.fill }];
  const initial = base ? { ...fieldsOf(base), ...(task === "copy" ? { name: texts.alarms.copyOf(base.name) } : {}) } : DEFAULTS;
  return (
    <Modal
      open
      width={720}
      title={title}
      onCancel={onClose}
      footer={[
        <Button key="preview" loading={busy === "trial"} onClick={() => void asked("trial")}>{texts.alarms.preview}</Button>,
        <Button key="cancel" onClick={onClose}>{elsewhere ? texts.common.close : texts.common.cancel}</Button>,
        elsewhere
          ? !subject.device && <Button key="copy" type="primary" onClick={onCopy}>{texts.alarms.copy}</Button>
          : <Button key="save" type="primary" loading={busy === "save"} onClick={() => void asked("save")}>{texts.common.save}</Button>,
      ]}
    >
      {elsewhere && <Alert className="error-box" type="info" showIcon title={subject.device ? texts.alarms.ofDevice(subject.device) : texts.alarms.ofFile} />}
      <Form form={form} name="alarm" layout="vertical" disabled={elsewhere} initialValues={initial} onValuesChange={() => changed()}>
        <Form.Item name="name" label={texts.alarms.name} rules={required} extra={task === "edit" && !elsewhere ? texts.alarms.nameStays : undefined}>
          <Input maxLength={200} autoFocus={task !== "edit"} disabled={task === "edit"} />
        </Form.Item>
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
        <Space wrap>
          <Form.Item name="respond_min" label={texts.alarms.respondMinutes}><InputNumber min={0} /></Form.Item>
          {!elsewhere && <Form.Item name="permit" label={texts.alarms.changePermit}><Input placeholder="MOC-12" /></Form.Item>}
        </Space>
        <More />
      </Form>
      {told && <Outcome told={told} point={point} onAgain={onAgain} />}
    </Modal>
  );
}

function Outcome({ told, point, onAgain }: { told: Told; point: string; onAgain: () => void }) {
  const texts = useTexts();
  const format = useFormat();
  const { preview, before, failure, overtaken } = told;
  const sentences = preview ? [
    preview.rung ? texts.alarms.wouldRing(format.count(preview.rung), format.age(preview.active_ns / 1e6)) : texts.alarms.wouldNot,
    ...(before !== undefined && before !== preview.rung ? [texts.alarms.ringsNow(format.count(before))] : []),
    ...(preview.suppressed ? [texts.alarms.wouldBeSuppressed(format.count(preview.suppressed))] : []),
  ] : [failure];
  return (
    <div className="alarm-told">
      <Alert
        type={preview ? "info" : "error"}
        showIcon
        role="status"
        title={sentences.join(" ")}
        action={overtaken && <Button size="small" onClick={onAgain}>{texts.alarms.asItIsNow}</Button>}
      />
      {preview && <Activations preview={preview} point={point} />}
    </div>
  );
}
