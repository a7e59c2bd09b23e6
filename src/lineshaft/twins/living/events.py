"""Events of twins as CloudEvents 1.0, told to each follower in order and at least once.

The log of the records is the queue: a follower holds a place in it, the number of the last event
that it was given, and nothing else, so a slow one costs nothing and a new start loses nothing.
What the spine announces only says that it is time to look.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence

from lineshaft.core.access import Action, Identity
from lineshaft.core.clock import to_iso
from lineshaft.core.event import Event
from lineshaft.records import Logged, Records
from lineshaft.spines import Spine
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.access import Right
from lineshaft.twins.api.services import Services

KIND = "twin"
"""First word of the kinds of event that are told."""
TYPE = "lineshaft."
"""What stands before the kind in the type of a CloudEvent."""
PAGE = 200
"""Events that are read from the log in one go."""
LOOK_S = 10.0
"""Seconds after which the log is looked at even though nothing was announced."""


class Events:
    """The events of twins, for whoever follows them."""

    def __init__(self, records: Records, spine: Spine, twins: Services, *, source: str) -> None:
        self._records, self._spine, self._twins = records, spine, twins
        self._source = source
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Wake the followers when there is news, until cancelled."""
        async with self._spine.events(f"{KIND}.>", name="twin events", size_max=1) as heard:
            async for _ in heard:
                self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def last(self) -> int:
        """The number of the newest event in the log; 0 when there is none."""
        found = await self._records.events(newest_first=True, limit=1)
        return found[0].seq if found else 0

    async def page(self, after: int, limit: int = PAGE) -> list[Logged]:
        """Events with a number above `after`, oldest first, at most `limit` (1 to 1000)."""
        return await self._records.events(after=after, kind=KIND, limit=limit)

    async def follow(self, after: int) -> AsyncGenerator[Sequence[Logged]]:
        """All events with a number above `after`, in parts, without end."""
        while True:
            news = self._news  # taken before looking, so that what comes meanwhile wakes
            found = await self.page(after)
            if found:
                after = found[-1].seq
                yield found
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await news.wait()

    async def seen(self, who: Identity, event: Event) -> bool:
        """Whether the identity may know of what the event is about."""
        names = {c.value: c for c in Class}
        class_, id_ = names.get(str(event.data.get("class"))), event.data.get("id")
        access = self._twins.access
        if class_ is None or not isinstance(id_, str):
            sees_all = not access.is_ruled or Action.ADMINISTER in who.actions
            return "" in who.branches and sees_all
        found = await self._twins.documents.get(class_, id_)
        at = str(event.data.get("idShortPath") or "")  # what happened to a hidden element is hidden
        if found is None:  # it is gone: what is left of it is where it stood
            gone = Document(class_=class_, id=id_, version=0, data=b"{}", path=event.path)
            return access.allows_gone(who, gone, at)
        return access.allows(who, Right.READ, class_, found, found.path, at)

    def cloud_event(self, logged: Logged) -> Json:
        """The event in the structured form of CloudEvents 1.0, without null attributes.

        The extension `sequence` holds its number, padded so that texts order as numbers do; a
        follower that goes on gives it back as `after`.

        Source: CloudEvents 1.0.2, JSON Event Format; extension Sequence.
        """
        event = logged.event
        told: Json = {
            "specversion": "1.0",
            "id": event.id,
            "source": self._source,
            "type": TYPE + event.kind,
            "time": to_iso(event.time_ns),
            "datacontenttype": "application/json",
            "sequence": f"{logged.seq:020d}",
            "data": event.data | {"actor": event.actor, "path": event.path},
        }
        if isinstance(subject := event.data.get("id"), str) and subject:
            told["subject"] = subject
        return told
