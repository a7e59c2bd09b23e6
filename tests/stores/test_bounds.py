"""Memory and open files stay bounded, whatever is written and asked, each in its own process."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.stores.folder import DAY, T0, make

from lineshaft.core.batch import Batch
from lineshaft.stores.parquet.cache import Cache
from lineshaft.stores.parquet.files import Files
from lineshaft.stores.parquet.manifest import Manifest, commit
from lineshaft.stores.parquet.rows import Names, rows_of
from lineshaft.stores.parquet.segments import Shelf, tidy

ROOT = Path(__file__).parents[2]
MIB = 1 << 20


def run(*arguments: object) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "bounds.py", "--json", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=58,
        check=False,
        env={"PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_store_works_in_512_mib(tmp_path: Path):
    found = run("memory", tmp_path / "s", "--rows", 1_000_000)
    assert found["rows"] == found["scanned"] == 1_000_000
    assert found["peak_mib"] < 512


class Hasty(Files):
    """A disk that is not waited for."""

    def sync_path(self, path: Path) -> None:
        pass


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A thousand days, a segment each."""
    for part in ("segments", "log", "tmp"):
        (tmp_path / part).mkdir()
    files, names = Hasty(), Names()
    shelf = Shelf(files, tmp_path, None)
    points = [f"p{i:02}" for i in range(20)]
    index = np.repeat(names.of(points), 5)
    time = T0 // DAY * DAY + np.tile(np.arange(5), 20) * 1_000_000
    segments = []
    for day in range(1000):
        batch = Batch.of(points, index, time + day * DAY, number=index + day * 0.5)
        segments.append(shelf.write([tidy(rows_of(index, batch), names.paths).table]))
    last = Batch.of(points, np.arange(20), np.full(20, time[-1] + 999 * DAY), number=np.arange(20))
    files.write_whole(tmp_path / "last-1.arrow", last.to_ipc())
    commit(files, tmp_path, Manifest(segments=tuple(segments), last="last-1.arrow"))
    return tmp_path


def test_thousand_segments_need_few_open_files(many: Path):
    found = run("files", many, "--files-max", 256)
    assert found["rows"] == found["counted"] == 100_000
    assert found["one"] == 5_000
    assert found["most_open"] < 256


async def test_few_points_are_read_without_keeping_files_open(many: Path):
    store = make(many, cache_mb=1)
    async with store.opened():
        before = len(list(Path("/proc/self/fd").iterdir()))
        for point in ("p00", "p07", "p19"):
            got = await store.read([point], T0 - DAY, T0 + 1001 * DAY)
            wanted = [int(point[1:]) + d * 0.5 for d in range(1000) for _ in range(5)]
            assert got.number.tolist() == wanted
        assert store.health().figures["cache_bytes"] <= MIB
        assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_cache_forgets_what_was_not_asked_for_the_longest():
    cache = Cache[int](100)
    for key in range(10):
        cache.put(key, key, 10)
    cache.get(0)
    cache.put("new", 1, 20)
    assert [k for k in range(10) if cache.get(k) is None] == [1, 2]
    assert cache.bytes == 100
    cache.put("huge", 1, 101)
    assert cache.get("huge") is None
    cache.put(0, 5, 1)
    assert (cache.get(0), cache.bytes) == (5, 91)
