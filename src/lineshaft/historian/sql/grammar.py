"""What a syntax tree may hold: each kind of node with each of its keys; all else is refused."""

from typing import Final

PLAIN: Final = "plain"
"""A word, number or flag, or a list of them, that reaches nothing."""
EXPR: Final = "expr"
EXPRS: Final = "exprs"
QUERY: Final = "query"
QUERIES: Final = "queries"
TABLE: Final = "table"
STATEMENT: Final = "statement"
MODIFIERS: Final = "modifiers"
ORDERS: Final = "orders"
ARGUMENTS: Final = "arguments"
SEEN: Final = "seen"
"""Visited where the node itself is."""
CASES: Final = "cases"
ROWS: Final = "rows"
REPLACED: Final = "replaced"
EMPTY: Final = "empty"
"""Nothing: null, false, or an empty list or text."""
NAME: Final = "name"
"""A name in three forms that says the same: checked where it is used."""

Rules = dict[str, str]

_HEAD: Rules = {"class": PLAIN, "type": PLAIN, "alias": PLAIN}
_PLACE: Rules = {"query_location": PLAIN, "query_location_length": PLAIN}
_BOTH: Rules = _HEAD | _PLACE
_QUALIFIED: Rules = {"schema": EMPTY, "catalog": EMPTY, "qualified_name": NAME}

EXPRESSIONS: dict[str, Rules] = {
    "COLUMN_REF": _BOTH | {"column_names": PLAIN},
    "CONSTANT": _BOTH | {"literal": PLAIN},
    "POSITIONAL_REFERENCE": _BOTH | {"index": PLAIN},
    "STAR": _BOTH
    | {
        "relation_name": PLAIN,
        "exclude_list": PLAIN,
        "qualified_exclude_list": PLAIN,
        "rename_list": PLAIN,
        "replace_list": REPLACED,
        "columns": EMPTY,
        "expr": EMPTY,
    },
    "COMPARISON": _BOTH | {"left": EXPR, "right": EXPR},
    "CONJUNCTION": _BOTH | {"children": EXPRS},
    "OPERATOR": _BOTH | {"children": EXPRS},
    "BETWEEN": _BOTH | {"input": EXPR, "lower": EXPR, "upper": EXPR},
    "CASE": _BOTH | {"case_checks": CASES, "else_expr": EXPR},
    "CAST": _BOTH | {"child": EXPR, "try_cast": PLAIN, "type_expr": EXPR},
    "COLLATE": _BOTH | {"child": EXPR, "collation": PLAIN},
    "TYPE": _BOTH | _QUALIFIED | {"type_name": PLAIN, "children": EXPRS},
    "SUBQUERY": _BOTH
    | {
        "subquery_type": PLAIN,
        "subquery": STATEMENT,
        "child": EXPR,
        "comparison_type": PLAIN,
    },
    "FUNCTION": _BOTH
    | _QUALIFIED
    | {
        "function_name": PLAIN,
        "filter": EXPR,
        "order_bys": ORDERS,
        "distinct": PLAIN,
        "is_operator": PLAIN,
        "export_state": EMPTY,
        "arguments": ARGUMENTS,
    },
    "WINDOW": _BOTH
    | _QUALIFIED
    | {
        "function_name": PLAIN,
        "partitions": EXPRS,
        "orders": ORDERS,
        "start": PLAIN,
        "end": PLAIN,
        "start_expr": EXPR,
        "end_expr": EXPR,
        "offset_expr": EXPR,
        "default_expr": EXPR,
        "ignore_nulls": PLAIN,
        "has_ignore_nulls": PLAIN,
        "filter_expr": EXPR,
        "exclude_clause": PLAIN,
        "distinct": PLAIN,
        "arg_orders": ORDERS,
        "arguments": ARGUMENTS,
    },
}
"""Expressions by class."""

OPERATIONS = frozenset(
    """
    ARRAY_EXTRACT ARRAY_SLICE COMPARE_IN COMPARE_NOT_IN GROUPING_FUNCTION OPERATOR_COALESCE
    OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL OPERATOR_NOT OPERATOR_NULLIF OPERATOR_TRY
    STRUCT_EXTRACT OPERATOR_UNPACK
    """.split()
) - {"OPERATOR_UNPACK"}
"""Types of the class OPERATOR."""
COLLATIONS = frozenset(("nocase", "noaccent", "nfc", "binary", "c", "posix"))

QUERY_NODES: dict[str, Rules] = {
    "SELECT_NODE": {
        "type": PLAIN,
        "modifiers": MODIFIERS,
        "cte_map": SEEN,
        "select_list": EXPRS,
        "from_table": TABLE,
        "where_clause": EXPR,
        "group_expressions": EXPRS,
        "group_sets": PLAIN,
        "aggregate_handling": PLAIN,
        "having": EXPR,
        "sample": EMPTY,
        "qualify": EXPR,
    },
    "SET_OPERATION_NODE": {
        "type": PLAIN,
        "modifiers": MODIFIERS,
        "cte_map": SEEN,
        "setop_type": PLAIN,
        "left": QUERY,
        "right": QUERY,
        "setop_all": PLAIN,
        "children": QUERIES,
    },
}

TABLES: dict[str, Rules] = {
    "EMPTY": {"type": PLAIN, "alias": PLAIN, "sample": EMPTY} | _PLACE,
    "BASE_TABLE": {
        "type": PLAIN,
        "alias": PLAIN,
        "sample": EMPTY,
        "schema_name": EMPTY,
        "catalog_name": EMPTY,
        "table_name": PLAIN,
        "column_name_alias": PLAIN,
        "at_clause": EMPTY,
        "qualified_name": NAME,
    }
    | _PLACE,
    "JOIN": {
        "type": PLAIN,
        "alias": PLAIN,
        "sample": EMPTY,
        "left": TABLE,
        "right": TABLE,
        "condition": EXPR,
        "join_type": PLAIN,
        "ref_type": PLAIN,
        "using_columns": PLAIN,
        "delim_flipped": EMPTY,
        "duplicate_eliminated_columns": EMPTY,
        "is_implicit": PLAIN,
        "ranking_expression": EMPTY,
        "nearest_count": PLAIN,
        "nearest_order_type": PLAIN,
        "nearest_approx": EMPTY,
    }
    | _PLACE,
    "SUBQUERY": {
        "type": PLAIN,
        "alias": PLAIN,
        "sample": EMPTY,
        "subquery": STATEMENT,
        "column_name_alias": PLAIN,
    }
    | _PLACE,
    "EXPRESSION_LIST": {
        "type": PLAIN,
        "alias": PLAIN,
        "sample": EMPTY,
        "expected_names": PLAIN,
        "expected_types": EMPTY,
        "values": ROWS,
    }
    | _PLACE,
    "TABLE_FUNCTION": {
        "type": PLAIN,
        "alias": PLAIN,
        "sample": EMPTY,
        "function": EXPR,
        "column_name_alias": PLAIN,
        "with_ordinality": PLAIN,
    }
    | _PLACE,
}
"""What may stand in FROM, by type."""

MODIFIER_NODES: dict[str, Rules] = {
    "ORDER_MODIFIER": {"type": PLAIN, "orders": ORDERS},
    "DISTINCT_MODIFIER": {"type": PLAIN, "distinct_on_targets": EXPRS},
    "LIMIT_MODIFIER": {"type": PLAIN, "limit": EXPR, "offset": EXPR, "limit_type": PLAIN},
}
ORDER: Rules = {"type": PLAIN, "null_order": PLAIN, "expression": EXPR}
CTE: Rules = {
    "aliases": PLAIN,
    "materialized": PLAIN,
    "key_targets": EMPTY,
    "payload_aggregates": EMPTY,
    "query_node": QUERY,
}

SPOKEN = {
    "SHOW_REF": "DESCRIBE, SHOW or SUMMARIZE",
    "PIVOT": "PIVOT or UNPIVOT",
    "LAMBDA": "a lambda or a list comprehension",
    "PARAMETER": "a parameter",
    "DEFAULT": "DEFAULT",
    "RECURSIVE_CTE_NODE": "WITH RECURSIVE",
    "sample": "TABLESAMPLE or USING SAMPLE",
    "at_clause": "AT (VERSION or TIMESTAMP)",
    "columns": "COLUMNS(…)",
    "expr": "COLUMNS(…)",
    "schema": "a qualified name",
    "catalog": "a qualified name",
    "schema_name": "a qualified name",
    "catalog_name": "a qualified name",
    "key_targets": "USING KEY",
    "export_state": "EXPORT_STATE",
}
"""What a person calls a kind of node, or a key, that is refused."""
