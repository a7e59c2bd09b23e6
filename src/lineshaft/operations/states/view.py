"""Timelines, and what people said, as programs see them."""

import msgspec

from lineshaft.operations.states.intervals import Whole
from lineshaft.operations.states.notes import Note
from lineshaft.operations.states.settings import StateRule
from lineshaft.operations.states.timeline import Timeline


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
