"""The write-ahead log: what is written here and synced is acknowledged.

A file is a header and records. Each record has a CRC over its head and body, begun with the
file's salt, so that neither a torn write nor the remains of another file pass for a record.
Bodies: a list of new paths with the numbers they get in this file, or rows as one Arrow IPC
message. Layouts are little-endian.

| file header | 4s magic `LSHL` · u16 version · u16 zero · u64 number · u32 salt |
|---|---|
| record head | 4s magic `LSHR` · u8 kind · 3 bytes zero · u32 CRC · u64 bytes of body |
"""

import secrets
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Indices, Mask
from lineshaft.core.errors import SettingsError
from lineshaft.stores.parquet.files import Files
from lineshaft.stores.parquet.rows import Names, Rows

FILE_HEAD = struct.Struct("<4sHHQI")
RECORD_HEAD = struct.Struct("<4sB3xIQ")
FILE_MAGIC = b"LSHL"
RECORD_MAGIC = b"LSHR"
VERSION = 1
PATHS, NUMBERS, TEXTS = 1, 2, 3
"""Kinds of records: new paths; rows of numbers; rows with texts."""

NUMBER_FIELDS = [
    pa.field("id", pa.int32()),
    pa.field("time_ns", pa.int64()),
    pa.field("number", pa.float64()),
    pa.field("quality", pa.uint32()),
]
SCHEMAS = {
    NUMBERS: pa.schema(NUMBER_FIELDS),
    TEXTS: pa.schema([*NUMBER_FIELDS, pa.field("text", pa.string())]),
}


class _Paths(msgspec.Struct, frozen=True):
    """Body of a record of new paths."""

    ids: list[int]
    paths: list[str]


def file_name(number: int) -> str:
    """Name of a log file below the folder of logs."""
    return f"{number:012d}.log"


class LogFile:
    """The log file that is being written; one thread only."""

    def __init__(self, files: Files, folder: Path, number: int) -> None:
        """Create the file and have it on the disk."""
        self.number = number
        self.path = folder / file_name(number)
        self.size = 0
        """Bytes up to the end of the last synced record."""
        self._files = files
        self._salt = secrets.randbits(32)
        self._named = np.zeros(0, dtype=np.bool_)
        self._fd = files.create(self.path)
        try:
            head = FILE_HEAD.pack(FILE_MAGIC, VERSION, 0, number, self._salt)
            self._append([head])
            files.sync_path(folder)
        except OSError:
            files.close(self._fd)
            files.delete(self.path)
            raise

    def commit(self, names: Names, places: list[Indices], rows: list[Rows]) -> None:
        """Write one record for each, sync once; when this returns they are on the disk.

        `places` are the numbers of the points that the rows mention.

        Raises:
            OSError: nothing of it is on the disk; the file is as before.
        """
        named = self._named_with(len(names))
        parts: list[bytes | memoryview] = []
        for ids in places:
            fresh = np.unique(ids[~named[ids]])
            if len(fresh):
                named[fresh] = True
                numbers = fresh.tolist()
                body = msgspec.msgpack.encode(_Paths(numbers, [names.paths[i] for i in numbers]))
                parts += self._record(PATHS, body)
        for part in rows:
            kind = NUMBERS if part.text is None else TEXTS
            columns = [part.id, part.time, part.numbers(), part.quality]
            if part.text is not None:
                columns.append(part.text)
            message = pa.RecordBatch.from_arrays(
                [pa.array(c) if isinstance(c, np.ndarray) else c for c in columns],
                schema=SCHEMAS[kind],
            ).serialize()
            parts += self._record(kind, memoryview(message))
        self._append(parts)
        self._named = named

    def probe(self) -> None:
        """Write an empty record, to see whether the disk takes it."""
        self._append(self._record(PATHS, msgspec.msgpack.encode(_Paths([], []))))

    def close(self) -> None:
        """Give the descriptor back; the file stays until its rows are settled."""
        self._files.close(self._fd)

    def _named_with(self, size: int) -> Mask:
        """A copy of who is named already, so that a failed commit changes nothing."""
        named = np.zeros(max(size, len(self._named)), dtype=np.bool_)
        named[: len(self._named)] = self._named
        return named

    def _record(self, kind: int, body: bytes | memoryview) -> list[bytes | memoryview]:
        crc = _crc(self._salt, kind, body)
        return [RECORD_HEAD.pack(RECORD_MAGIC, kind, crc, len(body)), body]

    def _append(self, parts: list[bytes | memoryview]) -> None:
        try:
            end = self._files.write(self._fd, self.size, parts)
            self._files.sync(self._fd)
        except OSError:
            # The next record goes to the same place; a tail that stays is cut at opening.
            self._files.truncate(self._fd, self.size)
            raise
        self.size = end


def _crc(salt: int, kind: int, body: bytes | memoryview) -> int:
    return zlib.crc32(body, zlib.crc32(struct.pack("<BQ", kind, len(body)), salt))


class Replayed(NamedTuple):
    """What a log file held."""

    rows: list[Rows]
    torn_bytes: int
    """Bytes behind the last whole record that no acknowledgement covers."""
    corrupt_at: int | None
    """Where a record is broken though whole ones follow: rows behind it are set aside."""


def replay(path: Path, number: int, names: Names) -> Replayed:
    """Read a log file back.

    Raises:
        SettingsError: it is of a newer version.
    """
    data = path.read_bytes()
    if len(data) < FILE_HEAD.size or data[:4] != FILE_MAGIC:
        whole = len(data) > FILE_HEAD.size and any(data)
        return Replayed([], len(data), 0 if whole else None)
    _, version, _, number_in_file, salt = FILE_HEAD.unpack_from(data)
    if version > VERSION:
        raise SettingsError(
            f"log file {path} has version {version}, this program knows {VERSION}",
            remedy="Run the newer Lineshaft that wrote it, or give the store another path.",
        )
    if number_in_file != number:
        return Replayed([], len(data), 0)
    rows: list[Rows] = []
    ids = np.zeros(0, dtype=np.int32)
    end = FILE_HEAD.size
    for kind, body in _records(data, end, salt):
        end += RECORD_HEAD.size + len(body)
        if kind == PATHS:
            ids = _learn(ids, msgspec.msgpack.decode(body, type=_Paths), names)
        else:
            rows.append(_rows(kind, body, ids))
    corrupt = end < len(data) and _follows(data, end, salt)
    return Replayed(rows, len(data) - end, end if corrupt else None)


def _records(data: bytes, start: int, salt: int) -> Iterator[tuple[int, memoryview]]:
    """Whole records from `start` on, up to the first that is not."""
    view = memoryview(data)
    while start + RECORD_HEAD.size <= len(data):
        magic, kind, crc, size = RECORD_HEAD.unpack_from(data, start)
        start += RECORD_HEAD.size
        if magic != RECORD_MAGIC or size > len(data) - start:
            return
        body = view[start : start + size]
        if _crc(salt, kind, body) != crc:
            return
        yield kind, body
        start += size


def _follows(data: bytes, start: int, salt: int) -> bool:
    """Whether a whole record stands anywhere behind `start`."""
    at = data.find(RECORD_MAGIC, start + 1)
    while at >= 0:
        if next(_records(data, at, salt), None) is not None:
            return True
        at = data.find(RECORD_MAGIC, at + 1)
    return False


def _learn(ids: Indices, new: _Paths, names: Names) -> Indices:
    """Which number of ours each number in the file stands for, with the new ones."""
    if not new.ids:
        return ids
    grown = np.zeros(max(len(ids), max(new.ids) + 1), dtype=np.int32)
    grown[: len(ids)] = ids
    grown[new.ids] = names.of(new.paths)
    return grown


def _rows(kind: int, body: memoryview, ids: Indices) -> Rows:
    batch = pa.ipc.read_record_batch(pa.py_buffer(body), SCHEMAS[kind])
    numbers = batch.column("number")
    return Rows(
        ids[batch.column("id").to_numpy()],
        batch.column("time_ns").to_numpy(),
        numbers.to_numpy(zero_copy_only=False),
        numbers.is_valid().to_numpy(zero_copy_only=False),
        batch.column("quality").to_numpy(),
        batch.column("text") if kind == TEXTS else None,
    )
