"""The parts of living twins, put together."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from lineshaft.core.access import Audit, Authorizer, Identity
from lineshaft.core.flow import supervise
from lineshaft.records import Records
from lineshaft.spines import Spine
from lineshaft.twins import Document, access, plug, set_values, versions
from lineshaft.twins.access import Right
from lineshaft.twins.access.deciding import Access
from lineshaft.twins.api import services
from lineshaft.twins.api.services import Services
from lineshaft.twins.documents import Documents
from lineshaft.twins.files import Attachments, Files
from lineshaft.twins.import_routes import exchange
from lineshaft.twins.living import (
    Config,
    Contributor,
    History,
    Latest,
    Machines,
    Names,
    bindings,
    broker,
    gardener,
)
from lineshaft.twins.living.bindings import Bindings
from lineshaft.twins.living.broker import Publisher
from lineshaft.twins.living.contributions import Contributions
from lineshaft.twins.living.events import Events
from lineshaft.twins.living.footprints import Footprints
from lineshaft.twins.living.gardener import Gardener
from lineshaft.twins.living.handover import Handover
from lineshaft.twins.living.names import Scheme
from lineshaft.twins.living.pasts import Pasts
from lineshaft.twins.living.plantlife import Plantlife
from lineshaft.twins.living.records import Reader
from lineshaft.twins.plug.plugger import Plugger
from lineshaft.twins.sealing import Seal
from lineshaft.twins.versions import Versions
from lineshaft.web.metrics import Metric

COLLECTIONS = (
    *services.COLLECTIONS,
    *plug.COLLECTIONS,
    access.COLLECTION,
    bindings.COLLECTION,
    broker.COLLECTION,
    gardener.BASES,
    gardener.PARTED,
    versions.COLLECTION,
    set_values.COLLECTION,
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
        spine: Spine,
        authorizer: Authorizer,
        audit: Audit,
        connect: plug.Connect,
        names: Names,
        latest: Latest,
        history: History,
        machines: Machines,
        contributors: Sequence[Contributor] = (),
    ) -> None:
        self._config, self._names, self._machines = config, names, machines
        documents = Documents(records, cache_mb=config.cache_mb, announce=spine.announce)
        self.versions = Versions(
            records, count=config.versions, bytes_max=int(config.versions_mb * 1_000_000)
        )
        self.versions.follow(documents)
        self.access = Access(records, authorizer, announce=spine.announce)
        files, attachments = Files(folder), Attachments(records)
        self.bindings = Bindings(records, spine.announce)
        self.footprints = Footprints(config, names, latest, history)
        self.contributions = contributions = Contributions(contributors)
        self.gardener = Gardener(
            config,
            plant=plant,
            documents=documents,
            records=records,
            bindings=self.bindings,
            names=names,
            machines=machines,
            contributions=contributions,
        )
        plantlife = Plantlife(
            documents=documents,
            bindings=self.bindings,
            latest=latest,
            machines=machines,
            reader=Reader(names, history),
            footprints=self.footprints,
            contributions=contributions,
        )
        self.services = Services(
            documents,
            self.access,
            files,
            attachments,
            plantlife,
            url=config.url,
            seal=Seal(records),
        )
        self.handover = Handover(self.services)
        self.pasts = Pasts(
            self.services, authorizer, self.bindings, names, history, self.versions.values
        )
        self.services.past = self.pasts.read
        self.exchange = exchange(self.services, records)
        self.plugger = Plugger(
            config,
            documents,
            records,
            spine,
            connect,
            authorizer=authorizer,
            audit=audit,
            bindings=self.bindings,
            may_read=self._may_read,
            hides=self.access.hides,
            seal=self.services.seal,
        )
        source = Scheme(config.url, plant).plant
        self.events = Events(records, spine, self.services, source=source)
        told = config.events
        self._publisher = Publisher(told, self.events, records) if told else None

    def knows(self, point: str) -> bool:
        """Whether there is such a point."""
        return self._names.find(point) is not None

    def calls(self, method: str) -> bool:
        """Whether the settings allow to call the method."""
        return self._machines.callable(method)

    def given(self) -> dict[str, object]:
        """What its routes are given, by the names of their parameters."""
        return {
            "twins": self.services,
            **self.exchange._asdict(),
            "plugger": self.plugger,
            "handover": self.handover,
            "twin_events": self.events,
            "rules": self.access,
            "life": self,
        }

    def _may_read(self, who: Identity, found: Document) -> bool:
        return self.access.allows(who, Right.READ, found.class_, found, found.path)

    async def start(self) -> None:
        """Know what the records know; they must be open."""
        await self.services.start()
        await self.bindings.load()

    async def run(self) -> None:
        """Follow the plant until cancelled."""
        parts = {
            "twin jobs": self.services.run,
            "footprints": self.footprints.run,
            "twin contributions": self.contributions.run,
            "sweeper": self.exchange.sweeper.run,
            "plugger": self.plugger.run,
            "twin events": self.events.run,
        }
        if self._config.generate:
            parts["gardener"] = self.gardener.run
        if self._publisher:
            parts["publisher"] = self._publisher.run
        async with asyncio.TaskGroup() as group:
            for name, run in parts.items():
                group.create_task(supervise(name, run), name=name)

    def problems(self) -> list[str]:
        """What is wrong now."""
        told = [self.gardener.trouble, self._publisher.trouble if self._publisher else ""]
        if taken := sorted(self.gardener.taken):
            told.append(
                f"twins: {len(taken)} were not generated, since documents of others have their"
                f" identifiers, {taken[0]!r} among them"
            )
        return [t for t in told if t]

    def metrics(self) -> list[Metric]:
        """Its figures."""
        count = float(self.gardener.assets)
        told = self._publisher.metrics() if self._publisher else []
        return [Metric("twin_assets", "gauge", "Assets that have a twin.", (({}, count),)), *told]
