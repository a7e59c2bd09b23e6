"""The engine: keeps every derived point of the plant calculated, whoever owns it."""

import asyncio
import logging
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Invalid, Missing, Unavailable
from lineshaft.core.flow import supervise, wait_s
from lineshaft.core.point import Point
from lineshaft.operations import Names, deletions
from lineshaft.operations.derived.bank import Bank, Step, graph_of
from lineshaft.operations.derived.calculation import Calculation
from lineshaft.operations.derived.definition import Definition, check_definition
from lineshaft.operations.derived.marks import (
    FOREVER,
    KEPT,
    SEEN,
    Kept,
    Mark,
    everything,
    put_kept,
    same_rows,
)
from lineshaft.operations.derived.outbox import Outbox
from lineshaft.operations.derived.repairs import Hands, Repairs
from lineshaft.operations.derived.state import State, metrics_of, problems_of, state_of
from lineshaft.operations.expressions.graph import Touched
from lineshaft.operations.expressions.tails import LONG_AGO
from lineshaft.operations.listening import Listener
from lineshaft.records import Change, Delete, Records
from lineshaft.spines import Spine
from lineshaft.stores import Store
from lineshaft.web.metrics import Metric

log = logging.getLogger(__name__)

SUBSCRIPTION = "derived"
"""The durable subscription that the engine reads; declared on the spine before it runs."""
TICK_S = 0.5
"""Seconds from one look at the clock to the next."""


class Engine:
    """All derived points, by owner."""

    def __init__(
        self,
        *,
        names: Names,
        store: Store,
        records: Records,
        spine: Spine,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._names, self._store = names, store
        self._records, self._spine = records, spine
        self._clock = clock
        self._owned: dict[str, dict[str, Definition]] = {}
        self._known: dict[str, Kept] = {}
        self._bank = Bank(names.find)
        self._outbox = Outbox(spine)
        self.listener = Listener(spine, SUBSCRIPTION, self._take)
        self._turn = asyncio.Lock()
        self.gone: list[deletions.Told] = []
        """Told before and after rows of derived points are deleted, which no event tells."""
        hands = Hands(self._turn, self._keep, self._keep_marks, self._done, self._tell_gone, clock)
        self._repairs = Repairs(self._bank, store, self._outbox, hands)
        self._version = -1
        self._trouble = ""

    # ---- definitions

    async def start(self) -> None:
        """Know what the records know; owners put theirs after this, then `run`."""
        async for key, data in everything(self._records, KEPT.name):
            if key != SEEN.key:
                self._known[key] = msgspec.json.decode(data, type=Kept)

    async def put(self, owner: str, definitions: Sequence[Definition], *changes: Change) -> None:
        """Replace all definitions of an owner; what is unchanged goes on as it was.

        The owner's own changes of the records are committed with it.

        Raises:
            Invalid: one can never be, a point stands twice or belongs to another owner, or is made
                of itself, on a way that is named; nothing has changed then.
            Unavailable: the records cannot be written; nothing has changed then.
        """
        async with self._turn:
            mine = self._checked(owner, definitions)
            owned = {**self._owned, owner: mine}
            graph = graph_of([d for ds in owned.values() for d in ds.values()])
            made = await self._made(mine)
            kept = {p: self._kept_of(owner, mine[p], c) for p, c in made.items()}
            kept_now = [k for p, k in kept.items() if k != self._known.get(p)]
            gone = [p for p, k in self._known.items() if k.owner == owner and p not in mine]
            forgotten = [Delete(collection=KEPT.name, key=p) for p in gone]
            every: list[Change] = [*changes, *map(put_kept, kept_now), *forgotten]
            if every:
                await self._records.commit(*every)
            for path in gone:
                del self._known[path]
            for path, calculation in made.items():
                self._known[path] = kept[path]
                calculation.become(mine[path], kept[path])
            self._owned = owned
            stay = [c for p, c in self._bank.calculations.items() if p not in {*made, *gone}]
            self._bank.take([*stay, *made.values()], graph)
            self._declare()
        self._repairs.news.set()

    def _checked(self, owner: str, definitions: Sequence[Definition]) -> dict[str, Definition]:
        mine: dict[str, Definition] = {}
        for definition in map(check_definition, definitions):
            path = definition.point
            holder = next((o for o, ds in self._owned.items() if o != owner and path in ds), "")
            if path in mine or holder:
                where = f"belongs to {holder}" if holder else "is defined twice"
                raise Invalid(f"{path}: the derived point {where}", remedy="Give one of them up.")
            mine[path] = definition
        return mine

    async def _made(self, mine: dict[str, Definition]) -> dict[str, Calculation]:
        """A calculation for each definition: that which is there, where the rows stay the same."""
        made: dict[str, Calculation] = {}
        fresh = [p for p, d in mine.items() if not self._goes_on(p, d)]
        last = await self._store.last(fresh) if fresh else Batch.empty()
        stored = {last.points[n]: int(t) for n, t in zip(last.index, last.time_ns, strict=True)}
        for path, definition in mine.items():
            there = self._bank.calculations.get(path)
            if there is not None and path not in fresh:
                made[path] = there
                continue
            made[path] = Calculation(definition)
            until = there.until_ns if there else LONG_AGO
            made[path].edge_ns = max(stored.get(path, LONG_AGO), until)
        return made

    def _goes_on(self, path: str, definition: Definition) -> bool:
        there = self._bank.calculations.get(path)
        return there is not None and same_rows(there.definition, definition)

    def _kept_of(self, owner: str, definition: Definition, calculation: Calculation) -> Kept:
        """What the records are to hold of a definition that this calculation takes."""
        goes_on = self._is_there(calculation)
        known = calculation.kept if goes_on else self._known.get(definition.point)
        if known is None:
            now = self._clock()
            return Kept(owner=owner, definition=definition, since_ns=now, from_ns=now)
        if same_rows(known.definition, definition):
            return msgspec.structs.replace(known, owner=owner, definition=definition)
        since_ns = known.since_ns
        from_ns = max(calculation.until_ns + 1, since_ns)
        return Kept(owner=owner, definition=definition, since_ns=since_ns, from_ns=from_ns)

    def owned(self) -> list[tuple[str, Definition]]:
        """All definitions with their owners."""
        return [(o, d) for o, mine in self._owned.items() for d in mine.values()]

    def definitions(self, owner: str = "") -> list[Definition]:
        """Those of an owner, or of all."""
        owners = [owner] if owner else list(self._owned)
        return [d for o in owners for d in self._owned.get(o, {}).values()]

    def _declare(self) -> None:
        made = [c.compiled.point for c in self._bank.calculations.values() if c.compiled]
        self._names.declare(made)
        self._version = self._names.version

    # ---- looking

    def state(self, point: str) -> State | None:
        """How a derived point fares; None when there is no definition of it."""
        calculation = self._bank.calculations.get(point)
        return None if calculation is None else state_of(calculation)

    def problems(self) -> list[str]:
        """What is wrong now."""
        return [*([self._trouble] if self._trouble else []), *problems_of(self._bank)]

    def metrics(self) -> list[Metric]:
        """Its figures."""
        return metrics_of(self._bank, self._outbox)

    # ---- running

    async def run(self) -> None:
        """Calculate until cancelled.

        What a run before this one had in memory is not relied on: it may have ended in between.
        """
        for calculation in self._bank.calculations.values():
            calculation.forget()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.listener.run(), name="derived listen")
            group.create_task(self._watch_time(), name="derived time")
            group.create_task(self._outbox.run(), name="derived publish")
            # It reads the store: where it cannot go on, sources are not to wait for it.
            group.create_task(
                supervise("derived repairs", self._repairs.run), name="derived repairs"
            )
            group.create_task(
                deletions.follow(self._spine, self._records, self.deleted, SEEN, name="derived"),
                name="derived deletions",
            )

    async def _take(self, batch: Batch) -> None:
        async with self._turn:
            await self._keep(await self._bank.push(batch, self._clock()))

    async def _watch_time(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            async with self._turn:
                if self._names.version != self._version:
                    if self._bank.compile():
                        self._declare()
                        self._repairs.news.set()
                    self._version = self._names.version
                await self._keep(await self._bank.tick(self._clock()))

    async def _keep(self, step: Step) -> None:
        """Have rows published, and marks on record; called with the turn."""
        marked = list(step.marked)
        for batch in step.batches:
            if not self._outbox.put(batch):
                for place, path in enumerate(batch.points):
                    calculation = self._bank.calculations[path]
                    times = batch.time_ns[batch.index == place]
                    calculation.widen(Mark(start_ns=int(np.min(times))))
                    marked.append(calculation)
        await self._keep_marks(marked)

    async def _keep_marks(self, marked: Sequence[Calculation]) -> None:
        """Put wider marks on record, however long it takes; sources are held back meanwhile."""
        changes: list[Change] = []
        for calculation in filter(self._is_there, marked):
            mark, known = calculation.mark, calculation.kept.mark
            if mark is None or (known is not None and known.covers(_open(mark))):
                continue
            kept = msgspec.structs.replace(calculation.kept, mark=_open(mark).joined(known))
            calculation.kept = calculation.on_record = self._known[calculation.path] = kept
            changes.append(put_kept(kept))
        attempt = 0
        while changes:
            try:
                await self._records.commit(*changes)
                break
            except Unavailable as error:
                attempt += 1
                self._trouble = f"derived: late samples cannot be put on record: {error}"
                if attempt == 1:
                    log.error("marks cannot be kept", extra={"cause": str(error)})  # noqa: TRY400
                await asyncio.sleep(wait_s(attempt))
        if changes:
            self._trouble = ""
        if marked:
            self._repairs.news.set()

    def _is_there(self, calculation: Calculation) -> bool:
        """Whether it was not removed or defined otherwise meanwhile."""
        return self._bank.calculations.get(calculation.path) is calculation

    async def _done(self, calculation: Calculation) -> None:
        """Put on record what is left to do; called with the turn."""
        mark = _open(calculation.mark) if calculation.mark else None
        kept = msgspec.structs.replace(calculation.kept, mark=mark)
        if kept == calculation.on_record or not self._is_there(calculation):
            return
        await self._records.commit(put_kept(kept))
        calculation.kept = calculation.on_record = self._known[calculation.path] = kept

    async def _tell_gone(self, path: str, start_ns: int, stop_ns: int) -> None:
        for told in self.gone:
            await told([path], start_ns, stop_ns)

    # ---- history that changes

    def find(self, path: str) -> Point | None:
        """What a definition may read: a point of the namespace, or a derived one."""
        return self._bank.known(path)

    async def kept_aside(self, batch: Batch) -> None:
        """Take in what was stored without the spine: an import, a correction, a client's samples.

        Returns once what has to be computed anew is on record.
        """
        points, times, index = batch.points, batch.time_ns, batch.index
        changed: list[Touched] = []
        for place, path in enumerate(points):
            mine = times[index == place]
            readers = self._bank.graph.above([path])
            if not len(mine) or not readers or path in self._bank.calculations:
                continue
            untils = [self._bank.calculations[r].until_ns for r in readers]
            if int(mine.min()) <= max(untils):
                changed.append(await self._touched(path, int(mine.min()), int(mine.max()) + 1))
        touched = {t.path for t in changed}
        rest = batch.take(np.array([points[n] not in touched for n in index], dtype=np.bool_))
        async with self._turn:
            await self._keep_marks(self._bank.touch(changed))
            await self._keep(await self._bank.push(rest, self._clock()))

    async def deleted(self, points: list[str], start_ns: int, stop_ns: int) -> None:
        """Take in that samples are gone; of no points: of any."""
        graph = self._bank.graph
        named = points or dict.fromkeys(p for path in graph.order() for p in graph.reads(path))
        changed = [await self._touched(p, start_ns, stop_ns) for p in named if graph.above([p])]
        async with self._turn:
            await self._keep_marks(self._bank.touch(changed))

    async def _touched(self, path: str, start_ns: int, stop_ns: int) -> Touched:
        """The span in which other values hold now: up to the next sample."""
        after = await self._store.after([path], stop_ns)
        return Touched(path, start_ns, int(after.time_ns[0]) if len(after) else FOREVER)

    async def recompute(
        self, point: str, start_ns: int | None, stop_ns: int, *changes: Change
    ) -> None:
        """Have rows of a span computed again; None begins where it was first defined.

        The caller's own changes of the records are committed with it.

        Raises:
            Missing: there is no such derived point.
            Invalid: it cannot be calculated now.
        """
        async with self._turn:
            calculation = self._bank.calculations.get(point)
            if calculation is None:
                raise Missing(f"there is no derived point {point!r}")
            if calculation.compiled is None:
                raise Invalid(calculation.trouble, remedy="Mend its definition first.")
            kept = calculation.kept
            start_ns = kept.since_ns if start_ns is None else start_ns
            mark = Mark(start_ns=start_ns, stop_ns=stop_ns, gentle=True)
            kept = msgspec.structs.replace(
                kept,
                since_ns=min(start_ns, kept.since_ns),
                from_ns=min(start_ns, kept.from_ns),
                mark=_open(mark).joined(kept.mark),
            )
            await self._records.commit(*changes, put_kept(kept))
            calculation.kept = calculation.on_record = self._known[point] = kept
            calculation.widen(mark)
        self._repairs.news.set()


def _open(mark: Mark) -> Mark:
    """The mark as it is kept: to the end, so that only an earlier beginning is news."""
    return msgspec.structs.replace(mark, stop_ns=FOREVER)
