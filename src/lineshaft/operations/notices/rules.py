"""What an entry of the alarm journal is to those who want to be told."""

from lineshaft.core.event import Event
from lineshaft.core.path import is_under
from lineshaft.operations.notices.notice import priority_of
from lineshaft.operations.notices.settings import On, Rule

WAITING = frozenset("BE")
"""ISA-18.2 letters of active alarms that ask for an answer."""
RETURNED = frozenset("D")
NORMAL = frozenset("AD")
COVERED = frozenset("GHI")
ACTIVE = frozenset("BCEF")
SWITCHED = ("enabled", "disabled")
"""After these the letter is another, though nothing returned."""


def trigger(event: Event) -> On | None:  # noqa: PLR0911 - one for each reason
    """What the event is a reason to tell, or None.

    Covered alarms (shelved, suppressed, out of service, disabled) are no reason for anything.
    """
    data = event.data
    before, now = _letter(event, "letter_before"), _letter(event, "letter")
    if event.kind == "alarm.refused" or not now:
        return None
    if before in ACTIVE and now in NORMAL and data.get("happening") not in SWITCHED:
        return "returned"
    if not data.get("annunciated") or now not in ACTIVE:
        return None
    if before in COVERED:
        return "uncovered" if now in WAITING else None
    if data.get("happening") == "passed":
        return "repeated" if before not in WAITING and now in WAITING else None
    if data.get("happening") != "arisen":
        return None
    if before not in ACTIVE:
        return "arisen"
    rises = _severity(event, "severity") > _severity(event, "severity_before")
    return "escalated" if rises else None


def asks(event: Event) -> bool:
    """Whether the alarm waits for an acknowledgement after the event."""
    return bool(event.data.get("annunciated")) and _letter(event, "letter") in WAITING


def answers(event: Event, *, returned: bool) -> bool:
    """Whether nobody needs to be told any more that the alarm waits.

    With `returned`, an alarm that is normal again needs nobody, even unacknowledged.
    """
    if event.kind in ("alarm.refused", "alarm.defined"):
        return False
    if event.kind == "alarm.removed":
        return True
    if bool(event.data.get("annunciated")) and _letter(event, "letter") in RETURNED:
        return returned
    return not asks(event)


def concerns(rule: Rule, on: On, event: Event, group: str) -> bool:
    """Whether the rule tells it; `group` is that of the alarm."""
    if on not in rule.on or not is_under(event.path, rule.branch):
        return False
    if rule.groups and group not in rule.groups:
        return False
    return not rule.priorities or priority_of(_severity(event, "severity")) in rule.priorities


def _letter(event: Event, key: str) -> str:
    found = event.data.get(key, "")
    return found if isinstance(found, str) else ""


def _severity(event: Event, key: str) -> int:
    found = event.data.get(key, 0)
    return found if isinstance(found, int) else 0
