"""The allow-list: walks a syntax tree, refuses what it does not know, notes the views it names."""

from collections.abc import Callable, Collection
from typing import Any

from lineshaft.core.errors import Invalid
from lineshaft.historian.sql import functions, grammar
from lineshaft.historian.sql.grammar import Rules
from lineshaft.historian.sql.parsing import REMEDY, Node, place_of

DEPTH_MAX = 200
NOWHERE = 2**63
"""Offsets from here on say that the parser knows no place."""
_RESERVED = ("pg_", "duckdb_", "sqlite_", "__", "pragma_", "information_schema")

Scope = frozenset[str]
"""Names of the CTEs that can be seen, in lower case."""
Guarded = Callable[[Node], bool]


class Check:
    """One walk over one tree.

    `references` are the nodes in FROM that name a view. `guarded` says of a subquery in FROM
    that it is one of ours, which is not looked into.
    """

    def __init__(
        self, text: str, views: Collection[str], *, guarded: Guarded = lambda _: False
    ) -> None:
        self._text = text
        self._views = frozenset(views)
        self._guarded = guarded
        self._offset = NOWHERE
        self._depth = 0
        self.references: list[Node] = []
        self.selects: list[Node] = []
        self._visits: dict[str, Callable[[Any, Scope], None]] = {
            grammar.EXPR: self._expression,
            grammar.EXPRS: self._each(self._expression),
            grammar.QUERY: self._query,
            grammar.QUERIES: self._each(self._query),
            grammar.TABLE: self._table,
            grammar.STATEMENT: self._statement,
            grammar.MODIFIERS: self._each(self._modifier),
            grammar.ORDERS: self._orders,
            grammar.ARGUMENTS: self._each(self._argument),
            grammar.CASES: self._each(self._case),
            grammar.ROWS: self._each(self._each(self._expression)),
            grammar.REPLACED: self._each(self._replaced),
            grammar.PLAIN: self._plain,
            grammar.NAME: self._name,
        }

    def statement(self, tree: Node) -> None:
        """Walk the whole tree.

        Raises:
            Invalid: it holds what is not on the list.
        """
        self._statement(tree, frozenset())

    def refused(self, what: str, remedy: str = REMEDY) -> Invalid:
        """The refusal of something near the last place that was seen."""
        place = f" at {place_of(self._text, self._offset)}" if self._offset < NOWHERE else ""
        return Invalid(f"{what} is not allowed in a query{place}", remedy=remedy)

    # ---- by rule

    def _each(self, visit: Callable[[Any, Scope], None]) -> Callable[[Any, Scope], None]:
        def visits(items: Any, scope: Scope) -> None:  # noqa: ANN401 - a part of a tree
            for item in items or ():
                visit(item, scope)

        return visits

    def _follow(self, node: Node, rules: Rules, scope: Scope) -> None:
        """Visit each key of the node as the rules say."""
        offset = node.get("query_location", NOWHERE)
        if offset < NOWHERE:
            self._offset = offset
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self.refused("nesting as deep as this")
        for key, value in node.items():
            rule = rules.get(key)
            if rule is None:
                if value in (None, False, "", [], {}):
                    continue
                raise self.refused(grammar.SPOKEN.get(key, f"a part named {key!r}"))
            if rule == grammar.EMPTY:
                if value not in (None, False, "", []):
                    raise self.refused(grammar.SPOKEN.get(key, f"a part named {key!r}"))
            elif rule != grammar.SEEN and value is not None:
                self._visits[rule](value, scope)
        self._depth -= 1

    def _plain(self, value: Any, scope: Scope) -> None:  # noqa: ANN401 - a part of a tree
        """Words, numbers and flags, also in lists and tables; nothing that is a node."""
        if isinstance(value, dict):
            if "class" in value or isinstance(value.get("type"), str):
                raise self.refused("an expression in this place")
            for item in value.values():
                self._plain(item, scope)
        elif isinstance(value, list):
            for item in value:
                self._plain(item, scope)

    def _name(self, value: Node, _: Scope) -> None:
        if len(value.get("path", ())) > 1:
            raise self.refused("a qualified name", "Write the bare name of a view or function.")

    # ---- queries

    def _statement(self, node: Node, scope: Scope) -> None:
        if node.get("named_param_map"):
            raise self.refused("a parameter", "Write the value into the text.")
        self._query(node["node"], scope)

    def _query(self, node: Node, scope: Scope) -> None:
        kind = node["type"]
        rules = grammar.QUERY_NODES.get(kind)
        if rules is None:
            word = kind.removesuffix("_NODE").removesuffix("_QUERY").replace("_", " ")
            raise self.refused(grammar.SPOKEN.get(kind, word))
        for entry in node["cte_map"]["map"]:
            name = entry["key"].lower()
            if name in self._views or name.startswith(_RESERVED):
                raise self.refused(f"the name {entry['key']!r} for a CTE", "Give it another name.")
            self._follow(entry["value"], grammar.CTE, scope)
            scope |= {name}
        if kind == "SELECT_NODE":
            self.selects.append(node)
        self._follow(node, rules, scope)

    def _modifier(self, node: Node, scope: Scope) -> None:
        rules = grammar.MODIFIER_NODES.get(node["type"])
        if rules is None:
            raise self.refused(node["type"])
        self._follow(node, rules, scope)

    def _orders(self, value: Any, scope: Scope) -> None:  # noqa: ANN401 - a part of a tree
        orders = value.get("orders", ()) if isinstance(value, dict) else value
        for order in orders:
            self._follow(order, grammar.ORDER, scope)

    # ---- what stands in FROM

    def _table(self, node: Node, scope: Scope) -> None:
        kind = node["type"]
        rules = grammar.TABLES.get(kind)
        if rules is None:
            raise self.refused(grammar.SPOKEN.get(kind, kind.replace("_", " ")))
        if kind == "SUBQUERY" and self._guarded(node):
            return
        if kind == "TABLE_FUNCTION":
            self._table_function(node, scope)
            return
        self._follow(node, rules, scope)
        if kind == "BASE_TABLE":
            self._view(node, scope)

    def _view(self, node: Node, scope: Scope) -> None:
        name = node["table_name"]
        lower = name.lower()
        if lower in self._views:
            self.references.append(node)
        elif lower not in scope:
            raise self.refused(
                f"the table {name!r}", f"The views are: {', '.join(sorted(self._views))}."
            )

    def _table_function(self, node: Node, scope: Scope) -> None:
        function = node["function"]
        name = function.get("function_name", "").lower()
        if function.get("class") != "FUNCTION" or name not in functions.TABLES:
            raise self.refused(
                f"the table function {name!r}",
                f"Allowed are: {', '.join(sorted(functions.TABLES))}.",
            )
        self._follow(function, grammar.EXPRESSIONS["FUNCTION"], scope)
        rules = grammar.TABLES["TABLE_FUNCTION"] | {"function": grammar.SEEN}
        self._follow(node, rules, scope)

    # ---- expressions

    def _expression(self, node: Node, scope: Scope) -> None:
        kind = node.get("class", "")
        rules = grammar.EXPRESSIONS.get(kind)
        if rules is None:
            if node.get("query_location", NOWHERE) < NOWHERE:
                self._offset = node["query_location"]
            raise self.refused(grammar.SPOKEN.get(kind, kind.replace("_", " ") or "this"))
        if kind == "FUNCTION":
            self._function(node, functions.FUNCTIONS)
        elif kind == "WINDOW":
            self._function(node, functions.AGGREGATES | functions.WINDOWS)
        elif kind == "OPERATOR" and node["type"] not in grammar.OPERATIONS:
            raise self.refused(node["type"])
        elif kind == "COLLATE" and node["collation"].lower() not in grammar.COLLATIONS:
            raise self.refused(f"the collation {node['collation']!r}")
        elif kind == "TYPE" and node["type_name"].lower() not in functions.TYPES:
            raise self.refused(f"the type {node['type_name']!r}")
        self._follow(node, rules, scope)

    def _function(self, node: Node, allowed: Collection[str]) -> None:
        if node.get("query_location", NOWHERE) < NOWHERE:
            self._offset = node["query_location"]
        if node["schema"] or node["catalog"]:
            raise self.refused(
                f"{node['function_name']!r} behind a dot",
                "Write function(value) in place of value.function() and schema.function().",
            )
        if node["function_name"].lower() not in allowed:
            raise self.refused(
                f"the function {node['function_name']!r}",
                "GET /api/v1/sql/schema lists the functions.",
            )

    def _argument(self, value: Node, scope: Scope) -> None:
        self._expression(value.get("expression", value), scope)

    def _case(self, value: Node, scope: Scope) -> None:
        self._expression(value["when_expr"], scope)
        self._expression(value["then_expr"], scope)

    def _replaced(self, value: Node, scope: Scope) -> None:
        self._expression(value["value"], scope)
