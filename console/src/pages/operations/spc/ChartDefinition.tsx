/** A chart as people define it: a new one, or one that was made at run time. */
import { Alert, App, AutoComplete, Button, Form, Input, InputNumber, Modal, Select } from "antd";
import { useState } from "react";
import { api } from "../../../api";
import { useFocusBack, useLoad } from "../../../hooks";
import { explain } from "../../../parts/Notice";
import { useTexts } from "../../../texts";
import { isMeasured, KINDS, type Chart, type ChartKind, type Subgroup } from "./charts-api";
import { chartsApi } from "./charts-api";

interface Fields extends Omit<Chart, "names" | "phases"> {
  named?: string;
  centre?: number | null;
  sigma?: number | null;
}

interface Props {
  /** The one to change; without, a new one is made. */
  chart?: Chart;
  onClose: () => void;
  onSaved: (name: string) => void;
}

const GROUPED: readonly ChartKind[] = ["xbar-r", "xbar-s", "ewma", "cusum"];
const SIZES: Partial<Record<ChartKind, number>> = { "xbar-r": 5, "xbar-s": 5, np: 50 };

/** Names from lines `name = path`; nothing when one is no such line. */
export function namesOf(text: string): Record<string, string> | undefined {
  const lines = text.split("\n").map((l) => l.trim()).filter(Boolean);
  const pairs = lines.map((l) => /^([A-Za-z_]\w*)\s*=\s*(\S+)$/.exec(l));
  if (pairs.some((p) => !p)) return undefined;
  return Object.fromEntries(pairs.map((p) => [p?.[1] ?? "", p?.[2] ?? ""]));
}

function chartOf(f: Fields, old: Chart | undefined): Chart | undefined {
  const names = namesOf(f.named ?? "");
  if (!names) return undefined;
  const { named: _, centre, sigma, ...rest } = f;
  const grouped = GROUPED.includes(f.kind);
  const known = typeof centre === "number" ? [{ centre, sigma: sigma ?? null }] : [];
  const given = Object.fromEntries(Object.entries(rest).filter(([, v]) => v !== undefined && v !== null && v !== ""));
  const chart: Chart = { ...(given as unknown as Chart), name: f.name.trim(), point: f.point.trim(), names, phases: old?.phases?.length ? old.phases : known };
  if (!grouped && f.kind !== "np") delete chart.size;
  if (!grouped) delete chart.subgroup;
  if (chart.subgroup !== "change") delete chart.by;
  if (chart.subgroup !== "time") delete chart.every_s;
  if (f.kind !== "p" && f.kind !== "u") delete chart.size_point;
  return chart;
}

export function ChartDefinition({ chart, onClose, onSaved }: Props) {
  useFocusBack();
  const texts = useTexts();
  const words = texts.spc.form;
  const { message } = App.useApp();
  const [form] = Form.useForm<Fields>();
  const [search, setSearch] = useState("");
  const [trouble, setTrouble] = useState("");
  const points = useLoad(`points ${search}`, (signal) => api.search(search, signal));
  const kind = Form.useWatch("kind", form) ?? chart?.kind ?? "i-mr";
  const subgroup: Subgroup = Form.useWatch("subgroup", form) ?? chart?.subgroup ?? "count";
  const grouped = GROUPED.includes(kind);
  const save = async () => {
    const fields = await form.validateFields().catch(() => undefined);
    if (!fields) return;
    const made = chartOf(fields, chart);
    if (!made) {
      setTrouble(words.badNames);
      return;
    }
    try {
      await chartsApi.define(made);
      void message.success(words.saved(made.name));
      onClose();
      onSaved(made.name);
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      setTrouble(`${sentence} ${remedy}`);
    }
  };
  const required = [{ required: true, whitespace: true, message: texts.login.fill }];
  const path = (name: "point" | "by" | "size_point", label: string, extra?: string) => (
    <Form.Item name={name} label={label} rules={required} extra={extra}>
      <AutoComplete showSearch={{ onSearch: setSearch }} options={(points.data?.items ?? []).map((p) => ({ value: p.path }))} />
    </Form.Item>
  );
  const first: Partial<Fields> = chart
    ? { ...chart, rules: typeof chart.rules === "string" ? chart.rules : "western-electric", named: Object.entries(chart.names ?? {}).map((n) => n.join(" = ")).join("\n") }
    : { kind: "i-mr", rules: "western-electric", subgroup: "count", size: 1 };
  return (
    <Modal
      open
      width={680}
      title={chart ? `${texts.spc.change}: ${chart.name}` : texts.spc.define}
      onCancel={onClose}
      footer={[
        <Button key="cancel" onClick={onClose}>{texts.common.cancel}</Button>,
        <Button key="save" type="primary" onClick={() => void save()}>{texts.common.save}</Button>,
      ]}
    >
      <Form form={form} layout="vertical" initialValues={first} onValuesChange={(c: Partial<Fields>) => c.kind && form.setFieldValue("size", SIZES[c.kind] ?? 1)}>
        <Form.Item name="name" label={words.name} rules={required}><Input maxLength={80} autoFocus disabled={!!chart} /></Form.Item>
        {path("point", words.point, words.pointHint)}
        <div className="chart-pair">
          <Form.Item name="kind" label={words.kind}><Select options={KINDS.map((value) => ({ value, label: texts.spc.kinds[value] }))} /></Form.Item>
          {(grouped || kind === "np") && <Form.Item name="size" label={kind === "np" ? words.sizeItems : words.size}><InputNumber min={1} max={100} precision={0} /></Form.Item>}
          {isMeasured(kind) && kind !== "ewma" && kind !== "cusum" && <Form.Item name="rules" label={words.rules}><Select options={Object.entries(texts.spc.sets).map(([value, label]) => ({ value, label }))} /></Form.Item>}
          {grouped && <Form.Item name="subgroup" label={words.subgroup}><Select options={Object.entries(words.subgroups).map(([value, label]) => ({ value, label }))} /></Form.Item>}
          {grouped && subgroup === "time" && <Form.Item name="every_s" label={words.every}><InputNumber min={1} /></Form.Item>}
        </div>
        {grouped && subgroup === "change" && path("by", words.by)}
        {(kind === "p" || kind === "u") && path("size_point", words.sizePoint)}
        <div className="chart-pair">
          <Form.Item name="lsl" label={words.lsl}><InputNumber /></Form.Item>
          <Form.Item name="target" label={words.target}><InputNumber /></Form.Item>
          <Form.Item name="usl" label={words.usl}><InputNumber /></Form.Item>
        </div>
        {!chart?.phases?.length && (
          <div className="chart-pair" role="group" aria-label={words.baseline}>
            <Form.Item name="centre" label={words.centre} extra={words.baseline}><InputNumber /></Form.Item>
            {isMeasured(kind) && <Form.Item name="sigma" label={words.sigma}><InputNumber min={0} /></Form.Item>}
          </div>
        )}
        <Form.Item name="when" label={words.when}><Input placeholder="state == 1" /></Form.Item>
        <Form.Item name="expression" label={words.expression}><Input /></Form.Item>
        <Form.Item name="named" label={words.names}><Input.TextArea rows={2} placeholder={words.namesHint} /></Form.Item>
        <div className="chart-pair">
          <Form.Item name="group" label={words.group}><Input /></Form.Item>
          <Form.Item name="description" label={words.description}><Input /></Form.Item>
        </div>
      </Form>
      {trouble && <Alert type="error" showIcon role="alert" title={trouble} />}
    </Modal>
  );
}
