"""Summaries that ClickHouse makes itself: intervals of one length, and sums without areas."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lineshaft.core.batch import Ints
from lineshaft.core.summary import SUMMARY_SCHEMA
from lineshaft.stores.clickhouse.tables import BAD, INT64_MAX

_GOOD = f"(ifNull(NOT isNaN(number), 0) AND quality < {BAD})"
COLUMNS = {
    "count": "toInt64(count())",
    "usable": f"toInt64(countIf({_GOOD}))",
    "quality": "max(quality)",
    "begin_ns": "min(time_ns)",
    "end_ns": "max(time_ns)",
    "min": f"minIf(number, {_GOOD})",
    "max": f"maxIf(number, {_GOOD})",
    "first": f"argMinIf(number, time_ns, {_GOOD})",
    "last": f"argMaxIf(number, time_ns, {_GOOD})",
    "first_ns": f"if(countIf({_GOOD}) = 0, NULL, minIf(time_ns, {_GOOD}))",
    "last_ns": f"if(countIf({_GOOD}) = 0, NULL, maxIf(time_ns, {_GOOD}))",
    "sum": f"if(countIf({_GOOD}) = 0, NULL, sumIf(number, {_GOOD}))",
}
"""What is computed for each column of summaries; areas need the samples one after another."""


def width_of(edges: Ints, columns: Sequence[str]) -> int:
    """Length of the intervals when ClickHouse can make these columns of them, else 0.

    The last interval may be shorter.
    """
    if not columns or not set(columns) <= COLUMNS.keys() | {"point", "time_ns"}:
        return 0
    first, last = int(edges[0]), int(edges[-1])
    if last - first > INT64_MAX:
        return 0
    widths = np.diff(edges)
    width = int(widths[0])
    return width if (widths[:-1] == width).all() and widths[-1] <= width else 0


def query(samples: str, where: str, edges: Ints, width: int, columns: Sequence[str]) -> str:
    """The SELECT, without its settings."""
    start = int(edges[0])
    made = [
        f"{COLUMNS[n]} AS `_{n}`" for n in SUMMARY_SCHEMA.names if n in set(columns) & set(COLUMNS)
    ]
    begins = f"({start}) + intDiv(time_ns - ({start}), {width}) * {width}"
    return (
        f"SELECT point, {begins} AS _begins, {', '.join(made) or '1'} FROM {samples} FINAL"
        f" WHERE {where} GROUP BY point, _begins ORDER BY point, _begins"
    )


def table_of(found: pa.Table, points: list[str], columns: Sequence[str]) -> pa.Table:
    """The answer in the shape of summaries, in the order of the points asked for."""
    wanted = pa.array(points, pa.string())
    index = pc.index_in(found.column("point").cast(pa.string()), wanted).combine_chunks()
    point = pa.DictionaryArray.from_arrays(index, wanted)
    schema = pa.schema([f for f in SUMMARY_SCHEMA if f.name in {"point", "time_ns", *columns}])
    arrays = [point]
    for field in list(schema)[1:]:
        name = "_begins" if field.name == "time_ns" else f"_{field.name}"
        arrays.append(found.column(name).cast(field.type).combine_chunks())
    table = pa.Table.from_arrays(arrays, schema=schema)
    order = np.argsort(index.to_numpy(), kind="stable")
    return table if (np.diff(order) > 0).all() else table.take(pa.array(order))
