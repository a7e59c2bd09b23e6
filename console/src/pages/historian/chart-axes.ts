/** What stands along the edges of a pane: values in their precision, times as they are read. */
import type uPlot from "uplot";
import type { Point } from "../../api";
import type { Format } from "../../format";
import { isStepped } from "./chart-data";

const DAY = 86_400_000;

/** States stand on whole numbers, each with its name; values wherever there is room. */
export function ticks(points: readonly Point[]): Partial<uPlot.Axis> {
  return isStepped(points[0]) ? { space: 15, incrs: [1, 2, 5, 10, 20, 50, 100] } : { space: 32 };
}

export function yRange(low: number, high: number, points: readonly Point[]): [number, number] {
  if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  if (points.every((p) => p.kind === "boolean")) return [-0.15, 1.15];
  if (points.every((p) => p.kind === "enum")) return [low - 0.4, high + 0.4];
  const height = high - low || Math.abs(high) * 0.1 || 1;
  return [low - height * 0.08, high + height * 0.08];
}

export function valueText(value: number, step: number, points: readonly Point[], format: Format): string {
  const first = points[0];
  if (isStepped(first)) {
    if (!Number.isInteger(value)) return "";
    if (first?.kind === "enum" && !first.names?.[String(value)]) return format.count(value);
    if (first?.kind === "boolean" && value !== 0 && value !== 1) return "";
    return format.value(value, first);
  }
  let digits = 0;
  // A step of 2.5 needs one digit, one of 0.25 needs two.
  for (let s = step; digits < 6 && Math.abs(s - Math.round(s)) > 1e-6 * s; s *= 10) digits += 1;
  return format.fixed(value, digits);
}

export function timeText(time: number, i: number, splits: readonly number[], step: number, format: Format): string {
  const date = new Date(time);
  const before = splits[i - 1] === undefined ? undefined : new Date(splits[i - 1] as number);
  const newYear = before?.getFullYear() !== date.getFullYear();
  if (step >= 360 * DAY) return String(date.getFullYear());
  if (step >= 28 * DAY) {
    const month = date.toLocaleDateString(format.locale, { month: "short" });
    return newYear ? `${month}\n${date.getFullYear()}` : month;
  }
  const day = date.toLocaleDateString(format.locale, { day: "numeric", month: "short" });
  if (step >= DAY) return newYear ? `${day}\n${date.getFullYear()}` : day;
  const options: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hour12: false };
  if (step < 60_000) options.second = "2-digit";
  if (step < 1_000) options.fractionalSecondDigits = 3;
  const clock = date.toLocaleTimeString(format.locale, options);
  const newDay = newYear || before?.getDate() !== date.getDate();
  return newDay ? `${clock}\n${day}` : clock;
}
