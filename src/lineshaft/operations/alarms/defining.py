"""Alarms made, changed and removed at run time: who may, what can ring, and what is on record."""

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from lineshaft.core.access import Action, Identity
from lineshaft.core.errors import Denied, Invalid, Stale
from lineshaft.core.event import Event
from lineshaft.operations.alarms.book import ALARMS, STATES, Book
from lineshaft.operations.alarms.detectors import compiled, formulas
from lineshaft.operations.alarms.origins import FOREIGN
from lineshaft.operations.alarms.settings import Alarm, check_alarm
from lineshaft.records import Append, Change, Delete, Put

ALARMS_MAX = 100_000


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm as it is defined, and who alone can change that."""

    alarm: Alarm
    in_file: bool
    """Whether it stands in the settings file."""
    device: str
    """The device that judges it; empty when it is judged here."""
    tag: str
    """Give it back as If-Match when changing the alarm."""


def definition(book: Book, who: Identity, name: str) -> Definition:
    """How an alarm is defined.

    Raises:
        Missing: there is none, or it is not for this identity to know.
    """
    alarm = book.known(who, name)
    return Definition(
        alarm=alarm, in_file=name in book.in_file, device=book.device(name), tag=tag(alarm)
    )


def tag(alarm: Alarm) -> str:
    """A mark of the definition: the same as long as it says the same."""
    return hashlib.sha256(msgspec.json.encode(alarm)).hexdigest()[:16]


def check_room(book: Book, alarms: Sequence[Alarm]) -> None:
    """See that there is room for these alarms, each of which stands there once.

    Raises:
        Invalid: there is not, or a name comes twice.
    """
    named = {a.name for a in alarms}
    if len(named) < len(alarms):
        names = [a.name for a in alarms]
        twice = next(n for i, n in enumerate(names) if n in names[:i])
        raise Invalid(f"alarm {twice!r} comes twice", remedy="Give each a name of its own.")
    if len(book.alarms.keys() | named) > ALARMS_MAX:
        raise Invalid(
            f"{len(named)} alarms come to {len(book.alarms)}, there may be {ALARMS_MAX}",
            remedy="Remove some.",
        )


def check_define(book: Book, who: Identity, alarm: Alarm, expected: str | None = None) -> None:
    """See that somebody may define this alarm, and that it can ring.

    `expected`: the tag that its definition must have now, or empty where there must be no alarm of
    that name; None asks nothing.

    Raises:
        Invalid: it cannot ring, or stands in the settings file.
        Denied: the identity may not configure that branch.
        Stale: it is not as `expected`: changed, removed or made meanwhile.
    """
    check_alarm(alarm)
    book.check_configure(who, alarm)
    known = book.alarms.get(alarm.name)
    if known is not None and not book.authorizer.allows(who, Action.CONFIGURE, known.point):
        # Where that one is may be none of their business.
        raise Denied(
            f"{who.name} may not define alarm {alarm.name!r}", remedy="Choose another name."
        )
    _check_expected(book, alarm.name, expected)
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
    for formula in formulas(alarm, {}):
        compiled(
            f"alarm {alarm.name!r}",
            formula,
            book.names,
            lambda path: book.authorizer.allows(who, Action.LOOK, path),
        )


def _check_expected(book: Book, name: str, expected: str | None) -> None:
    known = book.alarms.get(name)
    if expected is None or expected == (tag(known) if known else ""):
        return
    if known is None:
        found = "is not defined any more"
    elif not expected:
        found = "exists already"
    else:
        found = "was changed meanwhile"
    raise Stale(
        f"alarm {name!r} {found}",
        remedy="Look at it as it is now, or choose another name.",
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
