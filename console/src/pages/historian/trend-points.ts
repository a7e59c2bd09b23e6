/** What is known of the points of a trend, by their paths. */
import { useEffect, useRef, useState } from "react";
import { api, type Point } from "../../api";
import { Problem } from "../../http";

const RETRY_MS = 2000;

/** A path that leads nowhere is told, not fatal. */
export function usePoints(paths: readonly string[]): { points: Point[] | undefined; missing: unknown } {
  const known = useRef(new Map<string, Point>());
  const [result, setResult] = useState<{ points?: Point[]; missing?: unknown }>({});
  const key = paths.join("\n");
  useEffect(() => {
    const abort = new AbortController();
    let timer: number | undefined;
    const load = async () => {
      let missing: unknown;
      await Promise.all(paths.filter((p) => !known.current.has(p)).map(async (path) => {
        try {
          known.current.set(path, await api.point(path, abort.signal));
        } catch (error) {
          missing = error;
        }
      }));
      if (abort.signal.aborted) return;
      setResult({ points: paths.flatMap((p) => known.current.get(p) ?? []), missing });
      // A server that is away or busy comes back; a point that does not exist stays missing.
      if (missing instanceof Problem && (missing.status === 0 || missing.status >= 500)) {
        timer = window.setTimeout(() => void load(), RETRY_MS);
      }
    };
    void load();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, [key]);
  return { points: paths.length ? result.points : [], missing: result.missing };
}
