/** The timeline of a work unit around a span, loaded once for many small moves. */
import { useRef } from "react";
import { useLoad, type Loaded } from "../../hooks";
import { statesApi, type Timeline } from "./states-api";

const REFRESH_MS = 5000;

/** While the next answer is on its way the last one stays on screen. */
export function useTimeline(unit: string, span: readonly [number, number], still: boolean): Loaded<Timeline> {
  const [from, to] = span;
  // Powers of two of a second: a move or a small zoom stays within what is there already.
  const step = 2 ** Math.ceil(Math.log2(Math.max((to - from) / 1000, 1))) * 1000;
  const start = (Math.floor(from / step) - 1) * step;
  const stop = (Math.ceil(to / step) + 1) * step;
  const ns = (ms: number) => `${String(ms)}000000`;
  const found = useLoad(
    `timeline ${unit} ${String(start)} ${String(stop)}`,
    (signal) => statesApi.timeline(unit, ns(start), ns(stop), signal),
    still && stop < Date.now() ? 0 : REFRESH_MS,
  );
  const last = useRef<Timeline | undefined>(undefined);
  if (found.data) last.current = found.data;
  return { ...found, data: found.data ?? (last.current?.unit === unit ? last.current : undefined) };
}
