/** The last ten minutes of a point in the space of a word. */
import { useEffect, useRef } from "react";
import type { Kind } from "../api";
import { useNow } from "../hooks";
import { useMode } from "../preferences";
import { RECENT_MS, useRecent, type Trace } from "../recent";
import { PALETTES } from "../theme";

const WIDTH = 132;
const HEIGHT = 24;

export function Sparkline(props: { path: string; kind: Kind | undefined }) {
  const { path, kind = "number" } = props;
  const drawable = kind !== "text" && kind !== "json";
  const trace = useRecent(path, drawable);
  const canvas = useRef<HTMLCanvasElement>(null);
  const now = useNow();
  const mode = useMode();
  const stepped = kind === "boolean" || kind === "enum";
  useEffect(() => {
    if (canvas.current) draw(canvas.current, trace(), PALETTES[mode].quiet, stepped, now);
  }, [now, mode, path, stepped]);
  if (!drawable) return <span className="spark" />;
  const ratio = window.devicePixelRatio || 1;
  return (
    <canvas
      ref={canvas}
      className="spark"
      width={WIDTH * ratio}
      height={HEIGHT * ratio}
      style={{ width: WIDTH, height: HEIGHT }}
      aria-hidden="true"
    />
  );
}

function draw(canvas: HTMLCanvasElement, trace: Trace | undefined, colour: string, stepped: boolean, now: number) {
  const context = canvas.getContext("2d");
  if (!context) return;
  const ratio = window.devicePixelRatio || 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, WIDTH, HEIGHT);
  if (!trace?.times.length) return;
  let low = Infinity;
  let high = -Infinity;
  for (const v of trace.values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (low > high) return;
  const flat = high - low < 1e-12;
  const y = (v: number) => (flat ? HEIGHT / 2 : HEIGHT - 3 - ((v - low) / (high - low)) * (HEIGHT - 6));
  const x = (t: number) => ((t - (now - RECENT_MS)) / RECENT_MS) * (WIDTH - 4);
  context.strokeStyle = colour;
  context.lineWidth = 1.25;
  context.lineJoin = "round";
  context.beginPath();
  let down = false;
  let before = 0;
  trace.times.forEach((t, i) => {
    const v = trace.values[i] as number;
    if (Number.isNaN(v)) {
      down = false;
      return;
    }
    if (down && stepped) context.lineTo(x(t), before);
    before = y(v);
    if (down) context.lineTo(x(t), before);
    else context.moveTo(x(t), before);
    down = true;
  });
  if (down) context.lineTo(WIDTH - 4, before);
  context.stroke();
  if (!down) return;
  context.fillStyle = colour;
  context.beginPath();
  context.arc(WIDTH - 4, before, 2, 0, 7);
  context.fill();
}
