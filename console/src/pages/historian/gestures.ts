/** Moving through time by hand: wheel, pan with Shift or the middle button, one or two fingers. */
import { shifted, widened, type Window } from "./trend-state";

const WHEEL_SPEED = 0.0016;
/** A wheel that counts lines or pages instead of pixels. */
const WHEEL_UNITS = [1, 33, 400];

export interface Hands {
  /** The window on screen. */
  window: () => Window;
  /** Shows another one; `done` when the hand is taken away. */
  move: (window: Window, done: boolean) => void;
}

/** Attaches to the surface of a chart; the function returned takes everything off again. */
export function gestures(surface: HTMLElement, hands: Hands): () => void {
  const abort = new AbortController();
  const { signal } = abort;
  const share = (x: number) => {
    const box = surface.getBoundingClientRect();
    return Math.min(1, Math.max(0, (x - box.left) / box.width));
  };

  surface.addEventListener("wheel", (event) => {
    event.preventDefault();
    const unit = WHEEL_UNITS[event.deltaMode] ?? 1;
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      hands.move(shifted(hands.window(), (sideways * unit) / surface.clientWidth), false);
    } else {
      const by = Math.max(-400, Math.min(400, event.deltaY * unit));
      hands.move(widened(hands.window(), Math.exp(by * WHEEL_SPEED), share(event.clientX)), false);
    }
  }, { signal, passive: false });

  const held = new Map<number, number>();
  let origin: Window = [0, 0];
  let at: number[] = [];
  const grip = () => {
    origin = hands.window();
    at = [...held.values()].map(share);
  };
  const look = (): Window => {
    const [a = 0, b] = at;
    const [x = 0, y] = [...held.values()].map(share);
    const length = origin[1] - origin[0];
    if (b === undefined || y === undefined) return shifted(origin, a - x);
    const factor = Math.min(20, Math.max(0.05, Math.abs(b - a) / Math.max(0.01, Math.abs(y - x))));
    const middle = origin[0] + (length * (a + b)) / 2;
    const start = middle - (length * factor * (x + y)) / 2;
    return [start, start + length * factor];
  };
  surface.addEventListener("pointerdown", (event) => {
    const pans = event.pointerType === "touch" || event.button === 1 || (event.button === 0 && event.shiftKey);
    if (!pans || held.size > 1) return;
    if (event.pointerType !== "touch") event.preventDefault();
    held.set(event.pointerId, event.clientX);
    surface.setPointerCapture(event.pointerId);
    surface.classList.add("held");
    grip();
  }, { signal });
  surface.addEventListener("pointermove", (event) => {
    if (!held.has(event.pointerId)) return;
    held.set(event.pointerId, event.clientX);
    hands.move(look(), false);
  }, { signal });
  const release = (event: PointerEvent) => {
    if (!held.has(event.pointerId)) return;
    held.delete(event.pointerId);
    grip();
    if (held.size) return;
    surface.classList.remove("held");
    hands.move(hands.window(), true);
  };
  surface.addEventListener("pointerup", release, { signal });
  surface.addEventListener("pointercancel", release, { signal });
  return () => abort.abort();
}
