/** The words of the interface for figures, and one function for every question. */
import { address, ask } from "../../http";

export interface Figure {
  name: string;
  /** The formula in the symbols of ISO 22400. */
  text: string;
  unit: string;
  value: number | null;
  above: number;
  below: number;
  doubtful?: boolean;
}

export type Figures = Record<string, Figure>;
/** Fields that are zero are left out. */
export type Sums = Partial<Record<string, number>>;

export interface Now {
  unit: string;
  day: string;
  shift: string;
  start_ns: number;
  until_ns: number;
  ends_ns: number;
  running: boolean;
  sums: Sums;
  figures: Figures;
}

export interface Key {
  day?: string;
  shift?: string;
  order?: string;
  product?: string;
}

export interface Row {
  key: Key;
  start_ns: number;
  stop_ns: number;
  sums: Sums;
  figures: Figures;
}

export interface FigureRows {
  units: string[];
  rows: Row[];
  whole: Row;
  notes: string[];
}

export interface Fall {
  name: string;
  loss: boolean;
  ns: number;
  left_ns: number;
}

export interface Cause {
  reason: string;
  state: string;
  loss: string;
  ns: number;
  stops: number;
  share: number;
  running: number;
}

export interface Losses {
  waterfall: Fall[];
  pareto: Cause[];
}

export interface Stretch {
  unit: string;
  start_ns: number;
  stop_ns: number;
  state: string;
  reason: string;
  element: string;
  micro: boolean;
  order: string;
  product: string;
  corrected: boolean;
}

export interface Input {
  symbol: string;
  value: number;
  time: boolean;
  meaning: string;
}

export interface Explained {
  figure: Figure;
  start_ns: number;
  stop_ns: number;
  inputs: Input[];
  units: { unit: string; figure: Figure; inputs: Input[] }[];
  sources: { unit: string; role: string; point: string; start_ns: number; stop_ns: number }[];
  stretches: Stretch[];
  left_out: number;
}

export interface UnitReport {
  unit: string;
  row: Row;
  states: { state: string; ns: number; share: number }[];
  stops: Stretch[];
  left_out: number;
  products: Row[];
}

export interface Report {
  day: string;
  shift: string;
  start_ns: number;
  stop_ns: number;
  whole: Row;
  units: UnitReport[];
  pareto: Cause[];
  alarms: Record<string, number> | null;
}

/** Which unit or branch, and when; times as RFC 3339 or relative to now. */
export interface Scope {
  unit?: string;
  branch?: string;
  start?: string;
  stop?: string;
}

export interface ReportAsked {
  unit?: string;
  branch?: string;
  day?: string;
  shift?: string;
}

/** What a report is as a table. */
export type ReportPart = "figures" | "stops" | "states";

export const kpiApi = {
  now: (signal?: AbortSignal) => ask<{ items: Now[] }>("GET", "/kpis/now", { signal }),
  figures: (scope: Scope, by: string, signal?: AbortSignal) =>
    ask<FigureRows>("GET", "/kpis", { query: { ...scope, by }, signal }),
  losses: (scope: Scope, signal?: AbortSignal) => ask<Losses>("GET", "/kpis/losses", { query: { ...scope }, signal }),
  explain: (scope: Scope, figure: string, signal?: AbortSignal) =>
    ask<Explained>("GET", "/kpis/explain", { query: { ...scope, figure }, signal }),
  report: (asked: ReportAsked, signal?: AbortSignal) => ask<Report>("GET", "/kpis/report", { query: { ...asked }, signal }),
  reportCsv: (asked: ReportAsked, part: ReportPart) => address("/kpis/report", { ...asked, format: "csv", part }),
};

export const MAIN = ["oee", "availability", "effectiveness", "quality"] as const;
export const NS_MS = 1_000_000;
