"""The packing line: puts the goods into cartons and wraps them; speaks PackML states."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from lineshaft.core.point import Kind
from lineshaft.demo.noise import Floats
from lineshaft.demo.spec import Column, Spec, counter
from lineshaft.demo.timeline import DAY_S, SHIFTS_S, State
from lineshaft.demo.world import Scrap, World

PACKML = {
    State.STOPPED: (2, "stopped"),
    State.IDLE: (4, "idle"),
    State.RUNNING: (6, "execute"),
    State.FAULT: (9, "aborted"),
    State.SETUP: (11, "held"),
}
"""Number and name of each state. Source: ANSI/ISA-TR88.00.02, state model."""
SPEED = 24.0
"""Cartons a minute."""
NIGHT = 0.7
"""Speed at night in relation to the day."""
ROLL_CARTONS = 1_800
"""Cartons that one roll of film wraps."""


class Packing:
    """Carton former, filler and film wrapper in one line."""

    specs: ClassVar[Sequence[Spec]] = (
        Spec("state", kind=Kind.ENUM, names={str(n): t for n, t in PACKML.values()},
             description="State of the line, PackML"),
        Spec("speed", "/min", 0, 30, "Cartons a minute", history_s=15),
        Spec("cartons", "", 0, description="Cartons so far", kind=Kind.INTEGER),
        Spec("rejects", "", 0, description="Rejected cartons so far", kind=Kind.INTEGER),
        Spec("seal_temperature", "Cel", 0, 220, "Jaw of the film sealer", history_s=15),
        Spec("film", "%", 0, 100, "Film left on the roll"),
        Spec("power", "kW", 0, 12, "Electric power", history_s=15),
        Spec("seq", "", 0, description="Running number of the message", kind=Kind.INTEGER),
    )  # fmt: skip

    def __init__(self, world: World) -> None:
        self.world = world
        self.timeline = line = world.timeline("packing")
        hour = line.start_s % DAY_S
        night = (hour < SHIFTS_S[0]) | (hour >= SHIFTS_S[2])
        self.pace = line.rate(running=SPEED) * np.where(night, NIGHT, 1.0)
        self.made = line.sum(self.pace / 60.0)
        self.jaw = line.lag(
            line.rate(running=168.0, idle=160.0, setup=120.0, fault=90.0, stopped=40.0), 160.0
        )
        self.mean_kw = line.rate(running=6.2, idle=2.6, setup=1.8, fault=0.9, stopped=0.4)
        self.scrap = Scrap(world, "packing/rejects", odds=0.006, worn_odds=0.01, tool=ROLL_CARTONS)
        self.count_from = world.start_count("packing/cartons", 2_000_000)

    def values(self, time_s: Floats) -> dict[str, Column]:
        """Every point at each time."""
        world = self.world
        i = self.timeline.at(time_s)
        made = self.made(time_s)
        count = counter(made)
        noise = world.white("packing", time_s)
        runs = self.pace[i] > 0.0
        number = np.array([PACKML[s][0] for s in State])
        return {
            "state": number[self.timeline.state[i]],
            "speed": np.where(runs, self.pace[i] + 0.25 * noise, 0.0),
            "cartons": self.count_from + count,
            "rejects": self.count_from // 120 + self.scrap.before(count),
            "seal_temperature": self.jaw(time_s) + 0.6 * world.drift("packing/jaw", time_s, 20.0),
            "film": 100.0 * (1.0 - made / ROLL_CARTONS % 1.0),
            "power": np.maximum(self.mean_kw[i] + 0.12 * noise, 0.05),
            "seq": counter(time_s),
        }
