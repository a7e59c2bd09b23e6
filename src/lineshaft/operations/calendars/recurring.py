"""How much the events of an iCalendar file may ask for, seen before any of them is laid out."""

import datetime as dt
from typing import Any

from lineshaft.core.errors import Invalid

FIRST_YEAR = 1900
LASTS_MAX = dt.timedelta(days=400)
PER_DAY_MAX = 96
"""Occurrences of one event on one day: every quarter of an hour."""
RARE = {"DAILY": 1.0, "WEEKLY": 1 / 7, "MONTHLY": 1 / 28, "YEARLY": 1 / 28}
"""Occurrences a day of a rule without parts, at most."""


def check_event(event: Any) -> tuple[float, int]:  # noqa: ANN401 - the library has no useful types
    """How many occurrences an event has a day by its rules, and how many besides.

    Raises:
        Invalid: it recurs more often than shifts do, is older or lasts longer than any.
    """
    name = str(event.get("SUMMARY", event.get("UID", "")))[:80]
    start, lasts = event.start, event.end - event.start
    if start.year < FIRST_YEAR or lasts > LASTS_MAX:
        raise Invalid(
            f"event {name!r} begins in {start.year} and lasts {lasts.days} days, wanted"
            f" {FIRST_YEAR} or later and at most {LASTS_MAX.days}",
            remedy="Export the shifts alone.",
        )
    per_day = sum(_per_day(name, rule) for rule in _listed(event.get("RRULE")))
    return per_day, 1 + sum(len(dates.dts) for dates in _listed(event.get("RDATE")))


def _per_day(name: str, rule: Any) -> float:  # noqa: ANN401
    freq = str(_one(rule, "FREQ", "")).upper()
    interval = int(_one(rule, "INTERVAL", 1))
    times = 1
    for part in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        times *= max(len(_listed(rule.get(part))), 1)
    if freq not in RARE or interval < 1 or times > PER_DAY_MAX:
        raise Invalid(
            f"event {name!r} recurs {freq.lower()}, every {interval}, {times} times a day, wanted"
            f" daily or rarer and at most {PER_DAY_MAX} times",
            remedy="Write FREQ=DAILY, with BYHOUR for several times a day.",
        )
    days = [
        len(_listed(rule.get(part))) / length
        for part, length in (("BYDAY", 7), ("BYMONTHDAY", 28), ("BYYEARDAY", 365))
    ]
    return times * max(RARE[freq], *days)


def _one(rule: Any, part: str, default: object) -> Any:  # noqa: ANN401
    found = _listed(rule.get(part))
    return found[0] if found else default


def _listed(value: Any) -> list[Any]:  # noqa: ANN401
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
