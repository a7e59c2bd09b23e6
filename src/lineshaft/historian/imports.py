"""Imports bring old data in, in numbered chunks: they can be broken off, resumed and repeated."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

import msgspec

from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns, to_iso
from lineshaft.core.errors import Denied, Invalid, Missing, Stale
from lineshaft.core.event import Event
from lineshaft.records import Append, Cell, Collection, Column, Put, Records

COLLECTION = Collection(name="imports", columns={"started": Column.TEXT, "name": Column.TEXT})
FINGERPRINT_CHARS_MAX = 200
NAME_CHARS_MAX = 200


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """One file on its way into the store."""

    id: str
    name: str
    rows_total: int | None
    """Rows it has in all, perhaps a guess; null when the sender does not know."""
    estimate: bool = False
    """Whether `rows_total` is a guess."""
    rows_done: int = 0
    """Rows that the store has confirmed: where to go on."""
    started: str
    """When it began, RFC 3339."""
    finished: str | None = None
    """When its last row was confirmed, RFC 3339; null while it runs."""
    by: str = ""
    """Who began it."""


class NewImport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one says to begin, or to resume, an import."""

    name: str
    """What people call it, say the file's name."""
    fingerprint: str
    """Text that is the same for the same file and mapping, and only then."""
    rows_total: int | None = None
    """Rows it has in all; null when the sender does not know."""
    estimate: bool = False
    """Whether `rows_total` is a guess: then the import ends when it is begun again without one."""


class Imports:
    """All imports, as the records know them.

    A chunk is kept by the store first and counted in the records after. If the power fails
    between, it is sent again, and the store replaces every row by itself.
    """

    def __init__(self, records: Records, keep: Callable[[Batch], Awaitable[None]]) -> None:
        self._records = records
        self._keep = keep
        self._locks: dict[str, asyncio.Lock] = {}

    async def begin(self, new: NewImport, by: str) -> Import:
        """The import of that fingerprint, begun now or at some time before.

        Raises:
            Invalid: name or fingerprint is empty or too long, or `rows_total` is negative.
        """
        if not 0 < len(new.name) <= NAME_CHARS_MAX:
            raise Invalid(f"name has {len(new.name)} characters, wanted 1 to {NAME_CHARS_MAX}")
        if not 0 < len(new.fingerprint) <= FINGERPRINT_CHARS_MAX:
            raise Invalid(
                f"fingerprint has {len(new.fingerprint)} characters,"
                f" wanted 1 to {FINGERPRINT_CHARS_MAX}"
            )
        if new.rows_total is not None and new.rows_total < 0:
            raise Invalid(f"rows_total is {new.rows_total}, wanted 0 or more, or null")
        key = key_of(new.fingerprint)
        async with self._lock(key):
            known = await self._records.get(COLLECTION.name, key)
            if known is None:
                made = Import(
                    id=key, name=new.name, rows_total=None, started=to_iso(now_ns()), by=by
                )
            else:
                made = msgspec.json.decode(known.data, type=Import)
            if made.finished is None:
                made = msgspec.structs.replace(
                    made, rows_total=new.rows_total, estimate=new.estimate
                )
                made = _finished(made)
                begun = Event(kind="import.begun", actor=by, data={"id": key, "name": new.name})
                await self._save(made, *([] if known else [begun]))
            return made

    async def chunk(self, key: str, offset: int, batch: Batch) -> Import:
        """Keep the rows from `offset` on; rows that are done already are passed over.

        Raises:
            Missing: there is no such import.
            Stale: the chunk would leave a gap; go on at `rows_done`.
            Unavailable: the store takes nothing now.
        """
        async with self._lock(key):
            now = await self.get(key)
            if offset > now.rows_done:
                raise Stale(
                    f"import {now.name!r}: chunk starts at row {offset}, but only"
                    f" {now.rows_done} rows are done",
                    remedy=f"Go on at offset {now.rows_done}.",
                )
            done = offset + len(batch)
            if done > now.rows_done:
                await self._keep(batch.slice(now.rows_done - offset, len(batch)))
                now = msgspec.structs.replace(now, rows_done=done)
                now = _finished(now)
                await self._save(now)
            return now

    async def check_reach(self, key: str, owner: str) -> None:
        """See that an import, if there is one, was begun by this user.

        Raises:
            Denied: it was begun by another.
        """
        record = await self._records.get(COLLECTION.name, key)
        made = msgspec.json.decode(record.data, type=Import) if record else None
        if made is not None and owner_of(made) != owner:
            raise Denied(
                f"import {made.name!r} was begun by {owner_of(made)}",
                remedy="Who sees the whole namespace may go on with it.",
            )

    async def get(self, key: str) -> Import:
        """The import.

        Raises:
            Missing: there is none of that identifier.
        """
        record = await self._records.get(COLLECTION.name, key)
        if record is None:
            raise Missing(
                f"there is no import {key!r}", remedy="Begin it with POST /api/v1/imports."
            )
        return msgspec.json.decode(record.data, type=Import)

    async def latest(self, limit: int = 100) -> list[Import]:
        """Imports, the latest first."""
        page = await self._records.find(COLLECTION.name, order=("-started",), limit=limit)
        return [msgspec.json.decode(r.data, type=Import) for r in page.records]

    async def _save(self, made: Import, *events: Event) -> None:
        row: dict[str, Cell] = {"started": made.started, "name": made.name}
        data = msgspec.json.encode(made)
        await self._records.commit(
            Put(collection=COLLECTION.name, key=made.id, data=data, rows=(row,)),
            *(Append(event=event) for event in events),
        )

    def _lock(self, key: str) -> asyncio.Lock:
        if len(self._locks) > 1000:  # noqa: PLR2004 - far more than ever run at once
            self._locks = {k: lock for k, lock in self._locks.items() if lock.locked()}
        return self._locks.setdefault(key, asyncio.Lock())


def key_of(fingerprint: str) -> str:
    """The identifier of the import with that fingerprint."""
    return hashlib.sha256(fingerprint.encode()).hexdigest()[:32]


def owner_of(made: Import) -> str:
    """The user who began it, also when a token of theirs did."""
    return made.by.partition("/")[0]


def _finished(made: Import) -> Import:
    """The import, marked as finished if it is."""
    if made.estimate or made.rows_total is None or made.rows_done < made.rows_total:
        return made
    return msgspec.structs.replace(made, finished=made.finished or to_iso(now_ns()))
