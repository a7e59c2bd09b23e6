"""What stands in a segment's file, and that every version and unit of it is read exactly."""

import json
import tarfile
from itertools import count
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.stores.folder import DAY, T0, make, put
from tests.stores.version_1.made import batches

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.errors import SettingsError
from lineshaft.stores.parquet.files import Files
from lineshaft.stores.parquet.manifest import load
from lineshaft.stores.parquet.segments import ROWS_MAX, ROWS_MIN, Shelf
from lineshaft.stores.parquet.shape import coarsest, rows_of
from lineshaft.stores.parquet.weaving import weave
from lineshaft.testing.oracle import Oracle
from lineshaft.testing.stores import balanced, holds

US, MS, S = 1_000, 1_000_000, 1_000_000_000


def files(folder: Path) -> list[tuple[dict, Path]]:
    segments = json.loads((folder / "manifest.json").read_text())["segments"]
    return [(s, folder / "segments" / s["file"]) for s in segments]


# ---- units of time


@pytest.mark.parametrize(
    ("step", "unit"), [(MS, "ms"), (5 * S, "ms"), (US, "us"), (100, "us"), (1, "us")]
)
async def test_file_keeps_time_in_the_unit_that_it_needs(tmp_path: Path, step: int, unit: str):
    oracle = Oracle()
    store = make(tmp_path / "s")
    async with store.opened():
        await put(store, oracle, [Sample("a", T0 + i * step, float(i)) for i in range(-9, 100)])
        await store.settle()
        await holds(store, oracle)
        for start in range(T0 - 3, T0 + 4):
            wanted = oracle.read(["a"], start, start + 5 * step + 1)
            got = await store.read(["a"], start, start + 5 * step + 1)
            assert [r.time_ns for r in got.rows()] == [r.time_ns for r in wanted]
            assert await store.count(["a"], start, start + 5 * step + 1) == len(wanted)
    ((segment, file),) = files(tmp_path / "s")
    assert segment["unit"] == unit
    assert pq.read_schema(file).field("time").type.unit == unit


async def test_files_of_all_units_are_read_as_one(tmp_path: Path):
    oracle = Oracle()
    store = make(tmp_path / "s")
    times = [T0, T0 + DAY + US, T0 + 2 * DAY + 7, -(2**63), -(2**63) + 999, 2**63 - 2, -1, 0]
    async with store.opened():
        for time in times:
            await put(store, oracle, [Sample("a", time, 1.0), Sample("b", time, "x")])
            await store.settle()
            await holds(store, oracle)
        await put(store, oracle, [Sample("a", t, 2.0) for t in times])
        await store.settle()
        await holds(store, oracle)
    assert {s["unit"] for s, _ in files(tmp_path / "s")} == {"ms", "us", "ns"}


async def test_merging_files_of_several_units_keeps_every_nanosecond(tmp_path: Path):
    oracle = Oracle()
    store = make(tmp_path / "s")
    async with store.opened():
        for i in range(12):
            await put(store, oracle, [Sample("a", T0 + i * S + i % 3 * 500 * (i % 2), 1.0)])
            await store.settle()
    store = make(tmp_path / "s")
    async with store.opened():
        await holds(store, oracle)


# ---- row groups


async def test_row_groups_end_where_points_end(tmp_path: Path):
    counts = [100, 20_000, 5, 90_000, 17_280, 17_280, 1]
    names = [f"p{i}" for i in range(len(counts))]
    index = np.repeat(np.arange(len(counts)), counts)
    time = T0 + np.concatenate([np.arange(n) for n in counts]) * MS
    store = make(tmp_path / "s")
    async with store.opened():
        await store.append(Batch.of(names, index, time, number=np.arange(len(index)) * 1.0))
        await store.settle()
        for i, name in enumerate(names):
            got = await store.read([name], T0, T0 + DAY)
            assert got.number.tolist() == np.flatnonzero(index == i).tolist()
    ((_, file),) = files(tmp_path / "s")
    meta = pq.read_metadata(file)
    groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
    assert all(g.num_rows <= ROWS_MAX for g in groups)
    assert all(g.num_rows >= ROWS_MIN for g in groups[:-1])
    ends = np.cumsum([g.num_rows for g in groups])
    borders = [e for e in ends if e in np.cumsum(counts)]
    assert len(borders) >= len(counts) - 3


# ---- versions


@pytest.fixture
def old(tmp_path: Path) -> Path:
    with tarfile.open(Path(__file__).parent / "version_1" / "store.tar.gz") as tar:
        tar.extractall(tmp_path, filter="data")
    return tmp_path / "store"


async def test_folder_of_version_1_opens_and_reads_right(old: Path):
    oracle = Oracle()
    for batch in batches():
        oracle.append(batch)
    wanted = {k: r._replace(value=_stored(r.value)) for k, r in oracle.rows.items()}
    oracle.rows = wanted
    for _ in range(3):
        store = make(old)
        async with store.opened():
            await holds(store, oracle)
            assert balanced(store.counts())
            last = {r.point: r.time_ns for r in (await store.last()).rows()}
            assert last == dict(sorted(oracle.rows))
            await put(store, oracle, [Sample("acme/hall/line-0/press-0", T0 + 7 * S, 5.0)])
            await store.settle()
            await holds(store, oracle)
    assert json.loads((old / "manifest.json").read_text())["version"] == 2


def _stored(value):
    return str(value) if isinstance(value, int) and abs(value) > 2**53 else value


def test_segments_of_version_1_are_merged_into_version_2(old: Path):
    manifest = load(old)
    before = duckdb.sql(f"{rows_of(manifest.segments, old / 'segments')} ORDER BY ALL").fetchall()
    assert {(s.version, s.unit) for s in manifest.segments} == {(1, "ns")}
    shelf = Shelf(Files(), old, duckdb.connect())
    shelf.numbers = count(1000)
    usual = [s for s in manifest.segments if s.time_min > 0]
    edge = [s for s in manifest.segments if s not in usual]
    merged = [shelf.write(weave(s, shelf.folder), coarsest(s)) for s in (usual, edge)]
    assert [(s.version, s.unit) for s in merged] == [(2, "us"), (2, "ns")]
    after = duckdb.sql(f"{rows_of(merged, old / 'segments')} ORDER BY ALL").fetchall()
    assert repr(after) == repr(before)


async def test_segment_of_a_newer_version_is_refused(old: Path):
    manifest = json.loads((old / "manifest.json").read_text())
    manifest["segments"][0]["version"] = 99
    (old / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SettingsError, match="has version 99, this program knows 2"):
        async with make(old).opened():
            pass


async def test_log_of_a_newer_version_is_refused(old: Path):
    (log,) = (old / "log").iterdir()
    data = bytearray(log.read_bytes())
    data[4] = 99
    log.write_bytes(data)
    with pytest.raises(SettingsError, match="has version 99, this program knows 1"):
        async with make(old).opened():
            pass
