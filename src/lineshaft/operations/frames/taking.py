"""What a frame takes along of one expression: adds up row by row, so cuts between steps are unseen.

A value holds until the next row. Sums are taken strictly in the order of rows, and a value is
weighted only when it ends: wherever history is cut into steps, the last digit is the same.
"""

import math

import numpy as np

from lineshaft.core.batch import Floats, Ints, Mask
from lineshaft.core.clock import NS_PER_S
from lineshaft.operations.expressions.columns import BAD
from lineshaft.operations.expressions.results import Result
from lineshaft.operations.frames.frame import Value

TEXT_CHARS_MAX = 1_000
"""Characters of a text that a frame takes along; the rest is cut off."""
_NONE: Ints = np.empty(0, dtype=np.int64)


class Taker:
    """The rows of one expression, and the values that the open frame has of it so far."""

    def __init__(self, *, texts: bool) -> None:
        self._texts = texts
        self._time: Ints = _NONE
        self._value: np.ndarray = np.empty(0)
        self._ok: Mask = np.empty(0, dtype=np.bool_)
        self._at = 0
        self._held: Value = None
        """The last usable value."""
        self._usable = False
        """Whether the last row was usable."""
        self._last_ns = -(2**62)
        self._begin()

    def _begin(self) -> None:
        self._first: Value = None
        self._since_ns = 0
        self._area, self._known_ns, self._count = 0.0, 0, 0
        self._low, self._high, self._increase = math.inf, -math.inf, 0.0

    def push(self, rows: Result) -> None:
        """Take the rows of the next step; those of the last one have been used."""
        self.skip()
        self._time, self._value, self._at = rows.time_ns, rows.values, 0
        self._ok = rows.quality < BAD

    def skip(self) -> None:
        """Pass the rows that are left; no frame is open, or it goes on."""
        self._pass(len(self._time))

    def _pass(self, stop: int) -> None:
        """Outside a frame rows only say what holds."""
        if stop <= self._at:
            return
        good = np.flatnonzero(self._ok[self._at : stop])
        if len(good):
            self._held = _bare(self._value[self._at + int(good[-1])])
        self._usable = bool(self._ok[stop - 1])
        self._last_ns = int(self._time[stop - 1])
        self._at = stop

    def open(self, start_ns: int) -> None:
        """A frame begins."""
        self._pass(int(np.searchsorted(self._time, start_ns, "right")))
        self._begin()
        self._first, self._since_ns = self._held, start_ns
        if self._usable:
            self._count = int(self._last_ns == start_ns)
            self._extend(np.array([self._held]) if not self._texts else np.empty(0))

    def _extend(self, values: Floats) -> None:
        if len(values):
            self._low = min(self._low, float(values.min()))
            self._high = max(self._high, float(values.max()))

    def rest(self) -> None:
        """The frame goes on beyond the rows of this step."""
        self._fold(len(self._time))

    def close(self, end_ns: int) -> dict[str, Value]:
        """The frame ends; what it has, by the words of `settings.Take`."""
        self._fold(int(np.searchsorted(self._time, end_ns, "left")))
        last = self._held
        if not self._texts and self._usable:
            self._weigh(end_ns)
        self._since_ns = end_ns
        before = self._held
        self._pass(int(np.searchsorted(self._time, end_ns, "right")))
        found: dict[str, Value] = {"begin": self._first, "last": last, "end": self._held}
        found["count"] = float(self._count)
        if not self._texts:
            found |= self._figures(before)
        return found

    def so_far(self, now_ns: int) -> dict[str, Value]:
        """What an open frame has, were it to end now."""
        found: dict[str, Value] = {"begin": self._first, "last": self._held, "end": self._held}
        found["count"] = float(self._count)
        if self._texts:
            return found
        area, known = self._area, self._known_ns
        if self._usable:
            self._weigh(max(now_ns, self._since_ns))
        found |= self._figures(self._held)
        self._area, self._known_ns = area, known
        return found

    def _figures(self, before: Value) -> dict[str, Value]:
        first, end = _number(self._first), _number(self._held)
        known_s = self._known_ns / NS_PER_S
        increase = self._increase
        if self._held != before:
            increase += _step(_number(before), end)
        return {
            "min": None if math.isinf(self._low) else self._low,
            "max": None if math.isinf(self._high) else self._high,
            "mean": _finite(self._area / known_s) if known_s else first,
            "integral": _finite(self._area),
            "delta": None if first is None or end is None else _finite(end - first),
            "increase": None if first is None else _finite(increase),
        }

    def _weigh(self, until_ns: int) -> None:
        span_ns = until_ns - self._since_ns
        self._area += float(_number(self._held) or 0.0) * (span_ns / NS_PER_S)
        self._known_ns += span_ns

    def _fold(self, stop: int) -> None:
        """Rows within the frame up to a place."""
        if stop <= self._at:
            return
        if self._texts:
            self._count += int(self._ok[self._at : stop].sum())
            self._pass(stop)
            return
        part = slice(self._at, stop)
        times, ok = self._time[part], self._ok[part]
        values = np.where(ok, self._value[part].astype(np.float64), 0.0)
        spans = np.diff(times, prepend=self._since_ns)
        held = np.append(float(_number(self._held) or 0.0), values[:-1])
        usable = np.append(self._usable, ok[:-1])
        steps = np.where(usable, held * (spans / NS_PER_S), 0.0)
        # Adding up from the left, one by one: the sum does not depend on where steps are cut.
        self._area = float(np.add.accumulate(np.append(self._area, steps))[-1])
        self._known_ns += int(spans[usable].sum())
        self._count += int(ok.sum())
        good = values[ok]
        self._extend(good)
        if len(good):
            first = _number(self._held)
            before = np.append(good[0] if first is None else first, good[:-1])
            ups = np.where(good < before, good, good - before)
            self._increase = float(np.add.accumulate(np.append(self._increase, ups))[-1])
        self._since_ns = int(times[-1])
        self._pass(stop)


def _step(before: float | None, after: float | None) -> float:
    if before is None or after is None:
        return 0.0
    return after if after < before else after - before


def _bare(value: object) -> Value:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):  # what no record can hold, or is too long for one, is left out
        return value[:TEXT_CHARS_MAX].replace("\0", "\ufffd")
    if isinstance(value, bool):
        return value
    return float(value) if isinstance(value, int | float) else None


def _number(value: Value) -> float | None:
    return None if value is None or isinstance(value, str) else float(value)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
