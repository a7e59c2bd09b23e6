"""Charts: each point as a curve of few samples, from roll-ups where it has many."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lineshaft.core.batch import Batch, Ints
from lineshaft.core.clock import NS_PER_MS, NS_PER_S, to_iso
from lineshaft.core.point import Kind, Point
from lineshaft.core.summary import merge, summarize
from lineshaft.historian.last import bare_value
from lineshaft.historian.query import Chart, Curve, Curves, lines
from lineshaft.historian.query.answers import LONG, TIME
from lineshaft.historian.query.filters import Sieve
from lineshaft.historian.query.lines import Columns, Rows, Spacing
from lineshaft.historian.query.plan import Plan, places
from lineshaft.stores import Store

SHAPED_MAX = 200_000
"""Samples of a point from which a shape is chosen; of more, from the extremes of columns."""
SHAPED_TIMES = 4
"""So many extremes are looked at for each sample of the shape then."""
_TIDY_S = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30)
_TIDY = [
    *(NS_PER_MS * 10**k * n for k in range(3) for n in (1, 2, 3, 4, 5, 6, 8)),
    *(NS_PER_S * n for n in _TIDY_S),
    *(NS_PER_S * 60 * n for n in _TIDY_S),
    *(NS_PER_S * 3600 * n for n in (1, 2, 3, 4, 6, 8, 12, 24)),
]
"""Lengths of columns that people can read off an axis and that roll-ups have, in ns."""


@dataclass(frozen=True, slots=True)
class Line:
    """One point of a chart."""

    point: Point
    form: Literal["raw", "minmax", "lttb"]
    rows: Rows
    count: int
    column_ns: int = 0
    usual_ns: float = np.nan
    texts: tuple[str | None, ...] = ()
    """Of each row; empty when no row has one."""
    truncated: bool = False


def column_ns(span_ns: int, columns_max: int) -> int:
    """Length of columns: the tidiest with which the span has at most `columns_max` of them.

    One is set aside, since columns begin at whole multiples of their length.
    """
    least = -(-span_ns // max(columns_max - 1, 1))
    tidy = next((t for t in _TIDY if t >= least), None)
    if tidy is not None:
        return int(tidy)
    day = 86_400 * NS_PER_S
    return -(-least // day) * day


def edges_ns(start_ns: int, stop_ns: int, length: int) -> Ints:
    """Start, the whole multiples of the length between, and stop."""
    inside = np.arange(start_ns // length + 1, -(-stop_ns // length), dtype=np.int64) * length
    return np.concatenate([[start_ns], inside, [stop_ns]]).astype(np.int64)


class Drawing:
    """Draws the curves of one question."""

    def __init__(self, store: Store, plan: Plan, sieve: Sieve) -> None:
        assert isinstance(plan.query.do, Chart)  # noqa: S101 - the caller's match
        self._store = store
        self._plan = plan
        self._sieve = sieve
        self._do = plan.query.do
        self._room = self._do.samples_max - (2 if self._do.bounds else 0)
        """Rows for what is inside the span."""

    async def lines(self) -> list[Line]:
        """A line for each point, in the order of the question."""
        numeric = [p for p in self._plan.points if p.kind not in (Kind.TEXT, Kind.JSON)]
        length = column_ns(self._plan.stop_ns - self._plan.start_ns, self._room // 2 - 2)
        columns = await self._columns([p.path for p in numeric], length)
        counts = {p: int(c.count.sum()) for p, c in columns.items()}
        shaped = self._do.method == "lttb"
        few_max = SHAPED_MAX if shaped else self._room
        few = [p for p in self._plan.points if counts.get(p.path, 0) <= few_max]
        found = await self._samples(few)
        many = [p for p in numeric if p.path not in found]
        if shaped and many:
            length = column_ns(
                self._plan.stop_ns - self._plan.start_ns, self._room * SHAPED_TIMES // 2
            )
            columns = await self._columns([p.path for p in many], length)
        drawn = await asyncio.to_thread(self._drawn, many, columns, length)
        found |= drawn
        if self._do.bounds:
            await self._add_bounds(found)
        return [found[p.path] for p in self._plan.points]

    # ---- many samples

    async def _columns(self, paths: Sequence[str], length: int) -> dict[str, Columns]:
        """The columns of each point that has samples."""
        if not paths:
            return {}
        edges = edges_ns(self._plan.start_ns, self._plan.stop_ns, length)
        if self._sieve.open:
            table = await self._store.summaries(paths, edges, columns=lines.NEEDED)
        else:
            table = await self._sifted(paths, edges)
        return await asyncio.to_thread(_by_point, table)

    async def _sifted(self, paths: Sequence[str], edges: Ints) -> pa.Table:
        """Summaries in which samples that do not fit have no value."""
        parts: list[pa.Table] = []
        scanned = self._store.scan(paths, self._plan.start_ns, self._plan.stop_ns)
        async with aclosing(scanned) as batches:
            async for batch in batches:
                part = await asyncio.to_thread(self._summed, batch, edges)
                parts.append(part)
        if not parts:
            parts.append(summarize(Batch.empty(), edges))
        whole = pa.concat_tables(parts).unify_dictionaries().combine_chunks()
        return await asyncio.to_thread(merge, whole, edges)

    def _summed(self, batch: Batch, edges: Ints) -> pa.Table:
        return summarize(blanked(batch, self._sieve), edges)

    def _drawn(
        self, points: Sequence[Point], columns: dict[str, Columns], length: int
    ) -> dict[str, Line]:
        return {p.path: self._line(p, columns[p.path], length) for p in points}

    def _line(self, point: Point, columns: Columns, length: int) -> Line:
        spacing = lines.spacing_of_columns(columns)
        gap = lines.gap_ns(spacing, point.kind, self._do.gap_s)
        count = int(columns.count.sum())
        if self._do.method == "lttb":
            rows = lines.line_of_columns(columns, length, spacing, gap)
            shape = lines.shape_of(rows, self._room)
            if shape is not None:
                return Line(point, "lttb", shape, count, length, spacing.usual_ns)
        while True:
            rows = lines.line_of_columns(columns, length, spacing, gap)
            if len(rows) <= self._room:
                return Line(point, "minmax", rows, count, length, spacing.usual_ns)
            # So many breaks: wider columns have fewer.
            edges = edges_ns(self._plan.start_ns, self._plan.stop_ns, length)
            columns, length = lines.coarser(columns, edges), length * 2

    # ---- few samples

    async def _samples(self, points: Sequence[Point]) -> dict[str, Line]:
        """The lines of points that have few samples; those with too many are left out."""
        if not points:
            return {}
        shaped = self._do.method == "lttb"
        paths = [p.path for p in points]
        limit = (SHAPED_MAX if shaped else self._room) + 1
        found: dict[str, Line] = {}
        # A shape takes many samples of a point: one point at a time keeps the memory bounded.
        for group in [[p] for p in paths] if shaped else [paths]:
            batch = await self._store.read(
                group, self._plan.start_ns, self._plan.stop_ns, limit=limit
            )
            known = [p for p in points if p.path in group]
            found |= await asyncio.to_thread(self._from_samples, batch, known, limit)
        return found

    def _from_samples(self, batch: Batch, points: Sequence[Point], limit: int) -> dict[str, Line]:
        batch = blanked(batch, self._sieve)
        found: dict[str, Line] = {}
        for point, part in zip(points, split(batch, [p.path for p in points]), strict=True):
            if point.kind in (Kind.TEXT, Kind.JSON) or part.has_text.any():
                found[point.path] = _texts(point, part, self._room)
            else:
                found[point.path] = self._from_few(point, part)
        return found

    def _from_few(self, point: Point, part: Batch) -> Line:
        spacing = lines.spacing_of_samples(part.time_ns)
        gap = lines.gap_ns(spacing, point.kind, self._do.gap_s)
        rows = lines.line_of_samples(part, spacing, gap)
        if len(rows) <= self._room:
            return Line(point, "raw", rows, len(part), 0, spacing.usual_ns)
        if self._do.method == "lttb":
            shape = lines.shape_of(rows, self._room)
            if shape is not None:
                return Line(point, "lttb", shape, len(part), 0, spacing.usual_ns)
        start_ns, stop_ns = self._plan.start_ns, self._plan.stop_ns
        length = column_ns(stop_ns - start_ns, self._room // 2 - 2)
        columns = _by_point(summarize(part, edges_ns(start_ns, stop_ns, length)))
        return self._line(point, columns[point.path], length)

    # ---- outside

    async def _add_bounds(self, found: dict[str, Line]) -> None:
        paths = list(found)
        before = await self._store.before(paths, self._plan.start_ns)
        after = await self._store.after(paths, self._plan.stop_ns)
        for batch, last in ((before, False), (after, True)):
            kept = blanked(batch, self._sieve)
            for path, part in zip(paths, split(kept, paths), strict=True):
                if len(part):
                    found[path] = self._with_bound(found[path], part, last=last)

    def _with_bound(self, line: Line, part: Batch, *, last: bool) -> Line:
        value = np.where(lines.usable(part), part.number, np.nan)
        own = Rows(part.time_ns, value, part.quality)
        rows = lines.joined((line.rows, own) if last else (own, line.rows))
        texts = line.texts
        if texts or part.has_text.any():
            texts = texts or (None,) * len(line.rows)
            bound = tuple(part.text.to_pylist())
            texts = (*texts, *bound) if last else (*bound, *texts)
        else:
            spacing = Spacing(line.usual_ns, line.usual_ns)
            gap = lines.gap_ns(spacing, line.point.kind, self._do.gap_s)
            gap = max(gap, line.column_ns)
            # Gaps inside are known already; extremes of columns may lie further apart.
            edge = slice(-2, None) if last else slice(2)
            rest = slice(-2) if last else slice(2, None)
            outer = lines.broken(rows.take(edge), spacing, gap)
            rows = lines.joined((rows.take(rest), outer) if last else (outer, rows.take(rest)))
        return replace(line, rows=rows, texts=texts)


def _texts(point: Point, part: Batch, most: int) -> Line:
    kept = part.slice(0, most)
    value = np.where(lines.usable(kept), kept.number, np.nan)
    rows = Rows(kept.time_ns, value, kept.quality)
    usual = lines.spacing_of_samples(kept.time_ns).usual_ns
    texts = tuple(kept.text.to_pylist())
    return Line(point, "raw", rows, len(part), 0, usual, texts, len(part) > most)


def blanked(batch: Batch, sieve: Sieve) -> Batch:
    """The batch, in which samples that do not fit are bad and have no value."""
    if sieve.open:
        return batch
    fits = sieve.fits(batch)
    if fits.all():
        return batch
    mask = pa.array(~fits)
    arrow = batch.arrow
    number = pc.if_else(mask, pa.scalar(None, pa.float64()), arrow.column(2))
    text = pc.if_else(mask, pa.scalar(None, pa.string()), arrow.column(3))
    quality = np.where(fits, batch.quality, np.maximum(batch.quality, lines.NO_DATA))
    return Batch.of(
        arrow.column(0).dictionary,
        batch.index,
        batch.time_ns,
        number=number,
        text=text,
        quality=quality,
    )


def split(batch: Batch, paths: Sequence[str]) -> list[Batch]:
    """The rows of each path; the batch is sorted by them."""
    place = np.array(places(batch, paths), dtype=np.int64)[batch.index]
    cuts = np.searchsorted(place, np.arange(len(paths) + 1))
    return [batch.slice(int(a), int(b)) for a, b in pairwise(cuts)]


def _by_point(table: pa.Table) -> dict[str, Columns]:
    table = table.unify_dictionaries().combine_chunks()
    if not table.num_rows:
        return {}
    names = table.column("point").combine_chunks()
    index = names.indices.to_numpy()
    starts = np.flatnonzero(np.append(np.True_, index[1:] != index[:-1]))
    stops = np.append(starts[1:], len(index))
    paths = names.dictionary.to_pylist()
    return {
        paths[index[a]]: lines.columns_of(table.slice(a, b - a))
        for a, b in zip(starts.tolist(), stops.tolist(), strict=True)
    }


# ---- the answer


def curves(plan: Plan, drawn: Sequence[Line]) -> Curves:
    """The answer as JSON has it."""
    return Curves(
        start=to_iso(plan.start_ns),
        stop=to_iso(plan.stop_ns),
        series=[_curve(line) for line in drawn],
    )


def _curve(line: Line) -> Curve:
    number, kind = line.rows.value, line.point.kind
    values: list[object] = pa.array(number, mask=~np.isfinite(number)).to_pylist()
    if kind in (Kind.BOOLEAN, Kind.ENUM, Kind.INTEGER):
        values = [bare_value(kind, v, None) for v in number.tolist()]
    for place, text in enumerate(line.texts):
        if text is not None:
            values[place] = bare_value(kind, 0.0, text)
    return Curve(
        point=line.point.path,
        form=line.form,
        time_ms=(line.rows.time_ns / NS_PER_MS).tolist(),
        value=values,
        quality=line.rows.quality.tolist(),
        count=line.count,
        column_ms=line.column_ns / NS_PER_MS,
        usual_ms=None if np.isnan(line.usual_ns) else line.usual_ns / NS_PER_MS,
        truncated=line.truncated,
    )


def table(drawn: Sequence[Line]) -> pa.RecordBatch:
    """The answer as rows."""
    lengths = [len(line.rows) for line in drawn]
    index = np.repeat(np.arange(len(drawn), dtype=np.int32), lengths)
    texts = [t for line in drawn for t in (line.texts or (None,) * len(line.rows))]
    value = np.concatenate([line.rows.value for line in drawn])
    columns = [
        pa.DictionaryArray.from_arrays(
            pa.array(index), pa.array([line.point.path for line in drawn], pa.string())
        ),
        pa.array(np.concatenate([line.rows.time_ns for line in drawn])).cast(TIME),
        pa.array(value, mask=np.isnan(value)),
        pa.array(texts, pa.string()),
        pa.array(np.concatenate([line.rows.quality for line in drawn])),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=LONG)
