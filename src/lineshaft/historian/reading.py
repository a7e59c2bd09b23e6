"""Curves as `GET /history` has them: single samples, or buckets of a length that one may choose."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_MS, NS_PER_S, to_iso
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Kind, Point
from lineshaft.historian.last import bare_value
from lineshaft.historian.query.charts import column_ns
from lineshaft.stores import Store

POINTS_MAX = 100
"""Points in one question for curves; downloads take any number."""
SAMPLES_MAX = 100_000
"""Samples or buckets per point in one answer."""
VALUES_MAX = 1_000_000
"""Samples or buckets in one answer, over all its points."""
_COLUMNS = ("count", "usable", "quality", "min", "max", "first", "last", "sum")
"""What a bucket needs to know of its samples."""


class Raw(msgspec.Struct, frozen=True, kw_only=True, tag_field="form", tag="raw"):
    """A curve of single samples."""

    point: str
    time_ms: list[float]
    value: list[Any]
    """Numbers, or texts; null where there is none or it is not finite."""
    quality: list[int]
    truncated: bool = False
    """Whether there are more samples in the span than given."""


class Buckets(msgspec.Struct, frozen=True, kw_only=True, tag_field="form", tag="buckets"):
    """A curve summed up; arrays have one entry per bucket that holds a sample."""

    point: str
    bucket_ms: float
    time_ms: list[float]
    """Start of each bucket."""
    min: list[float | None]
    max: list[float | None]
    avg: list[float | None]
    first: list[float | None]
    last: list[float | None]
    count: list[int]
    quality: list[int]


class Curves(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a question for curves."""

    start: str
    stop: str
    series: list[Raw | Buckets]


class Reading:
    """Reads curves and rows from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def curves(
        self,
        points: Sequence[Point],
        span: tuple[int, int],
        *,
        samples_max: int,
        form: str = "auto",
        bucket: int = 0,
    ) -> Curves:
        """One curve per point, in the order asked for.

        In form `auto` a point with more than `samples_max` samples comes in buckets. `bucket`
        is their length in ns; 0 leaves it to us.

        Raises:
            Invalid: form, number of points, samples or buckets is out of bounds.
        """
        check_curves(points, samples_max, form)
        length = bucket or column_ns(span[1] - span[0], samples_max)
        check_buckets(span, length, len(points))
        summed: dict[str, Buckets] = {}
        if form != "raw":
            numeric = [p.path for p in points if p.kind not in (Kind.TEXT, Kind.JSON)]
            summed = await self._buckets(numeric, span, length)
        # Summing up is one question whatever the span, and tells how many samples there are:
        # so raw rows are only read where there are few.
        single = [p for p in points if p.path not in summed]
        if form == "auto":
            few = {n for n, s in summed.items() if sum(s.count) <= samples_max or _is_text(s)}
            single = [p for p in points if p.path not in summed or p.path in few]
        raw = await self._raw(single, span, samples_max) if single else {}
        series = [raw.get(p.path) or summed[p.path] for p in points]
        return Curves(start=to_iso(span[0]), stop=to_iso(span[1]), series=series)

    async def _raw(
        self, points: Sequence[Point], span: tuple[int, int], samples_max: int
    ) -> dict[str, Raw]:
        """Single samples, at most `samples_max` per point, the oldest."""
        batch = await self._store.read([p.path for p in points], *span, limit=samples_max + 1)
        return await asyncio.to_thread(_raw_curves, batch, points, samples_max)

    async def _buckets(
        self, paths: Sequence[str], span: tuple[int, int], length: int
    ) -> dict[str, Buckets]:
        if not paths:
            return {}
        inside = np.arange(span[0] // length, -(-span[1] // length), dtype=np.int64) * length
        edges = np.append(inside, span[1])
        table = await self._store.summaries(paths, edges, columns=_COLUMNS)
        return await asyncio.to_thread(_bucket_curves, table, paths, length)


def check_curves(points: Sequence[Point], samples_max: int, form: str) -> None:
    """See that a question for curves can be answered.

    Raises:
        Invalid: it is out of bounds.
    """
    if not 1 <= len(points) <= POINTS_MAX:
        raise Invalid(
            f"{len(points)} points were asked for, wanted 1 to {POINTS_MAX}",
            remedy="Name points as points=a/b&points=a/c; take format=parquet for many.",
        )
    if not 1 <= samples_max <= SAMPLES_MAX:
        raise Invalid(f"points_max is {samples_max}, wanted 1 to {SAMPLES_MAX}")
    if len(points) * samples_max > VALUES_MAX:
        raise Invalid(
            f"{len(points)} points with {samples_max} values each were asked for, wanted at most"
            f" {VALUES_MAX} values in all",
            remedy="Lower points_max, name fewer points, or take format=parquet.",
        )
    if form not in ("auto", "raw", "buckets"):
        raise Invalid(f"form is {form!r}, wanted auto, raw or buckets")


def check_buckets(span: tuple[int, int], length: int, points: int) -> None:
    """See that the span has not too many buckets of this length, over all points.

    Raises:
        Invalid: it has.
    """
    count = (span[1] - span[0]) // max(length, 1)
    most = min(SAMPLES_MAX, VALUES_MAX // points)
    if count > most:
        raise Invalid(
            f"buckets of {length / NS_PER_S} s are {count} in the span, wanted at most {most}",
            remedy="Ask for longer buckets or a shorter span.",
        )


def _raw_curves(batch: Batch, points: Sequence[Point], samples_max: int) -> dict[str, Raw]:
    place, index = {p: i for i, p in enumerate(batch.points)}, batch.index
    found = {}
    for point in points:
        part = batch.take(index == place.get(point.path, -1))
        kept = part.slice(0, min(len(part), samples_max))
        found[point.path] = Raw(
            point=point.path,
            time_ms=(kept.time_ns / NS_PER_MS).tolist(),
            value=_values(kept, point.kind),
            quality=kept.quality.tolist(),
            truncated=len(part) > samples_max,
        )
    return found


def _bucket_curves(table: pa.Table, paths: Sequence[str], length: int) -> dict[str, Buckets]:
    table = table.combine_chunks().unify_dictionaries()
    names = table.column("point").combine_chunks()
    places = {p: i for i, p in enumerate(names.dictionary.to_pylist())}
    index = names.indices.to_numpy()
    found = {}
    for path in paths:
        part = table.filter(pa.array(index == places.get(path, -1)))
        found[path] = Buckets(
            point=path,
            bucket_ms=length / NS_PER_MS,
            time_ms=(part.column("time_ns").to_numpy() / NS_PER_MS).tolist(),
            avg=pc.divide(part.column("sum"), part.column("usable")).to_pylist(),
            **{
                c: part.column(c).to_pylist()
                for c in ("min", "max", "first", "last", "count", "quality")
            },
        )
    return found


def _is_text(curve: Buckets) -> bool:
    """Whether nothing could be summed up: texts have no average."""
    return bool(curve.count) and all(v is None for v in curve.avg)


def _values(batch: Batch, kind: Kind) -> list[Any]:
    values: list[Any] = batch.number.tolist()  # msgspec writes what is not finite as null
    for row in np.flatnonzero(batch.has_text).tolist():
        values[row] = bare_value(kind, 0.0, batch.text[row].as_py())
    return values
