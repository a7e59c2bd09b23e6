"""The few messages of Flight SQL that are needed, in the wire format of Protocol Buffers.

Source: FlightSql.proto of Apache Arrow; each message travels inside a google.protobuf.Any.
"""

from typing import NamedTuple

from lineshaft.core.errors import Invalid

_URL = "type.googleapis.com/arrow.flight.protocol.sql."
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Fields = dict[int, list[bytes | int]]
"""Values of each field, by its number."""


class Message(NamedTuple):
    """A message of Flight SQL."""

    name: str
    """As `CommandStatementQuery`."""
    fields: Fields

    def text(self, number: int) -> str | None:
        """A field that holds text; None when it is not there.

        Raises:
            Invalid: it holds something else.
        """
        value = self.bytes(number)
        try:
            return None if value is None else value.decode()
        except UnicodeDecodeError:
            raise Invalid(f"field {number} of {self.name} is no text") from None

    def bytes(self, number: int) -> bytes | None:
        """A field that holds bytes; None when it is not there."""
        values = self.fields.get(number, [])
        return next((v for v in reversed(values) if isinstance(v, bytes)), None)

    def flag(self, number: int) -> bool:
        """A field that is true or false."""
        return any(self.fields.get(number, []))

    def numbers(self, number: int) -> list[int]:
        """A repeated field of whole numbers, packed or not."""
        found: list[int] = []
        for value in self.fields.get(number, []):
            if isinstance(value, int):
                found.append(value)
                continue
            at = 0
            while at < len(value):
                one, at = _varint(value, at)
                found.append(one)
        return found

    def texts(self, number: int) -> list[str]:
        """A repeated field of texts."""
        values = self.fields.get(number, [])
        return [v.decode(errors="replace") for v in values if isinstance(v, bytes)]


def read(data: bytes) -> Message:
    """The message inside an Any.

    Raises:
        Invalid: it is none of Flight SQL.
    """
    outer = Message("Any", _fields(data))
    url = outer.text(1) or ""
    if not url.startswith(_URL):
        raise Invalid(
            "the request is no message of Flight SQL",
            remedy="Use a client of Flight SQL (ADBC, JDBC).",
        )
    return Message(url.removeprefix(_URL), _fields(outer.bytes(2) or b""))


def write(name: str, fields: dict[int, bytes]) -> bytes:
    """A message inside an Any."""
    inner = b"".join(_field(n, v) for n, v in fields.items())
    return _field(1, (_URL + name).encode()) + _field(2, inner)


def _field(number: int, value: bytes) -> bytes:
    return _encoded(number << 3 | _BYTES) + _encoded(len(value)) + value


def _encoded(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _fields(data: bytes) -> Fields:
    found: Fields = {}
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        value: bytes | int
        if kind == _VARINT:
            value, at = _varint(data, at)
        else:
            if kind == _BYTES:
                length, at = _varint(data, at)
            elif kind in (_FIXED32, _FIXED64):
                length = 4 if kind == _FIXED32 else 8
            else:
                raise _broken()
            if at + length > len(data):
                raise _broken()
            value, at = data[at : at + length], at + length
        found.setdefault(number, []).append(value)
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:  # noqa: PLR2004 - bits of the longest number
            raise _broken()
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte
            return value, at
        shift += 7


def _broken() -> Invalid:
    return Invalid("the message is cut off or damaged", remedy="Send it again.")
