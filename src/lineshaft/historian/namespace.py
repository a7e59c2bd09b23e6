"""The unified namespace: every point that is known, as a tree that can be walked and searched."""

import asyncio
import logging
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid, Missing, Unavailable
from lineshaft.core.flow import wait_s
from lineshaft.core.path import check_path, is_under
from lineshaft.core.point import Kind, Point
from lineshaft.records import Collection, Column, Put, Records
from lineshaft.web.paging import check_limit, cursor_of, key_of

log = logging.getLogger(__name__)

COLLECTION = Collection(name="points", columns={"source": Column.TEXT})
PUTS_MAX = 500
"""Points written to the records in one transaction."""


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """One branch or point below a branch."""

    name: str
    path: str
    points: int
    """How many points are at it or below."""
    children: bool
    """Whether there is something below."""
    point: Point | None = None
    """The point that has this path, if one has."""


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """What is directly below a branch."""

    branch: str
    children: list[Child]


class _Node:
    __slots__ = ("below", "points")

    def __init__(self) -> None:
        self.below: dict[str, _Node] = {}
        self.points = 0


def sees(who: Identity, path: str) -> bool:
    """Whether the identity may know that the path exists."""
    return any(is_under(path, branch) for branch in who.branches)


class Namespace:
    """All points by path, in memory; kept in the records a moment later.

    What a driver declares replaces what was known of the path. A path that only turns up in
    data is known by inference until somebody declares it.
    """

    def __init__(self, records: Records, *, points_max: int) -> None:
        self._records = records
        self.points_max = points_max
        self.refused = 0
        """Paths that turned up in data and were not taken in: ill-formed, or one too many."""
        self._points: dict[str, Point] = {}
        self._sorted: list[str] = []
        self._texts = _Texts(())
        self._stale = False
        self.version = 0
        """Rises with every point taken in or changed."""
        self._root = _Node()
        self._unsaved: dict[str, Point] = {}
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._points)

    def __contains__(self, path: str) -> bool:
        return path in self._points

    # ---- taking in

    async def load(self) -> None:
        """Know what the records know."""
        cursor = ""
        while True:
            page = await self._records.find(COLLECTION.name, cursor=cursor, limit=1000)
            for record in page.records:
                self._take(msgspec.json.decode(record.data, type=Point))
            cursor = page.cursor
            if not cursor:
                return

    async def close(self) -> None:
        """Write the last news to the records; if they take nothing, say so."""
        try:
            await self.save()
        except Unavailable as error:
            log.warning("points not kept", extra={"count": len(self._unsaved), "cause": str(error)})

    def declare(self, points: Iterable[Point]) -> None:
        """Take in points as they are described; saying the same again is free."""
        for point in points:
            if self._points.get(point.path) != point:
                if point.path not in self._points and len(self._points) >= self.points_max:
                    self.refused += 1
                    continue
                self._take(point)
                self._unsaved[point.path] = point
                self._news.set()

    def infer(self, batch: Batch) -> None:
        """Take in the paths of a batch that nobody has declared."""
        strange = [(i, p) for i, p in enumerate(batch.points) if p not in self._points]
        if not strange:
            return
        index, has_text = batch.index, batch.has_text
        for place, path in strange:
            rows = index == place
            if not rows.any():
                continue
            try:
                check_path(path)
            except Invalid:
                self.refused += 1
                continue
            kind = Kind.TEXT if (has_text & rows).any() else Kind.NUMBER
            self.declare((Point(path=path, kind=kind),))

    def _take(self, point: Point) -> None:
        if point.path not in self._points:
            node = self._root
            node.points += 1
            for level in point.path.split("/"):
                node = node.below.setdefault(level, _Node())
                node.points += 1
        self._points[point.path] = point
        self.version += 1
        self._stale = True

    async def keep(self) -> None:
        """Write what is new to the records, until cancelled; what cannot be written waits."""
        attempt = 0
        while True:
            await self._news.wait()
            try:
                await self.save()
                attempt = 0
            except Unavailable as error:
                attempt += 1
                if attempt == 1:
                    log.warning("points wait for the records", extra={"cause": str(error)})
            self._news.clear()
            if self._unsaved:
                self._news.set()
            await asyncio.sleep(wait_s(max(attempt, 3)))

    async def save(self) -> None:
        """Write what is new to the records now.

        Raises:
            Unavailable: they cannot be written; it is kept for the next time.
        """
        while self._unsaved:
            part = list(self._unsaved.values())[:PUTS_MAX]
            await self._records.commit(
                *(
                    Put(
                        collection=COLLECTION.name,
                        key=p.path,
                        data=msgspec.json.encode(p),
                        rows=({"source": p.source},),
                    )
                    for p in part
                )
            )
            for point in part:
                if self._unsaved.get(point.path) is point:
                    del self._unsaved[point.path]

    # ---- looking

    def find(self, path: str) -> Point | None:
        """The point, or None; asks nobody's rights."""
        return self._points.get(path)

    def get(self, path: str, who: Identity) -> Point:
        """The point.

        Raises:
            Missing: there is none, or it is not for this identity to know.
        """
        point = self._points.get(path)
        if point is None or not sees(who, path):
            raise Missing(
                f"there is no point {path!r}", remedy="Find its path with GET /api/v1/points."
            )
        return point

    def under(self, branch: str, who: Identity) -> list[str]:
        """Sorted paths at or below the branch that the identity may see."""
        paths, _ = self._index()
        start, stop = self._range(branch)
        found = paths[start:stop]
        if branch:
            found = [p for p in found if is_under(p, branch)]
        return found if "" in who.branches else [p for p in found if sees(who, p)]

    def listed(
        self, who: Identity, *, branch: str, search: str, cursor: str, limit: int
    ) -> tuple[list[Point], str]:
        """A page of points as routes give it, and the cursor of the next, empty at the end.

        Raises:
            Invalid: cursor or limit is none that we give or take.
        """
        found = self.page(
            who,
            branch=branch.strip("/"),
            search=search,
            after=key_of(cursor),
            limit=check_limit(limit) + 1,
        )
        more = len(found) > limit
        return list(found[:limit]), cursor_of(found[limit - 1].path) if more else ""

    def page(
        self, who: Identity, *, branch: str = "", search: str = "", after: str = "", limit: int
    ) -> Sequence[Point]:
        """Points in the order of their paths, at most `limit`.

        `search` holds words; each must stand somewhere in path, description, unit or source,
        letter case ignored. `after` is the path of the last point of the page before.
        """
        paths, index = self._index()
        start, stop = self._range(branch)
        if after:
            start = max(start, bisect_right(paths, after))
        all_seen = "" in who.branches
        found = []
        for i in index.find(search, start, stop):
            path = paths[i]
            if is_under(path, branch) and (all_seen or sees(who, path)):
                found.append(self._points[path])
                if len(found) == limit:
                    break
        return found

    def tree(self, branch: str, who: Identity) -> Tree:
        """What is directly below the branch; the empty one is the root.

        Raises:
            Missing: there is no such branch, or it is not for this identity to know.
        """
        node: _Node | None = self._root
        for level in branch.split("/") if branch else ():
            node = node.below.get(level) if node else None
        seen = [
            child
            for name, below in sorted(node.below.items() if node else ())
            if (child := self._child(f"{branch}/{name}" if branch else name, name, below, who))
        ]
        if branch and (node is None or not (seen or sees(who, branch))):
            raise Missing(
                f"there is no branch {branch!r}", remedy="Walk down with GET /api/v1/tree."
            )
        return Tree(branch=branch, children=seen)

    def _child(self, path: str, name: str, node: _Node, who: Identity) -> Child | None:
        """The child as the identity sees it; None when nothing of it may be seen."""
        if sees(who, path):
            points = node.points
        else:
            points = sum(self._count(b) for b in set(who.branches) if is_under(b, path))
            if not points:
                return None
        point = self._points.get(path) if sees(who, path) else None
        return Child(name=name, path=path, points=points, children=bool(node.below), point=point)

    def _count(self, branch: str) -> int:
        node: _Node | None = self._root
        for level in branch.split("/"):
            node = node.below.get(level) if node else None
        return node.points if node else 0

    def _index(self) -> tuple[list[str], "_Texts"]:
        """All paths, sorted, and the texts beside them that a search looks into."""
        if self._stale:
            self._sorted = sorted(self._points)
            self._texts = _Texts(_search_text(self._points[p]) for p in self._sorted)
            self._stale = False
        return self._sorted, self._texts

    def _range(self, branch: str) -> tuple[int, int]:
        """Where in the sorted paths the branch and all below it stand, with some strangers."""
        paths, _ = self._index()
        if not branch:
            return 0, len(paths)
        # `/` sorts after `-` and before letters, so siblings as `a-b` may stand between.
        return bisect_left(paths, branch), bisect_left(paths, branch + "0")


def _search_text(point: Point) -> str:
    text = f"{point.path} {point.description} {point.unit} {point.source}".casefold()
    return text.replace("\n", " ")


class _Texts:
    """Lines joined to one text: finding a word in it is far quicker than asking each line."""

    def __init__(self, lines: Iterable[str]) -> None:
        kept = list(lines)
        self._text = "\n".join(kept) + "\n"
        self._starts = [0, *accumulate(len(line) + 1 for line in kept)]

    def find(self, search: str, start: int, stop: int) -> Iterator[int]:
        """Numbers of lines from `start` to `stop` that hold every word, letter case ignored."""
        words = search.casefold().split()
        first, end = self._starts[start], self._starts[stop]
        if not words:
            yield from range(start, stop)
            return
        rarest = min(words, key=lambda w: self._text.count(w, first, end))
        while (at := self._text.find(rarest, first, end)) >= 0:
            line = bisect_right(self._starts, at) - 1
            first = self._starts[line + 1]
            if all(self._text.find(w, self._starts[line], first) >= 0 for w in words):
                yield line
