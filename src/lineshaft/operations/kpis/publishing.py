"""OEE and its factors as points, of units that say `publish`.

| point below the unit | a row |
|---|---|
| `oee`, `availability`, `effectiveness`, `quality_ratio` | each minute, of the running shift |
| the same below `last_shift` | at the end of each shift, of that shift |

What stands for the running shift is what was known at its time, and stays. The rows of shifts that
have ended follow what is known of them now: late samples, imports and corrections change them.
They travel as derived points do, so that they are stored, watched and sent on like those.
"""

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence

from lineshaft.core.batch import BAD, Batch
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.errors import LineshaftError
from lineshaft.core.path import is_under
from lineshaft.core.point import Point
from lineshaft.core.quality import Quality
from lineshaft.operations import Names
from lineshaft.operations.calendars.calendar import Calendar
from lineshaft.operations.kpis.answers import Now
from lineshaft.operations.kpis.book import figures_of
from lineshaft.operations.kpis.current import MAIN, Current
from lineshaft.operations.kpis.formulas import Figure
from lineshaft.operations.kpis.pieces import By, Key, Piece, pieces
from lineshaft.operations.kpis.reading import Reader
from lineshaft.operations.kpis.working import Work
from lineshaft.operations.states.naming import state_point
from lineshaft.operations.states.settings import WorkUnit
from lineshaft.spines import Spine
from lineshaft.stores import Store

log = logging.getLogger(__name__)

SUBJECT = "data.derived"
SOURCE = "kpis"
NAMES = {f: "quality_ratio" if f == "quality" else f for f in MAIN}
"""Name of the point by that of the figure."""
LAST_SHIFT = "last_shift"
NAME = "kpis publish"
EVENTS = ("state.>", "history.>", "import.>")
REASON_ONLY = ("state.changed", "state.explained")
"""Events of states that change no figure of the past."""
LOOK_S = 5.0
EVERY_NS = 60 * NS_PER_S
"""From one row of the running shift to the next."""
SETTLED_NS = 60 * NS_PER_S
"""So long after its end a shift is worked out."""
AGAIN_NS = 300 * NS_PER_S
"""How often shifts that have just ended are looked at again for late samples."""
ALL_AGAIN_NS = 3600 * NS_PER_S
"""How often all shifts are, whatever has been heard: states of long ago may be worked out anew."""
LATE_NS = 2 * 86_400 * NS_PER_S
"""How far back these lie."""
BACK_NS = 31 * 86_400 * NS_PER_S
"""How far back shifts are worked out when something of the past has changed."""
BEFORE_ALL = -(2**62)

Row = tuple[str, int, float | None, int]


class Publisher:
    """Keeps these points."""

    def __init__(
        self,
        reader: Reader,
        current: Current,
        *,
        names: Names,
        store: Store,
        spine: Spine,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._reader, self._current, self._names = reader, current, names
        self._store, self._spine, self._clock = store, spine, clock
        self._minute = 0
        self._again_ns = self._all_again_ns = 0
        self._changed: set[str] = set()
        """Paths at, above or below which the past has changed; the empty one is above all."""
        self._troubles: list[str] = []

    def problems(self) -> list[str]:
        """What is wrong now."""
        return self._troubles

    async def run(self) -> None:
        """Publish until cancelled."""
        self._again_ns = self._all_again_ns = 0
        async with asyncio.TaskGroup() as group:
            for pattern in EVENTS:
                group.create_task(self._hear(pattern), name=f"{NAME} {pattern}")
            group.create_task(self._look_again_and_again(), name=NAME)

    async def _hear(self, pattern: str) -> None:
        async with self._spine.events(pattern, name=f"{NAME} {pattern}") as events:
            async for event in events:
                if event.kind not in REASON_ONLY:
                    self._changed.add(event.path if event.kind.startswith("state.") else "")

    async def _look_again_and_again(self) -> None:
        while True:
            try:
                self._troubles = await self.look()
            except LineshaftError as error:
                if not self._troubles:
                    log.warning("figures not published", extra={"cause": str(error)})
                self._troubles = [f"kpis: figures are not published: {error}"]
            await asyncio.sleep(LOOK_S)

    async def look(self) -> list[str]:
        """Publish what is due now; gives what is in the way."""
        units, troubles = self._free(u for u in self._reader.timelines.units() if u.publish)
        if not units:
            return troubles
        self._names.declare(p for u in units for p in points_of(u))
        now = self._clock()
        if now // EVERY_NS != self._minute:
            await self._publish(await self._running(units))
            self._minute = now // EVERY_NS
        if now >= self._all_again_ns:
            self._changed.add("")
            self._all_again_ns = now + ALL_AGAIN_NS
        changed, self._changed = self._changed, set()
        try:
            touched = [u for u in units if any(_near(u.path, path) for path in changed)]
            await self._ended(touched, now - BACK_NS, now)
            if now >= self._again_ns:
                await self._ended(units, now - LATE_NS, now)
                self._again_ns = now + AGAIN_NS
        except LineshaftError:
            self._changed |= changed
            raise
        return troubles

    def _free(self, units: Iterable[WorkUnit]) -> tuple[list[WorkUnit], list[str]]:
        """Units below which nobody else has a point of one of the names, and who has."""
        free, troubles = [], []
        for unit in units:
            known = [self._names.find(p.path) for p in points_of(unit)]
            others = [p for p in known if p is not None and p.source not in ("", SOURCE)]
            if others:
                troubles.append(
                    f"kpis: {others[0].path} is a point of {others[0].source} already, so that"
                    f" figures of {unit.path} are not published"
                )
            else:
                free.append(unit)
        return free, troubles

    async def _publish(self, rows: Sequence[Row]) -> None:
        if rows:
            await self._spine.publish(SUBJECT, Batch.of_rows(rows))

    # ---- the running shift

    async def _running(self, units: Sequence[WorkUnit]) -> list[Row]:
        shown = await self._current.of(units)
        rows = [r for n in shown if n.running for r in _rows(n.unit, n.until_ns, n.figures)]
        return rows + await self._closed([n for n in shown if not n.running])

    async def _closed(self, shown: Sequence[Now]) -> list[Row]:
        """Rows that say from its end on that the shift does not run any more, where none does."""
        first = {f"{n.unit}/{NAMES[MAIN[0]]}": n for n in shown}
        last = await self._store.last(list(first))
        found: list[Row] = []
        for place, time_ns, code in zip(last.index, last.time_ns, last.quality, strict=True):
            ended = first[last.points[place]]
            if time_ns < ended.ends_ns and not code & BAD:
                points = (f"{ended.unit}/{name}" for name in NAMES.values())
                found += [(p, ended.ends_ns, None, Quality.BAD_NO_DATA) for p in points]
        return found

    # ---- shifts that have ended

    async def _ended(self, units: Sequence[WorkUnit], start_ns: int, now: int) -> None:
        """Publish what is not stored as it should be of shifts that began since then."""
        begin = await self._begins(units)
        by_calendar: dict[str, list[WorkUnit]] = {}
        for unit in units:
            if unit.path in begin:
                by_calendar.setdefault(unit.calendar, []).append(unit)
        for name, some in by_calendar.items():
            calendar = self._reader.calendars.named(name)
            ends = dict(_ends(calendar, start_ns, now - SETTLED_NS))
            if not ends:
                continue
            first, stop = min(s for s, _ in ends.values()), max(e for _, e in ends.values())
            made = await self._reader.each(some, first, stop, _by_shift)
            rows = [
                row
                for unit, parts in zip(some, made, strict=True)
                for part in parts
                if part.key in ends and ends[part.key][0] >= begin[unit.path]
                for row in _rows(
                    f"{unit.path}/{LAST_SHIFT}", ends[part.key][1], figures_of(part.sums, MAIN)
                )
            ]
            await self._publish(await self._news(rows, first, stop + 1))

    async def _begins(self, units: Sequence[WorkUnit]) -> dict[str, int]:
        """Since when states are kept: a shift that began before would be worked out of less."""
        points = {state_point(u.path): u.path for u in units}
        if not points:
            return {}
        batch = await self._store.after(list(points), BEFORE_ALL)
        return {
            points[batch.points[n]]: int(t) for n, t in zip(batch.index, batch.time_ns, strict=True)
        }

    async def _news(self, rows: Sequence[Row], start_ns: int, stop_ns: int) -> list[Row]:
        """Those that are not stored so; one without a figure takes no other's place."""
        if not rows:
            return []
        stored = await self._store.read(list(dict.fromkeys(r[0] for r in rows)), start_ns, stop_ns)
        return await asyncio.to_thread(lambda: list(_differing(rows, stored)))


def points_of(unit: WorkUnit) -> Iterator[Point]:
    """The points that a unit's figures are."""
    for below, what in (("", "of the running shift"), (f"{LAST_SHIFT}/", "of the last shift")):
        for figure, name in NAMES.items():
            text = "OEE" if figure == "oee" else name.replace("_", " ").capitalize()
            yield Point(
                path=f"{unit.path}/{below}{name}",
                unit="1",
                low=0.0,
                high=1.0,
                description=f"{text} {what}",
                source=SOURCE,
            )


def _near(path: str, other: str) -> bool:
    return is_under(path, other) or is_under(other, path)


def _rows(branch: str, time_ns: int, figures: dict[str, Figure]) -> Iterator[Row]:
    for figure, name in NAMES.items():
        found = figures[figure]
        code = Quality.UNCERTAIN if found.doubtful else Quality.GOOD
        if found.value is None:
            code = Quality.BAD_NO_DATA
        yield f"{branch}/{name}", time_ns, found.value, code


def _ends(
    calendar: Calendar, start_ns: int, until_ns: int
) -> Iterator[tuple[Key, tuple[int, int]]]:
    """Begin and end of each shift that began and ended in a span, by its key."""
    spans: dict[Key, tuple[int, int]] = {}
    for shift in calendar.shifts(start_ns, until_ns):
        day = (dt.date(1970, 1, 1) + dt.timedelta(days=shift.day)).isoformat()
        key = Key(day=day, shift=shift.name)
        start, stop = spans.get(key, (shift.start_ns, shift.stop_ns))
        spans[key] = min(start, shift.start_ns), max(stop, shift.stop_ns)
    for key, (start, stop) in spans.items():
        if start >= start_ns and stop <= until_ns:
            yield key, (start, stop)


def _by_shift(work: Work) -> list[Piece]:
    return pieces(work, By.SHIFT)


def _differing(rows: Sequence[Row], stored: Batch) -> Iterator[Row]:
    names, places = stored.points, stored.index.tolist()
    columns = zip(
        places, stored.time_ns.tolist(), stored.number.tolist(), stored.quality.tolist(),
        strict=True,
    )  # fmt: skip
    known = {(names[n], t): (value, code) for n, t, value, code in columns}
    for row in rows:
        path, time_ns, value, code = row
        there = known.get((path, time_ns))
        if there is None or (value is not None and there != (value, code)):
            yield row
