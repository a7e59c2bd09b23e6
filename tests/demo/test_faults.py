"""Misfortune: of every sort, said aloud, and over after a while."""

import asyncio
import random
from pathlib import Path

import pytest

from lineshaft.core.path import check_path
from lineshaft.demo.faults import Misfortune, befall, draw
from lineshaft.demo.hall import DEVICES, opened
from lineshaft.demo.logbook import Logbook, What
from lineshaft.demo.machines import PLACES, SPECS


def drawn(count: int) -> list[Misfortune]:
    rng = random.Random(1)
    return [draw(rng) for _ in range(count)]


def test_every_sort_of_misfortune_happens():
    all_ = drawn(400)
    assert {m.what for m in all_} == {None, What.BAD, What.FROZEN, What.STOP, What.GARBAGE}
    assert {m.is_cut for m in all_ if m.what is None} == {True, False}
    assert {m.target for m in all_ if m.what is None} == set(DEVICES)
    assert {m.target for m in all_ if m.what is What.BAD} == set(PLACES)


@pytest.mark.parametrize("misfortune", drawn(50))
def test_misfortune_names_what_exists_and_ends(misfortune: Misfortune):
    assert 3.0 <= misfortune.seconds <= 40.0
    assert misfortune.target in misfortune.text
    if misfortune.point:
        assert misfortune.point in {s.name for s in SPECS[misfortune.target]}
        assert check_path(f"{PLACES[misfortune.target]}/{misfortune.point}")


async def refuses(port: int) -> None:
    """Return once nobody listens at the port any more."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return
        writer.close()
        await asyncio.sleep(0.01)


async def test_a_device_without_power_is_away_and_comes_back(tmp_path: Path):
    async with opened(tmp_path, 1) as hall:
        await hall.ready("chiller")
        away = Misfortune("chiller loses power", None, "chiller", 0.4)
        async with asyncio.TaskGroup() as group:
            group.create_task(befall(hall, away))
            await refuses(hall.ports["chiller"])
        assert hall.is_ready("chiller")


async def test_a_sensor_that_fails_stands_in_the_logbook(tmp_path: Path):
    async with opened(tmp_path, 1) as hall:
        await befall(hall, Misfortune("meter/power fails", What.BAD, "meter", 0.1, "power"))
    (entry,) = Logbook(tmp_path / "logbook.jsonl").refresh()
    assert (entry.machine, entry.what, entry.point) == ("meter", What.BAD, "power")
    assert entry.lasts(entry.time_ns)
    assert not entry.lasts(entry.stop_ns)
