"""Asks the store: the text checked, the rights put in, as many at once as the settings allow."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Annotated

import pyarrow as pa
from msgspec import Meta

from lineshaft.core.access import Identity
from lineshaft.core.clock import NS_PER_US, now_ns, to_iso
from lineshaft.core.errors import Unavailable
from lineshaft.core.point import Point
from lineshaft.core.settings import Settings
from lineshaft.historian.namespace import Namespace
from lineshaft.historian.sql.parsing import Parser
from lineshaft.historian.sql.rewriting import POINTS, Ready, prepare
from lineshaft.stores import Question, Store

POINTS_SCHEMA = pa.schema(
    [
        pa.field("point", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("description", pa.string(), nullable=False),
        pa.field("class", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("address", pa.string(), nullable=False),
        pa.field("writable", pa.bool_(), nullable=False),
    ]
)
"""The view `points`."""
WAIT_S = 5.0
"""Seconds that a query waits for others to end."""
WAITING_MAX = 32


class Limits(Settings, frozen=True):
    """What SQL may take."""

    sql_s: Annotated[float, Meta(gt=0, le=3600)] = 30.0
    """Seconds that a query in SQL may take."""
    sql_memory_mb: Annotated[int, Meta(ge=64)] = 256
    """MB of memory that a query in SQL may take."""
    sql_rows_max: Annotated[int, Meta(ge=1)] = 1_000_000
    """Rows in one answer to a query in SQL."""
    sql_concurrent: Annotated[int, Meta(ge=1, le=64)] = 2
    """Queries in SQL that run at the same time; more wait for five seconds, then are refused."""


class Sql:
    """Answers queries in SQL."""

    def __init__(self, store: Store, namespace: Namespace, limits: Limits) -> None:
        self.limits = limits
        self.running = 0
        """Queries that run now."""
        self.refused = 0
        """Queries that were refused since too many ran."""
        self._store = store
        self._namespace = namespace
        self._parser = Parser()
        self._free = asyncio.Semaphore(limits.sql_concurrent)
        self._waiting = 0

    async def check(self, text: str, who: Identity) -> Ready:
        """The query as it would be run.

        Raises:
            Invalid: it is no single SELECT, or holds what is not allowed.
        """
        now = to_iso(now_ns() // NS_PER_US * NS_PER_US)
        return await asyncio.to_thread(prepare, text, who.branches, now, self._parser)

    async def ask(self, text: str, who: Identity) -> AsyncGenerator[pa.RecordBatch]:
        """The answer; the first batch may be empty and tells the columns of all.

        Raises:
            Invalid: the text cannot be taken.
            Unavailable: too many ask, or time or memory ran out.
        """
        ready = await self.check(text, who)
        tables = {}
        if POINTS in ready.views:
            tables[POINTS] = await self._points(who)
        question = Question(
            text=ready.text,
            tables=tables,
            points=ready.points,
            start_ns=ready.start_ns,
            stop_ns=ready.stop_ns,
            timeout_s=self.limits.sql_s,
            memory_mb=self.limits.sql_memory_mb,
        )
        async with self._turn(), contextlib.aclosing(self._store.sql(question)) as answer:
            async for batch in answer:
                yield batch

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None]:
        try:
            if self._waiting >= WAITING_MAX:
                raise TimeoutError
            self._waiting += 1
            try:
                async with asyncio.timeout(WAIT_S):
                    await self._free.acquire()
            finally:
                self._waiting -= 1
        except TimeoutError:
            self.refused += 1
            raise Unavailable(
                f"{self.running} queries in SQL are running, which is as many as may",
                remedy="Try again in a moment, or raise sql_concurrent in [historian].",
            ) from None
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self._free.release()

    async def _points(self, who: Identity) -> pa.Table:
        """The points that the caller may know."""
        known = self._namespace.page(who, limit=len(self._namespace) + 1)
        rows = await asyncio.to_thread(lambda: [_row(p) for p in known])
        return await asyncio.to_thread(pa.Table.from_pylist, rows, schema=POINTS_SCHEMA)


def _row(point: Point) -> dict[str, object]:
    return {
        "point": point.path,
        "kind": point.kind.value,
        "unit": point.unit,
        "low": point.low,
        "high": point.high,
        "description": point.description,
        "class": point.class_,
        "source": point.source,
        "address": point.address,
        "writable": point.writable,
    }
