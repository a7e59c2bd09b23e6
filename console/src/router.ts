/** The address bar as state: path and query, without a library. */
import { useMemo, useSyncExternalStore } from "react";

const listeners = new Set<() => void>();

function tell(): void {
  for (const listener of listeners) listener();
}

window.addEventListener("popstate", tell);

/** Goes to an address within the console; `replace` leaves no step to go back to. */
export function go(to: string, options: { replace?: boolean } = {}): void {
  if (to === location.pathname + location.search) return;
  if (options.replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  tell();
}

export interface Place {
  path: string;
  query: URLSearchParams;
}

/** Where we are; the component is drawn again when that changes. */
export function usePlace(): Place {
  const href = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => location.pathname + location.search,
  );
  return useMemo(() => {
    const url = new URL(href, location.origin);
    return { path: decodeURI(url.pathname), query: url.searchParams };
  }, [href]);
}

/** A path of the namespace within an address; its levels stay readable. */
export function levels(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** The address of the overview of a branch. */
export function branchAddress(branch: string): string {
  return branch ? `/live/${levels(branch)}` : "/";
}

/** The address of a trend of some points. */
export function trendAddress(points: readonly string[], rest: Record<string, string> = {}): string {
  const query = new URLSearchParams();
  for (const point of points) query.append("p", point);
  for (const [name, value] of Object.entries(rest)) query.set(name, value);
  const text = query.toString();
  return text ? `/trend?${text}` : "/trend";
}
