"""Rows as NumPy columns: how they lie in memory between the log and the segments."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lineshaft.core.batch import Batch, Codes, Floats, Indices, Ints, Mask

Places = npt.NDArray[np.intp]
SINGLY_MAX = 8
"""Up to so many points are looked for one by one among the rows of a buffer."""
SMALL = 1 << 16
"""Ranks below this fit 16 bits, which NumPy sorts by radix, four times as fast."""


class Rows(NamedTuple):
    """Columns of equal length n."""

    id: Indices
    """Which point, as `Names` numbers them."""
    time: Ints
    """Source time in nanoseconds."""
    number: Floats
    """The number; anything where `valid` is false."""
    valid: Mask
    """Whether the row carries a number."""
    quality: Codes
    """Status code."""
    text: pa.StringArray | None
    """Texts, null where there is none; None when no row has one."""

    def take(self, rows: Places | Mask) -> "Rows":
        """The rows that a mask holds true, or that the positions name, in their order."""
        places = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        text = None if self.text is None else self.text.take(pa.array(places))
        return Rows(
            self.id[places],
            self.time[places],
            self.number[places],
            self.valid[places],
            self.quality[places],
            text,
        )

    def numbers(self) -> pa.Array:
        """The numbers as an Arrow array with nulls."""
        if self.valid.all():
            return pa.array(self.number)
        return pa.array(self.number, mask=~self.valid)

    def texts(self) -> pa.StringArray:
        """The texts as an Arrow array with nulls."""
        return pa.nulls(len(self.id), pa.string()) if self.text is None else self.text


def rows_of(ids: Indices, batch: Batch) -> Rows:
    """The columns of a batch whose points are numbered already; a view where that is possible."""
    column = batch.arrow.column(2)
    texts = batch.arrow.column(3)
    return Rows(
        ids,
        batch.time_ns,
        column.to_numpy(zero_copy_only=False),
        batch.has_number,
        batch.quality,
        None if texts.null_count == len(texts) else texts,
    )


def concat(parts: list[Rows]) -> Rows:
    """All rows, in the given order."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Rows(
            np.empty(0, dtype=np.int32),
            np.empty(0, dtype=np.int64),
            np.empty(0, dtype=np.float64),
            np.empty(0, dtype=np.bool_),
            np.empty(0, dtype=np.uint32),
            None,
        )
    text = None
    if any(p.text is not None for p in parts):
        text = pa.concat_arrays([p.texts() for p in parts])
    return Rows(
        np.concatenate([p.id for p in parts]),
        np.concatenate([p.time for p in parts]),
        np.concatenate([p.number for p in parts]),
        np.concatenate([p.valid for p in parts]),
        np.concatenate([p.quality for p in parts]),
        text,
    )


def order_of(rank: Indices, time: Ints) -> Places:
    """Positions that sort by rank and time and leave, of equal keys, only the last to come."""
    if not len(rank):
        return np.empty(0, dtype=np.intp)
    narrow = rank.astype(np.uint16) if int(rank.max()) < SMALL else rank
    order = np.argsort(narrow, kind="stable")
    ranks, times = rank[order], time[order]
    # Data mostly comes in order of time, so that sorting by rank alone is enough.
    if ((times[1:] < times[:-1]) & (ranks[1:] == ranks[:-1])).any():
        order = np.lexsort((time, rank))
        ranks, times = rank[order], time[order]
    last = np.ones(len(order), dtype=np.bool_)
    last[:-1] = (ranks[1:] != ranks[:-1]) | (times[1:] != times[:-1])
    return order if last.all() else order[last]


class Names:
    """Numbers the points from 0 in the order they are first seen, for one process's lifetime."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.paths: list[str] = []
        self._recent: dict[tuple[int, ...], tuple[pa.Array, Indices]] = {}

    def __len__(self) -> int:
        return len(self.paths)

    def of(self, paths: list[str]) -> Indices:
        """Numbers of the paths, new ones included. Called by the writer only."""
        ids = self.ids
        found = []
        for path in paths:
            number = ids.get(path)
            if number is None:
                number = len(self.paths)
                self.paths.append(path)
                ids[path] = number
            found.append(number)
        return np.array(found, dtype=np.int32)

    def of_dictionary(self, dictionary: pa.Array) -> Indices:
        """The same for an Arrow dictionary; those of the last batches are remembered."""
        # Holding the array keeps its memory from being reused, so the address is its identity.
        buffers = dictionary.buffers()
        where = [b.address if b else 0 for b in buffers]
        key = (*where, dictionary.offset, len(dictionary))
        known = self._recent.get(key)
        if known is None:
            if len(self._recent) >= SMALL >> 10:
                self._recent.clear()
            known = self._recent[key] = (dictionary, self.of(dictionary.to_pylist()))
        return known[1]


class Buffer:
    """The rows of one log file, in memory.

    Rows once added never change, so readers may look at the first `rows` without a lock.
    """

    def __init__(self, log: int, capacity: int) -> None:
        self.log = log
        """Number of the log file that holds the same rows."""
        self.rows = 0
        self.capacity = capacity
        self.text_bytes = 0
        self.time_min = np.iinfo(np.int64).max
        self.time_max = np.iinfo(np.int64).min
        self._id = np.empty(capacity, dtype=np.int32)
        self._time = np.empty(capacity, dtype=np.int64)
        self._number = np.empty(capacity, dtype=np.float64)
        self._valid = np.empty(capacity, dtype=np.bool_)
        self._quality = np.empty(capacity, dtype=np.uint32)
        self._text = np.empty(capacity, dtype=np.int32)
        self._texts: list[str] = []

    def add(self, rows: Rows) -> None:
        """Append the rows; there must be room for them."""
        start, stop = self.rows, self.rows + len(rows.id)
        place = slice(start, stop)
        self._id[place] = rows.id
        self._time[place] = rows.time
        self._number[place] = rows.number
        self._valid[place] = rows.valid
        self._quality[place] = rows.quality
        self._text[place] = -1
        if rows.text is not None:
            held = rows.text.is_valid().to_numpy(zero_copy_only=False)
            texts = rows.text.drop_null().to_pylist()
            first = len(self._texts)
            self._text[place][held] = np.arange(first, first + len(texts), dtype=np.int32)
            self._texts += texts
            self.text_bytes += sum(map(len, texts))
        self.time_min = min(self.time_min, int(rows.time.min()))
        self.time_max = max(self.time_max, int(rows.time.max()))
        self.rows = stop

    def all(self, rows: int) -> Rows:
        """The first `rows` rows, without copying the numbers."""
        return self._view(slice(0, rows))

    def select(self, rows: int, wanted: Mask, start_ns: int, stop_ns: int) -> Rows:
        """Of the first `rows` rows those of the wanted points and times.

        `wanted` says for each number of a point whether it is; numbers beyond are not.
        """
        ids = self._id[:rows]
        numbers = np.flatnonzero(wanted)
        if len(numbers) <= SINGLY_MAX:
            # Comparing is many times as fast as looking up each row's point.
            found = np.zeros(rows, dtype=np.bool_)
            for number in numbers.tolist():
                found |= ids == number
        else:
            found = ids < len(wanted)
            found &= wanted[np.where(found, ids, 0)]
        places = np.flatnonzero(found)
        time = self._time[places]
        return self._view(places[(time >= start_ns) & (time < stop_ns)])

    def _view(self, rows: Places | slice) -> Rows:
        return Rows(
            self._id[rows],
            self._time[rows],
            self._number[rows],
            self._valid[rows],
            self._quality[rows],
            self._texts_of(self._text[rows]),
        )

    def _texts_of(self, refs: Indices) -> pa.StringArray | None:
        if not (self._texts and (refs >= 0).any()):
            return None
        held = pa.array([self._texts[r] for r in refs[refs >= 0].tolist()], pa.string())
        places = np.cumsum(refs >= 0) - 1
        return pc.take(held, pa.array(places, mask=refs < 0))
