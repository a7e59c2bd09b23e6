"""A made-up past, of which the tests know every sample."""

from collections.abc import Iterator
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from tests.console.journey import FURNACE

from lineshaft.core.batch import Batch

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint32]
DAY_S, HOUR_S = 86_400, 3_600
DAYS = 14
STEP_S = 10
TEMPERATURE, LEVEL = f"{FURNACE}/temperature", f"{FURNACE}/level"
UNCERTAIN, BAD = 0x4000_0000, 0x8000_0000


class Past(NamedTuple):
    """Two weeks of a furnace.

    `temperature` swings once a day between 500 and 600, with a gap of six hours three days before
    the end, an hour of bad quality two days before, and one of uncertain quality one day before;
    `level` counts from 0 to 9, one step every ten seconds.
    """

    stop: float
    """Seconds since 1970; the last sample is one step before."""

    @classmethod
    def until(cls, stop: float) -> Self:
        """The past up to a time."""
        return cls(stop)

    @property
    def start(self) -> float:
        """When the first sample was taken."""
        return self.stop - DAYS * DAY_S

    def batches(self) -> Iterator[Batch]:
        """All samples, a point at a time."""
        times = np.arange(self.start, self.stop, STEP_S)
        left = self.stop - times
        swing = 550 + 50 * np.sin(2 * np.pi * times / DAY_S)
        quality = np.zeros(len(times), np.uint32)
        quality[(left > 2 * DAY_S) & (left <= 2 * DAY_S + HOUR_S)] = BAD
        quality[(left > DAY_S) & (left <= DAY_S + HOUR_S)] = UNCERTAIN
        there = (left <= 3 * DAY_S) | (left > 3 * DAY_S + 6 * HOUR_S)
        yield _batch(TEMPERATURE, times[there], swing[there], quality[there])
        yield _batch(LEVEL, times, times // STEP_S % 10, np.zeros(len(times), np.uint32))


def _batch(point: str, times: Floats, values: Floats, quality: Codes) -> Batch:
    time_ns = (times * 1e9).astype(np.int64)
    return Batch.of([point], np.zeros(len(times)), time_ns, number=values, quality=quality)
