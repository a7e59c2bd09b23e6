"""Questions to records as SQL text with parameters.

Two ways lead to an answer. Documents in order of their keys, the usual one, are walked along
their own index and each is asked whether it has a fitting row, or the few that an index of
rows names are put in order. Documents in order of columns come from their rows.
"""

from collections.abc import Callable, Iterable, Sequence

from lineshaft.records import (
    And,
    Cell,
    Collection,
    Column,
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
from lineshaft.records import _rules as rules

Part = tuple[str, list[Cell]]
"""SQL text and the parameters that stand in it, in order."""

EVERY: Part = ("1", [])
Numbers = Callable[[Suffix | Contains], tuple[int, ...] | None]
"""The numbers of all words that fit; None when these are too many to be named."""


def table(collection: str) -> str:
    """Name of a collection's table of index rows."""
    return f'"rows_{collection}"'


def column(name: str) -> str:
    """Name of an index column; the prefix keeps it apart from our own columns."""
    return f'"c_{name}"'


class Rows:
    """Predicates on one index row, as SQL.

    The row is called `r0`; one that is looked for inside a known document, `r1` and so on. Of
    that document only some rows are read, so a plus keeps SQLite from using an index there.
    """

    def __init__(self, collection: Collection, numbers: Numbers) -> None:
        self.collection = collection
        self._numbers = numbers

    def sql(self, where: Predicate, depth: int = 0) -> Part:
        """An expression that is 0 or 1, never null, so that NOT works."""
        match where:
            case IsNull(column=name):
                return f"({self._cell(name, depth)} IS NULL)", []
            case And(parts=parts):
                return joined(" AND ", (self.sql(p, depth) for p in parts), "1")
            case Or(parts=parts):
                return joined(" OR ", (self.sql(p, depth) for p in parts), "0")
            case Not(part=part):
                inner, values = self.sql(part, depth)
                return f"(NOT {inner})", values
            case Some(part=part):
                return self.some(part, f"r{depth}.doc", depth + 1)
            case _:
                return self._leaf(where, depth)

    def some(self, part: Predicate, doc: str, depth: int = 1) -> Part:
        """That the document of this number has a row that fits."""
        inner, values = self.sql(part, depth)
        rows = f"{table(self.collection.name)} AS r{depth}"
        return f"EXISTS (SELECT 1 FROM {rows} WHERE r{depth}.doc = {doc} AND {inner})", values  # noqa: S608

    def _cell(self, name: str, depth: int) -> str:
        if name == "key":
            return f"(SELECT k.key FROM documents AS k WHERE k.id = r{depth}.doc)"  # noqa: S608
        return f"{'+' if depth else ''}r{depth}.{column(name)}"

    def _leaf(self, where: Compare | In | Prefix | Suffix | Contains, depth: int) -> Part:
        here = self._cell(where.column, depth)
        if rules.column_of(self.collection, where.column) is not Column.WORD:
            return test_sql(where, here)
        if isinstance(where, Suffix | Contains) and (found := self._numbers(where)) is not None:
            marks = ", ".join("?" * len(found))
            return f"({here} IS NOT NULL AND {here} IN ({marks}))" if found else "0", [*found]
        # What a word is compared with is looked for among the words; the rows hold numbers.
        inner, values = test_sql(where, "text")
        return f"({here} IS NOT NULL AND {here} IN (SELECT id FROM words WHERE {inner}))", values  # noqa: S608

    def ordered(self, name: str) -> str:
        """The value of a column as it is ordered by, of the row `r0` and its document `d`."""
        if name == "key":
            return "d.key"
        if rules.column_of(self.collection, name) is Column.WORD:
            return f"(SELECT w.text FROM words AS w WHERE w.id = r0.{column(name)})"  # noqa: S608
        return f"r0.{column(name)}"

    def indexed(self, where: Predicate) -> bool:
        """Whether an index finds the rows that fit without looking at many others."""
        match where:
            case Compare(column=name, op=op):
                return op != "!=" and self._leads(name)
            case In(column=name) | Prefix(column=name):
                return self._leads(name)
            case Suffix(column=name) | Contains(column=name):
                # Words are few, and looked through first.
                word = rules.column_of(self.collection, name) is Column.WORD
                return word and self._leads(name)
            case And(parts=parts):
                return any(map(self.indexed, parts))
            case Or(parts=parts):
                return all(map(self.indexed, parts))
            case _:
                return False

    def _leads(self, name: str) -> bool:
        return any(names[0] == name for names in rules.indexes(self.collection))


def test_sql(where: Compare | In | Prefix | Suffix | Contains, here: str) -> Part:
    """A test of one value, as an expression that is 0 or 1."""
    match where:
        case Compare(op=op, value=value):
            return f"({here} IS NOT NULL AND {here} {op} ?)", [value]
        case In(values=values):
            marks = ", ".join("?" * len(values))
            return f"({here} IS NOT NULL AND {here} IN ({marks}))", [*values]
        case Prefix(text=text):
            return _begins(here, text)
        case Suffix(text=text):
            # From the very end; -0 would be the beginning.
            ends: Part = (f"substr({here}, -length(?)) = ?", [text, text]) if text else EVERY
            return joined(" AND ", [(f"{here} IS NOT NULL", []), ends], "1")
        case Contains(text=text):
            # lower() of SQLite knows ASCII alone, as the contract wants.
            return f"({here} IS NOT NULL AND instr(lower({here}), lower(?)) > 0)", [text]


def joined(word: str, parts: Iterable[Part], empty: str) -> Part:
    """Parts with a word between; of none, the empty one."""
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


# ---- documents in order of their keys


def of_document(where: Predicate) -> Predicate:
    """The same question with `Some` around all that is asked of a row.

    A document fits when one of its rows does, so this may be said of each part of an Or, and
    of an And apart from the parts that every row of a document answers alike.
    """
    match where:
        case Some(part=part):
            return of_document(part)
        case Or(parts=parts):
            return Or(tuple(map(of_document, parts)))
        case And(parts=parts):
            rows = tuple(p for p in parts if not _is_alike(p))
            alike = tuple(of_document(p) for p in parts if _is_alike(p))
            if len(rows) == 1 and not alike:
                return of_document(rows[0])
            return And((*alike, Some(And(rows)))) if rows else And(alike)
        case Not(part=part) if _is_alike(where):
            return Not(of_document(part))
        case _:
            return where if _is_alike(where) else Some(where)


def _is_alike(where: Predicate) -> bool:
    """Whether all rows of a document answer the same."""
    match where:
        case Some():
            return True
        case And(parts=parts) | Or(parts=parts):
            return all(map(_is_alike, parts))
        case Not(part=part):
            return _is_alike(part)
        case _:
            return where.column == "key"


def conjuncts(where: Predicate) -> list[Predicate]:
    """The parts that must all hold."""
    match where:
        case And(parts=parts):
            return [inner for p in parts for inner in conjuncts(p)]
        case _:
            return [where]


def document_sql(where: Predicate, rows: Rows) -> Part:
    """A question of `of_document`, as an expression over the document `d`."""
    match where:
        case And(parts=parts):
            return joined(" AND ", (document_sql(p, rows) for p in parts), "1")
        case Or(parts=parts):
            return joined(" OR ", (document_sql(p, rows) for p in parts), "0")
        case Not(part=part):
            inner, values = document_sql(part, rows)
            return f"(NOT {inner})", values
        case Some(part=part):
            return rows.some(part, "d.id")
        case IsNull():
            return "0", []  # every document has a key
        case _:
            return test_sql(where, "d.key")


def narrow_sql(rows: Rows, part: Predicate, limit: int) -> Part:
    """For each fitting row the number of its document, at most `limit` of them.

    Each once would be asked with DISTINCT, for which SQLite reads all rows in order.
    """
    inner, values = rows.sql(part)
    source = f"{table(rows.collection.name)} AS r0"
    return f"SELECT r0.doc FROM {source} WHERE {inner} LIMIT {limit}", values  # noqa: S608


def by_key_sql(
    rows: Rows,
    parts: Sequence[Predicate],
    place: Cell,
    *,
    falling: bool,
    among: str | None = None,
    end: Cell = None,
) -> Part:
    """Key, version, data and key of the fitting documents, in order; `limit` is asked last.

    `parts` are conjuncts of `of_document`, `place` is the key to go on after, `end` the one to
    stop before. With `among`, only documents with the numbers in that JSON list are looked at.
    """
    down = " DESC" if falling else ""
    after, values = _after_key(rows.collection, place, falling=falling)
    if end is not None:
        after += f" AND d.key {'>' if falling else '<'} ?"
        values = [*values, end]
    source = f"documents AS d WHERE {after}"
    if among is not None:
        # The plus keeps SQLite from walking all documents beside the few.
        after = after.replace("d.", "+d.")
        source = f"json_each(?) AS few CROSS JOIN documents AS d ON d.id = few.value WHERE {after}"
        values = [among, *values]
    fits, more = joined(" AND ", (document_sql(p, rows) for p in parts), "1")
    return (
        "SELECT d.key, d.version, d.data, d.key FROM"  # noqa: S608
        f" (SELECT d.id AS id FROM {source} AND {fits} ORDER BY d.key{down} LIMIT ?) AS p"
        f" CROSS JOIN documents AS d ON d.id = p.id ORDER BY d.key{down}",
        values + more,
    )


def end_sql(collection: Collection, place: Cell, *, falling: bool) -> Part:
    """Key of the document that stands so many places after `place`; the number is asked last."""
    after, values = _after_key(collection, place, falling=falling)
    down = " DESC" if falling else ""
    return (
        f"SELECT d.key FROM documents AS d WHERE {after} ORDER BY d.key{down} LIMIT 1 OFFSET ?",  # noqa: S608
        values,
    )


def _after_key(collection: Collection, place: Cell, *, falling: bool) -> Part:
    if place is None:
        return "d.collection = ?", [collection.name]
    return f"d.collection = ? AND d.key {'<' if falling else '>'} ?", [collection.name, place]


# ---- documents in order of columns


def by_column_sql(
    rows: Rows,
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
    cells = [f"{rows.ordered(name)} AS o{n}" for n, (name, _) in enumerate(order)]
    fits, values = rows.sql(where) if where is not None else EVERY
    # CROSS JOIN keeps SQLite from beginning with the documents.
    source = f"{table(rows.collection.name)} AS r0 CROSS JOIN documents AS d ON d.id = r0.doc"
    inner = f"SELECT r0.doc AS doc, {', '.join(cells)} FROM {source} WHERE {fits}"  # noqa: S608
    marks = ", ".join(f"o{n}" for n in range(len(order)))
    first = "1"
    if several:
        rank = f"row_number() OVER (PARTITION BY doc ORDER BY {_by(order)}) AS rank"
        inner, first = f"SELECT doc, {marks}, {rank} FROM ({inner})", "rank = 1"  # noqa: S608
    after, more = _after_sql(order, place) if place is not None else EVERY
    found = (
        f"SELECT doc, {marks} FROM ({inner}) WHERE {first} AND {after}"  # noqa: S608
        f" ORDER BY {_by(order)} LIMIT ?"
    )
    sql = (
        f"SELECT d.key, d.version, d.data, {marks} FROM ({found}) AS p"  # noqa: S608
        f" CROSS JOIN documents AS d ON d.id = p.doc ORDER BY {_by(order)}"
    )
    return sql, values + more


def _after_sql(order: Sequence[tuple[str, bool]], place: Sequence[Cell]) -> Part:
    """Stands after the place of a cursor, in that order; null stands before all values."""
    options: list[Part] = []
    same: list[Part] = []
    for n, ((_, falling), value) in enumerate(zip(order, place, strict=True)):
        here = f"o{n}"
        if value is None:
            beyond: Part = ("0", []) if falling else (f"{here} IS NOT NULL", [])
        elif falling:
            beyond = f"({here} < ? OR {here} IS NULL)", [value]
        else:
            beyond = f"{here} > ?", [value]
        options.append(joined(" AND ", [*same, beyond], "1"))
        same.append((f"{here} IS ?", [value]))
    return joined(" OR ", options, "1")


def _by(order: Sequence[tuple[str, bool]]) -> str:
    return ", ".join(f"o{n} {'DESC' if falling else 'ASC'}" for n, (_, falling) in enumerate(order))


# ---- events


def events_sql(
    *, after: int, before: int | None, kind: str, path: str, actor: str, newest_first: bool
) -> Part:
    """The columns of events that pass the filters, in order."""
    parts: list[Part] = [("seq > ?", [max(after, 0)])]
    if before is not None:
        parts.append(("seq < ?", [before]))
    if kind:
        parts.append(joined(" OR ", [("kind = ?", [kind]), _begins("kind", kind + ".")], ""))
    if path:
        parts.append(joined(" OR ", [("path = ?", [path]), _begins("path", path + "/")], ""))
    if actor:
        parts.append(("actor = ?", [actor]))
    fits, values = joined(" AND ", parts, "1")
    falling = " DESC" if newest_first else ""
    return (
        f"SELECT seq, hash, id, time_ns, kind, path, actor, data FROM events WHERE {fits}"  # noqa: S608
        f" ORDER BY seq{falling} LIMIT ?",
        values,
    )
