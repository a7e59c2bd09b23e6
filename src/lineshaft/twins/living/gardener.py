"""The gardener: keeps a shell with its submodels for every asset, as the plant is now.

Beside each generated document stands its base, as it was generated. What people changed is the
difference to it, carried over when the base changes; a document that they deleted stays deleted.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Hashable, Mapping, Sequence

import msgspec

from lineshaft.core.access import SYSTEM, Identity
from lineshaft.core.errors import LineshaftError, Missing, Stale
from lineshaft.records import Change, Collection, Delete, Put, Records
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.documents import Documents, Remove, Write
from lineshaft.twins.living import Config, Contribution, Link, Machines, Names
from lineshaft.twins.living.assets import Asset, assets
from lineshaft.twins.living.bindings import Bindings
from lineshaft.twins.living.contributions import Contributions
from lineshaft.twins.living.edits import Edits, edited, edits
from lineshaft.twins.living.making import Made, documents
from lineshaft.twins.living.names import Scheme
from lineshaft.twins.versions import EDITED

log = logging.getLogger(__name__)

BASES = Collection(name="twin_bases")
"""Generated documents as they were generated, by class and identifier."""
PARTED = Collection(name="twin_edits")
"""What people had changed in submodels that nobody brings now, for when they come again."""
LOOK_S = 1.0
"""Seconds between looks at whether the namespace has changed."""
SETTLE_S = 1.0
"""Seconds that the namespace must have been quiet, so that a start is one change and not many."""
TOGETHER = 8
"""Assets whose documents are made, and written in one transaction, at a time."""
ORIGIN = "generated"
Brought = Mapping[str, Sequence[Contribution]]
"""What other parts bring, by the path of the asset."""
TAKEN_MAX = 1000
"""Identifiers taken by others that are remembered."""


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
        contributions: Contributions,
    ) -> None:
        self._config = config
        self._scheme = Scheme(config.url, plant)
        self._documents, self._records, self._bindings = documents, records, bindings
        self._names, self._machines = names, machines
        self._contributions = contributions
        self._bases: dict[str, bytes] = {}
        """Digest of each base, by its key."""
        self._parted: set[str] = set()
        """Keys of documents that are gone, whose edits wait."""
        self._grown: dict[str, bytes] = {}
        """Digest of each asset that the documents are up to date with."""
        self.assets = 0
        """Assets that have a shell."""
        self.taken: set[str] = set()
        """Identifiers of generated twins that documents of others have, so that they lack."""
        self.trouble = ""
        """Why twins cannot be kept now; empty when they can."""

    async def load(self) -> None:
        """Know what was generated before."""
        self._bases = {key: _digest(data) async for key, data in self._all(BASES)}
        self._parted = {key async for key, _ in self._all(PARTED)}

    async def _all(self, collection: Collection) -> AsyncIterator[tuple[str, bytes]]:
        cursor = ""
        while True:
            page = await self._records.find(collection.name, cursor=cursor, limit=500)
            for record in page.records:
                yield record.key, record.data
            if not (cursor := page.cursor):
                return

    async def run(self) -> None:
        """Follow the namespace until cancelled."""
        self._grown.clear()  # after a failure nobody knows what was written
        await self.load()
        grown: Hashable = None
        while True:
            version = self._version()
            if version != grown:
                await asyncio.sleep(SETTLE_S)
                if self._version() != version:
                    continue
                if await self.tend():
                    grown = version
            await asyncio.sleep(LOOK_S)

    def _version(self) -> Hashable:
        return self._names.version, self._contributions.version()

    async def tend(self) -> bool:
        """Bring every asset's twin up to date; whether all of it succeeded."""
        # The namespace belongs to the loop; what follows from it does not.
        points = [p for path in self._names.under("", SYSTEM) if (p := self._names.find(path))]
        found = await asyncio.to_thread(assets, points)
        self.assets = len(found)
        sources = {p.source for a in found.values() for p in a.points if p.source}
        links = {s: self._machines.link(s) for s in sources}
        brought = self._contributions.gather(found, self._scheme)
        changed = await asyncio.to_thread(self._changed, found, links, brought)
        for start in range(0, len(changed), TOGETHER):
            part = changed[start : start + TOGETHER]
            group = [found[path] for path, _ in part]
            due = await asyncio.to_thread(self._made, group, links, brought)
            self._grown |= dict(part)
            if not await self._grow(due, self._gone(group, brought)):
                return False
        return True

    def _changed(
        self, found: Mapping[str, Asset], links: Mapping[str, Link | None], brought: Brought
    ) -> list[tuple[str, bytes]]:
        """Assets that are not as they were, by path, with their digests."""
        digests = [
            (path, _digest(msgspec.msgpack.encode([a, _linked(a, links), brought.get(path)])))
            for path, a in found.items()
        ]
        return [(p, d) for p, d in digests if self._grown.get(p) != d]

    def _made(
        self, part: Sequence[Asset], links: Mapping[str, Link | None], brought: Brought
    ) -> list[Made]:
        return [
            d
            for a in part
            for d in documents(a, self._scheme, self._config, links.get, brought.get(a.path, ()))
        ]

    def _gone(self, part: Sequence[Asset], brought: Brought) -> list[str]:
        """Identifiers of submodels of these assets that nobody brings any more."""
        names = set(self._contributions.id_shorts)
        found: list[str] = []
        for asset in part:
            here = {c.id_short for c in brought.get(asset.path, ())}
            ids = (self._scheme.submodel(asset.path, n) for n in sorted(names - here))
            found += [i for i in ids if _key(Class.SUBMODEL, i) in self._bases]
        return found

    async def _grow(self, due: list[Made], gone: Sequence[str] = ()) -> bool:
        """Write what has changed; what cannot be written now is due again."""
        for made in due:
            if made.bound:
                self._bindings.generated(made.id, made.bound)
        try:
            removed = [r for id_ in gone if (r := await self._removal(id_)) is not None]
            writes: list[Write | Remove] = [*removed]
            writes += [w for made in due if (w := await self._write(made)) is not None]
            if writes:
                await self._documents.commit(SYSTEM, *writes)
        except Stale:
            return self._again(due, "")  # somebody edited meanwhile: look again
        except LineshaftError as error:
            return self._again(due, f"twins: {error}")
        for made in due:
            self._bases[made.key] = made.digest
        self._parted -= {_key(w.class_, w.id) for w in writes if isinstance(w, Write)}
        for one in removed:
            self._bases.pop(key := _key(Class.SUBMODEL, one.id), None)
            if EDITED in one.detail:
                self._parted.add(key)
            self._bindings.generated(one.id, {})
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
                if len(self.taken) < TAKEN_MAX:
                    self.taken.add(made.id)
                return None
            self.taken.discard(made.id)
            expected = now.version
        more: list[Change] = [Put(collection=BASES.name, key=made.key, data=made.data)]
        if made.key in self._parted:
            if parted := await self._records.get(PARTED.name, made.key):
                obj = edited(made.obj, msgspec.json.decode(parted.data, type=Edits))
            more.append(Delete(collection=PARTED.name, key=made.key))
        return Write(
            class_=made.class_,
            id=made.id,
            obj=obj,
            expected=expected,
            path=made.path,
            origin=ORIGIN,
            more=tuple(more),
        )

    async def _removal(self, id_: str) -> Remove | None:
        """What takes out a submodel that nobody brings; None when people did so before."""
        now = await self._documents.get(Class.SUBMODEL, id_)
        if now is None or now.origin != ORIGIN:
            return None  # its base stays, so that what people deleted stays so
        key = _key(Class.SUBMODEL, id_)
        base = await self._records.get(BASES.name, key)
        more: list[Change] = [Delete(collection=BASES.name, key=key)]
        changed = base is not None and edits(
            msgspec.json.decode(base.data), msgspec.json.decode(now.data)
        )
        if changed:  # waits until it is brought again
            more.append(Put(collection=PARTED.name, key=key, data=msgspec.json.encode(changed)))
        return Remove(
            class_=Class.SUBMODEL,
            id=id_,
            expected=now.version,
            detail={EDITED: True} if changed else {},
            more=tuple(more),
        )

    # ---- what people changed

    async def base(self, class_: Class, id_: str) -> Json:
        """The document as it was generated.

        Raises:
            Missing: it was not.
        """
        found = await self._records.get(BASES.name, _key(class_, id_))
        if found is None:
            raise Missing(f"{class_.value}: {id_!r} was not generated")
        obj: Json = msgspec.json.decode(found.data)
        return obj

    def gone(self, class_: Class, id_: str) -> Document:
        """What is left of a generated document that people deleted: where it stood."""
        path = self._scheme.path(id_)
        return Document(class_=class_, id=id_, version=0, data=b"{}", path=path, origin=ORIGIN)

    async def reset(self, who: Identity, class_: Class, id_: str) -> None:
        """Put the document back to what was generated, also when it was deleted.

        Raises:
            Missing: it was not generated.
            Stale: somebody else changed it at the same moment.
        """
        obj = await self.base(class_, id_)
        now = await self._documents.get(class_, id_)
        write = Write(
            class_=class_,
            id=id_,
            obj=obj,
            expected=now.version if now else 0,
            path=self._scheme.path(id_),
            origin=ORIGIN,
            detail={"reset": True},
        )
        await self._documents.commit(who, write)


def _linked(asset: Asset, links: Mapping[str, Link | None]) -> list[Link | None]:
    return [links.get(s) for s in asset.sources]


def _key(class_: Class, id_: str) -> str:
    return f"{class_.value} {id_}"


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
