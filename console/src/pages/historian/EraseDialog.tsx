/** Deleting samples that are wrong: which, over what time, why, and a second look. */
import { DeleteOutlined, WarningFilled } from "@ant-design/icons";
import { Alert, App, Button, Checkbox, DatePicker, Form, Input, Modal, Tooltip } from "antd";
import dayjs from "dayjs";
import { useEffect, useState } from "react";
import { useFormat } from "../../format";
import { countSamples, deleteSamples, type Span } from "../../history";
import { ErrorBox } from "../../parts/Notice";
import { useTexts } from "../../texts";
import type { Window } from "./trend-state";

interface Props {
  points: readonly string[];
  window: () => Window;
  onDone: () => void;
}

/** Only for those who may change what is configured; the server checks again. */
export function EraseButton({ points, window, onDone }: Props) {
  const texts = useTexts();
  const [at, setAt] = useState<Window>();
  return (
    <>
      <Tooltip title={texts.erase.open}>
        <Button icon={<DeleteOutlined />} aria-label={texts.erase.open} disabled={!points.length} onClick={() => setAt(window())} />
      </Tooltip>
      {at && <EraseDialog points={points} window={at} onClose={() => setAt(undefined)} onDone={onDone} />}
    </>
  );
}

interface DialogProps {
  points: readonly string[];
  window: Window;
  onClose: () => void;
  onDone: () => void;
}

function EraseDialog(props: DialogProps) {
  const texts = useTexts();
  const t = texts.erase;
  const format = useFormat();
  const { message } = App.useApp();
  const [points, setPoints] = useState<string[]>(props.points.length === 1 ? [...props.points] : []);
  const [[start, stop], setWindow] = useState<Window>([Math.floor(props.window[0]), Math.ceil(props.window[1])]);
  const [reason, setReason] = useState("");
  const [sure, setSure] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const count = useCount(points, { start, stop });
  const erase = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const gone = await deleteSamples(points, { start, stop }, reason.trim());
      void message.success(t.done(format.count(gone)));
      props.onDone();
      props.onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const ready = points.length > 0 && reason.trim() !== "" && sure && count !== 0;
  return (
    <Modal
      open
      title={t.title}
      okText={t.confirm}
      okButtonProps={{ danger: true, disabled: !ready, loading: busy }}
      onOk={() => void erase()}
      onCancel={props.onClose}
      mask={{ closable: false }}
    >
      <ErrorBox error={error} />
      <Form layout="vertical" component="div">
        <Form.Item label={t.which}>
          <Checkbox.Group
            className="stacked"
            value={points}
            options={props.points.map((p) => ({ value: p, label: <span className="path-text">{p}</span> }))}
            onChange={(chosen) => (setPoints(chosen), setSure(false))}
          />
        </Form.Item>
        <Form.Item label={`${t.from} – ${t.to}`}>
          <DatePicker.RangePicker
            showTime={{ format: "HH:mm:ss" }}
            allowClear={false}
            className="erase-range"
            value={[dayjs(start), dayjs(stop)]}
            onChange={(range) => {
              const [a, b] = [range?.[0]?.valueOf(), range?.[1]?.valueOf()];
              if (a !== undefined && b !== undefined && a < b) setWindow([a, b]);
              setSure(false);
            }}
          />
        </Form.Item>
        <Form.Item label={t.reason}>
          <Input aria-label={t.reason} value={reason} maxLength={500} onChange={(e) => setReason(e.target.value)} />
        </Form.Item>
      </Form>
      <Alert
        type="warning"
        showIcon
        icon={<WarningFilled />}
        title={!points.length || count === undefined ? t.warning : count === 0 ? t.none : t.count(format.count(count))}
        description={points.length && count !== 0 ? (
          <>
            <p>{t.warning}</p>
            <Checkbox checked={sure} onChange={(e) => setSure(e.target.checked)}>{t.sure}</Checkbox>
          </>
        ) : undefined}
      />
    </Modal>
  );
}

/** How many samples would go; undefined until that is known. */
function useCount(points: readonly string[], span: Span): number | undefined {
  const key = `${points.join("\n")}\n${span.start} ${span.stop}`;
  const [found, setFound] = useState<{ key: string; count: number }>();
  useEffect(() => {
    if (!points.length) return;
    const abort = new AbortController();
    countSamples(points, span, abort.signal).then(
      (count) => setFound({ key, count }),
      // Not knowing the number is no reason not to delete: the server tells it afterwards.
      () => undefined,
    );
    return () => abort.abort();
  }, [key]);
  return found?.key === key ? found.count : undefined;
}
