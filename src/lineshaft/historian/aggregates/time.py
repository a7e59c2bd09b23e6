"""Areas under the line and durations: what is weighed with time.

Source: OPC 10000-13 v1.05, 5.4.3.6 to 5.4.3.9, 5.4.3.22, 5.4.3.23, 5.4.3.31 to 5.4.3.34, and
5.3.2 (status by the share of time).
"""

from typing import NamedTuple

import numpy as np

from lineshaft.core.batch import Codes, Floats, Ints, Mask
from lineshaft.historian.aggregates.bounds import extrapolation, simple
from lineshaft.historian.aggregates.frame import Frame, is_bad, reduce
from lineshaft.historian.aggregates.series import (
    ALL,
    BAD,
    BAD_NO_DATA,
    CALCULATED,
    GOOD,
    UNCERTAIN,
    Configuration,
    Rows,
    rows,
)

SECOND_NS = 1e9
MILLISECOND_NS = 1e6


class Lines(NamedTuple):
    """One line from each of m times on, up to the next; the last has no end."""

    time: Ints
    value: Floats
    """At its beginning."""
    slope: Floats
    """Per nanosecond."""

    def area(self, begin: Ints, end: Ints) -> Floats:
        """Under the lines from `begin` to `end` (k,), value × ns; 0 before the first line."""
        begin = np.maximum(begin, self.time[0])
        end = np.maximum(end, begin)
        i = np.searchsorted(self.time, begin, "right") - 1
        j = np.maximum(np.searchsorted(self.time, end, "left") - 1, i)
        after = self.time[np.minimum(i + 1, len(self.time) - 1)]
        run = np.diff(self.time)
        whole = (self.value[:-1] + self.slope[:-1] * run / 2) * run
        apart = self._piece(i, begin, after) + self._piece(j, self.time[j], end)
        apart += reduce(np.add, whole, i + 1, j, empty=0.0)
        return np.where(i == j, self._piece(i, begin, end), apart)

    def _piece(self, i: Ints, begin: Ints, end: Ints) -> Floats:
        middle = (begin - self.time[i]) + (end - begin) / 2
        return (self.value[i] + self.slope[i] * middle) * (end - begin)


def lasting(frame: Frame, mask: Mask, begin: Ints | None = None) -> Floats:
    """How long, in ns, samples of the mask last in each interval (from `begin` on)."""
    levels = Lines(frame.time, mask.astype(np.float64), np.zeros(len(mask)))
    return levels.area(frame.low if begin is None else begin, frame.stop)


def by_share(configuration: Configuration, good: Floats, bad: Floats, total: Floats) -> Codes:
    """Status by the shares of good and of bad in the total."""
    low, high = configuration.percent_data_good, configuration.percent_data_bad
    enough = ALL * good >= low * total
    code = np.where(enough, GOOD, UNCERTAIN)
    if low != ALL - high:
        # Where the limits meet, the comparison of what is good decides alone.
        code = np.where(ALL * bad >= high * total, BAD, code)
    return code.astype(np.uint32)


def by_time(frame: Frame) -> Codes:
    """Status by the share of time: a line that ends in something doubtful is doubtful."""
    bad = frame.barred
    if frame.configuration.treat_uncertain_as_bad and not frame.stepped:
        shaky = np.append(~frame.good[1:], True)
        bad = bad | shaky
    total = (frame.stop - frame.low).astype(np.float64)
    waste = lasting(frame, bad) + np.maximum(frame.time[0] - frame.low, 0)
    code = by_share(frame.configuration, total - waste, waste, total)
    return np.where(waste <= 0, np.uint32(GOOD), code)


# ---- areas


def _straight(frame: Frame) -> tuple[Floats, Floats, Codes]:
    """Area and length of the line over all that is not bad, and the status."""
    usable = np.flatnonzero(~frame.barred)
    if not len(usable):
        zeros = np.zeros(len(frame.low))
        return zeros, zeros, np.full(len(zeros), BAD_NO_DATA, dtype=np.uint32)
    time, value = frame.time[usable], frame.value[usable]
    slope = np.append(np.diff(value) / np.diff(time), extrapolation(frame, time, value))
    begin = np.maximum(frame.low, time[0])
    length = np.maximum(frame.high - begin, 0).astype(np.float64)
    area = Lines(time, value, slope).area(begin, frame.high)
    doubtful = frame.uncertain[usable]
    shaky = np.append(doubtful[:-1] | doubtful[1:] | (np.diff(usable) > 1), True)
    sums = np.concatenate(([0], np.cumsum(shaky)))
    i = np.searchsorted(time, begin, "right") - 1
    j = np.maximum(np.searchsorted(time, frame.high, "left"), i + 1)
    unsure = (sums[j] > sums[i]) | (begin > frame.low)
    code = np.where(length <= 0, BAD_NO_DATA, np.where(unsure, UNCERTAIN, GOOD))
    return area, length, code.astype(np.uint32)


def time_average(frame: Frame) -> Rows:
    """Area under the straight lines by the time that it covers."""
    area, length, code = _straight(frame)
    return _calculated(frame, area / length, code)


def total(frame: Frame) -> Rows:
    """The same area, times seconds: the time average of what is covered, times its length."""
    area, _, code = _straight(frame)
    return _calculated(frame, area / SECOND_NS, code)


def _known(frame: Frame) -> tuple[Floats, Floats]:
    """Area under the lines or steps between samples that are not bad, and their time."""
    level = np.where(frame.barred, 0.0, frame.value)
    slope = np.zeros(len(level))
    if not frame.stepped:
        rising = ~frame.barred[:-1] & ~frame.barred[1:]
        np.divide(np.diff(frame.value), np.diff(frame.time), out=slope[:-1], where=rising)
    return Lines(frame.time, level, slope).area(frame.low, frame.stop), lasting(
        frame, ~frame.barred
    )


def time_average_2(frame: Frame) -> Rows:
    """Area without bad time by the time that is not bad."""
    area, known = _known(frame)
    code = np.where(known > 0, by_time(frame), np.uint32(BAD_NO_DATA))
    return _calculated(frame, area / known, code)


def total_2(frame: Frame) -> Rows:
    """Area without bad time, times seconds."""
    area, known = _known(frame)
    code = np.where(known > 0, by_time(frame), np.uint32(BAD_NO_DATA))
    return _calculated(frame, area / SECOND_NS, code)


# ---- durations


def _duration(frame: Frame, mask: Mask, at_start: Mask) -> Floats:
    """How long samples of the mask last; before the first one `at_start` (k,) decides."""
    after = np.searchsorted(frame.time, frame.low, "left")
    head = np.minimum(frame.time[np.minimum(after, len(frame.time) - 1)], frame.stop)
    head = np.where(after == len(frame.time), frame.stop, np.maximum(head, frame.low))
    return lasting(frame, mask, head) + np.where(at_start, head - frame.low, 0)


def _good(frame: Frame) -> Floats:
    return _duration(frame, frame.good, simple(frame, frame.low).code == GOOD)


def _bad(frame: Frame) -> Floats:
    code = simple(frame, frame.low).code
    lost = is_bad(code)
    if frame.configuration.treat_uncertain_as_bad:
        lost = code != GOOD
    return _duration(frame, frame.barred, lost)


def _whole(frame: Frame) -> Floats:
    return (frame.stop - frame.low).astype(np.float64)


def duration_good(frame: Frame) -> Rows:
    """Milliseconds in which the value is good."""
    return _calculated(frame, _good(frame) / MILLISECOND_NS, GOOD)


def duration_bad(frame: Frame) -> Rows:
    """Milliseconds in which the value is bad."""
    return _calculated(frame, _bad(frame) / MILLISECOND_NS, GOOD)


def percent_good(frame: Frame) -> Rows:
    """Share of time in which the value is good."""
    return _calculated(frame, _good(frame) / _whole(frame) * ALL, GOOD)


def percent_bad(frame: Frame) -> Rows:
    """Share of time in which the value is bad."""
    return _calculated(frame, _bad(frame) / _whole(frame) * ALL, GOOD)


def duration_in_state_zero(frame: Frame) -> Rows:
    """Good milliseconds in which the value is zero."""
    bound = simple(frame, frame.low)
    at_start = (bound.code == GOOD) & (bound.value == 0)
    value = _duration(frame, frame.good & (frame.value == 0), at_start)
    return _calculated(frame, value / MILLISECOND_NS, by_time(frame))


def duration_in_state_non_zero(frame: Frame) -> Rows:
    """Good milliseconds in which the value is something else than zero."""
    bound = simple(frame, frame.low)
    at_start = (bound.code == GOOD) & (bound.value != 0)
    value = _duration(frame, frame.good & (frame.value != 0), at_start)
    return _calculated(frame, value / MILLISECOND_NS, by_time(frame))


def _calculated(frame: Frame, value: Floats, code: Codes | int) -> Rows:
    bits = np.where(np.equal(code, BAD_NO_DATA), 0, CALCULATED) | frame.partial_bit
    return rows(frame.start, value, code, bits)
