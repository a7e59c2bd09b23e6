/** Group, then reason; before that, if wanted, a part of the stop and a comment. */
import { ArrowLeftOutlined } from "@ant-design/icons";
import { Button, Input, Slider } from "antd";
import { useState } from "react";
import { useFormat } from "../../format";
import { useKey } from "../../hooks";
import { Empty } from "../../parts/Notice";
import { useTexts } from "../../texts";
import { lengthText } from "./StateTimeline";
import type { Reason, Stop } from "./states-api";

export interface Choice {
  code: string;
  comment: string;
  /** Bounds of a part, where only one is explained. */
  start_ns?: number;
  stop_ns?: number;
}

interface Props {
  stop: Stop;
  reasons: readonly Reason[];
  onChoose: (choice: Choice) => void;
  onBack: () => void;
  onCorrect: () => void;
}

export function ReasonChoice({ stop, reasons, onChoose, onBack, onCorrect }: Props) {
  const texts = useTexts();
  const format = useFormat();
  const [way, setWay] = useState<string[]>([]);
  const [comment, setComment] = useState("");
  const [commenting, setCommenting] = useState(false);
  const whole: [number, number] = [stop.start_ns / 1e6, stop.stop_ns / 1e6];
  const [part, setPart] = useState<[number, number]>();
  const group = way[way.length - 1] ?? "";
  const known = new Set(reasons.map((r) => r.code));
  // What has a parent that is not offered here stands at the root, so that it can be reached.
  const shown = reasons.filter((r) => (known.has(r.parent ?? "") ? r.parent : "") === group);
  const parents = new Set(reasons.map((r) => r.parent));
  const back = () => (way.length ? setWay(way.slice(0, -1)) : onBack());
  useKey("Escape", back);
  const choose = (reason: Reason) => {
    if (parents.has(reason.code)) {
      setWay([...way, reason.code]);
      return;
    }
    const cut = part && (part[0] > whole[0] || part[1] < whole[1]);
    const bounds = cut ? { start_ns: Math.round(part[0] * 1e6), stop_ns: Math.round(part[1] * 1e6) } : {};
    onChoose({ code: reason.code, comment, ...bounds });
  };
  const title = reasons.find((r) => r.code === group)?.text ?? texts.states.why(stop.state);
  return (
    <>
      <div className="page-head">
        <Button size="large" icon={<ArrowLeftOutlined />} onClick={back}>{texts.states.back}</Button>
        <h1>{title}</h1>
        <span className="quiet">
          {format.clockTime(whole[0])} · {lengthText(whole[1] - whole[0], texts, format)}{stop.lasts && ` · ${texts.states.lasts}`}
        </span>
        <span className="grow" />
        <Button size="large" onClick={onCorrect}>{texts.corrections.correct}</Button>
      </div>
      {shown.length === 0 ? <Empty title={texts.states.noReasons} /> : (
        <div className="touch-grid">
          {shown.map((r) => (
            <button type="button" key={r.code} className={`touch touch-reason ${parents.has(r.code) ? "touch-group" : ""}`} data-code={r.code} onClick={() => choose(r)}>
              <strong>{r.text}</strong>
              <span className="quiet small">{r.code}</span>
            </button>
          ))}
        </div>
      )}
      <div className="panel stacked reason-more">
        {part ? (
          <>
            <span>{texts.states.partOf(format.clockTime(part[0]), format.clockTime(part[1]))} · {lengthText(part[1] - part[0], texts, format)}</span>
            <Slider
              range
              className="touch-slider"
              min={whole[0]}
              max={whole[1]}
              step={1000}
              value={part}
              onChange={([a, b]) => a !== undefined && b !== undefined && b > a && setPart([a, b])}
              ariaLabelForHandle={[texts.states.partFrom, texts.states.partTo]}
              tooltip={{ formatter: (t) => (t === undefined ? "" : format.clockTime(t)) }}
            />
            <Button size="large" onClick={() => setPart(undefined)}>{texts.states.whole}</Button>
          </>
        ) : (
          <Button size="large" onClick={() => setPart(whole)}>{texts.states.part}</Button>
        )}
        {commenting ? (
          <Input.TextArea rows={2} size="large" maxLength={2000} autoFocus value={comment} aria-label={texts.states.comment} placeholder={texts.states.comment} onChange={(e) => setComment(e.target.value)} />
        ) : (
          <Button size="large" onClick={() => setCommenting(true)}>{texts.states.addComment}</Button>
        )}
      </div>
    </>
  );
}
