"""Alarms, the reader and the couriers over real records, with a clock that the test moves."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from lineshaft.core.access import SYSTEM
from lineshaft.core.batch import Batch
from lineshaft.core.plugin import build
from lineshaft.core.point import Point
from lineshaft.operations.alarms import desk
from lineshaft.operations.alarms.desk import SUBSCRIPTION, Desk
from lineshaft.operations.alarms.settings import Advice, Alarm, Limit, Priority
from lineshaft.operations.notices import office
from lineshaft.operations.notices.notice import Notice, Status
from lineshaft.operations.notices.office import Notices
from lineshaft.operations.notices.reading import KIND
from lineshaft.operations.notices.settings import Delivery, Recipient, Rule
from lineshaft.records import Records
from lineshaft.security.access import Branches
from lineshaft.spines import Spine

S = 1_000_000_000
T0 = 1_764_590_400 * S  # Monday, 2025-12-01 12:00:00 UTC
OIL = "acme/press/oil"
HOT = Alarm(
    name="oil hot",
    point=OIL,
    hi=Limit(value=80.0),
    hihi=Limit(value=95.0, priority=Priority.CRITICAL),
    group="press",
    advice=Advice(cause="Cooler blocked", action="Clean the cooler"),
)


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> int:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += int(seconds * S)


class Hall:
    """Points with units, and their newest samples."""

    version = 1

    def __init__(self) -> None:
        self.newest = {}

    def under(self, branch, who):
        return sorted(self.newest)

    def find(self, path):
        return Point(path=path, unit="Cel")

    def latest(self, path):
        return self.newest.get(path)


class Rig:
    """What a test moves by hand."""

    def __init__(self, alarms: Desk, notices: Notices, records: Records, clock: Clock) -> None:
        self.desk, self.notices, self.records, self.clock = alarms, notices, records, clock
        self.hall = notices._reader._latest
        self.channels = {}

    async def reads(self, value: float, point: str = OIL) -> None:
        """The machine reads a value, the desk judges it, and the reader reads the journal."""
        batch = Batch.of_rows([(point, self.clock.now, value)])
        self.hall.newest[point] = next(batch.rows())
        await self.desk.take(batch)
        self.clock.passes(0.001)
        await self.read()

    async def read(self) -> None:
        """What the reader does when it is told that there is news."""
        reader = self.notices._reader
        after = await reader.place()
        while page := await self.records.events(after=after, kind=KIND, limit=200):
            after = page[-1].seq
            await reader.take(self.notices.book, page, must_keep=True)

    async def serve(self, name: str, times: int = 1) -> int:
        """What a courier does, so often; returns when it wants to look again."""
        at = 0
        for _ in range(times):
            at = await self.notices._couriers[name].serve()
        return at

    async def found(self, *statuses: Status) -> list[Notice]:
        """Notices of these statuses, oldest first."""
        found, _ = await self.notices.outbox.find(limit=1000)
        return [n for n in reversed(found) if not statuses or n.status in statuses]

    async def answer(self, what) -> None:
        await self.desk.answer(SYSTEM, "oil hot", what)
        await self.read()


@asynccontextmanager
async def rig(
    folder: Path,
    recipients: Sequence[Recipient],
    rules: Sequence[Rule],
    *,
    alarms: Sequence[Alarm] = (HOT,),
    delivery: Delivery | None = None,
    clock: Clock | None = None,
) -> AsyncGenerator[Rig]:
    """A plant's alarms and notices; records stay in the folder for the next one."""
    clock, hall = clock or Clock(), Hall()
    spine = build(Spine, {"name": "spine", "kind": "memory"})
    spine.durable(SUBSCRIPTION, "data.>", size_max=8)
    path = str(folder / "records")
    records = build(Records, {"name": "records", "kind": "sqlite", "path": path})
    async with records.opened([*desk.COLLECTIONS, *office.COLLECTIONS]):
        rights = Branches()
        made = Desk(records, spine, rights, clock=clock)
        await made.start(alarms)
        notices = Notices(
            plant="Acme",
            records=records,
            spine=spine,
            alarms=made,
            names=hall,
            latest=hall,
            authorizer=rights,
            clock=clock,
        )
        await notices.start(recipients, rules, delivery or Delivery())
        await notices._reader.place()
        async with notices._channels() as channels:
            for work in notices._serve(channels):
                work.close()
            for courier in notices._couriers.values():
                await courier._remember()
            yield Rig(made, notices, records, clock)
