"""Records in one SQLite file: the default, for a plant on one machine.

The file is written by one thread with a write-ahead log and synced at every commit, and read
by a few threads beside it. A lock file keeps a second process out.
"""

import asyncio
import itertools
import queue
import sqlite3
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing
from typing import Annotated, Any, TypeVar

import msgspec

from lineshaft.core.errors import Invalid, SettingsError, Unavailable
from lineshaft.core.flow import assert_off_loop
from lineshaft.core.settings import Settings
from lineshaft.records import (
    Cell,
    Change,
    Collection,
    Column,
    Logged,
    Page,
    Predicate,
    Record,
    Records,
)
from lineshaft.records import _rules as rules
from lineshaft.records.sqlite import files, queries
from lineshaft.records.sqlite.committing import Commits
from lineshaft.records.sqlite.finding import by_key
from lineshaft.records.sqlite.migrations import bring_up, event_of
from lineshaft.records.sqlite.tables import make_ready
from lineshaft.records.sqlite.words import Words

T = TypeVar("T")

SEQ_MAX = 2**63 - 1
STEPS_A_CALL = 1_000_000
STEPS_MAX = 1000
"""Millions of steps of SQLite's machine for one question; some ten seconds."""
SEVERAL = "SELECT EXISTS (SELECT 1 FROM several WHERE collection = ?)"
"""Whether a document of the collection ever had more than one index row."""


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
        self._commits: Commits
        self._words = Words()
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
                make_ready(self._db, collections)
                declared = {c.name: c for c in collections}
                self._commits = Commits(self.config.path, self._db, declared)
                self._idle, self._words = queue.SimpleQueue(), Words()
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
        return await self._commits.done(changes, lambda: self._writer.submit(self._commits.run))

    # ---- reading

    async def _read(
        self, question: Callable[[sqlite3.Connection], T], *, bounded: bool = True
    ) -> T:
        """Put a question to a reading thread, in one snapshot of the file."""
        # One question must not keep a reader from all others for ever.
        steps_max = STEPS_MAX if bounded else sys.maxsize

        def ask() -> T:
            assert_off_loop()
            db = self._idle.get()
            calls = itertools.count(1)
            db.set_progress_handler(lambda: next(calls) > steps_max, STEPS_A_CALL)
            try:
                db.execute("BEGIN")
                return question(db)
            except sqlite3.Error as error:
                if next(calls) > steps_max:
                    raise Unavailable(
                        "the question makes the records look at too much",
                        remedy="Narrow it by a condition that few documents fulfil.",
                    ) from error
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
            rows = queries.Rows(declared, self._words.of(db))
            # One more than asked tells whether there is a next page.
            if columns[0][0] == "key":
                key, falling = place[0] if place else None, columns[0][1]
                return by_key(db, rows, where, key, falling=falling, limit=limit + 1)
            (several,) = db.execute(SEVERAL, (collection,)).fetchone()
            sql, values = queries.by_column_sql(rows, where, columns, place, several=several)
            return db.execute(sql, (*values, limit + 1)).fetchall()

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
        return await self._read(_verify, bounded=False)


def _record(row: Sequence[Any]) -> Record:
    return Record(key=row[0], version=row[1], data=row[2])


def _cell(collection: Collection, name: str, value: Cell) -> Cell:
    """A value as the contract has it: SQLite knows no booleans."""
    if value is not None and rules.column_of(collection, name) is Column.BOOLEAN:
        return bool(value)
    return value


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
