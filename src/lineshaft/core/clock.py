"""The only place that asks what time it is."""

import datetime as dt
import re
import secrets
import threading
import time

from lineshaft.core.errors import Invalid

NS_PER_US = 1_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

_ISO = re.compile(r"^(.*?\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?(Z|z|[+-]\d{2}:?\d{2})?$")


def now_ns() -> int:
    """Nanoseconds since the Unix epoch, UTC."""
    return time.time_ns()


def to_iso(time_ns: int) -> str:
    """The time as RFC 3339 text in UTC, with as many digits as it needs."""
    seconds, rest = divmod(time_ns, NS_PER_S)
    text = dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    digits = f"{rest:09d}".rstrip("0")
    return f"{text}.{digits}Z" if digits else f"{text}Z"


def from_iso(text: str) -> int:
    """Nanoseconds since the epoch from RFC 3339 text; a time without a zone is UTC.

    Raises:
        Invalid: the text is not a time.
    """
    found = _ISO.match(text.strip())
    try:
        whole = dt.datetime.fromisoformat((found[1] + (found[3] or "Z")) if found else text.strip())
    except ValueError:
        raise Invalid(
            f"{text!r} is not a time", remedy="Write it as 2026-01-31T13:45:00Z."
        ) from None
    if whole.tzinfo is None:
        whole = whole.replace(tzinfo=dt.UTC)
    delta = whole - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    rest_ns = int((found[2] or "").ljust(9, "0")) if found else delta.microseconds * NS_PER_US
    return (delta.days * 86_400 + delta.seconds) * NS_PER_S + rest_ns


class _Rising:
    """Milliseconds and 12 bits below them, each time more than before, whatever the clock does."""

    def __init__(self) -> None:
        self._last, self._lock = 0, threading.Lock()

    def next(self) -> int:
        with self._lock:
            stamp = now_ns() // NS_PER_MS & ((1 << 48) - 1)
            self._last = max(stamp << 12 | secrets.randbits(11), self._last + 1)
            return self._last


_rising = _Rising()


def uuid7() -> str:
    """A new identifier that sorts by the time it was made (RFC 9562, version 7).

    Those of one process rise one after the other, also within a millisecond, and while the clock
    is set back.
    """
    stamp, below = divmod(_rising.next(), 1 << 12)
    value = stamp << 80 | 0x7 << 76 | below << 64 | 0b10 << 62 | secrets.randbits(62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def made_ns(id_: str) -> int:
    """When an identifier of `uuid7` was made, to the millisecond."""
    return int(id_[:8] + id_[9:13], 16) * NS_PER_MS
