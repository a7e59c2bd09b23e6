"""Values that people set through `$value`: the last of each element are kept, in one commit.

They are data, by the thousand, so that whole documents would be too much, and would push out the
versions of what people edit.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Missing
from lineshaft.records import Cell, Change, Collection, Column, Compare, Delete, Put, Records
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.documents import IN_LOOP_BYTES_MAX, Write
from lineshaft.twins.model.elements import CHILDREN, find, walk
from lineshaft.twins.model.paths import parse_path
from lineshaft.twins.model.values import value_of

COLLECTION = Collection(name="twin_values", columns={"document": Column.TEXT})
"""What was set, by class, identifier and idShortPath."""
TOGETHER_MAX = 100
"""Elements of one change; of more, the whole document is kept as a version."""
VALUE_BYTES_MAX = 4096
"""Of one value in JSON; with a larger one, the whole document is kept as a version."""
REMEMBERED_MAX = 10_000
"""Elements of which it is remembered what is kept."""
REMOVED_PAGES_MAX = 20


class Setting(msgspec.Struct, frozen=True, array_like=True):
    """One time that an element was set."""

    time_ns: int
    by: str
    before: msgspec.Raw
    """What it was until then, in the form of `$value`; null for nothing."""
    value: msgspec.Raw


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    born: str
    """Drawn when the document was made: what was said of one before it does not count."""
    settings: tuple[Setting, ...]


class SetValues:
    """Keeps the last values of every element that people set."""

    def __init__(self, records: Records, *, count: int) -> None:
        """`count` of each element."""
        self._records, self._count = records, count
        self._known: OrderedDict[str, bytes] = OrderedDict()

    async def changes(self, who: Identity, change: Write, before: Document) -> list[Change] | None:
        """The changes that keep what was set; None when the whole document should be kept."""
        path = str(change.detail.get("idShortPath", ""))
        small = len(before.data) <= IN_LOOP_BYTES_MAX
        work = (path, before, change.obj)
        told = _told(*work) if small else await asyncio.to_thread(_told, *work)
        if told is None:
            return None
        name, now = _name(before.class_, before.id), now_ns()
        made: list[Change] = []
        for at, old, new in told:
            key = f"{name}#{at}"
            kept = await self._read(key)
            past = kept.settings if kept.born == before.born else ()
            past = (*past, Setting(now, who.name, old, new))[-self._count :]
            data = msgspec.json.encode(_Kept(before.born, past))
            self._remember(key, data)
            row: dict[str, Cell] = {"document": name}
            made.append(Put(collection=COLLECTION.name, key=key, data=data, rows=(row,)))
        return made

    async def forgotten(self, found: Document) -> list[Change]:
        """The changes that forget what was set in a document that is removed."""
        name, made, cursor = _name(found.class_, found.id), list[Change](), ""
        for _ in range(REMOVED_PAGES_MAX):
            where = Compare("document", "=", name)
            page = await self._records.find(COLLECTION.name, where, cursor=cursor, limit=1000)
            made += [Delete(collection=COLLECTION.name, key=r.key) for r in page.records]
            if not (cursor := page.cursor):
                break
        self.failed([name])
        return made

    def failed(self, names: Iterable[str]) -> None:
        """Ask the records again what is kept of these documents."""
        gone = tuple(f"{name}#" for name in names)
        for key in [k for k in self._known if k.startswith(gone)]:
            del self._known[key]

    async def of(self, found: Document, path: str) -> Sequence[Setting]:
        """The times that an element of a document was set, the oldest first."""
        kept = await self._read(f"{_name(found.class_, found.id)}#{path}")
        return kept.settings if kept.born == found.born else ()

    async def _read(self, key: str) -> _Kept:
        if (data := self._known.get(key)) is None:
            record = await self._records.get(COLLECTION.name, key)
            data = record.data if record else msgspec.json.encode(_Kept("", ()))
            self._remember(key, data)
        return msgspec.json.decode(data, type=_Kept)

    def _remember(self, key: str, data: bytes) -> None:
        self._known[key] = data
        self._known.move_to_end(key)
        if len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)


def _name(class_: Class, id_: str) -> str:
    return f"{class_.value} {id_}"


def _told(
    path: str, before: Document, after: Json
) -> list[tuple[str, msgspec.Raw, msgspec.Raw]] | None:
    """Elements at and below the path that were set: their path, old and new value.

    None when they do not tell all that has changed, or are too many or too large.
    """
    steps = parse_path(path) if path else ()
    try:
        old = find(msgspec.json.decode(before.data), steps)
        new = find(after, steps)
    except Missing:
        return None
    values = dict(_leaves(path, old))
    found: list[tuple[str, msgspec.Raw, msgspec.Raw]] = []
    for at, value in _leaves(path, new):
        if values.get(at) == value:
            continue
        pair = (_raw(values.get(at)), _raw(value))
        found.append((at, *pair))
        if len(found) > TOGETHER_MAX or max(len(bytes(raw)) for raw in pair) > VALUE_BYTES_MAX:
            return None
    return found or None


def _leaves(path: str, top: Json) -> Iterator[tuple[str, Any]]:
    """Values of the elements that hold no others, by idShortPath."""
    if top.get("modelType") not in CHILDREN:
        yield path, value_of(top, blobs=True)
    for at, element in walk(top):
        if element.get("modelType") not in CHILDREN:
            dot = "." if path and not at.startswith("[") else ""
            yield f"{path}{dot}{at}", value_of(element, blobs=True)


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
