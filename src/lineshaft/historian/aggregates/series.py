"""What goes into the aggregates and what comes out: samples of one point, settings, rows."""

from typing import Annotated, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from lineshaft.core.batch import Codes, Floats, Ints, Mask
from lineshaft.core.errors import Invalid

GOOD = 0x0000_0000
UNCERTAIN = 0x40A4_0000
"""UncertainDataSubNormal: a row made of less than good samples."""
BAD = 0x8000_0000
BAD_NO_DATA = 0x809B_0000

DATA_VALUE = 0x0000_0400
"""Info type of a status code whose lowest five bits tell where a value of history is from."""
CALCULATED = 0x01
INTERPOLATED = 0x02
PARTIAL = 0x04
EXTRA_DATA = 0x08
MULTIPLE = 0x10
BITS_MASK = 0x1F

ALL = 100
"""Percent."""

TICK_NS = 1_000_000
"""Resolution of Part 13's durations: the newest sample lasts so long, and the effective end of
an interval lies so long before its end."""


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """How samples are read (the aggregate configuration of OPC UA, and whether lines are steps)."""

    stepped: bool = False
    """The value is held until the next sample, instead of running to it on a straight line."""
    treat_uncertain_as_bad: bool = True
    percent_data_bad: Annotated[int, Meta(ge=0, le=100)] = 100
    """A row is bad from this share of bad data on."""
    percent_data_good: Annotated[int, Meta(ge=0, le=100)] = 100
    """A row is good from this share of good data on."""
    sloped_extrapolation: bool = False
    """After the newest sample the line runs on, instead of being held level."""

    def check(self) -> None:
        """Refuse what Part 13 refuses.

        Raises:
            Invalid: the shares are no percentages, or leave a gap (good below 100 - bad).
        """
        bad, good = self.percent_data_bad, self.percent_data_good
        if not (0 <= bad <= ALL and 0 <= good <= ALL):
            raise Invalid(
                f"percent_data_bad {bad} and percent_data_good {good} are not both in 0 to 100",
                remedy="Give percentages.",
            )
        if good < ALL - bad:
            raise Invalid(
                f"percent_data_good {good} is below 100 - percent_data_bad {bad}",
                remedy=f"Give percent_data_good at least {ALL - bad}.",
            )


class Series(NamedTuple):
    """Samples of one point: all in the span of the intervals, and the neighbours around it.

    What the caller brings besides the samples in `[earliest edge, latest edge)`:

    | neighbour | from | for |
    |---|---|---|
    | newest before the earliest edge | `before(earliest)` | simple bounds, start of data |
    | newest not bad before it | `before(earliest, usable=True)` | lines, transitions |
    | oldest at or after the latest edge | `after(latest)` | simple bounds, end of data |
    | oldest not bad there | `after(latest, usable=True)` | lines (interpolated bounds) |

    With `treat_uncertain_as_bad` an uncertain neighbour serves as little as a bad one: ask again
    from its time on until a good one comes. Sloped extrapolation takes the two newest usable
    ones: when the span holds fewer, bring both. Doubles may be left in: the same time again is
    the same sample. The archive begins with the first sample here and ends with the last one, so
    leaving out an existing neighbour marks rows as partial.
    """

    time_ns: Ints
    """(n,) rising."""
    value: Floats
    """(n,) NaN where there is no number. For texts: numbers that are equal where texts are."""
    quality: Codes
    """(n,) status codes. NaN of any quality counts as bad."""
    texts: bool = False
    """The values stand for texts: lines are always stepped, what calculates with them refuses."""
    annotations_ns: Ints | None = None
    """(m,) rising: times that annotations are attached to, for AnnotationCount."""


class Rows(NamedTuple):
    """One row per interval, in the order of the intervals."""

    time_ns: Ints
    """(k,) starts of the intervals; for the ActualTime kinds, Start and End times of samples."""
    value: Floats
    """(k,) NaN where there is none; for WorstQuality a status code, as a number."""
    status: Codes
    """(k,) severity and reason, `DATA_VALUE`, and the five bits of history (`BITS_MASK`)."""


def rows(time_ns: Ints, value: Floats, code: npt.ArrayLike, bits: npt.ArrayLike) -> Rows:
    """Rows with the status composed; those of severity bad lose their value."""
    codes = np.broadcast_to(np.asarray(code, dtype=np.uint32), time_ns.shape)
    flags = np.broadcast_to(np.asarray(bits, dtype=np.uint32), time_ns.shape)
    bad: Mask = codes >= np.uint32(BAD)
    return Rows(time_ns, np.where(bad, np.nan, value), codes | np.uint32(DATA_VALUE) | flags)
