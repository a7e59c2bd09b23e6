"""Statistical process control: is what we see still the process that we know?

A characteristic is charted against control limits that were set from a phase of known behaviour.
All functions work on columns; what a chart must remember between batches is a small state, so
that a stream cut anywhere gives the figures of the whole.

`settings.py` is a chart as people define it, `feed.py` brings its measurements out of what passes,
`chart.py` plots and judges them, `board.py` keeps all charts of the plant, live and through any
restart; `past.py` does the same on history.

Source: ISO 7870-2 to -6, ISO 22514-2, NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.
"""

import enum

import msgspec


class Kind(enum.Enum):
    """The charts there are."""

    XBAR_R = "xbar-r"
    """Mean and range of subgroups, for sizes up to about 10."""
    XBAR_S = "xbar-s"
    """Mean and standard deviation of subgroups."""
    I_MR = "i-mr"
    """Single values and their moving range."""
    P = "p"
    """Share of nonconforming items, samples of any size."""
    NP = "np"
    """Number of nonconforming items, samples of one size."""
    C = "c"
    """Number of nonconformities in equal areas of opportunity."""
    U = "u"
    """Nonconformities per unit, any number of units."""
    EWMA = "ewma"
    """Exponentially weighted moving average of values or subgroup means."""
    CUSUM = "cusum"
    """Two cumulative sums of values or subgroup means: upwards, and downwards."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Centre line and control limits, in the unit of what is plotted."""

    lower: float
    """Lower control limit; for counts, shares and spreads never below zero."""
    centre: float
    upper: float
    sigma: float
    """One standard error of what is plotted; rules count in it. Limits stand at ±3."""


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """What a phase of known behaviour says of a process; limits follow from it."""

    centre: float
    """Mean of the characteristic, or of the share, number or rate."""
    sigma: float = 0.0
    """Short-term standard deviation of single values; unused by charts of attributes."""
    size: int = 1
    """Values in a subgroup, or items in a sample of an np chart."""
