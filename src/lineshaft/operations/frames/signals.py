"""Rows of an expression as edges: where something begins to hold, and where it no longer does.

A row of bad quality says nothing: what held before it holds on.
"""

from typing import NamedTuple

import numpy as np

from lineshaft.core.batch import Ints
from lineshaft.operations.expressions.columns import BAD
from lineshaft.operations.expressions.results import Result
from lineshaft.operations.expressions.tree import Type


class Edges(NamedTuple):
    """Times at which a signal changed."""

    rises: Ints
    """(n,) it begins to hold, or holds with another value."""
    falls: Ints
    """(k,) it no longer holds, or holds with another value."""


class Signal:
    """What a begin or end condition remembers from one step to the next."""

    def __init__(self, type_: Type) -> None:
        self._type = type_
        self._value: object = None
        """The last usable value; None before the first."""

    def push(self, rows: Result) -> Edges:
        """The edges within rows; times rise."""
        usable = rows.quality < BAD
        times, values = rows.time_ns[usable], rows.values[usable]
        if not len(times):
            return Edges(times, times)
        holds = self._holds(values)
        before = np.empty(len(values), dtype=values.dtype)
        before[1:] = values[:-1]
        known = self._value is not None
        before[0] = self._value if known else values[0]
        held = self._holds(before)
        if not known:
            held[0] = False
        other = before != values
        self._value = values[-1]
        return Edges(times[holds & (~held | other)], times[held & (~holds | other)])

    def _holds(self, values: np.ndarray) -> np.ndarray:
        if self._type is Type.BOOL:
            return values.astype(np.bool_)
        if self._type is Type.STRING:
            return np.array([bool(v) for v in values], dtype=np.bool_)
        return np.ones(len(values), dtype=np.bool_)
