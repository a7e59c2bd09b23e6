"""The sample before or after a time: found by steps outwards that grow, from memory where it can.

Nothing is looked at where no segment and no buffer has a row, so that a gap of years costs
nothing.
"""

import numpy as np
import numpy.typing as npt

from lineshaft.core.batch import BAD, Batch
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.flow import assert_off_loop
from lineshaft.stores.parquet.latest import batch_of
from lineshaft.stores.parquet.queries import Readers, Span
from lineshaft.stores.parquet.state import State

Places = npt.NDArray[np.intp]
STEP_NS = 60 * NS_PER_S
"""How far the first look goes."""
GROWTH = 4
"""How many times as far each further look goes, as long as few rows are found."""
ROWS_MAX = 1_000_000
"""Rows that a look may bring into memory, about."""


class Nearest:
    """Looks backwards and forwards; each call on the calling thread."""

    def __init__(self, state: State, readers: Readers) -> None:
        self._state = state
        self._readers = readers

    def before(self, span: Span, *, usable: bool) -> Batch:
        """Of each point the newest row of the span; `usable`: that is not bad."""
        assert_off_loop()
        known = self._latest(span)
        kept = known.take(known.time_ns < span.stop_ns)
        if usable:
            kept = kept.take(kept.quality < BAD)
        found = _Found()
        found.add(kept, np.arange(len(kept)))
        stop_ns, step_ns = span.stop_ns, STEP_NS
        while missing := [p for p in span.points if p not in found]:
            stop_ns = min(stop_ns, self._newest_below(stop_ns))
            if stop_ns <= span.start_ns:
                break
            start_ns = max(stop_ns - step_ns, span.start_ns)
            batch = self._readers.read(Span(missing, start_ns, stop_ns), None)
            found.add(*_ends(batch, usable=usable, newest=True))
            step_ns = _next_step(step_ns, len(batch))
            stop_ns = start_ns
        return found.gathered(span)

    def after(self, span: Span, *, usable: bool) -> Batch:
        """Of each point the oldest row of the span; `usable`: that is not bad."""
        assert_off_loop()
        known = self._latest(span)
        reached = known.take(known.time_ns >= span.start_ns)
        names = reached.points
        alive = {names[i] for i in reached.index}
        found = _Found()
        start_ns, step_ns = span.start_ns, STEP_NS
        while missing := [p for p in span.points if p in alive and p not in found]:
            start_ns = max(start_ns, self._oldest_from(start_ns))
            if start_ns >= span.stop_ns:
                break
            stop_ns = min(start_ns + step_ns, span.stop_ns)
            batch = self._readers.read(Span(missing, start_ns, stop_ns), None)
            found.add(*_ends(batch, usable=usable, newest=False))
            step_ns = _next_step(step_ns, len(batch))
            start_ns = stop_ns
        return found.gathered(span)

    def _latest(self, span: Span) -> Batch:
        with self._state.lock:
            ids = self._state.names.ids
            numbers = np.array([ids[p] for p in span.points], dtype=np.int32)
            return batch_of(*self._state.latest.look(self._state.names, numbers))

    def _newest_below(self, time_ns: int) -> int:
        """Just behind the newest time below this one that there may be a row at."""
        snapshot = self._state.snapshot()
        ranges = [(s.time_min, s.time_max) for s in snapshot.segments]
        ranges += [(b.time_min, b.time_max) for b, rows in snapshot.hot if rows]
        return max((min(b + 1, time_ns) for a, b in ranges if a < time_ns), default=-(2**63))

    def _oldest_from(self, time_ns: int) -> int:
        """The oldest time from this one on that there may be a row at."""
        snapshot = self._state.snapshot()
        ranges = [(s.time_min, s.time_max) for s in snapshot.segments]
        ranges += [(b.time_min, b.time_max) for b, rows in snapshot.hot if rows]
        return min((max(a, time_ns) for a, b in ranges if b >= time_ns), default=2**63 - 1)


class _Found:
    """The row of each point that was found: which look brought it, and its place there."""

    def __init__(self) -> None:
        self._looks: list[Batch] = []
        self._at: dict[str, tuple[int, int]] = {}

    def __contains__(self, point: str) -> bool:
        return point in self._at

    def add(self, look: Batch, rows: Places) -> None:
        """Rows of a look, one a point, of points that were not found before."""
        names, index = look.points, look.index
        self._at |= {names[index[n]]: (len(self._looks), int(n)) for n in rows}
        self._looks.append(look)

    def gathered(self, span: Span) -> Batch:
        """One batch in the order asked for."""
        at = np.array([self._at[p] for p in span.points if p in self._at], dtype=np.intp)
        which, row = at.reshape(-1, 2).T
        parts = [look.take(row[which == k]) for k, look in enumerate(self._looks)]
        order = np.argsort(which, kind="stable")
        return Batch.concat(parts).take(np.argsort(order))


def _next_step(step_ns: int, rows: int) -> int:
    return min(step_ns * GROWTH, step_ns * ROWS_MAX // max(rows, 1))


def _ends(batch: Batch, *, usable: bool, newest: bool) -> tuple[Batch, Places]:
    """The last or the first row of each point, of rows sorted by point and time."""
    if usable:
        batch = batch.take(batch.quality < BAD)
    index = batch.index
    changes = np.flatnonzero(index[1:] != index[:-1])
    if not len(index):
        return batch, changes
    return batch, np.append(changes, len(index) - 1) if newest else np.append(0, changes + 1)
