"""Rows on their way to the spine: a bounded queue that never holds anybody back.

The engine reads what it writes: its rows come back to it on `data.>`, and `publish` returns only
once it has confirmed them. So the reader must never wait for the writer. Rows that find no room are
given up, and marked to be computed again from history.
"""

import asyncio

from lineshaft.core.batch import Batch
from lineshaft.operations.derived.definition import SOURCE
from lineshaft.spines import Spine

SUBJECT = f"data.{SOURCE}"
ROWS_MAX = 1_000_000
"""Rows that may wait: some 40 MB."""
PUBLISHED_ROWS_MAX = 50_000
"""Rows in one batch."""


class Outbox:
    """What waits to be published, in order."""

    def __init__(self, spine: Spine, *, rows_max: int = ROWS_MAX) -> None:
        self._spine = spine
        self._rows_max = rows_max
        self._batches: list[Batch] = []
        self._rows = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._news = asyncio.Event()
        self.given_up = 0
        """Rows that found no room, and were computed again."""

    def put(self, batch: Batch) -> bool:
        """Have a batch published; false when there is no room for it."""
        if self._rows + len(batch) > self._rows_max:
            self.given_up += len(batch)
            return False
        self._batches.append(batch)
        self._rows += len(batch)
        self._news.set()
        return True

    async def settled(self) -> None:
        """Return once all that was taken from the spine and put here until now is stored.

        The historian takes batches in the order in which they are published: once it has
        confirmed ours, it has those that came before.
        """
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        self._news.set()
        await done

    async def publish(self, batch: Batch) -> None:
        """Publish now; returns once it is stored."""
        for start in range(0, len(batch), PUBLISHED_ROWS_MAX):
            await self._spine.publish(SUBJECT, batch.slice(start, start + PUBLISHED_ROWS_MAX))

    async def run(self) -> None:
        """Publish what waits, until cancelled; what was not confirmed is published again."""
        while True:
            await self._news.wait()
            self._news.clear()
            waiting, count = list(self._waiting), len(self._batches)
            batch = Batch.concat(self._batches[:count])
            if count:
                await self.publish(batch)
            else:
                await self._spine.publish(SUBJECT, Batch.empty())
            self._rows -= len(batch)
            del self._batches[:count], self._waiting[: len(waiting)]
            for done in waiting:
                if not done.done():
                    done.set_result(None)
