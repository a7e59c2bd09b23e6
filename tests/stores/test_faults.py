"""Whatever a file system does, and whenever: nothing acknowledged is lost or doubled."""

import asyncio
import errno
import os
import shutil
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.stores.faulty import Dead, Failing, Killed, PowerCut
from tests.stores.folder import DAY, T0, make, rows

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.errors import LineshaftError, SettingsError, Unavailable
from lineshaft.testing.oracle import Oracle, same
from lineshaft.testing.stores import ALWAYS, balanced

POINTS = ["a", "b", "t"]
CALLS_MAX = 1000
EVERY = int(os.environ.get("LINESHAFT_FAULTS_EVERY", "7"))
"""Every so many calls go wrong in a run of the suite; 1 tries all, which takes some minutes."""

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnhandledThreadExceptionWarning"  # threads that die when told to
)


@pytest.fixture(autouse=True)
def restless(monkeypatch):
    """A store that merges, forgets and looks around all the time."""
    monkeypatch.setattr("lineshaft.stores.parquet.settler.SEGMENTS_A_DAY_MAX", 1)
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
