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
  on_bad?: "hold" | "raise";
  acknowledge?: boolean;
  confirm?: boolean;
  latching?: boolean;
  realarm_min?: number | null;
  shelve_min?: number | null;
  permit?: string;
};

export const SHELVE_MIN = 480;

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
  on_bad: "hold",
  acknowledge: true,
  shelve_min: SHELVE_MIN,
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

/** What an alarm no longer watches once its kind has changed. */
const NOTHING: Partial<Alarm> = {
  hihi: null, hi: null, lo: null, lolo: null, off_normal: null, trip: null,
  deviation_from: null, rate: null, value: "", discrepancy: null, stale_s: 0, when: "",
};

/** Seconds of so many minutes; those that stood there before if the minutes are the same. */
function seconds(minutes: number | null | undefined, before: number | undefined): number {
  if (before !== undefined && minutes === before / 60) return before;
  return (minutes ?? 0) * 60;
}

/** The alarm as the API takes it; what the form does not show stays as it is in `base`. */
export function alarmOf(f: Fields, base?: Alarm): Alarm {
  const limits = WITH_LIMITS.includes(f.kind)
    ? LIMITS.filter((n) => typeof f[n] === "number").map((n) => [n, { value: f[n], priority: f[`${n}_priority`] }])
    : [];
  return {
    ...base,
    ...NOTHING,
    name: f.name?.trim() || "–",
    point: f.point.trim(),
    ...detectorOf(f),
    ...Object.fromEntries(limits),
    exclusive: !f.separate,
    dead_band: f.dead_band ?? 0,
    on_delay_s: f.on_delay_s ?? 0,
    off_delay_s: f.off_delay_s ?? 0,
    on_bad: f.on_bad ?? "hold",
    group: f.group?.trim() ?? "",
    suppress_when: f.suppress_when ?? "",
    description: f.description ?? "",
    advice: { cause: f.cause ?? "", consequence: f.consequence ?? "", action: f.action ?? "", respond_s: seconds(f.respond_min, base?.advice?.respond_s) },
    life: {
      ...base?.life,
      acknowledge: f.acknowledge ?? true,
      confirm: f.confirm ?? false,
      latching: f.latching ?? false,
      realarm_s: seconds(f.realarm_min, base?.life?.realarm_s),
      shelve_s_max: seconds(f.shelve_min || SHELVE_MIN, base?.life?.shelve_s_max),
    },
  };
}

function kindOf(alarm: Alarm): DetectorKind {
  if (alarm.when) return "when";
  if (alarm.stale_s) return "stale";
  if (alarm.discrepancy) return "discrepancy";
  if (alarm.off_normal) return "off_normal";
  if (alarm.trip) return "trip";
  if (alarm.value) return "value";
  if (alarm.rate) return "rate";
  return alarm.deviation_from === null || alarm.deviation_from === undefined ? "limit" : "deviation";
}

/** What the form shows of an alarm. */
export function fieldsOf(alarm: Alarm): Partial<Fields> {
  const limits = LIMITS.flatMap((n) => {
    const limit = alarm[n];
    return limit ? [[n, limit.value], [`${n}_priority`, limit.priority ?? "medium"]] : [];
  });
  const single = alarm.off_normal ?? alarm.trip;
  const { advice = {}, life = {}, discrepancy, rate } = alarm;
  return {
    ...DEFAULTS,
    kind: kindOf(alarm),
    name: alarm.name,
    point: alarm.point,
    ...(Object.fromEntries(limits) as Partial<Fields>),
    separate: alarm.exclusive === false,
    deviation_from: alarm.deviation_from === null || alarm.deviation_from === undefined ? undefined : String(alarm.deviation_from),
    ...(rate ? { over: rate.over, per: rate.per ?? "s" } : {}),
    ...(single ? { normal: single.value } : {}),
    ...(discrepancy ? { command: discrepancy.command, within_s: discrepancy.within_s ?? 10, tolerance: discrepancy.tolerance ?? 0 } : {}),
    ...(alarm.stale_s ? { stale_s: alarm.stale_s } : {}),
    expression: alarm.when || alarm.value || undefined,
    priority: single?.priority ?? alarm.priority ?? "medium",
    group: alarm.group,
    suppress_when: alarm.suppress_when,
    description: alarm.description,
    dead_band: alarm.dead_band || undefined,
    on_delay_s: alarm.on_delay_s || undefined,
    off_delay_s: alarm.off_delay_s || undefined,
    on_bad: alarm.on_bad ?? "hold",
    cause: advice.cause,
    consequence: advice.consequence,
    action: advice.action,
    respond_min: advice.respond_s ? advice.respond_s / 60 : undefined,
    acknowledge: life.acknowledge ?? true,
    confirm: life.confirm ?? false,
    latching: life.latching ?? false,
    realarm_min: life.realarm_s ? life.realarm_s / 60 : undefined,
    shelve_min: (life.shelve_s_max ?? SHELVE_MIN * 60) / 60,
  };
}

/** The field that a refusal of the server is about, where that shows. */
export function fieldOf(sentence: string, status: number, f: Fields): keyof Fields | undefined {
  if (status === 409 || /\bname has\b/.test(sentence)) return "name";
  if (/^there is no point|^path /.test(sentence)) return "point";
  if (/\brate\.over\b/.test(sentence)) return "over";
  const wrong = /, at character \d+$/.test(sentence);
  if (wrong && !f.suppress_when?.trim()) return f.kind === "when" || f.kind === "value" ? "expression" : "point";
  if (wrong && f.kind !== "when" && f.kind !== "value") return "suppress_when";
  return undefined;
}
