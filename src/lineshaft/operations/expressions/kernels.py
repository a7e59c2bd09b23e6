"""Operators and functions on columns, in NumPy."""

from collections.abc import Callable, Mapping

import numpy as np

from lineshaft.core.batch import Floats, Ints, Mask
from lineshaft.operations.expressions import logic, wording, zoned
from lineshaft.operations.expressions.columns import (
    OUT_OF_RANGE,
    Column,
    Data,
    constant,
    marked,
    worst,
)
from lineshaft.operations.expressions.tree import Apply, Const, Constant, Node, Type

Leaves = Callable[[Node], Column]
"""The column of an input, of the time, or of a function that looks back."""
NS_PER_S, NS_PER_MINUTE, NS_PER_HOUR = 10**9, 60 * 10**9, 3600 * 10**9


def evaluate(node: Node, leaves: Leaves) -> Column:
    """The values of a node at the times that the leaves are given for."""
    # The flags of the floating-point unit tell for nothing whether a result is not finite.
    with np.errstate(over="raise", divide="raise", invalid="raise", under="ignore"):
        return _evaluate(node, leaves)


def _evaluate(node: Node, leaves: Leaves) -> Column:
    if isinstance(node, Const):
        return constant(node.value)
    if not isinstance(node, Apply):
        return leaves(node)
    columns = [_evaluate(arg, leaves) for arg in node.args]
    if special := logic.SPECIAL.get(node.op):
        return special(*columns)
    if node.args[0].type is Type.STRING:
        return wording.apply(node.op, columns, worst(*(c.quality for c in columns)), node.settings)
    if node.type in (Type.DURATION, Type.TIMESTAMP):
        return _whole(node.op, columns)
    return _strict(node, columns)


def _strict(node: Apply, columns: list[Column]) -> Column:
    """What is bad when any argument is, of numbers, booleans and times."""
    quality = worst(*(c.quality for c in columns))
    if field := zoned.FIELDS.get(node.op):
        return Column(field(columns[0].data, str(node.settings[0])), quality)
    if plain := _PLAIN.get(node.op):
        return Column(plain(*(c.data for c in columns)), quality)
    return _number(_NUMBERS[node.op], columns, node.settings)


def _number(
    work: Callable[..., Data], columns: list[Column], settings: tuple[Constant, ...]
) -> Column:
    """Arithmetic; what has no finite result is bad."""
    quality = worst(*(c.quality for c in columns))
    datas = [c.data for c in columns]
    try:
        return Column(work(*datas, *settings), quality)
    except FloatingPointError:
        with np.errstate(all="ignore"):
            data = work(*datas, *settings)
        wrong = ~np.isfinite(data)
        return Column(np.where(wrong, 0.0, data), marked(quality, wrong, OUT_OF_RANGE))


def _whole(op: str, columns: list[Column]) -> Column:
    """Sums of times and durations; what overflows is bad."""
    quality = worst(*(c.quality for c in columns))
    left = columns[0].data
    if op == "neg":
        return Column(-left, quality)
    right = columns[1].data
    data = left + right if op == "add" else left - right
    other = right if op == "add" else ~right
    wrong: Mask = ((left ^ data) & (other ^ data)) < 0
    return Column(np.where(wrong, 0, data), marked(quality, wrong, OUT_OF_RANGE))


def _round(x: Floats) -> Floats:
    """Halves away from zero."""
    whole = np.trunc(x)
    rounded: Floats = whole + np.where(np.abs(x - whole) >= 0.5, np.sign(x), 0.0)  # noqa: PLR2004
    return rounded


def _scale(x: Floats, factor: float, offset: float) -> Floats:
    scaled: Floats = x * factor
    return scaled + offset if offset else scaled


def _quotient(x: Ints, by: int) -> Floats:
    """Towards zero."""
    whole: Ints = np.sign(x) * (np.abs(x) // by)
    return whole.astype(np.float64)


_PLAIN: Mapping[str, Callable[..., Data]] = {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "not": np.logical_not,
    "neg": np.negative,
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "trunc": np.trunc,
    "round": _round,
    "sign": np.sign,
    "least": np.minimum,
    "greatest": np.maximum,
    "double": lambda x: x.astype(np.float64),
    "getHours_of_duration": lambda x: _quotient(x, NS_PER_HOUR),
    "getMinutes_of_duration": lambda x: _quotient(x, NS_PER_MINUTE),
    "getSeconds_of_duration": lambda x: _quotient(x, NS_PER_S),
}
"""What is finite when its arguments are."""
_NUMBERS: Mapping[str, Callable[..., Data]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "rem": np.fmod,
    "sqrt": np.sqrt,
    "pow": np.power,
    "exp": np.exp,
    "ln": np.log,
    "log10": np.log10,
    "scale": _scale,
}
