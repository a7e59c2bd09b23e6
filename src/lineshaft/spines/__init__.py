"""The spine carries batches and events from those who make them to those who need them.

One file here is one carrier. Subjects are words joined by dots (`data.press-7`); a pattern
may hold `*` for one word and end in `>` for one or more.
"""

import abc
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager

import msgspec

from lineshaft.core.batch import Batch
from lineshaft.core.event import Event
from lineshaft.core.flow import Full
from lineshaft.core.plugin import Plugin


class Flow(msgspec.Struct, frozen=True):
    """How one subscription fares."""

    name: str
    """Name given at `subscribe` or `durable`."""
    waiting: int
    """Messages handed over by publishers and not yet confirmed by the reader."""
    confirmed: int
    """Messages confirmed so far."""
    dropped: int
    """Messages lost to `DROP_OLDEST` so far."""
    redelivered: int = 0
    """Messages handed to a reader again because the one before failed."""


class Spine(Plugin, abc.ABC):
    """Publish and subscribe, with acknowledgement that reaches the source.

    A subscription is an async generator: taking the next item confirms the last one. A
    reader that leaves without taking the next has not confirmed.
    """

    @abc.abstractmethod
    def durable(self, name: str, pattern: str, *, size_max: int) -> None:
        """Declare a subscription whose confirmation publishers wait for.

        From now on every fitting batch is kept for it, at most `size_max` of them (then
        publishers wait), even while nobody reads. Read it with `subscribe(name=name)`; when
        a reader fails, the next one is given again what was not confirmed, in order.
        """

    @abc.abstractmethod
    async def publish(self, subject: str, batch: Batch) -> None:
        """Hand a batch to every fitting subscription; returns once the durable ones confirmed.

        Order is kept per subject and publisher, also when several publishes are in flight.
        """

    @abc.abstractmethod
    def subscribe(
        self,
        pattern: str = "",
        *,
        name: str,
        size_max: int = 64,
        full: Full = Full.DROP_OLDEST,
        rows_max: int = 0,
    ) -> AbstractAsyncContextManager[AsyncGenerator[Batch]]:
        """Batches whose subject fits, oldest first.

        With the `name` of a durable subscription, `pattern`, `size_max` and `full` are
        those it was declared with. With `rows_max` above 0, all that waits is joined into
        one batch of at most that many rows (a single larger one comes as it is): so a
        reader that is slower than the writers works in larger steps.
        """

    @abc.abstractmethod
    async def announce(self, event: Event) -> None:
        """Tell an event to every fitting subscription; the durable truth is in `records`."""

    @abc.abstractmethod
    def events(
        self, pattern: str, *, name: str, size_max: int = 256
    ) -> AbstractAsyncContextManager[AsyncGenerator[Event]]:
        """Events whose kind fits the pattern; a slow reader loses the oldest, counted."""

    @abc.abstractmethod
    def flows(self) -> list[Flow]:
        """How every subscription fares now."""
