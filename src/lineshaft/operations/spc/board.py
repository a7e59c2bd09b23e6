"""The board: where all charts hang, live, and are kept through any restart.

A violation is written with the state that follows from it in one transaction before anybody is
told, and before the batch that caused it is confirmed to its source. What a chart knows is kept
besides that every few seconds; what passed since is read again from the store, so that after
`kill -9` nothing is lost and nothing is told twice.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import msgspec

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Invalid, LineshaftError
from lineshaft.core.event import Event
from lineshaft.core.point import Kind as PointKind
from lineshaft.core.point import Point
from lineshaft.operations import Names
from lineshaft.operations.expressions.tails import Samples
from lineshaft.operations.listening import Listener
from lineshaft.operations.spc.book import CHARTS, Book, every
from lineshaft.operations.spc.chart import Phase
from lineshaft.operations.spc.comments import COMMENTS, forget
from lineshaft.operations.spc.feed import compiled, split
from lineshaft.operations.spc.joining import SILENT_NS, TROUBLES_TOLD, blind, catch_up, joined
from lineshaft.operations.spc.ledger import STATES, Ledger, Told
from lineshaft.operations.spc.settings import ChartTable
from lineshaft.operations.spc.watcher import Happening, Kept, Standing, Watcher
from lineshaft.records import Append, Delete, Put, Records
from lineshaft.spines import Spine
from lineshaft.stores import Store
from lineshaft.web.metrics import Metric

log = logging.getLogger(__name__)

COLLECTIONS = (CHARTS, STATES, COMMENTS)
SUBSCRIPTION = "spc"
"""The durable subscription that the board reads; the plant declares it on the spine."""
TICK_S = 1.0
SAVE_S = 10.0
"""Seconds between two writings of what charts know, when nothing happens."""
RETRY_S = 30.0
"""Seconds between two attempts to learn a baseline, or to compile an expression."""
JOINING_MAX = 2000
"""Batches kept for a chart while it reads history."""
BREATH = 50
"""Charts after which others get a turn on the loop."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A chart as people see it."""

    chart: ChartTable
    standing: Standing
    phases: tuple[Phase, ...]
    """As they were resolved and learned; empty while there is none."""
    out: str
    """Path of the boolean point that tells whether it is out of control."""
    unit: str
    in_file: bool
    """Whether it stands in the settings file, where alone it can be changed."""
    trouble: str
    """Why it is not at work; empty when it is."""


class Board:
    """All charts of the plant."""

    def __init__(
        self,
        *,
        names: Names,
        store: Store,
        records: Records,
        spine: Spine,
        authorizer: Authorizer,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._names, self._store, self._records, self._spine = names, store, records, spine
        self.ledger = Ledger(records, spine)
        self.listener = Listener(spine, SUBSCRIPTION, self.take)
        self._clock = clock
        self.book = Book(authorizer)
        self._watchers: dict[str, Watcher] = {}
        self._kept: dict[str, Kept] = {}
        """Of charts that are not at work yet."""
        self._joining: dict[str, list[dict[str, Samples]]] = {}
        """What passed while a chart reads history."""
        self._of_point: dict[str, list[str]] = {}
        self._troubles: dict[str, str] = {}
        self._moved: set[str] = set()
        self._turn = asyncio.Lock()
        self._news = asyncio.Event()
        """There may be charts that are to join."""
        self._version = -1
        self.skipped = 0
        """Batches given up because a chart read history for too long."""

    # ---- life

    async def start(self, in_file: Sequence[ChartTable]) -> None:
        """Know the charts of the file and of the records, and where each stood.

        Raises:
            Invalid: a chart cannot be drawn, or a name stands twice.
        """
        await self.book.load(self._records)
        self.book.take_in(in_file)
        async for name, data in every(self._records, STATES.name):
            chart = self.book.charts.get(name)
            kept = msgspec.json.decode(data, type=Kept)
            if chart is not None and kept.mark == chart.mark:
                self._kept[name] = kept
        self._index()

    async def reload(self, in_file: Sequence[ChartTable]) -> None:
        """Take the charts of the file as they are now; those that judge alike go on.

        Raises:
            Invalid: a chart cannot be drawn, or a name stands twice; nothing has changed then.
        """
        async with self._turn:
            self.book.take_in(in_file)
            self._index()
        self._news.set()

    def _index(self) -> None:
        """Let go of charts that are gone or judge otherwise now; prepare for those that are new."""
        charts = self.book.charts
        for name in [*self._watchers, *self._kept]:
            watcher = self._watchers.get(name)
            mark = watcher.table.mark if watcher else self._kept[name].mark
            if name not in charts or charts[name].mark != mark:
                self._watchers.pop(name, None)
                self._kept.pop(name, None)
                self._troubles.pop(name, None)
            elif watcher:
                watcher.table = charts[name]
        self._troubles = {n: t for n, t in self._troubles.items() if n in charts}
        self._joining = {
            n: self._joining.get(n, [])
            for n, c in charts.items()
            if n not in self._watchers and c.phases
        }
        self._of_point = {}
        for name, chart in charts.items():
            for path in chart.paths if chart.phases else ():
                self._of_point.setdefault(path, []).append(name)
        self._names.declare(
            Point(
                path=c.out,
                kind=PointKind.BOOLEAN,
                description=f"Chart {c.name!r} is out of control",
                source=SUBSCRIPTION,
            )
            for c in charts.values()
            if c.phases
        )

    async def run(self) -> None:
        """Judge what passes on the spine, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.listener.run(), name="spc listen")
            group.create_task(self._watch_time(), name="spc time")
            group.create_task(self._join_all(), name="spc join")
            group.create_task(self.ledger.run(), name="spc tell")

    async def _watch_time(self) -> None:
        passed = 0.0
        while True:
            await asyncio.sleep(TICK_S)
            passed += TICK_S
            await self.tick(save=passed >= SAVE_S)
            passed = 0.0 if passed >= SAVE_S else passed

    # ---- live

    async def take(self, batch: Batch) -> None:
        """Judge a batch; returns once what it brought about is kept."""
        async with self._turn:
            columns = split(batch, self._of_point)
            touched = dict.fromkeys(n for p in columns for n in self._of_point[p])
            told: list[tuple[Watcher, Happening]] = []
            for count, name in enumerate(touched):
                if count % BREATH == BREATH - 1:
                    await asyncio.sleep(0)
                watcher = self._watchers.get(name)
                if watcher is not None:
                    told += self._pushed(watcher, columns)
                elif name in self._joining:
                    self._wait(name, columns)
            await self._keep(told)

    def _pushed(
        self, watcher: Watcher, columns: dict[str, Samples], heard_ns: int | None = None
    ) -> list[tuple[Watcher, Happening]]:
        """What samples bring about at one chart; one that cannot take them holds up no other."""
        name = watcher.table.name
        self._moved.add(name)
        try:
            told = watcher.push(columns, heard_ns=heard_ns)
        except Invalid as error:
            self._troubles[name] = str(error)
            return []
        self._troubles.pop(name, None)
        return [(watcher, h) for h in told]

    def _wait(self, name: str, columns: dict[str, Samples]) -> None:
        waiting = self._joining[name]
        waiting.append({p: columns[p] for p in self.book.charts[name].paths if p in columns})
        if len(waiting) > JOINING_MAX:
            del waiting[0]
            # What the store has by the time the chart joins is read from there.
            self.skipped += 1

    async def tick(self, *, save: bool = False) -> None:
        """Look whether time alone has changed something; with `save` write what charts know."""
        heard = self._clock() - SILENT_NS
        async with self._turn:
            if self._names.version != self._version:
                self._version = self._names.version
                self._renew()
            told: list[tuple[Watcher, Happening]] = []
            for watcher in self._watchers.values():
                if watcher.feed.waits:
                    told += self._pushed(watcher, {}, heard)
            moved = [w for n, w in self._watchers.items() if save and n in self._moved]
            await self._keep(told, moved)

    def _renew(self) -> None:
        """Compile charts anew whose points are described otherwise than before."""
        for name, watcher in list(self._watchers.items()):
            points = watcher.feed.points
            if not watcher.feed.parts or all(
                (self._names.find(p) or points[p]) == points[p] for p in points
            ):
                continue
            try:
                self._watchers[name] = Watcher(watcher.table, self._names.find, watcher.kept())
            except Invalid as error:
                log.warning("chart not renewed", extra={"chart": name, "cause": str(error)})

    # ---- joining

    async def _join_all(self) -> None:
        while True:
            self._news.clear()
            for name in list(self._joining):
                await self.join(name)
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY_S):
                    await self._news.wait()

    async def join(self, name: str) -> None:
        """Bring a chart to work: learn its baselines, read what has passed, then go live."""
        chart = self.book.charts.get(name)
        if chart is None or name not in self._joining:
            return
        try:
            await self._join(chart)
        except LineshaftError as error:
            self._troubles[name] = str(error)

    async def _join(self, chart: ChartTable) -> None:
        name, now = chart.name, self._clock()
        kept = self._kept.get(name)
        watcher, told = await joined(self._store, chart, self._names.find, kept, now)
        async with self._turn:
            if self.book.charts.get(name) is not chart or name not in self._joining:
                return
            told += await catch_up(self._store, watcher, now)
            for columns in self._joining.pop(name):
                told += watcher.push(columns)
            watcher.forget_late()
            self._watchers[name] = watcher
            self._kept.pop(name, None)
            self._troubles.pop(name, None)
            await self._keep([(watcher, h) for h in told], [watcher])
            self.ledger.show(watcher)

    async def _keep(self, told: Told, also: Iterable[Watcher] = ()) -> None:
        self._moved -= await self.ledger.keep(told, also)

    # ---- looking

    def find(self, path: str) -> Point | None:
        """A point of the namespace, or None; asks nobody's rights."""
        return self._names.find(path)

    def views(self, who: Identity) -> list[View]:
        """All charts that the caller may see: out of control first, then by name."""
        seen = [self.view_of(c) for c in self.book.charts.values() if self.book.sees(who, c)]
        return sorted(seen, key=lambda v: (not v.standing.marks, v.chart.name))

    def view_of(self, chart: ChartTable) -> View:
        """A chart as it stands."""
        name = chart.name
        watcher, kept = self._watchers.get(name), self._kept.get(name)
        point = self._names.find(chart.point)
        unit = chart.unit or ("" if chart.expression or point is None else point.unit)
        return View(
            chart=chart,
            standing=watcher.standing if watcher else kept.standing if kept else Standing(),
            phases=watcher.phases if watcher else kept.phases if kept else (),
            out=chart.out,
            unit=unit,
            in_file=name in self.book.in_file,
            trouble=self._troubles.get(name) or self._never(chart),
        )

    def _never(self, chart: ChartTable) -> str:
        watcher = self._watchers.get(chart.name)
        plots = watcher is not None and watcher.standing.time_ns > 0
        return "" if plots else blind(chart, self._names.find)

    # ---- defining

    async def define(self, who: Identity, chart: ChartTable) -> View:
        """Add a chart, or change one that was made at run time; it is at work when this returns.

        Raises:
            Invalid: it cannot be drawn, stands in the settings file, or is one too many.
            Missing: it reads what the identity may not see.
            Denied: the identity may not configure that branch.
        """
        self.book.check_define(who, chart)
        compiled(chart, self._names.find)
        taken = self._names.find(chart.out)
        if taken is not None and taken.source not in ("", SUBSCRIPTION):
            raise Invalid(
                f"chart {chart.name!r} would tell its state on {chart.out}, which"
                f" {taken.source} reads",
                remedy="Give it another name.",
            )
        data = {"chart": chart.name, "definition": msgspec.to_builtins(chart)}
        event = Event(kind="spc.defined", path=chart.point, actor=who.name, data=data)
        put = Put(
            collection=CHARTS.name,
            key=chart.name,
            data=msgspec.json.encode(chart),
            rows=({"point": chart.point},),
        )
        async with self._turn:
            await self._records.commit(put, Append(event=event))
            self.book.charts[chart.name] = chart
            self._index()
        await self.ledger.announce(event)
        await self.join(chart.name)
        return self.view_of(chart)

    async def remove(self, who: Identity, name: str) -> None:
        """Take away a chart that was made at run time, with its state and comments.

        Raises:
            Missing: there is none.
            Invalid: it stands in the settings file.
        """
        chart = self.book.known(who, name)
        self.book.check_right(who, Action.CONFIGURE, chart)
        self.book.check_not_in_file(name)
        event = Event(kind="spc.removed", path=chart.point, actor=who.name, data={"chart": name})
        async with self._turn:
            await self._records.commit(
                Delete(collection=CHARTS.name, key=name),
                Delete(collection=STATES.name, key=name),
                Append(event=event),
            )
            del self.book.charts[name]
            self._index()
        await forget(self._records, name)
        await self.ledger.announce(event)

    def problems(self) -> list[str]:
        """What is wrong now."""
        charts = [c for c in self.book.charts.values() if c.phases]
        found = [t for t in (self.ledger.trouble, *map(self._never, charts)) if t]
        return found[:TROUBLES_TOLD]

    def metrics(self) -> list[Metric]:
        """Figures for monitoring."""
        standings = [w.standing for w in self._watchers.values()]
        out = sum(bool(s.marks) for s in standings)
        late, lost = sum(s.late for s in standings), sum(s.lost for s in standings)
        lost += self.skipped + self.ledger.outs.dropped
        return [
            Metric("spc_charts", "gauge", "Charts at work.", (({}, float(len(standings))),)),
            Metric("spc_charts_out", "gauge", "Charts out of control.", (({}, float(out)),)),
            Metric(
                "spc_late_total", "counter", "Samples too late for charts.", (({}, float(late)),)
            ),
            Metric("spc_lost_total", "counter", "What charts gave up.", (({}, float(lost)),)),
        ]
