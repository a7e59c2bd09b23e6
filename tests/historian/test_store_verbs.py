"""`lineshaft store …` on the folder of a plant that is stopped, and exports between stores."""

import asyncio
import shutil
from pathlib import Path

import numpy as np
import pytest

from lineshaft.cli import parser
from lineshaft.core.batch import Batch, Sample
from lineshaft.core.errors import Invalid, Refused
from lineshaft.core.plugin import build
from lineshaft.historian import transfer
from lineshaft.stores import Store
from lineshaft.testing.stores import ALWAYS

T0 = 1_760_000_000_000_000_000
ROWS = [
    *(Sample(f"works/{p}", T0 + i, float(i) / 3) for p in "ab" for i in range(50)),
    Sample("works/t", T0, "überall"),
    Sample("works/t", T0 + 1, None, 0x8000_0000),
    Sample("other/n", T0, float("nan")),
    Sample("other/n", T0 + 3, str(2**70)),
]


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """Settings of a plant with some history."""
    file = tmp_path / "plant.toml"
    file.write_text(f'[historian]\nbackup = "{tmp_path / "set"}"\n')
    asyncio.run(fill(tmp_path / "lineshaft-data" / "stores"))
    return file


async def fill(folder: Path) -> None:
    async with (store := at(folder)).opened():
        await store.append(Batch.of_rows(ROWS))


def at(folder: Path) -> Store:
    return build(Store, {"kind": "parquet", "path": str(folder)})


def run(*words: object) -> int:
    args = parser("store").parse_args(["store", *map(str, words)])
    return args.call(args)


def test_store_is_verified_backed_up_and_restored(plant, tmp_path, capsys):
    assert run("verify", "--settings", plant) == 0
    assert run("backup", "--settings", plant) == 0
    assert run("backup", tmp_path / "named", "--settings", plant) == 0
    assert run("verify", "--backup", tmp_path / "set", "--settings", plant) == 0
    with pytest.raises(Refused):
        run("restore", tmp_path / "set", "--settings", plant)
    shutil.rmtree(tmp_path / "lineshaft-data")
    assert run("restore", tmp_path / "set", "--settings", plant) == 0
    assert run("verify", "--settings", plant) == 0
    assert "0 findings" in capsys.readouterr().out
    (segment,) = (tmp_path / "set" / "segments").glob("*.parquet")
    segment.write_bytes(segment.read_bytes()[:-1])
    assert run("verify", "--backup", tmp_path / "set", "--settings", plant) == 1
    assert segment.name in capsys.readouterr().out


def test_export_goes_into_another_store_and_is_seen_to_be_the_same(plant, tmp_path, capsys):
    assert run("export", tmp_path / "out", "--settings", plant) == 0
    other = tmp_path / "other.toml"
    other.write_text('[plant]\ndata = "other-data"\n')
    for _ in range(2):  # again is harmless
        assert run("import", tmp_path / "out", "--settings", other) == 0
    told = capsys.readouterr().out
    assert "104 samples of 4 points" in told
    assert "gives back every row" in told
    with pytest.raises(Refused):
        run("export", tmp_path / "out", "--settings", plant)
    first, second = (tmp_path / n / "stores" for n in ("lineshaft-data", "other-data"))
    assert asyncio.run(rows_of(first)) == asyncio.run(rows_of(second))


async def rows_of(folder: Path) -> list[str]:
    async with (store := at(folder)).opened():
        names = sorted((await store.last()).points)
        return [repr(r) for r in (await store.read(names, *ALWAYS)).rows()]


def test_part_of_a_store_is_exported(plant, tmp_path, capsys):
    span = ("--branch", "works", "--start", T0 + 1, "--stop", T0 + 3)
    assert run("export", tmp_path / "out", "--settings", plant, *span) == 0
    assert "5 samples of 3 points" in capsys.readouterr().out


def test_damaged_export_is_refused_before_anything_of_it_is_brought_in(plant, tmp_path):
    run("export", tmp_path / "out", "--settings", plant)
    (part,) = (tmp_path / "out").glob("part-*")
    data = bytearray(part.read_bytes())
    data[len(data) // 3] ^= 1
    part.write_bytes(data)
    other = tmp_path / "other.toml"
    other.write_text('[plant]\ndata = "other-data"\n')
    with pytest.raises(Invalid):
        run("import", tmp_path / "out", "--settings", other)
    assert asyncio.run(rows_of(tmp_path / "other-data" / "stores")) == []


def test_segment_that_was_put_aside_can_be_brought_back(plant, tmp_path):
    stores = tmp_path / "lineshaft-data" / "stores"
    (segment,) = (stores / "segments").glob("*.parquet")
    kept = shutil.copy(segment, tmp_path / "kept.parquet")
    before = asyncio.run(rows_of(stores))
    segment.unlink()
    assert run("verify", "--settings", plant) == 1
    assert asyncio.run(rows_of(stores)) == []
    assert run("import", kept, "--settings", plant) == 0
    assert asyncio.run(rows_of(stores)) == before


def test_backup_needs_a_folder(tmp_path):
    file = tmp_path / "plant.toml"
    file.write_text("")
    with pytest.raises(Invalid):
        run("backup", "--settings", file)


def test_checksum_sees_every_change_and_no_order():
    whole = Batch.of_rows(ROWS)
    parts = [whole.slice(60, len(whole)), whole.slice(0, 60)]
    total = transfer.checksum_of(whole)
    assert sum(map(transfer.checksum_of, parts)) % 2**64 == total
    order = np.random.default_rng(1).permutation(len(whole))
    assert transfer.checksum_of(whole.take(order)) == total
    changes = [("point", "works/z"), ("time_ns", 5), ("value", 0.5), ("value", "x"), ("quality", 1)]
    for name, value in changes:
        other = [ROWS[0]._replace(**{name: value}), *ROWS[1:]]
        assert transfer.checksum_of(Batch.of_rows(other)) != total
