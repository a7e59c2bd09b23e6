"""The newest sample of every point, in memory."""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Batch, Ints

NEVER = int(np.iinfo(np.int64).min)

NARROW = 2**16
"""Points whose numbers fit into 16 bits."""

Newest = tuple[int, float | None, str | None, int]
"""Time, number, text, quality."""


def last_of_each(batch: Batch, *, by_time: bool) -> Batch:
    """Of each key (or of each point, when not `by_time`) the row that counts: newest, then last."""
    index, time_ns = batch.index, batch.time_ns
    # Radix sort for 16 bits: most batches are of few points, and each point's rows in order.
    narrow = index.astype(np.uint16) if len(batch.points) <= NARROW else index
    order = np.argsort(narrow, kind="stable")
    same = index[order[1:]] == index[order[:-1]]
    rises = time_ns[order[1:]] > time_ns[order[:-1]]
    if not rises[same].all():
        order = np.lexsort((time_ns, index))  # stable: of equal keys the last one stays last
    ends = index[order[1:]] != index[order[:-1]]
    if by_time:
        ends |= time_ns[order[1:]] != time_ns[order[:-1]]
    kept = order[np.append(ends, True)] if len(order) else order
    return batch if len(kept) == len(batch) and by_time else batch.take(kept)


class Latest:
    """What is known of each point; who calls holds the lock."""

    def __init__(self) -> None:
        self._known: dict[str, Newest] = {}
        self.changed: set[str] = set()
        """Points that are newer than in the table of newest samples."""

    def update(self, batch: Batch) -> None:
        """Take over rows that are at least as new as what is known; of equals, the last."""
        newest = last_of_each(batch, by_time=False)
        columns = newest.arrow.to_pydict()
        for point, time_ns, number, text, quality in zip(*columns.values(), strict=True):
            known = self._known.get(point)
            if known is None or time_ns >= known[0]:
                self._known[point] = (time_ns, number, text, quality)
                self.changed.add(point)

    def times(self, points: Sequence[str]) -> Ints:
        """When the newest row of each was; `NEVER` for those without."""
        known = self._known
        found = [known[p][0] if p in known else NEVER for p in points]
        return np.array(found, dtype=np.int64)

    def forget(self, points: Iterable[str]) -> None:
        """Know nothing of these points."""
        for point in points:
            self._known.pop(point, None)
            self.changed.discard(point)

    def points(self) -> list[str]:
        """All points that have a sample."""
        return list(self._known)

    def look(self, points: Sequence[str] | None) -> Batch:
        """The newest row of each that has one, in the order asked for; of all when None."""
        wanted = self._known if points is None else dict.fromkeys(points)
        names = [p for p in wanted if p in self._known]
        rows = [self._known[p] for p in names]
        if not rows:
            return Batch.empty()
        times, numbers, texts, codes = zip(*rows, strict=True)
        return Batch.of(
            names,
            np.arange(len(names)),
            np.array(times, dtype=np.int64),
            number=pa.array(numbers, pa.float64()),
            text=pa.array(texts, pa.string()),
            quality=np.array(codes, dtype=np.uint32),
        )
