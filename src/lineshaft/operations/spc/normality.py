"""Whether values may come from a normal distribution: the Anderson-Darling test.

Source: R. B. D'Agostino and M. A. Stephens, Goodness-of-Fit Techniques (1986), table 4.9, for a
mean and deviation that are both estimated; NIST/SEMATECH e-Handbook, 1.3.5.14.
"""

import math
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

FEWEST = 8
"""Below this the test says nothing."""
TESTED_MAX = 2000
"""Of more values so many are tested, evenly chosen: of many any small bend would be found."""
LEVEL = 0.05


class Normality(msgspec.Struct, frozen=True, kw_only=True):
    """What the test says."""

    verdict: Literal["plausible", "doubtful", "unknown"]
    """`doubtful`: at the level of 5 % it is no normal distribution."""
    statistic: float | None = None
    """A*²: A² corrected for the number of values."""
    probability: float | None = None
    """p: how often normal values look as little normal as these, or less."""
    tested: int = 0
    """Values that were tested."""


def normality(values: NDArray[np.float64]) -> Normality:
    """Test values (n,) without NaN."""
    n = len(values)
    if n > TESTED_MAX:
        values = values[np.linspace(0, n - 1, TESTED_MAX).astype(np.intp)]
        n = TESTED_MAX
    if n < FEWEST or not np.ptp(values) > 0:
        return Normality(verdict="unknown", tested=n)
    adjusted = anderson_darling(values) * (1 + 0.75 / n + 2.25 / n**2)
    p = _probability(adjusted)
    verdict: Literal["plausible", "doubtful"] = "plausible" if p >= LEVEL else "doubtful"
    return Normality(verdict=verdict, statistic=adjusted, probability=p, tested=n)


def anderson_darling(values: NDArray[np.float64]) -> float:
    """A² against the normal distribution with their own mean and deviation."""
    n = len(values)
    z = (np.sort(values) - values.mean()) / values.std(ddof=1)
    # Logarithms of both tails each from its own side, so that far values keep their digits.
    below = np.array([_log_below(v) for v in z.tolist()])
    above = np.array([_log_below(-v) for v in z.tolist()])
    weights = 2 * np.arange(1, n + 1) - 1
    return float(-n - (weights * (below + above[::-1])).sum() / n)


def _log_below(z: float) -> float:
    """The logarithm of Φ(z)."""
    return math.log(max(0.5 * math.erfc(-z / math.sqrt(2)), 1e-300))


def _probability(a: float) -> float:
    if a >= 0.6:  # noqa: PLR2004 - the pieces of the table
        return min(max(math.exp(1.2937 - 5.709 * a + 0.0186 * a * a), 0.0), 1.0) if a < 13 else 0.0  # noqa: PLR2004
    if a >= 0.34:  # noqa: PLR2004
        return math.exp(0.9177 - 4.279 * a - 1.38 * a * a)
    if a >= 0.2:  # noqa: PLR2004
        return 1 - math.exp(-8.318 + 42.796 * a - 59.938 * a * a)
    return 1 - math.exp(-13.436 + 101.14 * a - 223.73 * a * a)
