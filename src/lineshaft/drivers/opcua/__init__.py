"""OPC UA: subscribes to variables of a server, in bulk, and keeps what the server knows of them.

Kinds, units (`EngineeringUnits`), ranges (`EURange`), descriptions and the names of
enumerations are read from the server; what the settings say goes before. Every sample keeps
the server's 32-bit status code. Values that the server had to drop (its queue ran over) are
counted as `overflow`, missed messages are asked for again. A node that the server does not
know is told and tried again now and then, while all others go on.

Alarms and conditions of the nodes in `events` become alarms of the plant; after each connect
the server lists those it retains, and an acknowledgement is told to it. Methods are named in
`methods`; what they take and give is read from the server. Points are
listed, or picked up below `roots`. `lineshaft browse opc.tcp://…` writes the list.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Literal

import msgspec
from asyncua import ua

from lineshaft.core.batch import Sample
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Invalid, LinkLost, Refused, SettingsError
from lineshaft.core.path import check_path
from lineshaft.core.point import Kind, Point, Value, value_of
from lineshaft.core.quality import is_bad
from lineshaft.core.settings import Secret, Settings
from lineshaft.core.units import check_unit
from lineshaft.drivers import (
    Arguments,
    Bench,
    Condition,
    Driver,
    Feed,
    Found,
    Method,
    PointSettings,
)
from lineshaft.drivers.opcua import listing
from lineshaft.drivers.opcua.bench import bench as loopback
from lineshaft.drivers.opcua.conditions import Conditions, acknowledge
from lineshaft.drivers.opcua.feeding import PUBLISHES, Feeding, Item, Policy, Times
from lineshaft.drivers.opcua.link import Access, Link, split_node
from lineshaft.drivers.opcua.link import Policy as SecurityPolicy
from lineshaft.drivers.opcua.methods import Callable, MethodSettings, find
from lineshaft.drivers.opcua.nodes import About, describe, walk
from lineshaft.drivers.opcua.places import check_place, locate
from lineshaft.drivers.opcua.values import Rows, to_ns, variant_for

WATCH_S = 1.0
ANSWER_S_MAX = 2.0
"""A server that is asked each second and silent for two is taken for lost after three."""


class NodePoint(PointSettings, frozen=True, kw_only=True):
    """One variable of the server."""

    node: str
    """Node identifier: `ns=2;s=Press.Temperature`, `ns=2;i=1042` or `nsu=urn:maker;s=Name`; or a
    browse path from the root: `/0:Objects/2:Press/2:Temperature`."""
    sampling_ms: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """How often the server looks at the value; the driver's `sampling_ms` when left out."""


class OpcUa(Driver):
    """One session with one server."""

    protocol = "OPC UA"

    class Config(Settings, frozen=True):
        """What the settings table may say."""

        url: Annotated[str, msgspec.Meta(pattern=r"^opc\.tcp://[^\s/]+")]
        """Address of the server, `opc.tcp://host:4840/path`."""
        at: str = ""
        """Branch of the namespace that the points stand below."""
        points: tuple[NodePoint, ...] = ()
        """Variables to read."""
        roots: tuple[str, ...] = ()
        """Node identifiers whose variables are all read, named by their browse path."""
        methods: tuple[MethodSettings, ...] = ()
        """What the server can be told to do."""
        events: tuple[str, ...] = ()
        """Node identifiers whose alarms are taken, `i=2253` for all of the server."""
        nodes_max: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 10_000
        """How many variables `roots` may bring."""
        username: str = ""
        """Name of a user of the server; without one the session is anonymous."""
        password: Secret = msgspec.field(default_factory=Secret)
        """Better as `{ env = "PRESS_PASSWORD" }` or `{ file = "/run/secrets/press" }`."""
        security: SecurityPolicy = "none"
        """Security policy that the server offers."""
        mode: Literal["Sign", "SignAndEncrypt"] = "SignAndEncrypt"
        """What a security policy other than `none` does with messages."""
        certificate: str = ""
        """File with our certificate (PEM or DER); the server must trust it."""
        private_key: str = ""
        """File with the key of our certificate (PEM or DER)."""
        publish_ms: Annotated[float, msgspec.Meta(ge=10, le=60_000)] = 500.0
        """How often the server sends what changed."""
        sampling_ms: Annotated[float, msgspec.Meta(ge=0)] | None = None
        """How often the server looks at a value; `publish_ms` when left out, 0 is its best."""
        queue_size: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 10
        """Values that the server keeps for each point between two messages; more where needed."""
        timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 4.0
        """How long one call may take."""
        time: Times = Times.SOURCE
        """Whose clock is used: `source` (else the server's, else ours), `server` or `ours`."""
        max_skew_s: Annotated[float, msgspec.Meta(gt=0)] = 600.0
        """Beyond this, a time is replaced by ours, marked UncertainSubNormal, and counted."""
        retry_s: Annotated[float, msgspec.Meta(ge=0.1)] = 30.0
        """How often nodes that the server did not know are tried again."""

    example = """
        [[drivers]]
        name = "press-1"
        kind = "opcua"
        url = "opc.tcp://192.168.0.10:4840"
        at = "acme/hall-1/press-1"
        points = [
            { name = "oil/temperature", node = "ns=2;s=Press.Oil.Temperature", unit = "Cel" },
            { name = "strokes", node = "ns=2;i=1042" },
        ]
        methods = [{ name = "start", object = "ns=2;s=Press", method = "ns=2;s=Press.Start" }]
    """
    config: Config

    def __init__(self, name: str, config: Settings) -> None:
        super().__init__(name, config)
        _check(self.config)
        self._link: Link | None = None
        self._items: dict[str, Item] = {}
        self._abouts: dict[str, About] = {}
        self._methods: dict[str, Callable] = {}

    async def run(self, feed: Feed) -> None:
        link = Link(self.name, _access(self.config))
        try:
            await link.open()
            feed.connected(f"{len(self.config.points)} points, {len(self.config.roots)} roots")
            await self._find_items(link, feed)
            self._methods = await find(link, feed, self.config.at, self.config.methods)
            self._link = link
            conditions = Conditions(link, feed, self.config.events) if self.config.events else None
            items = list(self._items.values())
            feeding = Feeding(link, feed, items, self._policy(), conditions)
            try:
                await self._work(link, feeding)
            finally:
                if feeding.pending:
                    feed.lost("stopped", feeding.pending)
        finally:
            self._link = None
            await link.close()

    async def _work(self, link: Link, feeding: Feeding) -> None:
        async with asyncio.TaskGroup() as outer:
            emitter = outer.create_task(feeding.emit(), name=f"{self.name} emit")
            try:
                await feeding.subscribe()
                async with asyncio.TaskGroup() as group:
                    for _ in range(PUBLISHES):
                        group.create_task(feeding.publish(), name=f"{self.name} publish")
                    group.create_task(link.watch(WATCH_S, ANSWER_S_MAX), name=f"{self.name} watch")
                    group.create_task(link.renew(), name=f"{self.name} renew")
                    group.create_task(self._retry(link, feeding), name=f"{self.name} retry")
            except (LinkLost, BaseExceptionGroup):
                await feeding.finish(emitter)
                raise

    async def _find_items(self, link: Link, feed: Feed) -> None:
        """Ask the server what the points are, and declare them."""
        wanted = list(self.config.points)
        taken = {point.name for point in wanted}
        for point in await self._below_roots(link, feed):
            if point.name not in taken:
                wanted.append(point)
                taken.add(point.name)
        self._items.clear()
        self._abouts.clear()
        nodes = await locate(link, [point.node for point in wanted])
        abouts = await describe(link, nodes)
        for point, node, about in zip(wanted, nodes, abouts, strict=True):
            item = Item(self._point(point, about), node, self._sampling_ms(point))
            self._items[item.point.path] = item
            self._abouts[item.point.path] = about
        feed.declare([item.point for item in self._items.values()])

    async def _below_roots(self, link: Link, feed: Feed) -> list[NodePoint]:
        found: list[NodePoint] = []
        for root in self.config.roots:
            (node,) = await locate(link, [root])
            branches, more = await walk(link, node, nodes_max=self.config.nodes_max - len(found))
            problem = (
                f"has more than {self.config.nodes_max} variables; raise `nodes_max`"
                if more
                else None
                if branches
                else "has no variables below it, or is not known"
            )
            feed.trouble(root, problem)
            prefix = f"{_last_name(root)}/" if len(self.config.roots) > 1 else ""
            found += [NodePoint(name=prefix + b.path, node=b.node.to_string()) for b in branches]
            if more:
                break
        return found

    def _point(self, settings: NodePoint, about: About) -> Point:
        """The point, from the settings where they speak and from the server where not."""
        point = settings.point(
            self.config.at, kind=about.kind, source=self.name, address=settings.node
        )
        names = point.names or about.names
        return msgspec.structs.replace(
            point,
            kind=Kind.ENUM if names and about.kind is not Kind.JSON else about.kind,
            unit=point.unit or about.unit,
            low=about.low if point.low is None else point.low,
            high=about.high if point.high is None else point.high,
            description=point.description or about.description,
            names=names,
        )

    def _sampling_ms(self, point: NodePoint) -> float:
        chosen = self.config.sampling_ms if point.sampling_ms is None else point.sampling_ms
        return self.config.publish_ms if chosen is None else chosen

    def _policy(self) -> Policy:
        config = self.config
        return Policy(
            publish_ms=config.publish_ms,
            queue_size=config.queue_size,
            times=config.time,
            max_skew_s=config.max_skew_s,
            retry_s=config.retry_s,
        )

    async def _retry(self, link: Link, feeding: Feeding) -> None:
        """Try again the nodes that the server did not take."""
        settings = {p.name: p for p in self.config.points}
        while True:
            await asyncio.sleep(self.config.retry_s)
            places = [i for i, item in enumerate(feeding.items) if not item.subscribed]
            for place, about in zip(
                places, await describe(link, [feeding.items[i].node for i in places]), strict=True
            ):
                item = feeding.items[place]
                name = item.point.path.removeprefix(f"{self.config.at}/")
                if about.known and name in settings:
                    item.point = self._point(settings[name], about)
                    self._abouts[item.point.path] = about
                    feeding.feed.declare([item.point])
            if places:
                await feeding.add(places)

    # ---- on request

    def _find(self, path: str) -> tuple[Link, Item, About]:
        if self._link is None:
            raise LinkLost(f"{self.name}: there is no link to {self.config.url}")
        if path not in self._items:
            raise Refused(f"{self.name}: reads no point {path!r}")
        return self._link, self._items[path], self._abouts[path]

    async def write(self, path: str, value: Value) -> None:
        link, item, about = self._find(path)
        if about.array:
            raise Refused(f"{self.name}: {path} is an array, which cannot be written")
        what = f"{self.name}: {path}"
        data = ua.DataValue(variant_for(value, about.type_, what))
        with link.told(f"cannot write {path}"):
            (status,) = await link.session.write_attributes([item.node], [data])
        if is_bad(status.value):
            raise Refused(f"{what} was not set to {value!r}: {status.name} ({status.doc})")

    async def read(self, path: str) -> Sample:
        link, item, _ = self._find(path)
        (found,) = await link.read([(item.node, ua.AttributeIds.Value)])
        status = found.StatusCode.value if found.StatusCode is not None else 0
        given = found.SourceTimestamp or found.ServerTimestamp
        content = found.Value.Value if found.Value is not None else None
        rows = Rows()
        rows.add(path, to_ns(given) if given else now_ns(), content, item.point.kind, status)
        value = value_of(item.point.kind, rows.numbers[0], rows.texts[0])
        return Sample(path, rows.times[0], value, rows.qualities[0])

    def methods(self) -> Sequence[Method]:
        return [found.method for found in self._methods.values()]

    async def call(self, path: str, inputs: Arguments) -> dict[str, Any]:
        if self._link is None:
            raise LinkLost(f"{self.name}: there is no link to {self.config.url}")
        if path not in self._methods:
            return await super().call(path, inputs)
        return await self._methods[path].call(self._link, inputs)

    async def acknowledge(self, condition: Condition, comment: str) -> None:
        if self._link is None:
            raise LinkLost(f"{self.name}: there is no link to {self.config.url}")
        await acknowledge(self._link, condition, comment)

    # ---- looking around

    @classmethod
    async def browse(cls, address: str, **options: str) -> list[Found]:
        """Variables of the server; `root` (a node) says where to begin, `nodes_max` how many."""
        return await listing.browse(address, options)

    @classmethod
    def settings_for(cls, found: Sequence[Found], *, name: str, address: str, at: str) -> str:
        return listing.settings_for(found, name=name, address=address, at=at)

    @classmethod
    def bench(cls) -> AbstractAsyncContextManager[Bench]:
        def settings(url: str, points: Sequence[dict[str, str]]) -> Settings:
            return msgspec.convert(
                {"url": url, "at": "bench", "points": points, "publish_ms": 20, "sampling_ms": 10},
                cls.Config,
            )

        return loopback(settings)


def _access(config: OpcUa.Config) -> Access:
    return Access(
        config.url,
        username=config.username,
        password=config.password,
        security=(config.security, config.mode, config.certificate, config.private_key),
        timeout_s=config.timeout_s,
    )


def _check(config: OpcUa.Config) -> None:
    """See what types alone cannot.

    Raises:
        SettingsError: the message names the field and the value.
    """
    names: set[str] = set()
    try:
        for point in config.points:
            check_place(point.node)
            check_unit(point.unit)
            check_path(f"{config.at}/{point.name}" if config.at else point.name)
            if point.name in names:
                raise SettingsError(f"point {point.name!r} is there twice")
            names.add(point.name)
        for method in config.methods:
            split_node(method.object)
            split_node(method.method)
            check_path(f"{config.at}/{method.name}" if config.at else method.name)
            if method.name in names:
                raise SettingsError(f"method {method.name!r} has the name of another or of a point")
            names.add(method.name)
        for root in config.roots:
            check_place(root)
        for notifier in config.events:
            split_node(notifier)
    except Invalid as error:
        raise SettingsError(f"points: {error}", remedy=error.remedy) from None
    if config.security != "none" and not (config.certificate and config.private_key):
        raise SettingsError(
            f"security {config.security!r} needs `certificate` and `private_key`",
            remedy="Name the two files, in PEM or DER form.",
        )
    if not (config.points or config.roots or config.methods or config.events):
        raise SettingsError(
            "none of `points`, `roots`, `methods` and `events` is given",
            remedy=f"lineshaft browse {config.url} lists what the server offers.",
        )


def _last_name(node: str) -> str:
    name = node.rpartition("/")[2] if node.startswith("/") else split_node(node)[3]
    return "".join(c if c.isalnum() or c in "_-" else "_" for c in name)
