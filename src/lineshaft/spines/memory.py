"""The spine inside one process: no server, no copy, no encoding.

What is published is handed over by reference. Nothing survives the process, and nothing
needs to: a publisher is told "confirmed" only after the durable readers are done.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid
from lineshaft.core.event import Event
from lineshaft.core.flow import Full
from lineshaft.core.settings import Settings
from lineshaft.spines import Flow, Spine

T = TypeVar("T")


def fits(pattern: str, subject: str) -> bool:
    """Whether the subject fits the pattern: `*` is one word, `>` at the end one or more."""
    wanted, given = pattern.split("."), subject.split(".")
    for want, have in zip(wanted, given, strict=False):
        if want == ">":
            return True
        if want not in ("*", have):
            return False
    return len(wanted) == len(given)


class _Mailbox(Generic[T]):
    """What one subscription has been handed and has not confirmed."""

    def __init__(self, name: str, pattern: str, size_max: int, full: Full, durable: bool) -> None:
        if size_max < 1:
            raise ValueError(f"subscription {name!r}: size_max must be at least 1, got {size_max}")
        self.name, self.pattern, self.size_max = name, pattern, size_max
        self.full, self.durable = full, durable
        self.waiting: deque[tuple[T, asyncio.Future[None] | None]] = deque()
        self.taken: list[tuple[T, asyncio.Future[None] | None]] = []
        self.confirmed = self.dropped = self.redelivered = 0
        self.read = False
        # asyncio.Lock is fair, so publishers that wait for room come in in their order.
        self._turn = asyncio.Lock()
        self._room, self._item = asyncio.Event(), asyncio.Event()

    async def put(self, item: T) -> asyncio.Future[None] | None:
        """Hand over an item; the future (of a durable one) is done once it is confirmed."""
        done = asyncio.get_running_loop().create_future() if self.durable else None
        if self.full is Full.DROP_OLDEST:
            if len(self.waiting) >= self.size_max:
                self.waiting.popleft()
                self.dropped += 1
        else:
            async with self._turn:
                while len(self.waiting) + len(self.taken) >= self.size_max:
                    self._room.clear()
                    await self._room.wait()
                self._append(item, done)
            return done
        self._append(item, done)
        return done

    def _append(self, item: T, done: asyncio.Future[None] | None) -> None:
        self.waiting.append((item, done))
        self._item.set()

    async def take(self) -> T:
        """The oldest item, once there is one; held until `confirm`."""
        while not self.waiting:
            self._item.clear()
            await self._item.wait()
        self.taken.append(self.waiting.popleft())
        return self.taken[-1][0]

    def confirm(self) -> None:
        """Confirm all that is taken."""
        for _, done in self.taken:
            if done and not done.done():
                done.set_result(None)
        self.confirmed += len(self.taken)
        self.taken.clear()
        self._room.set()

    def put_back(self) -> None:
        """Keep what is taken for the next reader."""
        self.redelivered += len(self.taken)
        self.waiting.extendleft(reversed(self.taken))
        self.taken.clear()
        self.read = False

    def flow(self) -> Flow:
        """How it fares."""
        return Flow(
            self.name,
            waiting=len(self.waiting) + len(self.taken),
            confirmed=self.confirmed,
            dropped=self.dropped,
            redelivered=self.redelivered,
        )


async def _batches(mailbox: _Mailbox[Batch], rows_max: int) -> AsyncGenerator[Batch]:
    while True:
        parts = [await mailbox.take()]
        rows = len(parts[0])
        while mailbox.waiting and rows + len(mailbox.waiting[0][0]) <= rows_max:
            parts.append(await mailbox.take())
            rows += len(parts[-1])
        yield Batch.concat(parts)
        mailbox.confirm()


async def _events(mailbox: _Mailbox[Event]) -> AsyncGenerator[Event]:
    while True:
        yield await mailbox.take()
        mailbox.confirm()


class Memory(Spine):
    """Mailboxes in a list."""

    example = """
        [spine]
        kind = "memory"
    """

    def __init__(self, name: str, config: Settings) -> None:
        super().__init__(name, config)
        self._batches: list[_Mailbox[Batch]] = []
        self._events: list[_Mailbox[Event]] = []

    def durable(self, name: str, pattern: str, *, size_max: int) -> None:
        if self._find_durable(name):
            raise Invalid(f"spine: durable subscription {name!r} is declared already")
        self._batches.append(_Mailbox(name, pattern, size_max, Full.WAIT, durable=True))

    async def publish(self, subject: str, batch: Batch) -> None:
        fitting = [m for m in self._batches if fits(m.pattern, subject)]
        # Viewers first: they never wait, so what they see is not behind what is stored.
        fitting.sort(key=lambda m: m.full is Full.WAIT)
        waits = [await mailbox.put(batch) for mailbox in fitting]
        for confirmed in waits:
            if confirmed:
                await confirmed

    @asynccontextmanager
    async def subscribe(
        self,
        pattern: str = "",
        *,
        name: str,
        size_max: int = 64,
        full: Full = Full.DROP_OLDEST,
        rows_max: int = 0,
    ) -> AsyncGenerator[AsyncGenerator[Batch]]:
        mailbox = self._find_durable(name)
        if mailbox is None:
            mailbox = _Mailbox(name, pattern, size_max, full, durable=False)
            self._batches.append(mailbox)
        elif mailbox.read:
            raise Invalid(f"spine: durable subscription {name!r} has a reader already")
        mailbox.read = True
        items = _batches(mailbox, rows_max)
        try:
            yield items
        finally:
            await items.aclose()
            mailbox.put_back()
            if not mailbox.durable:
                self._batches.remove(mailbox)
                mailbox.size_max = len(mailbox.waiting) + 2**31  # nobody may wait for it any more
                mailbox.confirm()

    async def announce(self, event: Event) -> None:
        for mailbox in self._events:
            if fits(mailbox.pattern, event.kind):
                await mailbox.put(event)

    @asynccontextmanager
    async def events(
        self, pattern: str, *, name: str, size_max: int = 256
    ) -> AsyncGenerator[AsyncGenerator[Event]]:
        mailbox = _Mailbox[Event](name, pattern, size_max, Full.DROP_OLDEST, durable=False)
        self._events.append(mailbox)
        items = _events(mailbox)
        try:
            yield items
        finally:
            await items.aclose()
            self._events.remove(mailbox)

    def flows(self) -> list[Flow]:
        return [*(m.flow() for m in self._batches), *(m.flow() for m in self._events)]

    def _find_durable(self, name: str) -> _Mailbox[Batch] | None:
        return next((m for m in self._batches if m.durable and m.name == name), None)
