/** The timeline of a work unit around a span, loaded once for many small moves. */
import { useRef } from "react";
import { useLoad, type Loaded } from "../../hooks";
import { statesApi, type Timeline } from "./states-api";

const REFRESH_MS = 5000;

/**
 * Start and stop of what is asked for a span, in nanoseconds: more than the span, on a grid of
 * powers of two of a second, so that a move or a small zoom stays within what is there already.
 */
export function aroundSpan([from, to]: readonly [number, number]): [string, string] {
  const step = 2 ** Math.ceil(Math.log2(Math.max((to - from) / 1000, 1))) * 1000;
  const ns = (ms: number) => `${String(ms)}000000`;
  return [ns((Math.floor(from / step) - 1) * step), ns((Math.ceil(to / step) + 1) * step)];
}

/** While the next answer is on its way the last one stays on screen. */
export function useTimeline(unit: string, span: readonly [number, number], still: boolean): Loaded<Timeline> {
  const [start, stop] = aroundSpan(span);
  const found = useLoad(
    `timeline ${unit} ${start} ${stop}`,
    (signal) => statesApi.timeline(unit, start, stop, signal),
    still && span[1] < Date.now() ? 0 : REFRESH_MS,
  );
  const last = useRef<Timeline | undefined>(undefined);
  if (found.data) last.current = found.data;
  return { ...found, data: found.data ?? (last.current?.unit === unit ? last.current : undefined) };
}
