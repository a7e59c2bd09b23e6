/** Curves made ready to be drawn: gaps, held values, stretches of doubtful quality. */
import uPlot from "uplot";
import type { Point } from "../../api";
import type { Curve } from "../../history";
import { severity } from "../../quality";

/** Further apart than this many usual steps there is a gap, unless the value merely held. */
const GAP_STEPS = 12;
const GAP_MS_MIN = 30_000;

type Column = (number | null)[];

export function isStepped(point: Point | undefined): boolean {
  return point?.kind === "boolean" || point?.kind === "enum";
}

/** All curves on one common row of times; `undefined` is no sample, null is a gap. */
export function columnsOf(curves: readonly { curve: Curve | undefined; point: Point }[]): uPlot.AlignedData {
  const tables = curves.map(({ curve, point }) => {
    if (!curve) return [[], []] as unknown as uPlot.AlignedData;
    if (curve.interval) return steps(curve) as uPlot.AlignedData;
    return (isStepped(point) ? [curve.times, curve.values] : withGaps(curve)) as uPlot.AlignedData;
  });
  const modes = tables.map((table) => table.map(() => 1 as const));
  return uPlot.join(tables, modes as unknown as uPlot.JoinNullMode[][]);
}

/** One value an interval holds to the end of it. */
function steps(curve: Curve): [number[], Column] {
  const times = [...curve.times];
  const values = [...curve.values];
  const end = curve.end ?? times.at(-1);
  if (end !== undefined && end > (times.at(-1) ?? Infinity)) {
    times.push(end);
    values.push(values.at(-1) ?? null);
  }
  return [times, values];
}

/** Stretches of quality that is not good, joined: [grade, from, until]. */
export function abnormal(curve: Curve, end: number): ["bad" | "uncertain", number, number][] {
  const found: ["bad" | "uncertain", number, number][] = [];
  const { times, quality } = curve;
  for (let i = 0; i < times.length; i++) {
    const grade = severity(quality[i] ?? 0);
    if (grade === "good") continue;
    const from = times[i] as number;
    const until = times[i + 1] ?? curve.end ?? Math.max(from, end);
    const last = found.at(-1);
    if (last && last[0] === grade && last[2] >= from) last[2] = until;
    else found.push([grade, from, until]);
  }
  return found;
}

function usualStep(times: readonly number[]): number {
  if (times.length < 3) return Infinity;
  const lengths: number[] = [];
  const stride = Math.max(1, Math.floor(times.length / 200));
  for (let i = stride; i < times.length; i += stride) {
    lengths.push(((times[i] as number) - (times[i - stride] as number)) / stride);
  }
  lengths.sort((a, b) => a - b);
  return lengths[lengths.length >> 1] as number;
}

/** The curve with an empty row wherever nothing came for unusually long. */
function withGaps(curve: Curve): [number[], Column] {
  const limit = Math.max(GAP_MS_MIN, GAP_STEPS * usualStep(curve.times));
  const times: number[] = [];
  const values: Column = [];
  curve.times.forEach((t, i) => {
    const before = curve.times[i - 1];
    if (before !== undefined && t - before > limit) {
      times.push(before + 1);
      values.push(null);
    }
    times.push(t);
    values.push(curve.values[i] ?? null);
  });
  return [times, values];
}

/** Index of the last sample at or before a time; -1 when there is none. */
export function indexAt(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
