"""Values of the XML Schema types, as text in documents, as JSON in value-only form (IDTA-01001)."""

import math
import re
from decimal import Decimal
from typing import Final

from aas_core3_1.stringification import data_type_def_xsd_from_str
from aas_core3_1.verification import value_consistent_with_xsd_type

Scalar = str | int | float | bool
"""What a value of one of the types is in JSON."""

INTEGERS: Final = frozenset(
    f"xs:{name}"
    for name in (
        "integer",
        "long",
        "int",
        "short",
        "byte",
        "nonNegativeInteger",
        "positiveInteger",
        "unsignedLong",
        "unsignedInt",
        "unsignedShort",
        "unsignedByte",
        "nonPositiveInteger",
        "negativeInteger",
    )
)
FLOATS: Final = frozenset(("xs:double", "xs:float"))
NUMBERS: Final = INTEGERS | FLOATS | {"xs:decimal"}

URI_MAX = 8192
"""Longest text of an `xs:anyURI`: matching longer ones takes minutes, and nobody follows them."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_DECIMAL = re.compile(r"[+-]?([0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20})")
_DOUBLE = re.compile(r"[+-]?([0-9]{1,400}(\.[0-9]{0,400})?|\.[0-9]{1,400})([Ee][+-]?[0-9]{1,4})?")
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_INTEGER_MIN, _INTEGER_MAX = -(2**63), 2**64 - 1


def to_json(value_type: str, text: str) -> Scalar:
    """The value as JSON.

    A number that JSON does not carry exactly (an integer beyond 64 bits, a decimal with more digits
    than a double, INF, NaN) stays its text, and so does what is no value of the type.
    """
    if value_type in INTEGERS:
        return _integer(text)
    if value_type == "xs:boolean":
        return _BOOLEANS.get(text, text)
    if value_type in FLOATS and _DOUBLE.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    if value_type == "xs:decimal" and _DECIMAL.fullmatch(text):
        if _INTEGER.fullmatch(text):
            return _integer(text)
        number = float(text)
        return number if Decimal(repr(number)) == Decimal(text) else text
    return text


def from_json(value_type: str, value: object) -> str | None:
    """The text for a document, or None if `value` is no value of the type.

    For a number its text is taken too, as `to_json` gives it where JSON cannot carry it.
    """
    kind = data_type_def_xsd_from_str(value_type)
    try:
        text = value if isinstance(value, str) else _text(value_type, value)
        if value_type == "xs:anyURI" and text is not None and len(text) > URI_MAX:
            return None
        # A type that the metamodel does not know constrains nothing; checking the document tells.
        if text is None or kind is None or value_consistent_with_xsd_type(text, kind):
            return text
    except ValueError:  # more digits than Python turns into an integer
        pass
    return None


def _integer(text: str) -> Scalar:
    if not _INTEGER.fullmatch(text):
        return text
    number = int(text)
    return number if _INTEGER_MIN <= number <= _INTEGER_MAX else text


def _text(value_type: str, value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower() if value_type == "xs:boolean" else None
    if not isinstance(value, int | float) or value_type not in NUMBERS:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "INF", -math.inf: "-INF"}.get(value, "NaN")
    if isinstance(value, float) and value_type in FLOATS:
        return repr(value)
    if isinstance(value, float) and value.is_integer() and value_type in INTEGERS:
        return str(int(value))
    return format(Decimal(repr(value)), "f")
