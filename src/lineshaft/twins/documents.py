"""Documents: the one place through which shells, submodels and their like are read and written.

Every write is one transaction of the records: the document, its index rows and its event.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.errors import LineshaftError, Missing
from lineshaft.core.event import Event
from lineshaft.records import Append, Change, Delete, Predicate, Put, Record, Records
from lineshaft.twins import Class, Document, Json, index
from lineshaft.twins.cache import Cache
from lineshaft.twins.matching import check_expected, check_match

log = logging.getLogger(__name__)

T = TypeVar("T")

Announce = Callable[[Event], Awaitable[None]]
"""Tells an event that is safely in the log; the plant gives `spine.announce`."""

COLLECTIONS = tuple(index.COLLECTIONS.values())
"""What twins keep in the records, one collection for each class."""
LOCKS = 512
"""Locks for writing; documents share one when their names fall together, and then wait."""
IN_LOOP_BYTES_MAX = 65_536
"""Bytes of a document up to which it is altered, and its index rows made, on the event loop."""
BORN_BYTES = 6
"""What is drawn for each new document: two of the same identifier never share an ETag."""
ENTRY_BYTES = 400
"""What a document in the cache costs beside its bytes, about."""
PAGES_SHARE = 0.25
"""Part of the memory for documents that whole pages may take."""


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """Put a document in the place of the one with its identifier, or make it."""

    class_: Class
    id: str
    obj: Json
    """The whole document; it must not be changed afterwards."""
    expected: int | None = None
    """The version it must have now; 0 means it must not exist; None does not ask."""
    match: str = ""
    """What a header If-Match says of it; empty asks nothing."""
    path: str | None = None
    """Branch of the namespace of its asset; empty for none, None leaves it as it is."""
    origin: str | None = None
    """Who made it: empty for a client, `generated`, `import`; None leaves it as it is."""
    kind: str = ""
    """Kind of its event; empty for `twin.created` or `twin.updated`."""
    detail: Json = {}
    """What its event says beside class, id and version, such as `idShortPath`."""
    more: tuple[Change, ...] = ()
    """Other changes to the records in the same transaction."""


class Remove(msgspec.Struct, frozen=True, kw_only=True):
    """Take a document away."""

    class_: Class
    id: str
    expected: int | None = None
    """The version it must have now; None does not ask, but it must exist."""
    match: str = ""
    """What a header If-Match says of it; empty asks nothing."""
    detail: Json = {}
    """What its event says beside class, id and version."""
    more: tuple[Change, ...] = ()
    """Other changes to the records in the same transaction."""


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """What stands in the records: where it belongs, who made it, the JSON as it is."""

    path: str
    origin: str
    data: msgspec.Raw
    born: str = ""


Key = tuple[Class, str]
Before = Callable[[Identity, Write | Remove, Document], Awaitable[Sequence[Change]]]
Failed = Callable[[Iterable[Key]], None]
Page = tuple[tuple[Document, ...], str]
"""Documents, and the cursor of those that follow."""


class Documents:
    """Reads and writes documents; those read often are kept in memory."""

    def __init__(
        self, records: Records, *, cache_mb: float = 64, announce: Announce | None = None
    ) -> None:
        self._records = records
        self._announce = announce
        self._cache: Cache[Key, Document] = Cache(int(cache_mb * 1_000_000), _size)
        self._pages: Cache[Hashable, Page] = Cache(
            int(cache_mb * PAGES_SHARE * 1_000_000), _size_of_page
        )
        self._writes = dict.fromkeys(Class, 0)
        """Of each class how often a write has begun or ended: a page lives between two."""
        self._locks = [asyncio.Lock() for _ in range(LOCKS)]
        self.before: Before | None = None
        """Asked for further changes that keep a document as it was before a change."""
        self.failed: Failed | None = None
        """Told which documents stay as they are, when `before` was asked in vain."""
        self._reading: dict[Key, object] = {}
        """Questions under way; a write takes its own out, so that no old answer is cached."""

    # ---- reading

    async def get(self, class_: Class, id_: str) -> Document | None:
        """The document as the last acknowledged write left it, or None."""
        key = (class_, id_)
        if (found := self._cache.get(key)) is not None:
            return found
        mark = self._reading[key] = object()
        try:
            record = await self._records.get(class_.value, id_)
            document = _document(class_, record) if record else None
            if document is not None and self._reading.get(key) is mark:
                self._cache.put(key, document)
            return document
        finally:
            if self._reading.get(key) is mark:
                del self._reading[key]

    async def find(
        self,
        class_: Class,
        where: Predicate | None = None,
        *,
        cursor: str = "",
        limit: int = 100,
    ) -> tuple[list[Document], str]:
        """Documents that fit, ordered by identifier, and the cursor of the next part.

        Raises:
            Invalid: the cursor is not of this question, or limit is outside 1 to 1000.
        """
        writes = self._writes[class_]
        asked = (class_, writes, where, cursor, limit)
        if (kept := self._pages.get(asked)) is not None:
            return list(kept[0]), kept[1]
        page = await self._records.find(class_.value, where, cursor=cursor, limit=limit)
        found = [_document(class_, r) for r in page.records]
        if self._writes[class_] == writes:
            self._pages.put(asked, (tuple(found), page.cursor))
        return found, page.cursor

    async def path_of(self, class_: Class, id_: str) -> str:
        """Branch of the namespace of the document's asset; empty when it has none.

        Raises:
            Missing: there is no such document.
        """
        return (await self._there(class_, id_)).path

    async def _there(self, class_: Class, id_: str) -> Document:
        if (found := await self.get(class_, id_)) is None:
            raise _missing(class_, id_)
        return found

    # ---- writing

    async def commit(self, who: Identity, *changes: Write | Remove) -> list[Document | None]:
        """Do all changes with their events, or none; gives each document as it is now.

        Raises:
            Stale: a document has not the version that was expected.
            Missing: what is to be removed does not exist.
            Unavailable: the records cannot be written now.
            Invalid: an identifier or text cannot be kept.
        """
        keys = {(c.class_, c.id) for c in changes}
        return await self._alone(keys, self._commit(who, changes, keys))

    async def change(  # noqa: PLR0913 - the last three by keyword
        self,
        class_: Class,
        id_: str,
        who: Identity,
        alter: Callable[[Json], T],
        *,
        if_match: str = "",
        kind: str = "",
        detail: Json | None = None,
    ) -> tuple[Document, T]:
        """Read, alter in place, write, with no other write to the document between.

        `alter` is called in a thread where the document is large, and touches nothing else.
        `if_match` is what the header If-Match says; `kind` is that of the event, if not
        `twin.updated`.

        Raises:
            Missing: there is no such document.
            Stale: it has none of the versions of `if_match`.
            Unavailable: the records cannot be written now.
        """

        async def work() -> tuple[Document, T]:
            found = await self._there(class_, id_)
            check_match(if_match, found)

            def altered() -> tuple[Json, T]:
                obj = msgspec.json.decode(found.data)
                return obj, alter(obj)

            small = len(found.data) <= IN_LOOP_BYTES_MAX
            obj, said = altered() if small else await asyncio.to_thread(altered)
            write = Write(class_=class_, id=id_, obj=obj, kind=kind, detail=detail or {})
            await self._commit(who, [write], {(class_, id_)})
            return await self._there(class_, id_), said

        return await self._alone({(class_, id_)}, work())

    async def note(self, who: Identity, kind: str, found: Document, detail: Json) -> None:
        """Log and tell an event about a document that stays as it is.

        Raises:
            Unavailable: the records cannot be written now.
        """
        event = _about(who, kind, found, detail)
        await self._records.commit(Append(event=event))
        await tell(self._announce, event)

    async def _alone(self, keys: set[Key], work: Coroutine[Any, Any, T]) -> T:
        """Do what writes these documents while nobody else writes them.

        It is brought to its end even when the caller goes away, so that the cache never
        differs from the records.
        """
        # In one order for all, so that no two wait for each other.
        locks = sorted({hash(key) % LOCKS for key in keys})

        async def locked() -> T:
            async with AsyncExitStack() as stack:
                for n in locks:
                    await stack.enter_async_context(self._locks[n])
                return await work

        return await asyncio.shield(locked())

    async def _commit(
        self, who: Identity, changes: Sequence[Write | Remove], keys: set[Key]
    ) -> list[Document | None]:
        done = None
        try:
            done = await self._do(who, changes, keys)
        finally:
            if done is None and self.failed is not None:
                self.failed(keys)
        return done

    async def _do(
        self, who: Identity, changes: Sequence[Write | Remove], keys: set[Key]
    ) -> list[Document | None]:
        now = {key: await self.get(*key) for key in keys}
        done: list[Document | None] = []
        work: list[Change] = []
        events: list[Event] = []
        for change in changes:
            key = (change.class_, change.id)
            before = now[key]
            if isinstance(change, Remove) and before is None:
                raise _missing(*key)
            check_expected(change, before)
            after = now[key] = _after(change, before) if isinstance(change, Write) else None
            events.append(_event(who, change, before, after))
            work += [await _prepared(change, before, after), Append(event=events[-1])]
            work += change.more
            if before is not None and self.before is not None:
                work += await self.before(who, change, before)
            done.append(after)
        self._forget(keys)
        try:
            await self._records.commit(*work)
        finally:
            # After a failure only the records know what was written.
            self._forget(keys)
        for key, document in now.items():
            if document is not None:
                self._cache.put(key, document)
        for event in events:
            await tell(self._announce, event)
        return done

    def _forget(self, keys: set[Key]) -> None:
        for class_ in {c for c, _ in keys}:
            self._writes[class_] += 1
        for key in keys:
            self._reading.pop(key, None)
            self._cache.drop(key)


async def tell(announce: Announce | None, event: Event) -> None:
    """Tell an event that is in the log to whoever listens, if anybody does."""
    if announce is None:
        return
    try:
        await announce(event)
    except LineshaftError as error:
        # It stands in the log, where every consumer finds it; the deed is done.
        log.warning("event not announced", extra={"kind": event.kind, "cause": str(error)})


def _size(document: Document) -> int:
    return len(document.data) + 2 * len(document.id) + ENTRY_BYTES


def _size_of_page(page: Page) -> int:
    return sum(map(_size, page[0])) + ENTRY_BYTES


def _missing(class_: Class, id_: str) -> Missing:
    return Missing(f"{class_.value}: there is none with the identifier {id_!r}")


def _document(class_: Class, record: Record) -> Document:
    kept = msgspec.json.decode(record.data, type=_Kept)
    return Document(
        class_=class_,
        id=record.key,
        version=record.version,
        data=bytes(kept.data),
        path=kept.path,
        origin=kept.origin,
        born=kept.born,
    )


def _after(change: Write, before: Document | None) -> Document:
    path = change.path if change.path is not None else before.path if before else ""
    origin = change.origin if change.origin is not None else before.origin if before else ""
    return Document(
        class_=change.class_,
        id=change.id,
        version=before.version + 1 if before else 1,
        data=msgspec.json.encode(change.obj),
        path=path,
        origin=origin,
        born=before.born if before else secrets.token_hex(BORN_BYTES),
    )


async def _prepared(
    change: Write | Remove, before: Document | None, after: Document | None
) -> Change:
    """The change as the records take it; they see for themselves that nobody came between."""
    version = before.version if before else 0
    if isinstance(change, Remove) or after is None:
        return Delete(collection=change.class_.value, key=change.id, expected=version)
    kept = _Kept(
        path=after.path, origin=after.origin, data=msgspec.Raw(after.data), born=after.born
    )

    def rows() -> tuple[index.Row, ...]:
        return index.rows(change.class_, change.obj, path=after.path, origin=after.origin)

    small = len(after.data) <= IN_LOOP_BYTES_MAX
    return Put(
        collection=change.class_.value,
        key=change.id,
        data=msgspec.json.encode(kept),
        rows=rows() if small else await asyncio.to_thread(rows),
        expected=version,
    )


def _event(
    who: Identity, change: Write | Remove, before: Document | None, after: Document | None
) -> Event:
    if isinstance(change, Remove):
        kind = "twin.deleted"
    else:
        kind = change.kind or ("twin.updated" if before else "twin.created")
    last = after or before or Document(class_=change.class_, id=change.id, version=0, data=b"")
    return _about(who, kind, last, change.detail)


def _about(who: Identity, kind: str, found: Document, detail: Json) -> Event:
    data = {"class": found.class_.value, "id": found.id, "version": found.version}
    return Event(kind=kind, path=found.path, actor=who.name, data=data | detail)
