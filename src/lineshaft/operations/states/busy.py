"""Which stops lie in planned busy time: of the others nobody need say why."""

import numpy as np

from lineshaft.core.batch import Ints, Mask
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Missing
from lineshaft.operations.calendars.book import Calendars
from lineshaft.operations.states.settings import WorkUnit

HOUR_NS = 3600 * NS_PER_S


def touched(calendars: Calendars, unit: WorkUnit, start_ns: Ints, stop_ns: Ints) -> Mask:
    """(n,) whether each span has a part in planned busy time.

    A calendar that is not there plans work all the time.
    """
    if not len(start_ns) or not unit.calendar:
        return np.ones(len(start_ns), dtype=np.bool_)
    # Whole hours, so that the calendar can give again what it has worked out.
    first = int(start_ns.min()) // HOUR_NS * HOUR_NS
    last = -(-(int(stop_ns.max()) + 1) // HOUR_NS) * HOUR_NS
    try:
        spans = calendars.named(unit.calendar).spans(first, last)
    except Missing:
        return np.ones(len(start_ns), dtype=np.bool_)
    edges = np.append(spans.start_ns, last)
    before = np.concatenate(([0], np.cumsum(np.where(spans.busy, np.diff(edges), 0))))
    found: Mask = _until(edges, before, spans.busy, stop_ns) > _until(
        edges, before, spans.busy, start_ns
    )
    return found


def _until(edges: Ints, before: Ints, busy: Mask, time_ns: Ints) -> Ints:
    """Busy nanoseconds from the first edge to each time."""
    place = np.clip(np.searchsorted(edges, time_ns, side="right") - 1, 0, len(busy) - 1)
    found: Ints = before[place] + np.where(busy[place], time_ns - edges[place], 0)
    return found
