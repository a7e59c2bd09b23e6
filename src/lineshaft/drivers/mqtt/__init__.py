"""MQTT 3.1.1 and 5: machines, gateways and sensors that publish through a broker.

A message with QoS 1 is acknowledged to the broker only after our store has confirmed its
samples; until then the broker keeps it, also while Lineshaft is off, because the session is
one that the broker remembers (`client_id` must stay the same, and be nobody else's). So nothing
is lost, and after a break some messages may come twice: those that carry a time of their own
replace themselves in the store, those without one count twice. With QoS 0 a message may be lost
on the way, as the standard says.

A payload that cannot be read is acknowledged, counted and shown with its topic; it holds up no
other. A retained message is taken once; when it carries no time, its value is marked uncertain.
When the store is slow, Lineshaft stops reading, and the flood waits in the broker.
"""

import asyncio
import importlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Literal

import msgspec
from paho.mqtt.client import MQTTMessage

from lineshaft.core.batch import Sample
from lineshaft.core.errors import Invalid, LinkLost, Refused
from lineshaft.core.path import check_path
from lineshaft.core.point import Kind, Value
from lineshaft.core.settings import Secret, Settings
from lineshaft.drivers import Bench, Driver, Feed
from lineshaft.drivers.mqtt.payload import (
    Columns,
    Leaf,
    MqttPoint,
    TimeFormat,
    TimeKey,
    TopicSettings,
)
from lineshaft.drivers.mqtt.routes import Route, Router, command_payload
from lineshaft.drivers.mqtt.session import Address, Session, Tls

MESSAGES_MAX = 500
"""Messages that are decoded in one go, so that the loop is never held up for long."""


class _Watch:
    """Waits for a point's next message; after a write, for one that says what was written."""

    def __init__(self, wanted: Value | None) -> None:
        self._wanted = wanted
        self.last: Sample | None = None
        self.settled = asyncio.Event()

    def see(self, sample: Sample) -> None:
        """Note a message."""
        self.last = sample
        if self._wanted is None or sample.value == self._wanted:
            self.settled.set()


class Mqtt(Driver):
    """Subscribes to topics of one broker."""

    protocol = "MQTT"
    rung = "proven"

    class Config(Settings, frozen=True, kw_only=True):
        """What the settings table may say."""

        host: str
        """Name or address of the broker."""
        topics: Annotated[list[TopicSettings], msgspec.Meta(min_length=1)]
        """What to subscribe to, and what it means."""
        port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 1883
        """TCP port; with TLS usually 8883."""
        at: str = ""
        """Where its points stand in the namespace; topics are appended."""
        version: Literal["3.1.1", "5"] = "3.1.1"
        """Version of the protocol that the broker speaks."""
        client_id: str = ""
        """Who we are to the broker; empty means `lineshaft-` and the driver's name."""
        username: str = ""
        """Name to log in with; empty for none."""
        password: Secret = msgspec.field(default_factory=Secret)
        """Better as `{ env = "BROKER_PASSWORD" }` or `{ file = "/run/secrets/broker" }`."""
        tls: Tls | None = None
        """Encrypt the link; `tls = {}` trusts the certificates of the system."""
        keepalive_s: Annotated[int, msgspec.Meta(ge=5, le=3600)] = 30
        """Seconds of silence after which the broker and we ask whether the other is there."""
        timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0
        """Seconds to wait for a connection or an answer."""
        session_s: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF_FFFF)] = 604_800
        """MQTT 5: seconds that the broker keeps what comes while we are away."""
        inflight_max: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 2000
        """Messages that may wait here to be stored; then the broker is held back."""
        payload_max: Annotated[int, msgspec.Meta(ge=1, le=64 * 1024 * 1024)] = 262_144
        """Bytes of the largest payload; a larger one is counted and left out."""
        points_max: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 10_000
        """Most points that messages may bring into being."""
        future_max_s: Annotated[float, msgspec.Meta(ge=0)] = 60.0
        """Seconds that a message's time may be ahead of our clock and still be believed."""

        def __post_init__(self) -> None:
            if self.at:
                try:
                    check_path(self.at)
                except Invalid as error:
                    raise ValueError(f"{error} {error.remedy}") from None

    example = """
        [[drivers]]
        name = "packing"
        kind = "mqtt"
        host = "192.0.2.20"
        at = "acme/hall-2"

        [[drivers.topics]]
        filter = "packing/+/state"
        at = "packing/{2}"
        time = { key = "ts", format = "ms" }
        values = [
          { name = "speed", key = "drive.speed", unit = "m/s" },
          { name = "set_point", key = "sp", command = "packing/{2}/set", command_key = "sp" },
        ]

        [[drivers.topics]]
        filter = "energy/#"
        payload = "number"
    """

    config: Config
    _session: Session | None = None
    _router: Router | None = None

    def __init__(self, name: str, config: Settings) -> None:
        super().__init__(name, config)
        self._watches: dict[str, _Watch] = {}

    async def run(self, feed: Feed) -> None:
        config = self.config
        router = self._router = self._router or self._make_router()
        feed.declare(router.points())
        session = Session(self.name, self._address())
        try:
            await session.open()
            refused = await session.subscribe([(t.filter, t.qos) for t in config.topics])
            for topic in config.topics:
                is_refused = topic.filter in refused
                feed.trouble(topic.filter, "the broker refuses it" if is_refused else None)
            if len(refused) == len(config.topics):
                raise Refused(
                    f"{self.name}: the broker refuses every filter: {', '.join(refused)}",
                    remedy="Give this user the right to read them.",
                )
            self._session = session
            feed.connected(f"{config.host}:{config.port} MQTT {config.version}")
            while True:
                await self._handle(await session.take(MESSAGES_MAX), session, router, feed)
        finally:
            self._session = None
            session.close()

    async def _handle(
        self, messages: list[MQTTMessage], session: Session, router: Router, feed: Feed
    ) -> None:
        """Store what the messages say, then tell the broker that they are safe."""
        if session.overflow:
            feed.lost("overflow", session.overflow)
            session.overflow = 0
        columns = Columns(watched=self._watches)
        known = []
        for message in messages:
            try:
                topic = message.topic
            except UnicodeDecodeError:
                feed.lost("undecodable")
                continue
            payload = bytes(message.payload)
            router.decode(topic, payload, columns, feed, is_retained=message.retain)
            known.append((topic, payload))
        if fresh := router.fresh():
            feed.declare(fresh)
        if len(columns):
            for sample in columns.seen:
                self._watches[sample.point].see(sample)
            await feed.emit(columns.batch())
        session.confirm(messages)
        for topic, payload in known:
            router.stored(topic, payload)

    async def write(self, path: str, value: Value) -> None:
        session, route, leaf = self._find(path)
        topic = route.command(leaf)
        if not topic or leaf.settings is None:
            raise Refused(
                f"{self.name}: {path} is read-only, cannot set it to {value!r}",
                remedy="Give it a `command` topic.",
            )
        if isinstance(value, str) and leaf.kind not in (Kind.TEXT, Kind.JSON, None):
            raise Refused(f"{self.name}: {path} takes numbers, not the text {value!r}")
        # From here on: the device may answer before the broker does.
        self._watches[path] = _Watch(value)
        try:
            await session.publish(topic, command_payload(leaf.settings, value))
        except (LinkLost, Refused):
            self._watches.pop(path, None)
            raise

    async def read(self, path: str) -> Sample:
        self._find(path)
        watch = self._watches.setdefault(path, _Watch(None))
        try:
            async with asyncio.timeout(self.config.timeout_s):
                await watch.settled.wait()
        except TimeoutError:
            if self._session is None:
                raise self._away() from None
        finally:
            self._watches.pop(path, None)
        if watch.last is None:
            raise Refused(
                f"{self.name}: no message of {path} came within {self.config.timeout_s:g} s",
                remedy="MQTT cannot ask; let the device publish the value after each change.",
            )
        return watch.last

    def _find(self, path: str) -> tuple[Session, Route, Leaf]:
        if self._session is None or self._router is None:
            raise self._away()
        found = self._router.find(path)
        if found is None:
            raise Refused(f"{self.name}: no message has been seen yet of {path}")
        return self._session, *found

    def _away(self) -> LinkLost:
        return LinkLost(f"{self.name}: is not connected to {self.config.host}")

    def _make_router(self) -> Router:
        config = self.config
        return Router(
            config.topics,
            source=self.name,
            at=config.at,
            points_max=config.points_max,
            payload_max=config.payload_max,
            future_max_s=config.future_max_s,
        )

    def _address(self) -> Address:
        config = self.config
        return Address(
            client_id=config.client_id or f"lineshaft-{self.name}",
            **{
                field: getattr(config, field)
                for field in Address.__struct_fields__
                if field != "client_id"
            },
        )

    @classmethod
    @asynccontextmanager
    async def bench(cls) -> AsyncGenerator[Bench]:
        # Only who asks for a bench pays for loading it.
        module = await asyncio.to_thread(importlib.import_module, f"{__name__}.bench")
        bench = module.Bench()
        values = [
            MqttPoint(name="strokes", key="strokes"),
            MqttPoint(name="mode", key="mode"),
            MqttPoint(
                name="set_point",
                key="set_point",
                unit="Cel",
                command="bench/press/set",
                command_key="set_point",
            ),
        ]
        topic = TopicSettings(
            filter="bench/press/state",
            at="press",
            values=values,
            time=TimeKey(key="time", format=TimeFormat.NS),
        )
        strange = [*values, MqttPoint(name="strange", key="nowhere")]
        unknown = msgspec.structs.replace(topic, values=strange)
        settings = cls.Config(host="127.0.0.1", port=bench.port, at="bench", topics=[topic])
        bench.settings = settings
        bench.unknown = msgspec.structs.replace(settings, topics=[unknown])
        bench.writable = "bench/press/set_point"
        try:
            await bench.open()
            yield bench
        finally:
            await bench.close()
