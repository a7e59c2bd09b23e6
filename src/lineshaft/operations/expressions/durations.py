"""Lengths of time as they are written: `5m`, `1h30m`, `0.5s`."""

import re
from decimal import Decimal

from lineshaft.core.clock import NS_PER_S

_UNITS = {
    "d": 86_400 * NS_PER_S,
    "h": 3_600 * NS_PER_S,
    "m": 60 * NS_PER_S,
    "s": NS_PER_S,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
_WHOLE = re.compile(r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:d|h|ms|m|s|us|ns))+|[-+]?0", re.ASCII)
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(d|h|ms|m|s|us|ns)", re.ASCII)
DURATION_CHARS_MAX = 100
NS_MAX = 2**62


def duration_ns(text: str) -> int | None:
    """Nanoseconds; None when the text is no length of time. Days are an addition to CEL's units."""
    if len(text) > DURATION_CHARS_MAX or not _WHOLE.fullmatch(text):
        return None
    total = sum(Decimal(n) * _UNITS[unit] for n, unit in _PART.findall(text))
    ns = int(-total if text.startswith("-") else total)
    return ns if -NS_MAX < ns < NS_MAX else None
