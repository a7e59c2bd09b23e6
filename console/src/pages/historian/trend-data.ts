/**
 * The curves of a trend: history in the detail of the screen, then what arrives live.
 *
 * One request for all points a zoom; the one before it is given up. What is on screen stays
 * there until the answer has come.
 */
import { useEffect, useRef, useState } from "react";
import { suitable } from "../../aggregates";
import { aggregates, charts, type Curve, type Curves, type Span } from "../../history";
import { useLink } from "../../hooks";
import { live, type Reading } from "../../live";
import { severity } from "../../quality";
import { offsetMs, type TrendState } from "./trend-state";

export interface TrendData {
  curves: Curves;
  error: unknown;
  loading: boolean;
  /** Changes with every new history; live values do not count. */
  round: number;
  /** The span last asked for. */
  span: Span;
  /** The interval that was chosen for aggregates. */
  interval: string;
  reload: () => void;
}

const TAIL_MAX = 4_000;
const REFRESH_MS = 60_000;
/** An interval of an aggregate is at least so many pixels wide. */
const INTERVAL_PX = 6;

/** What the curve of another period is found by. */
export function ghostOf(point: string): string {
  return `${point} before`;
}

export function useTrendData(points: readonly string[], state: TrendState, width: number): TrendData {
  const { spanMs, window: standing, aggregate, versus } = state;
  const [status, setStatus] = useState({ round: 0, loading: true, error: undefined as unknown });
  const [again, setAgain] = useState(0);
  const shown = useRef<{ curves: Curves; span: Span; interval: string }>({ curves: new Map(), span: { start: 0, stop: 0 }, interval: "" });
  const link = useLink();
  const follow = standing === null;
  const from = standing?.[0] ?? 0;
  const to = standing?.[1] ?? 0;
  // A chart of nearly the same width needs no other detail.
  const max = Math.max(200, Math.ceil(width / 100) * 100);
  const wanted = [points.join("\n"), follow ? spanMs : `${from} ${to}`, max, JSON.stringify(aggregate), versus].join("\n\n");

  useEffect(() => {
    if (!width || !points.length) {
      setStatus((s) => ({ ...s, loading: false, error: undefined }));
      return;
    }
    const abort = new AbortController();
    let timer: number | undefined;
    const tail = new Map<string, Reading[]>();
    const ask = (span: Span, interval: string): Promise<Curves> =>
      aggregate ? aggregates(points, span, aggregate, interval, abort.signal) : charts(points, span, max, abort.signal, true);
    const fetch = async () => {
      setStatus((s) => ({ ...s, loading: true }));
      tail.clear();
      const stop = follow ? Date.now() : to;
      const span = { start: follow ? stop - spanMs : from, stop };
      const interval = aggregate ? aggregate.every || suitable(span.stop - span.start, max / INTERVAL_PX) : "";
      const by = offsetMs(versus, span.start);
      try {
        const [fresh, before] = await Promise.all([
          ask(span, interval),
          by ? ask({ start: span.start - by, stop: span.stop - by }, interval) : new Map<string, Curve>(),
        ]);
        // What arrived while the answer was on its way.
        for (const [path, readings] of tail) for (const r of readings) append(fresh.get(path), r);
        for (const [path, curve] of before) fresh.set(ghostOf(path), later(curve, by));
        shown.current = { curves: fresh, span, interval };
        setStatus((s) => ({ round: s.round + 1, loading: false, error: undefined }));
      } catch (error) {
        if (abort.signal.aborted) return;
        setStatus((s) => ({ ...s, loading: false, error }));
      }
      if (follow && !abort.signal.aborted) {
        timer = window.setTimeout(() => void fetch(), Math.min(REFRESH_MS, Math.max(5_000, spanMs / 20)));
      }
    };
    void fetch();
    const taps = !follow || aggregate ? [] : points.map((path) =>
      live.tap(path, (_, reading, snapshot) => {
        if (snapshot) return;
        let waiting = tail.get(path);
        if (!waiting) tail.set(path, (waiting = []));
        waiting.push(reading);
        if (waiting.length > TAIL_MAX) waiting.shift();
        append(shown.current.curves.get(path), reading);
      }),
    );
    return () => {
      abort.abort();
      window.clearTimeout(timer);
      for (const release of taps) release();
    };
    // A connection that came back has missed something: the history knows it.
  }, [wanted, again, link.status === "live" ? live.epoch : 0]);

  return { ...shown.current, ...status, reload: () => setAgain((n) => n + 1) };
}

/** The curve moved to where it is compared. */
function later(curve: Curve, by: number): Curve {
  const end = curve.end === undefined ? undefined : curve.end + by;
  return { ...curve, times: curve.times.map((t) => t + by), end };
}

function append(curve: Curve | undefined, reading: Reading): void {
  if (!curve) return;
  const last = curve.times.at(-1);
  if (last !== undefined && reading.timeMs <= last) return;
  const number = severity(reading.quality) === "bad" || Number.isNaN(reading.number) ? null : reading.number;
  curve.times.push(reading.timeMs);
  curve.values.push(number);
  curve.quality.push(reading.quality);
  if (reading.text !== undefined) curve.texts[curve.times.length - 1] = reading.text;
}
