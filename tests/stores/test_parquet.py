"""What the Parquet store does when the disk, the power or the user plays tricks on it."""

import json
import os
import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.stores.folder import DAY, T0, Parquet, crash, make, put, rows, until

from lineshaft.core.batch import SCHEMA, Batch, Sample
from lineshaft.core.errors import Invalid, SettingsError, Unavailable
from lineshaft.stores.parquet import queries
from lineshaft.testing.oracle import Oracle
from lineshaft.testing.stores import balanced, holds


def only_log(folder: Path) -> Path:
    (path,) = (folder / "log").glob("*.log")
    return path


# ---- restart


async def test_log_is_replayed_after_a_crash(tmp_path: Path):
    oracle = Oracle()
    store = make(tmp_path / "s")
    async with store.opened():
        await put(store, oracle, rows("a", 1, 2))
        await put(store, oracle, [Sample("t", T0, "ü"), Sample("a", T0 + 2, None, 0x8000_0000)])
        after = crash(tmp_path / "s")
    store = make(after)
    async with store.opened():
        await holds(store, oracle)
        assert store.counts().accepted == 4
        assert balanced(store.counts())
        assert {r.point: r.value for r in (await store.last()).rows()} == {"a": None, "t": "ü"}
        await store.settle()
        await holds(store, oracle)


@pytest.mark.parametrize("cut", [1, 7, 24, 60, 100])
async def test_torn_tail_is_cut_and_counted(tmp_path: Path, cut: int):
    oracle = Oracle()
    store = make(tmp_path / "s")
    async with store.opened():
        await put(store, oracle, rows("a", 1, 2))
        await store.append(Batch.of_rows(rows("a", 3)))
        after = crash(tmp_path / "s")
    os.truncate(only_log(after), only_log(after).stat().st_size - cut)
    store = make(after)
    async with store.opened():
        await holds(store, oracle)
        health = store.health()
        assert health.ok
        assert not health.problem
        assert health.figures["log_torn_bytes"] > 0


async def test_garbage_behind_the_last_record_is_torn_too(tmp_path: Path):
    oracle = Oracle()
    store = make(tmp_path / "s")
    async with store.opened():
        await put(store, oracle, rows("a", 1, 2))
        after = crash(tmp_path / "s")
    with only_log(after).open("ab") as log:
        log.write(bytes(5000))
    store = make(after)
    async with store.opened():
        await holds(store, oracle)
        assert store.health().figures["log_torn_bytes"] == 5000


async def test_broken_record_in_the_middle_is_set_aside_and_told(tmp_path: Path):
    oracle = Oracle()
    store = make(tmp_path / "s")
    async with store.opened():
        await put(store, oracle, rows("a", 1, 2))
        end = only_log(tmp_path / "s").stat().st_size
        await store.append(Batch.of_rows(rows("a", 3)))
        await store.append(Batch.of_rows(rows("a", 4)))
        after = crash(tmp_path / "s")
    data = bytearray(only_log(after).read_bytes())
    data[end + 40] ^= 1
    only_log(after).write_bytes(data)
    store = make(after)
    async with store.opened():
        await holds(store, oracle)
        health = store.health()
        assert health.ok
        assert "set aside" in health.problem
        assert health.figures["log_corrupt_bytes"] > 0
    (kept,) = (after / "log").glob("*.corrupt")
    assert kept.read_bytes() == bytes(data)


async def test_log_that_was_settled_already_doubles_nothing(tmp_path: Path):
    oracle = Oracle()
    store = make(tmp_path / "s")
    async with store.opened():
        await put(store, oracle, rows("a", *range(50)))
        log = only_log(tmp_path / "s")
        data = log.read_bytes()
        await store.settle()
    log.write_bytes(data)
    store = make(tmp_path / "s")
    async with store.opened():
        await holds(store, oracle)
        assert store.counts().accepted == 0
        assert store.health().figures["settled_rows"] == 50
    assert not log.exists()


async def test_files_that_no_manifest_names_are_cleared(tmp_path: Path):
    oracle = Oracle()
    store = make(tmp_path / "s")
    async with store.opened():
        await put(store, oracle, rows("a", 1))
    (segment,) = (tmp_path / "s" / "segments").iterdir()
    stray = segment.with_name("000000000099.parquet")
    shutil.copy(segment, stray)
    (tmp_path / "s" / "last-000000000099.arrow").write_bytes(b"half")
    store = make(tmp_path / "s")
    async with store.opened():
        await holds(store, oracle)
    assert not stray.exists()
    assert len(list((tmp_path / "s").glob("last-*"))) == 1


async def test_damaged_file_of_last_values_is_made_anew(tmp_path: Path):
    store = make(tmp_path / "s")
    async with store.opened():
        await store.append(Batch.of_rows([*rows("a", 1, 3), Sample("t", T0, "x")]))
        await store.settle()
        await store.append(Batch.of_rows(rows("a", 2)))
    (last,) = (tmp_path / "s").glob("last-*.arrow")
    last.write_bytes(b"nonsense")
    store = make(tmp_path / "s")
    async with store.opened():
        got = {r.point: (r.time_ns, r.value) for r in (await store.last()).rows()}
        assert got == {"a": (T0 + 3, 4.0), "t": (T0, "x")}


# ---- who else is there


async def test_second_process_on_the_folder_is_told_who_holds_it(tmp_path: Path):
    store = make(tmp_path / "s")
    async with store.opened():
        with pytest.raises(SettingsError, match=f"in use by process {os.getpid()}") as caught:
            async with make(tmp_path / "s").opened():
                pass
        assert str(tmp_path / "s") in str(caught.value)
        assert caught.value.remedy
        await store.append(Batch.of_rows(rows("a", 1)))
    async with make(tmp_path / "s").opened():
        pass


async def test_folder_of_a_newer_version_is_refused(tmp_path: Path):
    async with (store := make(tmp_path / "s")).opened():
        await store.append(Batch.of_rows(rows("a", 1)))
    manifest = tmp_path / "s" / "manifest.json"
    manifest.write_text(json.dumps({"version": 99, "shape": "strange"}))
    with pytest.raises(SettingsError, match="has version 99, this program knows 2"):
        async with make(tmp_path / "s").opened():
            pass
    manifest.unlink()
    with pytest.raises(SettingsError, match="segments but no manifest"):
        async with make(tmp_path / "s").opened():
            pass


async def test_store_without_a_path_says_so():
    with pytest.raises(SettingsError, match="no path"):
        async with Parquet("store", Parquet.Config()).opened():
            pass


async def test_closed_store_takes_nothing(tmp_path: Path):
    store = make(tmp_path / "s")
    with pytest.raises(Unavailable, match="not open"):
        await store.append(Batch.of_rows(rows("a", 1)))
    async with store.opened():
        await store.append(Batch.of_rows(rows("a", 1)))
    assert store.counts().stored == 1
    with pytest.raises(Unavailable):
        await store.append(Batch.of_rows(rows("a", 1)))
    assert not store.health().ok


async def test_damaged_batch_is_refused_and_the_store_goes_on(tmp_path: Path):
    store = make(tmp_path / "s")
    point = pa.DictionaryArray.from_arrays(pa.array([0, None], pa.int32()), ["a"])
    wild = pa.DictionaryArray.from_arrays(pa.array([0, 7], pa.int32()), ["a"], safe=False)
    async with store.opened():
        for column in (point, wild):
            columns = [column, [1, 2], [1.0, 2.0], pa.nulls(2, pa.string()), [0, 0]]
            arrays = [
                pa.array(c, f.type) for c, f in zip(columns[1:], list(SCHEMA)[1:], strict=True)
            ]
            batch = Batch(pa.RecordBatch.from_arrays([column, *arrays], schema=SCHEMA))
            with pytest.raises(Invalid):
                await store.append(batch)
        await store.append(Batch.of_rows(rows("a", 1)))
        assert store.counts().accepted == 1


async def test_other_tools_read_what_the_manifest_names(tmp_path: Path):
    store = make(tmp_path / "s")
    async with store.opened():
        await store.append(Batch.of_rows([*rows("b", 2, 1), Sample("a", T0, "x", 7)]))
    names = json.loads((tmp_path / "s" / "manifest.json").read_text())["segments"]
    (file,) = [tmp_path / "s" / "segments" / n["file"] for n in names]
    got = duckdb.sql(
        f"SELECT point, epoch_us(time) * 1000 + nanos, number, text, quality FROM '{file}'"
    ).fetchall()
    assert got == [
        ("a", T0, None, "x", 7),
        ("b", T0 + 1, 2.0, None, 0),
        ("b", T0 + 2, 3.0, None, 0),
    ]
    assert pq.read_metadata(file).metadata[b"lineshaft.segment"] == b"2"


# ---- settling and merging


async def test_full_buffer_is_settled_without_being_asked(tmp_path: Path):
    oracle = Oracle()
    store = make(tmp_path / "s", buffer_rows_max=100)
    async with store.opened():
        for i in range(20):
            await put(store, oracle, rows("a", *range(i * 60, i * 60 + 60)))
        await until(lambda: store.counts().buffered <= 100)
        await holds(store, oracle)
        assert store.counts().stored >= 1000


async def test_old_buffer_is_settled_without_being_asked(tmp_path: Path):
    store = make(tmp_path / "s", flush_s=0.05)
    async with store.opened():
        await store.append(Batch.of_rows(rows("a", 1)))
        await until(lambda: store.counts().stored >= 1)


async def test_many_small_segments_become_one(tmp_path: Path):
    oracle = Oracle()
    store = make(tmp_path / "s")
    async with store.opened():
        for i in range(12):
            batch = [
                *rows("a", i, i + 100),
                Sample("b", T0 + i * DAY, 1.0),
                Sample("t", i, f"x{i}"),
            ]
            await put(store, oracle, batch)
            await store.settle()
        await until(lambda: store.health().figures.get("merges"))
        await holds(store, oracle)
    store = make(tmp_path / "s")
    async with store.opened():
        await holds(store, oracle)
        assert store.health().figures["settled_rows"] == len(oracle.rows)


async def test_times_scattered_over_centuries_make_few_files(tmp_path: Path):
    oracle = Oracle()
    store = make(tmp_path / "s")
    async with store.opened():
        await put(store, oracle, [Sample("a", i * 37 * DAY, float(i)) for i in range(2000)])
        await store.settle()
        assert store.health().figures["segments"] <= 64
        await holds(store, oracle)


# ---- many points


@pytest.mark.parametrize("few", [1, queries.FEW_MAX])
async def test_many_points_are_read_alike_by_row_groups_and_by_the_engine(
    tmp_path: Path, few: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(queries, "FEW_MAX", few)
    oracle = Oracle()
    store = make(tmp_path / "s")
    points = [f"p{i:03}" for i in range(300)]
    async with store.opened():
        for day in range(3):
            samples = [
                Sample(p, T0 + day * DAY + i * 1000, None if i % 7 == 3 else float(i), i % 7 == 3)
                for i, p in enumerate(points)
            ]
            samples = [s._replace(quality=0x8000_0000 if s.quality else 0) for s in samples]
            await put(store, oracle, samples)
            await store.settle()
        await put(store, oracle, [Sample("p007", T0 + 7000, 70.0), Sample("p008", T0, "ü")])
        for asked in (points, points[::-1], points[40:90], ["p299", "p000", *points[5:30]]):
            for start, stop in ((T0, T0 + 3 * DAY), (T0 + 50_000, T0 + DAY + 100_000)):
                found = await store.read(asked, start, stop)
                assert list(map(repr, found.rows())) == list(
                    map(repr, oracle.read(asked, start, stop))
                )
