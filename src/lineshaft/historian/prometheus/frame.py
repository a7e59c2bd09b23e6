"""Values of series at steps: what a vector is when all steps are looked at together."""

from collections.abc import Mapping, Sequence

import numpy as np

from lineshaft.core.batch import Floats, Mask
from lineshaft.core.errors import Refused

NAME = "__name__"
"""The label that holds the metric's name."""

Key = tuple[tuple[str, str], ...]


def key_of(labels: Mapping[str, str]) -> Key:
    """Labels as something to look up by."""
    return tuple(sorted(labels.items()))


def some(present: Mask) -> Mask:
    """At which steps any series is present."""
    found: Mask = np.logical_or.reduce(present, axis=0)
    return found


class Frame:
    """Series, each with a value at some of the k steps.

    `value` and `present` are (n, k); where a series is not present its value means nothing. NaN
    is a value like any other.
    """

    __slots__ = ("labels", "present", "value")

    def __init__(self, labels: Sequence[dict[str, str]], value: Floats, present: Mask) -> None:
        self.labels = labels
        self.value = value
        self.present = present

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return int(self.value.shape[1])

    def without_name(self) -> "Frame":
        """The same values, of no metric.

        Raises:
            Refused: two series differ in nothing but the name.
        """
        labels = [{k: v for k, v in of.items() if k != NAME} for of in self.labels]
        return merged(Frame(labels, self.value, self.present))


class Rows:
    """A frame in the making."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._labels: list[dict[str, str]] = []
        self._value: list[Floats] = []
        self._present: list[Mask] = []

    def add(self, labels: dict[str, str], value: Floats, present: Mask) -> None:
        """One more series."""
        self._labels.append(labels)
        self._value.append(value)
        self._present.append(present)

    def frame(self) -> Frame:
        """All of them."""
        shape = (len(self._labels), self._steps)
        value, present = np.empty(shape), np.empty(shape, dtype=bool)
        for row, (v, p) in enumerate(zip(self._value, self._present, strict=True)):
            value[row], present[row] = v, p
        return Frame(self._labels, value, present)


def merged(
    frame: Frame, problem: str = "vector cannot contain metrics with the same labelset"
) -> Frame:
    """One series per set of labels; several become one when they are never present together.

    Raises:
        Refused: they are.
    """
    groups: dict[Key, list[int]] = {}
    for row, labels in enumerate(frame.labels):
        groups.setdefault(key_of(labels), []).append(row)
    if len(groups) == len(frame.labels):
        return frame
    out = Rows(frame.steps)
    for rows in groups.values():
        present = frame.present[rows]
        if (present.sum(axis=0) > 1).any():
            raise Refused(problem)
        value = np.where(present, frame.value[rows], 0.0).sum(axis=0)
        out.add(frame.labels[rows[0]], value, some(present))
    return out.frame()
