"""SQL text to the syntax tree of DuckDB's own parser, and back."""

import threading
from typing import Any

import duckdb
import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.core.flow import assert_off_loop

TEXT_MAX = 20_000
"""Characters of a query."""
BRACKETS_MAX = 500
SIGNS_MAX = 1000
"""The parser's time grows with the cube of nested brackets and of signs in a row, so that a few
thousand would keep it busy for minutes."""
REMEDY = "Send one SELECT over the views of GET /api/v1/sql/schema."

Node = dict[str, Any]
"""A node of the tree."""


class Parser:
    """A DuckDB that holds nothing and only parses."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engine: duckdb.DuckDBPyConnection | None = None

    def _opened(self) -> duckdb.DuckDBPyConnection:
        if self._engine is None:
            self._engine = duckdb.connect(
                ":memory:",
                config={"threads": 1, "memory_limit": "128MB", "temp_directory": ""},
            )
            for setting in (
                "python_enable_replacements = false",
                "TimeZone = 'UTC'",
                "enable_external_access = false",
                "lock_configuration = true",
            ):
                self._engine.execute(f"SET {setting}")
        return self._engine

    def _asked(self, query: str, value: str) -> Any:  # noqa: ANN401 - whatever the query says
        assert_off_loop()
        with self._lock:
            row = self._opened().execute(query, [value]).fetchone()
        return row[0] if row else None

    def tree(self, text: str) -> Node:
        """The tree of the one SELECT in the text.

        Raises:
            Invalid: the text is no single SELECT, or too long or nested.
        """
        _check_size(text)
        try:
            query = "SELECT json_serialize_sql(?::VARCHAR, skip_default := false)"
            encoded = self._asked(query, text)
            parsed = msgspec.json.decode(encoded)
        except (duckdb.Error, RecursionError, msgspec.DecodeError, UnicodeError) as error:
            deep = isinstance(error, RecursionError)
            said = "it is nested too deep" if deep else str(error).partition("\n")[0]
            raise Invalid(f"the query cannot be parsed: {said}", remedy=REMEDY) from None
        if parsed["error"]:
            raise _refusal(text, parsed)
        found = len(parsed["statements"])
        if found != 1:
            raise Invalid(f"{found} statements came, wanted one SELECT", remedy=REMEDY)
        return parsed["statements"][0]  # type: ignore[no-any-return]

    def text(self, tree: Node) -> str:
        """The tree as SQL.

        Raises:
            Invalid: it cannot be written.
        """
        statement = {"error": False, "statements": [tree]}
        try:
            encoded = msgspec.json.encode(statement).decode()
            return str(self._asked("SELECT json_deserialize_sql(?::JSON)", encoded))
        except (duckdb.Error, RecursionError) as error:
            said = str(error).partition("\n")[0]
            raise Invalid(f"the query cannot be taken: {said}", remedy=REMEDY) from None

    def value(self, expression: Node) -> tuple[str, int] | None:
        """The type of a constant expression and its value as a whole number, times in ns."""
        node = select([expression])
        try:
            text = self.text({"node": node, "named_param_map": []})
            with self._lock:
                found = self._opened().execute(
                    f"SELECT typeof(v), CASE WHEN typeof(v) IN ('VARCHAR', 'DATE', 'TIMESTAMP',"
                    f" 'TIMESTAMP WITH TIME ZONE') THEN epoch_ns(v::VARCHAR::TIMESTAMPTZ)"
                    f" ELSE TRY_CAST(v::VARCHAR AS BIGINT) END FROM ({text}) t(v)"
                )  # noqa: S608 - the text is written from a checked tree
                row = found.fetchone()
        except (duckdb.Error, Invalid):
            return None
        return (row[0], row[1]) if row and row[1] is not None else None


def _check_size(text: str) -> None:
    brackets = sum(map(text.count, "([{"))
    signs = sum(map(text.count, "-+~!@"))
    for what, came, wanted in (
        ("characters", len(text), TEXT_MAX),
        ("brackets", brackets, BRACKETS_MAX),
        ("signs", signs, SIGNS_MAX),
    ):
        if came > wanted:
            raise Invalid(
                f"the query has {came} {what}, wanted at most {wanted}",
                remedy="Make it shorter: ask for less at once.",
            )
    if "\0" in text:
        raise Invalid("the query holds a zero byte", remedy=REMEDY)


def _refusal(text: str, parsed: Node) -> Invalid:
    message = str(parsed["error_message"])
    if "Only SELECT" in message:
        word = text.split(maxsplit=1)[0][:40] if text.split() else ""
        return Invalid(f"the query begins with {word!r} or holds what is no SELECT", remedy=REMEDY)
    at = parsed.get("position", "")
    place = f" at {place_of(text, int(at))}" if str(at).isdecimal() else ""
    return Invalid(f"{message}{place}", remedy=REMEDY)


def place_of(text: str, offset: int) -> str:
    """Where a byte offset stands: line and column, from 1."""
    before = text.encode(errors="replace")[:offset].decode(errors="replace")
    return f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"


# ---- nodes of our own


def constant(value: str | int) -> Node:
    """A literal."""
    kind = "STRING" if isinstance(value, str) else "INTEGER"
    literal = {"kind": kind, "text": str(value)}
    return {"class": "CONSTANT", "type": "VALUE_CONSTANT", "literal": literal}


def column(name: str) -> Node:
    """A column."""
    return {"class": "COLUMN_REF", "type": "COLUMN_REF", "column_names": [name]}


def compared(left: Node, sign: str, right: Node) -> Node:
    """A comparison."""
    kinds = {"=": "EQUAL", ">=": "GREATERTHANOREQUALTO", "<": "LESSTHAN"}
    type_ = f"COMPARE_{kinds[sign]}"
    return {"class": "COMPARISON", "type": type_, "left": left, "right": right}


def joined(word: str, parts: list[Node]) -> Node:
    """Conditions joined by AND or OR."""
    if len(parts) == 1:
        return parts[0]
    return {"class": "CONJUNCTION", "type": f"CONJUNCTION_{word}", "children": parts}


def called(name: str, *arguments: Node) -> Node:
    """A call of a function."""
    return {
        "class": "FUNCTION",
        "type": "FUNCTION",
        "function_name": name,
        "arguments": [{"name": "", "expression": a} for a in arguments],
        "order_bys": {"type": "ORDER_MODIFIER", "orders": []},
        "qualified_name": {"path": [name]},
    }


STAR: Node = {"class": "STAR", "type": "STAR"}


def select(columns: list[Node], table: Node | None = None, where: Node | None = None) -> Node:
    """A SELECT."""
    return {
        "type": "SELECT_NODE",
        "modifiers": [],
        "cte_map": {"map": []},
        "select_list": columns,
        "from_table": table or {"type": "EMPTY"},
        "where_clause": where,
        "group_expressions": [],
        "group_sets": [],
        "aggregate_handling": "STANDARD_HANDLING",
    }
