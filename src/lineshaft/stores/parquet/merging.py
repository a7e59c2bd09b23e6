"""Merging, on a thread of its own: small segments become hours, hours of a day that is over a day.

The files are written beside everything else; only the change of the manifest is done by the
settler, and only if the segments that were merged still stand. So neither a flush nor a query
waits for a merge, and a merge that came too late is thrown away.
"""

import logging
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from msgspec.structs import replace

from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.stores._rules import Rules
from lineshaft.stores.parquet import index as indices
from lineshaft.stores.parquet.manifest import VERSION, Segment, Thinned
from lineshaft.stores.parquet.segments import DAY_NS, Shelf, day_of
from lineshaft.stores.parquet.settler import TROUBLES, Settler
from lineshaft.stores.parquet.shape import coarsest
from lineshaft.stores.parquet.state import State
from lineshaft.stores.parquet.weaving import weave

log = logging.getLogger(__name__)

HOUR_NS = 3600 * NS_PER_S
GRACE_NS = 600 * NS_PER_S
"""How long after its end an hour or a day may still get rows from a flush."""
SMALL_MAX = 8
"""More segments than this, besides the largest, are merged whatever they hold."""
HOUR_SHARE, DAY_SHARE = 16, 4
"""What came besides the largest segment of a time that is over is merged from such a part on."""
MERGED_ROWS_MAX = 32_000_000
"""A segment with more rows is left as it is, and none with more is made."""
TICK_S = 1.0
REST_S = 30.0
"""Seconds after which a merge that failed is tried again."""
NICE = 5
"""How much the thread stands back behind those that take data in."""


class Group(NamedTuple):
    """Segments to be merged."""

    name: str
    segments: tuple[Segment, ...]


class _Stopped(Exception):  # noqa: N818 - no error
    """The store is closing."""


class Swap(NamedTuple):
    """Puts segments that were written on a shelf in the place of others, from any thread."""

    state: State
    settler: Settler
    shelf: Shelf

    def do(
        self,
        gone: Sequence[Segment],
        added: Sequence[Segment],
        *,
        thinned: Sequence[Thinned] = (),
        drop: Sequence[Thinned] = (),
    ) -> bool:
        """Have the manifest name other segments; False when one of the old no longer stands.

        `thinned` come besides, and those of `drop` go.

        Raises:
            OSError: the disk does not take the change.
        """
        done = False
        trouble: Exception | None = None

        def change() -> None:
            nonlocal done, trouble
            manifest = self.state.manifest
            if set(gone) <= set(manifest.segments):
                # From here on the files may be named on the disk, even if the change fails.
                self.shelf.named()
                kept = [t for t in manifest.thinned if t not in drop]
                try:
                    self.settler.exchange(list(gone), list(added), thinned=[*kept, *thinned])
                    done = True
                except TROUBLES as error:
                    # The settler would swallow it, and the change be taken for done.
                    trouble = error

        self.settler.at_once(change)
        if trouble is not None:
            raise trouble
        if not done:
            self.shelf.forget()
        return done


class Merger:
    """Merges one group after another while the store is open."""

    def __init__(self, swap: Swap) -> None:
        self._swap = swap
        self._state, self._settler, self._shelf = swap
        self.rules = Rules(())
        """By which samples are kept: files are made so that they can be deleted by them."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store merger", daemon=True)

    def start(self) -> None:
        """Begin to merge."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a merge under way is thrown away."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        try:
            while not self._stopping.is_set():
                self._stopping.wait(self._step())
        finally:
            # Reached by a defect too: nothing is lost, but queries get slower and slower.
            if not self._stopping.is_set():
                with self._state.lock:
                    self._state.notes.append("the store's merger has ended; restart Lineshaft")

    def _step(self) -> float:
        """Merge one group, if there is one; how many seconds to wait then."""
        group = due(self._state.snapshot().segments, now_ns())
        if group is None:
            return TICK_S
        try:
            self._merge(group)
        except _Stopped:
            self._shelf.forget()
        except TROUBLES as error:
            self._shelf.forget()
            self._count("merges_failed")
            log.warning("not merged", extra={"group": group.name, "cause": str(error)})
            self._settler.mend(error)
            return REST_S
        return 0.0

    def _merge(self, group: Group) -> None:
        segments = list(group.segments)
        with self._settler.pinned([s.file for s in segments]):
            added = self.written(segments)
            done = self._swap.do(segments, added)
        self._count("merges" if done else "merges_discarded")

    def written(self, segments: Sequence[Segment]) -> list[Segment]:
        """The rows of all in new segments, one for each rule that keeps some of them.

        Raises:
            OSError: the disk does not take them; `Shelf.forget` clears what is left.
        """
        rules = self.rules
        paths = {p for s in segments for p in paths_of(self._shelf.path(s))}
        branches = rules.branches_of(paths)
        added = []
        for branch in sorted(branches):
            woven: Iterable[pa.Table] = weave(list(segments), self._shelf.folder)
            if len(branches) > 1:
                woven = rules.only({branch}, woven)
            segment = self._shelf.write(self._until_stopped(woven), coarsest(segments))
            added += [replace(segment, branch=branch)] if segment else []
        return added

    def _until_stopped(self, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        for table in tables:
            if self._stopping.is_set():
                raise _Stopped
            yield table

    def _count(self, name: str) -> None:
        with self._state.lock:
            figures = self._state.figures
            figures[name] = figures.get(name, 0) + 1


def paths_of(segment: Path) -> list[str]:
    """The points that have rows in a segment's file.

    Raises:
        OSError: it cannot be read; so does `pyarrow.ArrowInvalid`.
    """
    return indices.stored(segment)[0].paths


def due(segments: Sequence[Segment], now: int) -> Group | None:
    """Segments that should be merged now, where there are the most; None when all is well."""
    groups = sorted(_groups(segments, now).items(), key=lambda g: -len(g[1]))
    for (name, is_over), group in groups:
        if sum(s.rows for s in group) > MERGED_ROWS_MAX:
            continue
        rest = _besides_largest(group)
        share = DAY_SHARE if name.startswith("day") else HOUR_SHARE
        more, most = sum(s.rows for s in rest), sum(s.rows for s in group)
        if len(rest) > SMALL_MAX or (is_over and more and more * share >= most - more):
            return Group(name, tuple(group))
    old = (s for s in segments if s.version < VERSION and s.rows <= MERGED_ROWS_MAX)
    for segment in old:
        return Group("older version", (segment,))
    return None


def _groups(segments: Sequence[Segment], now: int) -> dict[tuple[str, bool], list[Segment]]:
    """Segments by the day or hour they are of, and whether that is over."""
    days: dict[int, list[Segment]] = {}
    for segment in segments:
        day = segment.time_min // DAY_NS
        if segment.rows <= MERGED_ROWS_MAX and segment.time_max // DAY_NS == day:
            days.setdefault(day, []).append(segment)
    groups: dict[tuple[str, bool], list[Segment]] = {}
    for day, group in days.items():
        is_over = (day + 1) * DAY_NS + GRACE_NS <= now
        if is_over and sum(s.rows for s in group) <= MERGED_ROWS_MAX:
            groups[f"day {day_of(day * DAY_NS)}", True] = group
            continue
        for segment in group:
            hour = segment.time_min // HOUR_NS
            name = f"hour {hour % 24} of {segment.day}"
            ended = (hour + 1) * HOUR_NS + GRACE_NS <= now
            groups.setdefault((name, ended), []).append(segment)
    return groups


def _besides_largest(group: list[Segment]) -> list[Segment]:
    """All but the largest segment of each rule, or of all when none is of a rule yet."""
    largest: dict[str | None, Segment] = {}
    for segment in group:
        known = largest.get(segment.branch)
        if known is None or segment.rows > known.rows:
            largest[segment.branch] = segment
    if len(largest) > 1:
        largest.pop(None, None)
    kept = {s.file for s in largest.values()}
    return [s for s in group if s.file not in kept]
