"""An engine between a real spine, store and namespace, with a clock that a test moves."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import numpy as np

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.errors import LineshaftError
from lineshaft.core.plugin import build
from lineshaft.core.point import Point
from lineshaft.historian.namespace import COLLECTION, Namespace
from lineshaft.historian.recorder import SUBSCRIPTION as RECORDER
from lineshaft.historian.recorder import Recorder
from lineshaft.operations.derived import engine as engines
from lineshaft.operations.derived import repairs
from lineshaft.operations.derived.changes import Changes
from lineshaft.operations.derived.definition import Definition, compiled
from lineshaft.operations.derived.engine import SUBSCRIPTION, Engine
from lineshaft.operations.derived.marks import COLLECTIONS
from lineshaft.operations.derived.rows import batch_of, columns_of, samples_of_result
from lineshaft.operations.expressions.tails import Samples
from lineshaft.records import Records
from lineshaft.spines import Spine
from lineshaft.stores import Store

S = 10**9
BEGIN = 1_800_000_000 * S
WAIT_S = 20.0


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> int:
        return self.now


class Bench:
    """What outlives an engine, and the engine that runs now."""

    def __init__(self, store: Store, records: Records, names: Namespace) -> None:
        self.store, self.records, self.names = store, records, names
        self.clock = Clock()
        self.spine: Spine
        self.engine: Engine

    @asynccontextmanager
    async def running(self, *definitions: Definition) -> AsyncGenerator[Engine]:
        """An engine at work; leaving it is as sudden as the end of the process."""
        self.spine = build(Spine, {"name": "spine", "kind": "memory"})
        self.spine.durable(RECORDER, "data.>", size_max=1024)
        self.spine.durable(SUBSCRIPTION, "data.>", size_max=1024)
        recorder = Recorder(self.spine, self.store, rows_max=50_000, kept=self.names.infer)
        self.engine = Engine(
            names=self.names,
            store=self.store,
            records=self.records,
            spine=self.spine,
            clock=self.clock,
        )
        await self.engine.start()
        await self.engine.put("derived", definitions)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(recorder.run()), group.create_task(self.engine.run())]
            try:
                yield self.engine
            finally:
                for task in tasks:
                    task.cancel()

    async def publish(self, *rows: tuple) -> None:
        """Bring samples in the way a driver does; back once they are stored and taken in."""
        await self.spine.publish("data.test", Batch.of_rows(rows))

    async def stored(self, point: str) -> list[Sample]:
        """All rows of a point."""
        return list((await self.store.read([point], -(2**62), 2**62)).rows())

    async def wanted(
        self, definition: Definition, definitions: Sequence[Definition] = ()
    ) -> list[Sample]:
        """What one evaluator over all that is stored gives, since the point was first defined."""
        made = self.made(definition, definitions)
        history = await self.store.read(made.inputs, -(2**62), 2**62)
        columns = columns_of(history, set(made.inputs))
        for path in made.inputs:
            columns.setdefault(path, Samples(*(np.zeros(0, t) for t in ("i8", "f8", "u4"))))
        state = self.engine.state(definition.point)
        start = state.since_ns
        stop = self.clock.now - made.lateness_ns + 1
        result = made.expression.over(columns, start, stop)
        samples = samples_of_result(result, made.expression.type)
        if definition.on_change:
            samples = Changes().of(samples)
        rows = batch_of(definition.point, samples)
        found = list(rows.rows())
        every = made.expression.every_ns
        if every:
            # `over` ends with the last sample; a live point goes on with the clock.
            found += [r for r in await self.stored(definition.point) if r.time_ns > _end(columns)]
        return found

    def made(self, definition: Definition, definitions: Sequence[Definition] = ()):
        """The definition, compiled against what there is."""
        points = {d.point: d for d in definitions}

        def find(path: str) -> Point | None:
            return compiled(points[path], find).point if path in points else self.names.find(path)

        return compiled(definition, find)

    async def until(self, condition: Callable[[], Awaitable[object]]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(WAIT_S):
            while not await condition():
                await asyncio.sleep(0.002)

    async def settled(self) -> None:
        """Wait until nothing is left to do at this time of the clock."""

        async def calm() -> bool:
            states = [self.engine.state(d.point) for d in self.engine.definitions()]
            return all(s.phase.value != "recomputing" for s in states)

        await self.until(calm)
        for _ in range(3):
            await asyncio.sleep(0.01)
            await self.until(calm)
            await self.engine._outbox.settled()


def _end(columns) -> int:
    return max((int(c.time_ns.max()) for c in columns.values() if len(c.time_ns)), default=0)


@asynccontextmanager
async def bench(points: Iterable[Point]) -> AsyncGenerator[Bench]:
    """A bench whose namespace knows these points."""
    engines.TICK_S = repairs.PAUSE_S = 0.005
    store = build(Store, {"name": "store", "kind": "memory"})
    records = build(Records, {"name": "records", "kind": "memory"})
    async with store.opened(), records.opened([COLLECTION, *COLLECTIONS]):
        names = Namespace(records, points_max=1000)
        names.declare(points)
        yield Bench(store, records, names)


__all__ = ["BEGIN", "Bench", "LineshaftError", "S", "bench"]
