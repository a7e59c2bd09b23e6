"""Minimum and maximum, their time and their distance, without bounds and with simple ones.

Source: OPC 10000-13 v1.05, 5.4.3.10 to 5.4.3.19. The lowest is sought as the highest of -x.
"""

from typing import NamedTuple

import numpy as np

from lineshaft.core.batch import Codes, Floats, Ints, Mask
from lineshaft.historian.aggregates.bounds import simple
from lineshaft.historian.aggregates.frame import Frame, highest, is_bad, reduce
from lineshaft.historian.aggregates.series import (
    BAD_NO_DATA,
    CALCULATED,
    GOOD,
    INTERPOLATED,
    MULTIPLE,
    TICK_NS,
    UNCERTAIN,
    Rows,
    rows,
)
from lineshaft.historian.aggregates.time import by_time


class Found(NamedTuple):
    """The extreme of each of k intervals."""

    value: Floats
    """NaN where there is none."""
    code: Codes
    time_ns: Ints
    """When it was."""
    at_time: Codes
    """Its bits when it is returned with that time."""
    at_start: Codes
    """Its bits when it is returned with the start of the interval."""

    def rows(self, frame: Frame, *, actual: bool) -> Rows:
        """With the time of the extreme or of the interval."""
        time = np.where(is_bad(self.code), frame.start, self.time_ns)
        bits = self.at_time if actual else self.at_start
        return rows(time if actual else frame.start, self.value, self.code, bits)


def _plain(frame: Frame, sign: float) -> Found:
    goods = frame.goods
    value = sign * frame.value
    top = highest(goods, value[goods.which])
    unsure = frame.picked(frame.uncertain)
    beyond = reduce(np.maximum, value[unsure.which], unsure.lo, unsure.hi) > top.value
    none = goods.counts <= 0
    shaky = beyond | (frame.count(frame.barred) > 0)
    code = np.where(none, BAD_NO_DATA, np.where(shaky, UNCERTAIN, GOOD))
    time = frame.time[top.first]
    many = np.where((top.times > 1) & ~none, MULTIPLE, 0) | frame.partial_bit
    moved = np.where((time != frame.start) & ~none, CALCULATED, 0)
    return Found(sign * top.value, code, time, many, moved | many)


def _bounded(frame: Frame, sign: float) -> Found:
    usable = frame.picked(~frame.barred)
    top = highest(usable, sign * frame.value[usable.which])
    opening, closing = simple(frame, frame.start), simple(frame, frame.end)
    # A sample at the start is itself in the interval, and is not counted twice.
    before = np.where(opening.raw, np.nan, sign * opening.value)
    after = np.full(len(before), np.nan) if frame.stepped else sign * closing.value
    best = np.fmax(np.fmax(before, top.value), after)
    first: Mask = before == best
    inside: Mask = ~first & (top.value == best)
    times = 1 * first + (top.value == best) * top.times + (after == best)
    none = np.isnan(best)
    tick = np.where(frame.backward, -TICK_NS, TICK_NS)
    last_ns = np.where(np.abs(frame.end - frame.start) > TICK_NS, frame.end - tick, frame.start)
    time = np.where(first, frame.start, np.where(inside, frame.time[top.first], last_ns))
    many = np.where(times > 1, MULTIPLE, 0) | frame.partial_bit
    drawn = np.where(inside | none, 0, INTERPOLATED)
    # With the interval's own start, a sample elsewhere makes the row calculated.
    elsewhere = (inside & (time != frame.start)) | (~first & ~inside & closing.raw & ~none)
    moved = np.where(elsewhere, CALCULATED, drawn)
    code = np.where(none, np.uint32(BAD_NO_DATA), by_time(frame))
    return Found(sign * best, code, time, drawn | many, moved | many)


def minimum(frame: Frame) -> Rows:
    """Lowest of the good samples."""
    return _plain(frame, -1.0).rows(frame, actual=False)


def maximum(frame: Frame) -> Rows:
    """Highest of the good samples."""
    return _plain(frame, 1.0).rows(frame, actual=False)


def minimum_actual_time(frame: Frame) -> Rows:
    """The same with the earliest time it was."""
    return _plain(frame, -1.0).rows(frame, actual=True)


def maximum_actual_time(frame: Frame) -> Rows:
    """The same with the earliest time it was."""
    return _plain(frame, 1.0).rows(frame, actual=True)


def range_(frame: Frame) -> Rows:
    """Highest less lowest of the good samples."""
    return _range(frame, _plain(frame, -1.0), _plain(frame, 1.0))


def minimum_2(frame: Frame) -> Rows:
    """Lowest of the samples that are not bad and of the bounds."""
    return _bounded(frame, -1.0).rows(frame, actual=False)


def maximum_2(frame: Frame) -> Rows:
    """Highest of the samples that are not bad and of the bounds."""
    return _bounded(frame, 1.0).rows(frame, actual=False)


def minimum_actual_time_2(frame: Frame) -> Rows:
    """The same with the earliest time it was."""
    return _bounded(frame, -1.0).rows(frame, actual=True)


def maximum_actual_time_2(frame: Frame) -> Rows:
    """The same with the earliest time it was."""
    return _bounded(frame, 1.0).rows(frame, actual=True)


def range_2(frame: Frame) -> Rows:
    """Highest less lowest, with the bounds."""
    return _range(frame, _bounded(frame, -1.0), _bounded(frame, 1.0))


def _range(frame: Frame, low: Found, high: Found) -> Rows:
    # The worse of the two: an uncertain sample may lie beyond only one of them.
    code = np.maximum(low.code, high.code)
    bits = np.where(np.isnan(low.value), 0, CALCULATED) | frame.partial_bit
    return rows(frame.start, high.value - low.value, code, bits)
