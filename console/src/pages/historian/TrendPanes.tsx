/** The panes of a trend, one per unit, redrawn as time goes by. */
import { useEffect, useMemo, useRef } from "react";
import type { Point } from "../../api";
import { leaf, unitText, useFormat } from "../../format";
import { useSize } from "../../hooks";
import { useMode } from "../../preferences";
import { useTexts } from "../../texts";
import { PALETTES } from "../../theme";
import { aggregated } from "../../aggregates";
import { Pane, type PaneCurve } from "./chart";
import { isStepped } from "./chart-data";
import { ghostOf, type TrendData } from "./trend-data";
import { windowOf, type TrendState, type Window } from "./trend-state";

interface Props {
  points: readonly Point[];
  hidden: ReadonlySet<string>;
  data: TrendData;
  state: TrendState;
  /** What is on screen; null while following. */
  window: Window | null;
  onZoom: (window: Window) => void;
  onMove: (window: Window, done: boolean) => void;
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
  const name = props.state.aggregate?.function;
  const compares = props.state.versus !== "";
  const groups = useMemo(() => {
    const found = new Map<string, PaneCurve[]>();
    props.points.forEach((whole, i) => {
      const point = name ? aggregated(whole, name) : whole;
      if (point.kind === "text" || point.kind === "json") return;
      const palette = PALETTES[mode].series;
      const colour = palette[i % palette.length] as string;
      const group = groupOf(point);
      const curves = found.get(group) ?? [];
      if (compares) {
        const key = ghostOf(whole.path);
        curves.push({ key, point, colour, hidden: props.hidden.has(key), ghost: true });
      }
      curves.push({ key: whole.path, point, colour, hidden: props.hidden.has(whole.path), ghost: false });
      found.set(group, curves);
    });
    return [...found];
  }, [props.points, props.hidden, mode, name, compares]);
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
  const redraws = useRef<((withData: boolean) => void) | undefined>(undefined);
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
      onZoom: (window_) => latest.current.onZoom(window_),
      onMove: (window_, done) => latest.current.onMove(window_, done),
      onWiden: () => latest.current.onWiden(),
      onCursor: (time) => latest.current.onCursor(time),
    }, latest.current.data.curves);
    let pane = make();
    let size = "";
    const draw = (withData: boolean) => {
      const now = latest.current;
      const window_ = now.window ?? windowOf(now.state);
      if (size !== `${now.width} ${now.height}`) {
        size = `${now.width} ${now.height}`;
        pane.resize(now.width, now.height);
      }
      if (!pane.show(withData ? now.data.curves : undefined, window_)) {
        pane.destroy();
        pane = make();
        pane.show(now.data.curves, window_);
      }
    };
    draw(true);
    redraws.current = draw;
    return () => {
      redraws.current = undefined;
      pane.destroy();
    };
  }, [curves, timesBelow, mode, format]);
  const [from, to] = props.window ?? [0, 0];
  useEffect(() => redraws.current?.(true), [data.round]);
  // A hand that moves the window only changes the scale, which is cheap.
  useEffect(() => redraws.current?.(false), [width, height, from, to, props.state.spanMs]);
  useEffect(() => {
    if (props.window) return;
    const timer = window.setInterval(() => {
      // A tab in the background draws nothing; it catches up when it is looked at.
      if (!document.hidden) redraws.current?.(true);
    }, FRAME_MS);
    return () => window.clearInterval(timer);
  }, [props.window === null]);
  const first = curves[0]?.point;
  const unit = unitText(first?.unit);
  const whole = curves.filter((c) => !c.ghost);
  const names = whole.map((c) => leaf(c.point.path)).join(", ");
  return (
    <figure className="pane" aria-label={texts.trend.chart(names)} onMouseLeave={() => props.onCursor(undefined)}>
      <figcaption className={unit ? "" : "named"}>{unit || (whole.length === 1 || isStepped(first) ? names : "")}</figcaption>
      <div ref={box} />
    </figure>
  );
}
