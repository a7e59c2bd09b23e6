"""One template on one asset, followed through time: rows go in, frames come out.

The one way in which frames are made, live and from history: what comes out does not depend on how
time is cut into steps.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np

from lineshaft.core.clock import NS_PER_S
from lineshaft.operations.derived.history import joined
from lineshaft.operations.derived.rows import taken
from lineshaft.operations.expressions.evaluator import Evaluator
from lineshaft.operations.expressions.results import Result
from lineshaft.operations.expressions.tails import LONG_AGO, Samples
from lineshaft.operations.expressions.tree import Type
from lineshaft.operations.frames.binding import Bound
from lineshaft.operations.frames.feed import Before
from lineshaft.operations.frames.frame import Frame, opened
from lineshaft.operations.frames.signals import Edges, Signal
from lineshaft.operations.frames.taking import Taker

MINUTE_NS = 60 * NS_PER_S
_CLOSE, _OPEN = 0, 1


class Step(NamedTuple):
    """What a step brought."""

    closed: list[Frame]
    """Frames that ended and lasted long enough, by start."""
    open: Frame | None
    """The one that is open now, if it has lasted long enough."""


class Follower:
    """What is known of one template on one asset, up to `until_ns`."""

    def __init__(self, bound: Bound) -> None:
        self.bound = bound
        template = bound.template
        self._min_ns = round(template.min_s * NS_PER_S)
        self._max_ns = round(template.max_s * NS_PER_S)
        self._evaluators = [Evaluator(e.plan, 0) for e in bound.expressions]
        self._clocked = any(e.every_ns for e in bound.expressions)
        self._begin = Signal(bound.begin.type)
        self._end = None if bound.end is None else Signal(Type.BOOL)
        self._takers = [Taker(texts=e.type is Type.STRING) for e in bound.attributes]
        self.until_ns = LONG_AGO
        """All up to this time, it included, has been seen."""
        self.start_ns: int | None = None
        """Beginning of the frame that is open, whether or not it has lasted long enough."""
        self._first: Frame | None = None
        """The frame that is open, as it was at its beginning."""
        self._minute, self._in_minute = 0, 0
        self.over = 0
        """Frames that were one too many in their minute, and not kept."""

    def warm_up(self, known: Before, before_ns: int, *, minute: tuple[int, int] = (0, 0)) -> None:
        """Know how things stood just before a time; no frame comes of it.

        `minute` is the one that holds this time (since the epoch), and how many kept frames
        began in it before.
        """
        begin, end, attributes = self._rows(known.columns, before_ns - 1, known)
        self._begin.push(begin)
        if self._end is not None and end is not None:
            self._end.push(end)
        for taker, rows in zip(self._takers, attributes, strict=True):
            taker.push(rows)
            taker.skip()
        self._minute, self._in_minute = minute

    def push(self, columns: Mapping[str, Samples], until_ns: int) -> Step:
        """Take all samples after `until_ns` of before, up to the new one, this time included."""
        if not (self._clocked or any(path in columns for path in self.bound.points)):
            self.until_ns = until_ns
            return self._unmoved(until_ns)
        begin, end, attributes = self._rows(columns, until_ns)
        edges = self._begin.push(begin)
        ends = edges if self._end is None or end is None else self._end.push(end)
        closes = edges.falls if self._end is None else ends.rises
        for taker, rows in zip(self._takers, attributes, strict=True):
            taker.push(rows)
        closed: list[Frame] = []
        for time_ns, what in _in_order(edges, closes):
            self._cut(time_ns, closed)
            if what == _OPEN:
                self._opens(time_ns)
            elif self.start_ns is not None and time_ns > self.start_ns:
                self._closes(time_ns, closed)
        self._cut(until_ns + 1, closed)
        if self.start_ns is not None:
            for taker in self._takers:
                taker.rest()
        return Step(closed, self.open)

    def _unmoved(self, until_ns: int) -> Step:
        """A step without samples, in which nothing changes but that time passes."""
        closed: list[Frame] = []
        self._cut(until_ns + 1, closed)
        return Step(closed, self.open)

    @property
    def open(self) -> Frame | None:
        """The open frame, if it has lasted long enough and is not one too many."""
        if self.start_ns is None or self.until_ns < self.start_ns + self._min_ns:
            return None
        minute = self.start_ns // MINUTE_NS
        full = self._in_minute >= self.bound.template.per_minute_max
        return None if minute == self._minute and full else self._first

    def so_far(self) -> Frame | None:
        """The open frame with the values that it would have, were it to end now."""
        frame = self.open
        if frame is None:
            return None
        values = [taker.so_far(self.until_ns) for taker in self._takers]
        named = {
            a.name: v[a.take] for a, v in zip(self.bound.template.attributes, values, strict=True)
        }
        return msgspec.structs.replace(frame, attributes=named)

    def _rows(
        self, columns: Mapping[str, Samples], until_ns: int, known: Before | None = None
    ) -> tuple[Result, Result | None, list[Result]]:
        self.until_ns = until_ns
        found = []
        for evaluator, expression in zip(self._evaluators, self.bound.expressions, strict=True):
            paths = [p.path for p in evaluator.plan.points]
            mine = {path: columns[path] for path in paths if path in columns}
            if known and known.older and until_ns - expression.lookback_ns < known.since_ns:
                found.append(_reaching_back(evaluator, mine, known, until_ns))
                continue
            found.append(evaluator.push(mine, heard_ns=until_ns))
        if self._end is None:
            return found[0], None, found[1:]
        return found[0], found[1], found[2:]

    def _opens(self, time_ns: int) -> None:
        if self.start_ns is not None:
            return
        self.start_ns = time_ns
        frame = opened(self.bound.template, self.bound.asset, time_ns)
        for taker in self._takers:
            taker.open(time_ns)
        first = {
            a.name: t.so_far(time_ns)["begin"]
            for a, t in zip(self.bound.template.attributes, self._takers, strict=True)
            if a.take == "begin"
        }
        self._first = msgspec.structs.replace(frame, attributes=first)

    def _cut(self, before_ns: int, closed: list[Frame]) -> None:
        """End what has lasted `max_s` before a time."""
        if self.start_ns is not None and self.start_ns + self._max_ns < before_ns:
            self._closes(self.start_ns + self._max_ns, closed, cut=True)

    def _closes(self, end_ns: int, closed: list[Frame], *, cut: bool = False) -> None:
        frame, start_ns = self._first, self.start_ns
        if frame is None or start_ns is None:
            return
        self.start_ns = self._first = None
        values = {
            a.name: t.close(end_ns)[a.take]
            for a, t in zip(self.bound.template.attributes, self._takers, strict=True)
        }
        if end_ns - start_ns < self._min_ns:
            return
        minute = start_ns // MINUTE_NS
        if minute != self._minute:
            self._minute, self._in_minute = minute, 0
        if self._in_minute >= self.bound.template.per_minute_max:
            self.over += 1
            return
        self._in_minute += 1
        closed.append(msgspec.structs.replace(frame, end_ns=end_ns, cut=cut, attributes=values))


def _reaching_back(
    evaluator: Evaluator, mine: Mapping[str, Samples], known: Before, until_ns: int
) -> Result:
    """Rows of an expression whose windows reach back farther than what is gone through."""
    older = {p.path: known.older[p.path] for p in evaluator.plan.points if p.path in known.older}
    evaluator.begin(older, known.since_ns - 1)
    since = {
        path: taken(s, np.flatnonzero(s.time_ns >= known.since_ns)) for path, s in mine.items()
    }
    return joined([evaluator.look(), evaluator.push(since, heard_ns=until_ns)])


def _in_order(edges: Edges, closes: np.ndarray) -> list[tuple[int, int]]:
    """Closings and openings by time; what ends at a time ends before what begins then."""
    times = np.concatenate((closes, edges.rises))
    what = np.concatenate((np.full(len(closes), _CLOSE), np.full(len(edges.rises), _OPEN)))
    order = np.lexsort((what, times))
    return list(zip(times[order].tolist(), what[order].tolist(), strict=True))
