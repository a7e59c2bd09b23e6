"""Dynamic time warping: which moment of one course is which moment of another.

Source: H. Sakoe, S. Chiba, "Dynamic programming algorithm optimization for spoken word
recognition", IEEE Trans. ASSP 26 (1978) 43-49: symmetric steps, a band beside the diagonal.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lineshaft.core.errors import Invalid

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
STEPS_MAX = 500
"""Moments of a course that is warped; the work rises with their square."""


class Warp(NamedTuple):
    """How two courses fit each other."""

    distance: float
    """Mean distance along the path, in the unit of the values."""
    first: Indices
    """(k,) moments of the first course along the path, rising."""
    second: Indices
    """(k,) those of the second."""


def warped(first: Floats, second: Floats, *, band: float = 0.1) -> Warp:
    """The cheapest path between two courses of shapes (n, d) and (m, d), without NaN.

    `band` is how far, as a share of the length, a moment may stand from its place.

    Raises:
        Invalid: a course is empty or too long, or they have different numbers of values.
    """
    n, m = len(first), len(second)
    if not (1 <= n <= STEPS_MAX and 1 <= m <= STEPS_MAX) or first.shape[1:] != second.shape[1:]:
        raise Invalid(
            f"courses of {first.shape} and {second.shape}, wanted 1 to {STEPS_MAX} moments of as"
            " many values",
            remedy="Compare on fewer steps.",
        )
    # Wide enough that the corners can be joined.
    radius = max(band * max(n, m), abs(n - m) * max(m / n, n / m) / max(n, m) + 1.0)
    centre = np.arange(n) * ((m - 1) / max(n - 1, 1))
    low = np.clip(np.ceil(centre - radius), 0, m - 1).astype(np.intp)
    high = np.clip(np.floor(centre + radius), 0, m - 1).astype(np.intp)
    total = np.full((n + 1, m + 1), np.inf)
    total[0, 0] = 0.0
    for i in range(n):
        span = slice(low[i], high[i] + 1)
        cost = np.sqrt(((second[span] - first[i]) ** 2).sum(axis=1))
        across, up = total[i, low[i] : high[i] + 1], total[i, low[i] + 1 : high[i] + 2]
        row = np.minimum(across + 2 * cost, up + cost)
        # Along the row: best so far is the least of what comes from below, less what was passed.
        passed = np.cumsum(cost)
        total[i + 1, low[i] + 1 : high[i] + 2] = passed + np.minimum.accumulate(row - passed)
    path = _back(total, first, second)
    return Warp(float(total[n, m]) / (n + m), path[0], path[1])


def _back(total: Floats, first: Floats, second: Floats) -> tuple[Indices, Indices]:
    """The path, from its end to its beginning and turned round."""
    i, j = len(first) - 1, len(second) - 1
    found = [(i, j)]
    while i or j:
        cost = float(np.sqrt(((second[j] - first[i]) ** 2).sum()))
        steps = [(total[i, j + 1] + cost, i - 1, j)] if i else []
        steps += [(total[i + 1, j] + cost, i, j - 1)] if j else []
        steps += [(total[i, j] + 2 * cost, i - 1, j - 1)] if i and j else []
        _, i, j = min(steps)
        found.append((i, j))
    pairs = np.array(found[::-1], dtype=np.intp)
    return pairs[:, 0], pairs[:, 1]


def onto(warp: Warp, values: Floats, steps: int) -> Floats:
    """The second course's values (m,) at the moments of the first, (`steps`,).

    Where several fall together it is their mean.
    """
    total = np.bincount(warp.first, weights=values[warp.second], minlength=steps)
    count = np.bincount(warp.first, minlength=steps)
    with np.errstate(invalid="ignore"):
        return total / np.where(count == 0, np.nan, count)
