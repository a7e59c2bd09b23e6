"""Environments from files are taken into the documents as one batch that can be undone.

What an import replaces is kept in the records, so that `undo` can put it back as long as nobody
has changed it since; of the last `RECEIPTS_MAX` imports, then it goes.
"""

import asyncio
import enum
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.clock import now_ns, to_iso, uuid7
from lineshaft.core.errors import Denied, Invalid, Missing, Stale, Unavailable
from lineshaft.records import Cell, Change, Collection, Column, Compare, Delete, Put, Records
from lineshaft.twins import Class, Document, Finding, Json
from lineshaft.twins.documents import Documents, Remove, Write
from lineshaft.twins.exchange import KINDS, Imported, Packed
from lineshaft.twins.exchange.aasx import holders
from lineshaft.twins.exchange.reading import read_environment
from lineshaft.twins.files import Attachments, FileRef, Files

DOCUMENTS_MAX = 5_000
"""Documents of one import: they go in together or not at all."""
READS_MAX = 4
"""Files that are received and read at the same time; others wait, so that memory stays bounded."""
BODY_S = 120
"""Seconds that a file may take to come."""
RECEIPTS_MAX = 50
"""Imports that can be undone."""
ORIGIN = "import"

CLASSES = {
    "assetAdministrationShells": Class.SHELL,
    "submodels": Class.SUBMODEL,
    "conceptDescriptions": Class.CONCEPT,
}
"""The class of what the members of an environment list."""

COLLECTIONS = (
    Collection(name="twin_imports"),
    Collection(name="twin_undo", columns={"receipt": Column.TEXT}),
)
"""Receipts by their id, and what they replaced by receipt, `/`, number."""

Allows = Callable[[Identity, str, Document], bool]
"""Whether somebody has a right (`READ`, `CREATE`, `UPDATE`, `DELETE`) to a document."""


class What(enum.Enum):
    """What becomes of a document of the file."""

    CREATE = "create"
    REPLACE = "replace"
    LEAVE = "leave"
    """It is there already, the same."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one document of the file."""

    class_: Class = msgspec.field(name="class")
    id: str
    what: What
    version: int
    """Of the one that is there; 0 for none."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an import would do."""

    imported: Imported
    steps: list[Step]
    path: str
    """Branch of the namespace that new documents are put at; empty for none."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did."""

    id: str
    time: str
    who: str
    steps: list[Step]
    """Without those that were left."""
    findings: list[Finding] = []


class _Before(msgspec.Struct, frozen=True, kw_only=True):
    """One document as it was before an import."""

    class_: Class
    id: str
    version: int
    """That the import gave it."""
    data: Json | None
    """None when it was not there."""
    path: str
    origin: str
    files: dict[str, FileRef | None]
    """What it meant by names: all that it had, and None for those that came with the import."""


class _Files(msgspec.Struct, frozen=True, kw_only=True):
    """Of `_Before` the files alone, which is quicker to read."""

    files: dict[str, FileRef | None]


class Importer:
    """Plans, does and undoes imports."""

    def __init__(
        self, documents: Documents, records: Records, files: Files, allows: Allows
    ) -> None:
        self._documents = documents
        self._records = records
        self._files = files
        self._attachments = Attachments(records)
        self._allows = allows
        self._reads = asyncio.Semaphore(READS_MAX)

    async def read(self, body: Callable[[], Awaitable[bytes]], name: str) -> Imported:
        """What can be taken from a file, whose bytes `body` gives.

        Raises:
            Invalid: nothing can.
            Unavailable: the bytes do not come in time.
        """
        async with self._reads:
            try:
                async with asyncio.timeout(BODY_S):
                    data = await body()
            except TimeoutError:
                raise Unavailable(
                    f"{name} did not come within {BODY_S} s",
                    remedy="Send it over a faster connection, or in several files.",
                ) from None
            return await asyncio.to_thread(read_environment, data, name)

    async def plan(self, who: Identity, imported: Imported, *, path: str = "") -> Plan:
        """What `apply` would do; nothing is written.

        Raises:
            Invalid: it holds more documents than can go in together.
            Denied: `who` may not create, or not replace, one of them.
        """
        count = sum(len(imported.environment[key]) for key in KINDS)
        if count > DOCUMENTS_MAX:
            raise Invalid(
                f"the file holds {count} documents, wanted at most {DOCUMENTS_MAX}",
                remedy="Cut it into several files.",
            )
        steps = [
            await self._step(who, CLASSES[key], document, imported, path)
            for key in KINDS
            for document in imported.environment[key]
        ]
        return Plan(imported=imported, steps=steps, path=path)

    async def _step(
        self, who: Identity, class_: Class, document: Json, imported: Imported, path: str
    ) -> Step:
        id_ = document["id"]
        found = await self._documents.get(class_, id_)
        draft = Document(
            class_=class_, id=id_, version=0, data=msgspec.json.encode(document), path=path
        )
        right = "UPDATE" if found else "CREATE"
        if not self._allows(who, right, found or draft):
            raise Denied(
                f"{who.name} may not write {class_.value} {id_!r}",
                remedy="Ask an administrator for a role or rule that allows it.",
            )
        what = What.REPLACE if found else What.CREATE
        if found and msgspec.json.decode(found.data) == document:
            names = _names(document, imported)
            if not names or await self._means(class_, id_, names, imported.files):
                what = What.LEAVE
        return Step(class_=class_, id=id_, what=what, version=found.version if found else 0)

    async def _means(
        self, class_: Class, id_: str, names: Iterable[str], files: dict[str, Packed]
    ) -> bool:
        """Whether the document means these files by these names already."""
        meant = await self._attachments.of(class_, id_)
        for name in names:
            ref = meant.get(name)
            if ref is None or ref.size != files[name].size:
                return False
            if await asyncio.to_thread(_hash, files[name]) != ref.hash:
                return False
        return True

    async def apply(self, who: Identity, plan: Plan) -> Receipt:
        """Do all that the plan says, or nothing; when this returns it survives a power cut.

        Raises:
            Stale: a document was changed, made or removed since the plan.
            Unavailable: files or records cannot be written now.
        """
        receipt = Receipt(
            id=uuid7(),
            time=to_iso(now_ns()),
            who=who.name,
            steps=[step for step in plan.steps if step.what is not What.LEAVE],
            findings=plan.imported.findings,
        )
        found = {
            (CLASSES[key], document["id"]): document
            for key in KINDS
            for document in plan.imported.environment[key]
        }
        refs: dict[str, FileRef] = {}
        writes = []
        for number, step in enumerate(receipt.steps):
            document = found[step.class_, step.id]
            files = await self._stored(_names(document, plan.imported), plan.imported, refs)
            more = [self._attachments.attach(step.class_, step.id, n, r) for n, r in files.items()]
            before = await self._before(step, files)
            more.append(_kept(f"{receipt.id}/{number:06}", receipt.id, before))
            if number == len(receipt.steps) - 1:
                more += await self._receipts(receipt)
            write = Write(
                class_=step.class_,
                id=step.id,
                obj=document,
                expected=step.version,
                path=plan.path if step.what is What.CREATE else None,
                origin=ORIGIN,
                detail={"import": receipt.id},
                more=tuple(more),
            )
            writes.append(write)
        if writes:
            await self._documents.commit(who, *writes)
        return receipt

    async def _stored(
        self, names: Iterable[str], imported: Imported, refs: dict[str, FileRef]
    ) -> dict[str, FileRef]:
        """Files of these names, kept; `refs` holds those that are so already."""
        for name in names:
            if name not in refs:
                file = imported.files[name]
                refs[name] = await self._files.put(file.chunks(), file.media_type)
        return {name: refs[name] for name in names}

    async def _before(self, step: Step, names: Iterable[str]) -> _Before:
        document = await self._documents.get(step.class_, step.id)
        meant = await self._attachments.of(step.class_, step.id) if document else {}
        return _Before(
            class_=step.class_,
            id=step.id,
            version=step.version + 1,
            data=msgspec.json.decode(document.data) if document else None,
            path=document.path if document else "",
            origin=document.origin if document else "",
            files={**dict.fromkeys(names), **meant},
        )

    async def _receipts(self, receipt: Receipt) -> list[Change]:
        """Changes that keep the receipt, and take away those beyond the bound."""
        kept = msgspec.structs.replace(receipt, findings=[])
        changes: list[Change] = [
            Put(collection="twin_imports", key=receipt.id, data=msgspec.json.encode(kept))
        ]
        page = await self._records.find("twin_imports", limit=1000)
        for record in page.records[: max(0, len(page.records) + 1 - RECEIPTS_MAX)]:
            changes += await self._forgotten(record.key)
        return changes

    async def _forgotten(self, receipt_id: str) -> list[Change]:
        changes: list[Change] = [Delete(collection="twin_imports", key=receipt_id)]
        changes += [
            Delete(collection="twin_undo", key=key) for key, _ in await self._of(receipt_id)
        ]
        return changes

    async def _of(self, receipt_id: str) -> list[tuple[str, _Before]]:
        """What an import replaced, with the keys under which it is kept."""
        found: list[tuple[str, _Before]] = []
        cursor = ""
        while True:
            page = await self._records.find(
                "twin_undo", Compare("receipt", "=", receipt_id), cursor=cursor, limit=1000
            )
            found += [(r.key, msgspec.json.decode(r.data, type=_Before)) for r in page.records]
            if not (cursor := page.cursor):
                return found

    async def receipts(self) -> list[Receipt]:
        """Imports that can be undone, the newest first."""
        page = await self._records.find("twin_imports", limit=1000)
        return [msgspec.json.decode(r.data, type=Receipt) for r in page.records][::-1]

    async def undo(self, who: Identity, receipt_id: str) -> Receipt:
        """Put back what an import replaced, and remove what it created: all of it, or nothing.

        Raises:
            Missing: there is no such import, or it is undone, or too long ago.
            Denied: `who` may not change or remove one of the documents.
            Stale: one of them was changed since.
        """
        record = await self._records.get("twin_imports", receipt_id)
        if record is None:
            raise Missing(
                f"there is no import {receipt_id[:80]!r} that could be undone",
                remedy=f"The last {RECEIPTS_MAX} can be, each once.",
            )
        changes: list[Write | Remove] = []
        for key, before in await self._of(receipt_id):
            more = [Delete(collection="twin_undo", key=key), *self._meant(before)]
            if not changes:
                more.append(Delete(collection="twin_imports", key=receipt_id, expected=1))
            changes.append(await self._back(who, before, receipt_id, tuple(more)))
        await self._documents.commit(who, *changes)
        return msgspec.json.decode(record.data, type=Receipt)

    def _meant(self, before: _Before) -> list[Change]:
        """Changes that give the names of files their old meaning."""
        return [
            self._attachments.attach(before.class_, before.id, name, ref)
            if ref
            else self._attachments.detach(before.class_, before.id, name)
            for name, ref in before.files.items()
        ]

    async def _back(
        self, who: Identity, before: _Before, receipt_id: str, more: tuple[Change, ...]
    ) -> Write | Remove:
        now = await self._documents.get(before.class_, before.id)
        if now is None or now.version != before.version:
            raise Stale(
                f"{before.class_.value} {before.id!r} was changed since the import",
                remedy="Undo it by hand, document by document.",
            )
        if not self._allows(who, "DELETE" if before.data is None else "UPDATE", now):
            raise Denied(
                f"{who.name} may not write {before.class_.value} {before.id!r}",
                remedy="Ask an administrator for a role or rule that allows it.",
            )
        same: dict[str, Any] = {
            "class_": before.class_,
            "id": before.id,
            "expected": before.version,
            "detail": {"undone": receipt_id},
            "more": more,
        }
        if before.data is None:
            return Remove(**same)
        return Write(obj=before.data, path=before.path, origin=before.origin, **same)

    async def used(self) -> set[str]:
        """Hashes of files that documents mean, or would mean after an undo.

        With what packages use, this is what `Files.remove_unused` must be given.
        """
        # A file goes from one of the two to the other in a moment. Asking the first one again
        # finds it wherever it went.
        first = await self._of_undo()
        second = await self._attachments.used()
        return first | second | await self._of_undo()

    async def _of_undo(self) -> set[str]:
        found: set[str] = set()
        cursor = ""
        while True:
            page = await self._records.find("twin_undo", cursor=cursor, limit=1000)
            for record in page.records:
                before = msgspec.json.decode(record.data, type=_Files)
                found |= {ref.hash for ref in before.files.values() if ref}
            if not (cursor := page.cursor):
                return found


def _kept(key: str, receipt_id: str, before: _Before) -> Change:
    row: dict[str, Cell] = {"receipt": receipt_id}
    return Put(collection="twin_undo", key=key, data=msgspec.json.encode(before), rows=(row,))


def _names(document: Json, imported: Imported) -> list[str]:
    """Names of files of the package that the document uses, each once."""
    used = (holder[member] for holder, member in holders(document))
    return list(dict.fromkeys(name for name in used if name in imported.files))


def _hash(file: Packed) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()
