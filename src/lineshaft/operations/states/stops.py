"""The times in which a unit stood still, as people explain them."""

import msgspec
import numpy as np

from lineshaft.core.clock import NS_PER_S
from lineshaft.operations.calendars.book import Calendars
from lineshaft.operations.states.busy import touched
from lineshaft.operations.states.intervals import Whole
from lineshaft.operations.states.naming import needs_reason
from lineshaft.operations.states.overlay import standing
from lineshaft.operations.states.stretches import joined, within


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


def stops_of(whole: Whole, calendars: Calendars) -> list[Stop]:
    """Stops and their parts that reach into the span, oldest first."""
    line, states = whole.laid.line, whole.known.states
    if whole.start_ns >= whole.stop_ns:
        return []
    entire = joined(line, by_reason=False)
    owner = np.searchsorted(entire.start_ns, line.start_ns, side="right") - 1
    parts = np.bincount(owner)
    lengths = entire.ends_ns - entire.start_ns
    micro_ns = whole.known.unit.micro_stop_s * NS_PER_S
    still, ends = standing(line, states), line.ends_ns
    where = within(line, whole.start_ns, whole.stop_ns)
    rules = ["", *(r.name for r in whole.known.rules)]
    found = []
    places = np.flatnonzero(still[where]) + where.start
    busy = touched(calendars, whole.known.unit, line.start_ns[places], ends[places])
    for i, planned in zip(places, busy, strict=True):
        rule = states[line.state[i]]
        lasts = bool(ends[i] >= whole.now_ns)
        micro = bool(lengths[owner[i]] < micro_ns) and not lasts
        reason = whole.laid.reasons[line.reason[i]]
        found.append(
            Stop(
                start_ns=int(line.start_ns[i]),
                stop_ns=int(ends[i]),
                lasts=lasts,
                state=rule.name,
                reason=reason,
                rule=rules[line.rule[i]],
                micro=micro,
                unexplained=not reason and not micro and needs_reason(rule) and bool(planned),
                part=bool(parts[owner[i]] > 1),
                corrected=bool(line.corrected[i]),
            )
        )
    return found
