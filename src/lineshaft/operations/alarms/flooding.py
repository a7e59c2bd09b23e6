"""Floods, as they happen: when more alarms come than anybody can answer, the least are put aside.

Source: ISA-18.2-2016 and EEMUA 191 (more than 10 in 10 minutes, until fewer than 5).
"""

from collections import deque
from collections.abc import Collection, Iterable

from lineshaft.operations.alarms.metrics import TEN_MINUTES_NS
from lineshaft.operations.alarms.rules import AlarmRules, priority_of
from lineshaft.operations.alarms.state import State

BY = "flood"
"""Name of this logic among the suppressors of an alarm."""
REMEMBERED_MAX = 100_000
"""Activations of the last ten minutes that are counted; a flood it is long before."""


class Flood:
    """Whether there is a flood now."""

    def __init__(
        self, rules: AlarmRules, times_ns: Iterable[int] = (), *, on: bool = False
    ) -> None:
        self.rules = rules
        self.on = on
        self.count = 0
        """Floods since the start."""
        self._times = deque(sorted(times_ns), REMEMBERED_MAX)

    def again(self, rules: AlarmRules, states: Collection[State], now_ns: int) -> "Flood":
        """The flood as it is under these rules, of alarms in these states."""
        times = [s.active_ns for s in states if s.active_ns > now_ns - TEN_MINUTES_NS]
        on = self.on or any(BY in s.suppressors for s in states)
        made = Flood(rules, times if rules.flood_suppress else (), on=on)
        made.count = self.count
        return made

    def rang(self, time_ns: int) -> None:
        """An annunciated activation."""
        self._times.append(time_ns)
        self._forget(time_ns)
        if not self.on and len(self._times) > self.rules.flood_begins:
            self.on = True
            self.count += 1

    def passed(self, now_ns: int) -> bool:
        """Time has passed; true when the flood has just ended."""
        self._forget(now_ns)
        if self.on and len(self._times) < self.rules.flood_ends:
            self.on = False
            return True
        return False

    def suppresses(self, severity: int) -> bool:
        """Whether an alarm of that severity is to be put aside now."""
        return self.on and priority_of(severity) in self.rules.flood_suppress

    def _forget(self, now_ns: int) -> None:
        while self._times and self._times[0] <= now_ns - TEN_MINUTES_NS:
            self._times.popleft()
