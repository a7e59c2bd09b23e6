"""Every change of state as an event of the log, once, through any restart."""

import asyncio
import logging
from collections.abc import Callable

import msgspec
import numpy as np

from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import LineshaftError, Unavailable
from lineshaft.core.event import Event
from lineshaft.core.flow import wait_s
from lineshaft.operations.listening import Listener
from lineshaft.operations.states.naming import state_point
from lineshaft.operations.states.ruling import reason_point
from lineshaft.operations.states.stretches import changes, numbers_of
from lineshaft.operations.states.timeline import UNKNOWN
from lineshaft.operations.states.units import Known, Units
from lineshaft.records import Append, Records
from lineshaft.spines import Spine
from lineshaft.stores import Store

log = logging.getLogger(__name__)

KIND = "state.changed"
SUBSCRIPTION = "states"
"""The durable subscription that is read; the plant declares it on the spine."""
SUBJECT = "data.derived"
"""What derived points, the states among them, are published under."""
EVENTS_MAX = 500
"""Events of one transaction."""
UNKNOWN_NAME = "unknown"
BEFORE_ALL = -(2**63)


class Seen(msgspec.Struct):
    """Where a unit stood when it was last written down."""

    time_ns: int
    state: str


class Follower:
    """Reads states as they pass, and writes changes down.

    A sample that is not newer than the last written change of its unit writes nothing: what comes
    twice is written once. Late data change timelines, not what was written. Nor is the history
    written that a unit has from before its first definition.
    """

    def __init__(
        self,
        units: Units,
        store: Store,
        records: Records,
        spine: Spine,
        told: Callable[[str], None] = lambda _: None,
        *,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._units, self._store, self._records, self._spine = units, store, records, spine
        self._told, self._clock = told, clock
        self.listener = Listener(spine, SUBSCRIPTION, self.take)
        self._seen: dict[str, Seen] = {}
        self.trouble = ""
        """Why changes cannot be kept now; empty when they can."""
        self.written = 0
        """Changes written since the start."""

    async def run(self) -> None:
        """Follow until cancelled, from the last change that was written."""
        for known in self._units:
            await self._catch_up(known)
        await self.listener.run()

    async def _catch_up(self, known: Known) -> None:
        """Write what the store has beyond the last event of a unit, or since its definition."""
        last = await self._records.events(kind=KIND, path=known.path, newest_first=True, limit=1)
        start = known.since_ns
        if last:
            event = last[0].event
            self._seen[known.path] = Seen(time_ns=event.time_ns, state=str(event.data.get("state")))
            start = event.time_ns + 1
        async for batch in self._store.scan([state_point(known.path)], start, self._clock() + 1):
            await self.listener.hand(batch)

    async def take(self, batch: Batch) -> None:
        """Write the changes in a batch; returns once they are kept."""
        known = {state_point(k.path): k for k in self._units}
        ruled = {reason_point(k.path): k.path for k in self._units if k.rules}
        events: list[Event] = []
        for place, point in enumerate(batch.points):
            if point in ruled:
                self._told(ruled[point])
            if point in known:
                rows = batch.take(batch.index == place)
                events += self._changes(known[point], rows)
        events.sort(key=lambda e: e.time_ns)
        for start in range(0, len(events), EVENTS_MAX):
            await self._keep_at_last(events[start : start + EVENTS_MAX])

    def _changes(self, known: Known, rows: Batch) -> list[Event]:
        """The changes of one unit that are news."""
        order = np.argsort(rows.time_ns, kind="stable")
        times = rows.time_ns[order]
        numbers = numbers_of(rows.number, rows.quality, len(known.states))[order]
        seen = self._seen.get(known.path, Seen(time_ns=BEFORE_ALL, state=""))
        news = times > seen.time_ns
        times, numbers = times[news], numbers[news]
        keep = changes(numbers)
        events: list[Event] = []
        before = seen.state
        for time_ns, number in zip(times[keep].tolist(), numbers[keep].tolist(), strict=True):
            state = UNKNOWN_NAME if number == UNKNOWN else known.states[number].name
            if time_ns < known.since_ns:
                self._seen[known.path] = Seen(time_ns=time_ns, state=state)
            elif state != before:
                data = {"state": state, "before": before}
                events.append(Event(kind=KIND, path=known.path, time_ns=time_ns, data=data))
            before = state
        return events

    async def _keep_at_last(self, events: list[Event]) -> None:
        """Keep them; while that is not possible, the source is held back."""
        attempt = 0
        while True:
            try:
                await self._records.commit(*(Append(event=e) for e in events))
                break
            except Unavailable as error:
                attempt += 1
                self.trouble = f"states: {error}"
                if attempt == 1:
                    log.error("states cannot be kept", extra={"cause": str(error)})  # noqa: TRY400
                await asyncio.sleep(wait_s(attempt))
        self.trouble = ""
        self.written += len(events)
        for event in events:
            self._seen[event.path] = Seen(time_ns=event.time_ns, state=str(event.data["state"]))
            self._told(event.path)
            await self._tell(event)

    async def _tell(self, event: Event) -> None:
        try:
            await self._spine.announce(event)
        except LineshaftError as error:
            log.warning("event not announced", extra={"kind": KIND, "cause": str(error)})
