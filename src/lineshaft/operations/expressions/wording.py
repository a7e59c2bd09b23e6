"""Operators and functions of texts: each distinct text is looked at once."""

import operator
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lineshaft.core.batch import Codes, Ints
from lineshaft.operations.expressions.columns import OUT_OF_RANGE, Column, marked
from lineshaft.operations.expressions.limits import STRING_CHARS_MAX
from lineshaft.operations.expressions.tree import Constant

_SMALL = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_LARGE = {small: large for large, small in _SMALL.items()}
_OF_TWO: Mapping[str, Callable[[str, str], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
    "ne": operator.ne,
    "contains": operator.contains,
    "starts": str.startswith,
    "ends": str.endswith,
}


def apply(
    op: str, columns: list[Column], quality: Codes | None, settings: tuple[Constant, ...]
) -> Column:
    """An operator whose first argument is a text."""
    if op in _OF_TWO:
        lefts, rights, back = _pairs(*columns)
        work = _OF_TWO[op]
        found = np.array([work(a, b) for a, b in zip(lefts, rights, strict=True)], dtype=np.bool_)
        return Column(found[back], quality)
    if op == "join":
        return _join(columns, quality)
    words: Sequence[str] = columns[0].words or [""]
    places: Ints = columns[0].data
    if op == "size":
        return Column(np.array([len(w) for w in words], dtype=np.float64)[places], quality)
    if op == "matches":
        hits = pc.match_substring_regex(pa.array(words, pa.string()), str(settings[0]))
        return Column(hits.to_numpy(zero_copy_only=False)[places], quality)
    table = _SMALL if op == "lower" else _LARGE
    return Column(places, quality, [w.translate(table) for w in words])


def _pairs(left: Column, right: Column) -> tuple[Sequence[str], Sequence[str], Ints]:
    """The distinct pairs of texts, and which one each row has."""
    a, b = left.words or [""], right.words or [""]
    if len(right.data) == 1:
        return a, [b[int(right.data[0])]] * len(a), left.data
    if len(left.data) == 1:
        return [a[int(left.data[0])]] * len(b), b, right.data
    pairs, back = np.unique(left.data * len(b) + right.data, return_inverse=True)
    return [a[p // len(b)] for p in pairs], [b[p % len(b)] for p in pairs], back


def _join(columns: list[Column], quality: Codes | None) -> Column:
    lefts, rights, back = _pairs(*columns)
    sizes = np.array([len(a) + len(b) for a, b in zip(lefts, rights, strict=True)])
    long: npt.NDArray[np.bool_] = sizes > STRING_CHARS_MAX
    words = ["" if too_long else a + b for a, b, too_long in zip(lefts, rights, long, strict=True)]
    return Column(back, marked(quality, long[back], OUT_OF_RANGE), words)
