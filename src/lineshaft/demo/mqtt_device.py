"""The packing line or the meter as an MQTT publisher: one JSON message a second, QoS 1."""

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from lineshaft.core.clock import to_iso
from lineshaft.core.point import Value
from lineshaft.demo.addresses import topic
from lineshaft.demo.live import Live, Reading
from lineshaft.demo.logbook import What

log = logging.getLogger(__name__)

QUEUE_MAX = 20_000
"""Messages kept while the broker is away, some hours; the oldest are dropped beyond."""


def message(readings: list[Reading]) -> bytes:
    """What it publishes: the time and every point by name, null where the sensor has failed."""
    values: dict[str, Value | None] = {"time": to_iso(readings[0].time_ns)}
    for reading in readings:
        value = reading.value
        rounded = round(value, 4) if isinstance(value, float) else value
        values[reading.spec.name] = None if reading.broken else rounded
    return msgspec.json.encode(values)


class Publisher:
    """Publishes each step, keeps what the broker has not acknowledged, and notes what it has."""

    def __init__(self, live: Live, ledger: TextIO | None) -> None:
        self.live = live
        self.ledger = ledger
        self._waiting: dict[int, int] = {}
        """Step's time by number of the message."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"acme-{live.machine}")
        client.max_queued_messages_set(QUEUE_MAX)
        client.reconnect_delay_set(min_delay=1, max_delay=1)
        client.on_publish = self._acknowledged
        self.client = client

    def publish(self, time_ns: int) -> None:
        """Send what the machine shows at this step."""
        body = message(self.live.readings(time_ns))
        logbook = self.live.factory.logbook
        if logbook.ailing(self.live.machine, What.GARBAGE, time_ns):
            self.client.publish(topic(self.live.machine), b'\x00\x17{"time": "20', qos=1)
            return
        sent = self.client.publish(topic(self.live.machine), body, qos=1)
        self._waiting[sent.mid] = time_ns

    def _acknowledged(self, _client: object, _data: object, mid: int, *_: object) -> None:
        time_ns = self._waiting.pop(mid, None)
        if self.ledger and time_ns is not None:
            self.ledger.write(f"{time_ns}\n")


async def serve(live: Live, port: int, ready: Callable[[], None], ledger: Path | None) -> None:
    """Publish until cancelled; `ledger` gets the time of each message that the broker has taken."""
    with contextlib.ExitStack() as stack:
        # Line by line: what was acknowledged before a kill must stand in the file after it.
        book = stack.enter_context(ledger.open("a", buffering=1)) if ledger else None
        publisher = Publisher(live, book)
        publisher.client.connect_async("127.0.0.1", port, keepalive=10)
        publisher.client.loop_start()
        stack.callback(publisher.client.loop_stop)
        stack.callback(publisher.client.disconnect)
        ready()
        async for time_ns in live.steps():
            publisher.publish(time_ns)
