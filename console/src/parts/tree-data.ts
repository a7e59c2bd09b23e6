/** What the tree shows: branches as they are opened, or what a search finds. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api, type Branch, type Point } from "../api";
import { leaf, parentOf, SYSTEM } from "../format";
import { useLoad } from "../hooks";

export interface Row {
  path: string;
  name: string;
  parent: string;
  depth: number;
  points: number;
  point: Point | undefined;
  children: boolean;
  open: boolean;
}

const REFRESH_MS = 10_000;

/** What was opened stays so when the page is left and come back to. */
const opened = new Set<string>();
const known = new Map<string, Branch[]>();

export function useBranches(selected: string) {
  const [, redraw] = useState(0);
  const [error, setError] = useState<unknown>();
  const alive = useRef(true);
  const load = useCallback(async (path: string): Promise<Branch[]> => {
    const { children } = await api.tree(path);
    known.set(path, children);
    if (alive.current) redraw((n) => n + 1);
    return children;
  }, []);
  const fetchAll = useCallback(async () => {
    try {
      const fresh = !known.has("");
      let level = await load("");
      // A plant is often one site in one enterprise: go down to where there is a choice.
      for (;;) {
        const [only, ...others] = level.filter((branch) => branch.path !== SYSTEM);
        if (!fresh || !only?.children || others.length) break;
        opened.add(only.path);
        level = await load(only.path);
      }
      await Promise.all([...opened].map(load));
      setError(undefined);
    } catch (failure) {
      if (alive.current) setError(failure);
    }
  }, [load]);
  useEffect(() => {
    alive.current = true;
    void fetchAll();
    const timer = window.setInterval(() => void fetchAll(), REFRESH_MS);
    return () => {
      alive.current = false;
      window.clearInterval(timer);
    };
  }, [fetchAll]);

  const open = useCallback((path: string) => {
    opened.add(path);
    redraw((n) => n + 1);
    if (!known.has(path)) load(path).catch(setError);
  }, [load]);
  const close = useCallback((path: string) => {
    opened.delete(path);
    redraw((n) => n + 1);
  }, []);
  const toggle = useCallback((path: string) => (opened.has(path) ? close(path) : open(path)), [open, close]);
  useEffect(() => {
    for (let up = parentOf(selected); up; up = parentOf(up)) open(up);
  }, [selected, open]);

  const rows: Row[] = [];
  const walk = (path: string, depth: number) => {
    for (const branch of known.get(path) ?? []) {
      const isOpen = branch.children && opened.has(branch.path);
      rows.push({
        path: branch.path,
        name: branch.name,
        parent: path,
        depth,
        points: branch.points,
        point: branch.point ?? undefined,
        children: branch.children,
        open: isOpen,
      });
      if (isOpen) walk(branch.path, depth + 1);
    }
  };
  walk("", 0);
  return { rows, error, loading: !known.has("") && !error, open, close, toggle };
}

const WAIT_MS = 150;

export function useSearch(text: string) {
  const [settled, setSettled] = useState("");
  const trimmed = text.trim();
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(trimmed), trimmed ? WAIT_MS : 0);
    return () => window.clearTimeout(timer);
  }, [trimmed]);
  const { data, error } = useLoad(settled || undefined, (signal) => api.search(settled, signal));
  const rows = useMemo<Row[]>(
    () => (data?.items ?? []).map((point) => ({
      path: point.path,
      name: leaf(point.path),
      parent: parentOf(point.path),
      depth: 0,
      points: 1,
      point,
      children: false,
      open: false,
    })),
    [data],
  );
  const loading = !error && (settled !== trimmed || !data);
  return { rows, error, loading, more: !!data?.cursor };
}
