/** The aggregates of OPC UA Part 13 that the console offers, and what their figures mean. */
import type { Point } from "./api";

/** What figure an aggregate gives: one in the unit of its point, or one of its own. */
type Sort = "value" | "number" | "seconds" | "percent";

export const FUNCTIONS = {
  TimeAverage: "value",
  Average: "value",
  Minimum: "value",
  Maximum: "value",
  Range: "value",
  Interpolative: "value",
  Start: "value",
  End: "value",
  Delta: "value",
  StandardDeviationSample: "value",
  Count: "number",
  NumberOfTransitions: "number",
  DurationInStateNonZero: "seconds",
  DurationGood: "seconds",
  PercentGood: "percent",
} as const satisfies Record<string, Sort>;

export type FunctionName = keyof typeof FUNCTIONS;

export interface Aggregation {
  function: FunctionName;
  /** `10m`, `1h`, `1d`, …; empty: what suits the span. */
  every: string;
  /** Whose calendar and clock; empty: the browser's. */
  zone: string;
}

export function isFunction(name: unknown): name is FunctionName {
  return typeof name === "string" && name in FUNCTIONS;
}

/** The intervals on offer, in rising order, with their usual length in ms. */
export const INTERVALS: Record<string, number> = {
  "1s": 1e3, "10s": 1e4, "1m": 6e4, "5m": 3e5, "10m": 6e5, "30m": 18e5, "1h": 36e5, "8h": 288e5,
  "1d": 864e5, "1w": 6048e5, "1mo": 26298e5, "1q": 78894e5, "1y": 315576e5,
};

/** The shortest interval of which at most so many make up the span. */
export function suitable(spanMs: number, max: number): string {
  const found = Object.entries(INTERVALS).find(([, ms]) => spanMs / ms <= max);
  return found?.[0] ?? "1y";
}

/** How a point's figures are to be read once they are aggregated. */
export function aggregated(point: Point, name: FunctionName): Point {
  const sort = FUNCTIONS[name];
  if (sort === "value") {
    // The mean of states is a number; their ends are states again.
    const same = name === "Start" || name === "End" || name === "Minimum" || name === "Maximum";
    return same || point.kind === "number" ? point : { ...point, kind: "number", names: {} };
  }
  const unit = { number: "", seconds: "s", percent: "%" }[sort];
  return { ...point, kind: sort === "number" ? "integer" : "number", unit, names: {}, low: null, high: null };
}
