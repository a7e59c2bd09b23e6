"""The value at an instant: simple and interpolated bounds, and the aggregates that are one.

Source: OPC 10000-13 v1.05, 3.1 (bounding values) and 5.4.3.4, 5.4.3.28 to 5.4.3.30.
"""

from typing import NamedTuple

import numpy as np

from lineshaft.core.batch import Codes, Floats, Ints, Mask
from lineshaft.historian.aggregates.frame import Frame, is_bad
from lineshaft.historian.aggregates.series import (
    BAD_NO_DATA,
    CALCULATED,
    GOOD,
    INTERPOLATED,
    UNCERTAIN,
    Rows,
    rows,
)


class Bound(NamedTuple):
    """What is known of each of k instants."""

    value: Floats
    code: Codes
    """Status without bits; BadNoData where there is no value."""
    raw: Mask
    """A sample stands at the instant."""


def simple(frame: Frame, at_ns: Ints, barred: Mask | None = None) -> Bound:
    """From the nearest samples, whatever their status."""
    barred = frame.barred if barred is None else barred
    time, value = frame.time, frame.value
    place = np.searchsorted(time, at_ns, "right") - 1
    i = np.maximum(place, 0)
    j = np.minimum(place + 1, len(time) - 1)
    raw = (place >= 0) & (time[i] == at_ns)
    lost = (place < 0) | barred[i] | ((place + 1 == len(time)) & ~raw)
    held, doubtful = value[i], frame.uncertain[i]
    if not frame.stepped:
        run = (at_ns - time[i]) / np.maximum(time[j] - time[i], 1)
        flat = raw | barred[j]
        held = np.where(flat, held, held + (value[j] - held) * run)
        doubtful = doubtful | frame.uncertain[j] | barred[j]
    return _bound(frame, np.where(lost, np.nan, held), raw, doubtful, i)


def interpolated(frame: Frame, at_ns: Ints) -> Bound:
    """From the nearest samples that are not bad; past the newest one, extrapolated."""
    usable = np.flatnonzero(~frame.barred)
    if not len(usable):
        nothing = np.zeros(len(at_ns), dtype=np.bool_)
        return _bound(frame, np.full(len(at_ns), np.nan), nothing, nothing, np.zeros_like(at_ns))
    time, value = frame.time[usable], frame.value[usable]
    place = np.searchsorted(time, at_ns, "right") - 1
    i = np.maximum(place, 0)
    j = np.minimum(place + 1, len(usable) - 1)
    raw = (place >= 0) & (time[i] == at_ns)
    ended = place + 1 == len(usable)
    if frame.stepped:
        newest = np.searchsorted(frame.time, at_ns, "right") - 1
        held = value[i]
        doubtful = frame.uncertain[usable[i]] | (newest > usable[i])
    else:
        slope = np.append(np.diff(value) / np.diff(time), extrapolation(frame, time, value))
        held = value[i] + slope[i] * (at_ns - time[i])
        skipped = usable[j] - usable[i] > 1
        doubtful = frame.uncertain[usable[i]] | frame.uncertain[usable[j]] | skipped
    found = np.where(place < 0, np.nan, np.where(raw, value[i], held))
    return _bound(frame, found, raw, doubtful | ended, usable[i])


def extrapolation(frame: Frame, time: Ints, value: Floats) -> float:
    """Slope per nanosecond after the newest of these samples."""
    if not frame.configuration.sloped_extrapolation or frame.stepped or len(time) < 2:  # noqa: PLR2004
        return 0.0
    return float((value[-1] - value[-2]) / (time[-1] - time[-2]))


def _bound(frame: Frame, value: Floats, raw: Mask, doubtful: Mask, i: Ints) -> Bound:
    plain = np.where(doubtful, np.uint32(UNCERTAIN), np.uint32(GOOD))
    code = np.where(raw, frame.quality[i], plain)
    return Bound(value, np.where(np.isnan(value), np.uint32(BAD_NO_DATA), code), raw)


# ---- aggregates


def interpolative(frame: Frame) -> Rows:
    """The interpolated bound at the start; never partial."""
    bound = interpolated(frame, frame.start)
    return rows(frame.start, bound.value, bound.code, _interpolated_bit(bound))


def start_bound(frame: Frame) -> Rows:
    """The simple bound at the start."""
    bound = simple(frame, frame.start)
    bits = _interpolated_bit(bound) | frame.partial_bit
    return rows(frame.start, bound.value, bound.code, bits)


def end_bound(frame: Frame) -> Rows:
    """The simple bound at the end."""
    bound = simple(frame, frame.end)
    bits = np.where(is_bad(bound.code), 0, CALCULATED) | frame.partial_bit
    return rows(frame.start, bound.value, bound.code, bits)


def delta_bounds(frame: Frame) -> Rows:
    """How far the simple bound at the end lies above that at the start."""
    one, two = simple(frame, frame.start), simple(frame, frame.end)
    value = two.value - one.value
    exact = (one.code == GOOD) & (two.code == GOOD)
    lost = is_bad(one.code) | is_bad(two.code)
    code = np.where(lost, BAD_NO_DATA, np.where(exact, GOOD, UNCERTAIN))
    bits = np.where(lost, 0, CALCULATED) | frame.partial_bit
    return rows(frame.start, value, code, bits)


def _interpolated_bit(bound: Bound) -> Codes:
    drawn = ~bound.raw & ~is_bad(bound.code)
    return np.where(drawn, np.uint32(INTERPOLATED), np.uint32(0))
