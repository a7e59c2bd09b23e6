"""What an evaluation gives: one row for each time, and what arrived too late for its row."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lineshaft.core.batch import Codes, Ints
from lineshaft.operations.expressions.columns import BAD, Column
from lineshaft.operations.expressions.tree import Type


class Late(NamedTuple):
    """Rows in [`start_ns`, `stop_ns`) were given before a sample of `path` came that counts there.

    They are to be computed again from history, see `Expression.over`.
    """

    path: str
    start_ns: int
    stop_ns: int


class Result(NamedTuple):
    """The values of an expression at n times."""

    time_ns: Ints
    values: npt.NDArray[Any]
    """(n,) float64; bool; texts as objects; durations and times as int64 nanoseconds.

    Where the quality is bad: NaN, False, None or 0."""
    quality: Codes
    late: tuple[Late, ...] = ()
    ahead: int = 0
    """Samples left out because their time lies after what `push` was told is possible."""
    dropped: int = 0
    """Samples given up because an input has more than `TAIL_ROWS_MAX` in its windows."""


def result(times: Ints, column: Column, type_: Type) -> Result:
    """The rows of a column."""
    n = len(times)
    codes = column.codes(n)
    bad = codes >= BAD
    data = column.spread(n).data
    if type_ is Type.STRING:
        words = np.array([*(column.words or [""]), None], dtype=np.object_)
        return Result(times, words[np.where(bad, len(words) - 1, data)], codes)
    if not bad.any():
        return Result(times, data, codes)
    nothing = {Type.DOUBLE: np.nan, Type.BOOL: False}.get(type_, 0)
    return Result(times, np.where(bad, nothing, data), codes)
