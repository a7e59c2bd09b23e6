"""Quiet hours on the wall clocks of recipients."""

import datetime as dt
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from lineshaft.operations.notices.quiet import quiet_until
from lineshaft.operations.notices.settings import DAYS, Quiet, Recipient

S = 1_000_000_000
NIGHT = Quiet(start="22:00", stop="06:00")


def at(text: str, zone: str = "Europe/Berlin") -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * S


def until(text: str, *quiet: Quiet, zone: str = "Europe/Berlin") -> int:
    return quiet_until(Recipient(name="li", zone=zone, quiet=quiet), at(text, zone))


def test_a_night_lasts_over_midnight():
    assert until("2026-01-05T21:59", NIGHT) == 0
    assert until("2026-01-05T22:00", NIGHT) == at("2026-01-06T06:00")
    assert until("2026-01-06T05:59", NIGHT) == at("2026-01-06T06:00")
    assert until("2026-01-06T06:00", NIGHT) == 0


def test_days_are_those_on_which_quiet_hours_begin():
    friday = Quiet(start="22:00", stop="06:00", days=("fri",))
    assert until("2026-01-10T05:00", friday) == at("2026-01-10T06:00"), "Saturday morning"
    assert until("2026-01-10T23:00", friday) == 0, "Saturday evening"


def test_hours_that_touch_are_one():
    weekend = Quiet(start="00:00", stop="24:00", days=("sat", "sun"))
    assert until("2026-01-09T23:00", NIGHT, weekend) == at("2026-01-12T06:00")


def test_a_night_with_a_changed_clock_ends_when_the_wall_says_so():
    assert until("2026-03-28T23:00", NIGHT) == at("2026-03-29T06:00")
    assert at("2026-03-29T06:00") - at("2026-03-28T22:00") == 7 * 3600 * S
    assert until("2026-10-24T23:00", NIGHT) == at("2026-10-25T06:00")
    assert at("2026-10-25T06:00") - at("2026-10-24T22:00") == 9 * 3600 * S


clocks = st.tuples(st.integers(0, 23), st.integers(0, 59)).map("{0[0]:02d}:{0[1]:02d}".format)


@given(
    st.integers(1_700_000_000, 1_800_000_000),
    clocks,
    clocks,
    st.sets(st.sampled_from(DAYS), min_size=1),
)
def test_the_end_is_later_than_the_time_and_not_quiet_itself(time_s, start, stop, days):
    recipient = Recipient(
        name="li", zone="Asia/Shanghai", quiet=(Quiet(start=start, stop=stop, days=tuple(days)),)
    )
    end = quiet_until(recipient, time_s * S)
    wall = dt.datetime.fromtimestamp(time_s, ZoneInfo("Asia/Shanghai"))
    clock = wall.strftime("%H:%M")
    today, yesterday = DAYS[wall.weekday()] in days, DAYS[wall.weekday() - 1] in days
    if start < stop:
        quiet = today and start <= clock < stop
    else:
        quiet = (today and clock >= start) or (yesterday and clock < stop)
    assert (end > time_s * S) is quiet
    if end and start != stop:
        assert quiet_until(recipient, end) == 0
