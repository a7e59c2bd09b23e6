"""A damaged file is put aside and named; the rest is served."""

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.stores.folder import DAY, T0, make, put, rows

from lineshaft.core.batch import Batch, Sample
from lineshaft.testing.oracle import Oracle, same
from lineshaft.testing.stores import ALWAYS, balanced, holds

DAYS = 3


async def three_days(folder: Path) -> Oracle:
    """A settled store with a segment for each of three days."""
    oracle = Oracle()
    async with (store := make(folder)).opened():
        for day in range(DAYS):
            await put(store, oracle, rows("a", *(day * DAY + i for i in range(500))))
            await put(store, oracle, [Sample("t", T0 + day * DAY, f"day {day}")])
            await store.settle()
    return oracle


def segments(folder: Path) -> list[Path]:
    return sorted((folder / "segments").glob("*.parquet"))


def forget_day(oracle: Oracle, day: int) -> None:
    oracle.delete(["a", "t"], T0 + day * DAY, T0 + day * DAY + 1000)


def missing(path: Path) -> None:
    path.unlink()


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def other(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


@pytest.mark.parametrize("harm", [missing, truncated, other])
async def test_plainly_damaged_segment_does_not_stop_the_store_from_opening(tmp_path: Path, harm):
    oracle = await three_days(tmp_path / "s")
    harm(segments(tmp_path / "s")[1])
    forget_day(oracle, 1)
    for _ in range(2):
        async with (store := make(tmp_path / "s")).opened():
            await holds(store, oracle)
            health = store.health()
            assert health.ok
            assert "501 rows" in health.problem
            assert "quarantine" in health.problem
            assert health.figures["damaged_segments"] == 1
            assert health.figures["damaged_rows"] == 501
            await put(store, oracle, rows("a", DAY + 3))
    (kept,) = (tmp_path / "s" / "quarantine").iterdir()
    kept.unlink()
    async with (store := make(tmp_path / "s")).opened():
        await holds(store, oracle)
        assert not store.health().problem


async def test_segment_that_comes_back_is_put_aside_too(tmp_path: Path):
    oracle = await three_days(tmp_path / "s")
    lost = segments(tmp_path / "s")[0]
    data = lost.read_bytes()
    lost.unlink()
    forget_day(oracle, 0)
    async with (store := make(tmp_path / "s")).opened():
        await put(store, oracle, rows("a", 3))
    lost.write_bytes(data)
    async with (store := make(tmp_path / "s")).opened():
        await holds(store, oracle)
        assert store.health().problem
    (kept,) = (tmp_path / "s" / "quarantine").iterdir()
    assert kept.read_bytes() == data


async def test_segment_that_breaks_under_way_is_passed_over_by_the_question_that_finds_it(
    tmp_path: Path,
):
    oracle = await three_days(tmp_path / "s")
    for day, harm in ((0, missing), (2, truncated)):
        # Opened anew, since what was read before may still be in memory.
        async with (store := make(tmp_path / "s")).opened():
            harm(segments(tmp_path / "s")[0 if day == 0 else -1])
            forget_day(oracle, day)
            await holds(store, oracle)
            assert store.health().figures["damaged_segments"] == 1 + (day > 0)
            await put(store, oracle, rows("a", DAY + 2))
            await store.settle()
            await holds(store, oracle)


async def test_damaged_segment_does_not_keep_a_buffer_from_settling(tmp_path: Path):
    oracle = await three_days(tmp_path / "s")
    async with (store := make(tmp_path / "s")).opened():
        truncated(segments(tmp_path / "s")[1])
        forget_day(oracle, 1)
        await put(store, oracle, rows("a", DAY + 2))
        await until_settled(store)
        await holds(store, oracle)
        assert store.health().figures["damaged_segments"] == 1
        assert balanced(store.counts())


async def until_settled(store) -> None:
    """The settling that finds the damage may tell who waits; the next one succeeds."""
    await store.settle()
    assert store.counts().buffered == 0


async def test_flipped_bits_never_keep_the_store_from_answering(tmp_path: Path):
    await three_days(tmp_path / "s")
    middle = segments(tmp_path / "s")[1]
    whole, dice = middle.read_bytes(), random.Random(5)
    oracle = Oracle()
    async with (store := make(tmp_path / "o")).opened():
        pass
    for _ in range(12):
        data = bytearray(whole)
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        folder = tmp_path / f"s{dice.random()}"
        oracle = await three_days(folder)
        segments(folder)[1].write_bytes(data)
        forget_day(oracle, 1)
        async with (store := make(folder)).opened():
            found = await store.verify()
            assert len(found.findings) == 1, found
            got = list((await store.read(["a", "t"], *ALWAYS)).rows())
            assert same(got, oracle.read(["a", "t"], *ALWAYS))
            await store.append(Batch.of_rows(rows("a", DAY + 1)))
            await store.settle()


async def test_flipped_bits_raise_nothing_when_they_are_read_first(tmp_path: Path):
    await three_days(tmp_path / "s")
    dice = random.Random(6)
    for _ in range(40):
        folder = tmp_path / f"f{dice.random()}"
        shutil.copytree(tmp_path / "s", folder)
        harmed = segments(folder)[1]
        data = bytearray(harmed.read_bytes())
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        harmed.write_bytes(data)
        async with (store := make(folder)).opened():
            for points in (["a"], ["a", "t"]):
                got = await store.read(points, *ALWAYS)
                assert len(got) >= 2 * 500
                await store.count(points, *ALWAYS)
                await store.before(points, T0 + DAY + 300)
                await store.after(points, T0 + DAY + 300)
                await store.summaries(points, T0 + np.arange(4) * DAY)
            assert (await store.read(["a"], T0, T0 + DAY)).number.sum() == 500 * 501 / 2


async def rolled_up(folder: Path) -> Path:
    """A store with roll-ups, and their file."""
    async with (store := make(folder)).opened():
        times = np.arange(50_000) * 10**9 + T0
        await store.append(Batch.of(["a"], np.zeros(len(times)), times, number=times % 97))
    (path,) = (folder / "segments").glob("*.rollup.parquet")
    return path


@pytest.mark.parametrize("harm", [missing, truncated, other])
@pytest.mark.parametrize("when", ["before opening", "under way", "by verify"])
async def test_damaged_rollups_are_given_up_and_the_answer_stays_right(
    tmp_path: Path, harm, when: str
):
    path = await rolled_up(tmp_path / "s")
    if when == "before opening":
        harm(path)
    async with (store := make(tmp_path / "s")).opened():
        if when != "before opening":
            harm(path)
        if when == "by verify":
            assert len((await store.verify()).findings) == 1
        table = await store.summaries(["a"], T0 + np.arange(15) * 3600 * 10**9)
        assert sum(table.column("count").to_pylist()) == 50_000
        if when != "under way":  # else the samples are summed up, until somebody verifies
            assert store.health().figures["damaged_rollups"] == 1
            assert not (await store.verify()).findings
        assert await store.count(["a"], *ALWAYS) == 50_000


async def test_rollups_are_backed_up_and_verified(tmp_path: Path):
    path = await rolled_up(tmp_path / "s")
    async with (store := make(tmp_path / "s")).opened():
        assert (await store.backup(str(tmp_path / "b"))).files == 2
        assert (await store.backup(str(tmp_path / "b"))).files == 0
    assert (tmp_path / "b" / "segments" / path.name).read_bytes() == path.read_bytes()
    assert not (await make(tmp_path / "b").verify()).findings
