"""Files of old data become batches: CSV and Parquet, one row a sample or one column a point.

The same file read with the same mapping gives the same rows in the same order, so that an
import can be taken up where it was broken off.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from lineshaft.core.batch import Batch, Ints
from lineshaft.core.clock import NS_PER_MS, NS_PER_S, NS_PER_US
from lineshaft.core.errors import Invalid, Missing
from lineshaft.core.flow import assert_off_loop
from lineshaft.core.path import check_path, clean_level

ROWS_MAX = 50_000
"""Rows of a batch, so that it stays well below what the server takes at once."""
BATCH_BYTES_MAX = 6 << 20
_BLOCK_BYTES = 4 << 20
TIME_NS_MAX = 2**63 - 1
_UNITS = {"s": NS_PER_S, "ms": NS_PER_MS, "us": NS_PER_US, "ns": 1}
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:nan|inf|infinity)$"
_INTEGER = r"^[+-]?\d+$"


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the columns of a file become samples."""

    time: str = "time"
    """Column with the time."""
    time_format: str = "auto"
    """`auto`, `iso`, `s`, `ms`, `us`, `ns`, or a pattern as `%d.%m.%Y %H:%M:%S`."""
    zone: str = "UTC"
    """Time zone of times that name none, as `Asia/Shanghai`."""
    point: str = "point"
    """Column with the point's path. Without such a column, each column is a point."""
    value: str = "value"
    """Column with the value, where there is a column of points."""
    quality: str = ""
    """Column with OPC UA status codes, where there is a column of points; empty for all good."""
    at: str = ""
    """Branch that every point is put below."""
    separator: str = ","
    """Between the columns of a CSV file."""
    decimal: str = "."
    """Decimal point of a CSV file, `.` or `,`."""


def fingerprint(path: Path, mapping: Mapping) -> str:
    """The same text for the same bytes and mapping."""
    assert_off_loop()
    with _opened(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return f"{digest}-{hashlib.sha256(msgspec.json.encode(mapping)).hexdigest()[:16]}"


def rows_estimate(path: Path, mapping: Mapping) -> int:
    """About how many samples the file holds, from its size alone."""
    assert_off_loop()
    columns, rows = _shape(path, mapping)
    return rows if mapping.point in columns else rows * max(len(columns) - 1, 1)


def _shape(path: Path, mapping: Mapping) -> tuple[list[str], int]:
    if _is_parquet(path):
        with parquet.ParquetFile(path) as file:
            return list(file.schema_arrow.names), int(file.metadata.num_rows)
    with _opened(path) as file:
        head = file.read(1 << 20)
    lines = max(head.count(b"\n"), 1)
    columns = head.partition(b"\n")[0].decode(errors="replace").strip().split(mapping.separator)
    return [c.strip('"') for c in columns], int(path.stat().st_size / len(head) * lines) - 1


def batches(path: Path, mapping: Mapping) -> Iterator[Batch]:
    """The samples of the file, in its order, at most `ROWS_MAX` at once.

    Cells without a value give no sample.

    Raises:
        Missing: there is no such file.
        Invalid: it is no table, lacks a column, or a time or path in it is ill-formed.
    """
    assert_off_loop()
    reader = _Reader(path, mapping)
    try:
        for part in _tables(path, mapping):
            for batch in reader.batches(part):
                yield from _cut(batch)
    except (pa.ArrowInvalid, pa.ArrowKeyError, pa.ArrowNotImplementedError) as error:
        raise Invalid(
            f"{path.name} cannot be read: {error}",
            remedy="Check the separator, the time format and the columns of the mapping.",
        ) from error


def _cut(batch: Batch) -> Iterator[Batch]:
    """The batch in parts that are not too large for one request."""
    parts = max(-(-len(batch) // ROWS_MAX), -(-batch.nbytes // BATCH_BYTES_MAX), 1)
    size = -(-len(batch) // parts)
    for start in range(0, len(batch), size or 1):
        yield batch.slice(start, min(start + size, len(batch)))


def _opened(path: Path) -> Any:  # noqa: ANN401 - a file
    try:
        return path.open("rb")
    except OSError as error:
        raise Missing(
            f"{path} cannot be opened: {error.strerror}", remedy="Check the file's name."
        ) from error


def _is_parquet(path: Path) -> bool:
    with _opened(path) as file:
        return bool(file.read(4) == b"PAR1")


def _tables(path: Path, mapping: Mapping) -> Iterator[pa.RecordBatch]:
    if _is_parquet(path):
        with parquet.ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=ROWS_MAX)
        return
    names = csv.open_csv(path, parse_options=_parsing(mapping)).schema.names
    # Everything is read as text: a column may look like numbers until, far down, it does not.
    converting = csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    reading = csv.ReadOptions(block_size=_BLOCK_BYTES)
    with csv.open_csv(path, reading, _parsing(mapping), converting) as stream:
        yield from stream


def _parsing(mapping: Mapping) -> csv.ParseOptions:
    return csv.ParseOptions(delimiter=mapping.separator, newlines_in_values=True)


class _Reader:
    """Turns parts of one file into batches; knows what the first part has taught."""

    def __init__(self, path: Path, mapping: Mapping) -> None:
        self._name = path.name
        self._mapping = mapping
        self._unit = _UNITS.get(mapping.time_format, 0)

    def batches(self, part: pa.RecordBatch) -> Iterator[Batch]:
        """The samples of a part of the file."""
        mapping, names = self._mapping, part.schema.names
        if mapping.time not in names:
            raise Invalid(
                f"{self._name} has no column {mapping.time!r}, but {', '.join(names[:20])}",
                remedy="Name the column with the time, as --time COLUMN.",
            )
        times = self._times(part.column(mapping.time))
        if mapping.point not in names:
            for name in names:
                if name != mapping.time:
                    path = self._path(name, strict=False)
                    point = pa.DictionaryArray.from_arrays(
                        pa.array(np.zeros(part.num_rows, dtype=np.int32)), pa.array([path])
                    )
                    yield self._batch(point, times, part.column(name), None)
            return
        if mapping.value not in names:
            raise Invalid(
                f"{self._name} has a column {mapping.point!r}, but none {mapping.value!r}",
                remedy="Name the column with the value, as --value COLUMN.",
            )
        points = part.column(mapping.point)
        if not pa.types.is_dictionary(points.type):
            points = points.cast(pa.string()).dictionary_encode()
        paths = [
            self._path(p, strict=True) for p in points.dictionary.cast(pa.string()).to_pylist()
        ]
        points = pa.DictionaryArray.from_arrays(points.indices.cast(pa.int32()), pa.array(paths))
        codes = part.column(mapping.quality) if mapping.quality else None
        yield self._batch(points, times, part.column(mapping.value), codes)

    def _path(self, name: str, *, strict: bool) -> str:
        """The path of a point; a column's heading is made to fit, a path in the data is not."""
        if not strict:
            name = "/".join(clean_level(level) for level in name.strip("/").split("/"))
        return check_path(f"{self._mapping.at}/{name}" if self._mapping.at else name)

    def _batch(
        self, points: pa.DictionaryArray, times: Ints, cells: pa.Array, codes: pa.Array | None
    ) -> Batch:
        if points.null_count:
            raise Invalid(f"{self._name}: a row has no point, wanted a path in every row")
        number, text = _values(cells, self._mapping.decimal)
        quality = np.zeros(len(times), dtype=np.uint32)
        if codes is not None:
            quality = codes.fill_null("0" if pa.types.is_string(codes.type) else 0)
            quality = quality.cast(pa.uint32()).to_numpy(zero_copy_only=False)
        empty = (number.is_null().to_numpy(False)) & (text.is_null().to_numpy(False))
        keep = ~empty | ((quality & np.uint32(0x8000_0000)) != 0)
        mask = pa.array(keep)
        kept = points.filter(mask)
        return Batch.of(
            kept.dictionary,
            kept.indices.to_numpy(),
            times[keep],
            number=number.filter(mask),
            text=text.filter(mask),
            quality=quality[keep],
        )

    # ---- times

    def _times(self, column: pa.Array) -> Ints:
        """Nanoseconds since the epoch."""
        if column.null_count:
            at = int(np.argmax(column.is_null().to_numpy(False)))
            raise Invalid(
                f"{self._name}: a row has no time, the {at + 1}th of its part of the file"
            )
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = self._from_text(column.cast(pa.string()))
        if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
            if getattr(column.type, "tz", None) is None:
                naive = column.cast(pa.timestamp("ns"))
                column = pc.assume_timezone(naive, self._mapping.zone)
            column = column.cast(pa.timestamp("ns", tz="UTC")).cast(pa.int64())
            return column.to_numpy()  # type: ignore[no-any-return]
        numbers: npt.NDArray[Any] = column.to_numpy(zero_copy_only=False)
        if not self._unit and len(numbers):
            self._unit = _unit_of(float(numbers[0]))
        far = ~(np.abs(numbers) < TIME_NS_MAX // max(self._unit, 1))
        if far.any():
            raise Invalid(
                f"{self._name}: {numbers[np.argmax(far)]} is too far away to be a time",
                remedy="Say the unit, as --time-format ms.",
            )
        if numbers.dtype.kind == "f":
            numbers = np.round(numbers * self._unit)
            return numbers.astype(np.int64)
        times: Ints = numbers.astype(np.int64) * self._unit
        return times

    def _from_text(self, column: pa.Array) -> pa.Array:
        wanted = self._mapping.time_format
        if wanted.startswith("%") or "%" in wanted:
            return pc.strptime(column, format=wanted, unit="ns")
        if wanted in _UNITS or (wanted == "auto" and _all(column, _NUMBER)):
            return column.cast(pa.int64() if _all(column, _INTEGER) else pa.float64())
        try:
            return column.cast(pa.timestamp("ns", tz="UTC"))
        except pa.ArrowInvalid:
            return column.cast(pa.timestamp("ns"))


def _all(column: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(column, pattern)).as_py())


def _unit_of(value: float) -> int:
    """Nanoseconds in the unit in which a time near ours has this many figures."""
    for bound, unit in ((1e11, NS_PER_S), (1e14, NS_PER_MS), (1e17, NS_PER_US)):
        if abs(value) < bound:
            return unit
    return 1


def _values(cells: pa.Array, decimal: str) -> tuple[pa.Array, pa.Array]:
    """Numbers and texts of a column, each null where the other stands, both where it is empty."""
    kind = cells.type
    if pa.types.is_dictionary(kind):
        cells, kind = cells.cast(pa.string()), pa.string()
    nothing = pa.nulls(len(cells), pa.string())
    if pa.types.is_boolean(kind):
        return cells.cast(pa.uint8()).cast(pa.float64()), nothing
    if pa.types.is_floating(kind) or (pa.types.is_integer(kind) and kind.bit_width < 64):  # noqa: PLR2004
        return cells.cast(pa.float64()), nothing
    if not pa.types.is_integer(kind) and not pa.types.is_null(kind):
        return _values_of_text(cells.cast(pa.string()), decimal)
    if pa.types.is_null(kind):
        return pa.nulls(len(cells), pa.float64()), nothing
    exact = pc.less_equal(pc.abs_checked(cells.cast(pa.int64())), 2**53)
    number = pc.if_else(exact, cells, None).cast(pa.float64())
    return number, pc.if_else(exact, None, cells.cast(pa.string()))


def _values_of_text(cells: pa.Array, decimal: str) -> tuple[pa.Array, pa.Array]:
    plain = pc.utf8_trim_whitespace(cells)
    if decimal == ",":
        plain = pc.replace_substring(plain, ",", ".")
    lower = pc.utf8_lower(plain)
    plain = pc.if_else(
        pc.equal(lower, "true"), "1", pc.if_else(pc.equal(lower, "false"), "0", plain)
    )
    fits = pc.match_substring_regex(plain, _NUMBER)
    # Integers beyond 2^53 stand exactly in text.
    long = pc.and_(pc.match_substring_regex(plain, _INTEGER), pc.greater(pc.utf8_length(plain), 15))
    fits = pc.and_(fits, pc.invert(long))
    none = pa.scalar(None, pa.string())
    return pc.if_else(fits, _spelt(plain), none).cast(pa.float64()), pc.if_else(fits, none, cells)


def _spelt(plain: pa.Array) -> pa.Array:
    """Numbers in the spelling that Arrow reads: `inf` for `Infinity`, no leading plus."""
    return pc.replace_substring_regex(pc.utf8_lower(plain), r"^\+", "")
