"""Roll-ups beside a segment: one Parquet file with the summaries of its samples, by level.

Row groups of one level hold rows sorted by point and time. Times other than the bucket's start
stand as distances that are mostly small or nothing, and so does what is mostly the same:

| column | meaning |
|---|---|
| level_ns, point, time_ns | length and start of the bucket, whose it is |
| count, unusable, quality | samples; of them not usable; the highest code |
| head_ns, tail_ns | from the bucket's start to the first sample, from the last to its end |
| min, max, first, last, sum, stepped, sloped | as in `SUMMARY_SCHEMA` |
| min_after_ns, max_after_ns, first_after_ns | since the first sample |
| last_before_ns | until the last sample |
| unknown_ns | of the time from the first to the last sample, where the value is not known |

A point has a level where that pays (`SAMPLES_MIN` a bucket), and always the widest.
"""

import base64
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from lineshaft.core.batch import Indices, Ints
from lineshaft.core.summary import LEVELS_NS, SUMMARY_SCHEMA
from lineshaft.core.sums import Samples, Sums, joined, merge_sums, sum_up
from lineshaft.stores.parquet.shape import quoted

SAMPLES_MIN = 16
"""A point has a level where a bucket sums up so many samples, on average."""
GROUP_ROWS = 8_192
"""Rows of a row group."""
INDEX = b"lineshaft.rollup"
"""Key of the index in the footer."""
VERSION = 1
EDGES_FEW = 100_000
"""So many edges may be made for buckets that are empty."""
EVERYTHING = tuple(SUMMARY_SCHEMA.names)

FLOATS = ("min", "max", "first", "last", "sum", "stepped", "sloped")
FILE_SCHEMA = pa.schema(
    [
        pa.field("level_ns", pa.int64(), nullable=False),
        pa.field("point", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("time_ns", pa.int64(), nullable=False),
        pa.field("count", pa.int32(), nullable=False),
        pa.field("unusable", pa.int32(), nullable=False),
        pa.field("quality", pa.uint32(), nullable=False),
        pa.field("head_ns", pa.int64(), nullable=False),
        pa.field("tail_ns", pa.int64(), nullable=False),
        pa.field("min", pa.float64()),
        pa.field("min_after_ns", pa.int64(), nullable=False),
        pa.field("max", pa.float64()),
        pa.field("max_after_ns", pa.int64(), nullable=False),
        pa.field("first", pa.float64()),
        pa.field("first_after_ns", pa.int64(), nullable=False),
        pa.field("last", pa.float64()),
        pa.field("last_before_ns", pa.int64(), nullable=False),
        pa.field("sum", pa.float64()),
        pa.field("stepped", pa.float64()),
        pa.field("sloped", pa.float64()),
        pa.field("unknown_ns", pa.int64(), nullable=False),
    ]
)
EDGE_NS = 2**63 - 2 * LEVELS_NS[-1]
"""Times further out have buckets that leave int64: segments with such have no roll-ups."""


def starts_of(time: Ints, level_ns: int) -> Ints:
    """The start of the bucket that each time is in."""
    return time // level_ns * level_ns


# ---- writing


class Builder:
    """Takes the rows of a segment as they are written, and sums them up by level."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._levels: dict[int, list[Sums]] = {level: [] for level in LEVELS_NS}
        self._rows: list[Ints] = []
        self.rows = 0
        self.fit = True
        """Whether all times are such that their buckets fit int64."""

    def add(self, part: pa.Table) -> None:
        """Take the next rows, of the columns of a batch, sorted by point and time."""
        if not part.num_rows:
            return
        self.rows += part.num_rows
        point = part.column("point").combine_chunks()
        ids = self._ids
        places = [ids.setdefault(p, len(ids)) for p in point.dictionary.to_pylist()]
        place = np.array(places, dtype=np.int32)[point.indices.to_numpy()]
        time, number = part.column("time_ns").to_numpy(), part.column("number")
        valid = number.is_valid().to_numpy()
        quality = part.column("quality").to_numpy()
        self.fit = self.fit and bool(((time > -EDGE_NS) & (time < EDGE_NS)).all())
        if self.fit:
            self._sum_up(Samples(place, time, number.to_numpy(), valid, quality))

    def _sum_up(self, samples: Samples) -> None:
        self._rows.append(np.bincount(samples.place))
        second, minute, *wider = LEVELS_NS
        sums = bucketed(samples, minute)
        crowded = _crowded(sums, SAMPLES_MIN * minute // second)
        if len(crowded):
            dense = samples.take(np.isin(samples.place, crowded))
            self._keep(second, bucketed(dense, second))
        self._keep(minute, sums)
        for level in wider:
            sums = widened(sums, level)
            self._keep(level, sums)

    def _keep(self, level: int, sums: Sums) -> None:
        """Keep the rows of the points for which the level pays."""
        if level != LEVELS_NS[-1]:
            mask = np.isin(sums["place"], _crowded(sums, SAMPLES_MIN))
            sums = {n: c[mask] for n, c in sums.items()}
        if len(sums["place"]):
            self._levels[level].append(sums)

    def levels(self) -> tuple[list[str], dict[int, Sums]]:
        """The points, and the summaries of each level that has some."""
        found: dict[int, Sums] = {}
        whole = np.zeros(len(self._ids), dtype=np.int64)
        for level in reversed(LEVELS_NS):
            parts = self._levels[level]
            if not parts:
                continue
            sums = joined(parts)
            # A bucket may have begun in one part and ended in the next.
            sums = widened(sums, level)
            counts = np.bincount(sums["place"], weights=sums["count"], minlength=len(whole)).astype(
                np.int64
            )
            if level == LEVELS_NS[-1]:
                whole = counts
            # Of a point that came in several parts the level may have been kept in some only.
            mask = (counts == whole)[sums["place"]]
            if mask.any():
                found[level] = {n: c[mask] for n, c in sums.items()}
        return list(self._ids), found

    def write(self, sink: object) -> None:
        """Write the file."""
        paths, levels = self.levels()
        points = pa.array(paths, pa.string())
        rows = np.zeros(len(paths), dtype="<i8")
        for counts in self._rows:
            rows[: len(counts)] += counts
        index = Index(VERSION, paths, rows.tobytes(), GROUP_ROWS, {})
        with _writer(sink) as writer:
            for level, sums in sorted(levels.items()):
                index.levels[level] = _runs_of(sums["place"])
                table = _file_table(level, sums, points)
                writer.write_table(table, row_group_size=GROUP_ROWS)
            writer.add_key_value_metadata({INDEX: packed(index)})


def bucketed(samples: Samples, level_ns: int, wanted: Sequence[str] = EVERYTHING) -> Sums:
    """Samples summed up per bucket of the level, for as many buckets as there may be."""
    return sum_up(samples, _edges_for(samples.time, level_ns), wanted)


def widened(sums: Sums, level_ns: int, wanted: Sequence[str] = EVERYTHING) -> Sums:
    """Summaries merged per bucket of a wider level."""
    return merge_sums(sums, _edges_for(sums["begin_ns"], level_ns), wanted)


def _edges_for(time: Ints, level_ns: int) -> Ints:
    """Rising edges among which each bucket with one of these times is an interval of its own."""
    if not len(time):
        return np.empty(0, dtype=np.int64)
    low, high = int(time.min()) // level_ns, int(time.max()) // level_ns
    if high - low <= len(time) + EDGES_FEW:
        return np.arange(low, high + 2, dtype=np.int64) * level_ns
    # A time gone mad must not make billions of edges.
    starts = np.unique(starts_of(time, level_ns))
    return np.unique(np.concatenate([starts, starts + level_ns]))


def _crowded(sums: Sums, least: int) -> npt.NDArray[np.int32]:
    """Places with so many samples a bucket, on average."""
    counts = np.bincount(sums["place"], weights=sums["count"])
    buckets = np.bincount(sums["place"])
    return np.flatnonzero((counts >= least * buckets) & (buckets > 0)).astype(np.int32)


class Runs(msgspec.Struct, frozen=True):
    """Of one level: the places that have rows, in their order, and where these begin."""

    places: bytes
    """int32."""
    starts: bytes
    """int64, with one more behind the last."""


class Index(msgspec.Struct, frozen=True):
    """What stands in the footer; arrays are little-endian."""

    version: int
    paths: list[str]
    rows: bytes
    """How many samples each path has, int64."""
    group_rows: int
    """Rows of a row group; the last of a level may have fewer."""
    levels: dict[int, Runs]


def packed(index: Index) -> bytes:
    """The index as text, since readers of Parquet expect text in a footer."""
    whole = msgspec.msgpack.encode(index)
    small = pa.compress(whole, codec="zstd", asbytes=True)
    return b"%d:%s" % (len(whole), base64.b64encode(small))


def unpacked(text: bytes) -> Index:
    """The index that `packed` gave."""
    size, _, small = text.partition(b":")
    whole = pa.decompress(base64.b64decode(small), int(size), codec="zstd", asbytes=True)
    return msgspec.msgpack.decode(whole, type=Index)


def _runs_of(place: Indices) -> Runs:
    starts = np.flatnonzero(np.r_[True, place[1:] != place[:-1]])
    ends = np.r_[starts, len(place)]
    return Runs(place[starts].astype("<i4").tobytes(), ends.astype("<i8").tobytes())


def _file_table(level: int, sums: Sums, points: pa.Array) -> pa.Table:
    begin, end, start = sums["begin_ns"], sums["end_ns"], sums["time_ns"]
    held = sums["usable"] > 0
    columns = {
        "level_ns": np.full(len(start), level, dtype=np.int64),
        "time_ns": start,
        "count": sums["count"],
        "unusable": sums["count"] - sums["usable"],
        "quality": sums["quality"],
        "head_ns": begin - start,
        "tail_ns": start + level - end,
        "min_after_ns": np.where(held, sums["min_ns"] - begin, 0),
        "max_after_ns": np.where(held, sums["max_ns"] - begin, 0),
        "first_after_ns": np.where(held, sums["first_ns"] - begin, 0),
        "last_before_ns": np.where(held, end - sums["last_ns"], 0),
        "unknown_ns": end - begin - sums["known_ns"],
    }
    point = pa.DictionaryArray.from_arrays(pa.array(sums["place"]), points)
    arrays = []
    for field in FILE_SCHEMA:
        if field.name == "point":
            arrays.append(point)
        elif field.name in FLOATS:
            arrays.append(pa.array(sums[field.name], mask=None if held.all() else ~held))
        else:
            arrays.append(pa.array(columns[field.name]).cast(field.type))
    return pa.Table.from_arrays(arrays, schema=FILE_SCHEMA)


def _writer(sink: object) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        sink,
        FILE_SCHEMA,
        compression="zstd",
        compression_level=3,
        use_dictionary=["level_ns", "point", "quality"],
        column_encoding={"time_ns": "DELTA_BINARY_PACKED"},
        store_schema=False,
    )


def stored(files: Iterable[Path], level_ns: int) -> str:
    """A SELECT of the summaries of a level, with the columns of `SUMMARY_SCHEMA`."""

    def when(value: str, time: str) -> str:
        return f"CASE WHEN {value} IS NOT NULL THEN {time} END AS {value}_ns"

    begin, end = "time_ns + head_ns", f"time_ns + {level_ns} - tail_ns"
    return f"""
        SELECT point, time_ns, count, count - unusable AS usable, quality,
            {begin} AS begin_ns, {end} AS end_ns,
            min, {when("min", f"{begin} + min_after_ns")},
            max, {when("max", f"{begin} + max_after_ns")},
            first, {when("first", f"{begin} + first_after_ns")},
            last, {when("last", f"{end} - last_before_ns")},
            sum, stepped, sloped, {end} - ({begin}) - unknown_ns AS known_ns
        FROM read_parquet({quoted(files)}) WHERE level_ns = {level_ns}
    """  # noqa: S608 - integers and names of our own files


def combined(summaries: str) -> str:
    """A SELECT of one row a point and bucket; the area between two parts is left out."""
    good = "FILTER (WHERE usable > 0)"
    known = "least(sum(known_ns), max(end_ns)::HUGEINT - min(begin_ns))"
    return f"""
        SELECT point, time_ns, sum(count)::BIGINT AS count, sum(usable)::BIGINT AS usable,
            max(quality) AS quality, min(begin_ns) AS begin_ns, max(end_ns) AS end_ns,
            min(min) AS min, arg_min(min_ns, (min, min_ns)) {good} AS min_ns,
            max(max) AS max, arg_max(max_ns, (max, -max_ns)) {good} AS max_ns,
            arg_min(first, first_ns) {good} AS first, min(first_ns) AS first_ns,
            arg_max(last, last_ns) {good} AS last, max(last_ns) AS last_ns,
            sum(sum) AS sum, sum(stepped) AS stepped, sum(sloped) AS sloped,
            {known}::BIGINT AS known_ns
        FROM ({summaries}) GROUP BY point, time_ns
    """  # noqa: S608 - names of our own
