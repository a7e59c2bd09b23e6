"""What every engine of records agrees on to the letter, so that no two differ."""

import base64
import binascii
import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from lineshaft.core.errors import Invalid, Missing, Stale
from lineshaft.core.event import Event
from lineshaft.records import (
    And,
    Cell,
    Collection,
    Column,
    Compare,
    Contains,
    Delete,
    In,
    IsNull,
    Not,
    Or,
    Predicate,
    Prefix,
    Put,
    Some,
    Suffix,
)

LIMIT_MAX = 1000
"""Most documents or events in one answer."""
NODES_MAX = 500
"""Most parts of one predicate."""
VALUES_MAX = 10_000
"""Most values in all `In` of one predicate."""
FIRST_HASH = "0" * 64
"""What stands for the hash before the first event."""
OPS = ("=", "!=", "<", "<=", ">", ">=")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")
_INTEGER_MAX = 2**63 - 1
_TEXTS = (Column.TEXT, Column.WORD)


def canonical(event: Event) -> bytes:
    """The event as the bytes that are hashed: JSON, keys sorted, no spaces.

    Raises:
        Invalid: its data cannot be written as JSON.
    """
    try:
        # Twice, because what goes in as a date or a number key comes back as text, and the
        # hash must be that of what a reader gets.
        again = msgspec.json.decode(msgspec.json.encode(event), type=Event)
        return msgspec.json.encode(again, order="sorted")
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Invalid(
            f"event {event.kind!r} holds data that is not JSON: {error}",
            remedy="Keep texts, numbers, booleans, lists and tables in it.",
        ) from error


def chained(previous: str, body: bytes) -> str:
    """Hash of an event in its place: over the hash before it and its canonical bytes."""
    return hashlib.sha256(previous.encode() + body).hexdigest()


def check_limit(limit: int) -> int:
    """The limit itself, when it is within bounds.

    Raises:
        Invalid: it is not.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise Invalid(f"limit is {limit}, wanted 1 to {LIMIT_MAX}", remedy="Ask page by page.")
    return limit


def check_collection(collection: Collection) -> Collection:
    """The collection itself, when its names can be names in every engine.

    Raises:
        Invalid: they cannot.
    """
    for word in (collection.name, *collection.columns):
        if not _WORD.fullmatch(word) or word in {"key", "row"}:
            raise Invalid(
                f"collection {collection.name!r}: {word!r} cannot be a name",
                remedy="Take lower-case letters, digits and _, up to 40, but not key or row.",
            )
    for name in (name for names in indexes(collection) for name in names):
        column_of(collection, name)
    return collection


def indexes(collection: Collection) -> tuple[tuple[str, ...], ...]:
    """The columns, or groups of them, that are looked up fast."""
    if collection.indexes is None:
        return tuple((name,) for name in collection.columns)
    return collection.indexes


def collection_named(collections: Mapping[str, Collection], name: str) -> Collection:
    """The declared collection of that name.

    Raises:
        Invalid: there is none, or the records are not open.
    """
    if name not in collections:
        raise Invalid(
            f"records know no collection {name!r}; open are: {', '.join(sorted(collections))}",
            remedy="Declare it in the slice's COLLECTIONS.",
        )
    return collections[name]


def check_version(change: Put | Delete, version: int) -> None:
    """See that a change meets the version it expects; `version` is 0 for what is not there.

    Raises:
        Stale: it is another one.
        Missing: a deletion, with a version expected, of what is not there.
    """
    if change.expected is None or change.expected == version:
        return
    what = f"{change.collection} {change.key!r}"
    if isinstance(change, Delete) and not version:
        raise Missing(f"{what} is not there any more")
    found = f"has version {version}" if version else "does not exist"
    raise Stale(
        f"{what} {found}, the change was made for version {change.expected}",
        remedy="Read it again and make the change on what it is now.",
    )


def column_of(collection: Collection, name: str) -> Column:
    """The type of a column; the column `key` is text.

    Raises:
        Invalid: the collection has no such column.
    """
    if name == "key":
        return Column.TEXT
    if name not in collection.columns:
        raise Invalid(
            f"collection {collection.name!r} has no column {name!r}",
            remedy=f"Columns are: {', '.join(['key', *collection.columns])}.",
        )
    return collection.columns[name]


def check_text(text: str) -> str:
    """The text itself, when every engine can keep it.

    Raises:
        Invalid: it holds a NUL or half a surrogate pair.
    """
    if "\0" in text or (not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text)):
        raise Invalid(
            f"text {text[:40]!r} holds a NUL or half a character",
            remedy="Leave out U+0000 and U+D800 to U+DFFF.",
        )
    return text


def check_cell(column: Column, value: Cell) -> Cell:
    """The value as that column keeps it and as it is compared with.

    Raises:
        Invalid: the column is of another type; NaN, NUL and integers beyond 64 bit fit none.
    """
    if isinstance(value, str) and column in _TEXTS:  # most are
        return check_text(value)
    match column, value:
        case _, None:
            return None
        case Column.BOOLEAN, bool():
            return value
        case Column.INTEGER, int() if not isinstance(value, bool) and abs(value) <= _INTEGER_MAX:
            return value
        case Column.REAL, float() if not math.isnan(value):
            return value
        case Column.REAL, int() if not isinstance(value, bool) and abs(value) <= _INTEGER_MAX:
            return float(value)
    raise Invalid(f"{value!r} is no value for a column of type {column.value}")


def check_document(collection: Collection, put: Put) -> None:
    """See that the key can be kept and that the data is JSON.

    Raises:
        Invalid: it cannot, or is not.
    """
    check_text(put.key)
    try:
        msgspec.json.decode(put.data, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{collection.name} {put.key!r}: data is not JSON: {error}") from error


def check_rows(collection: Collection, put: Put) -> list[dict[str, Cell]]:
    """The index rows of a document, every column filled, at least one row.

    Raises:
        Invalid: key, data or a row does not fit the collection.
    """
    check_document(collection, put)
    empty: dict[str, Cell] = dict.fromkeys(collection.columns)
    rows = []
    for given in put.rows or ({},):
        row = empty.copy()
        for name, value in given.items():
            if name == "key":
                raise Invalid(f"{collection.name} {put.key!r}: a row cannot fill the column key")
            column = column_of(collection, name)
            row[name] = None if value is None else check_cell(column, value)
        rows.append(row)
    return rows


def check_predicate(collection: Collection, where: Predicate) -> None:
    """See that a predicate speaks of known columns, in values of their types.

    Raises:
        Invalid: it does not, or it is too large.
    """
    values = 0
    for nodes, part in enumerate(_parts(where), 1):
        match part:
            case Compare(column=name, op=op, value=value):
                if op not in OPS:
                    raise Invalid(f"{op!r} compares nothing", remedy=f"Take one of {OPS}.")
                _check_value(collection, name, value)
            case In(column=name, values=many):
                values += len(many)
                for value in many:
                    _check_value(collection, name, value)
            case (
                Prefix(column=name, text=text)
                | Suffix(column=name, text=text)
                | Contains(column=name, text=text)
            ):
                _check_value(collection, name, text)
            case IsNull(column=name):
                column_of(collection, name)
            case And() | Or() | Not() | Some():
                pass
        if nodes > NODES_MAX or values > VALUES_MAX:
            raise Invalid(
                f"the predicate is too large: wanted at most {NODES_MAX} parts and"
                f" {VALUES_MAX} values",
                remedy="Ask in several steps.",
            )


def _check_value(collection: Collection, name: str, value: Cell) -> None:
    if check_cell(column_of(collection, name), value) is None:
        raise Invalid(f"column {name!r} is compared with nothing", remedy="Ask with IsNull.")


def _parts(where: Predicate) -> Iterator[Predicate]:
    """The predicate and all inside it, without recursion: it may come from outside."""
    todo = [where]
    while todo:
        part = todo.pop()
        yield part
        match part:
            case And(parts=parts) | Or(parts=parts):
                todo += parts
            case Not(part=inner) | Some(part=inner):
                todo.append(inner)
            case _:
                pass


def check_order(collection: Collection, order: Sequence[str]) -> list[tuple[str, bool]]:
    """The order as columns and whether each falls, ending in the key, which decides last.

    Raises:
        Invalid: a column is unknown.
    """
    columns: list[tuple[str, bool]] = []
    for word in order:
        name = word.removeprefix("-")
        column_of(collection, name)
        if name not in (known for known, _ in columns):
            columns.append((name, word.startswith("-")))
        if name == "key":
            return columns
    return [*columns, ("key", False)]


def write_cursor(order: Sequence[tuple[str, bool]], place: Sequence[Cell]) -> str:
    """A cursor that says after which values of the order columns to go on."""
    packed = msgspec.msgpack.encode([list(order), list(place)])
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(
    collection: Collection, order: Sequence[tuple[str, bool]], cursor: str
) -> list[Cell]:
    """The place that a cursor of the same order holds.

    Raises:
        Invalid: it was not made by `write_cursor` for this order.
    """
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        made_for, place = msgspec.msgpack.decode(
            packed, type=tuple[list[tuple[str, bool]], list[Cell]]
        )
        if made_for == list(order) and len(place) == len(order):
            columns = [column_of(collection, name) for name, _ in order]
            return [check_cell(c, v) for c, v in zip(columns, place, strict=True)]
    except (binascii.Error, msgspec.DecodeError, ValueError, Invalid):
        pass
    raise Invalid(
        f"cursor {cursor[:40]!r} does not belong to this question",
        remedy="Begin again without a cursor.",
    )


def before(
    order: Sequence[tuple[str, bool]], left: Mapping[str, Cell], right: Mapping[str, Cell]
) -> bool:
    """Whether the row `left` stands before the row `right` in that order."""
    for name, falling in order:
        a, b = left[name], right[name]
        if a == b:
            continue
        first = a is None or (b is not None and a < b)  # type: ignore[operator]
        return first is not falling
    return False
