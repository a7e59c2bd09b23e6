"""One notice: something that one recipient is told, and how far that has come."""

import enum
from typing import Literal

import msgspec

from lineshaft.core.clock import uuid7
from lineshaft.core.point import Value
from lineshaft.operations.alarms.settings import SEVERITY, Priority
from lineshaft.operations.notices.settings import On

ITEMS_MAX = 50
"""Notices that a digest tells one by one; the rest it counts."""


class Status(enum.Enum):
    """How far a notice has come."""

    WAITING = "waiting"
    """It is not due, is being tried, or is held back in quiet hours."""
    SENT = "sent"
    """The other side has taken it."""
    JOINED = "joined"
    """It is told as part of a digest."""
    CANCELLED = "cancelled"
    """It is no longer needed: somebody answered first."""
    GIVEN_UP = "given-up"
    """It could not be delivered in time, or the other side does not want it."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a notice says of an alarm, as it was when it happened."""

    alarm: str
    path: str
    on: On
    time_ns: int
    """When it happened."""
    event_id: str = ""
    severity: int = 0
    limit: str = ""
    """`HiHi`, `Hi`, `Lo`, `LoLo`, `OffNormal`, `BadInput`, or what a foreign alarm says."""
    limit_value: float | None = None
    value: Value | None = None
    """Newest value when the notice was made, in `unit`."""
    value_ns: int = 0
    unit: str = ""
    since_ns: int = 0
    """When it became active."""
    group: str = ""
    description: str = ""
    """What it is about; of foreign alarms what the machine says."""
    cause: str = ""
    action: str = ""

    @property
    def priority(self) -> Priority:
        """In which of the four bands its severity lies."""
        return priority_of(self.severity)


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the outbox."""

    id: str = msgspec.field(default_factory=uuid7)
    """The same in every try, so that receivers can drop doubles."""
    what: Literal["alarm", "digest", "mail", "test"] = "alarm"
    recipient: str
    channel: str
    """`webhook`, `mail`, `mqtt`."""
    status: Status = Status.WAITING
    made_ns: int
    due_ns: int
    """Not sent before."""
    expires_ns: int
    """Given up from then on."""
    rule: str = ""
    told: Told | None = None
    """Of an alarm."""
    items: tuple[Told, ...] = ()
    """Of a digest: the first ones, gravest first."""
    more: int = 0
    """Of a digest: how many it does not tell one by one."""
    subject: str = ""
    """Of mail that another part wrote."""
    path: str = ""
    """The branch that it is about; who may not see that does not see the notice."""
    unless_answered: bool = False
    """Whether an answer makes it unneeded: a later step."""
    after_s: float = 0.0
    """Of a later step: for how long nobody had answered."""
    repeats_left: int = 0
    repeat_s: float = 0.0
    held: bool = False
    """Whether quiet hours have held it back."""
    digest: str = ""
    """Identifier of the digest that tells it."""
    tries: int = 0
    error: str = ""
    """Why the last try failed."""
    done_ns: int = 0
    """When it was sent, joined, cancelled or given up."""

    @property
    def priority(self) -> Priority:
        """How urgent it is; what is no alarm is not."""
        told = self.told or max(self.items, key=lambda t: t.severity, default=None)
        return told.priority if told else Priority.LOW


def priority_of(severity: int) -> Priority:
    """The priority of a severity: four equal bands of 1 to 1000."""
    half = SEVERITY[Priority.LOW]
    return next((p for p, middle in SEVERITY.items() if severity <= middle + half), _GRAVEST)


_GRAVEST = Priority.CRITICAL
RANK = {p: n for n, p in enumerate(Priority)}
"""Higher is graver."""
