"""The parts of operations, put together."""

import asyncio
from typing import Protocol

from lineshaft.core.access import Audit, Authorizer, Identity
from lineshaft.core.errors import LineshaftError
from lineshaft.core.flow import supervise
from lineshaft.operations import Latest, Names
from lineshaft.operations.alarms import desk
from lineshaft.operations.alarms.counting import Rung
from lineshaft.operations.alarms.desk import Desk
from lineshaft.operations.alarms.foreign import Foreign, Machines
from lineshaft.operations.calendars.book import Calendars
from lineshaft.operations.derived import engine, marks
from lineshaft.operations.derived.desk import DerivedDesk
from lineshaft.operations.derived.engine import Engine
from lineshaft.operations.frames import desk as frames
from lineshaft.operations.kpis.part import KpiPart
from lineshaft.operations.listening import Listeners
from lineshaft.operations.notices import office
from lineshaft.operations.notices.office import Notices
from lineshaft.operations.reports import mailing
from lineshaft.operations.reports.mailing import Reports
from lineshaft.operations.spc import board
from lineshaft.operations.spc.board import Board
from lineshaft.operations.states import following, part
from lineshaft.operations.states.part import States
from lineshaft.operations.tables import Tables
from lineshaft.records import Records
from lineshaft.spines import Spine
from lineshaft.stores import Store

COLLECTIONS = (
    *marks.COLLECTIONS,
    *desk.COLLECTIONS,
    *part.COLLECTIONS,
    *office.COLLECTIONS,
    *mailing.COLLECTIONS,
    *frames.COLLECTIONS,
    *board.COLLECTIONS,
)
DURABLE = (engine.SUBSCRIPTION, desk.SUBSCRIPTION, frames.SUBSCRIPTION, board.SUBSCRIPTION)
"""Durable subscriptions to all data; declared here, each read by one part."""
WAITING_MAX = 1024
"""Batches that may wait for a part before their drivers do."""


class Part(Protocol):
    """One part of operations.

    `start` takes its settings once store and records are open, `reload` takes them again: what
    did not change remembers, and where it raises nothing has changed. It may also have
    `problems()` and `metrics()`.
    """

    async def run(self) -> None:
        """Follow the plant until cancelled."""


class Operations:
    """Alarms and all else that says what machine data mean, of one plant."""

    def __init__(  # noqa: PLR0913 - each is a neighbour, by keyword
        self,
        *,
        plant: str,
        machines: Machines,
        names: Names,
        latest: Latest,
        store: Store,
        records: Records,
        spine: Spine,
        authorizer: Authorizer,
        audit: Audit,
    ) -> None:
        for name in DURABLE:
            spine.durable(name, "data.>", size_max=WAITING_MAX)
        spine.durable(following.SUBSCRIPTION, following.SUBJECT, size_max=WAITING_MAX)
        self.engine = Engine(names=names, store=store, records=records, spine=spine)
        self.derived = DerivedDesk(self.engine, store, records, spine, authorizer)
        self.desk = Desk(records, spine, authorizer, names=names, store=store)
        self.foreign = Foreign(self.desk, machines)
        self.notices = Notices(
            plant=plant,
            records=records,
            spine=spine,
            alarms=self.desk,
            names=names,
            latest=latest,
            authorizer=authorizer,
        )
        rung = Rung(records, authorizer)
        calendars = Calendars()
        self.states = States(
            store, records, spine, authorizer, engine=self.engine, calendars=calendars
        )
        self.kpis = KpiPart(
            calendars=calendars,
            timelines=self.states.intervals,
            alarms=rung,
            store=store,
            names=names,
            spine=spine,
            authorizer=authorizer,
        )
        self.reports = Reports(
            plant=plant, kpis=self.kpis.kpis, alarms=rung, notices=self.notices, records=records
        )
        self.frames = frames.Frames(
            names=names,
            latest=latest,
            store=store,
            records=records,
            spine=spine,
            authorizer=authorizer,
        )
        self.engine.gone.append(self.frames.deleted)
        self.board = Board(
            names=names, store=store, records=records, spine=spine, authorizer=authorizer
        )
        self.listeners = Listeners(
            self.engine.listener,
            self.desk.listener,
            self.states.follower.listener,
            self.frames.listener,
            self.board.listener,
        )
        self._tables = Tables()
        """As they were taken last."""
        self.parts: dict[str, Part] = {
            "derived": self.engine,
            "alarms": self.desk,
            "notices": self.notices,
            "states": self.states,
            "kpis": self.kpis,
            "reports": self.reports,
            "frames": self.frames,
            "spc": self.board,
        }

    async def start(self, tables: Tables) -> None:
        """Know what the settings and the records know; nothing runs yet.

        Raises:
            Invalid: the settings ask for something that cannot be.
        """
        await self.kpis.take(tables.calendars)
        await self.engine.start()
        await self.derived.start(tables.derived)
        await self.states.start(tables.work_units, tables.reasons, tables.reason_rules)
        await self.desk.start(tables.alarms, tables.alarm_groups, tables.alarm_rules)
        await self.notices.start(tables.recipients, tables.notices, tables.delivery)
        self.reports.take(tables.reports, tables.reasons)
        await self.frames.start(tables.frames)
        await self.board.start(tables.charts)
        self._tables = tables

    async def reload(self, tables: Tables, who: Identity) -> None:
        """Take the settings as they are now, for somebody who has asked for it.

        Raises:
            Invalid: they ask for something that cannot be; what was taken is given back.
        """
        try:
            await self._take(tables, who)
        except LineshaftError:
            await self._take(self._tables, who)
            raise
        self._tables = tables

    async def _take(self, tables: Tables, who: Identity) -> None:
        await self.derived.reload(tables.derived)
        await self.kpis.take(tables.calendars)
        await self.states.reload(tables.work_units, tables.reasons, tables.reason_rules)
        await self.desk.reload(tables.alarms, tables.alarm_groups, tables.alarm_rules, who=who)
        await self.notices.reload(tables.recipients, tables.notices, tables.delivery)
        self.reports.take(tables.reports, tables.reasons)
        await self.frames.reload(tables.frames)
        await self.board.reload(tables.charts)

    async def run(self) -> None:
        """Run every part until cancelled; one that fails is started anew beside the others."""
        async with asyncio.TaskGroup() as group:
            for name, part in self.parts.items():
                group.create_task(supervise(name, part.run), name=name)

    def given(self) -> dict[str, object]:
        """What the routes are given, by the names of their parameters."""
        return {
            "desk": self.desk,
            "foreign": self.foreign,
            "notices": self.notices,
            "reports": self.reports,
            "engine": self.engine,
            "derived_desk": self.derived,
            "states": self.states,
            "frames": self.frames,
            "board": self.board,
            "listeners": self.listeners,
            **self.kpis.given(),
        }
