"""Operators between two sides, with vector matching."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from lineshaft.core.batch import Floats, Mask
from lineshaft.core.errors import Refused
from lineshaft.historian.prometheus.frame import NAME, Frame, Key, Rows, key_of, merged, some
from lineshaft.historian.prometheus.syntax import COMPARISONS, Binary

Values = npt.NDArray[Any]

_OPERATORS: dict[str, Callable[[Values, Values], Values]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}


def scalars(node: Binary, left: Floats, right: Floats) -> Floats:
    """Both sides are numbers (k,)."""
    return np.asarray(_OPERATORS[node.operator](left, right), dtype=np.float64)


def with_scalar(node: Binary, vector: Frame, scalar: Floats, *, vector_left: bool) -> Frame:
    """One side is a number (k,), the other series."""
    sides = (vector.value, scalar) if vector_left else (scalar, vector.value)
    found = _OPERATORS[node.operator](*sides)
    if node.operator not in COMPARISONS or node.as_bool:
        value = np.asarray(found, dtype=np.float64)
        return Frame(vector.labels, value, vector.present).without_name()
    return Frame(vector.labels, vector.value, vector.present & found)


def _signature(node: Binary) -> Callable[[dict[str, str]], Key]:
    """What of the labels is compared."""
    names = set(node.labels)
    if node.on:
        return lambda labels: key_of({k: v for k, v in labels.items() if k in names})
    names.add(NAME)
    return lambda labels: key_of({k: v for k, v in labels.items() if k not in names})


def _groups(frame: Frame, node: Binary) -> dict[Key, list[int]]:
    signature = _signature(node)
    found: dict[Key, list[int]] = {}
    for row, labels in enumerate(frame.labels):
        found.setdefault(signature(labels), []).append(row)
    return found


def vectors(node: Binary, left: Frame, right: Frame) -> Frame:
    """Both sides are series: those whose compared labels are equal meet.

    Raises:
        Refused: several series of a side meet where one was wanted.
    """
    swapped = node.many == "right"
    many, one = (right, left) if swapped else (left, right)
    groups = _groups(one, node)
    single: dict[Key, tuple[list[int], Mask]] = {}
    for key, rows in groups.items():
        present = one.present[rows].sum(axis=0)
        if (present > 1).any():
            side = "left" if swapped else "right"
            raise Refused(
                f"found duplicate series for the match group {dict(key)} on the {side} hand-side"
                f" of the operation: {[one.labels[r] for r in rows[:2]]}; many-to-many matching"
                " not allowed: matching labels must be unique on one side"
            )
        single[key] = (rows, present > 0)
    out = Rows(left.steps)
    signature = _signature(node)
    for row, labels in enumerate(many.labels):
        key = signature(labels)
        if key not in single:
            continue
        for other in single[key][0]:
            _meet(node, out, (many, row), (one, other), swapped=swapped)
    made = out.frame()
    if not node.many:
        _check_one_to_one(node, made)
    return merged(made, "multiple matches for labels: grouping labels must ensure unique matches")


def _meet(
    node: Binary, out: Rows, many: tuple[Frame, int], one: tuple[Frame, int], *, swapped: bool
) -> None:
    """Append what comes of one series of each side."""
    (m, i), (o, j) = many, one
    left, right = (o.value[j], m.value[i]) if swapped else (m.value[i], o.value[j])
    present = m.present[i] & o.present[j]
    found = _OPERATORS[node.operator](left, right)
    if node.operator in COMPARISONS and not node.as_bool:
        present, found = present & found, left
    if present.any():
        out.add(_result_labels(node, m.labels[i], o.labels[j]), found, present)


def _check_one_to_one(node: Binary, made: Frame) -> None:
    for rows in _groups(made, node).values():
        if len(rows) > 1 and (made.present[rows].sum(axis=0) > 1).any():
            raise Refused(
                "multiple matches for labels: many-to-one matching must be explicit"
                " (group_left/group_right)"
            )


def _result_labels(node: Binary, many: dict[str, str], one: dict[str, str]) -> dict[str, str]:
    drop_name = node.operator not in COMPARISONS or node.as_bool
    labels = {k: v for k, v in many.items() if not (drop_name and k == NAME)}
    if not node.many:
        kept = set(node.labels)
        labels = {k: v for k, v in labels.items() if (k in kept) is node.on}
    for name in node.include:
        labels.pop(name, None)
        if one.get(name):
            labels[name] = one[name]
    return labels


def sets(node: Binary, left: Frame, right: Frame) -> Frame:
    """`and`, `or`, `unless`."""
    theirs = {k: some(right.present[rows]) for k, rows in _groups(right, node).items()}
    ours = {k: some(left.present[rows]) for k, rows in _groups(left, node).items()}
    signature = _signature(node)
    nowhere = np.zeros(left.steps, dtype=bool)
    if node.operator == "or":
        free = [~ours.get(signature(labels), nowhere) for labels in right.labels]
        present = right.present & np.array(free).reshape(right.present.shape)
        both = Frame(
            [*left.labels, *right.labels],
            np.concatenate((left.value, right.value)),
            np.concatenate((left.present, present)),
        )
        return merged(both)
    met = [theirs.get(signature(labels), nowhere) for labels in left.labels]
    mask = np.array(met, dtype=bool).reshape(left.present.shape)
    return Frame(left.labels, left.value, left.present & (mask ^ (node.operator == "unless")))
