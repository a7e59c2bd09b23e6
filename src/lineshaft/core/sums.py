"""Summing up on NumPy columns: the arithmetic of `core.summary`, for stores.

Places stand for points. All columns of an argument have the same length.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lineshaft.core.batch import BAD, Codes, Floats, Indices, Ints, Mask
from lineshaft.core.clock import NS_PER_S

CHUNK = 1 << 18
"""Rows summed up in one go, so that what lies between stays in the processor's cache."""
INT64_MAX = np.uint64(2**63 - 1)
Sums = dict[str, npt.NDArray[Any]]
"""Columns of summaries as NumPy arrays of equal length, `place` among them: which point."""


class Samples(NamedTuple):
    """Rows sorted by place and time, as columns of equal length."""

    place: Indices
    """Which point each row is of; rising."""
    time: Ints
    number: Floats
    has_number: Mask
    quality: Codes

    def slice(self, start: int, stop: int) -> "Samples":
        """Rows from `start` to `stop`."""
        return Samples(
            self.place[start:stop],
            self.time[start:stop],
            self.number[start:stop],
            self.has_number[start:stop],
            self.quality[start:stop],
        )

    def take(self, rows: Mask) -> "Samples":
        """The rows that the mask holds true."""
        return Samples(
            self.place[rows],
            self.time[rows],
            self.number[rows],
            self.has_number[rows],
            self.quality[rows],
        )


def sum_up(samples: Samples, edges_ns: Ints, wanted: Sequence[str]) -> Sums:
    """Sum up per place and interval; `wanted` as `summary.needed` names them."""
    size = len(samples.time)
    parts = [
        _sum_chunk(samples.slice(at, at + CHUNK), edges_ns, wanted)
        for at in range(0, max(size, 1), CHUNK)
    ]
    if len(parts) == 1:
        return parts[0]
    return merge_sums(joined(parts), edges_ns, wanted)


def joined(parts: Sequence[Sums]) -> Sums:
    """Summaries one after another."""
    return {n: np.concatenate([p[n] for p in parts]) for n in parts[0]}


def _sum_chunk(rows: Samples, edges_ns: Ints, wanted: Sequence[str]) -> Sums:
    inside = _inside(rows.time, edges_ns)
    if inside is not None:
        rows = rows.take(inside)
    slot = slots(rows.time, edges_ns)
    starts = _starts(rows.place, slot)
    usable = rows.has_number & (rows.quality < BAD) & ~np.isnan(rows.number)
    groups = _Groups(starts, len(rows.time), usable)
    ends = groups.stops - 1
    sums: Sums = {
        "place": rows.place[starts],
        "time_ns": edges_ns[slot[starts]],
        "count": groups.stops - starts,
        "usable": groups.usable,
        "begin_ns": rows.time[starts],
        "end_ns": rows.time[ends],
    }
    if "quality" in wanted:
        sums["quality"] = _reduced(np.maximum, rows.quality, starts)
    _add_values(sums, groups, rows, wanted)
    if {"stepped", "sloped", "known_ns"} & set(wanted):
        _add_areas(sums, groups, rows, wanted)
    return {n: sums[n] for n in ("place", *wanted) if n in sums}


def _add_values(sums: Sums, groups: "_Groups", rows: Samples, wanted: Sequence[str]) -> None:
    number, time = groups.picked(rows.number), groups.picked(rows.time)
    for name, ufunc in (("min", np.minimum), ("max", np.maximum)):
        if name in wanted:
            extreme = groups.reduced(ufunc, number)
            sums[name] = groups.spread(extreme)
            if f"{name}_ns" in wanted:
                sums[f"{name}_ns"] = groups.spread(time[groups.earliest(number, extreme)])
    for name, at in (("first", groups.firsts), ("last", groups.lasts)):
        if name in wanted or f"{name}_ns" in wanted:
            sums[name] = groups.spread(number[at])
            sums[f"{name}_ns"] = groups.spread(time[at])
    if "sum" in wanted:
        with np.errstate(invalid="ignore", over="ignore"):
            sums["sum"] = groups.spread(groups.reduced(np.add, number))


def _add_areas(sums: Sums, groups: "_Groups", rows: Samples, wanted: Sequence[str]) -> None:
    """From each usable sample to the next sample of its group."""
    size = len(rows.time)
    known = np.zeros(size, dtype=np.uint64)
    known[:-1] = _apart(rows.time[1:], rows.time[:-1])
    known[groups.stops - 1] = 0
    if not groups.all_usable:
        known[~groups.mask] = 0
    if "known_ns" in wanted:
        sums["known_ns"] = _as_int64(_reduced(np.add, known, groups.starts))
    seconds = known.astype(np.float64) / NS_PER_S
    number = rows.number if groups.all_usable else np.where(groups.mask, rows.number, 0.0)
    with np.errstate(invalid="ignore", over="ignore"):
        if "stepped" in wanted:
            sums["stepped"] = _reduced(np.add, _area(number, seconds), groups.starts)
        if "sloped" in wanted:
            ahead = number.copy()
            ahead[:-1] = number[1:]
            if not groups.all_usable:
                held = np.flatnonzero(~groups.mask[1:])
                ahead[held] = number[held]
            height = number / 2 + ahead / 2
            sums["sloped"] = _reduced(np.add, _area(height, seconds), groups.starts)


def merge_sums(sums: Sums, edges_ns: Ints, wanted: Sequence[str]) -> Sums:
    """Merge per place and wider interval what does not interleave."""
    inside = _inside(sums["begin_ns"], edges_ns)
    if inside is not None:
        sums = {n: c[inside] for n, c in sums.items()}
    slot = slots(sums["begin_ns"], edges_ns)
    starts = _starts(sums["place"], slot)
    if len(starts) == len(slot):
        return {**sums, "time_ns": edges_ns[slot]}
    groups = _Groups(starts, len(slot), sums["usable"] > 0)
    merged: Sums = {
        "place": sums["place"][starts],
        "time_ns": edges_ns[slot[starts]],
        "usable": _reduced(np.add, sums["usable"], starts),
        "begin_ns": sums["begin_ns"][starts],
    }
    for name in wanted:
        if name not in merged and name != "point":
            merged[name] = _MERGES[name](sums, groups, name)
    return merged


def _total(sums: Sums, groups: "_Groups", name: str) -> npt.NDArray[Any]:
    return _reduced(np.add, sums[name], groups.starts)


def _extreme(sums: Sums, groups: "_Groups", name: str) -> npt.NDArray[Any]:
    ufunc = np.minimum if name == "min" else np.maximum
    return groups.spread(groups.reduced(ufunc, groups.picked(sums[name])))


def _extreme_ns(sums: Sums, groups: "_Groups", name: str) -> npt.NDArray[Any]:
    values = groups.picked(sums[name.removesuffix("_ns")])
    extreme = groups.reduced(np.minimum if name == "min_ns" else np.maximum, values)
    return groups.spread(groups.picked(sums[name])[groups.earliest(values, extreme)])


def _first(sums: Sums, groups: "_Groups", name: str) -> npt.NDArray[Any]:
    return groups.spread(groups.picked(sums[name])[groups.firsts])


def _last(sums: Sums, groups: "_Groups", name: str) -> npt.NDArray[Any]:
    return groups.spread(groups.picked(sums[name])[groups.lasts])


def _end(sums: Sums, groups: "_Groups", name: str) -> npt.NDArray[Any]:
    return sums[name][groups.stops - 1]


def _worst(sums: Sums, groups: "_Groups", name: str) -> npt.NDArray[Any]:
    return _reduced(np.maximum, sums[name], groups.starts)


def _gaps(sums: Sums, groups: "_Groups") -> npt.NDArray[np.uint64]:
    """How long the value is known from the end of each summary to the next of its group."""
    gaps = np.zeros(groups.size, dtype=np.uint64)
    gaps[:-1] = _apart(sums["begin_ns"][1:], sums["end_ns"][:-1])
    gaps[groups.stops - 1] = 0
    gaps[~(groups.mask & (sums["last_ns"] == sums["end_ns"]))] = 0
    return gaps


def _known(sums: Sums, groups: "_Groups", name: str) -> npt.NDArray[Any]:
    known = sums[name].astype(np.uint64) + _gaps(sums, groups)
    return _as_int64(_reduced(np.add, known, groups.starts))


def _stretch(sums: Sums, groups: "_Groups", name: str) -> npt.NDArray[Any]:
    """The area, with that between the summaries."""
    seconds = _gaps(sums, groups).astype(np.float64) / NS_PER_S
    height = np.where(groups.mask, sums["last"], 0.0)
    with np.errstate(invalid="ignore", over="ignore"):
        if name == "sloped":
            rising = groups.mask & (sums["first_ns"] == sums["begin_ns"])
            ahead = np.where(rising[1:], sums["first"][1:], height[:-1])
            height[:-1] = height[:-1] / 2 + ahead / 2
        area = _area(height, seconds)
        area += np.where(groups.mask, sums[name], 0.0)
        return _reduced(np.add, area, groups.starts)


def _sum(sums: Sums, groups: "_Groups", name: str) -> npt.NDArray[Any]:
    with np.errstate(invalid="ignore", over="ignore"):
        return groups.spread(groups.reduced(np.add, groups.picked(sums[name])))


_MERGES: Mapping[str, Callable[[Sums, "_Groups", str], npt.NDArray[Any]]] = {
    "count": _total,
    "quality": _worst,
    "end_ns": _end,
    "min": _extreme,
    "min_ns": _extreme_ns,
    "max": _extreme,
    "max_ns": _extreme_ns,
    "first": _first,
    "first_ns": _first,
    "last": _last,
    "last_ns": _last,
    "sum": _sum,
    "stepped": _stretch,
    "sloped": _stretch,
    "known_ns": _known,
}


class _Groups:
    """Rows that fall into the same place and interval, and which of them are usable."""

    def __init__(self, starts: npt.NDArray[np.intp], size: int, mask: Mask) -> None:
        self.starts = starts
        self.size = size
        self.stops = np.append(starts[1:], size) if len(starts) else starts
        self.mask = mask
        self.all_usable = bool(mask.all())
        if self.all_usable:
            self._rows = None
            self.usable = self.stops - starts
            self.firsts, stops = starts, self.stops
        else:
            self._rows = np.flatnonzero(mask)
            begins = np.searchsorted(self._rows, starts)
            stops = np.append(begins[1:], len(self._rows)) if len(begins) else begins
            self.usable = stops - begins
            self._held = self.usable > 0
            self.firsts, stops = begins[self._held], stops[self._held]
        self.lasts = stops - 1
        """Positions, among the usable rows, of the first and the last of each group with one."""
        self._lengths = stops - self.firsts

    def picked(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The usable rows."""
        return column if self._rows is None else column[self._rows]

    def reduced(self, ufunc: np.ufunc, picked: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """One value for each group that has a usable row."""
        return _reduced(ufunc, picked, self.firsts)

    def earliest(self, picked: Floats, extreme: Floats) -> npt.NDArray[np.intp]:
        """Of each group the first usable row that has the value."""
        found = np.flatnonzero(picked == np.repeat(extreme, self._lengths))
        # One or more in each group: the first at or behind the group's first row.
        return found[np.searchsorted(found, self.firsts)]

    def spread(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Values of the groups with a usable row, with zeros for the others."""
        if self._rows is None:
            return values
        spread = np.zeros(len(self.starts), dtype=values.dtype)
        spread[self._held] = values
        return spread


def slots(time: Ints, edges_ns: Ints) -> npt.NDArray[np.intp]:
    """In which interval each time is; all must be in one."""
    width = _apart(edges_ns[1:], edges_ns[:-1])
    if len(width) and (width == width[0]).all():
        found: npt.NDArray[np.intp] = (_apart(time, edges_ns[:1]) // width[0]).astype(np.intp)
        return found
    return np.searchsorted(edges_ns, time, side="right") - 1


def _inside(time: Ints, edges_ns: Ints) -> Mask | None:
    """Which times are in an interval; None when all are."""
    if len(edges_ns) < 2:  # noqa: PLR2004 - without two edges there is no interval
        return np.zeros(len(time), dtype=np.bool_)
    inside = (time >= edges_ns[0]) & (time < edges_ns[-1])
    return None if inside.all() else inside


def _starts(place: Indices, slot: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    if not len(slot):
        return np.empty(0, dtype=np.intp)
    new = np.ones(len(slot), dtype=np.bool_)
    new[1:] = (slot[1:] != slot[:-1]) | (place[1:] != place[:-1])
    return np.flatnonzero(new)


def _reduced(
    ufunc: np.ufunc, values: npt.NDArray[Any], starts: npt.NDArray[np.intp]
) -> npt.NDArray[Any]:
    return ufunc.reduceat(values, starts) if len(starts) else values[:0]


def _apart(later: Ints, earlier: Ints) -> npt.NDArray[np.uint64]:
    """Differences that may be longer than 63 bits."""
    return np.subtract(later.view(np.uint64), earlier.view(np.uint64))


def _as_int64(values: npt.NDArray[np.uint64]) -> Ints:
    return np.minimum(values, INT64_MAX).astype(np.int64)


def _area(height: Floats, seconds: Floats) -> Floats:
    """Height × width, and nothing where there is no width, be the height infinite."""
    area = height * seconds
    if not np.isfinite(area).all():
        area[seconds == 0] = 0.0
    return area
