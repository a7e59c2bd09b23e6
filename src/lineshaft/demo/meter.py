"""The energy meter at the factory's supply: the sum of all machines, as the grid sees it."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from lineshaft.core.point import Kind
from lineshaft.demo.noise import Floats
from lineshaft.demo.spec import Column, Machine, Spec, counter
from lineshaft.demo.timeline import State, Timeline
from lineshaft.demo.world import World

BUILDING_KW = 7.5
"""Light, air and computers, always on."""
VOLTAGE = 230.0
PHASES = (0.345, 0.325, 0.33)
"""How the current spreads over L1, L2, L3."""


class Meter:
    """A three-phase meter that adds up its machines."""

    specs: ClassVar[Sequence[Spec]] = (
        Spec("power", "kW", 0, 200, "Active power", history_s=15),
        *(Spec(f"voltage_l{n}", "V", 210, 250, f"Voltage of phase {n}") for n in (1, 2, 3)),
        *(Spec(f"current_l{n}", "A", 0, 400, f"Current of phase {n}") for n in (1, 2, 3)),
        Spec("power_factor", "", 0, 1, "Power factor"),
        Spec("frequency", "Hz", 49.5, 50.5, "Frequency of the grid"),
        Spec("energy", "kW.h", 0, description="Active energy so far"),
        Spec("seq", "", 0, description="Running number of the message", kind=Kind.INTEGER),
    )

    def __init__(self, world: World, machines: dict[str, Machine]) -> None:
        self.world = world
        self.machines = machines
        self.energies = [m.timeline.sum(m.mean_kw / 3600.0) for m in machines.values()]
        self.timeline = Timeline(np.zeros(1), np.array([int(State.RUNNING)]))
        self.mean_kw = np.array([BUILDING_KW])
        self.count_from = world.start_count("meter/energy", 3_000_000)

    def values(self, time_s: Floats) -> dict[str, Column]:
        """Every point at each time."""
        world = self.world
        load = sum(
            np.asarray(m.values(time_s)["power"], np.float64) for m in self.machines.values()
        )
        power = np.asarray(load) + BUILDING_KW + 0.1 * world.white("meter", time_s)
        factor = np.clip(0.9 + 0.0005 * power + 0.008 * world.drift("pf", time_s, 60.0), 0.7, 0.99)
        energy = sum(e(time_s) for e in self.energies) + BUILDING_KW / 3600.0 * time_s
        columns: dict[str, Column] = {"power": power}
        for n, share in enumerate(PHASES, 1):
            drift = world.drift(f"meter/voltage{n}", time_s, 120.0)
            voltage = VOLTAGE + 1.8 * drift - 0.02 * power
            columns[f"voltage_l{n}"] = voltage
            columns[f"current_l{n}"] = 1000.0 * power * share / (voltage * factor)
        return columns | {
            "power_factor": factor,
            "frequency": 50.0 + 0.02 * world.drift("grid", time_s, 15.0),
            "energy": self.count_from + energy,
            "seq": counter(time_s),
        }
