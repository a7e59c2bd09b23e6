"""A subscription from the server's notifications to the feed, with nothing lost unseen."""

import asyncio
import enum
import math
from collections.abc import Sequence
from contextlib import suppress

import msgspec
from asyncua import ua
from asyncua.ua.uaerrors import (
    BadNoSubscription,
    BadTimeout,
    BadTooManyPublishRequests,
    UaStatusCodeError,
    UaStructParsingError,
)

from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.errors import LinkLost
from lineshaft.core.flow import Channel, Full
from lineshaft.core.point import Point
from lineshaft.core.quality import OVERFLOW, Quality, is_bad, is_good
from lineshaft.drivers import Feed
from lineshaft.drivers.opcua.conditions import Conditions
from lineshaft.drivers.opcua.link import Link
from lineshaft.drivers.opcua.values import NULL_TIME_NS, Rows, to_ns

PUBLISHES = 3
"""Publish requests that wait at the server, so that it can always send."""
EMITS_MAX = 4
"""Batches that may wait for their confirmation at once."""
ROWS_MAX = 20_000
"""Rows in one batch, at most by one notification more."""
NOTIFICATIONS_MAX = 5_000
FINISH_S_MAX = 5.0
"""How long samples that arrived before a loss may take to be confirmed."""
KEEPALIVE_S = 5.0
LIFETIME_S = 30.0
REPUBLISH_MAX = 20
"""Missed messages that are asked for again; a longer gap is counted as it is."""


class Times(enum.Enum):
    """Whose clock a sample's time is taken from."""

    SOURCE = "source"
    """The device's; where it gives none, the server's."""
    SERVER = "server"
    """The server's."""
    OURS = "ours"
    """That of this machine, on arrival."""


class Item(msgspec.Struct, eq=False):
    """One point that is subscribed."""

    point: Point
    node: ua.NodeId
    sampling_ms: float
    told: bool = False
    """Whether a value came since the subscription; the first one may be old."""
    subscribed: bool = False
    troubled: bool = False
    """Whether it was told that the server does not take it."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How to subscribe and to judge times."""

    publish_ms: float
    queue_size: int
    times: Times
    max_skew_s: float
    retry_s: float


class Feeding:
    """The way of one run's samples: publish responses, a bounded channel, emits."""

    def __init__(
        self,
        link: Link,
        feed: Feed,
        items: Sequence[Item],
        policy: Policy,
        conditions: Conditions | None = None,
    ) -> None:
        self.link = link
        self.feed = feed
        self.items = list(items)
        self.policy = policy
        self.conditions = conditions
        self.channel = Channel[Rows | None](f"opcua {link.name}", size_max=8, full=Full.WAIT)
        self.subscription = 0
        self.pending = 0
        """Rows that arrived and are not confirmed."""
        self.publish_ms = policy.publish_ms
        self._publishing = PUBLISHES
        self._sequence = 0
        self._turn = asyncio.Lock()
        self._heard_ns = now_ns()

    # ---- subscribing

    async def subscribe(self) -> None:
        """Create the subscription and put every item into it that the server takes."""
        params = ua.CreateSubscriptionParameters()
        params.RequestedPublishingInterval = self.policy.publish_ms
        params.RequestedMaxKeepAliveCount = max(1, round(KEEPALIVE_S * 1000 / self.publish_ms))
        params.RequestedLifetimeCount = max(
            3 * params.RequestedMaxKeepAliveCount, round(LIFETIME_S * 1000 / self.publish_ms)
        )
        params.MaxNotificationsPerPublish = NOTIFICATIONS_MAX
        params.PublishingEnabled = True
        with self.link.told("cannot subscribe"):
            result = await self.link.session.create_subscription(params, print)
        self.subscription = result.SubscriptionId
        self.publish_ms = result.RevisedPublishingInterval or self.policy.publish_ms
        self._heard_ns = now_ns()
        await self.add(range(len(self.items)))
        if self.conditions is not None:
            await self.conditions.subscribe(self.subscription)

    async def add(self, places: Sequence[int]) -> list[int]:
        """Subscribe the items at these places; those that failed come back, told and bad."""
        failed: list[int] = []
        rows = Rows()
        size = self.link.chunks["monitor"]
        for start in range(0, len(places), size):
            part = places[start : start + size]
            params = ua.CreateMonitoredItemsParameters()
            params.SubscriptionId = self.subscription
            params.TimestampsToReturn = ua.TimestampsToReturn.Both
            params.ItemsToCreate = [self._request(place) for place in part]
            with self.link.told("cannot subscribe"):
                results = await self.link.session.create_monitored_items(params)
            for place, result in zip(part, results, strict=True):
                item = self.items[place]
                status = result.StatusCode
                item.subscribed = not is_bad(status.value)
                if item.subscribed:
                    if item.troubled:
                        self.feed.trouble(item.point.address, None)
                    item.troubled = False
                    continue
                item.troubled = True
                failed.append(place)
                self.feed.trouble(item.point.address, f"{status.name}: {status.doc}")
                rows.add(item.point.path, now_ns(), None, item.point.kind, status.value)
        await self._put(rows)
        return failed

    def _request(self, place: int) -> ua.MonitoredItemCreateRequest:
        item = self.items[place]
        between = self.publish_ms / item.sampling_ms if item.sampling_ms > 0 else 1
        request = ua.MonitoredItemCreateRequest()
        request.ItemToMonitor = ua.ReadValueId(NodeId=item.node, AttributeId=ua.AttributeIds.Value)
        request.MonitoringMode = ua.MonitoringMode.Reporting
        request.RequestedParameters = ua.MonitoringParameters(
            ClientHandle=place,
            SamplingInterval=item.sampling_ms,
            QueueSize=max(self.policy.queue_size, math.ceil(between) + 2),
            DiscardOldest=True,
        )
        return request

    # ---- receiving

    async def publish(self) -> None:
        """Ask for notifications and pass them on, one request after another.

        Run `PUBLISHES` of these at once. When the channel is full none asks any more, and
        the server's own queues hold the values.

        Raises:
            LinkLost: the server gave up the subscription, or the link is gone.
        """
        acks: list[ua.SubscriptionAcknowledgement] = []
        while True:
            with self.link.told("link lost"):
                try:
                    response = await self.link.session.publish(acks)
                except BadTimeout:
                    continue
                except UaStructParsingError:
                    self.feed.lost("undecodable")
                    acks = []
                    continue
                except BadTooManyPublishRequests:
                    if self._publishing > 1:  # the others go on
                        self._publishing -= 1
                        return
                    raise
                except BadNoSubscription as error:
                    raise LinkLost(f"{self.link.name}: the subscription is gone") from error
            acks = []
            message = response.Parameters.NotificationMessage
            if message.NotificationData:
                acks.append(
                    ua.SubscriptionAcknowledgement(
                        SubscriptionId=response.Parameters.SubscriptionId,
                        SequenceNumber=message.SequenceNumber,
                    )
                )
            async with self._turn:  # a lock is fair, so messages stay in their order
                await self._take(message)

    async def _take(self, message: ua.NotificationMessage) -> None:
        if message.NotificationData:
            await self._close_gap(message.SequenceNumber)
            await self._pass_on(message)
        self._heard_ns = now_ns()

    async def _close_gap(self, sequence: int) -> None:
        """Ask again for the messages that were missed; count those that are gone."""
        first, self._sequence = self._sequence + 1, sequence
        missed = sequence - first
        if first == 1 or missed <= 0:  # the first of all, or the counter began anew
            return
        if missed > REPUBLISH_MAX:
            self.feed.lost("message gap", missed - REPUBLISH_MAX)
        for number in range(max(first, sequence - REPUBLISH_MAX), sequence):
            with self.link.told("cannot republish"):
                try:
                    again = await self.link.session.republish(self.subscription, number)
                except UaStatusCodeError:
                    again = ua.NotificationMessage()
            if again.SequenceNumber == number:
                await self._pass_on(again)
            else:
                self.feed.lost("message gap")

    async def _pass_on(self, message: ua.NotificationMessage) -> None:
        rows = Rows()
        for data in message.NotificationData:
            if isinstance(data, ua.DataChangeNotification):
                self._decode(data.MonitoredItems, rows)
            elif isinstance(data, ua.EventNotificationList) and self.conditions is not None:
                await self.conditions.take(data.Events)
            elif isinstance(data, ua.StatusChangeNotification):
                raise LinkLost(f"{self.link.name}: the subscription ended: {data.Status.name}")
        await self._put(rows)

    def _decode(self, changes: Sequence[ua.MonitoredItemNotification], rows: Rows) -> None:
        """Append one row for each change."""
        now = now_ns()
        mismatched = overflowed = skewed = 0
        # What changed since the last message may be as old as that; clocks may differ besides.
        past = min(self._heard_ns, now) - int(self.policy.max_skew_s * NS_PER_S)
        future = now + int(self.policy.max_skew_s * NS_PER_S)
        for place, change in enumerate(changes):
            item = self.items[change.ClientHandle]
            value = change.Value
            status = value.StatusCode.value if value.StatusCode is not None else 0
            if status & OVERFLOW == OVERFLOW:
                overflowed += 1
            time_ns = self._time_of(value)
            if time_ns is None:
                time_ns = now + place
            elif time_ns > future or (time_ns < past and item.told):
                time_ns = now + place  # a nanosecond apart: one key must not cover another
                skewed += 1
                if is_good(status):
                    status = Quality.UNCERTAIN_SUB_NORMAL
            item.told = True
            content = value.Value.Value if value.Value is not None else None
            if not rows.add(item.point.path, time_ns, content, item.point.kind, status):
                mismatched += 1
        for reason, count in (
            ("overflow", overflowed),
            ("type mismatch", mismatched),
            ("clock skew", skewed),
        ):
            if count:
                self.feed.lost(reason, count)

    def _time_of(self, value: ua.DataValue) -> int | None:
        """The time that the policy chooses, when the server gives it."""
        if self.policy.times is Times.OURS:
            return None
        given = value.ServerTimestamp
        if self.policy.times is Times.SOURCE and value.SourceTimestamp is not None:
            given = value.SourceTimestamp
        if given is None:
            return None
        time_ns = to_ns(given)
        return time_ns if time_ns > NULL_TIME_NS else None

    # ---- handing over

    async def _put(self, rows: Rows) -> None:
        if rows:
            self.pending += len(rows)
            await self.channel.put(rows)

    async def finish(self, emitter: asyncio.Task[None]) -> None:
        """Let what has arrived be emitted, after the link is lost."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISH_S_MAX):
                await self.channel.put(None)
                await asyncio.wait([emitter])

    async def emit(self) -> None:
        """Join what waits into one batch and emit it, several at a time, until `finish`."""
        free = asyncio.Semaphore(EMITS_MAX)
        async with asyncio.TaskGroup() as group:
            while True:
                await free.acquire()
                rows = await self.channel.get()
                if rows is None:
                    return
                while len(rows) < ROWS_MAX and len(self.channel):
                    more = self.channel.get_nowait()
                    if more is None:
                        self.channel.put_nowait(None)
                        break
                    rows.join(more)
                group.create_task(self._emit_one(rows, free), name=f"emit {self.link.name}")

    async def _emit_one(self, rows: Rows, free: asyncio.Semaphore) -> None:
        try:
            await self.feed.emit(rows.batch())
            self.pending -= len(rows)
        finally:
            free.release()
