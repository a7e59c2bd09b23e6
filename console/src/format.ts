/** Values, units and times as people read them, in their language and their time zone. */
import { useMemo } from "react";
import type { Point, Scalar } from "./api";
import type { Reading } from "./live";
import { LANGUAGES, useLanguage, type Language, type Texts } from "./texts";

/** UCUM codes that people write otherwise; the rest is shown as it is. */
const UNITS: Record<string, string> = {
  Cel: "°C",
  "[degF]": "°F",
  "m3/h": "m³/h",
  m3: "m³",
  m2: "m²",
  "m/s2": "m/s²",
  um: "µm",
  us: "µs",
  Ohm: "Ω",
  deg: "°",
  "kW.h": "kWh",
  "W.h": "Wh",
  "/min": "1/min",
  "{rpm}": "rpm",
  "1": "",
};

export function unitText(unit: string | undefined): string {
  if (!unit) return "";
  return UNITS[unit] ?? unit.replace(/\{([^}]*)\}/g, "$1");
}

/** How many digits after the point a value of this size needs to be read at a glance. */
function digitsFor(size: number): number {
  if (!Number.isFinite(size) || size === 0) return 2;
  return Math.min(6, Math.max(0, 3 - Math.floor(Math.log10(size))));
}

export class Format {
  readonly locale: string;
  readonly texts: Texts;
  readonly zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  private readonly numbers = new Map<number, Intl.NumberFormat>();
  private readonly dateTime: Intl.DateTimeFormat;
  private readonly dateTimeMs: Intl.DateTimeFormat;
  private readonly clock: Intl.DateTimeFormat;
  private readonly clockMs: Intl.DateTimeFormat;

  constructor(language: Language) {
    const { locale, texts } = LANGUAGES[language];
    this.locale = locale;
    this.texts = texts;
    const date = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
    const time = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false } as const;
    this.dateTime = new Intl.DateTimeFormat(locale, { ...date, ...time });
    this.dateTimeMs = new Intl.DateTimeFormat(locale, { ...date, ...time, fractionalSecondDigits: 3 });
    this.clock = new Intl.DateTimeFormat(locale, time);
    this.clockMs = new Intl.DateTimeFormat(locale, { ...time, fractionalSecondDigits: 3 });
  }

  /** A number with a fixed count of digits after the point. */
  fixed(value: number, digits: number): string {
    let format = this.numbers.get(digits);
    if (!format) {
      const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
      this.numbers.set(digits, (format = new Intl.NumberFormat(this.locale, options)));
    }
    return format.format(value);
  }

  count(value: number): string {
    return this.fixed(value, 0);
  }

  percent(fraction: number): string {
    return `${this.fixed(Math.floor(fraction * 1000) / 10, 1)} %`;
  }

  /** A number in the precision that suits its point, so that it does not jump about. */
  number(value: number, point?: Point): string {
    if (point?.kind === "integer" || point?.kind === "enum") return this.fixed(value, 0);
    const ends = [point?.low, point?.high].filter((e): e is number => typeof e === "number");
    const size = ends.length ? Math.max(...ends.map(Math.abs)) : Math.abs(value);
    return this.fixed(value, digitsFor(size));
  }

  /** A figure that belongs to no point, in so many digits as carry meaning. */
  figure(value: number, digits = 6): string {
    if (!Number.isFinite(value)) return String(value);
    const size = Math.abs(value);
    if (size !== 0 && (size >= 1e15 || size < 1e-6)) return value.toExponential(digits - 1);
    return new Intl.NumberFormat(this.locale, { maximumSignificantDigits: digits }).format(value);
  }

  /** How far values scatter: three digits say enough. */
  deviation(value: number): string {
    return this.figure(value, 3);
  }

  /** A size in bytes, in powers of 1000. */
  bytes(size: number): string {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let i = 0;
    for (; size >= 999.5 && i < units.length - 1; i++) size /= 1000;
    return `${i === 0 || size >= 100 ? this.count(size) : this.figure(size, 3)} ${units[i]}`;
  }

  value(value: Scalar | undefined, point?: Point): string {
    if (value === null || value === undefined) return "–";
    if (typeof value === "boolean") return value ? this.texts.write.on : this.texts.write.off;
    if (typeof value === "string") return value;
    if (!Number.isFinite(value)) return "–";
    if (point?.kind === "boolean") return value ? this.texts.write.on : this.texts.write.off;
    const name = point?.names?.[String(value)];
    if (name !== undefined) return name;
    return this.number(value, point);
  }

  reading(reading: Reading | undefined, point?: Point): string {
    if (!reading) return "–";
    return this.value(reading.text ?? reading.number, point);
  }

  time(time: string | number | null | undefined): string {
    if (time === null || time === undefined || time === "") return "–";
    return this.dateTime.format(new Date(time));
  }

  timeMs(time: number): string {
    return this.dateTimeMs.format(time);
  }

  clockTime(time: number): string {
    return this.clock.format(time);
  }

  clockTimeMs(time: number): string {
    return this.clockMs.format(time);
  }

  /** A time under the pointer, as exact as a chart of this length can show it. */
  pointer(time: number, spanMs: number): string {
    if (spanMs <= 600_000) return this.clockTimeMs(time);
    return spanMs <= 86_400_000 ? this.clockTime(time) : this.time(time);
  }

  /** How long ago, in the largest unit that says enough. */
  age(ms: number): string {
    const ago = this.texts.live.ago;
    const s = Math.max(0, Math.floor(ms / 1000));
    if (s < 90) return ago.s(s);
    if (s < 90 * 60) return ago.m(Math.floor(s / 60));
    if (s < 36 * 3600) return ago.h(Math.floor(s / 3600));
    return ago.d(Math.floor(s / 86400));
  }

  /** A length of time: 250 ms, 10 s, 5 min. */
  span(ms: number): string {
    if (ms < 1000) return `${this.count(ms)} ms`;
    const s = ms / 1000;
    const trim = (v: number) => this.fixed(v, Number.isInteger(v) ? 0 : 1);
    if (s < 120) return `${trim(s)} s`;
    if (s < 7200) return `${trim(s / 60)} min`;
    if (s < 172800) return `${trim(s / 3600)} h`;
    if (s < 63072000) return `${trim(s / 86400)} d`;
    return `${trim(s / 31557600)} a`;
  }

  /** The zone and its distance from UTC, as `Asia/Shanghai (UTC+8)`. */
  zoneText(): string {
    const parts = new Intl.DateTimeFormat("en", { timeZoneName: "shortOffset" }).formatToParts();
    const offset = parts.find((p) => p.type === "timeZoneName")?.value.replace("GMT", "UTC") ?? "UTC";
    return this.zone === "UTC" ? "UTC" : `${this.zone} (${offset})`;
  }
}

export function useFormat(): Format {
  const language = useLanguage();
  return useMemo(() => new Format(language), [language]);
}

/** First level of what the platform says about itself. */
export const SYSTEM = "lineshaft";

/** The last level of a path. */
export function leaf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The path one level up. */
export function parentOf(path: string): string {
  const at = path.lastIndexOf("/");
  return at < 0 ? "" : path.slice(0, at);
}
