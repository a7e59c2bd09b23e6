"""Events of twins told to an MQTT broker, none left out over a new start of either side."""

import asyncio
import contextlib

import msgspec

from lineshaft.core.flow import Fault, supervise
from lineshaft.drivers.mqtt.session import Address, Session, Tls
from lineshaft.records import Collection, Logged, Put, Records
from lineshaft.twins.living import Broker
from lineshaft.twins.living.events import Events
from lineshaft.twins.model.identifier import encode_id
from lineshaft.web.metrics import Metric

COLLECTION = Collection(name="twin_followers")
"""Where in the log each follower outside is, by its name."""
KEY = "mqtt"
TIMEOUT_S = 10.0
PAYLOAD_MAX = 262_144
"""Bytes of a message; events are far smaller."""


class _Place(msgspec.Struct, frozen=True):
    after: int


class Publisher:
    """Publishes with QoS 1; its place in the log moves on once the broker has confirmed."""

    def __init__(self, config: Broker, events: Events, records: Records) -> None:
        self._config, self._events, self._records = config, events, records
        self.published = 0
        """Events that the broker has confirmed."""
        self.trouble = ""
        """Why nothing is published now; empty when all is well."""

    async def run(self) -> None:
        """Publish until cancelled; after a broken link, go on where it was."""
        await supervise("twin events to MQTT", self._publish, faulted=self._faulted)

    def _faulted(self, _: Fault, error: BaseException) -> None:
        self.trouble = f"twin events: {error}"

    async def _publish(self) -> None:
        session = Session("twin events", self._address())
        try:
            await session.open()
            self.trouble = ""
            async with asyncio.TaskGroup() as group:
                # Nothing is subscribed to, so nothing comes, but this says when the link is gone.
                group.create_task(session.take(1))
                await self._tell(session)
        finally:
            session.close()

    async def _tell(self, session: Session) -> None:
        async with contextlib.aclosing(self._events.follow(await self._place())) as parts:
            async for part in parts:
                async with asyncio.TaskGroup() as group:
                    for e in part:
                        group.create_task(session.publish(self._topic(e), self._payload(e)))
                await self._keep(part[-1].seq)
                self.published += len(part)

    def _payload(self, logged: Logged) -> bytes:
        return msgspec.json.encode(self._events.cloud_event(logged))

    def _topic(self, logged: Logged) -> str:
        """`<topic>/<class>/<identifier in base64url>/<what happened>`."""
        event = logged.event
        words = [self._config.topic]
        if "class" in event.data and "id" in event.data:
            words += [str(event.data["class"]), encode_id(str(event.data["id"]))]
        return "/".join([*words, event.kind.rpartition(".")[2]])

    async def _place(self) -> int:
        """Where it is in the log; the first time, at its end."""
        found = await self._records.get(COLLECTION.name, KEY)
        if found is not None:
            return msgspec.json.decode(found.data, type=_Place).after
        after = await self._events.last()
        await self._keep(after)
        return after

    async def _keep(self, after: int) -> None:
        data = msgspec.json.encode(_Place(after))
        await self._records.commit(Put(collection=COLLECTION.name, key=KEY, data=data))

    def _address(self) -> Address:
        config = self._config
        return Address(
            host=config.host,
            port=config.port,
            client_id=config.client_id,
            version="3.1.1",
            keepalive_s=config.keepalive_s,
            timeout_s=TIMEOUT_S,
            username=config.username,
            password=config.password,
            tls=Tls(ca=config.ca) if config.tls else None,
            inflight_max=1,
            payload_max=PAYLOAD_MAX,
            session_s=0,
        )

    def metrics(self) -> list[Metric]:
        """Its figures."""
        count: tuple[tuple[dict[str, str], float], ...] = (({}, float(self.published)),)
        return [
            Metric("twin_events_published_total", "counter", "Events that the broker has.", count)
        ]
