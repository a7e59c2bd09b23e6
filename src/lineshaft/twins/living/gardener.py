"""The gardener: keeps a shell with its submodels for every asset, as the plant is now.

Beside each generated document stands its base, as it was generated. What people changed is the
difference to it, carried over when the base changes; a document that they deleted stays deleted.
"""

import asyncio
import hashlib
import logging

import msgspec

from lineshaft.core.access import SYSTEM
from lineshaft.core.errors import LineshaftError, Missing, Stale
from lineshaft.records import Collection, Put, Records
from lineshaft.twins import Class, Json
from lineshaft.twins.documents import Documents, Write
from lineshaft.twins.living import Config, Machines, Names
from lineshaft.twins.living.assets import Asset, assets
from lineshaft.twins.living.bindings import Bindings
from lineshaft.twins.living.edits import edited, edits
from lineshaft.twins.living.making import Made, documents
from lineshaft.twins.living.names import Scheme

log = logging.getLogger(__name__)

BASES = Collection(name="twin_bases")
"""Generated documents as they were generated, by class and identifier."""
LOOK_S = 1.0
"""Seconds between looks at whether the namespace has changed."""
SETTLE_S = 1.0
"""Seconds that the namespace must have been quiet, so that a start is one change and not many."""
TOGETHER = 40
"""Documents written in one transaction."""
ORIGIN = "generated"


class Gardener:
    """Grows twins from the namespace."""

    def __init__(  # noqa: PLR0913 - each is a neighbour, by keyword
        self,
        config: Config,
        *,
        plant: str,
        documents: Documents,
        records: Records,
        bindings: Bindings,
        names: Names,
        machines: Machines,
    ) -> None:
        self._config = config
        self._scheme = Scheme(config.url, plant)
        self._documents, self._records, self._bindings = documents, records, bindings
        self._names, self._machines = names, machines
        self._bases: dict[str, bytes] = {}
        """Digest of each base, by its key."""
        self._grown: dict[str, bytes] = {}
        """Digest of each asset that the documents are up to date with."""
        self.assets = 0
        """Assets that have a shell."""
        self.trouble = ""
        """Why twins cannot be kept now; empty when they can."""

    async def load(self) -> None:
        """Know what was generated before."""
        cursor = ""
        while True:
            page = await self._records.find(BASES.name, cursor=cursor, limit=500)
            self._bases |= {r.key: _digest(r.data) for r in page.records}
            cursor = page.cursor
            if not cursor:
                return

    async def run(self) -> None:
        """Follow the namespace until cancelled."""
        await self.load()
        grown = -1
        while True:
            version = self._names.version
            if version != grown:
                await asyncio.sleep(SETTLE_S)
                if self._names.version != version:
                    continue
                if await self.tend():
                    grown = version
            await asyncio.sleep(LOOK_S)

    async def tend(self) -> bool:
        """Bring every asset's twin up to date; whether all of it succeeded."""
        # The namespace belongs to the loop; what follows from it does not.
        points = [p for path in self._names.under("", SYSTEM) if (p := self._names.find(path))]
        found = await asyncio.to_thread(assets, points)
        self.assets = len(found)
        links = {p.source: self._machines.link(p.source) for p in points if p.source}
        due: list[Made] = []
        for path, asset in found.items():
            digest = _digest(msgspec.msgpack.encode([asset, links.get(_source(asset))]))
            if self._grown.get(path) == digest:
                continue
            due += await asyncio.to_thread(documents, asset, self._scheme, self._config, links.get)
            self._grown[path] = digest
            if len(due) >= TOGETHER and not await self._grow(due):
                return False
            if len(due) >= TOGETHER:
                due = []
        return await self._grow(due)

    async def _grow(self, due: list[Made]) -> bool:
        """Write what has changed; what cannot be written now is due again."""
        for made in due:
            if made.bound:
                self._bindings.generated(made.id, made.bound)
        try:
            writes = [w for made in due if (w := await self._write(made)) is not None]
            if writes:
                await self._documents.commit(SYSTEM, *writes)
        except Stale:
            return self._again(due, "")  # somebody edited meanwhile: look again
        except LineshaftError as error:
            return self._again(due, f"twins: {error}")
        for made in due:
            self._bases[made.key] = made.digest
        self.trouble = ""
        return True

    def _again(self, due: list[Made], trouble: str) -> bool:
        if trouble and not self.trouble:
            log.warning("twins cannot be kept", extra={"cause": trouble})
        self.trouble = trouble
        for made in due:
            self._grown.pop(made.path, None)
        return False

    async def _write(self, made: Made) -> Write | None:
        """What must be written for a generated document; None when it is as it should be."""
        known = self._bases.get(made.key)
        if known == made.digest:
            return None
        now = await self._documents.get(made.class_, made.id)
        obj, expected = made.obj, 0
        if known is not None:
            if now is None:  # people deleted it
                return None
            base = await self._records.get(BASES.name, made.key)
            if base is not None:
                changes = edits(msgspec.json.decode(base.data), msgspec.json.decode(now.data))
                obj = edited(made.obj, changes) if changes else made.obj
        if now is not None:
            if now.origin != ORIGIN:  # it was there before, from somebody else
                return None
            expected = now.version
        return Write(
            class_=made.class_,
            id=made.id,
            obj=obj,
            expected=expected,
            path=made.path,
            origin=ORIGIN,
            more=(Put(collection=BASES.name, key=made.key, data=made.data),),
        )

    # ---- what people changed

    async def base(self, class_: Class, id_: str) -> Json:
        """The document as it was generated.

        Raises:
            Missing: it was not.
        """
        found = await self._records.get(BASES.name, f"{class_.value} {id_}")
        if found is None:
            raise Missing(f"{class_.value}: {id_!r} was not generated")
        obj: Json = msgspec.json.decode(found.data)
        return obj


def _source(asset: Asset) -> str:
    return asset.points[0].source if asset.points else ""


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
