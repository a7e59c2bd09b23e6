"""Keeps samples on this machine's disk: a write-ahead log, Parquet segments, DuckDB to read.

A batch is acknowledged when the log has it on the disk (`fdatasync`); appends that wait at the
same time share one sync. The newest rows are held in memory as well, and become Parquet files,
sorted by point and time, when they are many or old enough. `manifest.json` in the folder names
the files that count: read them with DuckDB, Polars, pandas or Spark without Lineshaft.

When the disk is full nothing more is acknowledged and the health says so; the store goes on by
itself when there is room. One process at a time may use a folder.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
import pyarrow as pa
from msgspec import Meta

from lineshaft.core.batch import Batch, Ints
from lineshaft.core.errors import Invalid, Missing, Refused, Unavailable
from lineshaft.core.settings import Settings
from lineshaft.core.summary import summarize
from lineshaft.stores import (
    Counts,
    Health,
    Question,
    Retained,
    Rule,
    Storage,
    Store,
    Verified,
    _sql,
    check_edges,
)
from lineshaft.stores.parquet import manifest as manifests
from lineshaft.stores.parquet.backups import restore
from lineshaft.stores.parquet.files import Files
from lineshaft.stores.parquet.house import House
from lineshaft.stores.parquet.latest import batch_of
from lineshaft.stores.parquet.queries import Span
from lineshaft.stores.parquet.state import Promise, Work
from lineshaft.stores.parquet.verifying import Check
from lineshaft.stores.parquet.writer import GROUP_ROWS_MAX

T = TypeVar("T")

SCAN_ROWS_MAX = 250_000
"""Rows that a scan holds in memory at once; more if whoever asks takes batches of more."""


class Parquet(Store):
    """A store in a folder."""

    class Config(Settings, frozen=True):
        """What the settings table may say."""

        path: str = ""
        """Folder of the store; empty means the folder that the plant gives it."""
        buffer_rows_max: Annotated[int, Meta(ge=1)] = 500_000
        """Rows in memory that make a segment; appends wait at four times as many."""
        flush_s: Annotated[float, Meta(gt=0)] = 300.0
        """Seconds after which rows in memory become a segment, however few they are."""
        memory_mb: Annotated[int, Meta(ge=64)] = 192
        """MB of memory that queries may take; larger ones use the disk."""
        cache_mb: Annotated[int, Meta(ge=1)] = 128
        """MB of memory that hold what was read lately, for screens that ask again."""
        readers: Annotated[int, Meta(ge=1, le=64)] = 4
        """Questions that are answered at the same time; more wait their turn."""

    example = """
        [store]
        kind = "parquet"
        buffer_rows_max = 500_000
        flush_s = 300
        memory_mb = 192
        cache_mb = 128
    """

    config: Config

    def __init__(self, name: str, config: Settings, *, files: Files | None = None) -> None:
        super().__init__(name, config)
        self._files = files or Files()
        self._house: House | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._books = Counts()
        self._engine = _sql.Engine()

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        self._house = await asyncio.to_thread(self._open)
        self._pool = ThreadPoolExecutor(self.config.readers, "store reader")
        try:
            async with self._engine.opened():
                yield
        finally:
            # A thread cannot be cancelled, so that what is buffered is settled in any case.
            await asyncio.shield(asyncio.to_thread(self._close))

    def _open(self) -> House:
        config = self.config
        limits = (config.buffer_rows_max, config.flush_s)
        return House(
            self._files,
            config.path,
            limits=limits,
            memory_mb=config.memory_mb,
            cache_mb=config.cache_mb,
        )

    def _close(self) -> None:
        house = self._open_house()
        house.state.closing = True
        if self._pool is not None:
            self._pool.shutdown()
        house.close()
        self._books = house.state.counts()
        self._house = None

    def _open_house(self) -> House:
        if self._house is None:
            raise Unavailable(f"store {self.name} is not open", remedy="Open it first.")
        return self._house

    async def _ask(self, question: Callable[[], T], span: Span | None = None) -> T:
        """Answer on a reader's thread; a file that is found damaged is passed over from then on."""
        return await self._read_on(partial(self._open_house().answered, question, span))

    async def _read_on(self, work: Callable[[], T]) -> T:
        """Have work done on a reader's thread; closing waits for it."""
        if self._open_house().state.closing:
            raise Unavailable(f"store {self.name} is closing", remedy="Ask when it is open again.")
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _span(self, points: Sequence[str], start_ns: int, stop_ns: int) -> Span:
        """The points that ever had a sample, each once, and times that fit 64 bits."""
        known = self._open_house().state.names.ids
        low, high = -(2**63), 2**63 - 1
        wanted = [p for p in dict.fromkeys(points) if p in known]
        return Span(wanted, min(max(start_ns, low), high), min(max(stop_ns, low), high))

    async def append(self, batch: Batch) -> None:
        if not len(batch):
            return
        _check(batch)
        for start in range(0, len(batch), GROUP_ROWS_MAX):
            part = batch.slice(start, min(start + GROUP_ROWS_MAX, len(batch)))
            promise = Promise()
            self._open_house().writer.put(part, promise)
            await promise.future

    async def last(self, points: Sequence[str] | None = None) -> Batch:
        return batch_of(*self._open_house().latest(points))

    async def read(
        self, points: Sequence[str], start_ns: int, stop_ns: int, *, limit: int | None = None
    ) -> Batch:
        span = self._span(points, start_ns, stop_ns)
        if not span.points or limit == 0 or stop_ns <= start_ns:
            return Batch.empty()
        return await self._ask(lambda: self._open_house().readers.read(span, limit), span)

    async def scan(
        self, points: Sequence[str], start_ns: int, stop_ns: int, *, rows_max: int = 100_000
    ) -> AsyncGenerator[Batch]:
        span = self._span(points, start_ns, stop_ns)
        if not span.points or stop_ns <= start_ns:
            return
        counts = await self._ask(lambda: self._open_house().readers.counts(span), span)
        # The fewer groups, the fewer row groups are decoded twice, for points side by side in them.
        room = max(SCAN_ROWS_MAX, rows_max)
        group: list[str] = []
        held = 0
        for point, count in zip(span.points, counts, strict=True):
            if group and held + count > room:
                async for batch in self._pages(span._replace(points=group), rows_max):
                    yield batch
                group, held = [], 0
            if count:
                group.append(point)
                held += count
        if group:
            async for batch in self._pages(span._replace(points=group), rows_max):
                yield batch

    async def _pages(self, span: Span, rows_max: int) -> AsyncGenerator[Batch]:
        """The rows of points that fit into memory together, or of one that may not."""
        start_ns = span.start_ns
        limit = SCAN_ROWS_MAX if len(span.points) == 1 else None
        while True:
            batch = await self.read(span.points, start_ns, span.stop_ns, limit=limit)
            for at in range(0, len(batch), rows_max):
                yield batch.slice(at, min(at + rows_max, len(batch)))
            if limit is None or len(batch) < limit:
                return
            start_ns = int(batch.time_ns[-1]) + 1

    async def count(self, points: Sequence[str], start_ns: int, stop_ns: int) -> int:
        span = self._span(points, start_ns, stop_ns)
        if not span.points or stop_ns <= start_ns:
            return 0
        return await self._ask(lambda: self._open_house().readers.count(span), span)

    async def before(self, points: Sequence[str], time_ns: int, *, usable: bool = False) -> Batch:
        span = self._span(points, -(2**63), time_ns)
        if not span.points:
            return Batch.empty()
        return await self._ask(lambda: self._open_house().nearest.before(span, usable=usable), span)

    async def after(self, points: Sequence[str], time_ns: int, *, usable: bool = False) -> Batch:
        span = self._span(points, time_ns, 2**63 - 1)
        if not span.points:
            return Batch.empty()
        return await self._ask(lambda: self._open_house().nearest.after(span, usable=usable), span)

    async def summaries(
        self, points: Sequence[str], edges_ns: Ints, *, columns: Sequence[str] = ()
    ) -> pa.Table:
        check_edges(edges_ns)
        ends = (int(edges_ns[0]), int(edges_ns[-1])) if len(edges_ns) else (0, 0)
        span = self._span(points, *ends)
        if not span.points or ends[0] == ends[1]:
            return summarize(Batch.empty(), edges_ns, columns=columns)
        summing = self._open_house().summing
        return await self._ask(lambda: summing.table(span, edges_ns, columns), span)

    async def delete(self, points: Sequence[str], start_ns: int, stop_ns: int) -> int:
        span = self._span(points, start_ns, stop_ns)
        if not span.points or stop_ns <= start_ns:
            return 0
        deleter = self._open_house().deleter
        count: int = await self._have(lambda: deleter.delete(span))
        return count

    async def verify(self) -> Verified:
        if self._house is not None:
            return await self._off_loop(self._house.verify)
        return await asyncio.to_thread(self._verify_closed)

    def _verify_closed(self) -> Verified:
        folder = Path(self.config.path)
        if not folder.is_dir():
            raise Missing(f"there is no folder {folder}", remedy="Name the folder of a store.")
        lock = manifests.lock(folder)
        try:
            check = Check(folder)
            manifest = check.manifest()
            return check.of(manifest) if manifest else check.result()
        finally:
            os.close(lock)

    async def backup(self, folder: str) -> Verified:
        house = self._open_house()
        manifest, last = await self._have(house.begin_backup)
        try:
            return await self._off_loop(lambda: house.backup(Path(folder), manifest, last))
        finally:
            house.end_backup(manifest)

    async def restore(self, folder: str) -> Verified:
        if self._house is not None:
            raise Refused(f"store {self.name} is open", remedy="Stop the plant, then restore.")
        target = Path(self.config.path)
        return await asyncio.to_thread(restore, self._files, Path(folder), target)

    async def _off_loop(self, work: Callable[[], T]) -> T:
        """Have work on files done on a reader's thread."""
        try:
            return await self._read_on(work)
        except OSError as error:
            raise Unavailable(
                f"store {self.name}: {error.filename or 'the disk'}: {error.strerror or error}",
                remedy="See to the disk, then do it again.",
            ) from error

    def sql(self, question: Question) -> AsyncGenerator[pa.RecordBatch]:
        return self._engine.answer(question, lambda: self._open_house().relations(question))

    async def storage(self, points: Sequence[str] | None = None) -> list[Storage]:
        return await self._ask(lambda: _storage(self._open_house(), points))

    async def retain(self, rules: Sequence[Rule], budget_bytes: int, *, dry: bool) -> Retained:
        keeper = self._open_house().keeper
        try:
            # On a thread that closing waits for: nothing may change the folder afterwards.
            return await self._read_on(partial(keeper.retain, rules, budget_bytes, dry=dry))
        except (OSError, pa.ArrowException) as error:
            raise Unavailable(
                f"retention in {self.config.path} did not come to its end: {error}",
                remedy="See to the disk; what was not deleted is tried again.",
            ) from error

    async def settle(self) -> None:
        await self._have(None)

    async def _have(self, work: Work | None) -> Any:  # noqa: ANN401 - what the work gives
        """Have work done on the settler's thread, when all that was put before is settled."""
        promise = Promise()
        self._open_house().writer.put(work, promise)
        return await promise.future

    def counts(self) -> Counts:
        return self._house.state.counts() if self._house else self._books

    def health(self) -> Health:
        if self._house is None:
            return Health(ok=False, problem=f"Store {self.name} is not open.")
        return self._house.health()


def _storage(house: House, points: Sequence[str] | None) -> list[Storage]:
    names = house.state.names
    paths = names.paths[: len(names)] if points is None else list(dict.fromkeys(points))
    ids = np.array([i for p in paths if (i := names.ids.get(p, -1)) >= 0], dtype=np.int32)
    known = len(names)
    rows, size = np.zeros(known, np.int64), np.zeros(known, np.int64)
    first, last = np.full(known, 2**63 - 1), np.full(known, -(2**63))
    for held, count, share, oldest, newest in house.storage(ids):
        rows[held] += count
        size[held] += share
        first[held] = np.minimum(first[held], oldest)
        last[held] = np.maximum(last[held], newest)
    return [
        Storage(
            point=names.paths[i],
            rows=int(rows[i]),
            bytes=int(size[i]),
            first_ns=int(first[i]),
            last_ns=int(last[i]),
        )
        for i in ids.tolist()
        if rows[i]
    ]


def _check(batch: Batch) -> None:
    """See that the columns are sound, so that no batch can bring the writer down.

    Raises:
        Invalid: they are not.
    """
    arrow = batch.arrow
    try:
        arrow.validate(full=True)
    except pa.ArrowInvalid as error:
        raise Invalid(f"the batch is damaged: {error}") from None
    nulls = [n for n in ("point", "time_ns", "quality") if arrow.column(n).null_count]
    if nulls or arrow.column("point").dictionary.null_count:
        raise Invalid(
            f"column {', '.join(nulls) or 'point'} holds nulls, wanted a value in every row",
            remedy="Leave out the rows that have none.",
        )
