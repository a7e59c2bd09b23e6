"""A spine with a reader that confirms, and a namespace that remembers."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from lineshaft.core.errors import Unavailable
from lineshaft.core.plugin import find
from lineshaft.gather import Config
from lineshaft.gather.devices import Devices


class House:
    """What gather needs of its neighbours, in its simplest sound form."""

    def __init__(self):
        self.spine = find("spines", "memory").from_table("spine", {})
        self.spine.durable("keeper", "data.>", size_max=64)
        self.points, self.samples, self.newest, self.events = {}, [], {}, []
        self.log_is_full = False
        self.devices = Devices(Config(report_s=0.05), self.spine, self)

    def declare(self, points):
        self.points |= {p.path: p for p in points}

    def latest(self, path):
        return self.newest.get(path)

    def allows(self, who, action, path=""):
        return action in who.actions and any(path.startswith(b) for b in who.branches)

    async def note(self, event):
        if self.log_is_full:
            raise Unavailable("the log is full")
        self.events.append(event)

    async def keep(self):
        async with self.spine.subscribe(name="keeper") as batches:
            async for batch in batches:
                for sample in batch.rows():
                    self.samples.append(sample)
                    self.newest[sample.point] = sample

    @asynccontextmanager
    async def running(self):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.keep()), group.create_task(self.devices.run())]
            try:
                yield self
            finally:
                for task in tasks:
                    task.cancel()

    def of(self, path):
        return [s for s in self.samples if s.point == path]


@pytest.fixture
def house():
    return House()
