"""The parts of living twins, put together."""

import asyncio
from pathlib import Path

from lineshaft.core.access import Authorizer, Identity
from lineshaft.core.flow import supervise
from lineshaft.records import Records
from lineshaft.twins import Document, Json, importing
from lineshaft.twins.api import kept, services
from lineshaft.twins.api.roles import Access, Right
from lineshaft.twins.api.services import Services
from lineshaft.twins.documents import Announce, Documents
from lineshaft.twins.exporting import Exporter
from lineshaft.twins.files import Attachments, Files
from lineshaft.twins.importing import Importer
from lineshaft.twins.living import Config, History, Latest, Machines, Names, bindings, gardener
from lineshaft.twins.living.bindings import Bindings
from lineshaft.twins.living.footprints import Footprints
from lineshaft.twins.living.gardener import Gardener
from lineshaft.twins.living.plantlife import Plantlife
from lineshaft.twins.living.records import Reader
from lineshaft.web.metrics import Metric

COLLECTIONS = (
    *services.COLLECTIONS,
    *importing.COLLECTIONS,
    bindings.COLLECTION,
    gardener.BASES,
)


class Life:
    """The twins of one plant, and what makes them live."""

    def __init__(  # noqa: PLR0913 - each is a neighbour, by keyword
        self,
        config: Config,
        *,
        plant: str,
        folder: Path,
        records: Records,
        announce: Announce,
        authorizer: Authorizer,
        names: Names,
        latest: Latest,
        history: History,
        machines: Machines,
    ) -> None:
        self._config = config
        documents = Documents(records, cache_mb=config.cache_mb, announce=announce)
        access, files, attachments = Access(authorizer), Files(folder), Attachments(records)
        self.bindings = Bindings(records, announce)
        self.footprints = Footprints(config, names, latest, history)
        self.gardener = Gardener(
            config,
            plant=plant,
            documents=documents,
            records=records,
            bindings=self.bindings,
            names=names,
            machines=machines,
        )
        plantlife = Plantlife(
            config,
            documents=documents,
            bindings=self.bindings,
            latest=latest,
            machines=machines,
            reader=Reader(names, history),
            footprints=self.footprints,
        )
        self.services = Services(documents, access, files, attachments, plantlife, url=config.url)

        def allows(who: Identity, right: str, document: Document) -> bool:
            return access.allows(who, Right[right], document.class_, document, document.path)

        self.importer = Importer(documents, records, files, allows)

        def show(who: Identity, document: Document) -> Json:
            return kept.seen(self.services, who, document)

        self.exporter = Exporter(documents, attachments, files, allows, show)

    async def start(self) -> None:
        """Know what the records know; they must be open."""
        await self.bindings.load()

    async def run(self) -> None:
        """Follow the plant until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(supervise("twins", self.services.run), name="twin jobs")
            if self._config.generate:
                group.create_task(supervise("gardener", self.gardener.run), name="gardener")
            group.create_task(supervise("footprints", self.footprints.run), name="footprints")

    def problems(self) -> list[str]:
        """What is wrong now."""
        return [self.gardener.trouble] if self.gardener.trouble else []

    def metrics(self) -> list[Metric]:
        """Its figures."""
        count = float(self.gardener.assets)
        return [Metric("twin_assets", "gauge", "Assets that have a twin.", (({}, count),))]
