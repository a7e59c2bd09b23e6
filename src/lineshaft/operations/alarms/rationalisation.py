"""The rationalisation list: why each alarm exists, and which of them nobody has thought through.

Source: ISA-18.2-2016, 9 (rationalisation): cause, consequence, action and time to respond.
"""

import csv
import io
from collections.abc import Iterable

import msgspec

from lineshaft.operations.alarms.rules import priority_of
from lineshaft.operations.alarms.settings import Alarm

COLUMNS = (
    "name",
    "point",
    "group",
    "priority",
    "limits",
    "cause",
    "consequence",
    "action",
    "respond_s",
    "missing",
)


class Rationale(msgspec.Struct, frozen=True, kw_only=True):
    """What is written down of one alarm."""

    name: str
    point: str
    group: str
    priority: str
    """The gravest that it may have."""
    limits: str
    """As in `HI 60 (medium), HIHI 68 (high)`, or the expression."""
    cause: str
    consequence: str
    action: str
    respond_s: float
    missing: list[str]
    """Which of cause, consequence, action and respond_s nobody has written down."""


def rationale(alarm: Alarm) -> Rationale:
    """The line of an alarm."""
    advice = alarm.advice
    wanted = ("cause", "consequence", "action", "respond_s")
    return Rationale(
        name=alarm.name,
        point=alarm.point,
        group=alarm.group,
        priority=priority_of(alarm.severity()).value,
        limits=limits_of(alarm),
        cause=advice.cause,
        consequence=advice.consequence,
        action=advice.action,
        respond_s=advice.respond_s,
        missing=[field for field in wanted if not getattr(advice, field)],
    )


def limits_of(alarm: Alarm) -> str:
    """What it watches, in one line."""
    if alarm.when:
        return alarm.when
    if alarm.stale_s:
        return f"stale for {alarm.stale_s:g} s"
    if alarm.discrepancy:
        return f"not {alarm.discrepancy.command} within {alarm.discrepancy.within_s:g} s"
    of = alarm.value
    if alarm.deviation_from is not None:
        of = f"deviation from {alarm.deviation_from}"
    elif alarm.rate:
        of = f"rate over {alarm.rate.over} per {alarm.rate.per}"
    given = (f"{n.upper()} {x.value:g} ({x.priority.value})" for n, x in alarm.limits().items())
    return ", ".join(given) + (f" of {of}" if of else "")


def as_csv(lines: Iterable[Rationale]) -> str:
    """The list for a spreadsheet; no cell is taken for a formula there."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for line in lines:
        cells = [getattr(line, c) for c in COLUMNS[:-1]]
        writer.writerow([*map(_cell, cells), " ".join(line.missing)])
    return out.getvalue()


def _cell(value: object) -> object:
    dangerous = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{value}" if dangerous else value
