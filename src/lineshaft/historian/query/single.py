"""Single values of each point: the newest, and those at given times."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lineshaft.core.batch import BAD, Batch, Codes, Floats, Ints, Mask
from lineshaft.core.point import Point
from lineshaft.core.quality import SEVERITY_MASK, Quality
from lineshaft.historian.query import At, Last
from lineshaft.historian.query.answers import LONG, TIME
from lineshaft.historian.query.filters import Sieve
from lineshaft.historian.query.parts import split
from lineshaft.historian.query.plan import HELD, Plan
from lineshaft.historian.query.wide import column_of, schema_of
from lineshaft.stores import Store
from lineshaft.web import times

INTERPOLATED = np.uint32(0x0000_0402)
"""Info bits of a DataValue: not a stored sample, but made from its neighbours."""
SUB_NORMAL = np.uint32(0x40A4_0000)
"""UncertainDataSubNormal: made from neighbours between which something is bad or missing."""
NO_DATA = np.uint32(Quality.BAD_NO_DATA)
HELD_MAX = 500_000
"""Samples that are held at a time."""
SINGLY_ROWS = 20_000
"""Reading so many takes as long as asking for the neighbours of one time."""


async def last(store: Store, plan: Plan, sieve: Sieve) -> AsyncGenerator[Batch]:
    """The newest sample of each point, or the newest that is usable, if it fits."""
    assert isinstance(plan.query.do, Last)  # noqa: S101 - the caller's match
    before, usable = plan.query.do.before, plan.query.filter.quality == "usable"
    if not before and not usable:
        found = await store.last(plan.paths)
    else:
        stop_ns = plan.stop_ns if before else times.TIME_NS_MAX
        found = await store.before(plan.paths, stop_ns, usable=usable)
    yield sieve.keep(found)


# ---- at given times


class Values(NamedTuple):
    """What a point had at each time; arrays of equal length."""

    number: pa.Array
    text: pa.Array
    quality: Codes


async def at(store: Store, plan: Plan, sieve: Sieve) -> AsyncGenerator[pa.RecordBatch]:
    """The value of each point at each time that was asked for."""
    assert isinstance(plan.query.do, At)  # noqa: S101 - the caller's match
    asked = np.array([times.time_ns(t) for t in plan.query.do.times], dtype=np.int64)
    wanted, row = np.unique(asked, return_inverse=True)
    parts: list[list[Values]] = [[] for _ in plan.points]
    async for begin, stop in _groups(store, plan.paths, wanted):
        batch = await _around(store, plan.paths, wanted[begin:stop])
        found = await asyncio.to_thread(_all, plan, sieve, batch, wanted[begin:stop])
        for place, values in enumerate(found):
            parts[place].append(values)
    joined = [_joined(p, row) for p in parts]
    made = _wide(plan, asked, joined) if plan.wide else _long(plan, asked, joined)
    yield made


async def _groups(
    store: Store, paths: Sequence[str], wanted: Ints
) -> AsyncGenerator[tuple[int, int]]:
    """Neighbouring times with few enough samples between them, in their order."""
    waiting = [(0, len(wanted))]
    while waiting:
        begin, stop = waiting.pop()
        count = 0
        if stop - begin > 1:
            count = await store.count(paths, int(wanted[begin]), int(wanted[stop - 1]) + 1)
        if count > min(HELD_MAX, SINGLY_ROWS * (stop - begin)):
            middle = (begin + stop) // 2
            waiting += [(middle, stop), (begin, middle)]
        else:
            yield begin, stop


async def _around(store: Store, paths: Sequence[str], wanted: Ints) -> Batch:
    """The samples between the times, and of each point the nearest outside."""
    start_ns, stop_ns = int(wanted[0]), int(wanted[-1]) + 1
    parts = [
        await store.before(paths, start_ns),
        await store.before(paths, start_ns, usable=True),
        await store.read(paths, start_ns, stop_ns),
        await store.after(paths, stop_ns),
        await store.after(paths, stop_ns, usable=True),
    ]
    return Batch.concat(parts)


def _all(plan: Plan, sieve: Sieve, batch: Batch, wanted: Ints) -> list[Values]:
    assert isinstance(plan.query.do, At)  # noqa: S101 - the caller's match
    place = {p: i for i, p in enumerate(plan.paths)}
    order = np.array([place[p] for p in batch.points], dtype=np.int64)[batch.index]
    sorted_rows = np.lexsort((batch.time_ns, order))
    batch = batch.take(sorted_rows)
    found = []
    for point, part in zip(plan.points, split(batch, plan.paths), strict=True):
        _, once = np.unique(part.time_ns, return_index=True)
        stepped = point.kind in HELD if plan.query.do.stepped is None else plan.query.do.stepped
        values = values_at(part.take(once), wanted, stepped=stepped)
        found.append(values if sieve.open else _sifted(values, wanted, sieve))
    return found


def _sifted(values: Values, wanted: Ints, sieve: Sieve) -> Values:
    """The values that fit, which is the same whatever else is asked for; none for the others."""
    index = np.zeros(len(wanted), dtype=np.int32)
    number, text, quality = values
    fits = sieve.fits(Batch.of([""], index, wanted, number=number, text=text, quality=quality))
    keep = pa.array(fits)
    return Values(
        pc.if_else(keep, number, pa.scalar(None, number.type)),
        pc.if_else(keep, text, pa.scalar(None, text.type)),
        np.where(fits, quality, np.maximum(quality, NO_DATA)).astype(np.uint32),
    )


def values_at(rows: Batch, wanted: Ints, *, stepped: bool) -> Values:
    """The values of one point; `rows` are sorted, each time once."""
    n = len(rows)
    if not n:
        nothing = np.full(len(wanted), NO_DATA, dtype=np.uint32)
        size = len(wanted)
        return Values(pa.nulls(size, pa.float64()), pa.nulls(size, pa.string()), nothing)
    time_ns, quality = rows.time_ns, rows.quality
    good = ((quality & BAD) == 0) & (rows.has_number | rows.has_text)
    here = np.searchsorted(time_ns, wanted, side="right") - 1
    number = np.arange(n)
    previous = np.maximum.accumulate(np.where(good, number, -1))
    following = np.minimum.accumulate(np.where(good, number, n)[::-1])[::-1]
    left = np.where(here >= 0, previous[np.maximum(here, 0)], -1)
    right = np.where(here + 1 < n, following[np.minimum(here + 1, n - 1)], n)
    exact = (here >= 0) & (time_ns[np.maximum(here, 0)] == wanted)
    source = np.where(exact, here, left)
    # A hole beside it, or nothing after it, leaves doubt; so does a neighbour that is in doubt.
    doubt = (left != here) | (here + 1 >= n) | _uncertain(quality, left)
    value = rows.number[np.maximum(source, 0)]
    if not stepped:
        sloped = ~exact & (left >= 0) & (right < n) & rows.has_number[np.minimum(right, n - 1)]
        sloped &= rows.has_number[np.maximum(left, 0)]
        value = np.where(sloped, _between(rows, left, right, wanted), value)
        doubt |= ~sloped | (right != here + 1) | _uncertain(quality, np.minimum(right, n - 1))
    made = np.where(doubt, SUB_NORMAL | INTERPOLATED, INTERPOLATED)
    codes = np.where(exact, quality[np.maximum(here, 0)], np.where(left < 0, NO_DATA, made))
    absent = source < 0
    numbers = pa.array(value, mask=absent | ~rows.has_number[np.maximum(source, 0)])
    texts = rows.text.take(pa.array(source, mask=absent))
    return Values(numbers, texts, codes.astype(np.uint32))


def _uncertain(quality: Codes, places: Ints) -> Mask:
    found: Mask = (quality[np.maximum(places, 0)] & np.uint32(SEVERITY_MASK)) != 0
    return found


def _between(rows: Batch, left: Ints, right: Ints, wanted: Ints) -> Floats:
    """The value on the straight line from one sample to another."""
    n = len(rows)
    a, b = np.maximum(left, 0), np.minimum(right, n - 1)
    span = np.maximum(rows.time_ns[b] - rows.time_ns[a], 1)
    part = (wanted - rows.time_ns[a]) / span
    with np.errstate(invalid="ignore", over="ignore"):  # from infinity there is no line
        found: Floats = rows.number[a] + (rows.number[b] - rows.number[a]) * part
    return found


def _joined(parts: Sequence[Values], row: Ints) -> Values:
    """The values in the order in which the times were asked for."""
    rows = pa.array(row)
    return Values(
        pa.concat_arrays([p.number for p in parts]).take(rows),
        pa.concat_arrays([p.text for p in parts]).take(rows),
        np.concatenate([p.quality for p in parts])[row],
    )


def _long(plan: Plan, asked: Ints, found: Sequence[Values]) -> pa.RecordBatch:
    index = np.repeat(np.arange(len(plan.points), dtype=np.int32), len(asked))
    columns = [
        pa.DictionaryArray.from_arrays(pa.array(index), pa.array(plan.paths, pa.string())),
        pa.array(np.tile(asked, len(plan.points))).cast(TIME),
        pa.concat_arrays([v.number for v in found]),
        pa.concat_arrays([v.text for v in found]),
        pa.array(np.concatenate([v.quality for v in found])),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=LONG)


def _wide(plan: Plan, asked: Ints, found: Sequence[Values]) -> pa.RecordBatch:
    columns = [pa.array(asked).cast(TIME)]
    for point, values in zip(plan.points, found, strict=True):
        columns.append(_column(point, values))
        if plan.query.qualities:
            columns.append(pa.array(values.quality))
    schema = schema_of(plan.points, qualities=plan.query.qualities)
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _column(point: Point, values: Values) -> pa.Array:
    bad = pa.array((values.quality & BAD) != 0)
    value = column_of(point, values.number, values.text)
    return pc.if_else(bad, pa.scalar(None, value.type), value)
