/** What a trend shows, as it stands in the address and in a saved view. */

export const TREND_POINTS_MAX = 12;

export const SPANS = {
  m5: 300_000,
  m15: 900_000,
  h1: 3_600_000,
  h8: 28_800_000,
  d1: 86_400_000,
  d7: 604_800_000,
  d30: 2_592_000_000,
} as const;

export interface TrendState {
  points: string[];
  /** Following: the window ends now and is this long. */
  spanMs: number;
  /** Standing still: the window, in ms; null while following. */
  window: [number, number] | null;
}

export const START: TrendState = { points: [], spanMs: SPANS.m15, window: null };
const SPAN_MS_MIN = 1_000;
const SPAN_MS_MAX = 20 * 365 * 86_400_000;

/** Whether the address says anything itself; if not, a saved view decides. */
export function saysSomething(query: URLSearchParams): boolean {
  return query.has("p") || query.has("span") || query.has("from");
}

export function fromQuery(query: URLSearchParams): TrendState {
  const points = [...new Set(query.getAll("p").filter(Boolean))].slice(0, TREND_POINTS_MAX);
  const spanMs = clampSpan(Number(query.get("span")) * 1000 || START.spanMs);
  const from = Date.parse(query.get("from") ?? "");
  const to = Date.parse(query.get("to") ?? "");
  return { points, spanMs, window: from < to ? [from, to] : null };
}

export function toQuery(state: TrendState): string {
  const query = new URLSearchParams();
  for (const point of state.points) query.append("p", point);
  if (state.window) {
    query.set("from", new Date(state.window[0]).toISOString());
    query.set("to", new Date(state.window[1]).toISOString());
  } else query.set("span", String(state.spanMs / 1000));
  return query.toString();
}

/** A saved view, whoever wrote it; what cannot be read falls back. */
export function fromView(data: unknown): TrendState {
  const told = (typeof data === "object" && data !== null ? data : {}) as Partial<TrendState>;
  const points = Array.isArray(told.points) ? told.points.filter((p) => typeof p === "string") : [];
  const w = told.window;
  const sound = Array.isArray(w) && typeof w[0] === "number" && typeof w[1] === "number" && w[0] < w[1];
  return {
    points: points.slice(0, TREND_POINTS_MAX),
    spanMs: clampSpan(typeof told.spanMs === "number" ? told.spanMs : START.spanMs),
    window: sound ? [w[0], w[1]] : null,
  };
}

export function same(a: TrendState, b: TrendState): boolean {
  return toQuery(a) === toQuery(b);
}

export function clampSpan(ms: number): number {
  return Math.min(SPAN_MS_MAX, Math.max(SPAN_MS_MIN, ms));
}

/** The window around its middle, made longer by a factor; never beyond now. */
export function widened([from, to]: [number, number], factor: number): [number, number] {
  const half = clampSpan((to - from) * factor) / 2;
  const end = Math.min((from + to) / 2 + half, Date.now());
  return [end - 2 * half, end];
}

export function shifted([from, to]: [number, number], by: number): [number, number] {
  const end = Math.min(to + (to - from) * by, Date.now());
  return [end - (to - from), end];
}
