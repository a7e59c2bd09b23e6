"""How good an alarm system is: the figures of ISA-18.2 and EEMUA 191 over a span.

All are worked out from annunciated activations, as columns, so that any span of the journal can be
asked for again. Targets are those of the standards for one operator position.
"""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
Codes = NDArray[np.int32]

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
TEN_MINUTES_NS = 10 * MINUTE_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
FLOOD_BEGINS = 10
"""More activations than this in ten minutes begin a flood."""
FLOOD_ENDS = 5
"""Fewer than this in ten minutes end it."""
BUSY_HOUR = 30
"""More activations than this make an hour too busy."""
CHATTER_COUNT = 3
"""Activations of one alarm within a minute that are chattering."""
CHATTER_INDEX = 0.05
"""Chatter index above which an alarm chatters, per second (Kondaveeti 2013)."""
PER_DAY = 144
"""Annunciated alarms a day that one operator can answer (IEC 62682:2014); about 300 at most."""
DISTRIBUTION = {"low": 0.80, "medium": 0.15, "high": 0.05, "critical": 0.01}
"""Share that alarms of each priority should have (ISA-18.2-2016); critical ones at most."""
STALE_NS = DAY_NS
"""An alarm active for longer is stale."""


class Flood(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which more alarms came than anybody can answer."""

    start_ns: int
    """The activation with which ten minutes held more than `FLOOD_BEGINS`."""
    end_ns: int
    """When ten minutes held fewer than `FLOOD_ENDS` again, or the end of the span."""
    alarms: int
    peak: int
    """Most activations in any ten minutes of it."""


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """How many came, and how unevenly."""

    count: int
    per_10_min: float
    per_hour: float
    per_day: float
    windows_over: float
    """Share of fixed ten-minute windows with more than `FLOOD_BEGINS`; target < 0.01."""
    hours_over: float
    """Share of fixed hours with more than `BUSY_HOUR`; target < 0.01."""
    most_in_10_min: int
    """Most in any (sliding) ten minutes; target ≤ 10."""


def rates(time_ns: Times, start_ns: int, end_ns: int) -> Rates:
    """Rates of activations at rising times (n,) in [`start_ns`, `end_ns`)."""
    span = end_ns - start_ns
    return Rates(
        count=len(time_ns),
        per_10_min=len(time_ns) * TEN_MINUTES_NS / span,
        per_hour=len(time_ns) * HOUR_NS / span,
        per_day=len(time_ns) * DAY_NS / span,
        windows_over=_share_over(time_ns, start_ns, end_ns, TEN_MINUTES_NS, FLOOD_BEGINS),
        hours_over=_share_over(time_ns, start_ns, end_ns, HOUR_NS, BUSY_HOUR),
        most_in_10_min=int(_in_last_10_min(time_ns).max(initial=0)),
    )


def _share_over(time_ns: Times, start_ns: int, end_ns: int, width: int, most: int) -> float:
    windows = max(math.ceil((end_ns - start_ns) / width), 1)
    counts = np.bincount((time_ns - start_ns) // width, minlength=windows)
    return float((counts > most).mean())


def _in_last_10_min(time_ns: Times) -> NDArray[np.int64]:
    """For each activation how many there were in the ten minutes up to it, itself included."""
    first = np.searchsorted(time_ns, time_ns - TEN_MINUTES_NS, side="right")
    return np.arange(1, len(time_ns) + 1) - first


def floods(time_ns: Times, end_ns: int) -> list[Flood]:
    """The floods of activations at rising times (n,); one still going on ends at `end_ns`."""
    counts = _in_last_10_min(time_ns)
    found: list[Flood] = []
    place = 0
    while True:
        over = np.flatnonzero(counts[place:] > FLOOD_BEGINS)
        if not over.size:
            return found
        first = place + int(over[0])
        last, ends = _flood_end(time_ns, first, end_ns)
        found.append(
            Flood(
                start_ns=int(time_ns[first]),
                end_ns=ends,
                alarms=last - first + 1,
                peak=int(counts[first : last + 1].max()),
            )
        )
        place = last + 1


def _flood_end(time_ns: Times, first: int, end_ns: int) -> tuple[int, int]:
    """Index of the last activation of a flood, and when it ended.

    The number in the last ten minutes only falls when an activation gets ten minutes old.
    """
    for k in range(first - FLOOD_BEGINS, len(time_ns)):
        leaves = int(time_ns[k]) + TEN_MINUTES_NS
        if leaves >= end_ns:
            break
        come = int(np.searchsorted(time_ns, leaves, side="right"))
        if come - (k + 1) < FLOOD_ENDS and come > first:
            return come - 1, leaves
    return len(time_ns) - 1, end_ns


def chatter_index(time_ns: Times) -> float:
    """ψ = Σ P(r)/r of the seconds r between activations of one alarm, per second."""
    runs = np.maximum(np.round(np.diff(time_ns) / SECOND_NS), 1)
    if not len(runs):
        return 0.0
    lengths, counts = np.unique(runs, return_counts=True)
    return float((counts / counts.sum() / lengths).sum())


def chatters(time_ns: Times) -> bool:
    """Whether one alarm came `CHATTER_COUNT` times within a minute."""
    back = CHATTER_COUNT - 1
    return bool((time_ns[back:] - time_ns[: len(time_ns) - back] <= MINUTE_NS).any())


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm that comes often."""

    alarm: str
    count: int
    share: float
    """Of all activations."""
    chatter: float
    """Its chatter index, per second."""
    chattering: bool


def top(time_ns: Times, alarm: Codes, names: Sequence[str], *, count: int = 10) -> list[Actor]:
    """The most frequent alarms, most frequent first; `alarm` (n,) are indexes into `names`."""
    counts = np.bincount(alarm, minlength=len(names))
    ranked = sorted(np.flatnonzero(counts).tolist(), key=lambda i: (-counts[i], names[i]))
    found = []
    for i in ranked[:count]:
        times = time_ns[alarm == i]
        found.append(
            Actor(
                alarm=names[i],
                count=int(counts[i]),
                share=float(counts[i] / len(alarm)),
                chatter=chatter_index(times),
                chattering=chatters(times),
            )
        )
    return found


def stale(start_ns: Times, end_ns: Times) -> int:
    """How many activations stayed active for longer than a day; times (n,) of each."""
    return int((end_ns - start_ns > STALE_NS).sum())


def fleeting(start_ns: Times, end_ns: Times, *, under_s: float = 5.0) -> int:
    """How many activations were gone within a few seconds; times (n,) of each."""
    return int((end_ns - start_ns < under_s * SECOND_NS).sum())


def performance_class(per_10_min: float, most_in_10_min: int) -> str:
    """The class of EEMUA 191 (edition 2): mean against greatest rate in ten minutes."""
    if per_10_min > 100 or most_in_10_min > 1000:  # noqa: PLR2004 - borders of the published grid
        return "overloaded"
    if per_10_min > 10 or most_in_10_min > 100:  # noqa: PLR2004
        return "reactive"
    if per_10_min > 1 or most_in_10_min > 10:  # noqa: PLR2004
        return "stable"
    return "predictive" if most_in_10_min <= 1 else "robust"


def steady_class(time_ns: Times, over: Sequence[Flood], start_ns: int, end_ns: int) -> str:
    """The class of the time outside of floods, as EEMUA 191 (edition 3) shows it apart."""
    span = end_ns - start_ns - sum(f.end_ns - f.start_ns for f in over)
    inside = np.zeros(len(time_ns), dtype=bool)
    for flood in over:
        # The ten minutes that led to it belong to it.
        begin = flood.start_ns - TEN_MINUTES_NS
        inside |= (time_ns > begin) & (time_ns < flood.end_ns)
    calm = time_ns[~inside]
    mean = len(calm) * TEN_MINUTES_NS / span if span > 0 else 0.0
    return performance_class(mean, int(_in_last_10_min(calm).max(initial=0)))


def upset_class(over: Sequence[Flood]) -> str:
    """The class of the floods alone; empty when there was none."""
    if not over:
        return ""
    length = sum(f.end_ns - f.start_ns for f in over)
    mean = sum(f.alarms for f in over) * TEN_MINUTES_NS / max(length, TEN_MINUTES_NS)
    return performance_class(mean, max(f.peak for f in over))
