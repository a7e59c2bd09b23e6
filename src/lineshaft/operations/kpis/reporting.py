"""The report of one shift or day: figures, states, stops and their causes, alarms."""

import datetime as dt
import functools
from typing import NamedTuple, Protocol

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.errors import Invalid, Missing
from lineshaft.operations.calendars.calendar import Calendar
from lineshaft.operations.calendars.settings import day_of
from lineshaft.operations.calendars.walls import day_at
from lineshaft.operations.kpis.answers import Report, UnitReport
from lineshaft.operations.kpis.book import Kpis, Scope, check_names, one, row
from lineshaft.operations.kpis.losses import Lost, in_states, lost, pareto, stretches
from lineshaft.operations.kpis.pieces import By, Piece, pieces
from lineshaft.operations.kpis.working import Work
from lineshaft.operations.states.settings import WorkUnit

YEARS = (1900, 2100)
"""First and last year of which there are reports."""
STOPS_MAX = 50
"""Stops listed of each unit."""
ALL_STOPS_MAX = 10_000
"""The same for tables."""
BACK_NS = 8 * 86_400 * 10**9
"""How far back the last shift is looked for when no day is given."""


class AlarmCounts(Protocol):
    """Who knows which alarms rang."""

    async def rung(
        self, who: Identity, paths: list[str], start_ns: int, stop_ns: int
    ) -> dict[str, int]:
        """By severity, those at or below the paths that the caller may see."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is about; empty fields stand for the last shift that has ended."""

    unit: str = ""
    branch: str = ""
    day: str = ""
    shift: str = ""
    """Empty with a day: the whole day."""


async def report(
    kpis: Kpis,
    who: Identity,
    asked: Asked,
    *,
    now: int,
    alarms: AlarmCounts | None,
    stops_max: int = STOPS_MAX,
) -> Report:
    """The report, with so many stops of each unit.

    Raises:
        Missing: there is no such unit, or no such shift on that day.
        Invalid: the day is no date, or still to come.
    """
    units = kpis.units(who, unit=asked.unit, branch=asked.branch)
    named = kpis.reader.calendars.named
    if not asked.day:
        asked = _last(named(units[0].calendar), asked, now)
    day = day_of(asked.day, "report")
    if not YEARS[0] <= day.year <= YEARS[1]:
        raise Invalid(f"report: {asked.day} is too far away", remedy="Ask for a day near today.")
    spans = {u.path: _span(named(u.calendar), day, asked.shift) for u in units}
    there = [u for u in units if (s := spans[u.path]) and s[0] < now]
    if not there:
        raise Missing(
            f"there is no shift {asked.shift!r} on {asked.day} before now",
            remedy="Look at the calendar with GET /api/v1/calendars/spans.",
        )
    start_ns, stop_ns = _around([s for u in there if (s := spans[u.path])], now)
    told: dict[str, _Told] = {}
    for span in dict.fromkeys(s for u in there if (s := spans[u.path])):
        some = [u for u in there if spans[u.path] == span]
        scope = Scope(units=some, start_ns=span[0], stop_ns=min(span[1], now))
        made = await kpis.each(scope, functools.partial(_told, scope=scope, stops_max=stops_max))
        told |= {u.path: m for u, m in zip(some, made, strict=True)}
    parts = [told[u.path] for u in there]
    together = one([p.whole for p in parts], Scope(units=there, start_ns=start_ns, stop_ns=stop_ns))
    return Report(
        day=asked.day,
        shift=asked.shift,
        start_ns=start_ns,
        stop_ns=stop_ns,
        whole=row(together, check_names(())),
        units=[p.report for p in parts],
        pareto=pareto(c for p in parts for c in p.lost),
        alarms=await _alarms(alarms, who, there, start_ns, stop_ns),
    )


async def _alarms(
    alarms: AlarmCounts | None, who: Identity, units: list[WorkUnit], start_ns: int, stop_ns: int
) -> dict[str, int] | None:
    if alarms is None:
        return None
    try:
        return await alarms.rung(who, [u.path for u in units], start_ns, stop_ns)
    except Invalid:  # the journal since then is longer than one answer may read
        return None


class _Told(NamedTuple):
    """One unit, and what it brings into the whole."""

    report: UnitReport
    whole: Piece
    lost: list[Lost]


def _told(work: Work, scope: Scope, stops_max: int) -> _Told:
    names = check_names(())
    whole = one(pieces(work, By.WHOLE), scope)
    stops = sorted(stretches(work, work.lost), key=lambda s: (s.start_ns - s.stop_ns, s.start_ns))
    told = UnitReport(
        unit=work.material.timeline.unit.path,
        row=row(whole, names),
        states=in_states(work),
        stops=stops[:stops_max],
        left_out=max(len(stops) - stops_max, 0),
        products=[row(p, names) for p in pieces(work, By.PRODUCT)],
    )
    return _Told(told, whole, lost(work))


def _last(calendar: Calendar, asked: Asked, now: int) -> Asked:
    """The last shift that has ended; of that name, if one is given."""
    past = [
        s
        for s in calendar.shifts(now - BACK_NS, now)
        if s.stop_ns <= now and asked.shift in ("", s.name)
    ]
    if not past:
        today = day_at(now, calendar.zone).isoformat()
        return msgspec.structs.replace(asked, day=today)
    day = dt.date(1970, 1, 1) + dt.timedelta(days=past[-1].day)
    return msgspec.structs.replace(asked, day=day.isoformat(), shift=past[-1].name)


def _span(calendar: Calendar, day: dt.date, shift: str) -> tuple[int, int] | None:
    """Begin and end of a shift on a day, or of the whole day; None where there is none."""
    if not shift:
        return calendar.day_ns(day)
    number = (day - dt.date(1970, 1, 1)).days
    low, high = calendar.day_ns(day)
    own = [s for s in calendar.shifts(low, high) if s.name == shift and s.day == number]
    return (own[0].start_ns, own[-1].stop_ns) if own else None


def _around(spans: list[tuple[int, int]], now: int) -> tuple[int, int]:
    start_ns, stop_ns = min(s[0] for s in spans), min(max(s[1] for s in spans), now)
    if start_ns >= stop_ns:
        raise Invalid("the shift has not begun", remedy="Ask for one that has.")
    return start_ns, stop_ns
