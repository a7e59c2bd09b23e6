"""A control chart as values come in: subgroups are filled, plotted and judged by run rules."""

import itertools
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from lineshaft.core.errors import Invalid
from lineshaft.operations.spc import Baseline, Kind
from lineshaft.operations.spc.grouping import Groups, Keys, Waiting, subgroups
from lineshaft.operations.spc.limits import SPREADS, spread_lines, value_lines
from lineshaft.operations.spc.memory import Cusum, Ewma, Sums
from lineshaft.operations.spc.rules import CARRY, WESTERN_ELECTRIC, Rule, violations

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Flags = NDArray[np.bool_]
SPREAD = "spread"
"""What is told when the spread lies outside its limits."""
_MEMORY = {Kind.EWMA: "ewma", Kind.CUSUM: "cusum"}
"""What is told when a chart with memory signals."""


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """A time from which on a baseline holds, until the next phase begins."""

    start_ns: int
    """Nanoseconds since the Unix epoch, UTC."""
    known: Baseline


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """How charts with memory are set; all in standard errors but `weight`."""

    weight: float = 0.2
    """EWMA: λ, the weight of the newest."""
    width: float = 3.0
    """EWMA: L, the distance of the limits."""
    slack: float = 0.5
    """CUSUM: k, half the shift that is to be found."""
    decision: float = 5.0
    """CUSUM: h, where it signals."""


class Plotted(msgspec.Struct, frozen=True, kw_only=True):
    """Points of a chart, oldest first; all columns have shape (k,).

    An EWMA chart shows the average in the unit of the characteristic and has no spread. A CUSUM
    chart shows the upper sum as value, the lower one as spread, both from zero up in standard
    errors.
    """

    time_ns: Times
    """Of a subgroup the time of its last value."""
    value: Floats
    spread: Floats
    """Range, deviation or moving range; NaN where a chart has none."""
    size: Floats
    """Values in the subgroup, items or units in the sample."""
    phase: NDArray[np.int64]
    """Which phase each belongs to."""
    lower: Floats
    centre: Floats
    upper: Floats
    spread_lower: Floats
    spread_centre: Floats
    spread_upper: Floats
    rules: Flags
    """Which of the chart's `marks` is complete at which point: (len(marks) − 1, k)."""
    spread_out: Flags
    """Whether the spread lies outside its own limits: the last of the marks."""

    def __len__(self) -> int:
        return len(self.time_ns)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What a chart must keep to go on as if it had never stopped."""

    phase: int = -1
    waiting: Waiting = Waiting()
    before: list[float | None] = []
    """The newest standardised values, at most `CARRY`; None for a bad one."""
    last: float | None = None
    """The value before, for the moving range."""
    level: float = 0.0
    seen: int = 0
    """Of an EWMA: where it stands, and after how many values."""
    sums: Sums = Sums()


class Chart:
    """One characteristic under control.

    A new phase begins with empty memory: patterns do not reach over it. A NaN (a value of bad
    quality) is left out of subgroups and breaks runs on charts of single values.
    """

    def __init__(
        self,
        kind: Kind,
        phases: Sequence[Phase],
        *,
        rules: Sequence[Rule] = WESTERN_ELECTRIC,
        memory: Memory | None = None,
        state: State | None = None,
    ) -> None:
        if not phases or any(b.start_ns <= a.start_ns for a, b in itertools.pairwise(phases)):
            raise Invalid(
                "a chart needs phases in rising order of their start",
                remedy="Give at least one; the first may start at 0.",
            )
        self.kind, self.rules = kind, tuple(dict.fromkeys(rules))
        self.memory = memory or Memory()
        self.phases = tuple(phases)
        self._starts = np.array([p.start_ns for p in phases], dtype=np.int64)
        self.state = state or State()

    @property
    def marks(self) -> tuple[str, ...]:
        """The names of what a point can be marked with; the last one is of the spread."""
        told = _MEMORY.get(self.kind)
        return (*([told] if told else [r.value for r in self.rules]), SPREAD)

    def push(
        self,
        time_ns: Times,
        values: Floats,
        sizes: Floats | None = None,
        keys: Keys | None = None,
    ) -> Plotted:
        """The points that these values complete; times (n,) rise, also between calls.

        `sizes` (n,) are items or units per sample for p and u charts, `keys` (n,) say which
        subgroup each value belongs to. Values before the first phase are not plotted.
        """
        place = np.searchsorted(self._starts, time_ns, side="right") - 1
        parts = []
        # Times rise, so that the ends tell whether there is one phase only.
        one = len(place) > 0 and place[0] == place[-1]
        for phase in place[:1] if one else np.unique(place):
            rows = place == phase
            if phase < 0:
                continue
            if phase != self.state.phase:
                self.state = State(phase=int(phase))
            given = None if sizes is None else sizes[rows]
            groups = self._groups(time_ns[rows], values[rows], given, keys, rows)
            if not len(groups.time_ns):
                continue
            parts.append(self._plot(self.phases[phase].known, groups))
        return joined(parts, len(self.marks) - 1)

    def _groups(
        self, time_ns: Times, values: Floats, sizes: Floats | None, keys: Keys | None, rows: Flags
    ) -> Groups:
        """What is plotted at which time, before it is judged."""
        known = self.phases[self.state.phase].known
        grouped = self.kind in (Kind.XBAR_R, Kind.XBAR_S) or (
            self.kind in _MEMORY and known.size > 1
        )
        if grouped:
            given = None if keys is None else keys[rows]
            waiting = self.state.waiting
            found, left = subgroups(self.kind, known.size, waiting, time_ns, values, given)
            self.state = msgspec.structs.replace(self.state, waiting=left)
            return found
        spread = np.full(len(values), np.nan)
        size = np.ones(len(values))
        if self.kind is Kind.I_MR:
            spread = self._moving_range(values)
        elif self.kind is Kind.NP:
            size = np.full(len(values), float(known.size))
        elif self.kind in (Kind.P, Kind.U):
            if sizes is None:
                raise Invalid(
                    f"a {self.kind.value} chart needs the size of every sample, above zero",
                    remedy="Give the number of items or units inspected.",
                )
            size = np.where(sizes > 0, sizes, np.nan)
            values = values / size
        return Groups(time_ns=time_ns, size=size, mean=values, spread=spread)

    def _plot(self, known: Baseline, groups: Groups) -> Plotted:
        lower, centre, upper, sigma = value_lines(self.kind, known, groups.size)
        with np.errstate(invalid="ignore", divide="ignore"):
            z = np.where(sigma > 0, (groups.mean - centre) / sigma, np.nan)
        if self.kind is Kind.EWMA:
            value, lower, upper, found = self._ewma(z, centre, sigma)
            return self._plotted(
                groups, value, groups.spread * np.nan, (lower, centre, upper), found
            )
        if self.kind is Kind.CUSUM:
            return self._cusum(groups, z)
        before = np.array([np.nan if v is None else v for v in self.state.before], dtype=float)
        found = violations(z, self.rules, before)
        newest = [*before.tolist(), *z.tolist()][-CARRY:]
        kept = [None if np.isnan(v) else v for v in newest]
        self.state = msgspec.structs.replace(self.state, before=kept)
        lines = (lower, centre, upper)
        return self._plotted(groups, groups.mean, groups.spread, lines, found, known)

    def _plotted(  # noqa: PLR0913, PLR0917 - columns of one thing
        self,
        groups: Groups,
        value: Floats,
        spread: Floats,
        lines: tuple[Floats, Floats, Floats],
        found: Flags,
        known: Baseline | None = None,
        spread_upper: float | None = None,
    ) -> Plotted:
        n = len(value)
        low, middle, high = (np.full(n, np.nan) for _ in range(3))
        out = np.zeros(n, dtype=bool)
        if known is not None and self.kind in SPREADS:
            low, middle, high = spread_lines(self.kind, known, groups.size)
            with np.errstate(invalid="ignore"):
                out = (spread > high) | (spread < low)
        elif spread_upper is not None:
            low, middle, high = np.zeros(n), np.zeros(n), np.full(n, spread_upper)
        return Plotted(
            time_ns=groups.time_ns,
            value=value,
            spread=spread,
            size=groups.size,
            phase=np.full(n, self.state.phase, dtype=np.int64),
            lower=lines[0],
            centre=lines[1],
            upper=lines[2],
            spread_lower=low,
            spread_centre=middle,
            spread_upper=high,
            rules=found,
            spread_out=out,
        )

    def _ewma(
        self, z: Floats, centre: Floats, sigma: Floats
    ) -> tuple[Floats, Floats, Floats, Flags]:
        chart = Ewma(self.memory.weight, self.memory.width)
        chart.level, chart.seen = self.state.level, self.state.seen
        levels, limits, signals = chart.push(z)
        self.state = msgspec.structs.replace(self.state, level=chart.level, seen=chart.seen)
        width = limits * sigma
        return centre + levels * sigma, centre - width, centre + width, signals[None, :]

    def _cusum(self, groups: Groups, z: Floats) -> Plotted:
        chart = Cusum(self.memory.slack, self.memory.decision)
        chart.state = self.state.sums
        ups, downs, signals = chart.push(z)
        self.state = msgspec.structs.replace(self.state, sums=chart.state)
        zero, high = np.zeros(len(z)), np.full(len(z), self.memory.decision)
        lines = (zero, zero, high)
        limit = self.memory.decision
        return self._plotted(groups, ups, downs, lines, signals[None, :], spread_upper=limit)

    def _moving_range(self, values: Floats) -> Floats:
        last = np.nan if self.state.last is None else self.state.last
        if len(values):
            ending = float(values[-1])
            kept = None if np.isnan(ending) else ending
            self.state = msgspec.structs.replace(self.state, last=kept)
        return np.abs(np.diff(values, prepend=last))


def joined(parts: Sequence[Plotted], rules: int) -> Plotted:
    """All points in the given order; of none, empty columns with so many rules."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        empty: dict[str, NDArray[np.generic]] = {
            f: np.empty(0) for f in Plotted.__struct_fields__
        } | {
            "time_ns": np.empty(0, dtype=np.int64),
            "phase": np.empty(0, dtype=np.int64),
            "rules": np.zeros((rules, 0), dtype=bool),
            "spread_out": np.zeros(0, dtype=bool),
        }
        return Plotted(**empty)  # type: ignore[arg-type]
    return Plotted(
        **{
            f: np.concatenate([getattr(p, f) for p in parts], axis=-1)
            for f in Plotted.__struct_fields__
        }
    )
