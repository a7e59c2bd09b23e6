"""Expressions of alarms over live batches: samples go in, finished rows come out for the judge.

An evaluator is shared by all alarms that ask for the same expression.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lineshaft.core.batch import BAD, Batch, Codes, Floats, Ints
from lineshaft.operations.expressions.evaluator import Evaluator
from lineshaft.operations.expressions.expression import Expression
from lineshaft.operations.expressions.results import Result
from lineshaft.operations.expressions.single import SAMPLES_MAX, Few, Row
from lineshaft.operations.expressions.tails import LONG_AGO, Samples, numbers_of
from lineshaft.operations.expressions.tree import Type

TICKS_AT_ONCE = 100
"""How often an evaluator is asked for more rows before others have their turn."""


class Rows(NamedTuple):
    """Finished rows of one expression, by time."""

    key: str
    time_ns: Ints
    value: Floats
    """Booleans as 0 and 1; NaN where the quality is bad."""
    quality: Codes


class Found(NamedTuple):
    """Finished rows of several expressions."""

    rows: list[Rows]
    single: list[tuple[str, int, float, int]]
    """Key, time, value and quality of those that came one by one; no columns are made of them."""


class Signal:
    """One expression, and the evaluator that follows the plant."""

    def __init__(self, key: str, expression: Expression, wait_ns: int) -> None:
        self.key, self.expression, self.wait_ns = key, expression, wait_ns
        # Samples of one point come in order; those of several points wait for each other.
        self._lateness_ns = wait_ns if len(expression.inputs) > 1 else 0
        self._evaluator: Evaluator = expression.evaluator(self._lateness_ns)
        self._looked_ns = LONG_AGO
        self.numbered = [(p.path, n) for n, p in enumerate(expression.plan.points)]
        self.heard = False
        """Whether it has ever given a row."""
        self.late = 0
        """Times that a sample came too late for its row."""

    @property
    def paths(self) -> list[str]:
        """The points that it reads."""
        return [p.path for p in self.expression.inputs]

    @property
    def until_ns(self) -> int:
        """Rows up to here have been given."""
        return self._evaluator.until_ns

    def begin(self, columns: Mapping[str, Samples], from_ns: int) -> list[Rows]:
        """Know history; gives the value that held at `from_ns`, if any, and the rows after it."""
        self._evaluator = self.expression.evaluator(self._lateness_ns)
        self._evaluator.begin(columns, from_ns)
        known = any(bool((s.time_ns <= from_ns).any()) for s in columns.values())
        return [*([self._rows(self._evaluator.look())] if known else []), *self.push({})]

    def push(self, columns: Mapping[str, Samples]) -> list[Rows]:
        """The rows that samples have finished."""
        return self._told(self._evaluator.push(columns))

    def present(self) -> Rows | None:
        """What it is at the end of what is known, if anything is."""
        return self._rows(self._evaluator.look()) if self.heard else None

    def push_few(self, few: Mapping[int, Few], found: Found) -> bool:
        """Add the rows that a few samples have finished; false leaves them to `push`."""
        return self._added(self._evaluator.push_few(few), found)

    def tick(self, now_ns: int, found: Found, *, all_told: bool = False) -> None:
        """Add the rows up to now, less what samples may be late; with `all_told` up to now."""
        until_ns = now_ns if all_told else now_ns - self.wait_ns
        heard_ns = until_ns + self._lateness_ns
        for _ in range(TICKS_AT_ONCE):
            if self._evaluator.until_ns >= until_ns:
                break
            before = self._evaluator.until_ns
            if not self._added(self._evaluator.push_few({}, heard_ns=heard_ns), found):
                found.rows.extend(self._told(self._evaluator.push({}, heard_ns=heard_ns)))
            if self._evaluator.until_ns == before:
                break

    def _added(self, rows: Sequence[Row] | None, found: Found) -> bool:
        if rows is None:
            return False
        for time_ns, value, quality in rows:
            self.heard = True
            number = np.nan if quality >= BAD else float(value)
            found.single.append((self.key, time_ns, number, quality))
        return True

    def _told(self, result: Result) -> list[Rows]:
        found = [self._rows(result)] if len(result.time_ns) else []
        if result.late and not len(result.time_ns):
            # Its row was given before: what the expression is now must not be missed for that.
            now = self._rows(self._evaluator.look())
            self._looked_ns = max(self._looked_ns, self._evaluator.until_ns) + 1
            found.append(now._replace(time_ns=np.array([self._looked_ns], dtype=np.int64)))
        self.late += len(result.late)
        return found

    def _rows(self, result: Result) -> Rows:
        self.heard = True
        bad = result.quality >= np.uint32(0x8000_0000)
        value = np.where(bad, np.nan, result.values.astype(np.float64))
        return Rows(self.key, result.time_ns, value, result.quality)


class Cut:
    """The wanted rows of a batch, point by point."""

    def __init__(self, batch: Batch, rows: npt.NDArray[np.intp], types: Mapping[str, Type]) -> None:
        index, names = batch.index[rows], batch.points
        order = np.argsort(index, kind="stable")
        rows, index = rows[order], index[order]
        self._types = types
        self._times, self._numbers = batch.time_ns[rows], numbers_of(batch, rows)
        self._codes = batch.quality[rows]
        self._batch, self._rows = batch, rows
        ends = [*(np.flatnonzero(index[1:] != index[:-1]) + 1).tolist(), len(index)]
        spans = zip([0, *ends[:-1]], ends, strict=True) if len(index) else ()
        self.bounds = {names[index[begin]]: (begin, end) for begin, end in spans}
        """First row of each point, and the one behind its last."""

    @property
    def are_few(self) -> bool:
        """Whether the points have so few rows that lists are faster than columns."""
        return len(self._rows) <= SAMPLES_MAX * len(self.bounds)

    def samples(self, path: str) -> Samples:
        """The rows of a point."""
        rows = slice(*self.bounds[path])
        texted = self._types[path] is Type.STRING
        values = self._batch.text.take(self._rows[rows]) if texted else self._numbers[rows]
        return Samples(self._times[rows], values, self._codes[rows])

    def few(self) -> dict[str, Few]:
        """The rows of each point as lists."""
        times, numbers, codes = self._times.tolist(), self._numbers.tolist(), self._codes.tolist()
        texts: list[str | None] = []
        if any(self._types[path] is Type.STRING for path in self.bounds):
            texts = self._batch.text.take(pa.array(self._rows)).to_pylist()
        found = {}
        for path, (begin, end) in self.bounds.items():
            values = texts if self._types[path] is Type.STRING else numbers
            found[path] = Few(times[begin:end], values[begin:end], codes[begin:end])
        return found


class Signals:
    """All expressions of a judge."""

    def __init__(self, signals: Mapping[str, Signal]) -> None:
        self.by_key = dict(signals)
        self._of_point: dict[str, list[Signal]] = {}
        self._types: dict[str, Type] = {}
        self._last: tuple[list[str], npt.NDArray[np.bool_]] = ([], np.empty(0, dtype=np.bool_))
        """Points of the batch before, and which of them are wanted; sources repeat theirs."""
        for signal in signals.values():
            plan = signal.expression.plan
            for point, type_ in zip(plan.points, plan.types, strict=True):
                self._of_point.setdefault(point.path, []).append(signal)
                self._types[point.path] = type_

    @property
    def points(self) -> list[str]:
        """The points that any of them reads."""
        return list(self._of_point)

    def push(self, batch: Batch) -> Found:
        """The rows that a batch has finished."""
        found = Found([], [])
        if not self.by_key:
            return found
        cut = self._cut(batch)
        few = cut.few() if cut.are_few else {}
        touched = {s.key: s for path in cut.bounds for s in self._of_point[path]}
        for signal in touched.values():
            mine = {n: few[p] for p, n in signal.numbered if p in few}
            if mine and signal.push_few(mine, found):
                continue
            some = {p: cut.samples(p) for p, _ in signal.numbered if p in cut.bounds}
            found.rows.extend(signal.push(some))
        return found

    def columns(self, batch: Batch) -> dict[str, Samples]:
        """The samples of each point that an expression reads."""
        cut = self._cut(batch)
        return {path: cut.samples(path) for path in cut.bounds}

    def _cut(self, batch: Batch) -> Cut:
        points = batch.points
        if points != self._last[0]:
            wanted = np.array([p in self._of_point for p in points], dtype=np.bool_)
            self._last = (points, wanted)
        rows = np.flatnonzero(self._last[1][batch.index]) if points else np.empty(0, np.intp)
        return Cut(batch, rows, self._types)

    def tick(self, now_ns: int, *, all_told: bool = False) -> Found:
        """The rows that the passing of time has finished."""
        found = Found([], [])
        for signal in self.by_key.values():
            signal.tick(now_ns, found, all_told=all_told)
        return found
