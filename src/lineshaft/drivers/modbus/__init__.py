"""Modbus TCP: registers and coils of PLCs, drives, meters and gateways.

Points are polled. Addresses that stand close together are read in one request; points that
are read in the same rhythm come as one batch. The time of a sample is that of our clock when
the reply came, since Modbus carries none. An address that the device does not know makes its
own point bad and disturbs no other; it is asked for again once a minute.

Addresses count from 0, as they do on the wire: what a manual calls register 40001 (or 4x1) is
`table = "holding"`, `address = 0`; 30001 is `table = "input"`, `address = 0`.
"""

import asyncio
import importlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

import msgspec

from lineshaft.core.batch import Sample
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Invalid, LinkLost, Refused
from lineshaft.core.point import Point, Value, value_of
from lineshaft.core.settings import Settings
from lineshaft.drivers import Bench, Driver, Feed
from lineshaft.drivers.modbus.link import Fault, Link
from lineshaft.drivers.modbus.plan import Block
from lineshaft.drivers.modbus.poll import Poll
from lineshaft.drivers.modbus.registers import (
    BIT_TABLES,
    Decoder,
    ModbusPoint,
    Order,
    Table,
    Type,
    encode,
)


class Modbus(Driver):
    """Polls one unit of a Modbus TCP device."""

    protocol = "Modbus TCP"
    rung = "proven"

    class Config(Settings, frozen=True):
        """What the settings table may say."""

        host: str
        """Name or address of the device."""
        at: str
        """Where its points stand in the namespace: `acme/hall-1/chiller-1`."""
        points: Annotated[list[ModbusPoint], msgspec.Meta(min_length=1)]
        """What to read."""
        port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 502
        """TCP port."""
        unit: Annotated[int, msgspec.Meta(ge=0, le=255)] = 1
        """Unit identifier: which device behind a gateway; many devices take any."""
        poll_s: Annotated[float, msgspec.Meta(gt=0)] = 1.0
        """Seconds from one reading to the next, for points that do not say their own."""
        timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 1.0
        """Seconds to wait for a connection or an answer; three missing answers end the link."""
        order: Order = Order.ABCD
        """Order of bytes and words in values of more than one register: `ABCD` as the standard
        says, `CDAB` words turned, `BADC` bytes swapped, `DCBA` both."""
        gap_max: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 8
        """Addresses between two points that are read along to save a request; 0 for devices
        that refuse addresses they do not know."""
        block_max: Annotated[int, msgspec.Meta(ge=1, le=125)] = 125
        """Most registers in one request."""
        bits_max: Annotated[int, msgspec.Meta(ge=1, le=2000)] = 2000
        """Most coils or discrete inputs in one request."""

        def __post_init__(self) -> None:
            names = set()
            for point in self.points:
                try:
                    self.declared(point, source="")
                except Invalid as error:
                    raise ValueError(f"{error} {error.remedy}") from None
                if point.name in names:
                    raise ValueError(f"two points are named {point.name!r}")
                names.add(point.name)
                if point.table not in BIT_TABLES and point.width > self.block_max:
                    raise ValueError(
                        f"{point.name} takes {point.width} registers, block_max is {self.block_max}"
                    )

        def path(self, point: ModbusPoint) -> str:
            """Where the point stands in the namespace."""
            return f"{self.at}/{point.name}" if self.at else point.name

        def declared(self, point: ModbusPoint, source: str) -> Point:
            """The point as the namespace knows it."""
            return point.point(self.at, kind=point.kind, source=source, address=point.place)

    example = """
        [[drivers]]
        name = "chiller-1"
        kind = "modbus"
        host = "192.0.2.17"
        at = "acme/hall-1/chiller-1"
        order = "CDAB"
        points = [
          { name = "set_point", address = 0, type = "int16", scale = 0.1, unit = "Cel" },
          { name = "supply_temperature", table = "input", address = 0, type = "float32" },
          { name = "starts", table = "input", address = 4, type = "uint32", poll_s = 10 },
          { name = "pump_on", table = "coil", address = 0 },
          { name = "alarm", table = "input", address = 8, type = "bit", bit = 3 },
        ]
    """

    config: Config
    _link: Link | None = None

    async def run(self, feed: Feed) -> None:
        config = self.config
        feed.declare([config.declared(point, source=self.name) for point in config.points])
        link = await Link.open(self.name, config.host, config.port, config.unit, config.timeout_s)
        try:
            self._link = link
            await self._poll(link, feed)
        finally:
            self._link = None
            link.close()

    async def _poll(self, link: Link, feed: Feed) -> None:
        """Read every group when its time has come, one after the other: so none piles up."""
        clock = asyncio.get_running_loop().time
        groups = self._groups(feed)
        due = dict.fromkeys(groups, clock())
        is_up = False
        while True:
            period_s = min(due, key=lambda p: due[p])
            await link.pause(until=due[period_s])
            poll = groups[period_s]
            batch = await poll.read(link, clock())
            if not is_up and link.answers:
                is_up = True
                feed.connected(f"{self.config.host}:{self.config.port} unit {self.config.unit}")
            if len(batch):
                await feed.emit(batch)
            due[period_s] += period_s
            late = int((clock() - due[period_s]) // period_s) + 1
            if late > 0:
                # The slower device or store sets the pace; what was not read is told.
                feed.lost("poll overrun", late * len(poll.points))
                due[period_s] += late * period_s

    def _groups(self, feed: Feed) -> dict[float, Poll]:
        """The points by the seconds between their readings."""
        config = self.config
        rhythms: dict[float, list[ModbusPoint]] = {}
        for point in config.points:
            rhythms.setdefault(point.poll_s or config.poll_s, []).append(point)
        return {
            period_s: Poll(
                points,
                [config.path(p) for p in points],
                config.order,
                sizes=(config.gap_max, config.block_max, config.bits_max),
                trouble=feed.trouble,
            )
            for period_s, points in rhythms.items()
        }

    async def write(self, path: str, value: Value) -> None:
        point, link = self._find(path)
        if point.table in (Table.INPUT, Table.DISCRETE):
            raise Refused(f"{self.name}: {path} is read-only: it stands at {point.place}")
        try:
            words = encode(point, value, self.config.order)
        except Invalid as error:
            raise Refused(f"{self.name}: {error}", remedy=error.remedy) from error
        await link.write(point, words)

    async def read(self, path: str) -> Sample:
        point, link = self._find(path)
        reply = await link.read(Block(point.table, point.address, point.width, (0,)))
        if isinstance(reply, Fault):
            raise Refused(f"{self.name}: cannot read {path} ({point.place}): {reply.text}")
        number, text = Decoder([point], point.address, self.config.order).decode(reply)
        return Sample(path, now_ns(), value_of(point.kind, float(number[0]), text.get(0)))

    def _find(self, path: str) -> tuple[ModbusPoint, Link]:
        for point in self.config.points:
            if self.config.path(point) == path:
                break
        else:
            raise Refused(f"{self.name}: {path} is not a point of this device")
        if self._link is None:
            raise LinkLost(f"{self.name}: is not connected to {self.config.host}")
        return point, self._link

    @classmethod
    @asynccontextmanager
    async def bench(cls) -> AsyncGenerator[Bench]:
        # Only who asks for a bench pays for loading it.
        module = await asyncio.to_thread(importlib.import_module, f"{__name__}.bench")
        device = module.Device()
        await device.mend()
        points = [
            ModbusPoint(name="set_point", address=0, scale=0.1, unit="Cel"),
            ModbusPoint(name="supply", table=Table.INPUT, address=0, type=Type.FLOAT32),
            ModbusPoint(name="strokes", table=Table.INPUT, address=4, type=Type.UINT32),
            ModbusPoint(name="pump_on", table=Table.COIL, address=0),
            ModbusPoint(name="door_open", table=Table.DISCRETE, address=1),
        ]
        strange = ModbusPoint(name="strange", address=4000)
        settings = cls.Config(
            host="127.0.0.1", port=device.port, at="bench", poll_s=0.05, points=points
        )
        device.settings = settings
        device.unknown = msgspec.structs.replace(settings, points=[*points, strange])
        device.writable = "bench/set_point"
        try:
            yield device
        finally:
            await device.cut()
