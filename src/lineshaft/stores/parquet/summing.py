"""Summaries of what the store holds: from roll-ups where the edges allow, else from samples.

A bucket of a level can have parts: in the roll-ups of several segments, in samples of segments
that have no roll-up of it, in memory. Parts that follow each other merge. Where they interleave,
or memory may hold a newer sample of a settled key, the bucket is summed up from samples anew.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Batch, Indices, Ints
from lineshaft.core.flow import assert_off_loop
from lineshaft.core.summary import LEVELS_NS, needed, table_of
from lineshaft.core.sums import Samples, Sums, joined, merge_sums, sum_up
from lineshaft.stores.parquet.manifest import Rollup, Segment
from lineshaft.stores.parquet.queries import Readers, Span
from lineshaft.stores.parquet.rollups import bucketed
from lineshaft.stores.parquet.sidecars import Sidecar, Sidecars
from lineshaft.stores.parquet.state import Snapshot, State
from lineshaft.stores.parquet.tangles import untangled

log = logging.getLogger(__name__)

PAGE_ROWS = 2_000_000
"""Rows that are held in memory at once, about."""
FEW_ROWS = 100_000
"""So many rows are summed up from samples as fast as from roll-ups."""
RUNS_MAX = 32
"""Stretches of a point that are read one by one; more are read as one."""


class _Asked(NamedTuple):
    """A question, while it is answered."""

    span: Span
    ids: Indices
    """The numbers of its points."""
    wanted: tuple[str, ...]
    snapshot: Snapshot
    """What there was when it was asked: all parts of the answer are of this moment."""
    segments: list[Segment]
    hot: Batch
    """Rows in memory, sorted by the place of their point and time."""

    def within(self, start_ns: int, stop_ns: int) -> "_Asked":
        """The same for a shorter time."""
        span = self.span._replace(start_ns=start_ns, stop_ns=stop_ns)
        segments = [s for s in self.segments if s.time_max >= start_ns and s.time_min < stop_ns]
        time = self.hot.time_ns
        hot = self.hot.take((time >= start_ns) & (time < stop_ns)) if len(time) else self.hot
        return self._replace(span=span, segments=segments, hot=hot)

    def only(self, place: int) -> "_Asked":
        """The same for one of the points, which becomes number 0."""
        hot = self.hot.take(self.hot.index == place)
        span = self.span._replace(points=[self.span.points[place]])
        return self._replace(span=span, ids=self.ids[place : place + 1], hot=hot)


class Summing:
    """Sums up; each call on the calling thread."""

    def __init__(self, state: State, readers: Readers, sidecars: Sidecars) -> None:
        self._state = state
        self._readers = readers
        self._sidecars = sidecars

    def table(self, span: Span, edges_ns: Ints, columns: Sequence[str]) -> pa.Table:
        """One row per point and interval that holds a sample; see `SUMMARY_SCHEMA`."""
        assert_off_loop()
        ids = self._state.names.ids
        snapshot = self._state.snapshot()
        ends = ("end_ns", "first_ns", "last_ns") if snapshot.thinned else ("end_ns",)
        wanted = needed((*columns, *ends) if columns else ())
        segments, hot = self._readers.look(span, snapshot)
        numbers = np.array([ids[p] for p in span.points], dtype=np.int32)
        asked = _Asked(span, numbers, wanted, snapshot, segments, hot)
        levels = _levels(edges_ns)
        thinned = list(self._thinned(asked, levels))
        sums = _sorted(joined([*self._part(asked, levels, edges_ns), *thinned]))
        if thinned:
            sums = untangled(sums, edges_ns)
        sums = merge_sums(sums, edges_ns, wanted)
        return table_of(sums, pa.array(span.points, pa.string()), columns)

    def _part(self, asked: _Asked, levels: Sequence[int], edges_ns: Ints) -> Iterator[Sums]:
        """The summaries of a time, from the widest of the levels, and finer ones at its ends."""
        start, stop = asked.span.start_ns, asked.span.stop_ns
        if levels and self._rows(asked) > FEW_ROWS:
            level = levels[-1]
            first, last = -(-start // level) * level, stop // level * level
            if first < last and self._pays(asked, level):
                if start < first:
                    yield from self._part(asked.within(start, first), levels[:-1], edges_ns)
                yield from self._level(asked.within(first, last), level)
                if last < stop:
                    yield from self._part(asked.within(last, stop), levels[:-1], edges_ns)
                return
            yield from self._part(asked, levels[:-1], edges_ns)
            return
        for samples in self._pages(asked):
            yield sum_up(samples, edges_ns, asked.wanted)

    def _pays(self, asked: _Asked, level_ns: int) -> bool:
        """Whether most of the rows have roll-ups of the level."""
        held = total = 0
        for segment in asked.segments:
            sidecar = self._open(segment.rollup)
            if sidecar:
                samples = sidecar.samples(asked.ids)
                held += int(samples[sidecar.holds(level_ns, asked.ids)].sum())
                total += int(samples.sum())
            else:
                total += self._held(segment, asked.ids)
        return 2 * held > total

    def _rows(self, asked: _Asked) -> int:
        """How many rows there are, about."""
        rows = len(asked.hot)
        span = asked.span
        for segment in asked.segments:
            width = segment.time_max - segment.time_min + 1
            start = max(segment.time_min, span.start_ns)
            stop = min(segment.time_max + 1, span.stop_ns)
            rows += self._held(segment, asked.ids) * (stop - start) // width
        return rows

    def _held(self, segment: Segment, ids: Indices) -> int:
        """How many rows of these points a segment holds, about."""
        sidecar = self._open(segment.rollup)
        if sidecar:
            return int(sidecar.samples(ids).sum())
        return -(-segment.rows * len(ids) // max(len(self._state.names), 1))

    def _open(self, rollup: Rollup | None) -> Sidecar | None:
        if rollup is None:
            return None
        try:
            return self._sidecars.open(rollup.file)
        except (OSError, pa.ArrowException, KeyError) as error:
            log.warning("roll-up not read", extra={"file": rollup.file, "cause": str(error)})
            return None

    # ---- from samples

    def _pages(self, asked: _Asked) -> Iterator[Samples]:
        """All rows in their order; at least one page, be it empty."""
        span = asked.span
        if self._rows(asked) <= PAGE_ROWS:
            yield _samples(self._readers.read(span, None, asked.snapshot), 0)
            return
        counts = self._readers.counts(span, asked.snapshot)
        at = 0
        while at < len(counts):
            stop, rows = at + 1, counts[at]
            while stop < len(counts) and rows + counts[stop] <= PAGE_ROWS:
                rows += counts[stop]
                stop += 1
            group = asked._replace(span=span._replace(points=span.points[at:stop]))
            yield from self._group(group, at, rows)
            at = stop

    def _group(self, asked: _Asked, at: int, rows: int) -> Iterator[Samples]:
        """The rows of some points, of which the first is number `at` of those asked for."""
        span = asked.span
        limit = PAGE_ROWS if rows > PAGE_ROWS else None
        while True:
            batch = self._readers.read(span, limit, asked.snapshot)
            yield _samples(batch, at)
            if limit is None or len(batch) < limit:
                return
            span = span._replace(start_ns=int(batch.time_ns[-1]) + 1)

    # ---- from roll-ups

    def _level(self, asked: _Asked, level_ns: int) -> Iterator[Sums]:
        """Summaries per bucket of a level; those of one point and bucket do not interleave."""
        parts = [bucketed(_samples(asked.hot, 0), level_ns, asked.wanted)]
        lacking: dict[bytes, tuple[Indices, list[Segment]]] = {}
        for segment in asked.segments:
            span = asked.span
            sidecar = self._open(segment.rollup)
            places = np.arange(len(asked.ids), dtype=np.int32)
            if sidecar:
                times = (span.start_ns, span.stop_ns)
                parts.append(sidecar.read(level_ns, asked.ids, times, asked.wanted))
                there = sidecar.samples(asked.ids) > 0
                places = places[there & ~sidecar.holds(level_ns, asked.ids)]
            if len(places):
                _, same = lacking.setdefault(places.tobytes(), (places, []))
                same.append(segment)
        for places, segments in lacking.values():
            parts += self._from_segments(asked, level_ns, places, segments)
        yield from self._settled(asked, level_ns, _sorted(joined(parts)))

    def _from_segments(
        self, asked: _Asked, level_ns: int, places: Indices, segments: list[Segment]
    ) -> Iterator[Sums]:
        """What samples of some points in some segments sum up to."""
        points = [asked.span.points[p] for p in places.tolist()]
        rows = sum(self._held(s, asked.ids[places]) for s in segments)
        for start, stop in _windows(asked.span, segments, level_ns, rows):
            within = [s for s in segments if s.time_max >= start and s.time_min < stop]
            if within:
                batch = self._readers.settled(Span(points, start, stop), within)
                sums = bucketed(_samples(batch, 0), level_ns, asked.wanted)
                yield {**sums, "place": places[sums["place"]]}

    def _settled(self, asked: _Asked, level_ns: int, sums: Sums) -> Iterator[Sums]:
        """The summaries, with buckets whose parts interleave summed up anew."""
        place, bucket = sums["place"], sums["time_ns"]
        same = (place[1:] == place[:-1]) & (bucket[1:] == bucket[:-1])
        again = same & (sums["begin_ns"][1:] <= sums["end_ns"][:-1])
        if not again.any():
            yield sums
            return
        group = np.concatenate([[0], np.cumsum(~same)])
        clear = ~np.isin(group, group[1:][again])
        yield {n: c[clear] for n, c in sums.items()}
        place, bucket = place[~clear], bucket[~clear]
        for number in np.unique(place).tolist():
            yield from self._anew(asked, level_ns, number, np.unique(bucket[place == number]))

    def _anew(self, asked: _Asked, level_ns: int, place: int, starts: Ints) -> Iterator[Sums]:
        """Some buckets of one point, summed up from samples."""
        breaks = np.flatnonzero(starts[1:] - starts[:-1] > level_ns) + 1
        runs = np.split(starts, breaks if len(breaks) < RUNS_MAX else [])
        one = asked.only(place)
        for run in runs:
            pages = self._pages(one.within(int(run[0]), int(run[-1]) + level_ns))
            parts = [bucketed(s, level_ns, asked.wanted) for s in pages]
            sums = _sorted(joined(parts))
            mask = np.isin(sums["time_ns"], run)
            sums = {n: c[mask] for n, c in sums.items()}
            yield {**sums, "place": np.full(int(mask.sum()), place, dtype=np.int32)}

    # ---- where only roll-ups are left

    def _thinned(self, asked: _Asked, levels: Sequence[int]) -> Iterator[Sums]:
        """Summaries of segments whose samples are gone.

        A bucket wider than the interval counts for the interval that it begins in.
        """
        span = asked.span
        for thinned in asked.snapshot.thinned:
            outside = thinned.time_max < span.start_ns or thinned.time_min >= span.stop_ns
            sidecar = None if outside else self._open(thinned.rollup)
            if sidecar is None:
                continue
            for level, mask in sidecar.widest(asked.ids, levels).items():
                places = np.flatnonzero(mask).astype(np.int32)
                times = (span.start_ns, span.stop_ns)
                sums = sidecar.read(level, asked.ids[places], times, asked.wanted)
                yield {**sums, "place": places[sums["place"]]}


def _levels(edges_ns: Ints) -> list[int]:
    """Levels whose buckets no edge cuts, but for the first and the last edge; widest last."""
    inner = edges_ns[1:-1]
    return [level for level in LEVELS_NS if not (inner % level).any()]


def _samples(batch: Batch, at: int) -> Samples:
    place = batch.index + np.int32(at) if at else batch.index
    return Samples(place, batch.time_ns, batch.number, batch.has_number, batch.quality)


def _sorted(sums: Sums) -> Sums:
    """By place and time."""
    place, begin = sums["place"], sums["begin_ns"]
    rises = (place[1:] > place[:-1]) | ((place[1:] == place[:-1]) & (begin[1:] >= begin[:-1]))
    if rises.all():
        return sums
    order = np.lexsort((begin, place))
    return {n: c[order] for n, c in sums.items()}


def _windows(
    span: Span, segments: list[Segment], level_ns: int, rows: int
) -> Iterator[tuple[int, int]]:
    """Times, cut where buckets end, in which there are not too many rows."""
    start = max(span.start_ns, min(s.time_min for s in segments) // level_ns * level_ns)
    stop = min(span.stop_ns, (max(s.time_max for s in segments) // level_ns + 1) * level_ns)
    pieces = max(-(-rows // PAGE_ROWS), 1)
    width = max(-(-(stop - start) // pieces // level_ns) * level_ns, level_ns)
    for at in range(start, stop, width):
        yield at, min(at + width, stop)
