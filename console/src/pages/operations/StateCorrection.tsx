/** The state of a stretch corrected, or its stop made one with another. */
import { App, Form, Input, Modal, Segmented, Select } from "antd";
import { useState } from "react";
import { useFormat } from "../../format";
import { useFocusBack, useLoad } from "../../hooks";
import { explain } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { boundsOf, lengthText } from "./StateTimeline";
import { statesApi, type Stop, type Timeline } from "./states-api";

/** A stretch that somebody chose; times in ms. */
export interface Chosen {
  from: number;
  to: number;
  state: string;
}

interface Props {
  unit: string;
  chosen: Chosen;
  /** Names of all its states. */
  states: readonly string[];
  onClose: () => void;
  onDone: () => void;
}

type Deed = "correct" | "merge";

interface Fields {
  state: string;
  from: string;
  to: string;
  other?: number;
  code?: string;
  comment?: string;
}

/** The stretch at a place of a timeline. */
export function chosenAt(line: Timeline, at: number, unknown: string): Chosen {
  const [from, to] = boundsOf(line, at);
  return { from, to, state: line.states[line.state[at] ?? -1]?.name ?? unknown };
}

export function StateCorrection({ unit, chosen, states, onClose, onDone }: Props) {
  useFocusBack();
  const texts = useTexts();
  const format = useFormat();
  const { message } = App.useApp();
  const [form] = Form.useForm<Fields>();
  const [deed, setDeed] = useState<Deed>("correct");
  const [busy, setBusy] = useState(false);
  const stops = useLoad(`stops ${unit}`, (signal) => statesApi.stops(unit, "-24h", signal));
  const reasons = useLoad(`reasons ${unit}`, (signal) => statesApi.reasons(unit, signal));
  const words = texts.corrections;
  const all = stops.data?.items ?? [];
  const own = all.find((s) => s.start_ns / 1e6 < chosen.to && s.stop_ns / 1e6 > chosen.from);
  const groups = new Set(reasons.data?.items.map((r) => r.parent));
  const text = (s: Stop) => `${format.clockTime(s.start_ns / 1e6)} · ${lengthText((s.stop_ns - s.start_ns) / 1e6, texts, format)} · ${s.state}`;
  const bounds = { from: fieldOf(chosen.from), to: fieldOf(chosen.to) };

  const keep = async (fields: Fields) => {
    setBusy(true);
    const comment = fields.comment ?? "";
    try {
      if (deed === "correct") {
        // A bound that nobody moved is sent as it is, not to the second of the field.
        const from = fields.from === bounds.from ? chosen.from : new Date(fields.from).getTime();
        const to = fields.to === bounds.to ? chosen.to : new Date(fields.to).getTime();
        await statesApi.correct(unit, ns(from), ns(to), fields.state, comment);
      } else if (own && fields.other !== undefined && fields.code) {
        const times = [middle(own), fields.other].sort((a, b) => a - b);
        await statesApi.merge(unit, times[0] ?? 0, times[1] ?? 0, fields.code, comment);
      }
      void message.success(words.done);
      onDone();
      onClose();
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      void message.error(`${sentence} ${remedy}`);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Modal
      open
      title={`${chosen.state} · ${format.clockTime(chosen.from)} – ${format.clockTime(chosen.to)}`}
      okText={words.keep}
      confirmLoading={busy}
      onOk={() => form.submit()}
      onCancel={onClose}
    >
      {own && all.length > 1 && (
        <Segmented<Deed> block value={deed} onChange={setDeed} options={[{ value: "correct", label: words.correct }, { value: "merge", label: words.merge }]} />
      )}
      <Form form={form} layout="vertical" requiredMark={false} initialValues={{ state: chosen.state, ...bounds }} onFinish={(f) => void keep(f)}>
        {deed === "correct" ? (
          <>
            <Form.Item name="state" label={words.state} rules={[{ required: true }]}>
              <Select options={states.map((value) => ({ value, label: value }))} />
            </Form.Item>
            <Form.Item name="from" label={words.from} rules={[{ required: true }]}><Input type="datetime-local" step={1} /></Form.Item>
            <Form.Item name="to" label={words.to} rules={[{ required: true }]}><Input type="datetime-local" step={1} /></Form.Item>
          </>
        ) : (
          <>
            <Form.Item name="other" label={words.other} extra={words.between} rules={[{ required: true }]}>
              <Select options={all.filter((s) => s !== own).reverse().map((s) => ({ value: middle(s), label: text(s) }))} />
            </Form.Item>
            <Form.Item name="code" label={words.reason} rules={[{ required: true }]}>
              <Select showSearch={{ optionFilterProp: "label" }} options={(reasons.data?.items ?? []).filter((r) => !groups.has(r.code)).map((r) => ({ value: r.code, label: r.text }))} />
            </Form.Item>
          </>
        )}
        <Form.Item name="comment" label={texts.states.comment}><Input maxLength={500} /></Form.Item>
      </Form>
    </Modal>
  );
}

const ns = (ms: number) => Math.round(ms * 1e6);

/** A moment within a stop, which no rounding moves out of it. */
const middle = (stop: Stop) => Math.round((stop.start_ns + stop.stop_ns) / 2);

/** A time as a field of local date and time holds it, to the second. */
function fieldOf(ms: number): string {
  const at = new Date(ms);
  return new Date(ms - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
