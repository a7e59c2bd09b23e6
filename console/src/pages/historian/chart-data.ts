/** Curves made ready to be drawn: gaps, held values, stretches of doubtful quality. */
import uPlot from "uplot";
import type { Point } from "../../api";
import type { Curve } from "../../history";
import { severity } from "../../quality";

type Column = (number | null)[];

export function isStepped(point: Point | undefined): boolean {
  return point?.kind === "boolean" || point?.kind === "enum";
}

/** All curves on one common row of times; `undefined` is no sample, null is a gap. */
export function columnsOf(curves: readonly (Curve | undefined)[]): uPlot.AlignedData {
  const tables = curves.map((curve) => {
    if (!curve) return [[], []] as unknown as uPlot.AlignedData;
    return (curve.interval ? steps(curve) : [curve.times, curve.values]) as uPlot.AlignedData;
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
