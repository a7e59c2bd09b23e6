"""Samples of all selectors of an expression, read once and within the limits."""

import asyncio
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from lineshaft.core.access import Identity
from lineshaft.core.batch import BAD, Batch, Floats, Ints, Mask
from lineshaft.core.errors import Invalid, Refused
from lineshaft.core.point import Point
from lineshaft.historian.prometheus import syntax
from lineshaft.historian.prometheus.catalogue import Catalogue
from lineshaft.historian.prometheus.syntax import At, Node, Selector, Subquery
from lineshaft.stores import Store

SUBQUERY_STEP_NS = 60_000_000_000
"""Distance of the steps of a subquery that names none; that of Prometheus' default settings."""
TIME_NS_MAX = 2**62
"""Times beyond this are mistakes; and sums of two do not overflow."""
POINTS_AT_ONCE = 2000
"""Points in one question to the store."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one query may cost."""

    lookback_ns: int
    """How old the newest sample may be to stand for a series."""
    samples_max: int
    """Samples that may be read, and values that may be held."""


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Samples of one point."""

    labels: dict[str, str]
    time_ns: Ints
    value: Floats
    live: Mask
    """False where the sample is bad: from there on the series has no value."""


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """A selector, and the time that it looks into, both ends included."""

    selector: Selector
    start_ns: int
    stop_ns: int


def check_time(time_ns: int) -> None:
    """See that a range, an offset or `@` does not lead out of all times.

    Raises:
        Invalid: it does.
    """
    if abs(time_ns) >= TIME_NS_MAX:
        raise Invalid("a range, an offset or @ leads too far away to be a time")


Loaded = dict[Need, list[Series]]


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """First and last step of an evaluation, and of the whole query for `@ start()`."""

    first_ns: int
    last_ns: int
    start_ns: int
    end_ns: int

    def moved(self, at: At) -> tuple[int, int]:
        """First and last time that a part with this modifier is evaluated at."""
        fixed = {"start": self.start_ns, "end": self.end_ns, "at": at.time_ns}.get(at.fixed)
        first = (self.first_ns if fixed is None else fixed) - at.offset_ns
        last = (self.last_ns if fixed is None else fixed) - at.offset_ns
        check_time(first)
        check_time(last)
        return first, last

    def inner(self, node: Subquery) -> tuple["Span", int]:
        """The steps of a subquery, at whole multiples of their distance, and that distance."""
        step = node.step_ns or SUBQUERY_STEP_NS
        first, last = self.moved(node.at)
        check_time(first - node.range_ns)
        begin = -(-(first - node.range_ns) // step) * step
        end = begin + max(last - begin, -1) // step * step
        return msgspec.structs.replace(self, first_ns=begin, last_ns=end), step


def needs(node: Node, span: Span, limits: Limits) -> Iterator[Need]:
    """What must be read to evaluate the node over the span."""
    match node:
        case Selector():
            yield need(node, span, limits.lookback_ns)
        case syntax.Range():
            yield need(node.selector, span, node.range_ns)
        case Subquery():
            inner, step = span.inner(node)
            if (inner.last_ns - inner.first_ns) // step > limits.samples_max:
                raise _too_much(limits)
            if inner.first_ns <= inner.last_ns:
                yield from needs(node.expr, inner, limits)
        case _:
            for child in children(node):
                yield from needs(child, span, limits)


def need(selector: Selector, span: Span, range_ns: int) -> Need:
    """What the selector reads over the span, looking back by `range_ns`."""
    first, last = span.moved(selector.at)
    check_time(first - range_ns)
    return Need(selector=selector, start_ns=first - range_ns, stop_ns=last)


def children(node: Node) -> list[Node]:
    """The parts of a node."""
    match node:
        case syntax.Call():
            return list(node.args)
        case syntax.Negate():
            return [node.expr]
        case syntax.Binary():
            return [node.left, node.right]
        case syntax.Aggregate():
            return [node.expr] if node.parameter is None else [node.parameter, node.expr]
        case _:
            return []


class Loader:
    """Reads what queries need."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue

    async def load(
        self, wanted: Sequence[Need], who: Identity, limits: Limits, *, steps: int
    ) -> Loaded:
        """The samples of each need.

        Raises:
            Invalid: a regular expression is none.
            Refused: it would be more than the limits allow.
        """
        loaded: Loaded = {}
        left = limits.samples_max
        for one in dict.fromkeys(wanted):
            found = await self._catalogue.find(one.selector.matchers, who)
            if len(found) * steps > limits.samples_max:
                raise _too_much(limits)
            loaded[one] = await self._series(found, one, left, limits)
            left -= sum(len(s.time_ns) for s in loaded[one])
        return loaded

    async def _series(
        self, found: list[tuple[Point, dict[str, str]]], one: Need, left: int, limits: Limits
    ) -> list[Series]:
        labels = {point.path: of for point, of in found}
        paths = list(labels)
        series = []
        for at in range(0, len(paths), POINTS_AT_ONCE):
            part = paths[at : at + POINTS_AT_ONCE]
            batches = []
            async for batch in self._store.scan(part, one.start_ns, one.stop_ns + 1):
                left -= len(batch)
                if left < 0:
                    raise _too_much(limits)
                batches.append(batch)
            series += await asyncio.to_thread(_split, batches, labels)
        return series


def _too_much(limits: Limits) -> Refused:
    return Refused(
        "query processing would load too many samples into memory in query execution: more than"
        f" {limits.samples_max:,}",
        remedy="Ask for fewer series, a shorter range or larger steps, or raise"
        " `prometheus_samples_max` in the table [historian].",
    )


def _split(batches: list[Batch], labels: dict[str, dict[str, str]]) -> list[Series]:
    """One series per point that has samples; rows come sorted by point and time."""
    batch = Batch.concat([_usable(b) for b in batches])
    if not len(batch):
        return []
    index, names = batch.index, batch.points
    starts = np.flatnonzero(np.diff(index, prepend=-1))
    stops = np.append(starts[1:], len(index))
    time_ns, value, live = batch.time_ns, batch.number, (batch.quality & BAD) == 0
    return [
        Series(
            labels=labels[names[index[a]]],
            time_ns=time_ns[a:b],
            value=value[a:b],
            live=live[a:b],
        )
        for a, b in zip(starts.tolist(), stops.tolist(), strict=True)
    ]


def _usable(batch: Batch) -> Batch:
    """Without texts: a bad sample counts, since it ends what was before."""
    keep = batch.has_number | ((batch.quality & BAD) != 0)
    return batch if keep.all() else batch.take(keep)
