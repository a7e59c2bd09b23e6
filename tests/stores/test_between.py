"""What falls between the parts: retention while closing or on a sick disk, roll-ups beside it."""

import asyncio
import errno
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from tests.stores.folder import DAY, make, put

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Unavailable
from lineshaft.stores import Question, Rule
from lineshaft.stores.parquet import merging, segments, summing
from lineshaft.stores.parquet.files import Files
from lineshaft.stores.parquet.queries import Span
from lineshaft.testing.oracle import Oracle, assert_summaries
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


async def _close(opened) -> None:
    await opened.__aexit__(None, None, None)


async def test_nothing_changes_a_folder_that_was_closed_while_retention_ran(tmp_path: Path):
    files, oracle = Gate(), Oracle()
    store = make(tmp_path / "s", files)
    opened = store.opened()
    await opened.__aenter__()
    await put(store, oracle, series("hall/a", days_ago(30)) + series("other", days_ago(30)))
    await store.settle()
    files.open.clear()
    async with asyncio.TaskGroup() as group:
        retaining = group.create_task(store.retain(RULES, 0, dry=False), name="retain")
        await asyncio.to_thread(files.reached.wait, 20)
        retaining.cancel()
        closing = group.create_task(_close(opened), name="close")
        await asyncio.wait({closing}, timeout=0.5)
        if closing.done():
            # Another opened the folder and goes on; what was thought to be over must not undo it.
            async with (other := make(tmp_path / "s")).opened():
                await put(other, oracle, series("other", days_ago(3)))
                await other.settle()
        files.open.set()
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


@pytest.mark.parametrize("few", [-1, 100_000])
async def test_summaries_are_of_one_moment_while_retention_runs(tmp_path: Path, monkeypatch, few):
    monkeypatch.setattr(summing, "FEW_ROWS", few)
    store, oracle = make(tmp_path / "s"), Oracle()
    async with store.opened():
        await put(store, oracle, series("hall/a", days_ago(30)) + series("other", days_ago(30)))
        await store.settle()
        readers, keeper = store._house.readers, store._house.keeper
        look = readers.look

        def late(*asked):
            seen = look(*asked)
            keeper.retain(RULES, 0, dry=False)
            return seen

        monkeypatch.setattr(readers, "look", late)
        edges = [days_ago(31), days_ago(29)]
        for _ in range(2):
            table = await store.summaries(["hall/a", "other"], np.array(edges))
            assert_summaries(table, oracle.summaries(["hall/a", "other"], edges))


async def test_roll_ups_and_newest_samples_outlive_all_samples_and_a_restart(tmp_path: Path):
    store, oracle = make(tmp_path / "s"), Oracle()
    edges = [days_ago(31), days_ago(0)]
    async with store.opened():
        await put(store, oracle, series("hall/a", days_ago(30)))
        await store.settle()
        wanted = oracle.summaries(["hall/a"], edges)
        await store.retain(RULES, 0, dry=False)
    for _ in range(2):
        async with (store := make(tmp_path / "s")).opened():
            assert_summaries(await store.summaries(["hall/a"], np.array(edges)), wanted)
            (last,) = (await store.last(["hall/a"])).rows()
            assert last.time_ns == days_ago(30) + 299 * S


async def test_roll_ups_of_a_point_are_found_when_its_samples_are_deleted(tmp_path: Path):
    store, oracle = make(tmp_path / "s"), Oracle()
    edges = [days_ago(31), days_ago(10)]
    async with store.opened():
        await put(store, oracle, series("hall/a", days_ago(30)) + series("hall/b", days_ago(30)))
        await put(store, oracle, series("hall/a", days_ago(1)) + series("hall/b", days_ago(1)))
        await store.settle()
        wanted = oracle.summaries(["hall/a", "hall/b"], edges)
        await store.retain(RULES, 0, dry=False)
        await store.delete(["hall/a"], days_ago(2), days_ago(0))
        assert_summaries(await store.summaries(["hall/a", "hall/b"], np.array(edges)), wanted)
        await put(store, oracle, series("hall/b", days_ago(0)))
    async with (store := make(tmp_path / "s")).opened():
        assert_summaries(await store.summaries(["hall/a", "hall/b"], np.array(edges)), wanted)
        await put(store, oracle, series("hall/b", days_ago(0)))
    async with (store := make(tmp_path / "s")).opened():
        assert_summaries(await store.summaries(["hall/b"], np.array(edges)), wanted[1:])
        await store.append(Batch.of_rows(series("hall/a", days_ago(1))))
        assert_summaries(await store.summaries(["hall/a", "hall/b"], np.array(edges)), wanted)


async def test_deleting_takes_the_newest_sample_that_retention_left_in_memory(tmp_path: Path):
    store = make(tmp_path / "s")
    async with store.opened():
        await store.append(Batch.of_rows(series("hall/a", days_ago(30))))
        await store.settle()
        await store.retain(RULES, 0, dry=False)
        assert await store.delete(["hall/a"], 0, days_ago(0)) == 0
        assert not len(await store.last())
    async with (store := make(tmp_path / "s")).opened():
        assert not len(await store.last())


async def test_late_samples_among_roll_ups_leave_the_ends_exact(tmp_path: Path):
    store, oracle = make(tmp_path / "s"), Oracle()
    day = days_ago(30)
    edges = [day, day + DAY]
    exact = ("count", "begin_ns", "end_ns", "min", "max", "first", "first_ns", "last", "last_ns")
    async with store.opened():
        await put(store, oracle, [Sample("hall/a", day, None, 0x8005_0000)])
        await put(store, oracle, series("hall/a", day + 60 * S))
        await store.settle()
        await store.retain(RULES, 0, dry=False)
        await put(store, oracle, [Sample("hall/a", day + t * S // 2, -7.0) for t in (11, 201, 301)])
        for _ in range(2):
            table = await store.summaries(["hall/a"], np.array(edges))
            (got,), (wanted,) = table.to_pylist(), oracle.summaries(["hall/a"], edges)
            assert {n: got[n] for n in exact} == {n: wanted[n] for n in exact}
            assert 0 <= got["known_ns"] <= got["end_ns"] - got["begin_ns"]
            await store.settle()


async def test_a_backup_can_be_restored_when_the_newest_samples_were_damaged(tmp_path: Path):
    store, oracle = make(tmp_path / "s"), Oracle()
    async with store.opened():
        await put(store, oracle, series("a", days_ago(2)))
        await store.settle()
        last = tmp_path / "s" / store._house.state.manifest.last
        last.write_bytes(last.read_bytes()[:-3] + b"xyz")
        await store.backup(str(tmp_path / "backup"))
        last.unlink()
        await store.backup(str(tmp_path / "backup"))
    again = make(tmp_path / "again")
    assert not (await again.restore(str(tmp_path / "backup"))).findings
    async with again.opened():
        await holds(again, oracle)
        assert (await again.last()).time_ns.tolist() == [days_ago(2) + 299 * S]


async def test_sql_has_one_row_a_bucket_where_late_rows_came_to_roll_ups(tmp_path: Path):
    store, oracle = make(tmp_path / "s"), Oracle()
    day = days_ago(30)
    exact = ("count", "usable", "quality", "begin_ns", "end_ns", "min", "min_ns", "max", "max_ns")
    exact += ("first", "first_ns", "last", "last_ns", "sum")
    question = Question(text="SELECT * FROM rollup_1h ORDER BY point, time_ns")
    async with store.opened():
        await put(store, oracle, series("hall/a", day + 60 * S) + series("hall/a", day + HOUR))
        await put(store, oracle, [Sample("hall/b", day, None, 0x8005_0000)])
        await store.settle()
        await store.retain(RULES, 0, dry=False)
        await put(store, oracle, [Sample("hall/a", day + t * S // 2, -7.0) for t in (11, 301)])
        await put(store, oracle, [Sample("hall/b", day + S, None, 0x8005_0000)])
        for _ in range(2):
            got = [r async for b in store.sql(question) for r in b.to_pylist()]
            edges = [day, day + HOUR, day + 2 * HOUR]
            wanted = oracle.summaries(["hall/a", "hall/b"], edges)
            assert [(r["point"], r["time_ns"]) for r in got] == [
                (r["point"], r["time_ns"]) for r in wanted
            ]
            for mine, theirs in zip(got, wanted, strict=True):
                assert {n: mine[n] for n in exact} == {n: theirs[n] for n in exact}
            await store.settle()


async def test_what_is_told_as_retained_is_what_went(tmp_path: Path, monkeypatch):
    store, oracle = make(tmp_path / "s"), Oracle()
    async with store.opened():
        await put(store, oracle, series("hall/a", days_ago(30)))
        await store.settle()
        keeper, deleter = store._house.keeper, store._house.deleter
        rest = keeper._rest

        def late(*asked):
            made = rest(*asked)
            span = Span(["hall/a"], days_ago(30), days_ago(30) + 100 * S)
            store._house._settler.at_once(lambda: deleter.delete(span))
            return made

        monkeypatch.setattr(keeper, "_rest", late)
        # The segment became another one meanwhile, so that nothing of it went.
        assert not (await store.retain(RULES, 0, dry=False)).rows
        assert await store.count(["hall/a"], 0, days_ago(0)) == 200
        monkeypatch.setattr(keeper, "_rest", rest)
        assert (await store.retain(RULES, 0, dry=False)).rows == 200
