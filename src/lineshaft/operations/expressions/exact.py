"""Sums over windows that are exact until the last rounding, whatever was summed before them.

Differences of running float sums depend on where the running began, so that the same window would
give another last digit in another batch. Here each value is cut into slices of fixed places, as
digits of base 2^40; the slices of one place add up in integers, and integers do not round.

Source: J. Demmel, H. D. Nguyen, "Parallel reproducible summation", IEEE Trans. Computers 64 (2015).
"""

from typing import NamedTuple

import numpy as np

from lineshaft.core.batch import Floats, Ints

STEP = 40
"""Bits of a digit; sums of 2^22 digits, also of two kinds, fit into 63 bits."""
_MASK = np.int64(2**STEP - 1)
_LOWEST = -27
"""The place of the last bit that a float can hold, 2^-1074."""
_POWER_MAX = 1000
_SPLIT = 134_217_729.0
"""2^27 + 1 cuts a float into two halves that can be multiplied without rounding (T. J. Dekker)."""


class Running(NamedTuple):
    """Running sums of digits: place by place, each of shape (n + 1,), beginning with 0."""

    top: int
    """The highest place; the others follow downwards."""
    sums: list[Ints]

    def between(self, lo: Ints, hi: Ints) -> "Pair":
        """The sum of values `lo` to `hi`, without the latter, for each pair."""
        ends, begins = _in_a_row(hi), _in_a_row(lo)
        return _value([s[ends] - s[begins] for s in self.sums], self.top)


def _in_a_row(places: Ints) -> Ints | slice:
    """The places as a slice, if they rise by one, as those of a steady signal do."""
    n = len(places)
    if n > 1 and places[-1] - places[0] == n - 1 and (places[1:] - places[:-1] == 1).all():
        return slice(int(places[0]), int(places[-1]) + 1)
    return places


class Pair(NamedTuple):
    """A number as the unevaluated sum of two floats: the nearest one, and what it leaves."""

    high: Floats
    low: Floats


def running(*terms: Floats) -> Running:
    """Running sums of values, which are finite; several terms add up value by value."""
    highest = max((float(np.abs(t).max(initial=0.0)) for t in terms), default=0.0)
    top = int(np.frexp(highest)[1]) // STEP if highest else 0
    sums: list[Ints] = []
    rests = list(terms)
    for place in range(top, _LOWEST - 1, -1):
        digits = np.empty(len(terms[0]) + 1, dtype=np.int64)
        digits[0] = 0
        own = digits[1:]
        power = STEP * place
        for number, rest in enumerate(rests):
            whole = _shifted(rest, -power)
            np.trunc(whole, out=whole)
            if number:
                own += whole.astype(np.int64)
            else:
                own[:] = whole
            rests[number] = rest - _shifted(whole, power)
        # A term without a rest has no digits below.
        rests = [rest for rest in rests if rest.any()]
        sums.append(np.cumsum(digits))
        if not rests:
            break
    return Running(top, sums)


def squares(x: Floats) -> tuple[Floats, Floats]:
    """The squares, as rounded ones and what rounding took from them; |x| below 1e150."""
    return _times(x, x)


def _value(digits: list[Ints], top: int) -> Pair:
    # Of a number above zero the digits are unique, so what follows sees the same numbers whatever
    # other places the batch needed.
    unique = _carried(digits)
    negative = unique[0] < 0
    if negative.any():
        sign = np.where(negative, np.int64(-1), np.int64(1))
        unique = _carried([d * sign for d in digits])
    high = np.zeros(len(unique[0]))
    low = np.zeros(len(unique[0]))
    with np.errstate(over="ignore"):
        for place, digit in zip(range(top + 1, top + 1 - len(unique), -1), unique, strict=True):
            if not digit.any():
                continue
            # All digits above are of larger places, so that the sum of them is 0 or larger.
            high, rest = _plus_less(high, _shifted(digit.astype(np.float64), STEP * place))
            high, low = _plus_less(high, low + rest)
    if negative.any():
        high, low = np.where(negative, -high, high), np.where(negative, -low, low)
    return Pair(high, low)


def _shifted(x: Floats, power: int) -> Floats:
    """Times 2^power, exactly; in two steps where the power itself is beyond what a float holds."""
    if abs(power) <= _POWER_MAX:
        return x * 2.0**power
    half = power // 2
    return x * 2.0**half * 2.0 ** (power - half)


def _carried(digits: list[Ints]) -> list[Ints]:
    """Each but the first in 0 to 2^40 - 1, with one more place above."""
    found: list[Ints] = []
    carry = np.zeros_like(digits[0])
    for digit in reversed(digits):
        total = digit + carry
        found.append(total & _MASK)
        carry = total >> STEP
    found.append(carry)
    return found[::-1]


def _plus_less(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The rounded sum, and what rounding took, of a ≥ b in size or a = 0 (T. J. Dekker)."""
    total = a + b
    return total, b - (total - a)


def _plus(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The rounded sum, and what rounding took (D. E. Knuth)."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


def _times(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The rounded product, and what rounding took (T. J. Dekker)."""
    product = a * b
    a_high, a_low = _halves(a)
    b_high, b_low = _halves(b)
    rest = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, rest


def _halves(x: Floats) -> tuple[Floats, Floats]:
    scaled = x * _SPLIT
    high = scaled - (scaled - x)
    return high, x - high


def spread_about_mean(total: Pair, of_squares: Pair, count: Floats) -> Floats:
    """Sum of the squared distances from the mean, of each window: Σx² - (Σx)² / n, in pairs."""
    square, rest = _times(total.high, total.high)
    rest = rest + 2 * total.high * total.low
    high, low = _times(of_squares.high, count)
    low = low + of_squares.low * count
    difference, lost = _plus(high, -square)
    found: Floats = np.maximum(difference + (lost + (low - rest)), 0.0) / np.maximum(count, 1.0)
    return found
