/** The words of the alarm API, and one function for every question about alarms. */
import type { AuditItem } from "../../api";
import { ask } from "../../http";

export type Priority = "low" | "medium" | "high" | "critical";
export type Letter = "A" | "B" | "C" | "D" | "E" | "F" | "G" | "H" | "I";
export const LIMITS = ["hihi", "hi", "lo", "lolo"] as const;
export type LimitName = (typeof LIMITS)[number];

export interface Limit {
  value: number;
  priority?: Priority;
}

export interface Alarm extends Partial<Record<LimitName | "off_normal", Limit | null>> {
  name: string;
  point: string;
  dead_band?: number;
  on_delay_s?: number;
  off_delay_s?: number;
  group?: string;
  description?: string;
  advice?: { cause?: string; consequence?: string; action?: string; respond_s?: number };
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
  };
  letter: Letter;
  annunciation: "none" | "sound-and-blink" | "blink" | "steady";
  in_file: boolean;
}

export type Deed =
  | { do: "acknowledge" | "confirm"; event_id: string }
  | { do: "shelve"; seconds: number }
  | { do: "out-of-service"; permit: string }
  | { do: "unshelve" | "in-service" | "enable" | "disable" | "reset" | "silence" | "comment" };

export interface Preview {
  rung: number;
  active_ns: number;
}

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
  performance: string;
}

export interface Entry {
  seq: number;
  event: Omit<AuditItem, "seq" | "time"> & { time_ns: number; data: Record<string, unknown> };
}

export const alarmsApi = {
  list: (signal?: AbortSignal) => ask<{ items: AlarmView[] }>("GET", "/alarms", { signal }),
  answer: (alarm: string, deed: Deed, comment = "") =>
    ask<AlarmView>("POST", "/alarms/answer", { body: { alarm, deed, comment } }),
  define: (alarm: Alarm) => ask<AlarmView>("PUT", "/alarms", { body: alarm }),
  remove: (name: string) => ask<void>("DELETE", "/alarms", { query: { name } }),
  preview: (alarm: Alarm) => ask<Preview>("POST", "/alarms/preview", { body: { alarm, start: "-7d" } }),
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
  const given = [...LIMITS, "off_normal" as const].flatMap((n) => alarm[n]?.priority ?? (alarm[n] ? "medium" : []));
  return given.sort((a, b) => BANDS.indexOf(b) - BANDS.indexOf(a))[0] ?? "medium";
}

/** Whether somebody still has something to do with it, or has put it away. */
export function isOpen(view: AlarmView): boolean {
  return view.letter !== "A" && view.state.enabled && (view.state.active || !view.state.acked || "GHI".includes(view.letter));
}
