"""A point: what is measured, in which unit, within which range."""

import enum

import msgspec

Value = bool | int | float | str
"""What one sample can hold. JSON values travel as their text."""

EXACT_MAX = 2**53
"""Beyond ±this a float64 no longer counts in ones, so the integer stands in text."""


class Kind(enum.Enum):
    """What the values of a point are."""

    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    ENUM = "enum"
    TEXT = "text"
    JSON = "json"


class Point(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One point of the unified namespace, declared once, by whoever reads it."""

    path: str
    """Its name in the namespace; see `core.path`."""
    kind: Kind = Kind.NUMBER
    """What its values are."""
    unit: str = ""
    """UCUM code of the unit (`Cel`, `bar`, `kW`); empty when it has none."""
    low: float | None = None
    """Lower end of the range that the value is expected in, in `unit`."""
    high: float | None = None
    """Upper end of that range."""
    description: str = ""
    """One sentence for people."""
    names: dict[str, str] = {}
    """For kind `enum`: the name of each value, `{"0": "stopped", "1": "running"}`."""
    class_: str = msgspec.field(default="", name="class")
    """Semantic identifier of what it is (an IRDI or IRI), for twins."""
    source: str = ""
    """Name of the driver that reads it."""
    address: str = ""
    """Where the driver finds it, in the words of its protocol."""
    writable: bool = False
    """Whether the settings allow to write it."""


def value_of(kind: Kind, number: float | None, text: str | None) -> Value | None:
    """The value of a sample from its two columns; None when it carries none."""
    if text is not None:
        return int(text) if kind is Kind.INTEGER else text
    if number is None:
        return None
    if kind is Kind.BOOLEAN:
        return bool(number)
    if kind in (Kind.INTEGER, Kind.ENUM) and number.is_integer():
        return int(number)
    return number
