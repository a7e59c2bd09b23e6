"""Operators and functions of single values: what `kernels` and `logic` do, without columns."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from lineshaft.operations.expressions.sliding import (
    BAD,
    Lasting,
    Read,
    Tail,
    Total,
    Value,
    change,
    extreme,
    finite,
    stale,
)
from lineshaft.operations.expressions.tree import Apply, Const, Input, Node, Timed, Type, children

_PLAIN: Mapping[str, Callable[..., Any]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
    "ne": operator.ne,
    "not": operator.not_,
    "neg": operator.neg,
    "abs": abs,
    "double": float,
}
_NUMBERS: Mapping[str, Callable[..., float]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "rem": math.fmod,
    "sqrt": math.sqrt,
}
"""Those that every machine rounds alike; powers and logarithms are not among them."""


class Made(NamedTuple):
    """An expression as functions of time, and what of it remembers."""

    read: Read
    totals: list[Total]
    lasting: list[tuple[Timed, Lasting]]


def made(root: Node, tails: Sequence[Tail], types: Sequence[Type]) -> Made | None:
    """The expression over these samples; None when it holds what is for columns alone."""
    found = Made(_never, [], [])
    read = _Builder(tails, types, found).of(root) if root.type in _TYPES else None
    return None if read is None else found._replace(read=read)


_TYPES = (Type.BOOL, Type.DOUBLE, Type.DURATION)


def _never(time_ns: int) -> Value:
    raise AssertionError(time_ns)


class _Builder:
    def __init__(self, tails: Sequence[Tail], types: Sequence[Type], found: Made) -> None:
        self._tails, self._types, self._found = tails, types, found

    def of(self, node: Node) -> Read | None:
        """A node; None when it cannot be."""
        if isinstance(node, Const):
            constant = (node.value, 0)
            return lambda _: constant
        if isinstance(node, Input):
            return _held(self._tails[node.number], is_bool=self._types[node.number] is Type.BOOL)
        if isinstance(node, Timed):
            return self._timed(node)
        return self._apply(node) if isinstance(node, Apply) else None

    def _apply(self, node: Apply) -> Read | None:
        args = [read for arg in node.args if (read := self.of(arg)) is not None]
        if len(args) < len(node.args):
            return None
        if special := _SPECIAL.get(node.op):
            return special(*args)
        of_text = node.args[0].type is Type.STRING
        if of_text or node.type in (Type.DURATION, Type.TIMESTAMP, Type.STRING):
            return _plain(_PLAIN[node.op], *args) if of_text and node.op in _COMPARED else None
        if node.op == "scale":
            return _scaled(args[0], *node.settings)  # type: ignore[arg-type]
        if work := _PLAIN.get(node.op):
            return _plain(work, *args)
        return _number(number, *args) if (number := _NUMBERS.get(node.op)) else None

    def _timed(self, node: Timed) -> Read | None:
        if node.op == "stale":
            return stale([self._tails[n] for n in sorted(node.arg.inputs)], node.window_ns)
        if node.op == "duration":
            condition = None if node.arg.clocked or _looks_back(node.arg) else self.of(node.arg)
            if condition is None:
                return None
            lasting = Lasting(condition)
            self._found.lasting.append((node, lasting))
            return lasting.at
        if isinstance(node.arg, Input) and node.arg.type is Type.DOUBLE:
            return self._window(node, self._tails[node.arg.number])
        return None

    def _window(self, node: Timed, tail: Tail) -> Read | None:
        if node.op in ("avg", "sum", "count"):
            total = Total(tail, node)
            self._found.totals.append(total)
            return total.at
        if node.op in ("min", "max"):
            return extreme(tail, node)
        return change(tail, node) if node.op in ("rate", "delta") else None


_COMPARED = ("lt", "le", "gt", "ge", "eq", "ne")


def _looks_back(node: Node) -> bool:
    return isinstance(node, Timed) or any(map(_looks_back, children(node)))


def _held(tail: Tail, *, is_bool: bool) -> Read:
    """The last-known value of an input, which has one."""
    times, values, codes = tail.times, tail.values, tail.codes

    def read(time_ns: int) -> Value:
        place = -1
        if times[-1] > time_ns:
            place = len(times) - 2
            while times[place] > time_ns:
                place -= 1
        value = values[place]
        return (value != 0.0 if is_bool else value), codes[place]

    return read


def _plain(work: Callable[..., Any], *args: Read) -> Read:
    """What is finite when its arguments are."""
    if len(args) == 1:
        (only,) = args

        def of_one(time_ns: int) -> Value:
            value, quality = only(time_ns)
            return work(value), quality

        return of_one
    left, right = args

    def of_two(time_ns: int) -> Value:
        one, here = left(time_ns)
        other, there = right(time_ns)
        return work(one, other), max(here, there)

    return of_two


def _number(work: Callable[..., float], *args: Read) -> Read:
    """Arithmetic; what has no finite result is bad."""
    plain = _plain(work, *args)

    def read(time_ns: int) -> Value:
        try:
            return finite(*plain(time_ns))
        except (ArithmeticError, ValueError):
            return finite(math.nan, max(arg(time_ns)[1] for arg in args))

    return read


def _scaled(arg: Read, factor: float, offset: float) -> Read:
    def read(time_ns: int) -> Value:
        value, quality = arg(time_ns)
        value *= factor
        return finite(value + offset if offset else value, quality)

    return read


def _decided(left: Read, right: Read, *, decisive: bool) -> Read:
    """`&&`, `||`: one usable side of the decisive value is enough."""

    def read(time_ns: int) -> Value:
        one, here = left(time_ns)
        other, there = right(time_ns)
        by_left = one == decisive and here < BAD
        by_right = other == decisive and there < BAD
        if by_left:
            return decisive, min(here, there) if by_right else here
        if by_right:
            return decisive, there
        return not decisive, max(here, there)

    return read


def _chosen(condition: Read, yes: Read, no: Read) -> Read:
    def read(time_ns: int) -> Value:
        taken, deciding = condition(time_ns)
        one, here = yes(time_ns)
        other, there = no(time_ns)
        value, quality = (one, here) if taken else (other, there)
        return value, deciding if deciding >= BAD else max(deciding, quality)

    return read


def _has(arg: Read) -> Read:
    return lambda time_ns: (arg(time_ns)[1] < BAD, 0)


_SPECIAL: Mapping[str, Callable[..., Read]] = {
    "and": lambda left, right: _decided(left, right, decisive=False),
    "or": lambda left, right: _decided(left, right, decisive=True),
    "choose": _chosen,
    "has": _has,
}
