"""Operators for which a bad value need not make the result bad.

`false && x` is false and `true || x` is true whatever x is; `c ? x : y` asks only for the one it
takes. Where the result does depend on a bad value it is bad, never false.
"""

from collections.abc import Callable, Mapping

import numpy as np

from lineshaft.core.batch import Codes, Mask
from lineshaft.operations.expressions.columns import BAD, UNCERTAIN, Column

QUALITIES = ("good", "uncertain", "bad")
_GOOD = np.zeros(1, dtype=np.uint32)


def both(left: Column, right: Column) -> Column:
    """`&&`."""
    if left.quality is None and right.quality is None:
        return Column(np.logical_and(left.data, right.data))
    return _decided(left, right, decisive=False)


def either(left: Column, right: Column) -> Column:
    """`||`."""
    if left.quality is None and right.quality is None:
        return Column(np.logical_or(left.data, right.data))
    return _decided(left, right, decisive=True)


def _decided(left: Column, right: Column, *, decisive: bool) -> Column:
    """One usable side of the decisive value is enough; of two such the better quality counts."""
    ql, qr = _codes(left), _codes(right)
    by_left: Mask = (left.data == decisive) & (ql < BAD)
    by_right: Mask = (right.data == decisive) & (qr < BAD)
    undecided = np.maximum(ql, qr)
    by_one = np.where(by_left, ql, np.where(by_right, qr, undecided))
    quality = np.where(by_left & by_right, np.minimum(ql, qr), by_one)
    found = by_left | by_right
    return Column(found if decisive else ~found, quality)


def choose(condition: Column, yes: Column, no: Column) -> Column:
    """`condition ? yes : no`."""
    taken: Mask = condition.data
    words = None
    if yes.words is not None and no.words is not None:
        words = [*yes.words, *no.words]
        no = Column(no.data + len(yes.words), no.quality)
    data = np.where(taken, yes.data, no.data)
    if condition.quality is None and yes.quality is None and no.quality is None:
        return Column(data, None, words)
    qc = _codes(condition)
    branch = np.where(taken, _codes(yes), _codes(no))
    return Column(data, np.where(qc >= BAD, qc, np.maximum(qc, branch)), words)


def quality(column: Column) -> Column:
    """`quality(x)`: what people call it; itself always good."""
    codes = _codes(column)
    places = (codes >= UNCERTAIN).astype(np.int64) + (codes >= BAD)
    return Column(places, None, QUALITIES)


def has(column: Column) -> Column:
    """`has(x)`: whether it is not bad; itself always good."""
    return Column(_codes(column) < BAD)


def _codes(column: Column) -> Codes:
    return _GOOD if column.quality is None else column.quality


SPECIAL: Mapping[str, Callable[..., Column]] = {
    "and": both,
    "or": either,
    "choose": choose,
    "quality": quality,
    "has": has,
}
"""Operators that see quality themselves."""
