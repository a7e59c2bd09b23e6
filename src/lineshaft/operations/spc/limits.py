"""Control limits from a baseline, and the baseline from a phase of known behaviour."""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from lineshaft.core.errors import Invalid
from lineshaft.operations.spc import Baseline, Kind, Limits
from lineshaft.operations.spc.constants import SIZE_MAX, constants

Floats = NDArray[np.float64]

SPREADS = {Kind.XBAR_R, Kind.XBAR_S, Kind.I_MR}
"""Kinds that chart a spread beside the value."""
_BY_SAMPLE = {Kind.P, Kind.U}
"""Kinds whose limits follow the size of each sample, whatever the baseline was of."""


def baseline(kind: Kind, values: Floats, sizes: Floats | None = None) -> Baseline:
    """What a phase says of the process.

    `values` are shape (k, n) for subgroups, (k,) for single values, and for charts of
    attributes the counts, shape (k,), with `sizes` (k,) for p and u, one size for np.

    Raises:
        Invalid: too few values, not finite, or sizes that do not fit.
    """
    if not np.isfinite(values).all() or len(values) < 2:  # noqa: PLR2004 - a spread needs two
        raise Invalid(
            f"a baseline of {len(values)} values, or of values that are not numbers",
            remedy="Give at least two, better twenty-five, subgroups of good quality.",
        )
    match kind:
        case Kind.XBAR_R | Kind.XBAR_S:
            return _of_subgroups(kind, values)
        case Kind.EWMA | Kind.CUSUM if values.ndim > 1:
            return _of_subgroups(Kind.XBAR_R, values)
        case Kind.I_MR | Kind.EWMA | Kind.CUSUM:
            ranges = np.abs(np.diff(values))
            return Baseline(
                centre=float(values.mean()), sigma=float(ranges.mean()) / constants(2).d2
            )
        case Kind.P | Kind.U | Kind.NP:
            given = np.ones(0) if sizes is None else np.broadcast_to(sizes, values.shape)
            if not given.size or (given <= 0).any():
                raise Invalid(
                    f"a {kind.value} chart needs the size of every sample, above zero",
                    remedy="Give the number of items or units inspected.",
                )
            rate = float(values.sum() / given.sum())
            return Baseline(centre=rate, size=int(given[0]) if kind is Kind.NP else 1)
        case Kind.C:
            return Baseline(centre=float(values.mean()))


def _of_subgroups(kind: Kind, values: Floats) -> Baseline:
    if values.ndim != 2 or not 2 <= values.shape[1] <= SIZE_MAX:  # noqa: PLR2004
        raise Invalid(
            f"subgroups of shape {values.shape}, wanted (k, n) with n from 2 to {SIZE_MAX}",
            remedy="Put the values of one subgroup into one row.",
        )
    size = values.shape[1]
    if kind is Kind.XBAR_R:
        sigma = float(np.ptp(values, axis=1).mean()) / constants(size).d2
    else:
        sigma = float(values.std(axis=1, ddof=1).mean()) / constants(size).c4
    return Baseline(centre=float(values.mean()), sigma=sigma, size=size)


def of_groups(kind: Kind, mean: Floats, spread: Floats, size: Floats, wanted: int) -> Baseline:
    """What subgroups of several sizes say; `spread` are ranges, or deviations for xbar-s.

    The deviation is the mean of each subgroup's own estimate.

    Raises:
        Invalid: no subgroup has a spread.
    """
    several = size > 1
    if not several.any():
        raise Invalid("a baseline of subgroups of one value each", remedy="Take larger ones.")
    ones = [constants(int(n)) for n in size[several].tolist()]
    divisor = np.array([c.c4 if kind is Kind.XBAR_S else c.d2 for c in ones])
    centre = float((mean * size).sum() / size.sum())
    return Baseline(centre=centre, sigma=float((spread[several] / divisor).mean()), size=wanted)


def of_values(kind: Kind, values: Floats, sizes: Floats | None, wanted: int) -> Baseline:
    """What single values, counts or samples say.

    Raises:
        Invalid: they are too few.
    """
    if kind is Kind.NP:
        sizes = np.full(len(values), float(wanted))
    return msgspec.structs.replace(baseline(kind, values, sizes), size=wanted)


def value_limits(kind: Kind, known: Baseline, size: float = 1.0) -> Limits:
    """Limits of the value chart; `size` is that of the sample for p and u charts."""
    centre = known.centre
    match kind:
        case Kind.XBAR_R | Kind.XBAR_S | Kind.EWMA | Kind.CUSUM:
            return _around(centre, known.sigma / math.sqrt(known.size), floor=-math.inf)
        case Kind.I_MR:
            return _around(centre, known.sigma, floor=-math.inf)
        case Kind.P:
            return _around(centre, math.sqrt(centre * (1 - centre) / size), ceiling=1.0)
        case Kind.NP:
            count = centre * known.size
            return _around(count, math.sqrt(count * (1 - centre)), ceiling=float(known.size))
        case Kind.C:
            return _around(centre, math.sqrt(centre))
        case Kind.U:
            return _around(centre, math.sqrt(centre / size))


def spread_limits(kind: Kind, known: Baseline) -> Limits:
    """Limits of the chart of ranges, standard deviations or moving ranges.

    Raises:
        Invalid: the kind charts no spread.
    """
    if kind not in SPREADS:
        raise Invalid(f"a {kind.value} chart has no spread", remedy="Ask for its values alone.")
    one = constants(2 if kind is Kind.I_MR else known.size)
    if kind is Kind.XBAR_S:
        return _around(one.c4 * known.sigma, one.c5 * known.sigma)
    return _around(one.d2 * known.sigma, one.d3 * known.sigma)


def value_lines(kind: Kind, known: Baseline, size: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Lower limit, centre, upper limit and standard error at points of these sizes, each (k,)."""
    sizes, place = _distinct(size)
    table = np.full((len(sizes), 4), np.nan)
    for row, one in enumerate(sizes.tolist()):
        if math.isnan(one):
            continue
        given = known if kind in _BY_SAMPLE else msgspec.structs.replace(known, size=int(one))
        found = value_limits(kind, given, one)
        table[row] = found.lower, found.centre, found.upper, found.sigma
    lines = table[place]
    return lines[:, 0], lines[:, 1], lines[:, 2], lines[:, 3]


def spread_lines(kind: Kind, known: Baseline, size: Floats) -> tuple[Floats, Floats, Floats]:
    """Lower limit, centre and upper limit of the spread at points of these sizes, each (k,)."""
    sizes, place = _distinct(size)
    table = np.empty((len(sizes), 3))
    for row, one in enumerate(sizes.tolist()):
        found = spread_limits(kind, msgspec.structs.replace(known, size=int(one)))
        table[row] = found.lower, found.centre, found.upper
    lines = table[place]
    return lines[:, 0], lines[:, 1], lines[:, 2]


def _distinct(size: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """The distinct sizes, and of each point the place of its own among them."""
    if len(size) and (size == size[0]).all():
        return size[:1], np.zeros(len(size), dtype=np.intp)
    sizes, place = np.unique(size, return_inverse=True)
    return sizes, place.reshape(-1)


def _around(
    centre: float, sigma: float, *, floor: float = 0.0, ceiling: float = math.inf
) -> Limits:
    return Limits(
        lower=max(centre - 3 * sigma, floor),
        centre=centre,
        upper=min(centre + 3 * sigma, ceiling),
        sigma=sigma,
    )
