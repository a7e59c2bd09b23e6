"""Records keep documents with index columns, and the log of events. One file is one engine.

Documents, their index rows and events commit in one transaction. An event, once in, is never
changed: the log is a hash chain, `hash = sha256(previous hash + canonical JSON of the event)`.
What every engine must agree on to the letter (which values a column takes, how an event is
hashed, what a cursor holds) stands in `_rules.py`.
"""

import abc
import enum
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

import msgspec

from lineshaft.core.event import Event
from lineshaft.core.plugin import Plugin

Cell = str | int | float | bool | None
"""What an index column can hold."""


class Column(enum.Enum):
    """Type of an index column."""

    TEXT = "text"
    WORD = "word"
    """A text of which the same few come over and over; engines may keep each once.

    Words are never forgotten: it is not for texts that are made up anew all the time.
    """
    INTEGER = "integer"
    REAL = "real"
    BOOLEAN = "boolean"


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A named set of documents; a slice declares its own in `COLLECTIONS`."""

    name: str
    """Lower-case word, `[a-z][a-z0-9_]*`."""
    columns: dict[str, Column] = {}
    """Index columns; every index row of a document may fill them."""
    indexes: tuple[tuple[str, ...], ...] | None = None
    """Which columns, one or several together, are looked up fast; None means each by itself.

    Every column answers every predicate; one without an index only makes the search slower.
    """


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One stored document."""

    key: str
    version: int
    """1 for a new document, one more with each change."""
    data: bytes
    """The document, as the JSON bytes that were put."""


# ---- predicates: a small tree that every engine compiles


class Compare(msgspec.Struct, frozen=True, tag="compare"):
    """Column against a value. A null column fits no comparison; test it with `IsNull`."""

    column: str
    op: str
    """One of `=`, `!=`, `<`, `<=`, `>`, `>=`."""
    value: str | int | float | bool


class In(msgspec.Struct, frozen=True, tag="in"):
    """The column is one of the values."""

    column: str
    values: tuple[str | int | float | bool, ...]


class Prefix(msgspec.Struct, frozen=True, tag="prefix"):
    """The column begins with the text, letter case counted."""

    column: str
    text: str


class Suffix(msgspec.Struct, frozen=True, tag="suffix"):
    """The column ends with the text, letter case counted."""

    column: str
    text: str


class Contains(msgspec.Struct, frozen=True, tag="contains"):
    """The column holds the text somewhere, ASCII letter case ignored."""

    column: str
    text: str


class IsNull(msgspec.Struct, frozen=True, tag="is_null"):
    """The column is not filled."""

    column: str


class And(msgspec.Struct, frozen=True, tag="and"):
    """All hold; of none, true."""

    parts: tuple["Predicate", ...]


class Or(msgspec.Struct, frozen=True, tag="or"):
    """One holds at least; of none, false."""

    parts: tuple["Predicate", ...]


class Not(msgspec.Struct, frozen=True, tag="not"):
    """The other does not hold."""

    part: "Predicate"


class Some(msgspec.Struct, frozen=True, tag="some"):
    """One of the document's index rows fits the part, whichever row is being looked at.

    `And((Some(a), Some(b)))` asks for a row that fits a and a row, the same or another, that
    fits b; `Not(Some(a))` that no row fits a.
    """

    part: "Predicate"


Predicate = Compare | In | Prefix | Suffix | Contains | IsNull | And | Or | Not | Some
"""A document fits when one of its index rows fits. The column `key` is the document's key."""


# ---- changes


class Put(msgspec.Struct, frozen=True, kw_only=True):
    """Write a document with its index rows."""

    collection: str
    key: str
    data: bytes
    """The document as JSON."""
    rows: tuple[dict[str, Cell], ...] = ({},)
    """Its index rows; columns left out are null. Of none, it has a single empty one."""
    expected: int | None = None
    """The version it must have now; 0 means it must not exist; None does not ask."""


class Delete(msgspec.Struct, frozen=True, kw_only=True):
    """Remove a document with its index rows."""

    collection: str
    key: str
    expected: int | None = None


class Append(msgspec.Struct, frozen=True, kw_only=True):
    """Add an event to the log."""

    event: Event


Change = Put | Delete | Append


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Part of an answer, and how to go on."""

    records: tuple[Record, ...]
    cursor: str = ""
    """Give it to `find` for the next part; empty when this is the last."""


class Logged(msgspec.Struct, frozen=True, kw_only=True):
    """An event in its place in the log."""

    seq: int
    """1 for the first, without holes."""
    event: Event
    hash: str
    """Hex SHA-256 over the hash before it (64 zeros for the first) and the event."""


class Records(Plugin, abc.ABC):
    """Documents and events. No method blocks the event loop."""

    @abc.abstractmethod
    def opened(self, collections: Sequence[Collection]) -> AbstractAsyncContextManager[None]:
        """The time in which the records are in use, with these collections made ready.

        Raises:
            SettingsError: the place is in use, or of a newer version than this program.
        """

    @abc.abstractmethod
    async def get(self, collection: str, key: str) -> Record | None:
        """The document, or None."""

    @abc.abstractmethod
    async def find(
        self,
        collection: str,
        where: Predicate | None = None,
        *,
        order: Sequence[str] = ("key",),
        cursor: str = "",
        limit: int = 100,
    ) -> Page:
        """Documents that fit, each once, ordered by columns (`-name` for falling) then key.

        A document with several fitting index rows stands where its first one stands; null
        stands before every value (after it when falling). Pages follow each other without
        gap or double even when documents come and go between; only a document whose order
        columns change meanwhile may move past the reader.

        Raises:
            Invalid: a collection, column or cursor is unknown, a value is not of its
                column's type, the predicate is too large, or limit is outside 1 to 1000.
        """

    @abc.abstractmethod
    async def commit(self, *changes: Change) -> list[int]:
        """Do all changes, or none; when this returns they survive a power cut.

        Returns for each change the new version of the document, 0 for a deletion, the
        sequence number of an event.

        Raises:
            Stale: an expected version is not the present one.
            Missing: a deletion of what is not there, with `expected` given.
            Unavailable: they cannot be written now (disk full).
            Invalid: a collection or column is unknown, a value is not of its column's type,
                or `data` is not JSON.
        """

    @abc.abstractmethod
    async def events(  # noqa: PLR0913 - filters, all by keyword
        self,
        *,
        after: int = 0,
        before: int | None = None,
        kind: str = "",
        path: str = "",
        actor: str = "",
        newest_first: bool = False,
        limit: int = 100,
    ) -> list[Logged]:
        """Events with `after < seq < before` that pass the filters, ordered by `seq`.

        The kind begins with `kind` (whole words between dots), the path is `path` or below
        it, the actor is `actor`; an empty one of the three asks nothing.

        Raises:
            Invalid: limit is outside 1 to 1000.
        """

    @abc.abstractmethod
    async def verify(self) -> int:
        """Check the hash chain from end to end; returns the number of events.

        Raises:
            Invalid: an event was changed, removed or put in; the message names the first.
        """
