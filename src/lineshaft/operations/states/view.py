"""States as people and programs see them."""

import msgspec

from lineshaft.operations.states.intervals import Whole
from lineshaft.operations.states.notes import Note
from lineshaft.operations.states.part import States
from lineshaft.operations.states.settings import StateRule
from lineshaft.operations.states.stops import stops_of
from lineshaft.operations.states.timeline import UNKNOWN, Timeline


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A work unit now."""

    unit: str
    """Its branch of the namespace."""
    state: str
    """Name of the state; empty while it is not known."""
    item: str = ""
    """MachineryItemState of OPC 40001-1; empty while it is not known."""
    mode: str = ""
    """MachineryOperationMode of OPC 40001-1."""
    since_ns: int
    """Since when."""
    reason: str
    """Code of the reason; empty where there is none."""
    reason_text: str
    """The reason as people read it."""
    unexplained: int
    """Stops in the span that somebody should explain."""


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """A timeline as columns: stretch i lasts from `start_ns[i]` to `start_ns[i + 1]`."""

    unit: str
    start_ns: list[int]
    stop_ns: int
    """Where the last one ends: the end of the span, or now."""
    state: list[int]
    """Place in `states`; -1 where it is not known."""
    states: list[StateRule]
    reason: list[int]
    """Place in `reasons`; 0 is none."""
    reasons: list[str]
    """Codes."""
    corrected: list[bool]
    """Whether a person changed its state or its bounds."""
    lasting_since_ns: int
    """When the first one began, which may be before the span."""
    lasting_until_ns: int
    """When the last one ended, which may be after the span; now, if it lasts on."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said, and whether it holds for something."""

    note: Note
    loose: bool
    """It holds for nothing: the stop or the state is gone."""


async def view(states: States, path: str, start_ns: int, stop_ns: int) -> View:
    """A work unit now; stops are counted in the span.

    Raises:
        Missing: there is no such work unit.
    """
    whole = await states.intervals.whole(path, start_ns, stop_ns)
    line, reason = whole.laid.line, whole.laid.reasons[whole.laid.line.reason[-1]]
    known = int(line.state[-1]) != UNKNOWN
    rule = whole.known.states[line.state[-1]] if known else None
    text = states.units.reasons[reason].text if reason in states.units.reasons else reason
    return View(
        unit=path,
        state=rule.name if rule else "",
        item=rule.item if rule else "",
        mode=rule.mode if rule else "",
        since_ns=int(line.start_ns[-1]),
        reason=reason,
        reason_text=text,
        unexplained=sum(s.unexplained for s in stops_of(whole)),
    )


def columns(line: Timeline) -> Columns:
    """A timeline, ready for JSON."""
    return Columns(
        unit=line.unit.path,
        start_ns=line.start_ns.tolist(),
        stop_ns=line.stop_ns,
        state=line.state.tolist(),
        states=list(line.states),
        reason=line.reason.tolist(),
        reasons=list(line.reasons),
        corrected=line.corrected.tolist(),
        lasting_since_ns=line.lasting_since_ns,
        lasting_until_ns=line.lasting_until_ns,
    )


def said(whole: Whole) -> list[Said]:
    """What people said, newest first."""
    loose = set(whole.laid.loose)
    return [Said(note=n, loose=n.id in loose) for n in reversed(whole.notes)]
