/** The values that a frame took along. */
import { useFormat } from "../../format";
import { useTexts } from "../../texts";
import type { Frame, Value } from "./frames-api";

const SHORT_MAX = 4;

export function FrameAttributes({ frame, short }: { frame: Frame; short?: boolean }) {
  const texts = useTexts();
  const format = useFormat();
  const shown = (value: Value) =>
    value === null ? "–" : typeof value === "number" ? format.figure(value, 5) : typeof value === "boolean" ? (value ? texts.write.on : texts.write.off) : value || "–";
  const all = Object.entries(frame.attributes);
  if (!short) return <>{all.map(([name, value]) => <div key={name} className="frame-fact"><dt>{name}</dt><dd className="value">{shown(value)}</dd></div>)}</>;
  return (
    <span className="details">
      {all.slice(0, SHORT_MAX).map(([name, value]) => <span key={name}><span className="quiet">{name}</span> <span className="number">{shown(value)}</span></span>)}
      {all.length > SHORT_MAX && <span className="quiet">…</span>}
    </span>
  );
}
