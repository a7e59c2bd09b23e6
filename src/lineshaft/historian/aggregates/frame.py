"""Samples and intervals made ready: which samples lie in which interval, and what they are."""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from lineshaft.core.batch import Codes, Floats, Ints, Mask
from lineshaft.core.errors import Invalid
from lineshaft.historian.aggregates.series import (
    BAD,
    BITS_MASK,
    PARTIAL,
    TICK_NS,
    Configuration,
    Series,
)

UNCERTAIN_SEVERITY = 1


class Frame:
    """What every aggregate needs; n samples (at least one), k intervals."""

    def __init__(
        self,
        samples: Series,
        intervals: Ints,
        configuration: Configuration,
        partial: Mask | None = None,
    ) -> None:
        samples = _rising(samples)
        self.configuration = configuration
        self.stepped = configuration.stepped or samples.texts
        self.time: Ints = samples.time_ns
        self.quality: Codes = samples.quality & ~np.uint32(BITS_MASK)
        self.annotations_ns: Ints = (
            np.zeros(0, dtype=np.int64)
            if samples.annotations_ns is None
            else samples.annotations_ns
        )
        severity = self.quality >> np.uint32(30)
        self.bad: Mask = (severity > UNCERTAIN_SEVERITY) | np.isnan(samples.value)
        self.value: Floats = np.where(self.bad, np.nan, samples.value)
        self.uncertain: Mask = (severity == UNCERTAIN_SEVERITY) & ~self.bad
        self.good: Mask = ~self.bad & ~self.uncertain
        self.barred: Mask = (
            self.bad | self.uncertain if configuration.treat_uncertain_as_bad else self.bad
        )
        """What counts as bad when bounds are sought and shares are taken."""

        self.start: Ints = intervals[:, 0]
        self.end: Ints = intervals[:, 1]
        self.backward: Mask = self.start > self.end
        self.low: Ints = np.minimum(self.start, self.end)
        self.high: Ints = np.maximum(self.start, self.end)
        self.lo, self.hi = self.within(self.time)
        """(k,) samples `lo` to `hi`, without the latter, lie in the interval."""

        self.outside: Mask = (self.hi == 0) | (self.lo == len(self.time))
        """Intervals that end before data begins, or begin after it ends."""
        first, last = self.time[0], self.time[-1]
        cut = (first > self.low) | (last + TICK_NS < self.high)
        if partial is not None:
            cut = cut | partial
        self.partial_bit: Codes = np.where(cut, np.uint32(PARTIAL), np.uint32(0))
        self.stop: Ints = np.minimum(self.high, last + TICK_NS)
        """Where time that is summed up ends."""

    def within(self, time_ns: Ints) -> tuple[Ints, Ints]:
        """Which of the rising times lie in each interval: from the first index to the second."""
        left = np.searchsorted(time_ns, (self.low, self.high), "left")
        if not self.backward.any():
            return left[0], left[1]
        # An interval that runs backwards holds its start, the later edge, and not the earlier.
        right = np.searchsorted(time_ns, (self.low, self.high), "right")
        return (
            np.where(self.backward, right[0], left[0]),
            np.where(self.backward, right[1], left[1]),
        )

    def count(self, mask: Mask) -> Ints:
        """How many samples of the mask lie in each interval."""
        sums = np.concatenate(([0], np.cumsum(mask, dtype=np.int64)))
        return sums[self.hi] - sums[self.lo]

    def picked(self, mask: Mask) -> "Picked":
        """The samples of the mask, and where those of each interval stand among them."""
        sums = np.concatenate(([0], np.cumsum(mask, dtype=np.int64)))
        return Picked(np.flatnonzero(mask), sums[self.lo], sums[self.hi])

    @cached_property
    def goods(self) -> "Picked":
        """The good samples."""
        return self.picked(self.good)

    @cached_property
    def all(self) -> "Picked":
        """All samples."""
        return Picked(np.arange(len(self.time)), self.lo, self.hi)


class Picked(NamedTuple):
    """Some of the samples."""

    which: Ints
    """(m,) numbers of samples."""
    lo: Ints
    hi: Ints
    """(k,) those of an interval are `which[lo:hi]`."""

    @property
    def counts(self) -> Ints:
        """(k,) how many each interval has."""
        return self.hi - self.lo

    def spread(self) -> tuple[Ints, Ints]:
        """Every sample of every interval: which interval, and where in `which`."""
        counts = np.maximum(self.counts, 0)
        owner = np.repeat(np.arange(len(counts)), counts)
        begin = np.cumsum(counts) - counts
        return owner, np.arange(len(owner)) + np.repeat(self.lo - begin, counts)


def reduce(ufunc: np.ufunc, x: Floats, lo: Ints, hi: Ints, *, empty: float = np.nan) -> Floats:
    """`ufunc` over `x[lo:hi]` of each interval; `empty` where that holds nothing."""
    out = np.full(len(lo), empty)
    some = lo < hi
    if some.any():
        pairs = np.stack((lo[some], hi[some]), axis=1).ravel()
        # `reduceat` wants every index inside: one more element, which no interval reaches.
        out[some] = ufunc.reduceat(np.append(x, x[-1:]), pairs)[::2]
    return out


class Extreme(NamedTuple):
    """The highest value of each interval."""

    value: Floats
    """(k,) NaN where there is none."""
    first: Ints
    """(k,) the earliest sample that has it; 0 where there is none."""
    times: Ints
    """(k,) how many samples have it."""


def highest(picked: Picked, x: Floats) -> Extreme:
    """The highest of `x` (m,) per interval."""
    value = reduce(np.maximum, x, picked.lo, picked.hi)
    owner, at = picked.spread()
    hits = np.flatnonzero(x[at] == value[owner])
    owners = owner[hits]
    times = np.bincount(owners, minlength=len(value)).astype(np.int64)
    first = np.zeros(len(value), dtype=np.int64)
    fresh = np.ones(len(hits), dtype=np.bool_)
    fresh[1:] = owners[1:] != owners[:-1]
    first[owners[fresh]] = picked.which[at[hits[fresh]]]
    return Extreme(value, first, times)


def checked(intervals: Ints) -> Ints:
    """The intervals as an array of shape (k, 2).

    Raises:
        Invalid: another shape, or one whose start is its end.
    """
    table = np.asarray(intervals, dtype=np.int64)
    if table.ndim != 2 or table.shape[1] != 2:  # noqa: PLR2004
        raise Invalid(f"intervals have shape {table.shape}, wanted (k, 2)")
    same = np.flatnonzero(table[:, 0] == table[:, 1])
    if len(same):
        raise Invalid(
            f"interval {same[0]} starts and ends at {table[same[0], 0]}",
            remedy="Give a start and an end that differ.",
        )
    return table


def _rising(samples: Series) -> Series:
    """The same samples, each time once."""
    times = np.asarray(samples.time_ns, dtype=np.int64)
    values = np.asarray(samples.value, dtype=np.float64)
    codes = np.asarray(samples.quality, dtype=np.uint32)
    if len(times) > 1 and (times[1:] <= times[:-1]).any():
        times, order = np.unique(times, return_index=True)
        values, codes = values[order], codes[order]
    return samples._replace(time_ns=times, value=values, quality=codes)


def is_bad(codes: Codes) -> Mask:
    """Severity bad."""
    return codes >= np.uint32(BAD)
