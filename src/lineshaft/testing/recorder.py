"""A feed for trying drivers: it keeps all it is given, and can hold the driver back."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.point import Point
from lineshaft.drivers import Condition, Driver

PATIENCE_S = 10.0
"""How long a bench on loopback may take for anything at all."""


class Recorder:
    """A feed that keeps everything it is given, and can hold the driver back."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.points: dict[str, Point] = {}
        self.links: list[str] = []
        self.losses: Counter[str] = Counter()
        self.troubles: dict[str, str | None] = {}
        self.told: list[Condition] = []
        """What became of alarms of the device."""
        self.listed: list[frozenset[str]] = []
        """All conditions that the device listed, each time it did."""
        self.in_flight = 0
        self.peak = 0
        """The most emits that were under way at once."""
        self.faults: list[str] = []
        """What broke the contract; `until` and `running` raise it."""
        self._open = asyncio.Event()
        self._open.set()
        self._news = asyncio.Condition()

    async def emit(self, batch: Batch) -> None:
        """Keep the batch, once the gate is open."""
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            self._inspect(batch)
            await self._open.wait()
            self.batches.append(batch)
        finally:
            self.in_flight -= 1
            async with self._news:
                self._news.notify_all()

    async def conditions(
        self, found: Sequence[Condition], *, listed: frozenset[str] | None = None
    ) -> None:
        """Keep what is told of alarms."""
        await self._open.wait()
        self.told += found
        if listed is not None:
            self.listed.append(listed)
        async with self._news:
            self._news.notify_all()

    def declare(self, points: Sequence[Point]) -> None:
        """Keep the points."""
        self.points |= {p.path: p for p in points}

    def connected(self, detail: str = "") -> None:
        """Keep the detail."""
        self.links.append(detail)

    def lost(self, reason: str, count: int = 1) -> None:
        """Count."""
        self.losses[reason] += count

    def trouble(self, address: str, problem: str | None) -> None:
        """Keep the newest state of the address."""
        self.troubles[address] = problem

    def hold(self) -> None:
        """Let no emit return, as a store that is stuck."""
        self._open.clear()

    def release(self) -> None:
        """Let all emits return again."""
        self._open.set()

    def forget(self) -> None:
        """Drop the batches kept so far."""
        self.batches.clear()

    def rows(self) -> list[Sample]:
        """All samples so far."""
        return [row for batch in self.batches for row in batch.rows()]

    def of(self, path: str) -> list[Sample]:
        """The samples of one point so far."""
        return [row for row in self.rows() if row.point == path]

    async def until(self, done: Callable[[], bool], what: str) -> None:
        """Wait until `done()`; `what` is said when it does not come true."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not done() and not self.faults:
                    await self._change()
        except TimeoutError:
            raise AssertionError(
                f"{what} did not happen in {PATIENCE_S} s; {len(self.batches)} batches,"
                f" links {self.links}, losses {dict(self.losses)}, troubles {self.troubles}"
            ) from None
        assert not self.faults, self.faults[0]

    async def _change(self) -> None:
        # Declarations and troubles come without an emit, so look again now and then.
        async with self._news:
            try:
                async with asyncio.timeout(0.05):
                    await self._news.wait()
            except TimeoutError:
                pass

    def _inspect(self, batch: Batch) -> None:
        batch.check()
        if not len(batch):
            self.faults.append("the driver emitted an empty batch")
        if not self.links:
            self.faults.append("the driver emitted before it said connected")
        undeclared = {batch.points[i] for i in set(batch.index.tolist())} - set(self.points)
        if undeclared:
            self.faults.append(f"points emitted before they were declared: {sorted(undeclared)}")


@asynccontextmanager
async def running(driver: Driver, feed: Recorder) -> AsyncGenerator[Driver]:
    """The driver at work; it is cancelled at the end, and what it raises before comes out."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(driver.run(feed), name="driver under test")
        yield driver
        task.cancel()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait([task])
    assert task.cancelled(), "the driver swallowed its cancellation"
    assert not feed.faults, feed.faults[0]
