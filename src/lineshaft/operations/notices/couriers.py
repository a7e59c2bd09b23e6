"""Couriers bring what is due to one recipient each: tries, quiet hours, floods.

A slow or dead recipient holds up nobody else. What was sent is marked when the other side has
confirmed it; who dies in between sends it again with the same identifier.
"""

import asyncio
import contextlib
import logging
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from lineshaft.core.clock import NS_PER_S, uuid7
from lineshaft.core.errors import LinkLost, Refused
from lineshaft.operations.alarms.settings import Priority
from lineshaft.operations.notices.channels import Channel, Later
from lineshaft.operations.notices.figures import Figures
from lineshaft.operations.notices.notice import ITEMS_MAX, RANK, Notice, Status
from lineshaft.operations.notices.outbox import CHANGES_MAX, Outbox, event_of, later_ns, told_by
from lineshaft.operations.notices.quiet import quiet_until
from lineshaft.operations.notices.reading import Book
from lineshaft.operations.notices.settings import Recipient
from lineshaft.operations.notices.writing import message
from lineshaft.records import Append

log = logging.getLogger(__name__)

WINDOW_S = 600.0
"""Span in which a recipient gets `at_most` messages."""
LOOK_S = 30.0
"""Longest time between looks, so that a clock that was set is seen."""
WAIT_S_MIN = 2.0
WAIT_S_MAX = 900.0
JOINED_MAX = 400
"""Notices drawn together in one commit."""
SINGLY = ("mail", "test")
"""What never waits for a digest, nor for the end of quiet hours."""


class Courier:
    """Serves one recipient."""

    def __init__(  # noqa: PLR0913 - each is a neighbour, by keyword
        self,
        recipient: Recipient,
        *,
        plant: str,
        book: Book,
        outbox: Outbox,
        channels: Mapping[str, Channel],
        figures: Figures,
        clock: Callable[[], int],
    ) -> None:
        self._recipient, self._plant, self._book = recipient, plant, book
        self._outbox, self._channels = outbox, channels
        self._figures, self._clock = figures, clock
        self._news = asyncio.Event()
        self._sent_ns: deque[int] = deque(maxlen=2 * recipient.at_most)
        self._not_before_ns = 0
        self._failures = 0

    def wake(self, *, at_once: bool = False) -> None:
        """Say that there is news; with `at_once`, that a dead link may be tried again now."""
        if at_once:
            self._not_before_ns = 0
        self._news.set()

    async def run(self) -> None:
        """Bring what is due until cancelled."""
        await self._remember()
        while True:
            self._news.clear()
            now = self._clock()
            at = await self.serve()
            wait_s = min(max((at - now) / NS_PER_S, 0.0), LOOK_S) if at else LOOK_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._news.wait()

    async def _remember(self) -> None:
        """How much the recipient got before this start."""
        most = 2 * self._recipient.at_most
        found, _ = await self._outbox.find(
            status=Status.SENT, recipient=self._recipient.name, limit=min(most, 1000)
        )
        self._sent_ns.extend(sorted(n.done_ns for n in found if n.what not in SINGLY))

    async def serve(self) -> int:
        """Do one thing that is due; returns when to look again, 0 when nothing is planned."""
        now = self._clock()
        async with self._outbox.turn:
            await self._expire(now)
            await self._hold(now)
            chosen = await self._choose(now)
        if chosen is None:
            return self._next(now)
        await self._try(chosen)
        return now

    def _next(self, now: int) -> int:
        """When something may be done again."""
        waiting = self._outbox.waiting(self._recipient.name)
        times = [n.expires_ns for n in waiting]
        times += [n.due_ns for n in waiting if n.due_ns > now]
        if any(n.due_ns <= now for n in waiting):
            over = len(self._sent_ns) - self._recipient.at_most
            free = self._sent_ns[max(over, 0)] if self._sent_ns else now
            blocked = self._not_before_ns > now
            times.append(self._not_before_ns if blocked else later_ns(free, WINDOW_S))
        return min(times, default=0)

    # ---- what time does

    async def _expire(self, now: int) -> None:
        old = [n for n in self._outbox.waiting(self._recipient.name) if n.expires_ns <= now]
        for start in range(0, len(old), CHANGES_MAX):
            await self._give_up(old[start : start + CHANGES_MAX], now)

    async def _give_up(self, notices: Sequence[Notice], now: int) -> None:
        done = [replace(n, status=Status.GIVEN_UP, done_ns=now) for n in notices]
        events = [event_of("given-up", n, error=n.error, tries=n.tries) for n in done]
        await self._outbox.commit(done, *(Append(event=e) for e in events))
        self._figures.given_up[self._recipient.channel] += len(done)
        log.error(
            "notices given up",
            extra={"recipient": self._recipient.name, "count": len(done), "cause": done[0].error},
        )

    async def _hold(self, now: int) -> None:
        """Put off what is not urgent until the quiet hours end."""
        if not self._recipient.quiet:
            return
        until = quiet_until(self._recipient, now)
        if not until:
            return
        bound = RANK[self._recipient.quiet_below]
        give_up_s = self._book.delivery.give_up_s
        held = [
            replace(n, due_ns=until, expires_ns=later_ns(until, give_up_s), held=True)
            for n in self._due(now)
            if RANK[n.priority] < bound and n.what not in SINGLY
        ]
        for start in range(0, len(held), CHANGES_MAX):
            await self._outbox.commit(held[start : start + CHANGES_MAX])

    def _due(self, now: int) -> list[Notice]:
        waiting = self._outbox.waiting(self._recipient.name)
        return [n for n in waiting if n.due_ns <= now]

    # ---- what is sent next

    async def _choose(self, now: int) -> Notice | None:
        """The notice to send now; what is too much, or was held back, is drawn together first.

        What was tried is never drawn together: it may have come through, and must come again
        with its own identifier. So a try is written down before it is made.
        """
        if now < self._not_before_ns:
            return None
        due = sorted(self._due(now), key=_urgency)
        chosen = next((n for n in due if n.what in SINGLY), None)
        if chosen is None and due:
            chosen = await self._of_alarms(due, now)
        if chosen is None:
            return None
        tried = replace(chosen, tries=chosen.tries + 1)
        await self._outbox.commit([tried])
        return tried

    async def _of_alarms(self, due: Sequence[Notice], now: int) -> Notice | None:
        first, fresh = due[0], [n for n in due if not n.tries and n.what == "alarm"]
        held = [n for n in fresh if n.held]
        if len(held) > 1:
            return await self._join(held, now, held=True)
        room = self._room(first, now)
        if room <= 0:
            return None
        if room == 1 and len(fresh) > 1:
            return await self._join(fresh, now, held=False)
        return first

    def _room(self, notice: Notice, now: int) -> int:
        """How many messages the recipient may still get."""
        since = now - int(WINDOW_S * NS_PER_S)
        while self._sent_ns and self._sent_ns[0] <= since:
            self._sent_ns.popleft()
        most = self._recipient.at_most * (2 if notice.priority is Priority.CRITICAL else 1)
        return most - len(self._sent_ns)

    async def _join(self, notices: Sequence[Notice], now: int, *, held: bool) -> Notice:
        """One digest of many; they and it are kept in one commit."""
        part = sorted(notices, key=_urgency)[:JOINED_MAX]
        items = [t for n in part for t in told_by(n)]
        digest = Notice(
            id=uuid7(),
            what="digest",
            recipient=self._recipient.name,
            channel=self._recipient.channel,
            made_ns=now,
            due_ns=now,
            expires_ns=max(n.expires_ns for n in part),
            items=tuple(items[:ITEMS_MAX]),
            more=len(items) - len(items[:ITEMS_MAX]) + sum(n.more for n in part),
            held=held,
            path=_common([n.path for n in part]),
        )
        done = [replace(n, status=Status.JOINED, digest=digest.id, done_ns=now) for n in part]
        again = [r for n in part if (r := self._again(n, now))]
        await self._outbox.commit([*done, *again, digest])
        self._figures.joined[self._recipient.channel] += len(done)
        return digest

    def _again(self, notice: Notice, now: int) -> Notice | None:
        """The next repetition of a step that has been told, if it has one."""
        if not notice.repeat_s or notice.repeats_left <= 0:
            return None
        due = later_ns(now, notice.repeat_s)
        return replace(
            notice,
            id=uuid7(),
            status=Status.WAITING,
            made_ns=now,
            due_ns=due,
            expires_ns=later_ns(due, self._book.delivery.give_up_s),
            after_s=notice.after_s + notice.repeat_s,
            repeats_left=notice.repeats_left - 1,
            held=False,
            tries=0,
            error="",
        )

    # ---- sending

    async def _try(self, notice: Notice) -> None:
        channel = self._channels[self._recipient.channel]
        try:
            content = await self._outbox.content(notice) if notice.what == "mail" else None
            url = self._book.delivery.url
            told = message(notice, self._recipient, plant=self._plant, url=url, content=content)
            await channel.send(self._recipient, told)
        except Refused as error:
            await self._refused(notice, str(error))
        except LinkLost as error:
            await self._failed(notice, error)
        else:
            await self._sent(notice)

    async def _sent(self, notice: Notice) -> None:
        now = self._clock()
        self._failures, self._not_before_ns = 0, 0
        if notice.what not in SINGLY:
            self._sent_ns.append(now)
        done = replace(notice, status=Status.SENT, done_ns=now, error="")
        async with self._outbox.turn:
            # It may have become unneeded while it was on its way: then it is not told again.
            again = self._again(notice, now) if self._outbox.is_waiting(notice) else None
            event = event_of("sent", done, tries=done.tries, sort=done.what)
            await self._outbox.commit([done, *([again] if again else [])], Append(event=event))
        self._figures.sent[notice.channel] += 1
        if self._figures.trouble.pop(self._recipient.name, None):
            log.info("notices get through again", extra={"recipient": self._recipient.name})

    async def _failed(self, notice: Notice, error: LinkLost) -> None:
        now = self._clock()
        self._failures += 1
        wait_s = backoff_s(self._failures)
        if isinstance(error, Later):
            wait_s = max(wait_s, error.after_s)
        self._not_before_ns = later_ns(now, wait_s)
        self._figures.failed[notice.channel] += 1
        if self._recipient.name not in self._figures.trouble:
            log.warning(
                "notice not delivered",
                extra={"recipient": self._recipient.name, "cause": str(error), "wait_s": wait_s},
            )
        self._figures.trouble[self._recipient.name] = str(error)
        async with self._outbox.turn:
            if self._outbox.is_waiting(notice):
                await self._outbox.commit([replace(notice, error=str(error))])

    async def _refused(self, notice: Notice, error: str) -> None:
        self._figures.failed[notice.channel] += 1
        async with self._outbox.turn:
            if self._outbox.is_waiting(notice):
                await self._give_up([replace(notice, error=error)], self._clock())


def backoff_s(failures: int) -> float:
    """Seconds before the next try: doubling from 2 s to 15 min, with jitter."""
    ceiling: float = min(WAIT_S_MIN * 2 ** min(failures - 1, 16), WAIT_S_MAX)
    return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret


def _urgency(notice: Notice) -> tuple[int, str]:
    """Gravest first, then oldest."""
    return -RANK[notice.priority], notice.id


def _common(paths: Sequence[str]) -> str:
    """The branch that all the paths are in."""
    split = [p.split("/") for p in paths]
    same: list[str] = []
    for levels in zip(*split, strict=False):
        if len(set(levels)) > 1:
            break
        same.append(levels[0])
    return "/".join(same)
