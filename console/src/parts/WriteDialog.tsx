/** Writing to a machine in two steps: check what would happen, then do it and read it back. */
import { CheckCircleFilled, CloseCircleFilled, WarningFilled } from "@ant-design/icons";
import { Alert, Button, Form, Input, InputNumber, Modal, Select, Steps } from "antd";
import { useState } from "react";
import { api, type Point, type Prepared, type Scalar, type Written } from "../api";
import { unitText, useFormat } from "../format";
import { useNow } from "../hooks";
import { useTexts } from "../texts";
import { ErrorBox } from "./Notice";
import { ValueText } from "./Reading";

interface Props {
  point: Point;
  onClose: () => void;
}

export function WriteDialog({ point, onClose }: Props) {
  const texts = useTexts();
  const [value, setValue] = useState<Scalar>(null);
  const [reason, setReason] = useState("");
  const [prepared, setPrepared] = useState<Prepared>();
  const [written, setWritten] = useState<Written>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const now = useNow();
  const expired = !!prepared && Date.parse(prepared.expires) <= now;

  const attempt = async (work: () => Promise<void>) => {
    setBusy(true);
    setError(undefined);
    try {
      await work();
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  const check = () => attempt(async () => setPrepared(await api.prepare(point.path, value)));
  const confirm = (id: string) => attempt(async () => setWritten(await api.confirm(id, reason.trim())));
  const back = () => {
    if (prepared && !written) void api.cancelWrite(prepared.id).catch(() => undefined);
    setPrepared(undefined);
    setError(undefined);
  };
  const close = () => {
    if (prepared && !written) void api.cancelWrite(prepared.id).catch(() => undefined);
    onClose();
  };
  const step = written ? 2 : prepared ? 1 : 0;
  const footer = [
    <Button key="close" onClick={close}>{written ? texts.common.close : texts.common.cancel}</Button>,
    step === 1 && <Button key="back" onClick={back}>{texts.write.again}</Button>,
    step === 0 && (
      <Button key="check" type="primary" disabled={value === null || value === ""} loading={busy} onClick={() => void check()}>
        {texts.write.prepare}
      </Button>
    ),
    step === 1 && prepared && (
      <Button key="write" type="primary" danger disabled={expired} loading={busy} onClick={() => void confirm(prepared.id)}>
        {texts.write.confirm}
      </Button>
    ),
  ];
  return (
    <Modal open title={texts.write.title} onCancel={close} footer={footer} destroyOnHidden mask={{ closable: false }}>
      <Steps
        size="small"
        current={step}
        className="write-steps"
        items={[{ title: texts.write.step1 }, { title: texts.write.step2 }, { title: texts.write.step3 }]}
      />
      <p className="path-text">{point.path}</p>
      <ErrorBox error={error} />
      {step === 0 && <Entry point={point} value={value} onChange={setValue} onEnter={() => void check()} />}
      {step === 1 && prepared && (
        <Check prepared={prepared} point={point} expired={expired} now={now} reason={reason} onReason={setReason} />
      )}
      {written && <Result written={written} point={point} />}
    </Modal>
  );
}

interface EntryProps {
  point: Point;
  value: Scalar;
  onChange: (value: Scalar) => void;
  onEnter: () => void;
}

function Entry({ point, value, onChange, onEnter }: EntryProps) {
  const texts = useTexts();
  return (
    <Form layout="vertical" component="div">
      <Form.Item label={texts.write.now}><ValueText point={point} unit /></Form.Item>
      <Form.Item label={texts.write.fresh}>
        <Field point={point} value={value} onChange={onChange} onEnter={onEnter} />
      </Form.Item>
    </Form>
  );
}

function Field({ point, value, onChange, onEnter }: EntryProps) {
  const texts = useTexts();
  const label = texts.write.fresh;
  if (point.kind === "boolean") {
    const options = [{ value: true, label: texts.write.on }, { value: false, label: texts.write.off }];
    return <Select aria-label={label} options={options} value={value as boolean | null} onChange={onChange} />;
  }
  if (point.kind === "enum" && point.names) {
    const options = Object.entries(point.names).map(([key, name]) => ({ value: Number(key), label: name }));
    return <Select aria-label={label} options={options} value={value as number | null} onChange={onChange} />;
  }
  if (point.kind === "text" || point.kind === "json") {
    return <Input aria-label={label} autoFocus value={(value as string | null) ?? ""} onChange={(e) => onChange(e.target.value)} onPressEnter={onEnter} />;
  }
  return (
    <InputNumber
      aria-label={label}
      autoFocus
      className="write-number"
      value={value as number | null}
      precision={point.kind === "integer" ? 0 : undefined}
      suffix={unitText(point.unit)}
      onChange={onChange}
      onPressEnter={onEnter}
    />
  );
}

interface CheckProps {
  prepared: Prepared;
  point: Point;
  expired: boolean;
  now: number;
  reason: string;
  onReason: (reason: string) => void;
}

function Check({ prepared, point, expired, now, reason, onReason }: CheckProps) {
  const texts = useTexts();
  const format = useFormat();
  const unit = unitText(prepared.unit);
  const limit = (edge: number | null) => (edge === null ? "–" : `${format.value(edge, point)} ${unit}`);
  const left = Math.max(0, Math.round((Date.parse(prepared.expires) - now) / 1000));
  return (
    <>
      <dl className="facts">
        <dt>{texts.write.now}</dt><dd><ValueText point={point} unit /></dd>
        <dt>{texts.write.fresh}</dt><dd><strong>{format.value(prepared.value, point)} {unit}</strong></dd>
        <dt>{texts.write.limits}</dt>
        <dd>{prepared.low === null && prepared.high === null ? texts.write.open : `${limit(prepared.low)} … ${limit(prepared.high)}`}</dd>
        <dt>{texts.write.interlock}</dt><dd>{prepared.interlock || texts.write.noInterlock}</dd>
      </dl>
      <Form layout="vertical" component="div">
        <Form.Item label={texts.write.reason}>
          <Input value={reason} maxLength={500} onChange={(e) => onReason(e.target.value)} />
        </Form.Item>
      </Form>
      <Alert
        type="warning"
        showIcon
        icon={<WarningFilled />}
        title={expired ? texts.write.expired : texts.write.warning}
        description={expired ? undefined : texts.write.expires(String(left))}
      />
    </>
  );
}

function Result(props: { written: Written; point: Point }) {
  const { written, point } = props;
  const texts = useTexts();
  const format = useFormat();
  const unit = unitText(point.unit);
  return (
    <>
      <Alert
        type={written.ok ? "success" : "error"}
        showIcon
        icon={written.ok ? <CheckCircleFilled /> : <CloseCircleFilled />}
        title={written.ok ? texts.write.ok : texts.write.notOk}
      />
      <dl className="facts">
        <dt>{texts.write.asked}</dt><dd>{format.value(written.asked, point)} {unit}</dd>
        <dt>{texts.write.readBack}</dt>
        <dd><strong>{written.read_back ? `${format.value(written.read_back.value, point)} ${unit}` : "–"}</strong></dd>
        {written.read_back && <><dt>{texts.live.time}</dt><dd>{format.time(written.read_back.time)}</dd></>}
      </dl>
    </>
  );
}
