/** The words of the state API, and one function for every question about states. */
import { ask } from "../../http";

export interface UnitView {
  unit: string;
  state: string;
  item: string;
  mode: string;
  since_ns: number;
  reason: string;
  reason_text: string;
  /** Name of the rule that gave the reason. */
  rule: string;
  unexplained: number;
}

export interface StateRule {
  name: string;
  item?: "executing" | "not-executing" | "not-available" | "out-of-service";
  mode?: "processing" | "setup" | "maintenance" | "none";
  failure?: boolean;
}

/** Stretch i lasts from `start_ns[i]` to `start_ns[i + 1]`, the last one to `stop_ns`. */
export interface Timeline {
  unit: string;
  start_ns: number[];
  stop_ns: number;
  state: number[];
  states: StateRule[];
  reason: number[];
  reasons: string[];
  corrected: boolean[];
}

export interface Stop {
  start_ns: number;
  stop_ns: number;
  lasts: boolean;
  state: string;
  reason: string;
  /** Name of the rule that gave the reason; empty where a person or the state itself did. */
  rule: string;
  micro: boolean;
  unexplained: boolean;
  part: boolean;
  corrected: boolean;
}

export interface Reason {
  code: string;
  text: string;
  parent?: string;
}

export interface Note {
  id: string;
  what: "state" | "reason";
  start_ns: number;
  stop_ns: number;
  state?: string;
  reason: string;
  comment?: string;
  by: string;
  withdrawn_by?: string;
}

export interface Said {
  note: Note;
  /** It holds for nothing any more: the stop or the state is gone. */
  loose: boolean;
}

export const statesApi = {
  units: (signal?: AbortSignal) => ask<{ items: UnitView[] }>("GET", "/states", { signal }),
  timeline: (unit: string, start: string, stop: string, signal?: AbortSignal) =>
    ask<Timeline>("GET", "/states/timeline", { query: { unit, start, stop }, signal }),
  stops: (unit: string, start: string, signal?: AbortSignal) =>
    ask<{ items: Stop[] }>("GET", "/states/stops", { query: { unit, start }, signal }),
  reasons: (unit: string, signal?: AbortSignal) =>
    ask<{ items: Reason[] }>("GET", "/states/reasons", { query: { unit }, signal }),
  explain: (unit: string, start_ns: number, code: string, more: { stop_ns?: number; comment?: string }) =>
    ask<{ items: Note[] }>("POST", "/states/reason", { body: { unit, start_ns, code, ...more } }),
  said: (unit: string, start: string, signal?: AbortSignal) =>
    ask<{ items: Said[] }>("GET", "/states/corrections", { query: { unit, start }, signal }),
  correct: (unit: string, start_ns: number, stop_ns: number, state: string, comment: string) =>
    ask<{ items: Note[] }>("POST", "/states/correct", { body: { unit, start_ns, stop_ns, state, comment } }),
  merge: (unit: string, start_ns: number, stop_ns: number, code: string, comment: string) =>
    ask<{ items: Note[] }>("POST", "/states/merge", { body: { unit, start_ns, stop_ns, code, comment } }),
  withdraw: (id: string) => ask<{ items: Note[] }>("POST", "/states/withdraw", { body: { id } }),
};

/** How a state is drawn and told apart: normal is quiet, what costs time is not. */
export type Tone = "runs" | "set-up" | "stands" | "failed" | "unknown";

export function toneOf(rule: StateRule | undefined): Tone {
  if (!rule) return "unknown";
  if (rule.failure) return "failed";
  if (rule.mode === "setup" || rule.mode === "maintenance") return "set-up";
  return rule.item === "executing" ? "runs" : "stands";
}
