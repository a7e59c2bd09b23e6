"""A board in a test: with a real store, real records and a spine in memory."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

import numpy as np

from lineshaft.core.access import Identity
from lineshaft.core.batch import Batch
from lineshaft.core.plugin import build
from lineshaft.core.point import Point
from lineshaft.operations.spc.board import COLLECTIONS, SUBSCRIPTION, Board
from lineshaft.operations.spc.settings import ChartTable
from lineshaft.records import Records
from lineshaft.security.access import Branches
from lineshaft.spines import Spine
from lineshaft.stores import Store

S = 1_000_000_000
POINT = "acme/press/force"
STROKES = "acme/press/strokes"
STATE = "acme/press/state"
ORDER = "acme/press/order"
COUNT = "acme/press/inspected"
T0 = 1_000_000 * S


class Namespace:
    """Points by path, as the historian has them."""

    def __init__(self, points: Iterable[Point] = ()) -> None:
        self.points = {p.path: p for p in points}
        self.version = 0

    def find(self, path: str) -> Point | None:
        return self.points.get(path)

    def under(self, branch: str, who: Identity) -> list[str]:
        return sorted(p for p in self.points if p.startswith(branch))

    def declare(self, points: Iterable[Point]) -> None:
        for point in points:
            self.points[point.path] = point
            self.version += 1


class Hall:
    """The board and what it stands on."""

    def __init__(self, made: Board, store: Store, records: Records, names: Namespace) -> None:
        self.board, self.store, self.records, self.names = made, store, records, names

    async def bring(self, batch: Batch) -> None:
        """A batch as the plant takes it: stored and judged."""
        await self.store.append(batch)
        await self.board.take(batch)

    async def told(self) -> list[tuple]:
        """What stands in the log, in order: kind, time, marks."""
        events = [e.event for e in await self.records.events(kind="spc", limit=1000)]
        return [(e.kind, e.time_ns, tuple(e.data["marks"])) for e in events if "marks" in e.data]

    def standing(self, name: str):
        return self.board.view_of(self.board.book.charts[name]).standing

    async def join(self) -> None:
        for name in list(self.board._joining):
            await self.board.join(name)


@asynccontextmanager
async def hall(folder, *charts: ChartTable, points=(), now=None, kept=True) -> AsyncGenerator[Hall]:
    """Everything open; charts are at work. With `kept`, a second hall goes on from the folder."""
    spine = build(Spine, {"name": "spine", "kind": "memory"})
    spine.durable(SUBSCRIPTION, "data.>", size_max=8)
    tables = [{"kind": "memory"}, {"kind": "memory"}]
    if kept:
        tables[0] = {"kind": "sqlite", "path": str(folder / "records")}
        tables[1] = {"kind": "parquet", "path": str(folder / "store")}
    records = build(Records, {"name": "records", **tables[0]})
    store = build(Store, {"name": "store", **tables[1]})
    names = Namespace(points)
    async with store.opened(), records.opened(COLLECTIONS):
        made = Board(
            names=names,
            store=store,
            records=records,
            spine=spine,
            authorizer=Branches(),
            clock=lambda: now or T0 + 10_000 * S,
        )
        await made.start(charts)
        found = Hall(made, store, records, names)
        await found.join()
        yield found


def forces(values, *, start_s: int = 0, step_s: float = 1, path: str = POINT) -> Batch:
    """Samples one after the other."""
    n = len(values)
    times = T0 + (np.arange(n) * step_s * S).astype(np.int64) + start_s * S
    return Batch.of([path], np.zeros(n, dtype=np.int32), times, number=np.array(values, float))
