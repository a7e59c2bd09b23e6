"""Floods, as they happen: when more alarms come than anybody can answer, the least are put aside.

Source: ISA-18.2-2016 and EEMUA 191 (more than 10 in 10 minutes, until fewer than 5).
"""

from collections import deque
from collections.abc import Iterable, Mapping

from lineshaft.core.path import is_under
from lineshaft.operations.alarms.metrics import TEN_MINUTES_NS
from lineshaft.operations.alarms.rules import AlarmRules, priority_of
from lineshaft.operations.alarms.state import State

BY = "flood"
"""Name of this logic among the suppressors of an alarm."""
REMEMBERED_MAX = 100_000
"""Activations of the last ten minutes that are counted; a flood it is long before."""


class Flood:
    """Whether there is a flood now, at one operator position."""

    def __init__(
        self, rules: AlarmRules, times_ns: Iterable[int] = (), *, on: bool = False
    ) -> None:
        self.rules = rules
        self.on = on
        self.count = 0
        """Floods since the start."""
        self._times = deque(sorted(times_ns), REMEMBERED_MAX)

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


class Floods:
    """The floods of all operator positions: each counts, and puts aside, its own alarms."""

    def __init__(self, rules: AlarmRules) -> None:
        self.rules = rules
        branches = sorted(rules.flood_branches, key=len, reverse=True)
        self._at = {branch: Flood(rules) for branch in (*branches, "")}
        """From the deepest branch on; the last has what stands beneath none."""
        self._ended = 0

    @property
    def on(self) -> int:
        """At how many positions there is a flood."""
        return sum(f.on for f in self._at.values())

    @property
    def count(self) -> int:
        """Floods since the start."""
        return self._ended + sum(f.count for f in self._at.values())

    def of(self, path: str) -> Flood:
        """The flood of the position that an alarm on this path belongs to."""
        return next(flood for branch, flood in self._at.items() if is_under(path, branch))

    def again(self, rules: AlarmRules, states: Mapping[str, list[State]], now_ns: int) -> "Floods":
        """The floods as they are under these rules, of alarms in these states, by path."""
        made = Floods(rules)
        made._ended = self.count
        times: dict[str, list[int]] = {branch: [] for branch in made._at}
        on = {b for b, f in self._at.items() if f.on and b in made._at}
        for path, some in states.items():
            branch = next(b for b in made._at if is_under(path, b))
            times[branch] += [s.active_ns for s in some if s.active_ns > now_ns - TEN_MINUTES_NS]
            if any(BY in s.suppressors for s in some):
                on.add(branch)
        for branch, rang in times.items():
            counted = rang if rules.flood_suppress else ()
            made._at[branch] = Flood(rules, counted, on=branch in on)
        return made

    def passed(self, now_ns: int) -> list[Flood]:
        """Time has passed; the floods that have just ended."""
        return [f for f in self._at.values() if f.passed(now_ns)]
