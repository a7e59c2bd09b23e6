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


def one(*lines: str) -> str:
    body = "\n".join(lines)
    event = f"BEGIN:VEVENT\nUID:a\nSUMMARY:early\n{body}\nEND:VEVENT"
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//acme//shifts//EN\n{event}\nEND:VCALENDAR\n"


BEGIN, END = "DTSTART:20261019T060000Z", "DTEND:20261019T140000Z"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((BEGIN, END, "RRULE:FREQ=SECONDLY"), "recurs secondly"),
        ((BEGIN, END, "RRULE:FREQ=SECONDLY;COUNT=1000000000"), "recurs secondly"),
        ((BEGIN, END, "RRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30"), "recurs hourly"),
        ((BEGIN, END, "RRULE:FREQ=DAILY;INTERVAL=0"), "every 0"),
        (
            (BEGIN, END, f"RRULE:FREQ=DAILY;BYMINUTE={','.join(map(str, range(60)))};BYHOUR=1,2"),
            "120 times a day",
        ),
        (("DTSTART:00010101T060000Z", "DTEND:00010101T070000Z"), "begins in 1 "),
        (("DTSTART;VALUE=DATE:20260101", "DTEND;VALUE=DATE:99991231"), "lasts 2912442 days"),
        ((BEGIN, "DURATION:P3650000D"), "cannot be read"),
        ((END,), "cannot be read"),
    ],
)
def test_a_file_that_asks_for_too_much_is_refused_before_it_is_laid_out(tmp_path, lines, message):
    with pytest.raises(Invalid, match=message):
        calendar(tmp_path, one(*lines))


def test_a_rule_without_end_costs_no_more_than_the_days_that_are_asked_for(tmp_path):
    made = calendar(tmp_path, one(BEGIN, END, "RRULE:FREQ=DAILY;UNTIL=99991231T235959Z"))
    found = made.shifts(from_iso("2030-01-01T00:00:00Z"), from_iso("2030-01-04T00:00:00Z"))
    assert [to_iso(s.start_ns)[:13] for s in found] == [f"2030-01-0{n}T06" for n in (1, 2, 3)]


def test_more_occurrences_than_an_answer_may_hold_are_refused(tmp_path):
    hours = ",".join(map(str, range(24)))
    made = calendar(tmp_path, one(BEGIN, END, f"RRULE:FREQ=DAILY;BYHOUR={hours};BYMINUTE=0,30"))
    with pytest.raises(Invalid, match=r"may have \d+ events"):
        made.spans(from_iso("2026-10-19T00:00:00Z"), from_iso("2036-10-19T00:00:00Z"))


def test_a_file_that_is_none_is_refused_and_names_it(tmp_path):
    with pytest.raises(Invalid, match="shifts.ics cannot be read"):
        calendar(tmp_path, "no calendar at all")
    with pytest.raises(Invalid, match=r"gone\.ics cannot be read"):
        Calendars().take([CalendarTable(name="x", ical=str(tmp_path / "gone.ics"))])
