"""Machining centres as an OPC UA server: one object each, of a common type."""

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Sequence

from asyncua import Node, Server, ua
from asyncua.common.callback import CallbackType, ServerItemCallback

from lineshaft.core.clock import NS_PER_US, now_ns
from lineshaft.core.point import Kind
from lineshaft.demo.cnc import OVERRIDE_LIMITS, Cnc
from lineshaft.demo.live import Live, Reading
from lineshaft.demo.opcua_alarms import Alarms
from lineshaft.demo.spec import Spec
from lineshaft.demo.timeline import State

NAMESPACE = "urn:acme:machining"
UNITS = {
    "{rev}/min": ("RPM", "r/min", "revolutions per minute"),
    "%": ("P1", "%", "percent"),
    "mm/s": ("C16", "mm/s", "millimetre per second"),
    "Cel": ("CEL", "°C", "degree Celsius"),
    "L/min": ("L2", "l/min", "litre per minute"),
    "kW": ("KWT", "kW", "kilowatt"),
}
"""UNECE code, symbol and name. Source: UNECE Recommendation 20."""
TYPES = {
    Kind.NUMBER: ua.VariantType.Double,
    Kind.INTEGER: ua.VariantType.UInt32,
    Kind.ENUM: ua.VariantType.UInt32,
    Kind.TEXT: ua.VariantType.String,
}


class Machining:
    """The address space of some machining centres, kept up to date."""

    def __init__(self, server: Server, machines: Sequence[Live]) -> None:
        self.server = server
        self.machines = {live.machine: live for live in machines}
        self._nodes: dict[tuple[str, str], ua.NodeId] = {}
        self._alarms: Alarms

    async def build(self) -> None:
        """Make the type and the objects."""
        space = await self.server.register_namespace(NAMESPACE)
        base = self.server.get_node(ua.ObjectIds.BaseObjectType)
        kind = await base.add_object_type(space, "MachiningCentreType")
        for spec in Cnc.specs:
            node = await self._variable(kind, ua.NodeId(f"type.{spec.name}", space), spec)
            await node.set_modelling_rule(True)
        for name in self.machines:
            machine = await self.server.nodes.objects.add_object(
                ua.NodeId(name, space), ua.QualifiedName(name, space)
            )
            await machine.delete_reference(
                ua.ObjectIds.BaseObjectType, ua.ObjectIds.HasTypeDefinition, forward=True
            )
            await machine.add_reference(kind, ua.ObjectIds.HasTypeDefinition)
            for spec in Cnc.specs:
                node = await self._variable(machine, ua.NodeId(f"{name}.{spec.name}", space), spec)
                self._nodes[name, spec.name] = node.nodeid
                if spec.writable:
                    await node.set_writable()
        self._alarms = Alarms(self.server, space)
        await self._alarms.build(list(self.machines))
        self.server.subscribe_server_callback(CallbackType.PreWrite, self._check_write)
        self.server.subscribe_server_callback(CallbackType.PostWrite, self._note_write)

    async def run(self, live: Live) -> None:
        """Show what one machine measures, step by step, until cancelled."""
        async for time_ns in live.steps():
            for reading in live.due(time_ns):
                node = self._nodes[live.machine, reading.spec.name]
                await self.server.write_attribute_value(node, _data_value(reading))
                if reading.spec.name == "state" and not reading.broken:
                    fault = reading.value == State.FAULT
                    await self._alarms.show(live.machine, active=fault)

    async def _variable(self, parent: Node, node: ua.NodeId, spec: Spec) -> Node:
        """One variable with all that its maker knows about it."""
        name = ua.QualifiedName(spec.name, node.NamespaceIndex)
        first = "" if spec.kind is Kind.TEXT else 0
        variable = await parent.add_variable(node, name, first, TYPES[spec.kind])
        description = ua.LocalizedText(spec.description, "en")
        await variable.write_attribute(
            ua.AttributeIds.Description, ua.DataValue(ua.Variant(description))
        )
        if spec.unit:
            range_ = ua.Range(spec.low or 0.0, spec.high or 0.0)
            await variable.add_property(0, "EURange", range_)
            await variable.add_property(0, "EngineeringUnits", _unit(spec.unit))
        if spec.names:
            texts = [ua.LocalizedText(text, "en") for text in spec.names.values()]
            await variable.add_property(0, "EnumStrings", texts)
        # What nobody has measured yet must not look like a counter that began anew.
        waiting = ua.StatusCode(ua.UInt32(ua.StatusCodes.BadWaitingForInitialData))
        await self.server.write_attribute_value(
            variable.nodeid,
            ua.DataValue(StatusCode=waiting, SourceTimestamp=_moment(now_ns())),
        )
        return variable

    def _check_write(self, event: ServerItemCallback, _service: object) -> None:
        """Refuse a spindle override that the panel has not."""
        if not event.is_external:
            return
        for item in event.request_params.NodesToWrite:
            value = item.Value.Value.Value
            if isinstance(value, int | float) and not (
                OVERRIDE_LIMITS[0] <= value <= OVERRIDE_LIMITS[1]
            ):
                raise ua.UaStatusCodeError(ua.StatusCodes.BadOutOfRange)

    def _note_write(self, event: ServerItemCallback, _service: object) -> None:
        """Put what a client wrote into the logbook, so that the physics follows."""
        if not event.is_external:
            return
        results = zip(event.request_params.NodesToWrite, event.response_params, strict=True)
        for item, result in results:
            if result.is_good():
                machine, _, point = str(item.NodeId.Identifier).partition(".")
                logbook = self.machines[machine].factory.logbook
                logbook.set(machine, point, float(item.Value.Value.Value))


def _moment(time_ns: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=time_ns // NS_PER_US)


def _data_value(reading: Reading) -> ua.DataValue:
    time = _moment(reading.time_ns)
    if reading.broken:
        code = ua.StatusCode(ua.UInt32(ua.StatusCodes.BadSensorFailure))
        return ua.DataValue(StatusCode=code, SourceTimestamp=time)
    value = ua.Variant(reading.value, TYPES[reading.spec.kind])
    return ua.DataValue(value, SourceTimestamp=time)


def _unit(ucum: str) -> ua.EUInformation:
    """The unit as OPC UA writes it: the code's letters are the bytes of a number."""
    code, symbol, name = UNITS[ucum]
    return ua.EUInformation(
        NamespaceUri="http://www.opcfoundation.org/UA/units/un/cefact",
        UnitId=int.from_bytes(code.encode(), "big"),
        DisplayName=ua.LocalizedText(symbol),
        Description=ua.LocalizedText(name),
    )


async def serve(machines: Sequence[Live], port: int, ready: Callable[[], None]) -> None:
    """Answer until cancelled."""
    logging.getLogger("asyncua").setLevel(logging.ERROR)
    server = Server()
    server.iserver.bind_condition_methods = True
    await server.init()
    server.set_server_name("Acme machining cell")
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    machining = Machining(server, machines)
    await machining.build()
    async with server, asyncio.TaskGroup() as group:
        ready()
        for live in machines:
            group.create_task(machining.run(live), name=live.machine)
