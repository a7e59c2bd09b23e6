"""History of some points read at once, so that many small questions to it cost no engine."""

import itertools
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import BAD, SCHEMA, Batch
from lineshaft.core.clock import NS_PER_S

AHEAD_NS = 86_400 * NS_PER_S
"""So much more than a span is read at once, in which most stretches begin and end."""


class History(Protocol):
    """What is asked of a store here; `Store` and `Ahead` fill it."""

    async def read(self, points: Sequence[str], start_ns: int, stop_ns: int) -> Batch:
        """Samples with `start_ns <= time_ns < stop_ns`, by point and time."""

    def scan(self, points: Sequence[str], start_ns: int, stop_ns: int) -> AsyncGenerator[Batch]:
        """The same as batches, in bounded memory."""

    async def before(self, points: Sequence[str], time_ns: int, *, usable: bool = False) -> Batch:
        """Of each point the newest sample older than `time_ns`; `usable`: that is not bad."""

    async def after(self, points: Sequence[str], time_ns: int, *, usable: bool = False) -> Batch:
        """Of each point the oldest sample at `time_ns` or later; `usable`: that is not bad."""


class Ahead:
    """A span of some points in memory; what lies outside is asked of the store, one by one."""

    def __init__(
        self, store: History, rows: Mapping[str, Batch], start_ns: int, stop_ns: int
    ) -> None:
        self._store, self._rows = store, rows
        self._start_ns, self._stop_ns = start_ns, stop_ns

    @classmethod
    async def of(
        cls, store: History, points: Sequence[str], start_ns: int, stop_ns: int
    ) -> "Ahead":
        """Read the span of these points."""
        found = dict(by_point(await store.read(points, start_ns, stop_ns)))
        rows = {p: found.get(p, Batch.empty()) for p in points}
        return cls(store, rows, start_ns, stop_ns)

    async def read(self, points: Sequence[str], start_ns: int, stop_ns: int) -> Batch:
        """As of a store."""
        rows = self._of(points)
        if rows is None or not self._covers(points, start_ns, stop_ns):
            return await self._store.read(points, start_ns, stop_ns)
        first, last = np.searchsorted(rows.time_ns, [start_ns, stop_ns]).tolist()
        return rows.slice(first, last)

    async def scan(
        self, points: Sequence[str], start_ns: int, stop_ns: int
    ) -> AsyncGenerator[Batch]:
        """As of a store; what is in memory comes as one batch."""
        if self._covers(points, start_ns, stop_ns):
            yield await self.read(points, start_ns, stop_ns)
            return
        async with aclosing(self._store.scan(points, start_ns, stop_ns)) as batches:
            async for batch in batches:
                yield batch

    async def before(self, points: Sequence[str], time_ns: int, *, usable: bool = False) -> Batch:
        """As of a store."""
        rows = self._of(points)
        if rows is not None and self._start_ns < time_ns <= self._stop_ns:
            place = int(np.searchsorted(rows.time_ns, time_ns)) - 1
            if place >= 0 and not (usable and rows.quality[place] & BAD):
                return rows.slice(place, place + 1)
        return await self._store.before(points, time_ns, usable=usable)

    async def after(self, points: Sequence[str], time_ns: int, *, usable: bool = False) -> Batch:
        """As of a store."""
        rows = self._of(points)
        if rows is not None and self._start_ns <= time_ns < self._stop_ns:
            place = int(np.searchsorted(rows.time_ns, time_ns))
            if place < len(rows) and not (usable and rows.quality[place] & BAD):
                return rows.slice(place, place + 1)
        return await self._store.after(points, time_ns, usable=usable)

    def _covers(self, points: Sequence[str], start_ns: int, stop_ns: int) -> bool:
        within = self._start_ns <= start_ns and stop_ns <= self._stop_ns
        return within and self._of(points) is not None

    def _of(self, points: Sequence[str]) -> Batch | None:
        return self._rows.get(points[0]) if len(points) == 1 else None


class Gathered:
    """Rows of one point, taken in batch by batch, in their order; in memory of its own."""

    def __init__(self, point: str) -> None:
        self._point = point
        self._parts: list[list[pa.Array]] = []

    def add(self, batch: Batch) -> None:
        """Take the next rows, which are all of this point."""
        self._parts.append([pa.concat_arrays([c]) for c in batch.arrow.columns[1:]])

    def batch(self) -> Batch:
        """All of them."""
        if not self._parts:
            return Batch.empty()
        columns = [pa.concat_arrays(parts) for parts in zip(*self._parts, strict=True)]
        index = pa.array(np.zeros(len(columns[0]), dtype=np.int32))
        point = pa.DictionaryArray.from_arrays(index, pa.array([self._point], pa.string()))
        return Batch(pa.RecordBatch.from_arrays([point, *columns], schema=SCHEMA))


def by_point(batch: Batch) -> Iterator[tuple[str, Batch]]:
    """The rows of each point, of a batch that is sorted by point."""
    index, names = batch.index, batch.points
    if not len(index):
        return
    begins = [0, *(np.flatnonzero(index[1:] != index[:-1]) + 1).tolist(), len(index)]
    for begin, end in itertools.pairwise(begins):
        yield names[index[begin]], batch.slice(begin, end)
