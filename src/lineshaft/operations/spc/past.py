"""Charts on history: the same feed and chart, fed from the store."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from lineshaft.core.errors import Invalid
from lineshaft.operations.expressions.limits import TICKS_MAX
from lineshaft.operations.expressions.tails import Samples
from lineshaft.operations.spc import Baseline, Kind
from lineshaft.operations.spc.chart import Chart, Phase, Plotted, joined
from lineshaft.operations.spc.feed import Feed, Find, Measured, split
from lineshaft.operations.spc.grouping import Groups, Waiting, subgroups
from lineshaft.operations.spc.limits import of_groups, of_values
from lineshaft.operations.spc.replay import slices
from lineshaft.operations.spc.rules import CARRY
from lineshaft.operations.spc.settings import GROUPED, ChartTable, PhaseTable
from lineshaft.operations.spc.watcher import chart_of
from lineshaft.stores import Store
from lineshaft.web import times

WARM_ROWS = 2_000_000
"""Samples read before a span, at most, to know how the chart stood at its beginning."""
GRID_MAX = 5 * TICKS_MAX
"""Times of the grid that one answer may look at."""
_STEP_NS = 60_000_000_000
FEWEST = 2
"""Points that a baseline needs at least."""
LEARNED_MIN = 20
"""Points that a baseline needs that is learned without anybody looking at it."""


class Part(NamedTuple):
    """The samples of a slice by point, and where it ends."""

    columns: dict[str, Samples]
    stop_ns: int
    warm: bool = False
    """Whether it lies before the span, and is only to be known."""


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What a span says of a process."""

    start_ns: int
    stop_ns: int
    known: Baseline
    values: int
    """Measurements of good quality in it."""
    points: int
    """Subgroups, samples or single values."""


async def parts(store: Store, feed: Feed, start_ns: int, stop_ns: int) -> AsyncGenerator[Part]:
    """All that a feed needs for the measurements in [`start_ns`, `stop_ns`), in time."""
    paths = list(feed.points)
    begin = start_ns - feed.lookback_ns
    if feed.parts:
        earlier = split(await store.before(paths, begin), feed.points)
        if earlier:
            yield Part(earlier, begin, warm=True)
    async for batch, end in slices(store, paths, begin, start_ns):
        yield Part(split(batch, feed.points), end, warm=True)
    if begin < start_ns:
        yield Part({}, start_ns, warm=True)
    async for batch, end in slices(store, paths, start_ns, stop_ns):
        yield Part(split(batch, feed.points), end)
    newest = await store.before(paths, stop_ns)
    if len(newest):
        yield Part({}, min(stop_ns, max(int(newest.time_ns.max()) + 1, start_ns)))


async def measured(
    store: Store, chart: ChartTable, find: Find, start_ns: int, stop_ns: int
) -> Measured:
    """The measurements of a span.

    Raises:
        Invalid: the span holds too many samples, or an expression is wrong.
    """
    feed = Feed(chart, find)
    found = []
    await _check_grid(store, feed, start_ns, stop_ns)
    async for part in parts(store, feed, start_ns, stop_ns):
        given = await asyncio.to_thread(_fed, feed, part, start_ns)
        found += [one for one in given if len(one.time_ns)]
    if not found:
        return Measured(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0), None)
    sizes, keys = (
        np.concatenate([one[column] for one in found]) if found[0][column] is not None else None
        for column in (2, 3)
    )
    times_ns = np.concatenate([one.time_ns for one in found])
    return Measured(times_ns, np.concatenate([one.values for one in found]), sizes, keys)


def groups_of(chart: ChartTable, found: Measured) -> Groups | None:
    """The subgroups of measurements; None for kinds that plot single ones."""
    if chart.kind not in GROUPED or chart.size == 1:
        return None
    kind = chart.kind if chart.kind is Kind.XBAR_S else Kind.XBAR_R
    done, _ = subgroups(kind, chart.size, Waiting(), found.time_ns, found.values, found.keys)
    return done


async def learn(
    store: Store,
    chart: ChartTable,
    find: Find,
    start_ns: int,
    stop_ns: int,
    *,
    fewest: int = FEWEST,
) -> Learned:
    """The baseline of a span.

    Raises:
        Invalid: the span holds too little, or too much.
    """
    found = await measured(store, chart, find, start_ns, stop_ns)
    good = ~np.isnan(found.values)
    if found.sizes is not None and chart.size_point:
        good &= found.sizes > 0
    groups = groups_of(chart, found)
    count = int(good.sum()) if groups is None else len(groups.time_ns)
    if count < fewest:
        raise Invalid(
            f"chart {chart.name!r}: the span holds {count} points of good quality,"
            f" wanted at least {fewest}, better 25",
            remedy="Take a longer span, or one in which the machine ran.",
        )
    if groups is not None:
        known = of_groups(chart.kind, groups.mean, groups.spread, groups.size, chart.size)
    else:
        sizes = found.sizes[good] if found.sizes is not None and chart.size_point else None
        known = of_values(chart.kind, found.values[good], sizes, chart.size)
    return Learned(
        start_ns=start_ns, stop_ns=stop_ns, known=known, values=int(good.sum()), points=count
    )


async def resolved(store: Store, chart: ChartTable, find: Find) -> tuple[Phase, ...]:
    """The phases of a chart in nanoseconds and numbers; what is to be learned is learned now.

    Raises:
        Invalid: a span to learn from holds too little, or phases do not follow each other.
    """
    found = [await _phase(store, chart, find, table) for table in chart.phases]
    if any(b.start_ns <= a.start_ns for a, b in itertools.pairwise(found)):
        raise Invalid(
            f"chart {chart.name!r}: phases do not follow each other", remedy="Order them by start."
        )
    return tuple(found)


async def _phase(store: Store, chart: ChartTable, find: Find, table: PhaseTable) -> Phase:
    if table.learn is None:
        start_ns = times.time_ns(table.start) if table.start else 0
        known = Baseline(centre=table.centre or 0.0, sigma=table.sigma or 0.0, size=chart.size)
        return Phase(start_ns=start_ns, known=known)
    begin, end = times.span_ns(table.learn.start, table.learn.stop)
    done = await learn(store, chart, find, begin, end, fewest=LEARNED_MIN)
    return Phase(start_ns=times.time_ns(table.start) if table.start else end, known=done.known)


async def _few_ns(store: Store, point: str, begin_ns: int, start_ns: int) -> int:
    """From where to read a point for as many samples before `start_ns` as patterns look back."""
    back = _STEP_NS
    while (low := start_ns - back) > begin_ns:
        if await store.count([point], low, start_ns) >= CARRY + 2:
            return low
        back *= 4
    return begin_ns


async def warm_ns(
    store: Store, points: Sequence[str], begin_ns: int, start_ns: int
) -> tuple[int, bool]:
    """From where to read so that a chart stands at `start_ns` as it does live; whether exactly.

    From the beginning of the phase, unless that is too many samples: then from the latest time
    before that makes not too many, halving.
    """
    if begin_ns >= start_ns:
        return begin_ns, True
    first = await store.after(points, begin_ns)
    begin = max(begin_ns, int(first.time_ns.min())) if len(first) else start_ns
    exact = True
    while begin < start_ns and await store.count(points, begin, start_ns) > WARM_ROWS:
        begin, exact = (begin + start_ns) // 2 + 1, False
    return min(begin, start_ns), exact


async def _check_grid(store: Store, feed: Feed, start_ns: int, stop_ns: int) -> None:
    """See that a span holds no more times of the grid than one answer may look at."""
    every_ns, paths = feed.every_ns, list(feed.points)
    last = await store.before(paths, stop_ns)
    if not every_ns or not len(last):
        return
    first = await store.after(paths, start_ns)
    begin_ns = max(int(first.time_ns.min()), start_ns) if len(first) else stop_ns
    count = (min(int(last.time_ns.max()), stop_ns) - begin_ns) // every_ns
    if count > GRID_MAX:
        raise Invalid(
            f"chart {feed.chart.name!r}: the span holds {count} times of the grid, wanted at most"
            f" {GRID_MAX}",
            remedy="Take a shorter span.",
        )


def _fed(feed: Feed, part: Part, begin_ns: int) -> list[Measured]:
    """What a part measures, all of it: one push gives only so many times of the grid."""
    heard = part.stop_ns - 1
    if part.warm and feed.parts:
        feed.warm(part.columns, heard)
        return []
    found = [feed.push(part.columns, heard_ns=heard, from_ns=begin_ns)]
    while feed.behind(heard):
        found.append(feed.push({}, heard_ns=heard, from_ns=begin_ns))
    return found


def _step(feed: Feed, chart: Chart, part: Part, begin_ns: int) -> list[Plotted]:
    return [chart.push(*one) for one in _fed(feed, part, begin_ns)]


async def plot(
    store: Store,
    chart: ChartTable,
    find: Find,
    phases: tuple[Phase, ...],
    start_ns: int,
    stop_ns: int,
) -> tuple[Plotted, bool]:
    """The points in [`start_ns`, `stop_ns`) as a chart that ran all the time gives them.

    The flag tells whether they are exactly those: where the phase began too many samples ago,
    subgroups may be cut elsewhere.

    Raises:
        Invalid: the span holds too many samples, or an expression is wrong.
    """
    feed, made = Feed(chart, find), chart_of(chart, phases)
    earlier = [p.start_ns for p in phases if p.start_ns <= start_ns]
    own = max(earlier, default=phases[0].start_ns)
    if feed.parts or chart.kind in GROUPED:
        begin, exact = await warm_ns(store, list(feed.points), own, start_ns)
    else:
        begin, exact = await _few_ns(store, chart.point, own, start_ns), True
    grid_ns = TICKS_MAX * feed.every_ns
    if grid_ns and begin < start_ns - grid_ns:
        begin, exact = start_ns - grid_ns, False
    await _check_grid(store, feed, begin, stop_ns)
    found = []
    async for part in parts(store, feed, begin, stop_ns):
        for one in await asyncio.to_thread(_step, feed, made, part, begin):
            kept = one.time_ns >= start_ns
            if kept.any():
                found.append(one if kept.all() else chosen(one, kept))
    return joined(found, len(made.marks) - 1), exact


def chosen(plotted: Plotted, rows: np.ndarray[tuple[int], np.dtype[np.generic]]) -> Plotted:
    """Some of the points."""
    return Plotted(**{f: getattr(plotted, f)[..., rows] for f in Plotted.__struct_fields__})
