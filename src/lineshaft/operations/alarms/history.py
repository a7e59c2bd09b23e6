"""History for expressions: what their windows need to know before the first live sample."""

from collections.abc import AsyncGenerator, Sequence
from itertools import pairwise

from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid
from lineshaft.operations.alarms.evaluating import Rows, Signal, Signals
from lineshaft.operations.expressions.limits import TAIL_ROWS_MAX
from lineshaft.stores import Store

DAY_NS = 86_400_000_000_000
"""How far back expressions look at a start whose reach has no bound, such as `duration`."""
SLICE_ROWS = 100_000
"""Samples that are read at once, about."""


async def begun(store: Store, signal: Signal, from_ns: int, *, stop_ns: int = 2**62) -> list[Rows]:
    """Have an expression know history before `stop_ns`.

    Gives the value that held at `from_ns`, and the rows after it.

    Raises:
        Invalid: its windows hold more samples than an evaluator keeps.
    """
    expression = signal.expression
    reach = 0 if expression.reach_ns is not None else DAY_NS
    start_ns = from_ns - expression.lookback_ns - reach
    count = await store.count(signal.paths, start_ns, stop_ns)
    if count > TAIL_ROWS_MAX:
        raise Invalid(
            f"{expression.text!r} looks back over {count} samples, wanted at most {TAIL_ROWS_MAX}",
            remedy="Take shorter windows, or a derived point of its own.",
        )
    before = await store.before(signal.paths, start_ns)
    batch = Batch.concat([before, await store.read(signal.paths, start_ns, stop_ns)])
    return signal.begin(Signals({signal.key: signal}).columns(batch), from_ns)


async def slices(
    store: Store, points: Sequence[str], start_ns: int, stop_ns: int, count: int
) -> AsyncGenerator[Batch]:
    """The `count` samples of all the points, by time: one span after the other."""
    spans = max(-(-count // SLICE_ROWS), 1)
    edges = [start_ns + (stop_ns - start_ns) * k // spans for k in range(spans + 1)]
    for begin, end in pairwise(edges):
        batch = await store.read(points, begin, end)
        if len(batch):
            yield batch
