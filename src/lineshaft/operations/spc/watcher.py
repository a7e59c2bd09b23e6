"""One chart at work: samples in, and out comes what happened, in order."""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from lineshaft.operations.expressions.tails import LONG_AGO, Samples
from lineshaft.operations.spc.chart import Chart, Memory, Phase, Plotted
from lineshaft.operations.spc.chart import State as ChartState
from lineshaft.operations.spc.feed import Feed, FeedState, Find
from lineshaft.operations.spc.quiet import Quiet
from lineshaft.operations.spc.settings import ChartTable


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One point with the patterns that are complete at it."""

    time_ns: int
    marks: tuple[str, ...]
    """Rules such as `nelson-2`, or `ewma`, `cusum`, `spread`."""
    value: float | None
    spread: float | None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a process stands."""

    marks: tuple[str, ...] = ()
    """What is complete at the newest point; empty: in control."""
    since_ns: int = 0
    """Since when it is in control, or out of it; source time."""
    time_ns: int = 0
    """Of the newest point; 0 before the first."""
    value: float | None = None
    spread: float | None = None
    phase: int = -1
    plotted: int = 0
    """Points so far."""
    late: int = 0
    """Samples left out because a newer one of their point had come before."""
    lost: int = 0
    """Measurements given up because too many waited for another point."""
    last: Violation | None = None
    """The newest violation."""


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a chart."""

    what: Literal["violated", "returned", "phase_started"]
    time_ns: int
    """Source time of the point."""
    marks: tuple[str, ...] = ()
    """Of a violation the patterns that were not complete at the point before."""
    value: float | None = None
    spread: float | None = None
    phase: int = 0
    out: bool = False
    """Whether anything is complete at the point."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """All that the records hold of a chart at work."""

    mark: str
    """Of the definition that it was made under."""
    phases: tuple[Phase, ...]
    feed: FeedState = FeedState()
    chart: ChartState = ChartState()
    standing: Standing = Standing()


def chart_of(
    table: ChartTable, phases: tuple[Phase, ...], state: ChartState | None = None
) -> Chart:
    """The chart that a definition asks for."""
    memory = Memory(
        weight=table.weight, width=table.width, slack=table.slack, decision=table.decision
    )
    return Chart(table.kind, phases, rules=table.patterns, memory=memory, state=state)


class Watcher:
    """Feed and chart of one definition, and how the process stands."""

    def __init__(self, table: ChartTable, find: Find, kept: Kept) -> None:
        """Go on where `kept` is.

        Raises:
            Invalid: an expression is wrong, or there is no phase.
        """
        self.table, self.phases = table, kept.phases
        self.feed = Feed(table, find, kept.feed)
        self.chart = chart_of(table, kept.phases, kept.chart)
        self._quiet = Quiet(self.chart)
        self.standing = kept.standing
        self._late = kept.standing.late
        self._lost = kept.standing.lost

    def push(
        self, columns: dict[str, Samples], *, heard_ns: int | None = None, from_ns: int = LONG_AGO
    ) -> list[Happening]:
        """Take samples by point; what they bring about, by time."""
        if self._was_quiet(columns, from_ns):
            return []
        measured = self.feed.push(columns, heard_ns=heard_ns, from_ns=from_ns)
        plotted = self.chart.push(*measured)
        self.standing, told = walked(self.chart.marks, self.standing, plotted)
        late, lost = self._late + self.feed.late, self._lost + self.feed.lost
        if (late, lost) != (self.standing.late, self.standing.lost):
            self.standing = msgspec.structs.replace(self.standing, late=late, lost=lost)
        return told

    def _was_quiet(self, columns: dict[str, Samples], from_ns: int) -> bool:
        """Whether there was one value, at which nothing happened; then it is taken in."""
        one = self.feed.one(columns, from_ns)
        point = None if one is None else self._quiet.at(*one)
        standing = self.standing
        if one is None or point is None or point.marks != standing.marks:
            return False
        if self.chart.state.phase != standing.phase:
            return False
        last, (time_ns, _) = standing.last, one
        if point.marks:
            last = Violation(
                time_ns=time_ns, marks=point.marks, value=point.value, spread=point.spread
            )
        self.feed.taken(time_ns)
        self.chart.state = point.state
        self.standing = msgspec.structs.replace(
            standing,
            time_ns=time_ns,
            value=point.value,
            spread=point.spread,
            plotted=standing.plotted + 1,
            last=last,
        )
        return True

    def forget_late(self) -> None:
        """What was read again from history was not late."""
        self.feed.late = 0
        self.standing = msgspec.structs.replace(self.standing, late=self._late)

    def kept(self) -> Kept:
        """What must be kept."""
        return Kept(
            mark=self.table.mark,
            phases=self.phases,
            feed=self.feed.state(),
            chart=self.chart.state,
            standing=self.standing,
        )


def flags(plotted: Plotted) -> NDArray[np.bool_]:
    """Which mark is complete at which point: (len(marks), k)."""
    return np.vstack([plotted.rules, plotted.spread_out[None, :]])


def walked(
    marks: tuple[str, ...], standing: Standing, plotted: Plotted
) -> tuple[Standing, list[Happening]]:
    """How the process stands after more points, and what happened at them.

    A point of bad quality neither violates nor returns to control.
    """
    good = np.flatnonzero(~np.isnan(plotted.value))
    if not len(good):
        return standing, []
    table = flags(plotted)[:, good]
    phase = plotted.phase[good]
    first = np.array([m in standing.marks for m in marks])[:, None]
    before = np.concatenate([first, table[:, :-1]], axis=1)
    new_phase = phase != np.append(standing.phase, phase[:-1])
    told: list[Happening] = []
    since, last = standing.since_ns, standing.last
    moves = (table != before).any(axis=0) | new_phase
    for place in np.flatnonzero(moves).tolist() if moves.any() else ():
        replace = msgspec.structs.replace
        found = replace(_at(plotted, int(good[place])), out=bool(table[:, place].any()))
        if new_phase[place]:
            told.append(replace(found, what="phase_started"))
        fresh = _names(marks, table[:, place] & ~before[:, place])
        if fresh:
            told.append(replace(found, what="violated", marks=fresh))
        elif before[:, place].any() and not found.out:
            told.append(replace(found, what="returned"))
        if found.out != before[:, place].any() or not since:
            since = found.time_ns
    out = np.flatnonzero(table.any(axis=0))
    if len(out):
        point = _at(plotted, int(good[out[-1]]))
        last = Violation(
            time_ns=point.time_ns,
            marks=_names(marks, table[:, out[-1]]),
            value=point.value,
            spread=point.spread,
        )
    newest = _at(plotted, int(good[-1]))
    after = msgspec.structs.replace(
        standing,
        marks=_names(marks, table[:, -1]),
        since_ns=since,
        time_ns=newest.time_ns,
        value=newest.value,
        spread=newest.spread,
        phase=newest.phase,
        plotted=standing.plotted + len(good),
        last=last,
    )
    return after, told


def _names(marks: tuple[str, ...], row: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(m for m, on in zip(marks, row.tolist(), strict=True) if on)


def _at(plotted: Plotted, place: int) -> Happening:
    """A point, as what happens at it is told."""
    spread = float(plotted.spread[place])
    return Happening(
        what="returned",
        time_ns=int(plotted.time_ns[place]),
        value=float(plotted.value[place]),
        spread=None if np.isnan(spread) else spread,
        phase=int(plotted.phase[place]),
    )
