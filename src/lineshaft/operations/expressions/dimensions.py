"""What becomes of units when values are calculated with.

The empty unit is that of a literal, or of a point without one: it takes what stands beside it.
"""

import functools
import re
from collections import Counter
from fractions import Fraction

from lineshaft.core.errors import Invalid
from lineshaft.core.units import convert, find_unit

ABSOLUTE = {
    "Cel": (Fraction(1), Fraction(27_315, 100)),
    "[degF]": (Fraction(5, 9), Fraction(45_967, 180)),
}
"""Scales with a zero of their own: kelvin = factor × value + offset. Sums of two mean nothing."""
UNIT_CHARS_MAX = 60
_FACTOR = re.compile(r"(.*?[^0-9-])(-?\d+)?")
_LOGARITHMIC = frozenset({"dB", "[pH]"})
_PLAIN = frozenset({"", "1"})


def is_plain(unit: str) -> bool:
    """Whether logarithms and exponents may be taken of it."""
    return unit in _PLAIN or unit == "%"


@functools.lru_cache(1024)
def conversion(source: str, target: str) -> tuple[float, float] | None:
    """Factor and offset from one unit to another; None when they do not measure the same."""
    if source == target:
        return 1.0, 0.0
    if source in _LOGARITHMIC or target in _LOGARITHMIC:
        return None
    if source in ABSOLUTE or target in ABSOLUTE:
        return _of_scales(source, target)
    try:
        return _neat(convert(1.0, source, target)), 0.0
    except Invalid:
        return None


def _of_scales(source: str, target: str) -> tuple[float, float] | None:
    if source in ABSOLUTE and target in ABSOLUTE:
        (factor, offset), (step, zero) = ABSOLUTE[source], ABSOLUTE[target]
        return float(factor / step), float((offset - zero) / step)
    if source in ABSOLUTE:
        factor, offset = ABSOLUTE[source]
        beyond = conversion("K", target)
        return beyond and (float(factor) * beyond[0], float(offset) * beyond[0])
    factor, offset = ABSOLUTE[target]
    before = conversion(source, "K")
    return before and (before[0] / float(factor), float(-offset / factor))


def difference(unit: str) -> str:
    """The unit of the difference of two values."""
    return "K" if unit in ABSOLUTE else unit


def product(left: str, right: str) -> str | None:
    """The unit of a product; None when there is none that we could name."""
    return _written(_factors(left), _factors(right), 1)


def quotient(left: str, right: str) -> str | None:
    """The unit of a quotient; None when there is none that we could name."""
    return _written(_factors(left), _factors(right), -1)


def power(unit: str, exponent: int) -> str | None:
    """The unit of a power with a whole exponent."""
    raised = Counter({f: n * exponent for f, n in _factors(unit).items()})
    return _written(raised, Counter(), 1) if unit else ""


def root(unit: str) -> str | None:
    """The unit of a square root; None when an exponent is odd."""
    factors = _factors(unit)
    if any(n % 2 for n in factors.values()):
        return None
    return _written(Counter({f: n // 2 for f, n in factors.items()}), Counter(), 1) if unit else ""


def per_second(unit: str) -> str | None:
    """The unit of a change in a second."""
    return quotient(difference(unit), "s") if unit else "/s"


def _neat(value: float) -> float:
    """Without the last digits, which are those of how the factor was found."""
    return float(f"{value:.15g}")


def _factors(unit: str) -> Counter[str]:
    """Base codes with their exponents."""
    found: Counter[str] = Counter()
    sign = 1
    for place, part in enumerate(re.split(r"([./])", unit)):
        if place % 2:
            sign = 1 if part == "." else -1
        elif part not in _PLAIN and (factor := _FACTOR.fullmatch(part)):
            found[factor[1]] += sign * int(factor[2] or 1)
    return found


def _written(left: Counter[str], right: Counter[str], sign: int) -> str | None:
    factors = Counter(left)
    for factor, exponent in right.items():
        factors[factor] += sign * exponent
    above = [_raised(f, n) for f, n in factors.items() if n > 0]
    below = [_raised(f, -n) for f, n in factors.items() if n < 0]
    code = "/".join([".".join(above) or "1", *below])
    unit = find_unit(code) if len(code) <= UNIT_CHARS_MAX else None
    return unit.ucum if unit else None


def _raised(factor: str, exponent: int) -> str:
    return factor if exponent == 1 else f"{factor}{exponent}"
