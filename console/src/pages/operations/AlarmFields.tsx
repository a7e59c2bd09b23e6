/** The fields of the form of an alarm that belong together: its detector, its limits, its life. */
import { AutoComplete, Checkbox, Form, Input, InputNumber, Select, Space } from "antd";
import type { FormInstance } from "antd";
import { useState } from "react";
import { api } from "../../api";
import { useLoad } from "../../hooks";
import { useTexts } from "../../texts";
import { SHELVE_MIN, type DetectorKind } from "./alarm-form";
import { LIMITS, type LimitName, type Priority } from "./alarms-api";

export function PointInput(props: { value?: string; onChange?: (value: string) => void; id?: string }) {
  const [search, setSearch] = useState("");
  const points = useLoad(`points ${search}`, (signal) => api.search(search, signal));
  const options = (points.data?.items ?? []).map((p) => ({ value: p.path }));
  return <AutoComplete {...props} showSearch={{ onSearch: setSearch }} options={options} />;
}

export function Priorities({ label, ...props }: { value?: Priority; onChange?: (value: Priority) => void; id?: string; label?: string }) {
  const texts = useTexts();
  const options = (["low", "medium", "high", "critical"] as Priority[]).map((value) => ({ value, label: texts.alarms.priority[value] }));
  return <Select {...props} aria-label={label} options={options} popupMatchSelectWidth={false} />;
}

export function Limits() {
  const texts = useTexts();
  /** Some limit is given, and each lies below the one above it. */
  const rule = (name: LimitName) => ({ getFieldValue }: Pick<FormInstance, "getFieldValue">) => ({
    validator: async () => {
      const given = LIMITS.map((n) => ({ n, value: getFieldValue(n) as unknown })).filter((l) => typeof l.value === "number");
      if (!given.length && name === "hi") throw new Error(texts.alarms.limitsNeeded);
      const at = given.findIndex((l) => l.n === name);
      const above = given[at - 1];
      if (at > 0 && above && Number(above.value) < Number(given[at]?.value)) throw new Error(texts.alarms.limitsOrder(texts.alarms.limits[above.n]));
    },
  });
  return (
    <>
      <div className="alarm-limits">{LIMITS.map((n) => (
        <Form.Item key={n} label={texts.alarms.limits[n]}>
          <Space.Compact>
            <Form.Item name={n} noStyle dependencies={LIMITS.filter((m) => m !== n)} rules={[rule(n)]}><InputNumber aria-label={texts.alarms.limits[n]} style={{ width: 120 }} /></Form.Item>
            <Form.Item name={`${n}_priority`} noStyle><Priorities label={`${texts.alarms.limits[n]}: ${texts.alarms.priorityTitle}`} /></Form.Item>
          </Space.Compact>
        </Form.Item>
      ))}</div>
      <Form.Item name="separate" valuePropName="checked"><Checkbox>{texts.alarms.separate}</Checkbox></Form.Item>
    </>
  );
}

/** How it lives: what few alarms need otherwise than usual. */
export function More() {
  const texts = useTexts();
  return (
    <details className="alarm-more">
      <summary>{texts.alarms.moreSettings}</summary>
      <Form.Item name="on_bad" label={texts.alarms.onBad}>
        <Select options={(["hold", "raise"] as const).map((value) => ({ value, label: texts.alarms.onBads[value] }))} />
      </Form.Item>
      <Form.Item name="acknowledge" valuePropName="checked"><Checkbox>{texts.alarms.mustAcknowledge}</Checkbox></Form.Item>
      <Form.Item name="confirm" valuePropName="checked"><Checkbox>{texts.alarms.mustConfirm}</Checkbox></Form.Item>
      <Form.Item name="latching" valuePropName="checked"><Checkbox>{texts.alarms.latching}</Checkbox></Form.Item>
      <Space wrap>
        <Form.Item name="realarm_min" label={texts.alarms.realarmAfter}><InputNumber min={0} placeholder={texts.common.never} /></Form.Item>
        <Form.Item name="shelve_min" label={texts.alarms.shelfLongest}><InputNumber min={1} placeholder={String(SHELVE_MIN)} /></Form.Item>
      </Space>
    </details>
  );
}

/** What only this kind needs. */
export function Detector({ kind }: { kind: DetectorKind }) {
  const texts = useTexts();
  const words = [{ required: true, whitespace: true, message: texts.login.fill }];
  const number = [{ required: true, message: texts.login.fill }];
  switch (kind) {
    case "limit":
      return null;
    case "deviation":
      return <Form.Item name="deviation_from" rules={words} label={texts.alarms.deviationFrom}><PointInput /></Form.Item>;
    case "rate":
      return (
        <Space wrap>
          <Form.Item name="over" rules={words} label={texts.alarms.over}><Input placeholder="1m" /></Form.Item>
          <Form.Item name="per" label={texts.alarms.per}><Select options={["s", "min", "h"].map((value) => ({ value, label: value }))} /></Form.Item>
        </Space>
      );
    case "off_normal":
    case "trip":
      return <Form.Item name="normal" rules={number} label={texts.alarms.normalValue}><InputNumber /></Form.Item>;
    case "discrepancy":
      return (
        <>
          <Form.Item name="command" rules={words} label={texts.alarms.command}><PointInput /></Form.Item>
          <Space wrap>
            <Form.Item name="within_s" label={texts.alarms.within}><InputNumber min={0} max={86_400} /></Form.Item>
            <Form.Item name="tolerance" label={texts.alarms.tolerance}><InputNumber min={0} /></Form.Item>
          </Space>
        </>
      );
    case "stale":
      return <Form.Item name="stale_s" rules={number} label={texts.alarms.staleAfter}><InputNumber min={1} /></Form.Item>;
    case "when":
    case "value":
      return <Form.Item name="expression" rules={words} label={texts.alarms.expression}><Input.TextArea className="path-text" rows={2} spellCheck={false} placeholder={kind === "when" ? "avg(vibration, '5m') > 4 && speed > 1000" : "flow_in - flow_out"} /></Form.Item>;
  }
}
