"""How the tables of a records file came to be, step by step: each version from the one before.

A step, once released, is never changed; `PRAGMA user_version` says how many were taken.
"""

import sqlite3
from collections.abc import Callable

import msgspec

from lineshaft.core.errors import SettingsError
from lineshaft.core.event import Event
from lineshaft.records import _rules as rules

APPLICATION_ID = 0x4C534852
"""Marks the file as ours: `LSHR`."""


def _1_documents_and_events(db: sqlite3.Connection) -> None:
    db.execute(
        "CREATE TABLE documents (collection TEXT NOT NULL, key TEXT NOT NULL,"
        " version INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (collection, key))"
    )
    db.execute(
        "CREATE TABLE events (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, time_ns INTEGER NOT NULL,"
        " kind TEXT NOT NULL, path TEXT NOT NULL, actor TEXT NOT NULL, data TEXT NOT NULL)"
    )
    for column in ("kind", "path", "actor"):
        db.execute(f"CREATE INDEX events_{column} ON events ({column}, seq)")
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _2_hash_chain(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE events ADD COLUMN hash TEXT NOT NULL DEFAULT ''")
    db.execute(
        "CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL,"
        " hash TEXT NOT NULL)"
    )
    seq, hash_ = 0, rules.FIRST_HASH
    columns = "rowid, id, time_ns, kind, path, actor, data"
    found = db.execute(f"SELECT {columns} FROM events ORDER BY seq").fetchall()  # noqa: S608
    for rowid, *cells in found:
        body = rules.canonical(event_of(*cells))
        seq, hash_ = seq + 1, rules.chained(hash_, body)
        db.execute("UPDATE events SET seq = ?, hash = ? WHERE seq = ?", (seq, hash_, rowid))
    db.execute("INSERT INTO head VALUES (1, ?, ?)", (seq, hash_))


def _3_numbers_for_keys(db: sqlite3.Connection) -> None:
    """Index rows name their document by a number, and words that come often too."""
    db.execute("ALTER TABLE documents RENAME TO old_documents")
    db.execute(
        "CREATE TABLE documents (id INTEGER PRIMARY KEY, collection TEXT NOT NULL,"
        " key TEXT NOT NULL, version INTEGER NOT NULL, data BLOB NOT NULL)"
    )
    db.execute(
        "INSERT INTO documents (collection, key, version, data)"
        " SELECT collection, key, version, data FROM old_documents ORDER BY collection, key"
    )
    db.execute("DROP TABLE old_documents")
    db.execute("CREATE UNIQUE INDEX documents_key ON documents (collection, key)")
    db.execute("CREATE TABLE words (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)")
    db.execute("CREATE TABLE several (collection TEXT PRIMARY KEY) WITHOUT ROWID")
    listed = "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 5) = 'rows_'"
    for (old,) in db.execute(listed).fetchall():
        _number_rows(db, old, old.removeprefix("rows_"))


def _number_rows(db: sqlite3.Connection, old: str, collection: str) -> None:
    columns = [(r[1], r[2]) for r in db.execute(f'PRAGMA table_info("{old}")').fetchall()][2:]
    names = "".join(f', "{name}"' for name, _ in columns)
    types = "".join(f', "{name}" {type_}' for name, type_ in columns)
    db.execute(f'ALTER TABLE "{old}" RENAME TO old_rows')
    db.execute(
        f'CREATE TABLE "{old}" (doc INTEGER NOT NULL, row INTEGER NOT NULL{types},'
        " PRIMARY KEY (doc, row)) WITHOUT ROWID"
    )
    db.execute(
        f'INSERT INTO "{old}" (doc, row{names}) SELECT d.id, r.row{names} FROM old_rows AS r'  # noqa: S608
        " JOIN documents AS d ON d.collection = ? AND d.key = r.key",
        (collection,),
    )
    db.execute("DROP TABLE old_rows")
    db.execute(
        f'INSERT INTO several SELECT ? WHERE EXISTS (SELECT 1 FROM "{old}" WHERE row > 0)',  # noqa: S608
        (collection,),
    )


STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _1_documents_and_events,
    _2_hash_chain,
    _3_numbers_for_keys,
)
"""`STEPS[n]` makes version n + 1 from version n; version 0 is an empty file."""


def event_of(id_: str, time_ns: int, kind: str, path: str, actor: str, data: str) -> Event:
    """The event that stands in the columns of a row."""
    return Event(
        id=id_, time_ns=time_ns, kind=kind, path=path, actor=actor, data=msgspec.json.decode(data)
    )


def bring_up(db: sqlite3.Connection, path: str) -> None:
    """Take the steps that the file lacks, all or none.

    Raises:
        SettingsError: the file is of a newer program, or not ours.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (mark,) = db.execute("PRAGMA application_id").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if mark != APPLICATION_ID and (version or tables):
        raise SettingsError(
            f"records file {path} is an SQLite file, but not of this program",
            remedy="Give the path of another file; it is made when it does not exist.",
        )
    if version > len(STEPS):
        raise SettingsError(
            f"records file {path} has version {version}, this program knows up to {len(STEPS)}",
            remedy="Install the newer program that wrote it, or restore the backup from before.",
        )
    if version == len(STEPS):
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        for step in STEPS[version:]:
            step(db)
        db.execute(f"PRAGMA user_version = {len(STEPS)}")
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
