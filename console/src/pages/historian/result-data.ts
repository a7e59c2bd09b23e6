/** What an answer in SQL is made of: widths for a grid, curves for a chart. */
import type { Point, Scalar } from "../../api";
import { typeWord, type Column, type SqlResult } from "../../explore";
import type { Curve } from "../../history";

const NUMBER = /^(TINY|SMALL|BIG|HUGE|U(TINY|SMALL|BIG|HUGE)?)?INT(EGER)?\b|^(FLOAT|DOUBLE|REAL|DECIMAL)|^u?int\d+$|^(float|double|half|decimal)/i;
const TIME = /^(TIMESTAMP|DATE\b|date32|datetime)/i;
const TEXT = /^(VARCHAR|string|utf8|large_string|dictionary|ENUM)/i;

export const isNumber = (column: Column) => NUMBER.test(column.type);
export const isTime = (column: Column) => TIME.test(column.type);

const SAMPLE = 200;
const CHAR_PX = 7.6;
const WIDTH_MIN = 72;
const WIDTH_MAX = 420;

/** How wide each column has to be, judged by its first rows as they are shown. */
export function widthsOf(result: SqlResult, shown: (value: Scalar, column: Column) => string): number[] {
  return result.columns.map((column, i) => {
    let longest = Math.max(column.name.length + 2, column.name.length + 1 + typeWord(column.type).length * 0.85);
    for (const row of result.rows.slice(0, SAMPLE)) longest = Math.max(longest, shown(row[i] ?? null, column).length);
    return Math.round(Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, longest * CHAR_PX + 26)));
  });
}

export const LINES_MAX = 12;

export interface ChartData {
  points: Point[];
  curves: Map<string, Curve>;
  window: [number, number];
  /** Whether there would be more lines. */
  more: boolean;
}

/** Curves of the numbers over the first column of times, one a text where rows carry texts. */
export function chartOf(result: SqlResult): ChartData | undefined {
  const at = result.columns.findIndex(isTime);
  const numbers = result.columns.flatMap((c, i) => (isNumber(c) && !c.name.endsWith("_ns") ? [i] : []));
  if (at < 0 || !numbers.length || !result.rows.length) return undefined;
  const by = result.columns.findIndex((c) => TEXT.test(c.type));
  const curves = new Map<string, Curve>();
  let more = false;
  let first = Infinity;
  let last = -Infinity;
  const rows = result.rows
    .map((row) => ({ row, time: Date.parse(String(row[at])) }))
    .filter(({ time }) => !Number.isNaN(time))
    .sort((a, b) => a.time - b.time);
  for (const { row, time } of rows) {
    first = Math.min(first, time);
    last = Math.max(last, time);
    for (const i of numbers) {
      const name = nameOf(result, row, by, numbers.length > 1 ? i : -1, numbers[0] as number);
      let curve = curves.get(name);
      if (!curve) {
        if (curves.size >= LINES_MAX) {
          more = true;
          continue;
        }
        curve = { point: name, times: [], values: [], texts: [], quality: [], interval: "", reduced: false, count: 0 };
        curves.set(name, curve);
      }
      const value = row[i];
      const known = value !== null && value !== undefined && value !== "";
      curve.times.push(time);
      curve.values.push(known && Number.isFinite(Number(value)) ? Number(value) : null);
    }
  }
  if (!curves.size) return undefined;
  const points = [...curves.keys()].map((path): Point => ({ path, kind: "number" }));
  return { points, curves, window: first < last ? [first, last] : [first - 30_000, last + 30_000], more };
}

function nameOf(result: SqlResult, row: Scalar[], by: number, column: number, only: number): string {
  const group = by >= 0 ? String(row[by]) : "";
  const name = result.columns[column >= 0 ? column : only]?.name ?? "";
  if (!group) return name;
  return column >= 0 ? `${group} · ${name}` : group;
}
