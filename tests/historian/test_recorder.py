"""Nothing that was published is confirmed before the store has it."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid, Unavailable
from lineshaft.core.plugin import build, find
from lineshaft.historian import COLLECTIONS, DURABLE, Config, Historian
from lineshaft.records import Records
from lineshaft.spines import Spine

Memory = find("stores", "memory")


class Moody(Memory):
    """A store whose disk is full until it is told otherwise, or that chokes on some batches."""

    full = False
    tried = 0
    poison = ""

    async def append(self, batch: Batch) -> None:
        self.tried += 1
        if self.full:
            raise Unavailable("disk full", remedy="Make room.")
        if self.poison and self.poison in batch.points:
            raise Invalid(f"{self.poison} cannot be kept")
        await super().append(batch)


@asynccontextmanager
async def historian():
    spine = build(Spine, {"kind": "memory"})
    store = Moody("moody", Memory.Config())
    records = build(Records, {"kind": "memory"})
    spine.durable(DURABLE, "data.>", size_max=2)
    async with store.opened(), records.opened(COLLECTIONS):
        made = Historian(Config(), spine, store, records)
        await made.start()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(made.run())
            yield made, spine, store
            task.cancel()


def batch(*values, point="a/b") -> Batch:
    return Batch.of_rows([(point, 1000 + i, v) for i, v in enumerate(values)])


async def until(done) -> None:
    async with asyncio.timeout(10):
        while not done():
            await asyncio.sleep(0.01)


async def test_a_full_disk_holds_publishers_back_and_nothing_is_lost():
    async with historian() as (made, spine, store), asyncio.TaskGroup() as group:
        store.full = True
        sent = [
            group.create_task(spine.publish("data.x", batch(float(i), point=f"a/{i}")))
            for i in range(5)
        ]
        await until(lambda: store.tried >= 3)
        assert not any(s.done() for s in sent)
        assert made.problems() == ["historian: disk full"]
        assert len(made.namespace) == 0
        store.full = False
        await until(lambda: all(s.done() for s in sent))
        assert made.problems() == []
        assert store.counts().accepted == 5
        assert made.recorder.rows == 5


async def test_a_batch_that_can_never_be_kept_is_counted_and_the_rest_goes_on():
    async with historian() as (made, spine, store):
        store.poison = "a/bad"
        await spine.publish("data.x", batch(1.0, 2.0, point="a/bad"))
        await spine.publish("data.x", batch(3.0))
        await until(lambda: made.recorder.rows == 1)
        assert made.recorder.refused == 2
        assert "2 rows" in made.problems()[0]


async def test_what_was_not_confirmed_when_the_plant_stopped_was_never_acknowledged():
    spine = build(Spine, {"kind": "memory"})
    store = Moody("moody", Memory.Config())
    store.full = True
    records = build(Records, {"kind": "memory"})
    spine.durable(DURABLE, "data.>", size_max=2)
    async with records.opened(COLLECTIONS), asyncio.TaskGroup() as group:
        made = Historian(Config(), spine, store, records)
        task = group.create_task(made.run())
        sent = group.create_task(spine.publish("data.x", batch(1.0)))
        await until(lambda: store.tried)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not sent.done()
        (flow,) = spine.flows()
        assert (flow.waiting, flow.confirmed) == (1, 0)
        sent.cancel()


async def test_points_and_last_values_are_known_again_after_a_restart():
    spine = build(Spine, {"kind": "memory"})
    store = Memory("m", Memory.Config())
    records = build(Records, {"kind": "memory"})
    spine.durable(DURABLE, "data.>", size_max=2)
    async with store.opened(), records.opened(COLLECTIONS):
        first = Historian(Config(), spine, store, records)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(first.run())
            await spine.publish("data.x", batch(1.0, 2.0))
            await until(lambda: first.recorder.rows)
            task.cancel()
        again = Historian(Config(), spine, store, records)
        await again.start()
        latest = again.latest("a/b")
    assert "a/b" in again.namespace
    assert latest is not None
    assert (latest.value, latest.time_ns) == (2.0, 1001)


async def test_late_data_changes_history_but_not_the_last_value():
    async with historian() as (made, spine, _):
        await spine.publish("data.x", Batch.of_rows([("a/b", 2000, 2.0)]))
        await spine.publish("data.x", Batch.of_rows([("a/b", 1000, 1.0)]))
        await until(lambda: made.recorder.rows == 2)
        assert made.latest("a/b").value == 2.0
