"""What a machine of the demo offers: its points, as its maker's manual would list them."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from lineshaft.core.point import Kind
from lineshaft.demo.noise import Floats, Ints
from lineshaft.demo.timeline import Timeline

Column = npt.NDArray[np.float64] | npt.NDArray[np.int64] | npt.NDArray[np.str_]
"""The values of one point at some times."""


class Spec(NamedTuple):
    """One point."""

    name: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    description: str = ""
    kind: Kind = Kind.NUMBER
    period_s: float = 1.0
    """How often the device measures it."""
    history_s: float = 30.0
    """How far apart its samples stand in the made-up history; on change for what is no number."""
    names: dict[str, str] = {}  # noqa: RUF012 - never changed
    """Names of the values of an enumeration."""
    writable: bool = False


class Machine(Protocol):
    """A machine's physics."""

    specs: ClassVar[Sequence[Spec]]
    """All its points."""
    timeline: Timeline
    """What it does when."""
    mean_kw: Floats
    """Mean electric power in each segment of its timeline, for what adds up energy."""

    def values(self, time_s: Floats) -> dict[str, Column]:
        """Every point at each time, shape (n,) each."""


def counter(value: Floats) -> Ints:
    """Whole things made so far."""
    # A billionth makes up for sums that end a hair below a whole number.
    return np.floor(value + 1e-9).astype(np.int64)
