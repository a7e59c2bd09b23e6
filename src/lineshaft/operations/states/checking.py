"""Whether work units and reasons can be, as far as that shows without a namespace."""

from collections.abc import Sequence

from lineshaft.core.errors import Invalid
from lineshaft.core.path import check_path
from lineshaft.operations.expressions.parsing import parse
from lineshaft.operations.states.settings import Reason, ReasonRule, WorkUnit

NAME_CHARS_MAX = 100


def check_work_units(
    units: Sequence[WorkUnit], reasons: Sequence[Reason], rules: Sequence[ReasonRule] = ()
) -> None:
    """See that every work unit, every reason and every reason rule can be.

    Raises:
        Invalid: one cannot; the message names it.
    """
    codes = _check_reasons(reasons)
    _check_rules(rules, codes)
    paths: set[str] = set()
    for unit in units:
        if unit.path in paths:
            raise Invalid(f"work unit {unit.path!r} stands twice", remedy="Remove one of them.")
        paths.add(unit.path)
        _check_unit(unit, codes)


def _check_unit(unit: WorkUnit, codes: set[str]) -> None:
    check_path(unit.path)
    if unit.states and unit.packml:
        raise Invalid(
            f"work unit {unit.path!r} has both `states` and `packml`",
            remedy="Keep `packml` if the machine speaks it, else `states`.",
        )
    if unit.packml_mode and not unit.packml:
        raise Invalid(
            f"work unit {unit.path!r} has `packml_mode` without `packml`",
            remedy="Name the point of the PackML state too.",
        )
    names: set[str] = set()
    for rule in unit.states:
        if not 0 < len(rule.name.strip()) <= NAME_CHARS_MAX or rule.name in names:
            raise Invalid(
                f"work unit {unit.path!r}: state {rule.name!r} is empty, too long or stands twice",
                remedy=f"Give each state its own name of at most {NAME_CHARS_MAX} characters.",
            )
        names.add(rule.name)
        if rule.reason and rule.reason not in codes:
            raise Invalid(
                f"work unit {unit.path!r}: state {rule.name!r} gives the reason {rule.reason!r},"
                " which no table [[reasons]] has",
                remedy="Add the reason, or correct its code.",
            )


def _check_rules(rules: Sequence[ReasonRule], codes: set[str]) -> None:
    names: set[str] = set()
    for rule in rules:
        if not 0 < len(rule.name.strip()) <= NAME_CHARS_MAX or rule.name in names:
            raise Invalid(
                f"reason rule {rule.name!r} is empty, too long or stands twice",
                remedy=f"Give each rule its own name of at most {NAME_CHARS_MAX} characters.",
            )
        names.add(rule.name)
        if rule.code not in codes:
            raise Invalid(
                f"reason rule {rule.name!r} gives the reason {rule.code!r}, which no table"
                " [[reasons]] has",
                remedy="Add the reason, or correct its code.",
            )
        for branch in rule.units:
            check_path(branch)
        try:
            parse(rule.when)
        except Invalid as error:
            raise Invalid(f"reason rule {rule.name!r}: {error}", remedy=error.remedy) from error


def _check_reasons(reasons: Sequence[Reason]) -> set[str]:
    parents = {r.code: r.parent for r in reasons}
    if len(parents) < len(reasons):
        twice = sorted({r.code for r in reasons if sum(o.code == r.code for o in reasons) > 1})
        raise Invalid(f"reasons {twice} stand twice", remedy="Give each its own code.")
    for reason in reasons:
        if not reason.code.strip() or len(reason.code) > NAME_CHARS_MAX:
            raise Invalid(f"a reason has the code {reason.code!r}", remedy="Give it a short one.")
        if reason.parent and reason.parent not in parents:
            raise Invalid(
                f"reason {reason.code!r} has the parent {reason.parent!r}, which is none",
                remedy="Add the parent as a reason, or leave `parent` out.",
            )
        _check_way_up(reason.code, parents)
    return set(parents)


def _check_way_up(code: str, parents: dict[str, str]) -> None:
    way = [code]
    while parents[way[-1]] in parents:
        way.append(parents[way[-1]])
        if way[-1] == code or len(way) > len(parents):
            raise Invalid(
                f"reasons stand in a circle: {' below '.join(way)}", remedy="Cut it at one."
            )
