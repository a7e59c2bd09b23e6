"""Environments from files are taken into the documents as one batch that can be undone.

What an import replaces is kept in the records, so that `undo` can put it back as long as nobody
has changed it since; of the last `RECEIPTS_MAX` imports, then it goes.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.clock import now_ns, to_iso, uuid7
from lineshaft.core.errors import Denied, Invalid, Stale, Unavailable
from lineshaft.records import Change, Delete, Records
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.documents import Documents, Remove, Write
from lineshaft.twins.exchange import KINDS, Imported, Packed
from lineshaft.twins.exchange.aasx import holders
from lineshaft.twins.exchange.reading import read_environment
from lineshaft.twins.files import Attachments, FileRef, Files
from lineshaft.twins.undoing import Before, Receipt, Receipts, Step, What

DOCUMENTS_MAX = 5_000
"""Documents of one import: they go in together or not at all."""
READS_MAX = 4
"""Files that are received and read at the same time; others wait, so that memory stays bounded."""
BODY_S = 120
"""Seconds that a file may take to come."""
ORIGIN = "import"

CLASSES = {
    "assetAdministrationShells": Class.SHELL,
    "submodels": Class.SUBMODEL,
    "conceptDescriptions": Class.CONCEPT,
}
"""The class of what the members of an environment list."""

Allows = Callable[[Identity, str, Document], bool]
"""Whether somebody has a right (`READ`, `CREATE`, `UPDATE`, `DELETE`) to a document."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an import would do."""

    imported: Imported
    steps: list[Step]
    path: str
    """Branch of the namespace that new documents are put at; empty for none."""


class Importer:
    """Plans, does and undoes imports."""

    def __init__(
        self, documents: Documents, records: Records, files: Files, allows: Allows
    ) -> None:
        self._documents = documents
        self._receipts = Receipts(records)
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
        drafts = await asyncio.to_thread(_drafts, imported, path)
        steps = [await self._step(who, *draft, imported) for draft in drafts]
        return Plan(imported=imported, steps=steps, path=path)

    async def _step(
        self, who: Identity, draft: Document, document: Json, imported: Imported
    ) -> Step:
        class_, id_ = draft.class_, draft.id
        found = await self._documents.get(class_, id_)
        right = "UPDATE" if found else "CREATE"
        if not self._allows(who, right, found or draft):
            raise Denied(
                f"{who.name} may not write {class_.value} {id_!r}",
                remedy="Ask an administrator for a role or rule that allows it.",
            )
        what = What.REPLACE if found else What.CREATE
        same = found is not None and await asyncio.to_thread(_same, found.data, draft.data)
        if same:
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
            before = await self._before(step, document, files)
            more.append(self._receipts.keep_before(receipt.id, number, before))
            if number == len(receipt.steps) - 1:
                more += await self._receipts.keep(receipt)
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

    async def _before(self, step: Step, new: Json, names: Iterable[str]) -> Before:
        document = await self._documents.get(step.class_, step.id)
        meant = await self._attachments.of(step.class_, step.id) if document else {}
        return Before(
            class_=step.class_,
            id=step.id,
            version=step.version + 1,
            made=_digest(await asyncio.to_thread(msgspec.json.encode, new)),
            data=msgspec.json.decode(document.data) if document else None,
            path=document.path if document else "",
            origin=document.origin if document else "",
            files={**dict.fromkeys(names), **meant},
        )

    async def receipts(self) -> list[Receipt]:
        """Imports that can be undone, the newest first."""
        return await self._receipts.all()

    async def undo(self, who: Identity, receipt_id: str) -> Receipt:
        """Put back what an import replaced, and remove what it created: all of it, or nothing.

        Raises:
            Missing: there is no such import, or it is undone, or too long ago.
            Denied: `who` may not change or remove one of the documents.
            Stale: one of them was changed since.
        """
        receipt = await self._receipts.get(receipt_id)
        changes: list[Write | Remove] = []
        for forget, before in await self._receipts.before(receipt_id):
            more = [forget, *self._meant(before)]
            if not changes:
                more.append(Delete(collection="twin_imports", key=receipt_id, expected=1))
            changes.append(await self._back(who, before, receipt_id, tuple(more)))
        await self._documents.commit(who, *changes)
        return receipt

    def _meant(self, before: Before) -> list[Change]:
        """Changes that give the names of files their old meaning."""
        return [
            self._attachments.attach(before.class_, before.id, name, ref)
            if ref
            else self._attachments.detach(before.class_, before.id, name)
            for name, ref in before.files.items()
        ]

    async def _back(
        self, who: Identity, before: Before, receipt_id: str, more: tuple[Change, ...]
    ) -> Write | Remove:
        now = await self._documents.get(before.class_, before.id)
        # Versions count from 1 again when a document is made anew, so what stands in it counts too.
        if (
            now is None
            or now.version != before.version
            or before.made not in ("", _digest(now.data))
        ):
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
        first = await self._receipts.used()
        second = await self._attachments.used()
        return first | second | await self._receipts.used()


def _drafts(imported: Imported, path: str) -> list[tuple[Document, Json]]:
    """The documents as they would be new, beside what they are made of."""
    return [
        (
            Document(
                class_=CLASSES[key],
                id=document["id"],
                version=0,
                data=msgspec.json.encode(document),
                path=path,
            ),
            document,
        )
        for key in KINDS
        for document in imported.environment[key]
    ]


def _same(one: bytes, other: bytes) -> bool:
    """Whether two documents are equal, whatever the order of their members."""
    return one == other or bool(msgspec.json.decode(one) == msgspec.json.decode(other))


def _names(document: Json, imported: Imported) -> list[str]:
    """Names of files of the package that the document uses, each once."""
    used = (holder[member] for holder, member in holders(document))
    return list(dict.fromkeys(name for name in used if name in imported.files))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hash(file: Packed) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()
