"""Bounded channels and the supervisor: the ways data and tasks are kept in hand."""

import asyncio
import contextlib
import enum
import logging
import random
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

from lineshaft.core.errors import LinkLost, Refused, Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

WAIT_S_MIN = 0.1
WAIT_S_MAX = 2.0
"""A machine that is back must be seen within seconds, so the wait never grows beyond this."""
CANCEL_AGAIN_S = 5.0
"""Seconds after which a part that goes on though it was cancelled is told again.

Long enough to clean up in, which a second cancellation would break off.
"""
GOOD_WHILE_S = 30.0
"""After this long up, an old trouble is forgotten."""
WORLD = (Unavailable, LinkLost, OSError, MemoryError)
"""What the world is to blame for, and not what a part was given."""


class Full(enum.Enum):
    """What a channel does with a new item when it is full."""

    WAIT = "wait"
    """The sender waits: nothing is lost, and the pressure reaches the source."""
    DROP_OLDEST = "drop_oldest"
    """The oldest item makes room and is counted: for viewers, who want the newest."""


class Channel(Generic[T]):
    """A bounded queue for one reader that says what happens when it is full."""

    def __init__(self, name: str, *, size_max: int, full: Full) -> None:
        if size_max < 1:
            raise ValueError(f"channel {name!r}: size_max must be at least 1, got {size_max}")
        self.name = name
        self.full = full
        self.dropped = 0
        """Items lost to `DROP_OLDEST` so far."""
        self._queue: asyncio.Queue[T] = asyncio.Queue(size_max)

    def __len__(self) -> int:
        return self._queue.qsize()

    async def put(self, item: T) -> None:
        """Add an item, waiting or dropping as `full` says."""
        if self.full is Full.DROP_OLDEST:
            self.put_nowait(item)
        else:
            await self._queue.put(item)

    def put_nowait(self, item: T) -> bool:
        """Add an item at once; False when the channel is full and waits for nobody."""
        if self._queue.full():
            if self.full is Full.WAIT:
                return False
            self._queue.get_nowait()
            self.dropped += 1
        self._queue.put_nowait(item)
        return True

    async def get(self) -> T:
        """The oldest item; waits for one."""
        return await self._queue.get()

    def get_nowait(self) -> T | None:
        """The oldest item, or None when there is none."""
        return None if self._queue.empty() else self._queue.get_nowait()

    async def __aiter__(self) -> AsyncIterator[T]:
        """Items, oldest first, until cancelled."""
        while True:
            yield await self._queue.get()


class Fault(enum.Enum):
    """Why a supervised part is not running."""

    LOST = "lost"
    """The link broke; it is tried again after the wait."""
    REFUSED = "refused"
    """The other side said no; parked until `retry` is set or the settings change."""
    DEFECT = "defect"
    """It raised what it never should: a defect of ours, counted, tried again after the wait."""


def wait_s(attempt: int) -> float:
    """Seconds to wait before attempt 1, 2, …: doubling, with jitter, capped at `WAIT_S_MAX`."""
    ceiling: float = min(WAIT_S_MIN * 2 ** min(attempt - 1, 16), WAIT_S_MAX)
    return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret


async def supervise(
    name: str,
    run: Callable[[], Awaitable[None]],
    *,
    faulted: Callable[[Fault, BaseException], None] | None = None,
    retry: asyncio.Event | None = None,
) -> None:
    """Run, and run again after any fault, waiting a little longer each time it fails soon.

    A lost link and a defect are tried again; a refusal is parked until `retry` is set.
    Nothing that `run` raises ends the plant; cancelling does. Returns when `run` does.
    """
    loop = asyncio.get_running_loop()
    attempt = 0
    while True:
        started = loop.time()
        try:
            return await _in_a_task(run)
        except Exception as error:  # noqa: BLE001 - this is the one place that keeps parts apart
            cause = root_cause(error)
        fault = (
            Fault.LOST
            if isinstance(cause, LinkLost)
            else Fault.REFUSED
            if isinstance(cause, Refused)
            else Fault.DEFECT
        )
        if loop.time() - started > GOOD_WHILE_S:
            attempt = 0
        attempt += 1
        if faulted:
            faulted(fault, cause)
        if fault is Fault.DEFECT:
            log.error("part failed", extra={"part": name}, exc_info=cause)
        elif attempt == 1:
            log.warning("part %s", fault.value, extra={"part": name, "cause": str(cause)})
        if fault is Fault.REFUSED and retry is not None:
            retry.clear()
            await retry.wait()
        else:
            await asyncio.sleep(wait_s(attempt))


async def defect_of(work: Awaitable[None]) -> Exception | None:
    """The defect that the work ended in; None when it did what it should.

    For parts that are kept apart by what they are given. What the world is to blame for (`WORLD`)
    is raised as it is.
    """
    try:
        await work
    except Exception as error:
        if isinstance(root_cause(error), WORLD):
            raise
        return error
    return None


async def _in_a_task(run: Callable[[], Awaitable[None]]) -> None:
    """Run in a task of its own; when cancelled, cancel that until it has ended.

    Python 3.11 has two traps here: its `wait_for`, which client libraries use, loses a
    cancellation that comes together with an answer, and its `TaskGroup` may leave the count
    of `Task.cancelling` raised. So the part is told again, and the count is not asked.
    """

    async def call() -> None:
        await run()

    task = asyncio.get_running_loop().create_task(call())
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        while not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([task], timeout=CANCEL_AGAIN_S)
        raise
    if task.cancelled():
        raise RuntimeError("it was cancelled from within")
    task.result()


def root_cause(error: BaseException) -> BaseException:
    """The telling error inside nested groups: a defect before a refusal before a lost link."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    found = [root_cause(e) for e in error.exceptions]
    for wanted in ((Refused, LinkLost), (LinkLost,)):
        strange = [e for e in found if not isinstance(e, wanted)]
        if strange:
            return strange[0]
    return found[0]


def assert_off_loop() -> None:
    """Fail when called on a thread that runs an event loop: engines and disks block."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise AssertionError(
        f"blocking call on the event loop of thread {threading.current_thread().name!r};"
        " use asyncio.to_thread or the engine's own executor"
    )
