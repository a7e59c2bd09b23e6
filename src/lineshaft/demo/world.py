"""What all machines of the factory share: its time, its weather, its logbook, who stands when."""

import numpy as np

from lineshaft.core.clock import NS_PER_S
from lineshaft.demo.logbook import Logbook, What
from lineshaft.demo.noise import Floats, Ints, channel, drift, uniform, white
from lineshaft.demo.timeline import DAY_S, Habit, State, Timeline, plan

ZONE_S = 8 * 3600
"""Local time of the factory is UTC+8."""
DAYS_BEFORE = 16
"""The factory's first day lies this far before the demo's first start: history needs 14."""

_MATERIAL = (State.IDLE, 6.0, 60.0, 300.0)
_CLEANING = (State.STOPPED, 1.0, 180.0, 600.0)

HABITS = {
    "cnc-1": Habit(3300.0, [_MATERIAL, (State.SETUP, 2.0, 240.0, 700.0), _CLEANING,
                            (State.FAULT, 1.0, 120.0, 900.0)], pause_after_s=0.0),
    "cnc-2": Habit(2700.0, [_MATERIAL, (State.SETUP, 2.0, 240.0, 600.0), _CLEANING,
                            (State.FAULT, 1.5, 120.0, 1200.0)], pause_after_s=540.0),
    "cnc-3": Habit(3900.0, [_MATERIAL, (State.SETUP, 3.0, 300.0, 900.0), _CLEANING,
                            (State.FAULT, 0.8, 120.0, 600.0)], pause_after_s=1080.0,
                   night_off=0.4),
    "press": Habit(4200.0, [_MATERIAL, (State.SETUP, 3.0, 600.0, 1500.0), _CLEANING,
                            (State.FAULT, 1.0, 90.0, 700.0)], pause_after_s=300.0),
    "chiller": Habit(90_000.0, [(State.FAULT, 1.0, 120.0, 400.0)], pause_s=0.0),
    "packing": Habit(1500.0, [(State.IDLE, 6.0, 30.0, 200.0), (State.SETUP, 3.0, 90.0, 240.0),
                              _CLEANING, (State.FAULT, 2.0, 40.0, 300.0)], pause_after_s=780.0),
}  # fmt: skip
"""How each machine spends its days."""


class World:
    """The factory's surroundings, a function of seed, time and logbook alone."""

    def __init__(self, seed: int, epoch_ns: int, logbook: Logbook, *, days: int) -> None:
        self.seed = seed
        self.epoch_ns = epoch_ns
        """The factory's first local midnight; all times in seconds count from here."""
        self.days = days
        """How many days are planned."""
        self.logbook = logbook
        self._timelines: dict[str, Timeline] = {}

    def timeline(self, machine: str) -> Timeline:
        """What the machine does when: its plan, and what the logbook says went wrong."""
        if machine not in self._timelines:
            found = plan(self.seed, machine, HABITS[machine], self.days)
            for entry in self.logbook.of(machine, What.STOP):
                start, stop = self.seconds(entry.time_ns), self.seconds(entry.stop_ns)
                found = found.overlay(start, stop, State.FAULT)
            self._timelines[machine] = found
        return self._timelines[machine]

    def seconds(self, time_ns: int) -> float:
        """A time in seconds since the epoch."""
        return (time_ns - self.epoch_ns) / NS_PER_S

    def settings(self, machine: str, point: str) -> tuple[list[float], list[float]]:
        """When a set-point was written, in seconds, and to what."""
        entries = self.logbook.of(machine, What.SET, point)
        return [self.seconds(e.time_ns) for e in entries], [e.value for e in entries]

    def in_force(self, machine: str, point: str, first: float, time_s: Floats) -> Floats:
        """The set-point that holds at each time; `first` until it was ever written."""
        times, values = self.settings(machine, point)
        place = np.searchsorted(np.asarray(times), time_s, side="right")
        return np.asarray([first, *values])[place]

    def ambient(self, time_s: Floats) -> Floats:
        """Temperature of the hall in °C."""
        day = 2.0 * np.pi * (time_s / DAY_S - 9.0 / 24.0)
        return 22.5 + 3.2 * np.sin(day) + 0.8 * self.drift("ambient", time_s, 5400.0)

    def white(self, name: str, time_s: Floats, step_s: float = 0.05) -> Floats:
        """Noise of the channel `name`."""
        return white(channel(self.seed, name), time_s, step_s)

    def drift(self, name: str, time_s: Floats, period_s: float) -> Floats:
        """Slow wander of the channel `name`."""
        return drift(channel(self.seed, name), time_s, period_s)

    def chance(self, name: str, index: Ints) -> Floats:
        """Evenly spread numbers of the channel `name`, one for each index."""
        return uniform(channel(self.seed, name), index)

    def start_count(self, name: str, size: int) -> int:
        """What a counter stood at when the factory's time began."""
        return int(self.chance(name, np.zeros(1, dtype=np.int64))[0] * size)


def first_midnight(now_ns: int) -> int:
    """The epoch of a demo that starts now: a local midnight some days ago."""
    local_s = now_ns // NS_PER_S + ZONE_S
    midnight_s = local_s - local_s % int(DAY_S) - ZONE_S
    return (midnight_s - DAYS_BEFORE * int(DAY_S)) * NS_PER_S


class Scrap:
    """Which parts of a machine are scrap, and how many were up to a count."""

    def __init__(
        self, world: World, name: str, *, odds: float, worn_odds: float, tool: int
    ) -> None:
        self.world = world
        self.name = name
        self.odds = odds
        """Chance with a new tool."""
        self.worn_odds = worn_odds
        """What the chance grows by until the tool is changed."""
        self.tool = tool
        """Parts that a tool lasts for."""
        self._before = np.zeros(1, dtype=np.int64)

    def before(self, count: Ints) -> Ints:
        """How many of the first `count` parts were scrap."""
        wanted = int(count.max(initial=0)) + 1
        if wanted > len(self._before):
            parts = np.arange(max(wanted, 2 * len(self._before)))
            wear = (parts % self.tool) / self.tool
            hit = self.world.chance(self.name, parts) < self.odds + self.worn_odds * wear**4
            self._before = np.concatenate(([0], np.cumsum(hit)))
        return self._before[count]
