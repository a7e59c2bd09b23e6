"""The book of all alarms: which there are, where each stands, who may see it, and its pages."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence

import msgspec
import numpy as np

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.clock import uuid7
from lineshaft.core.errors import Denied, Invalid, Missing
from lineshaft.operations import Names
from lineshaft.operations.alarms.detectors import (
    NoNames,
    blind,
    check_texts,
    compiled,
    formulas,
    stale_key,
    texts_among,
)
from lineshaft.operations.alarms.evaluating import Rows, Signal, Signals
from lineshaft.operations.alarms.happenings import Gone, Suppressed
from lineshaft.operations.alarms.judging import SECOND_NS, SUPPRESS, Judge, Seen, Told
from lineshaft.operations.alarms.origins import FOREIGN, Origin
from lineshaft.operations.alarms.rules import AlarmGroup, AlarmRules
from lineshaft.operations.alarms.settings import Alarm, check_alarm
from lineshaft.operations.alarms.state import State, Traits
from lineshaft.operations.alarms.view import Annunciation, Letter, annunciation, letter, retain
from lineshaft.records import Collection, Column, Put, Records

ALARMS = Collection(name="alarms", columns={"point": Column.TEXT})
"""Alarms defined at run time; the others stand in the settings file."""
STATES = Collection(name="alarm_states")
COLLECTIONS = (ALARMS, STATES, FOREIGN)


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
    device: str = ""
    """The device that judges it, where alone it can be changed; empty when it is judged here."""
    after: str = ""
    """In a group with first-out: the alarm that rang first, if this one came later."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm that could not be acknowledged with the others."""

    alarm: str
    why: str


class Settled(msgspec.Struct, frozen=True):
    """What the settings file says of alarms."""

    alarms: Sequence[Alarm] = ()
    groups: Sequence[AlarmGroup] = ()
    rules: AlarmRules = AlarmRules()


class Book:
    """All alarms of the plant; whoever changes it holds the desk's turn."""

    def __init__(self, records: Records, authorizer: Authorizer, names: Names | None) -> None:
        self.records, self.authorizer = records, authorizer
        self.names: Names = NoNames() if names is None else names
        self.alarms: dict[str, Alarm] = {}
        self.in_file: set[str] = set()
        self.foreign: dict[str, Origin] = {}
        """Those of `alarms` that devices judge, by name."""
        self.groups: dict[str, AlarmGroup] = {}
        self.rules = AlarmRules()
        self.states: dict[str, State] = {}
        self.changes = 0
        """How often something has changed that views tell of."""
        self._life = uuid7()
        self.judge = Judge([])
        self.members: dict[str, list[str]] = {}
        """Alarms of each group with first-out."""
        self.troubles: dict[str, str] = {}
        """Expressions that cannot be compiled now, and why."""
        self._signals: dict[str, Signal] = {}
        self._silent_since: dict[str, int] = {}
        """Since when expressions that watch for samples wait for the first one."""
        self._version = -1
        self._late = 0
        self.ahead = 0
        """Samples of clocks that are ahead, which were judged as of now."""

    @property
    def late(self) -> int:
        """Samples that came too late to be judged at their time."""
        return self._late + self.judge.late

    # ---- which there are

    async def load(self, settled: Settled) -> None:
        """Know the alarms of the file and of the records, and where each stood.

        Raises:
            Invalid: an alarm cannot ring, or a name stands twice.
        """
        async for name, data in self._all(ALARMS.name):
            self.alarms[name] = msgspec.json.decode(data, type=Alarm)
        async for name, data in self._all(FOREIGN.name):
            self.foreign[name] = msgspec.json.decode(data, type=Origin)
            self.alarms[name] = self.foreign[name].alarm
        self.take_in(settled)
        seen: dict[str, dict[str, Seen]] = {}
        async for name, data in self._all(STATES.name):
            if name in self.alarms:
                kept = msgspec.json.decode(data, type=Kept)
                self.states[name], seen[name] = kept.state, kept.seen
        self._judge_anew(seen)

    def take_in(self, settled: Settled) -> None:
        """Take the alarms of the file in place of those that it had.

        Raises:
            Invalid: an alarm cannot ring, or a name stands twice; nothing has changed then.
        """
        made = {n: a for n, a in self.alarms.items() if n not in self.in_file}
        named = {check_alarm(a).name: a for a in settled.alarms}
        groups = {g.name: g for g in settled.groups}
        twice = made.keys() & named.keys() or (len(named) < len(settled.alarms))
        if twice:
            name = min(made.keys() & named.keys(), default="of the file")
            raise Invalid(
                f"alarm {name!r} stands twice, in the file or made at run time",
                remedy="Rename it in the file, or remove the other one.",
            )
        check_texts(settled.alarms, settled.groups)
        self.alarms, self.in_file = made | named, set(named)
        self.states = {n: s for n, s in self.states.items() if n in self.alarms}
        self.groups, self.rules = groups, settled.rules

    async def _all(self, collection: str) -> AsyncGenerator[tuple[str, bytes]]:
        cursor = ""
        while True:
            page = await self.records.find(collection, cursor=cursor, limit=1000)
            for record in page.records:
                yield record.key, record.data
            cursor = page.cursor
            if not cursor:
                return

    # ---- judging them

    def rebuild(self, fresh: Iterable[str]) -> list[Signal]:
        """A judge of the alarms as they are now; all but the fresh ones remember.

        Gives the expressions that are new and know no history yet.
        """
        old = {c.alarm for c in self.judge.channels} - set(fresh)
        seen = {n: self.judge.seen(n) for n in old if n in self.alarms}
        for name in fresh:
            # What it stands at is where its new limits begin from, so that it can return.
            seen[name] = dict.fromkeys(self._holding(name), Seen(raw=True, told=True))
        return self._judge_anew(seen)

    def await_samples(self, now_ns: int) -> None:
        """Know since when points that may become stale have been waited for."""
        silent = {k for k, s in self._signals.items() if not s.heard and self.judge.fresh(k)}
        keys = {stale_key(a) for a in self.alarms.values() if a.stale_s} & silent
        self._silent_since = {k: self._silent_since.get(k, now_ns) for k in keys}

    def tick(self, now_ns: int) -> tuple[list[Told], set[str]]:
        """What time alone has brought about; a point that never had a sample is stale too."""
        told, moved = self.judge.tick(now_ns)
        if not self._silent_since:
            return told, moved
        rows: dict[str, Rows] = {}
        self.await_samples(now_ns)
        for alarm in self.alarms.values():
            key = stale_key(alarm) if alarm.stale_s else ""
            if key not in self._silent_since:
                continue
            due_ns = self._silent_since[key] + int(alarm.stale_s * SECOND_NS)
            if due_ns <= now_ns:
                rows[key] = Rows(key, np.array([due_ns]), np.ones(1), np.zeros(1, np.uint32))
        more, others = self.judge.take([*rows.values()])
        return [*told, *more], moved | others

    def _holding(self, name: str) -> list[str]:
        """The limits and covers that hold, as the state has it."""
        state = self.state(name)
        limits = (state.limits or (state.limit,)) if state.condition else ()
        return [*limits, *(f"{SUPPRESS}{by}" for by in state.suppressors)]

    def orphans(self, now_ns: int) -> list[tuple[str, Gone | Suppressed]]:
        """What must end because nothing watches it any more: its limit or cover is gone."""
        found: list[tuple[str, Gone | Suppressed]] = []
        for name, state in self.states.items():
            watched = name in self.alarms and name not in self.foreign
            if not watched or not (state.condition or state.suppressors):
                continue
            there = self.judge.seen(name)
            limits = state.limits or (state.limit,)
            if state.condition and not any(limit in there for limit in limits):
                found.append((name, Gone(time_ns=now_ns)))
            found += [
                (name, Suppressed(time_ns=now_ns, on=False, by=by))
                for by in state.suppressors
                if by in ("state", "group") and f"{SUPPRESS}{by}" not in there
            ]
        return found

    def changed(self) -> bool:
        """Whether points came or changed that an expression needs."""
        if self.names.version == self._version:
            return False
        self._version = self.names.version
        if self.troubles:
            return True
        return not all(self._fits(s) for s in self._signals.values())

    def _judge_anew(self, seen: Mapping[str, Mapping[str, Seen]]) -> list[Signal]:
        self.changes += 1
        self._version = self.names.version
        self._late += self.judge.bank.late
        old, self._signals, self.troubles = self._signals, {}, {}
        fresh: list[Signal] = []
        for alarm in self.alarms.values():
            if alarm.name not in self.foreign and (why := blind(alarm, self.names)):
                self.troubles[alarm.name] = why
            for formula in formulas(alarm, self.groups):
                key = formula.key
                if key in self._signals:
                    continue
                if key in old and self._fits(old[key]):
                    self._signals[key] = old[key]
                    continue
                try:
                    expression = compiled(f"alarm {alarm.name!r}", formula, self.names)
                except Invalid as error:
                    self.troubles[alarm.name] = str(error)
                    continue
                self._signals[key] = Signal(key, expression, formula.wait_ns)
                fresh.append(self._signals[key])
        signals = Signals(self._signals)
        alarms = [*self.alarms.values()]
        texts = texts_among(alarms, self.names)
        self.judge = Judge(alarms, seen, signals=signals, groups=self.groups, texts=texts)
        self.members = {n: [] for n, g in self.groups.items() if g.first_out}
        for name, alarm in self.alarms.items():
            if alarm.group in self.members:
                self.members[alarm.group].append(name)
        return fresh

    def _fits(self, signal: Signal) -> bool:
        """Whether its points are still described as they were."""
        return all(self.names.find(p.path) == p for p in signal.expression.inputs)

    # ---- looking

    def stand(self, states: Mapping[str, State]) -> None:
        """Alarms stand anew."""
        if states:
            self.states |= states
            self.changes += 1

    def tag(self, who: Identity, scope: str) -> str:
        """The same as long as what `views` tells somebody is the same, in this process."""
        return f"{self._life}-{self.changes}-{hash((who, scope)):x}"

    def states_by_path(self) -> dict[str, list[State]]:
        """Where the alarms of each path stand."""
        found: dict[str, list[State]] = {}
        for name, state in self.states.items():
            if name in self.alarms:
                found.setdefault(self.alarms[name].point, []).append(state)
        return found

    def state(self, name: str) -> State:
        """Where the alarm stands."""
        return self.states.get(name) or State()

    def traits(self, alarm: Alarm) -> Traits:
        """How it lives, with the shortest of the limits of shelving."""
        traits = alarm.traits()
        if not self.rules.shelve_s_max:
            return traits
        most = self.rules.shelf_s(self.state(alarm.name).severity or alarm.severity())
        if most is None or most >= traits.shelve_s_max:
            return traits
        return msgspec.structs.replace(traits, shelve_s_max=most)

    def view(self, who: Identity, alarm: Alarm, firsts: Mapping[str, str] | None = None) -> View:
        """The alarm as somebody sees it; `firsts` saves looking for those of all groups."""
        state = self.state(alarm.name)
        first = ""
        if state.active and not state.first and alarm.group in self.members:
            first = (self.firsts(who) if firsts is None else firsts).get(alarm.group, "")
        return View(
            alarm=alarm,
            state=state,
            letter=letter(state),
            annunciation=annunciation(state),
            in_file=alarm.name in self.in_file,
            device=self.device(alarm.name),
            after=first,
        )

    def device(self, name: str) -> str:
        """The device that judges the alarm; empty when it is judged here."""
        origin = self.foreign.get(name)
        return origin.device if origin else ""

    def firsts(self, who: Identity) -> dict[str, str]:
        """Of each group with first-out the alarm that rang first, while it is open and seen."""
        return {
            group: name
            for group, names in self.members.items()
            for name in names
            if (s := self.state(name)).first and retain(s) and self.sees(who, self.alarms[name])
        }

    def count(self, who: Identity) -> int:
        """How many alarms exist for somebody."""
        return sum(self.sees(who, a) for a in self.alarms.values())

    def views(self, who: Identity, *, opened: bool = False) -> list[View]:
        """All alarms that the caller may see, most urgent first, what followed beneath.

        `opened`: those alone that somebody has to do with, which are not normal and enabled.
        """
        firsts = self.firsts(who)
        wanted = self._open() if opened else self.alarms.values()
        found = [self.view(who, a, firsts) for a in wanted if self.sees(who, a)]
        order = list(Annunciation)

        def place(view: View) -> tuple[int, int, int, str]:
            rank = order.index(view.annunciation) or len(order)
            return (rank, -view.state.severity, -view.state.active_ns, view.alarm.name)

        ranked = sorted(found, key=place)
        followers: dict[str, list[View]] = {}
        shown = {v.alarm.name for v in ranked}
        for view in ranked:
            if view.after in shown:
                followers.setdefault(view.after, []).append(view)
        if not followers:
            return ranked
        leading = [v for v in ranked if v.after not in shown]
        return [w for v in leading for w in (v, *followers.get(v.alarm.name, ()))]

    def _open(self) -> list[Alarm]:
        return [
            self.alarms[name]
            for name, state in self.states.items()
            if name in self.alarms and state.enabled and letter(state) is not Letter.NORMAL
        ]

    def sees(self, who: Identity, alarm: Alarm) -> bool:
        """Whether the alarm exists for somebody."""
        return self.authorizer.allows(who, Action.LOOK, alarm.point)

    def known(self, who: Identity, name: str) -> Alarm:
        """The alarm.

        Raises:
            Missing: there is none, or it is not for this identity to know.
        """
        alarm = self.alarms.get(name)
        if alarm is None or not self.sees(who, alarm):
            raise Missing(
                f"there is no alarm {name!r}", remedy="List them with GET /api/v1/alarms."
            )
        return alarm

    def check_configure(self, who: Identity, alarm: Alarm) -> None:
        """See that somebody may define alarms there.

        Raises:
            Denied: only look or answer.
        """
        if not self.authorizer.allows(who, Action.CONFIGURE, alarm.point):
            raise Denied(f"{who.name} may not define alarms of {alarm.point}")

    def page(self, name: str, state: State) -> Put:
        """What the records are to hold of an alarm's life."""
        kept = Kept(state=state, seen=self.judge.seen(name))
        return Put(collection=STATES.name, key=name, data=msgspec.json.encode(kept))
