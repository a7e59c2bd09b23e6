"""A store in plain Python, to hold the answers of real ones against."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import pyarrow as pa

from lineshaft.core.batch import Sample
from lineshaft.core.quality import is_bad
from lineshaft.core.summary import VALUES


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

    def summaries(self, points: Iterable[str], edges_ns: Sequence[int]) -> list[dict[str, Any]]:
        """What `Store.summaries` should return, sample by sample, in exact arithmetic."""
        found = []
        for point in dict.fromkeys(points):
            for start, stop in pairwise(edges_ns):
                rows = self.read([point], start, stop)
                if rows:
                    found.append({"point": point, "time_ns": start, **_summary(rows)})
        return found

    def before(self, points: Iterable[str], time_ns: int, *, usable: bool) -> list[Sample]:
        """What `Store.before` should return."""
        return self._next(points, -(2**63), time_ns, -1, usable=usable)

    def after(self, points: Iterable[str], time_ns: int, *, usable: bool) -> list[Sample]:
        """What `Store.after` should return."""
        return self._next(points, time_ns, 2**63, 0, usable=usable)

    def _next(
        self, points: Iterable[str], start_ns: int, stop_ns: int, at: int, *, usable: bool
    ) -> list[Sample]:
        found = []
        for point in dict.fromkeys(points):
            rows = self.read([point], start_ns, stop_ns)
            rows = [r for r in rows if not (usable and is_bad(r.quality))]
            found += rows[at : at + 1 or None]
        return found


def _counts_in(row: Sample) -> bool:
    value = row.value
    return isinstance(value, (int, float)) and not math.isnan(value) and not is_bad(row.quality)


def _summary(rows: list[Sample]) -> dict[str, Any]:
    good = [(float(r.value), r.time_ns) for r in rows if _counts_in(r)]  # type: ignore[arg-type]
    found: dict[str, Any] = dict.fromkeys(VALUES)
    found |= {
        "count": len(rows),
        "usable": len(good),
        "quality": max(r.quality for r in rows),
        "begin_ns": rows[0].time_ns,
        "end_ns": rows[-1].time_ns,
        "known_ns": 0,
    }
    if good:
        found["min"], found["min_ns"] = min(good)
        found["max"], below = max((v, -t) for v, t in good)
        found["max_ns"] = -below
        found["first"], found["first_ns"] = good[0]
        found["last"], found["last_ns"] = good[-1]
        found["sum"] = _total(v for v, _ in good)
    stepped: list[float] = []
    sloped: list[float] = []
    for row, after in pairwise(rows):
        if _counts_in(row):
            width = after.time_ns - row.time_ns
            found["known_ns"] = min(found["known_ns"] + width, 2**63 - 1)
            value = float(row.value)  # type: ignore[arg-type]
            ahead = float(after.value) if _counts_in(after) else value  # type: ignore[arg-type]
            stepped.append(value * (width / 1e9))
            sloped.append((value / 2 + ahead / 2) * (width / 1e9))
    if good:
        found["stepped"], found["sloped"] = _total(stepped), _total(sloped)
    return found


def _total(values: Iterable[float]) -> float:
    listed = list(values)
    return math.fsum(listed) if all(map(math.isfinite, listed)) else float(sum(listed))


def assert_summaries(table: pa.Table, wanted: list[dict[str, Any]]) -> None:
    """See that summaries are as wanted: exact, but for sums, which may be rounded."""
    got = table.to_pylist()
    keys = [(r["point"], r["time_ns"]) for r in got]
    assert keys == [(r["point"], r["time_ns"]) for r in wanted], (len(got), len(wanted))
    # What cancels out in a sum was rounded at the size of its largest part.
    sizes = [max(abs(r["min"] or 0), abs(r["max"] or 0)) * r["count"] for r in wanted]
    for mine, theirs, size in zip(got, wanted, sizes, strict=True):
        span = (theirs["end_ns"] - theirs["begin_ns"]) / 1e9
        for name, value in mine.items():
            room = {"sum": size, "stepped": size * span, "sloped": size * span}.get(name)
            assert _alike(value, theirs[name], room), (name, mine, theirs)


def _alike(mine: Any, theirs: Any, room: float | None) -> bool:  # noqa: ANN401 - any column
    if mine is None or theirs is None or room is None:
        return bool(mine == theirs)
    if math.isnan(mine) or math.isinf(mine):
        return str(mine) == str(theirs)
    return math.isclose(mine, theirs, rel_tol=1e-9, abs_tol=1e-12 * room)


def same(rows: Iterable[Sample], wanted: Iterable[Sample]) -> bool:
    """Whether the rows are equal, NaN to NaN, and a number to the number whatever its type."""

    def plain(row: Sample) -> tuple[str, int, str, int]:
        value = row.value
        text = repr(value if value is None or isinstance(value, str) else float(value))
        return row.point, row.time_ns, text, row.quality

    return list(map(plain, rows)) == list(map(plain, wanted))
