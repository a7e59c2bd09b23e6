"""Puts the rights of the caller into a checked tree: each view becomes a subquery of its rows."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from lineshaft.core.summary import LEVELS_NS
from lineshaft.historian.sql import parsing
from lineshaft.historian.sql.checking import Check
from lineshaft.historian.sql.functions import NOW
from lineshaft.historian.sql.hints import HIGH, LOW, Hint, hints
from lineshaft.historian.sql.parsing import Node, Parser, called, column, compared, constant, joined

POINTS = "points"
SAMPLES = "samples"
ROLLUPS = dict(zip(("rollup_1s", "rollup_1m", "rollup_10m", "rollup_1h"), LEVELS_NS, strict=True))
VIEWS = (SAMPLES, POINTS, *ROLLUPS)
"""What a query may name."""
LISTED_MAX = 200
"""Up to as many points stand in a subquery; of more, their range."""
NO_LIMIT = 2**63 - 1


class Ready(NamedTuple):
    """A query that may be run."""

    text: str
    views: frozenset[str]
    """The views that it names."""
    start_ns: int
    stop_ns: int
    points: tuple[str, ...] | None


def prepare(text: str, branches: Sequence[str], now: str, parser: Parser) -> Ready:
    """Check the text and put the rights into it; `now` is the time of asking (RFC 3339).

    Raises:
        Invalid: it is no single SELECT, or holds what is not allowed.
    """
    tree = parser.tree(text)
    check = Check(text, VIEWS)
    check.statement(tree)
    for select in check.selects:
        _name_now(select)
    _stop_clock(tree, now)
    found = {id(n): Hint() for n in check.references}
    for select in check.selects:
        for node, hint in hints(select, parser.value):
            if id(node) in found:
                found[id(node)] = hint
    told = [(n["table_name"].lower(), found[id(n)]) for n in check.references]
    guards = []
    for node in check.references:
        guards.append(_guard(node, branches, found[id(node)]))
    written = parser.text(tree)
    _verify(written, guards, parser)
    return Ready(written, frozenset(n for n, _ in told), *_span(told), _points(told))


def _verify(text: str, guards: list[Node], parser: Parser) -> None:
    """See that the text, parsed again, names views only inside our subqueries.

    What the writer made of the tree is not trusted: this is what the store will run.
    """
    known = set()
    for guard in guards:
        query = parsing.select([parsing.STAR], guard)
        again = parser.tree(parser.text({"node": query, "named_param_map": []}))
        known.add(_bare(again["node"]["from_table"]["subquery"]))
    check = Check(text, VIEWS, guarded=lambda node: _bare(node["subquery"]) in known)
    check.statement(parser.tree(text))
    if check.references:
        raise check.refused(f"the view {check.references[0]['table_name']!r} in this form")


def _bare(node: Node) -> bytes:
    """The node without places, to be compared."""

    def strip(value: Any) -> Any:  # noqa: ANN401 - a part of a tree
        if isinstance(value, dict):
            return {k: strip(v) for k, v in value.items() if not k.startswith("query_location")}
        return [strip(v) for v in value] if isinstance(value, list) else value

    return msgspec.json.encode(strip(node), order="sorted")


# ---- the subquery of a view


def _guard(node: Node, branches: Sequence[str], hint: Hint) -> Node:
    """Turn a view in FROM into a subquery of the rows that may be seen and can matter."""
    name = node["table_name"].lower()
    conditions = [] if name == POINTS else _hinted(name, hint)
    limited = "" not in branches
    if limited:
        conditions.append(joined("OR", [c for b in branches for c in _within(b)]))
    where = joined("AND", conditions) if conditions else None
    table = {"type": "BASE_TABLE", "table_name": name, "qualified_name": {"path": [name]}}
    query = parsing.select([parsing.STAR], table, where)
    if limited:
        # The optimizer moves no condition of the caller through a limit. Else a cast that fails,
        # or does not, on a row of another would tell of it.
        query["modifiers"].append(
            {
                "type": "LIMIT_MODIFIER",
                "limit": constant(NO_LIMIT),
                "offset": None,
                "limit_type": "ROW_COUNT",
            }
        )
    guard = {
        "type": "SUBQUERY",
        "alias": node["alias"] or node["table_name"],
        "sample": None,
        "subquery": {"node": query, "named_param_map": []},
        "column_name_alias": node["column_name_alias"],
    }
    node.clear()
    node.update(guard)
    return guard


def _within(branch: str) -> list[Node]:
    return [
        compared(column("point"), "=", constant(branch)),
        called("starts_with", column("point"), constant(branch + "/")),
    ]


def _hinted(name: str, hint: Hint) -> list[Node]:
    found = []
    level = ROLLUPS.get(name, 0)
    if hint.start_ns > LOW + level:
        found.append(compared(column("time_ns"), ">=", constant(hint.start_ns)))
    if hint.stop_ns < HIGH:
        found.append(compared(column("time_ns"), "<", constant(hint.stop_ns)))
    if hint.points is not None and 0 < len(hint.points) <= LISTED_MAX:
        listed = [column("point"), *(constant(p) for p in sorted(hint.points))]
        found.append({"class": "OPERATOR", "type": "COMPARE_IN", "children": listed})
    if hint.prefix:
        found.append(compared(column("point"), ">=", constant(hint.prefix)))
    return found


def _span(told: list[tuple[str, Hint]]) -> tuple[int, int]:
    """The time that all references together can need."""
    needed = [(ROLLUPS.get(n, 0), h) for n, h in told if n != POINTS]
    start = min((h.start_ns - level for level, h in needed), default=LOW)
    stop = max((h.stop_ns + level for level, h in needed), default=HIGH)
    return max(start, LOW), min(stop, HIGH)


def _points(told: list[tuple[str, Hint]]) -> tuple[str, ...] | None:
    needed: set[str] = set()
    for name, hint in told:
        if name == POINTS:
            continue
        if hint.points is None:
            return None
        needed |= hint.points
    return tuple(sorted(needed))


# ---- the time of asking


def _calls_now(node: Any) -> bool:  # noqa: ANN401 - a part of a tree
    return (
        isinstance(node, dict)
        and node.get("class") == "FUNCTION"
        and node["function_name"].lower() in NOW
        and not node["arguments"]
    )


def _name_now(select: Node) -> None:
    """Keep the name of a column that is `now()`, which is about to become a value."""
    for item in select["select_list"]:
        if _calls_now(item) and not item["alias"]:
            item["alias"] = f"{item['function_name']}()"


def _stop_clock(node: Any, now: str) -> None:  # noqa: ANN401 - a part of a tree
    """Replace every `now()` by the time of asking, so that a hint and the query mean the same."""
    for child in _children(node):
        if _calls_now(child):
            alias = child["alias"]
            path = ["timestamptz"]
            type_ = {"class": "TYPE", "type": "TYPE", "type_name": path[0], "children": []}
            child.clear()
            child.update(
                {
                    "class": "CAST",
                    "type": "OPERATOR_CAST",
                    "alias": alias,
                    "child": constant(now),
                    "type_expr": type_ | {"qualified_name": {"path": path}},
                    "try_cast": False,
                }
            )
        else:
            _stop_clock(child, now)


def _children(node: Any) -> Iterator[Any]:  # noqa: ANN401 - a part of a tree
    if isinstance(node, dict):
        yield from node.values()
    elif isinstance(node, list):
        yield from node
