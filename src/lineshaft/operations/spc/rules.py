"""Run rules: patterns that a process in control hardly ever shows.

Source: L. S. Nelson, Journal of Quality Technology 16 (1984) 237; Western Electric, Statistical
Quality Control Handbook (1956). The numbers of both sets are those of their authors.
"""

import enum
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Rule(enum.Enum):
    """One pattern; a point is marked when the pattern is complete with it."""

    NELSON_1 = "nelson-1"
    """One point beyond 3σ."""
    NELSON_2 = "nelson-2"
    """Nine points in a row on the same side of the centre."""
    NELSON_3 = "nelson-3"
    """Six points in a row, all rising or all falling."""
    NELSON_4 = "nelson-4"
    """Fourteen points in a row, alternating up and down."""
    NELSON_5 = "nelson-5"
    """Two of three points beyond 2σ on the same side."""
    NELSON_6 = "nelson-6"
    """Four of five points beyond 1σ on the same side."""
    NELSON_7 = "nelson-7"
    """Fifteen points in a row within 1σ, on either side."""
    NELSON_8 = "nelson-8"
    """Eight points in a row beyond 1σ, on either side."""
    WESTERN_1 = "western-1"
    """One point beyond 3σ."""
    WESTERN_2 = "western-2"
    """Two of three points beyond 2σ on the same side."""
    WESTERN_3 = "western-3"
    """Four of five points beyond 1σ on the same side."""
    WESTERN_4 = "western-4"
    """Eight points in a row on the same side of the centre."""


NELSON = tuple(r for r in Rule if r.value.startswith("nelson"))
WESTERN_ELECTRIC = tuple(r for r in Rule if r.value.startswith("western"))
CARRY = 14
"""Points before a batch that the longest rule looks back at."""


def violations(z: Floats, rules: Sequence[Rule], before: Floats | None = None) -> Flags:
    """Which point completes which pattern: shape (len(rules), n).

    `z` (n,) are the plotted values as distances from the centre in standard errors, in order;
    NaN (a bad value) fits no pattern and breaks those that count every point. `before` are
    the last `CARRY` of them before this batch.
    """
    earlier = np.empty(0) if before is None else before[-CARRY:]
    whole = np.concatenate([earlier, z])
    found = np.zeros((len(rules), len(z)), dtype=bool)
    for row, rule in enumerate(rules):
        found[row] = _PATTERNS[rule](whole)[len(earlier) :]
    return found


def _any_side(test: Callable[[Floats], Flags]) -> Callable[[Floats], Flags]:
    return lambda z: test(z) | test(-z)


def _beyond(z: Floats, sigmas: float) -> Flags:
    with np.errstate(invalid="ignore"):
        return z > sigmas


def _of(hits: Flags, count: int, window: int) -> Flags:
    """At least `count` of the last `window` points hit, the present one among them."""
    totals = np.concatenate([[0], np.cumsum(hits)])
    before = np.maximum(np.arange(1, len(hits) + 1) - window, 0)
    enough: Flags = totals[1:] - totals[before] >= count
    return hits & enough


def _run(hits: Flags, length: int) -> Flags:
    """The last `length` points all hit."""
    return _of(hits, length, length)


def _step(z: Floats) -> Floats:
    """Step from the point before; NaN at the first."""
    return np.concatenate([[np.nan], np.diff(z)]) if len(z) else z


def _alternating(z: Floats) -> Flags:
    with np.errstate(invalid="ignore"):
        turn = _step(np.sign(_step(z)))
        return _run(np.abs(turn) == 2, 12)  # noqa: PLR2004 - from +1 to -1; 14 points turn 12 times


_PATTERNS: dict[Rule, Callable[[Floats], Flags]] = {
    Rule.NELSON_1: _any_side(lambda z: _beyond(z, 3)),
    Rule.NELSON_2: _any_side(lambda z: _run(_beyond(z, 0), 9)),
    Rule.NELSON_3: _any_side(lambda z: _run(_beyond(_step(z), 0), 5)),
    Rule.NELSON_4: _alternating,
    Rule.NELSON_5: _any_side(lambda z: _of(_beyond(z, 2), 2, 3)),
    Rule.NELSON_6: _any_side(lambda z: _of(_beyond(z, 1), 4, 5)),
    Rule.NELSON_7: lambda z: _run(~_beyond(np.abs(z), 1) & ~np.isnan(z), 15),
    Rule.NELSON_8: lambda z: _run(_beyond(np.abs(z), 1), 8),
    Rule.WESTERN_1: _any_side(lambda z: _beyond(z, 3)),
    Rule.WESTERN_2: _any_side(lambda z: _of(_beyond(z, 2), 2, 3)),
    Rule.WESTERN_3: _any_side(lambda z: _of(_beyond(z, 1), 4, 5)),
    Rule.WESTERN_4: _any_side(lambda z: _run(_beyond(z, 0), 8)),
}
