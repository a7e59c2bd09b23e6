"""Gather keeps every driver running, publishes what it emits, and guards what is written.

`devices.py` is the way of a reading: driver → spine. `writing.py` is the way of a command back.
"""

from collections.abc import Sequence
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from lineshaft.core.batch import Sample
from lineshaft.core.point import Point
from lineshaft.core.settings import Settings
from lineshaft.drivers import Condition
from lineshaft.records import Collection

DEVICES = Collection(name="devices")
"""Connections made at run time, each a settings table as JSON; the others stand in the file."""

COLLECTIONS = (DEVICES,)


class Config(Settings, frozen=True):
    """What the settings table `[gather]` may say."""

    emits_in_flight_max: Annotated[int, Meta(ge=1, le=256)] = 16
    """Batches that one driver may have handed over and not yet confirmed."""
    report_s: Annotated[float, Meta(gt=0)] = 10.0
    """Seconds from one sample of a device's counters to the next."""
    ticket_s: Annotated[float, Meta(gt=0, le=600)] = 60.0
    """Seconds in which a prepared write can be confirmed."""
    write_timeout_s: Annotated[float, Meta(gt=0, le=60)] = 5.0
    """Seconds that a device has to take a write, and again to read it back."""


class Interlock(Settings, frozen=True):
    """What must hold on another point for a write or call to be allowed."""

    point: str
    """Path of the point that is looked at; its newest sample must be good and fresh."""
    equals: bool | float | str | None = None
    """The value it must have."""
    low: float | None = None
    """The least value it may have."""
    high: float | None = None
    """The greatest value it may have."""
    age_s_max: Annotated[float, Meta(gt=0)] = 30.0
    """The oldest that its newest sample may be, in seconds."""


class WriteRule(Settings, frozen=True):
    """One entry `[[writes]]`: a point that may be written, and within which limits."""

    point: str
    """Path of the point."""
    low: float | None = None
    """The least number that may be written, in the point's unit; needed for numbers."""
    high: float | None = None
    """The greatest number that may be written; needed for numbers."""
    step_max: float | None = None
    """The greatest change from the present value in one write."""
    values: tuple[str, ...] = ()
    """For text points: the texts that may be written."""
    wait_s: Annotated[float, Meta(ge=0)] = 0.0
    """Seconds that must pass between two writes."""
    interlock: Interlock | None = None
    """A condition on another point, checked when preparing and again when confirming."""


class ArgumentRule(Settings, frozen=True):
    """What one argument of a method may be; with neither bounds nor values it may be anything."""

    low: float | None = None
    """The least number that may be given."""
    high: float | None = None
    """The greatest number that may be given."""
    values: tuple[bool | float | str, ...] = ()
    """The values that may be given; empty for all."""


class CallRule(Settings, frozen=True):
    """One entry `[[calls]]`: a method of a machine that may be called, and with what."""

    method: str
    """Path of the method."""
    arguments: dict[str, ArgumentRule] = msgspec.field(default_factory=dict)
    """What its arguments may be, by their names; numbers, arrays and objects need an entry."""
    wait_s: Annotated[float, Meta(ge=0)] = 0.0
    """Seconds that must pass between two calls."""
    timeout_s: Annotated[float, Meta(gt=0, le=3600)] = 60.0
    """How long the machine may take."""
    interlock: Interlock | None = None
    """A condition on a point, checked right before the call."""


class Declare(Protocol):
    """Where points are made known; the historian's namespace fills it."""

    def declare(self, points: tuple[Point, ...]) -> None:
        """Add the points, or bring what is known of them up to date."""


class Alarms(Protocol):
    """Who keeps the alarms that devices tell of themselves; operations fills it."""

    async def told(
        self,
        device: str,
        at: str,
        found: Sequence[Condition],
        listed: frozenset[str] | None = None,
    ) -> None:
        """Take what became of alarms of a device that fills the branch `at`; see `drivers.Feed`.

        Returns once it is kept.
        """


class Latest(Protocol):
    """Where the newest sample of a point is looked up; the historian fills it."""

    def latest(self, path: str) -> Sample | None:
        """The newest sample, or None when there is none."""
