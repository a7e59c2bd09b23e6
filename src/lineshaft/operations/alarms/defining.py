"""Alarms made, changed and removed at run time: who may, what can ring, and what is on record."""

from collections.abc import Mapping

import msgspec

from lineshaft.core.access import Action, Identity
from lineshaft.core.errors import Denied, Invalid
from lineshaft.core.event import Event
from lineshaft.operations.alarms.book import ALARMS, STATES, Book
from lineshaft.operations.alarms.detectors import compiled, formulas
from lineshaft.operations.alarms.origins import FOREIGN
from lineshaft.operations.alarms.settings import Alarm, check_alarm
from lineshaft.records import Append, Change, Delete, Put

ALARMS_MAX = 100_000


def check_define(book: Book, who: Identity, alarm: Alarm) -> None:
    """See that somebody may define this alarm, and that it can ring.

    Raises:
        Invalid: it cannot ring, stands in the settings file, or is one too many.
        Denied: the identity may not configure that branch.
    """
    check_alarm(alarm)
    book.check_configure(who, alarm)
    known = book.alarms.get(alarm.name)
    if known is not None and not book.authorizer.allows(who, Action.CONFIGURE, known.point):
        # Where that one is may be none of their business.
        raise Denied(
            f"{who.name} may not define alarm {alarm.name!r}", remedy="Choose another name."
        )
    if alarm.name in book.in_file:
        raise Invalid(
            f"alarm {alarm.name!r} stands in the settings file",
            remedy="Change it there, then reload.",
        )
    if alarm.name in book.foreign:
        raise Invalid(
            f"alarm {alarm.name!r} is judged by the device {book.foreign[alarm.name].device!r}",
            remedy="Change it there, or choose another name.",
        )
    if known is None and len(book.alarms) >= ALARMS_MAX:
        raise Invalid(f"there are {ALARMS_MAX} alarms already", remedy="Remove some.")
    for formula in formulas(alarm, {}):
        compiled(
            f"alarm {alarm.name!r}",
            formula,
            book.names,
            lambda path: book.authorizer.allows(who, Action.LOOK, path),
        )


def defined(book: Book, who: Identity, alarm: Alarm, permit: str) -> list[Change]:
    """What is written of a definition: the alarm, and who changed what under which permit."""
    event = _defined(book.alarms.get(alarm.name), who, alarm, permit)
    put = Put(
        collection=ALARMS.name,
        key=alarm.name,
        data=msgspec.json.encode(alarm),
        rows=({"point": alarm.point},),
    )
    return [put, Append(event=event)]


def reloaded(old: Mapping[str, Alarm], now: Mapping[str, Alarm], who: Identity) -> list[Change]:
    """What is written of the alarms that another settings file has brought, changed or left out.

    What was left out goes with its state, as one does that is removed at run time.
    """
    events = [_defined(old.get(n), who, a, "") for n, a in now.items() if old.get(n) != a]
    gone = [a for n, a in old.items() if n not in now]
    events += [_removed(who, a, "") for a in gone]
    states = (Delete(collection=STATES.name, key=a.name) for a in gone)
    return [*(Append(event=e) for e in events), *states]


def removed(book: Book, who: Identity, alarm: Alarm, permit: str) -> list[Change]:
    """What is written when an alarm goes, with its state.

    Raises:
        Invalid: it stands in the settings file.
        Denied: the identity may not configure that branch.
    """
    book.check_configure(who, alarm)
    if alarm.name in book.in_file:
        raise Invalid(
            f"alarm {alarm.name!r} stands in the settings file",
            remedy="Take it out there, then reload.",
        )
    return [
        Delete(collection=ALARMS.name, key=alarm.name),
        Delete(collection=STATES.name, key=alarm.name),
        Delete(collection=FOREIGN.name, key=alarm.name),
        Append(event=_removed(who, alarm, permit)),
    ]


def _defined(known: Alarm | None, who: Identity, alarm: Alarm, permit: str) -> Event:
    fields = Alarm.__struct_fields__
    changed = [f for f in fields if known and getattr(known, f) != getattr(alarm, f)]
    return Event(
        kind="alarm.defined",
        path=alarm.point,
        actor=who.name,
        data={
            "alarm": alarm.name,
            "definition": msgspec.to_builtins(alarm),
            "before": {f: msgspec.to_builtins(getattr(known, f)) for f in changed},
            "new": known is None,
            "permit": permit,
        },
    )


def _removed(who: Identity, alarm: Alarm, permit: str) -> Event:
    data = {"alarm": alarm.name, "before": msgspec.to_builtins(alarm), "permit": permit}
    return Event(kind="alarm.removed", path=alarm.point, actor=who.name, data=data)
