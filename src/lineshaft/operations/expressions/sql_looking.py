"""Functions that look back in time, as window functions of SQL over the rows of all times."""

from collections.abc import Callable, Mapping

from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid
from lineshaft.operations.expressions.sql_text import (
    BAD,
    INITIAL,
    NO_DATA,
    SUB_NORMAL,
    UNCERTAIN,
    WAITING,
    Cell,
)
from lineshaft.operations.expressions.tree import Timed, Type

Put = Callable[[str, int], str]
"""Makes a column of those of a level, and gives its name."""
UP_TO_NOW = "(ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
BEFORE = "(ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"


class _Look:
    """One function, with its argument on a level."""

    def __init__(self, put: Put, node: Timed, arg: Cell, every_ns: int) -> None:
        self.put = put
        self.node = node
        self.arg = arg
        self.level = arg.level
        starts = [f"s{number}" for number in sorted(node.arg.inputs)]
        own = " OR ".join(f"{s} = t" for s in starts)
        self.sampled = f"coalesce({own}, false)"
        """Whether an input has a sample right then."""
        self.own = self.sampled
        if node.arg.clocked and every_ns:
            begun = f"coalesce({', '.join(starts)}, NULL) IS NOT NULL"
            self.own = f"({self.sampled} OR (t % {every_ns} = 0 AND {begun}))"
        self.usable = f"CASE WHEN {self.own} AND {arg.quality} < {BAD} THEN {arg.value} END"

    def if_own(self, text: str) -> str:
        return f"CASE WHEN {self.own} THEN {text} END"

    def window(self) -> str:
        return f"(ORDER BY t RANGE BETWEEN {self.node.window_ns - 1} PRECEDING AND CURRENT ROW)"

    def until_window(self) -> str:
        return f"(ORDER BY t RANGE BETWEEN UNBOUNDED PRECEDING AND {self.node.window_ns} PRECEDING)"

    def held(self, text: str, frame: str = UP_TO_NOW) -> str:
        """What stood at the last of the own times in a frame."""
        return f"last_value({self.if_own(text)} IGNORE NULLS) OVER {frame}"

    def doubtful(self) -> str:
        doubt = f"count(CASE WHEN {self.own} AND {self.arg.quality} >= {UNCERTAIN} THEN 1 END)"
        return f"{doubt} OVER {self.window()}"

    def up(self, value: str, quality: str, *, level: int | None = None) -> Cell:
        at = self.level if level is None else level
        return Cell(self.put(value, at), self.put(quality, at), at + 1)


def cell(put: Put, node: Timed, arg: Cell, every_ns: int) -> Cell:
    """Where the function's value and quality stand.

    Raises:
        Invalid: SQL would not give the same to the last digit.
    """
    make = _MAKERS.get(node.op)
    if make is None:
        raise Invalid(
            f"{node.op}() has no SQL that gives the same to the last digit",
            remedy="Read the columns, and evaluate with over().",
        )
    return make(_Look(put, node, arg, every_ns))


def _inside(look: _Look) -> Cell:
    name = {"avg": "fsum", "sum": "fsum", "min": "min", "max": "max", "count": "count"}
    found = look.put(f"{name[look.node.op]}({look.usable}) OVER {look.window()}", look.level)
    count = look.put(f"count({look.usable}) OVER {look.window()}", look.level)
    if look.node.op == "count":
        return look.up(f"CAST({count} AS DOUBLE)", "0", level=look.level + 1)
    doubt = look.put(look.doubtful(), look.level)
    value = f"{found} / {count}" if look.node.op == "avg" else found
    quality = f"CASE WHEN {count} = 0 THEN {NO_DATA} WHEN {doubt} > 0 THEN {SUB_NORMAL} ELSE 0 END"
    return look.up(
        f"CASE WHEN {count} = 0 THEN 0.0 ELSE {value} END", quality, level=look.level + 1
    )


def _change(look: _Look) -> Cell:
    now = [look.put(look.held(x), look.level) for x in (look.arg.value, look.arg.quality)]
    then = [
        look.put(look.held(x, look.until_window()), look.level)
        for x in (look.arg.value, look.arg.quality)
    ]
    first = [
        look.put(f"first_value({look.if_own(x)} IGNORE NULLS) OVER {UP_TO_NOW}", look.level)
        for x in (look.arg.value, look.arg.quality, "t")
    ]
    above = look.level + 1
    change = f"({now[0]} - coalesce({then[0]}, {first[0]}))"
    none = f"{now[1]} IS NULL"
    if look.node.op == "rate":
        passed = f"CASE WHEN {then[1]} IS NULL THEN t - {first[2]} ELSE {look.node.window_ns} END"
        change = f"({change} / (({passed}) / {NS_PER_S}.0::DOUBLE))"
        none = f"({none} OR {passed} <= 0)"
    quality = (
        f"greatest({now[1]}, coalesce({then[1]}, {first[1]}),"
        f" CASE WHEN {then[1]} IS NULL THEN {INITIAL} ELSE 0 END)"
    )
    return look.up(
        f"CASE WHEN {none} THEN 0.0 ELSE {change} END",
        f"CASE WHEN {none} THEN {NO_DATA} ELSE {quality} END",
        level=above,
    )


def _increase(look: _Look) -> Cell:
    usable = look.put(look.usable, look.level)
    doubt = look.put(look.doubtful(), look.level)
    above = look.level + 1
    before = look.put(f"last_value({usable} IGNORE NULLS) OVER {BEFORE}", above)
    any_ = look.put(f"count({usable}) OVER {UP_TO_NOW}", above)
    reach = look.put(f"count({usable}) OVER {look.until_window()}", above)
    again = f"{usable} - {before} + {look.node.modulus!r}" if look.node.modulus else usable
    step = f"CASE WHEN {usable} < {before} THEN {again} ELSE {usable} - {before} END"
    total = look.put(f"coalesce(fsum({step}) OVER {look.window()}, 0.0)", above + 1)
    quality = (
        f"CASE WHEN {any_} = 0 THEN {NO_DATA} ELSE greatest(CASE WHEN {reach} = 0 THEN {INITIAL}"
        f" ELSE 0 END, CASE WHEN {doubt} > 0 THEN {SUB_NORMAL} ELSE 0 END) END"
    )
    return look.up(total, quality, level=above + 2)


def _before(look: _Look) -> tuple[str, str]:
    """Value and quality of the own sample before this row; null when there is none."""
    value, quality = (
        look.put(look.held(x, BEFORE), look.level) for x in (look.arg.value, look.arg.quality)
    )
    return value, quality


def _prev(look: _Look) -> Cell:
    value, quality = _before(look)
    above = look.level + 1
    nothing = {Type.STRING: "''", Type.BOOL: "false", Type.DOUBLE: "0.0::DOUBLE"}
    default = nothing.get(look.node.type, "0::BIGINT")
    held = look.put(look.held(f"coalesce({value}, {default})"), above)
    code = look.put(look.held(f"coalesce({quality}, {WAITING})"), above)
    return look.up(f"coalesce({held}, {default})", f"coalesce({code}, {WAITING})", level=above + 1)


def _changed(look: _Look) -> Cell:
    value, quality = _before(look)
    now = look.put(look.held(look.arg.quality), look.level)
    code = f"greatest({look.arg.quality}, coalesce({quality}, {WAITING}))"
    return look.up(
        f"coalesce({look.own} AND {look.arg.value} <> {value}, false)",
        f"CASE WHEN {look.own} THEN {code} ELSE coalesce({now}, {WAITING}) END",
        level=look.level + 1,
    )


def _stale(look: _Look) -> Cell:
    last = look.put(f"max(CASE WHEN {look.sampled} THEN t END) OVER {UP_TO_NOW}", look.level)
    return look.up(
        f"coalesce(t - {last} >= {look.node.window_ns}, true)", "0", level=look.level + 1
    )


def _duration(look: _Look) -> Cell:
    true = f"({look.arg.value} AND {look.arg.quality} < {BAD})"
    was = look.put(look.held(true, BEFORE), look.level)
    is_ = look.put(look.held(true), look.level)
    code = look.put(look.held(look.arg.quality), look.level)
    above = look.level + 1
    begun = f"CASE WHEN {look.own} AND {true} AND NOT coalesce({was}, false) THEN t END"
    since = look.put(f"max({begun}) OVER {UP_TO_NOW}", above)
    return look.up(
        f"CASE WHEN coalesce({is_}, false) THEN t - {since} ELSE 0 END",
        f"coalesce({code}, {WAITING})",
        level=above + 1,
    )


_MAKERS: Mapping[str, Callable[[_Look], Cell]] = {
    **dict.fromkeys(("avg", "sum", "min", "max", "count"), _inside),
    **dict.fromkeys(("delta", "rate"), _change),
    "increase": _increase,
    "prev": _prev,
    "changed": _changed,
    "stale": _stale,
    "duration": _duration,
}
