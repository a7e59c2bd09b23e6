"""Where questions are answered: looked up, priced, and read with bounded force."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from typing import NamedTuple, TypeVar

import pyarrow as pa

from lineshaft.core.access import SYSTEM, Identity
from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid, Unavailable
from lineshaft.core.point import Point
from lineshaft.historian.namespace import Namespace
from lineshaft.historian.query import (
    Aggregate,
    At,
    Chart,
    Cost,
    Curves,
    Filter,
    Last,
    Query,
    Raw,
    aggregating,
    charts,
    raw,
    single,
    wide,
)
from lineshaft.historian.query.aggregating import cut_of
from lineshaft.historian.query.answers import LONG, Answer, kinds_of, long_rows
from lineshaft.historian.query.explore import Stored, explored
from lineshaft.historian.query.filters import Sieve, spells
from lineshaft.historian.query.pages import Mark, cursor_of, mark_of
from lineshaft.historian.query.plan import Plan, plan
from lineshaft.stores import Store

T = TypeVar("T")


class Limits(NamedTuple):
    """What one question may take, and how many may be read at the same time."""

    rows_max: int = 500_000_000
    cells_max: int = 10_000_000
    seconds: float = 120.0
    together: int = 4


class Budget:
    """The time that one question has; what its reader takes does not count."""

    def __init__(self, limits: Limits, gate: asyncio.Semaphore) -> None:
        self._limits = limits
        self._gate = gate
        self._left_s = limits.seconds

    async def spend(self, work: Awaitable[T]) -> T:
        """Do a part of the work, once there is a place for it.

        Raises:
            Unavailable: the time has run out.
        """
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.timeout(max(self._left_s, 0.001)), self._gate:
                return await work
        except TimeoutError:
            raise Unavailable(
                f"the question took longer than {self._limits.seconds:g} s",
                remedy="Ask for a shorter span or fewer points, or raise `query_s` in the table"
                " [historian].",
            ) from None
        finally:
            self._left_s -= loop.time() - begun

    async def each(self, items: AsyncGenerator[T]) -> AsyncGenerator[T]:
        """The items, each fetched within the time that is left."""
        async with aclosing(items):
            while True:
                try:
                    item = await self.spend(anext(items))
                except StopAsyncIteration:
                    return
                yield item


class Questions:
    """Answers questions to history.

    Each part of an answer is read in its turn, a few questions at the same time, so that however
    many are asked, what comes in is kept without delay.
    """

    def __init__(self, store: Store, names: Namespace, limits: Limits | None = None) -> None:
        self._store = store
        self._names = names
        self._limits = limits or Limits()
        self._gate = asyncio.Semaphore(self._limits.together)

    def plan(self, query: Query, who: Identity = SYSTEM) -> Plan:
        """See what is asked for, and that it may be asked.

        Raises:
            Missing: a point does not exist, or is not for the asker to know.
            Invalid: the question makes no sense.
        """
        return plan(query, self._names, who)

    async def cost(self, wanted: Plan, *, paged: bool = False) -> Cost:
        """What the question would take."""
        return await self._budget().spend(self._cost(wanted, paged=paged))

    async def ask(self, wanted: Plan, *, paged: bool = False) -> Answer:
        """The answer, once it is known that it can be paid for.

        `paged`: of raw samples one page only; else all of them.

        Raises:
            Invalid: it would take more than the limits.
        """
        budget = self._budget()
        cost = await budget.spend(self._cost(wanted, paged=paged))
        self._check(cost)
        sieve = await budget.spend(self._sieve(wanted))
        schema, batches, kinds = LONG, None, kinds_of(wanted.points)
        if isinstance(wanted.query.do, Aggregate):
            schema, batches = await self._aggregates(wanted, sieve)
            kinds = aggregating.kinds_of(wanted)
        elif wanted.wide:
            schema = wide.schema_of(wanted.points, qualities=wanted.query.qualities)
        _check_names(schema)
        answer = Answer(
            schema=schema,
            kinds=kinds,
            start_ns=wanted.start_ns,
            stop_ns=wanted.stop_ns,
            cost=cost,
        )
        if batches is None:
            batches = self._batches(wanted, sieve, answer, paged=paged)
        answer.batches = budget.each(batches)
        return answer

    async def _aggregates(
        self, wanted: Plan, sieve: Sieve
    ) -> tuple[pa.Schema, AsyncGenerator[pa.RecordBatch]]:
        cut = await cut_of(wanted, self._limits.cells_max)
        reckoning = aggregating.Reckoning(self._store, wanted, sieve, cut)
        if wanted.wide:
            return aggregating.wide_schema(wanted, cut), aggregating.wide(reckoning, wanted, cut)
        return aggregating.long_schema(cut), aggregating.long(reckoning, wanted, cut)

    def _batches(
        self, wanted: Plan, sieve: Sieve, answer: Answer, *, paged: bool
    ) -> AsyncGenerator[pa.RecordBatch]:
        match wanted.query.do:
            case Raw() if wanted.wide:
                return self._wide(wanted, sieve, answer, paged=paged)
            case Raw() if paged:
                return self._page(wanted, sieve, answer)
            case Raw():
                return _long(raw.stream(self._store, wanted, sieve))
            case Last():
                return _long(single.last(self._store, wanted, sieve))
            case At():
                return single.at(self._store, wanted, sieve)
            case Chart():
                return self._chart(wanted, sieve)
            case Aggregate():
                raise AssertionError("aggregates have columns of their own")

    async def curves(self, wanted: Plan) -> Curves:
        """The answer to a question for a chart.

        Raises:
            Invalid: it would take more than the limits.
        """
        budget = self._budget()
        self._check(await budget.spend(self._cost(wanted)))
        sieve = await budget.spend(self._sieve(wanted))
        drawn = await budget.spend(charts.Drawing(self._store, wanted, sieve).lines())
        return charts.curves(wanted, drawn)

    async def explored(self, points: Sequence[Point]) -> list[Stored]:
        """What there is of each point."""
        return await self._budget().spend(explored(self._store, points))

    # ---- the price

    def _budget(self) -> Budget:
        return Budget(self._limits, self._gate)

    async def _cost(self, wanted: Plan, *, paged: bool = False) -> Cost:
        query, points = wanted.query, len(wanted.points)
        whiles = [c.point.path for c in wanted.conditions]
        rows = await self._count(whiles, wanted) if whiles else 0
        match query.do:
            case Raw():
                width = (1 + points * (1 + query.qualities)) if wanted.wide else len(LONG)
                if paged:
                    rows += query.limit
                    return Cost(rows=rows, cells=query.limit * width)
                rows += await self._count(wanted.paths, wanted)
                return Cost(rows=rows, cells=0)
            case Last():
                return Cost(rows=points, cells=points * len(LONG))
            case At(times=times):
                return Cost(rows=rows + points * len(times), cells=points * len(times) * len(LONG))
            case Chart(samples_max=most):
                if wanted.query.filter != Filter():  # no roll-up knows what it keeps
                    rows += await self._count(wanted.paths, wanted)
                return Cost(rows=rows + points * most, cells=points * most * 3)
            case Aggregate(functions=functions):
                cut = await cut_of(wanted, self._limits.cells_max)
                rows += await self._count(wanted.paths, wanted)
                return Cost(rows=rows, cells=points * len(functions) * len(cut.intervals) * 3)

    async def _count(self, paths: Sequence[str], wanted: Plan) -> int:
        return await self._store.count(paths, wanted.start_ns, wanted.stop_ns)

    def _check(self, cost: Cost) -> None:
        for name, found, most, setting in (
            ("read", cost.rows, self._limits.rows_max, "query_rows_max"),
            ("hold", cost.cells, self._limits.cells_max, "query_cells_max"),
        ):
            if found > most:
                what = "samples" if name == "read" else "values"
                raise Invalid(
                    f"the answer would {name} {found} {what}, and the limit is {most}",
                    remedy="Ask for a shorter span, fewer points or longer intervals, or raise"
                    f" `{setting}` in the table [historian].",
                )

    # ---- the work

    async def _sieve(self, wanted: Plan) -> Sieve:
        whiles = [
            await spells(self._store, c, wanted.start_ns, wanted.stop_ns) for c in wanted.conditions
        ]
        return Sieve(wanted.query.filter, whiles)

    async def _page(
        self, wanted: Plan, sieve: Sieve, answer: Answer
    ) -> AsyncGenerator[pa.RecordBatch]:
        page = raw.Page(self._store, wanted, sieve)
        async with aclosing(page.read(mark_of(wanted.query.cursor))) as batches:
            async for batch in batches:
                yield long_rows(batch)
        answer.cursor = cursor_of(page.next)

    async def _wide(
        self, wanted: Plan, sieve: Sieve, answer: Answer, *, paged: bool
    ) -> AsyncGenerator[pa.RecordBatch]:
        mark = mark_of(wanted.query.cursor)
        left = wanted.query.limit if paged else None
        start_ns = mark.time_ns if mark else wanted.start_ns
        async with aclosing(wide.stream(self._store, wanted, sieve, start_ns)) as batches:
            async for batch in batches:
                if left is not None and batch.num_rows > left:
                    time_ns = batch.column(0).cast(pa.int64())[left].as_py()
                    answer.cursor = cursor_of(Mark(wanted.start_ns, wanted.stop_ns, "", time_ns))
                    if left:
                        yield batch.slice(0, left)
                    return
                if left is not None:
                    left -= batch.num_rows
                yield batch

    async def _chart(self, wanted: Plan, sieve: Sieve) -> AsyncGenerator[pa.RecordBatch]:
        drawn = await charts.Drawing(self._store, wanted, sieve).lines()
        yield await asyncio.to_thread(charts.table, drawn)


def _check_names(schema: pa.Schema) -> None:
    ((twice, count),) = Counter(schema.names).most_common(1)
    if count > 1:
        raise Invalid(
            f"two columns of the answer would be named {twice!r}",
            remedy="Ask in the shape long, or without that point.",
        )


async def _long(batches: AsyncGenerator[Batch]) -> AsyncGenerator[pa.RecordBatch]:
    async with aclosing(batches):
        async for batch in batches:
            if len(batch):
                yield long_rows(batch)
