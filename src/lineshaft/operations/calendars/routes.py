"""Calendars over HTTP."""

import asyncio
import datetime as dt

import msgspec

from lineshaft.core.access import Action
from lineshaft.operations.calendars.book import Calendars
from lineshaft.web import get, times


class ShiftSpan(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of a calendar; times are whole nanoseconds."""

    start_ns: int
    stop_ns: int
    planned: bool
    """Inside a shift (POT)."""
    busy: bool
    """Planned, and neither a break nor planned maintenance (PBT)."""
    shift: str
    """Empty outside of all."""
    day: str
    """`2026-10-25`: the local day that the shift began on."""


class CalendarSpans(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar as it falls in a span."""

    name: str
    zone: str
    start_ns: int
    stop_ns: int
    spans: list[ShiftSpan]
    """Without gaps."""


class CalendarList(msgspec.Struct, frozen=True):
    """Names of the calendars of the plant, sorted."""

    names: list[str]


@get("/calendars", action=Action.LOOK, tags=["kpis"], summary="Shift calendars")
async def list_calendars(calendars: Calendars) -> CalendarList:
    """The names of all calendars."""
    return CalendarList(calendars.names())


@get("/calendars/spans", action=Action.LOOK, tags=["kpis"], summary="A calendar in a span")
async def calendar_spans(
    calendars: Calendars, name: str = "", start: str = "-1d", stop: str = "+7d"
) -> CalendarSpans:
    """Shifts, breaks and time off, stretch by stretch; without a name, of units without one."""
    start_ns, stop_ns = times.span_ns(start, stop)
    calendar = calendars.named(name)
    found = await asyncio.to_thread(calendar.spans, start_ns, stop_ns)
    columns = (found.start_ns, found.stop_ns, found.planned, found.busy, found.shift, found.day)
    return CalendarSpans(
        name=calendar.table.name,
        zone=calendar.table.zone,
        start_ns=start_ns,
        stop_ns=stop_ns,
        spans=[
            ShiftSpan(
                start_ns=begin,
                stop_ns=end,
                planned=planned,
                busy=busy,
                shift=found.shifts[shift],
                day=(dt.date(1970, 1, 1) + dt.timedelta(days=day)).isoformat(),
            )
            for begin, end, planned, busy, shift, day in zip(
                *(c.tolist() for c in columns), strict=True
            )
        ],
    )


handlers = [list_calendars, calendar_spans]
