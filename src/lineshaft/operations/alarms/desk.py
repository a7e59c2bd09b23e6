"""The alarm desk: where alarms ring, are answered, and are kept through any restart.

Each transition is written with its event in one transaction before anybody is told, and before the
batch that caused it is confirmed to its source.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from lineshaft.core.access import SYSTEM, Action, Authorizer, Identity
from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Denied, LineshaftError, Stale, Unavailable
from lineshaft.core.event import Event
from lineshaft.core.flow import wait_s
from lineshaft.operations import Names
from lineshaft.operations.alarms import book as pages
from lineshaft.operations.alarms.book import Book, Refusal, Settled, View
from lineshaft.operations.alarms.clocks import in_time
from lineshaft.operations.alarms.defining import (
    check_define,
    check_room,
    defined,
    reloaded,
    removed,
)
from lineshaft.operations.alarms.evaluating import Signal
from lineshaft.operations.alarms.figures import figures
from lineshaft.operations.alarms.flooding import Floods
from lineshaft.operations.alarms.going import Going
from lineshaft.operations.alarms.happenings import Acknowledged, AnyHappening, Enabled, Passed
from lineshaft.operations.alarms.history import known
from lineshaft.operations.alarms.journal import check_comment, event_of, events_in
from lineshaft.operations.alarms.judging import Told
from lineshaft.operations.alarms.rules import AlarmGroup, AlarmRules
from lineshaft.operations.alarms.settings import Alarm
from lineshaft.operations.alarms.state import Rejected, Shelf, State
from lineshaft.operations.alarms.transitions import after
from lineshaft.operations.listening import Listener
from lineshaft.records import Append, Change, Records
from lineshaft.spines import Spine
from lineshaft.stores import Store
from lineshaft.web.metrics import Metric

log = logging.getLogger(__name__)

COLLECTIONS = pages.COLLECTIONS
SUBSCRIPTION = "alarms"
"""The durable subscription that the desk reads; the plant declares it on the spine."""
TICK_S = 1.0
"""Seconds between looks at delays, shelves and re-alarms."""
TROUBLES_TOLD = 20
"""Alarms that cannot be judged and are named one by one."""
CHANGES_MAX = 500
"""Transitions written in one transaction."""


class Desk:
    """All alarms of the plant."""

    def __init__(
        self,
        records: Records,
        spine: Spine,
        authorizer: Authorizer,
        *,
        names: Names | None = None,
        store: Store | None = None,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._records, self._spine, self._authorizer = records, spine, authorizer
        self._store, self._clock = store, clock
        self.listener = Listener(spine, SUBSCRIPTION, self.take)
        self.book = Book(records, authorizer, names)
        self._floods = Floods(AlarmRules())
        self._told = 0
        self.turn = asyncio.Lock()
        """Held by whoever changes the book."""
        self.trouble = ""
        """Why transitions cannot be kept now; empty when they can."""

    # ---- life

    async def start(
        self,
        in_file: Sequence[Alarm],
        groups: Sequence[AlarmGroup] = (),
        rules: AlarmRules | None = None,
    ) -> None:
        """Know the alarms of the file and of the records, and where each stood.

        Raises:
            Invalid: an alarm cannot ring, or a name stands twice.
        """
        await self.book.load(Settled(in_file, groups, rules or AlarmRules()))
        self._flood_anew()
        async with self.turn:
            await self._know(list(self.book.judge.signals.by_key.values()))

    async def reload(
        self,
        in_file: Sequence[Alarm],
        groups: Sequence[AlarmGroup] = (),
        rules: AlarmRules | None = None,
        *,
        who: Identity = SYSTEM,
    ) -> None:
        """Take the alarms of the file as they are now; those that did not change remember.

        Raises:
            Invalid: an alarm cannot ring, or a name stands twice; nothing has changed then.
        """
        async with self.turn:
            old = dict(self.book.alarms)
            self.book.take_in(Settled(in_file, groups, rules or AlarmRules()))
            now = self.book.alarms
            fresh = self.book.rebuild({n for n, a in now.items() if old.get(n) != a})
            await self._know(fresh, reloaded(old, now, who))
            self._flood_anew()

    def _flood_anew(self) -> None:
        book = self.book
        self._floods = self._floods.again(book.rules, book.states_by_path(), self._clock())

    async def _know(self, signals: Sequence[Signal], also: Sequence[Change] = ()) -> None:
        """Have new expressions know history, and judge what nobody has judged yet."""
        now = self._clock()
        self.book.await_samples(now)
        orphans = self.book.orphans(now)
        if orphans or also:
            await self.keep(orphans, set(), also=also)
        if self._store is None:
            return
        async for told, moved in known(self._store, self.book.judge, signals, now):
            await self.keep(told, moved)

    async def run(self) -> None:
        """Judge what passes on the spine, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.listener.run(), name="alarms listen")
            group.create_task(self._watch_time(), name="alarms time")

    async def _watch_time(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            await self.tick()

    async def take(self, batch: Batch) -> None:
        """Judge a batch; returns once what it brought about is kept."""
        async with self.turn:
            batch, ahead = in_time(batch, self._clock())
            self.book.ahead += ahead
            told, moved = self.book.judge.push(batch)
            if told or moved:
                await self.keep(told, moved)

    async def tick(self) -> None:
        """Look whether time alone has changed something."""
        now = self._clock()
        async with self.turn:
            if self.book.changed():
                await self._know(self.book.rebuild(()))
            told, moved = self.book.tick(now)
            alarms = self.book.alarms.items()
            passed = [(n, Passed(time_ns=now)) for n, a in alarms if self._waits(a)]
            await self.keep(told, moved, passed, now_ns=now)

    def _waits(self, alarm: Alarm) -> bool:
        """Whether time alone may change it: it is on a shelf, or rings again."""
        return alarm.life.realarm_s > 0 or self.book.state(alarm.name).shelf is not Shelf.NO

    async def keep(
        self,
        told: Iterable[Told],
        moved: set[str],
        passed: Iterable[tuple[str, AnyHappening]] = (),
        *,
        now_ns: int | None = None,
        also: Sequence[Change] = (),
    ) -> None:
        """Keep what the detector and time say, and `also` in the same transaction.

        While it cannot be kept, sources are held back.
        """
        going = Going(self.book, self._floods)
        going.all([*told, *passed])
        if now_ns is not None:
            going.time(now_ns)
        states = going.states
        changed = [*states.keys() | moved]
        for start in range(0, len(changed) or bool(also), CHANGES_MAX):
            names = dict.fromkeys(changed[start : start + CHANGES_MAX])
            pages = [self.book.page(n, states.get(n) or self.book.state(n)) for n in names]
            events = [Append(event=e) for n, e in going.events if n in names]
            await self.commit([*pages, *events, *(() if start else also)])
        self.book.stand(states)
        self._told += len(going.events)
        await self._tell(e for _, e in going.events)
        await self._tell(events_in(also))

    async def commit(self, changes: Sequence[Change]) -> None:
        """Write changes; while they cannot be written, sources are held back."""
        attempt = 0
        while True:
            try:
                await self._records.commit(*changes)
                break
            except Unavailable as error:
                attempt += 1
                self.trouble = f"alarms: {error}"
                if attempt == 1:
                    log.error("alarms cannot be kept", extra={"cause": str(error)})  # noqa: TRY400
                await asyncio.sleep(wait_s(attempt))
        self.trouble = ""

    # ---- looking

    def views(self, who: Identity, *, opened: bool = False) -> list[View]:
        """Alarms that the caller may see, most urgent first; `opened`: the open ones alone."""
        return self.book.views(who, opened=opened)

    def view(self, who: Identity, name: str) -> View:
        """One alarm.

        Raises:
            Missing: there is none, or it is not for this identity to know.
        """
        return self.book.view(who, self.book.known(who, name))

    @property
    def groups(self) -> Mapping[str, AlarmGroup]:
        """The groups of the settings file, by name."""
        return self.book.groups

    # ---- answering

    async def answer(
        self, who: Identity, name: str, what: AnyHappening, *, comment: str = "", permit: str = ""
    ) -> View:
        """Have a person's deed happen to an alarm; the refused one is on record too.

        Raises:
            Missing: there is no such alarm for this identity.
            Denied: the identity may not answer alarms there.
            Stale: the alarm's state does not allow it; the message begins with the OPC UA code.
            Unavailable: it cannot be kept now, and has not happened.
        """
        alarm = self._answerable(who, name)
        check_comment(comment)
        async with self.turn:
            done, event = self._answered(alarm, what, who, comment, permit)
            if isinstance(done, State) and isinstance(what, Enabled):
                self.book.judge.forget(name)
            changes: list[Change] = [Append(event=event)]
            if isinstance(done, State):
                changes.append(self.book.page(name, done))
            await self._records.commit(*changes)
            if isinstance(done, State):
                self.book.stand({name: done})
                if isinstance(what, Enabled):
                    await self._know(())
        await self._tell([event])
        if isinstance(done, Rejected):
            raise Stale(
                f"{done.code.value}: {name}: {done.why}",
                remedy="Look at the alarm as it is now.",
            )
        return self.book.view(who, alarm)

    async def acknowledge(
        self, who: Identity, event_ids: Mapping[str, str], *, comment: str = ""
    ) -> list[Refusal]:
        """Acknowledge many alarms, by name, in one transaction; tells those that could not be.

        Raises:
            Unavailable: it cannot be kept now, and none is acknowledged.
        """
        check_comment(comment)
        now, refused = self._clock(), []
        states: dict[str, State] = {}
        events: list[Event] = []
        async with self.turn:
            for name, event_id in event_ids.items():
                try:
                    alarm = self._answerable(who, name)
                except LineshaftError as error:
                    refused.append(Refusal(alarm=name, why=str(error)))
                    continue
                what = Acknowledged(time_ns=now, event_id=event_id, by=who.name)
                done, event = self._answered(alarm, what, who, comment, "")
                events.append(event)
                if isinstance(done, State):
                    states[name] = done
                else:
                    refused.append(Refusal(alarm=name, why=f"{done.code.value}: {done.why}"))
            kept = [self.book.page(n, s) for n, s in states.items()]
            if events:
                await self._records.commit(*kept, *(Append(event=e) for e in events))
            self.book.stand(states)
        await self._tell(events)
        return refused

    def _answerable(self, who: Identity, name: str) -> Alarm:
        alarm = self.book.known(who, name)
        if not self._authorizer.allows(who, Action.WRITE, alarm.point):
            raise Denied(f"{who.name} may not answer alarms of {alarm.point}")
        return alarm

    def _answered(
        self, alarm: Alarm, what: AnyHappening, who: Identity, comment: str, permit: str
    ) -> tuple[State | Rejected, Event]:
        before = self.book.state(alarm.name)
        done = after(before, what, self.book.traits(alarm))
        event = event_of(alarm, before, done, what, who=who.name, comment=comment, permit=permit)
        return done, event

    # ---- defining

    async def define(
        self, who: Identity, alarm: Alarm, *, permit: str = "", expected: str | None = None
    ) -> View:
        """As `define_all`, of one."""
        (view,) = await self.define_all(who, [alarm], permit=permit, expected=expected)
        return view

    async def define_all(
        self,
        who: Identity,
        alarms: Sequence[Alarm],
        *,
        permit: str = "",
        expected: str | None = None,
    ) -> list[View]:
        """Add alarms, or change such made at run time, all or none; `expected` as `check_define`.

        Raises:
            Invalid: one cannot ring, stands in the settings file, or is one too many.
            Denied: the identity may not configure one of the branches.
            Stale: one is not as `expected`.
        """
        async with self.turn:
            check_room(self.book, alarms)
            for alarm in alarms:
                check_define(self.book, who, alarm, expected)
            changes = [c for a in alarms for c in defined(self.book, who, a, permit)]
            await self._records.commit(*changes)
            self.book.alarms |= {a.name: a for a in alarms}
            await self._know(self.book.rebuild({a.name for a in alarms}))
        await self._tell(events_in(changes))
        return [self.book.view(who, a) for a in alarms]

    async def remove(self, who: Identity, name: str, *, permit: str = "") -> None:
        """Take away an alarm that was made at run time, with its state.

        Raises:
            Missing: there is none.
            Invalid: it stands in the settings file.
        """
        alarm = self.book.known(who, name)
        async with self.turn:
            changes = removed(self.book, who, alarm, permit)
            await self._records.commit(*changes)
            del self.book.alarms[name]
            self.book.foreign.pop(name, None)
            self.book.states.pop(name, None)
            self.book.rebuild(())
        await self._tell(events_in(changes))

    def check_operator(self, who: Identity, name: str, comment: str = "") -> None:
        """See that the identity may answer the alarm, with this comment.

        Raises:
            Missing: there is no such alarm for this identity.
            Denied: it may only look.
            Invalid: the comment is too long.
        """
        self._answerable(who, name)
        check_comment(comment)

    async def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            try:
                await self._spine.announce(event)
            except LineshaftError as error:
                log.warning("event not announced", extra={"kind": event.kind, "cause": str(error)})

    def metrics(self) -> list[Metric]:
        """Figures for Prometheus."""
        return figures(self.book, self._floods, self._told)

    def problems(self) -> list[str]:
        """What is wrong now."""
        troubles = [*self.book.troubles.values()]
        found = [*([self.trouble] if self.trouble else []), *troubles[:TROUBLES_TOLD]]
        more = len(troubles) - TROUBLES_TOLD
        return [*found, f"{more} more alarms wait for points"] if more > 0 else found
