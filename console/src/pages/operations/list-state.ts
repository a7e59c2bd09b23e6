/** Where somebody stands in a list that changes by itself, and what they have picked in it. */
import { useEffect, useMemo, useState } from "react";

/**
 * The row one stands on goes with its name, so that a key never meets another one that came to its place
 * meanwhile; the list is scrolled only by who moves in it.
 */
export function useCursor(names: readonly string[], show: (index: number) => void) {
  const [at, setAt] = useState<{ name?: string; index: number }>({ index: 0 });
  const found = useMemo(() => (at.name === undefined ? -1 : names.indexOf(at.name)), [names, at.name]);
  const here = found >= 0 ? found : Math.min(at.index, Math.max(names.length - 1, 0));
  const name = names[here];
  useEffect(() => {
    if (name !== undefined && at.name !== name) setAt({ name, index: here });
  }, [name, at.name]);
  /** Stand on another row; `still`: for the place where it will be, without scrolling to it. */
  const move = (to: number, { still = false } = {}) => {
    const index = Math.min(Math.max(to, 0), Math.max(names.length - 1, 0));
    setAt({ name: names[index], index: still ? here : index });
    if (!still) show(index);
  };
  return { here, move };
}

/** Names that are picked; those that no list shows any more count for nothing. */
export function usePicked(names: readonly string[]) {
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  return {
    picked,
    toggle: (name: string) => setPicked((old) => {
      const next = new Set(old);
      if (!next.delete(name)) next.add(name);
      return next;
    }),
    add: (more: readonly string[]) => setPicked((old) => new Set([...old, ...more.filter(Boolean)])),
    all: () => setPicked(new Set(names)),
    clear: () => setPicked(new Set()),
  };
}
