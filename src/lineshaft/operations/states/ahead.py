"""History of some points read at once, so that many small questions to it cost no engine."""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol

import numpy as np

from lineshaft.core.batch import BAD, Batch, Indices


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


def by_point(batch: Batch) -> Iterator[tuple[str, Batch]]:
    """The rows of each point, of a batch that is sorted by point."""
    index, names = batch.index, batch.points
    begin = 0
    while begin < len(index):
        end = begin + _lasts(index[begin:])
        yield names[index[begin]], batch.slice(begin, end)
        begin = end


def _lasts(index: Indices) -> int:
    """How many rows from the first on are of the same point."""
    other = index != index[0]
    return int(other.argmax()) if other.any() else len(index)
