/** One variable over time, small; all of a page share their pointer. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { useFormat } from "../format";
import { useSize } from "../hooks";
import { useMode } from "../preferences";
import { PALETTES } from "../theme";

export interface Line {
  name: string;
  unit: string;
  /** Milliseconds since 1970, or plain numbers when `relative`. */
  times: readonly number[];
  values: readonly (number | null)[];
  stepped?: boolean;
}

interface Props {
  line: Line;
  colour: number;
  /** The times are no times of day: seconds from a start. */
  relative: boolean;
  /** From when to when it is drawn, in ms; without, as far as the line goes. */
  span?: readonly [number, number];
}

const HEIGHT = 150;
const AXIS_WIDTH = 58;

export function LineChart({ line, colour, relative, span }: Props) {
  const format = useFormat();
  const mode = useMode();
  const [box, { width }] = useSize<HTMLDivElement>();
  const plot = useRef<uPlot>(undefined);
  const palette = PALETTES[mode];
  const stroke = palette.series[colour % palette.series.length] as string;
  const data = (): uPlot.AlignedData => {
    const [times, values] = [[...line.times], [...line.values]];
    const end = span?.[1];
    // A value holds until there is another, or the chart ends.
    if (line.stepped && end !== undefined && times.length && (times.at(-1) as number) < end) {
      times.push(end);
      values.push(values.at(-1) ?? null);
    }
    return [relative ? times : times.map((t) => t / 1000), values];
  };
  const range = useRef(span);
  range.current = span;
  const latest = useRef(data);
  latest.current = data;
  const sized = width > 0;
  useEffect(() => {
    if (!box.current || !sized) return;
    const axis = { stroke: palette.quiet, grid: { stroke: palette.line, width: 0.5 }, ticks: { show: false }, font: "11px system-ui" };
    const made = new uPlot({
      width, height: HEIGHT,
      legend: { show: false },
      cursor: { sync: { key: "twin" }, drag: { x: false, y: false } },
      scales: { x: { time: !relative, range: (_, low, high) => (range.current ? [range.current[0] / 1000, range.current[1] / 1000] : [low, high]) } },
      axes: [
        {
          ...axis, size: 26,
          values: (_, ticks, __, ___, step) => ticks.map((t) => (relative ? format.figure(t) : step >= 86400 ? format.time(t * 1000).slice(0, 10) : format.clockTime(t * 1000))),
        },
        { ...axis, size: AXIS_WIDTH, values: (_, ticks) => ticks.map((t) => format.figure(t, 9)) },
      ],
      series: [{}, { stroke, width: 1.5, points: { show: !span && line.times.length < 60, size: 4 }, paths: line.stepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined }],
    }, latest.current(), box.current);
    plot.current = made;
    return () => {
      plot.current = undefined;
      made.destroy();
    };
  }, [sized, mode, relative, format, stroke, line.name]);
  useEffect(() => { plot.current?.setSize({ width, height: HEIGHT }); }, [width]);
  useEffect(() => { plot.current?.setData(latest.current()); }, [line, span?.[0], span?.[1]]);
  const last = [...line.values].reverse().find((v) => v !== null);
  return (
    <figure className="line-chart" data-line={line.name}>
      <figcaption>
        <span><i style={{ background: stroke }} /> {line.name}</span>
        <span className="number"><strong>{last === undefined ? "–" : format.figure(last as number)}</strong> <span className="unit">{line.unit}</span></span>
      </figcaption>
      <div ref={box} className="line-box" role="img" aria-label={line.name} />
    </figure>
  );
}
