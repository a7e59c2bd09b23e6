"""What an alarm watches, and what people are told when it rings."""

import enum
import math
from typing import Annotated

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.core.path import check_path
from lineshaft.core.settings import Settings
from lineshaft.operations.alarms.state import Traits


class Priority(enum.Enum):
    """How fast somebody must answer (ISA-18.2)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


SEVERITY = {Priority.LOW: 125, Priority.MEDIUM: 375, Priority.HIGH: 625, Priority.CRITICAL: 875}
"""Middle of each of four equal bands of OPC UA's 1 to 1000."""
NAME_CHARS_MAX = 200
LIMITS = ("hihi", "hi", "lo", "lolo")


class OnBad(enum.Enum):
    """What a value of bad quality means to an alarm; it never means normal."""

    HOLD = "hold"
    """It stays as it is, and its quality says why."""
    RAISE = "raise"
    """It rings: a measurement that cannot be trusted needs an answer of its own."""


class Limit(Settings, frozen=True):
    """One limit of a level alarm."""

    value: float
    """In the unit of the point."""
    priority: Priority = Priority.MEDIUM
    """How fast somebody must answer."""


class Advice(Settings, frozen=True):
    """Why the alarm exists: the rationalisation of ISA-18.2."""

    cause: str = ""
    """What has most probably happened."""
    consequence: str = ""
    """What happens if nobody answers."""
    action: str = ""
    """What to do."""
    respond_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Seconds in which the action must be taken; 0 where nobody has said."""


class Alarm(Settings, frozen=True):
    """One table `[[alarms]]`: an exclusive limit alarm, or one that rings on a value.

    Give `hihi`, `hi`, `lo`, `lolo`, as many as are needed, or `off_normal`.
    """

    name: str
    """Its own name in the plant; shown to operators."""
    point: str
    """Path of the point that it watches."""
    hihi: Limit | None = None
    """Above `hi`."""
    hi: Limit | None = None
    """Rings when the value is above."""
    lo: Limit | None = None
    """Rings when the value is below."""
    lolo: Limit | None = None
    """Below `lo`."""
    off_normal: Limit | None = None
    """For booleans and enumerations: rings while the value is this one."""
    dead_band: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """How far the value must come back inside a limit, in the unit of the point."""
    on_delay_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0.0
    """Seconds that the condition must last, on source time, before it rings."""
    off_delay_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0.0
    """Seconds that it must be gone before it returns to normal."""
    on_bad: OnBad = OnBad.HOLD
    """What a value of bad quality means."""
    group: str = ""
    """Alarms that are looked at, and suppressed, together."""
    description: str = ""
    """One sentence for people."""
    advice: Advice = Advice()
    """What causes it, what follows, what to do."""
    life: Traits = Traits()
    """Acknowledging, latching, shelving."""

    def limits(self) -> dict[str, Limit]:
        """The limits that are given, by name."""
        given = {n: getattr(self, n) for n in (*LIMITS, "off_normal")}
        return {n: limit for n, limit in given.items() if limit is not None}


def check_alarm(alarm: Alarm) -> Alarm:
    """The alarm itself, when it can ring at all.

    Raises:
        Invalid: it cannot; the message names alarm and field.
    """
    name = alarm.name
    if not name.strip() or len(name) > NAME_CHARS_MAX or not name.isprintable():
        raise Invalid(
            f"alarm {name[:40]!r}: name has {len(name)} characters, wanted 1 to {NAME_CHARS_MAX}",
            remedy="Give it a printable name of its own.",
        )
    check_path(alarm.point)
    given = alarm.limits()
    if not given or ("off_normal" in given and len(given) > 1):
        raise Invalid(
            f"alarm {name!r}: limits are {', '.join(given) or 'none'}",
            remedy="Give some of hihi, hi, lo and lolo, or off_normal alone.",
        )
    values = [given[n].value for n in LIMITS if n in given]
    if not all(map(math.isfinite, values)) or sorted(values, reverse=True) != values:
        raise Invalid(
            f"alarm {name!r}: limits {values} do not fall from hihi to lolo",
            remedy="hihi is above hi, hi above lo, lo above lolo.",
        )
    return alarm
