"""Typed values of the query language: literals, casts, comparisons.

Source: IDTA-01002 v3.1, Query Language, Casting and Comparison Operators.
"""

import datetime as dt
import enum
import operator
import re
from collections.abc import Callable
from typing import Any

import msgspec

from lineshaft.core.clock import NS_PER_S, from_iso, to_iso
from lineshaft.core.errors import Invalid
from lineshaft.twins import index


class Kind(enum.Enum):
    """Type of a value."""

    STR = "string"
    NUM = "number"
    HEX = "hex"
    BOOL = "boolean"
    DATETIME = "dateTime"
    TIME = "time"


class Value(msgspec.Struct, frozen=True):
    """A value with its type."""

    kind: Kind
    it: str | float | int | bool
    """Text; 64-bit float; whole number; boolean; nanoseconds since the epoch, since midnight."""


_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]{1,9}))?)?Z?")
_HEX = re.compile(r"(?:16#)?([0-9A-Fa-f]{1,512})")
HEX_NUMBER_MAX = 2**63
_DAY_NS = 86_400 * NS_PER_S

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$ne": operator.ne,
    "$gt": operator.gt,
    "$ge": operator.ge,
    "$lt": operator.lt,
    "$le": operator.le,
}
MIRRORED = {"$eq": "$eq", "$ne": "$ne", "$gt": "$lt", "$ge": "$le", "$lt": "$gt", "$le": "$ge"}
"""The comparison with its sides changed."""
SEARCH: dict[str, Callable[[str, str], bool]] = {
    "$contains": lambda text, part: part in text,
    "$starts-with": str.startswith,
    "$ends-with": str.endswith,
}


def text(value: str) -> Value:
    """A value of type string."""
    return Value(Kind.STR, value)


def compared(word: str, left: Value, right: Value) -> bool:
    """Whether the comparison holds; never between values of different types."""
    if left.kind is not right.kind:
        return False
    if left.kind is Kind.BOOL and word in ("$gt", "$lt"):
        return False
    if left.kind is Kind.BOOL and word in ("$ge", "$le"):
        return left.it == right.it
    return COMPARE[word](left.it, right.it)


def cast(kind: Kind, value: Value) -> Value | None:
    """The value as one of another type; None when it is none of that type."""
    if value.kind is kind:
        return value
    made = _CASTS[kind](value)
    return None if made is None else Value(kind, made)


def parse(kind: Kind, written: str) -> Value | None:
    """A value of that type from its text; None when it is none."""
    return cast(kind, text(written))


def _to_str(value: Value) -> str | None:
    match value.kind, value.it:
        case Kind.NUM, float(it):
            return str(int(it)) if it.is_integer() else str(it)
        case Kind.BOOL, it:
            return "true" if it else "false"
        case Kind.HEX, int(it):
            return f"16#{it:X}"
        case Kind.DATETIME, int(it):
            return _iso(it)
        case Kind.TIME, int(it):
            return to_iso(it).partition("T")[2].removesuffix("Z")
        case _:
            return None


def _iso(time_ns: int) -> str | None:
    try:
        return to_iso(time_ns)
    except (ValueError, OverflowError):  # before the year 1, by its zone
        return None


def _to_num(value: Value) -> float | None:
    match value.kind, value.it:
        case Kind.STR, str(it):
            return index.number(it)
        case Kind.BOOL | Kind.HEX, int(it):
            return float(it) if abs(it) < HEX_NUMBER_MAX else None
        case _:
            return None


def _to_hex(value: Value) -> int | None:
    match value.kind, value.it:
        case Kind.STR, str(it):
            return int(found[1], 16) if (found := _HEX.fullmatch(it)) else None
        case Kind.NUM, float(it):
            return int(it) if it.is_integer() and it >= 0 else None
        case _:
            return None


def _to_bool(value: Value) -> bool | None:
    match value.kind, value.it:
        case Kind.STR, it:
            return {"true": True, "1": True, "false": False, "0": False}.get(str(it))
        case Kind.NUM, it:
            return it != 0
        case _:
            return None


def _to_datetime(value: Value) -> int | None:
    if value.kind is not Kind.STR or "T" not in (it := str(value.it)):
        return None
    try:
        return from_iso(it)
    except (Invalid, OverflowError):
        return None


def _to_time(value: Value) -> int | None:
    if value.kind is Kind.DATETIME:
        return int(value.it) % _DAY_NS
    if value.kind is not Kind.STR:
        return None
    if (found := _TIME.fullmatch(str(value.it))) is None:
        moment = _to_datetime(value)
        return None if moment is None else moment % _DAY_NS
    seconds = int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3] or 0)
    return seconds * NS_PER_S + int((found[4] or "").ljust(9, "0"))


_CASTS: dict[Kind, Callable[[Value], str | float | int | bool | None]] = {
    Kind.STR: _to_str,
    Kind.NUM: _to_num,
    Kind.HEX: _to_hex,
    Kind.BOOL: _to_bool,
    Kind.DATETIME: _to_datetime,
    Kind.TIME: _to_time,
}


def part(word: str, value: Value) -> Value | None:
    """`$dayOfWeek` (Monday is 1), `$dayOfMonth`, `$month` or `$year` of a date, in UTC."""
    moment = cast(Kind.DATETIME, value)
    if moment is None:
        return None
    day = dt.date(1970, 1, 1).toordinal() + int(moment.it) // _DAY_NS
    if not 1 <= day <= dt.date.max.toordinal():
        return None
    date = dt.date.fromordinal(day)
    numbers = {
        "$dayOfWeek": date.isoweekday(),
        "$dayOfMonth": date.day,
        "$month": date.month,
        "$year": date.year,
    }
    return Value(Kind.NUM, float(numbers[word]))
