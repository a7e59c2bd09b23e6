"""Questions to records as SQL text with parameters."""

from collections.abc import Iterable, Sequence

from lineshaft.records import (
    And,
    Cell,
    Compare,
    Contains,
    In,
    IsNull,
    Not,
    Or,
    Predicate,
    Prefix,
    Some,
    Suffix,
)

Part = tuple[str, list[Cell]]
"""SQL text and the parameters that stand in it, in order."""


def table(collection: str) -> str:
    """Name of a collection's table of index rows."""
    return f'"rows_{collection}"'


def column(name: str) -> str:
    """Name of an index column; the prefix keeps it apart from our own columns."""
    return "key" if name == "key" else f'"c_{name}"'


def where_sql(where: Predicate, collection: str) -> Part:  # noqa: PLR0911 - one a case
    """The predicate as an expression that is 0 or 1, never null, so that NOT works."""
    match where:
        case Compare(column=name, op=op, value=value):
            return f"({column(name)} IS NOT NULL AND {column(name)} {op} ?)", [value]
        case In(column=name, values=values):
            marks = ", ".join("?" * len(values))
            return f"({column(name)} IS NOT NULL AND {column(name)} IN ({marks}))", [*values]
        case Prefix() | Suffix() | Contains():
            return _text_sql(where)
        case IsNull(column=name):
            return f"({column(name)} IS NULL)", []
        case And(parts=parts):
            return _joined(" AND ", (where_sql(p, collection) for p in parts), "1")
        case Or(parts=parts):
            return _joined(" OR ", (where_sql(p, collection) for p in parts), "0")
        case Not(part=part):
            inner, parameters = where_sql(part, collection)
            return f"(NOT {inner})", parameters
        case Some(part=part):
            inner, parameters = where_sql(part, collection)
            rows = table(collection)
            return f"(key IN (SELECT key FROM {rows} WHERE {inner}))", parameters  # noqa: S608


def _text_sql(where: Prefix | Suffix | Contains) -> Part:
    here, text = column(where.column), where.text
    match where:
        case Prefix():
            return _begins(here, text)
        case Suffix():
            # From the very end; -0 would be the beginning.
            ends: Part = (f"substr({here}, -length(?)) = ?", [text, text]) if text else ("1", [])
            return _joined(" AND ", [(f"{here} IS NOT NULL", []), ends], "1")
        case Contains():
            # lower() of SQLite knows ASCII alone, as the contract wants.
            return f"({here} IS NOT NULL AND instr(lower({here}), lower(?)) > 0)", [text]


def _joined(word: str, parts: Iterable[Part], empty: str) -> Part:
    texts, values = [], []
    for text, parameters in parts:
        texts.append(text)
        values += parameters
    return (f"({word.join(texts)})" if texts else empty), values


def _begins(name: str, text: str) -> Part:
    """Begins with, as a range, which an index answers."""
    after = text_after(text)
    if after is None:
        return f"({name} IS NOT NULL AND {name} >= ?)", [text]
    return f"({name} IS NOT NULL AND {name} >= ? AND {name} < ?)", [text, after]


def text_after(text: str) -> str | None:
    """The first text, by code point, that follows all that begin with this one."""
    text = text.rstrip("\U0010ffff")
    if not text:
        return None
    last = ord(text[-1]) + 1
    # Half characters cannot stand in a text.
    return text[:-1] + chr(0xE000 if last == 0xD800 else last)  # noqa: PLR2004


def after_sql(order: Sequence[tuple[str, bool]], place: Sequence[Cell]) -> Part:
    """Stands after the place of a cursor, in that order; null stands before all values."""
    options: list[Part] = []
    same: list[Part] = []
    for (name, falling), value in zip(order, place, strict=True):
        here = column(name)
        if value is None:
            beyond: Part = ("0", []) if falling else (f"{here} IS NOT NULL", [])
        elif falling:
            beyond = f"({here} < ? OR {here} IS NULL)", [value]
        else:
            beyond = f"{here} > ?", [value]
        options.append(_joined(" AND ", [*same, beyond], "1"))
        same.append((f"{here} IS ?", [value]))
    return _joined(" OR ", options, "1")


def find_sql(
    collection: str,
    where: Predicate | None,
    order: Sequence[tuple[str, bool]],
    place: Sequence[Cell] | None,
    *,
    several: bool,
) -> Part:
    """Key, version, data and order columns of the fitting documents, each once, in order.

    `several` says whether documents have several index rows; if none has, the first fitting
    row need not be looked for, and an index gives the order.
    """
    names = [column(n) for n, _ in order]
    fits, values = where_sql(where, collection) if where is not None else ("1", [])
    rows = f"{table(collection)} WHERE {fits}"
    if several:
        rank = f"row_number() OVER (PARTITION BY key ORDER BY {_by(order)}) AS rank"
        rows = f"(SELECT {', '.join(names)}, {rank} FROM {rows}) WHERE rank = 1"  # noqa: S608
    if place is not None:
        text, parameters = after_sql(order, place)
        rows += f" AND {text}"
        values = values + parameters
    sql = (
        f"SELECT d.key, d.version, d.data, {', '.join('r.' + n for n in names)}"  # noqa: S608
        f" FROM (SELECT {', '.join(names)} FROM {rows} ORDER BY {_by(order)} LIMIT ?) AS r"
        f" JOIN documents AS d ON d.collection = ? AND d.key = r.key ORDER BY {_by(order, 'r.')}"
    )
    return sql, values


def _by(order: Sequence[tuple[str, bool]], of: str = "") -> str:
    return ", ".join(f"{of}{column(n)} {'DESC' if falling else 'ASC'}" for n, falling in order)


def events_sql(
    *, after: int, before: int | None, kind: str, path: str, actor: str, newest_first: bool
) -> Part:
    """The columns of events that pass the filters, in order."""
    parts: list[Part] = [("seq > ?", [max(after, 0)])]
    if before is not None:
        parts.append(("seq < ?", [before]))
    if kind:
        parts.append(_joined(" OR ", [("kind = ?", [kind]), _begins("kind", kind + ".")], ""))
    if path:
        parts.append(_joined(" OR ", [("path = ?", [path]), _begins("path", path + "/")], ""))
    if actor:
        parts.append(("actor = ?", [actor]))
    fits, values = _joined(" AND ", parts, "1")
    falling = " DESC" if newest_first else ""
    return (
        f"SELECT seq, hash, id, time_ns, kind, path, actor, data FROM events WHERE {fits}"  # noqa: S608
        f" ORDER BY seq{falling} LIMIT ?",
        values,
    )
