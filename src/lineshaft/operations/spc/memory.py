"""Charts with memory: small, lasting shifts that a single point does not show.

Both go value by value, so that where a batch ends changes no digit.

Source: ISO 7870-6 (EWMA), ISO 7870-4 (CUSUM); Lucas and Saccucci (1990); Page (1954).
"""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Ewma:
    """Exponentially weighted moving average of standardised values.

    `weight` λ is in (0, 1]; `width` L counts standard errors of the average. The limits
    widen from the start on as its variance does: L·√(λ/(2−λ)·(1−(1−λ)^2i)).
    """

    def __init__(self, weight: float = 0.2, width: float = 3.0, *, exact: bool = True) -> None:
        self.weight, self.width, self.exact = weight, width, exact
        self.level = 0.0
        self.seen = 0

    def push(self, z: Floats) -> tuple[Floats, Floats, Flags]:
        """Average, its upper limit (the lower is its negative) and signals, each (n,).

        A NaN leaves the average where it is and gives NaN without a signal.
        """
        levels, limits = np.empty(len(z)), np.empty(len(z))
        keep, level = 1 - self.weight, self.level
        wide = self.width * math.sqrt(self.weight / (2 - self.weight))
        for i, value in enumerate(z.tolist()):
            if math.isnan(value):
                levels[i], limits[i] = math.nan, wide
                continue
            level = keep * level + self.weight * value
            self.seen += 1
            levels[i] = level
            limits[i] = wide * math.sqrt(1 - keep ** (2 * self.seen)) if self.exact else wide
        self.level = level
        with np.errstate(invalid="ignore"):
            return levels, limits, np.abs(levels) > limits


class Sums(msgspec.Struct, frozen=True):
    """Where a two-sided CUSUM stands."""

    upper: float = 0.0
    lower: float = 0.0


class Cusum:
    """Two-sided cumulative sums of standardised values.

    `slack` k and `decision` h count standard errors. After a signal the sums begin anew.
    """

    def __init__(self, slack: float = 0.5, decision: float = 5.0) -> None:
        self.slack, self.decision = slack, decision
        self.state = Sums()

    def push(self, z: Floats) -> tuple[Floats, Floats, Flags]:
        """Upper sum, lower sum (both from zero up) and signals, each (n,)."""
        ups, downs = np.empty(len(z)), np.empty(len(z))
        signals = np.zeros(len(z), dtype=bool)
        up, down, slack, decision = self.state.upper, self.state.lower, self.slack, self.decision
        for i, value in enumerate(z.tolist()):
            if math.isnan(value):
                ups[i] = downs[i] = math.nan
                continue
            up = max(0.0, up + value - slack)
            down = max(0.0, down - value - slack)
            ups[i], downs[i] = up, down
            if up > decision or down > decision:
                signals[i] = True
                up = down = 0.0
        self.state = Sums(up, down)
        return ups, downs, signals
