"""The alarm desk: where alarms ring, are answered, and are kept through any restart.

Each transition is written with its event in one transaction before anybody is told, and before the
batch that caused it is confirmed to its source.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence

import msgspec

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Denied, Invalid, LineshaftError, Missing, Stale, Unavailable
from lineshaft.core.event import Event
from lineshaft.core.flow import wait_s
from lineshaft.operations.alarms.happenings import AnyHappening, Passed
from lineshaft.operations.alarms.journal import event_of
from lineshaft.operations.alarms.judging import Judge, Seen
from lineshaft.operations.alarms.settings import Alarm, check_alarm
from lineshaft.operations.alarms.state import Rejected, Shelf, State
from lineshaft.operations.alarms.transitions import after
from lineshaft.operations.alarms.view import Annunciation, Letter, annunciation, letter
from lineshaft.records import Append, Change, Collection, Column, Delete, Put, Records
from lineshaft.spines import Spine

log = logging.getLogger(__name__)

ALARMS = Collection(name="alarms", columns={"point": Column.TEXT})
"""Alarms defined at run time; the others stand in the settings file."""
STATES = Collection(name="alarm_states")
COLLECTIONS = (ALARMS, STATES)
SUBSCRIPTION = "alarms"
"""The durable subscription that the desk reads; the plant declares it on the spine."""
ALARMS_MAX = 100_000
TICK_S = 1.0
"""Seconds between looks at delays, shelves and re-alarms."""
COMMENT_CHARS_MAX = 2000
CHANGES_MAX = 500
"""Transitions written in one transaction."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the records hold of an alarm's life."""

    state: State = State()
    seen: dict[str, Seen] = {}


class View(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm as people see it."""

    alarm: Alarm
    state: State
    letter: Letter
    annunciation: Annunciation
    in_file: bool
    """Whether it stands in the settings file, where alone it can be changed."""


class Desk:
    """All alarms of the plant."""

    def __init__(
        self,
        records: Records,
        spine: Spine,
        authorizer: Authorizer,
        *,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._records, self._spine, self._authorizer = records, spine, authorizer
        self._clock = clock
        self._alarms: dict[str, Alarm] = {}
        self._in_file: set[str] = set()
        self._states: dict[str, State] = {}
        self._judge = Judge([])
        self._turn = asyncio.Lock()
        self.trouble = ""
        """Why transitions cannot be kept now; empty when they can."""

    # ---- life

    async def start(self, in_file: Sequence[Alarm]) -> None:
        """Know the alarms of the file and of the records, and where each stood.

        Raises:
            Invalid: an alarm cannot ring, or a name stands twice.
        """
        async for name, data in self._all(ALARMS.name):
            self._alarms[name] = msgspec.json.decode(data, type=Alarm)
        self._take_in(in_file)
        seen: dict[str, dict[str, Seen]] = {}
        async for name, data in self._all(STATES.name):
            if name in self._alarms:
                kept = msgspec.json.decode(data, type=Kept)
                self._states[name], seen[name] = kept.state, kept.seen
        self._judge = Judge(list(self._alarms.values()), seen)

    async def reload(self, in_file: Sequence[Alarm]) -> None:
        """Take the alarms of the file as they are now; those that did not change remember.

        Raises:
            Invalid: an alarm cannot ring, or a name stands twice; nothing has changed then.
        """
        async with self._turn:
            old = dict(self._alarms)
            self._take_in(in_file)
            self._rebuild({n for n, a in self._alarms.items() if old.get(n) != a})

    def _take_in(self, in_file: Sequence[Alarm]) -> None:
        made = {n: a for n, a in self._alarms.items() if n not in self._in_file}
        named = {check_alarm(a).name: a for a in in_file}
        twice = made.keys() & named.keys() or (len(named) < len(in_file))
        if twice:
            name = min(made.keys() & named.keys(), default="of the file")
            raise Invalid(
                f"alarm {name!r} stands twice, in the file or made at run time",
                remedy="Rename it in the file, or remove the other one.",
            )
        self._alarms, self._in_file = made | named, set(named)

    async def _all(self, collection: str) -> AsyncGenerator[tuple[str, bytes]]:
        cursor = ""
        while True:
            page = await self._records.find(collection, cursor=cursor, limit=1000)
            for record in page.records:
                yield record.key, record.data
            cursor = page.cursor
            if not cursor:
                return

    async def run(self) -> None:
        """Judge what passes on the spine, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(), name="alarms listen")
            group.create_task(self._watch_time(), name="alarms time")

    async def _listen(self) -> None:
        async with self._spine.subscribe(name=SUBSCRIPTION, rows_max=50_000) as batches:
            async for batch in batches:
                await self.take(batch)

    async def _watch_time(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            await self.tick()

    async def take(self, batch: Batch) -> None:
        """Judge a batch; returns once what it brought about is kept."""
        async with self._turn:
            told, moved = self._judge.push(batch)
            if told or moved:
                await self._keep_at_last(told, moved)

    async def tick(self) -> None:
        """Look whether time alone has changed something."""
        now = self._clock()
        async with self._turn:
            told = self._judge.tick(now)
            passed = [(n, Passed(time_ns=now)) for n, a in self._alarms.items() if self._waits(a)]
            await self._keep_at_last([*told, *passed], {name for name, _ in told})

    def _waits(self, alarm: Alarm) -> bool:
        """Whether time alone may change it: it is on a shelf, or rings again."""
        return self.state(alarm.name).shelf is not Shelf.NO or alarm.life.realarm_s > 0

    async def _keep_at_last(
        self, told: Iterable[tuple[str, AnyHappening]], moved: set[str]
    ) -> None:
        """Keep what the detector and time say; while it cannot be kept, sources are held back."""
        states, events = self._went(told)
        changed = [*states.keys() | moved]
        attempt = 0
        for start in range(0, len(changed), CHANGES_MAX):
            part = changed[start : start + CHANGES_MAX]
            changes: list[Change] = [self._put(n, states.get(n, self.state(n))) for n in part]
            changes += [Append(event=e) for n, e in events if n in set(part)]
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
        self._states |= states
        await self._tell(e for _, e in events)

    def _went(
        self, told: Iterable[tuple[str, AnyHappening]]
    ) -> tuple[dict[str, State], list[tuple[str, Event]]]:
        """The states after all that, and the events of it."""
        states: dict[str, State] = {}
        events: list[tuple[str, Event]] = []
        for name, what in told:
            before = states.get(name, self.state(name))
            done = after(before, what, self._alarms[name].life)
            if isinstance(done, State) and done is not before:
                states[name] = done
                events.append((name, event_of(self._alarms[name], before, done, what)))
        return states, events

    # ---- looking

    def state(self, name: str) -> State:
        """Where the alarm stands."""
        return self._states.get(name) or State()

    def views(self, who: Identity) -> list[View]:
        """All alarms that the caller may see, most urgent first."""
        seen = [a for a in self._alarms.values() if self._sees(who, a)]
        found = [self._view(a) for a in seen]
        order = list(Annunciation)
        return sorted(
            found,
            key=lambda v: (
                order.index(v.annunciation) or len(order),
                -v.state.severity,
                -v.state.active_ns,
                v.alarm.name,
            ),
        )

    def view(self, who: Identity, name: str) -> View:
        """One alarm.

        Raises:
            Missing: there is none, or it is not for this identity to know.
        """
        return self._view(self._known(who, name))

    def _view(self, alarm: Alarm) -> View:
        state = self.state(alarm.name)
        return View(
            alarm=alarm,
            state=state,
            letter=letter(state),
            annunciation=annunciation(state),
            in_file=alarm.name in self._in_file,
        )

    def _sees(self, who: Identity, alarm: Alarm) -> bool:
        return self._authorizer.allows(who, Action.LOOK, alarm.point)

    def _known(self, who: Identity, name: str) -> Alarm:
        alarm = self._alarms.get(name)
        if alarm is None or not self._sees(who, alarm):
            raise Missing(
                f"there is no alarm {name!r}", remedy="List them with GET /api/v1/alarms."
            )
        return alarm

    # ---- answering

    async def answer(
        self, who: Identity, name: str, what: AnyHappening, *, comment: str = ""
    ) -> View:
        """Have a person's deed happen to an alarm; the refused one is on record too.

        Raises:
            Missing: there is no such alarm for this identity.
            Denied: the identity may not answer alarms there.
            Stale: the alarm's state does not allow it; the message begins with the OPC UA code.
            Unavailable: it cannot be kept now, and has not happened.
        """
        alarm = self._known(who, name)
        if not self._authorizer.allows(who, Action.WRITE, alarm.point):
            raise Denied(f"{who.name} may not answer alarms of {alarm.point}")
        if len(comment) > COMMENT_CHARS_MAX:
            raise Invalid(
                f"the comment has {len(comment)} characters, wanted at most {COMMENT_CHARS_MAX}"
            )
        async with self._turn:
            before = self.state(name)
            done = after(before, what, alarm.life)
            event = event_of(alarm, before, done, what, who=who.name, comment=comment)
            changes: list[Change] = [Append(event=event)]
            if isinstance(done, State):
                changes.append(self._put(name, done))
            await self._records.commit(*changes)
            if isinstance(done, State):
                self._states[name] = done
        await self._tell([event])
        if isinstance(done, Rejected):
            raise Stale(
                f"{done.code.value}: {name}: {done.why}",
                remedy="Look at the alarm as it is now.",
            )
        return self._view(alarm)

    # ---- defining

    async def define(self, who: Identity, alarm: Alarm) -> View:
        """Add an alarm, or change one that was made at run time.

        Raises:
            Invalid: it cannot ring, stands in the settings file, or is one too many.
            Denied: the identity may not configure that branch.
        """
        check_alarm(alarm)
        self._check_configure(who, alarm)
        known = self._alarms.get(alarm.name)
        if known is not None:
            self._check_configure(who, known)
        if alarm.name in self._in_file:
            raise Invalid(
                f"alarm {alarm.name!r} stands in the settings file",
                remedy="Change it there, then reload.",
            )
        if known is None and len(self._alarms) >= ALARMS_MAX:
            raise Invalid(f"there are {ALARMS_MAX} alarms already", remedy="Remove some.")
        async with self._turn:
            event = Event(
                kind="alarm.defined",
                path=alarm.point,
                actor=who.name,
                data={"alarm": alarm.name, "definition": msgspec.to_builtins(alarm)},
            )
            put = Put(
                collection=ALARMS.name,
                key=alarm.name,
                data=msgspec.json.encode(alarm),
                rows=({"point": alarm.point},),
            )
            await self._records.commit(put, Append(event=event))
            self._alarms[alarm.name] = alarm
            self._rebuild({alarm.name})
        await self._tell([event])
        return self._view(alarm)

    async def remove(self, who: Identity, name: str) -> None:
        """Take away an alarm that was made at run time, with its state.

        Raises:
            Missing: there is none.
            Invalid: it stands in the settings file.
        """
        alarm = self._known(who, name)
        self._check_configure(who, alarm)
        if name in self._in_file:
            raise Invalid(
                f"alarm {name!r} stands in the settings file",
                remedy="Take it out there, then reload.",
            )
        async with self._turn:
            event = Event(
                kind="alarm.removed", path=alarm.point, actor=who.name, data={"alarm": name}
            )
            await self._records.commit(
                Delete(collection=ALARMS.name, key=name),
                Delete(collection=STATES.name, key=name),
                Append(event=event),
            )
            del self._alarms[name]
            self._states.pop(name, None)
            self._rebuild(set())
        await self._tell([event])

    def check_engineer(self, who: Identity, name: str) -> None:
        """See that the identity may change what is watched, not only answer.

        Raises:
            Missing: there is no such alarm for this identity.
            Denied: it may only answer.
        """
        self._check_configure(who, self._known(who, name))

    def _check_configure(self, who: Identity, alarm: Alarm) -> None:
        if not self._authorizer.allows(who, Action.CONFIGURE, alarm.point):
            raise Denied(f"{who.name} may not define alarms of {alarm.point}")

    def _rebuild(self, fresh: set[str]) -> None:
        """A judge of the alarms as they are now; all but the fresh ones remember."""
        old = {c.alarm for c in self._judge.channels} - fresh
        seen = {n: self._judge.seen(n) for n in old if n in self._alarms}
        self._judge = Judge(list(self._alarms.values()), seen)

    # ---- writing down

    def _put(self, name: str, state: State) -> Put:
        kept = Kept(state=state, seen=self._judge.seen(name))
        return Put(collection=STATES.name, key=name, data=msgspec.json.encode(kept))

    async def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            try:
                await self._spine.announce(event)
            except LineshaftError as error:
                log.warning("event not announced", extra={"kind": event.kind, "cause": str(error)})

    def problems(self) -> list[str]:
        """What is wrong now."""
        return [self.trouble] if self.trouble else []
