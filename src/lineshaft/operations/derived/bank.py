"""All derived points in memory: samples go in, rows come out in the order of the graph.

Nothing here waits for anybody, but others have a turn on the event loop now and then, and while
long windows are worked out in a thread: who calls holds the engine's lock meanwhile. The engine
keeps what comes out, and does what is marked.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from lineshaft.core.batch import Batch, Mask
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Point
from lineshaft.operations.derived.calculation import Calculation
from lineshaft.operations.derived.definition import (
    SOURCE,
    Compiled,
    Definition,
    check_definition,
    compiled,
    path_of,
)
from lineshaft.operations.derived.marks import FOREVER, Mark
from lineshaft.operations.derived.rows import (
    Columns,
    batches_of,
    columns_of,
    newest_of_each,
    taken,
    together,
)
from lineshaft.operations.derived.sources import Sources
from lineshaft.operations.expressions.graph import Graph, Touched
from lineshaft.operations.expressions.parsing import parse
from lineshaft.operations.expressions.syntax import Call, Name, Part, Text
from lineshaft.operations.expressions.tails import LONG_AGO, Samples

AHEAD_NS = 60 * NS_PER_S
"""Samples further ahead of the clock than this wait for their time."""
AHEAD_ROWS_MAX = 100_000
ALOUD = 100_000
"""What looks at more samples and times of the grid is calculated in a thread of its own."""
LOOP_S_MAX = 0.01
"""Seconds of the event loop taken at once."""


class Step(NamedTuple):
    """What came of samples, or of time."""

    batches: list[Batch]
    marked: list[Calculation]
    """Those of which more is to be computed anew than the records know."""


class Bank:
    """Calculations by the path of their point, and the graph of who reads whom."""

    def __init__(self, find: Callable[[str], Point | None]) -> None:
        """`find` is asked for points that are not derived."""
        self._find = find
        self.calculations: dict[str, Calculation] = {}
        self.graph = Graph()
        self.sources = Sources()
        self.ahead: Columns = {}
        self.ahead_dropped = 0
        self._inputs: dict[str, None] = {}

    # ---- definitions

    def take(self, calculations: Sequence[Calculation], graph: Graph) -> None:
        """Have these and no others; those that were here go on."""
        self.calculations = {c.path: c for c in calculations}
        self.graph = graph
        self._inputs = dict.fromkeys(p for path in graph.order() for p in graph.reads(path))
        self.compile()

    def compile(self) -> list[Calculation]:
        """Try again what lacked something, or has inputs that changed; gives those that changed."""
        found = []
        for path in self.graph.order():
            calculation = self.calculations[path]
            seen = calculation.seen
            if seen is None or any(self.known(p) != known for p, known in seen.items()):
                before = calculation.compiled
                self._compile(calculation)
                if calculation.compiled is not before:
                    found.append(calculation)
        return found

    def _compile(self, calculation: Calculation) -> None:
        seen: dict[str, Point | None] = {}

        def find(path: str) -> Point | None:
            seen[path] = self.known(path)
            return seen[path]

        made: Compiled | None = None
        try:
            self._check_free(calculation.path)
            made = compiled(calculation.definition, find)
            calculation.trouble = ""
        except Invalid as error:
            text = str(error)
            named = text.startswith(calculation.path)
            calculation.trouble = text if named else f"{calculation.path}: {text}"
        calculation.seen = seen
        calculation.compiled = made
        reach = made.expression.reach_ns if made else None
        self.graph.put(calculation.path, self.graph.reads(calculation.path), reach_ns=reach)
        calculation.told_ns = max(calculation.told_ns, calculation.until_ns)
        calculation.forget()

    def _check_free(self, path: str) -> None:
        there = self._find(path)
        if there is not None and there.source not in {"", SOURCE}:
            raise Invalid(
                f"{path}: {there.source!r} reads this point", remedy="Give it another path."
            )

    def known(self, path: str) -> Point | None:
        """A point as an input; what is derived tells by itself how far it is."""
        calculation = self.calculations.get(path)
        if calculation is not None:
            point = calculation.compiled.point if calculation.compiled else None
        else:
            point = self._find(path)
        if point is not None and point.source == SOURCE:
            return msgspec.structs.replace(point, source="")
        return point

    # ---- samples and time

    async def push(self, batch: Batch, now: int) -> Step:
        """Take in what a batch holds of inputs; what is derived was taken in when it was made."""
        columns = columns_of(batch, self._inputs)
        for path in [p for p in columns if p in self.calculations]:
            del columns[path]
        if not columns:
            return Step([], [])
        return await self.push_columns(self._sifted(columns, now), now)

    async def push_columns(self, columns: Columns, now: int) -> Step:
        """The same of columns, whose times are possible."""
        return await self._go(self.graph.above(columns), columns, now)

    async def tick(self, now: int) -> Step:
        """Give what is finished because time has passed."""
        columns: Columns = {}
        if self.ahead:
            waiting, self.ahead = self.ahead, {}
            columns = self._sifted(waiting, now)
        return await self._go(self.graph.order(), columns, now)

    async def give(self, calculation: Calculation, columns: Columns, now: int) -> Step:
        """Take in what waited for one alone; what it gives goes on to those above."""
        step = await self._go([calculation.path], self._sifted(columns, now), now)
        rows: Columns = {}
        for batch in step.batches:
            rows |= columns_of(batch, {calculation.path})
        more = await self.passed_on(calculation, rows, now)
        return Step([*step.batches, *more.batches], [*step.marked, *more.marked])

    async def passed_on(self, calculation: Calculation, rows: Columns, now: int) -> Step:
        """Have new rows of a calculation go to those above it."""
        above = self.graph.above([calculation.path])
        return await self._go(above, rows, now) if rows else Step([], [])

    def _sifted(self, columns: Columns, now: int) -> Columns:
        """The samples whose time can be; those far ahead of the clock are put aside."""
        spans: dict[str, tuple[int, int]] = {}
        for path, samples in list(columns.items()):
            times = samples.time_ns
            fits = (times > LONG_AGO) & (times <= now + AHEAD_NS)
            if not fits.all():
                self._put_aside(path, columns, fits)
                times = times[fits]
            if len(times):
                source = self._source(path)
                low, high = spans.get(source, (int(times.min()), int(times.max())))
                spans[source] = min(low, int(times.min())), max(high, int(times.max()))
        self.sources.take(spans, now)
        return {path: samples for path, samples in columns.items() if len(samples.time_ns)}

    def _put_aside(self, path: str, columns: Columns, fits: Mask) -> None:
        samples = columns[path]
        columns[path] = taken(samples, np.flatnonzero(fits))
        later = taken(samples, np.flatnonzero(~fits & (samples.time_ns > LONG_AGO)))
        kept = newest_of_each(together(self.ahead[path], later) if path in self.ahead else later)
        rows = sum(len(s.time_ns) for p, s in self.ahead.items() if p != path)
        if rows + len(kept.time_ns) > AHEAD_ROWS_MAX:
            self.ahead_dropped += len(later.time_ns)
        elif len(kept.time_ns):
            self.ahead[path] = kept

    def _source(self, path: str) -> str:
        point = self._find(path)
        return (point.source if point else "") or path

    def heard(self, calculation: Calculation, now: int) -> dict[str, int]:
        """Up to when each source of a calculation has told everything."""
        found: dict[str, int] = {}
        if calculation.compiled is None:
            return found
        lateness = calculation.compiled.lateness_ns
        for point in calculation.compiled.expression.inputs:
            source = point.source or point.path
            lower = self.calculations.get(point.path)
            if lower is None:
                found[source] = self.sources.heard_ns(source, now)
            else:
                found[source] = lower.given_ns + lateness
        return found

    async def _go(self, paths: Sequence[str], columns: Columns, now: int) -> Step:
        step = Step([], [])
        given = dict(columns)
        every: list[tuple[str, Samples]] = []
        since_s = time.monotonic()
        for path in paths:
            if time.monotonic() - since_s > LOOP_S_MAX:
                await asyncio.sleep(0)
                since_s = time.monotonic()
            calculation = self.calculations[path]
            mine = {p: given[p] for p in self.graph.reads(path) if p in given}
            mark = calculation.mark
            heard = self.heard(calculation, now)
            try:
                if calculation.weight > ALOUD:
                    result = await asyncio.to_thread(calculation.push, mine, heard)
                else:
                    result = calculation.push(mine, heard)
            except Invalid as error:  # what it was given cannot be; history is looked at again
                calculation.trouble = f"{path}: {error}"
                calculation.renew = True
                continue
            if calculation.mark is not mark:
                step.marked.append(calculation)
            made = None if result is None else calculation.given(result)
            if made is not None and len(made.time_ns):
                given[path] = made
                every.append((path, made))
        step.batches.extend(batches_of(every))
        return step

    # ---- what changed in history

    def touch(self, changed: Sequence[Touched], *, gentle: bool = False) -> list[Calculation]:
        """Mark all that is made of points whose history changed; gives those.

        Rows that come until history is loaded anew are marked too, where the change reaches them.
        """
        own = {t.path for t in changed}
        found = []
        for path, start_ns, stop_ns in self.graph.touched(changed, FOREVER):
            if path not in own:
                calculation = self.calculations[path]
                calculation.renew = True
                calculation.widen(Mark(start_ns=start_ns, stop_ns=stop_ns, gentle=gentle))
                found.append(calculation)
        return found


def check_derived(definitions: Sequence[Definition]) -> None:
    """See that definitions can be, as far as that shows without a namespace.

    Raises:
        Invalid: one cannot, or is made of itself.
    """
    graph_of([check_definition(d) for d in definitions])


def graph_of(definitions: Sequence[Definition]) -> Graph:
    """Who reads whom, as the texts say.

    Raises:
        Invalid: one is made of itself, on a way that is named.
    """
    graph = Graph()
    for definition in definitions:
        graph.put(definition.point, dict.fromkeys(reads(definition)), reach_ns=None)
    return graph


def reads(definition: Definition) -> Iterator[str]:
    """The paths that an expression names, whether they are there or not."""
    waiting: list[object] = [parse(definition.expression)]
    while waiting:
        part = waiting.pop()
        match part:
            case Name(name=name):
                yield path_of(definition, name)
            case Call(function="point", args=(Text(value=path),)):
                yield path_of(definition, path)
            case tuple():
                waiting += part
            case Part():
                waiting += [getattr(part, field) for field in part.__struct_fields__]
            case _:
                pass
