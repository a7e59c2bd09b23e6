"""A batch of samples: the unit in which data travels. Columns, never single samples.

The truth is one Arrow record batch of a fixed schema; NumPy sees the same memory.

| column | type | meaning |
|---|---|---|
| point | dictionary of int32 to string | path in the unified namespace |
| time_ns | int64 | source time, nanoseconds since the Unix epoch, UTC |
| number | float64, may be null | the value of numbers, integers to ±2^53, booleans (0, 1), enums |
| text | string, may be null | the value of text, JSON, and integers beyond ±2^53 |
| quality | uint32 | status code of OPC UA |

Exactly one of `number` and `text` is set, unless the quality is bad: then at most one.
NaN is a number, not null.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lineshaft.core.errors import Invalid
from lineshaft.core.point import EXACT_MAX, Value
from lineshaft.core.wire import read_stream

TIME_MAX_NS = 2**62
"""Samples are taken from 1824 to 2116: so far, spans and delays can be added to any time."""
SCHEMA = pa.schema(
    [
        pa.field("point", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("time_ns", pa.int64(), nullable=False),
        pa.field("number", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("quality", pa.uint32(), nullable=False),
    ]
)
BAD = np.uint32(0x8000_0000)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint32]
Indices = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


class Sample(NamedTuple):
    """One row of a batch, for the edges: tests, decoders of single messages, screens."""

    point: str
    time_ns: int
    value: Value | None
    quality: int = 0


class Batch:
    """Samples of any points in any order; immutable, safe to share."""

    __slots__ = ("arrow",)

    arrow: pa.RecordBatch
    """The columns, of schema `SCHEMA`."""

    def __init__(self, arrow: pa.RecordBatch) -> None:
        if not arrow.schema.equals(SCHEMA):
            arrow = _cast(arrow)
        self.arrow = arrow

    # ---- making one

    @classmethod
    def of(
        cls,
        points: Sequence[str] | pa.StringArray,
        index: npt.ArrayLike,
        time_ns: npt.ArrayLike,
        *,
        number: npt.ArrayLike | pa.Array | None = None,
        text: Sequence[str | None] | pa.Array | None = None,
        quality: npt.ArrayLike | int = 0,
    ) -> Self:
        """From columns of equal length n, without copying those that are arrays already.

        `points` are the distinct paths, `index` (n,) says which one each row is of.
        `number` (n,) may be an Arrow array with nulls; None means all null.

        Raises:
            Invalid: lengths differ, or a row breaks the rule on number and text.
        """
        times = _column(time_ns, pa.int64(), np.int64)
        n = len(times)
        codes = _column(
            np.full(n, quality, dtype=np.uint32) if isinstance(quality, int) else quality,
            pa.uint32(),
            np.uint32,
        )
        numbers = (
            pa.nulls(n, pa.float64())
            if number is None
            else number
            if isinstance(number, pa.Array)
            else _column(number, pa.float64(), np.float64)
        )
        texts = (
            pa.nulls(n, pa.string())
            if text is None
            else text
            if isinstance(text, pa.StringArray)
            else pa.array(text, pa.string())
        )
        names = points if isinstance(points, pa.Array) else pa.array(points, pa.string())
        which = pa.DictionaryArray.from_arrays(_column(index, pa.int32(), np.int32), names)
        try:
            columns = [which, times, numbers, texts, codes]
            batch = cls(pa.RecordBatch.from_arrays(columns, schema=SCHEMA))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise Invalid(f"columns do not make a batch: {error}") from error
        batch.check()
        return batch

    @classmethod
    def of_rows(cls, rows: Iterable[Sample | tuple[Any, ...]]) -> Self:
        """From single samples: booleans become 0 and 1, integers beyond ±2^53 become text."""
        names: dict[str, int] = {}
        index: list[int] = []
        times: list[int] = []
        numbers: list[float | None] = []
        texts: list[str | None] = []
        codes: list[int] = []
        for row in rows:
            sample = Sample(*row)
            number, text = columns_of(sample.value)
            index.append(names.setdefault(sample.point, len(names)))
            times.append(sample.time_ns)
            numbers.append(number)
            texts.append(text)
            codes.append(sample.quality)
        return cls.of(
            list(names),
            np.array(index, dtype=np.int32),
            np.array(times, dtype=np.int64),
            number=pa.array(numbers, pa.float64()),
            text=texts,
            quality=np.array(codes, dtype=np.uint32),
        )

    @classmethod
    def empty(cls) -> Self:
        """No samples."""
        return cls.of_rows(())

    @classmethod
    def concat(cls, batches: Sequence["Batch"]) -> "Batch":
        """All rows in the given order, with one dictionary."""
        if len(batches) == 1:
            return batches[0]
        if not batches:
            return cls.empty()
        names: dict[str, int] = {}
        parts: list[Indices] = []
        for batch in batches:
            place = np.array(
                [names.setdefault(p, len(names)) for p in batch.points], dtype=np.int32
            )
            parts.append(place[batch.index] if len(place) else batch.index)
        columns = [
            pa.DictionaryArray.from_arrays(
                pa.array(np.concatenate(parts)), pa.array(list(names), pa.string())
            )
        ]
        columns += [pa.concat_arrays([b.arrow.column(i) for b in batches]) for i in range(1, 5)]
        return cls(pa.RecordBatch.from_arrays(columns, schema=SCHEMA))

    # ---- looking at it

    def __len__(self) -> int:
        return self.arrow.num_rows  # type: ignore[no-any-return]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Batch) and list(map(repr, self.rows())) == list(
            map(repr, other.rows())
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Batch({len(self)} rows of {len(self.points)} points)"

    @property
    def points(self) -> list[str]:
        """The distinct paths; some may have no row, after a selection."""
        return self.arrow.column(0).dictionary.to_pylist()  # type: ignore[no-any-return]

    @property
    def index(self) -> Indices:
        """Shape (n,): for each row its place in `points`."""
        return self.arrow.column(0).indices.to_numpy()  # type: ignore[no-any-return]

    @property
    def time_ns(self) -> Ints:
        """Shape (n,): source times."""
        return self.arrow.column(1).to_numpy()  # type: ignore[no-any-return]

    @property
    def number(self) -> Floats:
        """Shape (n,): numbers, NaN where there is none; a view when no row is null."""
        return self.arrow.column(2).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]

    @property
    def has_number(self) -> Mask:
        """Shape (n,): whether the row carries a number."""
        return _valid(self.arrow.column(2))

    @property
    def text(self) -> pa.StringArray:
        """Length n: texts, null where there is none."""
        return self.arrow.column(3)

    @property
    def has_text(self) -> Mask:
        """Shape (n,): whether the row carries a text."""
        return _valid(self.arrow.column(3))

    @property
    def quality(self) -> Codes:
        """Shape (n,): status codes."""
        return self.arrow.column(4).to_numpy()  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> int:
        """Bytes that the columns take."""
        return self.arrow.nbytes  # type: ignore[no-any-return]

    def rows(self) -> Iterator[Sample]:
        """One sample after another, slowly; a number comes as float."""
        columns = self.arrow.to_pydict()
        for point, time_ns, number, text, quality in zip(*columns.values(), strict=True):
            yield Sample(point, time_ns, number if text is None else text, quality)

    def slice(self, start: int, stop: int) -> "Batch":
        """Rows `start` to `stop`, without copying."""
        return Batch(self.arrow.slice(start, max(stop - start, 0)))

    def take(self, rows: Mask | npt.NDArray[np.intp]) -> "Batch":
        """The rows that a mask holds true, or that the positions name, in their order."""
        if rows.dtype == np.bool_:
            return Batch(self.arrow.filter(pa.array(rows)))
        return Batch(self.arrow.take(pa.array(rows)))

    def timely(self) -> "Batch":
        """The rows whose times all parts can work with: nearer to 1970 than `TIME_MAX_NS`."""
        times = self.time_ns
        if not len(times) or (times.min() > -TIME_MAX_NS and times.max() < TIME_MAX_NS):
            return self
        return self.take((times > -TIME_MAX_NS) & (times < TIME_MAX_NS))

    def check(self) -> None:
        """See that each row has exactly one of number and text, or is bad and has not both.

        Raises:
            Invalid: a row does not; the message names the first.
        """
        nulls = self.arrow.column(2).null_count, self.arrow.column(3).null_count
        if nulls in ((0, len(self)), (len(self), 0)):
            return  # all numbers or all texts, as nearly every batch
        has_number, has_text = self.has_number, self.has_text
        bad = (self.quality & BAD) != 0
        wrong = (has_number & has_text) | ~(has_number | has_text | bad)
        if wrong.any():
            at = int(np.argmax(wrong))
            both = bool(has_number[at])
            raise Invalid(
                f"row {at} of point {self.arrow.column(0)[at].as_py()!r} has"
                f" {'both number and text' if both else 'no value, yet its quality is not bad'}",
                remedy="Set exactly one of number and text, or a bad quality.",
            )

    # ---- over the wire

    def to_ipc(self) -> bytes:
        """As an Arrow IPC stream."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, SCHEMA) as writer:
            writer.write_batch(self.arrow)
        return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]

    @classmethod
    def from_ipc(cls, data: bytes) -> "Batch":
        """From a plain Arrow IPC stream whose columns are those of `SCHEMA`, in any order.

        Raises:
            Invalid: the bytes are no such stream.
        """
        return cls.from_table(read_stream(data))

    @classmethod
    def from_table(cls, table: pa.Table) -> "Batch":
        """From an Arrow table with the columns of `SCHEMA`; missing value columns are null.

        Raises:
            Invalid: a column is missing, unknown or of another type.
        """
        batches = [cls(b) for b in table.combine_chunks().to_batches()]
        batch = cls.concat(batches)
        batch.check()
        return batch


def columns_of(value: Value | None) -> tuple[float | None, str | None]:
    """What stands in the columns `number` and `text` for a value."""
    if value is None:
        return None, None
    if isinstance(value, str):
        return None, value
    if isinstance(value, int) and not -EXACT_MAX <= value <= EXACT_MAX:
        return None, str(value)
    return float(value), None


def _column(values: npt.ArrayLike, type_: pa.DataType, dtype: type[np.generic]) -> pa.Array:
    """The same memory as an Arrow array; `pa.array` takes several times as long to find out."""
    array = np.ascontiguousarray(values, dtype=dtype)
    if array.ndim != 1:
        raise Invalid(f"a column has the shape {array.shape}, wanted one dimension")
    return pa.Array.from_buffers(type_, len(array), [None, pa.py_buffer(array)], null_count=0)


def _valid(column: pa.Array) -> Mask:
    if not column.null_count:
        return np.ones(len(column), dtype=np.bool_)
    return column.is_valid().to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _cast(arrow: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows under `SCHEMA`."""
    strange = sorted(set(arrow.schema.names) - set(SCHEMA.names))
    absent = [n for n in ("point", "time_ns") if n not in arrow.schema.names]
    if strange or absent or len(set(arrow.schema.names)) < len(arrow.schema.names):
        raise Invalid(
            f"columns are {arrow.schema.names}; unknown {strange}, missing {absent}",
            remedy=f"Send point and time_ns, and of {SCHEMA.names[2:]} what there is.",
        )
    columns = []
    for field in SCHEMA:
        try:
            if field.name not in arrow.schema.names:
                default = (
                    pa.array(np.zeros(arrow.num_rows, dtype=np.uint32))
                    if field.name == "quality"
                    else pa.nulls(arrow.num_rows, field.type)
                )
                columns.append(default)
            elif field.name == "point":
                names = arrow.column("point")
                if not pa.types.is_dictionary(names.type):
                    names = names.cast(pa.string()).dictionary_encode()
                columns.append(names.cast(field.type))
            else:
                columns.append(arrow.column(field.name).cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise Invalid(
                f"column {field.name!r} has type {arrow.column(field.name).type},"
                f" wanted {field.type}: {error}"
            ) from error
        if not field.nullable and columns[-1].null_count:
            raise Invalid(f"column {field.name!r} holds nulls, wanted a value in every row")
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
