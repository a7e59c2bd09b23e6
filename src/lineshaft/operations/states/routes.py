"""States over HTTP: now, timelines, stops, reasons; explain, correct, merge, take back."""

import functools
from typing import Annotated

import msgspec

from lineshaft.core.access import Action, Identity
from lineshaft.core.batch import TIME_MAX_NS
from lineshaft.core.errors import Invalid
from lineshaft.operations.states.board import View
from lineshaft.operations.states.intervals import Whole, cut
from lineshaft.operations.states.notes import Note
from lineshaft.operations.states.part import States
from lineshaft.operations.states.settings import Reason
from lineshaft.operations.states.stops import Stop, stops_of
from lineshaft.operations.states.view import Columns, Said, columns, said
from lineshaft.web import get, post, times

Time = Annotated[int, msgspec.Meta(ge=-TIME_MAX_NS, le=TIME_MAX_NS)]
"""Nanoseconds since 1970, between the years 1824 and 2116."""
SPAN_NS_MAX = 400 * 86_400 * 1_000_000_000
"""Longest span of one answer."""
STRETCHES_MAX = 200_000
"""Stretches in one answer."""


class StateList(msgspec.Struct, frozen=True):
    """Work units with their states now, in the order of the settings."""

    items: list[View]


class StopList(msgspec.Struct, frozen=True):
    """Stops and their parts, oldest first."""

    unit: str
    items: list[Stop]


class ReasonList(msgspec.Struct, frozen=True):
    """Reasons in the order of the settings; `parent` makes them a tree."""

    items: list[Reason]


class NoteList(msgspec.Struct, frozen=True):
    """Notes."""

    items: list[Note]


class SaidList(msgspec.Struct, frozen=True):
    """What people said, newest first."""

    items: list[Said]


class Explanation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a unit stood still."""

    unit: str
    start_ns: Time
    """A moment of the stop, such as its start; with `stop_ns`, where the part begins."""
    stop_ns: Time | None = None
    """Where the part ends that alone is explained; left out, it is the whole stop."""
    code: str
    """Code of the reason."""
    comment: str = ""


class Correction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which state a unit was in, other than the machine said."""

    unit: str
    start_ns: Time
    stop_ns: Time
    state: str
    """Name of the state."""
    comment: str = ""


class Merger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two stops, with all between, that are one."""

    unit: str
    start_ns: Time
    """A moment of the first stop."""
    stop_ns: Time
    """A moment of the last stop."""
    code: str
    """Code of the reason."""
    comment: str = ""


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is taken back."""

    id: str
    """Identifier of the note."""
    comment: str = ""


look = functools.partial(get, action=Action.LOOK, tags=["states"])
deed = functools.partial(post, action=Action.WRITE, tags=["states"], status_code=200)


@look("/states", summary="States of all work units now")
async def list_states(states: States, who: Identity) -> StateList:
    """State, since when, reason, and how many stops of the last 24 hours nobody has explained."""
    seen = states.deeds.all_seen(who)
    return StateList([await states.board.view(k.path) for k in seen])


@look("/states/timeline", summary="What a work unit did in a span")
async def state_timeline(
    states: States, who: Identity, unit: str, start: str = "-8h", stop: str = "now"
) -> Columns:
    """Stretches without gaps, as columns, with what people corrected and explained."""
    line = cut(await _seen(states, who, unit, start, stop))
    if len(line.start_ns) > STRETCHES_MAX:
        raise Invalid(
            f"{unit} has {len(line.start_ns)} stretches in the span, wanted at most"
            f" {STRETCHES_MAX}",
            remedy="Take a shorter span.",
        )
    return columns(line)


@look("/states/stops", summary="When a work unit stood still")
async def state_stops(
    states: States,
    who: Identity,
    unit: str,
    start: str = "-24h",
    stop: str = "now",
    *,
    unexplained: bool = False,
) -> StopList:
    """Stops and their parts in a span, oldest first, micro-stops too."""
    found = stops_of(await _seen(states, who, unit, start, stop), states.calendars)
    return StopList(unit, [s for s in found if s.unexplained or not unexplained])


@look("/states/reasons", summary="Reasons for standing still")
async def state_reasons(states: States, who: Identity, unit: str = "") -> ReasonList:
    """The reason tree; with `unit` what is offered for it."""
    if unit:
        states.deeds.seen(who, unit)
        return ReasonList(states.units.offered(unit))
    return ReasonList(list(states.units.reasons.values()))


@look("/states/corrections", summary="What people said of states")
async def state_corrections(
    states: States, who: Identity, unit: str, start: str = "-24h", stop: str = "now"
) -> SaidList:
    """Every explanation and correction that touches a span, those taken back too, newest first."""
    return SaidList(said(await _seen(states, who, unit, start, stop)))


@deed("/states/reason", summary="Explain a stop")
async def explain_stop(data: Explanation, states: States, who: Identity) -> NoteList:
    """Give a stop, or a part of it, a reason; the note says how to take it back."""
    return NoteList(
        await states.deeds.explain(
            who,
            data.unit,
            data.start_ns,
            stop_ns=data.stop_ns,
            reason=data.code,
            comment=data.comment,
        )
    )


@deed("/states/correct", summary="Correct a state")
async def correct_state(data: Correction, states: States, who: Identity) -> NoteList:
    """Say that the unit was in another state in a span."""
    return NoteList(
        await states.deeds.correct(
            who, data.unit, data.start_ns, data.stop_ns, state=data.state, comment=data.comment
        )
    )


@deed("/states/merge", summary="Make one stop of several")
async def merge_stops(data: Merger, states: States, who: Identity) -> NoteList:
    """All from one stop to another becomes one stop with one reason."""
    return NoteList(
        await states.deeds.merge(
            who, data.unit, data.start_ns, data.stop_ns, reason=data.code, comment=data.comment
        )
    )


@deed("/states/withdraw", summary="Take back what was said")
async def withdraw_note(data: Withdrawal, states: States, who: Identity) -> NoteList:
    """What was said no longer counts; that it was said stays on record."""
    return NoteList(await states.deeds.withdraw(who, data.id, comment=data.comment))


async def _seen(states: States, who: Identity, unit: str, start: str, stop: str) -> Whole:
    """What a unit that the caller may see did in a span.

    Raises:
        Missing: there is no such unit for this identity.
        Invalid: the span is longer than one answer may be.
    """
    states.deeds.seen(who, unit)
    start_ns, stop_ns = times.span_ns(start, stop)
    if stop_ns - start_ns > SPAN_NS_MAX:
        raise Invalid(
            f"from {start!r} to {stop!r} are more than 400 days", remedy="Take a shorter span."
        )
    return await states.intervals.whole(unit, start_ns, stop_ns)


handlers = [
    list_states,
    state_timeline,
    state_stops,
    state_reasons,
    state_corrections,
    explain_stop,
    correct_state,
    merge_stops,
    withdraw_note,
]
