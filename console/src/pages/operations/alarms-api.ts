/** The words of the alarm API, and one function for every question about alarms. */
import type { AuditItem } from "../../api";
import { ask, askTagged, type Tagged } from "../../http";

export type Priority = "low" | "medium" | "high" | "critical";
export type Letter = "A" | "B" | "C" | "D" | "E" | "F" | "G" | "H" | "I";
export const LIMITS = ["hihi", "hi", "lo", "lolo"] as const;
export type LimitName = (typeof LIMITS)[number];

export interface Limit {
  value: number;
  priority?: Priority;
}

export interface Alarm extends Partial<Record<LimitName | "off_normal" | "trip", Limit | null>> {
  name: string;
  point: string;
  exclusive?: boolean;
  deviation_from?: string | number | null;
  rate?: { over: string; per?: "s" | "min" | "h" } | null;
  value?: string;
  discrepancy?: { command: string; within_s?: number; tolerance?: number } | null;
  stale_s?: number;
  when?: string;
  priority?: Priority;
  suppress_when?: string;
  dead_band?: number;
  on_delay_s?: number;
  off_delay_s?: number;
  group?: string;
  description?: string;
  advice?: { cause?: string; consequence?: string; action?: string; respond_s?: number };
  on_bad?: "hold" | "raise";
  life?: {
    acknowledge?: boolean;
    confirm?: boolean;
    latching?: boolean;
    realarm_s?: number;
    shelve_s_max?: number;
  };
}

/** An alarm as it is defined, and who alone can change that: a file, or the device that judges it. */
export interface Definition {
  alarm: Alarm;
  in_file: boolean;
  device: string;
  tag: string;
}

export interface AlarmView {
  alarm: Alarm;
  state: {
    enabled: boolean;
    active: boolean;
    acked: boolean;
    confirmed: boolean;
    severity: number;
    limit: string;
    event_id: string;
    active_ns: number;
    acked_by: string;
    shelf_ends_ns: number;
    limits: string[];
    suppressors: string[];
    first: boolean;
  };
  letter: Letter;
  annunciation: "none" | "sound-and-blink" | "blink" | "steady";
  in_file: boolean;
  /** The device that judges it; empty when it is judged here. */
  device: string;
  /** In a group with first-out: the alarm that rang first, if this one came later. */
  after: string;
}

export type Scope = "open" | "all";

export type Deed =
  | { do: "acknowledge" | "confirm"; event_id: string }
  | { do: "shelve"; seconds: number }
  | { do: "out-of-service" | "enable" | "disable"; permit: string }
  | { do: "suppress"; on: boolean; permit: string }
  | { do: "unshelve" | "in-service" | "reset" | "silence" | "comment" };

export interface Activation {
  start_ns: number;
  end_ns: number | null;
  limit: string;
}

export interface Preview {
  rung: number;
  active_ns: number;
  suppressed: number;
  activations: Activation[];
}

export interface Rationale {
  name: string;
  point: string;
  group: string;
  priority: Priority;
  limits: string;
  cause: string;
  consequence: string;
  action: string;
  respond_s: number;
  missing: string[];
}

/** How far back an alarm is tried. */
export const TRIED_DAYS = 7;
export const RATIONALISATION_CSV = "/api/v1/alarms/rationalisation.csv";

export interface Report {
  rates: {
    count: number;
    per_10_min: number;
    per_hour: number;
    per_day: number;
    windows_over: number;
    most_in_10_min: number;
  };
  floods: { start_ns: number; end_ns: number; alarms: number; peak: number }[];
  flood_share: number;
  top: { alarm: string; count: number; share: number; chattering: boolean }[];
  stale: number;
  fleeting: number;
  by_severity: Record<Priority, number>;
  acknowledge_s_median: number | null;
  acknowledge: Partial<Record<Priority, { count: number; p50_s: number; p95_s: number }>>;
  acknowledged_only: number;
  realarms: number;
  covered: number;
  shelving: { count: number; still: number; longest_s: number; over: number };
  unauthorised: number;
  days: { start_ns: number; count: number }[];
  configured: Record<Priority, number>;
  targets: Record<Priority, number>;
  top_share: number;
  performance: string;
  steady: string;
  upset: string;
}

export interface Entry {
  seq: number;
  event: Omit<AuditItem, "seq" | "time"> & { time_ns: number; data: Record<string, unknown> };
}

interface AlarmList {
  items: AlarmView[];
  total: number;
}

/** Alarms that one request of the console acknowledges. */
export const ACKNOWLEDGED_MAX = 1000;

const newest: Partial<Record<Scope, Tagged<AlarmList>>> = {};

/** All alarms of a scope, most urgent first; the very same object while nothing has changed. */
export async function listed(scope: Scope, signal?: AbortSignal): Promise<AlarmList> {
  const known = newest[scope];
  const found = (await askTagged<AlarmList>("/alarms", known?.etag ?? "", { query: { scope }, signal })) ?? known;
  newest[scope] = found;
  return found?.data ?? { items: [], total: 0 };
}

export const alarmsApi = {
  answer: (alarm: string, deed: Deed, comment = "") =>
    ask<AlarmView>("POST", "/alarms/answer", { body: { alarm, deed, comment } }),
  acknowledge: (views: AlarmView[]) =>
    ask<{ refused: { alarm: string; why: string }[] }>("POST", "/alarms/acknowledge", {
      body: { event_ids: Object.fromEntries(views.map((v) => [v.alarm.name, v.state.event_id])) },
    }),
  definition: (name: string, signal?: AbortSignal) => ask<Definition>("GET", "/alarms/definition", { query: { name }, signal }),
  /** `tag`: of the definition that is changed; empty for a new alarm. */
  define: (alarm: Alarm, tag: string, permit: string) =>
    ask<AlarmView>("PUT", "/alarms", {
      body: alarm,
      query: { permit },
      headers: tag ? { "If-Match": `"${tag}"` } : { "If-None-Match": "*" },
    }),
  remove: (name: string, permit: string) => ask<void>("DELETE", "/alarms", { query: { name, permit } }),
  preview: (alarm: Alarm, signal?: AbortSignal) => ask<Preview>("POST", "/alarms/preview", { body: { alarm, start: `-${TRIED_DAYS}d` }, signal }),
  rationalisation: (signal?: AbortSignal) => ask<{ items: Rationale[] }>("GET", "/alarms/rationalisation", { signal }),
  journal: (start: string, alarm: string, signal?: AbortSignal) =>
    ask<{ items: Entry[] }>("GET", "/alarms/journal", { query: { start, alarm, limit: 1000 }, signal }),
  report: (start: string, signal?: AbortSignal) => ask<Report>("GET", "/alarms/report", { query: { start }, signal }),
};

const BANDS: readonly Priority[] = ["low", "medium", "high", "critical"];

/** The priority that a severity of 1 to 1000 stands for. */
export function priorityOf(severity: number): Priority {
  return BANDS[Math.min(Math.floor((severity - 1) / 250), 3)] ?? "low";
}

/** The gravest priority that an alarm may have. */
export function gravest(alarm: Alarm): Priority {
  if (alarm.when || alarm.stale_s || alarm.discrepancy) return alarm.priority ?? "medium";
  const given = [...LIMITS, "off_normal" as const, "trip" as const].flatMap((n) => alarm[n]?.priority ?? (alarm[n] ? "medium" : []));
  return given.sort((a, b) => BANDS.indexOf(b) - BANDS.indexOf(a))[0] ?? "medium";
}

/** What it watches, in one line: limits and what they are on, or the condition. */
export function watched(alarm: Alarm, figure: (n: number) => string): string {
  if (alarm.when) return alarm.when;
  if (alarm.stale_s) return `${figure(alarm.stale_s)} s`;
  if (alarm.discrepancy) return `≠ ${alarm.discrepancy.command} (${figure(alarm.discrepancy.within_s ?? 10)} s)`;
  const given = [...LIMITS, "off_normal" as const, "trip" as const].filter((n) => alarm[n]);
  const limits = given.map((n) => `${n} ${figure(alarm[n]?.value ?? 0)}`).join(" · ");
  const deviation = alarm.deviation_from ?? undefined;
  const of = alarm.value || (alarm.rate ? `Δ / ${alarm.rate.over}` : deviation === undefined ? "" : `− ${deviation}`);
  return of ? `${limits} (${of})` : limits;
}

/** Whether somebody still has something to do with it, or has put it away. */
export function isOpen(view: AlarmView): boolean {
  return view.letter !== "A" && view.state.enabled && (view.state.active || !view.state.acked || "GHI".includes(view.letter));
}
