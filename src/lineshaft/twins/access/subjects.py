"""What rules can know of who asks, and of the hour."""

import datetime as dt
from collections.abc import Callable

from lineshaft.core.access import Action, Identity
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.errors import Missing
from lineshaft.twins import Json
from lineshaft.twins.query.expressions import constant
from lineshaft.twins.query.values import Kind, Value

_ROLES = {
    Action.LOOK: "viewer",
    Action.WRITE: "operator",
    Action.CONFIGURE: "engineer",
    Action.ADMINISTER: "admin",
}


def claims(who: Identity) -> dict[str, tuple[str, ...]]:
    """Claims by name.

    `sub` is the user, of a token its owner; `name` the user or token; `role` every role whose
    actions are all allowed; `actions` and `branches` as they are.
    """
    return {
        "sub": (who.name.partition("/")[0],),
        "name": (who.name,),
        "role": tuple(role for action, role in _ROLES.items() if action in who.actions),
        "actions": tuple(sorted(a.value for a in who.actions)),
        "branches": who.branches,
    }


def attributes(
    who: Identity, clock: Callable[[], int] = now_ns
) -> Callable[[Json], tuple[Value, ...]]:
    """What an attribute is worth for this identity, now.

    The result raises Missing for what is not known of it; a rule that asks for that is not
    active.
    """
    known = claims(who)

    def worth(attribute: Json) -> tuple[Value, ...]:
        name = attribute.get("CLAIM")
        if isinstance(name, str) and known.get(name):
            return constant(*known[name])
        match attribute.get("GLOBAL"):
            case "UTCNOW":
                return (Value(Kind.DATETIME, clock()),)
            case "LOCALNOW":
                return (Value(Kind.DATETIME, _local(clock())),)
            case "ANONYMOUS":
                # What is open to strangers is open to those who are known.
                return constant("ANONYMOUS")
            case _:
                raise Missing(f"{who.name} has no attribute {str(attribute)[:60]}")

    return worth


def _local(time_ns: int) -> int:
    """The local time as if it were UTC, so that hours and days are those on the wall."""
    here = dt.datetime.fromtimestamp(time_ns // NS_PER_S, dt.UTC).astimezone()
    offset = here.utcoffset() or dt.timedelta()
    return time_ns + int(offset.total_seconds()) * NS_PER_S
