/**
 * Live values: one WebSocket a tab, binary frames, credit.
 *
 * The server sends a frame per asset and tick only while it has credit from us; what a slow
 * tab misses is brought up to date by a snapshot, and charts fetch the gap from the history.
 */
import { api } from "./api";
import { Problem } from "./http";

/** The newest sample of one point. */
export interface Reading {
  timeMs: number;
  /** NaN when the sample carries no number. */
  number: number;
  text: string | undefined;
  quality: number;
}

export type LinkState = { status: "connecting" | "live" | "reconnecting"; since: number };

type Tap = (path: string, reading: Reading, snapshot: boolean) => void;

const CREDIT = 32;
const WAIT_MS_MIN = 200;
const WAIT_MS_MAX = 2000;
/** Screens are redrawn at most this often: faster than this nobody reads. */
const PAINT_MS = 200;

class Live {
  link: LinkState = { status: "connecting", since: Date.now() };
  /** Counts the times the link came back; a chart that sees it change fetches what it missed. */
  epoch = 0;

  private socket: WebSocket | undefined;
  private running = false;
  private attempt = 0;
  private retryTimer: number | undefined;
  private subscribeTimer: number | undefined;
  private paintTimer: number | undefined;

  private readonly points = new Map<string, number>();
  private readonly branches = new Map<string, number>();
  private readonly pathOf = new Map<number, string>();
  private readonly readings = new Map<string, Reading>();
  private readonly changed = new Set<string>();
  private readonly listeners = new Map<string, Set<() => void>>();
  private readonly linkListeners = new Set<() => void>();
  private readonly taps = new Map<string, Set<Tap>>();

  /** Connects, once somebody is logged in. */
  start(): void {
    if (this.running) return;
    this.running = true;
    this.setLink("connecting");
    this.open();
  }

  /** Disconnects and forgets what it knew: the next user may see less. */
  stop(): void {
    this.running = false;
    window.clearTimeout(this.retryTimer);
    this.socket?.close();
    this.socket = undefined;
    this.readings.clear();
    this.pathOf.clear();
  }

  /** Asks for points and branches to be sent; the function returned takes the wish back. */
  watch(points: readonly string[], branches: readonly string[] = []): () => void {
    for (const p of points) this.points.set(p, (this.points.get(p) ?? 0) + 1);
    for (const b of branches) this.branches.set(b, (this.branches.get(b) ?? 0) + 1);
    this.subscribeSoon();
    let released = false;
    return () => {
      if (released) return;
      released = true;
      for (const p of points) decrease(this.points, p);
      for (const b of branches) decrease(this.branches, b);
      this.subscribeSoon();
    };
  }

  reading(path: string): Reading | undefined {
    return this.readings.get(path);
  }

  /** Called, at a rate that people can follow, when the point has a new reading. */
  listen(path: string, listener: () => void): () => void {
    return put(this.listeners, path, listener);
  }

  /** Called with every sample of the point that arrives. */
  tap(path: string, tap: Tap): () => void {
    return put(this.taps, path, tap);
  }

  listenLink(listener: () => void): () => void {
    this.linkListeners.add(listener);
    return () => this.linkListeners.delete(listener);
  }

  private setLink(status: LinkState["status"]): void {
    if (this.link.status !== status) this.link = { status, since: Date.now() };
    for (const listener of this.linkListeners) listener();
  }

  private open(): void {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/api/v1/live`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.attempt = 0;
      this.pathOf.clear();
      this.sendSubscription();
      socket.send(JSON.stringify({ credit: CREDIT }));
      this.epoch += 1;
      this.setLink("live");
    };
    socket.onmessage = (message) => this.receive(socket, message.data as string | ArrayBuffer);
    socket.onclose = () => this.closed(socket);
  }

  private closed(socket: WebSocket): void {
    if (socket !== this.socket || !this.running) return;
    this.socket = undefined;
    this.setLink("reconnecting");
    const ceiling = Math.min(WAIT_MS_MIN * 2 ** Math.min(this.attempt, 10), WAIT_MS_MAX);
    this.attempt += 1;
    this.retryTimer = window.setTimeout(() => void this.again(), ceiling * (0.5 + Math.random() / 2));
  }

  /** A refused upgrade does not say why, so the session is asked for before the next try. */
  private async again(): Promise<void> {
    try {
      await api.sessionOrOut();
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return;
    }
    if (this.running && !this.socket) this.open();
  }

  private subscribeSoon(): void {
    this.subscribeTimer ??= window.setTimeout(() => {
      this.subscribeTimer = undefined;
      this.sendSubscription();
    }, 30);
  }

  private sendSubscription(): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    const subscribe = { points: [...this.points.keys()], branches: [...this.branches.keys()] };
    this.socket.send(JSON.stringify({ subscribe }));
  }

  private receive(socket: WebSocket, data: string | ArrayBuffer): void {
    if (typeof data === "string") {
      const told = JSON.parse(data) as { points?: Record<string, number> };
      for (const [path, id] of Object.entries(told.points ?? {})) this.pathOf.set(id, path);
      return;
    }
    this.take(data);
    if (socket.readyState === WebSocket.OPEN) socket.send('{"credit":1}');
  }

  private take(frame: ArrayBuffer): void {
    const head = new DataView(frame, 0, 16);
    if (head.getUint8(0) !== 1) return;
    const snapshot = head.getUint8(1) === 2;
    const n = head.getUint32(4, true);
    const times = new Float64Array(frame, 16, n);
    const numbers = new Float64Array(frame, 16 + 8 * n, n);
    const ids = new Uint32Array(frame, 16 + 16 * n, n);
    const qualities = new Uint32Array(frame, 16 + 20 * n, n);
    const texts = textsOf(frame, 16 + 24 * n);
    for (let i = 0; i < n; i++) {
      const id = ids[i] as number;
      const path = this.pathOf.get(id);
      if (path === undefined) continue;
      this.keep(path, {
        timeMs: times[i] as number,
        number: numbers[i] as number,
        text: texts?.[id],
        quality: qualities[i] as number,
      }, snapshot);
    }
  }

  private keep(path: string, reading: Reading, snapshot: boolean): void {
    for (const tap of this.taps.get(path) ?? []) tap(path, reading, snapshot);
    const before = this.readings.get(path);
    // Late data is welcome in the history, but the newest is what is shown as now.
    if (before && before.timeMs > reading.timeMs) return;
    this.readings.set(path, reading);
    this.changed.add(path);
    this.paintTimer ??= window.setTimeout(() => this.paint(), PAINT_MS);
  }

  private paint(): void {
    this.paintTimer = undefined;
    const changed = [...this.changed];
    this.changed.clear();
    for (const path of changed) for (const listener of this.listeners.get(path) ?? []) listener();
  }
}

function textsOf(frame: ArrayBuffer, at: number): Record<number, string> | undefined {
  if (frame.byteLength < at + 4) return undefined;
  const size = new DataView(frame).getUint32(at, true);
  if (!size) return undefined;
  const text = new TextDecoder().decode(new Uint8Array(frame, at + 4, size));
  return JSON.parse(text) as Record<number, string>;
}

function decrease(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 0) - 1;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}

function put<T>(into: Map<string, Set<T>>, key: string, item: T): () => void {
  let set = into.get(key);
  if (!set) into.set(key, (set = new Set()));
  set.add(item);
  return () => {
    set.delete(item);
    if (!set.size) into.delete(key);
  };
}

export const live = new Live();
