"""Cuts a span of time into intervals: lengths, days of a time zone, shifts."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from lineshaft.core.batch import Ints, Mask
from lineshaft.core.errors import Invalid

INTERVALS_MAX = 100_000

SECOND_NS = 1_000_000_000
HOUR_NS = 3600 * SECOND_NS
DAY_NS = 24 * HOUR_NS
FIXED_NS = {
    "ms": 1_000_000,
    "s": SECOND_NS,
    "m": 60 * SECOND_NS,
    "h": HOUR_NS,
}
DAYS_AT_MOST = {"d": 1, "w": 7, "mo": 31, "q": 92, "y": 366}
MONTHS = {"mo": 1, "q": 3, "y": 12}
YEAR_MONTHS = 12
WEEK_DAYS = 7
SHIFTS_MAX = 7 * 24
"""An hour each."""
LENGTH = re.compile(r"([1-9]\d{0,8})(ms|mo|s|m|h|d|w|q|y)")
CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?")
LENGTH_NS_MAX = 36_525 * DAY_NS
"""A hundred years."""
FAR_NS = 180 * 365 * DAY_NS
"""So far from 1970 no length leads out of 64 bits."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1).toordinal()
LENGTHS = "`10s`, `5m`, `1h`, `1d`, `1w`, `1mo`, `1q` or `1y`"


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """One shift of a day, in local time; one that ends before it begins ends the next day."""

    name: str
    start: str
    """`06:00`."""
    stop: str
    """`14:00`."""
    days: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    """ISO weekdays on which it begins, 1 is Monday."""


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """How the span is cut."""

    every: str = ""
    """`10s`, `5m`, `1h`, `1d`, `1w`, `1mo`, `1q`, `1y`; days and longer follow the calendar of
    the time zone (a day of a clock change has 23 or 25 hours). Empty: one interval, the span."""
    time_zone: str = "UTC"
    shifts: tuple[Shift, ...] = ()
    """Instead of `every`: one interval for each shift."""


class Cut(NamedTuple):
    """Intervals of a span, in order."""

    intervals: Ints
    """(k, 2) start and end, nanoseconds; each holds its start and not its end."""
    partial: Mask
    """(k,) those that the span cuts short."""
    names: tuple[str, ...] = ()
    """(k,) of the shifts; empty when the span is cut otherwise."""


def intervals(
    start_ns: int, stop_ns: int, interval: Interval, *, intervals_max: int = INTERVALS_MAX
) -> Cut:
    """The intervals that touch the span, the first and the last clipped to it.

    Lengths up to an hour are always that long, counted from local midnight; from there to less
    than a day they keep the clock on the wall, if they divide a day. What does not divide a day
    is counted from the epoch. Days and longer begin at local midnight, weeks on Monday. When the
    start is later than the stop, the intervals run backwards, the latest first.

    Raises:
        Invalid: the span is empty, a name or length is not understood, or there would be more
            than `intervals_max`.
    """
    if start_ns == stop_ns:
        raise Invalid(
            f"the span starts and stops at {start_ns}", remedy="Let it stop later than it starts."
        )
    low, high = min(start_ns, stop_ns), max(start_ns, stop_ns)
    if low < -FAR_NS or high > FAR_NS:
        raise Invalid(
            "the span leaves the years 1791 to 2149", remedy="Give a start and a stop in them."
        )
    names: tuple[str, ...] = ()
    if interval.shifts:
        table, names = _shifts(low, high, interval, intervals_max)
    else:
        edges = _edges(low, high, interval, intervals_max)
        table = np.stack((edges[:-1], edges[1:]), axis=1)
    partial = (table[:, 0] < low) | (table[:, 1] > high)
    table = np.clip(table, low, high)
    if start_ns > stop_ns:
        return Cut(table[::-1, ::-1].copy(), partial[::-1].copy(), names[::-1])
    return Cut(table, partial, names)


def _edges(low: int, high: int, interval: Interval, limit: int) -> Ints:
    """Rising edges, the first at or before `low`, the last at or after `high`."""
    zone = _zone(interval.time_zone)
    if not interval.every:
        return np.array([low, high], dtype=np.int64)
    found = LENGTH.fullmatch(interval.every)
    if found is None:
        raise Invalid(
            f"{interval.every!r} is not a length of intervals", remedy=f"Write {LENGTHS}."
        )
    number, unit = int(found[1]), found[2]
    length = number * (FIXED_NS[unit] if unit in FIXED_NS else DAYS_AT_MOST[unit] * DAY_NS)
    if length > LENGTH_NS_MAX:
        raise Invalid(f"{interval.every!r} is longer than a hundred years", remedy="Give less.")
    _refuse_beyond(limit, (high - low) // length - 1, interval.every)
    if unit in FIXED_NS:
        edges = _clock_edges(low, high, length, zone)
    else:
        edges = _calendar_edges(low, high, number, unit, zone)
    first = int(np.searchsorted(edges, low, "right")) - 1
    last = int(np.searchsorted(edges, high, "left"))
    edges = edges[first : last + 1]
    _refuse_beyond(limit, len(edges) - 1, interval.every)
    return edges


def _clock_edges(low: int, high: int, length: int, zone: ZoneInfo) -> Ints:
    """Edges of a length in hours or less, and a little more on both sides."""
    if DAY_NS % length or length == DAY_NS:
        return np.arange(low // length * length, high + length, length, dtype=np.int64)
    dates = _dates(low, high, zone)
    if length > HOUR_NS:
        step = timedelta(microseconds=length // 1000)
        walls = (
            datetime.combine(d, time()) + i * step for d in dates for i in range(DAY_NS // length)
        )
        return np.unique(np.array([_instant(w, zone) for w in walls], dtype=np.int64))
    midnights = [_instant(datetime.combine(d, time()), zone) for d in dates]
    # A clock change by half an hour leaves a rest of the hour before midnight.
    parts = [
        np.arange(
            a + max(0, (low - a) // length * length), min(b, high + length), length, dtype=np.int64
        )
        for a, b in pairwise(midnights)
    ]
    return np.concatenate(parts)


def _calendar_edges(low: int, high: int, number: int, unit: str, zone: ZoneInfo) -> Ints:
    """Local midnights at which days, weeks, months, quarters or years begin."""
    first, *_, last = _dates(low, high, zone)
    if unit in MONTHS:
        step = number * MONTHS[unit]
        begin = (first.year * YEAR_MONTHS + first.month - 1) // step * step
        stop = last.year * YEAR_MONTHS + last.month + step
        starts = [date(m // YEAR_MONTHS, m % YEAR_MONTHS + 1, 1) for m in range(begin, stop, step)]
    else:
        step = number * DAYS_AT_MOST[unit]
        # 1970-01-05 was a Monday.
        zero = EPOCH_DAY + 4 if unit == "w" else EPOCH_DAY
        begin = (first.toordinal() - zero) // step * step + zero
        stop = last.toordinal() + step + 1
        starts = [date.fromordinal(n) for n in range(begin, stop, step)]
    edges = [_instant(datetime.combine(d, time()), zone) for d in starts]
    # A day that a zone skips begins when the next one does.
    return np.unique(np.array(edges, dtype=np.int64))


def _shifts(low: int, high: int, interval: Interval, limit: int) -> tuple[Ints, tuple[str, ...]]:
    """The shifts that touch the span, by their beginning, and their names."""
    zone = _zone(interval.time_zone)
    if interval.every:
        raise Invalid(
            f"both `every` ({interval.every!r}) and shifts are given", remedy="Give one of them."
        )
    if len(interval.shifts) > SHIFTS_MAX:
        raise Invalid(
            f"{len(interval.shifts)} shifts came, at most {SHIFTS_MAX} are taken",
            remedy="Give a shift that is the same on many days once, with its days.",
        )
    weekly = sum(len(set(s.days)) for s in interval.shifts)
    _refuse_beyond(limit, (high - low) // DAY_NS // WEEK_DAYS * weekly, "shifts")
    found = [
        (begin, end, shift.name)
        for shift in interval.shifts
        for begin, end in _occurrences(shift, low, high, zone)
        if begin < high and end > low
    ]
    found.sort()
    _refuse_beyond(limit, len(found), "shifts")
    table = np.array([(a, b) for a, b, _ in found], dtype=np.int64).reshape(-1, 2)
    return table, tuple(name for _, _, name in found)


def _occurrences(shift: Shift, low: int, high: int, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    start, stop = _clock(shift, shift.start), _clock(shift, shift.stop)
    if not shift.days or not set(shift.days) <= set(range(1, WEEK_DAYS + 1)):
        raise Invalid(
            f"shift {shift.name!r} begins on the days {list(shift.days)}",
            remedy="Give ISO weekdays, 1 (Monday) to 7 (Sunday).",
        )
    midnights = [datetime.combine(d, time()) for d in _dates(low, high, zone)]
    # Days that the zone skips have no shifts, and are no next day.
    lengths = np.diff([_instant(m, zone) for m in midnights])
    midnights = [m for m, n in zip(midnights, lengths, strict=False) if n]
    for today, tomorrow in pairwise(midnights):
        if today.isoweekday() in shift.days:
            end = tomorrow if stop <= start else today
            begin_ns, end_ns = _instant(today + start, zone), _instant(end + stop, zone)
            if begin_ns < end_ns:
                yield begin_ns, end_ns


def _clock(shift: Shift, text: str) -> timedelta:
    found = CLOCK.fullmatch(text)
    clock = (
        timedelta(hours=int(found[1]), minutes=int(found[2]), seconds=int(found[3] or 0))
        if found
        else None
    )
    if clock is None or clock > timedelta(days=1):
        raise Invalid(
            f"shift {shift.name!r}: {text!r} is not a time of day", remedy="Write `06:00`."
        )
    return clock


# ---- dates and instants


def _dates(low: int, high: int, zone: ZoneInfo) -> Iterator[date]:
    """Local dates of the span, with two more before and after."""
    first = _local(low, zone).toordinal() - 2
    for n in range(first, _local(high, zone).toordinal() + 3):
        yield date.fromordinal(n)


def _local(time_ns: int, zone: ZoneInfo) -> date:
    return (EPOCH + timedelta(seconds=time_ns // SECOND_NS)).astimezone(zone).date()


def _instant(wall: datetime, zone: ZoneInfo) -> int:
    """When the clock on the wall first shows this, or jumps over it; nanoseconds."""
    early = wall.replace(tzinfo=zone).astimezone(UTC)
    if early.astimezone(zone).replace(tzinfo=None) != wall:
        early = _jump(wall, zone)
    return ((early - EPOCH) // timedelta(microseconds=1)) * 1000


def _jump(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant of the clock change that leaves out this time of the wall."""
    after = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    late = wall.replace(tzinfo=zone).astimezone(UTC)
    early, late = min(after, late), max(after, late)
    offset = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            early = middle
        else:
            late = middle
    return late


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid(
            f"there is no time zone {name!r}", remedy="Give an IANA name, as Europe/Berlin."
        ) from None


def _refuse_beyond(limit: int, number: int, what: str) -> None:
    if number > limit:
        raise Invalid(
            f"cutting the span by {what} makes {number} intervals, at most {limit} are made",
            remedy="Ask for longer intervals or a shorter span.",
        )
