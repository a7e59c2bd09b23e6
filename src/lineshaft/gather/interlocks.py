"""Interlocks: what must hold on another point before a machine is written or called."""

import math

from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.errors import Refused
from lineshaft.core.quality import is_good, quality_name
from lineshaft.gather import Interlock, Latest


def check_interlock(what: str, lock: Interlock, latest: Latest) -> None:
    """See that the condition holds now; `what` is the path of the point or method behind it.

    Raises:
        Refused: it does not, or nobody knows.
    """
    sample = latest.latest(lock.point)
    remedy = f"{what} needs: {in_words(lock)}."
    if sample is None:
        raise Refused(f"{what}: interlock {lock.point} has no value", remedy=remedy)
    if not is_good(sample.quality):
        raise Refused(
            f"{what}: interlock {lock.point} is {quality_name(sample.quality)}", remedy=remedy
        )
    age_s = (now_ns() - sample.time_ns) / NS_PER_S
    # A time ahead of ours says nothing about now: it would stay fresh until it is reached.
    if abs(age_s) > lock.age_s_max:
        raise Refused(
            f"{what}: interlock {lock.point} is {age_s:.0f} s old,"
            f" wanted at most {lock.age_s_max:g} s",
            remedy=remedy,
        )
    value = sample.value
    fits = value == lock.equals if lock.equals is not None else True
    if lock.low is not None or lock.high is not None:
        number = value if isinstance(value, int | float) else math.nan
        low = -math.inf if lock.low is None else lock.low
        high = math.inf if lock.high is None else lock.high
        fits = fits and low <= number <= high
    if not fits:
        raise Refused(f"{what}: interlock {lock.point} is {value!r}", remedy=remedy)


def in_words(lock: Interlock) -> str:
    """The condition, for people."""
    wanted = [f"= {lock.equals}"] if lock.equals is not None else []
    wanted += [f">= {lock.low:g}"] if lock.low is not None else []
    wanted += [f"<= {lock.high:g}"] if lock.high is not None else []
    return f"{lock.point} {' and '.join(wanted) or 'good'}, at most {lock.age_s_max:g} s old"
