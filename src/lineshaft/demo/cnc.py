"""A machining centre: cuts one part after the other while its tool wears and its spindle warms."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from lineshaft.core.point import Kind
from lineshaft.demo.chiller import Chiller
from lineshaft.demo.noise import Floats, Ints
from lineshaft.demo.spec import Column, Spec, counter
from lineshaft.demo.timeline import NAMES, State
from lineshaft.demo.world import Scrap, World

OVERRIDE_LIMITS = (0.0, 120.0)
"""Spindle override in percent, as the machine's panel has it."""

PHASE = np.array([0.0, 0.09, 0.12, 0.42, 0.45, 0.52, 0.55, 0.82, 0.84, 0.96, 0.985, 1.0])
"""Parts of a cycle: load the part, rough, change the tool, finish, drill, unload."""
SPEED = np.array([0, 0, 4200, 4200, 0, 0, 8800, 8800, 2600, 2600, 0, 0], dtype=np.float64)
LOAD = np.array([0, 0, 62, 66, 0, 0, 27, 29, 41, 43, 0, 0], dtype=np.float64)


class Make(NamedTuple):
    """In what the machining centres differ."""

    cycle_s: float
    speed: float
    """Spindle speed in relation to the programme above."""
    tool: int
    """Parts that a tool lasts for."""
    kw: float
    """Power of the spindle at full load."""
    programs: Sequence[str]
    bearing_h: float = 0.0
    """Hours of cutting in which the damage of a spindle bearing grows by the factor e; 0: sound."""


MAKES = {
    "cnc-1": Make(74.0, 1.0, 180, 15.0, ["O1204-drum-hub", "O1210-drum-flange"]),
    "cnc-2": Make(92.0, 0.92, 140, 18.5, ["O2031-compressor-case", "O2040-compressor-lid"]),
    "cnc-3": Make(
        61.0, 1.12, 230, 11.0, ["O3102-valve-body", "O3107-valve-seat", "O3111-spool"], 75.0
    ),
}
PITTED, BROKEN = 0.04, 3.2
"""Vibration velocity of a damaged bearing at 9000 rev/min in mm/s: at first, and at last."""
BATCH_PARTS = 400
"""Parts of one sort before the programme changes."""


class Cnc:
    """One machining centre."""

    specs: ClassVar[Sequence[Spec]] = (
        Spec("state", kind=Kind.ENUM, names=NAMES, description="What the machine is doing"),
        Spec("program", kind=Kind.TEXT, description="NC programme in work"),
        Spec("spindle_speed", "{rev}/min", 0, 12_000, "Spindle speed", period_s=0.2, history_s=15),
        Spec("spindle_load", "%", 0, 120, "Load of the spindle drive", period_s=0.2, history_s=15),
        Spec("vibration", "mm/s", 0, 8, "Vibration velocity, RMS", period_s=0.1, history_s=15),
        Spec("spindle_temperature", "Cel", 0, 90, "Front bearing of the spindle"),
        Spec("coolant_temperature", "Cel", 0, 60, "Coolant in the tank"),
        Spec("coolant_flow", "L/min", 0, 60, "Coolant to the tool", history_s=15),
        Spec("power", "kW", 0, 30, "Electric power", period_s=0.5, history_s=15),
        Spec("tool_wear", "%", 0, 100, "Used up life of the tool"),
        Spec("parts_good", "", 0, description="Good parts so far", kind=Kind.INTEGER),
        Spec("parts_scrap", "", 0, description="Scrap parts so far", kind=Kind.INTEGER),
        Spec("spindle_override", "%", *OVERRIDE_LIMITS, "Spindle override", writable=True),
    )

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.make = make = MAKES[name]
        times, _ = world.settings(name, "spindle_override")
        self.timeline = line = world.timeline(name).cut(times)
        running = line.rate(running=1.0)
        override = self._override(line.start_s) / 100.0
        self.work = line.sum(running * override)
        """Seconds of cutting so far, at full speed."""
        self.warmth = line.lag(
            line.rate(running=24.0, idle=9.0, setup=10.0, fault=3.0) * (0.4 + 0.6 * override),
            900.0,
        )
        self.tank = line.lag(line.rate(running=9.0, idle=4.0, setup=4.5, fault=2.0), 500.0)
        self.chiller = Chiller(world)
        self.scrap = Scrap(world, f"{name}/scrap", odds=0.004, worn_odds=0.06, tool=make.tool)
        self.count_from = world.start_count(f"{name}/parts", 60_000)
        mean = float(np.mean(self._cut_kw(*self._profile(np.linspace(0.0, 1.0, 2000)))))
        rest = line.rate(running=2.9, idle=2.4, setup=2.6, fault=1.2, stopped=0.5)
        self.mean_kw = rest + running * np.minimum(override, 1.0) * mean

    def values(self, time_s: Floats) -> dict[str, Column]:
        """Every point at each time."""
        world, name = self.world, self.name
        state = self.timeline.states(time_s)
        override = self._override(time_s)
        turning = (state == State.RUNNING) & (override > 0.0)
        done = self.work(time_s) / self.make.cycle_s
        count = counter(done)
        phase = done - count
        wear = (count % self.make.tool + phase) / self.make.tool
        speed, load = self._profile(phase)
        speed = np.where(turning, speed * override / 100.0, 0.0)
        load = np.where(turning, load * (1.0 + 0.3 * wear) * (0.4 + 0.006 * override), 0.0)
        cuts = load > 0.0
        power = self.timeline.rate(running=2.9, idle=2.4, setup=2.6, fault=1.2, stopped=0.5)[
            self.timeline.at(time_s)
        ] + self._cut_kw(speed, load)
        scrap = self.scrap.before(count)
        noise = world.white(f"{name}/load", time_s)
        return {
            "state": state,
            "program": self._program(count),
            "spindle_speed": np.maximum(speed * (1.0 + 0.002 * noise), 0.0),
            "spindle_load": np.maximum(load + np.where(cuts, 1.4 * noise, 0.0), 0.0),
            "vibration": self._vibration(time_s, speed, load, wear) + self._bearing(time_s, speed),
            "spindle_temperature": world.ambient(time_s)
            + self.warmth(time_s)
            + 0.15 * world.drift(f"{name}/spindle", time_s, 40.0),
            "coolant_temperature": 6.0
            + self.chiller.supply(time_s) * 0.6
            + self.tank(time_s)
            + 0.25 * (world.ambient(time_s) - 15.0)
            + 0.04 * world.white(f"{name}/coolant", time_s),
            "coolant_flow": np.where(cuts, 38.0 + 0.5 * world.white(f"{name}/flow", time_s), 0.0),
            "power": np.maximum(power + 0.08 * world.white(f"{name}/power", time_s), 0.05),
            "tool_wear": 100.0 * wear,
            "parts_good": self.count_from + count - scrap,
            "parts_scrap": self.count_from // 90 + scrap,
            "spindle_override": override,
        }

    def _override(self, time_s: Floats) -> Floats:
        return self.world.in_force(self.name, "spindle_override", 100.0, time_s)

    def _profile(self, phase: Floats) -> tuple[Floats, Floats]:
        """Spindle speed and load over one cycle."""
        return np.interp(phase, PHASE, SPEED) * self.make.speed, np.interp(phase, PHASE, LOAD)

    def _cut_kw(self, speed: Floats, load: Floats) -> Floats:
        """Power that goes into the cut."""
        return self.make.kw * load / 100.0 * (0.55 + 0.45 * speed / 9000.0)

    def _vibration(self, time_s: Floats, speed: Floats, load: Floats, wear: Floats) -> Floats:
        """A worn tool shakes, the more the harder it cuts; the hall hums a little always."""
        shake = 0.35 * (speed / 8000.0) ** 2 + load / 100.0 * (0.9 + 2.4 * wear**2)
        noise = self.world.white(f"{self.name}/vibration", time_s)
        return np.abs(0.06 + shake * (1.0 + 0.16 * noise) + 0.015 * noise)

    def _bearing(self, time_s: Floats, speed: Floats) -> Floats:
        """A pitted raceway breaks up under the hours it works, and hammers faster with speed.

        Its vibration is told apart from a worn tool's by this: no change of tool takes it away.
        """
        if not self.make.bearing_h:
            return np.zeros_like(time_s)
        hours = self.work(time_s) / 3600.0
        damage = np.minimum(PITTED * np.exp(np.minimum(hours / self.make.bearing_h, 20.0)), BROKEN)
        return damage * speed / 9000.0

    def _program(self, count: Ints) -> Column:
        programs = np.asarray(self.make.programs)
        return programs[(self.count_from + count) // BATCH_PARTS % len(programs)]
