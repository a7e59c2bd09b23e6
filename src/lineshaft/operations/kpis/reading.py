"""Reads what a unit's figures rest on: its timeline, names and counters, from the store."""

import asyncio
from collections.abc import Iterator

from lineshaft.core.batch import Batch, Indices
from lineshaft.core.errors import Invalid
from lineshaft.core.units import convert
from lineshaft.operations import Names
from lineshaft.operations.calendars.book import Calendars
from lineshaft.operations.calendars.calendar import Spans
from lineshaft.operations.kpis.counting import NO_NAME, Counted, counter_of, signal_of
from lineshaft.operations.kpis.working import Material, Work, work
from lineshaft.operations.states.settings import WorkUnit
from lineshaft.operations.states.timeline import Timeline, Timelines
from lineshaft.stores import Store

ROLES = ("made", "good", "scrap", "rework", "energy")
KWH = "kW.h"


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
        calendar = self.calendars.named(unit.calendar)
        timeline = await self.timelines.timeline(unit.path, start_ns, stop_ns)
        spans = await asyncio.to_thread(calendar.spans, start_ns, stop_ns)
        points = dict(points_of(unit))
        # A sample at the start holds from there on, and counts before it.
        asked = list(dict.fromkeys(points.values()))
        before = await self._store.before(asked, start_ns + 1, usable=True) if asked else None
        after = await self._store.read(asked, start_ns + 1, stop_ns + 1) if asked else None
        factor = self.energy_factor(unit) or 0.0
        return await asyncio.to_thread(_work, timeline, spans, points, (before, after), factor)

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


def _work(
    timeline: Timeline,
    spans: Spans,
    points: dict[str, str],
    read: tuple[Batch | None, Batch | None],
    energy_factor: float,
) -> Work:
    rows = _by_point(read)
    unit = timeline.unit
    counters: dict[str, Counted] = {}
    for role in ROLES:
        batch = rows.get(points.get(role, ""))
        if batch is None:
            continue
        energy = role == "energy"
        modulus = 0.0 if energy else unit.counter_modulus
        factor = energy_factor if energy else 1.0
        counters[role] = counter_of(batch, modulus=modulus, factor=factor)
    product = rows.get(unit.product)
    order = rows.get(unit.order)
    return work(
        Material(
            timeline=timeline,
            spans=spans,
            order=None if not unit.order else signal_of(order) if order else NO_NAME,
            product=signal_of(product) if product else NO_NAME,
            counters=counters,
        )
    )


def _by_point(read: tuple[Batch | None, Batch | None]) -> dict[str, Batch]:
    """The rows of each point in order of time."""
    found: dict[str, list[Batch]] = {}
    for batch in read:
        if batch is None:
            continue
        index, names = batch.index, batch.points
        begin = 0
        while begin < len(index):
            # Rows are sorted by point, so that each has one stretch.
            end = begin + _lasts(index[begin:])
            found.setdefault(names[index[begin]], []).append(batch.slice(begin, end))
            begin = end
    return {name: Batch.concat(parts) for name, parts in found.items()}


def _lasts(index: Indices) -> int:
    """How many rows from the first on are of the same point."""
    other = index != index[0]
    return int(other.argmax()) if other.any() else len(index)
