"""Raw samples, point after point: all of them as a stream, or a page at a time."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import numpy as np

from lineshaft.core.batch import Batch, Ints
from lineshaft.core.errors import Invalid
from lineshaft.historian.query.filters import Sieve
from lineshaft.historian.query.pages import Mark
from lineshaft.historian.query.parts import places
from lineshaft.historian.query.plan import Plan
from lineshaft.stores import Store
from lineshaft.web import times

TOGETHER_MAX = 512
"""Points that one page reads at the same time, at most."""
TOGETHER_FIRST = 8
"""Points that a page reads at first, when it is not known how many samples they have."""
SIFTED_MIN = 20_000
"""Samples of each point that are read at a time when a filter may pass over many."""
HELD_MAX = 400_000
"""Samples that a page holds at a time."""


async def stream(store: Store, plan: Plan, sieve: Sieve) -> AsyncGenerator[Batch]:
    """All samples of the plan, by point and time."""
    bounds = getattr(plan.query.do, "bounds", False)
    rows = store.scan(plan.paths, plan.start_ns, plan.stop_ns)
    merged = _with_bounds(store, plan, rows) if bounds else rows
    async with aclosing(merged) as batches:
        async for batch in batches:
            yield await asyncio.to_thread(sieve.keep, batch)


async def _with_bounds(
    store: Store, plan: Plan, rows: AsyncGenerator[Batch]
) -> AsyncGenerator[Batch]:
    """The rows, and for each point the sample before its first and the one after its last."""
    outside = await bounds_of(store, plan.paths, plan.start_ns, plan.stop_ns)
    done = 0
    async with aclosing(rows) as batches:
        async for batch in batches:
            last = _key(batch, plan.paths)
            upto = _before(outside, last, plan.paths)
            yield await asyncio.to_thread(
                sort, Batch.concat([outside.slice(done, upto), batch]), plan.paths
            )
            done = upto
    if done < len(outside):
        yield outside.slice(done, len(outside))


async def bounds_of(store: Store, paths: Sequence[str], start_ns: int, stop_ns: int) -> Batch:
    """The last sample before the start and the first from the stop on, by point and time."""
    before = await store.before(paths, start_ns)
    after = await store.after(paths, stop_ns)
    return sort(Batch.concat([before, after]), paths)


def sort(batch: Batch, paths: Sequence[str]) -> Batch:
    """The rows by the place of their point in `paths`, and time."""
    place = np.array(places(batch, paths), dtype=np.int64)[batch.index]
    return batch.take(np.lexsort((batch.time_ns, place)))


def _key(batch: Batch, paths: Sequence[str]) -> tuple[int, int]:
    """Place and time of the last row."""
    place = places(batch, paths)[int(batch.index[-1])]
    return place, int(batch.time_ns[-1])


def _before(batch: Batch, key: tuple[int, int], paths: Sequence[str]) -> int:
    """How many of the sorted rows come before the key."""
    place: Ints = np.array(places(batch, paths), dtype=np.int64)[batch.index]
    earlier = (place < key[0]) | ((place == key[0]) & (batch.time_ns < key[1]))
    return int(earlier.sum())


# ---- pages


class Page:
    """One page of samples: at most `limit` rows, then a mark for the next."""

    def __init__(self, store: Store, plan: Plan, sieve: Sieve) -> None:
        self._store = store
        self._plan = plan
        self._sieve = sieve
        self._left = plan.query.limit
        self._bounds = getattr(plan.query.do, "bounds", False)
        self._outside = Batch.empty()
        self._together = TOGETHER_FIRST
        self.next: Mark | None = None
        """Where the page after this begins, once this one is read; None when it is the last."""

    async def read(self, mark: Mark | None) -> AsyncGenerator[Batch]:
        """The rows from the mark on."""
        paths, start_ns, stop_ns = self._plan.paths, self._plan.start_ns, self._plan.stop_ns
        first_ns = start_ns
        if self._bounds:
            self._outside = await bounds_of(self._store, paths, start_ns, stop_ns)
            first_ns = -times.TIME_NS_MAX
        at, time_ns = (self._place(mark.point), mark.time_ns) if mark else (0, first_ns)
        while at < len(paths):
            if not self._left:
                self.next = self._mark(at, time_ns)
                return
            ask = self._left + 1 if self._sieve.open else max(self._left + 1, SIFTED_MIN)
            together = 1 if time_ns > first_ns else max(min(self._together, HELD_MAX // ask), 1)
            group = paths[at : at + together]
            batch = await self._store.read(group, max(time_ns, start_ns), stop_ns, limit=ask)
            found, cut = await asyncio.to_thread(self._chosen, batch, group, ask, time_ns)
            if len(found):
                yield found
            if self.next is not None:
                return
            if cut is None:
                at, time_ns = at + len(group), first_ns
                self._together = min(self._together * 4, TOGETHER_MAX)
            else:
                at, time_ns = at + cut[0], cut[1] + 1
                self._together = TOGETHER_FIRST

    def _chosen(
        self, batch: Batch, group: Sequence[str], ask: int, since_ns: int
    ) -> tuple[Batch, tuple[int, int] | None]:
        """The rows that fit and have room, and where reading broke off within the group."""
        place: Ints = np.array(places(batch, group), dtype=np.int64)[batch.index]
        counts = np.bincount(place, minlength=len(group))
        full = np.flatnonzero(counts >= ask)
        cut = None
        if len(full):
            # Of this point there may be more, so nothing behind it can be given yet.
            stop = int(counts[: full[0] + 1].sum())
            batch, place = batch.slice(0, stop), place[:stop]
            cut = int(full[0]), int(batch.time_ns[-1])
        if len(self._outside):
            batch = self._with_outside(batch, group, cut, since_ns)
            place = np.array(places(batch, group), dtype=np.int64)[batch.index]
        kept = np.flatnonzero(self._sieve.fits(batch))
        if len(kept) > self._left:
            first_out = int(kept[self._left])
            point = group[int(place[first_out])]
            self.next = self._mark(self._plan.paths.index(point), int(batch.time_ns[first_out]))
            kept = kept[: self._left]
        self._left -= len(kept)
        return (batch if len(kept) == len(batch) else batch.take(kept)), cut

    def _with_outside(
        self, batch: Batch, group: Sequence[str], cut: tuple[int, int] | None, since_ns: int
    ) -> Batch:
        """The rows and the bounds of their points, but those before the mark or behind the cut."""
        outside = self._outside
        place: Ints = np.array(places(outside, group), dtype=np.int64)[outside.index]
        which = (place > 0) | ((place == 0) & (outside.time_ns >= since_ns))
        if cut is not None:
            early = outside.time_ns < self._plan.start_ns
            which &= (place < cut[0]) | ((place == cut[0]) & early)
        return sort(Batch.concat([batch, outside.take(which)]), group)

    def _mark(self, at: int, time_ns: int) -> Mark:
        return Mark(self._plan.start_ns, self._plan.stop_ns, self._plan.paths[at], time_ns)

    def _place(self, point: str) -> int:
        try:
            return self._plan.paths.index(point)
        except ValueError:
            raise Invalid(
                "the cursor belongs to another question",
                remedy="Give it back with the same points.",
            ) from None
