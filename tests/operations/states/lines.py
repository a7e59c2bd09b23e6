"""A press with states in a store, without a plant around it."""

from contextlib import asynccontextmanager

import numpy as np

from lineshaft.core.batch import Batch
from lineshaft.core.plugin import build
from lineshaft.historian.namespace import Namespace
from lineshaft.operations.calendars.book import Calendars
from lineshaft.operations.derived import marks
from lineshaft.operations.derived.engine import Engine
from lineshaft.operations.states.following import SUBJECT, SUBSCRIPTION
from lineshaft.operations.states.naming import state_point
from lineshaft.operations.states.part import COLLECTIONS, States
from lineshaft.operations.states.settings import Reason, StateRule, WorkUnit
from lineshaft.operations.states.stops import Stop, stops_of
from lineshaft.records import Records
from lineshaft.security.access import Branches
from lineshaft.spines import Spine
from lineshaft.stores import Store

S = 1_000_000_000
PRESS = "acme/hall/press"
RUN, FAULT, SETUP, WAIT, STOPPED = range(5)
UNIT = WorkUnit(
    path=PRESS,
    states=(
        StateRule(name="running", when="state == 2", item="executing"),
        StateRule(name="fault", when="state == 3", failure=True, loss="own"),
        StateRule(name="set-up", when="state == 4", mode="setup"),
        StateRule(name="waits", when="state == 1", loss="outside", reason="L-1"),
    ),
    micro_stop_s=10.0,
)
REASONS = (
    Reason(code="L", text="Logistics"),
    Reason(code="L-1", text="No parts", parent="L"),
    Reason(code="M", text="Machine"),
    Reason(code="M-1", text="Die broken", parent="M"),
    Reason(code="M-2", text="Oil leaks", parent="M"),
    Reason(code="S-1", text="Saw blade", units=("acme/hall/saw",)),
)


class Clock:
    """Time that a test moves."""

    def __init__(self, now: int = 100_000 * S) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class Plant:
    """The part with its store, records and spine."""

    def __init__(self, records: Records, store: Store, spine: Spine, clock: Clock) -> None:
        self.records, self.store, self.spine, self.clock = records, store, spine, clock
        self.engine = Engine(
            names=Namespace(records, points_max=1000), store=store, records=records, spine=spine
        )
        self.calendars = Calendars()
        self.states = States(
            store,
            records,
            spine,
            Branches(),
            engine=self.engine,
            calendars=self.calendars,
            clock=clock,
        )

    async def went(self, *rows: tuple, path: str = PRESS) -> None:
        """The machine's own story: seconds and state number, and quality where it is not good."""
        await self.store.append(story(*rows, path=path))

    async def stops(self, start_ns: int, stop_ns: int) -> list[Stop]:
        """Stops that reach into a span."""
        return stops_of(await self.states.intervals.whole(PRESS, start_ns, stop_ns), self.calendars)

    async def stretches(self, start_s: float, stop_s: float) -> list[tuple]:
        """What counts: start, name of the state, code of the reason."""
        line = await self.states.intervals.timeline(PRESS, int(start_s * S), int(stop_s * S))
        names = [s.name for s in line.states] + ["unknown"]
        rows = zip(line.start_ns.tolist(), line.state, line.reason, strict=True)
        return [(t / S, names[s], line.reasons[r]) for t, s, r in rows]


def story(*rows: tuple, path: str = PRESS, point: str = "") -> Batch:
    """Samples of a state point, or of another one."""
    return Batch.of(
        [point or state_point(path)],
        np.zeros(len(rows), dtype=np.int32),
        np.array([int(r[0] * S) for r in rows], dtype=np.int64),
        number=np.array([float(r[1]) for r in rows]),
        quality=np.array([r[2] if len(r) > 2 else 0 for r in rows], dtype=np.uint32),
    )


@asynccontextmanager
async def press(folder, *units, reasons=REASONS, rules=(), clock=None):
    """The part, started."""
    spine = build(Spine, {"name": "spine", "kind": "memory"})
    spine.durable(SUBSCRIPTION, SUBJECT, size_max=8)
    path = str(folder / "records")
    records = build(Records, {"name": "records", "kind": "sqlite", "path": path})
    store = build(Store, {"name": "store", "kind": "memory"})
    async with store.opened(), records.opened((*marks.COLLECTIONS, *COLLECTIONS)):
        made = Plant(records, store, spine, clock or Clock())
        await made.engine.start()
        await made.states.start(units or (UNIT,), reasons, rules)
        yield made
