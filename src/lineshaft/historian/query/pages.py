"""Where the next page of an answer begins, as clients carry it."""

import base64
import binascii
from typing import Annotated

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.web.times import TIME_NS_MAX

TimeNs = Annotated[int, msgspec.Meta(ge=-TIME_NS_MAX, le=TIME_NS_MAX)]


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """Where the next page begins; times are kept, so that a page asks of the same span."""

    start_ns: TimeNs
    stop_ns: TimeNs
    point: str
    """Empty in wide answers."""
    time_ns: TimeNs


def cursor_of(mark: Mark | None) -> str:
    """The mark as clients give it back; empty for None."""
    if mark is None:
        return ""
    return base64.urlsafe_b64encode(msgspec.json.encode(mark)).decode().rstrip("=")


def mark_of(cursor: str) -> Mark | None:
    """The mark that a cursor stands for; None for the empty one.

    Raises:
        Invalid: it is no cursor of ours.
    """
    if not cursor:
        return None
    try:
        data = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(data, type=Mark)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise Invalid(
            f"{cursor[:40]!r} is not a cursor", remedy="Give back what the last page gave."
        ) from None
