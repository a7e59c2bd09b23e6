"""What the writer, the settler and the readers share, behind one lock."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from lineshaft.core.errors import LineshaftError, Unavailable
from lineshaft.stores import Counts
from lineshaft.stores.parquet.latest import Latest
from lineshaft.stores.parquet.manifest import Manifest, Segment, Thinned, without
from lineshaft.stores.parquet.rows import Buffer, Names, Rows


class Snapshot(NamedTuple):
    """What a reader sees: segments, buffers with the rows that count (oldest first), roll-ups."""

    segments: tuple[Segment, ...]
    hot: list[tuple[Buffer, int]]
    thinned: tuple[Thinned, ...]


class Promise:
    """A future of the event loop that another thread keeps."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.answer: Any = None
        """What the future gives when it is kept."""


Work = Callable[[], Any]
"""What the settler's thread shall do; the answer goes to the one who waits."""


class Deed(NamedTuple):
    """Work to be done when all that was put before it is settled, and before what comes after."""

    log: int
    """The number of the log file that must be settled first."""
    work: Work | None
    """None when settling itself is all that is wanted."""
    promise: Promise | None
    """Who waits on the event loop; None for one that waits otherwise."""


def keep(promises: list[Promise], trouble: str = "", remedy: str = "") -> None:
    """Resolve promises from any thread, as refused when there is trouble."""
    if promises:
        loop = promises[0].loop
        if not loop.is_closed():
            loop.call_soon_threadsafe(_keep, promises, trouble, remedy)


def _keep(promises: list[Promise], trouble: str, remedy: str) -> None:
    for promise in promises:
        if promise.future.done():
            continue
        if trouble:
            promise.future.set_exception(Unavailable(trouble, remedy=remedy))
        elif isinstance(promise.answer, LineshaftError):
            promise.future.set_exception(promise.answer)
        else:
            promise.future.set_result(promise.answer)


class State:
    """The store's memory; whoever reads or changes a field holds `lock`."""

    def __init__(self, manifest: Manifest) -> None:
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        """Told when a buffer was frozen or settled, or the store is closing."""
        self.manifest = manifest
        self.names = Names()
        self.latest = Latest()
        self.active: Buffer | None = None
        self.frozen: deque[Buffer] = deque()
        """Full buffers on their way to segments, oldest first."""
        self.deeds: deque[Deed] = deque()
        """What the settler does between buffers, in this order."""
        self.closing = False
        self.settler_ended = False
        self.accepted = 0
        self.stored = 0
        self.replaced = 0
        self.dropped: dict[str, int] = {}
        self.log_trouble = ""
        self.settle_trouble = ""
        self.full_trouble = ""
        """Why an append was refused for want of room in memory; until one is taken again."""
        self.notes: list[str] = []
        """What was found at opening that a person should look at."""
        self.figures: dict[str, float] = {}
        self.skipped: set[str] = set()
        """Damaged segments that the disk does not let us take out of the manifest."""

    def buffered(self) -> int:
        """Rows that are in memory and in the log only."""
        active = self.active.rows if self.active else 0
        return active + sum(b.rows for b in self.frozen)

    def counts(self) -> Counts:
        """The books, taken at one moment."""
        with self.lock:
            return Counts(
                accepted=self.accepted,
                stored=self.stored,
                buffered=self.buffered(),
                replaced=self.replaced,
                dropped=dict(self.dropped),
            )

    def snapshot(self) -> Snapshot:
        """What there is to read now."""
        with self.lock:
            buffers = [*self.frozen, self.active] if self.active else list(self.frozen)
            manifest = self.manifest
            if self.skipped:
                manifest = without(self.manifest, self.skipped)
            return Snapshot(manifest.segments, [(b, b.rows) for b in buffers], manifest.thinned)

    def take(self, buffer: Buffer, rows: list[Rows]) -> None:
        """Add rows that the log holds; from now on readers see them."""
        for part in rows:
            # Released in between, since the event loop takes the lock to look at last values.
            with self.lock:
                buffer.add(part)
                self.latest.update(part, len(self.names))
                self.accepted += len(part.id)

    def freeze(self) -> None:
        """Hand the active buffer to the settler. The lock is held already."""
        if self.active is not None:
            self.frozen.append(self.active)
            self.active = None
            self.changed.notify_all()

    def settled(self, manifest: Manifest, stored: int, replaced: int) -> None:
        """The oldest frozen buffer is in the segments of the new manifest."""
        with self.lock:
            self.frozen.popleft()
            self.manifest = manifest
            self.stored += stored
            self.replaced += replaced
            self.settle_trouble = self.full_trouble = ""
            self.changed.notify_all()

    def due(self) -> Deed | None:
        """The next deed, if all that must be settled before it is. The lock is held already."""
        if self.deeds and not (self.frozen and self.frozen[0].log <= self.deeds[0].log):
            return self.deeds.popleft()
        return None

    def gave_up(self, reason: str, rows: int) -> None:
        """Count settled rows that are given up. The lock is held already.

        The books are of the rows since the store was opened: of more than are stored of
        those, the rest was there before.
        """
        own = min(rows, self.stored)
        self.stored -= own
        if own:
            self.dropped[reason] = self.dropped.get(reason, 0) + own
        name = f"{reason.replace(' ', '_')}_rows"
        self.figures[name] = self.figures.get(name, 0) + rows

    def cannot_settle(self, trouble: str) -> None:
        """Settling failed for now; those who wait for it are told."""
        with self.lock:
            self.settle_trouble = trouble
            told = [d.promise for d in self.deeds if d.promise]
            self.deeds = deque(d for d in self.deeds if not d.promise)
            self.changed.notify_all()
        keep(told, trouble, "Make room on the disk; nothing acknowledged is lost.")
