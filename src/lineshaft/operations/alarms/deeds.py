"""What people do to alarms, as they say it over HTTP."""

import msgspec

from lineshaft.core.access import Identity
from lineshaft.core.clock import now_ns
from lineshaft.operations.alarms import happenings as h


class Acknowledge(msgspec.Struct, frozen=True, tag_field="do", tag="acknowledge"):
    """Somebody has seen it; `event_id` is that of the view."""

    event_id: str


class Confirm(msgspec.Struct, frozen=True, tag_field="do", tag="confirm"):
    """Something was done about it."""

    event_id: str


class Shelve(msgspec.Struct, frozen=True, tag_field="do", tag="shelve"):
    """Put it away: for some seconds, or with 0 until it returns to normal."""

    seconds: float = 0.0


class Unshelve(msgspec.Struct, frozen=True, tag_field="do", tag="unshelve"):
    """Take it off the shelf."""


class Suppress(msgspec.Struct, frozen=True, tag_field="do", tag="suppress"):
    """Say that it means nothing now, or with `on` false, that it does again."""

    on: bool = True
    permit: str = ""
    """Number of the permit; without one it counts as unauthorised in the figures."""


class OutOfService(msgspec.Struct, frozen=True, tag_field="do", tag="out-of-service"):
    """Take it out for maintenance, under a permit."""

    permit: str


class InService(msgspec.Struct, frozen=True, tag_field="do", tag="in-service"):
    """Give it back."""


class Enable(msgspec.Struct, frozen=True, tag_field="do", tag="enable"):
    """Evaluate it again."""

    permit: str = ""


class Disable(msgspec.Struct, frozen=True, tag_field="do", tag="disable"):
    """Do not evaluate it at all."""

    permit: str = ""
    """Number of the permit; without one it counts as unauthorised in the figures."""


class LetGo(msgspec.Struct, frozen=True, tag_field="do", tag="reset"):
    """Let go of the latch."""


class Silence(msgspec.Struct, frozen=True, tag_field="do", tag="silence"):
    """Switch the sound off."""


class Comment(msgspec.Struct, frozen=True, tag_field="do", tag="comment"):
    """Add a remark and nothing else."""


Deed = (
    Acknowledge
    | Confirm
    | Shelve
    | Unshelve
    | Suppress
    | OutOfService
    | InService
    | Enable
    | Disable
    | LetGo
    | Silence
    | Comment
)


_PLAIN: dict[type, type[h.AnyHappening]] = {
    Unshelve: h.Unshelved,
    InService: h.PlacedInService,
    Enable: h.Enabled,
    Disable: h.Disabled,
    LetGo: h.Reset,
    Silence: h.Silenced,
    Comment: h.Commented,
}
"""Deeds that say nothing but when."""


def happening(deed: Deed, who: Identity) -> h.AnyHappening:
    """What a deed is to an alarm."""
    now = now_ns()
    match deed:
        case Acknowledge(event_id=event_id):
            return h.Acknowledged(time_ns=now, event_id=event_id, by=who.name)
        case Confirm(event_id=event_id):
            return h.Confirmed(time_ns=now, event_id=event_id)
        case Shelve(seconds=s):
            return h.TimedShelved(time_ns=now, seconds=s) if s else h.OneShotShelved(time_ns=now)
        case Suppress(on=on):
            return h.Suppressed(time_ns=now, on=on)
        case OutOfService(permit=permit):
            return h.RemovedFromService(time_ns=now, permit=permit)
        case _:
            return _PLAIN[type(deed)](time_ns=now)  # type: ignore[call-arg]


ENGINEERS = (Suppress, OutOfService, InService, Enable, Disable)
"""Deeds that change what is watched; they need the right to configure."""
