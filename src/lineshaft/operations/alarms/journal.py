"""The alarm journal: every transition, and every refused one, as an event of the log."""

from collections.abc import Iterable, Iterator

from lineshaft.core.errors import Invalid
from lineshaft.core.event import Event
from lineshaft.operations.alarms.happenings import AnyHappening, RemovedFromService, Suppressed
from lineshaft.operations.alarms.settings import Alarm
from lineshaft.operations.alarms.state import Rejected, Shelf, State
from lineshaft.operations.alarms.view import Annunciation, annunciation, letter
from lineshaft.records import Append, Change

KIND = "alarm"
"""First word of the kind of every event of the journal."""
COMMENT_CHARS_MAX = 2000


def event_of(  # noqa: PLR0913 - what people add by keyword
    alarm: Alarm,
    before: State,
    done: State | Rejected,
    what: AnyHappening,
    *,
    who: str = "lineshaft",
    comment: str = "",
    permit: str = "",
) -> Event:
    """What is written of a happening; its time is that of the happening."""
    state = before if isinstance(done, Rejected) else done
    happening = type(what).__name__.lower()
    data: dict[str, object] = {
        "alarm": alarm.name,
        "happening": happening,
        "event_id": state.event_id,
        "letter": letter(state).value,
        "letter_before": letter(before).value,
        "severity": state.severity or before.severity,
        "severity_before": before.severity,
        "active_ns": state.active_ns,
        "limit": state.limit or before.limit,
        "annunciated": annunciation(state) is not Annunciation.NONE,
        "shelved": state.shelf is not Shelf.NO,
    }
    if state.first:
        data["first"] = True
    if isinstance(what, Suppressed):
        data |= {"on": what.on, "by": what.by}
    if permit or isinstance(what, RemovedFromService):
        data["permit"] = permit or getattr(what, "permit", "")
    if comment:
        data["comment"] = comment
    if isinstance(done, Rejected):
        data |= {"refused": done.code.value, "why": done.why}
        happening = "refused"
    return Event(
        kind=f"{KIND}.{happening}", path=alarm.point, actor=who, time_ns=what.time_ns, data=data
    )


def check_comment(comment: str) -> None:
    """See that a comment is short enough to be kept.

    Raises:
        Invalid: it is too long.
    """
    if len(comment) > COMMENT_CHARS_MAX:
        raise Invalid(
            f"the comment has {len(comment)} characters, wanted at most {COMMENT_CHARS_MAX}",
            remedy="Shorten it.",
        )


def events_in(changes: Iterable[Change]) -> Iterator[Event]:
    """The events among changes of the records, to be told once these are kept."""
    return (c.event for c in changes if isinstance(c, Append))
