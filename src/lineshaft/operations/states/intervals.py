"""What work units did: from the samples of their state points, and what people said."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from lineshaft.core.batch import Ints
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.operations.states.ahead import AHEAD_NS, Ahead, History
from lineshaft.operations.states.naming import state_point
from lineshaft.operations.states.notes import Note, What, around
from lineshaft.operations.states.overlay import Laid, laid_over
from lineshaft.operations.states.ruling import NO_RULES, Ruling, reason_point
from lineshaft.operations.states.settings import WorkUnit
from lineshaft.operations.states.stretches import (
    Numbers,
    Stretches,
    changes,
    numbers_of,
    of_samples,
    within,
)
from lineshaft.operations.states.timeline import UNKNOWN, Timeline
from lineshaft.operations.states.units import Known, Units
from lineshaft.records import Records

WINDOW_NS = 3600 * NS_PER_S
"""How far from a span its first and last stretch are looked for at first, then ever farther."""
FAR_NS = 400 * 86_400 * NS_PER_S
"""How far at most: a stretch that lasts longer is known to have lasted that long."""
ROUNDS_MAX = 16
"""How often a span is widened because a note reaches out of it."""


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """All that counts of a unit around a span; the stretches are whole, not cut to the span."""

    known: Known
    laid: Laid
    notes: tuple[Note, ...]
    """All that touch it, withdrawn ones too, oldest first."""
    start_ns: int
    stop_ns: int
    """The span, no later than now."""
    now_ns: int


class Intervals:
    """Fills `Timelines`."""

    def __init__(
        self,
        units: Units,
        store: History,
        records: Records,
        *,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._units, self._store, self._records = units, store, records
        self._clock = clock

    def units(self) -> Sequence[WorkUnit]:
        """All work units."""
        return [known.unit for known in self._units]

    async def timeline(self, path: str, start_ns: int, stop_ns: int) -> Timeline:
        """What one did; of a span that lies ahead there are no stretches.

        Raises:
            Missing: there is no such work unit.
        """
        return cut(await self.whole(path, start_ns, stop_ns))

    async def timelines(
        self,
        paths: Sequence[str],
        start_ns: int,
        stop_ns: int,
        *,
        known: History | None = None,
    ) -> list[Timeline]:
        """What several did, in their order: the same, read at once unless `known` is given.

        Raises:
            Missing: one is no work unit.
        """
        units = [self._units.find(path) for path in paths]
        points = [state_point(u.path) for u in units]
        points += [reason_point(u.path) for u in units if u.rules]
        low, high = start_ns - AHEAD_NS, min(stop_ns, self._clock()) + AHEAD_NS
        ahead = known or await Ahead.of(self._store, points, low, max(high, low + 1))
        own = Intervals(self._units, ahead, self._records, clock=self._clock)
        return [await own.timeline(path, start_ns, stop_ns) for path in paths]

    async def whole(self, path: str, start_ns: int, stop_ns: int) -> Whole:
        """What one did, with all that is known of the first and the last stretch.

        Raises:
            Missing: there is no such work unit.
        """
        known, now = self._units.find(path), self._clock()
        stop_ns = min(stop_ns, now)
        low, high = min(start_ns, stop_ns), stop_ns
        line, notes = await self._around(known, low, high, now)
        for _ in range(ROUNDS_MAX):
            low, high = int(line.start_ns[0]), line.stop_ns
            reach = [n for n in notes if _widens(n, low, high)]
            if not reach:
                break
            low = min(low, *(n.start_ns for n in reach))
            high = min(max(high, *(n.stop_ns for n in reach)), now)
            line, notes = await self._around(known, low, high, now)
        ruling = await self._ruling(known, line)
        return Whole(
            known=known,
            laid=laid_over(line, notes, known.states, ruling),
            notes=tuple(notes),
            start_ns=start_ns,
            stop_ns=max(stop_ns, start_ns),
            now_ns=now,
        )

    async def _around(
        self, known: Known, start_ns: int, stop_ns: int, now: int
    ) -> tuple[Stretches, list[Note]]:
        line = await self._machine(known, start_ns, stop_ns, now)
        notes = await around(self._records, known.path, int(line.start_ns[0]), line.stop_ns)
        return line, notes

    async def _ruling(self, known: Known, line: Stretches) -> Ruling:
        """Which of its rules held when, from the beginning of the stretches on."""
        if not known.rules:
            return NO_RULES
        point, count = reason_point(known.path), len(known.rules) + 1
        start = int(line.start_ns[0])
        last = await self._store.before([point], start)
        times, numbers = await self._changes(point, count, start, line.stop_ns)
        before = numbers_of(last.number, last.quality, count)
        return Ruling(
            np.concatenate((last.time_ns, times)), np.concatenate((before, numbers)), known.rules
        )

    async def _machine(self, known: Known, start_ns: int, stop_ns: int, now: int) -> Stretches:
        """What the machine said, from the beginning of the first stretch to the end of the last."""
        point, count = state_point(known.path), len(known.states)
        begin = await self._since(point, count, start_ns)
        end = max(await self._until(point, count, stop_ns, now), begin + 1)
        return of_samples(*await self._changes(point, count, begin, end), begin, end)

    async def _changes(self, point: str, count: int, start: int, stop: int) -> tuple[Ints, Numbers]:
        """Times and numbers of a span; of samples that repeat one only some, at least the first.

        Such a point may have a sample for each of its inputs: they are thinned as they come.
        """
        times, states = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int32)]
        async for batch in self._store.scan([point], start, stop):
            numbers = numbers_of(batch.number, batch.quality, count)
            keep = changes(numbers)
            times.append(batch.time_ns[keep])
            states.append(numbers[keep])
        return np.concatenate(times), np.concatenate(states)

    async def _read(self, point: str, count: int, start: int, stop: int) -> tuple[Ints, Numbers]:
        batch = await self._store.read([point], start, stop)
        return batch.time_ns, numbers_of(batch.number, batch.quality, count)

    async def _since(self, point: str, count: int, time_ns: int) -> int:
        """Since when the state at a time lasts."""
        last = await self._store.before([point], time_ns + 1)
        if not len(last):
            return time_ns
        state = int(numbers_of(last.number, last.quality, count)[0])
        since, window = int(last.time_ns[0]), WINDOW_NS
        while since > time_ns - FAR_NS:
            older = await self._store.before([point], since)
            if not len(older):
                break
            if int(numbers_of(older.number, older.quality, count)[0]) != state:
                break
            oldest = int(older.time_ns[0])
            times, states = await self._read(point, count, oldest - window, since)
            other = np.flatnonzero(states != state)
            if len(other):
                return int(times[other[-1] + 1])
            since, window = int(times[0]), window * 4
        return since

    async def _until(self, point: str, count: int, time_ns: int, now: int) -> int:
        """Until when the state before a time lasts; now, if it lasts on."""
        if time_ns >= now:
            return time_ns
        last = await self._store.before([point], time_ns)
        state = UNKNOWN
        if len(last):
            state = int(numbers_of(last.number, last.quality, count)[0])
        start, window = time_ns, WINDOW_NS
        while start < now:
            following = await self._store.after([point], start)
            if not len(following) or int(following.time_ns[0]) >= now:
                return now
            start = int(following.time_ns[0])
            times, states = await self._read(point, count, start, min(start + window, now))
            other = np.flatnonzero(states != state)
            if len(other):
                return int(times[other[0]])
            start, window = min(start + window, now), window * 4
        return now


def _widens(note: Note, low: int, high: int) -> bool:
    """Whether a note that holds reaches out, so that more must be known."""
    if note.withdrawn_by:
        return False
    if note.what is What.REASON:
        return (note.start_ns < low < note.stop_ns) or (note.start_ns < high < note.stop_ns)
    return note.start_ns < low <= note.stop_ns or note.start_ns <= high < note.stop_ns


def cut(whole: Whole) -> Timeline:
    """The timeline of the span."""
    line, start, stop = whole.laid.line, whole.start_ns, whole.stop_ns
    where = within(line, start, stop) if start < stop else slice(0, 0)
    starts, ends = line.start_ns[where].copy(), line.ends_ns[where]
    since, until = (int(starts[0]), int(ends[-1])) if len(starts) else (start, stop)
    if len(starts):
        starts[0] = start
    return Timeline(
        unit=whole.known.unit,
        start_ns=starts,
        stop_ns=stop,
        state=line.state[where],
        states=whole.known.states,
        reason=line.reason[where],
        reasons=whole.laid.reasons,
        corrected=line.corrected[where],
        lasting_since_ns=since,
        lasting_until_ns=until,
    )
