"""One more value on a chart of single values, when nothing happens at it: without columns.

Most values of a live plant change nothing but where the process stands. What this finds is what
`Chart` and `walked` find, at a small part of the cost; as soon as anything happens it is theirs.
"""

import bisect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from lineshaft.operations.spc import Kind, Limits
from lineshaft.operations.spc.chart import SPREAD, Chart, State
from lineshaft.operations.spc.limits import spread_limits, value_limits
from lineshaft.operations.spc.memory import Sums
from lineshaft.operations.spc.rules import CARRY, PATTERNS, Rule

KINDS = (Kind.I_MR, Kind.EWMA, Kind.CUSUM)
"""Charts of single values; EWMA and CUSUM if their subgroups have one."""


class Point(NamedTuple):
    """Where the process stands after one more value."""

    state: State
    marks: tuple[str, ...]
    """What is complete at the value."""
    value: float
    spread: float | None


class Quiet:
    """Looks at one value after the other of a chart."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart
        self._starts = [p.start_ns for p in chart.phases]
        self._lines: dict[int, tuple[Limits, Limits | None]] = {}

    def at(self, time_ns: int, value: float) -> Point | None:
        """The point of a value; None when it is bad, or begins a phase, or is for columns."""
        chart = self._chart
        phase = bisect.bisect_right(self._starts, time_ns) - 1
        if phase < 0 or phase != chart.state.phase or math.isnan(value):
            return None
        if chart.kind not in KINDS or not self._is_single(phase):
            return None
        line, spread_line = self._limits(phase)
        if not line.sigma > 0:
            return None
        z = (value - line.centre) / line.sigma
        if chart.kind is Kind.EWMA:
            return self._ewma(z, line)
        if chart.kind is Kind.CUSUM:
            return self._cusum(z)
        return self._moving(value, z, spread_line)

    def _is_single(self, phase: int) -> bool:
        return self._chart.kind is Kind.I_MR or self._chart.phases[phase].known.size <= 1

    def _limits(self, phase: int) -> tuple[Limits, Limits | None]:
        if phase not in self._lines:
            kind = self._chart.kind
            known = msgspec.structs.replace(self._chart.phases[phase].known, size=1)
            spread = spread_limits(kind, known) if kind is Kind.I_MR else None
            self._lines[phase] = value_limits(kind, known), spread
        return self._lines[phase]

    def _moving(self, value: float, z: float, line: Limits | None) -> Point:
        state = self._chart.state
        spread = None if state.last is None else abs(value - state.last)
        whole = [math.nan if v is None else v for v in state.before]
        whole.append(z)
        marks = [rule.value for rule in completed(whole, self._chart.rules)]
        if line and spread is not None and (spread > line.upper or spread < line.lower):
            marks.append(SPREAD)
        before = [*state.before, None if math.isnan(z) else z][-CARRY:]
        after = msgspec.structs.replace(state, before=before, last=value)
        return Point(after, tuple(marks), value, spread)

    def _ewma(self, z: float, line: Limits) -> Point | None:
        state, memory = self._chart.state, self._chart.memory
        keep, seen = 1 - memory.weight, state.seen + 1
        level = keep * state.level + memory.weight * z
        wide = memory.width * math.sqrt(memory.weight / (2 - memory.weight))
        if abs(level) > wide * math.sqrt(1 - keep ** (2 * seen)):
            return None
        after = msgspec.structs.replace(state, level=level, seen=seen)
        return Point(after, (), line.centre + level * line.sigma, None)

    def _cusum(self, z: float) -> Point | None:
        state, memory = self._chart.state, self._chart.memory
        up = max(0.0, state.sums.upper + z - memory.slack)
        down = max(0.0, state.sums.lower - z - memory.slack)
        if up > memory.decision or down > memory.decision:
            return None
        return Point(msgspec.structs.replace(state, sums=Sums(up, down)), (), up, down)


def completed(z: Sequence[float], rules: Sequence[Rule]) -> list[Rule]:
    """Which patterns are complete with the last value; `z` are it and up to `CARRY` before it."""
    found = []
    last = len(z) - 1
    for rule in rules:
        pattern = PATTERNS[rule]
        begin = max(last - pattern.window + 1, 0)
        for hits in _HITS[pattern.of]:
            if hits(z, last) and (
                pattern.hits == 1
                or sum(hits(z, place) for place in range(begin, last + 1)) >= pattern.hits
            ):
                found.append(rule)
                break
    return found


_Hit = Callable[[Sequence[float], int], bool]
_HITS: Mapping[str, tuple[_Hit, ...]] = {
    "beyond 0": (lambda z, i: z[i] > 0, lambda z, i: -z[i] > 0),
    "beyond 1": (lambda z, i: z[i] > 1, lambda z, i: -z[i] > 1),
    "beyond 2": (lambda z, i: z[i] > 2, lambda z, i: -z[i] > 2),  # noqa: PLR2004
    "beyond 3": (lambda z, i: z[i] > 3, lambda z, i: -z[i] > 3),  # noqa: PLR2004
    "within 1": (lambda z, i: abs(z[i]) <= 1,),
    "outside 1": (lambda z, i: abs(z[i]) > 1,),
    "step": (lambda z, i: i > 0 and z[i] > z[i - 1], lambda z, i: i > 0 and -z[i] > -z[i - 1]),
    "turn": (lambda z, i: i > 1 and (z[i - 2] < z[i - 1] > z[i] or z[i - 2] > z[i - 1] < z[i]),),
}
"""What is a hit; of both sides one after the other."""
