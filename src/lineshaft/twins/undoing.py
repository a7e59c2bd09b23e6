"""What imports replaced is kept for a while, so that it can be put back."""

import enum

import msgspec

from lineshaft.core.errors import Missing
from lineshaft.records import Cell, Change, Collection, Column, Compare, Delete, Put, Records
from lineshaft.twins import Class, Finding, Json
from lineshaft.twins.files import FileRef

RECEIPTS_MAX = 50
"""Imports that can be undone."""

COLLECTIONS = (
    Collection(name="twin_imports"),
    Collection(name="twin_undo", columns={"receipt": Column.TEXT}),
)
"""Receipts by their id, and what they replaced by receipt, `/`, number."""


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


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did."""

    id: str
    time: str
    who: str
    steps: list[Step]
    """Without those that were left."""
    findings: list[Finding] = []


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """One document as it was before an import."""

    class_: Class
    id: str
    version: int
    """That the import gave it."""
    made: str = ""
    """SHA-256 of the JSON that the import gave it; empty when it was not kept."""
    data: Json | None
    """None when it was not there."""
    path: str
    origin: str
    files: dict[str, FileRef | None]
    """What it meant by names: all that it had, and None for those that came with the import."""


class _Files(msgspec.Struct, frozen=True, kw_only=True):
    """Of `Before` the files alone, which is quicker to read."""

    files: dict[str, FileRef | None]


class Receipts:
    """Receipts of imports, each with what was there before."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def get(self, id_: str) -> Receipt:
        """The receipt.

        Raises:
            Missing: there is no such import, or it is undone, or too long ago.
        """
        record = await self._records.get("twin_imports", id_)
        if record is None:
            raise Missing(
                f"there is no import {id_[:80]!r} that could be undone",
                remedy=f"The last {RECEIPTS_MAX} can be, each once.",
            )
        return msgspec.json.decode(record.data, type=Receipt)

    async def all(self) -> list[Receipt]:
        """Imports that can be undone, the newest first."""
        page = await self._records.find("twin_imports", limit=1000)
        return [msgspec.json.decode(r.data, type=Receipt) for r in page.records][::-1]

    async def keep(self, receipt: Receipt) -> list[Change]:
        """Changes that keep the receipt, and take away those beyond the bound."""
        kept = msgspec.structs.replace(receipt, findings=[])
        changes: list[Change] = [
            Put(collection="twin_imports", key=receipt.id, data=msgspec.json.encode(kept))
        ]
        page = await self._records.find("twin_imports", limit=1000)
        for record in page.records[: max(0, len(page.records) + 1 - RECEIPTS_MAX)]:
            changes.append(Delete(collection="twin_imports", key=record.key))
            changes += [forget for forget, _ in await self.before(record.key)]
        return changes

    def keep_before(self, receipt_id: str, number: int, before: Before) -> Change:
        """The change that keeps what was there before, of one document."""
        row: dict[str, Cell] = {"receipt": receipt_id}
        return Put(
            collection="twin_undo",
            key=f"{receipt_id}/{number:06}",
            data=msgspec.json.encode(before),
            rows=(row,),
        )

    async def before(self, receipt_id: str) -> list[tuple[Change, Before]]:
        """What an import replaced, each with the change that forgets it."""
        found: list[tuple[Change, Before]] = []
        cursor = ""
        while True:
            page = await self._records.find(
                "twin_undo", Compare("receipt", "=", receipt_id), cursor=cursor, limit=1000
            )
            for record in page.records:
                forget = Delete(collection="twin_undo", key=record.key)
                found.append((forget, msgspec.json.decode(record.data, type=Before)))
            if not (cursor := page.cursor):
                return found

    async def used(self) -> set[str]:
        """Hashes of files that an undo would bring back."""
        found: set[str] = set()
        cursor = ""
        while True:
            page = await self._records.find("twin_undo", cursor=cursor, limit=1000)
            for record in page.records:
                before = msgspec.json.decode(record.data, type=_Files)
                found |= {ref.hash for ref in before.files.values() if ref}
            if not (cursor := page.cursor):
                return found
