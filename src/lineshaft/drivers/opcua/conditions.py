"""Alarms of a server: its condition events are taken, listed after each connect, acknowledged.

Source: OPC 10000-9 v1.05, 4.5 (ConditionRefresh) and 5.5 to 5.8; OPC 10000-4, 7.22 (filters).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from asyncua import ua
from asyncua.ua.uaerrors import UaStatusCodeError

from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Refused
from lineshaft.core.quality import is_bad
from lineshaft.drivers import Condition, Feed
from lineshaft.drivers.opcua.link import Link
from lineshaft.drivers.opcua.values import NULL_TIME_NS, to_ns

QUEUE_SIZE = 2000
"""Events that the server keeps between two messages."""
HANDLES = 0x8000_0000
"""Handles of notifiers begin here, those of variables at 0."""
TEXT_CHARS_MAX = 1000
SEVERITY_MAX = 1000
EVENT, CONDITION = ua.ObjectIds.BaseEventType, ua.ObjectIds.ConditionType
ACKNOWLEDGEABLE, ALARM = (
    ua.ObjectIds.AcknowledgeableConditionType,
    ua.ObjectIds.AlarmConditionType,
)
FIELDS: tuple[tuple[str, int], ...] = (
    ("EventId", EVENT),
    ("EventType", EVENT),
    ("SourceName", EVENT),
    ("Time", EVENT),
    ("Message", EVENT),
    ("Severity", EVENT),
    ("", CONDITION),
    ("ConditionName", CONDITION),
    ("BranchId", CONDITION),
    ("Retain", CONDITION),
    ("EnabledState/Id", CONDITION),
    ("Quality", CONDITION),
    ("AckedState/Id", ACKNOWLEDGEABLE),
    ("ActiveState/Id", ALARM),
    ("SuppressedOrShelved", ALARM),
)
"""What is asked of each event, and the type that has it; the empty one is the condition's node."""
START = ua.NodeId(ua.ObjectIds.RefreshStartEventType)
END = ua.NodeId(ua.ObjectIds.RefreshEndEventType)
REQUIRED = ua.NodeId(ua.ObjectIds.RefreshRequiredEventType)
OVERFLOW = ua.NodeId(ua.ObjectIds.EventQueueOverflowEventType)


class Conditions:
    """The alarms of one run."""

    def __init__(self, link: Link, feed: Feed, notifiers: Sequence[str]) -> None:
        self._link, self._feed = link, feed
        self._notifiers = tuple(notifiers)
        self._subscription = 0
        self._wanted = {HANDLES + place for place in range(len(notifiers))}
        """Handles of the notifiers that the server knows; each lists what it retains by itself."""
        self._listing: dict[int, set[str]] = {}
        """By notifier that is listing: the identifiers so far."""
        self._listed: dict[int, set[str]] = {}
        """By notifier that has listed all."""
        self._asked = False
        """Whether a list is under way."""
        self._again = False
        """Whether the server must list them again."""

    async def subscribe(self, subscription: int) -> None:
        """Ask for the events of all notifiers, and have the server list what it retains."""
        self._subscription = subscription
        params = ua.CreateMonitoredItemsParameters()
        params.SubscriptionId = subscription
        params.TimestampsToReturn = ua.TimestampsToReturn.Both
        params.ItemsToCreate = [
            _request(HANDLES + place, self._link.node(text))
            for place, text in enumerate(self._notifiers)
        ]
        with self._link.told("cannot subscribe to events"):
            results = await self._link.session.create_monitored_items(params)
        for text, result in zip(self._notifiers, results, strict=True):
            status = result.StatusCode
            bad = is_bad(status.value)
            self._feed.trouble(text, f"{status.name}: {status.doc}" if bad else None)
        self._wanted = {
            HANDLES + place for place, r in enumerate(results) if not is_bad(r.StatusCode.value)
        }
        if self._wanted:
            await self.refresh()

    async def refresh(self) -> None:
        """Have the server tell all conditions that it retains."""
        self._again, self._asked = False, True
        self._listing, self._listed = {}, {}
        request = _call(
            ua.NodeId(CONDITION),
            ua.ObjectIds.ConditionType_ConditionRefresh,
            ua.Variant(self._subscription, ua.VariantType.UInt32),
        )
        with self._link.told("cannot list conditions"):
            try:
                (result,) = await self._link.session.call([request])
                status = result.StatusCode
            except UaStatusCodeError as error:
                status = ua.StatusCode(error.code)
        if status.value == ua.StatusCodes.BadRefreshInProgress:
            self._again = True  # with the next events
            return
        problem = f"cannot list its alarms: {status.name}" if is_bad(status.value) else None
        if problem:
            self._asked = False
        self._feed.trouble("ConditionRefresh", problem)

    async def take(self, events: Sequence[ua.EventFieldList]) -> None:
        """Hand over what became of conditions; returns once it is kept."""
        found: list[Condition] = []
        for event in events:
            fields = {
                name: v.Value for (name, _), v in zip(FIELDS, event.EventFields, strict=False)
            }
            kind = fields.get("EventType")
            if kind == START:
                self._listing[event.ClientHandle] = set()
            elif kind == END:
                await self._end(event.ClientHandle, found)
                found = []
            elif kind == REQUIRED:
                self._again = True
            elif kind == OVERFLOW:
                self._overflow()
            else:
                found += self._one(event.ClientHandle, fields)
        if found:
            await self._feed.conditions(found)
        if self._again:
            await self.refresh()

    async def _end(self, handle: int, found: Sequence[Condition]) -> None:
        """A notifier has listed all; what none of them listed is over."""
        if handle in self._listing:
            self._listed[handle] = self._listing.pop(handle)
        listed = None
        if self._listed.keys() >= self._wanted:
            listed = frozenset[str]().union(*self._listed.values())
            self._asked, self._listed = False, {}
        await self._feed.conditions(found, listed=listed)

    def _overflow(self) -> None:
        """The server has dropped events: a list that it is telling has gaps, so nothing is over."""
        self._feed.lost("event overflow")
        is_listing = self._asked or bool(self._listing)
        self._listing, self._listed = {}, {}
        if is_listing:  # asked again, it would overflow again
            self._asked = False
            problem = "cannot list its alarms: they are more than its queue holds"
            self._feed.trouble("ConditionRefresh", problem)
        else:
            self._again = True

    def _one(self, handle: int, fields: Mapping[str, Any]) -> list[Condition]:
        """The condition that the event is about; none when it is about none."""
        node, branch = fields.get(""), fields.get("BranchId")
        if not isinstance(node, ua.NodeId) or node.is_null():
            return []
        if isinstance(branch, ua.NodeId) and not branch.is_null():
            self._feed.lost("condition branches")  # an earlier state, answered apart
            return []
        try:
            condition = condition_of(node.to_string(), fields)
        except (ValueError, TypeError, OverflowError):
            self._feed.lost("undecodable events")
            return []
        if handle in self._listing and condition.retain:
            self._listing[handle].add(condition.id)
        return [condition]


def condition_of(id_: str, fields: Mapping[str, Any]) -> Condition:
    """A condition from the fields of an event, which may be missing or strange.

    Raises:
        ValueError: a time or severity is none.
        TypeError: the same.
    """
    time = to_ns(fields["Time"]) if fields.get("Time") else 0
    acked = fields.get("AckedState/Id")
    event_id = fields.get("EventId")
    status = fields.get("Quality")
    code = status.value if isinstance(status, ua.StatusCode) else 0
    return Condition(
        id=id_,
        source=_text(fields.get("SourceName")) or "unknown",
        name=_text(fields.get("ConditionName")) or _text(fields.get("Message")) or id_,
        event_id=event_id.hex() if isinstance(event_id, bytes) else "",
        time_ns=time if time > NULL_TIME_NS else now_ns(),
        message=_text(fields.get("Message")),
        severity=min(max(int(fields.get("Severity") or 1), 1), SEVERITY_MAX),
        enabled=fields.get("EnabledState/Id") is not False,
        active=fields.get("ActiveState/Id") is True,
        acked=acked is not False,
        must_ack=acked is not None,
        covered=fields.get("SuppressedOrShelved") is True,
        retain=fields.get("Retain") is True,
        quality=int(code),
    )


def _text(value: object) -> str:
    text = value.Text if isinstance(value, ua.LocalizedText) else value
    return " ".join(text.split())[:TEXT_CHARS_MAX] if isinstance(text, str) else ""


def _request(handle: int, node: ua.NodeId) -> ua.MonitoredItemCreateRequest:
    wanted = ua.EventFilter()
    wanted.SelectClauses = [_operand(name, type_) for name, type_ in FIELDS]
    request = ua.MonitoredItemCreateRequest()
    request.ItemToMonitor = ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds.EventNotifier)
    request.MonitoringMode = ua.MonitoringMode.Reporting
    request.RequestedParameters = ua.MonitoringParameters(
        ClientHandle=handle,
        SamplingInterval=0,
        QueueSize=QUEUE_SIZE,
        DiscardOldest=True,
        Filter=wanted,
    )
    return request


def _operand(name: str, type_: int) -> ua.SimpleAttributeOperand:
    return ua.SimpleAttributeOperand(
        TypeDefinitionId=ua.NodeId(type_),
        BrowsePath=[ua.QualifiedName(n, 0) for n in name.split("/") if n],
        AttributeId=ua.AttributeIds.Value if name else ua.AttributeIds.NodeId,
    )


def _call(object_id: ua.NodeId, method: int, *inputs: ua.Variant) -> ua.CallMethodRequest:
    request = ua.CallMethodRequest()
    request.ObjectId, request.MethodId = object_id, ua.NodeId(method)
    request.InputArguments = list(inputs)
    return request


async def acknowledge(link: Link, condition: Condition, comment: str) -> None:
    """Call the condition's method Acknowledge for its newest event.

    Raises:
        Refused: the server says no.
        LinkLost: no answer came.
    """
    request = _call(
        link.node(condition.id),
        ua.ObjectIds.AcknowledgeableConditionType_Acknowledge,
        ua.Variant(bytes.fromhex(condition.event_id), ua.VariantType.ByteString),
        ua.Variant(ua.LocalizedText(comment), ua.VariantType.LocalizedText),
    )
    with link.told(f"cannot acknowledge {condition.name}"):
        (result,) = await link.session.call([request])
    status = result.StatusCode
    if is_bad(status.value):
        raise Refused(
            f"{link.name}: {condition.name} was not acknowledged: {status.name} ({status.doc})"
        )
