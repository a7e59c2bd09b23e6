"""Reads what figures rest on: timelines, names and counters, some units at a time."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import TypeVar

from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid, LineshaftError
from lineshaft.core.flow import root_cause
from lineshaft.core.units import convert
from lineshaft.operations import Names
from lineshaft.operations.calendars.book import Calendars
from lineshaft.operations.calendars.calendar import Spans
from lineshaft.operations.kpis.counting import NO_NAME, Counter, Naming
from lineshaft.operations.kpis.sweeping import sweep
from lineshaft.operations.kpis.working import Material, Work, work
from lineshaft.operations.states.ahead import AHEAD_NS, Ahead, Gathered, by_point
from lineshaft.operations.states.naming import state_point
from lineshaft.operations.states.settings import WorkUnit
from lineshaft.operations.states.timeline import Timeline, Timelines
from lineshaft.stores import Store

T = TypeVar("T")
ROLES = ("made", "good", "scrap", "rework", "energy")
NAMED = ("order", "product")
KWH = "kW.h"
CHUNK_MAX = 100
"""Units whose points are read at once."""
CHUNK_DAYS = 40_000
"""Units times days at once: a year of a hundred; the states of these are held in memory."""
DAY_NS = 86_400 * 10**9
WORKERS = 2
"""Chunks in work at the same time: one is read while another is summed up."""
Taker = Counter | Naming | Gathered
"""Who takes the samples of a point, batch by batch; counters are reduced to their rises."""


class Reader:
    """Reads units; the parts of `Kpis` share it."""

    def __init__(
        self, *, timelines: Timelines, calendars: Calendars, store: Store, names: Names
    ) -> None:
        self.timelines, self.calendars = timelines, calendars
        self._store, self._names = store, names

    async def read(self, unit: WorkUnit, start_ns: int, stop_ns: int) -> Work:
        """All that a unit did in a span, ready to be summed up.

        Raises:
            Missing: its calendar is not known.
        """
        return (await self.each([unit], start_ns, stop_ns, _itself))[0]

    async def each(
        self, units: Sequence[WorkUnit], start_ns: int, stop_ns: int, use: Callable[[Work], T]
    ) -> list[T]:
        """What `use` makes of the work of each unit, in their order.

        It runs in a thread; no more than `WORKERS` × `CHUNK_MAX` units are held at a time.

        Raises:
            Missing: a calendar is not known.
        """
        found: dict[int, list[T]] = {}
        days = (stop_ns - start_ns) // DAY_NS + 1
        size = max(1, min(CHUNK_MAX, CHUNK_DAYS // days, -(-len(units) // WORKERS)))
        waiting = iter(range(0, len(units), size))

        async def worker() -> None:
            for begin in waiting:
                some = units[begin : begin + size]
                found[begin] = await self._chunk(some, start_ns, stop_ns, use)

        await _all_of(worker, min(WORKERS, -(-len(units) // size)))
        return [one for begin in sorted(found) for one in found[begin]]

    async def _chunk(
        self, units: Sequence[WorkUnit], start_ns: int, stop_ns: int, use: Callable[[Work], T]
    ) -> list[T]:
        calendars = [self.calendars.named(u.calendar) for u in units]
        readings = [_Reading(u, self.energy_factor(u) or 0.0) for u in units]
        known = await self._fill(readings, start_ns, stop_ns)
        paths = [u.path for u in units]
        lines = await self.timelines.timelines(paths, start_ns, stop_ns, known=known)

        def made() -> list[T]:
            return [
                use(reading.work(line, calendar.spans(start_ns, stop_ns)))
                for reading, line, calendar in zip(readings, lines, calendars, strict=True)
            ]

        return await asyncio.to_thread(made)

    async def _fill(self, readings: Sequence["_Reading"], start_ns: int, stop_ns: int) -> Ahead:
        """Give the readings their samples, what came before the span first; gives the states.

        States are read for longer than the span. A long span is read for all points at once.
        """
        states = {r.state_point: Gathered(r.state_point) for r in readings}
        wanted: dict[str, list[Taker]] = {}
        for reading in readings:
            for point, taker in reading.takers:
                wanted.setdefault(point, []).append(taker)
        if wanted:
            # A sample at the start holds from there on, and counts before it.
            before = await self._store.before(list(wanted), start_ns + 1, usable=True)
            for point, batch in by_point(before):
                _give(batch, wanted[point])
        own: dict[str, list[Taker]] = {p: [taker] for p, taker in states.items()}
        both = {p: [*own.get(p, []), *wanted.get(p, [])] for p in sorted({*own, *wanted})}
        low, begin, end, high = start_ns - AHEAD_NS, start_ns + 1, stop_ns + 1, stop_ns + AHEAD_NS
        if stop_ns - start_ns < AHEAD_NS:
            steps = [(own, low, high), (wanted, begin, end)]
        else:
            steps = [(own, low, begin), (both, begin, end), (own, end, high)]
        for takers, first, last in steps:
            if takers:
                async for rows in sweep(self._store, list(takers), first, last):
                    await asyncio.to_thread(_hand_out, rows, takers)
        found = {p: taker.batch() for p, taker in states.items()}
        return Ahead(self._store, found, low, high)

    def energy_factor(self, unit: WorkUnit) -> float | None:
        """What a step of its energy counter is in kWh; None where that is not known."""
        point = self._names.find(unit.energy) if unit.energy else None
        if point is None or not point.unit:
            return None
        try:
            return convert(1.0, point.unit, KWH)
        except Invalid:
            return None

    def notes(self, unit: WorkUnit) -> Iterator[str]:
        """What of a unit cannot be counted as it is set up."""
        if not (unit.made or unit.good):
            yield f"{unit.path} has no counter of parts: give `made` or `good`."
        if not unit.cycle_s and not unit.cycles:
            yield f"{unit.path} has no planned run time per item: give `cycle_s` or `cycles`."
        if unit.energy and self.energy_factor(unit) is None:
            yield f"{unit.path}: {unit.energy} has no unit that can be converted to kWh."


def points_of(unit: WorkUnit) -> Iterator[tuple[str, str]]:
    """Role and path of each point that a unit's figures rest on, but for its state."""
    for role in ("order", "product", *ROLES):
        path = getattr(unit, role)
        if path:
            yield role, path


class _Reading:
    """The samples of one unit, on their way."""

    def __init__(self, unit: WorkUnit, energy_factor: float) -> None:
        self._unit = unit
        points = dict(points_of(unit))
        self._names = {r: Naming() for r in NAMED if r in points}
        self._counters = {
            r: Counter(factor=energy_factor)
            if r == "energy"
            else Counter(modulus=unit.counter_modulus)
            for r in ROLES
            if r in points
        }
        both: dict[str, Counter | Naming] = {**self._names, **self._counters}
        self.state_point = state_point(unit.path)
        self.takers = [(points[role], taker) for role, taker in both.items()]
        """Point, and who takes its samples."""

    def work(self, line: Timeline, spans: Spans) -> Work:
        """All of it."""
        names = {role: naming.signal() for role, naming in self._names.items()}
        return work(
            Material(
                timeline=line,
                spans=spans,
                order=names.get("order"),
                product=names.get("product", NO_NAME),
                counters={role: counter.counted() for role, counter in self._counters.items()},
            )
        )


def _hand_out(rows: Batch, wanted: Mapping[str, Sequence[Taker]]) -> None:
    for point, batch in by_point(rows):
        _give(batch, wanted[point])


def _give(batch: Batch, takers: Sequence[Taker]) -> None:
    for taker in takers:
        taker.add(batch)


def _itself(made: Work) -> Work:
    return made


async def _all_of(worker: Callable[[], Coroutine[None, None, None]], count: int) -> None:
    """Run so many workers; what one raises is raised alone, as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(worker())
    except* LineshaftError as errors:
        raise root_cause(errors) from None
