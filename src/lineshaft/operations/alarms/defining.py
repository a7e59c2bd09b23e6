"""Alarms made, changed and removed at run time: who may, what can ring, and what is on record."""

from collections.abc import Mapping

import msgspec

from lineshaft.core.access import Action, Identity
from lineshaft.core.errors import Invalid
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
    if known is not None:
        book.check_configure(who, known)
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
    event = _defined(who, alarm, book.alarms.get(alarm.name), permit)
    put = Put(
        collection=ALARMS.name,
        key=alarm.name,
        data=msgspec.json.encode(alarm),
        rows=({"point": alarm.point},),
    )
    return [put, Append(event=event)]


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


def reloaded(who: Identity, old: Mapping[str, Alarm], new: Mapping[str, Alarm]) -> list[Append]:
    """What is on record when alarms of the settings file became other ones, by name."""
    gone = [_removed(who, old[n], "", in_file=True) for n in sorted(old.keys() - new.keys())]
    came = [
        _defined(who, new[n], old.get(n), "", in_file=True)
        for n in sorted(new)
        if old.get(n) != new[n]
    ]
    return [Append(event=e) for e in (*gone, *came)]


def _defined(
    who: Identity, alarm: Alarm, known: Alarm | None, permit: str, *, in_file: bool = False
) -> Event:
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
            "in_file": in_file,
        },
    )


def _removed(who: Identity, alarm: Alarm, permit: str, *, in_file: bool = False) -> Event:
    return Event(
        kind="alarm.removed",
        path=alarm.point,
        actor=who.name,
        data={
            "alarm": alarm.name,
            "before": msgspec.to_builtins(alarm),
            "permit": permit,
            "in_file": in_file,
        },
    )
