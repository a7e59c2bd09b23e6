"""Expressions of alarms over live batches: samples go in, finished rows come out for the judge.

An evaluator is shared by all alarms that ask for the same expression.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lineshaft.core.batch import Batch, Codes, Floats, Ints
from lineshaft.operations.expressions.evaluator import Evaluator
from lineshaft.operations.expressions.expression import Expression
from lineshaft.operations.expressions.results import Result
from lineshaft.operations.expressions.tails import LONG_AGO, Samples
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


class Signal:
    """One expression, and the evaluator that follows the plant."""

    def __init__(self, key: str, expression: Expression, wait_ns: int) -> None:
        self.key, self.expression, self.wait_ns = key, expression, wait_ns
        # Samples of one point come in order; those of several points wait for each other.
        self._lateness_ns = wait_ns if len(expression.inputs) > 1 else 0
        self._evaluator: Evaluator = expression.evaluator(self._lateness_ns)
        self._looked_ns = LONG_AGO
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

    def tick(self, now_ns: int, *, all_told: bool = False) -> list[Rows]:
        """The rows up to now, less what samples may be late; with `all_told` up to now."""
        until_ns = now_ns if all_told else now_ns - self.wait_ns
        found: list[Rows] = []
        for _ in range(TICKS_AT_ONCE):
            if self._evaluator.until_ns >= until_ns:
                break
            before = self._evaluator.until_ns
            found += self._told(self._evaluator.push({}, heard_ns=until_ns + self._lateness_ns))
            if self._evaluator.until_ns == before:
                break
        return found

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


class Signals:
    """All expressions of a judge."""

    def __init__(self, signals: Mapping[str, Signal]) -> None:
        self.by_key = dict(signals)
        self._of_point: dict[str, list[Signal]] = {}
        self._types: dict[str, Type] = {}
        for signal in signals.values():
            plan = signal.expression.plan
            for point, type_ in zip(plan.points, plan.types, strict=True):
                self._of_point.setdefault(point.path, []).append(signal)
                self._types[point.path] = type_

    @property
    def points(self) -> list[str]:
        """The points that any of them reads."""
        return list(self._of_point)

    def push(self, batch: Batch) -> list[Rows]:
        """The rows that a batch has finished."""
        if not self.by_key:
            return []
        columns = self.columns(batch)
        touched = {s.key: s for path in columns for s in self._of_point[path]}
        found: list[Rows] = []
        for signal in touched.values():
            found += signal.push({p: columns[p] for p in signal.paths if p in columns})
        return found

    def columns(self, batch: Batch) -> dict[str, Samples]:
        """The samples of each point that an expression reads."""
        places = [(i, p) for i, p in enumerate(batch.points) if p in self._of_point]
        if not places:
            return {}
        order = np.argsort(batch.index, kind="stable")
        index = batch.index[order]
        found = {}
        for place, path in places:
            begin, end = np.searchsorted(index, (place, place + 1))
            if begin < end:
                found[path] = _samples(batch, order[begin:end], self._types[path])
        return found

    def tick(self, now_ns: int, *, all_told: bool = False) -> list[Rows]:
        """The rows that the passing of time has finished."""
        found: list[Rows] = []
        for signal in self.by_key.values():
            found += signal.tick(now_ns, all_told=all_told)
        return found


def _samples(batch: Batch, rows: npt.NDArray[np.intp], type_: Type) -> Samples:
    """Those rows of a batch."""
    values = batch.text.take(rows) if type_ is Type.STRING else batch.number[rows]
    return Samples(batch.time_ns[rows], values, batch.quality[rows])
