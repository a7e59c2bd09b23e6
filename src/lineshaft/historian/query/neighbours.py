"""The samples around a span that its aggregates need to know."""

from collections.abc import Awaitable, Callable, Sequence

from lineshaft.core.batch import Batch
from lineshaft.core.quality import is_good
from lineshaft.historian.query import Aggregate
from lineshaft.stores import Store

TRIES_MAX = 100
"""Doubtful samples of a point that are passed over in search of a good one."""


async def neighbours(
    store: Store, paths: Sequence[str], span: tuple[int, int], do: Aggregate
) -> list[Batch]:
    """Of each point the nearest samples before and after the span, and the nearest of use."""
    start_ns, stop_ns = span

    async def before(points: Sequence[str], time_ns: int) -> Batch:
        return await store.before(points, time_ns, usable=True)

    async def after(points: Sequence[str], time_ns: int) -> Batch:
        return await store.after(points, time_ns + 1, usable=True)

    found = [await store.before(paths, start_ns), await store.after(paths, stop_ns)]
    found += await _usable(before, paths, start_ns, do, wanted=1 + do.sloped_extrapolation)
    found += await _usable(after, paths, stop_ns - 1, do, wanted=1)
    return found


async def _usable(
    ask: Callable[[Sequence[str], int], Awaitable[Batch]],
    paths: Sequence[str],
    time_ns: int,
    do: Aggregate,
    *,
    wanted: int,
) -> list[Batch]:
    """The nearest samples that are not bad, until `wanted` of each point are of use."""
    first = await ask(paths, time_ns)
    found = [first]
    for row in first.rows():
        left, last = wanted, row
        for _ in range(TRIES_MAX):
            left -= is_good(last.quality) or not do.treat_uncertain_as_bad
            if left <= 0:
                break
            more = await ask([row.point], last.time_ns)
            if not len(more):
                break
            found.append(more)
            last = next(more.rows())
    return found
