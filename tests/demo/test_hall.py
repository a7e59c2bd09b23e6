"""The hall: starts all devices, brings back what dies, leaves nothing behind."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from lineshaft.core.errors import SettingsError
from lineshaft.demo.hall import DEVICES, opened, prepare
from lineshaft.demo.run import _forget

CHILD = """
import asyncio, sys
from pathlib import Path
from lineshaft.demo.hall import opened

async def main():
    async with opened(Path(sys.argv[1]), 1) as hall:
        await hall.ready("broker", "chiller", "press")
        print("up", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def processes_of(folder: Path) -> list[int]:
    """Running processes that were told the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(folder).encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


async def gone(folder: Path) -> None:
    while processes_of(folder):
        await asyncio.sleep(0.02)


async def test_the_hall_brings_back_a_dead_device_at_the_same_port_and_ends_them_all(
    tmp_path: Path,
):
    async with opened(tmp_path, 1) as hall:
        await hall.ready()
        assert len(processes_of(tmp_path)) == len(DEVICES)
        port = hall.ports["chiller"]
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        back = asyncio.Event()
        hall.watch = lambda name: back.set() if name == "chiller" else None
        hall.kill("chiller")
        await back.wait()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        assert len(processes_of(tmp_path)) == len(DEVICES)
    assert processes_of(tmp_path) == []


async def test_no_device_outlives_a_demo_that_is_killed(tmp_path: Path):
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert await child.stdout.readline() == b"up\n"
        assert len(processes_of(tmp_path)) > len(DEVICES) // 2
    finally:
        os.kill(child.pid, signal.SIGKILL)
        await child.communicate()
    await gone(tmp_path)


def test_a_folder_keeps_its_factory(tmp_path: Path):
    first = prepare(tmp_path, 7)
    again = prepare(tmp_path, 7)
    assert again == first
    assert len(set(first.ports.values())) == len(first.ports)
    with pytest.raises(SettingsError, match="seed 7"):
        prepare(tmp_path, 8)


async def test_a_folder_has_one_demo_at_a_time(tmp_path: Path):
    folder = tmp_path / "factory"
    async with opened(folder, 1) as hall:
        ports = dict(hall.ports)
        with pytest.raises(SettingsError, match="another demo runs"):
            async with opened(folder, 1):
                pass
        with pytest.raises(SettingsError, match="another demo runs"):
            _forget(tmp_path)
    async with opened(folder, 1) as hall:
        assert hall.ports == ports
    _forget(tmp_path)
    assert not folder.exists()
