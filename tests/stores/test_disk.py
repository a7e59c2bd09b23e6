"""What the Parquet store does when its disk is full, slow or broken, and in any history."""

import asyncio
import errno
import json
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.stores.folder import DAY, T0, crash, make, put, rows, until

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.errors import Unavailable
from lineshaft.stores.parquet.files import Files
from lineshaft.testing.oracle import Oracle
from lineshaft.testing.stores import ALWAYS, balanced, holds

# ---- the disk


class Trouble(Files):
    """A disk that fills up, fails to sync or is slow, when told to."""

    def __init__(self) -> None:
        self.log_fails = 0
        self.sync_fails = 0
        self.segments_fail = False
        self.held: threading.Event | None = None

    def write(self, fd: int, offset: int, parts) -> int:
        if self.log_fails:
            # A full disk takes a part of it first.
            super().write(fd, offset, [b"".join(map(bytes, parts))[: self.log_fails]])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(fd, offset, parts)

    def sync(self, fd: int) -> None:
        if self.sync_fails:
            self.sync_fails -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().sync(fd)

    def sync_path(self, path: Path) -> None:
        if path.suffix == ".parquet":
            if self.held:
                self.held.wait(30)
            if self.segments_fail:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().sync_path(path)


@pytest.mark.parametrize("written", [1, 30, 200])
async def test_full_disk_acknowledges_nothing_and_recovers(tmp_path: Path, written: int):
    oracle, files = Oracle(), Trouble()
    store = make(tmp_path / "s", files)
    async with store.opened():
        await put(store, oracle, rows("a", 1))
        files.log_fails = written
        for _ in range(2):
            with pytest.raises(Unavailable, match="No space left") as caught:
                await store.append(Batch.of_rows(rows("new", *range(50))))
            assert caught.value.remedy
        health = store.health()
        assert not health.ok
        assert "No space left" in health.problem
        await holds(store, oracle)
        assert store.counts().accepted == 1
        files.log_fails = 0
        await put(store, oracle, rows("new", 7))
        assert store.health().ok
        await holds(store, oracle)
        after = crash(tmp_path / "s")
    store = make(after)
    async with store.opened():
        await holds(store, oracle)
        assert store.health().figures["log_torn_bytes"] == 0


async def test_store_notices_by_itself_that_the_disk_has_room_again(tmp_path: Path):
    files = Trouble()
    store = make(tmp_path / "s", files)
    async with store.opened():
        files.log_fails = 10
        with pytest.raises(Unavailable):
            await store.append(Batch.of_rows(rows("a", 1)))
        files.log_fails = 0
        await until(lambda: store.health().ok)


async def test_failed_sync_acknowledges_nothing(tmp_path: Path):
    oracle, files = Oracle(), Trouble()
    store = make(tmp_path / "s", files)
    async with store.opened():
        await put(store, oracle, rows("a", 1))
        files.sync_fails = 1
        with pytest.raises(Unavailable, match="Input/output error"):
            await store.append(Batch.of_rows(rows("b", 1)))
        await put(store, oracle, rows("b", 2))
        await holds(store, oracle)
        after = crash(tmp_path / "s")
    async with (store := make(after)).opened():
        await holds(store, oracle)


async def test_segments_that_cannot_be_written_stay_in_the_log(tmp_path: Path):
    oracle, files = Oracle(), Trouble()
    store = make(tmp_path / "s", files)
    async with store.opened():
        await put(store, oracle, rows("a", 1))
        files.segments_fail = True
        with pytest.raises(Unavailable, match="segments in"):
            await store.settle()
        await put(store, oracle, rows("a", 2))
        await holds(store, oracle)
        health = store.health()
        assert health.ok
        assert "cannot be written" in health.problem
        assert balanced(store.counts())
        after = crash(tmp_path / "s")
        files.segments_fail = False
        await until(lambda: not store.health().problem)
        await store.settle()
        await holds(store, oracle)
        assert store.counts().stored == 2
    manifest = json.loads((tmp_path / "s" / "manifest.json").read_text())
    known = {s["file"] for s in manifest["segments"] + manifest["retired"]}
    assert {p.name for p in (tmp_path / "s" / "segments").iterdir()} == known
    async with (store := make(after)).opened():
        await holds(store, oracle)


async def test_closing_with_a_full_disk_keeps_the_log(tmp_path: Path):
    oracle, files = Oracle(), Trouble()
    store = make(tmp_path / "s", files)
    async with store.opened():
        await put(store, oracle, rows("a", 1))
        files.segments_fail = True
    async with (store := make(tmp_path / "s")).opened():
        await holds(store, oracle)


async def test_appends_wait_when_settling_cannot_keep_up(tmp_path: Path):
    oracle, files = Oracle(), Trouble()
    files.held = threading.Event()
    store = make(tmp_path / "s", files, buffer_rows_max=100)
    async with store.opened():

        async def feed() -> None:
            for i in range(100):
                await put(store, oracle, rows("a", *range(i * 50, i * 50 + 50)))

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(feed(), 1)
        assert 300 <= store.counts().buffered <= 400
        files.held.set()
        await put(store, oracle, rows("b", 1))
        await store.settle()
        assert store.counts().accepted >= oracle.accepted
        got = await store.count(["a", "b"], *ALWAYS)
        assert got >= len(oracle.rows)


async def test_health_says_when_appends_are_refused_for_a_full_buffer(tmp_path: Path):
    files = Trouble()
    store = make(tmp_path / "s", files, buffer_rows_max=100)
    async with store.opened():
        files.segments_fail = True

        async def feed() -> None:
            for i in range(1000):
                await store.append(Batch.of_rows(rows("a", *range(i * 50, i * 50 + 50))))

        with pytest.raises(Unavailable, match="buffer is full"):
            await asyncio.wait_for(feed(), 20)
        assert not store.health().ok
        files.segments_fail = False
        await until(lambda: store.health().ok)
        await store.append(Batch.of_rows(rows("a", -1)))


FILL = """
import asyncio, sys, os
sys.path[:0] = sys.argv[3:]
from lineshaft.core.batch import Batch
from lineshaft.core.errors import Unavailable
from lineshaft.core.plugin import build
from lineshaft.stores import Store
import numpy as np

async def main(folder, how):
    store = build(Store, {"kind": "parquet", "path": folder, "buffer_rows_max": 20_000})
    kept = 0
    async with store.opened():
        try:
            for i in range(10_000):
                times = np.arange(i * 1000, i * 1000 + 1000)
                number = np.random.default_rng(i).normal(size=1000)
                await store.append(Batch.of(["a"], np.zeros(1000), times, number=number))
                kept += 1000
        except Unavailable as error:
            assert error.remedy
        assert not store.health().ok and store.health().problem
        assert await store.count(["a"], 0, 2**62) == kept > 0
        if how == "tmpfs":
            os.unlink(os.path.join(folder, "..", "ballast"))
            async with asyncio.timeout(20):  # it goes on by itself, after a look around
                while True:
                    try:
                        await store.append(Batch.of_rows([("a", -1, 1.0)]))
                        break
                    except Unavailable:
                        await asyncio.sleep(0.05)
            assert store.health().ok
            kept += 1
        last = kept
    store = build(Store, {"kind": "parquet", "path": folder})
    async with store.opened():
        print(last, await store.count(["a"], -1, 2**62))

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


def fill(folder: Path, how: str, **options) -> None:
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(folder), how, str(source)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stderr
    kept, found = map(int, done.stdout.split())
    assert kept == found > 0


def test_log_that_may_not_grow_acknowledges_nothing_more(tmp_path: Path):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    fill(tmp_path / "s", "limit", preexec_fn=limit)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_really_full_disk_loses_nothing_and_recovers(tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let root mount")
    try:
        (disk / "ballast").write_bytes(bytes(1_000_000))
        fill(disk / "s", "tmpfs")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# ---- everything at once

SAMPLES = st.lists(
    st.builds(
        Sample,
        st.sampled_from(["a", "b", "c/d"]),
        st.integers(-5, 25).map(lambda t: T0 // DAY * DAY + t * DAY // 10),
        st.one_of(st.floats(width=32), st.text(max_size=3), st.integers(-9, 9).map(float)),
        st.sampled_from([0, 0x4000_0000, 0x8000_0000]),
    ),
    max_size=12,
)
STEPS = st.lists(st.one_of(SAMPLES, st.sampled_from(["settle", "reopen", "crash"])), max_size=10)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS)
async def test_any_history_is_read_back_as_plain_python_has_it(tmp_path: Path, steps):
    folder = tmp_path / f"s{np.random.default_rng().integers(1 << 60)}"
    await live(folder, steps)


class Gated(Files):
    """A disk that stands still while its content is copied."""

    def __init__(self) -> None:
        self.gate = threading.RLock()

    def write(self, fd: int, offset: int, parts) -> int:
        with self.gate:
            return super().write(fd, offset, parts)

    def write_whole(self, path: Path, data: bytes | memoryview) -> None:
        with self.gate:
            super().write_whole(path, data)

    def delete(self, path: Path) -> None:
        with self.gate:
            super().delete(path)


async def live(folder: Path, steps) -> None:
    oracle = Oracle()
    while True:
        gated = Gated()
        store = make(folder, gated, buffer_rows_max=20)
        async with store.opened():
            await holds(store, oracle)
            while steps:
                step, *steps = steps
                if step == "crash":
                    with gated.gate:
                        folder = crash(folder)
                if step in ("crash", "reopen"):
                    break
                if step == "settle":
                    await store.settle()
                else:
                    await put(store, oracle, step)
                await holds(store, oracle)
                assert balanced(store.counts())
                last = {r.point: r.time_ns for r in (await store.last()).rows()}
                newest = dict(sorted(oracle.rows))
                assert last == newest
            else:
                return
