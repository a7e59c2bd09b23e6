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
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lineshaft.core.batch import Indices, Ints
from lineshaft.core.errors import SettingsError
from lineshaft.stores.parquet import footer as footers
from lineshaft.stores.parquet.shape import time_columns, times_of

VERSION = 1
TRAILER = struct.Struct("<III4s")
MAGIC = b"LSHI"
CODEC = "zstd"


class Runs:
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
            _Stored(
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


class _Stored(msgspec.Struct, frozen=True):
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


class Run(NamedTuple):
    """Rows of one point within one row group."""

    group: int
    start: int
    """First row, counted within the row group."""
    stop: int


class Index:
    """What is known of a segment without reading its columns."""

    def __init__(self, stored: _Stored, names: Mapping[str, int], footer_at: int) -> None:
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

    def runs(self, place: int, span: Times) -> list[Run]:
        """Row groups, in order, that may hold rows of the point within these times."""
        start_ns, stop_ns = span
        first, stop = int(self.starts[place]), int(self.starts[place + 1])
        if self.first[place] >= stop_ns or self.last[place] < start_ns:
            return []
        low = int(np.searchsorted(self._group_starts, first, side="right")) - 1
        high = int(np.searchsorted(self._group_starts, stop, side="left"))
        found = []
        for group in range(low, high):
            begin, end = int(self._group_starts[group]), int(self._group_starts[group + 1])
            # The first row of a group is this point's only if the point began before it.
            late = begin >= first and self._group_first[group] >= stop_ns
            early = end <= stop and self._group_last[group] < start_ns
            if not (late or early):
                found.append(Run(group, max(first - begin, 0), min(stop, end) - begin))
        return found

    def footer(self, fd: int, group: int) -> pq.FileMetaData:
        """A footer with that row group only."""
        if self._frame is None:
            head = os.pread(fd, int(self._cuts[0]) - self._footer_at, self._footer_at)
            size = os.fstat(fd).st_size - footers.TAIL - int(self._cuts[-1])
            self._frame = (head, os.pread(fd, size, int(self._cuts[-1])))
        start, stop = int(self._cuts[group + 1]), int(self._cuts[group + 2])
        return footers.of_one(self._frame[0], os.pread(fd, stop - start, start), self._frame[1])


def load(fd: int, names: Mapping[str, int]) -> Index | None:
    """The index of a segment; None when it has none that is whole.

    Raises:
        SettingsError: the index is of a newer version.
        OSError: the file cannot be read.
    """
    size = os.fstat(fd).st_size
    tail = os.pread(fd, footers.TAIL, size - footers.TAIL)
    if len(tail) < footers.TAIL or tail[-4:] != footers.MAGIC:
        return None
    footer_at = size - footers.TAIL - footers.LENGTH.unpack_from(tail)[0]
    trailer = os.pread(fd, TRAILER.size, max(footer_at - TRAILER.size, 0))
    if len(trailer) < TRAILER.size:
        return None
    packed_size, crc, whole, magic = TRAILER.unpack(trailer)
    packed = os.pread(fd, packed_size, max(footer_at - TRAILER.size - packed_size, 0))
    if magic != MAGIC or zlib.crc32(packed) != crc:
        return None
    body = pa.decompress(packed, decompressed_size=whole, codec=CODEC, asbytes=True)
    version = msgspec.msgpack.decode(body, type=_Versioned).version
    if version > VERSION:
        raise SettingsError(
            f"the index of a segment has version {version}, this program knows {VERSION}",
            remedy="Run the newer Lineshaft that wrote it.",
        )
    return Index(msgspec.msgpack.decode(body, type=_Stored), names, footer_at)


class _Versioned(msgspec.Struct):
    version: int


def made(path: Path, names: Mapping[str, int]) -> Index:
    """An index of a segment that carries none, from reading the points and times of all rows.

    Raises:
        OSError: the file cannot be read; so does `pyarrow.ArrowInvalid`.
    """
    runs = Runs()
    with path.open("rb") as file, pq.ParquetFile(file, read_dictionary=["point"]) as parquet:
        columns = time_columns(parquet.schema_arrow.names)
        for group in range(parquet.num_row_groups):
            table = parquet.read_row_group(group, columns=["point", *columns], use_threads=False)
            runs.add(table.column("point").combine_chunks(), times_of(table))
        size = os.fstat(file.fileno()).st_size
        length = footers.LENGTH.unpack_from(os.pread(file.fileno(), 4, size - footers.TAIL))[0]
        footer_at = size - footers.TAIL - length
        packed = runs.packed(os.pread(file.fileno(), length, footer_at))
    body_size = TRAILER.unpack(packed[-TRAILER.size :])[2]
    body = pa.decompress(
        packed[: -TRAILER.size], decompressed_size=body_size, codec=CODEC, asbytes=True
    )
    return Index(msgspec.msgpack.decode(body, type=_Stored), names, footer_at)
