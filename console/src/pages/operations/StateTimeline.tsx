/**
 * What work units did, one above the other on the same time: a Gantt chart on canvas.
 *
 * Running is a low grey bar, what is not known a line, all else a high bar, so that it reads without
 * colour too. It is moved and zoomed by the pointer or by keys, and tells what is under the pointer or chosen.
 */
import { MinusOutlined, PlusOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { useFormat, type Format } from "../../format";
import { useSize } from "../../hooks";
import { useMode } from "../../preferences";
import { useTexts, type Texts } from "../../texts";
import { PALETTES, type Palette } from "../../theme";
import { toneOf, type Timeline, type Tone } from "./states-api";

export interface Row {
  key: string;
  /** What stands beside it; none with a single row. */
  label?: string;
  line: Timeline | undefined;
}

export interface Stretch {
  row: number;
  /** Its place in the timeline of its row. */
  at: number;
}

interface Props {
  rows: readonly Row[];
  /** From and to, in ms. */
  span: readonly [number, number];
  onSpan: (span: [number, number]) => void;
  onOpen?: (row: Row, at: number) => void;
  /** The text of a reason, by its code. */
  reasonText?: (code: string) => string;
}

const ROW_PX = 34;
const BAR_PX = 24;
const LOW_PX = 9;
const LINE_PX = 2;
const AXIS_PX = 20;
const SPAN_MIN_MS = 10_000;
const SPAN_MAX_MS = 60 * 86_400_000;
const DRAG_MIN_PX = 4;

export function StateTimeline({ rows, span, onSpan, onOpen, reasonText = (c) => c }: Props) {
  const texts = useTexts();
  const format = useFormat();
  const mode = useMode();
  const [frame, { width }] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [chosen, setChosen] = useState<Stretch>();
  const [pointed, setPointed] = useState<{ stretch: Stretch; x: number }>();
  const drag = useRef<{ x: number; span: readonly [number, number]; moved: boolean } | undefined>(undefined);
  const height = rows.length * ROW_PX + AXIS_PX;
  const [from, to] = span;

  useEffect(() => {
    if (canvas.current && width) draw(canvas.current, { rows, from, to, width, height, chosen, palette: PALETTES[mode], format });
  }, [rows, from, to, width, height, chosen, mode, format]);

  const labels = rows.some((r) => r.label);
  const timeAt = (x: number) => from + (x / Math.max(width, 1)) * (to - from);
  const stretchAt = (event: { clientX: number; clientY: number }): { stretch: Stretch; x: number } | undefined => {
    const box = canvas.current?.getBoundingClientRect();
    if (!box) return undefined;
    const x = event.clientX - box.left;
    const row = Math.floor((event.clientY - box.top) / ROW_PX);
    const at = placeAt(rows[row]?.line, timeAt(x));
    return at === undefined ? undefined : { stretch: { row, at }, x };
  };
  const zoom = (factor: number, about = (from + to) / 2) => {
    const length = Math.min(SPAN_MAX_MS, Math.max(SPAN_MIN_MS, (to - from) * factor));
    const share = (about - from) / (to - from);
    onSpan([about - length * share, about + length * (1 - share)]);
  };
  const pan = (share: number) => onSpan([from + (to - from) * share, to + (to - from) * share]);
  const open = (stretch: Stretch | undefined) => {
    const row = stretch && rows[stretch.row];
    if (row && onOpen) onOpen(row, stretch.at);
  };

  const down = (event: PointerEvent) => {
    drag.current = { x: event.clientX, span, moved: false };
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent) => {
    const held = drag.current;
    if (!held) {
      setPointed(stretchAt(event));
      return;
    }
    const by = event.clientX - held.x;
    if (!held.moved && Math.abs(by) < DRAG_MIN_PX) return;
    held.moved = true;
    setPointed(undefined);
    const [a, b] = held.span;
    const shift = (by / Math.max(width, 1)) * (b - a);
    onSpan([a - shift, b - shift]);
  };
  const up = (event: PointerEvent) => {
    const moved = drag.current?.moved;
    drag.current = undefined;
    const found = stretchAt(event);
    if (moved || !found) return;
    setChosen(found.stretch);
    open(found.stretch);
  };
  const key = (event: KeyboardEvent) => {
    const acts: Record<string, () => void> = {
      ArrowRight: () => setChosen(next(rows, chosen, 0, 1, to)),
      ArrowLeft: () => setChosen(next(rows, chosen, 0, -1, to)),
      ArrowDown: () => setChosen(next(rows, chosen, 1, 0, to)),
      ArrowUp: () => setChosen(next(rows, chosen, -1, 0, to)),
      "+": () => zoom(0.5, middle(rows, chosen, from, to)),
      "-": () => zoom(2, middle(rows, chosen, from, to)),
      PageUp: () => pan(-0.5),
      PageDown: () => pan(0.5),
      Enter: () => open(chosen),
    };
    const act = acts[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  };
  // The wheel zooms with Ctrl held only: without it the page scrolls, as everywhere.
  const wheel = useRef<(event: WheelEvent) => void>(() => undefined);
  wheel.current = (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const box = canvas.current?.getBoundingClientRect();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, box ? timeAt(event.clientX - box.left) : undefined);
  };
  useEffect(() => {
    const element = canvas.current;
    const listener = (event: WheelEvent) => wheel.current(event);
    element?.addEventListener("wheel", listener, { passive: false });
    return () => element?.removeEventListener("wheel", listener);
  }, []);

  const told = pointed?.stretch ?? chosen;
  const words = useMemo(() => tell(told && rows[told.row], told?.at, { texts, format, reasonText }), [told, rows, texts, format, reasonText]);
  return (
    <div className="state-timeline">
      <div className="state-timeline-head">
        <span role="status" className="state-timeline-told">{words || <span className="quiet">{`${format.time(from)} – ${format.time(to)}`}</span>}</span>
        <span className="grow" />
        <Button size="small" icon={<MinusOutlined />} aria-label={texts.states.zoomOut} title={texts.states.zoomOut} onClick={() => zoom(2)} />
        <Button size="small" icon={<PlusOutlined />} aria-label={texts.states.zoomIn} title={texts.states.zoomIn} onClick={() => zoom(0.5)} />
        <Button size="small" onClick={() => pan(-0.5)}>{texts.states.earlier}</Button>
        <Button size="small" onClick={() => pan(0.5)}>{texts.states.later}</Button>
        <Button size="small" onClick={() => onSpan([Date.now() - (to - from), Date.now()])}>{texts.states.newest}</Button>
      </div>
      <div className="state-timeline-body">
        {labels && <div className="state-timeline-labels">{rows.map((r) => <span key={r.key} style={{ height: ROW_PX, lineHeight: `${ROW_PX}px` }}>{r.label}</span>)}</div>}
        <div
          ref={frame}
          className="state-timeline-frame"
          role="application"
          aria-label={`${texts.states.timeline}. ${texts.states.timelineKeys}`}
          title={texts.states.timelineKeys}
          aria-busy={rows.some((r) => !r.line)}
          tabIndex={0}
          onKeyDown={key}
        >
          <canvas
            ref={canvas}
            style={{ width, height, touchAction: "pan-y" }}
            onPointerDown={down}
            onPointerMove={move}
            onPointerUp={up}
            onPointerLeave={() => setPointed(undefined)}
          />
        </div>
      </div>
    </div>
  );
}

/** Where the stretch that holds a time stands. */
export function placeAt(line: Timeline | undefined, time: number): number | undefined {
  const ns = time * 1e6;
  if (!line?.start_ns.length || ns < (line.start_ns[0] ?? 0) || ns >= line.stop_ns) return undefined;
  let low = 0;
  let high = line.start_ns.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if ((line.start_ns[mid] ?? 0) <= ns) low = mid + 1;
    else high = mid;
  }
  return low - 1;
}

/** Beginning and end of a stretch, in ms. */
export function boundsOf(line: Timeline, at: number): [number, number] {
  return [(line.start_ns[at] ?? 0) / 1e6, (line.start_ns[at + 1] ?? line.stop_ns) / 1e6];
}

function middle(rows: readonly Row[], chosen: Stretch | undefined, from: number, to: number): number {
  const line = chosen && rows[chosen.row]?.line;
  if (!line) return (from + to) / 2;
  const [a, b] = boundsOf(line, chosen.at);
  return Math.min(Math.max((a + b) / 2, from), to);
}

function next(rows: readonly Row[], chosen: Stretch | undefined, down: number, right: number, to: number): Stretch | undefined {
  if (!chosen) {
    const last = placeAt(rows[0]?.line, to - 1) ?? (rows[0]?.line?.start_ns.length ?? 0) - 1;
    return last >= 0 ? { row: 0, at: last } : undefined;
  }
  const row = Math.min(Math.max(chosen.row + down, 0), rows.length - 1);
  const line = rows[row]?.line;
  const old = rows[chosen.row]?.line;
  if (!line?.start_ns.length || !old) return chosen;
  if (row !== chosen.row) return { row, at: placeAt(line, boundsOf(old, chosen.at)[0] + 1) ?? 0 };
  return { row, at: Math.min(Math.max(chosen.at + right, 0), line.start_ns.length - 1) };
}

function tell(row: Row | undefined, at: number | undefined, words: { texts: Texts; format: Format; reasonText: (c: string) => string }): string {
  const line = row?.line;
  if (!line || at === undefined || at >= line.start_ns.length) return "";
  const { texts, format, reasonText } = words;
  const [a, b] = boundsOf(line, at);
  const rule = line.states[line.state[at] ?? -1];
  const code = line.reasons[line.reason[at] ?? 0];
  const parts = [
    row.label,
    rule?.name ?? texts.states.unknown,
    code ? reasonText(code) : "",
    `${format.clockTime(a)} – ${format.clockTime(b)}`,
    lengthText(b - a, texts, format),
    line.corrected[at] ? texts.states.corrected : "",
  ];
  return parts.filter(Boolean).join(" · ");
}

/** A length as people say it: 45 s, 12 min, 2 h 5 min. */
export function lengthText(ms: number, texts: Texts, format: Format): string {
  const s = Math.round(ms / 1000);
  if (s < 120) return texts.states.seconds(format.count(s));
  const m = Math.round(s / 60);
  if (m < 120) return texts.states.minutes(format.count(m));
  return texts.states.hours(format.count(Math.floor(m / 60)), format.count(m % 60));
}

interface Drawing {
  rows: readonly Row[];
  from: number;
  to: number;
  width: number;
  height: number;
  chosen: Stretch | undefined;
  palette: Palette;
  format: Format;
}

function colours(palette: Palette): Record<Tone, string> {
  return {
    runs: palette.quiet,
    "set-up": palette.accent,
    stands: palette.uncertain,
    failed: palette.bad,
    unknown: palette.quiet,
  };
}

function draw(canvas: HTMLCanvasElement, d: Drawing): void {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(d.width * ratio);
  canvas.height = Math.round(d.height * ratio);
  const context = canvas.getContext("2d");
  if (!context) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, d.width, d.height);
  const tones = colours(d.palette);
  const x = (ms: number) => ((ms - d.from) / (d.to - d.from)) * d.width;
  d.rows.forEach((row, i) => {
    const base = i * ROW_PX + ROW_PX - (ROW_PX - BAR_PX) / 2;
    const line = row.line;
    line?.start_ns.forEach((_, at) => {
      const [a, b] = boundsOf(line, at);
      const left = Math.max(x(a), 0);
      const right = Math.min(x(b), d.width);
      if (right <= 0 || left >= d.width) return;
      const tone = toneOf(line.states[line.state[at] ?? -1]);
      const tall = tone === "runs" ? LOW_PX : tone === "unknown" ? LINE_PX : BAR_PX;
      context.fillStyle = tones[tone];
      // What has a reason is paler: the eye is drawn to what still needs one.
      context.globalAlpha = line.reason[at] && tone !== "runs" ? 0.55 : 1;
      context.fillRect(left, base - tall, Math.max(right - left - (right - left > 3 ? 1 : 0), 0.7), tall);
      context.globalAlpha = 1;
      if (line.corrected[at]) {
        context.fillStyle = d.palette.text;
        context.fillRect(left, base + 1, Math.max(right - left, 1), 2);
      }
      if (d.chosen?.row === i && d.chosen.at === at) {
        context.strokeStyle = d.palette.text;
        context.lineWidth = 2;
        context.strokeRect(left + 1, base - BAR_PX - 1, Math.max(right - left - 2, 2), BAR_PX + 2);
      }
    });
  });
  axis(context, d, x);
}

const STEPS_MS = [
  1000, 5000, 15_000, 60_000, 300_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000,
  28_800_000, 86_400_000, 7 * 86_400_000, 30 * 86_400_000,
];

function axis(context: CanvasRenderingContext2D, d: Drawing, x: (ms: number) => number): void {
  const wanted = (d.to - d.from) / Math.max(d.width / 110, 1);
  const step = STEPS_MS.find((s) => s >= wanted) ?? 90 * 86_400_000;
  const zone = new Date(d.from).getTimezoneOffset() * 60_000;
  const top = d.rows.length * ROW_PX;
  context.fillStyle = d.palette.quiet;
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  for (let t = Math.ceil((d.from - zone) / step) * step + zone; t < d.to; t += step) {
    context.fillStyle = d.palette.line;
    context.fillRect(x(t), 0, 1, top + 4);
    context.fillStyle = d.palette.quiet;
    context.fillText(step >= 86_400_000 ? d.format.time(t).slice(0, 10) : d.format.clockTime(t).slice(0, step < 60_000 ? 8 : 5), x(t) + 3, top + AXIS_PX / 2);
  }
}
