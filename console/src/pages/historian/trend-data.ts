/**
 * The curves of a trend: history in the detail of the screen, then what arrives live.
 *
 * The server is asked for no more points than there are pixels; every zoom asks again.
 */
import { useEffect, useRef, useState } from "react";
import { api, type Scalar, type Series } from "../../api";
import { useLink } from "../../hooks";
import { live, type Reading } from "../../live";
import { severity } from "../../quality";

export interface Curve {
  point: string;
  /** Length of a bucket; 0 for raw values. */
  bucketMs: number;
  times: number[];
  /** The value, or the mean of a bucket; null is a gap. */
  values: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  quality: number[];
  /** For points that carry text. */
  texts: (string | undefined)[];
}

export interface TrendData {
  curves: ReadonlyMap<string, Curve>;
  error: unknown;
  loading: boolean;
  /** Changes with every new history; live values do not count. */
  round: number;
  reload: () => void;
}

const TAIL_MAX = 4_000;
const REFRESH_MS = 60_000;

export function useTrendData(
  points: readonly string[],
  spanMs: number,
  window_: [number, number] | null,
  width: number,
): TrendData {
  const [state, setState] = useState({ round: 0, loading: true, error: undefined as unknown });
  const [again, setAgain] = useState(0);
  const curves = useRef<Map<string, Curve>>(new Map());
  const link = useLink();
  const follow = window_ === null;
  const key = points.join("\n");
  const from = window_?.[0] ?? 0;
  const to = window_?.[1] ?? 0;
  // A chart of nearly the same width needs no other detail.
  const points_max = Math.max(200, Math.ceil(width / 100) * 100);

  useEffect(() => {
    if (!width || !points.length) {
      setState((s) => ({ ...s, loading: false, error: undefined }));
      return;
    }
    const abort = new AbortController();
    let timer: number | undefined;
    const tail = new Map<string, Reading[]>();
    const fetch = async () => {
      setState((s) => ({ ...s, loading: true }));
      tail.clear();
      const stop = follow ? Date.now() : to;
      const start = follow ? stop - spanMs : from;
      try {
        const query = { points, start: iso(start), stop: follow ? "now" : iso(stop), points_max };
        const history = await api.history(query, abort.signal);
        const fresh = new Map(history.series.map((s) => [s.point, curveOf(s)]));
        // What arrived while the answer was on its way.
        for (const [path, readings] of tail) for (const r of readings) append(fresh.get(path), r);
        curves.current = fresh;
        setState((s) => ({ round: s.round + 1, loading: false, error: undefined }));
      } catch (error) {
        if (abort.signal.aborted) return;
        setState((s) => ({ ...s, loading: false, error }));
      }
      if (follow && !abort.signal.aborted) {
        timer = window.setTimeout(() => void fetch(), Math.min(REFRESH_MS, Math.max(5_000, spanMs / 20)));
      }
    };
    void fetch();
    const taps = !follow ? [] : points.map((path) =>
      live.tap(path, (_, reading, snapshot) => {
        if (snapshot) return;
        let waiting = tail.get(path);
        if (!waiting) tail.set(path, (waiting = []));
        waiting.push(reading);
        if (waiting.length > TAIL_MAX) waiting.shift();
        append(curves.current.get(path), reading);
      }),
    );
    return () => {
      abort.abort();
      window.clearTimeout(timer);
      for (const release of taps) release();
    };
    // A connection that came back has missed something: the history knows it.
  }, [key, follow, spanMs, from, to, points_max, again, link.status === "live" ? live.epoch : 0]);

  return { curves: curves.current, ...state, reload: () => setAgain((n) => n + 1) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function numberOf(value: Scalar | undefined): number | null {
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "number" ? value : null;
}

function curveOf(series: Series): Curve {
  const empty = { point: series.point, texts: [] as (string | undefined)[] };
  if (series.form === "raw") {
    return {
      ...empty,
      bucketMs: 0,
      times: series.time_ms,
      values: series.value.map((v, i) => (severity(series.quality[i] ?? 0) === "bad" ? null : numberOf(v))),
      low: [],
      high: [],
      quality: series.quality,
      texts: series.value.some((v) => typeof v === "string") ? series.value.map((v) => (typeof v === "string" ? v : undefined)) : [],
    };
  }
  return {
    ...empty,
    bucketMs: series.bucket_ms,
    times: series.time_ms,
    values: series.avg,
    low: series.min,
    high: series.max,
    quality: series.quality,
  };
}

function append(curve: Curve | undefined, reading: Reading): void {
  if (!curve) return;
  const last = curve.times.at(-1);
  if (last !== undefined && reading.timeMs <= last) return;
  const number = severity(reading.quality) === "bad" || Number.isNaN(reading.number) ? null : reading.number;
  curve.times.push(reading.timeMs);
  curve.values.push(number);
  curve.quality.push(reading.quality);
  if (curve.bucketMs) {
    curve.low.push(number);
    curve.high.push(number);
  }
  if (reading.text !== undefined) curve.texts[curve.times.length - 1] = reading.text;
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

export interface Summary {
  min: number | null;
  max: number | null;
  mean: number | null;
}

/** Least, greatest and mean value within a window. */
export function summary(curve: Curve, from: number, to: number): Summary {
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  let count = 0;
  for (let i = Math.max(0, indexAt(curve.times, from - 1) + 1); i < curve.times.length; i++) {
    if ((curve.times[i] as number) > to) break;
    const value = curve.values[i];
    if (value === null || value === undefined) continue;
    min = Math.min(min, curve.low[i] ?? value);
    max = Math.max(max, curve.high[i] ?? value);
    sum += value;
    count += 1;
  }
  return count ? { min, max, mean: sum / count } : { min: null, max: null, mean: null };
}
