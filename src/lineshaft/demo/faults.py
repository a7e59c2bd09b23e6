"""Misfortune: every few tens of seconds something in the factory breaks, and is said aloud."""

import asyncio
import random
from collections.abc import Callable
from typing import NamedTuple

from lineshaft.core.point import Kind
from lineshaft.demo.hall import DEVICES, Hall
from lineshaft.demo.logbook import What
from lineshaft.demo.machines import SPECS

PAUSE_S = (12.0, 35.0)
"""Shortest and longest time from one misfortune to the next."""


class Misfortune(NamedTuple):
    """What happens, and how it is said."""

    text: str
    what: What | None
    """Something for the logbook; None when it happens to the process."""
    target: str
    """Machine, or device when it happens to the process."""
    seconds: float
    point: str = ""
    is_cut: bool = False
    """The process stands still, instead of being killed."""


def draw(rng: random.Random) -> Misfortune:
    """The next misfortune."""
    device = rng.choice(list(DEVICES))
    seconds = round(rng.uniform(3.0, 10.0), 1)
    long_s = round(rng.uniform(15.0, 40.0))
    match rng.choices(["kill", "cut", "bad", "frozen", "stop", "garbage"], [4, 2, 3, 2, 2, 1])[0]:
        case "kill":
            return Misfortune(
                f"{device} ({DEVICES[device].protocol}) loses power for {seconds:g} s",
                None, device, seconds,
            )  # fmt: skip
        case "cut":
            return Misfortune(
                f"the cable to {device} ({DEVICES[device].protocol}) is loose for {seconds:g} s",
                None, device, seconds, is_cut=True,
            )  # fmt: skip
        case "bad":
            machine, point = _sensor(rng)
            text = f"the sensor of {machine}/{point} fails for {long_s} s: bad quality"
            return Misfortune(text, What.BAD, machine, long_s, point)
        case "frozen":
            machine, point = _sensor(rng)
            text = f"{machine}/{point} is frozen for {long_s} s, and the device does not know"
            return Misfortune(text, What.FROZEN, machine, long_s, point)
        case "stop":
            machine = rng.choice(["cnc-1", "cnc-2", "cnc-3", "press", "packing", "chiller"])
            return Misfortune(
                f"{machine} has a fault and stands for {long_s} s", What.STOP, machine, long_s
            )
        case _:
            machine = rng.choice(["packing", "meter"])
            return Misfortune(
                f"{machine} sends garbage instead of JSON for {seconds:g} s",
                What.GARBAGE, machine, seconds,
            )  # fmt: skip


def _sensor(rng: random.Random) -> tuple[str, str]:
    """A measured number of some machine."""
    machine = rng.choice(list(SPECS))
    names = [s.name for s in SPECS[machine] if s.kind is Kind.NUMBER and not s.writable]
    return machine, rng.choice(names)


async def befall(hall: Hall, misfortune: Misfortune) -> None:
    """Let it happen; returns when it is over."""
    if misfortune.what:
        hall.logbook.happen(
            misfortune.target, misfortune.what, seconds=misfortune.seconds, point=misfortune.point
        )
        await asyncio.sleep(misfortune.seconds)
    elif misfortune.is_cut:
        await hall.freeze(misfortune.target, misfortune.seconds)
    else:
        hall.kill(misfortune.target, away_s=misfortune.seconds)
        await asyncio.sleep(misfortune.seconds)
        await hall.ready(misfortune.target)


async def haunt(hall: Hall, seed: int, say: Callable[[str], None]) -> None:
    """Break something every few tens of seconds, until cancelled."""
    rng = random.Random(seed)  # noqa: S311 - misfortune, no secret
    await hall.ready()
    while True:
        await asyncio.sleep(rng.uniform(*PAUSE_S))
        misfortune = draw(rng)
        say(f"fault: {misfortune.text}")
        await befall(hall, misfortune)
        say(f"fault over: {misfortune.target}{'/' if misfortune.point else ''}{misfortune.point}")
