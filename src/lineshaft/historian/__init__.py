"""The historian keeps what passes by on the spine, and answers for it.

It reads the durable subscription `historian` of the spine, brings every batch into the store,
and only then confirms it. What is kept updates the namespace and the last values, and goes to
everyone who watches. The plant declares the subscription, opens store and records (with
`COLLECTIONS`), and calls `start` and `run`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

from msgspec import Meta

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.flow import supervise
from lineshaft.historian import corrections, imports, namespace, views
from lineshaft.historian.live import Hub
from lineshaft.historian.prometheus.querying import Queries
from lineshaft.historian.query.asking import Limits, Questions
from lineshaft.historian.reading import Reading
from lineshaft.historian.recorder import SUBSCRIPTION, Recorder
from lineshaft.historian.retention import GB, Keep, Retention
from lineshaft.historian.sql import asking
from lineshaft.records import Records
from lineshaft.spines import Spine
from lineshaft.stores import Rule, Store
from lineshaft.web.metrics import Metric

COLLECTIONS = (namespace.COLLECTION, imports.COLLECTION, views.COLLECTION)
"""What the records must hold ready for the historian."""
DURABLE = SUBSCRIPTION
"""Name of the durable subscription that the plant declares."""


class Config(asking.Limits, frozen=True):
    """What the table `[historian]` may say."""

    rows_max: Annotated[int, Meta(ge=1, le=1_000_000)] = 50_000
    """Rows brought into the store in one step when data waits."""
    points_max: Annotated[int, Meta(ge=1, le=10_000_000)] = 250_000
    """Points that the namespace takes in; data of further ones is kept, but not listed."""
    prometheus_lookback_s: Annotated[float, Meta(gt=0, le=31_536_000)] = 300.0
    """How old the newest sample may be to stand for a series in a query of Prometheus' API."""
    prometheus_samples_max: Annotated[int, Meta(ge=1000, le=1_000_000_000)] = 5_000_000
    """Samples that one query of Prometheus' API may read."""
    query_rows_max: Annotated[int, Meta(ge=1)] = 500_000_000
    """Samples that one question to history may read."""
    query_cells_max: Annotated[int, Meta(ge=1)] = 10_000_000
    """Values in one answer that is not a stream of raw samples."""
    query_s: Annotated[float, Meta(gt=0)] = 120.0
    """Seconds that reading one answer may take; how long its reader takes does not count."""
    query_together: Annotated[int, Meta(ge=1, le=64)] = 4
    """Questions that are read at the same time; others wait for their turn."""
    backup: str = ""
    """Folder for backups of the store, best on another disk; empty refuses them."""
    retention: tuple[Keep, ...] = ()
    """How long samples are kept, by branch; the longest branch that fits a point decides."""
    disk_gb_max: Annotated[float, Meta(ge=0)] = 0.0
    """GB that the store may take: beyond, the oldest goes first. 0 has no limit."""

    def rules(self) -> list[Rule]:
        """What the store is told to keep."""
        return [k.rule() for k in self.retention]


def _limits(config: Config) -> Limits:
    return Limits(
        rows_max=config.query_rows_max,
        cells_max=config.query_cells_max,
        seconds=config.query_s,
        together=config.query_together,
    )


class Historian:
    """The parts of the historian, put together."""

    def __init__(self, config: Config, spine: Spine, store: Store, records: Records) -> None:
        self.config = config
        self.spine = spine
        self.store = store
        self.namespace = namespace.Namespace(records, points_max=config.points_max)
        self.live = Hub(self.namespace)
        self.questions = Questions(store, self.namespace, _limits(config))
        self.reading = Reading(store)
        self.sql = asking.Sql(store, self.namespace, config)
        self.prometheus = Queries(
            store,
            self.namespace,
            lookback_s=config.prometheus_lookback_s,
            samples_max=config.prometheus_samples_max,
        )
        self.imports = imports.Imports(records, self.append)
        self.views = views.Views(records)
        self.corrections = corrections.Corrections(
            store,
            records,
            append=self.append,
            refresh=self.live.refresh,
            announce=spine.announce,
        )
        self.retention = Retention(
            store, config.rules(), round(config.disk_gb_max * GB), self.corrections.note
        )
        self.aside: list[Callable[[Batch], Awaitable[None]]] = []
        """Who else must know of what did not come over the spine, before it is acknowledged."""
        self.recorder = Recorder(spine, store, rows_max=config.rows_max, kept=self._kept)

    async def start(self) -> None:
        """Know what store and records know; both must be open."""
        await self.namespace.load()
        self._kept(await self.store.last())

    async def run(self) -> None:
        """Record, keep the namespace, and tell live values, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(supervise("historian", self.recorder.run), name="recorder")
                group.create_task(supervise("namespace", self.namespace.keep), name="namespace")
                group.create_task(supervise("live", self.live.run), name="live")
                group.create_task(supervise("retention", self.retention.run), name="retention")
        finally:
            await self.namespace.close()

    def latest(self, path: str) -> Sample | None:
        """The newest sample of a point, with its value as the point's kind says."""
        point = self.namespace.find(path)
        last = self.live.last.value(path, point.kind) if point else None
        return Sample(path, last.time_ns, last.value, last.quality) if last else None

    async def append(self, batch: Batch) -> None:
        """Keep a batch that did not come over the spine: an import, a client's own samples.

        Raises:
            Unavailable: the store takes nothing now; nothing of the batch was kept.
        """
        await self.store.append(batch)
        self._kept(batch)
        for told in self.aside:
            await told(batch)

    def _kept(self, batch: Batch) -> None:
        self.namespace.infer(batch)
        self.live.update(batch)

    # ---- how it fares

    def problems(self) -> list[str]:
        """What is wrong now."""
        found = []
        health = self.store.health()
        if health.problem:
            found.append(f"store: {health.problem}")
        elif self.recorder.trouble:
            found.append(f"historian: {self.recorder.trouble}")
        if self.recorder.refused:
            found.append(f"historian: the store refused {self.recorder.refused} rows for good")
        if self.namespace.refused:
            found.append(
                f"historian: {self.namespace.refused} times a path was not taken into the"
                " namespace, being ill-formed or one too many; its data is kept"
            )
        return found

    def metrics(self) -> list[Metric]:
        """Its figures, and those of store and spine."""
        counts, health = self.store.counts(), self.store.health()
        rows = [
            ({"state": "accepted"}, float(counts.accepted)),
            ({"state": "stored"}, float(counts.stored)),
            ({"state": "buffered"}, float(counts.buffered)),
            ({"state": "replaced"}, float(counts.replaced)),
        ]
        dropped = tuple(({"reason": r}, float(n)) for r, n in counts.dropped.items())
        flows = self.spine.flows()
        flow = [({"flow": f.name}, f) for f in flows]
        return [
            Metric("store_rows", "gauge", "Rows in the store's books.", tuple(rows)),
            Metric("store_dropped_total", "counter", "Rows given up by the store.", dropped),
            Metric("store_ok", "gauge", "1 if the store acknowledges.", (({}, float(health.ok)),)),
            *(
                Metric(f"store_{n}", "gauge", "A figure of the store.", (({}, float(v)),))
                for n, v in sorted(health.figures.items())
            ),
            Metric(
                "flow_waiting",
                "gauge",
                "Messages that wait for a reader.",
                tuple((labels, float(f.waiting)) for labels, f in flow),
            ),
            Metric(
                "flow_confirmed_total",
                "counter",
                "Messages confirmed by a reader.",
                tuple((labels, float(f.confirmed)) for labels, f in flow),
            ),
            Metric(
                "flow_dropped_total",
                "counter",
                "Messages lost to a slow reader.",
                tuple((labels, float(f.dropped)) for labels, f in flow),
            ),
            Metric("points", "gauge", "Points known.", (({}, float(len(self.namespace))),)),
            Metric(
                "recorded_rows_total",
                "counter",
                "Rows brought from the spine into the store.",
                (({}, float(self.recorder.rows)),),
            ),
            *self.live.metrics(),
        ]
