"""Reading the settled rows of a few points: only the row groups that hold them are decoded.

What was decoded is kept, up to a bound, so that a screen that asks again is answered from memory.
No file stays open between two questions.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lineshaft.core.batch import Indices, Ints
from lineshaft.core.errors import SettingsError
from lineshaft.stores.parquet import index as indices
from lineshaft.stores.parquet.cache import Cache
from lineshaft.stores.parquet.index import Index, Run, Times
from lineshaft.stores.parquet.manifest import VERSION, Segment
from lineshaft.stores.parquet.rows import Names
from lineshaft.stores.parquet.shape import time_columns, times_of

TOGETHER_MIN = 4
"""From so many row groups on, threads share the work."""
ROW_BYTES = 29
"""Bytes of a row in memory, without its text."""
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


class _Job(NamedTuple):
    """One row group, and the runs that are wanted of it."""

    segment: Segment
    about: Index
    group: int
    wanted: list[tuple[int, Run]]
    """Place in the question, and rows."""


class Found(NamedTuple):
    """A part, and the place of its point in the question."""

    place: int
    part: Part


class Library:
    """Gives out rows of segments; any number of threads may ask."""

    def __init__(self, folder: Path, names: Names, cache_bytes: int) -> None:
        self._folder = folder
        self._names = names
        self._parts: Cache[Part] = Cache(cache_bytes * 3 // 4)
        self._indices: Cache[Index] = Cache(cache_bytes // 4)
        self._pool = ThreadPoolExecutor(min(os.cpu_count() or 1, 4), "store decoder")

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def figures(self) -> dict[str, float]:
        """How full the caches are."""
        return {"cache_bytes": self._parts.bytes + self._indices.bytes}

    def index(self, segment: Segment) -> Index:
        """What is known of the segment.

        Raises:
            SettingsError: the file is of a newer version.
        """
        found = self._indices.get(segment.file)
        if found is None:
            path = self._folder / segment.file
            with path.open("rb") as file:
                found = indices.load(file.fileno(), self._names.ids)
            if found is None:
                found = indices.made(path, self._names.ids)
            self._indices.put(segment.file, found, found.size)
        return found

    def read(
        self, ids: Indices, segments: Sequence[Segment], span: Times, limit: int | None = None
    ) -> list[Found]:
        """Parts of the points with these numbers, of each at least the `limit` oldest rows.

        No two parts hold the same time of one point.
        """
        if limit is None:
            return list(self._read(ids, segments, span, None))
        found: list[Found] = []
        held = np.zeros(len(ids), dtype=np.int64)
        for era in _eras(segments):
            # Rows of later segments are newer, so that who has enough needs none of them.
            short = np.flatnonzero(held < limit)
            if not len(short):
                break
            for place, part in self._read(ids[short], era, span, limit):
                held[short[place]] += len(part.time)
                found.append(Found(int(short[place]), part))
        return found

    def count(self, ids: Indices, segments: Sequence[Segment], span: Times) -> Ints:
        """How many rows each of the points has."""
        counts = np.zeros(len(ids), dtype=np.int64)
        for segment in segments:
            partly = self._count_whole(counts, ids, segment, span)
            for place, part in self._read(ids[partly], [segment], span, None):
                counts[partly[place]] += len(part.time)
        return counts

    def count_most(self, ids: Indices, segments: Sequence[Segment], span: Times) -> Ints:
        """How many rows each of the points has at most, without reading any."""
        counts = np.zeros(len(ids), dtype=np.int64)
        for segment in segments:
            index = self.index(segment)
            for place in self._count_whole(counts, ids, segment, span).tolist():
                at = int(index.find(ids[place : place + 1])[0])
                counts[place] += sum(r.stop - r.start for r in index.runs(at, span))
        return counts

    def _count_whole(self, counts: Ints, ids: Indices, segment: Segment, span: Times) -> Indices:
        """Add the points whose rows are all of these times; the places of those partly so."""
        index = self.index(segment)
        places = index.find(ids)
        held = np.flatnonzero(places >= 0)
        at = places[held]
        begun = (index.first[at] < span.stop_ns) & (index.last[at] >= span.start_ns)
        whole = (index.first[at] >= span.start_ns) & (index.last[at] < span.stop_ns)
        counts[held[whole]] += (index.starts[at + 1] - index.starts[at])[whole]
        partly: Indices = held[begun & ~whole].astype(np.int32)
        return partly

    # ---- parts

    def _read(
        self, ids: Indices, segments: Sequence[Segment], span: Times, limit: int | None
    ) -> Iterator[Found]:
        jobs = [j for s in segments for j in self._jobs(s, ids, span, limit)]
        rows = sum(run.stop - run.start for job in jobs for _, run in job.wanted)
        # A long span read once would push out what many ask for again and again.
        keep = rows * ROW_BYTES < self._parts.bytes_max // 4
        share = len(jobs) >= TOGETHER_MIN
        for group in (self._pool.map if share else map)(
            lambda j: self._parts_of(j, span, keep), jobs
        ):
            yield from group

    def _jobs(
        self, segment: Segment, ids: Indices, span: Times, limit: int | None
    ) -> Iterable[_Job]:
        index = self.index(segment)
        places = index.find(ids)
        jobs: dict[int, _Job] = {}
        for wanted in np.flatnonzero(places >= 0).tolist():
            runs = index.runs(int(places[wanted]), span)
            for run in runs if limit is None else _enough(runs, limit):
                job = jobs.setdefault(run.group, _Job(segment, index, run.group, []))
                job.wanted.append((wanted, run))
        return jobs.values()

    def _parts_of(self, job: _Job, span: Times, keep: bool) -> list[Found]:
        found = []
        whole: Part | None = None
        for place, run in job.wanted:
            key = (job.segment.file, run.group, run.start)
            part = self._parts.get(key)
            if part is None:
                whole = whole or decode(self._folder / job.segment.file, job.about, job.group)
                part = whole.slice(run.start, run.stop)
                if keep:
                    part = part if len(part.time) == len(whole.time) else part.copy()
                    self._parts.put(key, part, part.size)
            cut = part.within(span)
            if len(cut.time):
                found.append(Found(place, cut if keep else cut.copy()))
        return found


def _eras(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    """Segments grouped so that all of a group are older than all of the next."""
    era: list[Segment] = []
    for segment in sorted(segments, key=lambda s: s.time_min):
        if era and segment.time_min > max(s.time_max for s in era):
            yield era
            era = []
        era.append(segment)
    if era:
        yield era


def _enough(runs: list[Run], limit: int) -> Iterator[Run]:
    """The first runs, up to so many rows; of the very first, any part may lie outside."""
    held = 0
    for number, run in enumerate(runs):
        if held >= limit:
            return
        yield run
        held += run.stop - run.start if number else 0


def decode(path: Path, index: Index, group: int) -> Part:
    """All rows of a row group.

    Raises:
        SettingsError: the file is of a newer version.
        OSError: it cannot be read, or its bytes are not those that were written.
    """
    with path.open("rb") as file:
        meta = index.footer(file.fileno(), group)
        version = int((meta.metadata or {}).get(b"lineshaft.segment", b"1"))
        if version > VERSION:
            raise SettingsError(
                f"segment {path} has version {version}, this program knows {VERSION}",
                remedy="Run the newer Lineshaft that wrote it.",
            )
        return _decoded(file, meta)


def _decoded(file: BinaryIO, meta: pq.FileMetaData) -> Part:
    columns = {
        meta.schema.column(i).name: meta.row_group(0).column(i) for i in range(meta.num_columns)
    }
    size = meta.row_group(0).num_rows
    wanted = [*time_columns(list(columns)), "number", "quality"]
    if "nanos" in wanted and _is_zero(columns["nanos"]):
        wanted.remove("nanos")
    has_text = not _is_null(columns["text"], size)
    with pq.ParquetFile(file, metadata=meta, page_checksum_verification=True) as parquet:
        table = parquet.read_row_group(
            0, columns=[*wanted, "text"] if has_text else wanted, use_threads=False
        )
    text = table.column("text").combine_chunks() if has_text else pa.nulls(size, pa.string())
    number, quality = (table.column(n).combine_chunks() for n in ("number", "quality"))
    return Part(times_of(table), number, text, quality)


def _is_zero(column: pq.ColumnChunkMetaData) -> bool:
    stats = column.statistics
    return stats is not None and stats.has_min_max and stats.min == stats.max == 0


def _is_null(column: pq.ColumnChunkMetaData, rows: int) -> bool:
    stats = column.statistics
    return stats is not None and stats.has_null_count and stats.null_count == rows
