"""Where a point stands in a Modbus device, and how its registers become a value."""

import enum
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from lineshaft.core.errors import Invalid
from lineshaft.core.point import EXACT_MAX, Kind, Value
from lineshaft.drivers import PointSettings

Words = npt.NDArray[np.uint16]
Bits = npt.NDArray[np.bool_]

ADDRESSES = 65_536


class Table(enum.Enum):
    """The four tables of the Modbus data model."""

    HOLDING = "holding"
    """Registers to read and write (function 3; written by 6, 16 and 22)."""
    INPUT = "input"
    """Registers to read (function 4)."""
    COIL = "coil"
    """Bits to read and write (function 1; written by 5)."""
    DISCRETE = "discrete"
    """Bits to read (function 2)."""


BIT_TABLES = (Table.COIL, Table.DISCRETE)


class Type(enum.Enum):
    """What the registers of a point hold."""

    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BOOL = "bool"
    """A coil, a discrete input, or a register that is not 0."""
    BIT = "bit"
    """One bit of a register; `bit` says which."""
    STRING = "string"
    """Text, two characters a register; `length` says how many."""


class Order(enum.Enum):
    """In which order the bytes of a 32-bit value A B C D (A is highest) come over the wire.

    Of 64-bit values the words come in the same or the turned order, likewise the bytes in them.
    """

    ABCD = "ABCD"
    """Highest word first, as the standard says."""
    CDAB = "CDAB"
    """Lowest word first."""
    BADC = "BADC"
    """Highest word first, bytes swapped."""
    DCBA = "DCBA"
    """Lowest word first, bytes swapped."""

    @property
    def turns_words(self) -> bool:
        """Whether the lowest word comes first."""
        return self in (Order.CDAB, Order.DCBA)

    @property
    def swaps_bytes(self) -> bool:
        """Whether the low byte of a register comes first."""
        return self in (Order.BADC, Order.DCBA)


DTYPES: dict[Type, np.dtype[Any]] = {
    Type.INT16: np.dtype(">i2"),
    Type.UINT16: np.dtype(">u2"),
    Type.INT32: np.dtype(">i4"),
    Type.UINT32: np.dtype(">u4"),
    Type.INT64: np.dtype(">i8"),
    Type.UINT64: np.dtype(">u8"),
    Type.FLOAT32: np.dtype(">f4"),
    Type.FLOAT64: np.dtype(">f8"),
    Type.BOOL: np.dtype(">u2"),
    Type.BIT: np.dtype(">u2"),
}
FLAGS = (Type.BOOL, Type.BIT)
FLOATS = (Type.FLOAT32, Type.FLOAT64)


class ModbusPoint(PointSettings, frozen=True, kw_only=True):
    """One point and where the device keeps it."""

    address: Annotated[int, msgspec.Meta(ge=0, lt=ADDRESSES)]
    """Address on the wire, counted from 0: what a manual calls 40001 is `address = 0` here."""
    table: Table = Table.HOLDING
    """`holding`, `input`, `coil` or `discrete`."""
    type: Type | None = None
    """`int16`, `uint16`, `int32`, `uint32`, `int64`, `uint64`, `float32`, `float64`, `bool`,
    `bit` or `string`; when left out `uint16` for registers and `bool` for coils."""
    bit: Annotated[int, msgspec.Meta(ge=0, le=15)] | None = None
    """For type `bit`: which bit of the register, 0 is the lowest."""
    length: Annotated[int, msgspec.Meta(ge=0, le=250)] = 0
    """For type `string`: how many bytes of text, two a register."""
    scale: float = 1.0
    """The value is what the device sends × `scale` + `offset`."""
    offset: float = 0.0
    """Added after scaling, in `unit`."""
    order: Order | None = None
    """Order of bytes and words, when it is not that of the device."""
    poll_s: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """Seconds from one reading to the next, when they are not those of the device."""

    def __post_init__(self) -> None:
        kind = self.of_type
        if self.table in BIT_TABLES and kind is not Type.BOOL:
            raise ValueError(f"{self.name}: a {self.table.value} is a bool, not a {kind.value}")
        if (kind is Type.BIT) != (self.bit is not None):
            raise ValueError(f"{self.name}: type bit and `bit` (0 to 15) go together")
        if (kind is Type.STRING) != (self.length > 0):
            raise ValueError(f"{self.name}: type string and `length` (1 to 250) go together")
        if self.scale == 0 or not np.isfinite([self.scale, self.offset]).all():
            raise ValueError(f"{self.name}: scale is {self.scale}, offset {self.offset}")
        if self.is_scaled and kind in (*FLAGS, Type.STRING):
            raise ValueError(f"{self.name}: a {kind.value} has neither scale nor offset")
        if self.address + self.width > ADDRESSES:
            raise ValueError(f"{self.name}: ends behind the last address, {ADDRESSES - 1}")

    @property
    def of_type(self) -> Type:
        """Its type, with the default of its table."""
        return self.type or (Type.BOOL if self.table in BIT_TABLES else Type.UINT16)

    @property
    def is_scaled(self) -> bool:
        """Whether the device's figure is not the value itself."""
        return self.scale != 1.0 or self.offset != 0.0

    @property
    def width(self) -> int:
        """How many addresses it takes."""
        if self.of_type is Type.STRING:
            return (self.length + 1) // 2
        return 1 if self.table in BIT_TABLES else DTYPES[self.of_type].itemsize // 2

    @property
    def kind(self) -> Kind:
        """What its values are."""
        kind = self.of_type
        if kind is Type.STRING:
            return Kind.TEXT
        if kind in FLAGS:
            return Kind.BOOLEAN
        return Kind.NUMBER if kind in FLOATS or self.is_scaled else Kind.INTEGER

    @property
    def place(self) -> str:
        """Where it stands, for people: `holding 100.3`."""
        bit = "" if self.bit is None else f".{self.bit}"
        return f"{self.table.value} {self.address}{bit}"


def _steps(scale: float) -> tuple[float, float]:
    """Factor and divisor that stand for the scale: 0.1 is ÷ 10, so that 3 becomes 0.3 exactly."""
    inverse = round(1 / scale) if abs(scale) < 1 else 0
    return (1.0, float(inverse)) if inverse and 1 / inverse == scale else (scale, 1.0)


class Decoder:
    """Turns the registers of one block into values of its points, type by type at once."""

    def __init__(self, points: Sequence[ModbusPoint], start: int, order: Order) -> None:
        self.size = len(points)
        groups: dict[tuple[Type, Order], list[int]] = {}
        for row, point in enumerate(points):
            groups.setdefault((point.of_type, point.order or order), []).append(row)
        self._texts = [
            (row, points[row].address - start, points[row], of.swaps_bytes)
            for (kind, of), rows in groups.items()
            if kind is Type.STRING
            for row in rows
        ]
        self._groups = [
            _Group([points[r] for r in rows], np.array(rows), start, of)
            for (kind, of), rows in groups.items()
            if kind is not Type.STRING
        ]

    def decode(self, words: Words | Bits) -> tuple[npt.NDArray[np.float64], dict[int, str]]:
        """Numbers of shape (n,) in the order of the points, NaN in rows that are in the texts."""
        number = np.full(self.size, np.nan)
        text: dict[int, str] = {}
        if words.dtype == np.bool_:
            for group in self._groups:
                number[group.rows] = words[group.index[:, 0]]
            return number, text
        for group in self._groups:
            number[group.rows] = group.decode(words, text)
        for row, at, point, swapped in self._texts:
            part = words[at : at + point.width]
            raw = (part.byteswap() if swapped else part).astype(">u2").tobytes()[: point.length]
            text[row] = raw.split(b"\0", 1)[0].decode("utf-8", "replace").rstrip()
        return number, text


class _Group:
    """Points of one type and order in one block."""

    def __init__(
        self, points: Sequence[ModbusPoint], rows: npt.NDArray[np.intp], start: int, order: Order
    ) -> None:
        self.rows = rows
        kind = points[0].of_type
        self._dtype = DTYPES[kind]
        self._swapped = order.swaps_bytes
        steps = np.arange(points[0].width)
        if order.turns_words:
            steps = steps[::-1]
        self.index = np.array([p.address - start for p in points])[:, None] + steps
        self._bits = np.array([p.bit or 0 for p in points]) if kind is Type.BIT else None
        self._is_flag = kind is Type.BOOL
        self._exact = np.array([not p.is_scaled for p in points]) & (
            kind in (Type.INT64, Type.UINT64)
        )
        factors = np.array([_steps(p.scale) for p in points])
        self._factor, self._divisor = factors[:, 0], factors[:, 1]
        self._offset = np.array([p.offset for p in points])
        self._is_scaled = any(p.is_scaled for p in points)

    def decode(self, words: Words | Bits, text: dict[int, str]) -> npt.NDArray[np.float64]:
        """Numbers of the group; integers that a float64 cannot hold go into `text`."""
        picked = words[self.index]
        if self._swapped:
            picked = picked.byteswap()
        raw: npt.NDArray[Any] = picked.astype(">u2").view(self._dtype)[:, 0]
        if self._bits is not None:
            return np.asarray((raw >> self._bits) & 1, dtype=np.float64)
        if self._is_flag:
            return np.asarray(raw != 0, dtype=np.float64)
        number = raw.astype(np.float64)
        if self._is_scaled:
            number = number * self._factor / self._divisor + self._offset
        if self._exact.any():
            large = self._exact & ((raw > EXACT_MAX) | (raw < -EXACT_MAX))
            for at in np.flatnonzero(large):
                text[int(self.rows[at])] = str(int(raw[at]))
        return number


def encode(point: ModbusPoint, value: Value, order: Order) -> list[int]:
    """The registers that say the value, in the order of their addresses; of flags, 0 or 1.

    Raises:
        Invalid: the point cannot hold the value.
    """
    order = point.order or order
    kind = point.of_type
    if kind is Type.STRING:
        return _text_words(point, value, order)
    if kind in FLAGS:
        if value not in (0, 1, True, False):
            raise Invalid(f"{point.name} takes true and false, not {value!r}")
        words = np.array([int(value)], dtype=np.uint16)
        return [int(w) for w in (words.byteswap() if order.swaps_bytes else words)]
    if isinstance(value, str):
        raise Invalid(f"{point.name} takes numbers, not the text {value!r}")
    raw = _raw_float(point, value) if kind in FLOATS else _raw_integer(point, value)
    words = np.frombuffer(np.array([raw], dtype=DTYPES[kind]).tobytes(), dtype=">u2")
    if order.turns_words:
        words = words[::-1]
    if order.swaps_bytes:
        words = words.byteswap()
    return [int(w) for w in words]


def _raw_float(point: ModbusPoint, value: float) -> float:
    factor, divisor = _steps(point.scale)
    raw = (float(value) - point.offset) * divisor / factor
    largest = float(np.finfo(DTYPES[point.of_type]).max)
    if np.isfinite(raw) and abs(raw) > largest:
        raise Invalid(f"{point.name} takes at most ±{largest:g} before scaling, not {raw:g}")
    return raw


def _raw_integer(point: ModbusPoint, value: float) -> int:
    raw = value
    if point.is_scaled:
        factor, divisor = _steps(point.scale)
        raw = (float(value) - point.offset) * divisor / factor
    # What the division leaves over is no reason to refuse 12.3 where 0.1 is one step.
    whole = round(raw) if np.isfinite(raw) else 0
    if not np.isfinite(raw) or abs(raw - whole) > 1e-9 * max(1.0, abs(raw)):
        raise Invalid(
            f"{point.name} takes steps of {abs(point.scale):g}, not {value!r}",
            remedy="Round the value to a whole number of steps.",
        )
    low, high = _limits(DTYPES[point.of_type])
    if not low <= whole <= high:
        ends = sorted(_scaled(point, end) for end in (low, high))
        raise Invalid(f"{point.name} takes {ends[0]:g} to {ends[1]:g}, not {value!r}")
    return whole


def _limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    bits = 8 * dtype.itemsize
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if dtype.kind == "i" else (0, (1 << bits) - 1)


def _scaled(point: ModbusPoint, raw: int) -> float:
    factor, divisor = _steps(point.scale)
    return raw * factor / divisor + point.offset


def _text_words(point: ModbusPoint, value: Value, order: Order) -> list[int]:
    raw = value.encode() if isinstance(value, str) else b""
    if not isinstance(value, str) or len(raw) > point.length or "\0" in value:
        raise Invalid(f"{point.name} takes text of at most {point.length} bytes, not {value!r}")
    words = np.frombuffer(raw.ljust(2 * point.width, b"\0"), dtype=">u2")
    return [int(w) for w in (words.byteswap() if order.swaps_bytes else words)]
