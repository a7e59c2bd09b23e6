"""The factory: all machines of the demo by name, each a function of seed, time and logbook."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from lineshaft.core.clock import NS_PER_S
from lineshaft.demo.chiller import Chiller
from lineshaft.demo.cnc import MAKES, Cnc
from lineshaft.demo.logbook import Logbook, What
from lineshaft.demo.meter import Meter
from lineshaft.demo.noise import Ints
from lineshaft.demo.packing import Packing
from lineshaft.demo.press import Press
from lineshaft.demo.spec import Column, Machine, Spec
from lineshaft.demo.timeline import DAY_S
from lineshaft.demo.world import World

SITE = "acme/qingdao"
PLACES = {
    "cnc-1": f"{SITE}/machining/line-1/cnc-1",
    "cnc-2": f"{SITE}/machining/line-1/cnc-2",
    "cnc-3": f"{SITE}/machining/line-1/cnc-3",
    "press": f"{SITE}/press-shop/line-2/press",
    "chiller": f"{SITE}/utilities/cooling/chiller",
    "packing": f"{SITE}/packing/line-3/packing",
    "meter": f"{SITE}/utilities/power/meter",
}
"""Where each machine stands: its branch of the namespace."""
SPECS: dict[str, "tuple[Spec, ...]"] = {
    **dict.fromkeys(MAKES, tuple(Cnc.specs)),
    "press": tuple(Press.specs),
    "chiller": tuple(Chiller.specs),
    "packing": tuple(Packing.specs),
    "meter": tuple(Meter.specs),
}
"""The points of each machine."""


class Factory:
    """Tells what any machine shows at any time, past or to come."""

    def __init__(self, seed: int, epoch_ns: int, logbook: Path) -> None:
        self.seed = seed
        self.epoch_ns = epoch_ns
        self.logbook = Logbook(logbook)
        self.logbook.refresh()
        self._machines: dict[str, Machine] = {}
        self._changes = 0
        self._world = World(seed, epoch_ns, self.logbook, days=0)

    def values(self, machine: str, time_ns: Ints) -> dict[str, Column]:
        """Every point of a machine at each time, none before the epoch."""
        self._plan_until(int(time_ns.max()))
        return self._machine(machine).values((time_ns - self.epoch_ns) / NS_PER_S)

    def refresh(self) -> int:
        """Take up what the logbook got since; returns how often the machines changed by it."""
        if any(e.what in (What.SET, What.STOP) for e in self.logbook.refresh()):
            self._forget(self._world.days)
            self._changes += 1
        return self._changes

    def _plan_until(self, time_ns: int) -> None:
        needed = int((time_ns - self.epoch_ns) / NS_PER_S / DAY_S) + 1
        if needed > self._world.days:
            # Two days in reserve: planning anew once in a while must not stutter each midnight.
            self._forget(needed + 2)

    def _forget(self, days: int) -> None:
        self._world = World(self.seed, self.epoch_ns, self.logbook, days=days)
        self._machines.clear()

    def _machine(self, name: str) -> Machine:
        if name not in self._machines:
            self._machines[name] = self._make(name)
        return self._machines[name]

    def _make(self, name: str) -> Machine:
        world = self._world
        if name == "meter":
            return Meter(world, {n: self._machine(n) for n in PLACES if n != "meter"})
        makers: dict[str, Callable[[World], Machine]] = {
            "press": Press,
            "chiller": Chiller,
            "packing": Packing,
        }
        return makers[name](world) if name in makers else Cnc(world, name)


def one(value: Column) -> bool | int | float | str:
    """The only value of a column, as Python has it."""
    item: bool | int | float | str = value.item()
    return item


def moment(time_ns: int) -> Ints:
    """A single time as a column."""
    return np.array([time_ns], dtype=np.int64)
