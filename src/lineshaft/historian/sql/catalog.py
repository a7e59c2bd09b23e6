"""What a server of Flight SQL tells of itself: its views as tables, and what it can do."""

import re
from collections.abc import Iterable

import pyarrow as pa

import lineshaft
from lineshaft.historian.sql.messages import Message
from lineshaft.historian.sql.schema import SCHEMAS

CATALOGS = pa.schema([pa.field("catalog_name", pa.string(), nullable=False)])
DB_SCHEMAS = pa.schema(
    [
        pa.field("catalog_name", pa.string()),
        pa.field("db_schema_name", pa.string(), nullable=False),
    ]
)
TABLES = pa.schema(
    [
        pa.field("catalog_name", pa.string()),
        pa.field("db_schema_name", pa.string()),
        pa.field("table_name", pa.string(), nullable=False),
        pa.field("table_type", pa.string(), nullable=False),
    ]
)
TABLE_TYPES = pa.schema([pa.field("table_type", pa.string(), nullable=False)])
PRIMARY_KEYS = pa.schema(
    [
        pa.field("catalog_name", pa.string()),
        pa.field("db_schema_name", pa.string()),
        pa.field("table_name", pa.string(), nullable=False),
        pa.field("column_name", pa.string(), nullable=False),
        pa.field("key_name", pa.string()),
        pa.field("key_sequence", pa.int32(), nullable=False),
    ]
)
_VALUES = [
    pa.field("string_value", pa.string()),
    pa.field("bool_value", pa.bool_()),
    pa.field("bigint_value", pa.int64()),
    pa.field("int32_bitmask", pa.int32()),
    pa.field("string_list", pa.list_(pa.string())),
    pa.field("int32_to_int32_list_map", pa.map_(pa.int32(), pa.list_(pa.int32()))),
]
SQL_INFO = pa.schema(
    [
        pa.field("info_name", pa.uint32(), nullable=False),
        pa.field("value", pa.dense_union(_VALUES), nullable=False),
    ]
)
VIEW = "VIEW"
_TEXT, _FLAG, _MASK = 0, 1, 3
INFO: dict[int, tuple[int, str | bool | int]] = {
    0: (_TEXT, "Lineshaft"),
    1: (_TEXT, lineshaft.__version__),
    2: (_TEXT, pa.__version__),
    3: (_FLAG, True),  # read-only
    4: (_FLAG, True),  # takes SQL
    5: (_FLAG, False),  # takes no Substrait
    8: (_MASK, 0),  # no transactions
    9: (_FLAG, False),  # no cancelling by message: closing the stream is enough
    500: (_FLAG, False),
    501: (_FLAG, False),
    502: (_FLAG, False),
    504: (_TEXT, '"'),
}
"""By number of SqlInfo: which member of the union, and the value."""


def answer(message: Message) -> pa.Table | None:
    """The answer to a question about the server; None when the message asks something else."""
    match message.name:
        case "CommandGetSqlInfo":
            return _info(message.numbers(1))
        case "CommandGetCatalogs":
            return CATALOGS.empty_table()
        case "CommandGetDbSchemas":
            # Without names: tools would put them before the views, and queries may not.
            rows = [{"catalog_name": None, "db_schema_name": ""}]
            here = not message.text(1) and _fits("", message.text(2))
            return pa.Table.from_pylist(rows if here else [], schema=DB_SCHEMAS)
        case "CommandGetTables":
            return _tables(message)
        case "CommandGetTableTypes":
            return pa.table({"table_type": [VIEW]}, schema=TABLE_TYPES)
        case "CommandGetPrimaryKeys":
            return PRIMARY_KEYS.empty_table()
    return None


def _info(wanted: Iterable[int]) -> pa.Table:
    kept = [n for n in wanted if n in INFO] or ([] if list(wanted) else list(INFO))
    children: list[list[object]] = [[] for _ in _VALUES]
    kinds, offsets = [], []
    for number in kept:
        kind, value = INFO[number]
        kinds.append(kind)
        offsets.append(len(children[kind]))
        children[kind].append(value)
    union = pa.UnionArray.from_dense(
        pa.array(kinds, pa.int8()),
        pa.array(offsets, pa.int32()),
        [pa.array(c, f.type) for c, f in zip(children, _VALUES, strict=True)],
        [f.name for f in _VALUES],
    )
    return pa.Table.from_arrays([pa.array(kept, pa.uint32()), union], schema=SQL_INFO)


def _tables(message: Message) -> pa.Table:
    types = message.texts(4)
    rows = [
        {
            "catalog_name": None,
            "db_schema_name": "",
            "table_name": name,
            "table_type": VIEW,
            "table_schema": columns.serialize().to_pybytes(),
        }
        for name, columns in SCHEMAS.items()
        if _fits(name, message.text(3))
        and _fits("", message.text(2))
        and not message.text(1)
        and (not types or VIEW in types)
    ]
    schema = TABLES
    if message.flag(5):
        schema = TABLES.append(pa.field("table_schema", pa.binary(), nullable=False))
    return pa.Table.from_pylist(rows, schema=schema)


def _fits(name: str, pattern: str | None) -> bool:
    """Whether a name fits a pattern of LIKE."""
    if pattern is None:
        return True
    wild = {"%": ".*", "_": "."}
    return bool(re.fullmatch("".join(wild.get(c, re.escape(c)) for c in pattern), name))
