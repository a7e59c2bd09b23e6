"""Records in one SQLite file: the default, for a plant on one machine.

The file is written by one thread with a write-ahead log and synced at every commit, and read
by a few threads beside it. A lock file keeps a second process out.
"""

import asyncio
import queue
import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing
from typing import Annotated, Any, TypeVar

import msgspec

from lineshaft.core.errors import Invalid, SettingsError, Unavailable
from lineshaft.core.event import Event
from lineshaft.core.flow import assert_off_loop
from lineshaft.core.settings import Settings
from lineshaft.records import (
    Append,
    Cell,
    Change,
    Collection,
    Column,
    Delete,
    Logged,
    Page,
    Predicate,
    Put,
    Record,
    Records,
)
from lineshaft.records import _rules as rules
from lineshaft.records.sqlite import files, queries
from lineshaft.records.sqlite.migrations import bring_up, event_of

T = TypeVar("T")

SEQ_MAX = 2**63 - 1


class Sqlite(Records):
    """Documents, index rows and events as tables of one file.

    A new index column is null in the rows of older documents until they are put again.
    """

    class Config(Settings, frozen=True):
        """What the settings table may say."""

        path: str = ""
        """The file; made when it does not exist. When empty, the plant says where."""
        readers: Annotated[int, msgspec.Meta(ge=1, le=16)] = 3
        """Threads that read beside the one that writes."""

    example = """
        [records]
        kind = "sqlite"
        readers = 2
    """

    config: Config

    def __init__(self, name: str, config: Settings) -> None:
        super().__init__(name, config)
        self._collections: dict[str, Collection] = {}
        self._writer: ThreadPoolExecutor
        self._readers: ThreadPoolExecutor
        self._db: sqlite3.Connection
        self._idle: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        """A connection for each reading thread; taken for one question, then put back."""

    # ---- opening

    @asynccontextmanager
    async def opened(self, collections: Sequence[Collection]) -> AsyncGenerator[None]:
        if not self.config.path:
            raise SettingsError(
                f"{self.name}: path is empty, wanted a file",
                remedy="Set path, or run it in a plant, which gives one.",
            )
        declared = {c.name: rules.check_collection(c) for c in collections}
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            writer = ThreadPoolExecutor(1, f"{self.name} writer")
            stack.push_async_callback(asyncio.to_thread, writer.shutdown)
            held = await loop.run_in_executor(writer, self._open, list(declared.values()))
            stack.push_async_callback(loop.run_in_executor, writer, held.close)
            readers = ThreadPoolExecutor(self.config.readers, f"{self.name} reader")
            stack.push_async_callback(asyncio.to_thread, readers.shutdown)
            self._collections, self._writer, self._readers = declared, writer, readers
            yield
            self._collections = {}

    def _open(self, collections: Sequence[Collection]) -> ExitStack:
        """Lock the file, bring its tables up to date; the result closes everything."""
        assert_off_loop()
        with ExitStack() as stack:
            stack.enter_context(files.locked(self.config.path))
            try:
                self._db = stack.enter_context(closing(files.connect(self.config.path)))
                bring_up(self._db, self.config.path)
                _make_ready(self._db, collections)
                self._idle = queue.SimpleQueue()
                for _ in range(self.config.readers):
                    reader = files.connect(self.config.path, read_only=True)
                    self._idle.put(stack.enter_context(closing(reader)))
            except sqlite3.Error as error:
                raise SettingsError(
                    f"records file {self.config.path} cannot be used: {error}",
                    remedy="See that the disk has room, that it is a file of this program, whole,"
                    " and that it may be written.",
                ) from error
            return stack.pop_all()

    # ---- writing

    async def commit(self, *changes: Change) -> list[int]:
        # All that may be wrong with what was given is found before the transaction begins.
        work = [self._prepared(change) for change in changes]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writer, self._commit, work)

    def _prepared(self, change: Change) -> "_Work":
        match change:
            case Append(event=event):
                return rules.canonical(event)
            case Put():
                declared = rules.collection_named(self._collections, change.collection)
                return change, rules.check_rows(declared, change)
            case Delete():
                rules.collection_named(self._collections, change.collection)
                return change, []

    def _commit(self, work: Sequence["_Work"]) -> list[int]:
        assert_off_loop()
        try:
            self._db.execute("BEGIN IMMEDIATE")
            done = [
                self._append(one) if isinstance(one, bytes) else self._change(*one) for one in work
            ]
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise Unavailable(
                f"records file {self.config.path} cannot be written: {error}",
                remedy="Nothing of this change was kept; make room on the disk and try again.",
            ) from error
        finally:
            # SQLite has ended the transaction by itself after some of its errors.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        return done

    def _append(self, body: bytes) -> int:
        event = msgspec.json.decode(body, type=Event)
        seq, previous = self._db.execute("SELECT seq, hash FROM head").fetchone()
        seq, hash_ = seq + 1, rules.chained(previous, body)
        data = msgspec.json.encode(event.data, order="sorted").decode()
        self._db.execute(
            "INSERT INTO events (seq, hash, id, time_ns, kind, path, actor, data)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (seq, hash_, event.id, event.time_ns, event.kind, event.path, event.actor, data),
        )
        self._db.execute("UPDATE head SET seq = ?, hash = ?", (seq, hash_))
        return int(seq)

    def _change(self, change: Put | Delete, rows: Sequence[dict[str, Cell]]) -> int:
        place = (change.collection, change.key)
        found = self._db.execute(
            "SELECT version FROM documents WHERE collection = ? AND key = ?", place
        ).fetchone()
        version = int(found[0]) if found else 0
        rules.check_version(change, version)
        table = queries.table(change.collection)
        if version:
            self._db.execute(f"DELETE FROM {table} WHERE key = ?", place[1:])  # noqa: S608
        if isinstance(change, Delete):
            self._db.execute("DELETE FROM documents WHERE collection = ? AND key = ?", place)
            return 0
        self._db.execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?) ON CONFLICT (collection, key)"
            " DO UPDATE SET version = excluded.version, data = excluded.data",
            (*place, version + 1, change.data),
        )
        for n, row in enumerate(rows):
            names = ", ".join(["key", "row", *map(queries.column, row)])
            marks = ", ".join("?" * (2 + len(row)))
            self._db.execute(
                f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608
                (change.key, n, *row.values()),
            )
        return version + 1

    # ---- reading

    async def _read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Put a question to a reading thread, in one snapshot of the file."""

        def ask() -> T:
            assert_off_loop()
            db = self._idle.get()
            try:
                db.execute("BEGIN")
                return question(db)
            except sqlite3.Error as error:
                raise Unavailable(
                    f"records file {self.config.path} cannot be read: {error}",
                    remedy="Try again; if it stays, restore the file from a backup.",
                ) from error
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                self._idle.put(db)

        return await asyncio.get_running_loop().run_in_executor(self._readers, ask)

    async def get(self, collection: str, key: str) -> Record | None:
        rules.collection_named(self._collections, collection)
        place = (collection, rules.check_text(key))
        sql = "SELECT key, version, data FROM documents WHERE collection = ? AND key = ?"
        found = await self._read(lambda db: db.execute(sql, place).fetchone())
        return _record(found) if found else None

    async def find(
        self,
        collection: str,
        where: Predicate | None = None,
        *,
        order: Sequence[str] = ("key",),
        cursor: str = "",
        limit: int = 100,
    ) -> Page:
        declared = rules.collection_named(self._collections, collection)
        rules.check_limit(limit)
        if where is not None:
            rules.check_predicate(declared, where)
        columns = rules.check_order(declared, order)
        place = rules.read_cursor(declared, columns, cursor) if cursor else None

        def question(db: sqlite3.Connection) -> list[tuple[Any, ...]]:
            sql = f"SELECT EXISTS (SELECT 1 FROM {queries.table(collection)} WHERE row > 0)"  # noqa: S608
            (several,) = db.execute(sql).fetchone()
            sql, values = queries.find_sql(collection, where, columns, place, several=several)
            # One more than asked tells whether there is a next page.
            return db.execute(sql, (*values, limit + 1, collection)).fetchall()

        found = await self._read(question)
        page = found[:limit]
        end = ""
        if len(found) > limit:
            cells = zip(columns, page[-1][3:], strict=True)
            end = rules.write_cursor(columns, [_cell(declared, n, v) for (n, _), v in cells])
        return Page(records=tuple(map(_record, page)), cursor=end)

    async def events(  # noqa: PLR0913 - the contract's
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
        rules.check_limit(limit)
        sql, values = queries.events_sql(
            after=min(after, SEQ_MAX),
            before=None if before is None else max(min(before, SEQ_MAX), 0),
            kind=rules.check_text(kind),
            path=rules.check_text(path),
            actor=rules.check_text(actor),
            newest_first=newest_first,
        )
        found = await self._read(lambda db: db.execute(sql, (*values, limit)).fetchall())
        try:
            return [Logged(seq=row[0], hash=row[1], event=event_of(*row[2:])) for row in found]
        except (msgspec.DecodeError, TypeError) as error:
            raise Unavailable(
                f"records file {self.config.path} holds an event that cannot be read: {error}",
                remedy="Run `lineshaft audit verify`; it names the event.",
            ) from error

    async def verify(self) -> int:
        return await self._read(_verify)


_Work = bytes | tuple[Put | Delete, list[dict[str, Cell]]]
"""A change made ready: the canonical bytes of an event, or a document with its rows."""


def _record(row: Sequence[Any]) -> Record:
    return Record(key=row[0], version=row[1], data=row[2])


def _cell(collection: Collection, name: str, value: Cell) -> Cell:
    """A value as the contract has it: SQLite knows no booleans."""
    if value is not None and rules.column_of(collection, name) is Column.BOOLEAN:
        return bool(value)
    return value


def _make_ready(db: sqlite3.Connection, collections: Sequence[Collection]) -> None:
    """Tables and columns of index rows for these collections; what is there stays."""
    db.execute("BEGIN IMMEDIATE")
    for collection in collections:
        table = queries.table(collection.name)
        db.execute(
            f"CREATE TABLE IF NOT EXISTS {table}"
            " (key TEXT NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (key, row)) WITHOUT ROWID"
        )
        db.execute(
            f'CREATE INDEX IF NOT EXISTS "several_{collection.name}" ON {table} (row) WHERE row > 0'
        )
        there = {row[1]: row[2] for row in db.execute(f"PRAGMA table_info({table})")}
        for name, type_ in collection.columns.items():
            column, wanted = queries.column(name), type_.value.upper()
            if there.get(f"c_{name}", wanted) != wanted:
                db.execute("ROLLBACK")
                raise SettingsError(
                    f"records file: column {name} of {collection.name} is of type"
                    f" {there[f'c_{name}'].lower()}, this program wants {type_.value}",
                    remedy="Use the version of the program that made the file.",
                )
            if f"c_{name}" not in there:
                db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {wanted}")
        _make_indexes(db, collection)
    db.execute("COMMIT")


def _make_indexes(db: sqlite3.Connection, collection: Collection) -> None:
    """The indexes that the collection names, and no other: each costs on every write."""
    table = queries.table(collection.name)
    wanted = {
        f"by_{collection.name}_{'_and_'.join(names)}": ", ".join(map(queries.column, names))
        for names in rules.indexes(collection)
    }
    sql = "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql NOT NULL"
    there = {name for (name,) in db.execute(sql, (f"rows_{collection.name}",))}
    for name in there - set(wanted) - {f"several_{collection.name}"}:
        db.execute(f'DROP INDEX "{name}"')
    for name in wanted.keys() - there:
        db.execute(f'CREATE INDEX "{name}" ON {table} ({wanted[name]}, key)')


def _verify(db: sqlite3.Connection) -> int:
    seq, hash_ = 0, rules.FIRST_HASH
    columns = "seq, hash, id, time_ns, kind, path, actor, data"
    for row in db.execute(f"SELECT {columns} FROM events ORDER BY seq"):  # noqa: S608
        if row[0] != seq + 1:
            raise Invalid(f"event {seq + 1} is missing from the log; the next one is {row[0]}")
        seq = row[0]
        try:
            hash_ = rules.chained(hash_, rules.canonical(event_of(*row[2:])))
        except (msgspec.DecodeError, TypeError, Invalid) as error:
            raise Invalid(f"event {seq} cannot be read any more: {error}") from error
        if hash_ != row[1]:
            raise Invalid(f"event {seq} ({row[4]}) is not what was written, or not in its place")
    head = db.execute("SELECT seq, hash FROM head").fetchone()
    if head != (seq, hash_):
        raise Invalid(f"the log ends at event {seq}, but {head and head[0]} were written")
    return seq
