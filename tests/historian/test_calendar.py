"""Intervals follow lengths, the clock on the wall, the calendar and shifts."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.errors import Invalid
from lineshaft.historian.calendar import Cut, Interval, Shift, intervals

S = 1_000_000_000
HOUR = 3600 * S
DAY = 24 * HOUR
LENGTHS = ["10s", "7m", "30m", "1h", "90m", "4h", "5h", "8h", "1d", "1w", "1mo", "1q", "10y"]


def ns(text: str, zone: str = "UTC") -> int:
    """A time on the wall of the zone, as nanoseconds."""
    time = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return int(time.timestamp()) * S


def cut(start: str, stop: str, every: str, zone: str = "UTC") -> Cut:
    return intervals(ns(start, zone), ns(stop, zone), Interval(every=every, time_zone=zone))


def walls(found: Cut, zone: str) -> list[str]:
    """Starts of the intervals, on the wall."""
    return [
        datetime.fromtimestamp(int(t) // S, ZoneInfo(zone)).strftime("%m-%d %H:%M")
        for t in found.intervals[:, 0]
    ]


def hours(found: Cut) -> list[float]:
    return [float(n) / HOUR for n in found.intervals[:, 1] - found.intervals[:, 0]]


def test_without_a_length_the_span_is_one_interval():
    found = intervals(3, 10, Interval())
    assert found.intervals.tolist() == [[3, 10]]
    assert not found.partial.any()


def test_lengths_begin_at_whole_multiples_and_are_clipped_to_the_span():
    found = cut("2026-01-05T10:02:30", "2026-01-05T10:11:00", "5m")
    assert walls(found, "UTC") == ["01-05 10:02", "01-05 10:05", "01-05 10:10"]
    assert found.intervals[0, 0] == ns("2026-01-05T10:02:30")
    assert found.intervals[-1, 1] == ns("2026-01-05T10:11:00")
    assert found.partial.tolist() == [True, False, True]


def test_whole_intervals_are_not_partial():
    assert not cut("2026-01-05T10:00:00", "2026-01-05T10:15:00", "5m").partial.any()


@pytest.mark.parametrize("every", ["7m", "5h", "25h", "36h", "24h"])
def test_a_length_that_does_not_divide_a_day_is_counted_from_the_epoch(every):
    zone = "Asia/Kolkata"
    number, unit = int(every[:-1]), {"m": 60 * S, "h": HOUR}[every[-1]]
    found = cut("2026-03-01T00:00:00", "2026-03-09T00:00:00", every, zone)
    assert not (found.intervals[1:, 0] % (number * unit)).any()
    assert np.all(np.diff(found.intervals[1:-1, 0]) == number * unit)


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Asia/Shanghai", "2026-03-29", 24),
        ("America/Havana", "2026-11-01", 25),
        ("America/Havana", "2026-03-08", 23),
    ],
)
def test_a_day_is_as_long_as_the_clock_makes_it(zone, day, length):
    start = datetime.fromisoformat(f"{day}T12:00:00") - timedelta(days=1, hours=12)
    stop = start + timedelta(days=3)
    low = intervals(
        ns(start.isoformat(), zone),
        ns(stop.isoformat(), zone),
        Interval(every="1d", time_zone=zone),
    )
    assert hours(low) == [24, length, 24]
    assert not low.partial.any()


@pytest.mark.parametrize(
    ("day", "number"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)]
)
def test_an_hour_always_has_3600_seconds(day, number):
    zone = "Europe/Berlin"
    stop = (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()
    assert hours(cut(f"{day}T00:00:00", f"{stop}T00:00:00", "1h", zone)) == [1] * number


def test_hours_of_a_zone_with_half_an_hour_begin_on_its_clock():
    found = cut("2026-03-29T05:10:00", "2026-03-29T08:00:00", "1h", "Asia/Kolkata")
    assert walls(found, "Asia/Kolkata") == ["03-29 05:10", "03-29 06:00", "03-29 07:00"]


def test_a_clock_change_of_half_an_hour_leaves_a_short_hour_before_midnight():
    found = cut("2026-04-05T00:00:00", "2026-04-06T00:00:00", "1h", "Australia/Lord_Howe")
    assert hours(found) == [1] * 24 + [0.5]


@pytest.mark.parametrize(
    ("day", "lengths"),
    [("2026-03-29", [5, 6, 6, 6]), ("2026-10-25", [7, 6, 6, 6]), ("2026-06-01", [6] * 4)],
)
def test_longer_parts_of_a_day_keep_the_clock_on_the_wall(day, lengths):
    zone = "Europe/Berlin"
    stop = (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()
    found = cut(f"{day}T00:00:00", f"{stop}T00:00:00", "6h", zone)
    assert hours(found) == lengths
    assert [w[-5:] for w in walls(found, zone)] == ["00:00", "06:00", "12:00", "18:00"]


def test_an_edge_that_the_clock_jumps_over_is_the_jump():
    found = cut("2026-03-29T00:00:00", "2026-03-29T06:00:00", "2h", "Europe/Berlin")
    assert walls(found, "Europe/Berlin") == ["03-29 00:00", "03-29 03:00", "03-29 04:00"]
    assert hours(found) == [2, 1, 2]


def test_an_edge_that_comes_twice_is_the_first():
    found = cut("2026-10-25T00:00:00", "2026-10-25T06:00:00", "2h", "Europe/Berlin")
    assert hours(found) == [2, 3, 2]


def test_a_day_that_begins_with_a_jump_begins_there():
    found = cut("2026-03-07T00:00:00", "2026-03-10T00:00:00", "1d", "America/Havana")
    assert walls(found, "America/Havana")[1] == "03-08 01:00"


def test_a_date_that_a_zone_skips_has_no_interval():
    found = cut("2011-12-28T00:00:00", "2012-01-02T00:00:00", "1d", "Pacific/Apia")
    days = ["12-28 00:00", "12-29 00:00", "12-31 00:00", "01-01 00:00"]
    assert walls(found, "Pacific/Apia") == days
    assert hours(found) == [24] * 4
    shift = Shift(name="night", start="22:00", stop="06:00")
    nights = intervals(
        ns("2011-12-29T12:00:00", "Pacific/Apia"),
        ns("2012-01-01T12:00:00", "Pacific/Apia"),
        Interval(shifts=(shift,), time_zone="Pacific/Apia"),
    )
    assert walls(nights, "Pacific/Apia") == ["12-29 22:00", "12-31 22:00"]
    assert hours(nights) == [8, 8]


@pytest.mark.parametrize(
    ("every", "starts"),
    [
        ("1w", ["2025-12-29", "2026-01-05", "2026-01-12"]),
        ("1mo", ["2026-01-01", "2026-02-01", "2026-03-01"]),
        ("1q", ["2026-01-01", "2026-04-01", "2026-07-01"]),
        ("1y", ["2026-01-01", "2027-01-01", "2028-01-01"]),
        ("2mo", ["2026-01-01", "2026-03-01", "2026-05-01"]),
        ("2d", ["2026-01-01", "2026-01-03", "2026-01-05"]),
    ],
)
def test_weeks_begin_on_monday_and_months_quarters_and_years_on_their_first(every, starts):
    zone = "Europe/Berlin"
    found = cut(f"{starts[0]}T00:00:00", f"{starts[2]}T00:00:01", every, zone)
    dates = [datetime.fromtimestamp(int(t) // S, ZoneInfo(zone)) for t in found.intervals[:, 0]]
    assert [d.date().isoformat() for d in dates] == starts
    assert found.partial.tolist() == [False, False, True]


def test_shifts_cross_midnight_and_keep_their_weekdays():
    shifts = (
        Shift(name="early", start="06:00", stop="14:00", days=(1, 2, 3, 4, 5)),
        Shift(name="late", start="14:00", stop="22:00", days=(1, 2, 3, 4, 5)),
        Shift(name="night", start="22:00", stop="06:00", days=(7, 1, 2, 3, 4)),
    )
    zone = "Europe/Berlin"
    # From Friday noon to Monday morning.
    start, stop = ns("2026-05-08T12:00:00", zone), ns("2026-05-11T07:00:00", zone)
    found = intervals(start, stop, Interval(shifts=shifts, time_zone=zone))
    assert found.names == ("early", "late", "night", "early")
    expected = ["05-08 12:00", "05-08 14:00", "05-10 22:00", "05-11 06:00"]
    assert walls(found, zone) == expected
    assert found.partial.tolist() == [True, False, False, True]


def test_a_night_shift_of_a_clock_change_is_an_hour_shorter_or_longer():
    zone, night = "Europe/Berlin", Shift(name="night", start="22:00", stop="06:00")
    interval = Interval(shifts=(night,), time_zone=zone)
    spring = intervals(ns("2026-03-28T12:00:00", zone), ns("2026-03-29T12:00:00", zone), interval)
    autumn = intervals(ns("2026-10-24T12:00:00", zone), ns("2026-10-25T12:00:00", zone), interval)
    assert (hours(spring), hours(autumn)) == ([7], [9])


def test_a_shift_whose_start_the_clock_jumps_over_begins_with_the_jump():
    zone, shift = "Europe/Berlin", Shift(name="s", start="02:30", stop="10:00")
    interval = Interval(shifts=(shift,), time_zone=zone)
    found = intervals(ns("2026-03-29T00:00:00", zone), ns("2026-03-29T12:00:00", zone), interval)
    assert walls(found, zone) == ["03-29 03:00"]
    assert hours(found) == [7]


def test_a_shift_may_end_at_midnight_and_last_a_whole_day():
    for stop, length in (("24:00", 18), ("00:00", 18), ("06:00", 24)):
        shift = Shift(name="s", start="06:00", stop=stop, days=(2,))
        found = intervals(
            ns("2026-05-04T00:00:00"), ns("2026-05-07T00:00:00"), Interval(shifts=(shift,))
        )
        assert hours(found) == [length]


def test_a_span_without_a_shift_has_no_intervals():
    shift = Shift(name="s", start="06:00", stop="07:00")
    found = intervals(
        ns("2026-05-04T08:00:00"), ns("2026-05-04T09:00:00"), Interval(shifts=(shift,))
    )
    assert found.intervals.shape == (0, 2)


def test_a_span_that_stops_before_it_starts_runs_backwards():
    start, stop = ns("2026-01-05T10:02:00"), ns("2026-01-05T10:10:00")
    there = intervals(start, stop, Interval(every="5m"))
    back = intervals(stop, start, Interval(every="5m"))
    assert back.intervals.tolist() == [[b, a] for a, b in there.intervals[::-1].tolist()]
    assert back.partial.tolist() == there.partial[::-1].tolist()


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (Interval(every="0s"), "not a length"),
        (Interval(every="5 minutes"), "not a length"),
        (Interval(every="-1h"), "not a length"),
        (Interval(every="999y"), "hundred years"),
        (Interval(every="999999999h"), "hundred years"),
        (Interval(every="1d", time_zone="Mars/Olympus"), "no time zone"),
        (Interval(every="1d", time_zone="../etc/passwd"), "no time zone"),
        (Interval(every="1d", time_zone=""), "no time zone"),
        (Interval(every="1d", time_zone="Europe"), "no time zone"),
        (Interval(every="1ms"), "at most 100000"),
        (Interval(every="1s"), "at most 100000"),
        (Interval(every="1h", shifts=(Shift(name="a", start="1", stop="2"),)), "both"),
        (Interval(shifts=(Shift(name="a", start="6:00", stop="14:00"),)), "time of day"),
        (Interval(shifts=(Shift(name="a", start="24:30", stop="14:00"),)), "time of day"),
        (Interval(shifts=(Shift(name="a", start="06:00", stop="14:00", days=(0,)),)), "weekdays"),
        (Interval(shifts=(Shift(name="a", start="06:00", stop="14:00", days=()),)), "weekdays"),
    ],
)
def test_what_cannot_be_cut_is_refused_and_says_why(interval, words):
    with pytest.raises(Invalid) as caught:
        intervals(0, 3 * DAY, interval)
    assert words in f"{caught.value} {caught.value.remedy}"


def test_an_empty_or_endless_span_is_refused():
    for start, stop in ((5, 5), (0, 2**63 - 1), (-(2**63), 0)):
        with pytest.raises(Invalid, match="span"):
            intervals(start, stop, Interval(every="1d"))


@given(
    st.sampled_from(LENGTHS),
    st.sampled_from(
        ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
         "America/St_Johns", "Pacific/Apia", "Africa/Cairo"]
    ),
    st.datetimes(datetime(1975, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001 - Hypothesis wants them naive
    st.integers(1, 2 * 86_400),
)  # fmt: skip
def test_intervals_cover_the_span_without_gap_or_overlap(every, zone, begin, length_s):
    start = int(begin.replace(tzinfo=UTC).timestamp()) * S
    stop = start + length_s * S
    found = intervals(start, stop, Interval(every=every, time_zone=zone))
    table = found.intervals.tolist()
    assert (table[0][0], table[-1][1]) == (start, stop)
    assert all(a[1] == b[0] for a, b in pairwise(table))
    assert all(a < b for a, b in table)
    # Where a span begins changes no edge inside it.
    wider = intervals(start - 3 * DAY, stop + 3 * DAY, Interval(every=every, time_zone=zone))
    assert {a for a, _ in table[1:]} <= set(wider.intervals[:, 0].tolist())
