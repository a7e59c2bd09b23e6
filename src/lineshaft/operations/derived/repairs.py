"""History put right: what is missing is computed, what is marked is computed again.

One calculation after the other, each after all that it reads. A row is written only where it
differs from what is stored, and who reads it is marked, on record, before that: so it can be broken
off anywhere and done again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import msgspec

from lineshaft.core.errors import LineshaftError
from lineshaft.operations.derived.bank import Bank, Step
from lineshaft.operations.derived.calculation import Calculation
from lineshaft.operations.derived.changes import (
    changes_at,
    rows_given,
    waiting,
    with_next,
    without_waiting,
)
from lineshaft.operations.derived.differences import differences
from lineshaft.operations.derived.history import first_ns, loaded, replay
from lineshaft.operations.derived.marks import FOREVER, Mark
from lineshaft.operations.derived.outbox import Outbox
from lineshaft.operations.derived.rows import (
    Columns,
    batch_of,
    columns_of,
    merged,
    samples_of_result,
)
from lineshaft.operations.expressions.evaluator import Evaluator
from lineshaft.operations.expressions.graph import Touched
from lineshaft.operations.expressions.tails import LONG_AGO
from lineshaft.stores import Store

log = logging.getLogger(__name__)

PAUSE_S = 1.0
"""Seconds from one look at what is marked to the next: late samples are put right together."""
TOGETHER = 50
"""Calculations that share one wait for the store."""
SLICES_MAX = 20
"""Slices of one calculation before another has its turn."""


class Hands(NamedTuple):
    """What the engine lends: its lock, and ways to keep what comes of a step."""

    turn: asyncio.Lock
    keep: Callable[[Step], Awaitable[None]]
    """Publishes rows and puts marks on record; called with the lock."""
    keep_marks: Callable[[Sequence[Calculation]], Awaitable[None]]
    done: Callable[[Calculation], Awaitable[None]]
    """Puts on record what is left to do for one."""
    gone: Callable[[str, int, int], Awaitable[None]]
    """Tells that rows of a point between two times are deleted."""
    clock: Callable[[], int]


class Repairs:
    """Looks at history for whoever needs it."""

    def __init__(self, bank: Bank, store: Store, outbox: Outbox, hands: Hands) -> None:
        self._bank, self._store, self._outbox, self._hands = bank, store, outbox, hands
        self.news = asyncio.Event()

    async def run(self) -> None:
        """Put right what is marked, until cancelled."""
        while True:
            due = self._due()
            for start in range(0, len(due), TOGETHER):
                await self._serve_together(due[start : start + TOGETHER])
            self.news.clear()
            if not self._due():
                await self.news.wait()
            await asyncio.sleep(PAUSE_S)

    def _due(self) -> list[Calculation]:
        """Those with work: who had fewest turns first, then in the order of the graph."""
        bank = self._bank
        due = [p for p, c in bank.calculations.items() if c.has_work]
        ordered = [bank.calculations[p] for p in bank.graph.order(due)]
        return sorted(ordered, key=lambda c: c.served)

    async def _serve_together(self, calculations: Sequence[Calculation]) -> None:
        """Serve some after one wait for the store to have all that they have seen."""
        async with self._hands.turn:
            works = [_Work.begun(c) for c in calculations]
        try:
            await self._outbox.settled()
            for work in works:
                if not self._has_to_wait(work.calculation):
                    await self._serve(work)
                work.end()
        finally:
            for work in works:
                work.end()

    def _has_to_wait(self, calculation: Calculation) -> bool:
        """Whether something that it reads is not right yet."""
        there = self._bank.calculations
        if there.get(calculation.path) is not calculation:
            return True  # it was removed, or is defined otherwise now
        lower = self._bank.graph.reads(calculation.path)
        return any(there[p].has_work for p in lower if p in there)

    async def _serve(self, work: "_Work") -> None:
        calculation = work.calculation
        try:
            work.done = await self._put_right(calculation, work.mark)
        except LineshaftError as error:
            calculation.trouble = f"{calculation.path}: history cannot be put right: {error}"
            log.warning(
                "history not put right", extra={"point": calculation.path, "cause": str(error)}
            )

    async def _put_right(self, calculation: Calculation, mark: Mark | None) -> bool:
        """Whether the mark is done; what is left of it is marked again."""
        calculation.trouble = ""
        if calculation.evaluator is None:
            await self._place(calculation)
        if mark is not None:
            rest = await self._rewritten(calculation, mark)
            if rest is not None:
                async with self._hands.turn:
                    calculation.mark = rest.joined(calculation.mark)
                return True
        if calculation.evaluator is None and not await self._renewed(calculation):
            return False
        async with self._hands.turn:
            await self._hands.done(calculation)
        calculation.served = 0
        return True

    async def _place(self, calculation: Calculation) -> None:
        """Find out up to where rows are stored; where there are none, begin with what holds now."""
        compiled, kept = calculation.compiled, calculation.kept
        assert compiled is not None  # noqa: S101 - only what is compiled has work
        last = await self._store.last([calculation.path])
        if len(last):
            # Of rows given on change the last one may lie before the last that was calculated.
            begin = kept.from_ns if compiled.definition.on_change else kept.since_ns
            calculation.edge_ns = max(int(last.time_ns[0]), begin - 1)
            return
        newest = await self._store.before(compiled.inputs, self._hands.clock() + 1)
        if len(newest) == len(compiled.inputs):
            begin = min(kept.since_ns, int(newest.time_ns.max()))
            calculation.kept = msgspec.structs.replace(kept, since_ns=begin, from_ns=begin)
        calculation.edge_ns = calculation.kept.since_ns - 1

    # ---- rows that are there already

    async def _rewritten(self, calculation: Calculation, mark: Mark) -> Mark | None:
        """Write what differs in a span; what is left of it when the turn is over."""
        compiled = calculation.compiled
        assert compiled is not None  # noqa: S101 - only what is compiled has work
        start_ns, stop_ns = mark.start_ns, mark.stop_ns
        if compiled.definition.on_change:
            stop_ns = await with_next(self._store, compiled, stop_ns)
        stop_ns = min(stop_ns, calculation.until_ns + 1)
        if mark.gentle:
            start_ns = max(start_ns, await first_ns(self._store, compiled.inputs) or start_ns)
        if start_ns >= stop_ns:
            return None
        evaluator = await loaded(self._store, compiled, start_ns)
        changes = await changes_at(self._store, compiled, start_ns, calculation.kept.from_ns)
        slices = 0
        async for start, stop, result in replay(self._store, compiled, evaluator, stop_ns):
            every = samples_of_result(result, compiled.expression.type)
            stays_ns = None
            if changes and mark.gentle and changes.begun:
                stays_ns, every = waiting(every), without_waiting(every)
            rows = rows_given(changes, every)
            stored = columns_of(
                await self._store.read([calculation.path], start, stop), {calculation.path}
            )
            found = differences(
                stored.get(calculation.path), rows, gentle=mark.gentle, stays_ns=stays_ns
            )
            if found.span is not None:
                await self._tell(calculation, found.span, gentle=mark.gentle)
                await self._delete(calculation.path, found.gone)
                await self._outbox.publish(batch_of(calculation.path, found.written))
                calculation.changed += found.rows
            slices += 1
            if slices >= SLICES_MAX and stop < stop_ns:
                return Mark(start_ns=stop, stop_ns=mark.stop_ns, gentle=mark.gentle)
        return None

    async def _delete(self, path: str, spans: Sequence[tuple[int, int]]) -> None:
        """Delete rows; told before, so that it is on record, and again once they are gone."""
        if not spans:
            return
        start, stop = min(s for s, _ in spans), max(e for _, e in spans)
        await self._hands.gone(path, start, stop)
        for first, end in spans:
            await self._store.delete([path], first, end)
        await self._hands.gone(path, start, stop)

    async def _tell(self, calculation: Calculation, span: tuple[int, int], *, gentle: bool) -> None:
        """Mark who reads rows that are about to change; the last holds until the next one."""
        path = calculation.path
        if not self._bank.graph.above([path]):
            return
        after = await self._store.after([path], span[1])
        end = int(after.time_ns[0]) if len(after) else FOREVER
        async with self._hands.turn:
            marked = self._bank.touch([Touched(path, span[0], end)], gentle=gentle)
            await self._hands.keep_marks(marked)

    # ---- rows that are not there yet

    async def _renewed(self, calculation: Calculation) -> bool:
        """Give a calculation an evaluator that knows all; false when too much came meanwhile."""
        compiled = calculation.compiled
        assert compiled is not None  # noqa: S101 - only what is compiled has work
        evaluator = await loaded(self._store, compiled, calculation.until_ns + 1)
        begin_ns = evaluator.until_ns + 1
        changes = await changes_at(self._store, compiled, begin_ns, calculation.kept.from_ns)
        heard = self._bank.heard(calculation, self._hands.clock())
        target = min(heard.values(), default=LONG_AGO) - compiled.lateness_ns
        async for _, _, result in replay(self._store, compiled, evaluator, target + 1):
            rows = rows_given(changes, samples_of_result(result, compiled.expression.type))
            if len(rows.time_ns):
                await self._outbox.publish(batch_of(calculation.path, rows))
                calculation.rows += len(rows.time_ns)
                async with self._hands.turn:
                    now = self._hands.clock()
                    await self._hands.keep(
                        await self._bank.passed_on(calculation, {calculation.path: rows}, now)
                    )
        tail = await self._store.read(compiled.inputs, evaluator.until_ns + 1, FOREVER)
        arrived = columns_of(tail, set(compiled.inputs))
        async with self._hands.turn:
            calculation.changes = changes
            return await self._swapped(calculation, evaluator, arrived)

    async def _swapped(
        self, calculation: Calculation, evaluator: Evaluator, waiting: Columns
    ) -> bool:
        held = calculation.held()
        if held is None or self._bank.calculations.get(calculation.path) is not calculation:
            return False
        calculation.let_go()
        calculation.evaluator = evaluator
        calculation.newest_ns = evaluator.until_ns
        now = self._hands.clock()
        await self._hands.keep(await self._bank.give(calculation, merged(waiting, held), now))
        return True


class _Work:
    """What is to be done for one calculation; what was seen before it began is in the store."""

    def __init__(self, calculation: Calculation, mark: Mark | None) -> None:
        self.calculation, self.mark = calculation, mark
        self.done = self._ended = False

    @classmethod
    def begun(cls, calculation: Calculation) -> "_Work":
        """Take over what is marked now; what comes from now on is kept, or marks anew."""
        work = cls(calculation, calculation.mark)
        calculation.hold()
        if calculation.renew:
            calculation.forget()
        calculation.mark, calculation.renew, calculation.busy = None, False, True
        calculation.served += 1
        return work

    def end(self) -> None:
        """Give back what was not done; once is enough."""
        if self._ended:
            return
        self._ended = True
        self.calculation.let_go()
        self.calculation.busy = False
        if not self.done and self.mark is not None:
            self.calculation.mark = self.mark.joined(self.calculation.mark)
