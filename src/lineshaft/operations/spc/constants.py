"""Control chart constants, by numeric integration instead of tables.

d2, d3: mean and standard deviation of the range of n standard normal values.
c4: mean of their standard deviation. All others follow (ASTM E2587, Table 6).
"""

import functools
import math

import msgspec
import numpy as np

SIZE_MAX = 100
"""Largest subgroup that constants are worked out for."""
_Z = np.linspace(-8.0, 8.0, 1601)
_DENSITY = np.exp(-_Z * _Z / 2) / math.sqrt(2 * math.pi)
_BELOW = np.array([0.5 * math.erfc(-z / math.sqrt(2)) for z in _Z])


class Constants(msgspec.Struct, frozen=True):
    """The constants for one size of subgroup."""

    size: int
    d2: float
    d3: float
    c4: float

    @property
    def a2(self) -> float:
        """X̄ limits from the mean range: x̄̄ ± A2·R̄."""
        return 3 / (self.d2 * math.sqrt(self.size))

    @property
    def a3(self) -> float:
        """X̄ limits from the mean standard deviation: x̄̄ ± A3·s̄."""
        return 3 / (self.c4 * math.sqrt(self.size))

    @property
    def b3(self) -> float:
        """Lower limit of the s chart: B3·s̄."""
        return max(0.0, 1 - 3 * self.c5 / self.c4)

    @property
    def b4(self) -> float:
        """Upper limit of the s chart: B4·s̄."""
        return 1 + 3 * self.c5 / self.c4

    @property
    def c5(self) -> float:
        """Standard deviation of the standard deviation of n standard normal values."""
        return math.sqrt(1 - self.c4**2)

    @property
    def lower_range(self) -> float:
        """D3: lower limit of the R chart, D3·R̄."""
        return max(0.0, 1 - 3 * self.d3 / self.d2)

    @property
    def upper_range(self) -> float:
        """D4: upper limit of the R chart, D4·R̄."""
        return 1 + 3 * self.d3 / self.d2

    @property
    def e2(self) -> float:
        """Limits of single values from the mean moving range: x̄ ± E2·MR̄."""
        return 3 / self.d2


@functools.cache
def constants(size: int) -> Constants:
    """The constants for subgroups of `size` values, 2 to `SIZE_MAX`.

    Raises:
        ValueError: the size is outside.
    """
    if not 2 <= size <= SIZE_MAX:  # noqa: PLR2004 - a range needs two values
        raise ValueError(f"a subgroup of {size} values has no constants, wanted 2 to {SIZE_MAX}")
    above = 1 - _BELOW
    d2 = float(np.trapezoid(1 - _BELOW**size - above**size, _Z))
    return Constants(size, d2, math.sqrt(_range_square(size) - d2 * d2), _c4(size))


def _c4(size: int) -> float:
    half = math.lgamma(size / 2) - math.lgamma((size - 1) / 2)
    return math.sqrt(2 / (size - 1)) * math.exp(half)


def _range_square(size: int) -> float:
    """Mean of the square of the range: 2 ∫∫_{x<y} (1 − F(y)ⁿ − (1−F(x))ⁿ + (F(y)−F(x))ⁿ) dx dy."""
    low, high = _BELOW[:, None], _BELOW[None, :]
    inner = 1 - high**size - (1 - low) ** size + np.clip(high - low, 0, None) ** size
    step = _Z[1] - _Z[0]
    # The diagonal counts half: the integral is over x < y.
    above = np.triu(inner, 1).sum() + np.trace(inner) / 2
    return float(2 * above * step * step)
