"""Questions to history: curves fit for a screen, and raw rows as a download."""

import asyncio
import io
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_MS, NS_PER_S, to_iso
from lineshaft.core.errors import Invalid
from lineshaft.core.flow import assert_off_loop
from lineshaft.core.point import Kind, Point
from lineshaft.historian.last import bare_value
from lineshaft.stores import Store

POINTS_MAX = 100
"""Points in one question for curves; downloads take any number."""
SAMPLES_MAX = 100_000
"""Samples or buckets per point in one answer."""
EXPORT_SCHEMA = pa.schema(
    [
        pa.field("point", pa.dictionary(pa.int32(), pa.string())),
        pa.field("time", pa.timestamp("ns", tz="UTC")),
        pa.field("value", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("quality", pa.uint32()),
    ]
)
MEDIA_TYPES = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
VALUES_MAX = 1_000_000
"""Samples or buckets in one answer, over all its points."""
_TIDY_S = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30)
_TIDY = [
    *(NS_PER_MS * 10**k * n for k in range(3) for n in (1, 2, 3, 4, 5, 6, 8)),
    *(NS_PER_S * n for n in _TIDY_S),
    *(NS_PER_S * 60 * n for n in _TIDY_S),
    *(NS_PER_S * 3600 * n for n in (1, 2, 3, 4, 6, 8, 12, 24)),
]
"""Bucket lengths that people can read off an axis, in ns."""


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


def bucket_ns(span_ns: int, buckets_max: int) -> int:
    """Length of buckets: the tidiest with which the span has at most `buckets_max` of them.

    One is set aside, since buckets begin at whole multiples of their length.
    """
    least = -(-span_ns // max(buckets_max - 1, 1))
    tidy = next((t for t in _TIDY if t >= least), None)
    if tidy is not None:
        return int(tidy)
    day = 86_400 * NS_PER_S
    return -(-least // day) * day


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
        length = bucket or bucket_ns(span[1] - span[0], samples_max)
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
        start = span[0] // length * length
        table = await self._store.buckets(paths, start, span[1], length)
        return await asyncio.to_thread(_bucket_curves, table, paths, length)

    async def download(
        self, paths: Sequence[str], span: tuple[int, int], kind: str
    ) -> AsyncGenerator[bytes]:
        """Raw rows as a CSV, Parquet or Arrow IPC stream, in bounded memory."""
        writer = await asyncio.to_thread(_Writer, kind)
        async for batch in self._store.scan(paths, *span):
            yield await asyncio.to_thread(writer.write, batch)
        yield await asyncio.to_thread(writer.finish)


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
            **{
                c: part.column(c).to_pylist()
                for c in ("min", "max", "avg", "first", "last", "count", "quality")
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


def export_table(batch: Batch) -> pa.RecordBatch:
    """The batch with the columns that people expect: `point, time, value, text, quality`."""
    arrow = batch.arrow
    columns = [arrow.column(0), arrow.column(1).cast(EXPORT_SCHEMA.field("time").type)]
    columns += [arrow.column(2), arrow.column(3), arrow.column(4)]
    return pa.RecordBatch.from_arrays(columns, schema=EXPORT_SCHEMA)


class _Drain(io.RawIOBase):
    """A file that keeps what was written only until it is taken away."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        part = bytes(data)
        self._parts.append(part)
        self._at += len(part)
        return len(part)

    def tell(self) -> int:
        return self._at

    def take(self) -> bytes:
        """All that was written since the last time."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data


class _Writer:
    """Writes batches in a file format, a part at a time."""

    def __init__(self, kind: str) -> None:
        self._drain = _Drain()
        sink = pa.PythonFile(self._drain, mode="w")
        self._kind = kind
        self._writer: Any
        match kind:
            case "csv":
                schema = EXPORT_SCHEMA.set(0, pa.field("point", pa.string()))
                self._schema = schema.set(1, pa.field("time", pa.string()))
                self._writer = csv.CSVWriter(sink, self._schema)
            case "parquet":
                self._writer = parquet.ParquetWriter(sink, EXPORT_SCHEMA, compression="zstd")
            case "arrow":
                # Each part may have a dictionary of its own, so plain strings travel.
                self._schema = EXPORT_SCHEMA.set(0, pa.field("point", pa.string()))
                self._writer = pa.ipc.new_stream(sink, self._schema)
            case _:
                raise Invalid(f"format is {kind!r}, wanted json, csv, parquet or arrow")

    def write(self, batch: Batch) -> bytes:
        """The bytes that this batch adds."""
        assert_off_loop()
        rows = export_table(batch)
        if self._kind == "parquet":
            self._writer.write_batch(rows)
            return self._drain.take()
        columns = list(rows.columns)
        columns[0] = columns[0].cast(pa.string())
        if self._kind == "csv":
            columns[1] = pc.strftime(columns[1], format="%Y-%m-%dT%H:%M:%SZ")
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))
        return self._drain.take()

    def finish(self) -> bytes:
        """The bytes at the end."""
        self._writer.close()
        return self._drain.take()
