"""Segments: Parquet files sorted by point and time, no two of which hold the same key."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lineshaft.core.batch import Batch, Ints, Mask
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.flow import assert_off_loop
from lineshaft.stores.parquet.files import Files
from lineshaft.stores.parquet.manifest import SEGMENTS, VERSION, Segment
from lineshaft.stores.parquet.rows import Rows, order_of

DAY_NS = 86_400 * NS_PER_S
PARTS_MAX = 64
"""Days a flush may have a file each of; times scattered wider share files, lest garbage times
make a file each."""
ROW_GROUP = 131_072
SCHEMA = pa.schema(
    [
        pa.field("point", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("time_ns", pa.int64(), nullable=False),
        pa.field("number", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("quality", pa.uint32(), nullable=False),
    ]
)
COLUMNS = ", ".join(SCHEMA.names)


def quoted(paths: Iterable[Path]) -> str:
    """The files as a list in SQL."""
    return "[" + ", ".join("'" + str(p).replace("'", "''") + "'" for p in paths) + "]"


def day_of(time_ns: int) -> str:
    """The UTC day as text."""
    return str(dt.date(1970, 1, 1) + dt.timedelta(days=time_ns // DAY_NS))


class Tidy(NamedTuple):
    """Rows in the order of a segment, with one row for each key."""

    table: pa.Table
    time: Ints


def tidy(rows: Rows, paths: list[str]) -> Tidy:
    """Sort by path and time; of equal keys only the last to come stays."""
    seen = np.zeros(len(paths), dtype=np.bool_)
    seen[rows.id] = True
    used = sorted(np.flatnonzero(seen).tolist(), key=paths.__getitem__)
    rank = np.zeros(len(paths), dtype=np.int32)
    rank[used] = np.arange(len(used), dtype=np.int32)
    ranks = rank[rows.id]
    order = order_of(ranks, rows.time)
    kept = rows.take(order)
    point = pa.DictionaryArray.from_arrays(pa.array(ranks[order]), [paths[i] for i in used])
    columns = [point, pa.array(kept.time), kept.numbers(), kept.texts(), pa.array(kept.quality)]
    return Tidy(pa.Table.from_arrays(columns, schema=SCHEMA), kept.time)


def by_day(time: Ints) -> list[Mask]:
    """One mask for each UTC day that the times fall on; wider spans when there are very many."""
    span = DAY_NS
    while len(spans := np.unique(time // span)) > PARTS_MAX:
        span *= 8
    if len(spans) == 1:
        return [np.ones(len(time), dtype=np.bool_)]
    return [time // span == s for s in spans]


class Shelf:
    """Writes segments below a folder; only the settler's thread uses it."""

    def __init__(self, files: Files, folder: Path, engine: duckdb.DuckDBPyConnection) -> None:
        self.folder = folder / SEGMENTS
        self.serial = 0
        """Rises with every file, so that no name comes twice."""
        self._files = files
        self._engine = engine
        self._new: list[Path] = []

    def path(self, segment: Segment) -> Path:
        """Where the segment's file is."""
        return self.folder / segment.file

    def named(self) -> None:
        """What was written is in the manifest now."""
        self._new.clear()

    def forget(self) -> None:
        """Delete what was written since and did not get into the manifest."""
        for path in self._new:
            self._files.delete(path)
        self._new.clear()

    def write(self, tables: Iterable[pa.Table | pa.RecordBatch]) -> Segment | None:
        """One segment from sorted parts, on the disk; None when they hold no row.

        Raises:
            OSError: the disk does not take it; `forget` clears what is left.
        """
        assert_off_loop()
        self.serial += 1
        path = self.folder / f"{self.serial:012d}.parquet"
        self._new.append(path)
        rows, time_min, time_max = 0, np.iinfo(np.int64).max, np.iinfo(np.int64).min
        try:
            with self._files.sink(path) as sink, _writer(sink) as writer:
                writer.add_key_value_metadata({"lineshaft.segment": str(VERSION)})
                for part in tables:
                    if not part.num_rows:
                        continue
                    time = part.column("time_ns").to_numpy()
                    time_min = min(time_min, int(time.min()))
                    time_max = max(time_max, int(time.max()))
                    rows += part.num_rows
                    writer.write(_as_table(part), row_group_size=ROW_GROUP)
            if rows:
                self._files.sync_path(path)
        finally:
            if not rows:
                self._files.delete(path)
        if not rows:
            return None
        return Segment(
            file=path.name,
            day=day_of(time_min),
            rows=rows,
            bytes=sink.size,
            crc=sink.crc,
            time_min=time_min,
            time_max=time_max,
        )

    def match(self, segment: Segment, fresh: Tidy) -> tuple[Ints, Ints]:
        """Positions of fresh rows whose key the segment holds: with equal content, with other."""
        inside = (fresh.time >= segment.time_min) & (fresh.time <= segment.time_max)
        places = np.flatnonzero(inside)
        none = np.empty(0, dtype=np.int64)
        if not len(places):
            return none, none
        cursor = self._engine.cursor()
        keys = fresh.table.take(pa.array(places)).append_column("place", pa.array(places))
        cursor.register("fresh", keys)
        times = fresh.time[places]
        found = cursor.sql(
            f"""
            SELECT f.place, s.number IS NOT DISTINCT FROM f.number
                AND s.text IS NOT DISTINCT FROM f.text AND s.quality = f.quality AS same
            FROM read_parquet({quoted([self.path(segment)])}) s
            JOIN fresh f ON s.point = f.point AND s.time_ns = f.time_ns
            WHERE s.time_ns BETWEEN {times.min()} AND {times.max()}
            """  # noqa: S608 - names of our own files and integers
        ).to_arrow_table()
        cursor.close()
        place = found.column("place").to_numpy()
        same = found.column("same").to_numpy()
        return place[same], place[~same]

    def without(self, segment: Segment, keys: pa.Table) -> Segment | None:
        """The segment written anew without rows of these keys; None when nothing is left."""
        source = f"read_parquet({quoted([self.path(segment)])}) s"
        return self._rewrite(
            f"SELECT {COLUMNS} FROM {source} ANTI JOIN keys USING (point, time_ns)",  # noqa: S608
            keys,
        )

    def outside(
        self, segment: Segment, wanted: pa.Table, span_ns: tuple[int, int]
    ) -> tuple[int, Segment | None]:
        """How many rows are of wanted points (column `point`) and times, and a segment without.

        The segment itself when it holds none, None when it holds no others.
        """
        times = f"time_ns >= {span_ns[0]} AND time_ns < {span_ns[1]}"
        inside = f"{times} AND point IN (SELECT point FROM keys)"  # noqa: S608 - integers
        source = f"read_parquet({quoted([self.path(segment)])})"
        cursor = self._engine.cursor()
        try:
            cursor.register("keys", wanted)
            query = f"SELECT count(*) AS n FROM {source} WHERE {inside}"  # noqa: S608 - our own
            count = int(cursor.sql(query).to_arrow_table().column("n")[0].as_py())
        finally:
            cursor.close()
        if count in (0, segment.rows):
            return count, None if count else segment
        query = f"SELECT {COLUMNS} FROM {source} WHERE NOT ({inside})"  # noqa: S608 - our own
        return count, self._rewrite(query, wanted)

    def newest(self, segment: Segment, wanted: pa.Table) -> Batch:
        """The newest row of each wanted point (column `point`) that the segment holds."""
        source = f"read_parquet({quoted([self.path(segment)])})"
        cursor = self._engine.cursor()
        try:
            cursor.register("keys", wanted)
            table = cursor.sql(
                f"SELECT s.* FROM {source} s JOIN (SELECT point, max(time_ns) AS time_ns"  # noqa: S608
                f" FROM {source} WHERE point IN (SELECT point FROM keys) GROUP BY point)"
                " USING (point, time_ns)"
            ).to_arrow_table()
        finally:
            cursor.close()
        return Batch.concat([Batch(b) for b in table.combine_chunks().to_batches()])

    def merged(self, segments: list[Segment]) -> Segment:
        """One segment with the rows of all."""
        source = f"read_parquet({quoted(map(self.path, segments))})"
        segment = self._rewrite(f"SELECT {COLUMNS} FROM {source}")  # noqa: S608 - our own files
        assert segment is not None  # noqa: S101 - a segment has rows
        return segment

    def _rewrite(self, query: str, keys: pa.Table | None = None) -> Segment | None:
        cursor = self._engine.cursor()
        if keys is not None:
            cursor.register("keys", keys)
        try:
            reader = cursor.sql(f"{query} ORDER BY point, time_ns").to_arrow_reader(ROW_GROUP)
            return self.write(reader)
        finally:
            cursor.close()


def _as_table(part: pa.Table | pa.RecordBatch) -> pa.Table:
    """The part under `SCHEMA`, which the query engine gives back with plain strings."""
    table = part if isinstance(part, pa.Table) else pa.Table.from_batches([part])
    if table.schema.equals(SCHEMA):
        return table
    point = table.column("point")
    columns = [point.dictionary_encode().unify_dictionaries(), *table.columns[1:]]
    if isinstance(columns[0], pa.ChunkedArray):
        columns[0] = columns[0].combine_chunks()
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _writer(sink: object) -> pq.ParquetWriter:
    """Parquet with the encodings that were measured to be the smallest.

    Numbers are left to zstd: on mixed sensors plain takes 1.7 bytes a row, a dictionary 2.1,
    byte streams 3.0; see docs/decisions.
    """
    return pq.ParquetWriter(
        sink,
        SCHEMA,
        compression="zstd",
        compression_level=3,
        use_dictionary=["point", "text", "quality"],
        column_encoding={"time_ns": "DELTA_BINARY_PACKED"},
        store_schema=False,
    )
