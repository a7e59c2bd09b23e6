"""Series made one by group: `sum by (line) (…)`."""

from collections.abc import Callable

import numpy as np

from lineshaft.core.batch import Floats, Ints, Mask
from lineshaft.core.errors import Invalid
from lineshaft.historian.prometheus.frame import NAME, Frame, Key, Rows, key_of, some
from lineshaft.historian.prometheus.syntax import Aggregate
from lineshaft.historian.prometheus.windows import between


def aggregate(node: Aggregate, frame: Frame, parameter: Floats | None) -> Frame:
    """Each group as one series; for topk and bottomk the series that stand out in each group.

    `parameter` (k,) is the number before the series: `topk(3, …)`.
    """
    groups: dict[Key, list[int]] = {}
    for row, labels in enumerate(frame.labels):
        groups.setdefault(key_of(_kept(node, labels)), []).append(row)
    if node.operator in ("topk", "bottomk"):
        return _outstanding(node, frame, _wanted(node, parameter), list(groups.values()))
    out = Rows(frame.steps)
    for key, rows in groups.items():
        value, present = frame.value[rows], frame.present[rows]
        anywhere = some(present)
        if not anywhere.any():
            continue
        if node.operator == "quantile":
            found = _quantile(value, present, _wanted(node, parameter))
        else:
            found = _OPERATORS[node.operator](value, present)
        out.add(dict(key), found, anywhere)
    return out.frame()


def _wanted(node: Aggregate, parameter: Floats | None) -> Floats:
    if parameter is None:
        raise Invalid(f"{node.operator}() needs a number before the series")
    return parameter


def _kept(node: Aggregate, labels: dict[str, str]) -> dict[str, str]:
    if node.without:
        dropped = {NAME, *node.labels}
        return {k: v for k, v in labels.items() if k not in dropped}
    return {k: labels[k] for k in node.labels if k in labels}


def _mean(value: Floats, present: Mask) -> Floats:
    found: Floats = np.where(present, value, 0.0).sum(axis=0) / present.sum(axis=0)
    return found


def _variance(value: Floats, present: Mask) -> Floats:
    about = np.where(present, value - _mean(value, present), 0.0)
    found: Floats = (about**2).sum(axis=0) / present.sum(axis=0)
    return found


_OPERATORS: dict[str, Callable[[Floats, Mask], Floats]] = {
    "sum": lambda v, p: np.where(p, v, 0.0).sum(axis=0),
    "count": lambda _, p: p.sum(axis=0).astype(np.float64),
    "group": lambda _, p: np.ones(p.shape[1]),
    "avg": _mean,
    "min": lambda v, p: np.fmin.reduce(np.where(p, v, np.nan), axis=0),
    "max": lambda v, p: np.fmax.reduce(np.where(p, v, np.nan), axis=0),
    "stddev": lambda v, p: np.sqrt(_variance(v, p)),
    "stdvar": _variance,
}


def _quantile(value: Floats, present: Mask, share: Floats) -> Floats:
    """The quantile over series at each step; NaN sorts first, what is not there last."""
    nan = np.isnan(value)
    order = np.lexsort((np.where(nan, -np.inf, value), ~nan, ~present), axis=0)
    ordered = np.take_along_axis(value, order, axis=0)
    count = np.maximum(present.sum(axis=0), 1)
    starts = np.arange(value.shape[1]) * value.shape[0]
    return between(ordered.T.ravel(), starts, count, share)


def _outstanding(node: Aggregate, frame: Frame, wanted: Floats, groups: list[list[int]]) -> Frame:
    """The series with the k greatest or least values of their group, step by step."""
    if np.isnan(wanted).any():
        raise Invalid(f"{node.operator}() got NaN, wanted how many series")
    count = np.maximum(np.trunc(wanted), 0)
    present = np.zeros_like(frame.present)
    ordered: list[int] = []
    for rows in groups:
        order = _order(node, frame.value[rows], frame.present[rows])
        place = np.empty_like(order)
        np.put_along_axis(place, order, np.arange(len(rows))[:, None], axis=0)
        present[rows] = frame.present[rows] & (place < count)
        ordered += [rows[i] for i in (order[:, 0] if frame.steps else ())]
    kept = [r for r in ordered if present[r].any()]
    return Frame([frame.labels[r] for r in kept], frame.value[kept], present[kept])


def _order(node: Aggregate, value: Floats, present: Mask) -> Ints:
    """Rows from the first to the last, per step; NaN behind all numbers."""
    nan = np.isnan(value)
    ranked = np.where(nan, 0.0, -value if node.operator == "topk" else value)
    order: Ints = np.lexsort((ranked, nan, ~present), axis=0)
    return order
