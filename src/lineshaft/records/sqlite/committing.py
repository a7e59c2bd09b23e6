"""Commits: those that wait at the same time share one transaction, and so one sync of the disk.

Each is done wholly or not at all by itself; one that fails takes no other with it.
"""

import asyncio
import contextlib
import sqlite3
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import msgspec

from lineshaft.core.errors import LineshaftError, Unavailable
from lineshaft.core.event import Event
from lineshaft.core.flow import assert_off_loop
from lineshaft.records import Append, Change, Collection, Delete, Put
from lineshaft.records import _rules as rules
from lineshaft.records.sqlite.cells import Cells, Row
from lineshaft.records.sqlite.tables import Writing, transaction

GROUP_MAX = 64
"""Most commits in one transaction."""

Waiting = tuple[Sequence[Change], "asyncio.Future[list[int]]"]
Outcome = list[int] | BaseException
Work = bytes | tuple[Put | Delete, list[Row]]
"""A change made ready: the canonical bytes of an event, or a document with its rows."""


class Commits:
    """Does what waits, on the one thread that writes."""

    def __init__(
        self, path: str, db: sqlite3.Connection, collections: Mapping[str, Collection]
    ) -> None:
        self._waiting: deque[Waiting] = deque()
        self._called = False
        """Whether the writing thread was called and has not yet looked at what waits."""
        self._path = path
        self._db = db
        self._collections = collections
        self._cells = {name: Cells(one) for name, one in collections.items()}
        self._writing = Writing(db, list(collections.values()))
        self._head: tuple[int, str] | None = None
        """Number and hash of the last event; None when they are to be read."""

    async def done(self, changes: Sequence[Change], call: Callable[[], object]) -> list[int]:
        """What the changes come to, once they are done; `call` has the writing thread `run`.

        Raises:
            Stale, Missing, Invalid, Unavailable: they were not done.
        """
        done: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
        self._waiting.append((changes, done))
        if not self._called:
            self._called = True
            call()
        return await done

    def run(self) -> None:
        """Do what waits by now."""
        assert_off_loop()
        # Who comes after this calls again, whether or not it is found below.
        self._called = False
        while self._waiting:
            count = min(len(self._waiting), GROUP_MAX)
            taken = [self._waiting.popleft() for _ in range(count)]
            if group := [(changes, done) for changes, done in taken if not done.cancelled()]:
                with contextlib.suppress(Exception):  # those who wait for it are told of it
                    self._answer(group)

    def _answer(self, group: Sequence[Waiting]) -> None:
        results: Sequence[Outcome] = ()
        try:
            results = self._together(group)
        finally:
            # Without results it is a defect of ours; whoever waits must hear of it.
            lost = sys.exception() or Unavailable("the commit was not done")
            outcomes = results or [lost] * len(group)
            told = [(done, one) for (_, done), one in zip(group, outcomes, strict=True)]
            # Waking the event loop is dear, so it is done once for all.
            group[0][1].get_loop().call_soon_threadsafe(_tell, told)

    def _together(self, group: Sequence[Waiting]) -> Sequence[Outcome]:
        kept = False
        try:
            with transaction(self._db):
                results = [self._one(changes) for changes, _ in group]
            kept = True
        except sqlite3.Error as error:
            if len(group) > 1:
                self._forget()
                return [result for one in group for result in self._together([one])]
            refused = Unavailable(
                f"records file {self._path} cannot be written: {error}",
                remedy="Nothing of this change was kept; make room on the disk and try again.",
            )
            refused.__cause__ = error
            return [refused]
        finally:
            if not kept:
                self._forget()
        return results

    def _one(self, changes: Sequence[Change]) -> list[int] | LineshaftError:
        """What one commit comes to; of one that fails, nothing stays in the transaction."""
        try:
            # All that may be wrong with what was given is found before anything is written.
            work = [self._prepared(change) for change in changes]
        except LineshaftError as error:
            return error
        self._db.execute("SAVEPOINT one")
        try:
            done = [
                self._append(one) if isinstance(one, bytes) else self._writing.change(*one)
                for one in work
            ]
        except LineshaftError as error:
            self._db.execute("ROLLBACK TO one")
            self._db.execute("RELEASE one")
            self._forget()
            return error
        self._db.execute("RELEASE one")
        return done

    def _forget(self) -> None:
        """What was undone is known no longer."""
        self._writing.forget()
        self._head = None

    def _prepared(self, change: Change) -> Work:
        match change:
            case Append(event=event):
                return rules.canonical(event)
            case Put():
                rules.collection_named(self._collections, change.collection)
                return change, self._cells[change.collection].of(change)
            case Delete():
                rules.collection_named(self._collections, change.collection)
                return change, []

    def _append(self, body: bytes) -> int:
        event = msgspec.json.decode(body, type=Event)
        head = self._head or self._db.execute("SELECT seq, hash FROM head").fetchone()
        seq, previous = head
        seq, hash_ = seq + 1, rules.chained(previous, body)
        data = msgspec.json.encode(event.data, order="sorted").decode()
        self._db.execute(
            "INSERT INTO events (seq, hash, id, time_ns, kind, path, actor, data)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (seq, hash_, event.id, event.time_ns, event.kind, event.path, event.actor, data),
        )
        self._db.execute("UPDATE head SET seq = ?, hash = ?", (seq, hash_))
        self._head = (seq, hash_)
        return int(seq)


def _tell(told: Sequence[tuple["asyncio.Future[list[int]]", Outcome]]) -> None:
    for done, outcome in told:
        if done.done():  # who waited has gone away
            continue
        if isinstance(outcome, BaseException):
            done.set_exception(outcome)
        else:
            done.set_result(outcome)
