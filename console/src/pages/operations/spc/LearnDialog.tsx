/** Limits from a span in which the process was as it should be; they count once confirmed. */
import { Alert, Button, Form, Input, Modal } from "antd";
import { useState } from "react";
import { useFormat } from "../../../format";
import { useFocusBack } from "../../../hooks";
import { explain } from "../../../parts/Notice";
import { useSession } from "../../../session";
import { useTexts } from "../../../texts";
import { chartsApi, type ChartView, type PhaseTable, type Proposal } from "./charts-api";

interface Props {
  view: ChartView;
  onClose: () => void;
  onChanged: () => void;
}

/** A time as the server reads it: what people write without a zone is theirs. */
export function timeOf(text: string): string {
  const word = text.trim();
  if (!/^\d{4}-\d{2}-\d{2}/.test(word) || /(Z|[+-]\d{2}:\d{2})$/.test(word)) return word;
  const date = new Date(word.length === 10 ? `${word}T00:00` : word.replace(" ", "T"));
  return Number.isNaN(date.getTime()) ? word : date.toISOString();
}

export function LearnDialog({ view, onClose, onChanged }: Props) {
  useFocusBack();
  const texts = useTexts();
  const spc = texts.spc;
  const words = spc.learning;
  const format = useFormat();
  const { can } = useSession();
  const [start, setStart] = useState("-1d");
  const [stop, setStop] = useState("now");
  const [found, setFound] = useState<Proposal>();
  const [trouble, setTrouble] = useState("");
  const attempt = async (act: () => Promise<void>) => {
    setTrouble("");
    try {
      await act();
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      setTrouble(`${sentence} ${remedy}`);
    }
  };
  const propose = () => attempt(async () => setFound(await chartsApi.learn(view.chart.name, timeOf(start), timeOf(stop))));
  const confirm = () => attempt(async () => {
    if (!found) return;
    // Where a phase begins is known once it is resolved; tables and phases stand in one order.
    const earlier = (view.chart.phases ?? []).filter((_, i) => (view.phases[i]?.start_ns ?? Infinity) < found.learned.start_ns);
    await chartsApi.define({ ...view.chart, phases: [...earlier, found.phase] });
    onChanged();
  });
  return (
    <Modal
      open
      title={words.title}
      onCancel={onClose}
      footer={[
        <Button key="cancel" onClick={onClose}>{texts.common.cancel}</Button>,
        <Button key="propose" type={found ? "default" : "primary"} onClick={() => void propose()}>{words.propose}</Button>,
        found && can("configure") && !view.in_file && <Button key="confirm" type="primary" onClick={() => void confirm()}>{words.confirm}</Button>,
      ]}
    >
      <p className="quiet">{words.why}</p>
      <Form layout="vertical" onFinish={() => void propose()}>
        <div className="chart-pair">
          <Form.Item label={words.start} htmlFor="learn-start"><Input id="learn-start" value={start} placeholder={words.hint} onChange={(e) => setStart(e.target.value)} autoFocus /></Form.Item>
          <Form.Item label={words.stop} htmlFor="learn-stop"><Input id="learn-stop" value={stop} placeholder={words.hint} onChange={(e) => setStop(e.target.value)} /></Form.Item>
        </div>
      </Form>
      {trouble && <Alert type="error" showIcon role="alert" title={trouble} />}
      {found && (
        <dl className="facts" role="status">
          <dt>{words.points}</dt><dd>{format.count(found.learned.points)}</dd>
          <dt>{spc.centre}</dt><dd>{format.figure(found.learned.known.centre, 6)}</dd>
          {found.learned.known.sigma > 0 && <><dt>{spc.sigma}</dt><dd>{format.figure(found.learned.known.sigma, 5)}</dd></>}
          <dt>{words.begins}</dt><dd>{format.time(found.learned.start_ns / 1e6)}</dd>
        </dl>
      )}
      {found && view.in_file && <><p>{words.copy}</p><pre className="chart-toml">{toml(found.phase)}</pre></>}
    </Modal>
  );
}

function toml(phase: PhaseTable): string {
  const sigma = phase.sigma ? `, sigma = ${phase.sigma}` : "";
  return `phases = [{ start = "${phase.start ?? ""}", centre = ${phase.centre ?? 0}${sigma} }]`;
}
