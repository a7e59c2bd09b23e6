"""Tables of index rows: made ready for collections, filled and emptied with their documents."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import compress
from operator import ne

from lineshaft.core.errors import SettingsError
from lineshaft.records import Collection, Column, Delete, Put
from lineshaft.records import _rules as rules
from lineshaft.records.sqlite import queries
from lineshaft.records.sqlite.cells import Row, ordered

WORDS_MAX = 20_000
"""Words whose numbers are held in memory."""


def make_ready(db: sqlite3.Connection, collections: Sequence[Collection]) -> None:
    """Tables, columns and indexes of index rows for these collections; what is there stays.

    Raises:
        SettingsError: a column is there with another type.
    """
    with transaction(db):
        for collection in collections:
            table = queries.table(collection.name)
            db.execute(
                f"CREATE TABLE IF NOT EXISTS {table} (doc INTEGER NOT NULL, row INTEGER NOT NULL,"
                " PRIMARY KEY (doc, row)) WITHOUT ROWID"
            )
            there = {row[1]: row[2] for row in db.execute(f"PRAGMA table_info({table})")}
            for name, type_ in collection.columns.items():
                wanted = type_.value.upper()
                found = there.get(f"c_{name}")
                if found is None:
                    db.execute(f"ALTER TABLE {table} ADD COLUMN {queries.column(name)} {wanted}")
                elif found != wanted:
                    raise SettingsError(
                        f"records file: column {name} of {collection.name} is of type"
                        f" {found.lower()}, this program wants {type_.value}",
                        remedy="Use the version of the program that made the file.",
                    )
            _make_indexes(db, collection)


def _make_indexes(db: sqlite3.Connection, collection: Collection) -> None:
    """The indexes that the collection names, and no other: each costs on every write."""
    table = queries.table(collection.name)
    wanted = {}
    for names in rules.indexes(collection):
        columns = list(map(queries.column, names))
        sql = f"({', '.join(columns)}, doc)"
        # Named indexes are for looking up alone, for which rows without a value do not count.
        sql += f" WHERE {columns[0]} IS NOT NULL" if collection.indexes is not None else ""
        name = f"by_{collection.name}_{'_and_'.join(names)}"
        wanted[name] = f'CREATE INDEX "{name}" ON {table} {sql}'
    listed = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?"
    there = {n: s for n, s in db.execute(listed, (f"rows_{collection.name}",)) if s is not None}
    for name, sql in there.items():
        if wanted.get(name) != sql:
            db.execute(f'DROP INDEX "{name}"')
    for name, sql in wanted.items():
        if there.get(name) != sql:
            db.execute(sql)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """What is done inside is done wholly or not at all."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        # SQLite has ended the transaction by itself after some of its errors.
        if db.in_transaction:
            db.execute("ROLLBACK")


class Writing:
    """Puts documents with their rows; belongs to the one writing thread."""

    def __init__(self, db: sqlite3.Connection, collections: Sequence[Collection]) -> None:
        self._db = db
        self._words: dict[object, int | None] = {None: None}
        self._inserts = {c.name: _insert_sql(c) for c in collections}
        self._selects = {c.name: _select_sql(c) for c in collections}
        self._columns = {c.name: list(map(queries.column, ordered(c))) for c in collections}
        self._spelled = {
            c.name: sum(t is Column.WORD for t in c.columns.values()) for c in collections
        }
        """How many cells of a row, the first, are words."""
        self._several: set[str] = set()
        """Collections that the table `several` names, as far as it is known."""

    def forget(self) -> None:
        """What was met in a transaction that was undone is not there."""
        self._words = {None: None}
        self._several.clear()

    def change(self, change: Put | Delete, rows: Sequence[Row]) -> int:
        """The version of the document afterwards; 0 when it is gone.

        Raises:
            Stale: the expected version is not the present one.
            Missing: a deletion of what is not there, with `expected` given.
        """
        place = (change.collection, change.key)
        found = self._db.execute(
            "SELECT id, version FROM documents WHERE collection = ? AND key = ?", place
        ).fetchone()
        doc, version = found or (0, 0)
        rules.check_version(change, version)
        if isinstance(change, Delete):
            table = queries.table(change.collection)
            self._db.execute(f"DELETE FROM {table} WHERE doc = ?", (doc,))  # noqa: S608
            self._db.execute("DELETE FROM documents WHERE id = ?", (doc,))
            return 0
        if doc:
            self._db.execute(
                "UPDATE documents SET version = ?, data = ? WHERE id = ?",
                (version + 1, change.data, doc),
            )
        else:
            added = self._db.execute(
                "INSERT INTO documents (collection, key, version, data) VALUES (?, ?, ?, ?)",
                (*place, 1, change.data),
            )
            doc = added.lastrowid
        self._fill(change.collection, int(doc or 0), rows, new=not version)
        return int(version) + 1

    def _fill(self, collection: str, doc: int, rows: Sequence[Row], *, new: bool) -> None:
        spelled = self._spelled[collection]
        wanted = [self._numbered(row, spelled) for row in rows]
        there = [] if new else self._there(collection, doc)
        if len(there) > len(wanted):
            table = queries.table(collection)
            beyond = f"DELETE FROM {table} WHERE doc = ? AND row >= ?"  # noqa: S608
            self._db.execute(beyond, (doc, len(wanted)))
        self._mend(collection, doc, there, wanted)
        added = [(doc, n, *wanted[n]) for n in range(len(there), len(wanted))]
        if added:
            self._db.executemany(self._inserts[collection], added)
        if len(rows) > 1 and collection not in self._several:
            self._db.execute("INSERT OR IGNORE INTO several VALUES (?)", (collection,))
            self._several.add(collection)

    def _there(self, collection: str, doc: int) -> list[Row]:
        """The rows of a document as they are, in order."""
        return self._db.execute(self._selects[collection], (doc,)).fetchall()

    def _mend(self, collection: str, doc: int, there: Sequence[Row], wanted: Sequence[Row]) -> None:
        """Change in the rows what is not the same, so that only its indexes are written."""
        changes: dict[tuple[bool, ...], list[Row]] = {}
        for n, (old, row) in enumerate(zip(there, wanted, strict=False)):
            differs = tuple(map(ne, old, row))
            if any(differs):
                changed = (*compress(row, differs), doc, n)
                changes.setdefault(differs, []).append(changed)
        for differs, some in changes.items():
            cells = ", ".join(
                f"{name} = ?" for name in compress(self._columns[collection], differs)
            )
            sql = f"UPDATE {queries.table(collection)} SET {cells} WHERE doc = ? AND row = ?"  # noqa: S608
            self._db.executemany(sql, some)

    def _numbered(self, row: Row, spelled: int) -> Row:
        """The row with numbers in the place of its words."""
        try:
            return (*map(self._words.__getitem__, row[:spelled]), *row[spelled:])
        except KeyError:
            return (*map(self._word, row[:spelled]), *row[spelled:])

    def _word(self, text: object) -> int | None:
        """The number of a word, which is kept from now on; None for none."""
        if text in self._words:
            return self._words[text]
        found = self._db.execute("SELECT id FROM words WHERE text = ?", (text,)).fetchone()
        if found is None:
            added = self._db.execute("INSERT INTO words (text) VALUES (?)", (text,))
            found = (added.lastrowid,)
        if len(self._words) >= WORDS_MAX:
            self._words = {None: None}
        number = self._words[text] = int(found[0] or 0)
        return number


def _insert_sql(collection: Collection) -> str:
    names = ", ".join(["doc", "row", *map(queries.column, ordered(collection))])
    marks = ", ".join("?" * (2 + len(collection.columns)))
    into = queries.table(collection.name)
    return f"INSERT INTO {into} ({names}) VALUES ({marks})"  # noqa: S608


def _select_sql(collection: Collection) -> str:
    names = ", ".join(map(queries.column, ordered(collection))) or "row"
    return f"SELECT {names} FROM {queries.table(collection.name)} WHERE doc = ? ORDER BY row"  # noqa: S608
