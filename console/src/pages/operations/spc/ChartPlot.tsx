/** One of the two plots of a control chart: points in their order, limits, zones, violations. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { useFormat } from "../../../format";
import { useSize } from "../../../hooks";
import { useMode } from "../../../preferences";
import { PALETTES } from "../../../theme";
import { markText } from "./charts-api";

type Column = readonly (number | null)[];

export interface Lines {
  name: string;
  unit: string;
  timesMs: readonly number[];
  phase: readonly number[];
  value: Column;
  lower: Column;
  centre: Column;
  upper: Column;
  /** Whether thirds of the way to the limits are drawn. */
  zones: boolean;
  /** By place: what is complete there. */
  marks: ReadonlyMap<number, readonly string[]>;
}

interface Props {
  lines: Lines;
  height: number;
  chosen: number | undefined;
  onChoose: (place: number) => void;
}

const AXIS_WIDTH = 70;
const NEAR = 3;

export function ChartPlot({ lines, height, chosen, onChoose }: Props) {
  const format = useFormat();
  const mode = useMode();
  const palette = PALETTES[mode];
  const [box, { width }] = useSize<HTMLDivElement>();
  const plot = useRef<uPlot>(undefined);
  const latest = useRef({ lines, chosen, onChoose });
  latest.current = { lines, chosen, onChoose };
  const sized = width > 0;
  useEffect(() => {
    if (!box.current || !sized) return;
    const axis = { stroke: palette.quiet, grid: { show: false }, ticks: { stroke: palette.line, width: 1, size: 4 }, font: "11px system-ui" };
    const limit = { stroke: palette.uncertain, width: 1.2, paths: uPlot.paths.stepped?.({ align: 1 }), points: { show: false } };
    const zone = { ...limit, stroke: palette.line, width: 1, dash: [4, 4] };
    const made = new uPlot({
      width, height,
      legend: { show: false },
      cursor: { sync: { key: "spc" }, drag: { x: false, y: false }, points: { size: 7 } },
      scales: { x: { time: false, range: (_, low, high) => [low - 0.5, high + 0.5] } },
      axes: [
        {
          ...axis, size: 28, space: 90, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000],
          values: (_, ticks) => ticks.map((t) => timeAt(latest.current.lines.timesMs, t, format.clockTime.bind(format), format.time.bind(format))),
        },
        { ...axis, size: AXIS_WIDTH, values: (_, ticks) => ticks.map((t) => format.figure(t, 7)) },
      ],
      series: [
        {},
        zone, zone, zone, zone,
        { ...limit, stroke: palette.quiet, width: 1 },
        limit, limit,
        { stroke: palette.series[0], width: 1.3, points: { show: (u) => u.data[0].length < 400, size: 5, fill: palette.series[0] } },
      ],
      hooks: { draw: [(u) => draw(u, latest.current.lines, latest.current.chosen, palette)] },
    }, columns(lines), box.current);
    made.over.addEventListener("click", () => {
      const place = made.cursor.idx;
      if (typeof place === "number") latest.current.onChoose(nearest(latest.current.lines.marks, place));
    });
    plot.current = made;
    return () => {
      plot.current = undefined;
      made.destroy();
    };
  }, [sized, mode, format, palette, height]);
  useEffect(() => { plot.current?.setSize({ width, height }); }, [width, height]);
  useEffect(() => { plot.current?.setData(columns(lines)); }, [lines]);
  useEffect(() => { plot.current?.redraw(false); }, [chosen]);
  const last = lines.value.at(-1);
  return (
    <figure className="chart-plot" data-plot={lines.name} data-points={lines.value.length}>
      <figcaption>
        <span>{lines.name} <span className="unit">{lines.unit}</span></span>
        <strong className="number">{last === null || last === undefined ? "–" : format.figure(last, 6)}</strong>
      </figcaption>
      <div ref={box} className="chart-box" style={{ height }} role="img" aria-label={lines.name} />
    </figure>
  );
}

function columns(lines: Lines): uPlot.AlignedData {
  const thirds = (k: number) => lines.centre.map((c, i) => {
    const upper = lines.upper[i];
    return !lines.zones || c === null || upper === null || upper === undefined ? null : c + ((upper - c) * k) / 3;
  });
  return [
    lines.value.map((_, i) => i),
    thirds(-2), thirds(-1), thirds(1), thirds(2),
    [...lines.centre], [...lines.lower], [...lines.upper], [...lines.value],
  ];
}

/** The violating place near a click, or the place itself. */
function nearest(marks: Lines["marks"], place: number): number {
  for (let step = 0; step <= NEAR; step++) {
    if (marks.has(place - step)) return place - step;
    if (marks.has(place + step)) return place + step;
  }
  return place;
}

function timeAt(times: readonly number[], place: number, clock: (ms: number) => string, full: (ms: number) => string): string {
  const time = times[place];
  if (!Number.isInteger(place) || time === undefined) return "";
  const span = (times.at(-1) ?? time) - (times[0] ?? time);
  return span < 86_400_000 ? clock(time) : full(time).slice(0, 17);
}

function draw(u: uPlot, lines: Lines, chosen: number | undefined, palette: (typeof PALETTES)["light"]): void {
  const { ctx } = u;
  const scale = devicePixelRatio;
  const x = (place: number) => u.valToPos(place, "x", true);
  ctx.save();
  ctx.font = `${11 * scale}px system-ui`;
  ctx.textAlign = "center";
  lines.phase.forEach((phase, i) => {
    if (i === 0 || phase === lines.phase[i - 1]) return;
    ctx.strokeStyle = palette.quiet;
    ctx.setLineDash([2 * scale, 3 * scale]);
    ctx.beginPath();
    ctx.moveTo(x(i - 0.5), u.bbox.top);
    ctx.lineTo(x(i - 0.5), u.bbox.top + u.bbox.height);
    ctx.stroke();
  });
  ctx.setLineDash([]);
  for (const [place, marks] of lines.marks) {
    const value = lines.value[place];
    if (value === null || value === undefined) continue;
    const y = u.valToPos(value, "y", true);
    ctx.fillStyle = palette.bad;
    ctx.beginPath();
    ctx.arc(x(place), y, 3.6 * scale, 0, 2 * Math.PI);
    ctx.fill();
    if (place === chosen) {
      ctx.strokeStyle = palette.bad;
      ctx.lineWidth = 1.5 * scale;
      ctx.beginPath();
      ctx.arc(x(place), y, 7.5 * scale, 0, 2 * Math.PI);
      ctx.stroke();
    }
    if (lines.marks.size <= 150) {
      const gap = place === chosen ? 12 : 8;
      const above = value >= (lines.centre[place] ?? value);
      ctx.fillText(marks.map(markText).join(" "), x(place), y + (above ? -gap : gap + 8) * scale);
    }
  }
  ctx.restore();
}
