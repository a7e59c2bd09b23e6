"""What part of the samples a query can need at most: read off its conditions, never guessed.

A hint may never lose a row. So only conditions that are joined by AND at the top of a WHERE count,
on a view whose rows the WHERE sees as they are, against values that are constants.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from lineshaft.historian.sql.functions import NOW, STEADY
from lineshaft.historian.sql.parsing import Node

LOW, HIGH = -(2**63), 2**63 - 1
POINTS_MAX = 10_000
_WHOLE = ("INTEGER", "BIGINT")
_TIMES = ("VARCHAR", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
_SIGNS = {
    "COMPARE_EQUAL": "=",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "<=",
}
_TURNED = {"=": "=", ">": "<", ">=": "<=", "<": ">", "<=": ">="}
Value = Callable[[Node], tuple[str, int] | None]
"""Type and value of a constant expression; None when there is none."""


class Hint(NamedTuple):
    """Rows of one reference that can matter."""

    start_ns: int = LOW
    stop_ns: int = HIGH
    """Rows from here on do not matter, unless it is the end of all time."""
    points: frozenset[str] | None = None
    """Points that can matter; None when that is not known."""
    prefix: str = ""
    """Beginning of the paths that can matter."""

    def both(self, other: "Hint") -> "Hint":
        """Rows that can matter by both."""
        points = self.points
        if other.points is not None:
            points = other.points if points is None else points & other.points
        return Hint(
            max(self.start_ns, other.start_ns),
            min(self.stop_ns, other.stop_ns),
            points,
            max(self.prefix, other.prefix, key=len),
        )


def hints(select: Node, value: Value) -> list[tuple[Node, Hint]]:
    """Each table that the WHERE of a SELECT sees as it is, with what the WHERE says of it."""
    where = select.get("where_clause")
    if not where:
        return []
    tables = list(_seen(select["from_table"]))
    names = [(t["alias"] or t["table_name"]).lower() for t in tables]
    alone = select["from_table"]["type"] == "BASE_TABLE"
    found = []
    for table, name in zip(tables, names, strict=True):
        if names.count(name) > 1 or table["column_name_alias"]:
            continue
        hint = Hint()
        for part in _parts(where):
            hint = hint.both(_of(part, name, alone, value))
        found.append((table, hint))
    return found


def _seen(table: Node) -> Iterator[Node]:
    """Base tables whose rows a filter may thin out before the joins as well as after."""
    if table["type"] == "BASE_TABLE":
        yield table
    elif table["type"] == "JOIN":
        plain = table["ref_type"] in ("REGULAR", "CROSS", "NATURAL")
        if table["join_type"] in ("INNER", "LEFT") or (plain and table["join_type"] == "SEMI"):
            # Not the right side of an AS-OF join: without a row, another one would be nearest.
            if table["ref_type"] in ("REGULAR", "CROSS", "NATURAL", "ASOF"):
                yield from _seen(table["left"])
        if table["join_type"] == "INNER" and plain:
            yield from _seen(table["right"])


def _parts(condition: Node) -> Iterator[Node]:
    if condition["type"] == "CONJUNCTION_AND":
        for child in condition["children"]:
            yield from _parts(child)
    else:
        yield condition


def _of(part: Node, table: str, alone: bool, value: Value) -> Hint:
    """What one condition says of the table."""
    kind = part["class"]
    if kind == "COMPARISON" and part["type"] in _SIGNS:
        sign = _SIGNS[part["type"]]
        name = _column(part["left"], table, alone)
        if name:
            return _bound(name, sign, part["right"], value)
        name = _column(part["right"], table, alone)
        return _bound(name, _TURNED[sign], part["left"], value) if name else Hint()
    if kind == "BETWEEN":
        name = _column(part["input"], table, alone)
        low = _bound(name, ">=", part["lower"], value)
        return low.both(_bound(name, "<=", part["upper"], value))
    if part["type"] == "COMPARE_IN" and _column(part["children"][0], table, alone) == "point":
        texts = [_text(c) for c in part["children"][1:]]
        if None not in texts and len(texts) <= POINTS_MAX:
            return Hint(points=frozenset(t for t in texts if t is not None))
    if kind == "FUNCTION" and part["function_name"] == "~~" and len(part["arguments"]) == 2:  # noqa: PLR2004
        left, right = (a["expression"] for a in part["arguments"])
        pattern = _text(right)
        if pattern and _column(left, table, alone) == "point":
            return Hint(prefix=_before_wild(pattern))
    return Hint()


def _before_wild(pattern: str) -> str:
    ends = [i for i in map(pattern.find, "%_\\") if i >= 0]
    return pattern[: min(ends)] if ends else pattern


def _column(node: Node, table: str, alone: bool) -> str:
    """Name of the column of the table that the node is; empty when it is something else."""
    if node["class"] != "COLUMN_REF":
        return ""
    names = [n.lower() for n in node["column_names"]]
    if len(names) == 1 and alone:
        return names[0]
    return names[1] if len(names) == 2 and names[0] == table else ""  # noqa: PLR2004


def _text(node: Node) -> str | None:
    literal = node.get("literal")
    if node["class"] != "CONSTANT" or literal["kind"] != "STRING":
        return None
    return str(literal["text"])


def _bound(name: str, sign: str, node: Node, value: Value) -> Hint:
    """What a comparison of a column with a value says."""
    if name == "point":
        text = _text(node)
        return Hint(points=frozenset((text,))) if sign == "=" and text is not None else Hint()
    if name not in ("time", "time_ns") or not _steady(node):
        return Hint()
    found = value(node)
    if found is None or found[0] not in (_WHOLE if name == "time_ns" else _TIMES):
        return Hint()
    ns = found[1]
    # A time is cut to whole microseconds before it is compared, so one more of them on each side.
    slack = 1 if name == "time_ns" else 2000
    start = ns - slack if sign in ("=", ">", ">=") else LOW
    stop = ns + slack if sign in ("=", "<", "<=") else HIGH
    return Hint(max(start, LOW), min(stop, HIGH))


def _steady(node: Node) -> bool:
    """Whether the expression is a constant that is cheap to work out."""
    match node["class"]:
        case "CONSTANT":
            return True
        case "CAST":
            type_ = node["type_expr"]
            return not type_.get("children") and _steady(node["child"])
        case "FUNCTION":
            name = node["function_name"].lower()
            if name in NOW:
                return False  # those were replaced by the time of asking
            return name in STEADY and all(_steady(a["expression"]) for a in node["arguments"])
    return False
