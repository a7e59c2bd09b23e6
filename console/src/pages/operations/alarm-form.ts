/** The form of a definition: what each kind of detector needs, and the alarm that is made of it. */
import { LIMITS, type Alarm, type LimitName, type Priority } from "./alarms-api";

export const KINDS = ["limit", "deviation", "rate", "off_normal", "trip", "discrepancy", "stale", "when", "value"] as const;
export type DetectorKind = (typeof KINDS)[number];

/** Kinds whose limits are on a number. */
export const WITH_LIMITS: readonly DetectorKind[] = ["limit", "deviation", "rate", "value"];

export type Fields = Record<LimitName, number | null> & Record<`${LimitName}_priority`, Priority> & {
  kind: DetectorKind;
  name: string;
  point: string;
  separate?: boolean;
  deviation_from?: string;
  over?: string;
  per?: "s" | "min" | "h";
  normal?: number | null;
  command?: string;
  within_s?: number | null;
  tolerance?: number | null;
  stale_s?: number | null;
  expression?: string;
  priority?: Priority;
  group?: string;
  suppress_when?: string;
  description?: string;
  dead_band?: number | null;
  on_delay_s?: number | null;
  off_delay_s?: number | null;
  cause?: string;
  consequence?: string;
  action?: string;
  respond_min?: number | null;
};

export const DEFAULTS: Partial<Fields> = {
  kind: "limit",
  hihi_priority: "high",
  hi_priority: "medium",
  lo_priority: "medium",
  lolo_priority: "high",
  priority: "medium",
  over: "1m",
  per: "min",
  normal: 1,
  within_s: 10,
  stale_s: 60,
};

/** Whether what the kind needs is there, so that it can be tried. */
export function complete(f: Fields): boolean {
  if (!f.point?.trim()) return false;
  if (WITH_LIMITS.includes(f.kind) && !LIMITS.some((n) => typeof f[n] === "number")) return false;
  switch (f.kind) {
    case "deviation": return !!f.deviation_from?.trim();
    case "rate": return !!f.over?.trim();
    case "off_normal":
    case "trip": return typeof f.normal === "number";
    case "discrepancy": return !!f.command?.trim();
    case "stale": return !!f.stale_s;
    case "when":
    case "value": return !!f.expression?.trim();
    case "limit": return true;
  }
}

function detectorOf(f: Fields): Partial<Alarm> {
  const priority = f.priority ?? "medium";
  const from = f.deviation_from?.trim() ?? "";
  switch (f.kind) {
    case "limit": return {};
    case "deviation": return { deviation_from: from !== "" && Number.isFinite(Number(from)) ? Number(from) : from };
    case "rate": return { rate: { over: f.over ?? "1m", per: f.per } };
    case "value": return { value: f.expression };
    case "off_normal": return { off_normal: { value: f.normal ?? 1, priority } };
    case "trip": return { trip: { value: f.normal ?? 1, priority } };
    case "discrepancy": return { priority, discrepancy: { command: f.command?.trim() ?? "", within_s: f.within_s ?? 10, tolerance: f.tolerance ?? 0 } };
    case "stale": return { priority, stale_s: f.stale_s ?? 60 };
    case "when": return { priority, when: f.expression };
  }
}

/** The alarm as the API takes it. */
export function alarmOf(f: Fields): Alarm {
  const limits = WITH_LIMITS.includes(f.kind)
    ? LIMITS.filter((n) => typeof f[n] === "number").map((n) => [n, { value: f[n], priority: f[`${n}_priority`] }])
    : [];
  return {
    name: f.name?.trim() || "–",
    point: f.point.trim(),
    ...detectorOf(f),
    ...Object.fromEntries(limits),
    exclusive: !f.separate,
    dead_band: f.dead_band ?? 0,
    on_delay_s: f.on_delay_s ?? 0,
    off_delay_s: f.off_delay_s ?? 0,
    group: f.group?.trim() ?? "",
    suppress_when: f.suppress_when ?? "",
    description: f.description ?? "",
    advice: { cause: f.cause ?? "", consequence: f.consequence ?? "", action: f.action ?? "", respond_s: (f.respond_min ?? 0) * 60 },
  };
}
