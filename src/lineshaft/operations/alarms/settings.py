"""What an alarm watches, and what people are told when it rings."""

import enum
import math
from typing import Annotated, Literal

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.core.path import check_path
from lineshaft.core.settings import Settings
from lineshaft.operations.alarms.state import YEAR_S, Traits
from lineshaft.operations.expressions.durations import duration_ns


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
ALONE = ("off_normal", "trip", "discrepancy", "stale_s", "when")
"""Detectors without limits."""
MEASURES = ("deviation_from", "rate", "value")
"""What limits may be on, instead of the value of the point."""


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
    respond_s: Annotated[float, msgspec.Meta(ge=0, le=YEAR_S)] = 0.0
    """Seconds in which the action must be taken; 0 where nobody has said."""


class Rate(Settings, frozen=True):
    """How fast the value of the point changes."""

    over: str = "1m"
    """The window that the change is taken over: `10s`, `5m`."""
    per: Literal["s", "min", "h"] = "s"
    """Limits are in the unit of the point per second, minute or hour."""


class Discrepancy(Settings, frozen=True):
    """The point is the feedback of a command, and does not follow it."""

    command: str
    """Path of the point that says what is wanted."""
    within_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 10.0
    """Seconds that the feedback may take."""
    tolerance: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """For numbers: how far they may lie apart, in the unit of the point."""


class Alarm(Settings, frozen=True):
    """One table `[[alarms]]`: what it watches is one of these detectors.

    | detector | rings |
    |---|---|
    | `hihi`, `hi`, `lo`, `lolo` | beyond, of the point or of `deviation_from`, `rate`, `value` |
    | `off_normal`, `trip` | while the point has this value; a trip also latches |
    | `discrepancy` | while the point does not follow its command |
    | `stale_s` | when no sample comes, or a bad one |
    | `when` | while an expression is true |

    With `hi` and `hihi` alone, `deviation_from` and `rate` watch the size, in either direction;
    with `lo` or `lolo` too, the sign counts.
    """

    name: str
    """Its own name in the plant; shown to operators."""
    point: str
    """Path of the point that it watches; of an expression, the point where it belongs."""
    hihi: Limit | None = None
    """Above `hi`."""
    hi: Limit | None = None
    """Rings when the value is above."""
    lo: Limit | None = None
    """Rings when the value is below."""
    lolo: Limit | None = None
    """Below `lo`."""
    exclusive: bool = True
    """Whether only the gravest limit that is passed counts; if not, each is an activity of its own
    that asks for an answer (OPC UA NonExclusiveLimitAlarmType)."""
    deviation_from: str | float | None = None
    """Limits are on the distance from this set point: path of a point, or a number."""
    rate: Rate | None = None
    """Limits are on the speed of change."""
    value: str = ""
    """Limits are on the value of this expression."""
    off_normal: Limit | None = None
    """For booleans and enumerations: rings while the value is this one."""
    trip: Limit | None = None
    """A protection has acted: rings while the value is this one, and latches."""
    discrepancy: Discrepancy | None = None
    """Rings while the point, a feedback, does not follow its command."""
    stale_s: Annotated[float, msgspec.Meta(ge=0, le=31_536_000)] = 0.0
    """Rings when no sample came for so many seconds, or its quality is bad; 0 never."""
    when: str = ""
    """Rings while this expression is true."""
    priority: Priority = Priority.MEDIUM
    """How fast somebody must answer a `discrepancy`, `stale_s` or `when`."""
    names: dict[str, str] = msgspec.field(default_factory=dict)
    """Short names for expressions, with their paths; points beside `point` have their own."""
    wait_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 1.0
    """Seconds that expressions of several points wait for samples that come late."""
    suppress_when: str = ""
    """Suppressed by design while this expression is true, such as `state == 'stopped'`."""
    dead_band: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """How far the value must come back inside a limit, in the unit of the point."""
    on_delay_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0.0
    """Seconds that the condition must last, on source time, before it rings."""
    off_delay_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0.0
    """Seconds that it must be gone before it returns to normal."""
    on_bad: OnBad = OnBad.HOLD
    """What a value of bad quality means."""
    group: str = ""
    """Alarms that are looked at, and suppressed, together; see `[[alarm_groups]]`."""
    description: str = ""
    """One sentence for people."""
    advice: Advice = Advice()
    """What causes it, what follows, what to do."""
    life: Traits = Traits()
    """Acknowledging, latching, shelving."""

    def limits(self) -> dict[str, Limit]:
        """The limits that are given, by name; `condition` stands for detectors without any."""
        given = {n: getattr(self, n) for n in (*LIMITS, "off_normal", "trip")}
        found = {n: limit for n, limit in given.items() if limit is not None}
        if self.discrepancy or self.stale_s or self.when:
            found["condition"] = Limit(value=0.5, priority=self.priority)
        return found

    def severity(self) -> int:
        """The gravest that it may have, 1 to 1000."""
        return max((SEVERITY[limit.priority] for limit in self.limits().values()), default=1)

    def traits(self) -> Traits:
        """How it lives; a trip latches."""
        return msgspec.structs.replace(self.life, latching=True) if self.trip else self.life


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
    for path in (alarm.point, *alarm.names.values()):
        check_path(path)
    _check_detector(alarm)
    _check_measure(alarm)
    _check_finite(alarm)
    given = alarm.limits()
    values = [given[n].value for n in LIMITS if n in given]
    if sorted(values, reverse=True) != values:
        raise Invalid(
            f"alarm {name!r}: limits {values} do not fall from hihi to lolo",
            remedy="hihi is above hi, hi above lo, lo above lolo.",
        )
    return alarm


def _check_finite(alarm: Alarm) -> None:
    """A number that is none would ring always or never, without a word."""
    numbers = {name: limit.value for name, limit in alarm.limits().items()}
    numbers["dead_band"] = alarm.dead_band
    if isinstance(alarm.deviation_from, float):
        numbers["deviation_from"] = alarm.deviation_from
    if alarm.discrepancy:
        numbers["discrepancy.tolerance"] = alarm.discrepancy.tolerance
    for name, number in numbers.items():
        if not math.isfinite(number):
            raise Invalid(
                f"alarm {alarm.name!r}: {name} is {number}, wanted a finite number",
                remedy="Write a number in the unit of the point.",
            )


def _check_detector(alarm: Alarm) -> None:
    """Exactly one thing is watched, in one way."""
    levels = [n for n in LIMITS if getattr(alarm, n) is not None]
    alone = [n for n in ALONE if getattr(alarm, n)]
    measures = [n for n in MEASURES if getattr(alarm, n) not in (None, "")]
    if bool(levels) + len(alone) != 1 or len(measures) > bool(levels):
        raise Invalid(
            f"alarm {alarm.name!r}: limits are {', '.join((*levels, *alone, *measures)) or 'none'}",
            remedy="Give some of hihi, hi, lo and lolo, of the point or of one of"
            f" {', '.join(MEASURES)}; or one of {', '.join(ALONE)} alone.",
        )


def _check_measure(alarm: Alarm) -> None:
    if alarm.rate and not duration_ns(alarm.rate.over):
        raise Invalid(
            f"alarm {alarm.name!r}: rate.over is {alarm.rate.over!r}, wanted a length of time",
            remedy="Write 30s, 5m or 1h.",
        )
    if isinstance(alarm.deviation_from, str):
        check_path(alarm.deviation_from)
    if alarm.discrepancy:
        check_path(alarm.discrepancy.command)
