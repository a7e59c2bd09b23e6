"""Calendars beside a minute-by-minute reading of a clock on the wall."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lineshaft.core.clock import from_iso, to_iso
from lineshaft.core.errors import Invalid, Missing
from lineshaft.operations.calendars.book import Calendars
from lineshaft.operations.calendars.calendar import Calendar, always
from lineshaft.operations.calendars.settings import (
    Break,
    CalendarTable,
    Exceptional,
    Maintenance,
    Shift,
)

MINUTE = 60 * 10**9
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# Days around clock changes: Berlin and New York by an hour, Lord Howe by half of one, at midnight
# in Beirut; Kiritimati has none, and Apia went without the whole day.
CHANGES = [
    ("Europe/Berlin", dt.date(2026, 3, 29)),
    ("Europe/Berlin", dt.date(2026, 10, 25)),
    ("America/New_York", dt.date(2026, 3, 8)),
    ("America/New_York", dt.date(2026, 11, 1)),
    ("Australia/Lord_Howe", dt.date(2026, 4, 5)),
    ("Australia/Lord_Howe", dt.date(2026, 10, 4)),
    ("Asia/Beirut", dt.date(2026, 3, 29)),
    ("Asia/Beirut", dt.date(2026, 10, 25)),
    ("Pacific/Kiritimati", dt.date(2026, 10, 25)),
    ("Pacific/Apia", dt.date(2011, 12, 30)),
]
THREE = (
    Shift(name="early", start="06:00", stop="14:00", breaks=(Break(start="09:00", stop="09:15"),)),
    Shift(name="late", start="14:00", stop="22:00"),
    Shift(name="night", start="22:00", stop="06:00", breaks=(Break(start="02:00", stop="02:30"),)),
)
BERLIN = CalendarTable(name="three", zone="Europe/Berlin", shifts=THREE)

# Half of them in the first hours of the day, where clocks change.
clocks = st.one_of(st.integers(0, 24 * 12 - 1), st.integers(0, 4 * 12)).map(
    lambda n: f"{n // 12:02}:{n % 12 * 5:02}"
)
breaks = st.builds(Break, start=clocks, stop=clocks)
shifts = st.builds(
    Shift,
    name=st.sampled_from("abc"),
    start=clocks,
    stop=clocks,
    days=st.sets(st.integers(1, 7), min_size=1).map(lambda d: tuple(sorted(d))),
    breaks=st.lists(breaks, max_size=2).map(tuple),
)
windows = st.builds(
    Maintenance, name=st.just("m"), start=clocks, stop=clocks, days=st.just((1, 4, 7))
)


class Wall:
    """Every minute of some days, with what the wall shows then."""

    def __init__(self, zone: str, middle: dt.date) -> None:
        self.zone = ZoneInfo(zone)
        first = dt.datetime.combine(middle - dt.timedelta(days=4), dt.time(), dt.UTC)
        self.begin_ns = int((first - EPOCH).total_seconds()) * 10**9
        self.minutes = 9 * 1440
        self.local = [
            (first + dt.timedelta(minutes=i)).astimezone(self.zone).replace(tzinfo=None)
            for i in range(self.minutes)
        ]

    def first_at(self, day: dt.date, minute: int) -> int:
        """The first minute at which the wall shows that time or a later one."""
        wanted = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=minute)
        return next((i for i, w in enumerate(self.local) if w >= wanted), self.minutes)

    def from_to(self, day: dt.date, start: int, stop: int) -> tuple[int, int]:
        stop += 0 if stop > start else 1440
        return self.first_at(day, start), self.first_at(day, stop)


def minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:5])


def by_minute(wall: Wall, table: CalendarTable) -> list[tuple]:  # noqa: C901 - one long account
    """What the calendar says at each minute, shift by shift, without any cleverness."""
    found = []
    days = sorted({w.date() for w in wall.local})
    for day in days:
        for order, shift in enumerate(table.shifts):
            if day.isoweekday() in shift.days:
                span = wall.from_to(day, minute(shift.start), minute(shift.stop))
                found.append((span[0], day, order, shift, span[1]))
    says = [(False, False, "", w.date().toordinal() - 719163) for w in wall.local]
    free = 0
    for begin, day, _, shift, end in sorted(found, key=lambda f: (f[0], f[1], f[2])):
        start = max(begin, free)
        if start >= end:
            continue
        free = end
        pauses = [
            wall.from_to(day, m + (1440 if m < minute(shift.start) else 0), later(m, shift, p.stop))
            for p in shift.breaks
            for m in (minute(p.start),)
        ]
        for i in range(start, end):
            busy = not any(a <= i < b for a, b in pauses)
            says[i] = (True, busy, shift.name, day.toordinal() - 719163)
    for day in days:
        for window in table.maintenance:
            if day.isoweekday() in window.days:
                a, b = wall.from_to(day, minute(window.start), minute(window.stop))
                for i in range(a, b):
                    says[i] = (says[i][0], False, *says[i][2:])
    return says


def later(start: int, shift: Shift, stop: str) -> int:
    """The stop of a break as minutes from the midnight of the shift's day."""
    begin = start + (1440 if start < minute(shift.start) else 0)
    end = minute(stop)
    while end <= begin:
        end += 1440
    return end


def spelled(table: CalendarTable, start_ns: int, stop_ns: int) -> list[tuple]:
    s = Calendar(table).spans(start_ns, stop_ns)
    assert s.start_ns[0] == start_ns
    assert s.stop_ns[-1] == stop_ns
    assert (s.stop_ns[:-1] == s.start_ns[1:]).all()
    assert (s.start_ns < s.stop_ns).all()
    return [
        (to_iso(int(a)), to_iso(int(b)), bool(p), bool(u), s.shifts[c])
        for a, b, p, u, c in zip(s.start_ns, s.stop_ns, s.planned, s.busy, s.shift, strict=True)
    ]


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(CHANGES),
    st.lists(shifts, max_size=4).map(tuple),
    st.lists(windows, max_size=1).map(tuple),
)
@example(
    ("Pacific/Apia", dt.date(2011, 12, 30)),
    (Shift(name="a", start="00:05", stop="00:05", days=(5,)),),
    (),
)
def test_a_calendar_says_at_each_minute_what_the_wall_says(change, some, maintenance):
    wall = Wall(*change)
    table = CalendarTable(name="x", zone=change[0], shifts=some, maintenance=maintenance)
    wanted = by_minute(wall, table)
    # Two days at each end are left out: what begins before the wall's first day is not on it.
    low, high = 3 * 1440, wall.minutes - 3 * 1440
    spans = Calendar(table).spans(wall.begin_ns + low * MINUTE, wall.begin_ns + high * MINUTE)
    times = wall.begin_ns + np.arange(low, high, dtype=np.int64) * MINUTE
    at = np.searchsorted(spans.start_ns, times, side="right") - 1
    for i, place in zip(range(low, high), at, strict=True):
        said = (
            bool(spans.planned[place]),
            bool(spans.planned[place] and spans.busy[place]),
            spans.shifts[spans.shift[place]],
            int(spans.day[place]),
        )
        planned, busy, *rest = wanted[i]
        assert said == (planned, planned and busy, *rest), to_iso(int(times[i - low]))


@settings(deadline=None, max_examples=40)
@given(st.lists(shifts, max_size=4).map(tuple), st.integers(0, 6 * 1440), st.integers(1, 6 * 1440))
def test_a_part_of_a_span_says_the_same_as_the_whole(some, begin, length):
    table = CalendarTable(name="x", zone="Europe/Berlin", shifts=some)
    start = from_iso("2026-10-22T00:00:00Z")
    whole = Calendar(table).spans(start, start + 14 * 1440 * MINUTE)
    low, high = start + begin * MINUTE, start + (begin + length) * MINUTE
    part = Calendar(table).spans(low, high)
    at = np.searchsorted(whole.start_ns, part.start_ns, side="right") - 1
    for name in ("planned", "busy", "day"):
        assert (getattr(part, name) == getattr(whole, name)[at]).all()
    said = [part.shifts[i] for i in part.shift]
    assert said == [whole.shifts[i] for i in whole.shift[at]]
    inner = whole.start_ns[(whole.start_ns > low) & (whole.start_ns < high)]
    assert set(inner) <= set(part.start_ns)


def test_the_night_of_the_clock_change_has_nine_hours_in_autumn_and_seven_in_spring():
    calendar = Calendar(BERLIN)
    hours = {}
    for day in ("2026-03-28", "2026-10-24", "2026-10-26"):
        noon = from_iso(f"{day}T12:00:00Z")
        (night,) = [s for s in calendar.shifts(noon, noon + 86_400 * 10**9) if s.name == "night"]
        hours[day] = (night.stop_ns - night.start_ns) / (60 * MINUTE)
    assert hours == {"2026-03-28": 7, "2026-10-24": 9, "2026-10-26": 8}


def test_a_break_at_the_hour_that_is_skipped_begins_at_the_jump_and_is_short():
    night = spelled(BERLIN, from_iso("2026-03-28T21:00:00Z"), from_iso("2026-03-29T04:00:00Z"))
    assert night == [("2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z", True, True, "night")]


def test_holidays_take_shifts_away_and_extra_ones_come_as_an_exception():
    table = CalendarTable(
        name="x",
        zone="Europe/Berlin",
        shifts=(Shift(name="day", start="08:00", stop="16:00", days=(1, 2, 3, 4, 5)),),
        exceptions=(
            Exceptional(day="2026-12-24", until="2026-12-28", name="Christmas"),
            Exceptional(
                day="2026-12-24",
                kind="instead",
                shifts=(Shift(name="day", start="08:00", stop="12:00"),),
            ),
            Exceptional(
                day="2027-01-02",
                kind="extra",
                shifts=(Shift(name="s", start="09:00", stop="10:00"),),
            ),
        ),
    )
    calendar = Calendar(table)
    found = calendar.shifts(from_iso("2026-12-23T00:00:00Z"), from_iso("2027-01-03T00:00:00Z"))
    assert [(to_iso(s.start_ns)[5:16], to_iso(s.stop_ns)[11:16], s.name) for s in found] == [
        ("12-23T07:00", "15:00", "day"),
        ("12-24T07:00", "11:00", "day"),
        ("12-29T07:00", "15:00", "day"),
        ("12-30T07:00", "15:00", "day"),
        ("12-31T07:00", "15:00", "day"),
        ("01-01T07:00", "15:00", "day"),
        ("01-02T08:00", "09:00", "s"),
    ]
    assert calendar.shift_at(from_iso("2027-01-02T08:30:00Z")) == found[-1]
    assert calendar.shift_at(from_iso("2027-01-02T09:00:00Z")) is None


def test_without_a_calendar_work_is_planned_all_the_time():
    spans = always().spans(from_iso("2026-01-01T05:00:00Z"), from_iso("2026-01-03T05:00:00Z"))
    assert spans.busy.all()
    assert len(spans.start_ns) == 3


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (CalendarTable(name=" "), "name is empty"),
        (CalendarTable(name="x", zone="Europe/Bonn"), "no time zone 'Europe/Bonn'"),
        (CalendarTable(name="x", shifts=(Shift(name="s", start="6", stop="14:00"),)), "'6' is not"),
        (
            CalendarTable(
                name="x", shifts=(Shift(name="s", start="06:00", stop="14:00", days=(0,)),)
            ),
            "day 0",
        ),
        (
            CalendarTable(name="x", exceptions=(Exceptional(day="25.12."),)),
            "'25.12.' is not a date",
        ),
        (
            CalendarTable(name="x", exceptions=(Exceptional(day="2026-12-25", kind="extra"),)),
            "with 0 shifts",
        ),
        (
            CalendarTable(
                name="x", exceptions=(Exceptional(day="2026-12-25", until="2026-12-24"),)
            ),
            "until 2026-12-24 is before",
        ),
        (
            CalendarTable(
                name="x", maintenance=(Maintenance(name="m", start="06:00", stop="07:00"),)
            ),
            "wanted `day` or `days`",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(table, message):
    with pytest.raises(Invalid, match=message) as caught:
        Calendar(table)
    assert caught.value.remedy


def test_an_empty_span_and_an_unknown_name_are_refused():
    with pytest.raises(Invalid):
        Calendar(BERLIN).spans(5, 5)
    book = Calendars()
    book.take([BERLIN])
    assert book.named("three") is book.named("three")
    with pytest.raises(Missing, match="no calendar 'four'"):
        book.named("four")


def test_a_calendar_that_did_not_change_keeps_what_it_worked_out():
    book = Calendars()
    book.take([BERLIN])
    before = book.named("three")
    book.take([BERLIN, CalendarTable(name="other")])
    assert book.named("three") is before
