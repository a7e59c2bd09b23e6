/** Where in time the trend is: the window under the hand, and the steps back and forward. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { TrendState, Window } from "./trend-state";

type Time = Pick<TrendState, "spanMs" | "window">;

/** A hand that rests this long has found its place. */
const REST_MS = 140;
const STEPS_MAX = 50;

export interface Navigation {
  /** What is drawn: the window under the hand, else that of the state. */
  window: Window | null;
  /** Goes to a time and remembers where it came from. */
  goTo: (next: Partial<Time>) => void;
  /** Follows a hand; the state changes when it rests. */
  move: (window: Window, done: boolean) => void;
  back: () => void;
  forward: () => void;
  canBack: boolean;
  canForward: boolean;
}

export function useNavigation(state: TrendState, change: (next: Partial<TrendState>) => void): Navigation {
  const [steps, setSteps] = useState<{ past: Time[]; future: Time[] }>({ past: [], future: [] });
  const [hand, setHand] = useState<Window>();
  const rest = useRef<number>(undefined);
  const here: Time = { spanMs: state.spanMs, window: state.window };
  const goTo = (next: Partial<Time>) => {
    window.clearTimeout(rest.current);
    setHand(undefined);
    setSteps(({ past }) => ({ past: [...past.slice(1 - STEPS_MAX), here], future: [] }));
    change(next);
  };
  const latest = useRef(goTo);
  latest.current = goTo;
  const move = useCallback((window_: Window, done: boolean) => {
    window.clearTimeout(rest.current);
    setHand(window_);
    rest.current = window.setTimeout(() => latest.current({ window: window_ }), done ? 0 : REST_MS);
  }, []);
  useEffect(() => () => window.clearTimeout(rest.current), []);
  const { past, future } = steps;
  const back = () => {
    const last = past.at(-1);
    if (!last) return;
    setSteps({ past: past.slice(0, -1), future: [here, ...future] });
    change(last);
  };
  const forward = () => {
    const next = future[0];
    if (!next) return;
    setSteps({ past: [...past, here], future: future.slice(1) });
    change(next);
  };
  return {
    window: hand ?? state.window,
    goTo, move, back, forward,
    canBack: past.length > 0,
    canForward: future.length > 0,
  };
}
