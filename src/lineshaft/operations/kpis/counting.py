"""From what counters and names show to what was made, and of what.

A sample at t tells what was counted in (previous t, t]; it counts whole at t. Parts before the
first sample are not known and not counted.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from lineshaft.core.batch import BAD, Batch, Floats, Ints, Mask

CODES_MAX = 2**31 - 1


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
    around = step + modulus
    rolled = fell & (modulus > 0) & (around >= 0) & (around <= modulus / 2)
    reset = fell & ~rolled
    rise = np.select([reset, rolled], [np.maximum(value[1:], 0.0), around], step)
    return Counted(time_ns[1:], rise, reset)


def counter_of(batch: Batch, *, modulus: float = 0.0, factor: float = 1.0) -> Counted:
    """The samples of one point, in order, as what it rose by times `factor`."""
    number = batch.number
    good = (batch.quality & BAD == 0) & np.isfinite(number)
    found = counted(batch.time_ns[good], number[good], modulus=modulus)
    return found if factor == 1.0 else found._replace(rise=found.rise * factor)


def signal_of(batch: Batch) -> Signal:
    """The samples of one point, in order, as names; what is of bad quality says nothing new."""
    good = (batch.quality & BAD == 0) & (batch.has_number | batch.has_text)
    if not good.any():
        return NO_NAME
    text = [
        _name(t, n)
        for t, n in zip(
            pc.fill_null(batch.text, "").to_pylist(), batch.number.tolist(), strict=True
        )
    ]
    kept = [t for t, g in zip(text, good.tolist(), strict=True) if g]
    places = {"": 0}
    code = np.array([places.setdefault(t, len(places)) for t in kept], dtype=np.int32)
    new = np.ones(len(code), dtype=np.bool_)
    new[1:] = code[1:] != code[:-1]
    return Signal(batch.time_ns[good][new], code[new], tuple(places))


def _name(text: str, number: float) -> str:
    """A text as it is, a number without a needless point."""
    if text or np.isnan(number):
        return text.strip()
    return str(int(number)) if number.is_integer() else repr(number)
