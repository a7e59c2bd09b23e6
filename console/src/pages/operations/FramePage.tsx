/** One frame: its values, what lies in it, the course of points over it, what people said. */
import { App, Button, Input, Space } from "antd";
import { useState } from "react";
import { useFormat } from "../../format";
import { useLoad } from "../../hooks";
import { Link } from "../../parts/Link";
import { ErrorBox, explain, Waiting } from "../../parts/Notice";
import { usePlace } from "../../router";
import { useSession } from "../../session";
import { useTexts } from "../../texts";
import { FrameAttributes } from "./FrameAttributes";
import { FrameCurves } from "./FrameCurves";
import { FrameState } from "./FrameList";
import { frameAddress, framesApi, type Frame } from "./frames-api";
import { Gantt } from "./Gantt";

const REFRESH_MS = 5000;

export default function FramePage() {
  const texts = useTexts();
  const format = useFormat();
  const key = usePlace().query.get("key") ?? "";
  const found = useLoad(`frame ${key}`, (signal) => framesApi.one(key, signal), REFRESH_MS);
  const [points, setPoints] = useState<string[]>([]);
  const { frame, children = [] } = found.data ?? {};
  if (!frame) return found.error ? <ErrorBox error={found.error} reload={found.reload} /> : <Waiting />;
  const end = frame.end_ns === null ? Date.now() : frame.end_ns / 1e6;
  return (
    <div className="scroll frame-page">
      <ErrorBox error={found.error} reload={found.reload} />
      <div className="panel">
        <h2>{frame.template} · {texts.frames.kinds[frame.kind]}</h2>
        <dl className="facts">
          <dt>{texts.frames.asset}</dt><dd className="path-text">{frame.asset}</dd>
          <dt>{texts.frames.begin}</dt><dd>{format.time(frame.start_ns / 1e6)}</dd>
          <dt>{texts.frames.end}</dt><dd>{frame.end_ns === null ? "–" : format.time(end)} <FrameState frame={frame} /></dd>
          <dt>{texts.frames.duration}</dt><dd>{format.span(frame.duration_s * 1000)}</dd>
          {frame.parent && <><dt>{texts.frames.parent}</dt><dd><Link to={frameAddress(frame.parent)}>{frame.parent.split("|")[0]}</Link></dd></>}
          {frame.reason && <><dt>{texts.frames.reason}</dt><dd>{frame.reason}</dd></>}
          {frame.note?.comment && <><dt>{texts.frames.comment}</dt><dd className="reason">{frame.note.comment} <span className="quiet">({frame.note.by})</span></dd></>}
          {frame.note?.acknowledged_by && <><dt>{texts.frames.acknowledged}</dt><dd>{frame.note.acknowledged_by}, {format.time(frame.note.acknowledged_ns / 1e6)}</dd></>}
          <FrameAttributes frame={frame} />
        </dl>
        <Answer frame={frame} onDone={found.reload} />
      </div>
      {children.length > 0 && <Gantt frames={[frame, ...children]} start={frame.start_ns / 1e6} stop={end} />}
      <FrameCurves keys={[key]} points={points} align="start" onPoints={setPoints} />
    </div>
  );
}

function Answer({ frame, onDone }: { frame: Frame; onDone: () => void }) {
  const texts = useTexts();
  const { can } = useSession();
  const { message } = App.useApp();
  const [reason, setReason] = useState("");
  const [comment, setComment] = useState("");
  if (!can("write")) return null;
  const say = async (acknowledge: boolean) => {
    try {
      await framesApi.annotate(frame.key, { acknowledge, reason, comment });
      setReason("");
      setComment("");
    } catch (error) {
      const { sentence, remedy } = explain(error, texts);
      void message.error(`${sentence} ${remedy}`);
    }
    onDone();
  };
  return (
    <Space wrap>
      <Input maxLength={100} value={reason} placeholder={texts.frames.reason} aria-label={texts.frames.reason} onChange={(e) => setReason(e.target.value)} />
      <Input maxLength={2000} value={comment} placeholder={texts.frames.comment} aria-label={texts.frames.comment} onChange={(e) => setComment(e.target.value)} />
      <Button disabled={!reason && !comment} onClick={() => void say(false)}>{texts.common.save}</Button>
      {!frame.note?.acknowledged_by && <Button type="primary" onClick={() => void say(true)}>{texts.frames.acknowledge}</Button>}
    </Space>
  );
}
