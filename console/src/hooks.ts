/** Small hooks that every page uses: loading, polling, live readings, the clock. */
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { live, type LinkState, type Reading } from "./live";

export interface Loaded<T> {
  data: T | undefined;
  error: unknown;
  loading: boolean;
  reload: () => void;
}

/**
 * Loads when `key` changes, and again every `everyMs`; what was loaded stays on screen while
 * the next answer is on its way or has failed. No key, no loading.
 */
export function useLoad<T>(
  key: string | undefined,
  load: (signal: AbortSignal) => Promise<T>,
  everyMs = 0,
): Loaded<T> {
  const [state, setState] = useState<{ key?: string; data?: T; error?: unknown }>({});
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    if (key === undefined) return;
    const abort = new AbortController();
    let timer: number | undefined;
    const run = async () => {
      try {
        const data = await latest.current(abort.signal);
        if (!abort.signal.aborted) setState({ key, data });
      } catch (error) {
        if (!abort.signal.aborted) setState((s) => ({ key, data: s.key === key ? s.data : undefined, error }));
      }
      if (everyMs && !abort.signal.aborted) timer = window.setTimeout(() => void run(), everyMs);
    };
    void run();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, [key, everyMs, round]);
  const reload = useCallback(() => setRound((r) => r + 1), []);
  const mine = state.key === key;
  return {
    data: mine ? state.data : undefined,
    error: mine ? state.error : undefined,
    loading: key !== undefined && !mine,
    reload,
  };
}

/** Keeps points (and branches) subscribed while the component is on screen. */
export function useWatch(points: readonly string[], branches: readonly string[] = []): void {
  const key = points.join("\n") + "\n\n" + branches.join("\n");
  useEffect(() => live.watch(points, branches), [key]);
}

/** The newest reading of a watched point. */
export function useReading(path: string): Reading | undefined {
  const listen = useCallback((listener: () => void) => live.listen(path, listener), [path]);
  return useSyncExternalStore(listen, () => live.reading(path));
}

export function useLink(): LinkState {
  return useSyncExternalStore((listener) => live.listenLink(listener), () => live.link);
}

const clockListeners = new Set<() => void>();
let clockNow = Date.now();
window.setInterval(() => {
  clockNow = Date.now();
  for (const listener of clockListeners) listener();
}, 1000);

/** Now, in ms; one clock for the whole page ticks once a second. */
export function useNow(): number {
  return useSyncExternalStore(
    (listener) => {
      clockListeners.add(listener);
      return () => clockListeners.delete(listener);
    },
    () => clockNow,
  );
}

/** Width and height of an element, as they change. */
export function useSize<E extends HTMLElement>(): [React.RefObject<E | null>, { width: number; height: number }] {
  const ref = useRef<E>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => {
      if (!entry) return;
      const { width, height } = entry.contentRect;
      setSize((s) => (s.width === width && s.height === height ? s : { width, height }));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, size];
}

/** What a key would press by itself; there Enter and space are its own. */
const PRESSED = "button, a, summary, [role=button], [role=link], [role=menuitem], [role=option], [role=tab], [role=switch]";

const TYPED = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

/** Whether a dialog or drawer lies over the page. */
export function isCovered(): boolean {
  return [...document.querySelectorAll(".ant-modal-wrap, .ant-drawer-open")].some((e) => e.checkVisibility());
}

/**
 * A keyboard shortcut of a page, such as `a` or `Ctrl+a`: it does not disturb somebody who types, presses
 * a button, or has a dialog open over the page. Escape always comes through.
 */
export function useKey(key: string, act: (event: KeyboardEvent) => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const control = key.startsWith("Ctrl+");
    const wanted = control ? key.slice(5) : key;
    const listener = (event: KeyboardEvent) => {
      if (event.key !== wanted || (event.ctrlKey || event.metaKey) !== control || event.altKey) return;
      if (key !== "Escape") {
        const target = event.target instanceof Element ? event.target : null;
        if (target?.closest(TYPED)) return;
        // A choice of some takes arrows and space, and no letters.
        if (key.length > 1 && target?.closest("input")) return;
        if ((key === "Enter" || key === " ") && target?.closest(`${PRESSED}, input`)) return;
        if (isCovered()) return;
      }
      latest.current(event);
    };
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, [key]);
}
