"""Times as people write them in an address: RFC 3339, nanoseconds, or relative to now."""

import re

from lineshaft.core.clock import NS_PER_S, from_iso, now_ns
from lineshaft.core.errors import Invalid

TIME_NS_MAX = 2**63 - 1
_RELATIVE = re.compile(r"^([+-])(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d|w)$", re.ASCII)
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_WHOLE = re.compile(r"^\d{1,19}$", re.ASCII)


def time_ns(text: str, *, now: int | None = None) -> int:
    """Nanoseconds since the epoch, from RFC 3339, whole nanoseconds, `now`, or `-15m`.

    Raises:
        Invalid: the text is none of these, or too far away to be a time.
    """
    word = text.strip()
    here = now_ns() if now is None else now
    if word == "now":
        return here
    found = _RELATIVE.match(word)
    if found:
        delta = round(float(found[2]) * _UNIT_S[found[3]] * NS_PER_S)
        when = here - delta if found[1] == "-" else here + delta
    elif _WHOLE.match(word):
        when = int(word)
    else:
        try:
            # A plus sign that was not escaped arrives as a blank: 2026-01-31T13:45:00+08:00.
            when = from_iso(re.sub(r" (\d{2}:?\d{2})$", r"+\1", word))
        except (Invalid, OverflowError):
            raise Invalid(
                f"{text!r} is not a time",
                remedy="Write RFC 3339 (2026-01-31T13:45:00Z), nanoseconds, `now` or `-15m`.",
            ) from None
    if not -TIME_NS_MAX <= when <= TIME_NS_MAX:
        raise Invalid(f"{text!r} is too far away to be a time", remedy="Ask for a time near now.")
    return when


def span_ns(start: str, stop: str) -> tuple[int, int]:
    """Start and stop of a question, both relative to the same now.

    Raises:
        Invalid: one is not a time, or they are in the wrong order.
    """
    now = now_ns()
    start_ns, stop_ns = time_ns(start, now=now), time_ns(stop, now=now)
    if start_ns >= stop_ns:
        raise Invalid(
            f"start {start!r} is not before stop {stop!r}", remedy="Swap them, or widen the span."
        )
    return start_ns, stop_ns
