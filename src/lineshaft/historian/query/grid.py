"""Answers as a table of text, for terminals."""

from collections.abc import Iterator
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from lineshaft.core.quality import quality_name

HEAD_ROWS = 100
"""Rows whose widths decide those of the columns."""


def lines(batches: Iterator[pa.RecordBatch]) -> Iterator[str]:
    """A line for the heads, one for each row, and one with their number."""
    first = next(batches, None)
    if first is None:
        yield "no rows"
        return
    names = list(first.schema.names)
    hidden = {"text"} if _in_one(names) else set()
    shown = [n for n in names if n not in hidden]
    head = list(chain([shown], _rows(first.slice(0, HEAD_ROWS), shown)))
    widths = [max(map(len, column)) for column in zip(*head, strict=True)]
    left = [not _numeric(first.schema.field(n).type) for n in shown]
    count = 0
    yield _line(shown, widths, left)
    yield "  ".join("-" * w for w in widths)
    for batch in chain([first], batches):
        for row in _rows(batch, shown):
            yield _line(row, widths, left)
        count += batch.num_rows
    yield f"{count} rows"


def _in_one(names: list[str]) -> bool:
    """Whether number and text are one value; where time is first, they are two points."""
    return {"value", "text"} <= set(names) and names[0] != "time"


def _numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind))


def _line(cells: list[str], widths: list[int], left: list[bool]) -> str:
    padded = (
        c.ljust(w) if side else c.rjust(w) for c, w, side in zip(cells, widths, left, strict=True)
    )
    return "  ".join(padded).rstrip()


def _rows(batch: pa.RecordBatch, shown: list[str]) -> Iterator[list[str]]:
    columns = [_cells(batch, name) for name in shown]
    for cells in zip(*columns, strict=True):
        yield list(cells)


def _cells(batch: pa.RecordBatch, name: str) -> list[str]:
    column = batch.column(name)
    if pa.types.is_timestamp(column.type):
        texts = pc.strftime(column, format="%Y-%m-%dT%H:%M:%S").to_pylist()
        return ["" if t is None else f"{t.rstrip('0').rstrip('.')}Z" for t in texts]
    if name == "quality" or name.endswith(" quality"):
        return ["" if q is None else quality_name(q) for q in column.to_pylist()]
    values = column.to_pylist()
    if name == "value" and _in_one(batch.schema.names):
        texts = batch.column("text").to_pylist()
        values = [v if t is None else t for v, t in zip(values, texts, strict=True)]
    return ["" if v is None else f"{v:.10g}" if isinstance(v, float) else str(v) for v in values]
