"""Lists that are given out in parts."""

import base64
import binascii
from typing import Generic, TypeVar

import msgspec

from lineshaft.core.errors import Invalid

T = TypeVar("T")

LIMIT_MAX = 1000


class Items(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Part of a list, and how to go on."""

    items: list[T]
    cursor: str = ""
    """Give it back for the next part; empty when this is the last."""


def check_limit(limit: int) -> int:
    """The limit itself.

    Raises:
        Invalid: it is outside 1 to `LIMIT_MAX`.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise Invalid(f"limit is {limit}, wanted 1 to {LIMIT_MAX}", remedy="Ask for more pages.")
    return limit


def cursor_of(key: str) -> str:
    """A cursor that says: go on after this key."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=") if key else ""


def key_of(cursor: str) -> str:
    """The key that a cursor goes on after; empty for the beginning.

    Raises:
        Invalid: the text is no cursor.
    """
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise Invalid(
            f"{cursor[:40]!r} is not a cursor", remedy="Give back what the last page gave."
        ) from None
