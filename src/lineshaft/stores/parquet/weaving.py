"""Several segments woven into one order by point and time, in memory that does not grow with them.

Each is sorted already, so that the rows of the next few points are those that stand next in each
file: a row group of each is in memory, and never more.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Ints
from lineshaft.stores.parquet import index as indices
from lineshaft.stores.parquet.decoding import Part, decode
from lineshaft.stores.parquet.index import Index
from lineshaft.stores.parquet.manifest import Segment
from lineshaft.stores.parquet.rows import order_of
from lineshaft.stores.parquet.shape import SCHEMA

CHUNK = 65_536
"""Rows that are sorted at once, about."""
BORDERS = 4
"""Row groups of one point that are taken at once, when it has more rows than a chunk."""


def weave(segments: Sequence[Segment], folder: Path) -> Iterator[pa.Table]:
    """The rows of all, sorted, as tables of `SCHEMA`.

    Raises:
        OSError: a file cannot be read; so does `pyarrow.ArrowInvalid`.
    """
    files = [folder / s.file for s in segments]
    stored = [indices.stored(f) for f in files]
    paths = sorted({p for s, _ in stored for p in s.paths})
    ranks = {p: i for i, p in enumerate(paths)}
    threads = [_Thread(f, Index(s, ranks, at)) for f, (s, at) in zip(files, stored, strict=True)]
    # For each thread, how many of its rows stand before each rank.
    before = np.array([t.index.before(len(paths)) for t in threads])
    total = before.sum(axis=0)
    start = 0
    while start < len(paths):
        stop = int(np.searchsorted(total, total[start] + CHUNK, side="right")) - 1
        stop = max(stop, start + 1)
        names = pa.array(paths[start:stop], pa.string())
        if stop == start + 1 and total[stop] - total[start] > CHUNK:
            windows = _windows([t.index for t in threads], start)
        else:
            windows = [None]
        for until_ns in windows:
            parts = [
                t.take(start, before[i, start : stop + 1], until_ns) for i, t in enumerate(threads)
            ]
            yield from _woven(names, parts)
        start = stop


def _windows(about: list[Index], rank: int) -> list[int | None]:
    """Times up to which the rows of one point are taken step by step; None is all the rest."""
    borders = np.unique(np.concatenate([i.borders(rank) for i in about]))
    return [*borders[BORDERS - 1 : -1 : BORDERS].tolist(), None]


def _woven(names: pa.Array, parts: list[tuple[Ints, Part]]) -> Iterator[pa.Table]:
    held = [(r, p) for r, p in parts if len(r)]
    if not held:
        return
    rank = np.concatenate([r for r, _ in held]).astype(np.int32)
    time = np.concatenate([p.time for _, p in held])
    point = pa.DictionaryArray.from_arrays(pa.array(rank), names)
    columns = [pa.concat_arrays([p[n] for _, p in held]) for n in (1, 2, 3)]
    table = pa.Table.from_arrays([point, pa.array(time), *columns], schema=SCHEMA)
    if len(held) > 1:
        table = table.take(pa.array(order_of(rank, time)))
    yield table


class _Thread:
    """Gives out the rows of one segment from first to last."""

    def __init__(self, path: Path, index: Index) -> None:
        self.index = index
        self._path = path
        self._at = 0
        self._group = -1
        self._rows: Part | None = None

    def take(self, first: int, before: Ints, until_ns: int | None) -> tuple[Ints, Part]:
        """The next rows: of the ranks from `first` on, and up to a time if it is given.

        `before` says how many rows stand before each of these ranks, and before the one behind.
        """
        begin, parts = self._at, []
        while self._at < before[-1]:
            part = self._next(int(before[-1]), until_ns)
            if not len(part.time):
                break
            self._at += len(part.time)
            parts.append(part)
        rank = np.searchsorted(before, np.arange(begin, self._at), side="right") - 1
        return rank, _joined(parts)

    def _next(self, stop: int, until_ns: int | None) -> Part:
        group, start, size = self.index.group_at(self._at)
        if group != self._group or self._rows is None:
            self._rows, self._group = decode(self._path, self.index, group), group
        part = self._rows.slice(self._at - start, min(stop - start, size))
        if until_ns is None:
            return part
        return part.slice(0, int(np.searchsorted(part.time, until_ns, side="right")))


def _joined(parts: list[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    time = np.concatenate([p.time for p in parts]) if parts else np.empty(0, dtype=np.int64)
    if not parts:
        empty = [pa.array([], SCHEMA.field(n).type) for n in ("number", "text", "quality")]
        return Part(time, *empty)
    return Part(time, *(pa.concat_arrays([p[n] for p in parts]) for n in (1, 2, 3)))
