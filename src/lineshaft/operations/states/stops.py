"""The times in which a unit stood still, as people explain them."""

from typing import NamedTuple

import msgspec
import numpy as np

from lineshaft.core.batch import Ints, Mask
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid
from lineshaft.operations.calendars.book import Calendars
from lineshaft.operations.states.busy import touched
from lineshaft.operations.states.intervals import Whole
from lineshaft.operations.states.naming import needs_reason
from lineshaft.operations.states.overlay import standing
from lineshaft.operations.states.stretches import joined, within

STOPS_MAX = 50_000
"""Stops and parts in one answer."""


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """A stop, or the part of one that has a reason of its own."""

    start_ns: int
    """When it began, which may be before the span that was asked for."""
    stop_ns: int
    """When it ended; now, if it lasts on."""
    lasts: bool
    """Whether it lasts on."""
    state: str
    """Name of the state."""
    reason: str
    """Code of the reason; empty where there is none."""
    rule: str
    """Name of the rule that gave the reason; empty where a person or the state itself did."""
    micro: bool
    """Whether the whole stop is so short that it counts as running slowly."""
    unexplained: bool
    """Whether somebody should say why; not outside of planned busy time."""
    part: bool
    """Whether it is a part of a stop."""
    corrected: bool
    """Whether a person changed its state or its bounds."""


class _Found(NamedTuple):
    """Stops and their parts that reach into a span, (n,) each, oldest first."""

    places: Ints
    """Of each the stretch."""
    lasts: Mask
    micro: Mask
    part: Mask
    unexplained: Mask


def stops_of(whole: Whole, calendars: Calendars) -> list[Stop]:
    """Stops and their parts that reach into the span, oldest first.

    Raises:
        Invalid: there are more than `STOPS_MAX`.
    """
    found = _found(whole, calendars)
    if len(found.places) > STOPS_MAX:
        raise Invalid(
            f"{whole.known.path} stood still {len(found.places)} times in the span, wanted at most"
            f" {STOPS_MAX}",
            remedy="Ask for a shorter span.",
        )
    line, states, reasons = whole.laid.line, whole.known.states, whole.laid.reasons
    rules = ["", *(r.name for r in whole.known.rules)]
    places = found.places
    columns = (
        *(
            c[places].tolist()
            for c in (line.start_ns, line.ends_ns, line.state, line.reason, line.rule)
        ),
        *(c.tolist() for c in (found.lasts, found.micro, found.unexplained, found.part)),
        line.corrected[places].tolist(),
    )
    return [
        Stop(
            start_ns=start,
            stop_ns=stop,
            lasts=lasts,
            state=states[state].name,
            reason=reasons[reason],
            rule=rules[rule],
            micro=micro,
            unexplained=unexplained,
            part=part,
            corrected=corrected,
        )
        for start, stop, state, reason, rule, lasts, micro, unexplained, part, corrected in zip(
            *columns, strict=True
        )
    ]


def unexplained(whole: Whole, calendars: Calendars) -> int:
    """How many stops and parts of the span somebody should explain, however many there are."""
    return int(_found(whole, calendars).unexplained.sum())


def _found(whole: Whole, calendars: Calendars) -> _Found:
    line, unit, states = whole.laid.line, whole.known.unit, whole.known.states
    if whole.start_ns >= whole.stop_ns:
        none = np.zeros(0, dtype=np.bool_)
        return _Found(np.zeros(0, dtype=np.int64), none, none, none, none)
    entire = joined(line, by_reason=False)
    owner = np.searchsorted(entire.start_ns, line.start_ns, side="right") - 1
    lengths = entire.ends_ns - entire.start_ns
    where = within(line, whole.start_ns, whole.stop_ns)
    places = np.flatnonzero(standing(line, states)[where]) + where.start
    ends = line.ends_ns[places]
    lasts = ends >= whole.now_ns
    micro = (lengths[owner[places]] < unit.micro_stop_s * NS_PER_S) & ~lasts
    coded = np.array([bool(r) for r in whole.laid.reasons])[line.reason[places]]
    needs = np.array([*map(needs_reason, states), False])[line.state[places]]
    planned = touched(calendars, unit, line.start_ns[places], ends)
    return _Found(
        places=places,
        lasts=lasts,
        micro=micro,
        part=np.bincount(owner)[owner[places]] > 1,
        unexplained=~coded & ~micro & needs & planned,
    )
