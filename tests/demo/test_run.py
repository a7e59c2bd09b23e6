"""The whole demo, as a user starts it."""

import asyncio
import os
import re
import signal
import sys
import tomllib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from lineshaft.core.errors import SettingsError
from lineshaft.core.path import is_under
from lineshaft.demo.hall import DEVICES
from lineshaft.demo.machines import PLACES, SPECS
from lineshaft.demo.plant_file import plant_file
from lineshaft.demo.run import Wish, _forget, run
from lineshaft.settings import build_at, load, load_text
from lineshaft.stores import Store

PORTS = {d.port_of: 40_000 + n for n, d in enumerate(DEVICES.values())}


def processes_of(folder: Path) -> list[bytes]:
    """Command lines of running processes that were told the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in line:
                found.append(line)
    return found


@asynccontextmanager
async def demo(folder: Path, *options: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lineshaft", "demo", "--data", str(folder), "--port", "0"),
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def lines_until(process: asyncio.subprocess.Process, *wanted: str) -> list[str]:
    """What it prints until all that is wanted has come."""
    seen: list[str] = []
    while not all(any(re.search(w, line) for line in seen) for w in wanted):
        line = (await process.stdout.readline()).decode()
        assert line, f"ended early: {seen}"
        seen.append(line.rstrip())
    return seen


def test_the_plant_file_names_every_point_once_and_allows_two_writes(tmp_path: Path):
    text = plant_file(PORTS, http_port=8080)
    loaded = load_text(text, folder=tmp_path)
    assert {d.name for d in loaded.drivers} == {"cell-1", "cnc-3", "press", "chiller", "mqtt"}
    places = set(PLACES.values())
    for rule in loaded.file.writes:
        assert any(is_under(rule.point, place) for place in places)
        name = rule.point.rpartition("/")[2]
        assert any(s.name == name and s.writable for m in SPECS for s in SPECS[m])
    tables = tomllib.loads(text)["drivers"]
    press = next(t for t in tables if t["name"] == "press")
    assert {p["name"] for p in press["points"]} == {s.name for s in SPECS["press"]}


@pytest.mark.timeout(120)
async def test_the_demo_shows_all_protocols_and_stops_on_ctrl_c_without_a_trace(tmp_path: Path):
    async with demo(tmp_path / "d", "--no-history") as process:
        seen = await lines_until(
            process, r"one-time password \S{8}", *(rf"first live.*\({p}\)" for p in
            ("OPC UA", "Modbus TCP", "MQTT")),
        )  # fmt: skip
        assert re.search(r"console: http://127\.0\.0\.1:\d+", "\n".join(seen))
        assert not [line for line in seen if "Traceback" in line or "ERROR" in line]
        process.send_signal(signal.SIGINT)
        rest = (await process.stdout.read()).decode()
        assert await process.wait() == 0, rest
        assert "Traceback" not in rest
    assert processes_of(tmp_path) == []


@pytest.mark.timeout(120)
async def test_the_past_is_loaded_once_and_joins_the_live_values(tmp_path: Path):
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if "all is loaded" in line:
            os.kill(os.getpid(), signal.SIGINT)

    await run(Wish(folder=tmp_path, port=0, days=1), say)
    assert not (tmp_path / "factory" / "history").exists()
    loaded = load(tmp_path / "plant.toml")
    store = build_at(Store, loaded.file.store, loaded.data)
    async with store.opened():
        path = f"{PLACES['meter']}/energy"
        kept = await store.read([path], 0, 2**62)
    gaps_s = np.diff(kept.time_ns) / 1e9
    assert len(kept) > 2_880
    assert gaps_s.max() < 90.0
    assert (np.diff(kept.number) >= 0.0).all()

    def say_and_stop(line: str) -> None:
        said.append(line)
        if "first live value" in line:
            os.kill(os.getpid(), signal.SIGINT)

    await run(Wish(folder=tmp_path, port=0, days=1), say_and_stop)
    assert sum("all is loaded" in line for line in said) == 1


def test_fresh_deletes_a_demo_and_nothing_else(tmp_path: Path):
    mine = tmp_path / "thesis.txt"
    mine.write_text("ten years of work")
    with pytest.raises(SettingsError, match="holds no demo"):
        _forget(tmp_path)
    (tmp_path / "factory").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "plant.toml").touch()
    _forget(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
