"""Listens for what changes the past of a unit: late samples, corrections, losses of its own."""

import asyncio

from lineshaft.core.flow import Full
from lineshaft.operations.kpis.current import Current
from lineshaft.spines import Spine

NAME = "kpis"
WAITING_MAX = 256
"""Batches that may wait; when one is lost all that is kept is dropped, which costs only time."""
EVENTS = "state.>"
"""Events of states; each names its unit, or something below it, as its path."""
ELSEWHERE = ("history.>", "import.>")
"""Events of samples that were changed, or did not come over the spine."""


class Watch:
    """Tells `Current` what it must work out anew."""

    def __init__(self, current: Current, spine: Spine) -> None:
        self._current, self._spine = current, spine
        self._dropped = 0

    async def run(self) -> None:
        """Listen until cancelled."""
        self._current.forget()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(), name="kpis listen")
            group.create_task(self._hear(), name="kpis hear")
            for pattern in ELSEWHERE:
                group.create_task(self._hear_of_all(pattern), name=f"kpis hear {pattern}")

    async def _listen(self) -> None:
        async with self._spine.subscribe(
            "data.>", name=NAME, size_max=WAITING_MAX, full=Full.DROP_OLDEST
        ) as batches:
            async for batch in batches:
                self._look_for_losses()
                self._current.take(batch)

    async def _hear(self) -> None:
        async with self._spine.events(EVENTS, name=f"{NAME} {EVENTS}") as events:
            async for event in events:
                if event.kind != "state.changed":
                    self._current.forget_at(event.path)

    async def _hear_of_all(self, pattern: str) -> None:
        async with self._spine.events(pattern, name=f"{NAME} {pattern}") as events:
            async for _ in events:
                self._current.forget()

    def _look_for_losses(self) -> None:
        dropped = sum(f.dropped for f in self._spine.flows() if f.name.startswith(NAME))
        if dropped != self._dropped:
            self._dropped = dropped
            self._current.forget()
