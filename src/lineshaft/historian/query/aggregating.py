"""Aggregates of many points over the intervals of a span, in bounded memory."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lineshaft.core.batch import Batch, Mask
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Kind, Point
from lineshaft.historian.aggregates import Function
from lineshaft.historian.aggregates.compute import compute_each
from lineshaft.historian.aggregates.series import Configuration, Rows, Series
from lineshaft.historian.calendar import Cut, intervals
from lineshaft.historian.query import Aggregate, summed
from lineshaft.historian.query.answers import BACK, TIME
from lineshaft.historian.query.charts import blanked
from lineshaft.historian.query.filters import Sieve
from lineshaft.historian.query.neighbours import neighbours
from lineshaft.historian.query.parts import by_point, places, split
from lineshaft.historian.query.plan import HELD, Plan
from lineshaft.historian.query.single import NO_DATA, values_at
from lineshaft.stores import Store

READ_MAX = 1_000_000
"""Samples that are held at a time, unless a single interval of a point has more …"""
INTERVAL_MAX = 5_000_000
"""… but no more than this."""
SUMS_MAX = 500_000
"""Summaries that are held at a time."""
DENSE_MIN = 60
"""Samples in an interval from which on summaries save time."""
AGGREGATES = pa.schema(
    [
        pa.field("point", pa.dictionary(pa.int32(), pa.string())),
        pa.field("function", pa.dictionary(pa.int32(), pa.string())),
        pa.field("start", TIME),
        pa.field("stop", TIME),
        pa.field("time", TIME),
        pa.field("value", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("quality", pa.uint32()),
    ]
)
"""One row per point, function and interval. `time` is the interval's start, or for the
ActualTime functions, Start and End when that was; `shift` comes last where there are shifts."""
BY_TIME = frozenset(
    {
        Function.INTERPOLATIVE,
        Function.TIME_AVERAGE,
        Function.TIME_AVERAGE_2,
        Function.TOTAL,
        Function.TOTAL_2,
        Function.DURATION_IN_STATE_ZERO,
        Function.DURATION_IN_STATE_NON_ZERO,
        Function.START_BOUND,
        Function.END_BOUND,
        Function.DELTA_BOUNDS,
        Function.DURATION_GOOD,
        Function.DURATION_BAD,
        Function.PERCENT_GOOD,
        Function.PERCENT_BAD,
    }
)
"""Functions to which the time between samples counts. To them a sample that does not pass the
filter is a bad one; to the others it is not there."""


class Part(NamedTuple):
    """Points and neighbouring intervals that are read together."""

    points: tuple[int, ...]
    """Their places in the question."""
    begin: int
    stop: int


class Found(NamedTuple):
    """Rows of one point."""

    place: int
    """Of the point in the question."""
    part: Part
    rows: list[Rows]
    """For each function."""
    words: Sequence[str] = ()
    """The texts that numbers stand for."""


class Reckoning:
    """Reckons the aggregates of one question."""

    def __init__(self, store: Store, plan: Plan, sieve: Sieve, cut: Cut) -> None:
        assert isinstance(plan.query.do, Aggregate)  # noqa: S101 - the caller's match
        self._store = store
        self._plan = plan
        self._sieve = sieve
        self._do = plan.query.do
        self._cut = cut

    def _configuration(self, point: Point) -> Configuration:
        do = self._do
        return Configuration(
            stepped=point.kind in HELD if do.stepped is None else do.stepped,
            treat_uncertain_as_bad=do.treat_uncertain_as_bad,
            percent_data_bad=do.percent_data_bad,
            percent_data_good=do.percent_data_good,
            sloped_extrapolation=do.sloped_extrapolation,
        )

    async def rows(self) -> AsyncGenerator[Found]:
        """By point and then time."""
        group = max(SUMS_MAX // len(self._cut.intervals), 1)
        for begin in range(0, len(self._plan.points), group):
            points = tuple(range(begin, min(begin + group, len(self._plan.points))))
            told = await self._from_summaries(points)
            for known, run in groupby(points, told.__contains__):
                if known:
                    for place in run:
                        yield Found(place, Part((place,), 0, len(self._cut.intervals)), told[place])
                    continue
                async with aclosing(self._from_samples(tuple(run))) as found:
                    async for one in found:
                        yield one

    async def _from_samples(self, points: tuple[int, ...]) -> AsyncGenerator[Found]:
        async for part in self._parts(points):
            for place, series, words in await self._read(part):
                rows = await asyncio.to_thread(self._reckoned, place, series, part)
                yield Found(place, part, rows, words)

    async def _from_summaries(self, points: tuple[int, ...]) -> dict[int, list[Rows]]:
        """The rows of those points that summaries tell all of, where that saves reading."""
        spans = self._cut.intervals
        edges = summed.edges_of(spans)
        told = summed.TOLD.issuperset(self._do.functions)
        # A line that runs on beyond the newest sample needs to know the one before it.
        if edges is None or not told or not self._sieve.open or self._do.sloped_extrapolation:
            return {}
        paths = [self._plan.paths[p] for p in points]
        span = int(spans[0, 0]), int(spans[-1, 1])
        if await self._store.count(paths, *span) < len(paths) * len(spans) * DENSE_MIN:
            return {}
        table = await self._store.summaries(paths, edges, columns=summed.COLUMNS)
        around = await neighbours(self._store, paths, span, self._do)
        return await asyncio.to_thread(self._told, points, table, Batch.concat(around))

    def _told(self, points: Sequence[int], table: pa.Table, around: Batch) -> dict[int, list[Rows]]:
        paths = [self._plan.paths[p] for p in points]
        place = np.array(places(around, paths), dtype=np.int64)[around.index]
        around = around.take(np.argsort(place, kind="stable"))
        tables = by_point(table)
        found: dict[int, list[Rows]] = {}
        for number, near in zip(points, split(around, paths), strict=True):
            point = self._plan.points[number]
            if point.path in tables and point.kind not in (Kind.TEXT, Kind.JSON):
                rows = summed.reckoned(
                    self._do.functions,
                    tables[point.path],
                    near,
                    (self._cut.intervals, self._cut.partial),
                    self._configuration(point),
                )
                if rows is not None:
                    found[number] = rows
        return found

    async def _parts(self, points: tuple[int, ...]) -> AsyncGenerator[Part]:
        """The question cut into what can be held, in the order of the answer."""
        spans = self._cut.intervals
        waiting = [Part(points, 0, len(spans))]
        while waiting:
            part = waiting.pop()
            paths = [self._plan.paths[p] for p in part.points]
            start_ns, stop_ns = int(spans[part.begin, 0]), int(spans[part.stop - 1, 1])
            count = await self._store.count(paths, start_ns, stop_ns)
            if count <= READ_MAX or (len(paths) == 1 and part.stop - part.begin == 1):
                if count > INTERVAL_MAX:
                    raise Invalid(
                        f"an interval of {paths[0]} holds {count} samples, and the limit is"
                        f" {INTERVAL_MAX}",
                        remedy="Ask for shorter intervals.",
                    )
                yield part
            elif len(paths) > 1:
                half = len(paths) // 2
                waiting += [
                    part._replace(points=part.points[half:]),
                    part._replace(points=part.points[:half]),
                ]
            else:
                half = (part.begin + part.stop) // 2
                waiting += [part._replace(begin=half), part._replace(stop=half)]

    async def _read(self, part: Part) -> Iterator[tuple[int, tuple[Series, Series], list[str]]]:
        """The samples of each point, as the functions by time and the others see them."""
        paths = [self._plan.paths[p] for p in part.points]
        spans = self._cut.intervals
        start_ns, stop_ns = int(spans[part.begin, 0]), int(spans[part.stop - 1, 1])
        around = await neighbours(self._store, paths, (start_ns, stop_ns), self._do)
        inside = await self._store.read(paths, start_ns, stop_ns)
        return await asyncio.to_thread(self._series, part, paths, [*around, inside])

    def _series(
        self, part: Part, paths: Sequence[str], batches: Sequence[Batch]
    ) -> Iterator[tuple[int, tuple[Series, Series], list[str]]]:
        batch = Batch.concat(batches)
        place = np.array(places(batch, paths), dtype=np.int64)[batch.index]
        batch = batch.take(np.lexsort((batch.time_ns, place)))
        found = []
        for place_, one in zip(part.points, split(batch, paths), strict=True):
            words: list[str] = []
            kind = self._plan.points[place_].kind
            texts = kind in (Kind.TEXT, Kind.JSON) and bool(one.has_text.any())
            by_time = _series(self._blanked(one, place_), words, texts=texts)
            others = by_time
            if not self._sieve.open:
                others = _series(self._sieve.keep(one), words, texts=texts)
            found.append((place_, (by_time, others), words))
        return iter(found)

    def _blanked(self, rows: Batch, place: int) -> Batch:
        """The samples as functions by time see them: the value is known while the filter holds.

        Where a condition on another point begins to hold, the value that the point has then is
        put in; where it ceases to, the value of a nanosecond earlier, and then a missing one.
        """
        edges, holds = self._sieve.edges()
        if not len(edges) or not len(rows):
            return blanked(rows, self._sieve)
        _, once = np.unique(rows.time_ns, return_index=True)
        rows = rows.take(once)
        times = np.concatenate([edges[holds], edges[~holds] - 1, edges[~holds]])
        known = np.repeat([True, False], [len(edges), int((~holds).sum())])
        new = ~np.isin(times, rows.time_ns)
        times, known = times[new], known[new]
        stepped = self._configuration(self._plan.points[place]).stepped
        put = values_at(rows, times, stepped=stepped)
        gone = pa.array(~known)
        turns = Batch.of(
            [self._plan.paths[place]],
            np.zeros(len(times), dtype=np.int32),
            times,
            number=pc.if_else(gone, pa.scalar(None, pa.float64()), put.number),
            text=pc.if_else(gone, pa.scalar(None, pa.string()), put.text),
            # Info bits tell that it was not stored, which is of no matter here.
            quality=np.where(known, put.quality & np.uint32(0xFFFF_0000), NO_DATA),
        )
        both = Batch.concat([blanked(rows, self._sieve), turns])
        return both.take(np.argsort(both.time_ns, kind="stable"))

    def _reckoned(self, place: int, series: tuple[Series, Series], part: Part) -> list[Rows]:
        spans = self._cut.intervals[part.begin : part.stop]
        partial = self._cut.partial[part.begin : part.stop]
        configuration = self._configuration(self._plan.points[place])
        found: dict[Function, Rows] = {}
        for samples, by_time in zip(series, (True, False), strict=True):
            wanted = [f for f in self._do.functions if (f in BY_TIME) is by_time]
            if wanted:
                rows = compute_each(wanted, samples, spans, configuration, partial=partial)
                found |= dict(zip(wanted, rows, strict=True))
        return [found[f] for f in self._do.functions]


def _series(batch: Batch, words: list[str], *, texts: bool) -> Series:
    """The samples of one point; of texts the numbers of their `words`, which may grow."""
    value = batch.number
    if texts:
        coded = batch.text.dictionary_encode()
        known = {w: i for i, w in enumerate(words)}
        for word in coded.dictionary.to_pylist():
            known.setdefault(word, len(known))
        words[:] = known
        number = np.array([known[w] for w in coded.dictionary.to_pylist()], dtype=np.float64)
        has = batch.has_text
        value = np.full(len(batch), np.nan)
        value[has] = number[coded.indices.drop_null().to_numpy()]
    return Series(batch.time_ns, value, batch.quality, texts=texts)


# ---- long


async def long(reckoning: Reckoning, plan: Plan, cut: Cut) -> AsyncGenerator[pa.RecordBatch]:
    """A record batch for each point and part of the span."""
    assert isinstance(plan.query.do, Aggregate)  # noqa: S101 - the caller's match
    functions = plan.query.do.functions
    async with aclosing(reckoning.rows()) as parts:
        async for found in parts:
            path = plan.paths[found.place]
            yield await asyncio.to_thread(_long, path, functions, cut, found)


def _long(path: str, functions: Sequence[Function], cut: Cut, found: Found) -> pa.RecordBatch:
    part, rows, words = found.part, found.rows, found.words
    spans = cut.intervals[part.begin : part.stop]
    n, k = len(functions), len(spans)
    which = np.repeat(np.arange(n, dtype=np.int32), k)
    pairs = [_values(f, r, words) for f, r in zip(functions, rows, strict=True)]
    columns = [
        pa.DictionaryArray.from_arrays(pa.array(np.zeros(n * k, dtype=np.int32)), pa.array([path])),
        pa.DictionaryArray.from_arrays(pa.array(which), pa.array([f.value for f in functions])),
        pa.array(np.tile(spans[:, 0], n)).cast(TIME),
        pa.array(np.tile(spans[:, 1], n)).cast(TIME),
        pa.array(np.concatenate([r.time_ns for r in rows])).cast(TIME),
        pa.concat_arrays([v for v, _ in pairs]),
        pa.concat_arrays([t for _, t in pairs]),
        pa.array(np.concatenate([r.status for r in rows])),
    ]
    if cut.names:
        columns.append(pa.array(list(cut.names[part.begin : part.stop]) * n, pa.string()))
    return pa.RecordBatch.from_arrays(columns, schema=long_schema(cut))


def long_schema(cut: Cut) -> pa.Schema:
    """The columns of aggregates; `shift` is there where there are shifts."""
    return AGGREGATES.append(pa.field("shift", pa.string())) if cut.names else AGGREGATES


def _values(function: Function, rows: Rows, words: Sequence[str]) -> tuple[pa.Array, pa.Array]:
    """Numbers and texts of the rows."""
    none: Mask = np.isnan(rows.value)
    if words and function in BACK:
        which = pa.array(np.where(none, 0, rows.value).astype(np.int64), mask=none)
        return pa.nulls(len(none), pa.float64()), pa.array(words, pa.string()).take(which)
    return pa.array(rows.value, mask=none), pa.nulls(len(none), pa.string())


# ---- wide


def wide_schema(plan: Plan, cut: Cut) -> pa.Schema:
    """`time` (of the start), `stop`, and a column for each point and function."""
    assert isinstance(plan.query.do, Aggregate)  # noqa: S101 - the caller's match
    fields = [pa.field("time", TIME), pa.field("stop", TIME)]
    functions = plan.query.do.functions
    for point in plan.points:
        for function in functions:
            text = point.kind in (Kind.TEXT, Kind.JSON) and function in BACK
            name = _name(point, function, functions)
            fields.append(pa.field(name, pa.string() if text else pa.float64()))
            if plan.query.qualities:
                fields.append(pa.field(f"{name} quality", pa.uint32()))
    if cut.names:
        fields.append(pa.field("shift", pa.string()))
    return pa.schema(fields)


def kinds_of(plan: Plan) -> dict[str, Kind]:
    """By path, or by column where each point has some, those that hold values of the point."""
    if not plan.wide:
        return {p.path: p.kind for p in plan.points}
    assert isinstance(plan.query.do, Aggregate)  # noqa: S101 - the caller's match
    functions = plan.query.do.functions
    return {
        _name(point, f, functions): point.kind
        for point in plan.points
        for f in functions
        if f in BACK
    }


def _name(point: Point, function: Function, functions: Sequence[Function]) -> str:
    return point.path if len(functions) == 1 else f"{point.path} {function.value}"


async def wide(reckoning: Reckoning, plan: Plan, cut: Cut) -> AsyncGenerator[pa.RecordBatch]:
    """All rows at once, one per interval; the limit on cells bounds them."""
    assert isinstance(plan.query.do, Aggregate)  # noqa: S101 - the caller's match
    functions, schema = plan.query.do.functions, wide_schema(plan, cut)
    parts: dict[int, list[tuple[list[Rows], Sequence[str]]]] = {}
    async with aclosing(reckoning.rows()) as every:
        async for found in every:
            parts.setdefault(found.place, []).append((found.rows, found.words))
    columns = [pa.array(cut.intervals[:, edge]).cast(TIME) for edge in (0, 1)]
    for place, point in enumerate(plan.points):
        for number, function in enumerate(functions):
            text = point.kind in (Kind.TEXT, Kind.JSON) and function in BACK
            pairs = [_values(function, rows[number], words) for rows, words in parts[place]]
            columns.append(pa.concat_arrays([p[text] for p in pairs]))
            if plan.query.qualities:
                status = [rows[number].status for rows, _ in parts[place]]
                columns.append(pa.array(np.concatenate(status)))
    if cut.names:
        columns.append(pa.array(cut.names, pa.string()))
    yield pa.RecordBatch.from_arrays(columns, schema=schema)


async def cut_of(plan: Plan, intervals_max: int) -> Cut:
    """The intervals of the question."""
    assert isinstance(plan.query.do, Aggregate)  # noqa: S101 - the caller's match
    interval = plan.query.do.interval
    return await asyncio.to_thread(
        intervals, plan.start_ns, plan.stop_ns, interval, intervals_max=max(intervals_max, 1)
    )
