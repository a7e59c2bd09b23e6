"""What an alarm watches, as a signal: the point itself, or an expression whose rows are judged.

Source: the alarm types of OPC UA Part 9 (OPC 10000-9 v1.05), 5.8.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from lineshaft.core.access import SYSTEM, Identity
from lineshaft.core.errors import Invalid
from lineshaft.core.path import parent
from lineshaft.core.point import Kind, Point
from lineshaft.operations import Names
from lineshaft.operations.alarms.rules import AlarmGroup
from lineshaft.operations.alarms.settings import Alarm
from lineshaft.operations.expressions.expression import Expression, compile_expression
from lineshaft.operations.expressions.messages import WrongExpression
from lineshaft.operations.expressions.parsing import parse
from lineshaft.operations.expressions.tree import Type

SECOND_NS = 1_000_000_000
_PER = {"s": 1, "min": 60, "h": 3600}
TEXTS = (Kind.TEXT, Kind.JSON)
"""Kinds of points that no number comes from."""
BESIDE_MAX = 1000
"""Points beside the alarm's that are named when a name is unknown."""


class Formula(msgspec.Struct, frozen=True, kw_only=True):
    """An expression that an alarm needs, before it is compiled."""

    text: str
    names: dict[str, str]
    branch: str
    """Where short names are looked for that `names` does not have."""
    wants: Type
    wait_ns: int

    @property
    def key(self) -> str:
        """The same for formulas that share an evaluator; never a path."""
        named = json.dumps(self.names, sort_keys=True)
        return f"={self.wants.value}:{self.wait_ns}:{self.branch}:{named}:{self.text}"


def watched(alarm: Alarm) -> Formula | None:
    """What the alarm watches; None where that is the point itself."""
    text = alarm.when or _text_of_condition(alarm)
    if text:
        return _formula(alarm, text, Type.BOOL)
    text = alarm.value or _text_of_measure(alarm)
    return _formula(alarm, text, Type.DOUBLE) if text else None


def suppressors(alarm: Alarm, groups: Mapping[str, AlarmGroup]) -> dict[str, Formula]:
    """What suppresses it by design: `state` of its own, `group` of its group."""
    found = {}
    if alarm.suppress_when:
        found["state"] = _formula(alarm, alarm.suppress_when, Type.BOOL)
    group = groups.get(alarm.group)
    if group and group.suppress_when:
        found["group"] = of_group(group)
    return found


def of_group(group: AlarmGroup) -> Formula:
    """What suppresses all alarms of a group."""
    return Formula(
        text=group.suppress_when,
        names=group.names,
        branch="",
        wants=Type.BOOL,
        wait_ns=SECOND_NS,
    )


def formulas(alarm: Alarm, groups: Mapping[str, AlarmGroup]) -> list[Formula]:
    """All expressions that it needs."""
    own = watched(alarm)
    return [*([own] if own else []), *suppressors(alarm, groups).values()]


def stale_key(alarm: Alarm) -> str:
    """The expression by which an alarm watches whether samples come."""
    formula = watched(alarm)
    return formula.key if formula else ""


def blind(alarm: Alarm, names: Names) -> str:
    """Why the bare point that an alarm watches never makes it ring; empty where it may."""
    if watched(alarm) is not None:
        return ""
    point = names.find(alarm.point)
    if point is None:
        return f"alarm {alarm.name!r} waits for the point {alarm.point!r}, which nobody has named"
    if point.kind in TEXTS:
        return f"alarm {alarm.name!r} wants numbers, {point.path!r} has {point.kind.value}"
    return ""


def texts_among(alarms: Iterable[Alarm], names: Names) -> frozenset[str]:
    """The points of alarms that have texts: digits in them are no number."""
    found = (names.find(a.point) for a in alarms)
    return frozenset(p.path for p in found if p is not None and p.kind in TEXTS)


def check_formula(what: str, formula: Formula) -> None:
    """See that the text is an expression, as far as that shows without points.

    Raises:
        Invalid: it is none; the message names `what`.
    """
    try:
        parse(formula.text)
    except WrongExpression as error:
        raise Invalid(f"{what}: {error}", remedy=error.remedy) from error


def check_texts(alarms: Iterable[Alarm], groups: Iterable[AlarmGroup]) -> None:
    """See that all that is written as an expression is one.

    Raises:
        Invalid: something is not; the message names alarm or group, and the place.
    """
    for alarm in alarms:
        for formula in formulas(alarm, {}):
            check_formula(f"alarm {alarm.name!r}", formula)
    for group in groups:
        if group.suppress_when:
            check_formula(f"alarm group {group.name!r}", of_group(group))


def compiled(
    what: str, formula: Formula, names: Names, sees: Callable[[str], bool] = lambda _: True
) -> Expression:
    """The expression over those points of the plant that `sees` allows.

    Raises:
        Invalid: a point is unknown, or types or units do not agree; the message names `what`.
    """
    try:
        return compile_expression(formula.text, _Near(formula, names, sees), wants=formula.wants)
    except WrongExpression as error:
        raise Invalid(f"{what}: {error}", remedy=error.remedy) from error


def _formula(alarm: Alarm, text: str, wants: Type) -> Formula:
    return Formula(
        text=text,
        names=alarm.names,
        branch=parent(alarm.point),
        wants=wants,
        wait_ns=int(alarm.wait_s * SECOND_NS),
    )


def _text_of_condition(alarm: Alarm) -> str:
    if not (alarm.stale_s or alarm.discrepancy):
        return ""
    here = _named(alarm.point)
    if alarm.stale_s:
        return f"stale({here}, '{max(round(alarm.stale_s * 1000), 1)}ms') || !has({here})"
    if alarm.discrepancy:
        command = _named(alarm.discrepancy.command)
        if alarm.discrepancy.tolerance:
            return f"abs({here} - {command}) > {alarm.discrepancy.tolerance!r}"
        return f"{here} != {command}"
    return ""


def _text_of_measure(alarm: Alarm) -> str:
    if alarm.deviation_from is None and alarm.rate is None:
        return ""
    here, text = _named(alarm.point), ""
    if alarm.deviation_from is not None:
        other = alarm.deviation_from
        text = f"{here} - {_named(other) if isinstance(other, str) else repr(float(other))}"
    elif alarm.rate is not None:
        times = _PER[alarm.rate.per]
        text = f"rate({here}, '{alarm.rate.over}')" + (f" * {times}" if times > 1 else "")
    signed = alarm.lo is not None or alarm.lolo is not None
    return text if signed or not text else f"abs({text})"


def _named(path: str) -> str:
    return f"point({json.dumps(path, ensure_ascii=False)})"


class NoNames:
    """A namespace without points, for alarms that watch points and nothing else."""

    version: int = 0

    def under(self, branch: str, who: Identity) -> list[str]:
        """None."""
        return []

    def find(self, path: str) -> Point | None:
        """None, whatever the path."""
        return None

    def declare(self, points: Iterable[Point]) -> None:
        """Nothing is taken in."""


class _Near(Mapping[str, Point]):
    """The points of the plant by path, and those of a formula by short name."""

    def __init__(self, formula: Formula, names: Names, sees: Callable[[str], bool]) -> None:
        self._formula, self._names, self._sees = formula, names, sees

    def __getitem__(self, name: str) -> Point:
        path = self._formula.names.get(name, name)
        found = self._names.find(path)
        if found is None and path == name and "/" not in name:
            found = self._names.find(f"{self._formula.branch}/{name}")
        if found is None or not self._sees(found.path):
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        yield from self._formula.names
        beside = self._names.under(self._formula.branch, SYSTEM)[:BESIDE_MAX]
        yield from (p.rpartition("/")[2] for p in beside if self._sees(p))

    def __len__(self) -> int:
        return len(list(iter(self)))
