"""The outbox: every notice that waits, in memory and in the records, and what became of others."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Sequence, Set

import msgspec
from msgspec.structs import replace

from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Missing
from lineshaft.core.event import Event
from lineshaft.operations.notices.notice import Notice, Status, Told
from lineshaft.records import (
    And,
    Append,
    Cell,
    Change,
    Collection,
    Column,
    Compare,
    Delete,
    Predicate,
    Put,
    Records,
)

NOTICES = Collection(
    name="notices",
    columns={
        "status": Column.WORD,
        "recipient": Column.WORD,
        "alarm": Column.TEXT,
        "done_ns": Column.INTEGER,
    },
    indexes=(("status", "done_ns"), ("recipient",), ("alarm",)),
)
CONTENTS = Collection(name="notice_contents")
"""What mail of other parts says, by the identifier of its notice."""
COLLECTIONS = (NOTICES, CONTENTS)
WAITING_MAX = 10_000
"""Notices that may wait, for one recipient at most half of them; what comes beyond is lost,
counted and on record."""
CHANGES_MAX = 500
"""Notices that are changed in one commit."""
CLEARED_MAX = 500
"""Old notices that are cleared away in one go."""


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that goes with a message."""

    name: str
    media_type: str
    data: bytes


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says that another part wrote."""

    subject: str
    text: str
    html: str = ""
    attachments: tuple[Attachment, ...] = ()


class Outbox:
    """Notices, each change of which is in the records before it counts."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._of: dict[str, dict[str, Notice]] = {}
        self._open: dict[str, set[str]] = {}
        """Later steps that wait, by alarm."""
        self.turn = asyncio.Lock()
        """Held by who looks at notices and changes them by what was seen."""
        self.lost: Counter[str] = Counter()
        """Notices for which there was no room, by recipient."""

    # ---- looking

    def __len__(self) -> int:
        return sum(map(len, self._of.values()))

    def waiting(self, recipient: str) -> list[Notice]:
        """What waits for a recipient, oldest first."""
        found = self._of.get(recipient, {})
        return [found[k] for k in sorted(found)]

    def recipients(self) -> list[str]:
        """For whom something waits."""
        return [name for name, found in self._of.items() if found]

    def is_waiting(self, notice: Notice) -> bool:
        """Whether it is still as it was seen, and waits."""
        return self._of.get(notice.recipient, {}).get(notice.id) == notice

    def open_steps(self, alarm: str) -> list[Notice]:
        """The later steps of an alarm that an answer makes unneeded."""
        ids = self._open.get(alarm, set())
        return [n for of in self._of.values() for k in ids if (n := of.get(k))] if ids else []

    async def content(self, notice: Notice) -> Content | None:
        """What mail of another part says."""
        found = await self._records.get(CONTENTS.name, notice.id)
        return msgspec.json.decode(found.data, type=Content) if found else None

    async def find(
        self,
        *,
        status: Status | None = None,
        recipient: str = "",
        alarm: str = "",
        cursor: str = "",
        limit: int = 100,
    ) -> tuple[list[Notice], str]:
        """Notices that pass the filters, newest first, and the cursor for more."""
        parts: list[Predicate] = []
        if status is not None:
            parts.append(Compare("status", "=", status.value))
        if recipient:
            parts.append(Compare("recipient", "=", recipient))
        if alarm:
            parts.append(Compare("alarm", "=", alarm))
        page = await self._records.find(
            NOTICES.name, And(tuple(parts)), order=("-key",), cursor=cursor, limit=limit
        )
        return [_decode(r.data) for r in page.records], page.cursor

    async def get(self, id_: str) -> Notice:
        """One notice.

        Raises:
            Missing: there is none.
        """
        found = await self._records.get(NOTICES.name, id_)
        if found is None:
            raise Missing(
                f"there is no notice {id_!r}", remedy="List them with GET /api/v1/notices/outbox."
            )
        return _decode(found.data)

    # ---- changing

    async def start(self) -> None:
        """Take up what waits in the records."""
        self._of, self._open = {}, {}
        async for notice in self._all(Status.WAITING):
            self._take(notice)

    async def _all(self, status: Status) -> AsyncGenerator[Notice]:
        cursor = ""
        while True:
            found, cursor = await self.find(status=status, cursor=cursor, limit=1000)
            for notice in found:
                yield notice
            if not cursor:
                return

    async def commit(self, notices: Iterable[Notice], *more: Change) -> None:
        """Keep the notices as they are now, with other changes, all or none.

        Raises:
            Unavailable: they cannot be kept, and nothing has changed.
        """
        kept = tuple(notices)
        await self._records.commit(*(_put(n) for n in kept), *more)
        for notice in kept:
            self._take(notice)

    async def add(self, notices: Sequence[Notice], *more: Change) -> list[Event]:
        """Keep new ones as far as there is room; the events of those that were lost.

        Raises:
            Unavailable: they cannot be kept, and nothing has changed.
        """
        fresh = [n for n in notices if n.status is Status.WAITING and not self._known(n)]
        lost = self._without_room(fresh)
        events = [event_of("lost", n, error="too many wait already") for n in fresh if n.id in lost]
        kept = (n for n in notices if n.id not in lost)
        await self.commit(kept, *more, *(Append(event=e) for e in events))
        self.lost.update(n.recipient for n in fresh if n.id in lost)
        return events

    async def cancel_steps(self, rules: Set[str], now_ns: int) -> None:
        """Cancel later steps and repetitions of rules other than these: nobody asks for them.

        Raises:
            Unavailable: it cannot be kept.
        """
        async with self.turn:
            old = [
                replace(n, status=Status.CANCELLED, done_ns=now_ns)
                for of in self._of.values()
                for n in of.values()
                if n.unless_answered and n.rule not in rules
            ]
            for start in range(0, len(old), CHANGES_MAX):
                await self.commit(old[start : start + CHANGES_MAX])

    def _without_room(self, fresh: Sequence[Notice]) -> set[str]:
        """Identifiers of those for which there is no room.

        A recipient has as much room as is left free, so that a dead one takes half of it at most
        and leaves the rest to the others (dynamic thresholds; Choudhury and Hahne, 1998).
        """
        free = WAITING_MAX - len(self)
        waiting = Counter({name: len(found) for name, found in self._of.items()})
        lost: set[str] = set()
        for notice in fresh:
            if waiting[notice.recipient] >= free:
                lost.add(notice.id)
                continue
            waiting[notice.recipient] += 1
            free -= 1
        return lost

    def _known(self, notice: Notice) -> bool:
        return notice.id in self._of.get(notice.recipient, {})

    def _take(self, notice: Notice) -> None:
        waiting = self._of.setdefault(notice.recipient, {})
        alarm = notice.told.alarm if notice.told else ""
        if notice.status is Status.WAITING:
            waiting[notice.id] = notice
            if notice.unless_answered:
                self._open.setdefault(alarm, set()).add(notice.id)
            return
        waiting.pop(notice.id, None)
        if not waiting:
            self._of.pop(notice.recipient, None)
        steps = self._open.get(alarm)
        if steps is not None:
            steps.discard(notice.id)
            if not steps:
                del self._open[alarm]

    async def clear(self, before_ns: int) -> None:
        """Forget what was done before a time."""
        for status in Status:
            if status is Status.WAITING:
                continue
            old = And((Compare("status", "=", status.value), Compare("done_ns", "<", before_ns)))
            page = await self._records.find(NOTICES.name, old, limit=CLEARED_MAX)
            gone = [Delete(collection=c.name, key=r.key) for r in page.records for c in COLLECTIONS]
            if gone:
                await self._records.commit(*gone)


def later_ns(now_ns: int, seconds: float) -> int:
    """So many seconds after a time."""
    return now_ns + int(seconds * NS_PER_S)


def put_content(notice: Notice, content: Content) -> Put:
    """The change that keeps what the notice says, beside it."""
    return Put(collection=CONTENTS.name, key=notice.id, data=msgspec.json.encode(content))


def event_of(what: str, notice: Notice, *, actor: str = "lineshaft", **more: object) -> Event:
    """What the log keeps of a notice."""
    data: dict[str, object] = {
        "notice": notice.id,
        "recipient": notice.recipient,
        "channel": notice.channel,
        "alarms": [t.alarm for t in told_by(notice)],
    }
    return Event(kind=f"notice.{what}", path=notice.path, actor=actor, data=data | more)


def told_by(notice: Notice) -> tuple[Told, ...]:
    """All that a notice tells of alarms."""
    return (notice.told,) if notice.told else notice.items


def _put(notice: Notice) -> Put:
    row: dict[str, Cell] = {
        "status": notice.status.value,
        "recipient": notice.recipient,
        "alarm": notice.told.alarm if notice.told else None,
        "done_ns": notice.done_ns,
    }
    return Put(
        collection=NOTICES.name, key=notice.id, data=msgspec.json.encode(notice), rows=(row,)
    )


def _decode(data: bytes) -> Notice:
    return msgspec.json.decode(data, type=Notice)
