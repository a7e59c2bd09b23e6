/** What a trend shows, as it stands in the address and in a saved view. */
import dayjs from "dayjs";
import { isFunction, type Aggregation } from "../../aggregates";

export const TREND_POINTS_MAX = 12;

const DAY = 86_400_000;

export const SPANS = {
  m5: 300_000,
  h1: 3_600_000,
  h8: 28_800_000,
  d1: DAY,
  d7: 7 * DAY,
  d30: 30 * DAY,
  y1: 365 * DAY,
} as const;

export type Window = [number, number];

export interface TrendState {
  points: string[];
  /** Following: the window ends now and is this long. */
  spanMs: number;
  /** Standing still: the window, in ms; null while following. */
  window: Window | null;
  /** What is drawn per interval instead of the samples; null draws the samples. */
  aggregate: Aggregation | null;
  /** How far back the period lies that is drawn beneath, as `1d`; empty: none is. */
  versus: string;
}

export const START: TrendState = { points: [], spanMs: SPANS.h1, window: null, aggregate: null, versus: "" };
export const SPAN_MS_MIN = 50;
export const SPAN_MS_MAX = 50 * 365 * DAY;

/** Whether the address says anything itself; if not, a saved view decides. */
export function saysSomething(query: URLSearchParams): boolean {
  return query.has("p") || query.has("span") || query.has("from");
}

export function fromQuery(query: URLSearchParams): TrendState {
  const from = Date.parse(query.get("from") ?? "");
  const to = Date.parse(query.get("to") ?? "");
  return sound({
    points: query.getAll("p"),
    spanMs: Number(query.get("span")) * 1000,
    window: from < to ? [from, to] : null,
    aggregate: { function: query.get("agg") ?? "", every: query.get("every") ?? "", zone: query.get("zone") ?? "" },
    versus: query.get("vs") ?? "",
  });
}

export function toQuery(state: TrendState): string {
  const query = new URLSearchParams();
  for (const point of state.points) query.append("p", point);
  if (state.window) {
    query.set("from", new Date(state.window[0]).toISOString());
    query.set("to", new Date(state.window[1]).toISOString());
  } else query.set("span", String(state.spanMs / 1000));
  if (state.aggregate) {
    query.set("agg", state.aggregate.function);
    if (state.aggregate.every) query.set("every", state.aggregate.every);
    if (state.aggregate.zone) query.set("zone", state.aggregate.zone);
  }
  if (state.versus) query.set("vs", state.versus);
  return query.toString();
}

/** A saved view, whoever wrote it; what cannot be read falls back. */
export function fromView(data: unknown): TrendState {
  return sound(typeof data === "object" && data !== null ? data : {});
}

/** A state made from what somebody else wrote. */
function sound(told: { [K in keyof TrendState]?: unknown }): TrendState {
  const points = Array.isArray(told.points) ? told.points.filter((p) => typeof p === "string" && p) : [];
  const w = told.window;
  const stands = Array.isArray(w) && typeof w[0] === "number" && typeof w[1] === "number" && w[0] < w[1];
  const spanMs = typeof told.spanMs === "number" && told.spanMs > 0 ? told.spanMs : START.spanMs;
  return {
    points: [...new Set(points as string[])].slice(0, TREND_POINTS_MAX),
    spanMs: clampSpan(spanMs),
    window: stands ? [w[0], w[1]] : null,
    aggregate: soundAggregate(told.aggregate),
    versus: typeof told.versus === "string" && lengthOf(told.versus) ? told.versus : "",
  };
}

function soundAggregate(told: unknown): Aggregation | null {
  const { function: name, every, zone } = (told ?? {}) as Partial<Aggregation>;
  if (!isFunction(name)) return null;
  return { function: name, every: typeof every === "string" ? every : "", zone: typeof zone === "string" ? zone : "" };
}

export function same(a: TrendState, b: TrendState): boolean {
  return toQuery(a) === toQuery(b);
}

export function clampSpan(ms: number): number {
  return Math.min(SPAN_MS_MAX, Math.max(SPAN_MS_MIN, ms));
}

/** The window that is shown at this moment. */
export function windowOf(state: TrendState, now = Date.now()): Window {
  return state.window ?? [now - state.spanMs, now];
}

/** The window around a share of its width, made longer by a factor; never beyond now. */
export function widened([from, to]: Window, factor: number, share = 0.5): Window {
  const length = clampSpan((to - from) * factor);
  const fixed = from + (to - from) * share;
  const end = Math.min(fixed + length * (1 - share), Math.max(Date.now(), to));
  return [end - length, end];
}

export function shifted([from, to]: Window, by: number): Window {
  const end = Math.min(to + (to - from) * by, Math.max(Date.now(), to));
  return [end - (to - from), end];
}

const LENGTH = /^(\d{1,5})(m|h|d|w|mo|y)$/;
const UNITS = { m: "minute", h: "hour", d: "day", w: "week", mo: "month", y: "year" } as const;

/** A length as `90m`, `1d`, `2mo`; undefined when it is none. */
export function lengthOf(text: string): [number, keyof typeof UNITS] | undefined {
  const [, count, unit] = LENGTH.exec(text) ?? [];
  return Number(count) > 0 ? [Number(count), unit as keyof typeof UNITS] : undefined;
}

/** How many ms before `from` the other period begins; days and longer follow the calendar here. */
export function offsetMs(versus: string, from: number): number {
  const length = lengthOf(versus);
  return length ? from - dayjs(from).subtract(length[0], UNITS[length[1]]).valueOf() : 0;
}
