"""One machine as its controller sees it: what to show now, and what is broken just then."""

import asyncio
import bisect
from collections.abc import AsyncIterator
from typing import NamedTuple

import numpy as np

from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.point import Value
from lineshaft.demo.logbook import What
from lineshaft.demo.machines import SPECS, Factory, moment, one
from lineshaft.demo.spec import Column, Spec

AHEAD_S = 1.0
"""How far ahead the physics is worked out at once: one array costs little more than one figure."""


class Reading(NamedTuple):
    """What the controller shows for one point."""

    spec: Spec
    time_ns: int
    value: Value
    broken: bool = False
    """The sensor has failed, and the controller knows it."""


class Live:
    """The readings of one machine, step by step."""

    def __init__(self, factory: Factory, machine: str) -> None:
        self.factory = factory
        self.machine = machine
        self.specs = {s.name: s for s in SPECS[machine]}
        self.step_ns = int(min(s.period_s for s in SPECS[machine]) * NS_PER_S)
        self._changes = 0
        self._times: list[int] = []
        self._columns: dict[str, Column] = {}

    async def steps(self) -> AsyncIterator[int]:
        """The time of each step as it comes; steps that were slept through are left out."""
        last = now_ns() // self.step_ns
        while True:
            await asyncio.sleep(((last + 1) * self.step_ns - now_ns()) / NS_PER_S)
            last = max(now_ns() // self.step_ns, last + 1)
            yield last * self.step_ns

    def due(self, time_ns: int) -> list[Reading]:
        """The points that are measured at this step."""
        return [
            r
            for r in self.readings(time_ns)
            if time_ns % max(int(r.spec.period_s * NS_PER_S), self.step_ns) == 0
        ]

    def readings(self, time_ns: int) -> list[Reading]:
        """All points at a time on the grid of steps."""
        changes = self.factory.refresh()
        if changes != self._changes or time_ns not in self._times:
            self._changes = changes
            self._look_ahead(time_ns)
        logbook, machine = self.factory.logbook, self.machine
        broken = logbook.ailing(machine, What.BAD, time_ns)
        frozen = logbook.ailing(machine, What.FROZEN, time_ns)
        at = bisect.bisect_left(self._times, time_ns)
        found = {name: one(column[at]) for name, column in self._columns.items()}
        for spec in self.specs.values():
            # A set-point shows at once, though the step it is read at began before the write.
            if spec.writable and (written := logbook.of(machine, What.SET, spec.name)):
                found[spec.name] = written[-1].value
        for name, entry in frozen.items():
            found[name] = one(self.factory.values(machine, moment(entry.time_ns))[name])
        return [Reading(self.specs[n], time_ns, v, n in broken) for n, v in found.items()]

    def _look_ahead(self, time_ns: int) -> None:
        count = max(int(AHEAD_S * NS_PER_S / self.step_ns), 1)
        times = time_ns + np.arange(count, dtype=np.int64) * self.step_ns
        self._columns = self.factory.values(self.machine, times)
        self._times = times.tolist()
