/** The numbers of an answer over its times; zoomed and moved like a trend. */
import { useEffect, useMemo, useRef, useState } from "react";
import type { SqlResult } from "../../explore";
import { useFormat } from "../../format";
import { useSize } from "../../hooks";
import { Empty } from "../../parts/Notice";
import { useMode } from "../../preferences";
import { useTexts } from "../../texts";
import { PALETTES } from "../../theme";
import { Pane } from "./chart";
import { indexAt } from "./chart-data";
import { chartOf, LINES_MAX, type ChartData } from "./result-data";
import { widened, type Window } from "./trend-state";

export function ResultChart({ result }: { result: SqlResult }) {
  const texts = useTexts();
  const data = useMemo(() => chartOf(result), [result]);
  if (!data) return <Empty title={texts.sql.noChart} />;
  return <Drawn data={data} />;
}

function Drawn({ data }: { data: ChartData }) {
  const texts = useTexts();
  const format = useFormat();
  const mode = useMode();
  const [area, { width, height }] = useSize<HTMLDivElement>();
  const box = useRef<HTMLDivElement>(null);
  const [window, setWindow] = useState<Window>(data.window);
  const [cursor, setCursor] = useState<number>();
  const palette = PALETTES[mode].series;
  const pane = useRef<Pane>(undefined);
  const latest = useRef(window);
  latest.current = window;
  useEffect(() => setWindow(data.window), [data]);
  const sized = width > 0 && height > 0;
  useEffect(() => {
    if (!box.current || !sized) return;
    const made = new Pane(box.current, {
      curves: data.points.map((point, i) => ({
        key: point.path, point, colour: palette[i % palette.length] as string, hidden: false, ghost: false,
      })),
      timesBelow: true,
      width, height,
      palette: PALETTES[mode],
      format,
      onZoom: setWindow,
      onMove: setWindow,
      onWiden: () => setWindow(widened(latest.current, 3)),
      onCursor: setCursor,
    }, data.curves);
    made.show(data.curves, latest.current);
    pane.current = made;
    return () => {
      pane.current = undefined;
      made.destroy();
    };
  }, [data, mode, format, sized]);
  useEffect(() => {
    if (sized) pane.current?.resize(width, height);
  }, [width, height, sized]);
  useEffect(() => void pane.current?.show(undefined, window), [window]);
  return (
    <div className="result-chart">
      <div className="result-pane" ref={area}><div ref={box} className="pane" onMouseLeave={() => setCursor(undefined)} /></div>
      <ul className="result-legend">
        {data.points.map((point, i) => {
          const curve = data.curves.get(point.path);
          const at = curve && cursor !== undefined ? indexAt(curve.times, cursor) : -1;
          const value = curve?.values[at];
          return (
            <li key={point.path} data-line={point.path}>
              <span className="swatch" style={{ color: palette[i % palette.length] }} />
              {point.path} {typeof value === "number" && <strong className="number">{format.figure(value)}</strong>}
            </li>
          );
        })}
        {data.more && <li className="quiet">{texts.sql.tooManyLines(LINES_MAX)}</li>}
      </ul>
    </div>
  );
}
