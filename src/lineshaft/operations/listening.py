"""Reading a durable subscription so that what a part cannot take holds up nobody for ever.

A batch is confirmed to its source once the part has taken it. Where taking it ends in a defect,
the part is started anew and is given it again; after `ATTEMPTS` of that the samples that it
cannot take are found and set aside, for this part alone, and it goes on with all others.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator

import numpy as np

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S, now_ns, to_iso
from lineshaft.core.flow import defect_of, root_cause
from lineshaft.spines import Spine
from lineshaft.web.metrics import Metric

log = logging.getLogger(__name__)

ROWS_MAX = 50_000
"""Samples taken in at once."""
ATTEMPTS = 3
"""Times that a defect has the part started anew before what causes it is set aside."""
FORGIVEN_S = 600.0
"""Seconds without a defect after which the next one has the part started anew again."""
PIECES_MAX = 256
"""Pieces of one batch that are tried; the pieces that fail after that are set aside whole."""
TOLD_NS = 3600 * NS_PER_S
"""How long a loss is told as a problem; the figures have it for as long as the process runs."""
LOGGED_NS = 60 * NS_PER_S
"""Least time between two lines of the log."""
POINTS_TOLD = 5

Take = Callable[[Batch], Awaitable[None]]
"""Takes a batch in; when it returns, what the batch brought about is kept."""
Piece = tuple[Batch, Exception]
"""What cannot be taken, and why."""


class Listener:
    """The reader of one durable subscription; it outlives the runs of its part."""

    def __init__(
        self, spine: Spine, name: str, take: Take, *, clock: Callable[[], int] = now_ns
    ) -> None:
        self.name = name
        self._spine, self._take, self._clock = spine, take, clock
        self._failed = 0
        """Defects since the last one was forgiven."""
        self._failed_s = 0.0
        """When the last of them was, on the clock of the loop."""
        self._pieces = 0
        self.rows = 0
        """Samples set aside since the start."""
        self._trouble, self._trouble_ns, self._logged_ns = "", 0, 0

    async def run(self) -> None:
        """Hand over what comes until cancelled."""
        async with self._spine.subscribe(name=self.name, rows_max=ROWS_MAX) as batches:
            async for batch in batches:
                await self.hand(batch)

    async def hand(self, batch: Batch) -> None:
        """Have a batch taken; what of it cannot be is set aside once enough was tried.

        Raises whatever taking it raised where the part is to be started anew, or the world is
        to blame.
        """
        error = await defect_of(self._take(batch))
        if error is None:
            return
        now_s = asyncio.get_running_loop().time()
        self._failed = 1 if now_s - self._failed_s > FORGIVEN_S else self._failed + 1
        self._failed_s = now_s
        if self._failed <= ATTEMPTS:
            raise error
        self._pieces = 0
        self._set_aside(await self._divided(batch, error))

    async def _divided(self, batch: Batch, error: Exception) -> list[Piece]:
        """Have all taken that can be, in order: halves are tried, and the halves of these."""
        if len(batch) <= 1 or self._pieces >= PIECES_MAX:
            return [(batch, error)]
        found: list[Piece] = []
        for half in _halves(batch):
            self._pieces += 1
            cause = await defect_of(self._take(half))
            if cause is not None:
                found += await self._divided(half, cause)
        return found

    def _set_aside(self, pieces: list[Piece]) -> None:
        if not pieces:
            return
        rows = sum(len(batch) for batch, _ in pieces)
        points = sorted({batch.points[n] for batch, _ in pieces for n in np.unique(batch.index)})
        cause = root_cause(pieces[-1][1])
        why = f"{type(cause).__name__}: {cause}"
        now = self._clock()
        self.rows += rows
        self._trouble_ns = now
        more = f" and {len(points) - POINTS_TOLD} more points" * (len(points) > POINTS_TOLD)
        self._trouble = (
            f"{self.name}: goes on without {self.rows} samples that it could not take, the last"
            f" at {to_iso(now)} of {', '.join(points[:POINTS_TOLD])}{more} ({why}); history has"
            " them. This is a defect: report it with the lines of the log."
        )
        if now - self._logged_ns >= LOGGED_NS:
            self._logged_ns = now
            told = {"subscription": self.name, "points": points, "rows": rows, "cause": why}
            log.error("samples set aside", extra=told, exc_info=cause)

    def problems(self) -> list[str]:
        """What was set aside within the last hour."""
        recent = self._trouble and self._clock() - self._trouble_ns < TOLD_NS
        return [self._trouble] if recent else []


class Listeners:
    """The listeners of all parts, as one that can be asked how they fare."""

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = listeners

    def problems(self) -> list[str]:
        """What was set aside within the last hour, one sentence a part."""
        return [p for listener in self._listeners for p in listener.problems()]

    def metrics(self) -> list[Metric]:
        """Samples that parts could not take."""
        told = "Samples that a part of operations could not take, and went on without."
        values = tuple(({"subscription": li.name}, float(li.rows)) for li in self._listeners)
        return [Metric("operations_set_aside_total", "counter", told, values)]


def _halves(batch: Batch) -> Iterator[Batch]:
    """Of several points the points, of one the samples; the order of each point stays."""
    points = np.unique(batch.index)
    if len(points) > 1:
        low = batch.index < points[len(points) // 2]
        yield batch.take(low)
        yield batch.take(~low)
    else:
        yield batch.slice(0, len(batch) // 2)
        yield batch.slice(len(batch) // 2, len(batch))
