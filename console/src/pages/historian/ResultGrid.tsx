/** The rows of an answer; only those on screen exist. */
import { useMemo, useRef } from "react";
import type { Scalar } from "../../api";
import { typeWord, type Column, type SqlResult } from "../../explore";
import { useFormat, type Format } from "../../format";
import { VirtualList } from "../../parts/VirtualList";
import { useTexts } from "../../texts";
import { isNumber, isTime, widthsOf } from "./result-data";

const ROW_HEIGHT = 28;
const INDEX_WIDTH = 64;

export function ResultGrid({ result }: { result: SqlResult }) {
  const texts = useTexts();
  const format = useFormat();
  const head = useRef<HTMLDivElement>(null);
  const { columns, rows } = result;
  const shown = useMemo(() => textOf(format), [format]);
  const widths = useMemo(() => widthsOf(result, shown), [result, shown]);
  const width = INDEX_WIDTH + widths.reduce((a, b) => a + b, 0);
  const template = { gridTemplateColumns: `${INDEX_WIDTH}px ${widths.map((w) => `minmax(${w}px, ${w}fr)`).join(" ")}`, minWidth: width };
  return (
    <div className="grid" role="table" aria-rowcount={rows.length} aria-label={texts.sql.grid}>
      <div className="grid-head" ref={head}>
        <div className="grid-row" role="row" style={template}>
          <span />
          {columns.map((column, i) => (
            <span key={i} role="columnheader" className={isNumber(column) ? "right" : ""} title={`${column.name} ${column.type}`}>
              {column.name} <span className="quiet small">{typeWord(column.type)}</span>
            </span>
          ))}
        </div>
      </div>
      <VirtualList
        count={rows.length}
        rowHeight={ROW_HEIGHT}
        minWidth={width}
        onSideways={(left) => {
          if (head.current) head.current.scrollLeft = left;
        }}
        row={(i) => (
          <div key={i} className="grid-row" role="row" style={template}>
            <span className="right quiet number">{format.count(i + 1)}</span>
            {columns.map((column, j) => {
              const value = rows[i]?.[j] ?? null;
              const text = shown(value, column);
              return (
                <span key={j} role="cell" className={`${isNumber(column) ? "right number" : ""} ${value === null ? "quiet" : ""}`} title={value === null ? undefined : String(value)}>
                  {value === null ? texts.sql.null : text}
                </span>
              );
            })}
          </div>
        )}
      />
    </div>
  );
}

/** Numbers as they are, times in the time zone of the reader. */
function textOf(format: Format): (value: Scalar, column: Column) => string {
  return (value, column) => {
    if (value === null) return "null";
    if (isTime(column) && /^(TIMESTAMP|timestamp)/.test(column.type) && !Number.isNaN(Date.parse(String(value)))) {
      return format.timeMs(Date.parse(String(value)));
    }
    if (typeof value === "number" && !Number.isInteger(value)) return format.figure(value, 8);
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  };
}
