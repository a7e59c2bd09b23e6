"""Answers as bytes: JSON, lines of JSON, CSV, Parquet and Arrow, all a part at a time."""

import asyncio
import io
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Protocol

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from lineshaft.core.clock import to_iso
from lineshaft.core.errors import Invalid
from lineshaft.core.flow import assert_off_loop
from lineshaft.core.point import Kind
from lineshaft.historian.last import bare_value
from lineshaft.historian.query.answers import BACK, Answer

MEDIA_TYPES = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
"""Formats and how they are named in the headers Accept and Content-Type."""
_ISO = "%Y-%m-%dT%H:%M:%SZ"


def format_of(named: str, accept: str) -> str:
    """The format that is named, else the first of the header Accept that we have, else JSON.

    Raises:
        Invalid: the one that is named does not exist.
    """
    if named:
        if named not in MEDIA_TYPES:
            raise Invalid(f"format is {named!r}, wanted {', '.join(MEDIA_TYPES)}")
        return named
    kinds = {media: kind for kind, media in MEDIA_TYPES.items()}
    for part in accept.split(","):
        media = part.partition(";")[0].strip().lower()
        if media in kinds:
            return kinds[media]
    return "json"


class Writer(Protocol):
    """Turns batches into bytes; works off the event loop."""

    def write(self, batch: pa.RecordBatch) -> bytes:
        """The bytes that this batch adds."""

    def finish(self) -> bytes:
        """The bytes at the end."""


async def encoded(answer: Answer, kind: str) -> AsyncGenerator[bytes]:
    """The answer in a format."""
    writer: Writer = await asyncio.to_thread(_WRITERS[kind], answer)
    async with aclosing(answer.batches) as batches:
        async for batch in batches:
            part = await asyncio.to_thread(writer.write, batch)
            if part:
                yield part
    yield await asyncio.to_thread(writer.finish)


# ---- JSON


class _Json:
    """An object with `columns`, `rows` (arrays) and, at the end, the `cursor`."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        names = _names(answer.schema)
        head = msgspec.json.encode(
            {"start": to_iso(answer.start_ns), "stop": to_iso(answer.stop_ns), "columns": names}
        )
        self._head = head[:-1] + b',"rows":['
        self._comma = b""

    def write(self, batch: pa.RecordBatch) -> bytes:
        """The bytes that this batch adds."""
        rows = msgspec.json.encode(list(_rows(batch, self._answer.kinds)))[1:-1]
        if not rows:
            return b""
        part = self._head + self._comma + rows
        self._head, self._comma = b"", b","
        return part

    def finish(self) -> bytes:
        """The bytes at the end."""
        return self._head + b'],"cursor":' + msgspec.json.encode(self._answer.cursor) + b"}"


class _Lines:
    """One object a row, one row a line."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._encoder = msgspec.json.Encoder()
        self._names = _names(answer.schema)

    def write(self, batch: pa.RecordBatch) -> bytes:
        """The bytes that this batch adds."""
        names = self._names
        rows = (dict(zip(names, r, strict=True)) for r in _rows(batch, self._answer.kinds))
        return self._encoder.encode_lines(rows)

    def finish(self) -> bytes:
        """Nothing."""
        return b""


def _names(schema: pa.Schema) -> list[str]:
    """The columns as JSON has them: number and text are one value there."""
    return [n for n in schema.names if n != "text"] if _is_long(schema) else schema.names


def _is_long(schema: pa.Schema) -> bool:
    """Whether rows name their point; else each point has a column, whatever its name."""
    return bool(schema.names[0] == "point")


def _rows(batch: pa.RecordBatch, kinds: dict[str, Kind]) -> Any:  # noqa: ANN401 - an iterator of tuples
    """Rows with times as text and values as the kind of their point says."""
    assert_off_loop()
    names = batch.schema.names
    columns, long = [], _is_long(batch.schema)
    for name, column in zip(names, batch.columns, strict=True):
        if long and name == "text":
            continue
        if pa.types.is_timestamp(column.type):
            columns.append(pc.strftime(column, format=_ISO).to_pylist())
        elif long and name == "value":
            columns.append(_bare(batch, kinds))
        elif not long and kinds.get(name) in (Kind.BOOLEAN, Kind.INTEGER, Kind.ENUM):
            columns.append(
                [
                    None if v is None else bare_value(kinds[name], v, None)
                    for v in column.to_pylist()
                ]
            )
        else:
            columns.append(column.to_pylist())
    return zip(*columns, strict=True)


def _bare(batch: pa.RecordBatch, kinds: dict[str, Kind]) -> list[Any]:
    """Numbers and texts in one list; msgspec writes what is not finite as null."""
    point, text = batch.column("point"), batch.column("text")
    values: list[Any] = batch.column("value").to_pylist()
    paths = point.dictionary.to_pylist()
    odd = {
        i: kinds[p]
        for i, p in enumerate(paths)
        if kinds.get(p, Kind.NUMBER) in (Kind.BOOLEAN, Kind.INTEGER, Kind.ENUM)
    }
    if odd:
        own = _own(batch)
        for row, place in enumerate(point.indices.to_pylist()):
            if place in odd and own[row] and values[row] is not None:
                values[row] = bare_value(odd[place], values[row], None)
    if text.null_count < len(text):
        indices = point.indices
        for row in pc.indices_nonzero(text.is_valid()).to_pylist():
            place = indices[row].as_py()
            values[row] = bare_value(odd.get(place, Kind.TEXT), 0.0, text[row].as_py())
    return values


def _own(batch: pa.RecordBatch) -> list[bool]:
    """Of each row whether its value is one of the point, and not a number made of them."""
    if "function" not in batch.schema.names:
        return [True] * len(batch)
    own: list[bool] = pc.is_in(
        batch.column("function").cast(pa.string()), pa.array([f.value for f in BACK])
    ).to_pylist()
    return own


# ---- files


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


class _File:
    """CSV, Parquet or Arrow, by the writer of pyarrow."""

    def __init__(self, answer: Answer, schema: pa.Schema, opened: Callable[..., Any]) -> None:
        assert_off_loop()
        self._drain = _Drain()
        self._schema = schema
        self._writer = opened(pa.PythonFile(self._drain, mode="w"), schema)

    def write(self, batch: pa.RecordBatch) -> bytes:
        """The bytes that this batch adds."""
        assert_off_loop()
        columns = [_as(c, f.type) for c, f in zip(batch.columns, self._schema, strict=True)]
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))
        return self._drain.take()

    def finish(self) -> bytes:
        """The bytes at the end."""
        self._writer.close()
        return self._drain.take()


def _as(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    if column.type == wanted:
        return column
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, format=_ISO)
    return column.cast(wanted)


def _plain(schema: pa.Schema, *, times: bool) -> pa.Schema:
    """Without dictionaries, of which each part may have its own; times as text if asked for."""
    fields = []
    for field in schema:
        kind = field.type
        if pa.types.is_dictionary(kind) or (times and pa.types.is_timestamp(kind)):
            kind = pa.string()
        fields.append(field.with_type(kind))
    return pa.schema(fields)


def _csv(answer: Answer) -> Writer:
    return _File(answer, _plain(answer.schema, times=True), csv.CSVWriter)


def _parquet(answer: Answer) -> Writer:
    def opened(sink: Any, schema: pa.Schema) -> Any:  # noqa: ANN401 - pyarrow has no types
        return parquet.ParquetWriter(sink, schema, compression="zstd")

    return _File(answer, answer.schema, opened)


def _arrow(answer: Answer) -> Writer:
    return _File(answer, _plain(answer.schema, times=False), pa.ipc.new_stream)


_WRITERS: dict[str, Callable[[Answer], Writer]] = {
    "json": _Json,
    "ndjson": _Lines,
    "csv": _csv,
    "parquet": _parquet,
    "arrow": _arrow,
}
