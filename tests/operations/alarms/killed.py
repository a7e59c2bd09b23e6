"""A desk in a process of its own that is going to be killed; prints how far it is."""

import asyncio
import random
import sys
from pathlib import Path

from tests.operations.alarms.desks import Clock, desk
from tests.operations.alarms.histories import ON, T0, S, X, Y, rows

from lineshaft.core.access import SYSTEM
from lineshaft.core.batch import Batch
from lineshaft.core.plugin import build
from lineshaft.operations.alarms.desk import Desk
from lineshaft.operations.alarms.happenings import TimedShelved
from lineshaft.operations.alarms.rules import AlarmGroup
from lineshaft.operations.alarms.settings import Alarm, Limit, Priority, Rate
from lineshaft.stores import Store

HI = Limit(value=3.0)
ALARMS = (
    Alarm(name="plain", point=X, hi=HI, dead_band=1.0),
    Alarm(name="slow", point=X, hi=HI, on_delay_s=3.0, off_delay_s=2.0),
    Alarm(name="together", point=X, hihi=Limit(value=6.0), hi=HI, exclusive=False, on_delay_s=1),
    Alarm(name="covered", point=Y, hi=HI, suppress_when="on", on_delay_s=2.0),
    Alarm(name="fast", point=Y, hi=Limit(value=1.0, priority=Priority.HIGH), rate=Rate(over="4s")),
    Alarm(name="shelved", point=Y, hi=HI, group="g"),
)
GROUPS = (AlarmGroup(name="g", first_out=True),)
STEPS = 150


def steps() -> list[Batch]:
    """One batch a second; every batch has all points, so that none waits for another."""
    dice = random.Random(7)
    values = [(dice.choice([0, 2, 2.5, 4, 8]), dice.choice([0, 2, 4]), dice.random() < 0.2)]
    for _ in range(STEPS - 1):
        x, y, on = values[-1]
        x = dice.choice([0, 2, 2.5, 4, 8]) if dice.random() < 0.3 else x
        y = dice.choice([0, 2, 4]) if dice.random() < 0.3 else y
        values.append((x, y, on if dice.random() < 0.9 else not on))
    return [rows((X, t, x), (Y, t, y), (ON, t, on)) for t, (x, y, on) in enumerate(values)]


async def step(made: Desk, clock: Clock, place: int, batch: Batch) -> None:
    """What happens in one second."""
    clock.now = T0 + place * S
    if place % 60 == 5 and made.view(SYSTEM, "shelved").state.shelf_ends_ns < clock.now:
        await made.answer(SYSTEM, "shelved", TimedShelved(time_ns=clock.now, seconds=20))
    await made.take(batch)
    await made.tick()


async def live(folder: Path, first: int) -> None:
    """From one step on to the last; what a step brings is stored before it is judged."""
    clock = Clock()
    clock.now = T0 + first * S
    kept = build(Store, {"kind": "parquet", "path": str(folder / "store")})
    async with (
        kept.opened(),
        desk(folder, *ALARMS, groups=GROUPS, clock=clock, store=kept) as made,
    ):
        for place, batch in enumerate(steps()[first:], first):
            await kept.append(batch)
            await step(made, clock, place, batch)
            print(place, flush=True)


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), int(sys.argv[2])))
