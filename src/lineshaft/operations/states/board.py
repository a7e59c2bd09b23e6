"""Work units as they are now, cheap enough to be asked for all the time.

What was worked out for a unit stays good until its state changes or somebody says something, and
for `AGE_NS` at most: late data show after that.
"""

from collections.abc import Callable

import msgspec

from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.operations.calendars.book import Calendars
from lineshaft.operations.states.intervals import Intervals
from lineshaft.operations.states.stops import unexplained
from lineshaft.operations.states.timeline import UNKNOWN
from lineshaft.operations.states.units import Units

AGE_NS = 60 * NS_PER_S
SETTLE_NS = 2 * NS_PER_S
"""For so long after a change nothing is kept: the store may not have it yet."""
SPAN_NS = 86_400 * NS_PER_S
"""Stops of so long back count as unexplained."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A work unit now."""

    unit: str
    """Its branch of the namespace."""
    state: str
    """Name of the state; empty while it is not known."""
    item: str = ""
    """MachineryItemState of OPC 40001-1; empty while it is not known."""
    mode: str = ""
    """MachineryOperationMode of OPC 40001-1."""
    since_ns: int
    """Since when."""
    reason: str
    """Code of the reason; empty where there is none."""
    reason_text: str
    """The reason as people read it."""
    rule: str
    """Name of the rule that gave the reason; empty where a person or the state itself did."""
    unexplained: int
    """Stops of the last 24 hours that somebody should explain."""


class Board:
    """The views of all work units."""

    def __init__(
        self,
        units: Units,
        intervals: Intervals,
        calendars: Calendars,
        *,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._units, self._intervals, self._clock = units, intervals, clock
        self._calendars = calendars
        self._views: dict[str, tuple[int, View]] = {}
        self._changed: dict[str, int] = {}

    def changed(self, path: str) -> None:
        """Say that something is new of a unit."""
        self._changed[path] = self._clock()
        self._views.pop(path, None)

    def clear(self) -> None:
        """Forget all: the settings have changed."""
        self._views.clear()
        self._changed.clear()

    async def view(self, path: str) -> View:
        """A work unit now.

        Raises:
            Missing: there is no such work unit.
        """
        now = self._clock()
        made, view = self._views.get(path, (0, None))
        if view is not None and 0 <= now - made <= AGE_NS:
            return view
        view = await self._made(path, now)
        if now > self._changed.get(path, now - SETTLE_NS - 1) + SETTLE_NS:
            self._views[path] = now, view
        return view

    async def _made(self, path: str, now: int) -> View:
        whole = await self._intervals.whole(path, now - SPAN_NS, now)
        line, states, reasons = whole.laid.line, whole.known.states, self._units.reasons
        reason = whole.laid.reasons[line.reason[-1]]
        by = int(line.rule[-1])
        rule = states[line.state[-1]] if int(line.state[-1]) != UNKNOWN else None
        return View(
            unit=path,
            state=rule.name if rule else "",
            item=rule.item if rule else "",
            mode=rule.mode if rule else "",
            since_ns=int(line.start_ns[-1]),
            reason=reason,
            reason_text=reasons[reason].text if reason in reasons else reason,
            rule=whole.known.rules[by - 1].name if by else "",
            unexplained=unexplained(whole, self._calendars),
        )
