"""Raw samples side by side: one row per time, one column per point."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lineshaft.core.batch import BAD, Batch, Ints
from lineshaft.core.point import Kind, Point
from lineshaft.historian.query.answers import TIME
from lineshaft.historian.query.filters import Sieve
from lineshaft.historian.query.parts import places
from lineshaft.historian.query.plan import Plan
from lineshaft.stores import Store

SLICE_ROWS_MAX = 200_000
"""Samples that are brought side by side at a time."""
CELLS_MAX = 2_000_000
"""Cells of one record batch."""

Rows = npt.NDArray[np.int64]


def schema_of(points: Sequence[Point], *, qualities: bool) -> pa.Schema:
    """`time`, then a column for each point, and one for its quality if wanted."""
    fields = [pa.field("time", TIME, nullable=False)]
    for point in points:
        text = point.kind in (Kind.TEXT, Kind.JSON)
        fields.append(pa.field(point.path, pa.string() if text else pa.float64()))
        if qualities:
            fields.append(pa.field(f"{point.path} quality", pa.uint32()))
    return pa.schema(fields)


async def stream(
    store: Store, plan: Plan, sieve: Sieve, start_ns: int
) -> AsyncGenerator[pa.RecordBatch]:
    """The rows from `start_ns` on, in the order of their times."""
    table = Beside(plan)
    if plan.query.join != "exact":
        before = await store.before(plan.paths, start_ns)
        table.begin(sieve.keep(before))
    async for part_start, part_stop in _slices(store, plan.paths, start_ns, plan.stop_ns):
        batch = await store.read(plan.paths, part_start, part_stop)
        parts = await asyncio.to_thread(lambda b: table.add(sieve.keep(b)), batch)
        while (made := await asyncio.to_thread(next, parts, None)) is not None:
            yield made


async def _slices(
    store: Store, paths: Sequence[str], start_ns: int, stop_ns: int
) -> AsyncGenerator[tuple[int, int]]:
    """The span cut into parts that hold few enough samples, in the order of time."""
    waiting = [(start_ns, stop_ns)]
    while waiting:
        start_ns, stop_ns = waiting.pop()
        count = await store.count(paths, start_ns, stop_ns)
        if count > SLICE_ROWS_MAX and stop_ns - start_ns > 1:
            pieces = min(-(-count // SLICE_ROWS_MAX) + 1, 64, stop_ns - start_ns)
            edges = [start_ns + (stop_ns - start_ns) * i // pieces for i in range(pieces + 1)]
            waiting += reversed(list(pairwise(edges)))
        elif count:
            yield start_ns, stop_ns


class Beside:
    """Brings samples side by side, slice after slice; remembers the last ones for `asof`."""

    def __init__(self, plan: Plan) -> None:
        query = plan.query
        self._points = plan.points
        self._paths = plan.paths
        self._filled = query.join != "exact"
        self._lead = query.join == "lead"
        self._qualities = query.qualities
        self._schema = schema_of(plan.points, qualities=query.qualities)
        self._held = Batch.empty()

    def begin(self, before: Batch) -> None:
        """Take the samples that hold when the first slice begins."""
        self._held = before

    def add(self, batch: Batch) -> Iterator[pa.RecordBatch]:
        """The rows that a slice of time makes, at most `CELLS_MAX` cells at once."""
        both = Batch.concat([self._held, batch]) if self._filled else batch
        held = len(both) - len(batch)
        place: Ints = np.array(places(both, self._paths), dtype=np.int64)[both.index]
        first = np.full(len(self._paths), -1, dtype=np.int64)
        first[place[:held]] = np.arange(held)
        times, row = np.unique(both.time_ns[held:], return_inverse=True)
        order = np.argsort(row, kind="stable")
        sorted_rows = row[order]
        step = max(CELLS_MAX // len(self._paths), 1)
        for begin in range(0, len(times), step):
            stop = min(begin + step, len(times))
            inside = order[slice(*np.searchsorted(sorted_rows, [begin, stop]))]
            cells = np.full((stop - begin, len(self._paths)), -1, dtype=np.int64)
            cells[row[inside] - begin, place[held + inside]] = held + inside
            own = cells[:, 0] >= 0
            if self._filled:
                cells = _filled(cells, first)
                first = cells[-1]
            if self._lead:
                cells = cells[own]
                yield self._made(both, times[begin:stop][own], cells)
            else:
                yield self._made(both, times[begin:stop], cells)
        if self._filled:
            self._held = both.take(first[first >= 0])

    def _made(self, rows: Batch, times: Ints, cells: Rows) -> pa.RecordBatch:
        """A record batch of the cells, each the number of a row or -1."""
        columns = [pa.array(times).cast(TIME)]
        bad = (rows.quality & BAD) != 0
        for number, point in enumerate(self._points):
            which = np.ascontiguousarray(cells[:, number])
            absent = which < 0
            known = np.where(absent, 0, which)
            hidden = absent | bad[known] if len(bad) else absent
            value = column_of(point, rows.arrow.column(2), rows.text)
            columns.append(value.take(pa.array(which, mask=hidden)))
            if self._qualities:
                columns.append(rows.arrow.column(4).take(pa.array(which, mask=absent)))
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)


def column_of(point: Point, number: pa.Array, text: pa.Array) -> pa.Array:
    """The values of a point in one column.

    Of texts, numbers among them are as they are written; of integers, those that stand in text
    since no float64 counts so far are the nearest one.
    """
    if point.kind in (Kind.TEXT, Kind.JSON):
        return pc.coalesce(text, number.cast(pa.string()))
    if point.kind is Kind.INTEGER and text.null_count < len(text):
        large = pc.if_else(pc.match_substring_regex(text, r"^-?\d{1,300}$"), text, None)
        return pc.coalesce(number, large.cast(pa.float64()))
    return number


def _filled(cells: Rows, first: Rows) -> Rows:
    """The cells, with the row above in place of those that are empty."""
    whole = np.vstack([first, cells])
    line = np.where(whole >= 0, np.arange(len(whole))[:, None], 0)
    np.maximum.accumulate(line, axis=0, out=line)
    found: Rows = np.take_along_axis(whole, line, axis=0)[1:]
    return found
