"""The measurements of one chart, out of the samples of all points that it reads.

A measurement is a sample of the chart's point. Without expressions it is there at once; else it
waits until every point that decides about it is known up to its time, as expressions wait for
their rows. Samples not newer than the newest of their point are left out, and counted.
"""

import bisect
import itertools
import math
from collections.abc import Callable, Container, Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from lineshaft.core.batch import BAD, Batch
from lineshaft.core.point import Kind, Point
from lineshaft.operations.expressions.evaluator import Evaluator
from lineshaft.operations.expressions.evaluator import State as PartState
from lineshaft.operations.expressions.expression import Expression, compile_expression
from lineshaft.operations.expressions.results import Result
from lineshaft.operations.expressions.tails import (
    FAR_AHEAD,
    LONG_AGO,
    Samples,
    numbers_in,
    values_of,
)
from lineshaft.operations.expressions.tree import Type
from lineshaft.operations.spc.settings import ChartTable, Subgroup

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
NS = 1_000_000_000
TEXTS = (Kind.TEXT, Kind.JSON)
"""Kinds of points that no measurement comes from."""
PENDING_MAX = 100_000
"""Measurements that may wait for a point that says nothing; the oldest go, counted."""

LATENESS_NS = 1
"""A source that is at a time may have more to say of that very time."""

Find = Callable[[str], Point | None]


class TrackState(msgspec.Struct, frozen=True, kw_only=True):
    """What a part gave last, and what it has given ahead of others."""

    times: list[int] = []
    values: list[float | str | None] = []


class FeedState(msgspec.Struct, frozen=True, kw_only=True):
    """All that a feed must keep; JSON can hold it."""

    newest: dict[str, int] = {}
    """Of each point the time of its newest sample."""
    pending: list[tuple[int, float | None]] = []
    parts: dict[str, PartState] = {}
    held: dict[str, TrackState] = {}
    key: int = 0
    """Of the subgroup: how often `by` has changed."""
    by: str = ""


class Measured(NamedTuple):
    """Measurements, oldest first; all (n,)."""

    time_ns: Times
    values: Floats
    """NaN where the quality is bad."""
    sizes: Floats | None
    keys: Times | None


class Feed:
    """Takes batches, gives measurements once; `state()` goes on in another one."""

    def __init__(self, chart: ChartTable, find: Find, state: FeedState | None = None) -> None:
        """Compile what the chart says.

        Raises:
            Invalid: an expression is wrong over these points.
        """
        self.chart = chart
        self.parts = compiled(chart, find)
        self.points = {p: find(p) or Point(path=p) for p in chart.paths}
        state = state or FeedState()
        self._newest = dict(state.newest)
        self._pending = [(t, np.nan if v is None else v) for t, v in state.pending]
        self._tracks = {r: Track(state.held.get(r, TrackState())) for r in self.parts}
        self._key, self._by = state.key, state.by
        self._evaluators: dict[str, Evaluator] = {
            r: e.evaluator(LATENESS_NS) for r, e in self.parts.items()
        }
        for role, kept in state.parts.items():
            if role in self._evaluators:
                self._evaluators[role].restore(kept)
        self.late = 0
        """Samples left out because a newer one of their point had come."""
        self.lost = 0
        """Measurements given up because they waited among too many."""

    @property
    def newest(self) -> Mapping[str, int]:
        """Of each point the time of its newest sample."""
        return self._newest

    @property
    def lookback_ns(self) -> int:
        """How long before a measurement its windows begin."""
        return max((e.lookback_ns for e in self.parts.values()), default=0)

    @property
    def every_ns(self) -> int:
        """The finest grid of its expressions; 0 for none."""
        return min((e.every_ns for e in self.parts.values() if e.every_ns), default=0)

    def behind(self, time_ns: int) -> bool:
        """Whether rows up to a time that is heard are still to come: too many for one push."""
        return any(e.until_ns < time_ns for e in self._evaluators.values())

    def warm(self, columns: Mapping[str, Samples], until_ns: int) -> None:
        """Know samples of before anything is measured; nothing comes of it but what holds then."""
        for role, part in self._evaluators.items():
            mine = {p.path: columns[p.path] for p in part.plan.points if p.path in columns}
            part.begin(mine, until_ns)
            self._track(role, part.look())

    def _track(self, role: str, found: Result) -> None:
        nothing = np.array(None if self.parts[role].type is Type.STRING else np.nan)
        values = np.where(found.quality >= BAD, nothing, found.values)
        self._tracks[role].add(found.time_ns, values)

    @property
    def waits(self) -> bool:
        """Whether measurements wait for other points."""
        return bool(self._pending)

    def state(self) -> FeedState:
        """What must be kept."""
        return FeedState(
            newest=self._newest,
            pending=[(t, None if np.isnan(v) else v) for t, v in self._pending],
            parts={r: e.save() for r, e in self._evaluators.items()},
            held={r: t.state() for r, t in self._tracks.items()},
            key=self._key,
            by=self._by,
        )

    def push(
        self,
        columns: Mapping[str, Samples],
        *,
        heard_ns: int | None = None,
        from_ns: int = LONG_AGO,
    ) -> Measured:
        """Take samples by point, as `split` gives them; give the measurements finished now.

        Those before `from_ns` are left out. Up to `heard_ns` every point is known to have told
        everything.
        """
        fresh = {
            p: s
            for p in self.points
            if p in columns and (s := self._fresh(p, columns[p])) is not None
        }
        own = fresh.get(self.chart.point)
        if not self.parts:
            return self._plain(own, from_ns)
        if own is not None:
            values = self._numbers(own)
            begins = int(np.searchsorted(own.time_ns, from_ns))
            self._pending += zip(
                own.time_ns[begins:].tolist(), values[begins:].tolist(), strict=True
            )
        heard = self._heard(fresh)
        if heard_ns is not None:
            heard = {s: max(heard_ns + LATENESS_NS, t) for s, t in heard.items()}
        return self._joined(fresh, heard)

    def one(self, columns: Mapping[str, Samples], from_ns: int) -> tuple[int, float] | None:
        """Time and value of the measurement, if it is one good sample that waits for nobody.

        None: it is for `push`, and nothing was taken in.
        """
        path = self.chart.point
        own = columns.get(path)
        if self.parts or own is None or len(own.time_ns) != 1:
            return None
        time_ns = int(own.time_ns[0])
        newest = max(self._newest.get(path, LONG_AGO), from_ns - 1)
        if not newest < time_ns < FAR_AHEAD or not isinstance(own.values, np.ndarray):
            return None
        value = float(own.values[0])
        return None if own.quality[0] >= BAD or not math.isfinite(value) else (time_ns, value)

    def taken(self, time_ns: int) -> None:
        """The measurement that `one` gave was used."""
        self._newest[self.chart.point] = time_ns

    def _heard(self, fresh: Mapping[str, Samples]) -> dict[str, int]:
        """Up to when each source has told everything: a connection reads its points together."""
        heard: dict[str, int] = {}
        for path, point in self.points.items():
            source = point.source or path
            newest = int(fresh[path].time_ns[-1]) if path in fresh else LONG_AGO
            heard[source] = max(heard.get(source, LONG_AGO), newest)
        return heard

    def _fresh(self, path: str, came: Samples) -> Samples | None:
        """The samples of a point, each time once, without those that are not new."""
        times = came.time_ns
        # Of equal times the last one counts, as in the store.
        new = np.append(times[1:] != times[:-1], True)
        new &= (times > self._newest.get(path, LONG_AGO)) & (times < FAR_AHEAD)
        late = len(times) - int(new.sum())
        self.late += late
        if late == len(times):
            return None
        self._newest[path] = int(times[new][-1])
        if not late:
            return came
        values = came.values
        kept = (
            values[new] if isinstance(values, np.ndarray) else np.array(values, dtype=object)[new]
        )
        return Samples(
            times[new], kept if isinstance(values, np.ndarray) else [*kept], came.quality[new]
        )

    def _plain(self, own: Samples | None, from_ns: int) -> Measured:
        if own is None:
            return _nothing()
        values = self._numbers(own)
        begins = int(np.searchsorted(own.time_ns, from_ns))
        times, values = own.time_ns[begins:], values[begins:]
        return Measured(times, values, None, self._interval(times))

    def _numbers(self, own: Samples) -> Floats:
        """Numbers; NaN where the quality is bad, or what came is no number."""
        if self.points[self.chart.point].kind in TEXTS:
            return np.full(len(own.time_ns), np.nan)
        values = numbers_in(own.values)
        good = (own.quality < BAD) & np.isfinite(values)
        return np.where(good, values, np.nan)

    def _interval(self, times: Times) -> Times | None:
        """The key of subgroups by time: intervals count from the epoch on."""
        if self.chart.subgroup is not Subgroup.TIME:
            return None
        return times // round(self.chart.every_s * NS)

    def _joined(self, fresh: Mapping[str, Samples], heard: Mapping[str, int]) -> Measured:
        """The measurements that every part knows about now."""
        for role, part in self._evaluators.items():
            paths = {p.path for p in part.plan.points}
            columns = {p: s for p, s in fresh.items() if p in paths}
            found = part.push(columns, heard_ns=heard)
            self.lost += found.dropped
            self.late += len(found.late)
            self._track(role, found)
        until = min(e.until_ns for e in self._evaluators.values())
        ready = int(np.searchsorted([t for t, _ in self._pending], until, side="right"))
        taken, self._pending = self._pending[:ready], self._pending[ready:]
        if len(self._pending) > PENDING_MAX:
            self.lost += len(self._pending) - PENDING_MAX
            self._pending = self._pending[-PENDING_MAX:]
        times = np.array([t for t, _ in taken], dtype=np.int64)
        own = np.array([v for _, v in taken], dtype=float)
        held = {r: t.at(times) for r, t in self._tracks.items()}
        for track in self._tracks.values():
            track.forget(until)
        return self._selected(times, own, held)

    def _selected(
        self, times: Times, own: Floats, held: Mapping[str, NDArray[np.object_]]
    ) -> Measured:
        """The measurements for which `when` holds, with size and key."""
        chosen = np.ones(len(times), dtype=bool)
        if "when" in held:
            chosen = held["when"] == 1
        numbers = {
            r: np.array([np.nan if v is None else v for v in held[r]], dtype=float)
            for r in ("value", "size")
            if r in held
        }
        values = np.where(np.isnan(own), np.nan, numbers.get("value", own))[chosen]
        sizes = numbers["size"][chosen] if "size" in numbers else None
        times = times[chosen]
        keys = self._interval(times)
        if "by" in held:
            keys = self._changes(held["by"][chosen])
        return Measured(times, values, sizes, keys)

    def _changes(self, words: NDArray[np.object_]) -> Times:
        """How often `by` has changed at each measurement; a bad value is no change."""
        keys = np.empty(len(words), dtype=np.int64)
        for place, word in enumerate(words):
            told = "" if word is None or word != word else str(word)  # noqa: PLR0124 - NaN
            if told and told != self._by:
                self._key, self._by = self._key + 1, told
            keys[place] = self._key
        return keys


class Track:
    """What a part gave: each row holds until the next."""

    def __init__(self, kept: TrackState) -> None:
        self._times, self._values = list(kept.times), list(kept.values)

    def add(self, times: Times, values: NDArray[Any]) -> None:
        """Take rows in."""
        self._times += times.tolist()
        self._values += values.tolist()

    def at(self, times: Times) -> NDArray[np.object_]:
        """What holds at each time, (n,); None where nothing is known."""
        place = np.searchsorted(np.array(self._times, dtype=np.int64), times, side="right")
        # A plain assignment would make numbers of what is a column of anything.
        found = np.empty(len(self._values) + 1, dtype=object)
        found[0], found[1:] = None, self._values
        return found[place]

    def forget(self, until_ns: int) -> None:
        """Keep what holds at a time, and what comes after it."""
        keep = bisect.bisect_right(self._times, until_ns) - 1
        if keep > 0:
            del self._times[:keep], self._values[:keep]

    def state(self) -> TrackState:
        """What must be kept."""
        values = [None if v is None or v != v else v for v in self._values]  # noqa: PLR0124 - NaN
        return TrackState(times=self._times, values=values)


def split(batch: Batch, wanted: Container[str]) -> dict[str, Samples]:
    """The samples of each point that is wanted, by path, in the order of time."""
    names = batch.points
    places = [i for i, p in enumerate(names) if p in wanted]
    if not places:
        return {}
    rows = batch if len(places) == len(names) else batch.take(np.isin(batch.index, places))
    index, times = rows.index, rows.time_ns
    order = np.lexsort((times, index))
    index, times, quality = index[order], times[order], rows.quality[order]
    numbers = rows.number[order]
    words = _words(rows, order) if rows.has_text.any() else None
    starts = [0, *(np.flatnonzero(index[1:] != index[:-1]) + 1).tolist()] if len(index) else []
    found = {}
    for begin, end in itertools.pairwise([*starts, len(index)]):
        part = slice(begin, end)
        of_text = words is not None and any(isinstance(w, str) for w in words[part])
        values = words[part] if words is not None and of_text else numbers[part]
        found[names[index[begin]]] = Samples(times[part], values, quality[part])
    return found


def _words(rows: Batch, order: NDArray[np.intp]) -> list[Any]:
    """Texts, with numbers where there is none: long integers stand in text."""
    values = values_of(rows)
    return [values[place] for place in order.tolist()]


def compiled(chart: ChartTable, find: Find) -> dict[str, Expression]:
    """The expressions of a chart by what they are for: value, when, size, by.

    Raises:
        Invalid: one is wrong over these points.
    """
    names = {chart.point.rpartition("/")[2]: chart.point, **chart.names}
    points = {p: find(p) or Point(path=p) for p in chart.paths}
    known = points | {short: points[path] for short, path in names.items()}
    found: dict[str, Expression] = {}
    if chart.expression:
        unit = chart.unit
        found["value"] = compile_expression(chart.expression, known, wants=Type.DOUBLE, unit=unit)
    if chart.when:
        found["when"] = compile_expression(chart.when, known, wants=Type.BOOL)
    if chart.size_point:
        found["size"] = compile_expression("_size", {"_size": points[chart.size_point]})
    if chart.subgroup is Subgroup.CHANGE:
        found["by"] = compile_expression("_by", {"_by": points[chart.by]})
    return found


def _nothing() -> Measured:
    return Measured(np.empty(0, dtype=np.int64), np.empty(0), None, None)
