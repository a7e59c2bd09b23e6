/** The words of the interface for derived points, and one function for every question. */
import { ask } from "../../http";

export interface Derived {
  point: string;
  expression: string;
  names?: Record<string, string>;
  unit?: string;
  description?: string;
  every_s?: number | null;
}

export interface DerivedView {
  definition: Derived;
  owner: string;
  in_file: boolean;
  state: {
    phase: "waiting" | "recomputing" | "live";
    trouble: string;
    rows: number;
    todo_ns: [number, number] | null;
  };
}

export interface Checked {
  wrong: { message: string; remedy: string; at: number | null; end: number | null } | null;
  missing: string[];
  kind: string | null;
  unit: string;
  inputs: string[];
}

export interface Preview {
  kind: string;
  unit: string;
  rows: number;
  good: number;
  uncertain: number;
  bad: number;
  times_ns: number[];
  values: (number | string | boolean | null)[];
}

export const derivedApi = {
  list: (signal?: AbortSignal) => ask<{ items: DerivedView[] }>("GET", "/derived", { signal }),
  define: (derived: Derived) => ask<DerivedView>("PUT", "/derived", { body: derived }),
  remove: (point: string) => ask<void>("DELETE", "/derived", { query: { point } }),
  check: (derived: Derived) => ask<Checked>("POST", "/derived/check", { body: derived }),
  preview: (derived: Derived) => ask<Preview>("POST", "/derived/preview", { body: { derived, start: "-1d" } }),
  recompute: (point: string, start: string) => ask<DerivedView>("POST", "/derived/recompute", { body: { point, start } }),
};
