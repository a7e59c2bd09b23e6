"""What a work unit did × calendar × orders × products × counters: columns that sum up exactly.

| time | counts as |
|---|---|
| outside of shifts | nothing (`off`) |
| break or planned maintenance of the calendar | PDOT |
| state of mode maintenance | APMT and PDOT; corrective: ACMT, in a break PDOT too |
| no state of good quality | PBT, reported as `unknown`, neither a stop nor production |
| executing, mode processing | APT |
| mode set-up | AUST |
| all else, with an order | ADET; if the whole stop is shorter than the threshold: APT |
| all else, without an order | ADOT |

How long a stop is is measured from production to production, whatever the calendar says, and
then cut by it; a stop with a failure in it is never a micro-stop. Time to repair is that of
failure states in planned operation time, operating time to failure is AUPT, and time between
failures both together; so they add up, open intervals included, and MTBF = MTTF + MTTR.
"""

import functools
from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from lineshaft.core.batch import Floats, Ints, Mask
from lineshaft.operations.calendars.calendar import Spans
from lineshaft.operations.kpis.counting import NO_NAME, Counted, Signal
from lineshaft.operations.states.settings import StateRule
from lineshaft.operations.states.timeline import Timeline
from lineshaft.operations.states.timing import Element, Item, Mode, of_item

Codes = npt.NDArray[np.int32]
ELEMENTS = tuple(Element)
"""A code of an element is its place here."""
PLACE = {e: i for i, e in enumerate(ELEMENTS)}
LOST = (PLACE[Element.ADET], PLACE[Element.ADOT], PLACE[Element.ACMT])
"""Elements that are stops when they lie in planned busy time."""


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a unit in a span."""

    timeline: Timeline
    spans: Spans
    """The calendar, at least as long as the timeline."""
    order: Signal | None = None
    """None: there always is an order."""
    product: Signal = NO_NAME
    counters: Mapping[str, Counted] = {}
    """By role: made, good, scrap, rework, and energy in kWh."""


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """Atoms: stretches (n,) without gaps in which nothing changes."""

    material: Material
    start_ns: Ints
    stop_ns: Ints
    stretch: Ints
    """Which one of the timeline."""
    span: Ints
    """Which one of the calendar."""
    order: Codes
    product: Codes
    element: npt.NDArray[np.int8]
    """Place in `ELEMENTS`."""
    micro: Mask
    """Counted as APT, being a micro-stop."""
    run: Ints
    """The stop that it is part of, production to production; -1 for none."""
    failure: Mask
    """In a failure state."""
    fails: Mask
    """A failure begins with it."""

    @property
    def lasts_ns(self) -> Ints:
        """(n,) lengths."""
        return self.stop_ns - self.start_ns

    @property
    def lost(self) -> Mask:
        """(n,) a stop in planned busy time."""
        return np.isin(self.element, LOST) & self.material.spans.busy[self.span]

    def place(self, time_ns: Ints) -> tuple[Ints, Mask]:
        """(m,) the atom (start, stop] that each time falls in, and whether there is one."""
        found = np.searchsorted(self.stop_ns, time_ns, side="left")
        inside = (found < len(self.stop_ns)) & (time_ns > self._begin)
        return np.minimum(found, max(len(self.stop_ns) - 1, 0)), inside

    @property
    def _begin(self) -> int:
        return int(self.start_ns[0]) if len(self.start_ns) else 2**63 - 1


def work(material: Material) -> Work:
    """Cut by everything that changes, and say what each atom counts as."""
    timeline, spans = material.timeline, material.spans
    edges = _edges(material)
    start = edges[:-1]
    stretch = np.searchsorted(timeline.start_ns, start, side="right") - 1
    span = np.searchsorted(spans.start_ns, start, side="right") - 1
    order = material.order.at(start) if material.order else np.zeros(len(start), np.int32)
    has_order = order > 0 if material.order else np.ones(len(start), np.bool_)
    state = timeline.state[stretch]
    element = _table(timeline.states)[
        state, spans.planned[span].astype(int), spans.busy[span].astype(int), has_order.astype(int)
    ]
    run, short = _stops(timeline)
    micro = short[stretch] & (element == PLACE[Element.ADET])
    fault = _failing(timeline)
    return Work(
        material=material,
        start_ns=start,
        stop_ns=edges[1:],
        stretch=stretch,
        span=span,
        order=order,
        product=material.product.at(start),
        element=np.where(micro, np.int8(PLACE[Element.APT]), element),
        micro=micro,
        run=run[stretch],
        failure=fault[stretch],
        fails=_begins(timeline, fault)[stretch] & (start == timeline.start_ns[stretch]),
    )


def _edges(material: Material) -> Ints:
    """Where anything changes, from the begin of the timeline to its end."""
    timeline = material.timeline
    if not len(timeline.start_ns) or timeline.stop_ns <= timeline.start_ns[0]:
        return np.zeros(1, dtype=np.int64)
    changes = [timeline.start_ns, material.spans.start_ns, material.product.time_ns]
    if material.order:
        changes.append(material.order.time_ns)
    # Each part rises by itself, so that a sort that merges runs is far faster than `np.unique`.
    joined = np.sort(np.concatenate(changes), kind="stable")
    low, high = np.searchsorted(joined, (timeline.start_ns[0], timeline.stop_ns))
    edges: Ints = np.append(joined[low:high], timeline.stop_ns)
    fresh: Mask = np.append(True, edges[1:] != edges[:-1])
    return edges[fresh]


@functools.lru_cache(maxsize=1000)
def _table(states: tuple[StateRule, ...]) -> npt.NDArray[np.int8]:
    """Element by state (the last row: unknown), planned, busy, order."""
    table = np.empty((len(states) + 1, 2, 2, 2), dtype=np.int8)
    for i, rule in enumerate((*states, None)):
        item, mode = (_item(rule), _mode(rule)) if rule else (None, Mode.NONE)
        for planned, busy, order in np.ndindex(2, 2, 2):
            found = of_item(
                item,
                mode,
                planned=bool(planned),
                busy=bool(busy),
                order=bool(order),
                corrective=rule is not None and rule.corrective,
            )
            table[i, planned, busy, order] = PLACE[found]
    table.flags.writeable = False
    return table


def _item(rule: StateRule) -> Item:
    return Item[rule.item.upper().replace("-", "_")]


def _mode(rule: StateRule) -> Mode:
    return Mode[rule.mode.upper()]


def _of_state(timeline: Timeline, flags: list[bool]) -> Mask:
    """(n,) of each stretch the flag of its state; the unknown one has none."""
    return np.array([*flags, False], dtype=np.bool_)[timeline.state]


def standing(timeline: Timeline) -> Mask:
    """(n,) neither producing nor set up nor maintained, and known."""
    table = _table(timeline.states)
    return _of_state(timeline, (table[:-1, 1, 1, 1] == PLACE[Element.ADET]).tolist())


def _failing(timeline: Timeline) -> Mask:
    return _of_state(timeline, [rule.failure for rule in timeline.states])


def _stops(timeline: Timeline) -> tuple[Ints, Mask]:
    """(n,) the stop that each stretch is part of or -1, and whether that is a micro-stop."""
    still = standing(timeline)
    begins = still & ~np.append(False, still[:-1])
    run = np.where(still, np.cumsum(begins) - 1, -1)
    start, stop = timeline.start_ns.copy(), timeline.ends_ns
    if not len(start):
        return run, still
    if timeline.lasting_since_ns:
        start[0] = min(timeline.lasting_since_ns, start[0])
    stop[-1] = max(timeline.lasting_until_ns, stop[-1])
    lasts = np.bincount(run[still], weights=(stop - start)[still])
    failed = np.bincount(run[still], weights=_failing(timeline)[still])
    short = (lasts < timeline.unit.micro_stop_s * 1e9) & (failed == 0)
    micro: Mask = still & short[run] if len(short) else still
    return run, micro


def _begins(timeline: Timeline, fault: Mask) -> Mask:
    """(n,) where failures begin; one that had begun before the span does not begin in it."""
    begins: Mask = fault & ~np.append(False, fault[:-1])
    since = timeline.lasting_since_ns
    if len(begins) and since and since < timeline.start_ns[0]:
        begins[0] = False
    return begins


def pri_ns(made: Work) -> Floats:
    """(k,) planned run time per item by product code, in nanoseconds; 0 where nobody said."""
    unit = made.material.timeline.unit
    names = made.material.product.names
    return np.array([unit.cycles.get(n, unit.cycle_s) * 1e9 for n in names])
