"""The press: shapes sheet metal in strokes; its oil warms up and pumps pressure."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from lineshaft.core.point import Kind
from lineshaft.demo.chiller import Chiller
from lineshaft.demo.noise import Floats, channel, uniform
from lineshaft.demo.spec import Column, Spec, counter
from lineshaft.demo.timeline import NAMES, State
from lineshaft.demo.world import Scrap, World

CYCLE_S = 6.4
DIE_STROKES = 9_000
"""Strokes until the die is ground again."""
FORCE_KN = 1_250.0
PHASE = np.array([0.0, 0.2, 0.38, 0.5, 0.58, 0.7, 1.0])
"""Parts of a stroke: feed, approach, press, hold, return."""
PRESSURE = np.array([48.0, 60.0, 95.0, 212.0, 208.0, 70.0, 48.0])


class Press:
    """A hydraulic deep-drawing press."""

    specs: ClassVar[Sequence[Spec]] = (
        Spec("state", kind=Kind.ENUM, names=NAMES, description="What the press is doing"),
        Spec("strokes", "", 0, description="Strokes so far", kind=Kind.INTEGER),
        Spec("parts_scrap", "", 0, description="Scrap parts so far", kind=Kind.INTEGER),
        Spec("force", "kN", 0, 1_600, "Highest force of the last stroke", history_s=15),
        Spec(
            "hydraulic_pressure", "bar", 0, 250, "Pressure at the pump", period_s=0.5, history_s=15
        ),
        Spec("oil_temperature", "Cel", 0, 80, "Hydraulic oil in the tank"),
        Spec("oil_level", "%", 0, 100, "Hydraulic oil in the tank"),
        Spec("power", "kW", 0, 60, "Electric power", history_s=15),
        Spec("energy", "kW.h", 0, description="Electric energy so far"),
        Spec("guard_closed", kind=Kind.BOOLEAN, description="The safety door is closed"),
    )

    def __init__(self, world: World) -> None:
        self.world = world
        self.timeline = line = world.timeline("press")
        self.work = line.sum(line.rate(running=1.0))
        self.warmth = line.lag(line.rate(running=21.0, idle=11.0, setup=6.0, fault=4.0), 1800.0)
        self.mean_kw = line.rate(running=27.5, idle=8.0, setup=4.5, fault=2.0, stopped=0.8)
        self.energy = line.sum(self.mean_kw / 3600.0)
        self.chiller = Chiller(world)
        self.scrap = Scrap(world, "press/scrap", odds=0.002, worn_odds=0.01, tool=DIE_STROKES)
        self.count_from = world.start_count("press/strokes", 900_000)

    def values(self, time_s: Floats) -> dict[str, Column]:
        """Every point at each time."""
        world = self.world
        state = self.timeline.states(time_s)
        runs = state == State.RUNNING
        pumps = runs | (state == State.IDLE)
        done = self.work(time_s) / CYCLE_S
        count = counter(done)
        pressure = np.where(runs, np.interp(done - count, PHASE, PRESSURE), 47.0)
        pressure = np.where(pumps, pressure, 1.0)
        stroke = uniform(channel(world.seed, "press/force"), count)
        wear = (count % DIE_STROKES) / DIE_STROKES
        idle_kw = self.timeline.rate(running=8.0, idle=8.0, setup=4.5, fault=2.0, stopped=0.8)
        power = idle_kw[self.timeline.at(time_s)] + np.where(runs, 0.228 * (pressure - 8.0), 0.0)
        water = 0.3 * (self.chiller.supply(time_s) - 8.0)
        noise = world.white("press", time_s)
        return {
            "state": state,
            "strokes": self.count_from + count,
            "parts_scrap": self.count_from // 300 + self.scrap.before(count),
            "force": FORCE_KN * (1.0 + 0.05 * wear + 0.03 * (stroke - 0.5)),
            "hydraulic_pressure": pressure + np.where(pumps, 1.1 * noise, 0.0),
            "oil_temperature": world.ambient(time_s) + self.warmth(time_s) + water + 0.03 * noise,
            "oil_level": 82.0 - 6.0 * ((time_s / 86_400.0) % 9.0) / 9.0 + 0.1 * noise,
            "power": np.maximum(power + 0.2 * noise, 0.1),
            "energy": world.start_count("press/energy", 400_000) + self.energy(time_s),
            "guard_closed": (state != State.SETUP).astype(np.int64),
        }
