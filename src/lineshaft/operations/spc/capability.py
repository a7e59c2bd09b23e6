"""Process capability and performance with their confidence.

Source: ISO 22514-2:2017; A. F. Bissell, Applied Statistics 39 (1990) 331, for Cpk; ISO 22400-2 and
ISO 22514-3 for Cm and Cmk.
"""

import math
from statistics import NormalDist

import msgspec
import numpy as np
from numpy.typing import NDArray

from lineshaft.core.errors import Invalid

MACHINE_FEWEST = 50
"""Values in a row that a sample of a machine has at least."""


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """One index and the interval that holds its true value with the asked confidence."""

    value: float
    low: float
    high: float


class Capability(msgspec.Struct, frozen=True, kw_only=True):
    """Cp and Cpk take the short-term deviation, Pp and Ppk the overall one.

    Cm and Cmk are of the machine alone: mean and deviation of one sample in a row. Cp, Pp and Cm
    need both specification limits and are None with one; Cm and Cmk are None without a sample.
    """

    cp: Index | None
    cpk: Index
    pp: Index | None
    ppk: Index
    cm: Index | None = None
    cmk: Index | None = None


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """Specification limits of a characteristic; at least one."""

    lower: float | None = None
    upper: float | None = None


def capability(  # noqa: PLR0913 - all by keyword
    spec: Spec,
    *,
    mean: float,
    within: float,
    overall: float,
    count: int,
    within_freedom: float | None = None,
    confidence: float = 0.95,
) -> Capability:
    """The indices of the process; those of the machine are added by `of_machine`.

    `within` is σ̂ from subgroups or moving ranges, `overall` the standard deviation of all
    `count` values; `within_freedom` the degrees of freedom of σ̂, count − 1 when not known.

    Raises:
        Invalid: no specification limit, no spread, or fewer than two values.
    """
    if spec.lower is None and spec.upper is None:
        raise Invalid("capability without a specification limit", remedy="Give lower or upper.")
    if not (within > 0 and overall > 0 and count > 1 and 0 < confidence < 1):
        raise Invalid(
            f"capability of {count} values with deviations {within} and {overall}",
            remedy="Give at least two different values, and a confidence between 0 and 1.",
        )
    freedom = float(count - 1)
    short = within_freedom or freedom
    return Capability(
        cp=_width(spec, within, short, confidence),
        cpk=_nearer(spec, mean, within, (count, short), confidence),
        pp=_width(spec, overall, freedom, confidence),
        ppk=_nearer(spec, mean, overall, (count, freedom), confidence),
    )


def of_machine(
    process: Capability, spec: Spec, sample: NDArray[np.float64], *, confidence: float = 0.95
) -> Capability:
    """The same with Cm and Cmk, of values that the machine made in a row.

    They stay None where the sample has fewer than `MACHINE_FEWEST` values, or no spread.
    """
    count = len(sample)
    if count < MACHINE_FEWEST or not float(np.ptp(sample)) > 0:
        return process
    mean, sigma, freedom = float(sample.mean()), float(sample.std(ddof=1)), float(count - 1)
    return msgspec.structs.replace(
        process,
        cm=_width(spec, sigma, freedom, confidence),
        cmk=_nearer(spec, mean, sigma, (count, freedom), confidence),
    )


def _width(spec: Spec, sigma: float, freedom: float, confidence: float) -> Index | None:
    if spec.lower is None or spec.upper is None:
        return None
    value = (spec.upper - spec.lower) / (6 * sigma)
    tail = (1 - confidence) / 2
    return Index(
        value=value,
        low=value * math.sqrt(chi_square(tail, freedom) / freedom),
        high=value * math.sqrt(chi_square(1 - tail, freedom) / freedom),
    )


def _nearer(
    spec: Spec, mean: float, sigma: float, counts: tuple[int, float], confidence: float
) -> Index:
    sides = [] if spec.upper is None else [(spec.upper - mean) / (3 * sigma)]
    sides += [] if spec.lower is None else [(mean - spec.lower) / (3 * sigma)]
    value = min(sides)
    count, freedom = counts
    half = NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt(
        1 / (9 * count) + value * value / (2 * freedom)
    )
    return Index(value=value, low=value - half, high=value + half)


def chi_square(probability: float, freedom: float) -> float:
    """The quantile of the chi-square distribution, to twelve digits."""
    low, high = 0.0, freedom + 10 * math.sqrt(2 * freedom) + 50
    for _ in range(200):
        middle = (low + high) / 2
        if _gamma_below(freedom / 2, middle / 2) < probability:
            low = middle
        else:
            high = middle
        if high - low <= 1e-13 * high:
            break
    return (low + high) / 2


def _gamma_below(shape: float, x: float) -> float:
    """The regularised lower incomplete gamma function: series below, fraction above."""
    if x <= 0:
        return 0.0
    front = math.exp(-x + shape * math.log(x) - math.lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        n = shape
        while abs(term) > abs(total) * 1e-16:
            n += 1
            term *= x / n
            total += term
        return total * front
    return 1 - front * _fraction(shape, x)


def _fraction(shape: float, x: float) -> float:
    """Lentz's continued fraction of the upper function."""
    tiny = 1e-300
    b = x + 1 - shape
    c, d = 1 / tiny, 1 / b
    h = d
    for i in range(1, 10_000):
        a = -i * (i - shape)
        b += 2
        d = a * d + b
        d = 1 / (d if abs(d) > tiny else tiny)
        c = b + a / c
        c = c if abs(c) > tiny else tiny
        h *= d * c
        if abs(d * c - 1) < 1e-16:  # noqa: PLR2004 - as exact as a float is
            break
    return h
