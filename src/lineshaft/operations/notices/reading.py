"""Reads the alarm journal and puts what somebody is to be told into the outbox.

The log is the queue (see decision 0085): the place in it is kept together with the notices that
follow from what was read.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec
from msgspec.structs import replace

from lineshaft.core.access import SYSTEM, Identity
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Missing
from lineshaft.core.event import Event
from lineshaft.operations import Latest, Names
from lineshaft.operations.alarms.settings import Alarm
from lineshaft.operations.notices.notice import Notice, Status, Told
from lineshaft.operations.notices.outbox import Outbox, later_ns
from lineshaft.operations.notices.rules import answers, asks, concerns, trigger
from lineshaft.operations.notices.settings import Delivery, On, Recipient, Rule
from lineshaft.records import Collection, Delete, Logged, Put, Records
from lineshaft.spines import Spine

log = logging.getLogger(__name__)

PLACES = Collection(name="notice_places")
"""Where in the log the reader is."""
KEY = "alarms"
KIND = "alarm"
PAGE = 200
"""Events that are read from the log in one go."""
SKIPPED_MAX = 1000
"""Events that tell nobody anything after which the place is kept all the same."""
LOOK_S = 10.0
"""Seconds after which the log is looked at though nothing was announced."""
BEFORE_MAX = 200
"""Notices of an alarm that are looked through for who was told."""


class Stood(Protocol):
    """What is known of an alarm now."""

    @property
    def alarm(self) -> Alarm:
        """Its definition."""


class Alarms(Protocol):
    """Who knows the alarms; the desk fills it."""

    def view(self, who: Identity, name: str) -> Stood:
        """One alarm.

        Raises:
            Missing: there is none.
        """


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """The settings as they are now."""

    recipients: dict[str, Recipient]
    rules: tuple[Rule, ...]
    delivery: Delivery


class _Place(msgspec.Struct, frozen=True):
    after: int


class Reader:
    """From the log to the outbox."""

    def __init__(  # noqa: PLR0913 - each is a neighbour, by keyword
        self,
        *,
        records: Records,
        spine: Spine,
        outbox: Outbox,
        alarms: Alarms,
        names: Names,
        latest: Latest,
        clock: Callable[[], int],
    ) -> None:
        self._records, self._spine, self._outbox = records, spine, outbox
        self._alarms, self._names, self._latest, self._clock = alarms, names, latest, clock
        self.following = False
        """Whether its place in the log is known, so that what happens from now on is told."""

    async def run(self, book: Book, put: Callable[[], None]) -> None:
        """Read until cancelled; `put` is called whenever something is in the outbox anew."""
        news = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear(news), name="notices hear")
            group.create_task(self._read(book, put, news), name="notices read")

    async def _hear(self, news: asyncio.Event) -> None:
        async with self._spine.events(f"{KIND}.>", name="notices", size_max=1) as heard:
            async for _ in heard:
                news.set()

    async def _read(self, book: Book, put: Callable[[], None], news: asyncio.Event) -> None:
        after = kept = await self.place()
        self.following = True
        while True:
            news.clear()
            found = await self._records.events(after=after, kind=KIND, limit=PAGE)
            if found:
                after = found[-1].seq
                if await self.take(book, found, must_keep=after - kept >= SKIPPED_MAX):
                    kept = after
                    put()
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await news.wait()

    async def place(self) -> int:
        """Where it is in the log; the first time, at its end."""
        found = await self._records.get(PLACES.name, KEY)
        if found is not None:
            return msgspec.json.decode(found.data, type=_Place).after
        newest = await self._records.events(newest_first=True, limit=1)
        after = newest[0].seq if newest else 0
        await self._records.commit(_put(after))
        return after

    async def forget(self) -> None:
        """Begin at the end of the log next time: without rules nobody misses what is between."""
        self.following = False
        await self._records.commit(Delete(collection=PLACES.name, key=KEY))

    async def take(self, book: Book, page: Sequence[Logged], *, must_keep: bool = False) -> bool:
        """Put what follows from a page of the log into the outbox; False when nothing did."""
        async with self._outbox.turn:
            changed: dict[str, Notice] = {}
            for logged in page:
                await self._follow(book, logged.event, changed)
            if not changed and not must_keep:
                return False
            lost = await self._outbox.add(tuple(changed.values()), _put(page[-1].seq))
        if lost:
            log.error("notices lost", extra={"count": len(lost), "cause": "too many wait"})
        return True

    async def _follow(self, book: Book, event: Event, changed: dict[str, Notice]) -> None:
        now = self._clock()
        name = str(event.data.get("alarm", ""))
        for step in self._open_steps(name, changed):
            rule = next((r for r in book.rules if r.name == step.rule), None)
            if answers(event, returned=rule is None or rule.returned_stops):
                changed[step.id] = replace(step, status=Status.CANCELLED, done_ns=now)
        on = trigger(event)
        if on is None:
            return
        alarm = self._definition(name)
        told: Told | None = None
        for rule in book.rules:
            if not concerns(rule, on, event, alarm.group if alarm else ""):
                continue
            told = told or self._told(event, on, alarm)
            for notice in await self._notices(book, rule, told, event, changed):
                changed[notice.id] = notice

    def _open_steps(self, alarm: str, changed: dict[str, Notice]) -> list[Notice]:
        kept = [n for n in self._outbox.open_steps(alarm) if n.id not in changed]
        fresh = (n for n in changed.values() if n.told and n.told.alarm == alarm)
        return kept + [n for n in fresh if n.unless_answered and n.status is Status.WAITING]

    def _definition(self, name: str) -> Alarm | None:
        try:
            return self._alarms.view(SYSTEM, name).alarm
        except Missing:
            return None

    async def _notices(
        self, book: Book, rule: Rule, told: Told, event: Event, changed: dict[str, Notice]
    ) -> list[Notice]:
        now = self._clock()
        if told.on == "returned":
            names = await self._told_before(rule, told, changed)
            return [_notice(book, rule, told, n, now) for n in names if n in book.recipients]
        made = [_notice(book, rule, told, n, now) for n in rule.steps[0].to]
        if rule.steps[0].after_s > 0:
            made = []
        running = any(n.rule == rule.name for n in self._open_steps(told.alarm, changed))
        if asks(event) and not running:
            made += _later_steps(book, rule, told, now)
        return made

    async def _told_before(
        self, rule: Rule, told: Told, changed: dict[str, Notice]
    ) -> Iterable[str]:
        """Who was told of the activation that has ended, or will be."""
        kept, _ = await self._outbox.find(alarm=told.alarm, limit=BEFORE_MAX)
        fresh = [n for n in changed.values() if n.told and n.told.alarm == told.alarm]
        names: dict[str, None] = {}
        for notice in [*reversed(fresh), *(n for n in kept if n.id not in changed)]:
            if notice.rule != rule.name or notice.told is None:
                continue
            if notice.told.on == "returned":
                break
            if notice.status in (Status.SENT, Status.JOINED) or (
                notice.status is Status.WAITING and not notice.unless_answered
            ):
                names[notice.recipient] = None
        return names

    def _told(self, event: Event, on: On, alarm: Alarm | None) -> Told:
        data, path = event.data, event.path
        newest, point = self._latest.latest(path), self._names.find(path)
        limit = str(data.get("limit", ""))
        given = alarm.limits() if alarm else {}
        level = given.get("off_normal" if limit == "OffNormal" else limit.lower())
        advice = alarm.advice if alarm else None
        return Told(
            alarm=str(data.get("alarm", "")),
            path=path,
            on=on,
            time_ns=event.time_ns,
            event_id=str(data.get("event_id", "")),
            severity=int(data.get("severity", 0)),
            limit=limit,
            limit_value=level.value if level else None,
            value=newest.value if newest else None,
            value_ns=newest.time_ns if newest else 0,
            unit=point.unit if point else "",
            since_ns=int(data.get("active_ns", 0)),
            group=alarm.group if alarm else "",
            description=alarm.description if alarm else "",
            cause=advice.cause if advice else "",
            action=advice.action if advice else "",
        )


def _notice(book: Book, rule: Rule, told: Told, name: str, now: int) -> Notice:
    return Notice(
        recipient=name,
        channel=book.recipients[name].channel,
        made_ns=now,
        due_ns=now,
        expires_ns=later_ns(now, book.delivery.give_up_s),
        rule=rule.name,
        told=told,
        path=told.path,
    )


def _later_steps(book: Book, rule: Rule, told: Told, now: int) -> list[Notice]:
    """The steps that come while nobody answers, and the first repetition of the last one."""
    waits = [(s.after_s, s.to, False) for s in rule.steps if s.after_s > 0]
    if rule.repeat_s:
        last = rule.steps[-1]
        waits.append((last.after_s + rule.repeat_s, last.to, True))
    return [
        replace(
            _notice(book, rule, told, name, now),
            due_ns=now + int(after_s * NS_PER_S),
            expires_ns=later_ns(now, after_s + book.delivery.give_up_s),
            unless_answered=True,
            after_s=after_s,
            repeat_s=rule.repeat_s if repeats else 0.0,
            repeats_left=rule.repeats_max - 1 if repeats else 0,
        )
        for after_s, names, repeats in waits
        for name in names
    ]


def _put(after: int) -> Put:
    return Put(collection=PLACES.name, key=KEY, data=msgspec.json.encode(_Place(after)))
