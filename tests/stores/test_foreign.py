"""The guide's ways to read the folder with other tools work as they stand."""

import re
from pathlib import Path

import pytest
from tests.stores.folder import DAY, T0, make

from lineshaft.core.batch import Batch, Sample

GUIDE = Path(__file__).parents[2] / "docs/guide/store.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


async def test_other_tools_read_files_of_mixed_units(tmp_path: Path, monkeypatch):
    pytest.importorskip("polars")
    pytest.importorskip("pandas")
    store = make(tmp_path / "lineshaft-data" / "store")
    wanted = []
    async with store.opened():
        for day, step in enumerate((1_000_000, 1_000, 1)):
            times = [T0 + day * DAY + i * step for i in range(10)]
            await store.append(Batch.of_rows([Sample("a/b", t, float(day)) for t in times]))
            await store.append(Batch.of_rows([Sample("a/t", times[0], "x")]))
            await store.settle()
            wanted += [("a/b", t, float(day)) for t in times] + [("a/t", times[0], None)]
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    for block in BLOCK.findall(GUIDE.read_text("utf-8")):
        exec(block, found)
    got = [(r["point"], r["time_ns"], r["number"]) for r in found["table"].to_pylist()]
    assert got == sorted(wanted, key=lambda r: r[:2])
    assert dict(found["means"].rows()) == {"a/b": 1.0, "a/t": None}
    assert len(found["history"].loc["a/b"]) == 30
