"""A store in plain Python, to hold the answers of real ones against."""

import math
from collections.abc import Iterable
from typing import Any

from lineshaft.core.batch import Sample
from lineshaft.core.quality import is_bad


class Oracle:
    """The same store in plain Python, to hold answers against."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], Sample] = {}
        self.accepted = 0

    def append(self, rows: Iterable[Sample]) -> None:
        """Keep the rows, the last of each key."""
        for row in rows:
            self.accepted += 1
            self.rows[row.point, row.time_ns] = row

    def delete(self, points: Iterable[str], start_ns: int, stop_ns: int) -> int:
        """Forget rows; how many there were."""
        gone = self.read(points, start_ns, stop_ns)
        for row in gone:
            del self.rows[row.point, row.time_ns]
        return len(gone)

    def last(self) -> dict[str, Sample]:
        """The newest sample of each point."""
        return {row.point: row for row in sorted(self.rows.values(), key=lambda r: r.time_ns)}

    def read(
        self, points: Iterable[str], start_ns: int, stop_ns: int, limit: int | None = None
    ) -> list[Sample]:
        """What `Store.read` should return."""
        found = []
        for point in dict.fromkeys(points):
            rows = [r for r in self.rows.values() if r.point == point]
            rows.sort(key=lambda r: r.time_ns)
            found += [r for r in rows if start_ns <= r.time_ns < stop_ns][:limit]
        return found

    def buckets(
        self, points: Iterable[str], start_ns: int, stop_ns: int, bucket_ns: int
    ) -> list[tuple[Any, ...]]:
        """What `Store.buckets` should return, as tuples in the order of `BUCKET_SCHEMA`."""
        groups: dict[tuple[str, int], list[Sample]] = {}
        for row in self.read(points, start_ns, stop_ns):
            number = (row.time_ns - start_ns) // bucket_ns
            groups.setdefault((row.point, start_ns + number * bucket_ns), []).append(row)
        found: list[tuple[Any, ...]] = []
        for (point, begin), rows in groups.items():
            good = [float(r.value) for r in rows if _counts_in(r)]  # type: ignore[arg-type]
            figures = (
                (min(good), max(good), math.fsum(good) / len(good), good[0], good[-1])
                if good
                else (None,) * 5
            )
            found.append((point, begin, *figures, len(rows), max(r.quality for r in rows)))
        return found


def _counts_in(row: Sample) -> bool:
    value = row.value
    return isinstance(value, (int, float)) and not math.isnan(value) and not is_bad(row.quality)


def same(rows: Iterable[Sample], wanted: Iterable[Sample]) -> bool:
    """Whether the rows are equal, NaN to NaN, and a number to the number whatever its type."""

    def plain(row: Sample) -> tuple[str, int, str, int]:
        value = row.value
        text = repr(value if value is None or isinstance(value, str) else float(value))
        return row.point, row.time_ns, text, row.quality

    return list(map(plain, rows)) == list(map(plain, wanted))
