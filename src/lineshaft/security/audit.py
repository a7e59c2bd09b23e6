"""The trail: what must be provable goes into the log, and is told to whoever listens."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from lineshaft.core.clock import now_ns
from lineshaft.core.errors import LineshaftError
from lineshaft.core.event import Event
from lineshaft.records import Append, Records
from lineshaft.security.throttle import Throttle

log = logging.getLogger(__name__)

Announce = Callable[[Event], Awaitable[None]]
"""Tells an event that is safely in the log; the plant gives `spine.announce`."""

REFUSALS_BURST = 10
REFUSALS_REFILL_S = 10.0
COUNTED_MAX = 1000
"""Keys of refusals that are counted apart; those beyond are counted together."""


async def nobody(event: Event) -> None:
    """Tell nobody."""


class Trail:
    """Writes events to the records' log and tells them."""

    def __init__(
        self,
        records: Records,
        announce: Announce = nobody,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._records = records
        self._announce = announce
        self._clock = clock
        self._often = Throttle(burst=REFUSALS_BURST, refill_s=REFUSALS_REFILL_S, clock=clock)
        self._held_back: dict[tuple[str, str], int] = {}
        """Refusals not written one by one, by actor and reason."""

    async def note(self, event: Event) -> None:
        """Append the event to the log; when this returns it survives a restart.

        Raises:
            Unavailable: the log cannot be written; what was to be audited must not happen.
        """
        await self._records.commit(Append(event=event))
        await self.tell(event)

    async def tell(self, *events: Event) -> None:
        """Tell events that are in the log to whoever listens."""
        for event in events:
            try:
                await self._announce(event)
            except LineshaftError as error:
                # It stands in the log, where every consumer finds it; the deed is done.
                log.warning("event not announced", extra={"kind": event.kind, "cause": str(error)})

    async def refused(
        self, reason: str, *, actor: str, address: str, path: str = "", **more: str
    ) -> None:
        """Log that somebody was turned away.

        Whoever is turned away over and over must not fill the disk: beyond a burst, refusals
        of one actor and reason are counted, and the count is logged (see `flush`).

        Raises:
            Unavailable: the log cannot be written.
        """
        who = actor or address
        if self._often.take(f"{reason} {who}"):
            key = (who, reason)
            if key not in self._held_back and len(self._held_back) >= COUNTED_MAX:
                key = ("others", reason)
            self._held_back[key] = self._held_back.get(key, 0) + 1
            return
        data = {"reason": reason, "address": address} | more
        await self.note(self.event("access.refused", actor or "unknown", data, path=path))

    async def flush(self) -> None:
        """Log how many refusals were only counted since the last time.

        Raises:
            Unavailable: the log cannot be written; the counts are kept.
        """
        held, self._held_back = self._held_back, {}
        events = [
            self.event("access.refused", who, {"reason": reason, "times": times})
            for (who, reason), times in held.items()
        ]
        try:
            if events:
                await self._records.commit(*(Append(event=e) for e in events))
        except LineshaftError:
            for key, times in held.items():
                self._held_back[key] = self._held_back.get(key, 0) + times
            raise
        await self.tell(*events)

    def event(self, kind: str, actor: str, data: Mapping[str, object], *, path: str = "") -> Event:
        """An event of now."""
        return Event(kind=kind, actor=actor, path=path, data=dict(data), time_ns=self._clock())
