"""Figures of the running shift, cheap enough to be asked for every few seconds.

What lies so far back that it is settled is summed up once and kept; each question reads only what
came since. What is kept of a unit is dropped when late samples of its points or corrections of
its states arrive, when its settings change, and in any case after `KEPT_NS`.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np

from lineshaft.core.access import Identity
from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Missing
from lineshaft.core.path import is_under
from lineshaft.operations.calendars.calendar import Planned
from lineshaft.operations.kpis.answers import Now
from lineshaft.operations.kpis.book import Kpis, figures_of, total
from lineshaft.operations.kpis.pieces import By, pieces
from lineshaft.operations.kpis.reading import points_of
from lineshaft.operations.kpis.sums import Sums
from lineshaft.operations.kpis.working import Work, standing
from lineshaft.operations.states.settings import STATE_POINT, WorkUnit

T = TypeVar("T")
K = TypeVar("K")
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


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What of a unit is asked for."""

    unit: WorkUnit
    shift: Planned
    kept: _Kept | None
    begin_ns: int
    """From here on it must be read."""
    until_ns: int
    sums: Sums
    known_ns: int


class _Account(NamedTuple):
    """What a span adds, and up to where it is settled."""

    sums: Sums
    closed_ns: int
    stop_ns: int


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

        Without a unit or a branch there may be none.

        Raises:
            Missing: there is no such unit, or none in that branch.
        """
        try:
            units = self._kpis.units(who, unit=unit, branch=branch)
        except Missing:
            if unit or branch:
                raise
            return []
        return await self.of(units)

    async def of(self, units: Sequence[WorkUnit]) -> list[Now]:
        """The same of these units, in their order."""
        async with self._turn:
            now = self._clock()
            stale = [u for u in units if not 0 <= now - self._made_ns(u) < FRESH_NS]
            for asked in await self._sums([a for u in stale if (a := self._asked(u, now))]):
                self._answers[asked.unit.path] = (now, self._answer(asked, now))
        return [self._answers[u.path][1] for u in units if u.path in self._answers]

    def _made_ns(self, unit: WorkUnit) -> int:
        return self._answers[unit.path][0] if unit.path in self._answers else -(2**62)

    def _asked(self, unit: WorkUnit, now: int) -> _Asked | None:
        shift = self._shift(unit, now)
        if shift is None:
            self._answers.pop(unit.path, None)
            return None
        until = min(now, shift.stop_ns)
        kept = self._valid(unit, shift, until)
        return _Asked(
            unit=unit,
            shift=shift,
            kept=kept,
            begin_ns=kept.closed_ns if kept else shift.start_ns,
            until_ns=until,
            sums=kept.sums if kept else Sums(),
            known_ns=kept.closed_ns if kept else shift.start_ns,
        )

    def _answer(self, asked: _Asked, now: int) -> Now:
        shift = asked.shift
        return Now(
            unit=asked.unit.path,
            day=np.datetime64(shift.day, "D").item().isoformat(),
            shift=shift.name,
            start_ns=shift.start_ns,
            until_ns=asked.known_ns,
            ends_ns=shift.stop_ns,
            running=shift.start_ns <= now < shift.stop_ns,
            sums=asked.sums,
            figures=figures_of(asked.sums, MAIN),
        )

    def _shift(self, unit: WorkUnit, now: int) -> Planned | None:
        calendar = self._kpis.reader.calendars.named(unit.calendar)
        running = calendar.shift_at(now)
        if running:
            return running
        past = [s for s in calendar.shifts(now - BACK_NS, now) if s.stop_ns <= now]
        return past[-1] if past else None

    async def _sums(self, asked: Sequence[_Asked]) -> list[_Asked]:
        """The same with what came since; units that ask for the same span are read at once."""
        found = []
        for (begin, until), some in _grouped(asked, lambda a: (a.begin_ns, a.until_ns)):
            if until <= begin:
                found += some
                continue
            units = [a.unit for a in some]
            made = await self._kpis.reader.each(units, begin, until, _account)
            pairs = list(zip(some, made, strict=True))
            await self._close(
                [(a, m.closed_ns) for a, m in pairs if m.closed_ns - begin >= STEP_NS]
            )
            found += [
                msgspec.structs.replace(a, sums=a.sums + m.sums, known_ns=m.stop_ns)
                for a, m in pairs
            ]
        return found

    async def _close(self, asked: Sequence[tuple[_Asked, int]]) -> None:
        """Sum up what is settled, and keep it, if nothing of it came late meanwhile."""
        for (begin, closed), pairs in _grouped(asked, lambda p: (p[0].begin_ns, p[1])):
            some = [a for a, _ in pairs]
            for one in some:
                self._listen_to(one.unit, closed)
            units = [a.unit for a in some]
            made = await self._kpis.reader.each(units, begin, closed, _whole)
            for one, sums in zip(some, made, strict=True):
                if self._closing.pop(one.unit.path, None) == closed:
                    self._keep(one, closed, one.sums + sums)

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

    def _keep(self, asked: _Asked, closed: int, sums: Sums) -> None:
        self._kept[asked.unit.path] = _Kept(
            unit=asked.unit,
            calendars=self._kpis.reader.calendars.version,
            start_ns=asked.shift.start_ns,
            closed_ns=closed,
            sums=sums,
            made_ns=asked.kept.made_ns if asked.kept else self._clock(),
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


def _account(work: Work) -> _Account:
    stop = work.material.timeline.stop_ns
    # A grid, so that units which run are read together next time.
    return _Account(_whole(work), settled(work, (stop - SETTLED_NS) // STEP_NS * STEP_NS), stop)


def _grouped(items: Iterable[T], key: Callable[[T], K]) -> Iterable[tuple[K, list[T]]]:
    found: dict[K, list[T]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found.items()


def _whole(work: Work) -> Sums:
    return total(p.sums for p in pieces(work, By.WHOLE))
