"""Which derived point is made of which: the order to evaluate them in, and what late data touches.

A change costs as much as the part of the graph that stands above the points it names.
"""

import heapq
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lineshaft.core.errors import Invalid

NODES_MAX = 100_000
"""Derived points in one graph."""


class Touched(NamedTuple):
    """Rows of a derived point in [`start_ns`, `stop_ns`) that have to be computed again."""

    path: str
    start_ns: int
    stop_ns: int


class Graph:
    """Derived points and what they read; never holds a cycle."""

    def __init__(self) -> None:
        self._reads: dict[str, tuple[str, ...]] = {}
        self._reach: dict[str, int | None] = {}
        self._readers: dict[str, dict[str, None]] = {}
        self._rank: dict[str, int] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._reads

    def __len__(self) -> int:
        return len(self._reads)

    def reads(self, path: str) -> tuple[str, ...]:
        """What a derived point reads."""
        return self._reads[path]

    def put(self, path: str, reads: Iterable[str], *, reach_ns: int | None = 0) -> None:
        """Add a derived point, or change what it reads; see `Expression.reach_ns`.

        Raises:
            Invalid: it would read itself, on whatever way, which is named; nothing is changed then.
        """
        reads = tuple(dict.fromkeys(reads))
        way = self._way(path, frozenset(reads))
        if way is not None:
            raise Invalid(
                f"{path!r} would be made of itself: {' → '.join((*way, way[0]))}",
                remedy="Leave one of these points out of the expression of another.",
            )
        if path not in self._reads and len(self._reads) >= NODES_MAX:
            raise Invalid(f"there are {NODES_MAX} derived points already")
        self._forget(path)
        self._reads[path] = reads
        self._reach[path] = reach_ns
        for source in reads:
            self._readers.setdefault(source, {})[path] = None
        self._raise(path)

    def remove(self, path: str) -> None:
        """Take a derived point out; what reads it then reads a point from outside."""
        self._forget(path)
        self._reads.pop(path, None)
        self._reach.pop(path, None)
        self._rank.pop(path, None)

    def order(self, paths: Iterable[str] | None = None) -> list[str]:
        """Derived points, each after all that it reads; all of them when None."""
        chosen = self._reads if paths is None else [p for p in paths if p in self._reads]
        return sorted(chosen, key=lambda p: (self._rank[p], p))

    def above(self, paths: Iterable[str]) -> list[str]:
        """What reads any of the points, directly or by way of others, in order."""
        found: dict[str, None] = {}
        waiting = list(paths)
        while waiting:
            for reader in self._readers.get(waiting.pop(), ()):
                if reader not in found:
                    found[reader] = None
                    waiting.append(reader)
        return self.order(found)

    def touched(self, changed: Sequence[Touched], until_ns: int) -> list[Touched]:
        """What has to be computed again once values of points changed, in the order to do it.

        A span ends where the next value that did not change begins. The rows of what reads the
        point change for as much longer as its expression looks back; without a bound, up to
        `until_ns`, where spans end at the latest. Spans of one point are joined.
        """
        spans: dict[str, tuple[int, int]] = {}
        for path, start, stop in changed:
            _widen(spans, path, start, min(stop, until_ns))
        queue = [(self._rank.get(p, -1), p) for p in spans]
        heapq.heapify(queue)
        found: list[Touched] = []
        seen: set[str] = set()
        while queue:
            _, path = heapq.heappop(queue)
            if path in seen:
                continue
            seen.add(path)
            start, stop = spans[path]
            if path in self._reads:
                found.append(Touched(path, start, stop))
            for reader in self._readers.get(path, ()):
                reach = self._reach[reader]
                end = until_ns if reach is None else min(stop + reach, until_ns)
                _widen(spans, reader, start, end)
                heapq.heappush(queue, (self._rank[reader], reader))
        return [t for t in found if t.start_ns < t.stop_ns]

    # ---- keeping it in order

    def _way(self, path: str, reads: frozenset[str]) -> tuple[str, ...] | None:
        """How `path` already leads to something that it is to read; None when it does not."""
        if path in reads:
            return (path,)
        came: dict[str, str] = {path: ""}
        waiting = [path]
        while waiting:
            here = waiting.pop()
            for reader in self._readers.get(here, ()):
                if reader in came:
                    continue
                came[reader] = here
                if reader in reads:
                    return _back(came, reader)
                waiting.append(reader)
        return None

    def _forget(self, path: str) -> None:
        for source in self._reads.get(path, ()):
            readers = self._readers[source]
            del readers[path]
            if not readers:
                del self._readers[source]

    def _raise(self, path: str) -> None:
        """See that it and all above it stand higher than what they read."""
        waiting = [path]
        while waiting:
            here = waiting.pop()
            below = [self._rank[s] for s in self._reads[here] if s in self._reads]
            rank = max(below, default=-1) + 1
            if rank > self._rank.get(here, -1):
                self._rank[here] = rank
                waiting += self._readers.get(here, ())


def _back(came: dict[str, str], path: str) -> tuple[str, ...]:
    way = [path]
    while came[way[-1]]:
        way.append(came[way[-1]])
    return tuple(way)


def _widen(spans: dict[str, tuple[int, int]], path: str, start: int, stop: int) -> None:
    old = spans.get(path, (start, stop))
    spans[path] = (min(old[0], start), max(old[1], stop))
