"""Versions: what documents were before people changed them, kept for a while in the same commit.

What the platform generates makes no versions: it comes again by itself. Of what is set through
`$value` the values are kept (`set_values.py`), not the whole document.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence

import msgspec

from lineshaft.core.access import SYSTEM, Identity
from lineshaft.core.clock import now_ns, to_iso
from lineshaft.core.errors import Missing
from lineshaft.records import Change, Collection, Column, Compare, Delete, Put, Records
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.documents import Documents, Key, Remove, Write
from lineshaft.twins.set_values import SetValues

COLLECTION = Collection(name="twin_versions", columns={"document": Column.TEXT})
"""Versions by class, identifier and the time at which they were replaced."""
REMEMBERED_MAX = 10_000
"""Documents of which it is remembered which versions are kept."""
VALUE = "twin.value"
EDITED = "edited"
"""What the event says when the platform takes out what people had changed: that is kept."""
_AT = re.compile(r"[0-9]{20}")


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A version as it stands in the records."""

    tag: str
    time: str
    by: str
    deed: str
    path: str
    origin: str
    data: msgspec.Raw


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version that was replaced, without what it holds."""

    at: str
    """What it is asked for by."""
    tag: str
    """Its ETag, while it was the present one."""
    until: str
    """When it was replaced."""
    by: str
    """Who replaced it."""
    deed: str
    """`updated` or `deleted`."""
    bytes: int


class Versions:
    """Keeps the last versions of every document that people change."""

    def __init__(self, records: Records, *, count: int, bytes_max: int) -> None:
        """`count` versions of each document, together at most `bytes_max` bytes of JSON."""
        self._records, self._count, self._bytes_max = records, count, bytes_max
        self.values = SetValues(records, count=count)
        self._known: OrderedDict[str, list[tuple[str, int]]] = OrderedDict()
        """Key and bytes of each version of a document, the oldest first."""

    def follow(self, documents: Documents) -> None:
        """Keep versions of these documents from now on."""
        documents.before = self._before
        documents.failed = self._failed

    async def _before(
        self, who: Identity, change: Write | Remove, before: Document
    ) -> Sequence[Change]:
        """The changes that keep `before`, and let go of what is too old or too large."""
        again = who == SYSTEM and EDITED not in change.detail
        if again or not self._count:
            return ()
        more: list[Change] = []
        if isinstance(change, Remove):
            more = await self.values.forgotten(before)
        elif change.kind == VALUE:
            kept = await self.values.changes(who, change, before)
            if kept is not None:
                return kept
        return [*more, *await self._kept(who, change, before)]

    async def _kept(self, who: Identity, change: Write | Remove, before: Document) -> list[Change]:
        """The changes that keep the whole of `before` as a version."""
        name = _name(before.class_, before.id)
        known = await self._of(name)
        now = now_ns()
        key = f"{name} {now:020}"
        if known and key <= known[-1][0]:  # the clock went back, or stood still
            last = int(known[-1][0].rpartition(" ")[2])
            now = last + 1
            key = f"{name} {now:020}"
        size = len(before.data)
        gone: list[str] = []
        keeps = size <= self._bytes_max
        left = [*known, *([(key, size)] if keeps else [])]
        while len(left) > self._count or sum(s for _, s in left) > self._bytes_max:
            gone.append(left.pop(0)[0])
        self._remember(name, left)
        changes: list[Change] = [
            Delete(collection=COLLECTION.name, key=k) for k in gone if k != key
        ]
        if keeps and key not in gone:
            stored = _Stored(
                tag=before.tag,
                time=to_iso(now),
                by=who.name,
                deed="deleted" if isinstance(change, Remove) else "updated",
                path=before.path,
                origin=before.origin,
                data=msgspec.Raw(before.data),
            )
            data = msgspec.json.encode(stored)
            changes.append(
                Put(collection=COLLECTION.name, key=key, data=data, rows=({"document": name},))
            )
        return changes

    def _failed(self, keys: Iterable[Key]) -> None:
        """Ask the records again what is kept: what was thought of is not."""
        names = [_name(class_, id_) for class_, id_ in keys]
        self.values.failed(names)
        for name in names:
            self._known.pop(name, None)

    def _remember(self, name: str, known: list[tuple[str, int]]) -> None:
        self._known[name] = known
        self._known.move_to_end(name)
        if len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)

    async def _of(self, name: str) -> list[tuple[str, int]]:
        if name not in self._known:
            page = await self._records.find(
                COLLECTION.name, Compare("document", "=", name), limit=1000
            )
            stored = [(r.key, msgspec.json.decode(r.data, type=_Stored)) for r in page.records]
            self._remember(name, [(key, len(bytes(one.data))) for key, one in stored])
        return self._known[name]

    # ---- looking back

    async def all(self, class_: Class, id_: str) -> list[tuple[Version, Document]]:
        """Versions that are kept of a document, the newest first; also when it is gone now."""
        page = await self._records.find(
            COLLECTION.name, Compare("document", "=", _name(class_, id_)), limit=1000
        )
        return [
            _read(class_, id_, r.key, msgspec.json.decode(r.data, type=_Stored))
            for r in reversed(page.records)
        ]

    async def get(self, class_: Class, id_: str, at: str) -> Document:
        """One of them.

        Raises:
            Missing: it is not kept, or not any more.
        """
        # Anything else could be the end of another identifier, which may hold spaces.
        record = None
        if _AT.fullmatch(at):
            record = await self._records.get(COLLECTION.name, f"{_name(class_, id_)} {at}")
        if record is None:
            raise Missing(
                f"{class_.value} {id_!r} has no version {at[:40]!r}",
                remedy="The list of its versions names those that are kept.",
            )
        stored = msgspec.json.decode(record.data, type=_Stored)
        return _read(class_, id_, record.key, stored)[1]


def _name(class_: Class, id_: str) -> str:
    return f"{class_.value} {id_}"


def _read(class_: Class, id_: str, key: str, stored: _Stored) -> tuple[Version, Document]:
    data = bytes(stored.data)
    number, _, born = stored.tag.partition("-")
    version = Version(
        at=key.rpartition(" ")[2],
        tag=stored.tag,
        until=stored.time,
        by=stored.by,
        deed=stored.deed,
        bytes=len(data),
    )
    document = Document(
        class_=class_,
        id=id_,
        version=int(number),
        data=data,
        path=stored.path,
        origin=stored.origin,
        born=born,
    )
    return version, document


def decoded(found: Document) -> Json:
    """What a document holds."""
    obj: Json = msgspec.json.decode(found.data)
    return obj
