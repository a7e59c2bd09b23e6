"""Rows one at a time, without columns: a call of NumPy costs more than a row.

What a live plant brings is a sample or two of each input. For these `Singly` gives the same rows as
columns would, to the last bit, at a small part of the cost; what it is not made for it leaves to
the columns: functions that are not rounded alike, many rows at once, samples out of order.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from lineshaft.operations.expressions.columns import CODE, MISMATCH
from lineshaft.operations.expressions.run import Carry, Marks
from lineshaft.operations.expressions.scalars import made
from lineshaft.operations.expressions.sliding import BAD, OUT_OF_RANGE, Tail, Unlike
from lineshaft.operations.expressions.tails import FAR_AHEAD, Rows, Samples
from lineshaft.operations.expressions.tree import Node, Type

SAMPLES_MAX = 8
"""Samples of one input in one push; more are for columns."""
ROWS_MAX = 16
"""Rows of one push."""
TAIL_MAX = 5_000
"""Samples of one input that are held this way."""
GROWTH_MAX = 256
"""Samples after which columns have a turn, which let go of what is not needed any more."""
_CODE, _MISMATCH = int(CODE), int(MISMATCH)
_NOTHING = {Type.DOUBLE: math.nan, Type.BOOL: False}


class Few(NamedTuple):
    """Some samples of one input: columns of equal length, as lists."""

    times: list[int]
    values: Sequence[Any]
    codes: list[int]


class Row(NamedTuple):
    """One row of a result; where the quality is bad the value is as in `Result`."""

    time_ns: int
    value: Any
    quality: int


class Singly:
    """The samples at hand of one evaluator, as its functions of single values need them."""

    def __init__(self, root: Node, types: Sequence[Type]) -> None:
        self._root, self._types = root, types
        self.tails = [Tail(t) for t in types]
        self._made = made(root, self.tails, types)
        self._growth = 0

    @property
    def is_full(self) -> bool:
        """Whether columns should have a turn."""
        return self._growth > GROWTH_MAX

    # ---- from columns and back

    def enter(self, rows: Sequence[Rows], marks: Marks, until_ns: int) -> bool:
        """Take over what columns know, if that can be held this way."""
        if self._made is None or any(not 0 < len(r.time) <= TAIL_MAX for r in rows):
            return False
        if any(r.time[0] > until_ns for r in rows):
            return False
        for node, lasting in self._made.lasting:
            carry = marks.carries.get(id(node))
            if carry is None or carry.at_ns != until_ns:
                return False
            lasting.since_ns = carry.since_ns if carry.since_ns <= until_ns else None
            lasting.quality = carry.quality
        for tail, found in zip(self.tails, rows, strict=True):
            tail.fill(found)
        for total in self._made.totals:
            total.reset()
        self._growth = 0
        return True

    def leave(self, until_ns: int, marks: Marks) -> tuple[list[Rows], Marks]:
        """What columns go on with."""
        rows = [tail.rows(type_) for tail, type_ in zip(self.tails, self._types, strict=True)]
        carries, since = dict(marks.carries), dict(marks.since)
        for node, lasting in self._made.lasting if self._made else ():
            begun = until_ns + 1 if lasting.since_ns is None else lasting.since_ns
            carries[id(node)] = Carry(until_ns, begun, lasting.quality, known=True)
            since[id(node)] = until_ns
        return rows, Marks(carries, since)

    # ---- samples

    def takes(self, few: Mapping[int, Few], until_ns: int) -> bool:
        """Whether samples can be taken: they are few, in order, and none is late."""
        for number, (times, values, codes) in few.items():
            if len(times) > SAMPLES_MAX or not len(times) == len(values) == len(codes):
                return False
            before = max(until_ns, self.tails[number].times[-1])
            for time_ns in times:
                if not before < time_ns < FAR_AHEAD:
                    return False
                before = time_ns
        return True

    def take(self, few: Mapping[int, Few]) -> None:
        """Take samples that can be taken."""
        for number, (times, values, codes) in few.items():
            tail, type_ = self.tails[number], self._types[number]
            self._growth += len(times)
            for time_ns, came, code in zip(times, values, codes, strict=True):
                value, quality = _ready(came, code & _CODE, type_)
                tail.times.append(time_ns)
                tail.values.append(value)
                tail.codes.append(quality)

    def rows(self, after_ns: int, until_ns: int, every_ns: int) -> list[Row] | None:
        """The rows after one time and up to another; None leaves them to columns."""
        assert self._made is not None  # noqa: S101 - it was entered
        times = self._times(after_ns, until_ns, every_ns)
        if len(times) > ROWS_MAX:
            return None
        before = [(one, one.since_ns, one.quality) for _, one in self._made.lasting]
        read, type_ = self._made.read, self._root.type
        nothing = _NOTHING.get(type_, 0)
        found = []
        try:
            for time_ns in times:
                value, quality = read(time_ns)
                found.append(Row(time_ns, nothing if quality >= BAD else value, quality))
        except Unlike:
            for lasting, since_ns, quality in before:
                lasting.since_ns, lasting.quality = since_ns, quality
            return None
        return found

    def _times(self, after_ns: int, until_ns: int, every_ns: int) -> Sequence[int]:
        found: set[int] = set()
        for number in self._root.inputs:
            times = self.tails[number].times
            if times[-1] > after_ns:
                found.update(times[bisect_right(times, after_ns) : bisect_right(times, until_ns)])
        if every_ns and self._root.clocked:
            first, last = after_ns // every_ns + 1, until_ns // every_ns
            if last - first >= ROWS_MAX:
                return range(last - first + 1)  # too many, and none is looked at
            found.update(range(first * every_ns, last * every_ns + 1, every_ns))
        return sorted(found)


def _ready(value: Any, code: int, type_: Type) -> tuple[Any, int]:  # noqa: ANN401 - of any type
    """A value and its code, as `tails.ready` makes them."""
    if type_ is Type.STRING:
        if isinstance(value, str):
            return value, code
        return "", code if code >= BAD else _MISMATCH
    if not math.isfinite(value):
        value, code = 0.0, code if code >= BAD else OUT_OF_RANGE
    return (float(value != 0.0) if type_ is Type.BOOL else value), code


def few_of(
    given: Mapping[str, Samples], places: Mapping[str, int], types: Sequence[Type]
) -> dict[int, Few] | None:
    """Samples by number of their input; None when these are not few, or not plain columns."""
    found = {}
    for path, (times, values, codes) in given.items():
        number = places.get(path)
        if number is None or len(values) > SAMPLES_MAX:
            return None
        if isinstance(values, pa.Array):
            values = values.to_pylist()  # noqa: PLW2901 - the same in another form
        elif isinstance(values, np.ndarray):
            if values.dtype != np.float64 or types[number] is Type.STRING:
                return None
            values = values.tolist()  # noqa: PLW2901
        if types[number] is not Type.STRING and not all(type(v) is float for v in values):
            return None
        if times.dtype != np.int64 or codes.dtype != np.uint32:
            return None
        found[number] = Few(times.tolist(), values, codes.tolist())
    return found


def as_columns(rows: Iterable[Row], type_: Type) -> tuple[Any, Any, Any]:
    """Times, values and qualities of rows."""
    times, values, codes = zip(*rows, strict=True) if rows else ((), (), ())
    kind = {Type.DOUBLE: np.float64, Type.BOOL: np.bool_}.get(type_, np.int64)
    return (
        np.array(times, dtype=np.int64),
        np.array(values, dtype=kind),
        np.array(codes, dtype=np.uint32),
    )
