"""Channels say what happens when they are full; the supervisor keeps parts apart."""

import asyncio
import itertools

import pytest

from lineshaft.core.errors import LinkLost, Refused
from lineshaft.core.flow import (
    WAIT_S_MAX,
    Channel,
    Fault,
    Full,
    assert_off_loop,
    supervise,
    wait_s,
)
from lineshaft.testing.virtual import virtual_time


async def test_a_full_channel_holds_the_sender_back():
    channel = Channel[int]("c", size_max=1, full=Full.WAIT)
    await channel.put(1)
    assert not channel.put_nowait(2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await channel.put(2)
    assert await channel.get() == 1
    assert channel.get_nowait() is None


async def test_drop_oldest_counts_what_it_loses():
    channel = Channel[int]("c", size_max=2, full=Full.DROP_OLDEST)
    for i in range(5):
        await channel.put(i)
    assert channel.dropped == 3
    assert [await channel.get(), await channel.get()] == [3, 4]


def test_a_channel_without_a_bound_is_refused():
    with pytest.raises(ValueError, match="size_max"):
        Channel[int]("c", size_max=0, full=Full.WAIT)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (LinkLost("x"), Fault.LOST),
        (KeyError("a bug"), Fault.DEFECT),
        (ExceptionGroup("g", [LinkLost("x"), LinkLost("y")]), Fault.LOST),
        (ExceptionGroup("g", [LinkLost("x"), Refused("y")]), Fault.REFUSED),
        (ExceptionGroup("g", [LinkLost("x"), ExceptionGroup("h", [KeyError("z")])]), Fault.DEFECT),
    ],
)
@virtual_time
async def test_a_fault_is_told_and_the_part_runs_again(error, fault):
    left, told = [error], []
    retry = asyncio.Event()

    async def run():
        if left:
            raise left.pop()

    def faulted(what, cause):
        told.append(what)
        asyncio.get_running_loop().call_later(1, retry.set)

    await supervise("part", run, faulted=faulted, retry=retry)
    assert told == [fault]


@virtual_time
async def test_a_refused_part_is_parked_until_asked():
    calls = 0
    retry = asyncio.Event()

    async def run():
        nonlocal calls
        calls += 1
        raise Refused("no")

    async with asyncio.TaskGroup() as group:
        task = group.create_task(supervise("part", run, retry=retry))
        await asyncio.sleep(3600)
        assert calls == 1
        retry.set()
        await asyncio.sleep(3600)
        assert calls == 2
        task.cancel()


@virtual_time
async def test_the_wait_grows_is_capped_and_is_forgotten_after_a_good_while():
    starts = []
    loop = asyncio.get_running_loop()

    async def run():
        starts.append(loop.time())
        if len(starts) == 12:
            await asyncio.sleep(60)
        if len(starts) < 14:
            raise LinkLost("x")

    await supervise("part", run)
    waits = [b - a for a, b in itertools.pairwise(starts)]
    assert max(waits[:11]) <= WAIT_S_MAX
    assert waits[10] >= WAIT_S_MAX / 2
    assert waits[11] - 60 <= wait_s(1) * 2


@virtual_time
async def test_cancelling_ends_the_supervisor():
    async def run():
        await asyncio.sleep(3600)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(supervise("part", run))
        await asyncio.sleep(1)
        task.cancel()
    assert task.cancelled()


async def test_engines_refuse_to_run_on_the_loop():
    with pytest.raises(AssertionError, match="event loop"):
        assert_off_loop()
    await asyncio.to_thread(assert_off_loop)


async def test_a_cancellation_that_a_library_turned_into_an_error_still_ends_the_part():
    began, tries = asyncio.Event(), []

    async def run() -> None:
        tries.append(1)
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise LinkLost("the connection broke in the same moment") from None

    async with asyncio.TaskGroup() as group:
        task = group.create_task(supervise("part", run))
        await began.wait()
        task.cancel()
    assert task.cancelled()
    assert len(tries) == 1


@virtual_time
async def test_a_failing_group_inside_a_part_is_no_cancellation():
    async def lose():
        await asyncio.sleep(0.1)
        raise LinkLost("x")

    runs = 0

    async def run():
        nonlocal runs
        runs += 1
        if runs > 2:
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(lose())

    await supervise("part", run)
    assert runs == 3


@virtual_time
async def test_a_part_that_overhears_its_cancellation_is_told_again():
    heard = 0

    async def run():
        nonlocal heard
        while heard < 3:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                heard += 1

    async with asyncio.TaskGroup() as group:
        task = group.create_task(supervise("part", run))
        await asyncio.sleep(1)
        task.cancel()
    assert heard == 3
    assert task.cancelled()


@virtual_time
async def test_a_part_that_cancels_itself_runs_again():
    runs = 0

    async def run():
        nonlocal runs
        runs += 1
        if runs == 1:
            raise asyncio.CancelledError

    await supervise("part", run)
    assert runs == 2
