"""Samples from the store for followers: what held before, then steps of bounded size."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S
from lineshaft.operations.derived.history import bounded_ns
from lineshaft.operations.expressions.tails import Samples, values_of
from lineshaft.operations.frames.binding import Bound
from lineshaft.stores import Store

ROWS_MAX = 200_000
"""Samples in one step, as far as their density is known."""
STEP_NS_MAX = 4 * 86_400 * NS_PER_S
"""Longest step: what changes with the clock is looked at each second of it."""
COUNTED_NS = 120 * NS_PER_S
"""Spans up to this long are read without being counted first."""
WARM_NS = 3_600 * NS_PER_S
"""How far back is read of expressions without bound, as `duration` and `prev`."""


class Before(NamedTuple):
    """What is known of the time before a start."""

    columns: dict[str, Samples]
    """Since `since_ns`, and what held then."""
    older: dict[str, Samples]
    """What only windows need that reach farther back; none where there are no such."""
    since_ns: int


async def before(store: Store, bound: Bound, start_ns: int) -> Before:
    """All that the expressions need to know how things stood just before a time."""
    columns, since_ns = await _warm(store, bound, start_ns)
    wanted_ns = start_ns - max(e.lookback_ns for e in bound.expressions)
    if wanted_ns >= since_ns:
        return Before(columns, {}, since_ns)
    begin_ns = await bounded_ns(store, bound.points, wanted_ns, since_ns)
    parts = [
        await store.before(bound.points, begin_ns),
        await store.read(bound.points, begin_ns, since_ns),
    ]
    return Before(columns, columns_of(Batch.concat([p for p in parts if len(p)])), since_ns)


async def _warm(store: Store, bound: Bound, start_ns: int) -> tuple[dict[str, Samples], int]:
    """The samples of some time before a start, and since when."""
    points = bound.points
    back_ns = max(e.lookback_ns for e in bound.expressions)
    if any(e.reach_ns is None for e in bound.expressions):
        back_ns += WARM_NS
    since_ns = start_ns - back_ns
    if back_ns:
        since_ns = await step_end(store, points, start_ns, since_ns, backwards=True)
    held = await store.before(points, since_ns)
    parts = [held, await store.before(points, since_ns, usable=True)]
    if len(held) and back_ns:  # `prev` and `changed` look at one more
        parts.append(await store.before(points, int(held.time_ns.min())))
    if back_ns:
        parts.append(await store.read(points, since_ns, start_ns))
    columns = columns_of(Batch.concat([p for p in parts if len(p)]))
    if not any(e.every_ns for e in bound.expressions):
        return columns, since_ns
    # What changes with the clock would be looked at for each second since a very old sample.
    oldest_ns = since_ns - STEP_NS_MAX
    return {
        path: c._replace(time_ns=np.where(c.time_ns < oldest_ns, oldest_ns, c.time_ns))
        for path, c in columns.items()
    }, since_ns


async def step_end(
    store: Store, points: Sequence[str], start_ns: int, stop_ns: int, *, backwards: bool = False
) -> int:
    """How far a step from `start_ns` may go towards `stop_ns`."""
    low, high = (stop_ns, start_ns) if backwards else (start_ns, stop_ns)
    if high - low <= COUNTED_NS:
        return stop_ns
    span_ns = min(high - low, STEP_NS_MAX)
    low, high = (high - span_ns, high) if backwards else (low, low + span_ns)
    count = await store.count(points, low, high)
    if count > ROWS_MAX:
        span_ns = max(span_ns * ROWS_MAX // count, 1)
    return start_ns - span_ns if backwards else start_ns + span_ns


async def read(
    store: Store, points: Sequence[str], start_ns: int, stop_ns: int
) -> dict[str, Samples]:
    """Samples with `start_ns <= time < stop_ns`, by point."""
    return columns_of(await store.read(points, start_ns, stop_ns))


def columns_of(batch: Batch) -> dict[str, Samples]:
    """The samples of a batch by point."""
    if not len(batch):
        return {}
    names = batch.points
    # The same path may stand twice in the dictionary of joined batches.
    first = {name: place for place, name in reversed(list(enumerate(names)))}
    places = np.array([first[name] for name in names])
    index = places[batch.index]
    order = np.argsort(index, kind="stable")
    index, rows = index[order], batch.take(order)
    edges = np.flatnonzero(np.diff(index)) + 1
    found: dict[str, Samples] = {}
    for start, stop in zip([0, *edges.tolist()], [*edges.tolist(), len(index)], strict=True):
        part = rows.slice(start, stop)
        found[names[int(index[start])]] = Samples(part.time_ns, values_of(part), part.quality)
    return found
