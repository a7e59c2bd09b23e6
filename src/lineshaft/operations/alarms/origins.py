"""Foreign alarms: what a machine says of an alarm that it judges itself, as an alarm of ours.

Source: OPC 10000-9 v1.05: Retain, EnabledState, ActiveState, AckedState, SuppressedOrShelved.
"""

import hashlib

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.core.path import check_path, clean_level
from lineshaft.drivers import Condition
from lineshaft.operations.alarms.happenings import (
    Acknowledged,
    AnyHappening,
    Arisen,
    Gone,
    Suppressed,
)
from lineshaft.operations.alarms.settings import NAME_CHARS_MAX, Alarm
from lineshaft.operations.alarms.state import State, Traits
from lineshaft.operations.alarms.transitions import after
from lineshaft.records import Collection, Put

FOREIGN = Collection(name="foreign_alarms")
"""Alarms that devices tell of, each with the newest that was told."""
ID_CHARS = 8
"""Hex digits of what tells conditions of one name apart."""
BY = "device"
"""Who suppresses when the device has suppressed or shelved its alarm."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a foreign alarm comes from, and the newest that its device has said."""

    device: str
    alarm: Alarm
    condition: Condition

    def page(self) -> Put:
        """What the records are to hold of it."""
        data = msgspec.json.encode(self)
        return Put(collection=FOREIGN.name, key=self.alarm.name, data=data)

    def is_same(self, other: "Origin") -> bool:
        """Whether both are one condition of one device."""
        mine, theirs = (self.device, self.condition.id), (other.device, other.condition.id)
        return mine == theirs

    def apart(self) -> "Origin":
        """The same under a name of its own: a device may use one name for several conditions."""
        said = f"{self.device}\n{self.condition.id}".encode(errors="surrogatepass")
        mark = f" #{hashlib.sha256(said).hexdigest()[:ID_CHARS]}"
        name = self.alarm.name[: NAME_CHARS_MAX - len(mark)] + mark
        return msgspec.structs.replace(self, alarm=msgspec.structs.replace(self.alarm, name=name))


def origin_of(device: str, at: str, condition: Condition) -> Origin:
    """The foreign alarm `<device>/<source>/<condition>`, on the path `<at>/<source>`."""
    name = f"{device}/{condition.source}/{condition.name}"
    kept = "".join(c if c.isprintable() else "_" for c in name)[:NAME_CHARS_MAX]
    branch = at or clean_level(device)
    try:
        point = check_path(f"{branch}/{clean_level(condition.source)}")
    except Invalid:  # too deep or too long
        point = branch
    alarm = Alarm(
        name=kept,
        point=point,
        description=condition.message,
        life=Traits(acknowledge=condition.must_ack),
    )
    return Origin(device=device, alarm=alarm, condition=condition)


def over(origin: Origin, time_ns: int) -> Origin:
    """The same once its device lists it no more."""
    last = msgspec.structs.replace(
        origin.condition, active=False, acked=True, covered=False, retain=False, time_ns=time_ns
    )
    return msgspec.structs.replace(origin, condition=last)


def happenings(
    state: State, origin: Origin, *, is_being_answered: bool = False
) -> list[AnyHappening]:
    """What must happen to the alarm so that it stands as its device says.

    An alarm of ours that is acknowledged while the device asks anew rings again: gone, then
    arisen. While somebody answers here, the device's own word that it is acknowledged is left out.
    """
    found: list[AnyHappening] = []
    said, traits = origin.condition, origin.alarm.traits()
    time_ns = said.time_ns

    def go(what: AnyHappening) -> None:
        nonlocal state
        done = after(state, what, traits)
        if isinstance(done, State) and done is not state:
            state = done
            found.append(what)

    gone = Gone(time_ns=time_ns, quality=said.quality)
    arisen = Arisen(time_ns=time_ns, severity=said.severity, quality=said.quality)
    go(Suppressed(time_ns=time_ns, on=said.covered, by=BY))
    asks = said.enabled and said.retain and not said.acked and traits.acknowledge
    active = said.enabled and said.active
    if asks and state.acked:
        go(gone)
        go(arisen)
    if active:
        go(arisen)
    else:
        go(gone)
    if not asks and not state.acked and not is_being_answered:
        go(Acknowledged(time_ns=time_ns, event_id=state.event_id, by=origin.device))
    return found
