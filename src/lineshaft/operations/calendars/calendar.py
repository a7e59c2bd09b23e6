"""A calendar: any span of time cut into stretches that are planned, busy and of one shift."""

import datetime as dt
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from lineshaft.core.batch import TIME_MAX_NS, Ints, Mask
from lineshaft.core.errors import Invalid
from lineshaft.operations.calendars.settings import (
    CalendarTable,
    Shift,
    check_calendar,
    day_of,
    seconds,
    zone_of,
)
from lineshaft.operations.calendars.walls import DAY_S, EPOCH_DAY, day_at, is_on_wall, moment_ns

DAYS_MAX = 366 * 20
"""Days that one question may span."""
AROUND = dt.timedelta(days=2)
"""So much longer than a span are the days looked at: a shift may begin on the day before."""
KEPT = 32
"""Answers that a calendar remembers."""
ALWAYS = "always"
"""Name of the calendar of units that have none."""


class Planned(NamedTuple):
    """One shift of one day, or one stretch of planned down time in any."""

    start_ns: int
    stop_ns: int
    name: str
    day: int
    """Days since 1970 of the day that it belongs to."""
    pauses: tuple[tuple[int, int], ...] = ()
    """Start and stop of its breaks."""


class Outside(NamedTuple):
    """What an iCalendar file says of a span."""

    shifts: Sequence[Planned] = ()
    pauses: Sequence[tuple[int, int]] = ()
    """Breaks and maintenance, wherever they meet a shift."""
    holidays: frozenset[dt.date] = frozenset()


class Outlook(Protocol):
    """What another program keeps of shifts; `ical.py` fills it."""

    def between(self, first: dt.date, last: dt.date, zone: dt.tzinfo) -> Outside:
        """What begins on these days, and what of before lasts into them."""


class Spans(msgspec.Struct, frozen=True, kw_only=True):
    """Columns (n,) without gaps: what the calendar says, stretch by stretch."""

    start_ns: Ints
    stop_ns: Ints
    planned: Mask
    """Inside a shift (POT)."""
    busy: Mask
    """Planned, and neither a break nor planned maintenance (PBT)."""
    shift: npt.NDArray[np.int32]
    """Index into `shifts`; 0 is outside of all."""
    day: npt.NDArray[np.int32]
    """Days since 1970 of the local day that the shift began on; outside of shifts, of the
    stretch."""
    shifts: tuple[str, ...]
    """Names; the first is the empty one."""


class Calendar:
    """One `[[calendars]]` table, ready to be asked."""

    def __init__(self, table: CalendarTable, outside: Outlook | None = None) -> None:
        self.table = check_calendar(table)
        self.zone = zone_of(table.zone, f"calendar {table.name!r}")
        self._outside = outside
        self._days = _exceptions(table)
        self.spans = functools.lru_cache(maxsize=KEPT)(self._spans)

    def _spans(self, start_ns: int, stop_ns: int) -> Spans:
        """The span in stretches; the first and the last are cut to it.

        Raises:
            Invalid: it is empty, beyond `TIME_MAX_NS`, or longer than `DAYS_MAX` days.
        """
        if not -TIME_MAX_NS < start_ns < stop_ns < TIME_MAX_NS:
            raise Invalid(
                f"calendar {self.table.name!r}: the span begins at {start_ns} and ends at {stop_ns}"
                " ns",
                remedy="Ask for one between the years 1824 and 2116, the stop after the start.",
            )
        if stop_ns - start_ns > DAYS_MAX * DAY_S * 10**9:
            raise Invalid(
                f"calendar {self.table.name!r}: the span has {stop_ns - start_ns} ns",
                remedy=f"Ask for at most {DAYS_MAX} days.",
            )
        return _cut(start_ns, stop_ns, *self._planned(start_ns, stop_ns), self._midnights)

    def shift_at(self, time_ns: int) -> Planned | None:
        """The shift of a moment, with the begin and the end that are left to it."""
        shifts, _ = self._planned(time_ns, time_ns + 1)
        return next((s for s in shifts if s.start_ns <= time_ns < s.stop_ns), None)

    def shifts(self, start_ns: int, stop_ns: int) -> list[Planned]:
        """Shifts that touch the span, whole, in order, none overlapping another."""
        found, _ = self._planned(start_ns, stop_ns)
        return [s for s in found if s.start_ns < stop_ns and s.stop_ns > start_ns]

    def day_ns(self, day: dt.date) -> tuple[int, int]:
        """Begin of the first shift of a day and end of its last; without one, its midnights."""
        low, high = (moment_ns(day, s, self.zone) for s in (0, DAY_S))
        number = day.toordinal() - EPOCH_DAY
        own = [s for s in self._planned(low, high + DAY_S * 10**9)[0] if s.day == number]
        return (own[0].start_ns, own[-1].stop_ns) if own else (low, high)

    # ---- one day after the other

    def _planned(self, start_ns: int, stop_ns: int) -> tuple[list[Planned], list[tuple[int, int]]]:
        """Shifts in order, none overlapping; planned down time that any of them may hold."""
        first = day_at(start_ns, self.zone) - AROUND
        last = day_at(stop_ns, self.zone) + AROUND
        told = self._outside.between(first, last, self.zone) if self._outside else Outside()
        all_ = (first + dt.timedelta(days=i) for i in range((last - first).days + 1))
        days = [day for day in all_ if is_on_wall(day, self.zone)]
        found = [s for day in days if day not in told.holidays for s in self._of_day(day)]
        found += [s for s in told.shifts if _date(s.day) not in told.holidays]
        windows = [*told.pauses, *(w for day in days for w in self._maintenance(day))]
        return _first_keeps(found), windows

    def _of_day(self, day: dt.date) -> Iterator[Planned]:
        usual = [s for s in self.table.shifts if day.isoweekday() in s.days]
        for kind, shifts in self._days.get(day, ()):
            usual = [*usual, *shifts] if kind == "extra" else list(shifts)
        return (self._on(day, shift) for shift in usual)

    def _on(self, day: dt.date, shift: Shift) -> Planned:
        begin = seconds(shift.start)
        start_ns, stop_ns = self._from_to(day, begin, seconds(shift.stop))
        pauses = tuple(
            self._from_to(day, s + (DAY_S if s < begin else 0), seconds(p.stop))
            for p in shift.breaks
            for s in (seconds(p.start),)
        )
        return Planned(start_ns, stop_ns, shift.name, day.toordinal() - EPOCH_DAY, pauses)

    def _maintenance(self, day: dt.date) -> Iterator[tuple[int, int]]:
        for window in self.table.maintenance:
            if window.day == day.isoformat() or day.isoweekday() in window.days:
                yield self._from_to(day, seconds(window.start), seconds(window.stop))

    def _from_to(self, day: dt.date, start: int, stop: int) -> tuple[int, int]:
        """Two times of the wall; the second is the next one that comes after the first."""
        while stop <= start:
            stop += DAY_S
        return moment_ns(day, start, self.zone), moment_ns(day, stop, self.zone)

    def _midnights(self, start_ns: int, stop_ns: int) -> tuple[Ints, Ints]:
        """Local midnights from the one at or before the start on, and their days."""
        first, last = day_at(start_ns, self.zone), day_at(stop_ns, self.zone)
        days = [first + dt.timedelta(days=i) for i in range((last - first).days + 1)]
        times = [moment_ns(d, 0, self.zone) for d in days]
        numbers = [d.toordinal() - EPOCH_DAY for d in days]
        return np.array(times, dtype=np.int64), np.array(numbers, dtype=np.int64)


def always() -> Calendar:
    """The calendar of units that have none: one shift without end, day after day in UTC."""
    whole = Shift(name=ALWAYS, start="00:00", stop="24:00")
    return Calendar(CalendarTable(name=ALWAYS, shifts=(whole,)))


def _exceptions(table: CalendarTable) -> dict[dt.date, list[tuple[str, tuple[Shift, ...]]]]:
    found: dict[dt.date, list[tuple[str, tuple[Shift, ...]]]] = {}
    for one in table.exceptions:
        first = day_of(one.day, table.name)
        last = day_of(one.until, table.name) if one.until else first
        for i in range((last - first).days + 1):
            found.setdefault(first + dt.timedelta(days=i), []).append((one.kind, one.shifts))
    return found


def _first_keeps(found: Iterable[Planned]) -> list[Planned]:
    """Of shifts that overlap the first to begin keeps the time; of equals the first named."""
    kept: list[Planned] = []
    free_ns = -(2**63)
    for shift in sorted(found, key=lambda s: s.start_ns):
        start_ns = max(shift.start_ns, free_ns)
        if start_ns < shift.stop_ns:
            kept.append(shift._replace(start_ns=start_ns))
            free_ns = shift.stop_ns
    return kept


def _cut(
    start_ns: int,
    stop_ns: int,
    shifts: list[Planned],
    windows: list[tuple[int, int]],
    midnights: Callable[[int, int], tuple[Ints, Ints]],
) -> Spans:
    times, days = midnights(start_ns, stop_ns)
    idle = _pauses(shifts, windows)
    marks = [t for s in shifts for t in (s.start_ns, s.stop_ns)]
    marks += [t for pair in idle for t in pair]
    edges = np.unique(np.array([start_ns, stop_ns, *marks, *times], dtype=np.int64))
    edges = edges[(edges >= start_ns) & (edges <= stop_ns)]
    begin = edges[:-1]
    names = ("", *dict.fromkeys(s.name for s in shifts))
    which, of = _inside(begin, [(s.start_ns, s.stop_ns) for s in shifts])
    code = np.array([0, *(names.index(s.name) for s in shifts)], dtype=np.int32)
    day = np.array([0, *(s.day for s in shifts)], dtype=np.int64)
    local = days[np.maximum(np.searchsorted(times, begin, side="right") - 1, 0)]
    planned = which
    instance = np.where(planned, of + 1, 0)
    columns = {
        "planned": planned,
        "busy": planned & ~_covered(begin, idle),
        "shift": code[instance],
        "day": np.where(planned, day[instance], local).astype(np.int32),
    }
    return _joined(begin, stop_ns, columns, instance, names)


def _joined(
    begin: Ints,
    stop_ns: int,
    columns: dict[str, npt.NDArray[np.generic]],
    instance: Ints,
    names: tuple[str, ...],
) -> Spans:
    """Neighbours that say the same become one."""
    new = np.ones(len(begin), dtype=bool)
    keys = (*columns.values(), instance)
    new[1:] = np.any([k[1:] != k[:-1] for k in keys], axis=0)
    start = begin[new]
    kept = {n: c[new] for n, c in columns.items()}
    return Spans(start_ns=start, stop_ns=np.append(start[1:], stop_ns), shifts=names, **kept)  # type: ignore[arg-type]


def _pauses(shifts: list[Planned], windows: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Breaks cut to their own shift, windows as they are; sorted, joined where they overlap."""
    found = [(max(a, s.start_ns), min(b, s.stop_ns)) for s in shifts for a, b in s.pauses]
    joined: list[tuple[int, int]] = []
    for start, stop in sorted([p for p in found if p[0] < p[1]] + windows):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined


def _inside(begin: Ints, spans: list[tuple[int, int]]) -> tuple[Mask, Ints]:
    """Whether each moment lies in one of the spans (in order, apart), and in which."""
    if not spans:
        return np.zeros(len(begin), dtype=bool), np.zeros(len(begin), dtype=np.int64)
    table = np.array(spans, dtype=np.int64)
    at = np.searchsorted(table[:, 0], begin, side="right") - 1
    return (at >= 0) & (begin < table[at, 1]), np.maximum(at, 0)


def _covered(begin: Ints, spans: list[tuple[int, int]]) -> Mask:
    return _inside(begin, spans)[0]


def _date(day: int) -> dt.date:
    return dt.date.fromordinal(day + EPOCH_DAY)
