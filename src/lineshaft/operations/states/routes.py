"""States over HTTP: now, timelines, stops, reasons; explain, correct, merge, take back."""

from typing import Annotated

import msgspec

from lineshaft.core.access import Action, Identity
from lineshaft.core.errors import Invalid
from lineshaft.operations.states.board import View
from lineshaft.operations.states.notes import Note
from lineshaft.operations.states.part import States
from lineshaft.operations.states.settings import Reason
from lineshaft.operations.states.stops import Stop, stops_of
from lineshaft.operations.states.view import Columns, Said, columns, said
from lineshaft.web import get, post, times

Time = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
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


@get("/states", action=Action.LOOK, tags=["states"], summary="States of all work units now")
async def list_states(states: States, who: Identity) -> StateList:
    """State, since when, reason, and how many stops of the last 24 hours nobody has explained."""
    seen = states.deeds.all_seen(who)
    return StateList([await states.board.view(k.path) for k in seen])


@get(
    "/states/timeline",
    action=Action.LOOK,
    tags=["states"],
    summary="What a work unit did in a span",
)
async def state_timeline(
    states: States, who: Identity, unit: str, start: str = "-8h", stop: str = "now"
) -> Columns:
    """Stretches without gaps, as columns, with what people corrected and explained."""
    states.deeds.seen(who, unit)
    line = await states.intervals.timeline(unit, *_span(start, stop))
    if len(line.start_ns) > STRETCHES_MAX:
        raise Invalid(
            f"{unit} has {len(line.start_ns)} stretches in the span, wanted at most"
            f" {STRETCHES_MAX}",
            remedy="Take a shorter span.",
        )
    return columns(line)


@get("/states/stops", action=Action.LOOK, tags=["states"], summary="When a work unit stood still")
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
    states.deeds.seen(who, unit)
    whole = await states.intervals.whole(unit, *_span(start, stop))
    found = stops_of(whole, states.calendars)
    return StopList(unit, [s for s in found if s.unexplained or not unexplained])


@get("/states/reasons", action=Action.LOOK, tags=["states"], summary="Reasons for standing still")
async def state_reasons(states: States, who: Identity, unit: str = "") -> ReasonList:
    """The reason tree; with `unit` what is offered for it."""
    if unit:
        states.deeds.seen(who, unit)
        return ReasonList(states.units.offered(unit))
    return ReasonList(list(states.units.reasons.values()))


@get(
    "/states/corrections", action=Action.LOOK, tags=["states"], summary="What people said of states"
)
async def state_corrections(
    states: States, who: Identity, unit: str, start: str = "-24h", stop: str = "now"
) -> SaidList:
    """Every explanation and correction that touches a span, those taken back too, newest first."""
    states.deeds.seen(who, unit)
    return SaidList(said(await states.intervals.whole(unit, *_span(start, stop))))


@post(
    "/states/reason",
    action=Action.WRITE,
    tags=["states"],
    summary="Explain a stop",
    status_code=200,
)
async def explain_stop(data: Explanation, states: States, who: Identity) -> NoteList:
    """Give a stop, or a part of it, a reason; the note says how to take it back."""
    made = await states.deeds.explain(
        who,
        data.unit,
        data.start_ns,
        stop_ns=data.stop_ns,
        reason=data.code,
        comment=data.comment,
    )
    return NoteList(made)


@post(
    "/states/correct",
    action=Action.WRITE,
    tags=["states"],
    summary="Correct a state",
    status_code=200,
)
async def correct_state(data: Correction, states: States, who: Identity) -> NoteList:
    """Say that the unit was in another state in a span."""
    made = await states.deeds.correct(
        who, data.unit, data.start_ns, data.stop_ns, state=data.state, comment=data.comment
    )
    return NoteList(made)


@post(
    "/states/merge",
    action=Action.WRITE,
    tags=["states"],
    summary="Make one stop of several",
    status_code=200,
)
async def merge_stops(data: Merger, states: States, who: Identity) -> NoteList:
    """All from one stop to another becomes one stop with one reason."""
    made = await states.deeds.merge(
        who, data.unit, data.start_ns, data.stop_ns, reason=data.code, comment=data.comment
    )
    return NoteList(made)


@post(
    "/states/withdraw",
    action=Action.WRITE,
    tags=["states"],
    summary="Take back what was said",
    status_code=200,
)
async def withdraw_note(data: Withdrawal, states: States, who: Identity) -> NoteList:
    """What was said no longer counts; that it was said stays on record."""
    return NoteList(await states.deeds.withdraw(who, data.id, comment=data.comment))


def _span(start: str, stop: str) -> tuple[int, int]:
    start_ns, stop_ns = times.span_ns(start, stop)
    if stop_ns - start_ns > SPAN_NS_MAX:
        raise Invalid(
            f"from {start!r} to {stop!r} are more than 400 days", remedy="Take a shorter span."
        )
    return start_ns, stop_ns


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
