"""Work that was asked for without waiting: carried out, and kept until it is asked about."""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from lineshaft.core.errors import Missing, Unavailable
from lineshaft.core.flow import Channel, Full
from lineshaft.twins import Json

RUNNING_MAX = 100
"""Jobs that may be under way or waiting; who asks for more is told to come later."""
KEPT_MAX = 1000
"""Jobs that are remembered; the oldest finished one goes first."""

Work = Callable[[], Awaitable[Json]]
"""Does it, and gives the outcome as the standard's OperationResult; never raises LineshaftError."""


class Job:
    """One piece of work."""

    def __init__(self, owner: str, about: str, work: Work) -> None:
        self.owner = owner
        self.about = about
        """What it concerns; who asks must name the same."""
        self.work = work
        self.state = "Initiated"
        """`Initiated`, `Running`, or empty when `outcome` says it all."""
        self.outcome: Json | None = None
        self.more: Any = None
        """What the one who started it wants to remember."""


class Jobs:
    """Carries out at most `RUNNING_MAX` jobs at a time, as long as `run` runs."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._asked = Channel[Job]("twin operations", size_max=RUNNING_MAX, full=Full.WAIT)

    async def start(self, owner: str, about: str, work: Work, more: Any = None) -> str:  # noqa: ANN401 - the caller's
        """Have it carried out; the handle to ask about it with.

        Raises:
            Unavailable: too many are under way.
        """
        open_ = sum(j.outcome is None for j in self._jobs.values())
        if open_ >= RUNNING_MAX:
            raise Unavailable(
                f"{open_} operations are under way", remedy="Try again when some have ended."
            )
        job = Job(owner, about, work)
        job.more = more
        handle = self._keep(job)
        await self._asked.put(job)
        return handle

    def ended(self, owner: str, about: str, outcome: Json) -> str:
        """Keep the outcome of what was done at once; the handle to ask about it with."""

        async def nothing() -> Json:
            return outcome

        job = Job(owner, about, nothing)
        job.state, job.outcome = "", outcome
        return self._keep(job)

    def _keep(self, job: Job) -> str:
        handle = secrets.token_urlsafe(16)
        self._jobs[handle] = job
        if len(self._jobs) > KEPT_MAX:
            oldest = next(h for h, j in self._jobs.items() if j.outcome is not None)
            del self._jobs[oldest]
        return handle

    def find(self, owner: str, about: str, handle: str) -> Job:
        """The job of that handle.

        Raises:
            Missing: there is none that this caller started there, or it is forgotten.
        """
        job = self._jobs.get(handle)
        if job is None or job.owner != owner or job.about != about:
            raise Missing(
                f"there is no operation under way with the handle {handle[:80]!r}",
                remedy="Take the address that the answer to the call gave; old ones are forgotten.",
            )
        return job

    async def run(self) -> None:
        """Carry out what is asked for, until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                job = await self._asked.get()
                group.create_task(self._carry_out(job), name="twin operation")

    async def _carry_out(self, job: Job) -> None:
        job.state = "Running"
        job.outcome = await job.work()
        job.state = ""
