"""Alarms over HTTP: list, answer, define, try on history, journal, figures."""

import asyncio
import enum
from typing import Annotated

import msgspec
from litestar import Response
from litestar.params import HeaderParameter, QueryParameter

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.errors import Invalid
from lineshaft.operations.alarms.book import Refusal, View
from lineshaft.operations.alarms.deeds import ENGINEERS, Deed, happening
from lineshaft.operations.alarms.defining import Definition, definition
from lineshaft.operations.alarms.desk import Desk
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
DEFINED_MAX = 10_000
"""Alarms that one request may define."""


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


@get("/alarms", action=Action.LOOK, tags=["alarms"], summary="All alarms")
async def list_alarms(
    desk: Desk,
    who: Identity,
    which: Annotated[Scope, QueryParameter(name="scope")] = Scope.ALL,
    if_none_match: Annotated[str, HeaderParameter(name="If-None-Match")] = "",
) -> Response[AlarmList | None]:
    """Every alarm that the caller may see with its state, most urgent first.

    With the ETag of an earlier answer as `If-None-Match`: 304 while nothing has changed since.
    """
    headers = {"ETag": f'"{desk.book.tag(who, which.value)}"'}
    if if_none_match.removeprefix("W/") == headers["ETag"]:
        return Response(None, status_code=304, headers=headers)
    found = AlarmList(desk.views(who, opened=which is Scope.OPEN), desk.book.count(who))
    return Response(found, headers=headers)


@post(
    "/alarms/answer",
    action=Action.WRITE,
    tags=["alarms"],
    summary="Answer an alarm",
    status_code=200,
)
async def answer_alarm(data: Answer, desk: Desk, foreign: Foreign, who: Identity) -> View:
    """Acknowledge, confirm, shelve, reset and so on; 409 names the OPC UA code of a refusal."""
    if isinstance(data.deed, ENGINEERS):
        desk.book.check_configure(who, desk.book.known(who, data.alarm))
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


@get("/alarms/definition", action=Action.LOOK, tags=["alarms"], summary="How an alarm is defined")
async def alarm_definition(name: str, desk: Desk, who: Identity) -> Response[Definition]:
    """The definition alone, with its tag, which stands in the header ETag too."""
    found = definition(desk.book, who, name)
    return Response(found, headers={"ETag": f'"{found.tag}"'})


@put("/alarms", action=Action.CONFIGURE, tags=["alarms"], summary="Define an alarm")
async def define_alarm(
    data: Alarm,
    desk: Desk,
    who: Identity,
    permit: str = "",
    if_match: Annotated[str, HeaderParameter(name="If-Match")] = "",
    if_none_match: Annotated[str, HeaderParameter(name="If-None-Match")] = "",
) -> View:
    """Add an alarm, or change one that was made at run time; `permit` names the change record.

    With `If-Match` it is changed if its definition has that tag, with `If-None-Match: *` it is
    added if there is none of that name; otherwise 409.
    """
    expected = None if not if_match or if_match == "*" else if_match.removeprefix("W/").strip('"')
    if if_none_match:
        if if_none_match != "*":
            raise Invalid(f"If-None-Match is {if_none_match[:80]!r}, wanted '*'")
        expected = ""
    return await desk.define(who, data, permit=permit, expected=expected)


class Definitions(msgspec.Struct, frozen=True, kw_only=True):
    """Alarms that are defined together, all or none."""

    alarms: list[Alarm]
    new: bool = False
    """Whether none of them may exist already."""


@put("/alarms/several", action=Action.CONFIGURE, tags=["alarms"], summary="Define many alarms")
async def define_alarms(
    data: Definitions, desk: Desk, who: Identity, permit: str = ""
) -> AlarmList:
    """Add alarms, or change such that were made at run time, in one transaction."""
    if len(data.alarms) > DEFINED_MAX:
        raise Invalid(
            f"{len(data.alarms)} alarms at once, wanted at most {DEFINED_MAX}",
            remedy="Define them in several steps.",
        )
    expected = "" if data.new else None
    views = await desk.define_all(who, data.alarms, permit=permit, expected=expected)
    return AlarmList(views, desk.book.count(who))


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
    alarm_definition,
    define_alarm,
    define_alarms,
    remove_alarm,
    preview_alarm,
    alarm_journal,
    alarm_report,
    alarm_rationalisation,
    alarm_rationalisation_csv,
]
