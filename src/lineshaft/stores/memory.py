"""Keeps the newest samples in memory only: for tests, trials and live screens without history.

What is in it is gone when Lineshaft stops. When it is full, the samples that came first make
room and are counted as dropped.
"""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Annotated

import pyarrow as pa
from msgspec import Meta

from lineshaft.core.batch import Batch, Ints, Sample
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.quality import is_bad
from lineshaft.core.settings import Settings
from lineshaft.core.summary import summarize
from lineshaft.stores import (
    Counts,
    Health,
    Question,
    Retained,
    Rule,
    Storage,
    Store,
    _sql,
    check_edges,
)
from lineshaft.stores._rules import Rules

FULL = "memory full"
DELETED = "deleted"
RETENTION = "retention"
ROW_BYTES = 250
"""What a sample takes in memory, about."""


class Memory(Store):
    """A store without a disk."""

    class Config(Settings, frozen=True):
        """What the settings table may say."""

        rows_max: Annotated[int, Meta(ge=1)] = 1_000_000
        """Samples that are kept; about 250 bytes each."""

    example = """
        [store]
        kind = "memory"
        rows_max = 100_000
    """

    config: Config

    def __init__(self, name: str, config: Settings) -> None:
        super().__init__(name, config)
        self._rows: dict[tuple[str, int], Sample] = {}
        self._times: dict[str, list[int]] = {}
        self._accepted = 0
        self._replaced = 0
        self._dropped: dict[str, int] = {}
        self._engine = _sql.Engine()

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        async with self._engine.opened():
            yield

    async def append(self, batch: Batch) -> None:
        for row in batch.rows():
            key = (row.point, row.time_ns)
            self._accepted += 1
            if key in self._rows:
                self._replaced += 1
            else:
                insort(self._times.setdefault(row.point, []), row.time_ns)
            self._rows[key] = row
            if len(self._rows) > self.config.rows_max:
                self._drop_first()

    def _drop_first(self) -> None:
        point, time_ns = next(iter(self._rows))
        self._drop(point, time_ns, time_ns + 1, FULL)

    def _drop(self, point: str, start_ns: int, stop_ns: int, reason: str) -> int:
        """Give up the rows of a point; how many they were."""
        times = self._times.get(point, [])
        place = slice(bisect_left(times, start_ns), bisect_left(times, stop_ns))
        gone = times[place]
        for time_ns in gone:
            del self._rows[point, time_ns]
        del times[place]
        if gone and not times:
            del self._times[point]
        if gone:
            self._dropped[reason] = self._dropped.get(reason, 0) + len(gone)
        return len(gone)

    async def delete(self, points: Sequence[str], start_ns: int, stop_ns: int) -> int:
        return sum(self._drop(p, start_ns, stop_ns, DELETED) for p in dict.fromkeys(points))

    async def last(self, points: Sequence[str] | None = None) -> Batch:
        wanted = list(self._times) if points is None else dict.fromkeys(points)
        known = [p for p in wanted if p in self._times]
        return Batch.of_rows(self._rows[p, self._times[p][-1]] for p in known)

    async def read(
        self, points: Sequence[str], start_ns: int, stop_ns: int, *, limit: int | None = None
    ) -> Batch:
        return Batch.of_rows(self._select(points, start_ns, stop_ns, limit))

    def _select(
        self, points: Sequence[str], start_ns: int, stop_ns: int, limit: int | None = None
    ) -> list[Sample]:
        found = []
        for point in dict.fromkeys(points):
            times = self._times.get(point, [])
            inside = times[bisect_left(times, start_ns) : bisect_left(times, stop_ns)]
            found += [self._rows[point, t] for t in inside[:limit]]
        return found

    async def scan(
        self, points: Sequence[str], start_ns: int, stop_ns: int, *, rows_max: int = 100_000
    ) -> AsyncGenerator[Batch]:
        rows = self._select(points, start_ns, stop_ns)
        for at in range(0, len(rows), rows_max):
            yield Batch.of_rows(rows[at : at + rows_max])

    async def count(self, points: Sequence[str], start_ns: int, stop_ns: int) -> int:
        return len(self._select(points, start_ns, stop_ns))

    async def before(self, points: Sequence[str], time_ns: int, *, usable: bool = False) -> Batch:
        found = []
        for point in dict.fromkeys(points):
            times = self._times.get(point, [])
            older = reversed(times[: bisect_left(times, time_ns)])
            found += self._first(point, older, usable=usable)
        return Batch.of_rows(found)

    async def after(self, points: Sequence[str], time_ns: int, *, usable: bool = False) -> Batch:
        found = []
        for point in dict.fromkeys(points):
            times = self._times.get(point, [])
            found += self._first(point, times[bisect_left(times, time_ns) :], usable=usable)
        return Batch.of_rows(found)

    def _first(self, point: str, times: Iterable[int], *, usable: bool) -> list[Sample]:
        rows = (self._rows[point, t] for t in times)
        fit = (r for r in rows if not (usable and is_bad(r.quality)))
        return list(islice(fit, 1))

    async def summaries(
        self, points: Sequence[str], edges_ns: Ints, *, columns: Sequence[str] = ()
    ) -> pa.Table:
        check_edges(edges_ns)
        rows: list[Sample] = []
        if len(edges_ns):
            rows = self._select(points, int(edges_ns[0]), int(edges_ns[-1]))
        return summarize(Batch.of_rows(rows), edges_ns, columns=columns)

    def sql(self, question: Question) -> AsyncGenerator[pa.RecordBatch]:
        rows = list(self._rows.values())
        return self._engine.answer(question, lambda: _relations(rows, question))

    async def storage(self, points: Sequence[str] | None = None) -> list[Storage]:
        wanted = list(self._times) if points is None else dict.fromkeys(points)
        return [
            Storage(
                point=point,
                rows=len(times),
                bytes=len(times) * ROW_BYTES,
                first_ns=times[0],
                last_ns=times[-1],
            )
            for point in wanted
            if (times := self._times.get(point, []))
        ]

    async def retain(self, rules: Sequence[Rule], budget_bytes: int, *, dry: bool) -> Retained:
        kept, now = Rules(rules), now_ns()
        going: dict[tuple[str, int], str] = {}
        for point, times in self._times.items():
            branch = kept.branch_of(point)
            raw_s = kept.rule(branch).raw_s
            until_ns = now - int(raw_s * NS_PER_S) if raw_s else -(2**63)
            going |= dict.fromkeys(
                ((point, t) for t in times[: bisect_left(times, until_ns)]), branch
            )
        if budget_bytes:
            over = len(self._rows) - len(going) - budget_bytes // ROW_BYTES
            left = sorted((k for k in self._rows if k not in going), key=lambda k: k[1])
            going |= dict.fromkeys(left[: max(over, 0)], "disk budget")
        if not dry:
            for point, time_ns in going:
                self._drop(point, time_ns, time_ns + 1, RETENTION)
        reasons = {r: n * ROW_BYTES for r, n in Counter(going.values()).items()}
        return Retained(bytes=len(going) * ROW_BYTES, rows=len(going), reasons=reasons)

    async def settle(self) -> None:
        """Nothing is buffered here."""

    def counts(self) -> Counts:
        return Counts(
            accepted=self._accepted,
            stored=self._accepted - self._replaced - sum(self._dropped.values()),
            replaced=self._replaced,
            dropped=dict(self._dropped),
        )

    def health(self) -> Health:
        return Health(figures={"settled_rows": len(self._rows), "points": len(self._times)})


def _relations(rows: list[Sample], question: Question) -> _sql.Relations:
    """What a SELECT may name."""
    wanted = None if question.points is None else set(question.points)
    kept = (
        r
        for r in rows
        if question.start_ns <= r.time_ns < question.stop_ns
        and (wanted is None or r.point in wanted)
    )
    table = pa.Table.from_batches([Batch.of_rows(kept).arrow])
    point = table["point"].cast(pa.string())
    table = table.set_column(0, pa.field("point", pa.string()), point)
    source = "SELECT * FROM __lineshaft_rows"
    views = {"samples": _sql.samples_view(question, source)}
    for name, level in _sql.ROLLUPS.items():
        views[name] = _sql.rollup_view(_sql.summed_up(source, level))
    return _sql.Relations(views, {"__lineshaft_rows": table})
