"""Shifts that another program keeps as an iCalendar file (RFC 5545), recurrences and all.

An event is a shift named by its summary; an all-day event, or one of category `holiday`, takes
away the shifts that begin on its days; those of category `break` or `maintenance` are planned
down time. Recurrence rules, exceptions, further dates, moved occurrences and time zones are those
of the file; a time without a zone is in that of the calendar.
"""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import icalendar
import recurring_ical_events

from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid
from lineshaft.operations.calendars.calendar import Outside, Planned
from lineshaft.operations.calendars.recurring import check_event
from lineshaft.operations.calendars.walls import DAY_S, EPOCH, EPOCH_DAY

BYTES_MAX = 5_000_000
EVENTS_MAX = 100_000
"""Occurrences in one question."""
WRONG = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What the library raises of a file that makes no sense."""
PAUSES = {"break", "maintenance"}
HOLIDAY = "holiday"
DAY = dt.timedelta(days=1)


class File:
    """One file, read when the settings are."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            if path.stat().st_size > BYTES_MAX:
                raise Invalid(
                    f"{path} has more than {BYTES_MAX} bytes", remedy="Export the shifts alone."
                )
            calendar = icalendar.Calendar.from_ical(path.read_bytes())
            asked = [check_event(event) for event in calendar.walk("VEVENT")]
            self._per_day = sum(per_day for per_day, _ in asked)
            self._single = sum(single for _, single in asked)
            self._query: Any = recurring_ical_events.of(calendar)
        except (OSError, *WRONG) as error:
            raise Invalid(
                f"calendar file {path} cannot be read: {error}",
                remedy="Export it again as iCalendar (.ics).",
            ) from error

    def between(self, first: dt.date, last: dt.date, zone: dt.tzinfo) -> Outside:
        """What begins on these days, and what of before lasts into them.

        Raises:
            Invalid: there are too many occurrences.
        """
        shifts: list[Planned] = []
        pauses: list[tuple[int, int]] = []
        holidays: set[dt.date] = set()
        for event in self._found(first, last):
            start, end = event.start, event.end
            kinds = {c.lower() for c in _categories(event)}
            if HOLIDAY in kinds or not isinstance(start, dt.datetime):
                holidays.update(_days(start, end, zone))
                continue
            span = _epoch_ns(start, zone), _epoch_ns(end, zone)
            if kinds & PAUSES:
                pauses.append(span)
            elif span[0] < span[1]:
                day = _local(start, zone).date().toordinal() - EPOCH_DAY
                shifts.append(Planned(*span, str(event.get("SUMMARY", "")), day))
        return Outside(shifts=shifts, pauses=pauses, holidays=frozenset(holidays))

    def _found(self, first: dt.date, last: dt.date) -> list[Any]:
        expected = round(self._per_day * (last - first).days) + self._single
        if expected > EVENTS_MAX:
            raise Invalid(
                f"{self._path} may have {expected} events in that span, wanted at most"
                f" {EVENTS_MAX}",
                remedy="Ask for a shorter span.",
            )
        try:
            return list(self._query.between(first, last + DAY))
        except WRONG as error:
            raise Invalid(
                f"calendar file {self._path} cannot be followed: {error!r}",
                remedy="Export it again as iCalendar (.ics).",
            ) from error


def _categories(event: Any) -> list[str]:  # noqa: ANN401 - the library carries no useful types
    given = event.get("CATEGORIES")
    parts = given if isinstance(given, list) else [given] if given else []
    return [str(c) for p in parts for c in getattr(p, "cats", [p])]


def _local(when: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    return when.replace(tzinfo=zone) if when.tzinfo is None else when.astimezone(zone)


def _days(start: dt.date, end: dt.date, zone: dt.tzinfo) -> Iterator[dt.date]:
    """The local days that an event touches; an all-day event ends before its last one."""
    timed = isinstance(start, dt.datetime)
    first = _local(start, zone).date() if isinstance(start, dt.datetime) else start
    last = _local(end, zone).date() if isinstance(end, dt.datetime) else end
    yield first
    for i in range(1, (last - first).days + (1 if timed else 0)):
        yield first + dt.timedelta(days=i)


def _epoch_ns(when: dt.datetime, zone: dt.tzinfo) -> int:
    delta = _local(when, zone).astimezone(dt.UTC) - EPOCH
    return (delta.days * DAY_S + delta.seconds) * NS_PER_S
