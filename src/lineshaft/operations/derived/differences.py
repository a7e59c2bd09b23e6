"""What has to be written and deleted, so that what is stored is what should be."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Ints, Mask
from lineshaft.operations.derived.rows import taken
from lineshaft.operations.expressions.columns import BAD, WAITING
from lineshaft.operations.expressions.tails import Samples


class Differences(NamedTuple):
    """Rows to write, and spans of rows to delete."""

    written: Samples
    gone: list[tuple[int, int]]
    rows: int
    """Rows that change in all."""

    @property
    def span(self) -> tuple[int, int] | None:
        """From the first row that changes to just behind the last; None when none does."""
        times = [int(t) for t in self.written.time_ns[[0, -1]]] if len(self.written.time_ns) else []
        bounds = [*times, *(b for first, end in self.gone for b in (first, end - 1))]
        return (min(bounds), max(bounds) + 1) if bounds else None


def differences(
    stored: Samples | None,
    wanted: Samples,
    *,
    gentle: bool,
    stays_ns: Ints | None = None,
) -> Differences:
    """How to get from the stored rows to the wanted ones; times of both rise.

    If `gentle`, a row that waits for its inputs does not take the place of one with a value:
    what it was made of is no longer kept. Stored rows at `stays_ns` stay where none is wanted.
    """
    if stored is None or not len(stored.time_ns):
        return Differences(wanted, [], len(wanted.time_ns))
    places = np.minimum(np.searchsorted(stored.time_ns, wanted.time_ns), len(stored.time_ns) - 1)
    there = stored.time_ns[places] == wanted.time_ns
    unchanged = there & same(taken(stored, places), wanted)
    write = ~unchanged
    if gentle:
        write &= ~(there & (wanted.quality == WAITING) & (stored.quality[places] < BAD))
    gone = ~np.isin(stored.time_ns, wanted.time_ns)
    if stays_ns is not None:
        gone &= ~np.isin(stored.time_ns, stays_ns)
    spans = _spans(stored, gone, wanted)
    return Differences(taken(wanted, np.flatnonzero(write)), spans, int(write.sum() + gone.sum()))


def same(stored: Samples, wanted: Samples) -> Mask:
    """(n,) whether rows have the same value and quality, to the last bit."""
    quality: Mask = stored.quality == wanted.quality
    if isinstance(stored.values, np.ndarray) and isinstance(wanted.values, np.ndarray):
        one, other = (np.ascontiguousarray(s.values, dtype=np.float64) for s in (stored, wanted))
        both_nan = np.isnan(one) & np.isnan(other)
        alike: Mask = quality & ((one.view(np.int64) == other.view(np.int64)) | both_nan)
        return alike
    pairs = zip(_plain(stored), _plain(wanted), strict=True)
    values = np.fromiter((a == b for a, b in pairs), np.bool_, len(quality))
    found: Mask = quality & values
    return found


def _plain(samples: Samples) -> list[object]:
    values = samples.values
    if isinstance(values, pa.Array):
        return values.to_pylist()  # type: ignore[no-any-return]
    if isinstance(values, np.ndarray):
        return [None if np.isnan(v) else float(v) for v in values]
    return list(values)


def _spans(stored: Samples, gone: Mask, wanted: Samples) -> list[tuple[int, int]]:
    """Half-open spans that hold the stored rows that must go, and no other."""
    found: list[tuple[int, int]] = []
    for place in np.flatnonzero(gone).tolist():
        time_ns = int(stored.time_ns[place])
        apart = not found or not gone[place - 1] or _between(wanted, found[-1][1], time_ns)
        start_ns = time_ns if apart else found.pop()[0]
        found.append((start_ns, time_ns + 1))
    return found


def _between(rows: Samples, start_ns: int, stop_ns: int) -> bool:
    """Whether a row lies there."""
    lo, hi = np.searchsorted(rows.time_ns, (start_ns, stop_ns))
    return bool(hi > lo)
