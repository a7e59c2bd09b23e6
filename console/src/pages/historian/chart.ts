/**
 * One pane of a trend: uPlot, wrapped in the one class that knows it.
 *
 * Curves of one unit share a pane; all panes share the window and the cursor.
 */
import uPlot from "uplot";
import type { Point } from "../../api";
import type { Format } from "../../format";
import { severity } from "../../quality";
import type { Palette } from "../../theme";
import type { Curve } from "./trend-data";

export interface PaneCurve {
  point: Point;
  colour: string;
  hidden: boolean;
}

export interface PaneOptions {
  curves: readonly PaneCurve[];
  /** Whether the times stand below it: only under the last pane. */
  timesBelow: boolean;
  height: number;
  width: number;
  palette: Palette;
  format: Format;
  onZoom: (from: number, to: number) => void;
  onWiden: () => void;
  onCursor: (time: number | undefined) => void;
}

type Data = uPlot.AlignedData;

const AXIS_WIDTH = 64;
/** Further apart than this many usual steps there is a gap, unless the value merely held. */
const GAP_STEPS = 12;
const GAP_MS_MIN = 30_000;

export class Pane {
  private readonly plot: uPlot;
  private latest: readonly (Curve | undefined)[] = [];
  private forms = "";

  constructor(box: HTMLElement, private readonly options: PaneOptions, data: ReadonlyMap<string, Curve>) {
    this.latest = this.pick(data);
    this.forms = formsOf(this.latest);
    this.plot = new uPlot(this.settings(), this.columns(), box);
  }

  /** Shows curves in a window; false when the curves need a pane of another make. */
  show(data: ReadonlyMap<string, Curve>, from: number, to: number): boolean {
    this.latest = this.pick(data);
    if (formsOf(this.latest) !== this.forms) return false;
    this.plot.batch(() => {
      this.plot.setData(this.columns(), false);
      this.plot.setScale("x", { min: from, max: to });
    });
    return true;
  }

  resize(width: number, height: number): void {
    this.plot.setSize({ width, height });
  }

  destroy(): void {
    this.plot.destroy();
  }

  private pick(data: ReadonlyMap<string, Curve>): (Curve | undefined)[] {
    return this.options.curves.map((c) => data.get(c.point.path));
  }

  /** The curves on one common row of times: value, and for buckets high and low as well. */
  private columns(): Data {
    const tables: Data[] = [];
    this.latest.forEach((curve, i) => {
      const times = curve?.times ?? [];
      const held = isStepped(this.options.curves[i]?.point);
      const values = curve && !held ? withGaps(curve) : { times, columns: [curve?.values ?? [], curve?.high ?? [], curve?.low ?? []] };
      const [value = [], high = [], low = []] = values.columns;
      tables.push((curve?.bucketMs ? [values.times, value, high, low] : [values.times, value]) as unknown as Data);
    });
    const modes = tables.map((table) => table.map(() => 1 as const));
    return uPlot.join(tables, modes as unknown as uPlot.JoinNullMode[][]);
  }

  private settings(): uPlot.Options {
    const { options } = this;
    const { palette, format } = options;
    const series: uPlot.Series[] = [{}];
    const bands: uPlot.Band[] = [];
    options.curves.forEach(({ point, colour, hidden }, i) => {
      const paths = isStepped(point) ? uPlot.paths.stepped?.({ align: 1 }) : uPlot.paths.linear?.();
      series.push({
        label: point.path,
        show: !hidden,
        stroke: colour,
        width: 1.5,
        paths,
        points: { show: (u, s) => fewPoints(u, s), size: 4, fill: colour, stroke: colour },
      });
      if (!this.latest[i]?.bucketMs) return;
      const edge = { show: !hidden, paths, stroke: "transparent", width: 0, points: { show: false } };
      series.push(edge, { ...edge });
      bands.push({ series: [series.length - 2, series.length - 1], fill: colour + "38" });
    });
    const axis = {
      stroke: palette.quiet,
      grid: { stroke: palette.line, width: 1 },
      ticks: { stroke: palette.line, width: 1, size: 5 },
      font: "12px system-ui, sans-serif",
    };
    return {
      width: options.width,
      height: options.height,
      ms: 1,
      padding: [isStepped(options.curves[0]?.point) ? 20 : 10, 14, options.timesBelow ? 0 : 6, 0],
      legend: { show: false },
      series,
      bands,
      scales: { x: { time: true, auto: false }, y: { range: (_, low, high) => yRange(low, high, options.curves) } },
      axes: [
        {
          ...axis,
          size: options.timesBelow ? 42 : 0,
          values: (_, splits, __, ___, step) => (options.timesBelow ? splits.map((t, i) => timeText(t, i, splits, step, format)) : splits.map(() => "")),
          space: 90,
        },
        { ...axis, size: AXIS_WIDTH, ...ticks(options.curves), values: (_, splits, __, ___, step) => splits.map((v) => valueText(v, step, options.curves, format)) },
      ],
      cursor: {
        sync: { key: "trend", setSeries: false },
        drag: { x: true, y: false, setScale: false, dist: 6 },
        points: { size: 7 },
        bind: { dblclick: () => () => (options.onWiden(), null) },
      },
      hooks: {
        drawClear: [(u) => this.shade(u)],
        setSelect: [(u) => this.zoomed(u)],
        setCursor: [(u) => this.pointed(u)],
      },
    };
  }

  private zoomed(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 6) return;
    const from = plot.posToVal(left, "x");
    const to = plot.posToVal(left + width, "x");
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    // Panes share the selection; the one under the pointer speaks for all.
    if (plot.root.matches(":hover")) this.options.onZoom(from, to);
  }

  private pointed(plot: uPlot): void {
    if (!plot.root.matches(":hover")) return;
    const { left } = plot.cursor;
    this.options.onCursor(left === undefined || left < 0 ? undefined : plot.posToVal(left, "x"));
  }

  /** Shades the times in which a curve's quality was not good. */
  private shade(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const { palette } = this.options;
    const max = plot.scales.x?.max ?? 0;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    this.latest.forEach((curve, i) => {
      if (!curve || this.options.curves[i]?.hidden) return;
      for (const [grade, from, until] of abnormal(curve, max)) {
        const left = plot.valToPos(from, "x", true);
        const width = Math.max(1, plot.valToPos(until, "x", true) - left);
        ctx.fillStyle = (grade === "bad" ? palette.bad : palette.uncertain) + "2b";
        ctx.fillRect(left, bbox.top, width, bbox.height);
        ctx.fillStyle = grade === "bad" ? palette.bad : palette.uncertain;
        ctx.fillRect(left, bbox.top + bbox.height - 3, width, 3);
      }
    });
    ctx.restore();
  }
}

/** States stand on whole numbers, each with its name; values wherever there is room. */
function ticks(curves: readonly PaneCurve[]): Partial<uPlot.Axis> {
  return isStepped(curves[0]?.point) ? { space: 15, incrs: [1, 2, 5, 10, 20, 50, 100] } : { space: 32 };
}

function isStepped(point: Point | undefined): boolean {
  return point?.kind === "boolean" || point?.kind === "enum";
}

function formsOf(curves: readonly (Curve | undefined)[]): string {
  return curves.map((c) => (c?.bucketMs ? "b" : "r")).join("");
}

function fewPoints(plot: uPlot, series: number): boolean {
  const column = plot.data[series];
  if (!column) return false;
  let count = 0;
  for (const value of column) if (value !== undefined && value !== null && ++count > 60) return false;
  return true;
}

/** Stretches of quality that is not good, joined: [grade, from, until]. */
export function abnormal(curve: Curve, end: number): ["bad" | "uncertain", number, number][] {
  const found: ["bad" | "uncertain", number, number][] = [];
  const { times, quality, bucketMs } = curve;
  for (let i = 0; i < times.length; i++) {
    const grade = severity(quality[i] ?? 0);
    if (grade === "good") continue;
    const from = times[i] as number;
    const until = bucketMs ? from + bucketMs : (times[i + 1] ?? Math.max(from, end));
    const last = found.at(-1);
    if (last && last[0] === grade && last[2] >= from) last[2] = until;
    else found.push([grade, from, until]);
  }
  return found;
}

function usualStep(times: readonly number[]): number {
  if (times.length < 3) return Infinity;
  const steps: number[] = [];
  const stride = Math.max(1, Math.floor(times.length / 200));
  for (let i = stride; i < times.length; i += stride) {
    steps.push(((times[i] as number) - (times[i - stride] as number)) / stride);
  }
  steps.sort((a, b) => a - b);
  return steps[steps.length >> 1] as number;
}

/** The columns of a curve with an empty row wherever nothing came for unusually long. */
function withGaps(curve: Curve): { times: number[]; columns: (number | null | undefined)[][] } {
  const limit = Math.max(GAP_MS_MIN, GAP_STEPS * usualStep(curve.times), 3 * curve.bucketMs);
  const times: number[] = [];
  const value: (number | null)[] = [];
  const high: (number | null)[] = [];
  const low: (number | null)[] = [];
  curve.times.forEach((t, i) => {
    const before = curve.times[i - 1];
    if (before !== undefined && t - before > limit) {
      times.push(before + 1);
      value.push(null);
      high.push(null);
      low.push(null);
    }
    times.push(t);
    value.push(curve.values[i] ?? null);
    high.push(curve.high[i] ?? null);
    low.push(curve.low[i] ?? null);
  });
  return { times, columns: [value, high, low] };
}

function yRange(low: number, high: number, curves: readonly PaneCurve[]): [number, number] {
  if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  if (curves.every((c) => c.point.kind === "boolean")) return [-0.15, 1.15];
  if (curves.every((c) => c.point.kind === "enum")) return [low - 0.4, high + 0.4];
  const height = high - low || Math.abs(high) * 0.1 || 1;
  return [low - height * 0.08, high + height * 0.08];
}

function valueText(value: number, step: number, curves: readonly PaneCurve[], format: Format): string {
  const first = curves[0]?.point;
  if (isStepped(first)) {
    if (!Number.isInteger(value)) return "";
    if (first?.kind === "enum" && !first.names?.[String(value)]) return format.count(value);
    if (first?.kind === "boolean" && value !== 0 && value !== 1) return "";
    return format.value(value, first);
  }
  let digits = 0;
  // A step of 2.5 needs one digit, one of 0.25 needs two.
  for (let s = step; digits < 6 && Math.abs(s - Math.round(s)) > 1e-6 * s; s *= 10) digits += 1;
  return format.fixed(value, digits);
}

function timeText(time: number, i: number, splits: readonly number[], step: number, format: Format): string {
  const date = new Date(time);
  const previous = splits[i - 1];
  const newDay = previous === undefined || new Date(previous).getDate() !== date.getDate();
  const day = date.toLocaleDateString(format.locale, { day: "numeric", month: "short" });
  if (step >= 86_400_000) return day;
  const options: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hour12: false };
  if (step < 60_000) options.second = "2-digit";
  if (step < 1_000) options.fractionalSecondDigits = 3;
  const clock = date.toLocaleTimeString(format.locale, options);
  return newDay ? `${clock}\n${day}` : clock;
}
