"""An OPC UA server with alarms of its own, on loopback."""

import socket
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from asyncua import Server, ua, uamethod


class Plc:
    """A server with alarms that can be raised, listed and acknowledged."""

    def __init__(self) -> None:
        self.server = Server()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"opc.tcp://127.0.0.1:{self.port}/"
        self.acknowledged: Counter[bytes] = Counter()
        self.comments: list[str] = []
        self.generators = {}

    async def build(self) -> None:
        self.server.iserver.bind_condition_methods = True
        await self.server.init()
        self.server.set_endpoint(self.url)
        self.server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        method = self.server.get_node(
            ua.NodeId(ua.ObjectIds.AcknowledgeableConditionType_Acknowledge)
        )

        @uamethod
        async def acknowledge(parent, event_id, comment):
            for name, generator in self.generators.items():
                if generator.event.EventId.Value == event_id:
                    self.acknowledged[event_id] += 1
                    self.comments.append(comment.Text)
                    await self.tell(name, acked=True)
                    return None
            return ua.StatusCode(ua.StatusCodes.BadEventIdUnknown)

        self.server.link_method(method, acknowledge)
        self.space = await self.server.register_namespace("urn:test")
        await self.server.start()

    async def tell(self, name: str, *, active=None, acked=None, severity=700, **more) -> None:
        """Send an event of one alarm; what is not said stays as it is."""
        if name not in self.generators:
            made = await self.server.get_event_generator(ua.ObjectIds.AlarmConditionType)
            made.event.NodeId = ua.NodeId(f"Alarm.{name}", self.space)
            await self.server.nodes.objects.add_object(
                made.event.NodeId, ua.QualifiedName(name, self.space)
            )
            made.event.ConditionName = name
            made.event.SourceName = "Press"
            setattr(made.event, "ActiveState/Id", False)
            setattr(made.event, "AckedState/Id", True)
            setattr(made.event, "EnabledState/Id", True)
            self.generators[name] = made
        made = self.generators[name]
        event = made.event
        event.Severity = severity
        if active is not None:
            setattr(event, "ActiveState/Id", active)
        if acked is not None:
            setattr(event, "AckedState/Id", acked)
        for field, value in more.items():
            setattr(event, field, value)
        is_active, is_acked = getattr(event, "ActiveState/Id"), getattr(event, "AckedState/Id")
        event.Retain = is_active or not is_acked
        await made.trigger(message=f"{name} says so")

    async def restart(self) -> None:
        """Drop every connection, as a server that is started anew."""
        for transport in list(self.server.iserver.asyncio_transports):
            transport.abort()


@asynccontextmanager
async def plc() -> AsyncGenerator[Plc]:
    made = Plc()
    await made.build()
    try:
        yield made
    finally:
        await made.server.stop()
