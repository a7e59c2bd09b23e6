"""Record batches as JSON, CSV, Arrow or Parquet."""

import asyncio
import base64
import contextlib
import datetime as dt
import io
import math
from collections.abc import AsyncGenerator, Callable
from typing import Any

import msgspec
import pyarrow as pa
from pyarrow import csv, parquet

from lineshaft.core.errors import Invalid, Unavailable
from lineshaft.core.flow import assert_off_loop
from lineshaft.core.point import EXACT_MAX

Answer = AsyncGenerator[pa.RecordBatch]
MEDIA_TYPES = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
_NAMES = {
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "large_string": "VARCHAR",
    "binary": "BLOB",
    "date32[day]": "DATE",
    "null": "NULL",
    "month_day_nano_interval": "INTERVAL",
}


class Column(msgspec.Struct, frozen=True):
    """A column of an answer."""

    name: str
    type: str
    """As DuckDB calls it."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """An answer for a screen."""

    columns: list[Column]
    rows: list[list[Any]]
    """Times in RFC 3339; null where a number is not finite; integers beyond ±2^53 as text."""
    truncated: bool
    """Whether there are more rows."""
    elapsed_ms: float


def columns_of(schema: pa.Schema) -> list[Column]:
    """Names and types."""
    return [Column(f.name, type_name(f.type)) for f in schema]


def type_name(kind: pa.DataType) -> str:
    """The type as DuckDB calls it."""
    is_ = pa.types
    if is_.is_timestamp(kind):
        name = "TIMESTAMP WITH TIME ZONE" if kind.tz else "TIMESTAMP"
    elif is_.is_time(kind):
        name = "TIME"
    elif is_.is_decimal(kind):
        name = f"DECIMAL({kind.precision},{kind.scale})"
    elif is_.is_map(kind):
        name = f"MAP({type_name(kind.key_type)}, {type_name(kind.item_type)})"
    elif is_.is_list(kind) or is_.is_large_list(kind):
        name = f"{type_name(kind.value_type)}[]"
    elif is_.is_struct(kind):
        name = f"STRUCT({', '.join(f'{f.name} {type_name(f.type)}' for f in kind)})"
    else:
        name = _NAMES.get(str(kind), str(kind).upper())
    return name


_DAY_US = 86_400_000_000


async def table(answer: Answer, limit: int, elapsed_ms: Callable[[], float]) -> bytes:
    """The first `limit` rows as JSON."""
    batches: list[pa.RecordBatch] = []
    rows = 0
    async with contextlib.aclosing(answer):
        async for batch in answer:
            batches.append(batch)
            rows += batch.num_rows
            if rows > limit:
                break
    return await asyncio.to_thread(_encoded, batches, limit, rows > limit, elapsed_ms)


def _encoded(
    batches: list[pa.RecordBatch], limit: int, truncated: bool, elapsed_ms: Callable[[], float]
) -> bytes:
    assert_off_loop()
    whole = pa.Table.from_batches(batches).slice(0, limit)
    columns = [_cells(c) for c in whole.columns]
    rows = [list(r) for r in zip(*columns, strict=True)] if columns else []
    told = Table(
        columns=columns_of(whole.schema),
        rows=rows,
        truncated=truncated,
        elapsed_ms=round(elapsed_ms(), 1),
    )
    return msgspec.json.encode(told)


def _cells(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        # As Python would, years beyond 9999 fail; as numbers they can be told in any case.
        return [_time(v) for v in column.cast(pa.timestamp("us")).cast(pa.int64()).to_pylist()]
    if pa.types.is_date32(column.type):
        days = column.cast(pa.int32()).to_pylist()
        times = [_time(None if d is None else d * _DAY_US) for d in days]
        return [t and t.partition("T")[0] for t in times]
    return [cell(v) for v in _listed(column)]


def _listed(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except (OverflowError, ValueError) as error:
        raise Invalid(
            f"a value of the answer cannot be told: {error}",
            remedy="Times within lists and structs may be of the years 1 to 9999; cast others to"
            " VARCHAR.",
        ) from None


def _time(us: int | None) -> str | None:
    if us is None:
        return None
    try:
        moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=us)
    except OverflowError:
        return "infinity" if us > 0 else "-infinity"
    return moment.isoformat().replace("+00:00", "Z")


def cell(value: Any) -> Any:  # noqa: ANN401 - any value of an answer
    """A value as JSON can hold it."""
    told = value
    match value:
        case bool() | str() | None:
            pass
        case int():
            told = value if -EXACT_MAX <= value <= EXACT_MAX else str(value)
        case float():
            told = value if math.isfinite(value) else None
        case bytes():
            told = base64.b64encode(value).decode()
        case dt.datetime() | dt.date() | dt.time():
            told = value.isoformat()
        case dict():
            told = {str(k): cell(v) for k, v in value.items()}
        case list() | tuple():
            told = [cell(v) for v in value]
        case _:
            told = str(value)
    return told


async def file(
    answer: Answer, kind: str, limit: int | None, rows_max: int
) -> AsyncGenerator[bytes]:
    """The rows as a file; without a limit of the caller's own, too many of them break it off.

    Raises:
        Invalid: a column has a type that the format cannot hold.
        Unavailable: there are more than `rows_max` rows.
    """
    left = rows_max if limit is None else limit
    async with contextlib.aclosing(answer):
        writer: _Writer | None = None
        async for batch in answer:
            if writer is None:
                writer = await asyncio.to_thread(_Writer, kind, batch.schema)
            if batch.num_rows > left and limit is None:
                raise Unavailable(
                    f"the answer has more than {rows_max} rows",
                    remedy="Ask for less, or send a limit, or raise sql_rows_max in [historian].",
                )
            kept = batch.slice(0, left)
            left -= kept.num_rows
            yield await asyncio.to_thread(writer.write, kept)
            if left == 0 and limit is not None:
                break
        if writer is not None:
            yield await asyncio.to_thread(writer.end)


class _Writer:
    """Writes batches into memory, and hands out the bytes of each."""

    def __init__(self, kind: str, schema: pa.Schema) -> None:
        self._drain = _Drain()
        self._flat = _flat(schema) if kind == "csv" else schema
        makers: dict[str, Callable[..., Any]] = {
            "csv": csv.CSVWriter,
            "arrow": pa.ipc.new_stream,
            "parquet": parquet.ParquetWriter,
        }
        try:
            self._writer = makers[kind](pa.PythonFile(self._drain, mode="w"), self._flat)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise Invalid(
                f"the answer cannot be written as {kind}: {error}",
                remedy="Cast the column to a plain type, or ask for json or arrow.",
            ) from error

    def write(self, batch: pa.RecordBatch) -> bytes:
        """The bytes of a batch."""
        assert_off_loop()
        if batch.num_rows:
            if batch.schema != self._flat:
                batch = _flattened(batch, self._flat)
            self._writer.write_batch(batch)
        return self._drain.take()

    def end(self) -> bytes:
        """The last bytes."""
        assert_off_loop()
        self._writer.close()
        return self._drain.take()


class _Drain(io.RawIOBase):
    """Keeps what is written until it is taken; knows how much that was in all."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._told = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._told

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        part = bytes(data)
        self._parts.append(part)
        self._told += len(part)
        return len(part)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def _flat(schema: pa.Schema) -> pa.Schema:
    """Columns that CSV cannot hold become text."""
    return pa.schema([pa.field(f.name, pa.string() if _nested(f.type) else f.type) for f in schema])


def _nested(kind: pa.DataType) -> bool:
    tests = (pa.types.is_nested, pa.types.is_interval, pa.types.is_binary)
    return any(is_one(kind) for is_one in tests)


def _flattened(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = [
        column
        if column.type == field.type
        else pa.array(
            [None if v is None else msgspec.json.encode(cell(v)).decode() for v in _listed(column)],
            pa.string(),
        )
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
