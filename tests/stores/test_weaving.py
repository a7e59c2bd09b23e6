"""Segments are woven into the order that sorting all their rows gives."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from lineshaft.core.batch import Batch
from lineshaft.stores.parquet import segments as making
from lineshaft.stores.parquet import weaving
from lineshaft.stores.parquet.files import Files
from lineshaft.stores.parquet.rows import Names, rows_of
from lineshaft.stores.parquet.segments import Shelf, tidy
from lineshaft.stores.parquet.shape import rows_of as settled

T0 = 1_760_000_000_000_000_000


@pytest.mark.parametrize("seed", range(12))
def test_woven_rows_are_all_rows_in_order(tmp_path: Path, monkeypatch, seed: int):
    random = np.random.default_rng(seed)
    monkeypatch.setattr(making, "ROWS_MIN", 20)
    monkeypatch.setattr(making, "ROWS_MAX", 40)
    monkeypatch.setattr(weaving, "CHUNK", int(random.integers(1, 200)))
    (tmp_path / "segments").mkdir()
    shelf = Shelf(Files(), tmp_path, duckdb.connect())
    names = Names()
    points = [f"p{i}" for i in random.permutation(15)]
    # Keys are dealt out, so that no two segments hold the same; some points have most rows.
    keys = random.permutation(15 * 400)[:2000]
    keys = np.where(random.random(2000) < 0.4, keys % 400, keys)
    keys = random.permutation(np.unique(keys))
    wide = bool(seed % 2)
    written = []
    for part in np.array_split(keys if wide else np.sort(keys % 400 * 15 + keys // 400), 5):
        point, time = (part // 400, part % 400) if wide else (part % 15, part // 15)
        text = [f"x{k}" if k % 7 == 0 else None for k in part.tolist()]
        number = pa.array([None if t else float(k) for t, k in zip(text, part, strict=True)])
        batch = Batch.of(points, point, T0 + time * 1001, number=number, text=text, quality=3)
        fresh = tidy(rows_of(names.of(points)[batch.index], batch), names.paths)
        written.append(shelf.write([fresh.table]))
    query = f"SELECT * FROM ({settled(written, shelf.folder)}) ORDER BY point, time_ns"
    wanted = duckdb.sql(query).fetchall()
    assert len(wanted) == len(keys)
    woven = [tuple(r.values()) for t in weaving.weave(written, shelf.folder) for r in t.to_pylist()]
    assert woven == wanted
    one = shelf.write(weaving.weave(written, shelf.folder))
    assert duckdb.sql(settled([one], shelf.folder)).fetchall() == wanted
    assert max(t.num_rows for t in weaving.weave([one], shelf.folder)) < len(keys)
