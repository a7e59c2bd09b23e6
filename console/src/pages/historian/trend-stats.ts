/** Statistics of the visible span, asked for once the hand has come to rest. */
import { useEffect, useState } from "react";
import { statistics, type Statistics } from "../../history";
import { offsetMs } from "./trend-state";
import { ghostOf, type TrendData } from "./trend-data";

const REST_MS = 120;

export interface TrendStatistics {
  of: ReadonlyMap<string, Statistics>;
  error: unknown;
}

/** Of each point, and of its ghost; empty until the first answer. */
export function useStatistics(points: readonly string[], data: TrendData, versus: string, wanted: boolean): TrendStatistics {
  const [found, setFound] = useState<TrendStatistics>({ of: new Map(), error: undefined });
  const { start, stop } = data.span;
  useEffect(() => {
    if (!wanted || !points.length || stop <= start) return;
    const abort = new AbortController();
    const ask = async () => {
      const by = offsetMs(versus, start);
      try {
        const [now, before] = await Promise.all([
          statistics(points, { start, stop }, abort.signal),
          by ? statistics(points, { start: start - by, stop: stop - by }, abort.signal) : new Map<string, Statistics>(),
        ]);
        const of = new Map(now);
        for (const [path, one] of before) of.set(ghostOf(path), one);
        setFound({ of, error: undefined });
      } catch (error) {
        if (!abort.signal.aborted) setFound((s) => ({ ...s, error }));
      }
    };
    const timer = window.setTimeout(() => void ask(), REST_MS);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [points.join("\n"), start, stop, versus, wanted]);
  return found;
}
