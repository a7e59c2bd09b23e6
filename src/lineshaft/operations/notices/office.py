"""Notices, put together: settings, the reader of the log, one courier a recipient.

Other parts hand in mail of their own with `mail`.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager

from msgspec.structs import replace

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.errors import Denied, Invalid, LinkLost, Missing, Stale, Unavailable
from lineshaft.core.flow import root_cause, supervise
from lineshaft.operations import Latest, Names
from lineshaft.operations.notices import outbox as boxes
from lineshaft.operations.notices import reading
from lineshaft.operations.notices.channels import Channel
from lineshaft.operations.notices.couriers import Courier
from lineshaft.operations.notices.figures import Figures
from lineshaft.operations.notices.mail import Mail
from lineshaft.operations.notices.mqtt import Mqtt
from lineshaft.operations.notices.notice import Notice, Status
from lineshaft.operations.notices.outbox import (
    WAITING_MAX,
    Attachment,
    Content,
    Outbox,
    event_of,
    later_ns,
    put_content,
)
from lineshaft.operations.notices.reading import Alarms, Book, Reader
from lineshaft.operations.notices.settings import Delivery, Recipient, Rule, check_notices
from lineshaft.operations.notices.webhook import Webhooks
from lineshaft.records import Append, Change, Records
from lineshaft.spines import Spine
from lineshaft.web.metrics import Metric

COLLECTIONS = (*boxes.COLLECTIONS, reading.PLACES)
CLEAR_S = 300.0
DAY_S = 86_400.0
CONTENT_BYTES_MAX = 10_000_000
"""Text and attachments of one mail."""


class Notices:
    """Who is told of alarms, and how far that has come."""

    def __init__(  # noqa: PLR0913 - each is a neighbour, by keyword
        self,
        *,
        plant: str,
        records: Records,
        spine: Spine,
        alarms: Alarms,
        names: Names,
        latest: Latest,
        authorizer: Authorizer,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self.outbox = Outbox(records)
        self.figures = Figures()
        self._plant, self._authorizer, self._clock = plant, authorizer, clock
        self._reader = Reader(
            records=records,
            spine=spine,
            outbox=self.outbox,
            alarms=alarms,
            names=names,
            latest=latest,
            clock=clock,
        )
        self.book = Book(recipients={}, rules=(), delivery=Delivery())
        self._couriers: dict[str, Courier] = {}
        self._changed = asyncio.Event()
        self._read_trouble = ""

    # ---- life

    async def start(
        self, recipients: Sequence[Recipient], rules: Sequence[Rule], delivery: Delivery
    ) -> None:
        """Know the settings, and what waits in the records.

        Raises:
            Invalid: somebody cannot be reached, or a rule names who does not exist.
        """
        self._take_in(recipients, rules, delivery)
        await self.outbox.start()
        if rules:  # before anything runs, so that the first alarm is told
            await self._reader.place()

    async def reload(
        self, recipients: Sequence[Recipient], rules: Sequence[Rule], delivery: Delivery
    ) -> None:
        """Take the settings as they are now.

        Raises:
            Invalid: they cannot be; nothing has changed then.
        """
        before = self.book
        self._take_in(recipients, rules, delivery)
        if self.book != before:
            self._changed.set()

    def _take_in(
        self, recipients: Sequence[Recipient], rules: Sequence[Rule], delivery: Delivery
    ) -> None:
        check_notices(recipients, rules, delivery)
        self.book = Book(
            recipients={r.name: r for r in recipients}, rules=tuple(rules), delivery=delivery
        )

    async def run(self) -> None:
        """Read, deliver and clear away until cancelled; anew whenever the settings change."""
        while True:
            self._changed.clear()
            async with asyncio.TaskGroup() as group, self._channels() as channels:
                tasks = [
                    group.create_task(work, name="notices")
                    for work in (
                        self._read(),
                        supervise("old notices", _patient(self._clear)),
                        *self._serve(channels),
                    )
                ]
                try:
                    await self._changed.wait()
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.wait(tasks)

    @asynccontextmanager
    async def _channels(self) -> AsyncGenerator[dict[str, Channel]]:
        delivery = self.book.delivery
        webhooks = Webhooks(delivery.timeout_s, self._clock, delivery.ca)
        made: dict[str, Channel] = {"webhook": webhooks}
        if delivery.smtp is not None:
            made["mail"] = Mail(delivery.smtp)
        if delivery.mqtt is not None:
            made["mqtt"] = Mqtt(delivery.mqtt, delivery.timeout_s)
        try:
            yield made
        finally:
            for channel in made.values():
                await channel.close()

    def _serve(self, channels: dict[str, Channel]) -> list[Coroutine[None, None, None]]:
        self._couriers = {
            name: Courier(
                recipient,
                plant=self._plant,
                book=self.book,
                outbox=self.outbox,
                channels=channels,
                figures=self.figures,
                clock=self._clock,
            )
            for name, recipient in self.book.recipients.items()
        }
        self.figures.trouble.clear()
        return [supervise(f"notices to {n}", _patient(c.run)) for n, c in self._couriers.items()]

    async def _read(self) -> None:
        async def read() -> None:
            await self.outbox.cancel_steps({r.name for r in self.book.rules}, self._clock())
            if self.book.rules:
                await self._reader.run(self.book, self._wake)
            else:
                await self._reader.forget()

        await supervise("notices", _patient(read))

    def _wake(self) -> None:
        for courier in self._couriers.values():
            courier.wake()

    async def _clear(self) -> None:
        """Forget what is old, and give up what nobody can be told any more."""
        while True:
            now = self._clock()
            await self.outbox.clear(now - int(self.book.delivery.keep_days * DAY_S * NS_PER_S))
            for name in self.outbox.recipients():
                if name not in self.book.recipients:
                    await self._forget(name, now)
            await asyncio.sleep(CLEAR_S)

    async def _forget(self, name: str, now: int) -> None:
        """Give up all that waits for somebody whom the settings no longer know."""
        why = "there is no such recipient any more"
        while found := self.outbox.waiting(name)[: boxes.CHANGES_MAX]:
            async with self.outbox.turn:
                done = [
                    replace(n, status=Status.GIVEN_UP, done_ns=now, error=why)
                    for n in found
                    if self.outbox.is_waiting(n)
                ]
                events = [event_of("given-up", n, error=why) for n in done]
                await self.outbox.commit(done, *(Append(event=e) for e in events))
            for notice in done:
                self.figures.given_up[notice.channel] += 1

    # ---- handing in

    async def mail(  # noqa: PLR0913 - what a message has, by keyword
        self,
        recipient: str,
        *,
        subject: str,
        text: str,
        html: str = "",
        attachments: Sequence[Attachment] = (),
        path: str = "",
        actor: str = "lineshaft",
        more: Sequence[Change] = (),
    ) -> Notice:
        """Put a message of another part into the outbox; once this returns it is not lost.

        It waits for no quiet hours and joins no digest. Webhooks and MQTT get subject and text.
        `path` is the branch that it is about, `more` goes into the same commit.

        Raises:
            Missing: there is no such recipient.
            Invalid: it is too large.
            Stale: too much waits already.
            Unavailable: it cannot be kept now.
        """
        size = len(text.encode()) + len(html.encode()) + sum(len(a.data) for a in attachments)
        if size > CONTENT_BYTES_MAX:
            raise Invalid(
                f"the message has {size} bytes, wanted at most {CONTENT_BYTES_MAX}",
                remedy="Leave out attachments, and link to them.",
            )
        content = Content(subject=subject, text=text, html=html, attachments=tuple(attachments))
        made = replace(self._new(recipient), what="mail", subject=subject[:200], path=path)
        kept = event_of("mailed", made, actor=actor, subject=made.subject)
        await self._add(made, put_content(made, content), Append(event=kept), *more)
        return made

    async def test(self, who: Identity, recipient: str) -> Notice:
        """Send a test message to one recipient.

        Raises:
            Denied: the identity may not configure the plant.
            Missing: there is no such recipient.
            Stale: too much waits already.
        """
        self._check(who, "")
        made = replace(self._new(recipient), what="test")
        await self._add(made, Append(event=event_of("tested", made, actor=who.name)))
        self._wake_at_once(recipient)
        return made

    def _new(self, recipient: str) -> Notice:
        known = self.book.recipients.get(recipient)
        if known is None:
            raise Missing(
                f"there is no recipient {recipient!r}",
                remedy=f"Known are: {', '.join(sorted(self.book.recipients)) or 'none'}.",
            )
        now = self._clock()
        expires = later_ns(now, self.book.delivery.give_up_s)
        return Notice(
            recipient=recipient,
            channel=known.channel,
            made_ns=now,
            due_ns=now,
            expires_ns=expires,
        )

    async def _add(self, made: Notice, *more: Change) -> None:
        async with self.outbox.turn:
            if len(self.outbox) >= WAITING_MAX:
                raise Stale(
                    f"{WAITING_MAX} notices wait already",
                    remedy="See with GET /api/v1/notices/outbox why they are not delivered.",
                )
            await self.outbox.commit([made], *more)
        courier = self._couriers.get(made.recipient)
        if courier:
            courier.wake()

    def _wake_at_once(self, recipient: str) -> None:
        courier = self._couriers.get(recipient)
        if courier:
            courier.wake(at_once=True)

    async def retry(self, who: Identity, ids: Sequence[str]) -> list[Notice]:
        """Try again at once: what waits, and what was given up.

        Raises:
            Denied: the identity may not configure the branch of one of them.
            Missing: one does not exist.
            Stale: one was sent, told in a digest or is no longer needed.
        """
        async with self.outbox.turn:
            found = [await self._for_retry(who, i) for i in ids]
            events = [event_of("retried", n, actor=who.name) for n in found]
            await self.outbox.commit(found, *(Append(event=e) for e in events))
        for notice in found:
            self._wake_at_once(notice.recipient)
        return found

    async def _for_retry(self, who: Identity, id_: str) -> Notice:
        notice = await self.outbox.get(id_)
        if not self.sees(who, notice.path):
            raise Missing(f"there is no notice {id_!r}")
        self._check(who, notice.path)
        if notice.status not in (Status.WAITING, Status.GIVEN_UP):
            raise Stale(
                f"notice {id_} is {notice.status.value}, wanted waiting or given-up",
                remedy="Send a test message to see whether the recipient is reached.",
            )
        if notice.recipient not in self.book.recipients:
            raise Missing(f"there is no recipient {notice.recipient!r} any more")
        now = self._clock()
        return replace(
            notice,
            status=Status.WAITING,
            channel=self.book.recipients[notice.recipient].channel,
            due_ns=now,
            expires_ns=later_ns(now, self.book.delivery.give_up_s),
            done_ns=0,
            held=False,
        )

    # ---- looking

    def sees(self, who: Identity, path: str) -> bool:
        """Whether the identity may know of what is about this branch."""
        return self._authorizer.allows(who, Action.LOOK, path)

    def may_configure(self, who: Identity) -> bool:
        """Whether the identity may see addresses and send tests."""
        return self._authorizer.allows(who, Action.CONFIGURE, "")

    def _check(self, who: Identity, path: str) -> None:
        if not self._authorizer.allows(who, Action.CONFIGURE, path):
            where = path or "the whole plant"
            raise Denied(f"{who.name} may not send notices of {where}")

    def problems(self) -> list[str]:
        """What is wrong now."""
        found = [f"notices do not get through: {t}" for t in self.figures.trouble.values()]
        lost = sum(self.outbox.lost.values())
        if lost:
            found.append(f"notices: {lost} were lost since the start, as too many waited")
        return found

    def metrics(self) -> list[Metric]:
        """Figures for monitoring, by channel."""
        return self.figures.metrics(self.outbox)


def _patient(run: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """The same, to which records that cannot be written now are a link that broke."""

    async def call() -> None:
        try:
            await run()
        except* Unavailable as group:
            raise LinkLost(f"notices cannot be kept: {root_cause(group)}") from group

    return call
