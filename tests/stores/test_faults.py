"""Whatever a file system does, and whenever: nothing acknowledged is lost or doubled."""

import asyncio
import errno
import os
import random
import shutil
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from tests.stores.faulty import Dead, Failing, Faulty, Killed, PowerCut
from tests.stores.folder import DAY, T0, make, rows, until

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import LineshaftError, SettingsError, Unavailable
from lineshaft.testing.oracle import Oracle, same
from lineshaft.testing.stores import ALWAYS, balanced

POINTS = ["a", "b", "t"]
CALLS_MAX = 1000
EVERY = int(os.environ.get("LINESHAFT_FAULTS_EVERY", "13"))
"""Every so many calls go wrong in a run of the suite; 1 tries all, which takes some minutes."""

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnhandledThreadExceptionWarning"  # threads that die when told to
)


@pytest.fixture(autouse=True)
def restless(monkeypatch):
    """A store that merges, forgets and looks around all the time."""
    monkeypatch.setattr("lineshaft.stores.parquet.merging.SMALL_MAX", 0)
    monkeypatch.setattr("lineshaft.stores.parquet.merging.TICK_S", 0.005)
    monkeypatch.setattr("lineshaft.stores.parquet.merging.REST_S", 0.005)
    monkeypatch.setattr("lineshaft.stores.parquet.settler.KEPT_S", -1)
    monkeypatch.setattr("lineshaft.stores.parquet.settler.TICK_S", 0.005)
    monkeypatch.setattr("lineshaft.stores.parquet.writer.PROBE_S", 0.005)


def script() -> list[tuple]:
    """What is done with a store, so that every kind of change to its folder happens."""
    return [
        ("append", [*rows("a", 1, 2, 3), *rows("b", 1, 2, DAY), Sample("t", T0, "x")]),
        ("settle",),
        ("append", [*rows("a", 2, 4, value=7.0), *rows("b", DAY + 1)]),
        ("append", rows("a", 5)),
        ("settle",),
        ("merge",),
        ("delete", ["a", "t"], 2, 5),
        ("append", rows("a", 3, value=9.0)),
        ("backup",),
        ("settle",),
        ("append", rows("b", 7)),
    ]


async def do(store, step: tuple, backup: Path) -> None:
    match step:
        case ("append", samples):
            await store.append(Batch.of_rows(samples))
        case ("settle",):
            await store.settle()
        case ("delete", points, start, stop):
            await store.delete(points, T0 + start, T0 + stop)
        case ("backup",):
            await store.backup(str(backup))
        case ("merge",):
            async with asyncio.timeout(10):
                while store.health().figures["segments"] > 2 and not ended(store):
                    await asyncio.sleep(0.002)


def calls(folder: Path) -> range:
    """The calls to go wrong; each test begins at another, and ends behind the last."""
    return range(1 + zlib.crc32(folder.name.encode()) % EVERY, CALLS_MAX, EVERY)


def ended(store) -> bool:
    return "has ended" in store.health().problem


def note(oracle: Oracle, step: tuple) -> Oracle:
    """What the store holds after the step, if it held what the oracle did."""
    after = Oracle()
    after.rows, after.accepted = dict(oracle.rows), oracle.accepted
    match step:
        case ("append", samples):
            after.append(samples)
        case ("delete", points, start, stop):
            after.delete(points, T0 + start, T0 + stop)
    return after


async def content(store) -> list[Sample]:
    got = list((await store.read(POINTS, *ALWAYS)).rows())
    assert await store.count(POINTS, *ALWAYS) == len(got)
    last = {r.point: r for r in (await store.last()).rows()}
    newest = {r.point: r for r in got}
    assert same(sorted(last.values()), sorted(newest.values())), "last values are others"
    assert balanced(store.counts())
    return got


@asynccontextmanager
async def clean(folder: Path) -> AsyncGenerator[tuple]:
    """The store of a folder on a disk that works, and what it holds; sound before and after."""
    async with (store := make(folder)).opened():
        yield store, await content(store)
        assert not store.health().problem, store.health()
        assert not (await store.verify()).findings
    assert not (await make(folder).verify()).findings


async def until_it_dies(folder: Path, files: Killed) -> tuple[Oracle, Oracle]:
    """Go through the script; what was acknowledged, and what was besides being done."""
    oracle = doubt = Oracle()
    try:
        async with (store := make(folder, files)).opened():
            for step in script():
                doubt = note(oracle, step)
                await do(store, step, folder.with_name("b"))
                if files.dead or ended(store):
                    break
                oracle = doubt
    except (Dead, LineshaftError):
        assert files.dead
    return oracle, doubt


@pytest.mark.parametrize("kind", [Killed, PowerCut])
async def test_process_that_dies_at_any_call_loses_and_doubles_nothing(tmp_path: Path, kind):
    for at in calls(tmp_path):
        folder = tmp_path / str(at) / "s"
        files = kind(at)
        oracle, doubt = await until_it_dies(folder, files)
        left = files.left(folder)
        async with clean(left) as (store, got):
            sure, perhaps = oracle.read(POINTS, *ALWAYS), doubt.read(POINTS, *ALWAYS)
            assert same(got, sure) or same(got, perhaps), (at, files.asked[at - 1], got, sure)
            more = rows("a", 100)
            await store.append(Batch.of_rows(more))
            await store.settle()
            assert len(await content(store)) == len(got) + 1
        backup = folder.with_name("b")
        if kind is Killed and (backup / "manifest.json").exists():
            assert not (await make(backup).verify()).findings
        shutil.rmtree(folder.parent)
        if not files.dead:
            break
    else:
        raise AssertionError("the script never came to its end")


@pytest.mark.parametrize(("code", "times"), [(errno.ENOSPC, 1), (errno.EIO, 2), (errno.EROFS, 15)])
async def test_disk_that_fails_at_any_call_loses_and_doubles_nothing(
    tmp_path: Path, code: int, times: int
):
    for at in calls(tmp_path):
        folder = tmp_path / str(at) / "s"
        files = Failing(at, code, times)
        oracle = Oracle()
        while True:
            try:
                async with (store := make(folder, files)).opened():
                    for step in script():
                        await persist(store, step, folder.with_name("b"))
                        oracle = note(oracle, step)
                        assert same(await content(store), oracle.read(POINTS, *ALWAYS)), at
                break
            except SettingsError:  # while opening
                oracle = Oracle()
        async with clean(folder) as (_, got):
            assert same(got, oracle.read(POINTS, *ALWAYS)), (at, files.asked[at - 1])
        shutil.rmtree(folder.parent)
        if len(files.asked) < at:
            break
    else:
        raise AssertionError("the script never came to its end")


async def persist(store, step: tuple, backup: Path) -> None:
    """Do it until it is done."""
    async with asyncio.timeout(20):
        while True:
            try:
                await do(store, step, backup)
            except Unavailable:
                await asyncio.sleep(0.001)
            else:
                return


# ---- other kinds of bad luck


async def test_ten_thousand_tiny_batches_are_all_there(tmp_path: Path):
    async with (store := make(tmp_path / "s", buffer_rows_max=3000)).opened():
        async with asyncio.TaskGroup() as group:
            for lane in range(100):

                async def feed(lane: int = lane) -> None:
                    for i in range(100):
                        await store.append(Batch.of_rows([Sample("a", T0 + i * 100 + lane, 1.0)]))

                group.create_task(feed(), name=f"lane {lane}")
        assert await store.count(["a"], *ALWAYS) == 10_000
        assert balanced(store.counts())
    async with (store := make(tmp_path / "s")).opened():
        assert await store.count(["a"], *ALWAYS) == 10_000
        assert store.counts().replaced == 0


async def test_large_batch_is_cut_into_parts(tmp_path: Path):
    times = np.arange(1_000_000) % 300_000 + T0
    async with (store := make(tmp_path / "s", buffer_rows_max=100_000)).opened():
        await store.append(Batch.of(["a"], np.zeros(len(times)), times, number=times % 97))
        assert store.counts().buffered <= 4 * 200_000
        assert await store.count(["a"], *ALWAYS) == 300_000
        counts = store.counts()
        assert (counts.accepted, balanced(counts)) == (1_000_000, True)


async def test_clock_that_is_set_back_neither_keeps_nor_loses_a_file(tmp_path: Path, monkeypatch):
    now = now_ns()
    clock = {"now": now}
    monkeypatch.setattr("lineshaft.stores.parquet.settler.now_ns", lambda: clock["now"])
    monkeypatch.setattr("lineshaft.stores.parquet.settler.KEPT_S", 100)
    oracle = Oracle()
    async with (store := make(tmp_path / "s")).opened():
        for hour in (0, -9, 5, -100):
            clock["now"] = now + hour * 3600 * 10**9
            samples = rows("a", *range(20), value=float(hour))
            await store.append(Batch.of_rows(samples))
            oracle.append(samples)
            await store.settle()
            assert same(await content(store), oracle.read(POINTS, *ALWAYS))
        await until(lambda: len(list((tmp_path / "s" / "segments").iterdir())) <= 2)
        assert same(await content(store), oracle.read(POINTS, *ALWAYS))


class ReadOnly(Faulty):
    """A disk that was remounted read-only."""

    locked = False

    def hurt(self, name: str) -> bool:
        return self.locked

    def wrong(self) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))


async def test_disk_that_becomes_read_only_still_answers(tmp_path: Path):
    files, oracle = ReadOnly(), Oracle()
    async with (store := make(tmp_path / "s", files)).opened():
        for day in range(2):
            samples = rows("a", *(day * DAY + i for i in range(5)))
            await store.append(Batch.of_rows(samples))
            oracle.append(samples)
            await store.settle()
        files.locked = True
        for _ in range(3):
            with pytest.raises(Unavailable, match="Read-only"):
                await store.append(Batch.of_rows(rows("a", 9)))
        with pytest.raises(Unavailable):
            await store.delete(["a"], *ALWAYS)
        assert not store.health().ok
        # A damaged file cannot be put aside there, and is passed over all the same.
        first = min((tmp_path / "s" / "segments").iterdir())
        first.write_bytes(b"")
        oracle.delete(["a"], T0, T0 + 100)
        assert same((await store.read(["a"], *ALWAYS)).rows(), oracle.read(["a"], *ALWAYS))
        assert "quarantine" in store.health().problem
        files.locked = False
        await until(lambda: store.health().ok)
    files.locked = True
    with pytest.raises(SettingsError, match="Read-only"):
        await make(tmp_path / "s", files).opened().__aenter__()


@pytest.mark.parametrize("seed", range(6))
async def test_harmed_logs_give_back_every_record_before_the_harm(tmp_path: Path, seed: int):
    dice = random.Random(seed)
    sizes = []
    async with (store := make(tmp_path / "s")).opened():
        for i in range(20):
            await store.append(Batch.of_rows(rows("a", 3 * i, 3 * i + 1, 3 * i + 2)))
            (log,) = (tmp_path / "s" / "log").glob("*.log")
            sizes.append(log.stat().st_size)
        shutil.copytree(tmp_path / "s", tmp_path / "whole")
    data = (tmp_path / "whole" / "log" / log.name).read_bytes()
    for number in range(12):
        folder = tmp_path / f"h{number}"
        shutil.copytree(tmp_path / "whole", folder)
        harmed = bytearray(data)
        at = dice.randrange(len(data))
        if number % 3 == 0:
            harmed = harmed[:at]
        elif number % 3 == 1:
            harmed[at] ^= 1 << dice.randrange(8)
        else:
            harmed[at : at + 200] = dice.randbytes(200)
        (folder / "log" / log.name).write_bytes(harmed)
        sure = sum(size <= at for size in sizes)
        async with (store := make(folder)).opened():
            got = [r.time_ns - T0 for r in (await store.read(["a"], *ALWAYS)).rows()]
            assert got == list(range(len(got))), "a hole"
            assert len(got) >= 3 * sure
            assert all(r.value == 1.0 + (r.time_ns - T0) for r in await content(store))
            if len(got) < 60 and number % 3:
                figures = store.health().figures
                assert figures.get("log_corrupt_bytes", 0) + figures["log_torn_bytes"] > 0
