"""One pass over the history of many points, window of time by window.

So each row group of the store is decoded once, and not once for every few points.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from lineshaft.core.batch import Batch
from lineshaft.stores import Store

DAY_NS = 86_400 * 10**9
ROWS = 800_000
"""Rows that a window is to hold about; it is as long as the one before tells."""
ROWS_MAX = 1_000_000
"""Rows of one batch."""
FIRST_NS = 4 * DAY_NS
"""The first window: a shift, with a day before and after it."""
GROWTH_MAX = 4
"""How many times as long as the window before one may be."""


async def sweep(
    store: Store, points: Sequence[str], start_ns: int, stop_ns: int
) -> AsyncGenerator[Batch]:
    """The samples in [`start_ns`, `stop_ns`): each batch by point and time, each point in order."""
    low, width = start_ns, FIRST_NS
    while low < stop_ns:
        # A store keeps days together: where windows end with days, none is decoded twice.
        high = min(max((low + width) // DAY_NS * DAY_NS, low + 1), stop_ns)
        rows = 0
        async with aclosing(store.scan(points, low, high, rows_max=ROWS_MAX)) as batches:
            async for batch in batches:
                rows += len(batch)
                yield batch
        fitting = (high - low) * ROWS // max(rows, 1)
        width = max(min(fitting, width * GROWTH_MAX), DAY_NS)
        low = high
