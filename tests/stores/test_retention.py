"""Samples go when their rule says so, and the oldest when the disk budget does; nothing else."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from tests.stores.folder import DAY, make, put

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.clock import now_ns
from lineshaft.stores import Rule
from lineshaft.stores.parquet import merging, segments, summing
from lineshaft.testing.oracle import Oracle, assert_summaries
from lineshaft.testing.stores import balanced, holds

S = 1_000_000_000
HOUR = 3600 * S


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(segments, "ROLLUP_ROWS_MIN", 1)
    monkeypatch.setattr(summing, "FEW_ROWS", -1)
    monkeypatch.setattr(merging, "TICK_S", 0.01)


def days_ago(days: int) -> int:
    return (now_ns() // DAY - days) * DAY


def series(point: str, start: int, count: int = 300) -> list[Sample]:
    return [Sample(point, start + i * S, float(i)) for i in range(count)]


async def two_branches(store, oracle: Oracle) -> None:
    for days in (30, 5, 1):
        rows = [r for p in ("hall/a", "hall/b/c", "hallway") for r in series(p, days_ago(days))]
        await put(store, oracle, rows)
        await store.settle()


RULES = (Rule(branch="hall", raw_s=10 * 86400.0), Rule(branch="hall/b", raw_s=3 * 86400.0))


async def test_each_point_follows_the_longest_branch(tmp_path: Path):
    store, oracle = make(tmp_path / "s"), Oracle()
    async with store.opened():
        await two_branches(store, oracle)
        edges = [days_ago(31), days_ago(30) + HOUR, days_ago(2), days_ago(0)]
        points = ["hall/a", "hall/b/c", "hallway"]
        wanted = oracle.summaries(points, edges)
        told = await store.retain(RULES, 0, dry=True)
        await holds(store, oracle)
        done = await store.retain(RULES, 0, dry=False)
        assert done == told
        assert set(done.reasons) == {"hall", "hall/b"}
        assert abs(done.rows - 900) <= 2
        oracle.delete(["hall/a"], 0, days_ago(10))
        oracle.delete(["hall/b/c"], 0, days_ago(3))
        await holds(store, oracle)
        assert balanced(store.counts())
        table = await store.summaries(points, np.array(edges))
        assert_summaries(table, wanted)
        assert (await store.retain(RULES, 0, dry=False)).rows == 0
    async with (store := make(tmp_path / "s")).opened():
        await holds(store, oracle)
        assert_summaries(await store.summaries(points, np.array(edges)), wanted)


async def test_roll_ups_go_when_their_time_is_over_too(tmp_path: Path):
    store, oracle = make(tmp_path / "s"), Oracle()
    async with store.opened():
        await two_branches(store, oracle)
        for rollup_s, left in ((40 * 86400.0, 3), (20 * 86400.0, 2)):
            rule = Rule(raw_s=86400.0 / 2, rollup_s=rollup_s)
            await store.retain([rule], 0, dry=False)
            table = await store.summaries(["hallway"], np.array([days_ago(60), days_ago(0)]))
            assert table.column("count").to_pylist() == [300 * left]
            assert len(await store.read(["hallway"], 0, days_ago(0))) == 0


async def test_late_samples_of_a_thinned_day_are_there_until_the_next_time(tmp_path: Path):
    store = make(tmp_path / "s")
    day = days_ago(30)
    async with store.opened():
        await store.append(Batch.of_rows(series("a", day)))
        await store.settle()
        await store.retain([Rule(raw_s=86400.0)], 0, dry=False)
        await store.append(Batch.of_rows(series("a", day + HOUR, 10)))
        for _ in range(2):
            table = await store.summaries(["a"], np.array([day, day + DAY]))
            assert table.column("count").to_pylist() == [310]
            assert await store.count(["a"], day, day + DAY) == 10
            await store.settle()


async def test_budget_lets_the_oldest_samples_go_first_then_the_oldest_roll_ups(tmp_path: Path):
    store, oracle = make(tmp_path / "s"), Oracle()
    async with store.opened():
        for days in (9, 5, 2):
            await put(store, oracle, series("a", days_ago(days), 3000))
            await store.settle()
        named = store._house.state.manifest.segments
        sizes = [s.bytes for s in named]
        rollups = [s.rollup.bytes for s in named]
        assert (await store.retain([], sum(sizes + rollups), dry=True)).bytes == 0
        told = await store.retain([], sum(sizes + rollups) - 1, dry=False)
        assert (told.files, told.reasons) == ((named[0].file,), {"disk budget": sizes[0]})
        assert (await store.storage())[0].first_ns == days_ago(5)
        edges = np.array([days_ago(10), days_ago(0)])
        assert (await store.summaries(["a"], edges)).column("count").to_pylist() == [9000]
        await store.retain([], 1, dry=False)
        assert len(await store.read(["a"], 0, days_ago(0))) == 0
        await store.retain([], 1, dry=False)
        assert (await store.summaries(["a"], edges)).num_rows == 0
        await store.append(Batch.of_rows(series("a", days_ago(1))))
        assert await store.count(["a"], 0, days_ago(0)) == 300


async def test_merged_files_are_of_one_rule_each(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(merging, "SMALL_MAX", 0)
    store, oracle = make(tmp_path / "s"), Oracle()
    async with store.opened():
        await store.retain(RULES, 0, dry=False)
        for part in range(4):
            start = days_ago(2) + part * HOUR
            for point in ("hall/a", "hall/b/c", "hallway"):
                await put(store, oracle, series(point, start, 20))
                await store.settle()
        for _ in range(500):
            named = store._house.state.snapshot().segments
            if len(named) == 3:
                break
            await store.settle()
            await asyncio.sleep(0.01)
        assert {s.branch for s in named} == {"", "hall", "hall/b"}
        await holds(store, oracle)
