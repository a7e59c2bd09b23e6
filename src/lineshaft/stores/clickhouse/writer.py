"""One thread writes: appends that wait become one insert, whose rows are counted afterwards."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import LineshaftError, Unavailable
from lineshaft.stores import Counts
from lineshaft.stores.clickhouse.engine import Engine
from lineshaft.stores.clickhouse.latest import NEVER, Latest, last_of_each
from lineshaft.stores.clickhouse.tables import COLUMNS, Layout, among, during, parts

GROUP_ROWS_MAX = 1_000_000
"""Rows of one insert."""
POINTS_AT_ONCE = 1000
"""Points named in one question."""
DELETED = "deleted"


class Order(msgspec.Struct, frozen=True):
    """What the thread is to do, and who waits for it."""

    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    batch: Batch | None = None
    deed: Callable[[], Any] | None = None


class Writer:
    """Inserts, deletes, and keeps the books."""

    def __init__(self, engine: Engine, layout: Layout, *, pace_s: float) -> None:
        self._engine = engine
        self._layout = layout
        self._pace_s = pace_s
        self._orders: deque[Order] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="store writer", daemon=True)
        self._next_insert = 0.0
        self._version = 0
        self.lock = threading.Lock()
        """Held while books and newest samples change."""
        self.latest = Latest()
        self.accepted = self.stored = self.replaced = 0
        self.dropped: dict[str, int] = {}
        self.inserts = 0
        self.trouble = ""

    # ---- life

    def start(self) -> None:
        """Know what the tables hold, and begin."""
        last, samples = self._layout.last, self._layout.samples
        settings = self._layout.select_settings()
        mark = self._engine.value(f"SELECT max(mark) FROM {last} WHERE point = ''")
        if mark:
            kept = self._engine.rows(f"SELECT {COLUMNS} FROM {last} FINAL WHERE point != ''")
            self.latest.update(kept)
        # Newer than the table of newest samples: the index of versions leaves out the rest.
        since = self._engine.rows(
            f"SELECT {COLUMNS} FROM {samples} WHERE version > {mark}"
            f" ORDER BY point, time_ns DESC, version DESC LIMIT 1 BY point SETTINGS {settings}"
        )
        self.latest.changed.clear()
        self.latest.update(since)
        self._version = max(
            self._engine.value(f"SELECT max(version) FROM {samples}"),
            mark,
        )
        self._thread.start()

    def stop(self) -> None:
        """End, after what was ordered."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def order(self, order: Order) -> None:
        """Do this next."""
        with self._changed:
            if self._closing:
                raise Unavailable("the store is closing", remedy="Open it again.")
            self._orders.append(order)
            self._changed.notify_all()

    def counts(self) -> Counts:
        """The books, taken at one moment."""
        with self.lock:
            return Counts(
                accepted=self.accepted,
                stored=self.stored,
                replaced=self.replaced,
                dropped=dict(self.dropped),
            )

    def newest_known(self, points: Sequence[str] | None = None) -> Batch:
        """The newest row of each point, from memory; of all points when None."""
        with self.lock:
            return self.latest.look(points)

    # ---- the thread

    def _run(self) -> None:
        orders: list[Order] = []
        try:
            while orders := self._next():
                self._do(orders)
                orders = []
        finally:
            # Nobody waits for a thread that has ended, be it by a mistake of ours.
            with self._changed:
                self._closing = True
                orders += self._orders
                self._orders.clear()
            _tell(orders, Unavailable("the store's writer has ended", remedy="Start it again."))

    def _do(self, orders: list[Order]) -> None:
        result: Any = None
        try:
            if orders[0].deed is not None:
                result = orders[0].deed()
            else:
                self._commit(Batch.concat([o.batch for o in orders if o.batch is not None]))
        except LineshaftError as error:
            result = error
        _tell(orders, result)

    def _next(self) -> list[Order]:
        """One deed, or the appends that wait; nothing when it is over."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._orders or self._closing)
                if not self._orders:
                    return []
                late = self._next_insert - time.monotonic()
                if self._orders[0].deed or late <= 0 or self._closing:
                    break
                self._changed.wait(late)
            found = [self._orders.popleft()]
            rows = len(found[0].batch or ())
            while found[0].deed is None and self._orders and self._orders[0].batch is not None:
                rows += len(self._orders[0].batch)
                if rows > GROUP_ROWS_MAX:
                    break
                found.append(self._orders.popleft())
            return found

    # ---- inserting

    def _commit(self, batch: Batch) -> None:
        """Bring the rows in, see that they are there, and write them into the books.

        Raises:
            Unavailable: they are not all there.
        """
        self._next_insert = time.monotonic() + self._pace_s
        rows = last_of_each(batch, by_time=True)
        late, span = self._late(rows)
        before = self._count(late, span)
        self._insert(rows)
        new = len(rows)
        if late:
            names = np.array([p in set(late) for p in rows.points])
            inside = names[rows.index] & (rows.time_ns >= span[0]) & (rows.time_ns < span[1])
            new -= int(inside.sum()) - (self._count(late, span) - before)
        with self.lock:
            self.accepted += len(batch)
            self.stored += new
            self.replaced += len(batch) - new
            self.latest.update(rows)
            self.inserts += 1
            self.trouble = ""

    def _insert(self, rows: Batch) -> None:
        self._version = version = max(self._version + 1, now_ns())
        table = pa.Table.from_batches([rows.arrow]).append_column(
            "version", pa.array(np.full(len(rows), version, dtype=np.uint64))
        )
        try:
            self._engine.insert(self._layout.samples, table, self._layout.insert_settings())
            self._check(version, len(rows))
        except Unavailable as error:
            with self.lock:
                self.trouble = f"{error}. {error.remedy}"
            raise

    def _check(self, version: int, rows: int) -> None:
        """See that all rows of an insert are there."""
        there = self._engine.value(
            f"SELECT count() FROM {self._layout.samples} WHERE version = {version}"
            f" SETTINGS {self._layout.select_settings()}"
        )
        if there != rows:
            raise Unavailable(
                f"ClickHouse said it took {rows} rows and holds {there} of them",
                remedy="See its log for full disks and lost parts; the batch comes again.",
            )

    def _late(self, rows: Batch) -> tuple[list[str], tuple[int, int]]:
        """Points with rows not newer than what is known, and the span of these rows."""
        points = rows.points
        with self.lock:
            known = self.latest.times(points)
        late = (rows.time_ns <= known[rows.index]) & (known[rows.index] != NEVER)
        late |= (known[rows.index] == NEVER) & (rows.time_ns == NEVER)
        if not late.any():
            return [], (0, 0)
        times = rows.time_ns[late]
        names = [points[i] for i in np.unique(rows.index[late]).tolist()]
        return names, (int(times.min()), int(times.max()) + 1)

    def _count(self, points: list[str], span: tuple[int, int]) -> int:
        return sum(
            self._engine.value(
                f"SELECT count() FROM {self._layout.samples} FINAL"
                f" WHERE {among(part)} AND {during(*span)}"
                f" SETTINGS {self._layout.select_settings()}"
            )
            for part in parts(points, POINTS_AT_ONCE)
        )

    # ---- deleting

    def delete(self, points: list[str], start_ns: int, stop_ns: int, reason: str = DELETED) -> int:
        """Remove rows, on the writer's thread; how many."""
        gone = self._count(points, (start_ns, stop_ns)) if start_ns < stop_ns else 0
        if not gone:
            return 0
        # If this is broken off, the next start looks at everything for the newest samples.
        self._engine.do(f"TRUNCATE TABLE {self._layout.last}{self._layout.everywhere}")
        for part in parts(points, POINTS_AT_ONCE):
            self._engine.do(
                f"DELETE FROM {self._layout.local}{self._layout.everywhere}"
                f" WHERE {among(part)} AND {during(start_ns, stop_ns)}"
                " SETTINGS lightweight_deletes_sync = 2, max_query_size = 33554432"
            )
        self._afterwards(points, gone, reason)
        return gone

    def drop(self, partitions: list[str], rows: int, reason: str) -> None:
        """Remove whole partitions, on the writer's thread."""
        self._engine.do(f"TRUNCATE TABLE {self._layout.last}{self._layout.everywhere}")
        for one in partitions:
            self._engine.do(
                f"ALTER TABLE {self._layout.local}{self._layout.everywhere}"
                f" DROP PARTITION ID '{one}'"
            )
        with self.lock:
            points = self.latest.points()
        self._afterwards(points, rows, reason)

    def _afterwards(self, points: list[str], gone: int, reason: str) -> None:
        """Know the newest samples of points that lost some, and write it into the books."""
        newest = [self.newest(part) for part in parts(points, POINTS_AT_ONCE)]
        with self.lock:
            self.latest.forget(points)
            for batch in newest:
                self.latest.update(batch)
            self.latest.changed.update(self.latest.points())
            own = min(gone, self.stored)
            self.stored -= own
            if own:
                self.dropped[reason] = self.dropped.get(reason, 0) + own
        self.save()

    def newest(self, points: list[str]) -> Batch:
        """The newest rows, from the table."""
        return self._engine.rows(
            f"SELECT {COLUMNS} FROM {self._layout.samples} FINAL WHERE {among(points)}"
            f" ORDER BY point, time_ns DESC LIMIT 1 BY point"
            f" SETTINGS {self._layout.select_settings()}"
        )

    def save(self) -> None:
        """Write the newest samples down, so that the next start need not look for them."""
        with self.lock:
            changed, self.latest.changed = self.latest.changed, set()
            batch = self.latest.look(list(changed))
        if not len(batch):
            return
        mark = self._version
        settings = self._layout.insert_settings()
        done = pa.Table.from_batches([Batch.of_rows([("", 0, 0.0)]).arrow])
        try:
            for table in (pa.Table.from_batches([batch.arrow]), done):
                point = table.column("point").cast(pa.string())
                marks = pa.array(np.full(table.num_rows, mark, dtype=np.uint64))
                whole = table.set_column(0, pa.field("point", pa.string()), point)
                self._engine.insert(self._layout.last, whole.append_column("mark", marks), settings)
        except Unavailable:
            with self.lock:
                self.latest.changed |= changed
            raise


def _tell(orders: list[Order], result: Any) -> None:  # noqa: ANN401 - whatever the deed gave
    for order in orders:
        order.loop.call_soon_threadsafe(_resolve, order.future, result)


def _resolve(future: asyncio.Future[Any], result: Any) -> None:  # noqa: ANN401
    if future.done():
        return
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)
