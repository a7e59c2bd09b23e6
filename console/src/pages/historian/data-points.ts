/** The rows of the data explorer: what there is of each point, filtered and in order. */
import { useEffect, useMemo, useState } from "react";
import { storedPoints, type Stored } from "../../explore";

export type SortKey = "path" | "rows" | "bytes" | "each" | "rate" | "first" | "last" | "good" | "gapMs";
export type Order = { by: SortKey; down: boolean };

/** One point as it stands in the table; null where nothing is known. */
export interface Row {
  path: string;
  description: string;
  rows: number;
  bytes: number;
  /** Bytes a sample. */
  each: number | null;
  /** Samples an hour, of the last day. */
  rate: number | null;
  first: string | null;
  last: string | null;
  /** Share of the last day's samples that are not bad, from 0 to 1. */
  good: number | null;
  /** The longest silence of the last day. */
  gapMs: number | null;
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
      (error: unknown) => {
        if (abort.signal.aborted) return;
        setState((s) => ({ branch, rows: s.branch === branch ? s.rows : undefined, growing: false, error }));
      },
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

function rowOf({ point, rows, bytes, first, last, day }: Stored): Row {
  return {
    path: point.path,
    description: point.description ?? "",
    rows, bytes, first, last,
    each: rows ? bytes / rows : null,
    rate: day ? day.per_s * 3600 : null,
    // Good is told of numbers only: a text has none that could be.
    good: day && point.kind !== "text" && point.kind !== "json" ? 1 - day.bad : null,
    gapMs: day ? day.gap_s * 1000 : null,
  };
}

/** The rows that match all words, in order; what is not known comes last. */
export function useShownRows(rows: readonly Row[] | undefined, filter: string, order: Order): Row[] {
  return useMemo(() => {
    const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
    const found = (rows ?? []).filter((row) => {
      const text = `${row.path} ${row.description}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const sign = order.down ? -1 : 1;
    const { by } = order;
    return found.sort((a, b) => {
      const [x, y] = [a[by], b[by]];
      if (x !== y && (x === null || y === null)) return x === null ? 1 : -1;
      if (x !== null && y !== null && x !== y) return x < y ? -sign : sign;
      return a.path < b.path ? -1 : 1;
    });
  }, [rows, filter, order]);
}
