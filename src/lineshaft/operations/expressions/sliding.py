"""What looks back in time, row after row without columns: windows that slide, what lasts.

Times of rows rise. Each function here gives what `windows` and `run` give for the same samples, to
the last bit; where that is not sure it raises `Unlike`.
"""

import math
from array import array
from bisect import bisect_right
from collections.abc import Callable, MutableSequence
from typing import Any

import numpy as np

from lineshaft.core.batch import Codes
from lineshaft.core.clock import NS_PER_S
from lineshaft.operations.expressions import columns
from lineshaft.operations.expressions.tails import Rows
from lineshaft.operations.expressions.tree import Timed, Type

BAD, UNCERTAIN = int(columns.BAD), int(columns.UNCERTAIN)
OUT_OF_RANGE, NO_DATA = int(columns.OUT_OF_RANGE), int(columns.NO_DATA)
SUB_NORMAL, INITIAL = int(columns.SUB_NORMAL), int(columns.INITIAL)
Value = tuple[Any, int]
"""A value, and its status code."""
Read = Callable[[int], Value]
"""The value at a time."""
_PLACES = 1074
"""Every float is a multiple of 2^-1074."""
_ONE = 1 << _PLACES
_BITS_MAX = 100
"""Sums of pairs of floats are exact as long as a sum has fewer bits than this."""


class Unlike(Exception):  # noqa: N818 - no error, but an answer
    """Columns may give another last bit."""


class Tail:
    """Samples of one input: rising times, values, codes."""

    __slots__ = ("codes", "times", "values")

    def __init__(self, type_: Type) -> None:
        self.times: array[int] = array("q")
        self.values: MutableSequence[Any] = [] if type_ is Type.STRING else array("d")
        self.codes: array[int] = array("I")

    def fill(self, rows: Rows) -> None:
        """Hold these and no others."""
        del self.times[:], self.values[:], self.codes[:]
        self.times.frombytes(np.ascontiguousarray(rows.time).tobytes())
        self.values.extend(rows.data.tolist())
        self.codes.frombytes(np.ascontiguousarray(_codes(rows)).tobytes())

    def rows(self, type_: Type) -> Rows:
        """All of them as columns."""
        codes = np.array(self.codes, dtype=np.uint32)
        kind = {Type.STRING: np.object_, Type.BOOL: np.bool_}.get(type_, np.float64)
        data = np.array(self.values, dtype=kind)
        return Rows(np.array(self.times, dtype=np.int64), data, codes if codes.any() else None)


class Total:
    """`avg`, `sum` and `count`: integers are added and taken away, so that nothing is rounded."""

    def __init__(self, tail: Tail, node: Timed) -> None:
        self._tail, self._window_ns = tail, node.window_ns
        self._counts, self._mean = node.op == "count", node.op == "avg"
        self._lo = self._hi = -1
        self._found = self._doubtful = self._sum = 0

    def reset(self) -> None:
        """Other samples are at hand."""
        self._lo = self._hi = -1

    def at(self, time_ns: int) -> Value:
        """The value at a time."""
        self._slide(time_ns)
        if self._counts:
            return float(self._found), 0
        if not self._found:
            return 0.0, NO_DATA
        size = abs(self._sum)
        if size.bit_length() - (size & -size).bit_length() > _BITS_MAX:
            raise Unlike
        try:
            value = self._sum / _ONE
        except OverflowError:
            raise Unlike from None
        return value / self._found if self._mean else value, SUB_NORMAL if self._doubtful else 0

    def _slide(self, time_ns: int) -> None:
        times = self._tail.times
        hi, lo = bisect_right(times, time_ns), bisect_right(times, time_ns - self._window_ns)
        if self._hi < lo:
            self._lo = self._hi = lo
            self._found = self._doubtful = self._sum = 0
        for place in range(self._hi, hi):
            self._add(place, 1)
        for place in range(self._lo, lo):
            self._add(place, -1)
        self._lo, self._hi = lo, hi

    def _add(self, place: int, sign: int) -> None:
        code = self._tail.codes[place]
        if code >= UNCERTAIN:
            self._doubtful += sign
        if code < BAD:
            self._found += sign
            if not self._counts:
                over, under = self._tail.values[place].as_integer_ratio()
                self._sum += sign * over << _PLACES + 1 - under.bit_length()


def extreme(tail: Tail, node: Timed) -> Read:
    """`min` and `max`."""
    window_ns, pick = node.window_ns, min if node.op == "min" else max

    def read(time_ns: int) -> Value:
        lo = bisect_right(tail.times, time_ns - window_ns)
        hi = bisect_right(tail.times, time_ns)
        values, codes = tail.values[lo:hi], tail.codes[lo:hi]
        quality = 0
        if codes and max(codes) >= UNCERTAIN:
            quality = SUB_NORMAL
            values = [v for v, c in zip(values, codes, strict=True) if c < BAD]
        if not values:
            return 0.0, NO_DATA
        found = pick(values)
        if found == 0.0 and any(v == 0.0 and math.copysign(1.0, v) < 0 for v in values):
            raise Unlike
        return found, quality

    return read


def change(tail: Tail, node: Timed) -> Read:
    """`delta` and `rate`."""
    window_ns, is_rate = node.window_ns, node.op == "rate"

    def read(time_ns: int) -> Value:
        times, values, codes = tail.times, tail.values, tail.codes
        end = bisect_right(times, time_ns) - 1
        begin = bisect_right(times, time_ns - window_ns) - 1
        short = begin < 0
        begin = max(begin, 0)
        found = values[end] - values[begin]
        quality = max(codes[end], codes[begin], INITIAL if short else 0)
        if is_rate:
            passed = window_ns if not short else time_ns - times[0]
            if passed <= 0:
                return 0.0, NO_DATA
            found /= float(passed) / NS_PER_S
        return finite(found, quality)

    return read


def stale(tails: list[Tail], window_ns: int) -> Read:
    """`stale`."""

    def read(time_ns: int) -> Value:
        last = max(t.times[bisect_right(t.times, time_ns) - 1] for t in tails)
        return time_ns - last >= window_ns, 0

    return read


class Lasting:
    """`duration`: since when a condition is true."""

    def __init__(self, condition: Read) -> None:
        self._condition = condition
        self.since_ns: int | None = None
        self.quality = 0

    def at(self, time_ns: int) -> Value:
        """The value at a time; it must be asked for at every time of its inputs."""
        value, quality = self._condition(time_ns)
        if not value or quality >= BAD:
            self.since_ns = None
        elif self.since_ns is None:
            self.since_ns = time_ns
        self.quality = quality
        return 0 if self.since_ns is None else time_ns - self.since_ns, quality


def _codes(rows: Rows) -> Codes:
    return np.zeros(len(rows.time), dtype=np.uint32) if rows.quality is None else rows.quality


def finite(value: float, quality: int) -> Value:
    """The value; what is not finite is bad."""
    if math.isfinite(value):
        return value, quality
    return 0.0, quality if quality >= BAD else OUT_OF_RANGE
