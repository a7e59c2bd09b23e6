"""Verify finds what changed; a backup made under way brings everything back."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest
from tests.stores.folder import DAY, T0, crash, make, put, rows

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.errors import Missing, Refused, SettingsError, Unavailable
from lineshaft.stores.parquet.files import Files
from lineshaft.testing.oracle import Oracle
from lineshaft.testing.stores import holds


async def test_sound_store_verifies_open_and_closed(tmp_path: Path):
    store = make(tmp_path / "s")
    async with store.opened():
        assert not (await store.verify()).findings
        await store.append(Batch.of_rows(rows("a", 1, DAY)))
        await store.settle()
        await store.append(Batch.of_rows(rows("a", 2)))
        found = await store.verify()
        assert not found.findings
        assert found.files == 5  # manifest, two segments, last values, log
        after = crash(tmp_path / "s")
    assert not (await make(after).verify()).findings
    assert found.bytes > 0
    with pytest.raises(Missing):
        await make(tmp_path / "no").verify()


async def test_store_in_use_is_verified_by_its_own_process_only(tmp_path: Path):
    async with make(tmp_path / "s").opened():
        with pytest.raises(SettingsError, match="in use"):
            await make(tmp_path / "s").verify()


@pytest.mark.parametrize("which", ["segments/*.parquet", "last-*.arrow", "log/*.log"])
async def test_verify_finds_one_flipped_bit_in_any_file(tmp_path: Path, which: str):
    store = make(tmp_path / "s")
    async with store.opened():
        await store.append(Batch.of_rows(rows("a", *range(100))))
        await store.settle()
        for i in range(3):
            await store.append(Batch.of_rows(rows("a", 200 + i)))
        after = crash(tmp_path / "s")
    (path,) = after.glob(which)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    (finding,) = (await make(after).verify()).findings
    assert finding.file == str(path.relative_to(after))


async def test_verify_finds_a_changed_manifest_and_opening_refuses_it(tmp_path: Path):
    async with (store := make(tmp_path / "s")).opened():
        await store.append(Batch.of_rows(rows("a", 1)))
    path = tmp_path / "s" / "manifest.json"
    path.write_text(path.read_text().replace('"rows": 1', '"rows": 2'))
    (finding,) = (await make(tmp_path / "s").verify()).findings
    assert finding.file == "manifest.json"
    with pytest.raises(SettingsError, match="checksum"):
        async with make(tmp_path / "s").opened():
            pass


async def test_verify_finds_a_file_that_is_not_what_the_manifest_says(tmp_path: Path):
    """Rows, times and last values, though the checksum of the manifest itself fits."""
    async with (store := make(tmp_path / "s")).opened():
        await store.append(Batch.of_rows(rows("a", 1, 5)))
    path = tmp_path / "s" / "manifest.json"
    for name, value, told in (("rows", 3, "2 rows"), ("time_min", 7, "times from")):
        manifest = json.loads(path.read_text())
        whole = dict(manifest, segments=[dict(manifest["segments"][0])], checksum=0)
        whole["segments"][0][name] = value
        other = tmp_path / name
        shutil.copytree(tmp_path / "s", other)
        (other / "manifest.json").write_text(json.dumps(whole))
        (finding,) = (await make(other).verify()).findings
        assert told in finding.problem


async def test_backup_under_ingest_brings_back_all_that_was_acknowledged_before(tmp_path: Path):
    oracle, store = Oracle(), make(tmp_path / "s", buffer_rows_max=50)
    async with store.opened():
        await put(store, oracle, [*rows("a", *range(200)), Sample("t", T0, "x")])
        going = True

        async def feed() -> None:
            number = 0
            while going:
                number += 1
                await store.append(Batch.of_rows(rows("later", number)))

        async with asyncio.TaskGroup() as group:
            group.create_task(feed(), name="feed")
            done = await store.backup(str(tmp_path / "b"))
            going = False
        assert not done.findings
        assert done.files
    shutil.rmtree(tmp_path / "s")
    assert not (await make(tmp_path / "s").restore(str(tmp_path / "b"))).findings
    async with (store := make(tmp_path / "s")).opened():
        await holds(store, oracle)
        last = {r.point: r.time_ns for r in (await store.last(["a", "t"])).rows()}
        assert last == {"a": T0 + 199, "t": T0}
        await put(store, oracle, rows("a", 500))
        await store.backup(str(tmp_path / "b"))


async def test_second_backup_copies_only_what_is_new(tmp_path: Path):
    oracle, store, backup = Oracle(), make(tmp_path / "s"), tmp_path / "b"
    async with store.opened():
        await put(store, oracle, rows("a", 1, DAY, 2 * DAY))
        assert (await store.backup(str(backup))).files == 3
        assert (await store.backup(str(backup))).files == 0
        kept = {p.name: p.stat().st_ino for p in (backup / "segments").iterdir()}
        await put(store, oracle, rows("a", 3 * DAY))
        assert (await store.backup(str(backup))).files == 1
        now = {p.name: p.stat().st_ino for p in (backup / "segments").iterdir()}
        assert kept.items() < now.items()
        await store.delete(["a"], T0, T0 + DAY + 1)
        oracle.delete(["a"], T0, T0 + DAY + 1)
        assert (await store.backup(str(backup))).files == 0
        assert len(list((backup / "segments").iterdir())) == 2
    assert not (await make(backup).verify()).findings
    async with (store := make(backup)).opened():  # a backup is a store
        await holds(store, oracle)


class Holding(Files):
    """Has a merge happen while a backup copies."""

    def __init__(self) -> None:
        self.between = None

    def rename(self, old: Path, new: Path) -> None:
        super().rename(old, new)
        if self.between and new.suffix == ".parquet" and "b" in new.parts:
            self.between()


async def test_files_that_go_meanwhile_stay_until_they_are_copied(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("lineshaft.stores.parquet.settler.KEPT_S", 0)
    oracle, files = Oracle(), Holding()
    store = make(tmp_path / "s", files)
    loop = asyncio.get_running_loop()
    async with store.opened():
        await put(store, oracle, rows("a", 1, DAY, 2 * DAY))

        def between() -> None:
            files.between = None
            for coroutine in (
                store.append(Batch.of_rows([Sample("a", T0 + n * DAY + 1, 9.0) for n in range(3)])),
                store.delete(["a"], T0 + 2, T0 + 4 * DAY),
            ):
                asyncio.run_coroutine_threadsafe(coroutine, loop).result(20)

        files.between = between
        assert not (await store.backup(str(tmp_path / "b"))).findings
        assert not (await store.verify()).findings
    async with (store := make(tmp_path / "b")).opened():
        await holds(store, oracle)


async def test_damaged_segment_does_not_harm_the_copy_of_it(tmp_path: Path):
    oracle, store, backup = Oracle(), make(tmp_path / "s"), tmp_path / "b"
    async with store.opened():
        await put(store, oracle, rows("a", 1, DAY))
        await store.backup(str(backup))
        await store.append(Batch.of_rows(rows("a", 2 * DAY)))
        await store.settle()
        for path in (tmp_path / "s" / "segments").iterdir():
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.write_bytes(data)
        done = await store.backup(str(backup))
        assert len(done.findings) == 1
        assert "checksum" in done.findings[0].problem
    async with (store := make(backup)).opened():
        await holds(store, oracle)


async def test_backup_goes_into_no_folder_that_is_something_else(tmp_path: Path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    async with make(tmp_path / "other").opened(), (store := make(tmp_path / "s")).opened():
        await store.append(Batch.of_rows(rows("a", 1)))
        for target in ("full", "s", "s/segments", "."):
            with pytest.raises(Refused):
                await store.backup(str(tmp_path / target))
        with pytest.raises(SettingsError, match="in use"):
            await store.backup(str(tmp_path / "other"))
    async with (other := make(tmp_path / "other")).opened():
        await other.append(Batch.of_rows(rows("a", 2)))
        await other.settle()
        with pytest.raises(Refused):
            await store_backup(tmp_path / "s", tmp_path / "backup", other)
    assert (tmp_path / "full" / "thesis.txt").read_text() == "mine"


async def store_backup(first: Path, backup: Path, second) -> None:
    """A backup of one store, then of another into the same folder."""
    async with (store := make(first)).opened():
        await store.backup(str(backup))
    await second.backup(str(backup))


async def test_only_a_sound_backup_goes_only_into_an_empty_folder(tmp_path: Path):
    async with (store := make(tmp_path / "s")).opened():
        await store.append(Batch.of_rows(rows("a", *range(100))))
        await store.backup(str(tmp_path / "b"))
        with pytest.raises(Refused, match="open"):
            await store.restore(str(tmp_path / "b"))
    with pytest.raises(Refused, match="not empty"):
        await store.restore(str(tmp_path / "b"))
    (path,) = (tmp_path / "b" / "segments").iterdir()
    os.truncate(path, 50)
    assert (await make(tmp_path / "new").restore(str(tmp_path / "b"))).findings
    assert not (tmp_path / "new").exists()


class Full(Files):
    """A backup disk without room."""

    def write(self, fd: int, offset: int, parts) -> int:
        if "/b/" in str(Path(f"/proc/self/fd/{fd}").readlink()):
            raise OSError(28, "No space left on device")
        return super().write(fd, offset, parts)


async def test_backup_disk_without_room_harms_nothing(tmp_path: Path):
    oracle = Oracle()
    async with (store := make(tmp_path / "s", Full())).opened():
        await put(store, oracle, rows("a", 1))
        with pytest.raises(Unavailable, match="No space left"):
            await store.backup(str(tmp_path / "b"))
        await holds(store, oracle)
        assert store.health().ok
        assert not store.health().problem
