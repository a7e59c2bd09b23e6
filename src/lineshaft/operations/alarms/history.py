"""History for alarms: what windows need from before the first live sample, and what holds now."""

import logging
from collections.abc import AsyncGenerator, Sequence
from itertools import pairwise

from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid, LineshaftError
from lineshaft.operations.alarms.evaluating import Rows, Signal, Signals
from lineshaft.operations.alarms.judging import Judge, Told
from lineshaft.operations.alarms.metrics import TEN_MINUTES_NS
from lineshaft.operations.expressions.limits import TAIL_ROWS_MAX
from lineshaft.stores import Store

DAY_NS = 86_400_000_000_000
"""How far back expressions look at a start whose reach has no bound, such as `duration`."""
SLICE_ROWS = 100_000
"""Samples that are read at once, about."""
LOOK_BACK_NS = TEN_MINUTES_NS
"""How far before a start expressions are worked out again, to find what was not judged."""

log = logging.getLogger(__name__)


async def known(
    store: Store, judge: Judge, signals: Sequence[Signal], now_ns: int
) -> AsyncGenerator[tuple[list[Told], set[str]]]:
    """Have expressions know history, and judge what holds now and nobody has judged.

    A point that is told only when it changes may stand beyond a limit for days; so an alarm that
    is new begins with the value that the store has.
    """
    for signal in signals:
        fresh = judge.fresh(signal.key)
        from_ns = now_ns - (signal.wait_ns if fresh else LOOK_BACK_NS)
        try:
            rows = await begun(store, signal, from_ns)
        except LineshaftError as error:
            log.warning("history not known", extra={"cause": str(error)})
            continue
        yield judge.take(rows)
    try:
        held = await store.before(judge.unheard(), now_ns + 1)
    except LineshaftError as error:
        log.warning("present values not known", extra={"cause": str(error)})
        held = Batch.empty()
    yield judge.stand(held, now_ns)


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
