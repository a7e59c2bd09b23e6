"""What `plant.toml` says of a calendar: shifts, breaks, exceptions, planned maintenance."""

import datetime as dt
import re
import zoneinfo
from typing import Literal

from lineshaft.core.errors import Invalid
from lineshaft.core.settings import Settings

CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?|24:00")
EXCEPTION_DAYS_MAX = 3_660
"""Days that one exception may last."""
WEEK = (1, 2, 3, 4, 5, 6, 7)


class Break(Settings, frozen=True):
    """Time inside a shift in which nobody is planned to work (PDOT)."""

    start: str
    """Local time: `09:00`."""
    stop: str
    """Local time: `09:15`."""


class Shift(Settings, frozen=True):
    """One shift; one that ends at or before its begin ends on the next day."""

    name: str
    """Shown to people: `early`."""
    start: str
    """Local time: `06:00`."""
    stop: str
    """Local time: `14:00`."""
    days: tuple[int, ...] = WEEK
    """ISO weekdays on which it begins, 1 is Monday; not looked at in an exception."""
    breaks: tuple[Break, ...] = ()
    """A break that starts before its shift does lies on the next day."""


class Exceptional(Settings, frozen=True):
    """A day, or some, on which the week does not hold."""

    day: str
    """First day: `2026-12-25`."""
    until: str = ""
    """Last day; empty for one day."""
    kind: Literal["holiday", "instead", "extra"] = "holiday"
    """`holiday`: no shift begins; `instead`: only those given here; `extra`: those too."""
    name: str = ""
    """Shown to people: `Christmas`."""
    shifts: tuple[Shift, ...] = ()
    """For `instead` (a shortened shift) and `extra`."""


class Maintenance(Settings, frozen=True):
    """A window of planned maintenance: planned down time where it meets a shift."""

    name: str
    """Shown to people: `grease the presses`."""
    start: str
    """Local time: `06:00`."""
    stop: str
    """Local time; at or before `start` it lies on the next day."""
    day: str = ""
    """The one day on which it begins; empty: on `days` of every week."""
    days: tuple[int, ...] = ()
    """ISO weekdays on which it begins, without `day`."""


class CalendarTable(Settings, frozen=True):
    """When work is planned. One table `[[calendars]]` each."""

    name: str
    """Its own name; `[[work_units]]` refer to it."""
    zone: str = "UTC"
    """IANA name of the time zone of all local times here: `Europe/Berlin`."""
    shifts: tuple[Shift, ...] = ()
    """The shifts of a week."""
    exceptions: tuple[Exceptional, ...] = ()
    """Holidays, extra and shortened shifts; a later one counts before an earlier one."""
    maintenance: tuple[Maintenance, ...] = ()
    """Planned maintenance."""
    ical: str = ""
    """Path of an iCalendar file (RFC 5545) that counts beside `shifts`; needs `lineshaft[ical]`.

    It is read at the start and at each reload. An event is a shift named by its summary; an
    all-day event, or one of category `holiday`, takes away the shifts that begin on its days;
    those of category `break` or `maintenance` are planned down time.
    """


def check_calendar(table: CalendarTable) -> CalendarTable:
    """The table itself, when it can be.

    Raises:
        Invalid: it cannot; the message names calendar and field.
    """
    where = f"calendar {table.name!r}"
    if not table.name.strip() or not table.name.isprintable():
        raise Invalid(f"{where}: the name is empty", remedy="Give it a printable name.")
    zone_of(table.zone, where)
    for shift in (*table.shifts, *(s for e in table.exceptions for s in e.shifts)):
        at = f"{where}, shift {shift.name!r}"
        _check_clocks(at, shift.start, shift.stop)
        _check_days(at, shift.days)
        for pause in shift.breaks:
            _check_clocks(f"{at}, break", pause.start, pause.stop)
    for one in table.exceptions:
        _check_exception(where, one)
    for window in table.maintenance:
        at = f"{where}, maintenance {window.name!r}"
        _check_clocks(at, window.start, window.stop)
        _check_days(at, window.days)
        if window.day:
            day_of(window.day, at)
        if bool(window.day) == bool(window.days):
            raise Invalid(f"{at}: wanted `day` or `days`", remedy="Give exactly one of them.")
    return table


def zone_of(name: str, where: str) -> zoneinfo.ZoneInfo:
    """The time zone.

    Raises:
        Invalid: there is none of that name.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(
            f"{where}: there is no time zone {name!r}",
            remedy="Give an IANA name such as Europe/Berlin.",
        ) from None


def seconds(clock: str) -> int:
    """Seconds after midnight of a checked local time; 86400 for `24:00`."""
    hour, minute, *second = map(int, clock.split(":"))
    return hour * 3600 + minute * 60 + (second[0] if second else 0)


def day_of(text: str, where: str) -> dt.date:
    """A date.

    Raises:
        Invalid: the text is none.
    """
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Invalid(
            f"{where}: {text!r} is not a date", remedy="Write it as 2026-12-25."
        ) from None


def _check_exception(where: str, one: Exceptional) -> None:
    at = f"{where}, exception {one.name or one.day!r}"
    first = day_of(one.day, at)
    if one.until and day_of(one.until, at) < first:
        raise Invalid(f"{at}: until {one.until} is before {one.day}", remedy="Swap them.")
    if one.until and (day_of(one.until, at) - first).days > EXCEPTION_DAYS_MAX:
        raise Invalid(
            f"{at}: from {one.day} to {one.until} are more than {EXCEPTION_DAYS_MAX} days",
            remedy="Give the span that is planned by now.",
        )
    if (one.kind == "holiday") == bool(one.shifts):
        raise Invalid(
            f"{at}: kind {one.kind!r} with {len(one.shifts)} shifts",
            remedy="A holiday has no shifts; `instead` and `extra` have some.",
        )


def _check_clocks(at: str, *clocks: str) -> None:
    for clock in clocks:
        if not CLOCK.fullmatch(clock):
            raise Invalid(f"{at}: {clock!r} is not a local time", remedy="Write it as 06:30.")


def _check_days(at: str, days: tuple[int, ...]) -> None:
    wrong = [d for d in days if d not in WEEK]
    if wrong:
        raise Invalid(f"{at}: day {wrong[0]}, wanted 1 (Monday) to 7", remedy="Mend the days.")
