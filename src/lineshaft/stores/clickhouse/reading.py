"""Questions to the tables; every function runs on a reader's thread."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lineshaft.core.batch import SCHEMA, Batch, Ints
from lineshaft.core.errors import Unavailable
from lineshaft.core.summary import summarize
from lineshaft.stores import Question, Storage
from lineshaft.stores.clickhouse import sums
from lineshaft.stores.clickhouse.engine import Engine, batch_of
from lineshaft.stores.clickhouse.tables import (
    BAD,
    COLUMNS,
    INT64_MAX,
    INT64_MIN,
    NS_PER_DAY,
    Layout,
    among,
    during,
    parts,
    text,
)

POINTS_AT_ONCE = 1000
"""Points named in one question."""
ROWS_AT_ONCE = 1_000_000
"""Samples held at once while many are read."""
NEAR_NS = (NS_PER_DAY // 24, NS_PER_DAY, 30 * NS_PER_DAY, 2**64)
"""How far is looked for the nearest sample, step by step."""


class Reading:
    """Reads through the readers' clients."""

    def __init__(
        self, engine: Engine, layout: Layout, newest: Callable[[Sequence[str]], Batch]
    ) -> None:
        self._engine = engine
        self._newest = newest
        self._samples = layout.samples
        self._layout = layout
        self._settings = layout.select_settings()

    def _select(self, points: Sequence[str], where: str, rest: str) -> str:
        return (
            f"SELECT {COLUMNS} FROM {self._samples} FINAL"
            f" WHERE {among(points)} AND {where} {rest} SETTINGS {self._settings}"
        )

    def read(
        self, points: Sequence[str], start_ns: int, stop_ns: int, limit: int | None = None
    ) -> Batch:
        """Rows in the order of the points asked for, then of time."""
        if start_ns >= stop_ns or limit == 0:
            return Batch.empty()
        most = "" if limit is None else f"LIMIT {limit} BY point"
        found = []
        for part in parts(points, POINTS_AT_ONCE):
            query = self._select(part, during(start_ns, stop_ns), f"ORDER BY point, time_ns {most}")
            found.append(_in_order(self._engine.rows(query), part))
        return Batch.concat(found)

    def counts(self, points: Sequence[str], start_ns: int, stop_ns: int) -> dict[str, int]:
        """How many rows each point has, in the order asked for; none of those without."""
        known: dict[str, int] = {}
        if start_ns >= stop_ns:
            return known
        for part in parts(points, POINTS_AT_ONCE):
            table = self._engine.table(
                f"SELECT point, count() AS rows FROM {self._samples} FINAL"
                f" WHERE {among(part)} AND {during(start_ns, stop_ns)}"
                f" GROUP BY point SETTINGS {self._settings}"
            )
            rows = dict(
                zip(
                    table.column("point").to_pylist(), table.column("rows").to_pylist(), strict=True
                )
            )
            known.update((p, rows[p]) for p in part if p in rows)
        return known

    def groups(
        self, points: Sequence[str], start_ns: int, stop_ns: int
    ) -> Iterator[tuple[list[str], int]]:
        """Points whose rows together can be held at once, and how many those are."""
        group: list[str] = []
        total = 0
        for point, rows in self.counts(points, start_ns, stop_ns).items():
            if group and total + rows > ROWS_AT_ONCE:
                yield group, total
                group, total = [], 0
            group.append(point)
            total += rows
        if group:
            yield group, total

    def pages(self, points: list[str], start_ns: int, stop_ns: int, rows: int) -> Iterator[Batch]:
        """All rows of a group, in pieces that can be held at once."""
        if rows <= ROWS_AT_ONCE:
            yield self.read(points, start_ns, stop_ns)
            return
        (point,) = points
        while True:
            query = self._select(
                [point], during(start_ns, stop_ns), f"ORDER BY point, time_ns LIMIT {ROWS_AT_ONCE}"
            )
            batch = self._engine.rows(query)
            if len(batch):
                yield batch
            if len(batch) < ROWS_AT_ONCE:
                return
            start_ns = int(batch.time_ns[-1]) + 1

    def nearest(self, points: Sequence[str], time_ns: int, *, before: bool, usable: bool) -> Batch:
        """The nearest row of each point, looked for ever farther away."""
        good = f"quality < {BAD}" if usable else "1"
        order = "DESC" if before else "ASC"
        # The newest sample is known; it answers most questions, or that there is no answer.
        newest = self._newest(points)
        if before:
            fits = newest.time_ns < time_ns
            if usable:
                fits &= newest.quality < BAD
            found = [newest.take(fits)]
            missing = [p for p, fit in zip(newest.points, fits, strict=True) if not fit]
        else:
            found = []
            later = newest.time_ns >= time_ns
            missing = [p for p, fit in zip(newest.points, later, strict=True) if fit]
        begin = time_ns
        for reach in NEAR_NS:
            end = max(time_ns - reach, INT64_MIN) if before else min(time_ns + reach, INT64_MAX + 1)
            span = during(end, begin) if before else during(begin, end)
            for part in parts(missing, POINTS_AT_ONCE):
                query = self._select(
                    part,
                    f"{span} AND {good}",
                    f"ORDER BY point, time_ns {order} LIMIT 1 BY point",
                )
                found.append(self._engine.rows(query))
            seen = {p for b in found for p in _present(b)}
            missing = [p for p in missing if p not in seen]
            if not missing:
                break
            begin = end
        return _in_order(Batch.concat(found), list(dict.fromkeys(points)))

    # ---- sums

    def summaries(self, points: Sequence[str], edges: Ints, columns: Sequence[str]) -> pa.Table:
        """Rows summed up per interval."""
        empty = summarize(Batch.empty(), edges, columns=columns)
        if len(edges) < 2:  # noqa: PLR2004 - no interval
            return empty
        found = [empty]
        if width := sums.width_of(edges, columns):
            for part in parts(points, POINTS_AT_ONCE):
                where = f"{among(part)} AND {during(int(edges[0]), int(edges[-1]))}"
                asked = sums.query(self._samples, where, edges, width, columns)
                answer = self._engine.table(f"{asked} SETTINGS {self._settings}")
                found.append(sums.table_of(answer, part, columns))
            return _joined(found)
        for group, rows in self.groups(points, int(edges[0]), int(edges[-1])):
            pieces = -(-rows // ROWS_AT_ONCE)
            size = max(-(-(len(edges) - 1) // pieces), 1)
            for at in range(0, len(edges) - 1, size):
                some = edges[at : at + size + 1]
                batch = self.read(group, int(some[0]), int(some[-1]))
                found.append(summarize(batch, some, columns=columns))
        return _joined(found)

    # ---- the whole

    def table(self, question: Question, rows_max: int) -> pa.Table:
        """What a SELECT may need, as a table with paths as texts.

        Raises:
            Unavailable: it is too much to be handed over.
        """
        some = "1" if question.points is None else among(question.points)
        if question.points is not None and not question.points:
            some = "0"
        found = self._engine.table(
            f"SELECT {COLUMNS} FROM {self._samples} FINAL"
            f" WHERE {some} AND {during(question.start_ns, question.stop_ns)}"
            f" LIMIT {rows_max + 1} SETTINGS {self._settings}"
        )
        if found.num_rows > rows_max:
            raise Unavailable(
                f"the query needs more than {rows_max:,} samples, which is more than ClickHouse"
                " hands over",
                remedy="Name points and a span of time in it, or ask ClickHouse itself.",
            )
        table = pa.Table.from_batches([batch_of(found).arrow])
        point = table["point"].cast(pa.string())
        return table.set_column(0, pa.field("point", pa.string()), point)

    def storage(self, points: Sequence[str] | None) -> list[Storage]:
        """What each point takes, by its share of the rows."""
        total = self._engine.table(
            "SELECT sum(bytes_on_disk) AS bytes, sum(rows) AS rows FROM"
            f" {self._system_parts()} SETTINGS {self._settings}"
        ).to_pylist()[0]
        each = (total["bytes"] or 0) / max(total["rows"] or 0, 1)
        found: dict[str, Storage] = {}
        wanted = [None] if points is None else parts(points, POINTS_AT_ONCE)
        for part in wanted:
            some = "1" if part is None else among(part)
            table = self._engine.table(
                "SELECT toString(point) AS point, count() AS rows, min(time_ns) AS first,"
                f" max(time_ns) AS last FROM {self._samples} FINAL WHERE {some}"
                f" GROUP BY point ORDER BY point SETTINGS {self._settings}"
            )
            for row in table.to_pylist():
                found[row["point"]] = Storage(
                    point=row["point"],
                    rows=row["rows"],
                    bytes=round(row["rows"] * each),
                    first_ns=row["first"],
                    last_ns=row["last"],
                )
        names = found if points is None else dict.fromkeys(points)
        return [found[p] for p in names if p in found]

    def _system_parts(self) -> str:
        layout = self._layout
        table = f"{layout.table}_local" if layout.cluster else layout.table
        source = "system.parts"
        if layout.cluster:
            source = f"cluster({text(layout.cluster)}, system.parts)"
        return (
            f"{source} WHERE active AND database = {text(layout.database)}"
            f" AND table = {text(table)}"
        )

    def partitions(self) -> list[dict[str, object]]:
        """Each partition with its rows, bytes and span, the oldest first."""
        found = self._engine.table(
            "SELECT partition_id AS id, sum(rows) AS rows, sum(bytes_on_disk) AS bytes,"
            f" any(partition) AS name FROM {self._system_parts()}"
            f" GROUP BY partition_id ORDER BY toInt64(name) SETTINGS {self._settings}"
        )
        rows: list[dict[str, object]] = found.to_pylist()
        return rows


def _joined(tables: list[pa.Table]) -> pa.Table:
    """All rows with one dictionary; the first table may have to stand for none."""
    table = pa.concat_tables([t for t in tables if t.num_rows] or tables[:1])
    return table.unify_dictionaries().combine_chunks()


def _present(batch: Batch) -> set[str]:
    points = batch.points
    return {points[i] for i in np.unique(batch.index).tolist()}


def _in_order(batch: Batch, points: list[str]) -> Batch:
    """The rows by the order of the points; those of a point stay as they are."""
    if not len(batch):
        return batch
    place = {p: i for i, p in enumerate(points)}
    rank = np.array([place.get(p, 0) for p in batch.points], dtype=np.int32)[batch.index]
    names = batch if (np.diff(rank) >= 0).all() else batch.take(np.argsort(rank, kind="stable"))
    # The dictionary in the order asked for, as sums are made in it.
    wanted = pa.array(points, pa.string())
    index = pc.index_in(names.arrow.column(0).cast(pa.string()), wanted)
    point = pa.DictionaryArray.from_arrays(index, wanted)
    return Batch(pa.RecordBatch.from_arrays([point, *names.arrow.columns[1:]], schema=SCHEMA))
