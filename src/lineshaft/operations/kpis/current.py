"""Figures of the running shift, cheap enough to be asked for every few seconds.

What lies so far back that it is settled is summed up once and kept; each question reads only what
came since. What is kept of a unit is dropped when late samples of its points or corrections of
its states arrive, when its settings change, and in any case after `KEPT_NS`.
"""

import asyncio
from collections.abc import Callable, Iterable

import msgspec
import numpy as np

from lineshaft.core.access import Identity
from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.core.path import is_under
from lineshaft.operations.calendars.calendar import Planned
from lineshaft.operations.kpis.answers import Now
from lineshaft.operations.kpis.book import Kpis, figures_of, total
from lineshaft.operations.kpis.pieces import By, pieces
from lineshaft.operations.kpis.reading import points_of
from lineshaft.operations.kpis.sums import Sums
from lineshaft.operations.kpis.working import Work, standing
from lineshaft.operations.states.settings import STATE_POINT, WorkUnit

MAIN = ("oee", "availability", "effectiveness", "quality")
SECOND_NS = 10**9
SETTLED_NS = 60 * SECOND_NS
"""So long samples may be under way."""
STEP_NS = 300 * SECOND_NS
"""What is settled is summed up in steps of at least this."""
KEPT_NS = 900 * SECOND_NS
"""After this what is kept is worked out anew, whatever has been heard."""
FRESH_NS = 5 * SECOND_NS
"""An answer is given again for this long, so that many screens cost no more than one."""
BACK_NS = 8 * 86_400 * SECOND_NS
"""How far back the last shift is looked for when none runs."""


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is settled of a shift."""

    unit: WorkUnit
    calendars: int
    start_ns: int
    closed_ns: int
    sums: Sums
    made_ns: int


class Current:
    """The running shift of every unit."""

    def __init__(self, kpis: Kpis, *, clock: Callable[[], int] = now_ns) -> None:
        self._kpis, self._clock = kpis, clock
        self._kept: dict[str, _Kept] = {}
        self._answers: dict[str, tuple[int, Now]] = {}
        self._points: dict[str, list[str]] = {}
        self._closing: dict[str, int] = {}
        """Until when of a unit is being summed up to be kept; none once something came late."""
        self._turn = asyncio.Lock()

    async def now(self, who: Identity, *, unit: str = "", branch: str = "") -> list[Now]:
        """The running shift, or the last one, of each unit that the caller may see.

        Raises:
            Missing: there is no such unit, or none in that branch.
        """
        async with self._turn:
            found = [await self._now(u) for u in self._kpis.units(who, unit=unit, branch=branch)]
        return [f for f in found if f is not None]

    async def _now(self, unit: WorkUnit) -> Now | None:
        now = self._clock()
        made_ns, answer = self._answers.get(unit.path, (0, None))
        if answer and 0 <= now - made_ns < FRESH_NS:
            return answer
        shift = self._shift(unit, now)
        if shift is None:
            return None
        until = min(now, shift.stop_ns)
        sums, until_known = await self._sums(unit, shift, until)
        calendar = self._kpis.reader.calendars.named(unit.calendar)
        answer = Now(
            unit=unit.path,
            day=np.datetime64(shift.day, "D").item().isoformat(),
            shift=shift.name,
            start_ns=shift.start_ns,
            until_ns=until_known,
            ends_ns=shift.stop_ns,
            running=calendar.shift_at(now) is not None,
            sums=sums,
            figures=figures_of(sums, MAIN),
        )
        self._answers[unit.path] = (now, answer)
        return answer

    def _shift(self, unit: WorkUnit, now: int) -> Planned | None:
        calendar = self._kpis.reader.calendars.named(unit.calendar)
        running = calendar.shift_at(now)
        if running:
            return running
        past = [s for s in calendar.shifts(now - BACK_NS, now) if s.stop_ns <= now]
        return past[-1] if past else None

    async def _sums(self, unit: WorkUnit, shift: Planned, until: int) -> tuple[Sums, int]:
        kept = self._valid(unit, shift, until)
        begin = kept.closed_ns if kept else shift.start_ns
        known = kept.sums if kept else Sums()
        if until <= begin:
            return known, begin
        work = await self._kpis.reader.read(unit, begin, until)
        closed = settled(work, until - SETTLED_NS)
        if closed - begin >= STEP_NS:
            self._listen_to(unit, closed)
            old = await self._kpis.reader.read(unit, begin, closed)
            if self._closing.pop(unit.path, None) == closed:
                self._keep(unit, shift, kept, closed, known + _whole(old))
        return known + _whole(work), work.material.timeline.stop_ns

    def _valid(self, unit: WorkUnit, shift: Planned, until: int) -> _Kept | None:
        kept = self._kept.get(unit.path)
        same = (
            kept is not None
            and kept.unit == unit
            and kept.calendars == self._kpis.reader.calendars.version
            and kept.start_ns == shift.start_ns
            and kept.closed_ns <= until
            and 0 <= self._clock() - kept.made_ns < KEPT_NS
        )
        return kept if same else None

    def _keep(
        self, unit: WorkUnit, shift: Planned, kept: _Kept | None, closed: int, sums: Sums
    ) -> None:
        self._kept[unit.path] = _Kept(
            unit=unit,
            calendars=self._kpis.reader.calendars.version,
            start_ns=shift.start_ns,
            closed_ns=closed,
            sums=sums,
            made_ns=kept.made_ns if kept else self._clock(),
        )

    def _listen_to(self, unit: WorkUnit, closed: int) -> None:
        self._closing[unit.path] = closed
        for point in (f"{unit.path}/{STATE_POINT}", *(p for _, p in points_of(unit))):
            users = self._points.setdefault(point, [])
            if unit.path not in users:
                users.append(unit.path)

    # ---- what changes the past

    def forget(self, paths: Iterable[str] | None = None) -> None:
        """Drop what is kept of some units, or of all: something of their past has changed."""
        for path in {*self._kept, *self._closing} if paths is None else paths:
            self._kept.pop(path, None)
            self._closing.pop(path, None)
            self._answers.pop(path, None)

    def forget_at(self, path: str) -> None:
        """Drop what is kept of the units that the path lies at, below or above."""
        known = {*self._kept, *self._closing}
        self.forget([u for u in known if is_under(path, u) or is_under(u, path)])

    def take(self, batch: Batch) -> None:
        """Look whether samples came late."""
        bounds = {u: k.closed_ns for u, k in self._kept.items()} | self._closing
        times = batch.time_ns
        if not bounds or not len(times) or int(times.min()) > max(bounds.values()):
            return
        index = batch.index
        for place, point in enumerate(batch.points):
            for unit in self._points.get(point, ()):
                # A sample at the very end still counts before it.
                if unit in bounds and (times[index == place] <= bounds[unit]).any():
                    self.forget([unit])


def settled(work: Work, at_ns: int) -> int:
    """The last moment up to `at_ns` that is in no stop, so that nothing is cut by closing there."""
    timeline = work.material.timeline
    if not len(timeline.start_ns) or at_ns <= timeline.start_ns[0]:
        return int(timeline.start_ns[0]) if len(timeline.start_ns) else at_ns
    at_ns = min(at_ns, timeline.stop_ns)
    place = int(np.searchsorted(timeline.start_ns, at_ns, side="right")) - 1
    still = standing(timeline)
    if not still[place]:
        return at_ns
    moving = np.flatnonzero(~still[:place])
    return int(timeline.start_ns[moving[-1] + 1 if len(moving) else 0])


def _whole(work: Work) -> Sums:
    return total(p.sums for p in pieces(work, By.WHOLE))
