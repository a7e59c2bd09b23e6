/** One point over several frames, drawn over each other, with the envelope of all. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { unitText, useFormat } from "../../format";
import { useSize } from "../../hooks";
import { useMode } from "../../preferences";
import { PALETTES } from "../../theme";
import type { Comparison } from "./frames-api";

const HEIGHT = 240;
const ENVELOPE_MIN = 3;

type Compared = Comparison["points"][number];

export function OverlayChart({ steps, found, phases, share }: { steps: number[]; found: Compared; phases: number[]; share: boolean }) {
  const format = useFormat();
  const mode = useMode();
  const [box, { width }] = useSize<HTMLDivElement>();
  const plot = useRef<uPlot>(undefined);
  const palette = PALETTES[mode];
  const sized = width > 0;
  useEffect(() => {
    if (!box.current || !sized) return;
    const axis = { stroke: palette.quiet, grid: { stroke: palette.line, width: 0.5 }, ticks: { show: false }, font: "11px system-ui" };
    const enveloped = found.lines.length >= ENVELOPE_MIN;
    const series: uPlot.Series[] = [{}, { show: enveloped, stroke: palette.line }, { show: enveloped, stroke: palette.line }];
    found.lines.forEach((_, i) => series.push({ stroke: palette.series[i % palette.series.length], width: i ? 1 : 2, dash: i < palette.series.length ? undefined : [6, 3], points: { show: false } }));
    series.push({ show: enveloped, stroke: palette.text, width: 1.5, dash: [2, 3], points: { show: false } });
    const made = new uPlot({
      width, height: HEIGHT,
      legend: { show: false },
      cursor: { sync: { key: "frames" }, drag: { x: true, y: false } },
      scales: { x: { time: false } },
      bands: enveloped ? [{ series: [2, 1], fill: `${palette.quiet}33` }] : [],
      axes: [
        { ...axis, size: 26, values: (_, ticks) => ticks.map((t) => (share ? format.percent(t) : format.span(t * 1000))) },
        { ...axis, size: 62, values: (_, ticks) => ticks.map((t) => format.figure(t, 9)) },
      ],
      series,
      hooks: {
        draw: [(u) => {
          u.ctx.save();
          u.ctx.strokeStyle = palette.quiet;
          u.ctx.setLineDash([4, 4]);
          for (const at of phases) {
            const x = u.valToPos(at, "x", true);
            u.ctx.beginPath();
            u.ctx.moveTo(x, u.bbox.top);
            u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
            u.ctx.stroke();
          }
          u.ctx.restore();
        }],
      },
    }, [steps, found.low, found.high, ...found.lines.map((l) => l.values), found.mean] as uPlot.AlignedData, box.current);
    plot.current = made;
    return () => {
      plot.current = undefined;
      made.destroy();
    };
  }, [sized, mode, format, found, steps, phases, share]);
  useEffect(() => { plot.current?.setSize({ width, height: HEIGHT }); }, [width]);
  return (
    <figure className="panel frame-chart" data-line={found.point}>
      <figcaption>{found.point} <span className="unit">{unitText(found.unit)}</span></figcaption>
      <div ref={box} role="img" aria-label={found.point} />
    </figure>
  );
}
