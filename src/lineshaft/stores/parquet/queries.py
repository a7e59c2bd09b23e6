"""Reading: DuckDB over the segments that the manifest names, joined with the rows in memory.

Where both hold the same key, the row in memory is the newer one and wins.
"""

import threading
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from lineshaft.core.batch import SCHEMA, Batch, Indices
from lineshaft.core.flow import assert_off_loop
from lineshaft.stores.parquet.index import Times
from lineshaft.stores.parquet.manifest import SEGMENTS, Segment
from lineshaft.stores.parquet.reading import Found, Library
from lineshaft.stores.parquet.rows import concat, order_of
from lineshaft.stores.parquet.shape import rows_of
from lineshaft.stores.parquet.state import Snapshot, State

LISTED_MAX = 100
"""Up to as many points stand in the query itself, where they prune row groups."""
FEW_MAX = 2_000
"""Up to as many points are read row group by row group; more by the query engine."""
SINGLY_MAX = 16
"""Up to as many points are limited one by one, which reads no further than it must."""
PLACED = pa.schema(
    [
        pa.field("place", pa.int32()),
        pa.field("time_ns", pa.int64()),
        pa.field("number", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("quality", pa.uint32()),
    ]
)
"""Rows with the place of their point in what was asked for."""


def engine(folder: Path, memory_mb: int) -> duckdb.DuckDBPyConnection:
    """A DuckDB that reads our segments and nothing from elsewhere."""
    # Its cache of footers stays off, since that has no bound: a year of them would fill the memory.
    return duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{memory_mb}MB",
            "temp_directory": str(folder / "tmp"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )


class Span(NamedTuple):
    """Which points and times are asked for."""

    points: list[str]
    start_ns: int
    stop_ns: int


class Readers:
    """Answers questions, each on the calling thread, with a cursor for each thread."""

    def __init__(
        self,
        state: State,
        folder: Path,
        connection: duckdb.DuckDBPyConnection,
        library: Library,
    ) -> None:
        self._state = state
        self._folder = folder / SEGMENTS
        self._engine = connection
        self._own = threading.local()
        self._library = library

    def read(self, span: Span, limit: int | None, snapshot: Snapshot | None = None) -> Batch:
        """The samples, sorted by point as asked for and time, at most `limit` of each point.

        Those of an older moment when its `snapshot` is given.
        """
        assert_off_loop()
        segments, hot = self._look(span, snapshot)
        parts = [hot]
        if segments and len(span.points) <= FEW_MAX:
            found = self._library.read(self._ids(span), segments, _times(span), limit)
            parts = [*([placed(found)] if found else []), *([hot] if hot.num_rows else [])] or parts
        elif segments:
            parts.insert(0, self._settled(span, segments, limit))
        return _batch(span.points, _newest(parts, limit))

    def count(self, span: Span) -> int:
        """How many samples there are."""
        assert_off_loop()
        segments, hot = self._look(span)
        newest = _newest([hot], None)
        ids = self._ids(span)
        contested = in_doubt(segments, newest)
        clear = [s for s in segments if s not in contested]
        settled = self._library.count(ids, clear, _times(span))
        if not contested:
            return settled + int(newest.num_rows)
        cursor = self._cursor(span, newest)
        rows = _union(span, contested, newest, self._folder)
        table = cursor.sql(f"SELECT count(*) AS n FROM ({rows})").to_arrow_table()  # noqa: S608
        return settled + int(table.column("n")[0].as_py())

    def counts(self, span: Span, snapshot: Snapshot | None = None) -> list[int]:
        """How many samples each point has at most, now or when the snapshot was taken."""
        assert_off_loop()
        segments, hot = self._look(span, snapshot)
        found = np.bincount(hot.column("place").to_numpy(), minlength=len(span.points))
        found += self._library.counts_max(self._ids(span), segments, _times(span))
        return found.tolist()  # type: ignore[no-any-return]

    def look(self, span: Span, snapshot: Snapshot) -> tuple[list[Segment], Batch]:
        """Segments that may hold rows of the span, and the newest in memory, sorted."""
        segments, hot = self._look(span, snapshot)
        return segments, _batch(span.points, _newest([hot], None))

    def settled(self, span: Span, segments: list[Segment]) -> Batch:
        """The rows of these segments, sorted, whatever is in memory."""
        if len(span.points) <= FEW_MAX:
            found = self._library.read(self._ids(span), segments, _times(span))
            return _batch(span.points, _newest([placed(found)], None)) if found else Batch.empty()
        return _batch(span.points, _newest([self._settled(span, segments, None)], None))

    # ---- parts

    def _look(self, span: Span, snapshot: Snapshot | None = None) -> tuple[list[Segment], pa.Table]:
        """Segments that may hold such rows, and all rows in memory in the order they came."""
        snapshot = snapshot or self._state.snapshot()
        names = self._state.names
        places = np.full(len(names), -1, dtype=np.int32)
        for place, path in enumerate(span.points):
            number = names.ids.get(path, -1)
            if 0 <= number < len(places):
                places[number] = place
        wanted = places >= 0
        rows = concat(
            [
                b.select(n, wanted, span.start_ns, span.stop_ns)
                for b, n in snapshot.hot
                if b.time_max >= span.start_ns and b.time_min < span.stop_ns
            ]
        )
        columns = [places[rows.id], rows.time, rows.numbers(), rows.texts(), rows.quality]
        hot = pa.table(columns, schema=PLACED)
        segments = [
            s
            for s in snapshot.segments
            if s.time_max >= span.start_ns and s.time_min < span.stop_ns
        ]
        return segments, hot

    def _ids(self, span: Span) -> Indices:
        """Numbers of the points asked for."""
        ids = self._state.names.ids
        return np.array([ids[p] for p in span.points], dtype=np.int32)

    def _cursor(self, span: Span, hot: pa.Table) -> duckdb.DuckDBPyConnection:
        """This thread's cursor, which knows the points that are wanted and the rows in memory."""
        cursor = getattr(self._own, "cursor", None)
        if cursor is None:
            cursor = self._own.cursor = self._engine.cursor()
        places = pa.array(np.arange(len(span.points), dtype=np.int32))
        cursor.register("wanted", pa.table({"point": span.points, "place": places}))
        cursor.register("hot", hot)
        return cursor

    def _settled(self, span: Span, segments: list[Segment], limit: int | None) -> pa.Table:
        cursor = self._cursor(span, pa.table([[]] * len(PLACED), schema=PLACED))
        if limit is None:
            return cursor.sql(_placed(span, segments, self._folder)).to_arrow_table()
        if len(span.points) > SINGLY_MAX:
            order = "row_number() OVER (PARTITION BY place ORDER BY time_ns)"
            query = f"{_placed(span, segments, self._folder)} QUALIFY {order} <= {limit}"
            return cursor.sql(query).to_arrow_table()
        tables = []
        for place, point in enumerate(span.points):
            one = _placed(span._replace(points=[point]), segments, self._folder)
            found = cursor.sql(f"{one} ORDER BY time_ns LIMIT {limit}").to_arrow_table()
            column = pa.array(np.full(found.num_rows, place, dtype=np.int32))
            tables.append(found.set_column(0, PLACED.field(0), column))
        return pa.concat_tables(tables)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _placed(span: Span, segments: list[Segment], folder: Path) -> str:
    """A query for the settled rows of the span."""
    listed = ", ".join(map(_literal, span.points))
    where = f"point IN ({listed})" if len(span.points) <= LISTED_MAX else "true"
    rows = rows_of(segments, folder, (span.start_ns, span.stop_ns), where=where)
    columns = "time_ns, number, text, quality"
    if len(span.points) == 1:
        return f"SELECT 0::INTEGER AS place, {columns} FROM ({rows})"  # noqa: S608
    return f"SELECT place, {columns} FROM ({rows}) s JOIN wanted w ON s.point = w.point"  # noqa: S608


def _union(span: Span, segments: list[Segment], hot: pa.Table, folder: Path) -> str:
    """A query for the rows of the span, settled and in memory, each key once."""
    parts = ["SELECT place, time_ns, number, text, quality FROM hot"]
    contested = in_doubt(segments, hot)
    clear = [s for s in segments if s not in contested]
    if clear:
        parts.append(_placed(span, clear, folder))
    if contested:
        rows = _placed(span, contested, folder)
        parts.append(f"SELECT * FROM ({rows}) ANTI JOIN hot USING (place, time_ns)")  # noqa: S608
    return " UNION ALL ".join(parts)


def in_doubt(segments: list[Segment], hot: pa.Table) -> list[Segment]:
    """Segments that may hold older rows of the keys in memory."""
    if not hot.num_rows:
        return []
    times = hot.column("time_ns").to_numpy()
    first, last = int(times.min()), int(times.max())
    return [s for s in segments if s.time_max >= first and s.time_min <= last]


def _times(span: Span) -> Times:
    return Times(span.start_ns, span.stop_ns)


def placed(found: list[Found]) -> pa.Table:
    """Parts, of which there is at least one, as rows of `PLACED`."""
    parts = [f.part for f in found]
    columns = [
        pa.array(np.concatenate([f.place for f in found]).astype(np.int32)),
        pa.array(np.concatenate([p.time for p in parts])),
        pa.chunked_array([p.number for p in parts]),
        pa.chunked_array([p.text for p in parts]),
        pa.chunked_array([p.quality for p in parts]),
    ]
    return pa.Table.from_arrays(columns, schema=PLACED)


def _newest(parts: list[pa.Table], limit: int | None) -> pa.Table:
    """Rows of all parts sorted by place and time; of equal keys the one of the later part."""
    table = pa.concat_tables(parts) if len(parts) > 1 else parts[0]
    place = table.column("place").to_numpy()
    time = table.column("time_ns").to_numpy()
    rises = (place[1:] > place[:-1]) | ((place[1:] == place[:-1]) & (time[1:] > time[:-1]))
    if not rises.all():
        order = order_of(place, time)
        table, place = table.take(pa.array(order)), place[order]
    return table if limit is None else _limited(table, place, limit)


def _limited(table: pa.Table, place: Indices, limit: int) -> pa.Table:
    """The first `limit` rows of each place; the places rise."""
    number = np.arange(len(place))
    begins = np.searchsorted(place, place, side="left")
    return table.filter(pa.array(number - begins < limit))


def _batch(points: list[str], table: pa.Table) -> Batch:
    columns = [c.combine_chunks() for c in table.columns]
    point = pa.DictionaryArray.from_arrays(columns[0], pa.array(points, pa.string()))
    return Batch(pa.RecordBatch.from_arrays([point, *columns[1:]], schema=SCHEMA))
