"""Functions over a range of samples: one series, all steps at once.

A window is the samples with `at - range <= time <= at`, as in Prometheus 2. Windows are given as
half-open places `low` to `high` in the series' arrays; none of those passed in is empty.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from lineshaft.core.batch import Floats, Ints, Mask
from lineshaft.core.clock import NS_PER_S

FLAT_MAX = 4_000_000
"""Samples of windows laid side by side at once, for functions that need them so."""
EXTRAPOLATE = 1.1
"""A gap at the border up to so many mean distances counts as covered by the samples."""
MEAN_MIN = 2
"""Samples that a slope needs."""

Answer = tuple[Floats, Mask]


class Windows(msgspec.Struct, frozen=True, kw_only=True):
    """The samples of one series, and the windows into them."""

    time_ns: Ints
    """(n,) rising."""
    value: Floats
    """(n,)"""
    low: Ints
    """(k,) first place of each window."""
    high: Ints
    """(k,) place after the last."""
    at_ns: Ints
    """(k,) end of each window in time."""
    range_ns: int

    def reduce(self, ufunc: Any, values: npt.NDArray[Any], skip: int = 0) -> npt.NDArray[Any]:  # noqa: ANN401 - any ufunc
        """`ufunc` over each window of `values`, its first `skip` left out; 0 where none is left."""
        low = self.low + skip
        full = low < self.high
        out = np.zeros(len(low), dtype=values.dtype)
        if full.any():
            padded = np.append(values, values[-1:])  # a window may end behind the last sample
            pairs = np.column_stack((low[full], self.high[full])).ravel()
            out[full] = ufunc.reduceat(padded, pairs)[::2]
        return out

    @property
    def count(self) -> Ints:
        """(k,) samples in each window."""
        return self.high - self.low

    def part(self, start: int, stop: int) -> "Windows":
        """Windows `start` to `stop`."""
        return msgspec.structs.replace(
            self,
            low=self.low[start:stop],
            high=self.high[start:stop],
            at_ns=self.at_ns[start:stop],
        )


def windows(time_ns: Ints, value: Floats, at_ns: Ints, range_ns: int) -> tuple[Windows, Mask]:
    """The windows that hold a sample, and at which steps those are (k,)."""
    low = np.searchsorted(time_ns, at_ns - range_ns, side="left")
    high = np.searchsorted(time_ns, at_ns, side="right")
    full = low < high
    made = Windows(
        time_ns=time_ns,
        value=value,
        low=low[full],
        high=high[full],
        at_ns=at_ns[full],
        range_ns=range_ns,
    )
    return made, full


def _all(values: Floats) -> Answer:
    return values, np.ones(len(values), dtype=bool)


# ---- one pass over each window


def _count(w: Windows) -> Answer:
    return _all(w.count.astype(np.float64))


def _sum(w: Windows) -> Answer:
    return _all(w.reduce(np.add, w.value))


def _mean(w: Windows) -> Answer:
    return _all(w.reduce(np.add, w.value) / w.count)


def _least(w: Windows) -> Answer:
    return _all(w.reduce(np.fmin, w.value))  # NaN only where all are


def _greatest(w: Windows) -> Answer:
    return _all(w.reduce(np.fmax, w.value))


def _last(w: Windows) -> Answer:
    return _all(w.value[w.high - 1])


def _present(w: Windows) -> Answer:
    return _all(np.ones(len(w.low)))


def _steps(w: Windows, differs: Callable[[Floats, Floats], Mask]) -> Answer:
    """How many samples of each window differ from the one before, in it."""
    before = np.concatenate((w.value[:1], w.value[:-1]))
    flags = differs(before, w.value).astype(np.float64)
    return _all(w.reduce(np.add, flags, skip=1))


def _changes(w: Windows) -> Answer:
    return _steps(w, lambda a, b: (a != b) & ~(np.isnan(a) & np.isnan(b)))


def _resets(w: Windows) -> Answer:
    return _steps(w, lambda a, b: b < a)


# ---- counters


def _extrapolated(w: Windows, *, counter: bool, per_second: bool) -> Answer:
    """Rise over each window, stretched to its borders where the samples come near them."""
    first, last = w.low, w.high - 1
    enough = last > first
    first, last, at_ns = first[enough], last[enough], w.at_ns[enough]
    rise = w.value[last] - w.value[first]
    if counter:
        before = np.concatenate((w.value[:1], w.value[:-1]))
        lost = np.where(w.value < before, before, 0.0)
        rise = rise + w.reduce(np.add, lost, skip=1)[enough]
    span = (w.time_ns[last] - w.time_ns[first]) / NS_PER_S
    to_start = (w.time_ns[first] - (at_ns - w.range_ns)) / NS_PER_S
    to_stop = (at_ns - w.time_ns[last]) / NS_PER_S
    mean = span / (last - first)
    if counter:
        # A counter is not extrapolated to below zero.
        falls = (rise > 0) & (w.value[first] >= 0)
        to_zero = np.where(falls, span * (w.value[first] / np.where(falls, rise, 1.0)), np.inf)
        to_start = np.minimum(to_start, to_zero)
    covered = span + sum(
        np.where(gap < mean * EXTRAPOLATE, gap, mean / 2) for gap in (to_start, to_stop)
    )
    factor = covered / span
    if per_second:
        factor = factor / (w.range_ns / NS_PER_S)
    out = np.full(len(w.low), np.nan)
    out[enough] = rise * factor
    return out, enough


def _instant(w: Windows, *, counter: bool) -> Answer:
    """From the last but one sample to the last: the slope of a counter, or the difference."""
    last = w.high - 1
    enough = last > w.low
    last = last[enough]
    now, before = w.value[last], w.value[last - 1]
    found = now - before
    if counter:
        seconds = (w.time_ns[last] - w.time_ns[last - 1]) / NS_PER_S
        found = np.where(now < before, now, found) / seconds
    out = np.full(len(w.low), np.nan)
    out[enough] = found
    return out, enough


# ---- windows laid side by side


def _flat(w: Windows) -> tuple[Ints, Ints]:
    """Places of the samples of all windows one after another, and where each window begins."""
    count = w.count
    starts = np.concatenate(([0], np.cumsum(count)[:-1]))
    places = np.repeat(w.low - starts, count) + np.arange(int(count.sum()))
    return places, starts


def _in_parts(w: Windows, of: Callable[[Windows], Floats]) -> Floats:
    """`of` all windows, so many at a time that their samples fit into memory."""
    ends = np.cumsum(w.count)
    done, parts = 0, []
    while done < len(ends):
        base = int(ends[done - 1]) if done else 0
        stop = max(int(np.searchsorted(ends, base + FLAT_MAX, side="right")), done + 1)
        parts.append(of(w.part(done, stop)))
        done = stop
    return np.concatenate(parts) if parts else np.empty(0)


def _variance(w: Windows) -> Floats:
    places, starts = _flat(w)
    values, count = w.value[places], w.count
    mean = np.add.reduceat(values, starts) / count
    return np.add.reduceat((values - np.repeat(mean, count)) ** 2, starts) / count


def _line(w: Windows, origin_ns: Ints) -> tuple[Floats, Floats]:
    """Slope per second and value at the origin of the straight line nearest to each window."""
    places, starts = _flat(w)
    count = w.count
    y = w.value[places]
    x = (w.time_ns[places] - np.repeat(origin_ns, count)) / NS_PER_S
    base = np.repeat(y[starts], count)
    sum_x, sum_y = np.add.reduceat(x, starts), np.add.reduceat(y - base, starts)
    mean_x = sum_x / count
    about = x - np.repeat(mean_x, count)
    slope = np.add.reduceat(about * (y - base), starts) / np.add.reduceat(about**2, starts)
    level = sum_y / count - slope * mean_x + y[starts]
    flat = np.fmin.reduceat(y, starts) == np.fmax.reduceat(y, starts)
    flat &= ~np.logical_or.reduceat(np.isnan(y), starts)
    finite = np.isfinite(y[starts])
    slope = np.where(flat, np.where(finite, 0.0, np.nan), slope)
    level = np.where(flat, np.where(finite, y[starts], np.nan), level)
    return slope, level


def _enough(w: Windows) -> tuple[Windows, Mask]:
    """The windows with a line through their samples, and which ones those are."""
    mask = w.count >= MEAN_MIN
    kept = msgspec.structs.replace(w, low=w.low[mask], high=w.high[mask], at_ns=w.at_ns[mask])
    return kept, mask


def _spread(values: Floats, mask: Mask) -> Answer:
    out = np.full(len(mask), np.nan)
    out[mask] = values
    return out, mask


def _deriv(w: Windows) -> Answer:
    kept, mask = _enough(w)
    return _spread(_in_parts(kept, lambda p: _line(p, p.time_ns[p.low])[0]), mask)


def predicted(w: Windows, seconds: Floats) -> Answer:
    """Where the straight line through each window stands `seconds` (k,) after its end."""
    kept, mask = _enough(w)
    slope = _in_parts(kept, lambda p: _line(p, p.at_ns)[0])
    level = _in_parts(kept, lambda p: _line(p, p.at_ns)[1])
    return _spread(slope * seconds[mask] + level, mask)


def quantiles(w: Windows, share: Floats) -> Answer:
    """The quantile `share` (k,) of each window."""
    done = 0

    def of(part: Windows) -> Floats:
        nonlocal done
        places, starts = _flat(part)
        values, count = part.value[places], part.count
        which = np.repeat(np.arange(len(count)), count)
        nan = np.isnan(values)
        order = np.lexsort((np.where(nan, -np.inf, values), ~nan, which))
        wanted = share[done : done + len(count)]
        done += len(count)
        return between(values[order], starts, count, wanted)

    return _all(_in_parts(w, of))


def between(values: Floats, starts: Ints, count: Ints, share: Floats) -> Floats:
    """Quantiles of sorted groups that stand one after another; NaN sorts first."""
    inside = np.clip(np.nan_to_num(share), 0.0, 1.0)
    rank = inside * (count - 1)
    low = np.floor(rank).astype(np.int64)
    high = np.minimum(low + 1, count - 1)
    weight = rank - np.floor(rank)
    found = values[starts + low] * (1 - weight) + values[starts + high] * weight
    found = np.where(share < 0, -np.inf, np.where(share > 1, np.inf, found))
    return np.where(np.isnan(share), np.nan, found)


FUNCTIONS: dict[str, Callable[[Windows], Answer]] = {
    "rate": lambda w: _extrapolated(w, counter=True, per_second=True),
    "increase": lambda w: _extrapolated(w, counter=True, per_second=False),
    "delta": lambda w: _extrapolated(w, counter=False, per_second=False),
    "irate": lambda w: _instant(w, counter=True),
    "idelta": lambda w: _instant(w, counter=False),
    "deriv": _deriv,
    "changes": _changes,
    "resets": _resets,
    "avg_over_time": _mean,
    "min_over_time": _least,
    "max_over_time": _greatest,
    "sum_over_time": _sum,
    "count_over_time": _count,
    "last_over_time": _last,
    "present_over_time": _present,
    "stddev_over_time": lambda w: _all(np.sqrt(_in_parts(w, _variance))),
    "stdvar_over_time": lambda w: _all(_in_parts(w, _variance)),
}
"""Functions that need nothing but the window."""
