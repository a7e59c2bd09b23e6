"""An OPC UA server on loopback, for tests, examples and the demo."""

import asyncio
import math
import socket
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

from asyncua import Node, Server, ua, uamethod

from lineshaft.core.settings import Settings
from lineshaft.core.units import symbol, unit_id
from lineshaft.drivers import Bench

NAMESPACE = "urn:lineshaft:bench"
STEP_S = 0.01
Make = Callable[[str, Sequence[dict[str, str]]], Settings]
_POINTS: tuple[dict[str, str], ...] = (
    {"name": "temperature", "node": "ns=2;s=Machine.Temperature"},
    {"name": "strokes", "node": "ns=2;s=Machine.Strokes"},
    {"name": "speed", "node": f"nsu={NAMESPACE};s=Machine.Speed"},
    {"name": "state", "node": "ns=2;s=Machine.State"},
    {"name": "door", "node": "ns=2;s=Machine.Door"},
    {"name": "order", "node": "ns=2;s=Machine.Order"},
    {"name": "axes", "node": "ns=2;s=Machine.Axes"},
)


class Machine:
    """The bench: a machine with a variable of each sort."""

    writable = "bench/speed"

    def __init__(self, make: Make) -> None:
        self.server = Server()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"opc.tcp://127.0.0.1:{free.getsockname()[1]}/"
        self.settings = make(self.url, _POINTS)
        ghost = {"name": "ghost", "node": "ns=2;s=Machine.Ghost"}
        self.unknown = make(self.url, (*_POINTS, ghost))
        self.nodes: dict[str, Node] = {}
        self.started = 0
        """Times that its method was called."""

    async def build(self) -> None:
        """Fill the address space and begin to listen."""
        await self.server.init()
        self.server.set_endpoint(self.url)
        self.server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        space = await self.server.register_namespace(NAMESPACE)
        machine = await self.server.nodes.objects.add_object(
            ua.NodeId("Machine", space), ua.QualifiedName("Machine", space)
        )
        states = await self.server.nodes.enum_data_type.add_data_type(
            ua.NodeId("States", space), ua.QualifiedName("States", space)
        )
        names = [ua.LocalizedText(n) for n in ("stopped", "running", "fault")]
        await states.add_property(ua.NodeId("States.Names", space), "0:EnumStrings", names)
        for name, value, type_, datatype in (
            ("Temperature", 20.0, ua.VariantType.Double, None),
            ("Strokes", 0, ua.VariantType.Int64, None),
            ("Speed", 5, ua.VariantType.Int16, None),
            ("State", 1, ua.VariantType.Int32, states.nodeid),
            ("Door", False, ua.VariantType.Boolean, None),
            ("Order", "A-1", ua.VariantType.String, None),
            ("Axes", [0.0, 1.0], ua.VariantType.Double, None),
        ):
            self.nodes[name] = await machine.add_variable(
                ua.NodeId(f"Machine.{name}", space),
                ua.QualifiedName(name, space),
                value,
                type_,
                datatype,
            )
        await self.nodes["Speed"].set_writable()
        await self._add_start(machine, space)
        await self._measure("Temperature", "Cel", -20, 120)
        await self._measure("Speed", "{rev}/min", 0, 3000)
        await self.server.start()

    async def _measure(self, name: str, unit: str, low: float, high: float) -> None:
        information = ua.EUInformation(
            NamespaceUri="http://www.opcfoundation.org/UA/units/un/cefact",
            UnitId=unit_id(unit),
            DisplayName=ua.LocalizedText(symbol(unit)),
        )
        node = self.nodes[name]
        await node.add_property(
            ua.NodeId(f"Machine.{name}.Unit", node.nodeid.NamespaceIndex),
            "0:EngineeringUnits",
            information,
        )
        await node.add_property(
            ua.NodeId(f"Machine.{name}.Range", node.nodeid.NamespaceIndex),
            "0:EURange",
            ua.Range(float(low), float(high)),
        )

    async def _add_start(self, machine: Node, space: int) -> None:
        """A method that takes a speed with an order, and tells how often it was called."""

        @uamethod  # type: ignore[untyped-decorator]  # asyncua is not checked
        async def start(_: ua.NodeId, speed: int, order: str) -> tuple[bool, int] | ua.StatusCode:
            if speed <= 0:
                return ua.StatusCode(ua.StatusCodes.BadOutOfRange)
            self.started += 1
            await self.set("Speed", speed, ua.VariantType.Int16)
            await self.set("Order", order, ua.VariantType.String)
            return True, self.started

        await machine.add_method(
            ua.NodeId("Machine.Start", space),
            ua.QualifiedName("Start", space),
            start,
            [_argument("speed", ua.ObjectIds.Int16), _argument("order", ua.ObjectIds.String)],
            [_argument("accepted", ua.ObjectIds.Boolean), _argument("count", ua.ObjectIds.UInt32)],
        )

    async def live(self) -> None:
        """Change values until cancelled."""
        count = 0
        while True:
            count += 1
            await self.set("Temperature", 20 + 5 * math.sin(count / 50), ua.VariantType.Double)
            await self.set("Strokes", 2**53 + count, ua.VariantType.Int64)
            await asyncio.sleep(STEP_S)

    async def set(self, name: str, value: object, type_: ua.VariantType) -> None:
        """Give a variable a new value, with the time of now."""
        await self.nodes[name].write_value(value, type_)

    async def cut(self) -> None:
        """Drop every connection without a word, and listen no more."""
        for transport in list(self.server.iserver.asyncio_transports):
            transport.abort()
        await asyncio.sleep(0)
        await self.server.bserver.stop()

    async def mend(self) -> None:
        """Listen again, on the same port."""
        await self.server.bserver.start()


def _argument(name: str, datatype: int) -> ua.Argument:
    return ua.Argument(Name=name, DataType=ua.NodeId(datatype), ValueRank=-1)


@asynccontextmanager
async def bench(make: Make) -> AsyncGenerator[Bench]:
    """A machine on loopback, reached by the settings that `make` makes of URL and points."""
    machine = Machine(make)
    await machine.build()
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(machine.live(), name="bench values")
            yield machine
            task.cancel()
    finally:
        await machine.server.stop()
