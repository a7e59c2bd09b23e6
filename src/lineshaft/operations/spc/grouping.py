"""Subgroups from single values: so many in a row, or the first ones of each key."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from lineshaft.operations.spc import Kind

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Keys = NDArray[np.int64]


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The subgroup that is not full yet."""

    values: list[float] = []
    time_ns: int = 0
    """Of its newest value."""
    key: int | None = None
    full: bool = False
    """The subgroup of `key` is complete; what else comes with that key is left out."""


class Groups(msgspec.Struct, frozen=True, kw_only=True):
    """Complete subgroups, oldest first; all (k,)."""

    time_ns: Times
    """Of the last value of each."""
    size: Floats
    mean: Floats
    spread: Floats
    """Range or standard deviation; NaN for a single value."""


def subgroups(
    kind: Kind, size: int, waiting: Waiting, time_ns: Times, values: Floats, keys: Keys | None
) -> tuple[Groups, Waiting]:
    """The subgroups that values complete, and what is left.

    Without `keys` (n,) every `size` values are one. With them a subgroup is the first `size` values
    of one key; it ends with them, or where the next key begins. NaN is left out.
    """
    good = ~np.isnan(values)
    time_ns, values = time_ns[good], values[good]
    keys = None if keys is None else keys[good]
    if keys is not None and waiting.full:
        begins = int(np.argmax(keys != waiting.key)) if (keys != waiting.key).any() else len(keys)
        if begins == len(keys):
            return _none(), waiting
        time_ns, values, keys = time_ns[begins:], values[begins:], keys[begins:]
        waiting = Waiting()
    old = len(waiting.values)
    times = np.concatenate([np.full(old, waiting.time_ns, dtype=np.int64), time_ns])
    whole = np.concatenate([np.array(waiting.values, dtype=float), values])
    if keys is None:
        return _by_count(kind, size, times, whole)
    before = np.full(old, waiting.key or 0, dtype=np.int64)
    return _by_key(kind, size, times, whole, np.concatenate([before, keys]))


def _by_count(kind: Kind, size: int, times: Times, whole: Floats) -> tuple[Groups, Waiting]:
    full = len(whole) // size * size
    rows = whole[:full].reshape(-1, size)
    left = whole[full:].tolist()
    counts = np.full(len(rows), size)
    rest = Waiting(values=left, time_ns=int(times[-1]) if left else 0)
    return _groups(kind, times[:full].reshape(-1, size)[:, -1], rows, counts), rest


def _by_key(
    kind: Kind, size: int, times: Times, whole: Floats, keys: Keys
) -> tuple[Groups, Waiting]:
    if not len(whole):
        return _none(), Waiting()
    starts = np.append(0, np.flatnonzero(keys[1:] != keys[:-1]) + 1)
    lengths = np.diff(np.append(starts, len(keys)))
    counts = np.minimum(lengths, size)
    rank = np.arange(len(keys)) - np.repeat(starts, lengths)
    kept = rank < size
    rows = np.full((len(starts), size), np.nan)
    rows[np.repeat(np.arange(len(starts)), lengths)[kept], rank[kept]] = whole[kept]
    ends = times[starts + counts - 1]
    key = int(keys[-1])
    if counts[-1] == size:
        return _groups(kind, ends, rows, counts), Waiting(key=key, full=True)
    left = rows[-1, : counts[-1]].tolist()
    rest = Waiting(values=left, time_ns=int(ends[-1]), key=key)
    return _groups(kind, ends[:-1], rows[:-1], counts[:-1]), rest


def _groups(kind: Kind, ends: Times, rows: Floats, counts: NDArray[np.int64]) -> Groups:
    """Means and spreads of rows (k, size) of which the first `counts` cells are filled."""
    size = rows.shape[1]
    there = np.arange(size) < counts[:, None]
    mean = np.where(there, rows, 0.0).sum(axis=1) / counts
    if kind is Kind.XBAR_S:
        square = np.where(there, (rows - mean[:, None]) ** 2, 0.0).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.sqrt(square / (counts - 1))
    else:
        high = np.where(there, rows, -np.inf).max(axis=1, initial=-np.inf)
        spread = high - np.where(there, rows, np.inf).min(axis=1, initial=np.inf)
    spread = np.where(counts > 1, spread, np.nan)
    if kind in (Kind.XBAR_R, Kind.XBAR_S):
        # A subgroup of one value has no spread, and says too little to be plotted.
        several = counts > 1
        ends, counts, mean, spread = ends[several], counts[several], mean[several], spread[several]
    return Groups(time_ns=ends, size=counts.astype(float), mean=mean, spread=spread)


def _none() -> Groups:
    nothing = np.empty(0)
    return Groups(time_ns=np.empty(0, dtype=np.int64), size=nothing, mean=nothing, spread=nothing)
