"""One evaluation over the samples at hand: parts that look back get their series here."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lineshaft.core.batch import Ints
from lineshaft.core.errors import Invalid
from lineshaft.operations.expressions.columns import (
    BAD,
    WAITING,
    Column,
    nothing,
    worst,
)
from lineshaft.operations.expressions.kernels import evaluate
from lineshaft.operations.expressions.limits import TICKS_MAX
from lineshaft.operations.expressions.tails import LONG_AGO, Rows, merged
from lineshaft.operations.expressions.tree import (
    WINDOWS,
    Apply,
    Input,
    Node,
    Now,
    Timed,
)
from lineshaft.operations.expressions.windows import Series, last_places, window


class Carry(NamedTuple):
    """What a `duration` knows of the time before the samples at hand."""

    at_ns: int
    """Up to here, this time included."""
    since_ns: int
    """Since when the condition is true; `at_ns` + 1 when it is not."""
    quality: int
    known: bool
    """Whether the condition had a value at all."""


class Marks(NamedTuple):
    """What parts that look back know of the past, by the identity of the node."""

    carries: dict[int, Carry]
    since: dict[int, int]
    """From when on a part looks at its argument; ticks before are not made again."""


class Run:
    """The samples of all inputs, and what was already worked out from them."""

    def __init__(self, rows: Sequence[Rows], marks: Marks, every_ns: int, end_ns: int) -> None:
        self._rows = rows
        self._columns = [r.column for r in rows]
        self._carries, self._since = marks
        self._every_ns = every_ns
        self._end_ns = end_ns
        self._bases: dict[frozenset[int], Ints] = {}
        self._series: dict[int, Series] = {}

    def at(self, node: Node, times: Ints) -> Column:
        """The values of a node at times, which rise."""

        def leaf(found: Node) -> Column:
            if isinstance(found, Input):
                rows = self._rows[found.number]
                return _held(Series(rows.time, self._columns[found.number]), times)
            if isinstance(found, Now):
                return Column(times)
            assert isinstance(found, Timed)  # noqa: S101 - nothing else is a leaf
            return self._timed(found, times)

        return evaluate(node, leaf)

    def base(self, inputs: frozenset[int]) -> Ints:
        """The times when any of the inputs has a sample."""
        if inputs not in self._bases:
            self._bases[inputs] = merged([self._rows[number].time for number in sorted(inputs)])
        return self._bases[inputs]

    def times(self, node: Node, after_ns: int, until_ns: int) -> Ints:
        """The times after one and up to another when a node is to be looked at."""
        events = self.base(node.inputs)
        lo, hi = np.searchsorted(events, (after_ns, until_ns), "right")
        found = events if hi - lo == len(events) else events[lo:hi]
        if node.clocked and self._every_ns and len(events) and events[0] <= until_ns:
            start = max(int(events[0]), after_ns + 1)
            found = merged([found, ticks(self._every_ns, start, until_ns)])
        return found

    def series(self, parent: Timed) -> Series:
        """The argument of a part that looks back, at the times of its own inputs."""
        node = parent.arg
        if id(node) not in self._series:
            if isinstance(node, Input):
                found = Series(self._rows[node.number].time, self._columns[node.number])
            else:
                after = self._since.get(id(parent), LONG_AGO) - 1
                times = self.times(node, after, self._end_ns)
                found = Series(times, self.at(node, times))
            self._series[id(node)] = found
        return self._series[id(node)]

    # ---- parts that look back

    def _timed(self, node: Timed, times: Ints) -> Column:
        if node.op == "duration":
            return self._duration(node, times)
        if node.op == "stale":
            last = self._latest(node, times)
            return Column((last < 0) | (times - self._base_of(node)[last] >= node.window_ns))
        series = self.series(node)
        if node.op in WINDOWS:
            return window(node, series, times)
        if node.op == "prev":
            return _at_places(series, last_places(series.time, times) - 1)
        return _changed(series, times)

    def _base_of(self, node: Timed) -> Ints:
        times = self.base(node.arg.inputs)
        return times if len(times) else np.zeros(1, dtype=np.int64)

    def _latest(self, node: Timed, times: Ints) -> Ints:
        return last_places(self.base(node.arg.inputs), times)

    def _duration(self, node: Timed, times: Ints) -> Column:
        own, since, quality = self._runs(node)
        place = last_places(own, times) + 1
        codes = quality[place]
        true = since[place] <= times
        held = np.where(true, times - since[place], 0)
        return Column(held, codes if codes.any() else None)

    def _runs(self, node: Timed) -> tuple[Ints, Ints, npt.NDArray[np.uint32]]:
        """Times at which the condition is looked at, since when it is true, and its quality.

        The latter two have one more element, at the front: what was carried over.
        """
        carry = self._carries.get(id(node))
        series = self.series(node)
        first = 0 if carry is None else int(np.searchsorted(series.time, carry.at_ns, "right"))
        own = series.time[first:]
        column = series.column.spread(len(series.time)).take(slice(first, None))
        codes = column.codes(len(own))
        true = column.data.astype(np.bool_) & (codes < BAD)
        far = np.iinfo(np.int64).max
        before = far if carry is None or carry.since_ns > carry.at_ns else carry.since_ns
        was = np.append(before != far, true[:-1]) if len(true) else true
        begun = np.where(true & ~was, own, np.iinfo(np.int64).min)
        if len(own) and true[0] and was[0]:
            begun[0] = before
        since = np.where(true, np.maximum.accumulate(begun), far)
        ahead = int(WAITING) if carry is None or not carry.known else carry.quality
        return own, np.append(before, since), np.append(np.uint32(ahead), codes)

    # ---- what must be kept when the samples up to a time are let go

    def cuts(self, node: Node, time_ns: int, cuts: list[int], marks: Marks) -> None:
        """Lower `cuts`, one an input, to what `node` needs to be evaluated from a time on.

        Of each input the samples after its cut are needed, and the last at or before it; `marks`
        take what is known of the time before.
        """
        if isinstance(node, Input):
            cuts[node.number] = min(cuts[node.number], time_ns)
        elif isinstance(node, Apply):
            for arg in node.args:
                self.cuts(arg, time_ns, cuts, marks)
        elif isinstance(node, Timed):
            if node.op == "duration":
                marks.carries[id(node)] = self._carried(node, time_ns)
            needed = marks.since[id(node)] = self._needed(node, time_ns)
            self.cuts(node.arg, needed, cuts, marks)

    def _needed(self, node: Timed, time_ns: int) -> int:
        begin = time_ns - node.window_ns
        if node.op in ("mean", "delta", "rate", "increase", "prev", "changed"):
            series = self.series(node)
            place = int(np.searchsorted(series.time, begin, "right")) - 1
            if node.op in ("prev", "changed"):
                place = max(place - 1, min(place, 0))
            elif node.op == "increase" and series.column.quality is not None:
                usable = np.flatnonzero(series.column.codes(len(series.time))[: place + 1] < BAD)
                place = int(usable[-1]) if len(usable) else -1
            begin = min(begin, int(series.time[place])) if place >= 0 else begin
        return begin if node.op != "stale" else time_ns

    def reaches(self, node: Timed, time_ns: int, whole_ns: int) -> bool:
        """Whether the samples at hand tell all that a part without a bound looks back at."""
        if node.op == "duration":
            own, since, _ = self._runs(node)
            place = int(np.searchsorted(own, time_ns, "right"))
            return bool(place > 0 and own[place - 1] >= whole_ns and since[place] > whole_ns)
        if node.op in ("prev", "changed", "increase"):
            series = self.series(node)
            lo, hi = np.searchsorted(series.time, (whole_ns, time_ns + 1))
            if node.op == "increase":
                return bool((series.column.codes(len(series.time))[lo:hi] < BAD).any())
            return bool(hi - lo > 1)
        return True

    def _carried(self, node: Timed, time_ns: int) -> Carry:
        own, since, quality = self._runs(node)
        place = int(np.searchsorted(own, time_ns, "right"))
        true = since[place] <= time_ns
        old = self._carries.get(id(node))
        known = place > 0 or (old is not None and old.known)
        return Carry(
            time_ns, int(since[place]) if true else time_ns + 1, int(quality[place]), known
        )


def ticks(every_ns: int, start_ns: int, end_ns: int) -> Ints:
    """The multiples of the grid from `start_ns` to `end_ns`, both included.

    Raises:
        Invalid: there are too many.
    """
    first = -(-start_ns // every_ns)
    last = end_ns // every_ns
    if last - first > TICKS_MAX:
        raise Invalid(
            f"{last - first} times of the grid lie in one step, wanted at most {TICKS_MAX}",
            remedy="Evaluate shorter spans, or on a coarser grid.",
        )
    return np.arange(first, last + 1, dtype=np.int64) * every_ns


def _held(series: Series, times: Ints) -> Column:
    """The last-known value at each time."""
    n = len(times)
    if series.time is times:
        return series.column
    if n and len(series.time) >= n:
        # Inputs that are read together have the same times: a view will do.
        first = int(np.searchsorted(series.time, times[0]))
        if np.array_equal(series.time[first : first + n], times):
            return series.column.take(slice(first, first + n))
    return _at_places(series, last_places(series.time, times))


def _at_places(series: Series, places: Ints) -> Column:
    absent = places < 0
    if not len(series.time):
        return nothing(len(places), WAITING, series.column)
    found = series.column.spread(len(series.time)).take(np.maximum(places, 0))
    if absent.any():
        quality = np.where(absent, WAITING, found.codes(len(places)))
        return Column(found.data, quality, found.words)
    return found


def _changed(series: Series, times: Ints) -> Column:
    """Whether a sample is just there that differs from the one before."""
    places = last_places(series.time, times)
    now, before = _at_places(series, places), _at_places(series, places - 1)
    if now.words is not None:
        words = np.array(now.words, dtype=np.object_)
        differs = words[now.data] != words[before.data]
    else:
        differs = now.data != before.data
    here = np.zeros(len(times), dtype=np.bool_)
    if len(series.time):
        here = series.time[np.maximum(places, 0)] == times
    quality = worst(now.quality, before.quality)
    if quality is not None:
        quality = np.where(here | (places < 0), quality, now.codes(len(times)))
    return Column(differs & here, quality)
