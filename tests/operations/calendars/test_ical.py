"""Shifts of an iCalendar file: recurrences, exceptions, moved ones, zones of its own, holidays."""

import pytest

from lineshaft.core.clock import from_iso, to_iso
from lineshaft.core.errors import Invalid
from lineshaft.operations.calendars.book import Calendars
from lineshaft.operations.calendars.settings import CalendarTable

pytest.importorskip("recurring_ical_events")

FILE = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//acme//shifts//EN
BEGIN:VTIMEZONE
TZID:Plant time
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
UID:early
SUMMARY:early
DTSTART;TZID=Plant time:20261019T060000
DTEND;TZID=Plant time:20261019T140000
RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR
EXDATE;TZID=Plant time:20261021T060000
RDATE;TZID=Plant time:20261024T060000
END:VEVENT
BEGIN:VEVENT
UID:early
SUMMARY:early (short)
RECURRENCE-ID;TZID=Plant time:20261023T060000
DTSTART;TZID=Plant time:20261023T060000
DTEND;TZID=Plant time:20261023T100000
END:VEVENT
BEGIN:VEVENT
UID:coffee
SUMMARY:coffee
CATEGORIES:Break
DTSTART:20261019T090000
DTEND:20261019T091500
RRULE:FREQ=DAILY
END:VEVENT
BEGIN:VEVENT
UID:fair
SUMMARY:fair
DTSTART;VALUE=DATE:20261027
DTEND;VALUE=DATE:20261029
END:VEVENT
END:VCALENDAR
"""


def calendar(folder, text):
    (folder / "shifts.ics").write_text(text, "utf-8")
    book = Calendars()
    table = CalendarTable(name="x", zone="Europe/Berlin", ical=str(folder / "shifts.ics"))
    book.take([table])
    return book.named("x")


def test_shifts_come_from_a_file(tmp_path):
    made = calendar(tmp_path, FILE)
    found = made.shifts(from_iso("2026-10-18T00:00:00Z"), from_iso("2026-10-31T00:00:00Z"))
    assert [(to_iso(s.start_ns)[5:16], to_iso(s.stop_ns)[11:16], s.name) for s in found] == [
        ("10-19T04:00", "12:00", "early"),
        ("10-20T04:00", "12:00", "early"),
        ("10-22T04:00", "12:00", "early"),
        ("10-23T04:00", "08:00", "early (short)"),
        ("10-24T04:00", "12:00", "early"),
        ("10-26T05:00", "13:00", "early"),
        ("10-29T05:00", "13:00", "early"),
        ("10-30T05:00", "13:00", "early"),
    ]


def test_breaks_of_the_file_are_planned_down_time(tmp_path):
    made = calendar(tmp_path, FILE)
    spans = made.spans(from_iso("2026-10-26T05:00:00Z"), from_iso("2026-10-26T13:00:00Z"))
    assert [
        (to_iso(int(t))[11:16], bool(b)) for t, b in zip(spans.start_ns, spans.busy, strict=True)
    ] == [
        ("05:00", True),
        ("08:00", False),
        ("08:15", True),
    ]


def test_a_file_that_is_none_is_refused_and_names_it(tmp_path):
    with pytest.raises(Invalid, match="shifts.ics cannot be read"):
        calendar(tmp_path, "no calendar at all")
    with pytest.raises(Invalid, match=r"gone\.ics cannot be read"):
        Calendars().take([CalendarTable(name="x", ical=str(tmp_path / "gone.ics"))])
