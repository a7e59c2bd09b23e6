"""Roll-ups say what the samples say, whatever comes late, twice, bad or out of order."""

import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.stores.folder import T0, make, put

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.summary import LEVELS_NS, SUMMARY_SCHEMA
from lineshaft.stores.parquet import rollups, segments, summing
from lineshaft.testing.oracle import Oracle, assert_summaries

S = 1_000_000_000
HOUR = 3600 * S
H0 = T0 - T0 % HOUR
POINTS = ["c", "a", "b", "nobody"]

VALUES = [-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 0.1, 1e9, math.nan, math.inf, "text"]
CODES = [0, 0, 0, 0, 0x4000_0000, 0x8005_0000]


def some_edges(random: np.random.Generator) -> list[int]:
    """Such as fit a level, such as fit none, and one long interval."""
    match int(random.integers(3)):
        case 0:
            level = LEVELS_NS[random.integers(4)] * int(random.integers(1, 5))
            first = int(random.integers(-3, 4))
            return [H0 + level * (first + i) for i in range(int(random.integers(2, 30)))]
        case 1:
            level = LEVELS_NS[random.integers(4)]
            inner = np.unique(random.integers(-10, 20, 5)) * level + H0
            ends = random.integers(1, 4 * HOUR, 2)
            return [int(inner[0] - ends[0]), *inner.tolist(), int(inner[-1] + ends[1])]
        case _:
            return [H0 + t * S // 2 for t in np.unique(random.integers(-10, 20_000, 6)).tolist()]


def some_rows(random: np.random.Generator) -> list[Sample]:
    """A run of samples, dense or sparse, anywhere in three hours."""
    point = "abc"[random.integers(3)]
    start = H0 + int(random.integers(-2, 9000)) * S
    step = int(random.choice([1, 400, 1000, 7000, 61_000])) * 1_000_000
    return [
        Sample(
            point,
            start + i * step,
            VALUES[random.integers(len(VALUES))],
            CODES[random.integers(len(CODES))],
        )
        for i in range(int(random.integers(1, 60)))
    ]


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Roll-ups of everything, and used however little there is."""
    monkeypatch.setattr(segments, "ROLLUP_ROWS_MIN", 1)
    monkeypatch.setattr(rollups, "SAMPLES_MIN", 2)
    monkeypatch.setattr(rollups, "GROUP_ROWS", 8)
    monkeypatch.setattr(summing, "FEW_ROWS", -1)
    monkeypatch.setattr(summing, "PAGE_ROWS", 50)


@pytest.mark.parametrize("seed", range(8))
async def test_roll_ups_say_what_samples_say(tmp_path: Path, seed: int):
    random = np.random.default_rng(seed)
    store, oracle = make(tmp_path), Oracle()
    async with store.opened():
        for _ in range(8):
            await put(store, oracle, some_rows(random))
            if random.integers(2):
                await store.settle()
            for _ in range(2):
                edges = some_edges(random)
                table = await store.summaries(POINTS, np.array(edges, dtype=np.int64))
                assert_summaries(table, oracle.summaries(POINTS, edges))
                few = await store.summaries(POINTS, np.array(edges), columns=["max_ns", "sum"])
                assert few.column("max_ns").equals(table.column("max_ns"))


def _series(point: str, count: int, step_ms: int, start: int = 0) -> Batch:
    times = H0 + start + np.arange(count) * step_ms * 1_000_000
    return Batch.of([point], np.zeros(count, np.int32), times, number=np.sin(np.arange(count)))


async def test_samples_are_not_read_where_roll_ups_do(tmp_path: Path, monkeypatch):
    store = make(tmp_path / "s")
    async with store.opened():
        await store.append(_series("a", 20_000, 400))
        await store.settle()
        monkeypatch.setattr(type(store._house.readers), "_settled", None)
        for level in LEVELS_NS:
            edges = np.arange(H0, H0 + 2 * HOUR + 1, max(level, 60 * S), dtype=np.int64)
            table = await store.summaries(["a"], edges)
            assert sum(table.column("count").to_pylist()) == 18_000


async def test_late_row_makes_the_roll_ups_anew(tmp_path: Path):
    store, oracle = make(tmp_path / "s"), Oracle()
    edges = [H0, H0 + HOUR]
    async with store.opened():
        await put(store, oracle, list(_series("a", 100, 1000).rows()))
        for row in (Sample("a", H0 + 5 * S, 77.0), Sample("a", H0 + 5 * S + 1, -77.0)):
            await store.settle()
            await put(store, oracle, [row])
            for _ in range(2):
                table = await store.summaries(["a"], np.array(edges))
                assert_summaries(table, oracle.summaries(["a"], edges))
                await store.settle()


async def test_damaged_roll_ups_are_passed_over(tmp_path: Path, caplog):
    store, oracle = make(tmp_path / "s"), Oracle()
    edges = [H0, H0 + HOUR]
    async with store.opened():
        await put(store, oracle, list(_series("a", 100, 1000).rows()))
        await store.settle()
        (path,) = (tmp_path / "s" / "segments").glob("*.rollup.parquet")
        path.write_bytes(path.read_bytes()[:-20])
        table = await store.summaries(["a"], np.array(edges))
        assert_summaries(table, oracle.summaries(["a"], edges))
    assert "roll-up not read" in caplog.text


async def test_times_at_the_ends_of_int64_have_no_roll_ups(tmp_path: Path):
    store, oracle = make(tmp_path / "s"), Oracle()
    edges = [-(2**63), 0, 2**63 - 1]
    async with store.opened():
        rows = [Sample("a", t, 1.0) for t in (-(2**63), -1, 0, 2**63 - 2)]
        await put(store, oracle, rows)
        for _ in range(2):
            table = await store.summaries(["a"], np.array(edges))
            assert table.schema.equals(SUMMARY_SCHEMA)
            assert_summaries(table, oracle.summaries(["a"], edges))
            await store.settle()
        assert len(list((tmp_path / "s" / "segments").glob("*.rollup.parquet"))) == 2


async def test_roll_ups_are_plain_parquet(tmp_path: Path):
    store = make(tmp_path / "s")
    async with store.opened():
        await store.append(_series("a", 500, 100))
        await store.settle()
    (path,) = (tmp_path / "s" / "segments").glob("*.rollup.parquet")
    rows = pq.read_table(path).to_pylist()
    assert {r["level_ns"] for r in rows} == set(LEVELS_NS)
    second = next(r for r in rows if r["level_ns"] == S)
    assert (second["time_ns"], second["count"], second["head_ns"]) == (H0, 10, 0)
    assert second["sum"] == pytest.approx(np.sin(np.arange(10)).sum())
