"""From what counters and names show to what was made, and of what.

A sample at t tells what was counted in (previous t, t]; it counts whole at t. Parts before the
first sample are not known and not counted.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lineshaft.core.batch import BAD, Batch, Floats, Ints, Mask
from lineshaft.operations.expressions.tails import numbers_of


class Counted(NamedTuple):
    """What a counter rose by, sample by sample."""

    time_ns: Ints
    """(n,) rising."""
    rise: Floats
    """(n,) what came since the sample before, never negative."""
    reset: Mask
    """(n,) where it had begun anew."""


class Signal(NamedTuple):
    """A name that holds until the next one: of an order, of a product."""

    time_ns: Ints
    """(n,) rising."""
    code: npt.NDArray[np.int32]
    """(n,) index into `names`."""
    names: tuple[str, ...]
    """The first is the empty one: no order, no product."""

    def at(self, time_ns: Ints) -> npt.NDArray[np.int32]:
        """(m,) the code that holds at each time; 0 before the first sample."""
        if not len(self.time_ns):
            return np.zeros(len(time_ns), dtype=np.int32)
        place = np.searchsorted(self.time_ns, time_ns, side="right") - 1
        return np.where(place >= 0, self.code[np.maximum(place, 0)], np.int32(0))


NOTHING = Counted(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.bool_))
NO_NAME = Signal(np.zeros(0, np.int64), np.zeros(0, np.int32), ("",))


def counted(time_ns: Ints, value: Floats, *, modulus: float = 0.0) -> Counted:
    """What a counter rose by; the first sample is only where it stood.

    `time_ns` (n,) rises, `value` (n,) is finite. Where the value falls the counter has rolled
    over, if that makes a step of at most half of `modulus`; else it has begun anew at 0, and its
    value is what it has counted since.
    """
    if not len(value):
        return NOTHING
    step = np.diff(value)
    fell = step < 0
    if not fell.any():
        return Counted(time_ns[1:], step, fell)
    around = step + modulus
    rolled = fell & (modulus > 0) & (around >= 0) & (around <= modulus / 2)
    reset = fell & ~rolled
    rise = np.select([reset, rolled], [np.maximum(value[1:], 0.0), around], step)
    return Counted(time_ns[1:], rise, reset)


class Counter:
    """What a point rose by, from its samples in order, batch after batch; keeps only rises."""

    def __init__(self, *, modulus: float = 0.0, factor: float = 1.0) -> None:
        self._modulus, self._factor = modulus, factor
        self._last: tuple[Ints, Floats] = (NOTHING.time_ns, NOTHING.rise)
        self._parts: list[Counted] = []

    def add(self, batch: Batch) -> None:
        """Take the next samples; bad ones and those that are no number say nothing."""
        number = numbers_of(batch)
        good = (batch.quality & BAD == 0) & np.isfinite(number)
        usable: slice | Mask = slice(None) if good.all() else good
        times = np.concatenate((self._last[0], batch.time_ns[usable]))
        values = np.concatenate((self._last[1], number[usable]))
        found = counted(times, values, modulus=self._modulus)
        told = (found.rise > 0) | found.reset
        if told.any():
            self._parts.append(
                Counted(found.time_ns[told], found.rise[told] * self._factor, found.reset[told])
            )
        self._last = times[-1:].copy(), values[-1:].copy()

    def counted(self) -> Counted:
        """All of it."""
        if not self._parts:
            return NOTHING
        return Counted(*(np.concatenate(column) for column in zip(*self._parts, strict=True)))


class Naming:
    """The names of a point, from its samples in order, batch after batch."""

    def __init__(self) -> None:
        self._places = {"": 0}
        self._times: list[Ints] = []
        self._codes: list[npt.NDArray[np.int32]] = []

    def add(self, batch: Batch) -> None:
        """Take the next samples; what is of bad quality says nothing new."""
        good = (batch.quality & BAD == 0) & (batch.has_number | batch.has_text)
        rows = batch if good.all() else batch.take(good)
        if not len(rows):
            return
        words = pc.dictionary_encode(pc.fill_null(rows.text, ""))
        text, number = words.indices.to_numpy(), np.nan_to_num(rows.number, nan=np.inf)
        # Names change seldom; only then is one looked at.
        moved = np.ones(len(rows), dtype=np.bool_)
        moved[1:] = (text[1:] != text[:-1]) | (number[1:] != number[:-1])
        pairs = zip(
            words.dictionary.take(words.indices.filter(pa.array(moved))).to_pylist(),
            number[moved].tolist(),
            strict=True,
        )
        names = [_name(t, n) for t, n in pairs]
        code = np.array([self._places.setdefault(n, len(self._places)) for n in names], np.int32)
        last = self._codes[-1][-1] if self._codes else np.int32(-1)
        new = code != np.append(last, code[:-1])
        if new.any():
            self._times.append(rows.time_ns[moved][new])
            self._codes.append(code[new])

    def signal(self) -> Signal:
        """All of it."""
        if not self._times:
            return NO_NAME
        return Signal(np.concatenate(self._times), np.concatenate(self._codes), tuple(self._places))


def _name(text: str, number: float) -> str:
    """A text as it is, a number without a needless point."""
    if text or np.isinf(number):
        return text.strip()
    return str(int(number)) if number.is_integer() else repr(number)
