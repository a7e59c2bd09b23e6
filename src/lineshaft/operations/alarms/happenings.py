"""What can happen to an alarm; times are nanoseconds since the Unix epoch.

Of the source for what the detector says, of the clock for what people do.
"""

import msgspec


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happens to an alarm at a time."""

    time_ns: int


class Arisen(Happening, frozen=True, kw_only=True):
    """The condition holds, on-delay passed; also said again when severity or limit changes."""

    severity: int
    limit: str = ""
    limits: tuple[str, ...] = ()
    """Of a non-exclusive alarm all limits that are passed."""
    quality: int = 0
    first: bool = False
    """Whether it is the first of its group."""


class Gone(Happening, frozen=True, kw_only=True):
    """The condition no longer holds, beyond the dead band, off-delay passed."""

    quality: int = 0


class Passed(Happening, frozen=True, kw_only=True):
    """Time has passed: shelves end, alarms ring again."""


class Acknowledged(Happening, frozen=True, kw_only=True):
    """Somebody has seen it."""

    event_id: str
    by: str


class Confirmed(Happening, frozen=True, kw_only=True):
    """Somebody has done something about it."""

    event_id: str


class Reset(Happening, frozen=True, kw_only=True):
    """Let go of the latch."""


class TimedShelved(Happening, frozen=True, kw_only=True):
    """Put away for some seconds."""

    seconds: float


class OneShotShelved(Happening, frozen=True, kw_only=True):
    """Put away until it returns to normal."""


class Unshelved(Happening, frozen=True, kw_only=True):
    """Taken off the shelf."""


class Suppressed(Happening, frozen=True, kw_only=True):
    """Logic says that it means nothing now, or with `on` false, that it does again."""

    on: bool
    by: str = "person"
    """Which logic: `state`, `group`, `flood`; each is lifted by itself."""


class RemovedFromService(Happening, frozen=True, kw_only=True):
    """Maintenance takes it out, under a permit."""

    permit: str


class PlacedInService(Happening, frozen=True, kw_only=True):
    """Maintenance gives it back."""


class Enabled(Happening, frozen=True, kw_only=True):
    """Evaluated again."""


class Disabled(Happening, frozen=True, kw_only=True):
    """Not evaluated at all."""


class Silenced(Happening, frozen=True, kw_only=True):
    """The sound is off; it stays unacknowledged."""


class Commented(Happening, frozen=True, kw_only=True):
    """Somebody adds a remark; the state stays."""


AnyHappening = (
    Arisen
    | Gone
    | Passed
    | Acknowledged
    | Confirmed
    | Reset
    | TimedShelved
    | OneShotShelved
    | Unshelved
    | Suppressed
    | RemovedFromService
    | PlacedInService
    | Enabled
    | Disabled
    | Silenced
    | Commented
)
