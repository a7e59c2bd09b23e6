/** Which elements of a submodel live: the points of the plant that they are bound to. */
import { createContext, useContext, useEffect, useMemo, useState } from "react";
import { api, type Point } from "../../api";
import { useLoad, useWatch } from "../../hooks";
import { twins } from "./twins-api";

export type Bound = ReadonlyMap<string, Point>;

const POINTS_MAX = 500;
const REFRESH_MS = 10_000;

/** The points of a submodel's bound elements, by path; watched as long as the component is there. */
export function useBound(submodel: string | undefined): { bound: Bound; reload: () => void } {
  const { data, reload } = useLoad(submodel && `bindings ${submodel}`, (signal) => twins.bindings(submodel ?? "", signal), REFRESH_MS);
  // The same bindings come again and again: only other ones are worth asking for points.
  const text = JSON.stringify((data?.items ?? []).slice(0, POINTS_MAX).map((b) => [b.path, b.point]));
  const [bound, setBound] = useState<Bound>(new Map());
  useEffect(() => {
    const abort = new AbortController();
    void pointsOf(JSON.parse(text) as [string, string][], abort.signal).then((found) => { if (!abort.signal.aborted) setBound(found); });
    return () => abort.abort();
  }, [text]);
  useWatch(useMemo(() => [...bound.values()].map((p) => p.path), [bound]));
  return { bound, reload };
}

async function pointsOf(bindings: readonly [string, string][], signal: AbortSignal): Promise<Bound> {
  const found = await Promise.all(bindings.map(async ([path, point]) => {
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
