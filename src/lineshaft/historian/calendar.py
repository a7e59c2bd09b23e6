"""Cuts a span of time into intervals: lengths, days of a time zone, shifts."""

from typing import NamedTuple

import msgspec

from lineshaft.core.batch import Ints, Mask

INTERVALS_MAX = 100_000


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

    When the start is later than the stop they run backwards, the latest first.

    Raises:
        Invalid: the span is empty, a name or length is not understood, or there would be more
            than `intervals_max`.
    """
    raise NotImplementedError
