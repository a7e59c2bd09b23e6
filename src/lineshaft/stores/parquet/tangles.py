"""Summaries that interleave, of samples that are gone: late rows came where only roll-ups are left.

Nobody can sum such a bucket up anew. Counts, sums and extremes add up all the same; first, last
and end are made exact here, and no time is counted as known twice, so that areas are near.
"""

import numpy as np

from lineshaft.core.batch import Ints
from lineshaft.core.sums import Sums

AREAS = ("stepped", "sloped")


def untangled(sums: Sums, edges_ns: Ints) -> Sums:
    """The summaries, sorted by place and begin, such that those of an interval merge."""
    place, begin, end = sums["place"], sums["begin_ns"], sums["end_ns"]
    slot = np.searchsorted(edges_ns, begin, side="right")
    same = (place[1:] == place[:-1]) & (slot[1:] == slot[:-1])
    # Of rows that rise by their begin some neighbours interleave if any two do.
    tangled = same & (begin[1:] <= end[:-1])
    if not tangled.any():
        return sums
    sums = {n: c.copy() for n, c in sums.items()}
    starts = np.append(np.flatnonzero(np.r_[True, ~same]), len(place))
    runs = np.searchsorted(starts, np.flatnonzero(tangled), side="right") - 1
    for run in np.unique(runs).tolist():
        rows = slice(int(starts[run]), int(starts[run + 1]))
        _untangle({n: c[rows] for n, c in sums.items()})
    return sums


def _untangle(run: Sums) -> None:
    """Bring the rows of one interval in line, in place."""
    begin, end = run["begin_ns"], run["end_ns"]
    reach = np.maximum.accumulate(end)
    width = np.maximum(end[1:] - begin[1:], 1)
    covered = begin[1:] <= reach[:-1]
    own = np.where(covered, np.maximum(end[1:] - reach[:-1], 0) / width, 1.0)
    if "known_ns" in run:
        run["known_ns"][1:] = (run["known_ns"][1:] * own).astype(np.int64)
    for name in AREAS:
        if name in run:
            run[name][1:] = np.where(own > 0, run[name][1:] * own, 0.0)
    end[:] = reach
    usable = np.flatnonzero(run["usable"] > 0)
    if not len(usable):
        return
    first = usable[np.argmin(run["first_ns"][usable])]
    ends = np.maximum.accumulate(run["last_ns"][usable])
    # Of each row the last of those up to it.
    newest = np.maximum.accumulate(
        np.where(run["last_ns"][usable] == ends, np.arange(len(usable)), 0)
    )
    for name in ("first", "first_ns"):
        if name in run:
            run[name][usable[0]] = run[name][first]
    for name in ("last", "last_ns"):
        if name in run:
            run[name][usable] = run[name][usable[newest]]
