"""Run rules: patterns that a process in control hardly ever shows.

Source: L. S. Nelson, Journal of Quality Technology 16 (1984) 237; Western Electric, Statistical
Quality Control Handbook (1956). The numbers of both sets are those of their authors.
"""

import enum
from collections.abc import Sequence, Set
from typing import NamedTuple

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
    if not rules or not len(z):
        return np.zeros((len(rules), len(z)), dtype=bool)
    patterns = [PATTERNS[r] for r in rules]
    hits = _hits(whole, {p.of for p in patterns})
    # All patterns are counted at once: a call of NumPy costs more than a short column.
    table = np.concatenate([hits[p.of] for p in patterns])
    height = [len(hits[p.of]) for p in patterns]
    count = np.repeat([p.hits for p in patterns], height)[:, None]
    window = np.repeat([p.window for p in patterns], height)[:, None]
    totals = np.zeros((len(table), len(whole) + 1), dtype=np.int32)
    np.cumsum(table, axis=1, out=totals[:, 1:])
    ends = np.arange(len(earlier) + 1, len(whole) + 1)
    begins = np.maximum(ends - window, 0)
    inside = totals[:, len(earlier) + 1 :] - np.take_along_axis(totals, begins, axis=1)
    complete = table[:, len(earlier) :] & (inside >= count)
    return np.logical_or.reduceat(complete, np.cumsum([0, *height[:-1]]), axis=0)


class _Pattern(NamedTuple):
    """At least `hits` of the last `window` points hit, the last one among them."""

    of: str
    """What is a hit; those of both sides are counted each for itself."""
    hits: int
    window: int


PATTERNS = {
    Rule.NELSON_1: _Pattern("beyond 3", 1, 1),
    Rule.NELSON_2: _Pattern("beyond 0", 9, 9),
    Rule.NELSON_3: _Pattern("step", 5, 5),
    Rule.NELSON_4: _Pattern("turn", 12, 12),  # 14 points turn 12 times
    Rule.NELSON_5: _Pattern("beyond 2", 2, 3),
    Rule.NELSON_6: _Pattern("beyond 1", 4, 5),
    Rule.NELSON_7: _Pattern("within 1", 15, 15),
    Rule.NELSON_8: _Pattern("outside 1", 8, 8),
    Rule.WESTERN_1: _Pattern("beyond 3", 1, 1),
    Rule.WESTERN_2: _Pattern("beyond 2", 2, 3),
    Rule.WESTERN_3: _Pattern("beyond 1", 4, 5),
    Rule.WESTERN_4: _Pattern("beyond 0", 8, 8),
}


def _hits(z: Floats, wanted: Set[str]) -> dict[str, Flags]:
    """Which points are hits of what: one row, or one for each side of the centre."""
    both = np.stack([z, -z])
    found: dict[str, Flags] = {}
    with np.errstate(invalid="ignore"):
        for level in range(4):
            if f"beyond {level}" in wanted:
                found[f"beyond {level}"] = both > level
        if "within 1" in wanted:
            found["within 1"] = np.abs(both[:1]) <= 1
        if "outside 1" in wanted:
            found["outside 1"] = np.abs(both[:1]) > 1
        if "step" in wanted:
            found["step"] = np.zeros(both.shape, dtype=bool)
            found["step"][:, 1:] = both[:, 1:] > both[:, :-1]
        if "turn" in wanted:
            way = np.sign(z[1:] - z[:-1])
            found["turn"] = np.zeros((1, len(z)), dtype=bool)
            found["turn"][0, 2:] = way[1:] * way[:-1] < 0
    return found
