"""A hall with a historian and a desk of frames, whose time tests move."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

from lineshaft.core.access import SYSTEM
from lineshaft.core.batch import Batch
from lineshaft.core.plugin import find
from lineshaft.core.point import Kind, Point
from lineshaft.core.quality import Quality
from lineshaft.historian import COLLECTIONS as HISTORIAN
from lineshaft.historian import Config, Historian
from lineshaft.operations.frames.asking import Question
from lineshaft.operations.frames.desk import COLLECTIONS, SUBSCRIPTION, Frames
from lineshaft.operations.frames.settings import Template
from lineshaft.security.access import Branches

S = 1_000_000_000
BASE = 1_700_000_000 * S
ASSET = "acme/press"
POINTS = (
    Point(path=f"{ASSET}/on", kind=Kind.BOOLEAN),
    Point(path=f"{ASSET}/done", kind=Kind.BOOLEAN),
    Point(path=f"{ASSET}/heat", unit="Cel"),
    Point(path=f"{ASSET}/program", kind=Kind.TEXT),
    Point(path=f"{ASSET}/parts", kind=Kind.INTEGER),
)


def rows_of(rows: Iterable[tuple]) -> Batch:
    """Samples of the press: name, seconds, value."""
    return Batch.of_rows([(f"{ASSET}/{n}", BASE + round(t * S), v) for n, t, v in rows])


class Hall:
    """Store, records, namespace and frames; `now` is what the clock shows."""

    def __init__(self, records=None, store=None) -> None:
        self.now = BASE
        memory = {f: find(f, "memory") for f in ("spines", "stores", "records")}
        made = {f: c.from_table("m", {}) for f, c in memory.items()}
        self.spine = made["spines"]
        self.store = store or made["stores"]
        self.records = records or made["records"]
        self.historian = Historian(Config(), self.spine, self.store, self.records)
        self.historian.namespace.declare(POINTS)
        self.frames = self.desk()

    def desk(self) -> Frames:
        return Frames(
            names=self.historian.namespace,
            latest=self.historian,
            store=self.store,
            records=self.records,
            spine=self.spine,
            authorizer=Branches(),
            clock=lambda: self.now,
        )

    async def restart(self, *templates: Template) -> None:
        """What was in memory is lost, as after `kill -9`."""
        self.frames = self.desk()
        await self.frames.start(templates)

    async def bring(self, *rows: tuple) -> None:
        """Samples as a driver brings them: name, seconds, value."""
        batch = rows_of(rows)
        await self.frames.take(batch)
        await self.historian.append(batch)

    async def bring_bad(self, *rows: tuple) -> None:
        """Samples of bad quality: name, seconds."""
        bad = int(Quality.BAD)
        batch = Batch.of_rows([(f"{ASSET}/{n}", BASE + round(t * S), None, bad) for n, t in rows])
        await self.frames.take(batch)
        await self.historian.append(batch)

    async def until(self, seconds: float) -> None:
        """Time goes on, and everybody does what is to do."""
        self.now = BASE + round(seconds * S)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(1000):
            if not await self.frames.step():
                return
        raise AssertionError("frames never come to rest")

    async def found(self, template: str = "", *, running: bool = False) -> list[tuple]:
        """Start and end in seconds, attributes of those that ended, by start."""
        page = await self.frames.gallery.find(SYSTEM, Question(template=template), limit=1000)
        return [
            (
                (f.start_ns - BASE) / S,
                None if f.end_ns is None else (f.end_ns - BASE) / S,
                f.attributes if running or f.end_ns else {},
            )
            for f in reversed(page.items)
        ]


@asynccontextmanager
async def hall(*templates: Template) -> AsyncGenerator[Hall]:
    """The hall, with store and records open."""
    made = Hall()
    made.spine.durable(SUBSCRIPTION, "data.>", size_max=64)
    async with made.store.opened(), made.records.opened((*HISTORIAN, *COLLECTIONS)):
        await made.frames.start(templates)
        yield made
