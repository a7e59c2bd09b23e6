"""Whether the machine's own sums of time agree with ours.

Source: PackTags `Admin.StateCumulativeTime` (ISA-TR88.00.02): seconds in each state since the last
reset, an array that is indexed by the number of the state. Both must agree to a second a day.
"""

from collections.abc import Mapping

import msgspec
import numpy as np

from lineshaft.core.clock import NS_PER_S
from lineshaft.operations.states.timeline import Timeline

TOLERANCE = 1.0 / 86_400.0
"""A second a day."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One state in which the sums differ by more than they may."""

    state: str
    ours_s: float
    theirs_s: float


def seconds_by_state(line: Timeline) -> dict[str, float]:
    """Seconds of the span that the unit was in each state."""
    lengths = (line.ends_ns - line.start_ns) / NS_PER_S
    known = line.state >= 0
    sums = np.bincount(line.state[known], lengths[known], minlength=len(line.states))
    return {s.name: float(t) for s, t in zip(line.states, sums, strict=True)}


def differences(
    line: Timeline, first_s: Mapping[str, float], last_s: Mapping[str, float]
) -> list[Difference]:
    """Where our sums are not what the machine's counters grew by over the span.

    `first_s` and `last_s` are the counters by name of the state at its start and its end; a state
    whose counter was reset between (it fell) is not compared.
    """
    span_s = (line.stop_ns - int(line.start_ns[0])) / NS_PER_S if len(line.start_ns) else 0.0
    ours = seconds_by_state(line)
    allowed = max(span_s * TOLERANCE, TOLERANCE)
    found = []
    for state, last in last_s.items():
        theirs = last - first_s.get(state, 0.0)
        if theirs >= 0 and abs(theirs - ours.get(state, 0.0)) > allowed:
            found.append(Difference(state=state, ours_s=ours.get(state, 0.0), theirs_s=theirs))
    return found
