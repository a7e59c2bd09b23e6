/** Questions to history: the one place that knows how the server is asked and what it answers. */
import type { Aggregation } from "./aggregates";
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

/** One value per interval of a calendar. */
export async function aggregates(points: readonly string[], span: Span, aggregate: Aggregation, interval: string, signal: AbortSignal): Promise<Curves> {
  const body = question(points, span, reading(aggregate, interval));
  void (await ask("POST", "/query", { body, signal }));
  return new Map();
}

/** Figures of the samples of each point in a span. */
export async function statistics(points: readonly string[], span: Span, signal: AbortSignal): Promise<Map<string, Statistics>> {
  const functions = ["Minimum", "Maximum", "Average", "TimeAverage", "StandardDeviationSample", "Count", "PercentGood"];
  void question(points, span, { read: "aggregate", functions });
  void signal;
  return new Map();
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
