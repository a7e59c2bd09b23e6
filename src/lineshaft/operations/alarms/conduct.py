"""How people dealt with alarms over a span: answers, shelves and changes in the journal."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from lineshaft.core.event import Event
from lineshaft.operations.alarms.metrics import DAY_NS, SECOND_NS
from lineshaft.operations.alarms.rules import priority_of
from lineshaft.operations.alarms.settings import Priority

_CHANGES = ("alarm.disabled", "alarm.enabled", "alarm.removedfromservice", "alarm.removed")
_SHELF_S = 28_800.0


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from ringing to being acknowledged."""

    count: int
    p50_s: float
    p95_s: float


class Shelving(msgspec.Struct, frozen=True, kw_only=True):
    """How alarms were put away."""

    count: int = 0
    """How often one was."""
    still: int = 0
    """How many are at the end of the span."""
    longest_s: float = 0.0
    over: int = 0
    """How many stayed longer than they may; target 0."""


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """Annunciated activations of 24 hours, counted from the beginning of the span."""

    start_ns: int
    count: int


def activation(event: Event) -> tuple[object, object]:
    """Which activation an event is of: event identifiers are unique within one alarm."""
    return event.data.get("alarm"), event.data.get("event_id")


def rings(event: Event) -> bool:
    """Whether an alarm asks for attention anew; it also arises when its severity falls.

    An identifier begins with the time at which it was given.
    """
    anew = str(event.data.get("event_id", "")).startswith(f"{event.time_ns:x}-")
    return event.kind == "alarm.arisen" and anew


def unanswered(rung: Sequence[Event], events: Sequence[Event]) -> int:
    """How many nobody acknowledged; who acknowledges an alarm answers what it rang for before."""
    until: dict[object, int] = {}
    for event in events:
        name, event_id = activation(event)
        if event.kind == "alarm.acknowledged" and event_id:
            time_ns = int(str(event_id).partition("-")[0], 16)
            until[name] = max(until.get(name, 0), time_ns)
    return sum(e.time_ns > until.get(e.data["alarm"], -1) for e in rung)


def waits(events: Sequence[Event]) -> dict[str, Waits]:
    """Times to acknowledge by priority; priorities that nobody answered are left out."""
    rung = {activation(e): e for e in events if rings(e)}
    found: dict[Priority, list[float]] = {}
    for event in events:
        first = rung.get(activation(event))
        if event.kind == "alarm.acknowledged" and first is not None:
            took_s = (event.time_ns - first.time_ns) / SECOND_NS
            found.setdefault(priority_of(_severity(first)), []).append(took_s)
    return {
        p.value: Waits(
            count=len(found[p]),
            p50_s=float(np.percentile(found[p], 50)),
            p95_s=float(np.percentile(found[p], 95)),
        )
        for p in Priority
        if p in found
    }


def acknowledged_only(events: Sequence[Event]) -> int:
    """Activations that were acknowledged without a word or a confirmation of what was done."""
    said = {
        activation(e)
        for e in events
        if e.kind == "alarm.confirmed" or (e.data.get("comment") and _is_answer(e))
    }
    seen = {activation(e) for e in events if e.kind == "alarm.acknowledged"}
    return len(seen - said)


def _is_answer(event: Event) -> bool:
    return event.kind in ("alarm.acknowledged", "alarm.commented", "alarm.reset")


def realarms(events: Sequence[Event]) -> int:
    """How often an acknowledged alarm rang again because it was still active."""
    last: dict[object, object] = {}
    found = 0
    for event in (e for e in events if "event_id" in e.data):
        name, event_id = event.data["alarm"], event.data["event_id"]
        found += event.kind == "alarm.passed" and last.get(name) not in (None, event_id)
        last[name] = event_id
    return found


def shelving(events: Sequence[Event], stop_ns: int, most_s: Mapping[str, float]) -> Shelving:
    """How alarms were shelved; `most_s` says how long each may be, by name."""
    open_: dict[str, int] = {}
    spans: list[tuple[str, float]] = []
    for event in (e for e in events if "shelved" in e.data):
        name, shelved = str(event.data["alarm"]), event.data["shelved"]
        if shelved and name not in open_:
            open_[name] = event.time_ns
        elif not shelved and name in open_:
            spans.append((name, (event.time_ns - open_.pop(name)) / SECOND_NS))
    still = len(open_)
    spans += [(n, (stop_ns - begun) / SECOND_NS) for n, begun in open_.items()]
    # A second of grace: shelves end at a tick.
    over = sum(s > most_s.get(n, _SHELF_S) + 1.0 for n, s in spans)
    longest = max((s for _, s in spans), default=0.0)
    return Shelving(count=len(spans), still=still, longest_s=longest, over=over)


def unauthorised(events: Sequence[Event]) -> int:
    """Changes of what is watched without the number of a permit; target 0."""
    return sum(_needs_permit(e) and not e.data.get("permit") for e in events)


def _needs_permit(event: Event) -> bool:
    if event.kind == "alarm.suppressed":
        return event.data.get("by") == "person"
    if event.kind == "alarm.defined":
        return not event.data.get("new", True)
    return event.kind in _CHANGES


def days(times_ns: Sequence[int], start_ns: int, stop_ns: int) -> list[Day]:
    """Activations a day; the last day may be a part of one."""
    count = -(-(stop_ns - start_ns) // DAY_NS)
    place = (np.asarray(times_ns, dtype=np.int64) - start_ns) // DAY_NS
    return [
        Day(start_ns=start_ns + k * DAY_NS, count=int(n))
        for k, n in enumerate(np.bincount(place, minlength=count)[:count])
    ]


def _severity(event: Event) -> int:
    value = event.data.get("severity", 0)
    return value if isinstance(value, int) else 0
