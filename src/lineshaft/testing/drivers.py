"""The contract of drivers: `DRIVER` is a tuple of coroutines, each takes the plugin's class.

@pytest.mark.parametrize("check", DRIVER, ids=lambda c: c.__name__)
async def test_contract(check):
    await check(MyDriver)
"""

import asyncio
import gc
import threading
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path

import pyarrow as pa

from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.errors import LinkLost, Refused
from lineshaft.core.plugin import build, describe, load_example
from lineshaft.core.quality import is_bad
from lineshaft.core.settings import Settings
from lineshaft.drivers import Driver
from lineshaft.testing import recorder
from lineshaft.testing.recorder import Recorder, running

IN_FLIGHT_MAX = 16
"""Emits that a driver may have under way at once."""
GROWTH_BYTES_MAX = 500_000
"""What a driver may take in more memory in `HELD_S` while nothing is taken from it."""
HELD_S = 1.5
SETTLE_S = 2.0
"""How long the bench's own side may take to close after the driver is gone."""
CLOCK_NS_MAX = 3600 * NS_PER_S


async def emits(plugin: type[Driver]) -> None:
    """It declares its points before their first sample, with sane times and sound batches."""
    async with plugin.bench() as bench:
        feed = Recorder()
        async with running(plugin("bench", bench.settings), feed):
            await feed.until(lambda: {r.point for r in feed.rows()} >= set(feed.points), "a sample")
            await feed.until(lambda: len(feed.batches) >= 3, "three batches")
        assert len(feed.links) == 1, "connected is said once a run"
        assert len(feed.points) >= 2, "the bench has at least two points"
        for point in feed.points.values():
            assert point.source == "bench", f"{point.path}: the source is the driver's name"
            assert point.address, f"{point.path}: the address is empty"
        for row in feed.rows():
            assert abs(now_ns() - row.time_ns) < CLOCK_NS_MAX, f"{row} is not of now"
        assert not any(feed.troubles.values()), feed.troubles


async def stops(plugin: type[Driver]) -> None:
    """Cancelled, it leaves no task, no thread and no socket behind."""
    left = ""
    async with plugin.bench() as bench:
        # The first run opens what a process keeps for good (libraries, the loop's own threads).
        for _ in range(2):
            before = _belongings()
            feed = Recorder()
            async with running(plugin("bench", bench.settings), feed):
                await feed.until(lambda feed=feed: bool(feed.batches), "a sample")  # type: ignore[misc]
            left = await _left_over(before)
        assert not left, f"left behind: {left}"


async def is_cancelled_while_connecting(plugin: type[Driver]) -> None:
    """Cancelled at any moment of its start, it leaves nothing behind."""
    async with plugin.bench() as bench:
        before = _belongings()
        for turns in (1, 2, 5, 10, 20, 40):
            driver = plugin("bench", bench.settings)
            async with running(driver, Recorder()):
                for _ in range(turns):
                    await asyncio.sleep(0)
        left = await _left_over(before)
        assert not left, f"left behind: {left}"


async def waits(plugin: type[Driver]) -> None:
    """A slow spine holds it back: few emits in flight, and the memory stays flat."""
    async with plugin.bench() as bench:
        feed = Recorder()
        async with running(plugin("bench", bench.settings), feed):
            await feed.until(lambda: bool(feed.batches), "a sample")
            feed.hold()
            await feed.until(lambda: feed.in_flight > 0, "an emit")
            await asyncio.sleep(HELD_S)
            grown = await _growth(HELD_S)
            assert feed.in_flight <= IN_FLIGHT_MAX, f"{feed.in_flight} emits in flight"
            assert grown < GROWTH_BYTES_MAX, f"{grown} bytes more in {HELD_S} s"
            feed.forget()
            feed.release()
            started = now_ns()
            await feed.until(lambda: any(r.time_ns > started for r in feed.rows()), "newer data")


async def says_when_cut(plugin: type[Driver]) -> None:
    """The bench cut, it says LinkLost; mended, the same driver works again on its next run."""
    async with plugin.bench() as bench:
        driver, feed = plugin("bench", bench.settings), Recorder()
        for _ in range(2):
            await _fails(driver, feed, LinkLost, then=bench.cut)
            feed.forget()
            await bench.mend()
        async with running(driver, feed):
            await feed.until(lambda: len(feed.batches) >= 2, "data after the mend")
        assert len(feed.links) == 3, "connected is said on each run"


async def says_when_away(plugin: type[Driver]) -> None:
    """Never connected, it says LinkLost soon, and not that it is connected."""
    async with plugin.bench() as bench:
        await bench.cut()
        before = _belongings()
        feed = Recorder()
        try:
            async with asyncio.timeout(recorder.PATIENCE_S):
                await plugin("bench", bench.settings).run(feed)
        except* LinkLost:
            pass
        else:
            raise AssertionError("run returned although nothing answers")
        assert not feed.links, "it said connected"
        left = await _left_over(before)
        assert not left, f"left behind: {left}"


async def tells_unknown_points(plugin: type[Driver]) -> None:
    """A point that the device does not know is bad and told; the others go on.

    A bench whose protocol cannot know it gives the same settings for both.
    """
    async with plugin.bench() as bench:
        if bench.unknown == bench.settings:
            return
        known = await _declared(plugin, bench.settings)
        feed = Recorder()
        async with running(plugin("bench", bench.unknown), feed):
            await feed.until(
                lambda: {r.point for r in feed.rows() if not is_bad(r.quality)} >= known,
                "a good sample of each known point",
            )
            await feed.until(
                lambda: any(r.point not in known and is_bad(r.quality) for r in feed.rows()),
                "a bad sample of the unknown point",
            )
            (strange,) = set(feed.points) - known
            address = feed.points[strange].address
            await feed.until(lambda: bool(feed.troubles.get(address)), f"trouble of {address!r}")
        assert [a for a, problem in feed.troubles.items() if problem] == [address]


async def writes(plugin: type[Driver]) -> None:
    """What is written is read back from the device, and comes as a sample."""
    async with plugin.bench() as bench:
        if not bench.writable:
            return
        feed = Recorder()
        async with running(plugin("bench", bench.settings), feed) as driver:
            await feed.until(lambda: bool(feed.of(bench.writable)), "a sample of the point")
            for value in (17, 3, 42):
                await driver.write(bench.writable, value)
                sample = await driver.read(bench.writable)
                assert sample.point == bench.writable
                assert sample.value == value, f"wrote {value}, read back {sample}"
                assert not is_bad(sample.quality)
            await feed.until(lambda: feed.of(bench.writable)[-1].value == 42, "the value written")


async def refuses(plugin: type[Driver]) -> None:
    """It refuses to write, read or call what it does not know, and words where numbers belong."""
    async with plugin.bench() as bench:
        feed = Recorder()
        driver = plugin("bench", bench.settings)
        async with running(driver, feed):
            await feed.until(lambda: bool(feed.batches), "a sample")
            await _raises(Refused, driver.write("no/such/point", 1))
            await _raises(Refused, driver.read("no/such/point"))
            await _raises(Refused, driver.call("no/such/method", {}))
            if bench.writable:
                await _raises(Refused, driver.write(bench.writable, "not a number"))
                await driver.read(bench.writable)
        if bench.writable:
            await _raises(LinkLost, driver.write(bench.writable, 1))
            await _raises(LinkLost, driver.read(bench.writable))


async def describes_itself(plugin: type[Driver]) -> None:
    """Its example loads, and its page has all there is to say."""
    table = load_example(plugin)
    assert isinstance(plugin.from_table("example", table), plugin)
    assert plugin.protocol, "protocol is empty"
    assert plugin.rung in {"runs", "proven", "conforms"}
    if plugin.__module__.startswith("lineshaft.drivers."):
        whole = table | {"kind": plugin.kind(), "name": "example"}
        built = await asyncio.to_thread(build, Driver, whole)
        assert built.name == "example"
        page = await asyncio.to_thread(describe, "drivers", plugin.kind())
        assert "## Settings" in page
        for line in page.splitlines():
            assert not line.rstrip().endswith("):"), f"a field without a docstring: {line}"


DRIVER: tuple[Callable[[type[Driver]], Awaitable[None]], ...] = (
    emits,
    stops,
    is_cancelled_while_connecting,
    waits,
    says_when_cut,
    says_when_away,
    tells_unknown_points,
    writes,
    refuses,
    describes_itself,
)
"""What every driver must do."""


async def _declared(plugin: type[Driver], settings: Settings) -> set[str]:
    """The points that a driver with these settings declares, once all have a sample."""
    feed = Recorder()
    async with running(plugin("bench", settings), feed):
        await feed.until(
            lambda: bool(feed.points) and {r.point for r in feed.rows()} >= set(feed.points),
            "a sample of each point",
        )
    return set(feed.points)


async def _fails(
    driver: Driver,
    feed: Recorder,
    wanted: type[Exception],
    *,
    then: Callable[[], Awaitable[None]],
) -> None:
    """Run it, do `then` once data flows, and see that `run` raises what is wanted."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_raises(wanted, driver.run(feed)), name="driver under test")
        await feed.until(lambda: bool(feed.batches) or task.done(), "a sample")
        await then()
        await asyncio.wait([task])


async def _raises(wanted: type[Exception], work: Awaitable[object]) -> None:
    """See that the work raises what is wanted, alone or in a group, in good time."""
    raised = False
    try:
        async with asyncio.timeout(recorder.PATIENCE_S):
            await work
    except* wanted:
        raised = True
    except* TimeoutError:
        raise AssertionError(f"no {wanted.__name__} in {recorder.PATIENCE_S} s") from None
    assert raised, f"no {wanted.__name__} was raised"


def _belongings() -> tuple[set[asyncio.Task[object]], set[threading.Thread], int]:
    """What the process holds now: tasks, threads but the loop's own, number of sockets."""
    threads = {t for t in threading.enumerate() if not t.name.startswith("asyncio_")}
    return asyncio.all_tasks(), threads, _sockets()


def _sockets() -> int:
    """Open sockets of this process; 0 where the system has no `/proc`."""
    count = 0
    for entry in Path("/proc/self/fd").glob("*"):
        try:
            count += str(entry.readlink()).startswith("socket:")
        except OSError:  # closed since the folder was listed
            continue
    return count


async def _left_over(before: tuple[set[asyncio.Task[object]], set[threading.Thread], int]) -> str:
    """What is there beyond `before`, once the bench's own side has had time to close."""
    loop = asyncio.get_running_loop()
    stop_s = loop.time() + SETTLE_S
    while True:
        tasks, threads, sockets = _belongings()
        more = sockets - before[2]
        names = [repr(t) for t in tasks - before[0]] + [t.name for t in threads - before[1]]
        left = ", ".join(names + ([f"{more} sockets"] if more > 0 else []))
        if not left or loop.time() > stop_s:
            return left
        await asyncio.sleep(0.02)


async def _growth(span_s: float) -> int:
    """Bytes that Python, NumPy and Arrow take more at the end of the span."""
    gc.collect()  # what is freed of earlier times would hide what grows now
    arrow = int(pa.total_allocated_bytes())
    tracemalloc.start(1)
    try:
        await asyncio.sleep(span_s)
        return tracemalloc.get_traced_memory()[0] + int(pa.total_allocated_bytes()) - arrow
    finally:
        tracemalloc.stop()
