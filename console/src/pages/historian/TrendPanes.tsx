/** The panes of a trend, one per unit, redrawn as time goes by. */
import { useEffect, useMemo, useRef } from "react";
import type { Point } from "../../api";
import { leaf, unitText, useFormat } from "../../format";
import { useSize } from "../../hooks";
import { useMode } from "../../preferences";
import { useTexts } from "../../texts";
import { PALETTES } from "../../theme";
import { Pane, type PaneCurve } from "./chart";
import type { TrendData } from "./trend-data";

interface Props {
  points: readonly Point[];
  hidden: ReadonlySet<string>;
  data: TrendData;
  spanMs: number;
  window: [number, number] | null;
  onZoom: (from: number, to: number) => void;
  onWiden: () => void;
  onCursor: (time: number | undefined) => void;
}

const PANE_HEIGHT_MIN = 110;
const AXIS_HEIGHT = 42;
const FRAME_MS = 250;

/** Points that share a pane: the same unit and the same kind of curve. */
function groupOf(point: Point): string {
  if (point.kind === "boolean") return "boolean";
  if (point.kind === "enum") return `enum ${point.path}`;
  return `number ${point.unit ?? ""}`;
}

export function TrendPanes(props: Props) {
  const mode = useMode();
  const [box, { width, height }] = useSize<HTMLDivElement>();
  const groups = useMemo(() => {
    const found = new Map<string, PaneCurve[]>();
    props.points.forEach((point, i) => {
      if (point.kind === "text" || point.kind === "json") return;
      const palette = PALETTES[mode].series;
      const curve = { point, colour: palette[i % palette.length] as string, hidden: props.hidden.has(point.path) };
      const group = groupOf(point);
      found.set(group, [...(found.get(group) ?? []), curve]);
    });
    return [...found];
  }, [props.points, props.hidden, mode]);
  const weights = groups.map(([group]) => (group.startsWith("number") ? 1 : 0.6));
  const total = weights.reduce((a, b) => a + b, 0) || 1;
  return (
    <>
    {/* The panes themselves stand outside the flow, so that they can shrink with the window. */}
    <div style={{ height: PANE_HEIGHT_MIN * total + AXIS_HEIGHT, flex: "none" }} />
    <div className="panes" ref={box}>
      {width > 0 && groups.map(([group, curves], i) => {
        const last = i === groups.length - 1;
        const share = ((height - AXIS_HEIGHT) * (weights[i] as number)) / total;
        const tall = Math.max(PANE_HEIGHT_MIN * (weights[i] as number), share) + (last ? AXIS_HEIGHT : 0);
        return (
          <PaneBox key={group} {...props} curves={curves} width={width} height={Math.floor(tall) - 2} timesBelow={last} />
        );
      })}
    </div>
    </>
  );
}

interface BoxProps extends Props {
  curves: PaneCurve[];
  width: number;
  height: number;
  timesBelow: boolean;
}

function PaneBox(props: BoxProps) {
  const { curves, width, height, timesBelow, data } = props;
  const texts = useTexts();
  const format = useFormat();
  const mode = useMode();
  const box = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const make = () => new Pane(element, {
      curves,
      timesBelow,
      height: latest.current.height,
      width: latest.current.width,
      palette: PALETTES[mode],
      format,
      onZoom: (from, to) => latest.current.onZoom(from, to),
      onWiden: () => latest.current.onWiden(),
      onCursor: (time) => latest.current.onCursor(time),
    }, latest.current.data.curves);
    let pane = make();
    let size = "";
    const draw = () => {
      const now = latest.current;
      const to = now.window?.[1] ?? Date.now();
      const from = now.window?.[0] ?? to - now.spanMs;
      if (size !== `${now.width} ${now.height}`) {
        size = `${now.width} ${now.height}`;
        pane.resize(now.width, now.height);
      }
      if (!pane.show(now.data.curves, from, to)) {
        pane.destroy();
        pane = make();
        pane.show(now.data.curves, from, to);
      }
    };
    draw();
    redraws.current = draw;
    return () => {
      redraws.current = undefined;
      pane.destroy();
    };
  }, [curves, timesBelow, mode, format]);
  const redraws = useRef<(() => void) | undefined>(undefined);
  const [from, to] = props.window ?? [0, 0];
  useEffect(() => redraws.current?.(), [data.round, width, height, from, to, props.spanMs]);
  useEffect(() => {
    if (props.window) return;
    const timer = window.setInterval(() => {
      // A tab in the background draws nothing; it catches up when it is looked at.
      if (!document.hidden) redraws.current?.();
    }, FRAME_MS);
    return () => window.clearInterval(timer);
  }, [props.window === null]);
  const unit = unitText(curves[0]?.point.unit);
  const stepped = curves[0]?.point.kind === "boolean" || curves[0]?.point.kind === "enum";
  const names = curves.map((c) => leaf(c.point.path)).join(", ");
  return (
    <figure className="pane" aria-label={texts.trend.chart(names)} onMouseLeave={() => props.onCursor(undefined)}>
      <figcaption className={unit ? "" : "named"}>{unit || (curves.length === 1 || stepped ? names : "")}</figcaption>
      <div ref={box} />
    </figure>
  );
}
