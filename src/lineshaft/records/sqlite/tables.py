"""Tables of index rows: made ready for collections, filled and emptied with their documents."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from lineshaft.core.errors import SettingsError
from lineshaft.records import Cell, Collection, Column, Delete, Put
from lineshaft.records import _rules as rules
from lineshaft.records.sqlite import queries

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
        self._words: dict[str, int] = {}
        self._inserts = {c.name: _insert_sql(c) for c in collections}
        self._selects = {c.name: _select_sql(c) for c in collections}
        self._columns = {c.name: list(map(queries.column, c.columns)) for c in collections}
        self._spelled = {
            c.name: [m for m, t in enumerate(c.columns.values()) if t is Column.WORD]
            for c in collections
        }
        """Places of the columns that hold numbers of words."""
        self._several: set[str] = set()
        """Collections that the table `several` names, as far as it is known."""

    def forget(self) -> None:
        """What was met in a transaction that was undone is not there."""
        self._words.clear()
        self._several.clear()

    def change(self, change: Put | Delete, rows: Sequence[dict[str, Cell]]) -> int:
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

    def _fill(
        self, collection: str, doc: int, rows: Sequence[dict[str, Cell]], *, new: bool
    ) -> None:
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

    def _there(self, collection: str, doc: int) -> list[tuple[Cell, ...]]:
        """The rows of a document as they are, in order."""
        return self._db.execute(self._selects[collection], (doc,)).fetchall()

    def _mend(
        self,
        collection: str,
        doc: int,
        there: Sequence[tuple[Cell, ...]],
        wanted: Sequence[tuple[Cell, ...]],
    ) -> None:
        """Change in the rows what is not the same, so that only its indexes are written."""
        changes: dict[tuple[int, ...], list[tuple[Cell, ...]]] = {}
        for n, (old, row) in enumerate(zip(there, wanted, strict=False)):
            places = tuple(m for m, value in enumerate(row) if value != old[m])
            if places:
                changed = (*(row[m] for m in places), doc, n)
                changes.setdefault(places, []).append(changed)
        names = self._columns[collection]
        for places, some in changes.items():
            cells = ", ".join(f"{names[m]} = ?" for m in places)
            sql = f"UPDATE {queries.table(collection)} SET {cells} WHERE doc = ? AND row = ?"  # noqa: S608
            self._db.executemany(sql, some)

    def _numbered(self, row: Mapping[str, Cell], spelled: Sequence[int]) -> tuple[Cell, ...]:
        """The values of the row, with numbers in the place of its words."""
        values = list(row.values())
        for m in spelled:
            if isinstance(text := values[m], str):
                values[m] = self._words.get(text) or self._word(text)
        return tuple(values)

    def _word(self, text: str) -> int:
        """The number of a word, which is kept from now on."""
        number = self._words.get(text)
        if number is None:
            found = self._db.execute("SELECT id FROM words WHERE text = ?", (text,)).fetchone()
            if found is None:
                added = self._db.execute("INSERT INTO words (text) VALUES (?)", (text,))
                found = (added.lastrowid,)
            if len(self._words) >= WORDS_MAX:
                self._words.clear()
            number = self._words[text] = int(found[0] or 0)
        return number


def _insert_sql(collection: Collection) -> str:
    names = ", ".join(["doc", "row", *map(queries.column, collection.columns)])
    marks = ", ".join("?" * (2 + len(collection.columns)))
    into = queries.table(collection.name)
    return f"INSERT INTO {into} ({names}) VALUES ({marks})"  # noqa: S608


def _select_sql(collection: Collection) -> str:
    names = ", ".join(map(queries.column, collection.columns)) or "row"
    return f"SELECT {names} FROM {queries.table(collection.name)} WHERE doc = ? ORDER BY row"  # noqa: S608
