/** Which elements of a submodel live: the points of the plant that they are bound to. */
import { createContext, useContext, useEffect, useMemo, useState } from "react";
import { api, type Point } from "../../api";
import { ask } from "../../http";
import { useLoad, useWatch } from "../../hooks";

interface Binding {
  /** Path of the element within its submodel. */
  path: string;
  point: string;
}

export type Bound = ReadonlyMap<string, Point>;

const POINTS_MAX = 500;

/** The points of a submodel's bound elements, by path; watched as long as the component is there. */
export function useBound(submodel: string | undefined): Bound {
  const { data } = useLoad(submodel && `bindings ${submodel}`, (signal) =>
    ask<{ items: Binding[] }>("GET", "/twins/bindings", { query: { submodel }, signal }));
  const bindings = useMemo(() => (data?.items ?? []).slice(0, POINTS_MAX), [data]);
  const [points, setPoints] = useState<Bound>(new Map());
  useEffect(() => {
    const abort = new AbortController();
    void pointsOf(bindings, abort.signal).then((found) => { if (!abort.signal.aborted) setPoints(found); });
    return () => abort.abort();
  }, [bindings]);
  useWatch(useMemo(() => [...points.values()].map((p) => p.path), [points]));
  return points;
}

async function pointsOf(bindings: readonly Binding[], signal: AbortSignal): Promise<Bound> {
  const found = await Promise.all(bindings.map(async ({ path, point }) => {
    // A point that has not said anything yet is still one to be watched.
    const known = await api.point(point, signal).catch(() => ({ path: point }));
    return [path, known] as const;
  }));
  return new Map(found);
}

export const BoundContext = createContext<Bound>(new Map());

/** The point that an element is bound to. */
export function useBoundPoint(path: string): Point | undefined {
  return useContext(BoundContext).get(path);
}
