"""The steps of all followers: the present a moment behind, and history again where it changed."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import LineshaftError, Unavailable
from lineshaft.core.event import Event
from lineshaft.core.flow import wait_s
from lineshaft.operations import Latest
from lineshaft.operations.expressions.tails import LONG_AGO, Samples
from lineshaft.operations.frames.book import Book, put_mark, transactions
from lineshaft.operations.frames.crew import Crew, Track
from lineshaft.operations.frames.feed import COUNTED_NS, read, step_end
from lineshaft.operations.frames.walk import Groups, Walk
from lineshaft.records import Append, Change
from lineshaft.spines import Spine
from lineshaft.stores import Store

log = logging.getLogger(__name__)

CALM_NS = NS_PER_S
"""Late samples are waited for until none has come for so long."""
PATIENCE_NS = 60 * NS_PER_S
"""But no longer than this."""
UNSETTLED_NS_MAX = 10 * NS_PER_S
"""How long samples that the store should have are waited for."""
GRID_NS = NS_PER_S // 4
"""Steps end on this grid, so that followers come to stand at the same time."""
MARK_NS = 60 * NS_PER_S
"""How far a follower goes on without its mark being kept, when nothing happens."""
ALOUD_ROWS = 5_000
"""Steps with more samples are worked off in a thread of their own."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far history has been gone through again, on one asset."""

    template: str
    asset: str
    start_ns: int
    stop_ns: int
    until_ns: int
    """Where it is now; 0 before it has begun."""


class Worker:
    """Moves followers on, and writes what comes of it."""

    def __init__(
        self,
        *,
        crew: Crew,
        store: Store,
        book: Book,
        spine: Spine,
        latest: Latest,
        clock: Callable[[], int],
    ) -> None:
        self._crew, self._store, self._book, self._spine = crew, store, book, spine
        self._latest, self._clock = latest, clock
        self._unsettled_since_ns = 0
        self.trouble = ""
        """Why frames cannot be kept now; empty when they can."""

    async def step(self) -> bool:
        """One step of everything; whether there is more to do at once."""
        now = self._clock()
        if not self._settled(now):
            return False
        more = False
        current: dict[tuple[int, int], list[Track]] = {}
        for track in list(self._crew.tracks.values()):
            until_ns = (now - self._crew.wait_ns(track)) // GRID_NS * GRID_NS
            if track.live is None:
                track.live = await self._begun(track, until_ns)
            at_ns = track.live.follower.until_ns
            if until_ns - at_ns > COUNTED_NS or track.live.high_ns is not None:
                more |= await self._catch_up(track, until_ns)
            elif until_ns > at_ns:
                current.setdefault((at_ns, until_ns), []).append(track)
        for (at_ns, until_ns), tracks in current.items():
            await self._together(at_ns, tracks, until_ns)
        for track in list(self._crew.tracks.values()):
            if track.dirty is not None or track.repair is not None:
                more |= await self._repair(track, now)
        return more

    def progress(self) -> list[Progress]:
        """What is gone through again now, or is to be."""
        found = []
        for track in self._crew.tracks.values():
            template, asset = track.bound.template.name, track.bound.asset
            if track.repairing is not None and track.repair is not None:
                span, until_ns = track.repairing, track.repair.follower.until_ns
            elif track.dirty is not None:
                span, until_ns = track.dirty, 0
            else:
                continue
            found.append(
                Progress(
                    template=template,
                    asset=asset,
                    start_ns=span[0],
                    stop_ns=span[1],
                    until_ns=until_ns,
                )
            )
        return found

    # ---- the present

    def _settled(self, now_ns: int) -> bool:
        """Whether the store has what passed on the spine."""
        waiting = {}
        for path, time_ns in self._crew.unsettled.items():
            sample = self._latest.latest(path)
            if sample is None or sample.time_ns < time_ns:
                waiting[path] = time_ns
        self._crew.unsettled = waiting
        if not waiting:
            self._unsettled_since_ns = 0
            return True
        self._unsettled_since_ns = self._unsettled_since_ns or now_ns
        if now_ns - self._unsettled_since_ns < UNSETTLED_NS_MAX:
            return False
        # The store refused them, or a person removed them meanwhile.
        self._crew.unsettled = {}
        return True

    async def _begun(self, track: Track, until_ns: int) -> Walk:
        template = track.bound.template
        start_ns = until_ns - round(template.backfill_s * NS_PER_S)
        if track.mark is not None and track.mark.until_ns is not None:
            start_ns = track.mark.until_ns + 1
        return await Walk.begun(self._store, self._book, track.bound, min(start_ns, until_ns))

    async def _catch_up(self, track: Track, until_ns: int) -> bool:
        """One step of a follower that is behind; whether it still is."""
        walk = track.live
        if walk is None:
            return False
        start_ns = walk.follower.until_ns + 1
        if until_ns < start_ns:
            return False
        stop_ns = await step_end(self._store, track.bound.points, start_ns, until_ns + 1)
        await self._go(track, walk, stop_ns - 1)
        return stop_ns <= until_ns

    async def _together(self, at_ns: int, tracks: list[Track], until_ns: int) -> None:
        """One step of all that stand at the same time; the store is read once."""
        points = sorted({p for t in tracks for p in t.bound.points})
        columns = await read(self._store, points, at_ns + 1, until_ns + 1)
        groups: Groups = []
        for track in tracks:
            if track.live is not None:
                found = track.live.step(columns, until_ns)
                groups += found
                groups += self._mark(track, happened=bool(found))
        await self.keep(groups)

    async def _go(self, track: Track, walk: Walk, until_ns: int) -> None:
        start_ns = walk.follower.until_ns + 1
        columns = await read(self._store, track.bound.points, start_ns, until_ns + 1)
        await walk.meet(self._book, until_ns)
        groups = await _stepped(walk, columns, until_ns)
        if walk is track.live:
            groups += self._mark(track, happened=bool(groups))
        await self.keep(groups)

    def _mark(self, track: Track, *, happened: bool) -> Groups:
        kept_ns = (track.mark.until_ns if track.mark else None) or 0
        if not happened and track.until_ns - kept_ns < MARK_NS:
            return []
        track.mark = track.marked()
        return [[put_mark(track.key, track.mark)]]

    # ---- history again

    async def _repair(self, track: Track, now_ns: int) -> bool:
        """One step of a follower that goes through history again; whether there is more."""
        live = track.live
        if live is None or live.high_ns is not None:
            return False
        if track.repair is None and not await self._begin_repair(track, now_ns):
            return False
        walk, span = track.repair, track.repairing
        if walk is None or span is None:
            return False
        end_ns = live.follower.until_ns
        start_ns = walk.follower.until_ns + 1
        if start_ns <= end_ns:
            walk.high_ns = end_ns
            stop_ns = await step_end(self._store, track.bound.points, start_ns, end_ns + 1)
            await self._go(track, walk, stop_ns - 1)
        at_ns = walk.follower.until_ns
        if at_ns >= end_ns:
            track.live = walk
        elif not (at_ns >= span[1] and _meets(walk, live)):
            return True
        track.repair = track.repairing = None
        track.mark = track.marked()
        await self.keep([[put_mark(track.key, track.mark)]])
        return track.dirty is not None

    async def _begin_repair(self, track: Track, now_ns: int) -> bool:
        span = track.dirty
        calm = now_ns - track.dirty_since_ns >= CALM_NS
        if span is None or not (calm or now_ns - track.dirty_first_ns >= PATIENCE_NS):
            return False
        if not await self._has(track, now_ns):
            return False
        track.dirty = None
        bound = track.bound
        track.repairing = (span[0], await self._shows_until(track, span[1]))
        track.repair = await Walk.begun(self._store, self._book, bound, span[0])
        return True

    async def first_ns(self, track: Track, start_ns: int, stop_ns: int) -> int:
        """From where in a span history can give other frames than are kept; `stop_ns` at last.

        Where there is neither a sample nor a frame nothing needs to be gone through.
        """
        bound, live = track.bound, track.live
        template, asset = bound.template.name, bound.asset
        if await self._book.covering(template, asset, start_ns) is not None:
            return start_ns
        clocked = any(e.every_ns for e in bound.expressions)
        oldest = await self._store.after(bound.points, LONG_AGO if clocked else start_ns)
        found: list[int] = [stop_ns, *oldest.time_ns.tolist()]
        frame_ns = await self._book.oldest_ns(template, asset, start_ns)
        found += [] if frame_ns is None else [frame_ns]
        if live is not None and live.follower.start_ns is not None:
            found.append(live.follower.start_ns)
        return max(min(found), start_ns)

    async def _has(self, track: Track, now_ns: int) -> bool:
        """Whether the store has the late sample by now."""
        if track.awaited is None or now_ns - track.dirty_since_ns > UNSETTLED_NS_MAX:
            return True
        path, time_ns = track.awaited
        return await self._store.count([path], time_ns, time_ns + 1) > 0

    async def _shows_until(self, track: Track, last_ns: int) -> int:
        """Until when a sample of that time may show in the expressions."""
        bound = track.bound
        reaches = [e.reach_ns for e in bound.expressions]
        if None in reaches:
            return track.until_ns
        following = await self._store.after(bound.points, last_ns + 1)
        if len(set(following.points)) < len(bound.points) or not len(following):
            return track.until_ns
        held_ns = max(int(following.time_ns.max()), last_ns)
        longest = max(r for r in reaches if r is not None)
        return held_ns + longest + round(bound.template.min_s * NS_PER_S)

    # ---- writing down

    async def keep(self, groups: Groups) -> None:
        """Write, however long that takes: nothing goes on before it is kept."""
        for changes in transactions(groups):
            await self._commit(changes)
            await self.tell(c.event for c in changes if isinstance(c, Append))

    async def _commit(self, changes: Sequence[Change]) -> None:
        attempt = 0
        while True:
            try:
                await self._book.records.commit(*changes)
            except Unavailable as error:
                attempt += 1
                self.trouble = f"frames: {error}"
                if attempt == 1:
                    log.error("frames cannot be kept", extra={"cause": str(error)})  # noqa: TRY400
                await asyncio.sleep(wait_s(attempt))
            else:
                self.trouble = ""
                return

    async def tell(self, events: Iterable[Event]) -> None:
        """Announce what is in the log."""
        for event in events:
            try:
                await self._spine.announce(event)
            except LineshaftError as error:
                log.warning("event not announced", extra={"kind": event.kind, "cause": str(error)})


async def _stepped(walk: Walk, columns: Mapping[str, Samples], until_ns: int) -> Groups:
    if sum(len(c.time_ns) for c in columns.values()) > ALOUD_ROWS:
        return await asyncio.to_thread(walk.step, columns, until_ns)
    return walk.step(columns, until_ns)


def _meets(walk: Walk, live: Walk) -> bool:
    """Whether history goes on from here as it was followed before."""
    at_ns, open_ns = walk.follower.until_ns, live.follower.start_ns
    hidden = open_ns is not None and open_ns <= at_ns
    return walk.at_rest and walk.covered_ns < at_ns and not hidden
