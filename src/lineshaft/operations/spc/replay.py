"""History in slices that hold all points of a span together, as they came."""

from collections.abc import AsyncGenerator, Sequence

from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid
from lineshaft.stores import Store

ROWS = 200_000
"""Rows that one slice holds about."""
ROWS_MAX = 5_000_000
"""Rows that one question may read."""


async def slices(
    store: Store, points: Sequence[str], start_ns: int, stop_ns: int
) -> AsyncGenerator[tuple[Batch, int]]:
    """The samples in [`start_ns`, `stop_ns`) of all points, in time; each with where it ends.

    Raises:
        Invalid: there are more than `ROWS_MAX`.
    """
    count = await store.count(points, start_ns, stop_ns)
    if count > ROWS_MAX:
        raise Invalid(
            f"the span holds {count} samples, wanted at most {ROWS_MAX}",
            remedy="Take a shorter span, or let a phase begin later.",
        )
    if not count:
        return
    first = await store.after(points, start_ns)
    last = await store.before(points, stop_ns)
    begin = max(int(first.time_ns.min()), start_ns)
    waiting = [(begin, min(int(last.time_ns.max()) + 1, stop_ns))]
    while waiting:
        low, high = waiting.pop()
        if high - low > 1 and await store.count(points, low, high) > ROWS:
            middle = (low + high) // 2
            waiting += [(middle, high), (low, middle)]
            continue
        yield await store.read(points, low, high), high
