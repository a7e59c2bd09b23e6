"""A span of a chart as it is shown: columns, violations, phases, remarks."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from lineshaft.core.clock import to_iso
from lineshaft.operations.spc import past
from lineshaft.operations.spc.chart import Phase, Plotted
from lineshaft.operations.spc.comments import Comment
from lineshaft.operations.spc.feed import Find
from lineshaft.operations.spc.settings import ChartTable
from lineshaft.operations.spc.watcher import chart_of, flags
from lineshaft.stores import Store

POINTS_MAX = 5000
Column = list[float | None]


class Marked(msgspec.Struct, frozen=True, kw_only=True):
    """A point at which patterns are complete."""

    time: str
    """RFC 3339 to the nanosecond: what a comment is given for."""
    time_ns: int
    value: float | None
    spread: float | None
    marks: tuple[str, ...]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """Points of a chart in a span, oldest first; all columns have one length."""

    chart: str
    time_ns: list[int]
    value: Column
    spread: Column
    size: Column
    phase: list[int]
    lower: Column
    centre: Column
    upper: Column
    spread_lower: Column
    spread_centre: Column
    spread_upper: Column
    violations: list[Marked]
    """The newest ones, at most as many as points are shown."""
    violating: int
    """How many points violate in all."""
    total: int
    """Points in the span; more than are shown when they were thinned."""
    phases: tuple[Phase, ...]
    provisional: bool
    """There is no phase yet: the limits are those of the span itself."""
    exact: bool
    """Whether they are the very points that were judged live, late samples aside."""
    comments: list[Comment]


async def shown(  # noqa: PLR0913, PLR0917 - a span of a chart
    store: Store,
    chart: ChartTable,
    find: Find,
    phases: tuple[Phase, ...],
    start_ns: int,
    stop_ns: int,
    remarks: list[Comment],
) -> Shown:
    """The points of a span, computed again from history; at most `POINTS_MAX` of them.

    Raises:
        Invalid: the span holds too many samples; or too few for limits when there is no phase.
    """
    provisional = not phases
    if provisional:
        done = await past.learn(store, chart, find, start_ns, stop_ns)
        phases = (Phase(start_ns=start_ns, known=done.known),)
    plotted, exact = await past.plot(store, chart, find, phases, start_ns, stop_ns)
    table = flags(plotted)
    out = np.flatnonzero(table.any(axis=0))
    rows = thinned(len(plotted), out)
    marks = chart_of(chart, phases).marks

    def column(values: NDArray[np.float64]) -> Column:
        chosen = values[rows]
        return [None if v != v else v for v in chosen.tolist()]  # noqa: PLR0124 - NaN

    return Shown(
        chart=chart.name,
        time_ns=plotted.time_ns[rows].tolist(),
        phase=plotted.phase[rows].tolist(),
        violations=[_marked(plotted, i, table, marks) for i in out[-POINTS_MAX:].tolist()],
        violating=len(out),
        total=len(plotted),
        phases=phases,
        provisional=provisional,
        exact=exact,
        comments=remarks,
        **{f: column(getattr(plotted, f)) for f in _FLOATS},
    )


_FLOATS = (
    "value",
    "spread",
    "size",
    "lower",
    "centre",
    "upper",
    "spread_lower",
    "spread_centre",
    "spread_upper",
)


def thinned(count: int, keep: NDArray[np.intp]) -> NDArray[np.intp]:
    """Which of `count` points are shown: all of `keep` that fit, and others evenly between."""
    if count <= POINTS_MAX:
        return np.arange(count)
    kept = keep[-POINTS_MAX:]
    left = POINTS_MAX - len(kept)
    even = np.linspace(0, count - 1, left).astype(np.intp) if left else kept[:0]
    return np.union1d(kept, even)


def _marked(
    plotted: Plotted, place: int, table: NDArray[np.bool_], marks: tuple[str, ...]
) -> Marked:
    value, spread = float(plotted.value[place]), float(plotted.spread[place])
    time_ns = int(plotted.time_ns[place])
    return Marked(
        time=to_iso(time_ns),
        time_ns=time_ns,
        value=None if np.isnan(value) else value,
        spread=None if np.isnan(spread) else spread,
        marks=tuple(m for m, on in zip(marks, table[:, place].tolist(), strict=True) if on),
    )
