"""Over the samples in an interval, without bounds: averages, counts, first and last, quality.

Source: OPC 10000-13 v1.05, 5.4.3.5, 5.4.3.20, 5.4.3.21, 5.4.3.24 to 5.4.3.27, 5.4.3.35 to 5.4.3.40,
and 5.3.2 (status by the share of samples).
"""

import numpy as np

from lineshaft.core.batch import Codes, Floats, Ints
from lineshaft.historian.aggregates.bounds import simple
from lineshaft.historian.aggregates.frame import Frame, highest, is_bad, reduce
from lineshaft.historian.aggregates.series import (
    BAD,
    BAD_NO_DATA,
    CALCULATED,
    GOOD,
    MULTIPLE,
    UNCERTAIN,
    Rows,
    rows,
)
from lineshaft.historian.aggregates.time import by_share


def by_count(frame: Frame) -> Codes:
    """Status by the share of samples; good where there are none to judge by."""
    every = (frame.hi - frame.lo).astype(np.float64)
    good, bad = frame.count(frame.good), frame.count(frame.barred)
    code = by_share(frame.configuration, good.astype(np.float64), bad.astype(np.float64), every)
    return np.where(every == 0, np.uint32(GOOD), code)


def average(frame: Frame) -> Rows:
    """Mean of the good samples; never partial."""
    found = _sums(frame) / np.maximum(frame.goods.counts, 1)
    code = np.where(frame.goods.counts > 0, by_count(frame), np.uint32(BAD_NO_DATA))
    return rows(frame.start, found, code, np.where(is_bad(code), 0, CALCULATED))


def count(frame: Frame) -> Rows:
    """How many samples are good."""
    return _counted(frame, frame.goods.counts)


def number_of_transitions(frame: Frame) -> Rows:
    """How often the value changed, from the last one that is not bad before the interval on."""
    usable = np.flatnonzero(~frame.barred)
    changed = np.zeros(len(frame.time), dtype=np.bool_)
    value = frame.value[usable]
    changed[usable] = np.append(True, value[1:] != value[:-1])[: len(usable)]
    return _counted(frame, frame.count(changed))


def _counted(frame: Frame, found: Ints) -> Rows:
    code = by_count(frame)
    bits = np.where(is_bad(code), 0, CALCULATED) | frame.partial_bit
    return rows(frame.start, found.astype(np.float64), code, bits)


def annotation_count(frame: Frame) -> Rows:
    """How many annotations are attached to times in the interval."""
    lo, hi = frame.within(frame.annotations_ns)
    return rows(frame.start, (hi - lo).astype(np.float64), GOOD, CALCULATED | frame.partial_bit)


# ---- first and last


def start(frame: Frame) -> Rows:
    """The first sample, of any status, with its time."""
    return _at(frame, np.where(frame.backward, frame.hi - 1, frame.lo))


def end(frame: Frame) -> Rows:
    """The last sample, of any status, with its time."""
    return _at(frame, np.where(frame.backward, frame.lo, frame.hi - 1))


def _at(frame: Frame, which: Ints) -> Rows:
    empty = frame.hi <= frame.lo
    i = np.clip(which, 0, len(frame.time) - 1)
    # A good sample without a number has nothing to give.
    unfit = frame.bad[i] & ~is_bad(frame.quality[i])
    code = np.where(empty, BAD_NO_DATA, np.where(unfit, BAD, frame.quality[i]))
    time = np.where(empty, frame.start, frame.time[i])
    return rows(time, frame.value[i], code, frame.partial_bit)


def delta(frame: Frame) -> Rows:
    """How far the latest good sample lies above the earliest one."""
    goods = frame.goods
    none = goods.counts <= 0
    values = np.append(frame.value[goods.which], np.nan)
    found = values[np.where(none, -1, goods.hi - 1)] - values[np.where(none, -1, goods.lo)]
    last = len(frame.time) - 1
    whole = frame.good[np.minimum(frame.lo, last)] & frame.good[np.clip(frame.hi - 1, 0, last)]
    code = np.where(none, BAD_NO_DATA, np.where(whole, GOOD, UNCERTAIN))
    return rows(frame.start, found, code, np.where(none, 0, CALCULATED) | frame.partial_bit)


# ---- quality


def worst_quality(frame: Frame) -> Rows:
    """The first status of the worst severity among the samples."""
    severity = _severity(frame.quality)
    worst = highest(frame.all, severity)
    return _worst(frame, frame.quality[worst.first], worst.value, worst.times)


def worst_quality_2(frame: Frame) -> Rows:
    """The same, with the simple bounds at the start and at the end; uncertain is never bad."""
    worst = highest(frame.all, _severity(frame.quality))
    code, value = frame.quality[worst.first], np.nan_to_num(worst.value, nan=-1.0)
    opening = simple(frame, frame.start, frame.bad)
    closing = simple(frame, frame.end, frame.bad)
    # A sample at the start is itself in the interval, and is not counted twice.
    before = np.where(opening.raw, -1.0, _severity(opening.code))
    after = _severity(closing.code)
    top = np.maximum(np.maximum(before, value), after)
    times = (before == top) * 1 + (value == top) * worst.times + (after == top) * 1
    found = np.where(before == top, opening.code, np.where(value == top, code, closing.code))
    return _worst(frame, found, top, times)


def _worst(frame: Frame, code: Codes, severity: Floats, times: Ints) -> Rows:
    none = np.isnan(severity)
    many = np.where((times > 1) & (severity > 0), MULTIPLE, 0)
    bits = np.where(none, 0, CALCULATED | many) | frame.partial_bit
    return rows(frame.start, code.astype(np.float64), np.where(none, BAD_NO_DATA, GOOD), bits)


def _severity(codes: Codes) -> Floats:
    severity: Floats = np.minimum(codes >> np.uint32(30), 2).astype(np.float64)
    return severity


# ---- deviations


def standard_deviation_population(frame: Frame) -> Rows:
    """Root of the population variance."""
    return _deviation(frame, np.sqrt(_variance(frame, 0)))


def variance_population(frame: Frame) -> Rows:
    """Mean square of the distance from the mean, over the good samples."""
    return _deviation(frame, _variance(frame, 0))


def standard_deviation_sample(frame: Frame) -> Rows:
    """Root of the sample variance."""
    return _deviation(frame, np.sqrt(_variance(frame, 1)))


def variance_sample(frame: Frame) -> Rows:
    """The same with one less than the number of samples as divisor; 0 of a single one."""
    return _deviation(frame, _variance(frame, 1))


def _sums(frame: Frame) -> Floats:
    goods = frame.goods
    return reduce(np.add, frame.value[goods.which], goods.lo, goods.hi)


def _variance(frame: Frame, less: int) -> Floats:
    goods = frame.goods
    n = goods.counts
    owner, at = goods.spread()
    # Distances from the mean of the interval: sums of squares alone would cancel.
    apart = frame.value[goods.which[at]] - (_sums(frame) / np.maximum(n, 1))[owner]
    squares = np.bincount(owner, weights=apart * apart, minlength=len(n))
    return np.where(n > 1, squares / np.maximum(n - less, 1), 0.0)


def _deviation(frame: Frame, found: Floats) -> Rows:
    none = frame.goods.counts <= 0
    skipped = frame.goods.counts < frame.hi - frame.lo
    code = np.where(none, BAD_NO_DATA, np.where(skipped, UNCERTAIN, GOOD))
    return rows(frame.start, found, code, np.where(none, 0, CALCULATED) | frame.partial_bit)
