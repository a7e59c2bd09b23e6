"""Keeps samples in ClickHouse: a server, a cluster, or its engine in this process.

One table, sorted by point and time, in which the last write of a key wins (ReplacingMergeTree).
Appends that wait are joined into one insert, which is on the disk when it returns, and whose rows
are counted afterwards; only then are they acknowledged.

`dsn` names the server: `clickhouse://lineshaft@db:8123/default`. Without it the engine runs in
this process, with its files in the data folder; that is for trials, since the Parquet store needs
less memory. With `cluster` the tables are made on all its servers, rows spread by point; with
`replicated` each shard keeps copies. When to move here, and how: docs/guide/clickhouse.md.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import pyarrow as pa
from msgspec import Meta

from lineshaft.core.batch import Batch, Ints
from lineshaft.core.errors import Unavailable
from lineshaft.core.settings import Secret, Settings
from lineshaft.stores import (
    Counts,
    Health,
    Question,
    Retained,
    Rule,
    Storage,
    Store,
    check_edges,
)
from lineshaft.stores import _sql as sql_engine
from lineshaft.stores.clickhouse.engine import Engine
from lineshaft.stores.clickhouse.reading import Reading
from lineshaft.stores.clickhouse.retention import retain
from lineshaft.stores.clickhouse.tables import Layout
from lineshaft.stores.clickhouse.writer import Order, Writer

T = TypeVar("T")

SQL_ROWS_MAX = 5_000_000
"""Samples that are handed over for one SELECT."""
SAVE_S = 300.0
"""Seconds after which the newest samples are written down."""


class ClickHouse(Store):
    """A store in ClickHouse."""

    class Config(Settings, frozen=True):
        """What the settings table may say."""

        dsn: str = ""
        """Address as `clickhouse://user@host:8123/database` (`clickhouses://` with TLS); empty runs
        the engine in this process, with its files in `path`."""
        password: Secret = msgspec.field(default_factory=Secret)
        """Better as `{ env = "CLICKHOUSE_PASSWORD" }` or `{ file = "/run/secrets/clickhouse" }`."""
        path: str = ""
        """Folder for the engine in this process; empty means the folder that the plant gives it."""
        database: str = "lineshaft"
        """Database of the tables; made if it is missing."""
        table: str = "samples"
        """Name of the table; those beside it begin with it."""
        cluster: str = ""
        """Name of a cluster: the table is made on all its servers, rows are spread by point."""
        replicated: bool = False
        """Whether the table has copies, and an append waits for most of them."""
        partition_days: Annotated[int, Meta(ge=1, le=3650)] = 7
        """Days in one partition; retention drops whole partitions where it can. It holds for tables
        that are yet to be made."""
        pace_s: Annotated[float, Meta(ge=0, le=10)] = 0.1
        """Seconds from one insert to the next: appends that come meanwhile wait and share it."""
        waiting_rows_max: Annotated[int, Meta(ge=1)] = 2_000_000
        """Rows that wait to be inserted; beyond that appends wait before they are taken."""
        readers: Annotated[int, Meta(ge=1, le=64)] = 4
        """Questions that are asked at the same time; more wait their turn."""
        timeout_s: Annotated[float, Meta(gt=0)] = 60.0
        """How long the server may take for one answer."""

    example = """
        [store]
        kind = "clickhouse"
        dsn = "clickhouse://lineshaft@db.example:8123/default"
    """

    config: Config

    def __init__(self, name: str, config: Settings) -> None:
        super().__init__(name, config)
        c = self.config
        self._layout = Layout(
            database=c.database,
            table=c.table,
            partition_days=c.partition_days,
            cluster=c.cluster,
            replicated=c.replicated,
        )
        dsn = c.dsn or f"chdb://{Path(c.path or 'clickhouse').absolute()}"
        self._engine = Engine(dsn, c.password.reveal(), c.timeout_s)
        self._writer = Writer(self._engine, self._layout, pace_s=c.pace_s)
        self._reading = Reading(self._engine, self._layout, self._writer.newest_known)
        self._sql = sql_engine.Engine()
        self._pool: ThreadPoolExecutor | None = None
        self._waiting = 0
        self._room = asyncio.Event()

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        await asyncio.to_thread(self._open)
        self._pool = ThreadPoolExecutor(self.config.readers, "store reader")
        self._saving = asyncio.get_running_loop().call_later(SAVE_S, self._save_later)
        try:
            async with self._sql.opened():
                yield
        finally:
            self._saving.cancel()
            await _to_its_end(self._close)

    def _open(self) -> None:
        if not self.config.dsn:
            Path(self.config.path or "clickhouse").mkdir(parents=True, exist_ok=True)
        self._engine.open()
        for statement in self._layout.create():
            self._engine.do(statement)
        self._writer.start()

    def _close(self) -> None:
        self._writer.stop()
        with suppress(Unavailable):  # the next start looks for what is newer
            self._writer.save()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        self._engine.close()

    def _save_later(self) -> None:
        loop = asyncio.get_running_loop()
        with suppress(Unavailable):
            future = self._ordered(self._writer.save)
            future.add_done_callback(lambda f: f.cancelled() or f.exception())
        self._saving = loop.call_later(SAVE_S, self._save_later)

    # ---- writing

    async def append(self, batch: Batch) -> None:
        if not len(batch):
            return
        while self._waiting >= self.config.waiting_rows_max:
            self._room.clear()
            await self._room.wait()
        self._waiting += len(batch)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        try:
            self._writer.order(Order(future, loop, batch=batch))
            await future
        finally:
            self._waiting -= len(batch)
            self._room.set()

    def _ordered(self, deed: Callable[[], T]) -> "asyncio.Future[T]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._writer.order(Order(future, loop, deed=deed))
        return future

    async def delete(self, points: Sequence[str], start_ns: int, stop_ns: int) -> int:
        names = list(dict.fromkeys(points))
        return await self._ordered(lambda: self._writer.delete(names, start_ns, stop_ns))

    async def retain(self, rules: Sequence[Rule], budget_bytes: int, *, dry: bool) -> Retained:
        return await self._ordered(
            lambda: retain(self._engine, self._writer, self._reading, rules, budget_bytes, dry=dry)
        )

    async def settle(self) -> None:
        await self._ordered(self._writer.save)

    # ---- reading

    async def _ask(self, work: Callable[[], T]) -> T:
        assert self._pool is not None, "the store is not open"  # noqa: S101 - a bug of ours
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def last(self, points: Sequence[str] | None = None) -> Batch:
        return await asyncio.to_thread(self._writer.newest_known, points)

    async def read(
        self, points: Sequence[str], start_ns: int, stop_ns: int, *, limit: int | None = None
    ) -> Batch:
        return await self._ask(lambda: self._reading.read(points, start_ns, stop_ns, limit))

    async def scan(
        self, points: Sequence[str], start_ns: int, stop_ns: int, *, rows_max: int = 100_000
    ) -> AsyncGenerator[Batch]:
        groups = await self._ask(lambda: list(self._reading.groups(points, start_ns, stop_ns)))
        for group, rows in groups:
            pages = self._reading.pages(group, start_ns, stop_ns, rows)
            while (page := await self._ask(partial(next, pages, None))) is not None:
                for at in range(0, len(page), rows_max):
                    yield page.slice(at, min(at + rows_max, len(page)))

    async def count(self, points: Sequence[str], start_ns: int, stop_ns: int) -> int:
        found = await self._ask(lambda: self._reading.counts(points, start_ns, stop_ns))
        return sum(found.values())

    async def before(self, points: Sequence[str], time_ns: int, *, usable: bool = False) -> Batch:
        return await self._ask(
            lambda: self._reading.nearest(points, time_ns, before=True, usable=usable)
        )

    async def after(self, points: Sequence[str], time_ns: int, *, usable: bool = False) -> Batch:
        return await self._ask(
            lambda: self._reading.nearest(points, time_ns, before=False, usable=usable)
        )

    async def summaries(
        self, points: Sequence[str], edges_ns: Ints, *, columns: Sequence[str] = ()
    ) -> pa.Table:
        check_edges(edges_ns)
        return await self._ask(lambda: self._reading.summaries(points, edges_ns, columns))

    def sql(self, question: Question) -> AsyncGenerator[pa.RecordBatch]:
        def look() -> sql_engine.Relations:
            # By a reader: each thread that asks has a client, and this one lives but once.
            assert self._pool is not None, "the store is not open"  # noqa: S101 - a bug of ours
            rows = self._pool.submit(self._reading.table, question, SQL_ROWS_MAX).result()
            source = "SELECT * FROM __lineshaft_rows"
            views = {"samples": sql_engine.samples_view(question, source)}
            for name, level in sql_engine.ROLLUPS.items():
                views[name] = sql_engine.rollup_view(sql_engine.summed_up(source, level))
            return sql_engine.Relations(views, {"__lineshaft_rows": rows})

        return self._sql.answer(question, look)

    async def storage(self, points: Sequence[str] | None = None) -> list[Storage]:
        return await self._ask(lambda: self._reading.storage(points))

    # ---- how it fares

    def counts(self) -> Counts:
        return self._writer.counts()

    def health(self) -> Health:
        writer = self._writer
        with writer.lock:
            figures = {
                "points": float(len(writer.latest.points())),
                "inserts": float(writer.inserts),
                "waiting_rows": float(self._waiting),
            }
            return Health(ok=not writer.trouble, problem=writer.trouble, figures=figures)


async def _to_its_end(work: Callable[[], Any]) -> None:
    """Run it in a thread; a cancellation waits for it."""
    future = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait({future})
        raise
