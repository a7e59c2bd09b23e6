"""A capability study: what the process can do, beside what the drawing asks for."""

from statistics import NormalDist

import msgspec
import numpy as np
from numpy.typing import NDArray

from lineshaft.core.errors import Invalid
from lineshaft.operations.spc import Kind, past
from lineshaft.operations.spc.capability import (
    MACHINE_FEWEST,
    Capability,
    Spec,
    capability,
    of_machine,
)
from lineshaft.operations.spc.constants import constants
from lineshaft.operations.spc.feed import Find
from lineshaft.operations.spc.grouping import Groups
from lineshaft.operations.spc.limits import of_groups, of_values
from lineshaft.operations.spc.normality import Normality, normality
from lineshaft.operations.spc.settings import GROUPED, ChartTable
from lineshaft.stores import Store

FEWEST = 2
BINS_MAX = 60
MACHINE_MOST = 100
"""Values of the sample of a machine: its newest, so that tool, material and people are the same."""
GAP = 10
"""A step of more than so many times the usual one: the values are not in a row."""


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """How values are spread."""

    edges: list[float]
    """One more than counts."""
    counts: list[int]


class Study(msgspec.Struct, frozen=True, kw_only=True):
    """What a span says of a process with specification limits."""

    chart: str
    lsl: float | None
    usl: float | None
    target: float | None
    values: int
    mean: float
    within: float
    """Short-term standard deviation, from subgroups or moving ranges."""
    overall: float
    """Standard deviation of all values."""
    indices: Capability
    machine_values: int
    """Values in a row that Cm and Cmk are of; 0 where the span has no such sample."""
    confidence: float
    below: int
    """Values below lsl."""
    above: int
    """Values above usl."""
    expected_ppm: float
    """Parts per million outside, were the values normal with the overall deviation."""
    normality: Normality
    histogram: Histogram


async def study(
    store: Store,
    chart: ChartTable,
    find: Find,
    *,
    start_ns: int,
    stop_ns: int,
    confidence: float = 0.95,
) -> Study:
    """The study of a span.

    Raises:
        Invalid: the kind has no capability, there is no specification limit, too few values.
    """
    if chart.kind not in GROUPED | {Kind.I_MR}:
        raise Invalid(
            f"chart {chart.name!r} of kind {chart.kind.value} has no capability",
            remedy="Chart a measured characteristic.",
        )
    if chart.lsl is None and chart.usl is None:
        raise Invalid(
            f"chart {chart.name!r} has no specification limit", remedy="Give lsl or usl, or both."
        )
    found = await past.measured(store, chart, find, start_ns, stop_ns)
    values = found.values[~np.isnan(found.values)]
    if len(values) < FEWEST:
        raise Invalid(
            f"chart {chart.name!r}: the span holds {len(values)} values of good quality",
            remedy="Take a longer span, or one in which the machine ran.",
        )
    groups = past.groups_of(chart, found)
    within, freedom = _within(chart, values, groups)
    mean, overall = float(values.mean()), float(values.std(ddof=1))
    spec, sample = Spec(lower=chart.lsl, upper=chart.usl), in_a_row(found.time_ns, found.values)
    process = capability(
        spec,
        mean=mean,
        within=within,
        overall=overall,
        count=len(values),
        within_freedom=freedom,
        confidence=confidence,
    )
    indices = of_machine(process, spec, sample, confidence=confidence)
    low, high = chart.lsl, chart.usl
    return Study(
        chart=chart.name,
        lsl=low,
        usl=high,
        target=chart.target,
        values=len(values),
        mean=mean,
        within=within,
        overall=overall,
        indices=indices,
        machine_values=0 if indices.cmk is None else len(sample),
        confidence=confidence,
        below=0 if low is None else int((values < low).sum()),
        above=0 if high is None else int((values > high).sum()),
        expected_ppm=1e6 * _outside(mean, overall, low, high),
        normality=normality(values),
        histogram=histogram(values),
    )


def in_a_row(times_ns: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The newest values in a row, `MACHINE_FEWEST` to `MACHINE_MOST`; none where no row is so long.

    A value of bad quality ends a row, and a pause of more than `GAP` usual steps.
    """
    good, steps = ~np.isnan(values), np.diff(times_ns)
    follows = np.zeros(len(values), dtype=np.bool_)
    if len(steps):
        follows[1:] = good[1:] & good[:-1] & (steps <= GAP * np.median(steps))
    starts = np.flatnonzero(~follows)
    lengths = np.diff(np.append(starts, len(values)))
    long = np.flatnonzero(lengths >= MACHINE_FEWEST)
    if not len(long):
        return values[:0]
    start, length = int(starts[long[-1]]), int(lengths[long[-1]])
    return values[start : start + length][-MACHINE_MOST:]


def _within(
    chart: ChartTable, values: NDArray[np.float64], groups: Groups | None
) -> tuple[float, float]:
    """Short-term deviation and its degrees of freedom.

    Of mean ranges and deviations those of a chi-square with the same variance; of moving ranges,
    which overlap, after Cryer and Ryan, Journal of Quality Technology 22 (1990) 187.
    """
    if groups is None:
        n = len(values)
        known = of_values(Kind.I_MR, values, None, 1)
        return known.sigma, (n - 1) ** 2 / (2 * (0.8264 * n - 1.082)) if n > FEWEST else 1.0
    known = of_groups(chart.kind, groups.mean, groups.spread, groups.size, chart.size)
    ones = [constants(int(n)) for n in groups.size[groups.size > 1].tolist()]
    if chart.kind is Kind.XBAR_S:
        variance = sum((c.c5 / c.c4) ** 2 for c in ones) / len(ones) ** 2
    else:
        variance = sum((c.d3 / c.d2) ** 2 for c in ones) / len(ones) ** 2
    return known.sigma, max(1 / (2 * variance), 1.0)


def _outside(mean: float, sigma: float, low: float | None, high: float | None) -> float:
    """Share of a normal distribution beyond the limits."""
    normal = NormalDist(mean, sigma) if sigma > 0 else None
    if normal is None:
        return 0.0
    below = 0.0 if low is None else normal.cdf(low)
    return below + (0.0 if high is None else NormalDist(-mean, sigma).cdf(-high))


def histogram(values: NDArray[np.float64]) -> Histogram:
    """Bins after Freedman and Diaconis, at least √n up to 10, at most 60."""
    spread = float(np.subtract(*np.percentile(values, [75, 25])))
    width = 2 * spread / len(values) ** (1 / 3)
    span = float(np.ptp(values))
    bins = round(span / width) if width > 0 else 1
    bins = min(max(bins, min(10, round(len(values) ** 0.5)), 1), BINS_MAX)
    counts, edges = np.histogram(values, bins=bins)
    return Histogram(edges=edges.tolist(), counts=counts.tolist())
