"""What an alarm is at one moment, and what its settings say of its life."""

import enum
from typing import Annotated

import msgspec

from lineshaft.core.settings import Settings

YEAR_S = 31_536_000
"""Longest time that settings may give."""
BRANCHES_MAX = 16
"""Unanswered earlier activations that an alarm remembers; the oldest goes, and is counted."""


class Shelf(enum.Enum):
    """Whether an operator has put the alarm away for a while."""

    NO = "no"
    ONE_SHOT = "one-shot"
    """Until it returns to normal."""
    TIMED = "timed"


class Traits(Settings, frozen=True):
    """How an alarm lives; a part of its settings."""

    acknowledge: bool = True
    """Whether somebody must acknowledge it."""
    confirm: bool = False
    """Whether somebody must also confirm that something was done."""
    latching: bool = False
    """Whether it stays active until it is reset, though the condition is gone."""
    reset_after_acknowledge: bool = True
    """Whether a latched alarm must be acknowledged before it can be reset."""
    acknowledge_on_return: bool = False
    """Whether returning to normal acknowledges it."""
    unacknowledge_on_rise: bool = True
    """Whether a rise of its severity asks for a new acknowledgement."""
    branches: bool = False
    """Whether an unacknowledged activation stays listed when the alarm comes again."""
    realarm_s: Annotated[float, msgspec.Meta(ge=0, le=YEAR_S)] = 0.0
    """Seconds after which an acknowledged, still active alarm rings again; 0 never."""
    realarm_count_max: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 3
    """How often it rings again in one activation."""
    shelve_s_max: Annotated[float, msgspec.Meta(gt=0, le=YEAR_S)] = 28_800.0
    """Longest time on the shelf, also for one-shot shelving: a shift."""


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier activation that nobody has acknowledged."""

    event_id: str
    active_ns: int
    severity: int


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The facts; everything that is told of an alarm follows from them."""

    enabled: bool = True
    condition: bool = False
    """What the detector says, after delays and dead band."""
    active: bool = False
    """The condition, or a latch that outlived it."""
    acked: bool = True
    confirmed: bool = True
    shelf: Shelf = Shelf.NO
    shelf_ends_ns: int = 0
    """When the shelf ends by itself; of both kinds."""
    suppressed: bool = False
    suppressors: tuple[str, ...] = ()
    """What suppresses it: `person`, `state`, `group`, `flood`."""
    out_of_service: bool = False
    silenced: bool = False
    severity: int = 0
    """1 to 1000 while active, as in OPC UA."""
    limit: str = ""
    """Which limit is passed: `HiHi`, `Hi`, `Lo`, `LoLo`, or what else rings."""
    limits: tuple[str, ...] = ()
    """Of a non-exclusive alarm all limits that are passed, the gravest first."""
    first: bool = False
    """Whether this activation was the first of its group: what the others follow from."""
    quality: int = 0
    """Status code of the input at the last change."""
    event_id: str = ""
    """Identifies the present activation; what is acknowledged must name it."""
    count: int = 0
    """Event identifiers given so far."""
    active_ns: int = 0
    """Source time at which it became active."""
    changed_ns: int = 0
    """Time of the last transition."""
    acked_ns: int = 0
    acked_by: str = ""
    repeats: int = 0
    """Re-alarms in this activation."""
    branches: tuple[Branch, ...] = ()
    branches_lost: int = 0

    @property
    def latched(self) -> bool:
        """Active though the condition is gone."""
        return self.active and not self.condition


class Code(enum.Enum):
    """Why a transition is refused; names of OPC UA status codes (OPC 10000-6, Annex A)."""

    EVENT_ID_UNKNOWN = "Bad_EventIdUnknown"
    ALREADY_ACKED = "Bad_ConditionBranchAlreadyAcked"
    ALREADY_CONFIRMED = "Bad_ConditionBranchAlreadyConfirmed"
    SHELVING_TIME = "Bad_ShelvingTimeOutOfRange"
    ALREADY_SHELVED = "Bad_ConditionAlreadyShelved"
    NOT_SHELVED = "Bad_ConditionNotShelved"
    ALREADY_ENABLED = "Bad_ConditionAlreadyEnabled"
    ALREADY_DISABLED = "Bad_ConditionAlreadyDisabled"
    DISABLED = "Bad_ConditionDisabled"
    INVALID_STATE = "Bad_InvalidState"
    ARGUMENT = "Bad_InvalidArgument"


class Rejected(msgspec.Struct, frozen=True):
    """A transition that the state does not allow; audited, and told with its code."""

    code: Code
    why: str
