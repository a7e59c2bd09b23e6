"""Summaries of samples: parts that add up, so that a roll-up of roll-ups is exact.

One row sums up the samples of one point in one interval. Two rows whose samples do not
interleave merge into one without looking at the samples again: `merge(summarize(a),
summarize(b))` is `summarize(a + b)`, to the rounding of float64.

A sample is usable when it has a number that is not NaN and its quality is not bad. From a usable
sample to the next sample of any quality the value is known: held (`stepped`), or on the straight
line to the next if that is usable too, else held (`sloped`).
"""

import pyarrow as pa

from lineshaft.core.batch import Batch, Ints

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
| sum | of the usable samples |
| stepped, sloped | area from begin_ns to end_ns where the value is known, value × seconds |
| known_ns | how much of that time the value is known |
"""

SECOND = 1_000_000_000
LEVELS_NS = (SECOND, 60 * SECOND, 600 * SECOND, 3600 * SECOND)
"""Lengths of the intervals that stores keep roll-ups of; they begin at whole multiples."""


def summarize(batch: Batch, edges_ns: Ints) -> pa.Table:
    """Samples, sorted by point and time, summed up per interval `[edges[i], edges[i + 1])`.

    The points stand in the order of the batch's dictionary.
    """
    raise NotImplementedError


def merge(table: pa.Table, edges_ns: Ints) -> pa.Table:
    """Summaries, sorted by point and begin_ns, merged per interval of wider edges.

    No two rows of a point may interleave: `end_ns` of one is before `begin_ns` of the next.
    """
    raise NotImplementedError
