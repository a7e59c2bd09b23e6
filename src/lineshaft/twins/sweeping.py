"""What no twin means any more is swept away: names of files first, then the files."""

import asyncio
import contextlib
import logging

import msgspec

from lineshaft.core.errors import Missing, Stale
from lineshaft.records import Delete, Record, Records
from lineshaft.twins import Class
from lineshaft.twins.documents import Documents
from lineshaft.twins.exchange.aasx import holders
from lineshaft.twins.files import Files, parted
from lineshaft.twins.importing import Importer

log = logging.getLogger(__name__)

EVERY_S = 6 * 3600
"""Between two sweeps, and before the first."""
_BY_VALUE = {Class.SHELL, Class.SUBMODEL}
"""Documents that name their files in their content; a package means its file by being there."""


class Sweeper:
    """Removes files of documents that are gone, or that name other files now."""

    def __init__(
        self, documents: Documents, records: Records, files: Files, importer: Importer
    ) -> None:
        self._documents = documents
        self._records = records
        self._files = files
        self._importer = importer

    async def run(self) -> None:
        """Sweep every `EVERY_S`, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.sweep()

    async def sweep(self) -> int:
        """Sweep once; returns the bytes that became free.

        What a document means is looked at once more when it is removed: if it changed since, it
        stays. Files stay for an hour after they came, and as long as an undo may need them.
        """
        names, cursor = 0, ""
        while True:
            page = await self._records.find("twin_files", cursor=cursor, limit=1000)
            for record in page.records:
                if not await self._is_meant(record):
                    with contextlib.suppress(Stale, Missing):
                        await self._records.commit(
                            Delete(collection="twin_files", key=record.key, expected=record.version)
                        )
                        names += 1
            if not (cursor := page.cursor):
                break
        freed = await self._files.remove_unused(await self._importer.used())
        if names or freed:
            log.info("files of twins swept", extra={"names": names, "bytes": freed})
        return freed

    async def _is_meant(self, record: Record) -> bool:
        class_, id_, name = parted(record.key)
        document = await self._documents.get(class_, id_)
        if document is None or class_ not in _BY_VALUE:
            return document is not None
        obj = msgspec.json.decode(document.data)
        return any(holder[member] == name for holder, member in holders(obj))
