"""A control chart as values come in: subgroups are filled, plotted and judged by run rules."""

import itertools
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from lineshaft.core.errors import Invalid
from lineshaft.operations.spc import Baseline, Kind, Limits
from lineshaft.operations.spc.limits import spread_limits, value_limits
from lineshaft.operations.spc.rules import CARRY, WESTERN_ELECTRIC, Rule, violations

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
RULES_MAX = len(Rule)


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """A time from which on a baseline holds, until the next phase begins."""

    start_ns: int
    """Nanoseconds since the Unix epoch, UTC."""
    known: Baseline


class Plotted(msgspec.Struct, frozen=True, kw_only=True):
    """Points of a chart, oldest first; all columns have shape (k,)."""

    time_ns: Times
    """Of a subgroup the time of its last value."""
    value: Floats
    spread: Floats
    """Range, deviation or moving range; NaN where a chart has none."""
    lower: Floats
    centre: Floats
    upper: Floats
    rules: NDArray[np.bool_]
    """Which pattern of the value chart is complete at which point: (len(rules), k)."""
    spread_out: NDArray[np.bool_]
    """Whether the spread lies outside its own limits."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What a chart must keep to go on as if it had never stopped."""

    phase: int = -1
    waiting: list[float] = []
    """Values of the subgroup that is not full yet."""
    before: list[float] = []
    """The newest standardised values, at most `CARRY`."""
    last: float | None = None
    """The value before, for the moving range."""


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
        state: State | None = None,
    ) -> None:
        if not phases or any(b.start_ns <= a.start_ns for a, b in itertools.pairwise(phases)):
            raise Invalid(
                "a chart needs phases in rising order of their start",
                remedy="Give at least one; the first may start at 0.",
            )
        self.kind, self.rules = kind, tuple(dict.fromkeys(rules))
        self._phases = tuple(phases)
        self._starts = np.array([p.start_ns for p in phases], dtype=np.int64)
        self.state = state or State()

    def push(self, time_ns: Times, values: Floats, sizes: Floats | None = None) -> Plotted:
        """The points that these values complete; times (n,) rise, also between calls.

        `sizes` (n,) are items or units per sample for p and u charts. Values before the
        first phase are not plotted.
        """
        place = np.searchsorted(self._starts, time_ns, side="right") - 1
        parts = []
        for phase in np.unique(place):
            rows = place == phase
            if phase < 0:
                continue
            if phase != self.state.phase:
                self.state = State(phase=int(phase))
            given = None if sizes is None else sizes[rows]
            parts.append(self._plot(self._phases[phase].known, time_ns[rows], values[rows], given))
        return _joined(parts, len(self.rules))

    def _plot(
        self, known: Baseline, time_ns: Times, values: Floats, sizes: Floats | None
    ) -> Plotted:
        if self.kind in (Kind.XBAR_R, Kind.XBAR_S):
            time_ns, values, spread = self._subgroups(known.size, time_ns, values)
        elif self.kind is Kind.I_MR:
            spread = self._moving_range(values)
        else:
            spread = np.full(len(values), np.nan)
        lower, centre, upper, sigma = self._limits(known, values, sizes)
        if self.kind in (Kind.P, Kind.U) and sizes is not None:
            values = values / sizes
        with np.errstate(invalid="ignore", divide="ignore"):
            z = np.where(sigma > 0, (values - centre) / sigma, np.nan)
        found = violations(z, self.rules, np.array(self.state.before))
        before = [*self.state.before, *z.tolist()][-CARRY:]
        self.state = msgspec.structs.replace(self.state, before=before)
        return Plotted(
            time_ns=time_ns,
            value=values,
            spread=spread,
            lower=lower,
            centre=centre,
            upper=upper,
            rules=found,
            spread_out=self._outside(known, spread),
        )

    def _limits(
        self, known: Baseline, values: Floats, sizes: Floats | None
    ) -> tuple[Floats, Floats, Floats, Floats]:
        if self.kind in (Kind.P, Kind.U):
            if sizes is None or not (sizes > 0).all():
                raise Invalid(
                    f"a {self.kind.value} chart needs the size of every sample, above zero",
                    remedy="Give the number of items or units inspected.",
                )
            each = [value_limits(self.kind, known, float(s)) for s in sizes]
        else:
            each = [value_limits(self.kind, known)] * len(values)
        columns = [[li.lower, li.centre, li.upper, li.sigma] for li in each]
        table = np.array(columns, dtype=float).reshape(-1, 4)
        return table[:, 0], table[:, 1], table[:, 2], table[:, 3]

    def _outside(self, known: Baseline, spread: Floats) -> NDArray[np.bool_]:
        if np.isnan(spread).all():
            return np.zeros(len(spread), dtype=bool)
        limits: Limits = spread_limits(self.kind, known)
        with np.errstate(invalid="ignore"):
            return (spread > limits.upper) | (spread < limits.lower)

    def _subgroups(self, size: int, time_ns: Times, values: Floats) -> tuple[Times, Floats, Floats]:
        good = ~np.isnan(values)
        waiting = self.state.waiting
        # The times of values that waited do not matter: a subgroup has the time of its last.
        times = np.concatenate([np.zeros(len(waiting), dtype=np.int64), time_ns[good]])
        whole = np.concatenate([np.array(waiting), values[good]])
        full = len(whole) // size * size
        rows = whole[:full].reshape(-1, size)
        self.state = msgspec.structs.replace(self.state, waiting=whole[full:].tolist())
        spread = np.ptp(rows, axis=1) if self.kind is Kind.XBAR_R else rows.std(axis=1, ddof=1)
        return times[:full].reshape(-1, size)[:, -1], rows.mean(axis=1), spread

    def _moving_range(self, values: Floats) -> Floats:
        last = np.nan if self.state.last is None else self.state.last
        if len(values):
            ending = float(values[-1])
            kept = None if np.isnan(ending) else ending
            self.state = msgspec.structs.replace(self.state, last=kept)
        return np.abs(np.diff(values, prepend=last))


def _joined(parts: Sequence[Plotted], rules: int) -> Plotted:
    if len(parts) == 1:
        return parts[0]
    if not parts:
        none = np.empty(0)
        return Plotted(
            time_ns=np.empty(0, dtype=np.int64),
            value=none,
            spread=none,
            lower=none,
            centre=none,
            upper=none,
            rules=np.zeros((rules, 0), dtype=bool),
            spread_out=np.zeros(0, dtype=bool),
        )
    return Plotted(
        **{
            f: np.concatenate([getattr(p, f) for p in parts], axis=-1)
            for f in Plotted.__struct_fields__
        }
    )
