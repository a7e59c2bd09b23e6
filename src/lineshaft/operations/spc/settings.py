"""A control chart as people define it: one table `[[charts]]`."""

import enum
import hashlib
import itertools
import math
from typing import Annotated, Literal

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.core.path import check_path, clean_level, parent
from lineshaft.core.settings import Settings
from lineshaft.operations.spc import Kind
from lineshaft.operations.spc.constants import SIZE_MAX
from lineshaft.operations.spc.rules import NELSON, WESTERN_ELECTRIC, Rule
from lineshaft.web import times

NAME_CHARS_MAX = 80
PHASES_MAX = 200
SETS = {"nelson": NELSON, "western-electric": WESTERN_ELECTRIC}
GROUPED = frozenset({Kind.XBAR_R, Kind.XBAR_S, Kind.EWMA, Kind.CUSUM})
"""Kinds that can plot subgroups."""
WITH_SIZE = frozenset({Kind.P, Kind.U})
"""Kinds that need the size of every sample."""
NAMED_MAX = 50

Positive = Annotated[float, msgspec.Meta(gt=0)]
Positives = Annotated[float, msgspec.Meta(ge=0)]


class Subgroup(enum.Enum):
    """What makes values one subgroup."""

    COUNT = "count"
    """Every `size` values in a row."""
    TIME = "time"
    """The first `size` values of every interval of `every_s` seconds."""
    CHANGE = "change"
    """The first `size` values after each change of the point `by`: of an order, a batch, a tool."""


class Learn(Settings, frozen=True):
    """A span of known behaviour that a baseline is computed from."""

    start: str
    """RFC 3339, or relative to the moment when it is first learned: `-7d`."""
    stop: str
    """The end, not included."""


class PhaseTable(Settings, frozen=True):
    """A time from which on limits hold. Give `centre` and `sigma`, or `learn`."""

    start: str = ""
    """RFC 3339; empty: from ever on, or from where `learn` ends."""
    centre: float | None = None
    """Mean of the characteristic; for p, np, u and c the share, the share, the rate, the number."""
    sigma: Positives | None = None
    """Short-term standard deviation of single values; not used by charts of attributes."""
    learn: Learn | None = None
    """Compute both from history; the result is kept."""
    note: str = ""
    """Why it begins: `new die`."""


class ChartTable(Settings, frozen=True):
    """One control chart. Each sample of `point` is one measurement."""

    name: str
    """Its own name in the plant; shown to people."""
    point: str
    """Path of the characteristic, or of whatever has a sample when there is a measurement."""
    kind: Kind = Kind.I_MR
    """Which chart it is."""
    expression: str = ""
    """The value to chart, where it is not that of `point`: `force / 1000`."""
    when: str = ""
    """Only measurements for which this expression is true: `state == 1`."""
    names: dict[str, str] = msgspec.field(default_factory=dict)
    """Short names for the expressions, with their paths; `point` has its last level as name."""
    size: Annotated[int, msgspec.Meta(ge=1, le=SIZE_MAX)] = 1
    """Values in a subgroup (xbar-r, xbar-s; with 1 an EWMA or CUSUM plots single values); for an
    np chart the items in a sample."""
    subgroup: Subgroup = Subgroup.COUNT
    """What makes values one subgroup."""
    every_s: Annotated[float, msgspec.Meta(ge=0.001, le=31_622_400)] = 3600.0
    """Seconds of an interval, for subgroups by time: a millisecond to a leap year."""
    by: str = ""
    """Path of the point whose changes begin subgroups, for subgroups by change."""
    size_point: str = ""
    """Path of the point that carries the size of each sample, for p and u charts."""
    rules: Literal["nelson", "western-electric"] | tuple[Rule, ...] = "western-electric"
    """Run rules: one of the two sets, or a list such as `["nelson-1", "nelson-2"]`."""
    phases: tuple[PhaseTable, ...] = ()
    """Baselines in time; without one the chart only gathers values."""
    lsl: float | None = None
    """Lower specification limit: of the drawing, not of the process."""
    usl: float | None = None
    """Upper specification limit."""
    target: float | None = None
    """The nominal value."""
    weight: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.2
    """EWMA: weight λ of the newest value."""
    width: Positive = 3.0
    """EWMA: distance L of the limits in standard errors."""
    slack: Positives = 0.5
    """CUSUM: k in standard errors, half the shift that is to be found."""
    decision: Positive = 5.0
    """CUSUM: h in standard errors, where it signals."""
    unit: str = ""
    """UCUM code of the charted value; empty: that of `point`, when there is no expression."""
    group: str = ""
    """Charts that are looked at together."""
    description: str = ""
    """One sentence for people."""

    @property
    def patterns(self) -> tuple[Rule, ...]:
        """The run rules one by one."""
        return SETS[self.rules] if isinstance(self.rules, str) else self.rules

    @property
    def out(self) -> str:
        """Path of the point that tells whether it is out of control: a sibling of `point`."""
        above = parent(self.point)
        level = f"{clean_level(self.name.lower())}_out"
        return f"{above}/{level}" if above else level

    @property
    def paths(self) -> tuple[str, ...]:
        """Every point that it may read, its own first."""
        more = [self.by] if self.subgroup is Subgroup.CHANGE else []
        more += [self.size_point] if self.size_point else []
        return tuple(dict.fromkeys([self.point, *more, *self.names.values()]))

    @property
    def mark(self) -> str:
        """A short text that differs where the chart would judge differently."""
        judged = msgspec.to_builtins(self)
        for field in ("lsl", "usl", "target", "unit", "group", "description"):
            del judged[field]
        return hashlib.sha256(msgspec.json.encode(judged, order="sorted")).hexdigest()[:16]


def check_chart(chart: ChartTable) -> ChartTable:
    """The chart itself, when it can be drawn, as far as that shows without a namespace.

    Raises:
        Invalid: it cannot; the message names chart and field.
    """
    name = chart.name
    if not name.strip() or len(name) > NAME_CHARS_MAX or not name.isprintable():
        raise Invalid(
            f"chart {name[:40]!r}: name has {len(name)} characters, wanted 1 to {NAME_CHARS_MAX}",
            remedy="Give it a printable name of its own.",
        )
    _check_kind(chart)
    for path in (*chart.paths, chart.out):
        check_path(path)
    _check_phases(chart)
    numbers = (chart.lsl, chart.usl, chart.target)
    if not all(n is None or math.isfinite(n) for n in numbers):
        raise _wrong(chart, f"lsl, usl and target are {numbers}", "Give finite numbers.")
    if chart.lsl is not None and chart.usl is not None and chart.lsl >= chart.usl:
        raise _wrong(chart, f"lsl {chart.lsl} is not below usl {chart.usl}", "Swap them.")
    return chart


def _check_kind(chart: ChartTable) -> None:
    kind = chart.kind.value
    if chart.kind in (Kind.XBAR_R, Kind.XBAR_S) and chart.size < 2:  # noqa: PLR2004
        raise _wrong(chart, f"size is {chart.size} on an {kind} chart", "Take 2 or more, often 5.")
    if chart.kind not in GROUPED | {Kind.NP} and chart.size != 1:
        raise _wrong(chart, f"size is {chart.size} on a {kind} chart", "Leave it out.")
    if (chart.kind in WITH_SIZE) != bool(chart.size_point):
        wanted = "Give" if chart.kind in WITH_SIZE else "Leave out"
        raise _wrong(chart, f"a {kind} chart, size_point {chart.size_point!r}", f"{wanted} it.")
    if chart.subgroup is not Subgroup.COUNT and (chart.kind not in GROUPED or chart.size == 1):
        text = f"subgroups by {chart.subgroup.value} on a {kind} chart of size {chart.size}"
        raise _wrong(chart, text, "Take a kind that has subgroups, and a size above 1.")
    if (chart.subgroup is Subgroup.CHANGE) != bool(chart.by):
        text = f"subgroups by {chart.subgroup.value}, with by = {chart.by!r}"
        raise _wrong(chart, text, "Give `by` for subgroups by change, and only for them.")
    if len(chart.names) > NAMED_MAX:
        raise _wrong(chart, f"{len(chart.names)} names", f"Give at most {NAMED_MAX}.")


def _check_phases(chart: ChartTable) -> None:
    if len(chart.phases) > PHASES_MAX:
        raise _wrong(chart, f"{len(chart.phases)} phases", f"Keep the last {PHASES_MAX}.")
    starts = []
    for phase in chart.phases:
        if phase.start:
            starts.append(times.time_ns(phase.start))
        if (phase.learn is None) == (phase.centre is None):
            text = f"a phase with centre {phase.centre} and learn {phase.learn}"
            raise _wrong(chart, text, "Give centre (and sigma), or learn.")
        if phase.learn is not None:
            times.span_ns(phase.learn.start, phase.learn.stop)
        elif chart.kind in GROUPED | {Kind.I_MR} and not phase.sigma:
            raise _wrong(chart, "a phase without sigma", "Give one above zero.")
        elif not _possible(chart.kind, phase.centre or 0.0):
            text = f"a phase with centre {phase.centre} on a {chart.kind.value} chart"
            raise _wrong(chart, text, "A share lies between 0 and 1, a count or rate above 0.")
    bare = sum(not p.start and p.learn is None for p in chart.phases)
    if bare > 1 or (bare and chart.phases[0].start):
        raise _wrong(chart, "a later phase has no start", "Give each its start.")
    if any(b <= a for a, b in itertools.pairwise(starts)):
        raise _wrong(chart, "phases do not follow each other", "Order them by start.")


def _possible(kind: Kind, centre: float) -> bool:
    if kind in (Kind.P, Kind.NP):
        return 0 < centre < 1
    return math.isfinite(centre) and (centre > 0 or kind not in (Kind.C, Kind.U))


def _wrong(chart: ChartTable, text: str, remedy: str) -> Invalid:
    return Invalid(f"chart {chart.name!r}: {text}", remedy=remedy)
