/** The words of the API of control charts, and one function for every question about them. */
import { ask } from "../../../http";

export const KINDS = ["i-mr", "xbar-r", "xbar-s", "p", "np", "c", "u", "ewma", "cusum"] as const;
export type ChartKind = (typeof KINDS)[number];
export type Subgroup = "count" | "time" | "change";

export interface PhaseTable {
  start?: string;
  centre?: number | null;
  sigma?: number | null;
  learn?: { start: string; stop: string } | null;
  note?: string;
}

export interface Chart {
  name: string;
  point: string;
  kind: ChartKind;
  expression?: string;
  when?: string;
  names?: Record<string, string>;
  size?: number;
  subgroup?: Subgroup;
  every_s?: number;
  by?: string;
  size_point?: string;
  rules?: string | string[];
  phases?: PhaseTable[];
  lsl?: number | null;
  usl?: number | null;
  target?: number | null;
  group?: string;
  description?: string;
}

export interface Phase {
  start_ns: number;
  known: { centre: number; sigma: number; size: number };
}

export interface Marked {
  time: string;
  time_ns: number;
  value: number | null;
  spread: number | null;
  marks: string[];
}

export interface ChartView {
  chart: Chart;
  standing: {
    marks: string[];
    since_ns: number;
    time_ns: number;
    value: number | null;
    plotted: number;
    late: number;
    last: { time_ns: number; marks: string[] } | null;
  };
  phases: Phase[];
  out: string;
  unit: string;
  in_file: boolean;
  trouble: string;
}

type Column = (number | null)[];

export interface Comment {
  time_ns: number;
  cause: string;
  by: string;
}

export interface ChartData {
  time_ns: number[];
  phase: number[];
  value: Column;
  spread: Column;
  lower: Column;
  centre: Column;
  upper: Column;
  spread_lower: Column;
  spread_centre: Column;
  spread_upper: Column;
  violations: Marked[];
  violating: number;
  total: number;
  phases: Phase[];
  provisional: boolean;
  exact: boolean;
  comments: Comment[];
}

export interface Index {
  value: number;
  low: number;
  high: number;
}

export interface Study {
  lsl: number | null;
  usl: number | null;
  target: number | null;
  values: number;
  mean: number;
  within: number;
  overall: number;
  indices: { cp: Index | null; cpk: Index; pp: Index | null; ppk: Index; cm: Index | null; cmk: Index | null };
  machine_values: number;
  below: number;
  above: number;
  expected_ppm: number;
  normality: { verdict: "plausible" | "doubtful" | "unknown"; statistic: number | null; probability: number | null };
  histogram: { edges: number[]; counts: number[] };
}

export interface Proposal {
  phase: PhaseTable;
  learned: { points: number; known: Phase["known"]; start_ns: number };
}

export const chartsApi = {
  list: (signal?: AbortSignal) => ask<{ items: ChartView[] }>("GET", "/charts", { signal }),
  data: (name: string, start: string, signal?: AbortSignal) =>
    ask<ChartData>("GET", "/charts/data", { query: { name, start }, signal }),
  study: (name: string, start: string, signal?: AbortSignal) =>
    ask<Study>("GET", "/charts/capability", { query: { name, start }, signal }),
  define: (chart: Chart) => ask<ChartView>("PUT", "/charts", { body: chart }),
  remove: (name: string) => ask<void>("DELETE", "/charts", { query: { name } }),
  learn: (name: string, start: string, stop: string) =>
    ask<Proposal>("POST", "/charts/learn", { body: { name, start, stop } }),
  comment: (name: string, time: string, cause: string) =>
    ask<Comment>("POST", "/charts/comment", { body: { name, time, cause } }),
};

/** The address of one chart. */
export function chartAddress(name: string, span = ""): string {
  const query = new URLSearchParams({ chart: name });
  if (span) query.set("span", span);
  return `/spc?${query.toString()}`;
}

/** What stands beside a violating point: the number of the rule. */
export function markText(mark: string): string {
  return /-(\d)$/.exec(mark)?.[1] ?? (mark === "spread" ? "S" : "!");
}

export type Tone = "out" | "in" | "off";

/** How a chart stands, in one word. */
export function toneOf(view: ChartView): Tone {
  if (view.trouble || !view.chart.phases?.length || !view.standing.time_ns) return "off";
  return view.standing.marks.length ? "out" : "in";
}

/** Whether a chart has a capability: measured values, not counts. */
export function isMeasured(kind: ChartKind): boolean {
  return !["p", "np", "c", "u"].includes(kind);
}
