"""Reading roll-ups: the rows of some points, of one level, as columns of summaries.

What is known of a file from its footer stays in memory, up to a bound.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from lineshaft.core.batch import Floats, Indices, Ints, Mask
from lineshaft.core.summary import LEVELS_NS
from lineshaft.core.sums import Sums
from lineshaft.stores.parquet.rollups import FLOATS, INDEX, unpacked

CACHE_BYTES = 64 << 20
"""Memory that footers may take, about."""
_NEEDS = {
    "usable": ("count", "unusable"),
    "begin_ns": ("head_ns",),
    "end_ns": ("tail_ns",),
    "min_ns": ("head_ns", "min_after_ns"),
    "max_ns": ("head_ns", "max_after_ns"),
    "first_ns": ("head_ns", "first_after_ns"),
    "last_ns": ("tail_ns", "last_before_ns"),
    "known_ns": ("head_ns", "tail_ns", "unknown_ns"),
}
"""Columns of the file that a column of summaries is made of, if not of its own name."""


class _Level:
    """Where the rows of each point stand."""

    def __init__(self, ids: Indices, starts: Ints, base: int) -> None:
        order = np.argsort(ids, kind="stable")
        self.ids = ids[order]
        self.starts = starts[:-1][order]
        self.stops = starts[1:][order]
        self.base = base
        """The first row group."""


_NO_LEVEL = _Level(np.empty(0, np.int32), np.zeros(1, np.int64), 0)


class Sidecar:
    """The roll-ups of one segment."""

    def __init__(self, path: Path, names: Mapping[str, int]) -> None:
        self._path = path
        with pq.ParquetFile(path) as file:
            self._footer = file.metadata
        index = unpacked(self._footer.metadata[INDEX])
        self.paths = index.paths
        ids = np.array([names.get(p, -1) for p in index.paths], dtype=np.int32)
        order = np.argsort(ids, kind="stable")
        self.ids = ids[order]
        """Numbers of the points that have rows in the segment, sorted."""
        self.rows = np.frombuffer(index.rows, dtype="<i8")[order]
        """How many samples each of them has."""
        self._group_rows = index.group_rows
        self._levels: dict[int, _Level] = {}
        base = 0
        for level, runs in sorted(index.levels.items()):
            places = np.frombuffer(runs.places, dtype="<i4")
            starts = np.frombuffer(runs.starts, dtype="<i8")
            self._levels[level] = _Level(ids[places], starts, base)
            base += -(-int(starts[-1]) // index.group_rows)
        self.size = int(self._footer.serialized_size) * 4 + 40 * len(ids) * (1 + len(self._levels))
        self.size += sum(map(len, index.paths)) + 60 * len(index.paths)

    def samples(self, ids: Indices) -> Ints:
        """How many samples each of these points has in the segment."""
        at = np.minimum(np.searchsorted(self.ids, ids), max(len(self.ids) - 1, 0))
        if not len(self.ids):
            return np.zeros(len(ids), dtype=np.int64)
        return np.where(self.ids[at] == ids, self.rows[at], 0)

    def holds(self, level_ns: int, ids: Indices) -> Mask:
        """Which of these points have the level."""
        level = self._levels.get(level_ns)
        return np.zeros(len(ids), dtype=np.bool_) if level is None else np.isin(ids, level.ids)

    def widest(self, ids: Indices, among: Sequence[int]) -> dict[int, Mask]:
        """The points by the widest level among some, else by the finest that they have."""
        left = np.ones(len(ids), dtype=np.bool_)
        found: dict[int, Mask] = {}
        others = [level for level in LEVELS_NS if level not in among]
        for level_ns in [*sorted(among, reverse=True), *others]:
            mask = left & self.holds(level_ns, ids)
            left &= ~mask
            if mask.any():
                found[level_ns] = mask
        return found

    def read(
        self, level_ns: int, ids: Indices, times_ns: tuple[int, int], wanted: Sequence[str]
    ) -> Sums:
        """Summaries of buckets that begin within these times; `place` counts in `ids`, and rises.

        Raises:
            OSError: the file cannot be read; so does `pyarrow.ArrowInvalid`.
        """
        level = self._levels.get(level_ns, _NO_LEVEL)
        places = np.flatnonzero(np.isin(ids, level.ids)).astype(np.int32)
        at = np.searchsorted(level.ids, ids[places])
        starts, stops = level.starts[at], level.stops[at]
        columns = _columns(wanted)
        if not len(places):
            table = pa.table({n: pa.array([], _type(n)) for n in columns})
            return _sums(table, places, level_ns, wanted)
        lengths = stops - starts
        place = np.repeat(places, lengths)
        # The rows of each run, one run after another.
        row = np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        group = row // self._group_rows
        groups = np.unique(group)
        with pq.ParquetFile(self._path, metadata=self._footer) as file:
            table = file.read_row_groups(
                (groups + level.base).tolist(), columns=columns, use_threads=False
            )
        held = np.searchsorted(groups, group) * self._group_rows + row % self._group_rows
        time = table.column("time_ns").to_numpy()[held]
        inside = (time >= times_ns[0]) & (time < times_ns[1])
        if not inside.all():
            held, place = held[inside], place[inside]
        if not (len(held) == table.num_rows and (held[1:] > held[:-1]).all()):
            table = table.take(pa.array(held))
        return _sums(table, place, level_ns, wanted)


def _type(name: str) -> pa.DataType:
    return pa.float64() if name in FLOATS else pa.int64()


def _columns(wanted: Sequence[str]) -> list[str]:
    names = {"time_ns"}
    for name in wanted:
        if name != "point":
            names.update(_NEEDS.get(name, (name,)))
    return sorted(names)


class _Read:
    """Columns of the file as NumPy arrays."""

    def __init__(self, table: pa.Table, level_ns: int, wanted: Sequence[str]) -> None:
        self._table = table
        self.time = self.ints("time_ns")
        self.begin = self.time + self.ints("head_ns") if "begin_ns" in wanted else self.time
        self.end = self.time
        if "end_ns" in wanted:
            self.end = self.time + level_ns - self.ints("tail_ns")

    def ints(self, name: str) -> Ints:
        """A column of whole numbers."""
        column: Ints = self._table.column(name).to_numpy().astype(np.int64, copy=False)
        return column

    def floats(self, name: str) -> Floats:
        """A column of numbers, with 0 for null."""
        column = self._table.column(name)
        filled = column.fill_null(0) if column.null_count else column
        return filled.to_numpy()  # type: ignore[no-any-return]


_MADE: Mapping[str, Callable[[_Read], npt.NDArray[Any]]] = {
    "time_ns": lambda r: r.time,
    "begin_ns": lambda r: r.begin,
    "end_ns": lambda r: r.end,
    "count": lambda r: r.ints("count"),
    "usable": lambda r: r.ints("count") - r.ints("unusable"),
    "quality": lambda r: r.ints("quality").astype(np.uint32),
    "min_ns": lambda r: r.begin + r.ints("min_after_ns"),
    "max_ns": lambda r: r.begin + r.ints("max_after_ns"),
    "first_ns": lambda r: r.begin + r.ints("first_after_ns"),
    "last_ns": lambda r: r.end - r.ints("last_before_ns"),
    "known_ns": lambda r: r.end - r.begin - r.ints("unknown_ns"),
}


def _sums(table: pa.Table, place: Indices, level_ns: int, wanted: Sequence[str]) -> Sums:
    """The columns of the file as those of summaries."""
    read = _Read(table, level_ns, wanted)
    sums: Sums = {"place": place}
    for name in wanted:
        if name != "point":
            sums[name] = _MADE[name](read) if name in _MADE else read.floats(name)
    return sums


class Sidecars:
    """Opens roll-ups and remembers their footers; shared by all threads."""

    def __init__(self, folder: Path, names: Mapping[str, int]) -> None:
        self._folder = folder
        self._names = names
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Sidecar] = OrderedDict()
        self._size = 0

    def paths(self, file: str) -> list[str]:
        """The points that a file has roll-ups of; nothing of it is remembered.

        Raises:
            OSError: the file cannot be read; so does `pyarrow.ArrowInvalid`.
        """
        return unpacked(pq.read_metadata(self._folder / file).metadata[INDEX]).paths

    def open(self, file: str) -> Sidecar:
        """The roll-ups in a file.

        Raises:
            OSError: the file cannot be read; so does `pyarrow.ArrowInvalid`.
        """
        with self._lock:
            known = self._known.get(file)
            if known is not None:
                self._known.move_to_end(file)
                return known
        fresh = Sidecar(self._folder / file, self._names)
        with self._lock:
            if file not in self._known:
                self._known[file] = fresh
                self._size += fresh.size
            while self._size > CACHE_BYTES and len(self._known) > 1:
                _, old = self._known.popitem(last=False)
                self._size -= old.size
        return fresh
