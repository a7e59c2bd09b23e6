"""Aggregates from summaries, where these tell all that the samples would.

Between good samples, most functions need only the first and the last sample of each interval and
what is known of those between: their number, sum and area. So the samples of an interval are
replaced by these two, reckoned as ever, and the number, mean or area is put right. Where a sample
is not plainly good (status code 0, a number), this is left alone.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Batch, Floats, Ints, Mask
from lineshaft.historian.aggregates import Function
from lineshaft.historian.aggregates.compute import compute_each
from lineshaft.historian.aggregates.series import Configuration, Rows, Series

COLUMNS = (
    "count",
    "usable",
    "quality",
    "first",
    "first_ns",
    "last",
    "last_ns",
    "sum",
    "stepped",
    "sloped",
)
AREAS = {
    Function.TIME_AVERAGE: Function.TOTAL,
    Function.TIME_AVERAGE_2: Function.TOTAL_2,
    Function.TOTAL: Function.TOTAL,
    Function.TOTAL_2: Function.TOTAL_2,
}
"""Functions of the area, and that which tells over how many seconds it is taken."""
STEPS = (Function.TIME_AVERAGE_2, Function.TOTAL_2)
"""Of these, what holds stepped values."""
TOLD = frozenset(
    {
        Function.AVERAGE,
        Function.COUNT,
        Function.START,
        Function.END,
        Function.DELTA,
        Function.START_BOUND,
        Function.END_BOUND,
        Function.DELTA_BOUNDS,
        Function.INTERPOLATIVE,
        Function.DURATION_GOOD,
        Function.DURATION_BAD,
        Function.PERCENT_GOOD,
        Function.PERCENT_BAD,
        Function.WORST_QUALITY,
        Function.WORST_QUALITY_2,
        *AREAS,
    }
)
"""What can be told from summaries. Not the extremes: how often they occur is not in them."""


def edges_of(spans: Ints) -> Ints | None:
    """The edges for summaries of these intervals; None when they overlap or run backwards."""
    edges: Ints = np.unique(spans)
    place = np.searchsorted(edges, spans[:, 0])
    if (spans[:, 1] <= spans[:, 0]).any() or (edges[place + 1] != spans[:, 1]).any():
        return None
    return edges


def reckoned(
    functions: Sequence[Function],
    table: pa.Table,
    around: Batch,
    cut: tuple[Ints, Mask],
    configuration: Configuration,
) -> list[Rows] | None:
    """Rows of each function of one point, from its summaries and the samples around them.

    `cut` holds the intervals and which are partial. None when the summaries do not tell all.
    """
    count, usable, quality, first, first_ns, last, last_ns, sums, stepped, sloped = (
        table.column(c).to_numpy() for c in COLUMNS
    )
    if quality.any() or (count != usable).any() or around.quality.any():
        return None
    if not around.has_number.all() or np.isnan(around.number).any():
        return None
    series = _series(
        np.concatenate([around.time_ns, first_ns, last_ns]),
        np.concatenate([around.number, first, last]),
    )
    spans, partial = cut
    found = compute_each(functions, series, spans, configuration, partial=partial)
    row = np.searchsorted(table.column("time_ns").to_numpy(), spans[:, 0])
    known = np.zeros(len(spans), dtype=np.bool_)
    inside = row < table.num_rows
    known[inside] = table.column("time_ns").to_numpy()[row[inside]] == spans[inside, 0]
    row = row[known]
    seconds = (last_ns - first_ns)[row] / 1e9
    lines = sloped[row] - (first[row] + last[row]) / 2 * seconds
    steps = stepped[row] - first[row] * seconds
    mended = []
    for function, rows in zip(functions, found, strict=True):
        value = rows.value.copy()
        if function is Function.COUNT:
            value[known] = count[row]
        elif function is Function.AVERAGE:
            value[known] = sums[row] / count[row]
        elif function in AREAS:
            # TimeAverage and Total draw lines whatever the point is; the other two draw steps.
            more = steps if configuration.stepped and function in STEPS else lines
            if function is not AREAS[function]:
                more = more / _seconds(function, series, cut, configuration)[known]
            value[known] += more
        bad = np.isnan(rows.value)
        mended.append(rows._replace(value=np.where(bad, np.nan, value)))
    return mended


def _series(time_ns: Ints, value: Floats) -> Series:
    times, once = np.unique(time_ns, return_index=True)
    return Series(times, value[once], np.zeros(len(times), dtype=np.uint32))


def _seconds(
    function: Function, series: Series, cut: tuple[Ints, Mask], configuration: Configuration
) -> Floats:
    """Over how many seconds the area of each interval is taken: the area of a constant 1."""
    ones = series._replace(value=np.ones(len(series.time_ns)))
    spans, partial = cut
    return compute_each((AREAS[function],), ones, spans, configuration, partial=partial)[0].value
