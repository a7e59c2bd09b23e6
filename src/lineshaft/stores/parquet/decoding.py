"""Decoding one row group of a segment; the pages are checked against their checksums."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lineshaft.core.batch import Ints
from lineshaft.core.errors import SettingsError
from lineshaft.stores.parquet.index import Index, Times
from lineshaft.stores.parquet.manifest import VERSION
from lineshaft.stores.parquet.shape import time_columns, times_of

OVERHEAD = 600
"""Bytes that a kept part takes besides its columns."""


class Part(NamedTuple):
    """Rows of one point, ascending in time."""

    time: Ints
    number: pa.Array
    text: pa.Array
    quality: pa.Array

    def slice(self, start: int, stop: int) -> "Part":
        """Rows in the same memory."""
        return Part(self.time[start:stop], *(c.slice(start, stop - start) for c in self[1:]))

    def within(self, span: Times) -> "Part":
        """Those of these times, in the same memory."""
        low, high = np.searchsorted(self.time, span).tolist()
        return self if (low, high) == (0, len(self.time)) else self.slice(low, high)

    def copy(self) -> "Part":
        """The same in memory of its own."""
        return Part(self.time.copy(), *(pa.concat_arrays([c]) for c in self[1:]))

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        values = self.number.nbytes + self.text.nbytes + self.quality.nbytes
        return int(self.time.nbytes + values) + OVERHEAD


def decode(path: Path, index: Index, group: int) -> Part:
    """All rows of a row group.

    Raises:
        SettingsError: the file is of a newer version.
        OSError: it cannot be read, or its bytes are not those that were written.
    """
    with _opened(path, index, group) as file:
        group_meta = file.metadata.row_group(0)
        columns = {
            file.schema.column(i).name: group_meta.column(i) for i in range(group_meta.num_columns)
        }
        size = group_meta.num_rows
        wanted = [*time_columns(list(columns)), "number", "quality"]
        if "nanos" in wanted and _is_zero(columns["nanos"]):
            wanted.remove("nanos")
        has_text = not _is_null(columns["text"], size)
        table = _read(file, [*wanted, "text"] if has_text else wanted)
    text = table.column("text").combine_chunks() if has_text else pa.nulls(size, pa.string())
    number, quality = (table.column(n).combine_chunks() for n in ("number", "quality"))
    return Part(times_of(table), number, text, quality)


def decode_times(path: Path, index: Index, group: int) -> Ints:
    """The times of all rows of a row group. Raises like `decode`."""
    with _opened(path, index, group) as file:
        return times_of(_read(file, time_columns(file.schema.names)))


@contextmanager
def _opened(path: Path, index: Index, group: int) -> Iterator[pq.ParquetFile]:
    with path.open("rb", buffering=0) as file:
        meta = index.footer(file.fileno(), group)
    version = int((meta.metadata or {}).get(b"lineshaft.segment", b"1"))
    if version > VERSION:
        raise SettingsError(
            f"segment {path} has version {version}, this program knows {VERSION}",
            remedy="Run the newer Lineshaft that wrote it.",
        )
    # Arrow ends the process when a damaged footer promises columns that it does not describe.
    if meta.num_row_groups != 1 or meta.row_group(0).num_columns != meta.num_columns:
        raise OSError(f"the footer of {path} is damaged")
    # A file of Arrow's own, since reading through one of Python's takes its lock again and again.
    with (
        pa.OSFile(str(path)) as source,
        pq.ParquetFile(source, metadata=meta, page_checksum_verification=True) as parquet,
    ):
        yield parquet


def _read(file: pq.ParquetFile, columns: list[str]) -> pa.Table:
    return file.read_row_group(0, columns=columns, use_threads=False)


def _is_zero(column: pq.ColumnChunkMetaData) -> bool:
    stats = column.statistics
    return stats is not None and stats.has_min_max and stats.min == stats.max == 0


def _is_null(column: pq.ColumnChunkMetaData, rows: int) -> bool:
    stats = column.statistics
    return stats is not None and stats.has_null_count and stats.null_count == rows
