"""An expression over streams: samples go in as they come, finished rows come out once."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from lineshaft.core.errors import Invalid
from lineshaft.core.point import Point
from lineshaft.operations.expressions.limits import TAIL_ROWS_MAX, TICKS_MAX
from lineshaft.operations.expressions.results import Late, Result, result
from lineshaft.operations.expressions.run import Carry, Marks, Run
from lineshaft.operations.expressions.single import Few, Row, Singly, as_columns, few_of
from lineshaft.operations.expressions.tails import (
    FAR_AHEAD,
    LONG_AGO,
    Rows,
    Samples,
    joined,
    kept,
    no_rows,
    ready,
    unknown,
)
from lineshaft.operations.expressions.tree import Node, Timed, Type, children, reach_ns, ticks_of

PAUSE = 16
"""Pushes left to columns after one that could not be taken row by row."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluator needs of an expression."""

    text: str
    root: Node
    points: tuple[Point, ...]
    types: tuple[Type, ...]
    every_ns: int
    """The grid on which what changes with time alone is looked at; 0 for none."""


class InputState(msgspec.Struct, frozen=True):
    """The samples of one input that are kept."""

    time: bytes
    """int64; numbers and booleans in `values` are float64, `quality` is uint32; bytes as here."""
    values: bytes | list[str]
    quality: bytes


class State(msgspec.Struct, frozen=True, kw_only=True):
    """All that an evaluator knows; JSON and msgpack can hold it."""

    text: str
    every_ns: int
    inputs: dict[str, InputState]
    heard_ns: dict[str, int]
    until_ns: int
    carries: list[tuple[int, Carry]]
    since_ns: list[tuple[int, int]]


class Evaluator:
    """Gives each row once, when every source has told all up to its time.

    A source (the connection that reads a point) is taken to have told everything older than its
    newest sample less the allowed lateness. Rows are those times at which any input has a sample,
    and those of the grid. What comes out does not depend on how samples are cut into pushes, nor
    on their order within the lateness. Not safe for threads; owned by whoever pushes.
    """

    def __init__(self, plan: Plan, lateness_ns: int) -> None:
        if lateness_ns < 0:
            raise Invalid(f"a lateness of {lateness_ns} ns", remedy="Allow 0 or more.")
        self.plan = plan
        self.lateness_ns = lateness_ns
        self._rows: list[Rows] = [no_rows(t) for t in plan.types]
        self._heard: dict[str, int] = {}
        self._until = LONG_AGO
        self._marks = Marks({}, {})
        self._single: Singly | None = None
        self._pause = 0
        self._is_single = False
        """Whether `_single` holds the samples, and not `_rows` and `_marks`."""
        self._places = {point.path: place for place, point in enumerate(plan.points)}
        self._looks = [(n.inputs, ticks_of(n, plan.every_ns)) for n in _timed(plan.root)]
        self._sources = [point.source or point.path for point in plan.points]

    @property
    def weight(self) -> int:
        """How much one push has to look at: samples and times of the grid, window by window."""
        return sum(t + sum(len(self._rows[n].time) for n in inputs) for inputs, t in self._looks)

    @property
    def until_ns(self) -> int:
        """Rows up to here, this time included, have been given."""
        return self._until

    def push(
        self,
        columns: Mapping[str, Samples],
        *,
        heard_ns: Mapping[str, int] | int | None = None,
        newest_ns: int = FAR_AHEAD,
    ) -> Result:
        """Take samples, by path of the input, and give the rows that are finished now.

        `heard_ns` says up to when sources are known to have told everything (by name; a number is
        for all), so that a silent source does not hold the rows back; the lateness is taken from
        it too. Samples after `newest_ns` are left out: one clock that runs ahead would make all
        that follows late. Late samples are taken in and count for rows to come. After a long
        silence at most `TICKS_MAX` times of the grid are given in one push, the rest later.

        Raises:
            Invalid: a path is no input, or columns do not fit; nothing is taken in then.
        """
        if newest_ns >= FAR_AHEAD:
            few = few_of(columns, self._places, self.plan.types)
            single = None if few is None else self.push_few(few, heard_ns=heard_ns)
            if single is not None:
                return Result(*as_columns(single, self.plan.root.type))
        self._as_columns()
        places = [self._place(path) for path in columns]
        taken = [
            ready(samples, self.plan.types[n], self.plan.points[n].path)
            for n, samples in zip(places, columns.values(), strict=True)
        ]
        late: list[Late] = []
        ahead = 0
        for number, rows in zip(places, taken, strict=True):
            count = int(np.searchsorted(rows.time, newest_ns, "right"))
            ahead += len(rows.time) - count
            late += self._take(number, rows.slice(0, count))
        self._listen(heard_ns)
        found = self._advance(min(self._heard.get(s, LONG_AGO) for s in self._sources))
        return found._replace(late=tuple(late), ahead=ahead)

    def push_few(
        self, few: Mapping[int, Few], *, heard_ns: Mapping[str, int] | int | None = None
    ) -> list[Row] | None:
        """The same of a few samples of each input, by its number in the plan.

        None: they are for `push`, and nothing was taken in.
        """
        single = self._singly()
        if single is None or single.is_full:
            return None
        if not single.takes(few, self._until):
            self._pause = PAUSE
            return None
        single.take(few)
        for number, (times, _, _) in few.items():
            if times:
                self._hear(self._sources[number], times[-1])
        self._listen(heard_ns)
        heard = min(self._heard.get(s, LONG_AGO) for s in self._sources)
        until = max(heard - self.lateness_ns, self._until)
        rows = single.rows(self._until, until, self.plan.every_ns)
        if rows is not None:
            self._until = until
            return rows
        self._as_columns()
        found = self._advance(heard)
        listed = (c.tolist() for c in (found.time_ns, found.values, found.quality))
        return [Row(*row) for row in zip(*listed, strict=True)]

    def _singly(self) -> Singly | None:
        """What takes rows one by one; None when that cannot be now."""
        if self._single is None:
            self._single = Singly(self.plan.root, self.plan.types)
        if self._pause:
            self._pause -= 1
        elif not self._is_single:
            self._is_single = self._single.enter(self._rows, self._marks, self._until)
        return self._single if self._is_single else None

    def _as_columns(self) -> None:
        """Have columns know all, for what is not done row by row."""
        if self._is_single and self._single is not None:
            self._rows, self._marks = self._single.leave(self._until, self._marks)
            self._is_single = False
            self._let_go(Run(self._rows, self._marks, self.plan.every_ns, self._until))

    def load(self, columns: Mapping[str, Samples], until_ns: int) -> None:
        """Take history in before anything else; rows up to `until_ns` are taken as given.

        Raises:
            Invalid: a path is no input, or columns do not fit.
        """
        self._as_columns()
        for path, samples in columns.items():
            number = self._place(path)
            rows = ready(samples, self.plan.types[number], path)
            self._rows[number] = joined(self._rows[number], rows)
        self._until = until_ns

    def reaches(self, time_ns: int, whole_ns: int) -> bool:
        """Whether the samples at hand go back far enough to be right from a time on.

        From `whole_ns` on the value of each input is known. Windows are the caller's business;
        this is about what has no bound: since when a condition holds, what was before, the last
        usable value of a counter.
        """
        self._as_columns()
        run = Run(self._rows, self._marks, self.plan.every_ns, time_ns)
        return all(run.reaches(node, time_ns, whole_ns) for node in _timed(self.plan.root))

    def _take(self, number: int, rows: Rows) -> list[Late]:
        """Keep the rows of one input; what of them is late."""
        late = self._late(number, rows)
        self._rows[number] = joined(self._rows[number], rows)
        if len(rows.time):
            self._hear(self._sources[number], int(rows.time[-1]))
        return late

    def finish(self) -> Result:
        """The rows that are left: there is no more to come. Without ticks after the last sample.

        At most as many as one push gives; `until_ns` tells whether there are more.
        """
        self._as_columns()
        ends = [int(r.time[-1]) for r in self._rows if len(r.time)]
        return self._advance(max(ends, default=LONG_AGO) + self.lateness_ns)

    def begin(self, columns: Mapping[str, Samples], from_ns: int) -> None:
        """Know history before anything is pushed; the first row given is after `from_ns`.

        Raises:
            Invalid: a path is no input, or columns do not fit.
        """
        self._as_columns()
        for path, samples in columns.items():
            number = self._place(path)
            rows = ready(samples, self.plan.types[number], path)
            self._rows[number] = joined(self._rows[number], rows)
            if len(rows.time):
                self._hear(self._sources[number], int(rows.time[-1]))
        self._until = from_ns

    def look(self) -> Result:
        """One row: the value at `until_ns`, with late samples that came since it was given."""
        self._as_columns()
        run = Run(self._rows, self._marks, self.plan.every_ns, self._until)
        times = np.array([self._until], dtype=np.int64)
        return result(times, run.at(self.plan.root, times), self.plan.root.type)

    def _place(self, path: str) -> int:
        if path not in self._places:
            known = ", ".join(map(repr, self._places))
            raise Invalid(f"{path!r} is no input", remedy=f"The inputs are: {known}.")
        return self._places[path]

    def _hear(self, source: str, time_ns: int) -> None:
        self._heard[source] = max(self._heard.get(source, LONG_AGO), time_ns)

    def _listen(self, heard_ns: Mapping[str, int] | int | None) -> None:
        if isinstance(heard_ns, int):
            heard_ns = dict.fromkeys(self._sources, heard_ns)
        for source, time_ns in (heard_ns or {}).items():
            self._hear(source, min(time_ns, FAR_AHEAD))

    def _late(self, number: int, rows: Rows) -> list[Late]:
        """What of the rows counts for times that were given already."""
        count = int(np.searchsorted(rows.time, self._until, "right"))
        if not count:
            return []
        old = self._rows[number]
        behind = rows.slice(0, count)
        news = np.flatnonzero(unknown(old, behind))
        reach = reach_ns(self.plan.root, self.plan.every_ns)
        found: list[Late] = []
        for start, stop in zip(behind.time[news], _next(old, behind, news), strict=True):
            end = self._until + 1 if reach is None else min(int(stop) + reach, self._until + 1)
            if found and start <= found[-1].stop_ns:
                found[-1] = found[-1]._replace(stop_ns=max(found[-1].stop_ns, end))
            else:
                found.append(Late(self.plan.points[number].path, int(start), end))
        return found

    def _advance(self, heard_ns: int) -> Result:
        """The rows up to what was heard, less the lateness."""
        root, every_ns = self.plan.root, self.plan.every_ns
        until = heard_ns - self.lateness_ns
        if root.clocked and every_ns:
            begin = min((int(r.time[0]) for r in self._rows if len(r.time)), default=until)
            until = min(until, max(self._until, begin) + TICKS_MAX * every_ns)
        until = max(until, self._until)
        run = Run(self._rows, self._marks, every_ns, until)
        times = run.times(root, self._until, until)
        found = result(times, run.at(root, times), root.type)
        if until == self._until:
            return found
        self._until = until
        return found._replace(dropped=self._let_go(run))

    def _let_go(self, run: Run) -> int:
        """Forget what no row to come needs; how many samples of those it needs go too."""
        cuts = [self._until] * len(self._rows)
        marks = Marks({}, {})
        run.cuts(self.plan.root, self._until, cuts, marks)
        self._marks = marks
        dropped = 0
        for number, cut in enumerate(cuts):
            rows = kept(self._rows[number], cut)
            beyond = len(rows.time) - TAIL_ROWS_MAX
            if beyond > 0:
                rows = rows.slice(beyond, len(rows.time))
                dropped += beyond
            self._rows[number] = rows
        return dropped

    # ---- over a restart

    def save(self) -> State:
        """All that is known, so that another evaluator goes on where this one is."""
        self._as_columns()
        inputs = {}
        for point, rows in zip(self.plan.points, self._rows, strict=True):
            words = rows.data.dtype == np.object_
            inputs[point.path] = InputState(
                rows.time.tobytes(),
                rows.data.tolist() if words else rows.data.astype(np.float64).tobytes(),
                rows.column.codes(len(rows.time)).tobytes(),
            )
        numbers = {id(node): number for number, node in enumerate(_timed(self.plan.root))}
        return State(
            text=self.plan.text,
            every_ns=self.plan.every_ns,
            inputs=inputs,
            heard_ns=dict(self._heard),
            until_ns=self._until,
            carries=[(numbers[node], carry) for node, carry in self._marks.carries.items()],
            since_ns=[(numbers[node], ns) for node, ns in self._marks.since.items()],
        )

    def restore(self, state: State) -> None:
        """Go on where another evaluator of the same expression was.

        Raises:
            Invalid: the state is of another expression, grid or set of inputs.
        """
        self._as_columns()
        plan = self.plan
        same = (state.text, state.every_ns, [*state.inputs]) == (
            plan.text, plan.every_ns, [p.path for p in plan.points],
        )  # fmt: skip
        nodes = _timed(plan.root)
        if not same or any(
            not 0 <= number < len(nodes) for number, _ in (*state.carries, *state.since_ns)
        ):
            raise Invalid(
                f"the state is of {state.text!r}, not of {plan.text!r}",
                remedy="Begin anew: push the history that the windows need.",
            )
        self._rows = [
            _restored(kept_, type_)
            for kept_, type_ in zip(state.inputs.values(), plan.types, strict=True)
        ]
        self._heard = dict(state.heard_ns)
        self._until = state.until_ns
        self._marks = Marks(
            {id(nodes[number]): carry for number, carry in state.carries},
            {id(nodes[number]): since for number, since in state.since_ns},
        )


def _restored(state: InputState, type_: Type) -> Rows:
    time = np.frombuffer(state.time, dtype=np.int64)
    values: np.ndarray[tuple[int], np.dtype[np.float64]] | Sequence[str | None] = (
        state.values
        if isinstance(state.values, list)
        else np.frombuffer(state.values, dtype=np.float64)
    )
    return ready(
        Samples(time, values, np.frombuffer(state.quality, dtype=np.uint32)), type_, "state"
    )


def _next(old: Rows, new: Rows, places: np.ndarray[tuple[int], np.dtype[np.intp]]) -> list[int]:
    """For each of some new samples the time of the next one of its input."""
    times = joined(old, new).time
    after = np.searchsorted(times, new.time[places], "right")
    return [int(times[a]) if a < len(times) else FAR_AHEAD for a in after]


def _timed(node: Node) -> list[Timed]:
    """All parts that look back, in a fixed order."""
    found = [part for child in children(node) for part in _timed(child)]
    return [*found, node] if isinstance(node, Timed) else found
