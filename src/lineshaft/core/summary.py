"""Summaries of samples: parts that add up, so that a roll-up of roll-ups is exact.

One row sums up the samples of one point in one interval. Two rows whose samples do not
interleave merge into one without looking at the samples again: `merge(summarize(a),
summarize(b))` is `summarize(a + b)`, to the rounding of float64.

A sample is usable when it has a number that is not NaN and its quality is not bad. From a usable
sample to the next sample of any quality the value is known: held (`stepped`), or on the straight
line to the next if that is usable too, else held (`sloped`).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Batch, Ints
from lineshaft.core.sums import Samples, Sums, merge_sums, sum_up

SUMMARY_SCHEMA = pa.schema(
    [
        pa.field("point", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("time_ns", pa.int64(), nullable=False),
        pa.field("count", pa.int64(), nullable=False),
        pa.field("usable", pa.int64(), nullable=False),
        pa.field("quality", pa.uint32(), nullable=False),
        pa.field("begin_ns", pa.int64(), nullable=False),
        pa.field("end_ns", pa.int64(), nullable=False),
        pa.field("min", pa.float64()),
        pa.field("min_ns", pa.int64()),
        pa.field("max", pa.float64()),
        pa.field("max_ns", pa.int64()),
        pa.field("first", pa.float64()),
        pa.field("first_ns", pa.int64()),
        pa.field("last", pa.float64()),
        pa.field("last_ns", pa.int64()),
        pa.field("sum", pa.float64()),
        pa.field("stepped", pa.float64()),
        pa.field("sloped", pa.float64()),
        pa.field("known_ns", pa.int64(), nullable=False),
    ]
)
"""One row per point and interval that holds a sample.

| column | meaning |
|---|---|
| time_ns | start of the interval |
| count, usable | samples of any quality; of them the usable ones |
| quality | the highest status code, which is the worst severity |
| begin_ns, end_ns | time of the first and of the last sample of any quality |
| min, max, first, last | of the usable samples, null when there is none |
| min_ns, max_ns, first_ns, last_ns | when that was; of equal extremes the earliest |
| sum | of the usable samples, null when there is none |
| stepped, sloped | value × seconds from begin_ns to end_ns where it is known; null as sum |
| known_ns | how much of that time the value is known |
"""

SECOND = 1_000_000_000
LEVELS_NS = (SECOND, 60 * SECOND, 600 * SECOND, 3600 * SECOND)
"""Lengths of the intervals that stores keep roll-ups of; they begin at whole multiples."""

VALUES = (
    *("min", "min_ns", "max", "max_ns", "first", "first_ns", "last", "last_ns"),
    *("sum", "stepped", "sloped"),
)
"""Columns that are null where no sample is usable."""
GAP = ("begin_ns", "end_ns", "last", "last_ns")
"""What the stretch from one summary to the next is known by."""
NEEDS: Mapping[str, tuple[str, ...]] = {
    "min_ns": ("min",),
    "max_ns": ("max",),
    "stepped": GAP,
    "sloped": (*GAP, "first", "first_ns"),
    "known_ns": GAP,
}
"""Columns that are needed to merge a column, besides itself, `begin_ns` and `usable`."""


def summarize(batch: Batch, edges_ns: Ints, *, columns: Sequence[str] = ()) -> pa.Table:
    """Samples, sorted by point and time, summed up per interval `[edges[i], edges[i + 1])`.

    The points stand in the order of the batch's dictionary. `columns` asks for these only.
    """
    samples = Samples(batch.index, batch.time_ns, batch.number, batch.has_number, batch.quality)
    sums = sum_up(samples, edges_ns, needed(columns))
    return table_of(sums, batch.arrow.column(0).dictionary, columns)


def merge(table: pa.Table, edges_ns: Ints, *, columns: Sequence[str] = ()) -> pa.Table:
    """Summaries, sorted by point and begin_ns, merged per interval of wider edges.

    No two rows of a point may interleave: `end_ns` of one is before `begin_ns` of the next.
    Of the `columns` asked for (all when empty) the table has those that `needed` names.
    """
    wanted = needed(columns)
    sums, points = sums_of(table, wanted)
    return table_of(merge_sums(sums, edges_ns, wanted), points, columns)


def needed(columns: Sequence[str]) -> tuple[str, ...]:
    """Which columns of summaries it takes to merge these (all when empty), in their order."""
    if not columns:
        return tuple(SUMMARY_SCHEMA.names)
    wanted = {"point", "time_ns", "begin_ns", "usable", *columns}
    for column in columns:
        wanted.update(NEEDS.get(column, ()))
    return tuple(n for n in SUMMARY_SCHEMA.names if n in wanted)


# ---- from and to NumPy columns


def table_of(sums: Sums, points: pa.Array, columns: Sequence[str] = ()) -> pa.Table:
    """Point, time_ns and the columns asked for (all when empty), in the order of the schema."""
    wanted = {"point", "time_ns", *columns} if columns else set(SUMMARY_SCHEMA.names)
    schema = pa.schema([f for f in SUMMARY_SCHEMA if f.name in wanted])
    empty = sums["usable"] == 0
    mask = empty if empty.any() else None
    point = pa.DictionaryArray.from_arrays(pa.array(sums["place"].astype(np.int32)), points)
    arrays = [point]
    for field in list(schema)[1:]:
        array = pa.array(
            np.ascontiguousarray(sums[field.name]),
            field.type,
            mask=mask if field.name in VALUES else None,
        )
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=schema)


def sums_of(table: pa.Table, columns: Sequence[str]) -> tuple[Sums, pa.Array]:
    """The columns of a table of summaries, and the points that `place` counts in."""
    point = table.column("point").unify_dictionaries().combine_chunks()
    if isinstance(point, pa.ChunkedArray):
        point = point.chunk(0) if point.num_chunks else pa.array([], point.type)
    sums: Sums = {"place": point.indices.to_numpy()}
    for name in columns:
        if name != "point":
            column = table.column(name)
            if column.null_count:
                column = column.fill_null(0)
            sums[name] = column.to_numpy()
    return sums, point.dictionary
