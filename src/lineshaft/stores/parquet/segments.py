"""Segments: Parquet files sorted by point and time, no two of which hold the same key."""

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from itertools import pairwise
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
from lineshaft.stores.parquet.held import Held
from lineshaft.stores.parquet.index import Collector
from lineshaft.stores.parquet.manifest import SEGMENTS, VERSION, Rollup, Segment
from lineshaft.stores.parquet.rollups import Builder
from lineshaft.stores.parquet.rows import Rows, order_of
from lineshaft.stores.parquet.shape import (
    COLUMNS,
    SCHEMA,
    coarsest,
    rows_of,
    schema_of,
    time_columns,
    to_file,
)
from lineshaft.stores.parquet.weaving import weave

DAY_NS = 86_400 * NS_PER_S
PARTS_MAX = 64
"""Days a flush may have a file each of; times scattered wider share files, lest garbage times
make a file each."""
ROLLUP = ".rollup.parquet"
ROLLUP_ROWS_MIN = 20_000
"""A segment with fewer rows is summed up as fast from its samples."""
ROWS_MIN, ROWS_MAX = 16_384, 32_768
"""Rows of a row group: it ends where a point ends, if there is such a place."""
DICTIONARY_BYTES = 8192
"""Bytes that the dictionary of a row group may take; beyond, the rest of its values is plain."""
NBYTES_MAX = 32 << 20
"""Bytes in memory of rows that wait for the end of their point."""
CHUNK = 131_072
"""Rows that a query hands over at once."""


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
    """Writes segments below a folder; one for each thread that does."""

    def __init__(self, files: Files, folder: Path, engine: duckdb.DuckDBPyConnection) -> None:
        self.folder = folder / SEGMENTS
        self.numbers = itertools.count(1)
        """Of the files, so that no name comes twice; all shelves of a folder share it."""
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
        """Delete what was written since and did not get into the manifest; at opening else."""
        while self._new:
            try:
                self._files.delete(self._new[-1])
            except OSError:
                return
            self._new.pop()

    def write(
        self, tables: Iterable[pa.Table | pa.RecordBatch], unit: str = "us"
    ) -> Segment | None:
        """One segment from sorted parts, on the disk; None when they hold no row.

        `unit` is one that keeps the times of all parts exact; see `shape`.

        Raises:
            OSError: the disk does not take it; `forget` clears what is left.
        """
        assert_off_loop()
        path = self.folder / f"{next(self.numbers):012d}.parquet"
        self._new.append(path)
        summing = Builder()
        runs, time_min, time_max = Collector(), np.iinfo(np.int64).max, np.iinfo(np.int64).min
        try:
            with self._files.sink(path) as sink:
                held = Held(sink)
                with _writer(held, unit) as writer:
                    writer.add_key_value_metadata({"lineshaft.segment": str(VERSION)})
                    for part in _groups(tables):
                        time = part.column("time_ns").to_numpy()
                        time_min = min(time_min, int(time.min()))
                        time_max = max(time_max, int(time.max()))
                        runs.add(part.column("point").combine_chunks(), time)
                        summing.add(part)
                        writer.write_table(to_file(part, unit), row_group_size=part.num_rows)
                    held.hold()
                held.finish(runs)
            if runs.rows:
                self._files.sync_path(path)
        finally:
            if not runs.rows:
                self._files.delete(path)
        if not runs.rows:
            return None
        return Segment(
            file=path.name,
            day=day_of(time_min),
            rows=runs.rows,
            bytes=sink.size,
            crc=sink.crc,
            tail_bytes=held.tail_bytes,
            tail_crc=held.tail_crc,
            time_min=time_min,
            time_max=time_max,
            version=VERSION,
            unit=unit,
            rollup=self._rollup(path, summing),
        )

    def _rollup(self, segment: Path, summing: Builder) -> Rollup | None:
        """The file with the roll-ups of a segment, if it is large enough to need them."""
        if summing.rows < ROLLUP_ROWS_MIN or not summing.fit:
            return None
        return self._write_rollup(segment.with_suffix(ROLLUP), summing)

    def summed_up(self, tables: Iterable[pa.Table]) -> Rollup | None:
        """Roll-ups of sorted rows, on the disk; None when there can be none.

        Raises:
            OSError: the disk does not take it; `forget` clears what is left.
        """
        assert_off_loop()
        summing = Builder()
        for table in tables:
            summing.add(table)
        if not summing.rows or not summing.fit:
            return None
        return self._write_rollup(self.folder / f"{next(self.numbers):012d}{ROLLUP}", summing)

    def _write_rollup(self, path: Path, summing: Builder) -> Rollup:
        self._new.append(path)
        with self._files.sink(path) as sink:
            summing.write(sink)
        self._files.sync_path(path)
        return Rollup(file=path.name, bytes=sink.size, crc=sink.crc)

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
        settled = rows_of([segment], self.folder, (int(times.min()), int(times.max()) + 1))
        found = cursor.sql(
            f"""
            SELECT f.place, s.number IS NOT DISTINCT FROM f.number
                AND s.text IS NOT DISTINCT FROM f.text AND s.quality = f.quality AS same
            FROM ({settled}) s
            JOIN fresh f ON s.point = f.point AND s.time_ns = f.time_ns
            """  # noqa: S608 - names of our own files and integers
        ).to_arrow_table()
        cursor.close()
        place = found.column("place").to_numpy()
        same = found.column("same").to_numpy()
        return place[same], place[~same]

    def without(self, segment: Segment, keys: pa.Table) -> Segment | None:
        """The segment written anew without rows of these keys; None when nothing is left."""
        query = (
            f"SELECT {COLUMNS} FROM ({rows_of([segment], self.folder)})"  # noqa: S608 - our file
            " ANTI JOIN keys USING (point, time_ns)"
        )
        return self._rewrite(query, [segment], keys)

    def outside(
        self, segment: Segment, wanted: pa.Table, span_ns: tuple[int, int]
    ) -> tuple[int, Segment | None]:
        """How many rows are of wanted points and times, and a segment without, if any is left."""
        times = f"time_ns >= {span_ns[0]} AND time_ns < {span_ns[1]}"
        inside = f"{times} AND point IN (SELECT point FROM keys)"  # noqa: S608 - integers
        source = f"({rows_of([segment], self.folder)})"
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
        return count, self._rewrite(query, [segment], wanted)

    def newest(self, segment: Segment, wanted: pa.Table) -> Batch:
        """The newest row of each wanted point (column `point`) that the segment holds."""
        source = f"({rows_of([segment], self.folder)})"
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
        segment = self.write(weave(segments, self.folder), coarsest(segments))
        assert segment is not None  # noqa: S101 - a segment has rows
        return segment

    def _rewrite(
        self, query: str, segments: list[Segment], keys: pa.Table | None = None
    ) -> Segment | None:
        cursor = self._engine.cursor()
        if keys is not None:
            cursor.register("keys", keys)
        try:
            ordered = f"SELECT * FROM ({query}) ORDER BY point, time_ns"  # noqa: S608
            reader = cursor.sql(ordered).to_arrow_reader(CHUNK)
            return self.write(reader, coarsest(segments))
        finally:
            cursor.close()


def _groups(parts: Iterable[pa.Table | pa.RecordBatch]) -> Iterator[pa.Table]:
    """The rows of sorted parts, cut into row groups where points end."""
    rest = SCHEMA.empty_table()
    for part in parts:
        rest = _joined(rest, _as_table(part))
        cuts = _cuts(rest, is_last=False)
        for start, stop in pairwise(cuts):
            yield rest.slice(start, stop - start)
        rest = rest.slice(cuts[-1])
    for start, stop in pairwise(_cuts(rest, is_last=True)):
        yield rest.slice(start, stop - start)


def _joined(rest: pa.Table, part: pa.Table) -> pa.Table:
    if not rest.num_rows:
        return part.combine_chunks()
    return pa.concat_tables([rest, part]).unify_dictionaries().combine_chunks()


def _cuts(table: pa.Table, *, is_last: bool) -> list[int]:
    """Where row groups begin and end; rows behind the last wait for more, unless it is the last."""
    size = table.num_rows
    if not size:
        return [0]
    codes = table.column("point").chunk(0).indices.to_numpy()
    ends = np.flatnonzero(codes[1:] != codes[:-1]) + 1
    ends = np.r_[ends, size] if is_last else ends
    cuts = [0]
    while cuts[-1] < size:
        begin = cuts[-1]
        at = int(np.searchsorted(ends, begin + ROWS_MIN))
        if at < len(ends) or is_last:
            stop = int(ends[at]) if at < len(ends) else size
            pieces = -(-(stop - begin) // ROWS_MAX)
            cuts += [begin + (stop - begin) * i // pieces for i in range(1, pieces + 1)]
        elif size - begin >= 2 * ROWS_MAX or table.nbytes > NBYTES_MAX:
            cuts.append(min(begin + ROWS_MAX, size))
        else:
            break
    return cuts


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


def _writer(sink: Held, unit: str) -> pq.ParquetWriter:
    """Parquet with the encodings that were measured to be the smallest; see docs/decisions.

    Each row group has a dictionary of its numbers as long as that is small, and plain numbers from
    there on. So points with few values are packed, and the others are left to zstd.
    """
    schema = schema_of(unit)
    time = time_columns(schema.names)[0]
    return pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=[n for n in schema.names if n != time],
        dictionary_pagesize_limit=DICTIONARY_BYTES,
        column_encoding={time: "DELTA_BINARY_PACKED"},
        store_schema=False,
        write_page_checksum=True,
    )
