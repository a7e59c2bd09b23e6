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
from collections.abc import Sequence
from typing import BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from lineshaft.core.batch import Indices, Ints
from lineshaft.core.summary import LEVELS_NS, SUMMARY_SCHEMA
from lineshaft.core.sums import Samples, Sums, joined, merge_sums, sum_up

SAMPLES_MIN = 16
"""A point has a level where a bucket sums up so many samples, on average."""
GROUP_ROWS = 16_384
"""Rows of a row group."""
INDEX = b"lineshaft.rollup"
"""Key of the index in the footer."""
VERSION = 1
EVERYTHING = tuple(SUMMARY_SCHEMA.names)

_FLOATS = ("min", "max", "first", "last", "sum", "stepped", "sloped")
_TIMES = ("head_ns", "tail_ns", "min_after_ns", "max_after_ns")
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
_NEEDS = {
    "usable": ("count", "unusable"),
    "begin_ns": ("head_ns",),
    "end_ns": ("tail_ns",),
    "min_ns": ("head_ns", "min_after_ns"),
    "max_ns": ("head_ns", "max_after_ns"),
    "first_ns": ("head_ns", "first_after_ns"),
    "last_ns": ("tail_ns", "last_before_ns"),
    "known_ns": ("head_ns", "tail_ns", "unknown_ns"),
}
"""Columns of the file that a column of summaries is made of, if not of its own name."""


def edges_of(level_ns: int, first_ns: int, last_ns: int) -> Ints:
    """Edges of the buckets from the one of the first time to the one of the last.

    The outermost lie within int64, and so need not be multiples.
    """
    low, high = first_ns // level_ns, last_ns // level_ns + 1
    edges = np.arange(low, high + 1, dtype=object) * level_ns
    return np.clip(edges, -(2**63), 2**63 - 1).astype(np.int64)


def starts_of(time: Ints, level_ns: int) -> Ints:
    """The start of the bucket that each time is in."""
    return time // level_ns * level_ns


# ---- writing


class Builder:
    """Takes the rows of a segment as they are written, and sums them up by level."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._levels: dict[int, list[Sums]] = {level: [] for level in LEVELS_NS}
        self.rows = 0

    def add(self, part: pa.Table) -> None:
        """Take the next rows, of the columns of a batch, sorted by point and time."""
        if not part.num_rows:
            return
        self.rows += part.num_rows
        point = part.column("point").combine_chunks()
        ids = self._ids
        places = [ids.setdefault(p, len(ids)) for p in point.dictionary.to_pylist()]
        place = np.array(places, dtype=np.int32)[point.indices.to_numpy()]
        samples = Samples(
            place,
            part.column("time_ns").to_numpy(),
            part.column("number").to_numpy(),
            part.column("number").is_valid().to_numpy(),
            part.column("quality").to_numpy(),
        )
        self._sum_up(samples)

    def _sum_up(self, samples: Samples) -> None:
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

    def write(self, sink: BinaryIO) -> None:
        """Write the file."""
        paths, levels = self.levels()
        points = pa.array(paths, pa.string())
        index = _Index(version=VERSION, paths=paths, levels={})
        with _writer(sink) as writer:
            for level, sums in sorted(levels.items()):
                index.levels[level] = _runs_of(sums["place"])
                table = _file_table(level, sums, points)
                writer.write_table(table, row_group_size=GROUP_ROWS)
            packed = pa.compress(msgspec.msgpack.encode(index), codec="zstd", asbytes=True)
            size = len(msgspec.msgpack.encode(index))
            text = f"{size}:".encode() + base64.b64encode(packed)
            writer.add_key_value_metadata({INDEX: text})


def bucketed(samples: Samples, level_ns: int, wanted: Sequence[str] = EVERYTHING) -> Sums:
    """Samples summed up per bucket of the level, for as many buckets as there may be."""
    # Numbering the buckets that occur keeps a time gone mad from making billions of edges.
    starts = starts_of(samples.time, level_ns)
    edges = _edges_at(starts, level_ns)
    sums = sum_up(samples, edges, wanted)
    return sums


def widened(sums: Sums, level_ns: int, wanted: Sequence[str] = EVERYTHING) -> Sums:
    """Summaries merged per bucket of a wider level."""
    return merge_sums(sums, _edges_at(starts_of(sums["time_ns"], level_ns), level_ns), wanted)


def _edges_at(starts: Ints, level_ns: int) -> Ints:
    """Rising edges among which each of these buckets is an interval of its own."""
    low = np.unique(starts)
    if len(low) and (low[-1] - low[0]) // level_ns + 1 == len(low):
        return np.append(low, low[-1] + level_ns)
    return np.unique(np.concatenate([low, low + level_ns]))


def _crowded(sums: Sums, least: int) -> npt.NDArray[np.int32]:
    """Places with so many samples a bucket, on average."""
    counts = np.bincount(sums["place"], weights=sums["count"])
    buckets = np.bincount(sums["place"])
    return np.flatnonzero((counts >= least * buckets) & (buckets > 0)).astype(np.int32)


class _Runs(msgspec.Struct, frozen=True):
    """Of one level: the places that have rows, in their order, and where these begin."""

    places: bytes
    starts: bytes


class _Index(msgspec.Struct, frozen=True):
    version: int
    paths: list[str]
    levels: dict[int, _Runs]


def _runs_of(place: Indices) -> _Runs:
    starts = np.flatnonzero(np.r_[True, place[1:] != place[:-1]])
    ends = np.r_[starts, len(place)]
    return _Runs(place[starts].astype("<i4").tobytes(), ends.astype("<i8").tobytes())


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
        elif field.name in _FLOATS:
            arrays.append(pa.array(sums[field.name], mask=None if held.all() else ~held))
        else:
            arrays.append(pa.array(columns[field.name]).cast(field.type))
    return pa.Table.from_arrays(arrays, schema=FILE_SCHEMA)


def _writer(sink: BinaryIO) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        sink,
        FILE_SCHEMA,
        compression="zstd",
        compression_level=3,
        use_dictionary=["level_ns", "point", "quality"],
        column_encoding={"time_ns": "DELTA_BINARY_PACKED"},
        store_schema=False,
    )
