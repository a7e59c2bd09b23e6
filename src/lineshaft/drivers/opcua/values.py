"""Values of OPC UA as columns of a batch, and back for writing."""

import base64
import dataclasses
import datetime as dt
import enum
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pyarrow as pa
from asyncua import ua

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S, NS_PER_US, to_iso
from lineshaft.core.errors import Refused
from lineshaft.core.point import EXACT_MAX, Kind, Value
from lineshaft.core.quality import Quality, is_bad

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
NULL_TIME_NS = -11_644_473_600 * NS_PER_S
"""The year 1601, which OPC UA takes for no time at all."""

KINDS = {
    ua.VariantType.Boolean: Kind.BOOLEAN,
    **dict.fromkeys(
        (
            ua.VariantType.SByte,
            ua.VariantType.Byte,
            ua.VariantType.Int16,
            ua.VariantType.UInt16,
            ua.VariantType.Int32,
            ua.VariantType.UInt32,
            ua.VariantType.Int64,
            ua.VariantType.UInt64,
            ua.VariantType.StatusCode,
        ),
        Kind.INTEGER,
    ),
    ua.VariantType.Float: Kind.NUMBER,
    ua.VariantType.Double: Kind.NUMBER,
    **dict.fromkeys(
        (
            ua.VariantType.String,
            ua.VariantType.DateTime,
            ua.VariantType.Guid,
            ua.VariantType.XmlElement,
            ua.VariantType.NodeId,
            ua.VariantType.ExpandedNodeId,
            ua.VariantType.QualifiedName,
            ua.VariantType.LocalizedText,
        ),
        Kind.TEXT,
    ),
}
"""Kind of a scalar of each built-in type; all others are JSON."""
RANGES = {
    ua.VariantType.SByte: (-(2**7), 2**7 - 1),
    ua.VariantType.Byte: (0, 2**8 - 1),
    ua.VariantType.Int16: (-(2**15), 2**15 - 1),
    ua.VariantType.UInt16: (0, 2**16 - 1),
    ua.VariantType.Int32: (-(2**31), 2**31 - 1),
    ua.VariantType.UInt32: (0, 2**32 - 1),
    ua.VariantType.Int64: (-(2**63), 2**63 - 1),
    ua.VariantType.UInt64: (0, 2**64 - 1),
}


class Rows:
    """Columns that grow row by row, until they become a batch."""

    __slots__ = ("numbers", "paths", "qualities", "texts", "times")

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.times: list[int] = []
        self.numbers: list[float | None] = []
        self.texts: list[str | None] = []
        self.qualities: list[int] = []

    def __len__(self) -> int:
        return len(self.paths)

    def add(self, path: str, time_ns: int, value: Any, kind: Kind, quality: int) -> bool:  # noqa: ANN401
        """Append one row; False when the value was not of the point's kind and is left out."""
        number, text, fits = columns(value, kind)
        if number is None and text is None and not is_bad(quality):
            quality = Quality.BAD_NO_DATA if fits else Quality.BAD_TYPE_MISMATCH
        self.paths.append(path)
        self.times.append(time_ns)
        self.numbers.append(number)
        self.texts.append(text)
        self.qualities.append(quality)
        return fits

    def join(self, other: "Rows") -> None:
        """Append the rows of the other."""
        for column in Rows.__slots__:
            getattr(self, column).extend(getattr(other, column))

    def batch(self) -> Batch:
        """The rows as they travel."""
        places: dict[str, int] = {}
        index = [places.setdefault(path, len(places)) for path in self.paths]
        return Batch.of(
            list(places),
            index,
            self.times,
            number=pa.array(self.numbers, pa.float64()),
            text=self.texts,
            quality=self.qualities,
        )


def columns(value: Any, kind: Kind) -> tuple[float | None, str | None, bool]:  # noqa: ANN401
    """Number and text for a value of any type, and whether it is of that kind."""
    if value is None:
        return None, None, True
    if kind is Kind.JSON or kind is Kind.TEXT:
        return None, to_json(value) if kind is Kind.JSON else to_text(value), True
    if isinstance(value, ua.StatusCode):
        value = value.value
    if not isinstance(value, int | float):
        return None, None, False
    if kind is Kind.INTEGER and not -EXACT_MAX <= value <= EXACT_MAX:
        return None, str(int(value)), True
    return float(value), None, True


def to_text(value: Any) -> str:  # noqa: ANN401
    """A scalar as text."""
    plain_value = plain(value)
    return plain_value if isinstance(plain_value, str) else to_json(value)


def to_json(value: Any) -> str:  # noqa: ANN401
    """Any value as JSON text; bytes as Base64, times as RFC 3339, NaN as null."""
    return msgspec.json.encode(plain(value)).decode()


_PLAIN: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (enum.Enum, lambda value: plain(value.value)),
    (int, int),
    (bytes, lambda value: base64.b64encode(value).decode()),
    (dt.datetime, lambda value: to_iso(to_ns(value))),
    (uuid.UUID, str),
    (ua.LocalizedText, lambda value: value.Text or ""),
    (ua.QualifiedName, lambda value: value.Name or ""),
    (ua.NodeId, lambda value: value.to_string()),
    (ua.StatusCode, lambda value: value.value),
    (ua.Variant, lambda value: plain(value.Value)),
    (list, lambda value: [plain(item) for item in value]),
)


def plain(value: Any) -> Any:  # noqa: ANN401 - any of OPC UA
    """The value in terms that JSON knows."""
    if type(value) in (type(None), bool, float, str):
        return value
    for type_, make in _PLAIN:
        if isinstance(value, type_):
            return make(value)
    if dataclasses.is_dataclass(value):
        return {
            field.name: plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.name != "Encoding"
        }
    return str(value)


def to_ns(time: dt.datetime) -> int:
    """Nanoseconds since the Unix epoch; a time without a zone is UTC."""
    if time.tzinfo is None:
        time = time.replace(tzinfo=dt.UTC)
    delta = time - EPOCH
    return (delta.days * 86_400 + delta.seconds) * NS_PER_S + delta.microseconds * NS_PER_US


def variant_for(value: Value, type_: ua.VariantType, what: str) -> ua.Variant:
    """The value as the type that the node has.

    Raises:
        Refused: the value is not of that type, or beyond its range; `what` says where.
    """
    if type_ in RANGES:
        low, high = RANGES[type_]
        if isinstance(value, bool | str) or value % 1 != 0:  # which NaN and infinity are, too
            raise Refused(f"{what} takes whole numbers ({type_.name}), not {value!r}")
        if not low <= value <= high:
            raise Refused(f"{what} takes {type_.name} from {low} to {high}, not {value!r}")
        return ua.Variant(int(value), type_)
    if type_ is ua.VariantType.Boolean and value in (0, 1):
        return ua.Variant(bool(value), type_)
    if type_ in (ua.VariantType.Float, ua.VariantType.Double) and not isinstance(value, bool | str):
        return ua.Variant(float(value), type_)
    if type_ is ua.VariantType.String and isinstance(value, str):
        return ua.Variant(value, type_)
    if type_ is ua.VariantType.LocalizedText and isinstance(value, str):
        return ua.Variant(ua.LocalizedText(value), type_)
    raise Refused(
        f"{what} is a {type_.name}, and cannot be set to {value!r}",
        remedy="Booleans, numbers and texts can be written, each with a value of its own kind.",
    )
