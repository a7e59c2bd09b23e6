/** A derived point, written: checked at every pause, tried on the last day before it is kept. */
import { Alert, App, Button, Form, Input, Modal } from "antd";
import { useEffect, useRef, useState } from "react";
import { useFormat } from "../../format";
import { useFocusBack } from "../../hooks";
import { LineChart } from "../../parts/LineChart";
import { explain } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { derivedApi, type Checked, type Derived, type Preview } from "./derived-api";

const PAUSE_MS = 500;
const DAY_MS = 86_400_000;

interface Fields {
  point: string;
  expression: string;
  unit?: string;
  description?: string;
}

export function DerivedForm({ given, onClose }: { given: Derived; onClose: () => void }) {
  useFocusBack();
  const texts = useTexts();
  const { message } = App.useApp();
  const [form] = Form.useForm<Fields>();
  const [checked, setChecked] = useState<Checked>();
  const [preview, setPreview] = useState<Preview>();
  const [failure, setFailure] = useState("");
  const pause = useRef(0);
  const round = useRef(0);
  useEffect(() => () => window.clearTimeout(pause.current), []);

  const written = (): Derived => ({ ...given, ...form.getFieldsValue() });
  const wrong = (error: unknown) => {
    const { sentence, remedy } = explain(error, texts);
    setFailure(`${sentence} ${remedy}`);
  };
  const changed = () => {
    window.clearTimeout(pause.current);
    pause.current = window.setTimeout(() => {
      const derived = written();
      if (!derived.point || !derived.expression) return;
      const mine = ++round.current;
      // An answer that a newer question overtook says nothing any more.
      const show = (act: () => void) => mine === round.current && act();
      derivedApi.check(derived).then(
        (found) => show(() => { setChecked(found); setFailure(""); }),
        (error: unknown) => show(() => wrong(error)),
      );
    }, PAUSE_MS);
  };
  const asked = async (act: (derived: Derived) => Promise<void>) => {
    const fields = await form.validateFields().catch(() => undefined);
    if (!fields) return;
    setFailure("");
    try {
      await act(written());
    } catch (error) {
      wrong(error);
    }
  };
  const required = [{ required: true, whitespace: true, message: texts.login.fill }];
  return (
    <Modal
      open
      width={680}
      title={texts.derived.define}
      onCancel={onClose}
      footer={[
        <Button key="try" onClick={() => void asked(async (d) => setPreview(await derivedApi.preview(d)))}>{texts.derived.preview}</Button>,
        <Button key="cancel" onClick={onClose}>{texts.common.cancel}</Button>,
        <Button
          key="save"
          type="primary"
          onClick={() => void asked(async (d) => {
            await derivedApi.define(d);
            void message.success(`${d.point}: ${texts.derived.defined}`);
            onClose();
          })}
        >
          {texts.common.save}
        </Button>,
      ]}
    >
      <Form form={form} layout="vertical" initialValues={given} onValuesChange={changed}>
        <Form.Item name="point" label={texts.derived.point} rules={required} extra={texts.derived.pointHint}>
          <Input className="path-text" autoFocus disabled={given.point !== ""} />
        </Form.Item>
        <Form.Item name="expression" label={texts.derived.expression} rules={required} extra={texts.derived.expressionHint}>
          <Input.TextArea className="path-text" rows={3} spellCheck={false} placeholder="avg(power, '5m') / 1000" />
        </Form.Item>
        <Form.Item name="unit" label={texts.derived.unit}><Input placeholder="kW" /></Form.Item>
        <Form.Item name="description" label={texts.derived.description}><Input /></Form.Item>
      </Form>
      {failure ? <Alert type="error" showIcon role="status" title={failure} /> : checked && <Verdict checked={checked} text={form.getFieldValue("expression") as string} />}
      {preview && <Tried preview={preview} />}
    </Modal>
  );
}

/** What the expression is, or where it is wrong. */
function Verdict({ checked, text }: { checked: Checked; text: string }) {
  const texts = useTexts();
  const { wrong } = checked;
  if (!wrong) {
    const missing = checked.missing.length > 0 ? ` ${texts.derived.missing(checked.missing.join(", "))}` : "";
    return <Alert type={missing ? "warning" : "info"} showIcon role="status" title={texts.derived.gives(checked.kind ?? "", checked.unit) + missing} />;
  }
  const { at, end } = wrong;
  return (
    <Alert
      type="error"
      showIcon
      role="status"
      title={wrong.message}
      description={
        <>
          {at !== null && (
            <code className="derived-wrong">
              {text.slice(0, at)}
              <mark>{text.slice(at, Math.max(end ?? at, at + 1)) || "␣"}</mark>
              {text.slice(Math.max(end ?? at, at + 1))}
            </code>
          )}
          {wrong.remedy && <div>{wrong.remedy}</div>}
        </>
      }
    />
  );
}

function Tried({ preview }: { preview: Preview }) {
  const texts = useTexts();
  const format = useFormat();
  const stop = Date.now();
  const numbers = preview.values.map((v) => (typeof v === "boolean" ? Number(v) : typeof v === "number" ? v : null));
  return (
    <div className="derived-tried">
      <p className="small">
        {texts.derived.tried(format.count(preview.rows), format.count(preview.good), format.count(preview.uncertain), format.count(preview.bad))}
      </p>
      {numbers.some((v) => v !== null) && (
        <LineChart
          line={{ name: texts.derived.title, unit: preview.unit, times: preview.times_ns.map((t) => t / 1e6), values: numbers, stepped: preview.kind === "boolean" }}
          colour={0}
          relative={false}
          span={[stop - DAY_MS, stop]}
        />
      )}
    </div>
  );
}
