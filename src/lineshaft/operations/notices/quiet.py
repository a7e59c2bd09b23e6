"""When quiet hours end."""

import datetime as dt
from zoneinfo import ZoneInfo

from lineshaft.core.clock import NS_PER_S
from lineshaft.operations.notices.settings import DAYS, Quiet, Recipient

JOINS_MAX = 16
"""Quiet hours that may follow one another without a gap; a whole week is never silent for ever."""


def quiet_until(recipient: Recipient, time_ns: int) -> int:
    """When the quiet hours in which the time lies end, in ns; 0 when it lies in none.

    Hours that touch are one. Where the clock is set forward, a wall time that does not exist
    counts as the same instant before the change; where it is set back, the earlier one counts.
    """
    zone, until = ZoneInfo(recipient.zone), 0
    for _ in range(JOINS_MAX):
        at = until or time_ns
        ends = [e for q in recipient.quiet if (e := _end(q, at, zone))]
        if not ends:
            break
        until = max(ends)
    return until


def _end(quiet: Quiet, time_ns: int, zone: ZoneInfo) -> int:
    today = dt.datetime.fromtimestamp(time_ns // NS_PER_S, zone).date()
    for back in (0, 1):
        day = today - dt.timedelta(days=back)
        if DAYS[day.weekday()] not in quiet.days:
            continue
        later = 1 if quiet.stop <= quiet.start else 0
        start = _instant(day, quiet.start, zone)
        stop = _instant(day + dt.timedelta(days=later), quiet.stop, zone)
        if start <= time_ns < stop:
            return stop
    return 0


def _instant(day: dt.date, clock: str, zone: ZoneInfo) -> int:
    hour, minute = map(int, clock.split(":"))
    wall = dt.datetime.combine(day, dt.time(tzinfo=zone)) + dt.timedelta(hours=hour, minutes=minute)
    return int(wall.timestamp()) * NS_PER_S
