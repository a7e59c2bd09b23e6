"""Commits: those that wait at the same time share one transaction, and so one sync of the disk.

Each is done wholly or not at all by itself; one that fails takes no other with it.
"""

import sqlite3
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

import msgspec

from lineshaft.core.errors import LineshaftError, Unavailable
from lineshaft.core.event import Event
from lineshaft.core.flow import assert_off_loop
from lineshaft.records import Append, Cell, Change, Collection, Delete, Put
from lineshaft.records import _rules as rules
from lineshaft.records.sqlite.tables import Writing, transaction

GROUP_MAX = 64
"""Most commits in one transaction."""

Waiting = tuple[Sequence[Change], "Future[list[int]]"]
Work = bytes | tuple[Put | Delete, list[dict[str, Cell]]]
"""A change made ready: the canonical bytes of an event, or a document with its rows."""


class Commits:
    """Does what waits, on the one thread that writes."""

    def __init__(
        self, path: str, db: sqlite3.Connection, collections: Mapping[str, Collection]
    ) -> None:
        self.waiting: deque[Waiting] = deque()
        """Filled by the event loop, which then calls `run` on the writing thread."""
        self._path = path
        self._db = db
        self._collections = collections
        self._writing = Writing(db, list(collections.values()))
        self._head: tuple[int, str] | None = None
        """Number and hash of the last event; None when they are to be read."""

    def run(self) -> None:
        """Do what waits by now; nothing, when an earlier call has done it."""
        assert_off_loop()
        group: list[Waiting] = []
        while self.waiting and len(group) < GROUP_MAX:
            changes, done = self.waiting.popleft()
            if done.set_running_or_notify_cancel():
                group.append((changes, done))
        try:
            if group:
                self._together(group)
        finally:
            for _, done in group:
                if not done.done():  # a defect of ours; whoever waits must hear of it
                    done.set_exception(sys.exception() or Unavailable("the commit was not done"))

    def _together(self, group: Sequence[Waiting]) -> None:
        try:
            with transaction(self._db):
                results = [self._one(changes) for changes, _ in group]
        except sqlite3.Error as error:
            self._forget()
            if len(group) > 1:
                for one in group:
                    self._together([one])
                return
            refused = Unavailable(
                f"records file {self._path} cannot be written: {error}",
                remedy="Nothing of this change was kept; make room on the disk and try again.",
            )
            refused.__cause__ = error
            results = [refused]
        except BaseException:
            self._forget()
            raise
        for (_, done), result in zip(group, results, strict=True):
            if isinstance(result, LineshaftError):
                done.set_exception(result)
            else:
                done.set_result(result)

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
                declared = rules.collection_named(self._collections, change.collection)
                return change, rules.check_rows(declared, change)
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
