"""A desk with real records, spine, store and namespace, whose clock a test may set."""

from contextlib import asynccontextmanager

from tests.operations.alarms import histories
from tests.operations.alarms.histories import T0, S

from lineshaft.core.plugin import build
from lineshaft.operations.alarms.desk import COLLECTIONS, SUBSCRIPTION, Desk
from lineshaft.records import Records
from lineshaft.security.access import Branches
from lineshaft.spines import Spine


class Clock:
    now = T0

    def __call__(self) -> int:
        return self.now


@asynccontextmanager
async def desk(folder, *alarms, groups=(), rules=None, clock=None, store=None, names=None):
    spine = build(Spine, {"name": "spine", "kind": "memory"})
    spine.durable(SUBSCRIPTION, "data.>", size_max=8)
    path = str(folder / "records")
    records = build(Records, {"name": "records", "kind": "sqlite", "path": path})
    async with records.opened(COLLECTIONS):
        made = Desk(
            records,
            spine,
            Branches(),
            names=names or histories.names(),
            store=store,
            clock=clock or Clock(),
        )
        await made.start(alarms, groups, rules)
        yield made


async def tick(made, clock, seconds):
    """Let the clock be so many seconds after the beginning."""
    clock.now = T0 + round(seconds * S)
    await made.tick()
