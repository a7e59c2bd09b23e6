"""Alarms that machines judge themselves: they stand on the desk with ours.

Their state follows what the device says. An acknowledgement is told to the device first, and
counts once it has agreed; shelving, comments and service are ours alone.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from lineshaft.core.access import Identity
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import LineshaftError
from lineshaft.drivers import Condition
from lineshaft.operations.alarms.book import Refusal, View
from lineshaft.operations.alarms.desk import CHANGES_MAX, Desk
from lineshaft.operations.alarms.happenings import Acknowledged, AnyHappening, Enabled
from lineshaft.operations.alarms.origins import Origin, happenings, origin_of, over
from lineshaft.operations.alarms.state import State
from lineshaft.operations.alarms.transitions import after
from lineshaft.web.metrics import Metric

log = logging.getLogger(__name__)

FOREIGN_MAX = 10_000
"""Foreign alarms that are known; those beyond are lost, counted."""
COMMENT = "Lineshaft"
"""What a device is told when somebody acknowledges without a comment."""


class Machines(Protocol):
    """The devices that have alarms of their own; gather fills it."""

    async def acknowledge(self, name: str, condition: Condition, comment: str) -> None:
        """Tell a device that somebody has seen its alarm.

        Raises:
            Refused: there is no such device, or it says no.
            LinkLost: it is not connected, or does not answer.
        """


class Foreign:
    """The foreign alarms of a desk, and the way back to their devices."""

    def __init__(
        self, desk: Desk, machines: Machines, *, clock: Callable[[], int] = now_ns
    ) -> None:
        self._desk, self._machines, self._clock = desk, machines, clock
        self._answering: set[str] = set()
        self.lost = 0
        """Alarms of devices for which there was no room."""

    # ---- what devices say

    async def told(
        self,
        device: str,
        at: str,
        found: Sequence[Condition],
        listed: frozenset[str] | None = None,
    ) -> None:
        """Have the alarms of a device be as it says; returns once that is kept.

        `listed` holds the identifiers of all that it still lists; the others are over.
        """
        async with self._desk.turn:
            for start in range(0, len(found), CHANGES_MAX):
                part = [origin_of(device, at, c) for c in found[start : start + CHANGES_MAX]]
                await self._follow(self._with_room(part, listed))
            if listed is not None:
                now, known = self._clock(), self._desk.book.foreign.values()
                mine = [o for o in known if o.device == device and o.condition.retain]
                gone = [over(o, now) for o in mine if o.condition.id not in listed]
                for start in range(0, len(gone), CHANGES_MAX):
                    await self._follow(gone[start : start + CHANGES_MAX])

    def _with_room(self, origins: Sequence[Origin], listed: frozenset[str] | None) -> list[Origin]:
        book = self._desk.book
        kept: list[Origin] = []
        fresh: dict[str, Origin] = {}
        room = FOREIGN_MAX - len(book.foreign)
        for told in origins:
            origin = self._apart(told, fresh, listed)
            name = origin.alarm.name
            if name not in book.foreign and name not in fresh:
                if room <= 0 or name in book.alarms:
                    self.lost += 1
                    continue
                room -= 1
            fresh[name] = origin
            kept.append(origin)
        return kept

    def _apart(
        self, origin: Origin, fresh: Mapping[str, Origin], listed: frozenset[str] | None
    ) -> Origin:
        """The origin, under a name of its own where another condition has its name.

        A condition keeps the name that it once had. After a connect, one that is not known takes
        over the name of one that is not listed: a device may count anew when it starts.
        """
        known = self._desk.book.foreign
        apart = origin.apart()
        name, other_name = origin.alarm.name, apart.alarm.name
        if other_name in fresh or other_name in known:
            return apart
        holder = fresh.get(name) or known.get(name)
        if holder is None or holder.is_same(origin):
            return origin
        is_gone = listed is not None and holder.device == origin.device
        if is_gone and name not in fresh and holder.condition.id not in (listed or ()):
            return origin
        return apart

    async def _follow(self, origins: Sequence[Origin]) -> None:
        desk, book = self._desk, self._desk.book
        newest = {o.alarm.name: o for o in origins}
        await desk.commit([o.page() for o in newest.values()])
        book.foreign |= newest
        book.alarms |= {n: o.alarm for n, o in newest.items()}
        book.changes += 1
        states: dict[str, State] = {}
        told: list[tuple[str, AnyHappening]] = []
        for origin in origins:
            name = origin.alarm.name
            state = states.get(name) or book.state(name)
            for what in happenings(state, origin, is_being_answered=name in self._answering):
                told.append((name, what))
                done = after(state, what, origin.alarm.traits())
                state = done if isinstance(done, State) else state
            states[name] = state
        await desk.keep((), set(), told)

    # ---- what people do

    async def answer(
        self, who: Identity, name: str, what: AnyHappening, *, comment: str = "", permit: str = ""
    ) -> View:
        """As `Desk.answer`; a foreign alarm is acknowledged by its device first.

        Raises:
            Refused: the device does not agree.
            LinkLost: it is not there.
        """
        async with self._agreed(who, name, what, comment):
            done = await self._desk.answer(who, name, what, comment=comment, permit=permit)
        origin = self._desk.book.foreign.get(name)
        if origin is None or not isinstance(what, Enabled):
            return done
        async with self._desk.turn:  # what the device said while we did not listen
            await self._follow([origin])
        return self._desk.view(who, name)

    async def acknowledge(
        self, who: Identity, event_ids: Mapping[str, str], *, comment: str = ""
    ) -> list[Refusal]:
        """As `Desk.acknowledge`; foreign alarms one by one, each by its device first.

        Raises:
            Unavailable: it cannot be kept now.
        """
        theirs = {n: e for n, e in event_ids.items() if n in self._desk.book.foreign}
        ours = {n: e for n, e in event_ids.items() if n not in theirs}
        refused = await self._desk.acknowledge(who, ours, comment=comment)
        for name, event_id in theirs.items():
            what = Acknowledged(time_ns=self._clock(), event_id=event_id, by=who.name)
            try:
                await self.answer(who, name, what, comment=comment)
            except LineshaftError as error:
                refused.append(Refusal(alarm=name, why=str(error)))
        return refused

    @asynccontextmanager
    async def _agreed(
        self, who: Identity, name: str, what: AnyHappening, comment: str
    ) -> AsyncGenerator[None]:
        """The time in which a deed is done to an alarm, once its device agrees, if it has one."""
        book = self._desk.book
        origin = book.foreign.get(name)
        if origin is None or not isinstance(what, Acknowledged) or name in self._answering:
            yield
            return
        self._desk.check_operator(who, name, comment)
        if not isinstance(after(book.state(name), what, origin.alarm.traits()), State):
            yield  # it is refused, and on record
            return
        self._answering.add(name)
        try:
            await self._machines.acknowledge(origin.device, origin.condition, comment or COMMENT)
            yield
        except LineshaftError:
            self._answering.discard(name)
            async with self._desk.turn:  # what the device said meanwhile
                await self._follow([book.foreign.get(name, origin)])
            raise
        finally:
            self._answering.discard(name)

    # ---- looking

    def problems(self) -> list[str]:
        """What is wrong now."""
        if not self.lost:
            return []
        return [f"alarms of devices: {self.lost} were lost, as {FOREIGN_MAX} are known already"]

    def metrics(self) -> list[Metric]:
        """Figures for monitoring."""
        known = float(len(self._desk.book.foreign))
        return [
            Metric("foreign_alarms", "gauge", "Alarms that devices tell of.", (({}, known),)),
            Metric(
                "foreign_alarms_lost_total",
                "counter",
                "Alarms of devices for which there was no room.",
                (({}, float(self.lost)),),
            ),
        ]
