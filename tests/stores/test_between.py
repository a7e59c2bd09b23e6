"""What falls between the parts: retention while closing or on a sick disk, roll-ups beside it."""

import asyncio
import errno
import os
import threading
from pathlib import Path

import pytest
from tests.stores.folder import DAY, make, put

from lineshaft.core.batch import Sample
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Unavailable
from lineshaft.stores import Rule
from lineshaft.stores.parquet import merging, segments, summing
from lineshaft.stores.parquet.files import Files
from lineshaft.testing.oracle import Oracle
from lineshaft.testing.stores import balanced, holds

S = 1_000_000_000
HOUR = 3600 * S
RULES = (Rule(branch="hall", raw_s=10 * 86400.0), Rule(raw_s=0.0))


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(segments, "ROLLUP_ROWS_MIN", 1)
    monkeypatch.setattr(summing, "FEW_ROWS", -1)
    monkeypatch.setattr(merging, "TICK_S", 0.01)


def days_ago(days: int) -> int:
    return (now_ns() // DAY - days) * DAY


def series(point: str, start: int, count: int = 300) -> list[Sample]:
    return [Sample(point, start + i * S, float(i)) for i in range(count)]


class Gate(Files):
    """Holds back who makes a segment, once it is shut."""

    def __init__(self) -> None:
        self.open, self.reached = threading.Event(), threading.Event()
        self.open.set()

    def create(self, path: Path) -> int:
        if path.name.endswith(".parquet") and not self.open.is_set():
            self.reached.set()
            self.open.wait(20)
        return super().create(path)


async def test_nothing_changes_a_folder_that_was_closed_while_retention_ran(tmp_path: Path):
    files, oracle = Gate(), Oracle()
    store = make(tmp_path / "s", files)
    opened = store.opened()
    await opened.__aenter__()
    await put(store, oracle, series("hall/a", days_ago(30)) + series("other", days_ago(30)))
    await store.settle()
    files.open.clear()
    retaining = asyncio.create_task(store.retain(RULES, 0, dry=False), name="retain")
    await asyncio.to_thread(files.reached.wait, 20)
    retaining.cancel()
    closing = asyncio.create_task(opened.__aexit__(None, None, None), name="close")
    await asyncio.wait({closing}, timeout=0.5)
    if closing.done():
        # Another opened the folder and goes on; what was thought to be over must not undo it.
        async with (other := make(tmp_path / "s")).opened():
            await put(other, oracle, series("other", days_ago(3)))
            await other.settle()
    files.open.set()
    await closing
    await asyncio.gather(retaining, return_exceptions=True)
    await asyncio.sleep(0.3)
    async with (store := make(tmp_path / "s")).opened():
        await holds(store, oracle)
        assert not (await store.verify()).findings


class Sick(Files):
    """Takes no manifest once it is sick."""

    sick = False

    def rename(self, old: Path, new: Path) -> None:
        if self.sick and new.name == "manifest.json":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().rename(old, new)


async def test_retention_that_the_disk_refuses_does_not_say_it_was_done(tmp_path: Path):
    files, oracle = Sick(), Oracle()
    store = make(tmp_path / "s", files)
    async with store.opened():
        await put(store, oracle, series("hall/a", days_ago(30)) + series("other", days_ago(30)))
        await store.settle()
        files.sick = True
        with pytest.raises(Unavailable, match="did not come to its end"):
            await store.retain(RULES, 0, dry=False)
        await holds(store, oracle)
        files.sick = False
        assert (await store.retain(RULES, 0, dry=False)).rows == 300
        assert balanced(store.counts())
