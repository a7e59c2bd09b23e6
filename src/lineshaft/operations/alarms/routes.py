"""Alarms over HTTP: list, answer, define, try on history, journal, figures."""

import asyncio
import enum
from typing import Annotated

import msgspec
from litestar import Response
from litestar.params import QueryParameter

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Invalid
from lineshaft.operations.alarms import happenings as h
from lineshaft.operations.alarms.book import View
from lineshaft.operations.alarms.desk import Desk, Refusal
from lineshaft.operations.alarms.foreign import Foreign
from lineshaft.operations.alarms.preview import Preview, preview
from lineshaft.operations.alarms.rationalisation import Rationale, as_csv, rationale
from lineshaft.operations.alarms.report import Report, entries, report
from lineshaft.operations.alarms.settings import Alarm
from lineshaft.records import Logged, Records
from lineshaft.stores import Store
from lineshaft.web import delete, get, post, put, times

ACKNOWLEDGED_MAX = 10_000
"""Alarms that one request may acknowledge."""


class Acknowledge(msgspec.Struct, frozen=True, tag_field="do", tag="acknowledge"):
    """Somebody has seen it; `event_id` is that of the view."""

    event_id: str


class Confirm(msgspec.Struct, frozen=True, tag_field="do", tag="confirm"):
    """Something was done about it."""

    event_id: str


class Shelve(msgspec.Struct, frozen=True, tag_field="do", tag="shelve"):
    """Put it away: for some seconds, or with 0 until it returns to normal."""

    seconds: float = 0.0


class Unshelve(msgspec.Struct, frozen=True, tag_field="do", tag="unshelve"):
    """Take it off the shelf."""


class Suppress(msgspec.Struct, frozen=True, tag_field="do", tag="suppress"):
    """Say that it means nothing now, or with `on` false, that it does again."""

    on: bool = True
    permit: str = ""
    """Number of the permit; without one it counts as unauthorised in the figures."""


class OutOfService(msgspec.Struct, frozen=True, tag_field="do", tag="out-of-service"):
    """Take it out for maintenance, under a permit."""

    permit: str


class InService(msgspec.Struct, frozen=True, tag_field="do", tag="in-service"):
    """Give it back."""


class Enable(msgspec.Struct, frozen=True, tag_field="do", tag="enable"):
    """Evaluate it again."""

    permit: str = ""


class Disable(msgspec.Struct, frozen=True, tag_field="do", tag="disable"):
    """Do not evaluate it at all."""

    permit: str = ""
    """Number of the permit; without one it counts as unauthorised in the figures."""


class LetGo(msgspec.Struct, frozen=True, tag_field="do", tag="reset"):
    """Let go of the latch."""


class Silence(msgspec.Struct, frozen=True, tag_field="do", tag="silence"):
    """Switch the sound off."""


class Comment(msgspec.Struct, frozen=True, tag_field="do", tag="comment"):
    """Add a remark and nothing else."""


Deed = (
    Acknowledge
    | Confirm
    | Shelve
    | Unshelve
    | Suppress
    | OutOfService
    | InService
    | Enable
    | Disable
    | LetGo
    | Silence
    | Comment
)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody does to an alarm."""

    alarm: str
    deed: Deed
    comment: str = ""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Many alarms that somebody has seen."""

    event_ids: dict[str, str]
    """By name of the alarm; those of the views."""
    comment: str = ""


class Refused(msgspec.Struct, frozen=True):
    """Those of many that could not be acknowledged."""

    refused: list[Refusal]


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm that is to be tried on history."""

    alarm: Alarm
    start: str = "-7d"
    """RFC 3339, or relative to now."""
    stop: str = "now"


class Scope(enum.Enum):
    """Which alarms are listed."""

    ALL = "all"
    OPEN = "open"
    """Those that somebody has to do with: not normal, and enabled."""


class AlarmList(msgspec.Struct, frozen=True):
    """Alarms, most urgent first."""

    items: list[View]
    total: int
    """How many there are, the normal ones too."""


class Journal(msgspec.Struct, frozen=True):
    """Entries of the journal, newest first."""

    items: list[Logged]


_PLAIN: dict[type, type[h.AnyHappening]] = {
    Unshelve: h.Unshelved,
    InService: h.PlacedInService,
    Enable: h.Enabled,
    Disable: h.Disabled,
    LetGo: h.Reset,
    Silence: h.Silenced,
    Comment: h.Commented,
}
"""Deeds that say nothing but when."""


def happening(deed: Deed, who: Identity) -> h.AnyHappening:
    """What a deed is to an alarm."""
    now = now_ns()
    match deed:
        case Acknowledge(event_id=event_id):
            return h.Acknowledged(time_ns=now, event_id=event_id, by=who.name)
        case Confirm(event_id=event_id):
            return h.Confirmed(time_ns=now, event_id=event_id)
        case Shelve(seconds=s):
            return h.TimedShelved(time_ns=now, seconds=s) if s else h.OneShotShelved(time_ns=now)
        case Suppress(on=on):
            return h.Suppressed(time_ns=now, on=on)
        case OutOfService(permit=permit):
            return h.RemovedFromService(time_ns=now, permit=permit)
        case _:
            return _PLAIN[type(deed)](time_ns=now)  # type: ignore[call-arg]


_ENGINEERS = (Suppress, OutOfService, InService, Enable, Disable)
"""Deeds that change what is watched; they need the right to configure."""


@get("/alarms", action=Action.LOOK, tags=["alarms"], summary="All alarms")
async def list_alarms(
    desk: Desk,
    who: Identity,
    wanted: Annotated[Scope, QueryParameter(name="scope")] = Scope.ALL,
) -> AlarmList:
    """Every alarm that the caller may see with its state, most urgent first."""
    return AlarmList(desk.views(who, opened=wanted is Scope.OPEN), desk.book.count(who))


@post(
    "/alarms/answer",
    action=Action.WRITE,
    tags=["alarms"],
    summary="Answer an alarm",
    status_code=200,
)
async def answer_alarm(data: Answer, desk: Desk, foreign: Foreign, who: Identity) -> View:
    """Acknowledge, confirm, shelve, reset and so on; 409 names the OPC UA code of a refusal."""
    if isinstance(data.deed, _ENGINEERS):
        desk.check_engineer(who, data.alarm)
    permit = getattr(data.deed, "permit", "")
    what = happening(data.deed, who)
    return await foreign.answer(who, data.alarm, what, comment=data.comment, permit=permit)


@post(
    "/alarms/acknowledge",
    action=Action.WRITE,
    tags=["alarms"],
    summary="Acknowledge many alarms",
    status_code=200,
)
async def acknowledge_alarms(data: Seen, foreign: Foreign, who: Identity) -> Refused:
    """All that can be, in one transaction; the answer names the others, and why not."""
    if len(data.event_ids) > ACKNOWLEDGED_MAX:
        raise Invalid(
            f"{len(data.event_ids)} alarms at once, wanted at most {ACKNOWLEDGED_MAX}",
            remedy="Acknowledge them in several steps.",
        )
    return Refused(await foreign.acknowledge(who, data.event_ids, comment=data.comment))


@put("/alarms", action=Action.CONFIGURE, tags=["alarms"], summary="Define an alarm")
async def define_alarm(data: Alarm, desk: Desk, who: Identity, permit: str = "") -> View:
    """Add an alarm, or change one that was made at run time; `permit` names the change record."""
    return await desk.define(who, data, permit=permit)


@delete("/alarms", action=Action.CONFIGURE, tags=["alarms"], summary="Remove an alarm")
async def remove_alarm(name: str, desk: Desk, who: Identity, permit: str = "") -> None:
    """Take away an alarm that was made at run time; those of the file stay."""
    await desk.remove(who, name, permit=permit)


@post(
    "/alarms/preview",
    action=Action.LOOK,
    tags=["alarms"],
    summary="Try an alarm on history",
    status_code=200,
)
async def preview_alarm(
    data: Trial, desk: Desk, store: Store, authorizer: Authorizer, who: Identity
) -> Preview:
    """How often it would have rung; nothing is kept."""
    if not authorizer.allows(who, Action.LOOK, data.alarm.point):
        raise Invalid(
            f"there is no point {data.alarm.point!r}", remedy="Find it with GET /api/v1/points."
        )
    return await preview(
        store,
        desk.book.names,
        data.alarm,
        *times.span_ns(data.start, data.stop),
        groups=desk.groups,
        sees=lambda path: authorizer.allows(who, Action.LOOK, path),
    )


@get("/alarms/journal", action=Action.LOOK, tags=["alarms"], summary="The alarm journal")
async def alarm_journal(  # noqa: PLR0913, PLR0917 - services and filters, by name
    records: Records,
    authorizer: Authorizer,
    who: Identity,
    start: str = "-1d",
    stop: str = "now",
    alarm: str = "",
    limit: int = 200,
) -> Journal:
    """What happened to alarms in a span, newest first."""
    start_ns, stop_ns = times.span_ns(start, stop)
    if not 1 <= limit <= 10_000:  # noqa: PLR2004 - the bound of one answer
        raise Invalid(f"limit is {limit}, wanted 1 to 10000", remedy="Take a shorter span.")
    found = await entries(
        records, authorizer, who, start_ns=start_ns, stop_ns=stop_ns, alarm=alarm, limit=limit
    )
    return Journal(found)


@get("/alarms/report", action=Action.LOOK, tags=["alarms"], summary="Figures of the alarm system")
async def alarm_report(
    desk: Desk,
    records: Records,
    authorizer: Authorizer,
    who: Identity,
    start: str = "-30d",
    stop: str = "now",
) -> Report:
    """Rates, floods, most frequent, stale and fleeting alarms after ISA-18.2 and EEMUA 191."""
    start_ns, stop_ns = times.span_ns(start, stop)
    found = await entries(records, authorizer, who, start_ns=start_ns, stop_ns=stop_ns)
    views = desk.views(who)
    since = {v.alarm.name: v.state.active_ns for v in views if v.state.active}
    alarms = [v.alarm for v in views]
    return await asyncio.to_thread(report, found, start_ns, stop_ns, alarms, since_ns=since)


class Rationalisation(msgspec.Struct, frozen=True):
    """What is written down of each alarm, those with gaps first."""

    items: list[Rationale]


@get(
    "/alarms/rationalisation",
    action=Action.LOOK,
    tags=["alarms"],
    summary="Why each alarm exists",
)
async def alarm_rationalisation(desk: Desk, who: Identity) -> Rationalisation:
    """Cause, consequence, action and time to respond of every alarm, and which lack some."""
    return Rationalisation(_rationales(desk, who))


@get(
    "/alarms/rationalisation.csv",
    action=Action.LOOK,
    tags=["alarms"],
    summary="Why each alarm exists, as CSV",
)
async def alarm_rationalisation_csv(desk: Desk, who: Identity) -> Response[str]:
    """The same list for a spreadsheet."""
    text = as_csv(_rationales(desk, who))
    return Response(text, media_type="text/csv; charset=utf-8")


def _rationales(desk: Desk, who: Identity) -> list[Rationale]:
    found = [rationale(v.alarm) for v in desk.views(who)]
    return sorted(found, key=lambda r: (-len(r.missing), r.name))


handlers = [
    list_alarms,
    answer_alarm,
    acknowledge_alarms,
    define_alarm,
    remove_alarm,
    preview_alarm,
    alarm_journal,
    alarm_report,
    alarm_rationalisation,
    alarm_rationalisation_csv,
]
