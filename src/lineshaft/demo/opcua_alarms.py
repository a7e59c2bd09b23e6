"""Alarms that the machining centres judge themselves: conditions of OPC UA Part 9.

Each has one, `drive fault`: active while the machine is in state fault, to be acknowledged. It is
listed as long as it is active or nobody has acknowledged it.
"""

from asyncua import Server, ua, uamethod
from asyncua.server.event_generator import EventGenerator

NAME = "drive fault"
SEVERITY = 700


class Alarms:
    """The conditions of one server."""

    def __init__(self, server: Server, space: int) -> None:
        self._server, self._space = server, space
        self._conditions: dict[str, EventGenerator] = {}

    async def build(self, machines: list[str]) -> None:
        """Make one for each machine, and let clients acknowledge them."""
        for machine in machines:
            self._conditions[machine] = await self._condition(machine)
        method = self._server.get_node(
            ua.NodeId(ua.ObjectIds.AcknowledgeableConditionType_Acknowledge)
        )
        self._server.link_method(method, uamethod(self._acknowledge))

    async def _condition(self, machine: str) -> EventGenerator:
        made = await self._server.get_event_generator(ua.ObjectIds.AlarmConditionType)
        event = made.event
        event.NodeId = ua.NodeId(f"{machine}.{NAME}", self._space)
        name = ua.QualifiedName(f"{machine} {NAME}", self._space)
        await self._server.nodes.objects.add_object(event.NodeId, name)
        event.ConditionName, event.SourceName, event.Severity = NAME, machine, SEVERITY
        for field, value in (("EnabledState", True), ("ActiveState", False), ("AckedState", True)):
            setattr(event, f"{field}/Id", value)
        return made

    async def show(self, machine: str, *, active: bool) -> None:
        """Have the condition be active or not; a change is told to whoever listens."""
        made = self._conditions[machine]
        if getattr(made.event, "ActiveState/Id") == active:
            return
        setattr(made.event, "ActiveState/Id", active)
        if active:
            setattr(made.event, "AckedState/Id", False)
        text = "the drive stands in fault" if active else "the drive is ready again"
        await _tell(made, f"{machine}: {text}")

    async def _acknowledge(
        self, _parent: ua.NodeId, event_id: bytes, comment: ua.LocalizedText
    ) -> ua.StatusCode | None:
        """Take an acknowledgement of the newest event of a condition."""
        for machine, made in self._conditions.items():
            if made.event.EventId.Value != event_id:
                continue
            if getattr(made.event, "AckedState/Id"):
                return ua.StatusCode(ua.UInt32(ua.StatusCodes.BadConditionBranchAlreadyAcked))
            setattr(made.event, "AckedState/Id", True)
            await _tell(made, f"{machine}: acknowledged, {comment.Text or 'without a comment'}")
            return None
        return ua.StatusCode(ua.UInt32(ua.StatusCodes.BadEventIdUnknown))


async def _tell(made: EventGenerator, message: str) -> None:
    event = made.event
    event.Retain = getattr(event, "ActiveState/Id") or not getattr(event, "AckedState/Id")
    await made.trigger(message=message)
