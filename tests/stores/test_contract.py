"""Every store in the repository keeps the contract."""

from pathlib import Path

import pytest

from lineshaft.core.plugin import build, find, kinds, load_example
from lineshaft.stores import Store
from lineshaft.testing.stores import STORE, Check

TABLES = {"parquet": {"buffer_rows_max": 1000, "readers": 2, "memory_mb": 128}}
"""Settings that make a store settle often, so that the suite sees more of it."""

HERE = [k for k in kinds("stores") if k != "clickhouse"]
"""ClickHouse's engine wants a process of its own: test_clickhouse.py."""


class Making:
    """Makes stores of one kind, with a folder for those that have a disk."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self.made = 0

    def fresh(self) -> Store:
        self.made += 1
        return self._build()

    def again(self) -> Store | None:
        return None if self.kind == "memory" else self._build()

    def _build(self) -> Store:
        table = {"kind": self.kind, **TABLES.get(self.kind, {})}
        if self.kind != "memory":
            table["path"] = str(self.folder / str(self.made))
        return build(Store, table)


@pytest.mark.parametrize("check", STORE, ids=lambda c: c.__name__)
@pytest.mark.parametrize("kind", HERE)
async def test_store_keeps_the_contract(kind: str, check: Check, tmp_path: Path):
    await check(Making(kind, tmp_path))


@pytest.mark.parametrize("kind", HERE)
def test_example_loads(kind: str):
    plugin = find("stores", kind)
    assert isinstance(plugin.from_table("store", load_example(plugin)), plugin)
