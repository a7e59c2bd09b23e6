"""How a chart comes to work: baselines are learned, and what has passed is read."""

import asyncio

from lineshaft.operations.expressions.tails import LONG_AGO
from lineshaft.operations.spc import past
from lineshaft.operations.spc.feed import TEXTS, Find
from lineshaft.operations.spc.settings import ChartTable
from lineshaft.operations.spc.watcher import Happening, Kept, Watcher
from lineshaft.stores import Store

SILENT_NS = 10_000_000_000
"""After so long a silence the last value of a point counts for charts that wait for it."""
TROUBLES_TOLD = 20
"""Charts that never plot anything and are named one by one."""


def blind(chart: ChartTable, find: Find) -> str:
    """Why no sample can ever be plotted; empty where one may."""
    point = find(chart.point)
    if point is None:
        return f"chart {chart.name!r} waits for the point {chart.point!r}, which nobody has named"
    if point.kind in TEXTS:
        return f"chart {chart.name!r} wants numbers, {point.path!r} has {point.kind.value}"
    return ""


async def joined(
    store: Store, chart: ChartTable, find: Find, kept: Kept | None, now_ns: int
) -> tuple[Watcher, list[Happening]]:
    """A chart at work up to what the store has, and what happened since it was kept.

    Of a chart that is new nothing is told: how the process stood before it is known, not news.

    Raises:
        Invalid: an expression is wrong, or a baseline cannot be learned yet.
    """
    if kept is not None:
        watcher = Watcher(chart, find, kept)
        return watcher, await catch_up(store, watcher, now_ns)
    phases = await past.resolved(store, chart, find)
    watcher = Watcher(chart, find, Kept(mark=chart.mark, phases=phases))
    own = max((p.start_ns for p in phases if p.start_ns <= now_ns), default=now_ns)
    begin, _ = await past.warm_ns(store, list(watcher.feed.points), own, now_ns)
    await _read(store, watcher, begin, begin, now_ns)
    return watcher, []


async def catch_up(store: Store, watcher: Watcher, now_ns: int) -> list[Happening]:
    """Read from the store what a chart has not seen; what happened in it."""
    newest = watcher.feed.newest
    starts = [p.start_ns for p in watcher.phases if p.start_ns <= now_ns]
    begin = min(newest.values()) if newest else max(starts, default=now_ns)
    return await _read(store, watcher, begin, LONG_AGO, now_ns)


async def _read(
    store: Store, watcher: Watcher, begin_ns: int, from_ns: int, now_ns: int
) -> list[Happening]:
    told: list[Happening] = []
    async for part in past.parts(store, watcher.feed, begin_ns, 2**62):
        if part.columns:
            # The newest stored time may have more to come.
            heard = min(part.stop_ns - 2, now_ns - SILENT_NS)
            told += watcher.push(part.columns, heard_ns=heard, from_ns=from_ns)
            await asyncio.sleep(0)
    watcher.forget_late()
    return told
