/** Frames over time: a row for each template on an asset, parents above what lies in them. */
import { useMemo } from "react";
import { leaf, useFormat } from "../../format";
import { Link } from "../../parts/Link";
import { useTexts } from "../../texts";
import { frameAddress, type Frame } from "./frames-api";

const ROWS_MAX = 40;
const TICKS = 6;

interface Row {
  key: string;
  template: string;
  asset: string;
  depth: number;
  frames: Frame[];
}

/** Rows in the order of their assets, each template after the one that its frames lie in. */
export function rowsOf(frames: readonly Frame[]): Row[] {
  const rows = new Map<string, Row>();
  const parents = new Map<string, string>();
  for (const frame of frames) {
    const key = `${frame.asset}|${frame.template}`;
    const row = rows.get(key) ?? { key, template: frame.template, asset: frame.asset, depth: 0, frames: [] };
    row.frames.push(frame);
    rows.set(key, row);
    if (frame.parent) parents.set(frame.template, frame.parent.slice(0, frame.parent.indexOf("|")));
  }
  const line = (template: string): string[] => {
    const found = [template];
    for (let up = parents.get(template); up && !found.includes(up); up = parents.get(up)) found.unshift(up);
    return found;
  };
  for (const row of rows.values()) row.depth = line(row.template).length - 1;
  const place = (row: Row) => `${row.asset}\n${line(row.template).join("\n")}`;
  return [...rows.values()].sort((a, b) => (place(a) < place(b) ? -1 : 1));
}

export function Gantt({ frames, start, stop }: { frames: readonly Frame[]; start: number; stop: number }) {
  const texts = useTexts();
  const format = useFormat();
  const rows = useMemo(() => rowsOf(frames), [frames]);
  const share = (ms: number) => Math.min(Math.max((ms - start) / (stop - start), 0), 1) * 100;
  const day = stop - start > 86_400_000;
  return (
    <div className="panel gantt" role="group" aria-label={texts.frames.gantt}>
      {rows.slice(0, ROWS_MAX).map((row) => (
        <div key={row.key} className="gantt-row" data-row={row.key}>
          <span className="gantt-name" style={{ paddingInlineStart: row.depth * 14 }} title={row.asset}>
            {row.template} <span className="quiet small">{leaf(row.asset)}</span>
          </span>
          <span className="gantt-lane">
            {row.frames.map((f) => {
              const left = share(f.start_ns / 1e6);
              const width = share(f.end_ns === null ? stop : f.end_ns / 1e6) - left;
              const text = `${f.template} · ${format.time(f.start_ns / 1e6)} · ${format.span(f.duration_s * 1000)}`;
              return (
                <span key={f.key} className={`gantt-place ${f.end_ns === null ? "gantt-open" : ""} ${f.severity > 500 ? "gantt-grave" : ""}`} style={{ insetInlineStart: `${left}%`, width: `max(3px, ${width}%)` }}>
                  <Link to={frameAddress(f.key)} title={text} className="gantt-bar">{width > 6 ? Object.values(f.attributes).find((v) => typeof v === "string") ?? "" : ""}</Link>
                </span>
              );
            })}
          </span>
        </div>
      ))}
      <div className="gantt-row" aria-hidden="true">
        <span />
        <span className="gantt-ticks quiet small">
          {Array.from({ length: TICKS }, (_, i) => start + ((stop - start) * i) / (TICKS - 1)).map((t) => <span key={t}>{day ? format.time(t) : format.clockTime(t)}</span>)}
        </span>
      </div>
      {rows.length > ROWS_MAX && <p className="quiet small">{texts.frames.moreRows(rows.length - ROWS_MAX)}</p>}
    </div>
  );
}
