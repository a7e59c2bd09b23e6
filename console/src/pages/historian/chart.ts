/**
 * One pane of a trend: uPlot, wrapped in the one class that knows it.
 *
 * Curves of one unit share a pane; all panes share the window and the cursor.
 */
import uPlot from "uplot";
import type { Point } from "../../api";
import type { Format } from "../../format";
import type { Curve } from "../../history";
import type { Palette } from "../../theme";
import { ticks, timeText, valueText, yRange } from "./chart-axes";
import { abnormal, columnsOf, isStepped } from "./chart-data";
import { gestures } from "./gestures";
import type { Window } from "./trend-state";

export interface PaneCurve {
  /** What its data is found by. */
  key: string;
  point: Point;
  colour: string;
  hidden: boolean;
  /** The curve of another period, drawn beneath. */
  ghost: boolean;
}

export type Curves = ReadonlyMap<string, Curve>;

export interface PaneOptions {
  curves: readonly PaneCurve[];
  /** Whether the times stand below it: only under the last pane. */
  timesBelow: boolean;
  height: number;
  width: number;
  palette: Palette;
  format: Format;
  onZoom: (window: Window) => void;
  onMove: (window: Window, done: boolean) => void;
  onWiden: () => void;
  onCursor: (time: number | undefined) => void;
}

const AXIS_WIDTH = 64;

export class Pane {
  private readonly plot: uPlot;
  private readonly release: () => void;
  private readonly points: readonly Point[];
  private latest: readonly (Curve | undefined)[] = [];
  private held = "";

  constructor(box: HTMLElement, private readonly options: PaneOptions, data: Curves) {
    this.points = options.curves.map((c) => c.point);
    this.latest = this.pick(data);
    this.held = this.holding();
    this.plot = new uPlot(this.settings(), this.columns(), box);
    this.release = gestures(this.plot.over, {
      window: () => [this.plot.scales.x?.min ?? 0, this.plot.scales.x?.max ?? 1],
      move: options.onMove,
    });
  }

  /** Shows curves in a window; false when the curves need a pane of another make. */
  show(data: Curves | undefined, [from, to]: Window): boolean {
    if (data) {
      this.latest = this.pick(data);
      if (this.holding() !== this.held) return false;
    }
    this.plot.batch(() => {
      if (data) this.plot.setData(this.columns(), false);
      this.plot.setScale("x", { min: from, max: to });
    });
    return true;
  }

  resize(width: number, height: number): void {
    this.plot.setSize({ width, height });
  }

  destroy(): void {
    this.release();
    this.plot.destroy();
  }

  private pick(data: Curves): (Curve | undefined)[] {
    return this.options.curves.map((c) => data.get(c.key));
  }

  private columns(): uPlot.AlignedData {
    return columnsOf(this.latest);
  }

  /** Which curves hold their value to the next: their lines are drawn otherwise. */
  private holding(): string {
    return this.latest.map((curve, i) => (curve?.interval || isStepped(this.points[i]) ? "s" : "l")).join("");
  }

  private settings(): uPlot.Options {
    const { options, points } = this;
    const { palette, format } = options;
    const series: uPlot.Series[] = [{}];
    options.curves.forEach(({ point, colour, hidden, ghost }, i) => {
      series.push({
        label: point.path,
        show: !hidden,
        stroke: ghost ? `${colour}b0` : colour,
        width: ghost ? 1.2 : 1.5,
        dash: ghost ? [5, 4] : undefined,
        paths: this.held[i] === "s" ? uPlot.paths.stepped?.({ align: 1 }) : uPlot.paths.linear?.(),
        points: { show: (u, s) => !ghost && fewPoints(u, s), size: 4, fill: colour, stroke: colour },
      });
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
      padding: [isStepped(points[0]) ? 20 : 10, 14, options.timesBelow ? 0 : 6, 0],
      legend: { show: false },
      series,
      scales: { x: { time: true, auto: false }, y: { range: (_, low, high) => yRange(low, high, points) } },
      axes: [
        {
          ...axis,
          size: options.timesBelow ? 42 : 0,
          values: (_, splits, __, ___, step) => (options.timesBelow ? splits.map((t, i) => timeText(t, i, splits, step, format)) : splits.map(() => "")),
          space: 90,
        },
        { ...axis, size: AXIS_WIDTH, ...ticks(points), values: (_, splits, __, ___, step) => splits.map((v) => valueText(v, step, points, format)) },
      ],
      cursor: {
        sync: { key: "trend", setSeries: false },
        drag: { x: true, y: false, setScale: false, dist: 6 },
        points: { size: 7 },
        bind: {
          dblclick: () => () => (options.onWiden(), null),
          // With Shift the hand pans, which is not uPlot's business.
          mousedown: (_, __, select) => (event) => (event.shiftKey ? null : (select(event), null)),
        },
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
    if (plot.root.matches(":hover")) this.options.onZoom([from, to]);
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
      const shown = this.options.curves[i];
      if (!curve || !shown || shown.hidden || shown.ghost) return;
      for (const [grade, from, until] of abnormal(curve, max)) {
        const left = plot.valToPos(from, "x", true);
        const width = Math.max(1, plot.valToPos(until, "x", true) - left);
        ctx.fillStyle = palette[grade] + "2b";
        ctx.fillRect(left, bbox.top, width, bbox.height);
        ctx.fillStyle = palette[grade];
        ctx.fillRect(left, bbox.top + bbox.height - 3, width, 3);
      }
    });
    ctx.restore();
  }
}

function fewPoints(plot: uPlot, series: number): boolean {
  const column = plot.data[series];
  if (!column) return false;
  let count = 0;
  for (const value of column) if (value !== undefined && value !== null && ++count > 60) return false;
  return true;
}
