"""The index of a segment: which rows are whose, and where in the file each row group is.

It stands in the Parquet file itself, between the last row group and the footer, where other
readers look at nothing. So one point's rows are found without parsing the footer, which in a large
file takes longer than reading them.

| index | compressed · u32 its bytes · u32 its CRC · u32 unpacked bytes · 4s magic `LSHI` |
|---|---|
"""

import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lineshaft.core.batch import Indices, Ints, Mask
from lineshaft.core.errors import SettingsError
from lineshaft.stores.parquet import footer as footers
from lineshaft.stores.parquet.shape import time_columns, times_of

VERSION = 1
TRAILER = struct.Struct("<III4s")
MAGIC = b"LSHI"
CODEC = "zstd"


class Collector:
    """Collects, while a segment is written, where the rows of each point begin."""

    def __init__(self) -> None:
        self.rows = 0
        self.paths: list[str] = []
        self._starts: list[Ints] = []
        self._first: list[Ints] = []
        self._last: list[Ints] = []
        self._groups: list[tuple[int, int, int]] = []

    def add(self, point: pa.DictionaryArray, time: Ints) -> None:
        """Take note of the next row group."""
        codes = point.indices.to_numpy()
        begins = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
        paths = point.dictionary.take(pa.array(codes[begins])).to_pylist()
        last = time[np.r_[begins[1:], len(time)] - 1]
        first = time[begins]
        self._groups.append((self.rows, int(time[0]), int(time[-1])))
        if self.paths and paths[0] == self.paths[-1]:
            self._last[-1][-1] = last[0]
            begins, paths, first, last = begins[1:], paths[1:], first[1:], last[1:]
        if len(paths):
            self._starts.append(begins + self.rows)
            self._first.append(first)
            self._last.append(last)
            self.paths += paths
        self.rows += len(time)

    def packed(self, footer: bytes) -> bytes:
        """The index as it stands in the file."""
        groups = np.array(self._groups, dtype=np.int64).reshape(-1, 3)
        body = msgspec.msgpack.encode(
            Stored(
                version=VERSION,
                paths=self.paths,
                starts=_bytes([*self._starts, np.array([self.rows])]),
                first=_bytes(self._first),
                last=_bytes(self._last),
                group_starts=_bytes([groups[:, 0], np.array([self.rows])]),
                group_first=_bytes([groups[:, 1]]),
                group_last=_bytes([groups[:, 2]]),
                cuts=_bytes([footers.cut(footer)]),
            )
        )
        packed: bytes = pa.compress(body, codec=CODEC, asbytes=True)
        return packed + TRAILER.pack(len(packed), zlib.crc32(packed), len(body), MAGIC)


class Stored(msgspec.Struct, frozen=True):
    """What is packed; the numbers are int64, little-endian."""

    version: int
    paths: list[str]
    starts: bytes
    first: bytes
    last: bytes
    group_starts: bytes
    group_first: bytes
    group_last: bytes
    cuts: bytes


def _bytes(parts: list[Ints]) -> bytes:
    return np.concatenate(parts).astype("<i8").tobytes() if parts else b""


def _ints(data: bytes) -> Ints:
    return np.frombuffer(data, dtype="<i8")


class Times(NamedTuple):
    """A time and the one behind the last."""

    start_ns: int
    stop_ns: int


class Runs(NamedTuple):
    """Rows of one point within one row group each; columns of equal length."""

    which: Ints
    """Place of the point in what was asked for; rises."""
    group: Ints
    start: Ints
    """First row, counted within the row group."""
    stop: Ints

    def take(self, rows: Mask) -> "Runs":
        """Those that a mask holds true."""
        return Runs(*(c[rows] for c in self))


def _enough(runs: Runs, limit: int) -> Mask:
    """The first runs of each point, up to so many rows; of its very first, any may lie outside."""
    is_first = np.r_[True, runs.which[1:] != runs.which[:-1]][: len(runs.which)]
    sure = np.where(is_first, 0, runs.stop - runs.start)
    before = np.cumsum(sure) - sure
    begins = np.maximum.accumulate(np.where(is_first, before, 0))
    enough: Mask = before - begins < limit
    return enough


class Index:
    """What is known of a segment without reading its columns."""

    def __init__(self, stored: Stored, names: Mapping[str, int], footer_at: int) -> None:
        ids = np.array([names.get(p, -1) for p in stored.paths], dtype=np.int32)
        self._order = np.argsort(ids, kind="stable").astype(np.int32)
        self._ids = ids[self._order]
        self.starts = _ints(stored.starts)
        """First row of each point, and one entry behind the last."""
        self.first = _ints(stored.first)
        """Time of each point's oldest row."""
        self.last = _ints(stored.last)
        """Time of each point's newest row."""
        self._group_starts = _ints(stored.group_starts)
        self._group_first = _ints(stored.group_first)
        self._group_last = _ints(stored.group_last)
        self._cuts = _ints(stored.cuts) + footer_at
        self._footer_at = footer_at
        self._frame: tuple[bytes, bytes] | None = None

    @property
    def size(self) -> int:
        """Bytes that it takes in memory, about."""
        return 8 * (4 * len(self._ids) + 4 * len(self._cuts)) + 2000

    def find(self, ids: Indices) -> Indices:
        """The place of each point in this segment, -1 where it has no row."""
        if not len(self._ids):
            return np.full(len(ids), -1, dtype=np.int32)
        at = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        return np.where(self._ids[at] == ids, self._order[at], np.int32(-1))

    def runs(self, ids: Indices, span: Times, limit: int | None = None) -> Runs:
        """Where rows of these times may be, of each point at least the `limit` oldest."""
        places = self.find(ids)
        which = np.flatnonzero(places >= 0)
        at = places[which]
        alive = (self.first[at] < span.stop_ns) & (self.last[at] >= span.start_ns)
        which, at = which[alive], at[alive]
        first, stop = self.starts[at], self.starts[at + 1]
        low = np.searchsorted(self._group_starts, first, side="right") - 1
        high = np.searchsorted(self._group_starts, stop, side="left")
        # One row for each point and row group that it has rows in.
        number = high - low
        row = np.repeat(np.arange(len(which)), number)
        group = low[row] + np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number)
        begin, end = self._group_starts[group], self._group_starts[group + 1]
        # The first row of a group is this point's only if the point began before it.
        late = (begin >= first[row]) & (self._group_first[group] >= span.stop_ns)
        early = (end <= stop[row]) & (self._group_last[group] < span.start_ns)
        runs = Runs(
            which[row], group, np.maximum(first[row] - begin, 0), np.minimum(stop[row], end) - begin
        ).take(~(late | early))
        return runs if limit is None else runs.take(_enough(runs, limit))

    def before(self, ids: int) -> Ints:
        """For each number of a point up to `ids`, how many rows those below have.

        Only of use where the numbers are the ranks of the paths in order.
        """
        places = np.searchsorted(self._ids, np.arange(ids + 1))
        before: Ints = self.starts[places]
        return before

    def borders(self, number: int) -> Ints:
        """Times of the last row of each row group that ends within the point's rows."""
        place = int(self.find(np.array([number], dtype=np.int32))[0])
        if place < 0:
            return np.empty(0, dtype=np.int64)
        ends = self._group_starts[1:]
        inside = (ends > self.starts[place]) & (ends <= self.starts[place + 1])
        times: Ints = self._group_last[inside]
        return times

    def group_at(self, row: int) -> tuple[int, int, int]:
        """The row group in which a row stands, its first row, and how many it has."""
        group = int(np.searchsorted(self._group_starts, row, side="right")) - 1
        start = int(self._group_starts[group])
        return group, start, int(self._group_starts[group + 1]) - start

    def footer(self, fd: int, group: int) -> pq.FileMetaData:
        """A footer with that row group only."""
        if self._frame is None:
            head = os.pread(fd, int(self._cuts[0]) - self._footer_at, self._footer_at)
            size = os.fstat(fd).st_size - footers.TAIL - int(self._cuts[-1])
            self._frame = (head, os.pread(fd, size, int(self._cuts[-1])))
        start, stop = int(self._cuts[group + 1]), int(self._cuts[group + 2])
        return footers.of_one(self._frame[0], os.pread(fd, stop - start, start), self._frame[1])


def load(path: Path, names: Mapping[str, int]) -> Index:
    """The index of a segment, for points numbered like this; made anew if it has none.

    Raises:
        SettingsError: the index is of a newer version.
        OSError: the file cannot be read; so does `pyarrow.ArrowInvalid`.
    """
    found, footer_at = stored(path)
    return Index(found, names, footer_at)


def stored(path: Path) -> tuple[Stored, int]:
    """What is known of a segment, and where in the file the footer begins. Raises like `load`."""
    with path.open("rb") as file:
        fd = file.fileno()
        size = os.fstat(fd).st_size
        tail = os.pread(fd, footers.TAIL, max(size - footers.TAIL, 0))
        if len(tail) < footers.TAIL or tail[-4:] != footers.MAGIC:
            raise pa.ArrowInvalid(f"{path} does not end like a Parquet file")
        footer_at = size - footers.TAIL - footers.LENGTH.unpack_from(tail)[0]
        found = _load(fd, footer_at)
        if found is None:
            found = _made(file, footer_at)
        return found, footer_at


def _load(fd: int, footer_at: int) -> Stored | None:
    """The index that the file carries; None when it carries none that is whole."""
    trailer = os.pread(fd, TRAILER.size, max(footer_at - TRAILER.size, 0))
    if len(trailer) < TRAILER.size:
        return None
    size, crc, whole, magic = TRAILER.unpack(trailer)
    if magic != MAGIC:
        return None
    packed = os.pread(fd, size, max(footer_at - TRAILER.size - size, 0))
    return _unpacked(packed, whole) if zlib.crc32(packed) == crc else None


def _unpacked(packed: bytes, whole: int) -> Stored:
    body = pa.decompress(packed, decompressed_size=whole, codec=CODEC, asbytes=True)
    version = msgspec.msgpack.decode(body, type=_Versioned).version
    if version > VERSION:
        raise SettingsError(
            f"the index of a segment has version {version}, this program knows {VERSION}",
            remedy="Run the newer Lineshaft that wrote it.",
        )
    return msgspec.msgpack.decode(body, type=Stored)


class _Versioned(msgspec.Struct):
    version: int


def _made(file: BinaryIO, footer_at: int) -> Stored:
    """An index from reading the points and times of all rows."""
    runs = Collector()
    with pq.ParquetFile(file, read_dictionary=["point"]) as parquet:
        columns = time_columns(parquet.schema_arrow.names)
        for group in range(parquet.num_row_groups):
            table = parquet.read_row_group(group, columns=["point", *columns], use_threads=False)
            runs.add(table.column("point").combine_chunks(), times_of(table))
        file.seek(footer_at)
        packed = runs.packed(file.read()[: -footers.TAIL])
    return _unpacked(packed[: -TRAILER.size], TRAILER.unpack(packed[-TRAILER.size :])[2])
