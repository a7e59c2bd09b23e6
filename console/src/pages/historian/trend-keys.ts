/** The trend by keyboard: arrows move, plus and minus zoom, F follows, Escape goes back. */
import { useKey } from "../../hooks";
import type { Navigation } from "./trend-nav";
import { shifted, widened, windowOf, type TrendState, type Window } from "./trend-state";
import { followable } from "./TrendTools";

/** Where the arrows have a meaning of their own. */
const ELSEWHERE = "[role=tree], [role=menu], [role=listbox], [role=dialog], .ant-popover, .ant-picker-dropdown";

export function useTrendKeys(state: TrendState, navigation: Navigation, change: (next: Partial<TrendState>) => void): void {
  const now = (): Window => navigation.window ?? windowOf(state);
  const onPage = (act: () => void) => (event: KeyboardEvent) => {
    if ((event.target as HTMLElement | null)?.closest(ELSEWHERE)) return;
    event.preventDefault();
    act();
  };
  useKey("ArrowLeft", onPage(() => navigation.goTo({ window: shifted(now(), -0.25) })));
  useKey("ArrowRight", onPage(() => navigation.goTo({ window: shifted(now(), 0.25) })));
  useKey("+", onPage(() => navigation.goTo({ window: widened(now(), 0.5) })));
  useKey("-", onPage(() => navigation.goTo({ window: widened(now(), 2) })));
  useKey("f", onPage(() => {
    if (state.window) navigation.goTo({ window: null, spanMs: followable(now()) });
    else change({ window: now() });
  }));
  useKey("Escape", onPage(navigation.back));
}
