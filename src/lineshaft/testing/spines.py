"""The contract of a spine, as plain coroutines that take a fresh one."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import pytest

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.errors import Invalid
from lineshaft.core.event import Event
from lineshaft.core.flow import Full
from lineshaft.spines import Spine


def batch(*times: int) -> Batch:
    """One point with a sample at each time, whose value is the time."""
    return Batch.of_rows(Sample("site/m/p", t, t) for t in times)


def times(got: Batch) -> list[int]:
    """The times of a batch."""
    return got.time_ns.tolist()  # type: ignore[no-any-return]


async def confirm(items: AsyncGenerator[Batch]) -> None:
    """Ask for an item that will not come: it confirms the last one, and ends the reading."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.05):
            await anext(items)


async def carries_in_order(spine: Spine) -> None:
    """A reader gets what fits its pattern, oldest first, and nothing else."""
    async with spine.subscribe("data.*", name="r", size_max=10, full=Full.WAIT) as items:
        for t in (1, 2, 3):
            await spine.publish("data.a", batch(t))
        await spine.publish("other.a", batch(9))
        await spine.publish("data.a.b", batch(9))
        assert [times(await anext(items)) for _ in range(3)] == [[1], [2], [3]]


async def patterns_fit_words(spine: Spine) -> None:
    """`*` is one word, `>` is one or more."""
    async with (
        spine.subscribe("data.>", name="all", full=Full.WAIT) as everything,
        spine.subscribe("data.*.x", name="x", full=Full.WAIT) as only_x,
    ):
        for n, subject in enumerate(("data.a", "data.a.x", "data.a.b.x")):
            await spine.publish(subject, batch(n))
        assert [times(await anext(everything)) for _ in range(3)] == [[0], [1], [2]]
        assert times(await anext(only_x)) == [1]


async def publish_waits_for_the_durable(spine: Spine) -> None:
    """Publishing returns only once the durable reader has taken the next item."""
    spine.durable("keeper", "data.>", size_max=4)
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(spine.publish("data.a", batch(1)))
        async with spine.subscribe(name="keeper") as items:
            assert times(await anext(items)) == [1]
            await asyncio.sleep(0)
            assert not sending.done()
            await confirm(items)
        await sending


async def keeps_before_it_is_read(spine: Spine) -> None:
    """What is published before the durable reader comes is kept for it."""
    spine.durable("keeper", "data.>", size_max=4)
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(spine.publish("data.a", batch(1)))
        await asyncio.sleep(0)
        async with spine.subscribe(name="keeper") as items:
            assert times(await anext(items)) == [1]
        assert not sending.done()
        sending.cancel()


async def a_failed_reader_is_followed(spine: Spine) -> None:
    """What a reader did not confirm is given to the next one, in order, and counted."""
    spine.durable("keeper", "data.>", size_max=8)

    async def fail() -> None:
        async with spine.subscribe(name="keeper") as items:
            assert times(await anext(items)) == [1]
            assert times(await anext(items)) == [2]
            raise KeyError("the reader fails")

    async with asyncio.TaskGroup() as group:
        sending = [group.create_task(spine.publish("data.a", batch(t))) for t in (1, 2, 3)]
        with pytest.raises(KeyError):
            await fail()
        await sending[0]
        assert not sending[1].done()
        async with spine.subscribe(name="keeper", rows_max=100) as items:
            assert times(await anext(items)) == [2, 3]
            (flow,) = spine.flows()
            assert flow.redelivered == 1
            await confirm(items)
        await sending[2]


async def joins_what_waits(spine: Spine) -> None:
    """With rows_max, all that waits comes as one batch, and is confirmed as one."""
    spine.durable("keeper", "data.>", size_max=100)
    async with asyncio.TaskGroup() as group:
        sending = [group.create_task(spine.publish("data.a", batch(t))) for t in range(10)]
        await asyncio.sleep(0)
        async with spine.subscribe(name="keeper", rows_max=6) as items:
            assert times(await anext(items)) == [0, 1, 2, 3, 4, 5]
            assert times(await anext(items)) == [6, 7, 8, 9]
            await asyncio.wait(sending[:6])
            assert not any(s.done() for s in sending[6:])
            await confirm(items)
            await asyncio.wait(sending)


async def a_full_durable_holds_back(spine: Spine) -> None:
    """Beyond size_max publishers wait, and come in in their order when there is room."""
    spine.durable("keeper", "data.>", size_max=2)
    async with asyncio.TaskGroup() as group:
        for t in range(6):
            group.create_task(spine.publish("data.a", batch(t)))
        await asyncio.sleep(0.01)
        (flow,) = spine.flows()
        assert flow.waiting == 2
        async with spine.subscribe(name="keeper") as items:
            assert [times(await anext(items)) for _ in range(6)] == [[t] for t in range(6)]
            await confirm(items)


async def drops_the_oldest_for_viewers(spine: Spine) -> None:
    """A viewer that is slow loses the oldest, counted, and holds nobody back."""
    async with spine.subscribe("data.>", name="screen", size_max=2) as items:
        for t in range(5):
            await spine.publish("data.a", batch(t))
        assert [times(await anext(items)) for _ in range(2)] == [[3], [4]]
        (flow,) = spine.flows()
        assert flow.dropped == 3


async def a_leaving_reader_frees_the_publisher(spine: Spine) -> None:
    """A WAIT reader that leaves does not hold its publishers for ever."""
    async with asyncio.TaskGroup() as group:
        async with spine.subscribe("data.>", name="w", size_max=1, full=Full.WAIT):
            await spine.publish("data.a", batch(1))
            sending = group.create_task(spine.publish("data.a", batch(2)))
            await asyncio.sleep(0)
            assert not sending.done()
        await sending


async def one_reader_per_durable(spine: Spine) -> None:
    """A durable subscription is declared once, and read by one at a time."""
    spine.durable("keeper", "data.>", size_max=1)
    with pytest.raises(Invalid):
        spine.durable("keeper", "data.>", size_max=1)
    async with spine.subscribe(name="keeper"):
        with pytest.raises(Invalid):
            async with spine.subscribe(name="keeper"):
                pass


async def announces_events(spine: Spine) -> None:
    """Events reach those whose pattern fits the kind; a slow reader loses the oldest."""
    async with spine.events("access.>", name="e", size_max=2) as items:
        for n in range(3):
            await spine.announce(Event(kind="access.login", actor=str(n)))
            await spine.announce(Event(kind="write.confirmed", actor=str(n)))
        assert [(await anext(items)).actor for _ in range(2)] == ["1", "2"]


SPINE = (
    carries_in_order,
    patterns_fit_words,
    publish_waits_for_the_durable,
    keeps_before_it_is_read,
    a_failed_reader_is_followed,
    joins_what_waits,
    a_full_durable_holds_back,
    drops_the_oldest_for_viewers,
    a_leaving_reader_frees_the_publisher,
    one_reader_per_durable,
    announces_events,
)
