"""What a question gives: record batches of one schema, one after the other, in bounded memory."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from lineshaft.core.batch import Batch
from lineshaft.core.point import Kind, Point
from lineshaft.historian.aggregates import Function
from lineshaft.historian.query import Cost

TIME = pa.timestamp("ns", tz="UTC")
LONG = pa.schema(
    [
        pa.field("point", pa.dictionary(pa.int32(), pa.string())),
        pa.field("time", TIME),
        pa.field("value", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("quality", pa.uint32()),
    ]
)
"""Samples as people expect them."""

BACK = frozenset(
    {Function.INTERPOLATIVE, Function.START, Function.END, Function.START_BOUND, Function.END_BOUND}
)
"""Functions that give back values of the point, so texts of a text."""


@dataclass
class Answer:
    """An answer on its way."""

    schema: pa.Schema
    kinds: dict[str, Kind]
    """What the values of each point are, by path."""
    start_ns: int
    stop_ns: int
    cost: Cost
    batches: AsyncGenerator[pa.RecordBatch] = field(init=False)
    """To be read once."""
    cursor: str = ""
    """Once all batches are read: how to ask for the next page; empty when there is none."""

    async def table(self) -> pa.Table:
        """All of it at once."""
        parts = [b async for b in self.batches]
        return pa.Table.from_batches(parts, schema=self.schema).unify_dictionaries()


def long_rows(batch: Batch) -> pa.RecordBatch:
    """The batch with the columns `point, time, value, text, quality`."""
    arrow = batch.arrow
    columns = [arrow.column(0), arrow.column(1).cast(TIME)]
    columns += [arrow.column(2), arrow.column(3), arrow.column(4)]
    return pa.RecordBatch.from_arrays(columns, schema=LONG)


def kinds_of(points: Sequence[Point]) -> dict[str, Kind]:
    """What the values of each point are."""
    return {p.path: p.kind for p in points}
