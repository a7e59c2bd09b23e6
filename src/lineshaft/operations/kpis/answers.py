"""What is answered to questions for figures: the types of the HTTP interface.

Times are whole nanoseconds. Fields of `Sums` that are zero may be left out of the JSON.
"""

import msgspec

from lineshaft.operations.kpis.formulas import Figure
from lineshaft.operations.kpis.pieces import By, Key
from lineshaft.operations.kpis.sums import Sums


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one piece of a span."""

    key: Key
    start_ns: int
    stop_ns: int
    sums: Sums
    figures: dict[str, Figure]
    """By name: `oee`, `availability`, `effectiveness`, `quality`, …"""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a unit, or of all units of a branch together."""

    units: list[str]
    """Paths of the work units that went into it."""
    by: By
    start_ns: int
    stop_ns: int
    """Where what is known ends, if that is before the end that was asked for."""
    rows: list[Row]
    """In order of time."""
    whole: Row
    notes: list[str]
    """What could not be counted, and why."""


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol of a formula."""

    symbol: str
    """Field of the sums: `apt`."""
    value: float
    """Times in nanoseconds."""
    time: bool
    """Whether it is one."""
    meaning: str


class OfUnit(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit brought into a figure."""

    unit: str
    figure: Figure
    inputs: list[Input]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Raw samples that a figure rests on."""

    unit: str
    role: str
    """`state`, `order`, `product`, `made`, `good`, `scrap`, `rework` or `energy`."""
    point: str
    start_ns: int
    stop_ns: int


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a unit that counts as one thing."""

    unit: str
    start_ns: int
    stop_ns: int
    state: str
    """Name of its state; empty where it is not known."""
    reason: str
    """Code of its reason; empty for none."""
    element: str
    """`apt`, `aust`, `adet`, `adot`, `pdot`, `off`, `apmt`, `acmt` or `unknown`."""
    micro: bool
    """Counts as APT, being a micro-stop."""
    shift: str
    order: str
    product: str
    corrected: bool


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """One figure, opened: formula, inputs, units, raw points and stretches."""

    figure: Figure
    key: Key
    start_ns: int
    stop_ns: int
    inputs: list[Input]
    units: list[OfUnit]
    sources: list[Source]
    """Only of points that the caller may see."""
    stretches: list[Stretch]
    left_out: int
    """Stretches beyond the limit of one answer."""


class Fall(msgspec.Struct, frozen=True, kw_only=True):
    """One bar of the waterfall from planned busy time to OEE time."""

    name: str
    """`pbt`; losses `own`, `outside`, `unclear`, `no_order`, `repair`, `unknown`, `setup`; `apt`;
    losses `micro_stops`, `speed`; `ideal`; loss `scrap`; `oee`."""
    loss: bool
    """Whether it takes away, or says what is left."""
    ns: int
    left_ns: int
    """What is left after it."""


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What took planned busy time, for a Pareto chart: longest first."""

    reason: str
    """Code; empty where nobody has explained it."""
    state: str
    """Name of the state; of several with one reason that which lasted longest."""
    loss: str
    """`own`, `outside` or `unclear`."""
    ns: int
    stops: int
    share: float
    """Of all lost time."""
    running: float
    """Share of this and all longer ones."""


class Losses(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time went."""

    units: list[str]
    start_ns: int
    stop_ns: int
    waterfall: list[Fall]
    pareto: list[Cause]


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """The running shift of one unit, for an overview; the last one when none runs."""

    unit: str
    day: str
    shift: str
    start_ns: int
    until_ns: int
    """Where what is known ends: about now while the shift runs."""
    ends_ns: int
    """Planned end of the shift."""
    running: bool
    """Whether it has not ended yet."""
    sums: Sums
    figures: dict[str, Figure]
    """Only oee, availability, effectiveness and quality."""


class NowList(msgspec.Struct, frozen=True):
    """The running shifts of all units, by path."""

    items: list[Now]


class InState(msgspec.Struct, frozen=True, kw_only=True):
    """How long a unit was in a state during planned operation time."""

    state: str
    ns: int
    share: float


class UnitReport(msgspec.Struct, frozen=True, kw_only=True):
    """One unit in a report."""

    unit: str
    row: Row
    states: list[InState]
    stops: list[Stretch]
    """In planned busy time, longest first, micro-stops not among them; each is one stretch."""
    left_out: int
    """Stops beyond the limit of one answer."""
    products: list[Row]
    """By product."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One shift or day of a unit, or of the units of a branch."""

    day: str
    shift: str
    """Empty for the whole day."""
    start_ns: int
    stop_ns: int
    whole: Row
    units: list[UnitReport]
    pareto: list[Cause]
    alarms: dict[str, int] | None
    """Alarms that rang, by severity; None where the journal is too long to be counted."""
