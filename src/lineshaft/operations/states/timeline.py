"""What a work unit did in a span, as it counts now: with what people corrected and explained."""

from collections.abc import Sequence
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from lineshaft.core.batch import Ints
from lineshaft.operations.states.ahead import History
from lineshaft.operations.states.settings import StateRule, WorkUnit

UNKNOWN = -1
"""Index of the state where there is no sample of good quality: neither production nor a stop."""


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """Stretches without gaps: stretch i lasts from `start_ns[i]` to `start_ns[i + 1]`.

    Neighbours differ in state or in reason; the calendar and orders do not cut them.
    """

    unit: WorkUnit
    start_ns: Ints
    """(n,) rising; the first is the start of the span."""
    stop_ns: int
    """Where the last one ends: the end of the span, or now."""
    state: npt.NDArray[np.int32]
    """(n,) index into `states`, or `UNKNOWN`."""
    states: tuple[StateRule, ...]
    """All states of the unit, the built-in ones too."""
    reason: npt.NDArray[np.int32]
    """(n,) index into `reasons`; 0 is none."""
    reasons: tuple[str, ...] = ("",)
    """Codes; the first is the empty one."""
    corrected: npt.NDArray[np.bool_]
    """(n,) whether a person changed its state or its bounds."""
    lasting_since_ns: int = 0
    """When the first stretch began, which may be before the span; as known."""
    lasting_until_ns: int = 0
    """When the last stretch ended, which may be after the span; now, if it lasts on."""

    @property
    def ends_ns(self) -> Ints:
        """(n,) where each stretch ends."""
        return np.append(self.start_ns[1:], self.stop_ns)


class Timelines(Protocol):
    """Who knows what work units did; `states` fills it, `kpis` and others ask it."""

    def units(self) -> Sequence[WorkUnit]:
        """All work units."""

    async def timeline(self, path: str, start_ns: int, stop_ns: int) -> Timeline:
        """What one did.

        Raises:
            Missing: there is no such work unit.
        """

    async def timelines(
        self,
        paths: Sequence[str],
        start_ns: int,
        stop_ns: int,
        *,
        known: History | None = None,
    ) -> list[Timeline]:
        """What several did, in their order: the same, read at once.

        `known` answers for their state points, if who calls has read these already.

        Raises:
            Missing: one is no work unit.
        """
