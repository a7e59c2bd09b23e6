"""An event: what is not a sample. Somebody logged in, a setting changed, a device was written."""

from typing import Any

import msgspec

from lineshaft.core.clock import now_ns, uuid7


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened; written once to the records' log, then announced on the spine."""

    kind: str
    """What happened, general to special: `access.login`, `write.confirmed`."""
    path: str = ""
    """The point, asset or document that it is about; empty when it is about none."""
    actor: str = "lineshaft"
    """Name of the user, token or part that did it."""
    data: dict[str, Any] = {}
    """The rest, as JSON; never a secret."""
    id: str = msgspec.field(default_factory=uuid7)
    """UUID version 7."""
    time_ns: int = msgspec.field(default_factory=now_ns)
    """When it happened: nanoseconds since the Unix epoch, UTC."""
