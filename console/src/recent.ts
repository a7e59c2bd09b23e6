/** The last ten minutes of the points on screen, for their sparklines: fetched once, then live. */
import { useEffect } from "react";
import { charts } from "./history";
import { live } from "./live";
import { severity } from "./quality";

export const RECENT_MS = 600_000;
const STEP_MS = 4_000;
const SLOTS_MAX = RECENT_MS / STEP_MS + 10;
const POINTS_PER_REQUEST = 40;

export interface Trace {
  times: number[];
  /** NaN where there is a gap. */
  values: number[];
}

class Recent {
  private readonly traces = new Map<string, Trace>();
  private readonly wanted = new Map<string, { count: number; release: () => void }>();
  private readonly queue = new Set<string>();
  private timer: number | undefined;
  private epoch = live.epoch;

  constructor() {
    live.listenLink(() => this.reconnected());
  }

  /** What was missed while the connection was away stands in the history. */
  private reconnected(): void {
    if (live.link.status !== "live" || this.epoch === live.epoch) return;
    this.epoch = live.epoch;
    for (const path of this.wanted.keys()) this.queue.add(path);
    this.timer ??= window.setTimeout(() => void this.fetch(), 80);
  }

  trace(path: string): Trace | undefined {
    return this.traces.get(path);
  }

  want(path: string): () => void {
    const known = this.wanted.get(path);
    if (known) known.count += 1;
    else {
      const release = live.tap(path, (_, reading, snapshot) => {
        if (!snapshot) this.add(path, reading.timeMs, reading.number, reading.quality);
      });
      this.wanted.set(path, { count: 1, release });
      this.queue.add(path);
      this.timer ??= window.setTimeout(() => void this.fetch(), 80);
    }
    return () => this.drop(path);
  }

  private drop(path: string): void {
    const known = this.wanted.get(path);
    if (!known) return;
    known.count -= 1;
    if (known.count > 0) return;
    known.release();
    this.wanted.delete(path);
    this.traces.delete(path);
    this.queue.delete(path);
  }

  private add(path: string, timeMs: number, value: number, quality: number): void {
    let trace = this.traces.get(path);
    if (!trace) this.traces.set(path, (trace = { times: [], values: [] }));
    const { times, values } = trace;
    const last = times.length - 1;
    const shown = severity(quality) === "bad" ? Number.NaN : value;
    const newest = times[last];
    if (newest !== undefined && timeMs < newest) return;
    if (newest !== undefined && Math.floor(newest / STEP_MS) === Math.floor(timeMs / STEP_MS)) {
      values[last] = shown;
      return;
    }
    times.push(timeMs);
    values.push(shown);
    if (times.length > SLOTS_MAX) {
      times.shift();
      values.shift();
    }
  }

  private async fetch(): Promise<void> {
    this.timer = undefined;
    const points = [...this.queue].slice(0, POINTS_PER_REQUEST);
    for (const point of points) this.queue.delete(point);
    if (!points.length) return;
    if (this.queue.size) this.timer = window.setTimeout(() => void this.fetch(), 80);
    try {
      const now = Date.now();
      for (const curve of (await charts(points, { start: now - RECENT_MS, stop: now }, RECENT_MS / STEP_MS)).values()) {
        if (!this.wanted.has(curve.point)) continue;
        const arrived = this.traces.get(curve.point);
        this.traces.delete(curve.point);
        curve.times.forEach((t, i) => this.add(curve.point, t, curve.values[i] ?? Number.NaN, curve.quality[i] ?? 0));
        arrived?.times.forEach((t, i) => this.add(curve.point, t, arrived.values[i] ?? Number.NaN, 0));
      }
    } catch {
      // A sparkline is a hint: without history it grows from what arrives live.
    }
  }
}

const recent = new Recent();

/** Keeps the recent values of a point while the component is on screen. */
export function useRecent(path: string, wanted: boolean): () => Trace | undefined {
  useEffect(() => (wanted ? recent.want(path) : undefined), [path, wanted]);
  return () => recent.trace(path);
}
