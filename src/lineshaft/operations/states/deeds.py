"""What people do about states: explain a stop, correct a state, merge stops, take it back.

Each deed is kept with its event in one transaction before anybody is told.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.clock import NS_PER_MS, NS_PER_S, now_ns, to_iso, uuid7
from lineshaft.core.errors import Denied, Invalid, LineshaftError, Missing, Stale
from lineshaft.core.event import Event
from lineshaft.operations.states import notes as kept
from lineshaft.operations.states.intervals import FAR_NS, Intervals, Whole
from lineshaft.operations.states.naming import number_of, stands
from lineshaft.operations.states.notes import Note, What
from lineshaft.operations.states.stretches import Stretches, joined
from lineshaft.operations.states.timeline import UNKNOWN
from lineshaft.operations.states.units import DAY_NS, Known, Units
from lineshaft.records import And, Append, Compare, Records
from lineshaft.spines import Spine

log = logging.getLogger(__name__)

NEAR_NS = NS_PER_MS
"""A time so near to a bound is that bound: screens count in less than nanoseconds."""
COMMENT_CHARS_MAX = 2000
TOLD_MAX = 20
"""Names of former states that a note tells."""


class Deeds:
    """Whoever may do something about states does it here."""

    def __init__(  # noqa: PLR0913 - each is a neighbour
        self,
        units: Units,
        intervals: Intervals,
        records: Records,
        spine: Spine,
        authorizer: Authorizer,
        told: Callable[[str], None] = lambda _: None,
        *,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._units, self._intervals = units, intervals
        self._records, self._spine, self._authorizer = records, spine, authorizer
        self._told, self._clock = told, clock
        self._turn = asyncio.Lock()

    def seen(self, who: Identity, path: str) -> Known:
        """A work unit that the identity may see.

        Raises:
            Missing: there is none, or it is not for this identity to know.
        """
        known = self._units.find(path) if self._sees(who, path) else None
        if known is None:
            raise Missing(
                f"there is no work unit {path!r}", remedy="List them with GET /api/v1/states."
            )
        return known

    def all_seen(self, who: Identity) -> list[Known]:
        """The work units that the identity may see, in the order of the settings."""
        return [k for k in self._units if self._sees(who, k.path)]

    def _sees(self, who: Identity, path: str) -> bool:
        return self._authorizer.allows(who, Action.LOOK, path)

    # ---- deeds

    async def explain(
        self,
        who: Identity,
        path: str,
        start_ns: int,
        *,
        stop_ns: int | None = None,
        reason: str,
        comment: str = "",
    ) -> list[Note]:
        """Give the stop that holds `start_ns` a reason; with `stop_ns` only the part up to there.

        Raises:
            Missing: there is no such unit for this identity.
            Denied: the identity may not explain stops there.
            Invalid: it did not stand still then, or the reason is not offered for it.
            Unavailable: it cannot be kept now.
        """
        known = self._may(who, Action.WRITE, path, comment)
        self._check_reason(known, reason)
        async with self._turn:
            stop = start_ns + NEAR_NS if stop_ns is None else stop_ns
            _check_length(known, start_ns, stop)
            whole = await self._intervals.whole(path, start_ns, max(stop, start_ns + NEAR_NS) + 1)
            note = _explained(whole, start_ns, stop_ns)
            note = self._signed(note, who, comment, reason=reason)
            await self._keep([note], who, "state.explained")
        return [note]

    async def correct(
        self,
        who: Identity,
        path: str,
        start_ns: int,
        stop_ns: int,
        *,
        state: str,
        comment: str = "",
    ) -> list[Note]:
        """Say that the unit was in another state in a span.

        Raises:
            Missing, Denied, Unavailable: as for `explain`.
            Invalid: there is no such state, or the span is empty or not yet over.
        """
        known = self._may(who, Action.WRITE, path, comment)
        number_of(known.states, state)
        self._check_span(known, who, start_ns, stop_ns)
        _check_length(known, start_ns, stop_ns)
        async with self._turn:
            whole = await self._intervals.whole(path, start_ns, stop_ns)
            note = self._signed(_corrected(whole, start_ns, stop_ns), who, comment, state=state)
            await self._keep([note], who, "state.corrected")
        return [note]

    async def merge(
        self,
        who: Identity,
        path: str,
        start_ns: int,
        stop_ns: int,
        *,
        reason: str,
        comment: str = "",
    ) -> list[Note]:
        """Make one stop, with one reason, of all from the stop that holds `start_ns` to the other.

        It has the state of the first one.

        Raises:
            Missing, Denied, Unavailable: as for `explain`.
            Invalid: there is no stop at one of the times, or the reason is not offered.
        """
        known = self._may(who, Action.WRITE, path, comment)
        self._check_reason(known, reason)
        _check_length(known, start_ns, stop_ns)
        async with self._turn:
            whole = await self._intervals.whole(path, start_ns, stop_ns + 1)
            stops = joined(whole.laid.line, by_reason=False)
            first, last = _stop_at(whole, stops, start_ns), _stop_at(whole, stops, stop_ns)
            if last <= first:
                raise Invalid(
                    f"{path}: both times are in one stop", remedy="Name two stops, in order."
                )
            span = int(stops.start_ns[first]), int(stops.ends_ns[last])
            self._check_span(known, who, *span)
            group = uuid7()
            state = known.states[stops.state[first]].name
            corrected = self._signed(_corrected(whole, *span), who, comment, state=state)
            explained = msgspec.structs.replace(
                corrected, id=uuid7(), what=What.REASON, state="", reason=reason, before=""
            )
            made = [msgspec.structs.replace(n, group=group) for n in (corrected, explained)]
            await self._keep(made, who, "state.merged")
        return made

    async def withdraw(self, who: Identity, note_id: str, *, comment: str = "") -> list[Note]:
        """Take back what was said, with all that was said in one go with it.

        Raises:
            Missing: there is no such note for this identity.
            Denied: the identity may not.
            Stale: it is taken back already.
        """
        async with self._turn:
            note = await self._note(who, note_id)
            known = self._may(who, Action.WRITE, note.unit, comment)
            if note.withdrawn_by:
                raise Stale(f"{note.withdrawn_by} has taken it back already")
            made = await self._together(note)
            if any(n.what is What.STATE for n in made):
                self._check_span(known, who, note.start_ns, note.stop_ns)
            now = self._clock()
            gone = [
                msgspec.structs.replace(n, withdrawn_by=who.name, withdrawn_ns=now) for n in made
            ]
            await self._keep(gone, who, "state.withdrawn", comment)
        return gone

    async def _note(self, who: Identity, note_id: str) -> Note:
        record = await self._records.get(kept.COLLECTION.name, note_id)
        note = None if record is None else msgspec.json.decode(record.data, type=Note)
        if note is None or not self._sees(who, note.unit):
            raise Missing(
                f"there is no note {note_id!r}",
                remedy="List them with GET /api/v1/states/corrections.",
            )
        return note

    async def _together(self, note: Note) -> list[Note]:
        if not note.group:
            return [note]
        where = And((Compare("unit", "=", note.unit), Compare("start_ns", "=", note.start_ns)))
        page = await self._records.find(kept.COLLECTION.name, where, limit=1000)
        found = [msgspec.json.decode(r.data, type=Note) for r in page.records]
        return [n for n in found if n.group == note.group]

    # ---- what must be so

    def _may(self, who: Identity, action: Action, path: str, comment: str) -> Known:
        known = self.seen(who, path)
        if not self._authorizer.allows(who, action, path):
            raise Denied(f"{who.name} may not explain or correct states of {path}")
        if len(comment) > COMMENT_CHARS_MAX:
            raise Invalid(
                f"the comment has {len(comment)} characters, wanted at most {COMMENT_CHARS_MAX}"
            )
        return known

    def _check_reason(self, known: Known, reason: str) -> None:
        offered = [r.code for r in self._units.offered(known.path)]
        if reason not in offered:
            raise Invalid(
                f"reason {reason!r} is not offered for {known.path}",
                remedy="List them with GET /api/v1/states/reasons.",
            )

    def _check_span(self, known: Known, who: Identity, start_ns: int, stop_ns: int) -> None:
        now = self._clock()
        if not start_ns < stop_ns <= now + NEAR_NS:
            raise Invalid(
                f"{known.path}: the span from {to_iso(start_ns)} to {to_iso(stop_ns)} is empty, or"
                " not yet over",
                remedy="Give a start before the stop, and a stop that is past.",
            )
        oldest = now - round(known.unit.correct_h * 3600 * NS_PER_S)
        if start_ns < oldest and not self._authorizer.allows(who, Action.CONFIGURE, known.path):
            raise Denied(
                f"{who.name} may correct states of the last {known.unit.correct_h:g} h of"
                f" {known.path}, not from {to_iso(start_ns)}",
                remedy="Ask an engineer, or change `correct_h` of the work unit.",
            )

    # ---- writing down

    def _signed(self, note: Note, who: Identity, comment: str, **what: str) -> Note:
        now = self._clock()
        return msgspec.structs.replace(note, by=who.name, time_ns=now, comment=comment, **what)

    async def _keep(
        self, made: Sequence[Note], who: Identity, kind: str, comment: str = ""
    ) -> None:
        data: dict[str, object] = {"notes": [_told(n) for n in made]}
        if comment:
            data["comment"] = comment
        event = Event(
            kind=kind, path=made[0].unit, actor=who.name, time_ns=self._clock(), data=data
        )
        await self._records.commit(*(kept.put(n) for n in made), Append(event=event))
        self._told(made[0].unit)
        try:
            await self._spine.announce(event)
        except LineshaftError as error:
            log.warning("event not announced", extra={"kind": kind, "cause": str(error)})


def _check_length(known: Known, start_ns: int, stop_ns: int) -> None:
    """A note is looked at, whole, with every part of its span: so it has an end."""
    if stop_ns - start_ns > FAR_NS:
        days = (stop_ns - start_ns) // DAY_NS
        raise Invalid(
            f"{known.path}: the span has {days} days, wanted at most {FAR_NS // DAY_NS}",
            remedy="Say it in shorter spans.",
        )


def _told(note: Note) -> dict[str, object]:
    """A note as its event tells it: what counted before, and what counts now."""
    return {
        "id": note.id,
        "what": note.what.value,
        "start": to_iso(note.start_ns),
        "stop": to_iso(note.stop_ns),
        "before": note.before,
        "after": note.state or note.reason,
        "comment": note.comment,
    }


def _at(line: Stretches, time_ns: int) -> int:
    return max(int(np.searchsorted(line.start_ns, time_ns + NEAR_NS, side="right")) - 1, 0)


def _stop_at(whole: Whole, line: Stretches, time_ns: int) -> int:
    """The place of the stretch that holds the time.

    Raises:
        Invalid: the unit does not stand still then, or it is not known.
    """
    place, states = _at(line, time_ns), whole.known.states
    state = int(line.state[place])
    inside = line.start_ns[0] - NEAR_NS <= time_ns <= line.stop_ns
    if not inside or state == UNKNOWN or not stands(states[state]):
        name = "in no known state" if state == UNKNOWN else repr(states[state].name)
        raise Invalid(
            f"{whole.known.path} did not stand still at {to_iso(time_ns)}: it was {name}",
            remedy="List the stops with GET /api/v1/states/stops.",
        )
    return place


def _explained(whole: Whole, start_ns: int, stop_ns: int | None) -> Note:
    """The span of a reason, not signed yet."""
    line = whole.laid.line
    stops = joined(line, by_reason=False)
    i, k = _stop_at(whole, line, start_ns), _stop_at(whole, stops, start_ns)
    stop = int(stops.start_ns[k]), int(stops.ends_ns[k])
    start, end = int(line.start_ns[i]), int(line.ends_ns[i])
    if stop_ns is not None:
        start = start if start_ns <= start + NEAR_NS else start_ns
        end = stop[1] if abs(stop_ns - stop[1]) <= NEAR_NS else stop_ns
        if not start < end <= stop[1]:
            raise Invalid(
                f"{whole.known.path}: {to_iso(stop_ns)} is not within the stop that lasts from"
                f" {to_iso(stop[0])} to {to_iso(stop[1])}",
                remedy="Give a stop_ns within it, or leave it out.",
            )
    return Note(
        unit=whole.known.path,
        what=What.REASON,
        start_ns=start,
        stop_ns=end,
        cut_start=start > stop[0],
        cut_stop=end < stop[1],
        by="",
        time_ns=0,
        before=whole.laid.reasons[line.reason[i]],
    )


def _corrected(whole: Whole, start_ns: int, stop_ns: int) -> Note:
    """The span of a state, not signed yet; bounds of stretches near it are its bounds."""
    line, states = whole.laid.line, whole.known.states
    start, stop = _nearest(line, start_ns), _nearest(line, stop_ns)
    first, last = _at(line, start), int(np.searchsorted(line.start_ns, stop, side="left"))
    numbers = line.state[first : max(last, first + 1)].tolist()
    names = ["unknown" if n == UNKNOWN else states[n].name for n in numbers]
    before = [n for n, older in zip(names, ["", *names], strict=False) if n != older]
    return Note(
        unit=whole.known.path,
        what=What.STATE,
        start_ns=start,
        stop_ns=stop,
        by="",
        time_ns=0,
        before=", ".join(before[:TOLD_MAX]),
    )


def _nearest(line: Stretches, time_ns: int) -> int:
    bounds = np.append(line.start_ns, line.stop_ns)
    nearest = int(bounds[np.argmin(np.abs(bounds - time_ns))])
    return nearest if abs(nearest - time_ns) <= NEAR_NS else time_ns
