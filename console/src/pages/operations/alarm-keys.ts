/** The alarm list by keyboard, as the hint above it says. */
import { isCovered, useKey } from "../../hooks";

interface Acts {
  onMove: (by: 1 | -1, picking: boolean) => void;
  onPage: (by: 1 | -1) => void;
  onEnd: (last: boolean) => void;
  onOpen: () => void;
  onToggle: () => void;
  onAll: () => void;
  onNone: () => void;
  onAcknowledge: () => void;
  onComment: () => void;
  onShelve: () => void;
}

export function useAlarmKeys(acts: Acts): void {
  const on = (key: string, act: (event: KeyboardEvent) => void) => useKey(key, (event) => {
    event.preventDefault();
    act(event);
  });
  on("ArrowDown", (e) => acts.onMove(1, e.shiftKey));
  on("ArrowUp", (e) => acts.onMove(-1, e.shiftKey));
  on("PageDown", () => acts.onPage(1));
  on("PageUp", () => acts.onPage(-1));
  on("Home", () => acts.onEnd(false));
  on("End", () => acts.onEnd(true));
  on("Enter", acts.onOpen);
  on(" ", acts.onToggle);
  on("Ctrl+a", acts.onAll);
  useKey("Escape", () => !isCovered() && acts.onNone());
  on("a", acts.onAcknowledge);
  on("c", acts.onComment);
  on("s", acts.onShelve);
}
