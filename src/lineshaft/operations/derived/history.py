"""Rows from what the store holds: in slices, so that a year takes no more memory than an hour."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import numpy as np

from lineshaft.core.clock import NS_PER_S
from lineshaft.operations.derived.definition import Compiled
from lineshaft.operations.derived.rows import Columns, columns_of, merged
from lineshaft.operations.expressions.evaluator import Evaluator
from lineshaft.operations.expressions.limits import TAIL_ROWS_MAX
from lineshaft.operations.expressions.results import Result
from lineshaft.operations.expressions.tails import FAR_AHEAD, LONG_AGO
from lineshaft.stores import Store

SLICE_ROWS_MAX = 200_000
"""Samples read at once."""
SLICE_TICKS_MAX = 100_000
"""Times of the grid computed at once."""
ROWS_ON_LOOP_MAX = 2_000
"""Samples and times of the grid that are calculated on the event loop."""
BACK_NS = 3600 * NS_PER_S
"""How far the first look goes for what has no bound."""
BACK_FACTOR = 8


async def loaded(store: Store, compiled: Compiled, at_ns: int) -> Evaluator:
    """An evaluator whose next row is the first one at `at_ns` or later, with all that it needs.

    Of one input at most `TAIL_ROWS_MAX` samples are read, as many as it keeps for its windows.
    """
    lookback = compiled.expression.lookback_ns
    wanted = at_ns - lookback
    back = max(lookback, BACK_NS)
    while True:
        begin = await bounded_ns(store, compiled.inputs, wanted, at_ns)
        evaluator = compiled.expression.evaluator(compiled.lateness_ns)
        columns, whole_ns = await _history(store, compiled.inputs, begin, at_ns)
        evaluator.load(columns, at_ns - 1)
        rows = sum(len(s.time_ns) for s in columns.values())
        bounded = compiled.expression.reach_ns is not None
        if bounded or begin > wanted or whole_ns == LONG_AGO or rows > TAIL_ROWS_MAX:
            return evaluator
        if evaluator.reaches(at_ns - lookback - 1, whole_ns):
            return evaluator
        wanted, back = wanted - back, back * BACK_FACTOR


async def bounded_ns(store: Store, inputs: Sequence[str], begin_ns: int, stop_ns: int) -> int:
    """From where to read so that no input has more than `TAIL_ROWS_MAX` samples before a time.

    The start that was wanted, or a later one from which there are at least half as many.
    """

    async def most(since_ns: int) -> int:
        return max([await store.count([p], since_ns, stop_ns) for p in inputs])

    together = await store.count(inputs, begin_ns, stop_ns)
    if together <= TAIL_ROWS_MAX or await most(begin_ns) <= TAIL_ROWS_MAX:
        return begin_ns
    low, high = begin_ns, stop_ns
    while high - low > 1:
        middle = (low + high) // 2
        count = await most(middle)
        low, high = (middle, high) if count > TAIL_ROWS_MAX else (low, middle)
        if TAIL_ROWS_MAX // 2 <= count <= TAIL_ROWS_MAX:
            break
    return high


async def _history(
    store: Store, inputs: Sequence[str], begin_ns: int, stop_ns: int
) -> tuple[Columns, int]:
    """Samples from a time on, with the last one before it; and from when on none is missing."""
    begin_ns = min(begin_ns, stop_ns - 1)
    before = await store.before(inputs, begin_ns + 1)
    columns = columns_of(before, set(inputs))
    if begin_ns + 1 < stop_ns:
        rows = await store.read(inputs, begin_ns + 1, stop_ns)
        columns = merged(columns, columns_of(rows, set(inputs)))
    whole_ns = LONG_AGO
    for row in before.rows():
        if len(await store.before([row.point], row.time_ns)):
            whole_ns = max(whole_ns, row.time_ns)
    return columns, whole_ns


async def replay(
    store: Store, compiled: Compiled, evaluator: Evaluator, stop_ns: int
) -> AsyncGenerator[tuple[int, int, Result]]:
    """The rows from where the evaluator is up to `stop_ns`, in slices with their bounds.

    Bounds follow each other without a gap; a slice may hold no row.
    """
    inputs = compiled.inputs
    # An evaluator hears of no later time than this, and would never come there.
    stop_ns = min(stop_ns, FAR_AHEAD - compiled.lateness_ns)
    while (start := evaluator.until_ns + 1) < stop_ns:
        stop = await _slice(store, compiled, start, stop_ns)
        columns = columns_of(await store.read(inputs, start, stop), set(inputs))
        heard = stop - 1 + compiled.lateness_ns
        yield start, stop, await _aside(columns, evaluator, heard, stop)


async def _aside(columns: Columns, evaluator: Evaluator, heard_ns: int, stop_ns: int) -> Result:
    """The rows of one slice; a large one is calculated off the event loop."""

    def pushed() -> Result:
        found = [evaluator.push(columns, heard_ns=heard_ns)]
        while evaluator.until_ns < stop_ns - 1:
            found.append(evaluator.push({}, heard_ns=heard_ns))
        return joined(found)

    every_ns = evaluator.plan.every_ns
    ticks = (stop_ns - evaluator.until_ns) // every_ns if every_ns else 0
    large = ticks + sum(len(s.time_ns) for s in columns.values()) > ROWS_ON_LOOP_MAX
    return await asyncio.to_thread(pushed) if large else pushed()


async def _slice(store: Store, compiled: Compiled, start_ns: int, stop_ns: int) -> int:
    """Where the next slice ends."""
    every_ns = compiled.expression.every_ns
    if every_ns:
        stop_ns = min(stop_ns, start_ns + every_ns * SLICE_TICKS_MAX)
    while await store.count(compiled.inputs, start_ns, stop_ns) > SLICE_ROWS_MAX:
        middle = start_ns + (stop_ns - start_ns) // 2
        if middle <= start_ns:
            break
        stop_ns = middle
    return stop_ns


def joined(results: Sequence[Result]) -> Result:
    """Results that follow each other."""
    if len(results) == 1:
        return results[0]
    return Result(
        np.concatenate([r.time_ns for r in results]),
        np.concatenate([r.values for r in results]),
        np.concatenate([r.quality for r in results]),
        dropped=sum(r.dropped for r in results),
    )


async def first_ns(store: Store, inputs: Sequence[str]) -> int | None:
    """The time of the oldest sample of any of the points; None where there is none."""
    oldest = await store.after(inputs, LONG_AGO)
    return int(oldest.time_ns.min()) if len(oldest) else None
