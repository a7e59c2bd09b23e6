/** Questions to history: the one place that knows how the server is asked and what it answers. */
import { FUNCTIONS, type Aggregation } from "./aggregates";
import type { Scalar } from "./api";
import { address, ask, askFile } from "./http";

export interface Span {
  start: number;
  stop: number;
}

/** A line as it is drawn: samples, or one value per interval. */
export interface Curve {
  point: string;
  times: number[];
  /** null is a gap. */
  values: (number | null)[];
  /** What is written instead of a number, for points that carry text. */
  texts: (string | undefined)[];
  quality: number[];
  /** Interval of an aggregate, as `1h`; empty for samples. */
  interval: string;
  /** Until when the last interval lasts. */
  end?: number;
  /** Whether these are fewer samples than the span holds. */
  reduced: boolean;
  /** How many samples the span holds. */
  count: number;
}

/** What is known of a point's samples in a span; null where that is nothing. */
export interface Statistics {
  min: number | null;
  max: number | null;
  mean: number | null;
  timeMean: number | null;
  deviation: number | null;
  count: number | null;
  /** Share of the time in which the quality was good, from 0 to 1. */
  good: number | null;
}

export type Curves = Map<string, Curve>;

export type FileFormat = "csv" | "parquet" | "arrow";
export const FILE_NAMES: Record<FileFormat, string> = { csv: "CSV", parquet: "Parquet", arrow: "Arrow" };

/** Before this nobody measured anything. */
const BEGINNING = Date.UTC(1970, 0, 1);

const iso = (ms: number) => new Date(ms).toISOString();

/** One point of a chart, as the server tells it. */
interface Drawn {
  point: string;
  form: "raw" | "minmax" | "lttb";
  time_ms: number[];
  value: Scalar[];
  quality: number[];
  count: number;
}

/** The samples of points, thinned out to what a screen can show; peaks and gaps stay. */
export async function charts(points: readonly string[], span: Span, max: number, signal?: AbortSignal, bounds = false): Promise<Curves> {
  const body = question(points, span, { read: "chart", samples_max: Math.round(max), bounds });
  const { series } = await ask<{ series: Drawn[] }>("POST", "/query", { body, signal });
  return new Map(series.map((s) => [s.point, curveOf(s)]));
}

function question(points: readonly string[], span: Span, what: object): object {
  return { points, start: iso(span.start), stop: iso(span.stop), do: what };
}

function reading(aggregate: Aggregation, interval: string): object {
  const time_zone = aggregate.zone || Intl.DateTimeFormat().resolvedOptions().timeZone;
  return { read: "aggregate", functions: [aggregate.function], interval: { every: interval, time_zone } };
}

interface Table {
  columns: string[];
  rows: Scalar[][];
}

interface AggregateRow {
  point: string;
  function: string;
  start: number;
  stop: number;
  value: Scalar;
  quality: number;
}

/** RFC 3339 in nanoseconds, as every browser reads it: in milliseconds. */
const msOf = (time: Scalar) => Date.parse(String(time).replace(/(\.\d{3})\d+/, "$1"));

function aggregateRows({ columns, rows }: Table): AggregateRow[] {
  const at = Object.fromEntries(columns.map((name, i) => [name, i]));
  const cell = (row: Scalar[], name: string) => row[at[name] ?? -1] ?? null;
  return rows.map((row) => ({
    point: String(cell(row, "point")),
    function: String(cell(row, "function")),
    start: msOf(cell(row, "start")),
    stop: msOf(cell(row, "stop")),
    value: cell(row, "value"),
    quality: Number(cell(row, "quality")),
  }));
}

/** One value per interval of a calendar. */
export async function aggregates(points: readonly string[], span: Span, aggregate: Aggregation, interval: string, signal: AbortSignal): Promise<Curves> {
  const body = question(points, span, reading(aggregate, interval));
  const found: Curves = new Map();
  for (const point of points) {
    found.set(point, { point, times: [], values: [], texts: [], quality: [], interval, reduced: false, count: 0 });
  }
  for (const row of aggregateRows(await ask<Table>("POST", "/query", { body, signal }))) {
    const curve = found.get(row.point);
    if (!curve) continue;
    const number = numberOf(row.value);
    curve.times.push(row.start);
    // Durations come in milliseconds.
    curve.values.push(number !== null && FUNCTIONS[aggregate.function] === "seconds" ? number / 1000 : number);
    curve.quality.push(row.quality);
    if (typeof row.value === "string") curve.texts[curve.times.length - 1] = row.value;
    curve.end = row.stop;
  }
  return found;
}

const FIGURES: Record<string, keyof Statistics> = {
  Minimum: "min",
  Maximum: "max",
  Average: "mean",
  TimeAverage: "timeMean",
  StandardDeviationSample: "deviation",
  Count: "count",
  PercentGood: "good",
};

/** Figures of the samples of each point in a span. */
export async function statistics(points: readonly string[], span: Span, signal: AbortSignal): Promise<Map<string, Statistics>> {
  const body = question(points, span, { read: "aggregate", functions: Object.keys(FIGURES) });
  const found = new Map<string, Statistics>();
  for (const row of aggregateRows(await ask<Table>("POST", "/query", { body, signal }))) {
    const one = found.get(row.point) ?? { min: null, max: null, mean: null, timeMean: null, deviation: null, count: null, good: null };
    found.set(row.point, one);
    const figure = FIGURES[row.function];
    const number = numberOf(row.value);
    if (figure) one[figure] = figure === "good" && number !== null ? number / 100 : number;
  }
  return found;
}

/** What a trend draws, as a file. */
export function fileOfDrawn(points: readonly string[], span: Span, aggregate: Aggregation | null, interval: string, format: FileFormat): Promise<Blob> {
  const what = aggregate ? reading(aggregate, interval) : { read: "chart" };
  return askFile("POST", "/query", { body: question(points, span, what), query: { format } });
}

function numberOf(value: Scalar | undefined): number | null {
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "number" ? value : null;
}

function curveOf({ point, form, time_ms, value, quality, count }: Drawn): Curve {
  const worded = value.some((v) => typeof v === "string");
  return {
    point, quality, count,
    times: time_ms,
    values: value.map(numberOf),
    texts: worded ? value.map((v) => (typeof v === "string" ? v : undefined)) : [],
    interval: "",
    reduced: form !== "raw",
  };
}

/** When the oldest sample of the points was taken. */
export async function firstTime(points: readonly string[], signal?: AbortSignal): Promise<number | undefined> {
  const found = await charts(points, { start: BEGINNING, stop: Date.now() }, 8, signal);
  const firsts = [...found.values()].flatMap((c) => c.times[0] ?? []);
  return firsts.length ? Math.min(...firsts) : undefined;
}

/** How many samples the points have in a span. */
export async function countSamples(points: readonly string[], span: Span, signal?: AbortSignal): Promise<number> {
  const found = await charts(points, span, 8, signal);
  return [...found.values()].reduce((sum, c) => sum + c.count, 0);
}

/** Removes samples for good; how many. */
export async function deleteSamples(points: readonly string[], span: Span, reason: string): Promise<number> {
  const body = { points, start: iso(span.start), stop: iso(span.stop), reason };
  return (await ask<{ deleted: number }>("POST", "/samples/delete", { body })).deleted;
}

/** Where the browser fetches every sample of a span; the file streams past the page. */
export function rawFile(points: readonly string[], span: Span, format: FileFormat): string {
  return address("/history", { points, start: iso(span.start), stop: iso(span.stop), format });
}
