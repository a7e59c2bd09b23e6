/** The rows of the data explorer: all points' storage, and the health of those on screen. */
import { useEffect, useMemo, useRef, useState } from "react";
import { healthOf, storedPoints, type Health, type Stored } from "../../explore";

export type Order = { by: SortKey; down: boolean };
export type SortKey = "point" | "rows" | "bytes" | "each" | "rate" | "first" | "last";

export interface Row extends Stored {
  /** Bytes a sample. */
  each: number;
  /** Samples an hour, between the first and the last. */
  rate: number;
}

export interface StoredRows {
  rows: Row[] | undefined;
  /** Whether more pages are on their way. */
  growing: boolean;
  error: unknown;
  reload: () => void;
}

export function useStored(branch: string): StoredRows {
  const [state, setState] = useState<{ branch?: string; rows?: Row[]; growing: boolean; error?: unknown }>({ growing: true });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    const show = (items: Stored[], growing: boolean) => {
      if (!abort.signal.aborted) setState({ branch, rows: items.map(rowOf), growing });
    };
    storedPoints(branch, (items) => show(items, true), abort.signal).then(
      (items) => show(items, false),
      (error: unknown) => abort.signal.aborted || setState((s) => ({ branch, rows: s.branch === branch ? s.rows : undefined, growing: false, error })),
    );
    return () => abort.abort();
  }, [branch, round]);
  const mine = state.branch === branch;
  return {
    rows: mine ? state.rows : undefined,
    growing: !mine || state.growing,
    error: mine ? state.error : undefined,
    reload: () => setRound((n) => n + 1),
  };
}

function rowOf(stored: Stored): Row {
  const hours = stored.first && stored.last ? (Date.parse(stored.last) - Date.parse(stored.first)) / 3.6e6 : 0;
  return {
    ...stored,
    each: stored.rows ? stored.bytes / stored.rows : 0,
    rate: hours > 0 ? (stored.rows - 1) / hours : 0,
  };
}

/** The rows that match all words, in order. */
export function useShownRows(rows: readonly Row[] | undefined, filter: string, order: Order): Row[] {
  return useMemo(() => {
    const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
    const found = (rows ?? []).filter((row) => {
      const path = row.point.toLowerCase();
      return words.every((word) => path.includes(word));
    });
    const sign = order.down ? -1 : 1;
    const { by } = order;
    return found.sort((a, b) => {
      const [x, y] = [a[by] ?? "", b[by] ?? ""];
      return x < y ? -sign : x > y ? sign : a.point < b.point ? -1 : 1;
    });
  }, [rows, filter, order]);
}

const AT_ONCE = 40;
const REST_MS = 250;

export type HealthState = { of: ReadonlyMap<string, Health>; error: unknown };

/** Health of the points on screen over the last days; what was found once is kept. */
export function useHealth(points: readonly string[], days: number): HealthState {
  const known = useRef({ days, of: new Map<string, Health>() });
  const [state, setState] = useState<HealthState>({ of: known.current.of, error: undefined });
  const key = points.join("\n");
  useEffect(() => {
    if (known.current.days !== days) known.current = { days, of: new Map() };
    const { of } = known.current;
    const abort = new AbortController();
    const ask = async () => {
      for (;;) {
        const missing = points.filter((p) => !of.has(p)).slice(0, AT_ONCE);
        if (!missing.length || abort.signal.aborted) return;
        const found = await healthOf(missing, days, abort.signal);
        for (const p of missing) of.set(p, found.get(p) ?? { good: null, gapMs: null });
        setState({ of: new Map(of), error: undefined });
      }
    };
    const timer = window.setTimeout(() => {
      ask().catch((error: unknown) => abort.signal.aborted || setState((s) => ({ ...s, error })));
    }, REST_MS);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [key, days]);
  return { of: known.current.days === days ? state.of : new Map(), error: state.error };
}
