"""An expression as one SELECT over the view `samples`, in the dialect of DuckDB.

Rows are the times of all samples (and the grid), each with the last-known value of every input by
ASOF joins. Each level of the tree adds two columns a node, value and quality, in a CTE of its own,
so that the text stays as long as the tree is large. A value is never null.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from lineshaft.core.errors import Invalid
from lineshaft.operations.expressions import sql_looking
from lineshaft.operations.expressions.limits import STRING_CHARS_MAX, TICKS_MAX
from lineshaft.operations.expressions.sql_text import (
    BAD,
    MISMATCH,
    OUT_OF_RANGE,
    UNCERTAIN,
    WAITING,
    Cell,
    Column,
    quoted,
)
from lineshaft.operations.expressions.tree import (
    Apply,
    Const,
    Constant,
    Input,
    Node,
    Now,
    Timed,
    Type,
    children,
)

_TYPES = {Type.BOOL: "false", Type.STRING: "''", Type.DOUBLE: "0.0::DOUBLE"}
_INFIX = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "rem": "%", "lt": "<", "le": "<=", "gt": ">",
    "ge": ">=", "eq": "=", "ne": "<>",
}  # fmt: skip
_CALLS = {
    "not": "NOT {}", "neg": "-{}", "abs": "abs({})", "ceil": "ceil({})", "floor": "floor({})",
    "trunc": "trunc({})", "round": "round({})", "sign": "sign({})::DOUBLE", "sqrt": "sqrt({})",
    "least": "least({}, {})", "greatest": "greatest({}, {})", "double": "CAST({} AS DOUBLE)",
    "contains": "contains({}, {})", "starts": "starts_with({}, {})", "ends": "suffix({}, {})",
    "size": "CAST(length({}) AS DOUBLE)",
    "getHours_of_duration": "CAST({} // 3600000000000 AS DOUBLE)",
    "getMinutes_of_duration": "CAST({} // 60000000000 AS DOUBLE)",
    "getSeconds_of_duration": "CAST({} // 1000000000 AS DOUBLE)",
}  # fmt: skip
_MAY_BE_INFINITE = frozenset({"add", "sub", "mul", "div", "rem", "sqrt", "scale"})


class Span(NamedTuple):
    """Which samples are read, and for which times rows are given; `stop_ns` is in neither."""

    since_ns: int
    start_ns: int
    stop_ns: int


def to_sql(root: Node, points: tuple[tuple[str, Type], ...], every_ns: int, span: Span) -> str:
    """The SELECT; its columns are time_ns, value and quality, by time.

    Raises:
        Invalid: a function has no SQL that gives the same to the last digit, so that NumPy
            evaluates it over columns; or the grid is too fine for the span.
    """
    writer = _Writer(every_ns)
    found = writer.cell(root)
    parts = [_input(number, *point, span) for number, point in enumerate(points)]
    parts.append(f"times AS ({_times(len(points), root.clocked, every_ns, span)})")
    parts.append(f"l0 AS ({_rows(points)})")
    for level, columns in enumerate(writer.levels, 1):
        cells = "".join(f", {c.text} AS {c.name}" for c in columns)
        parts.append(f"l{level} AS (SELECT *{cells} FROM l{level - 1})")  # noqa: S608
    good = f"CAST({found.quality} AS UINTEGER) AS quality"
    value = f"CASE WHEN {found.quality} < {BAD} THEN {found.value} END AS value"
    body = ",\n".join(parts)
    return (
        f"WITH {body}\nSELECT t AS time_ns, {value}, {good} FROM l{len(writer.levels)}"
        f" WHERE t >= {span.start_ns} AND t < {span.stop_ns} ORDER BY t"
    )


def _input(number: int, path: str, type_: Type, span: Span) -> str:
    """The samples of one input, made ready as `tails.ready` does."""
    code = "CAST(quality AS BIGINT) & 4294901760"
    if type_ is Type.STRING:
        value, wrong, reason = "coalesce(text, '')", "text IS NULL", MISMATCH
    else:
        long = (
            "CASE WHEN regexp_full_match(text, '-?[0-9]{1,300}') THEN TRY_CAST(text AS DOUBLE) END"
        )
        number_ = f"coalesce(number, {long})"
        wrong, reason = f"NOT coalesce(isfinite({number_}), false)", OUT_OF_RANGE
        value = f"CASE WHEN {wrong} THEN 0.0 ELSE {number_} END"
        value = f"({value}) <> 0.0" if type_ is Type.BOOL else value
    return (
        f"i{number} AS (SELECT time_ns, {value} AS v, CASE WHEN quality < {BAD} AND {wrong}"  # noqa: S608
        f" THEN {reason} ELSE {code} END AS q FROM samples WHERE point = {quoted(path)}"
        f" AND time_ns >= {span.since_ns} AND time_ns < {span.stop_ns})"
    )


def _times(inputs: int, clocked: bool, every_ns: int, span: Span) -> str:
    events = " UNION ".join(f"SELECT time_ns AS t FROM i{n}" for n in range(inputs))  # noqa: S608
    if not (clocked and every_ns):
        return events
    first = -(-span.since_ns // every_ns) * every_ns
    if (span.stop_ns - first) // every_ns > TICKS_MAX:
        raise Invalid(
            f"more than {TICKS_MAX} times of the grid lie in the span",
            remedy="Ask for a shorter span, or take a coarser grid.",
        )
    ends = f"(SELECT {{}}(t) FROM ({events}))"  # noqa: S608
    return (
        f"{events} UNION SELECT t FROM range({first}, {span.stop_ns}, {every_ns}) AS g(t)"  # noqa: S608
        f" WHERE t >= {ends.format('min')} AND t <= {ends.format('max')}"
    )


def _rows(points: tuple[tuple[str, Type], ...]) -> str:
    """Every time, with the time, value and quality of the last sample of each input."""
    joined = "times"
    for number in range(len(points)):
        joined += f" ASOF LEFT JOIN i{number} ON times.t >= i{number}.time_ns"
    cells = "".join(
        f", i{n}.time_ns AS s{n}, coalesce(i{n}.v, {_TYPES[type_]}) AS v{n},"
        f" coalesce(i{n}.q, {WAITING}) AS q{n}"
        for n, (_, type_) in enumerate(points)
    )
    return f"SELECT times.t{cells} FROM {joined}"  # noqa: S608


class _Writer:
    def __init__(self, every_ns: int) -> None:
        self.every_ns = every_ns
        self.levels: list[list[Column]] = []
        self._cells: dict[Node, Cell] = {}
        self._count = 0

    def cell(self, node: Node) -> Cell:
        """Where the value and the quality of a node stand."""
        if node not in self._cells:
            self._cells[node] = self._made(node)
        return self._cells[node]

    def _made(self, node: Node) -> Cell:
        if isinstance(node, Const):
            return Cell(_literal(node.value), "0", 0)
        if isinstance(node, Input):
            return Cell(f"v{node.number}", f"q{node.number}", 0)
        if isinstance(node, Now):
            return Cell("t", "0", 0)
        below = [self.cell(child) for child in children(node)]
        level = max(c.level for c in below)
        if isinstance(node, Timed):
            return sql_looking.cell(self.put, node, below[0], self.every_ns)
        assert isinstance(node, Apply)  # noqa: S101 - there is no other
        value, quality = _applied(node, below)
        return Cell(self.put(value, level), self.put(quality, level), level + 1)

    def put(self, text: str, level: int) -> str:
        """A column made of those of a level, and its name on the level above."""
        while len(self.levels) <= level:
            self.levels.append([])
        self._count += 1
        name = f"n{self._count}"
        self.levels[level].append(Column(name, text))
        return name


def _literal(value: Constant) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    return f"CAST({value!r} AS {'DOUBLE' if isinstance(value, float) else 'BIGINT'})"


def _applied(node: Apply, cells: list[Cell]) -> tuple[str, str]:
    """The value and the quality of an operator or function."""
    if special := _SPECIAL.get(node.op):
        return special(cells)
    values = [c.value for c in cells]
    worst = (
        cells[0].quality if len(cells) == 1 else f"greatest({', '.join(c.quality for c in cells)})"
    )
    wrong = ""
    if node.type in (Type.DURATION, Type.TIMESTAMP):
        sides = [f"CAST({v} AS HUGEINT)" for v in values]
        total = f"-{sides[0]}" if node.op == "neg" else f"{sides[0]} {_INFIX[node.op]} {sides[1]}"
        raw = f"TRY_CAST({total} AS BIGINT)"
        value, wrong = f"coalesce({raw}, 0)", f"{raw} IS NULL"
    else:
        value = _plain(node, values)
        if node.op in _MAY_BE_INFINITE:
            raw, value = value, f"CASE WHEN isfinite({value}) THEN {value} ELSE 0.0 END"
            wrong = f"NOT isfinite({raw})"
        elif node.op == "join":
            wrong = f"length({value}) > {STRING_CHARS_MAX}"
            value = f"CASE WHEN {wrong} THEN '' ELSE {value} END"
    if not wrong:
        return value, worst
    return value, f"CASE WHEN {worst} < {BAD} AND {wrong} THEN {OUT_OF_RANGE} ELSE {worst} END"


def _plain(node: Apply, values: list[str]) -> str:
    if node.op in _INFIX:
        return f"({values[0]} {_INFIX[node.op]} {values[1]})"
    if node.op == "join":
        return f"({values[0]} || {values[1]})"
    if node.op == "matches":
        return f"regexp_matches({values[0]}, {_literal(node.settings[0])})"
    if node.op == "scale":
        factor, offset = (_literal(s) for s in node.settings)
        return f"({values[0]} * {factor})" + (f" + {offset}" if node.settings[1] else "")
    if node.op in _CALLS:
        return f"({_CALLS[node.op].format(*values)})"
    raise Invalid(
        f"{node.op}() has no SQL that gives the same to the last digit",
        remedy="Read the columns, and evaluate with over().",
    )


# ---- operators that see quality themselves, as in `logic`


def _decided(cells: list[Cell], *, decisive: bool) -> tuple[str, str]:
    left, right = cells
    sign = "" if decisive else "NOT "
    by_left = f"({sign}{left.value} AND {left.quality} < {BAD})"
    by_right = f"({sign}{right.value} AND {right.quality} < {BAD})"
    ql, qr = left.quality, right.quality
    value = f"{sign}({by_left} OR {by_right})"
    quality = (
        f"CASE WHEN {by_left} AND {by_right} THEN least({ql}, {qr}) WHEN {by_left} THEN {ql}"
        f" WHEN {by_right} THEN {qr} ELSE greatest({ql}, {qr}) END"
    )
    return value, quality


def _choose(cells: list[Cell]) -> tuple[str, str]:
    condition, yes, no = cells
    value = f"CASE WHEN {condition.value} THEN {yes.value} ELSE {no.value} END"
    branch = f"CASE WHEN {condition.value} THEN {yes.quality} ELSE {no.quality} END"
    q = condition.quality
    return value, f"CASE WHEN {q} >= {BAD} THEN {q} ELSE greatest({q}, {branch}) END"


def _quality(cells: list[Cell]) -> tuple[str, str]:
    q = cells[0].quality
    return (
        f"CASE WHEN {q} >= {BAD} THEN 'bad' WHEN {q} >= {UNCERTAIN} THEN 'uncertain'"
        " ELSE 'good' END",
        "0",
    )


_SPECIAL: Mapping[str, Callable[[list[Cell]], tuple[str, str]]] = {
    "and": lambda cells: _decided(cells, decisive=False),
    "or": lambda cells: _decided(cells, decisive=True),
    "choose": _choose,
    "quality": _quality,
    "has": lambda cells: (f"({cells[0].quality} < {BAD})", "0"),
}
