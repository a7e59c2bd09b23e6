"""Reading the settled rows of a few points: only the row groups that hold them are decoded.

What was decoded is kept, up to a bound, so that a screen that asks again is answered from memory.
No file stays open between two questions.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Indices, Ints
from lineshaft.stores.parquet import index as indices
from lineshaft.stores.parquet.cache import Cache
from lineshaft.stores.parquet.decoding import Part, decode, decode_times
from lineshaft.stores.parquet.index import Index, Runs, Times
from lineshaft.stores.parquet.manifest import Segment
from lineshaft.stores.parquet.rows import Names

T = TypeVar("T")

TOGETHER_MIN = 4
"""From so many row groups on, threads share the work."""
ROW_BYTES = 29
"""Bytes of a row in memory, without its text."""
SINGLY_MAX = 8
"""Up to as many points of a row group are kept each by itself; more are read together."""
AHEAD = 64
"""Row groups that may be decoded before they are asked for."""


class _Job(NamedTuple):
    """One row group, and the runs that are wanted of it."""

    path: Path
    about: Index
    runs: Runs


class Found(NamedTuple):
    """Rows, and the place of the point of each in the question."""

    place: Ints
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
            found = indices.load(self._folder / segment.file, self._names.ids)
            self._indices.put(segment.file, found, found.size)
        return found

    def read(
        self, ids: Indices, segments: Sequence[Segment], span: Times, limit: int | None = None
    ) -> list[Found]:
        """Rows of the points with these numbers, of each at least the `limit` oldest.

        Sorted within a segment only; no two have the same point and time.
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
                found.append(Found(short[place], part))
                held += np.bincount(found[-1].place, minlength=len(held))
        return found

    def count(self, ids: Indices, segments: Sequence[Segment], span: Times) -> int:
        """How many rows there are."""
        count = 0
        for segment in segments:
            index = self.index(segment)
            partly = self._whole(ids, index, span)
            count += int(partly.rows.sum())
            jobs = self._jobs(segment, ids[partly.rest], span, None)
            count += sum(self._each(lambda j: _count(j, span), jobs))
        return count

    def counts_max(self, ids: Indices, segments: Sequence[Segment], span: Times) -> Ints:
        """How many rows each of the points has at most, without reading any."""
        counts = np.zeros(len(ids), dtype=np.int64)
        for segment in segments:
            index = self.index(segment)
            partly = self._whole(ids, index, span)
            counts += partly.rows
            runs = index.runs(ids[partly.rest], span)
            np.add.at(counts, partly.rest[runs.which], runs.stop - runs.start)
        return counts

    def _whole(self, ids: Indices, index: Index, span: Times) -> "_Partly":
        places = index.find(ids)
        held = np.flatnonzero(places >= 0)
        at = places[held]
        begun = (index.first[at] < span.stop_ns) & (index.last[at] >= span.start_ns)
        whole = (index.first[at] >= span.start_ns) & (index.last[at] < span.stop_ns)
        rows = np.zeros(len(ids), dtype=np.int64)
        rows[held[whole]] = (index.starts[at + 1] - index.starts[at])[whole]
        return _Partly(rows, held[begun & ~whole])

    # ---- row groups

    def _read(
        self, ids: Indices, segments: Sequence[Segment], span: Times, limit: int | None
    ) -> Iterator[Found]:
        jobs = [j for s in segments for j in self._jobs(s, ids, span, limit)]
        rows = sum(int((j.runs.stop - j.runs.start).sum()) for j in jobs)
        # A long span read once would push out what many ask for again and again.
        keep = rows * ROW_BYTES < self._parts.bytes_max // 4
        for group in self._each(lambda j: self._rows_of(j, span, keep=keep), jobs):
            yield from group

    def _each(self, work: Callable[[_Job], T], jobs: Sequence[_Job]) -> Iterator[T]:
        """What the work gives for each job, in order; in several threads when there are many."""
        if len(jobs) < TOGETHER_MIN:
            yield from map(work, jobs)
            return
        for start in range(0, len(jobs), AHEAD):
            yield from self._pool.map(work, jobs[start : start + AHEAD])

    def _jobs(self, segment: Segment, ids: Indices, span: Times, limit: int | None) -> list[_Job]:
        index, path = self.index(segment), self._folder / segment.file
        runs = index.runs(ids, span, limit)
        if len(runs.group) <= 1:
            return [_Job(path, index, runs)] if len(runs.group) else []
        return [_Job(path, index, runs.take(runs.group == g)) for g in np.unique(runs.group)]

    def _rows_of(self, job: _Job, span: Times, *, keep: bool) -> list[Found]:
        group, runs = int(job.runs.group[0]), job.runs
        if len(runs.which) > SINGLY_MAX:
            return _together(decode(job.path, job.about, group), runs, span)
        found = []
        whole: Part | None = None
        for which, start, stop in zip(
            runs.which.tolist(), runs.start.tolist(), runs.stop.tolist(), strict=True
        ):
            key = (job.path.name, group, start)
            part = self._parts.get(key)
            if part is None:
                whole = whole or decode(job.path, job.about, group)
                part = whole.slice(start, stop)
                if keep:
                    part = part if len(part.time) == len(whole.time) else part.copy()
                    self._parts.put(key, part, part.size)
            cut = part.within(span)
            if len(cut.time):
                found.append(Found(np.full(len(cut.time), which), cut if keep else cut.copy()))
        return found


class _Partly(NamedTuple):
    rows: Ints
    """How many rows each point has, if all are of the times that are wanted, else 0."""
    rest: Ints
    """Places of the points that have rows of wanted times and others."""


def _positions(runs: Runs) -> tuple[Ints, Ints]:
    """The rows of all runs within their row group, and the place of the point of each."""
    size = runs.stop - runs.start
    shift = np.repeat(runs.start - (np.cumsum(size) - size), size)
    return np.arange(len(shift)) + shift, np.repeat(runs.which, size)


def _together(whole: Part, runs: Runs, span: Times) -> list[Found]:
    """The rows of many runs of a row group as one part, in the order of the row group."""
    order = np.argsort(runs.start)
    runs = Runs(*(c[order] for c in runs))
    if (runs.start[1:] == runs.stop[:-1]).all():
        # The points stand side by side: without gathering it takes a fifth of the time.
        part = whole.slice(int(runs.start[0]), int(runs.stop[-1]))
        inside = (part.time >= span.start_ns) & (part.time < span.stop_ns)
        if inside.all():
            return [Found(np.repeat(runs.which, runs.stop - runs.start), part)]
    rows, place = _positions(runs)
    time = whole.time[rows]
    inside = (time >= span.start_ns) & (time < span.stop_ns)
    rows = rows[inside]
    if not len(rows):
        return []
    taken = pa.array(rows)
    return [Found(place[inside], Part(time[inside], *(c.take(taken) for c in whole[1:])))]


def _count(job: _Job, span: Times) -> int:
    """How many of the rows are of these times."""
    whole = decode_times(job.path, job.about, int(job.runs.group[0]))
    time = whole[_positions(job.runs)[0]]
    return int(((time >= span.start_ns) & (time < span.stop_ns)).sum())


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
