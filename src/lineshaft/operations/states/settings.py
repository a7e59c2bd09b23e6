"""What `plant.toml` says of a work unit: its states, its reasons, what it counts."""

from typing import Annotated, Literal

import msgspec

from lineshaft.core.settings import Settings

NonNegative = Annotated[float, msgspec.Meta(ge=0)]


class StateRule(Settings, frozen=True):
    """A state of a work unit, and how it is told from the points of the machine."""

    name: str
    """Its own name, shown to people: `running`, `waits for parts`."""
    when: str
    """An expression that is true while the unit is in it; the first rule that holds counts."""
    item: Literal["executing", "not-executing", "not-available", "out-of-service"] = "not-executing"
    """MachineryItemState of OPC 40001-1."""
    mode: Literal["processing", "setup", "maintenance", "none"] = "processing"
    """MachineryOperationMode of OPC 40001-1."""
    corrective: bool = False
    """With mode `maintenance`: it repairs what failed."""
    failure: bool = False
    """Whether it counts as a failure event (MTBF, MTTR)."""
    loss: Literal["own", "outside", "unclear"] = "unclear"
    """Whose stop it is: its own, or starved and blocked."""
    reason: str = ""
    """Code of the reason that it gives by itself."""


class Reason(Settings, frozen=True):
    """Why a machine stands still: one node of the reason tree. One table `[[reasons]]` each."""

    code: str
    """Its own code: `M-12`."""
    text: str
    """What people read."""
    parent: str = ""
    """Code of the group it belongs to; empty at the root."""
    units: tuple[str, ...] = ()
    """Branches of the namespace that it is offered in; empty for all."""


class ReasonRule(Settings, frozen=True):
    """A reason that a stop is given by itself. One table `[[reason_rules]]` each."""

    name: str
    """Its own name, shown beside the reason: `oil pressure`."""
    when: str
    """An expression over points of the unit, as in its states; `work_state` is its state."""
    code: str
    """Code of the reason that a stop has for which it is true."""
    units: tuple[str, ...] = ()
    """Branches of the namespace that it holds in; empty for all."""
    within_s: NonNegative = 10.0
    """Seconds from its start within which a stop waits for it; what is true at the start counts."""


class WorkUnit(Settings, frozen=True):
    """A machine with states and counters (ISA-95 work unit). One table `[[work_units]]` each."""

    path: str
    """Its branch of the namespace: `acme/hall-1/line-a/press`."""
    calendar: str = ""
    """Name of its `[[calendars]]`; without one it is planned to run all the time."""
    names: dict[str, str] = msgspec.field(default_factory=dict)
    """Short names for expressions, with their paths; points right below `path` have their own."""
    states: tuple[StateRule, ...] = ()
    """Its states, the first that holds counts; where none holds it is `stopped`."""
    packml: str = ""
    """Instead of `states`: path of the point that carries the number of the PackML state."""
    packml_mode: str = ""
    """Path of the point that carries PackML's unit mode; 1 is Production."""
    order: str = ""
    """Path of the point that names the order in work; without one there always is an order."""
    product: str = ""
    """Path of the point that names what is made."""
    made: str = ""
    """Path of the counter of all parts; without one it is `good` and `scrap` together."""
    good: str = ""
    """Path of the counter of good parts."""
    scrap: str = ""
    """Path of the counter of scrap."""
    rework: str = ""
    """Path of the counter of parts to be worked on again."""
    energy: str = ""
    """Path of the counter of energy, in a unit that can be converted to kWh."""
    counter_modulus: NonNegative = 0.0
    """Where the counters of parts begin anew: 65536 for one of 16 bits; 0: they do not."""
    cycle_s: NonNegative = 0.0
    """Planned run time per item (PRI) in seconds, of products that `cycles` does not name."""
    cycles: dict[str, float] = msgspec.field(default_factory=dict)
    """Planned run time per item in seconds, by product."""
    micro_stop_s: Annotated[float, msgspec.Meta(ge=0, le=31_622_400)] = 0.0
    """Stops that are shorter count as running slowly: speed, not availability."""
    co2_kg_per_kwh: NonNegative = 0.0
    """Greenhouse gases of its energy."""
    publish: bool = False
    """Whether OEE and its factors, of the running and of the last shift, are points below it."""
    backfill_d: Annotated[float, msgspec.Meta(ge=0, le=36_600)] = 31.0
    """Days of history, back from its first definition, for which its states are worked out."""
    correct_h: Annotated[float, msgspec.Meta(ge=0, le=878_400)] = 24.0
    """Hours back in which operators may correct its states; before that it takes an engineer."""


STATE_POINT = "work_state"
"""Name of the point below a work unit that keeps its state; an enum of `WorkUnit.states`."""
REASON_POINT = "work_reason"
"""Name of the point below a work unit that keeps which of its reason rules holds."""
