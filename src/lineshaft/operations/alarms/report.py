"""The alarm system's figures over a span, from its journal."""

from collections.abc import Iterable, Mapping

import msgspec
import numpy as np

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.clock import made_ns
from lineshaft.core.errors import Invalid
from lineshaft.core.event import Event
from lineshaft.operations.alarms import conduct, metrics
from lineshaft.operations.alarms.journal import KIND
from lineshaft.operations.alarms.rules import priority_of
from lineshaft.operations.alarms.settings import Alarm, Priority
from lineshaft.records import Logged, Records

EVENTS_MAX = 1_000_000
"""Entries of the journal that one report may read."""
PAGE = 1000
_ENDS = ("alarm.gone", "alarm.reset", "alarm.disabled", "alarm.removed")
"""After these nothing is active any more, whatever was."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What ISA-18.2 and EEMUA 191 ask of an alarm system."""

    rates: metrics.Rates
    floods: list[metrics.Flood]
    flood_share: float
    """Share of the span spent in floods; target < 0.01."""
    top: list[metrics.Actor]
    top_share: float
    """Share of the ten most frequent; target below 0.01 to 0.05, or a plan for each."""
    stale: int
    fleeting: int
    by_severity: dict[str, int]
    """Annunciated activations in the bands low, medium, high and critical."""
    unanswered: int
    """Activations that nobody had acknowledged by the end."""
    acknowledge_s_median: float | None
    acknowledge: dict[str, conduct.Waits]
    """Times to acknowledge by priority."""
    acknowledged_only: int
    """Acknowledged without a word or a confirmation of what was done."""
    realarms: int
    """How often an acknowledged alarm rang again, still active."""
    covered: int
    """Activations that nobody was told of: shelved, suppressed or out of service."""
    shelving: conduct.Shelving
    unauthorised: int
    """Suppressions and changes without a permit; target 0."""
    days: list[conduct.Day]
    """Annunciated activations a day; acceptable up to `PER_DAY`."""
    configured: dict[str, int]
    """Alarms by the gravest priority that they may have."""
    targets: dict[str, float]
    """Share that each priority should have, configured and annunciated."""
    longest_active_s: float
    performance: str
    """Class of EEMUA 191 over all."""
    steady: str
    """The same outside of floods."""
    upset: str
    """The same of floods alone; empty without one."""


async def entries(  # noqa: PLR0913 - all by keyword
    records: Records,
    authorizer: Authorizer,
    who: Identity,
    *,
    start_ns: int,
    stop_ns: int,
    alarm: str = "",
    limit: int = EVENTS_MAX,
) -> list[Logged]:
    """Entries with `start_ns <= time < stop_ns` that the caller may see, newest first.

    Raises:
        Invalid: the span holds too many.
    """
    found: list[Logged] = []
    before: int | None = None
    read = 0
    while True:
        page = await records.events(kind=KIND, before=before, newest_first=True, limit=PAGE)
        read += len(page)
        for logged in page:
            event = logged.event
            if start_ns <= event.time_ns < stop_ns and _wanted(event, alarm, authorizer, who):
                found.append(logged)
        # Times of happenings may lie long before they are written, so these tell no end.
        if len(page) < PAGE or made_ns(page[-1].event.id) < start_ns or len(found) >= limit:
            return found[:limit]
        if read >= EVENTS_MAX:
            raise Invalid(
                f"the journal holds more than {EVENTS_MAX} entries in that span",
                remedy="Take a shorter one.",
            )
        before = page[-1].seq


def _wanted(event: Event, alarm: str, authorizer: Authorizer, who: Identity) -> bool:
    if alarm and event.data.get("alarm") != alarm:
        return False
    return authorizer.allows(who, Action.LOOK, event.path)


def report(
    journal: list[Logged],
    start_ns: int,
    stop_ns: int,
    alarms: Iterable[Alarm] = (),
    *,
    since_ns: Mapping[str, int] | None = None,
) -> Report:
    """The figures of these entries, newest first, and of the alarms that are configured.

    `since_ns` says by name since when an alarm is active now: one that is so since before the
    span may have no entry in it.
    """
    alarms = list(alarms)
    events = [logged.event for logged in reversed(journal)]
    arisen = [e for e in events if conduct.rings(e)]
    rung = [e for e in arisen if e.data.get("annunciated")]
    rung.sort(key=lambda e: e.time_ns)
    times = np.array([e.time_ns for e in rung], dtype=np.int64)
    names = sorted({str(e.data["alarm"]) for e in rung})
    codes = {n: i for i, n in enumerate(names)}
    alarm = np.array([codes[str(e.data["alarm"])] for e in rung], dtype=np.int32)
    old = {n: t for n, t in (since_ns or {}).items() if t < start_ns}
    begun, ended = _spans(events, stop_ns, old)
    floods = metrics.floods(times, stop_ns)
    rates = metrics.rates(times, start_ns, stop_ns)
    top = metrics.top(times, alarm, names)
    waits = _waits(events)
    return Report(
        rates=rates,
        floods=floods,
        flood_share=sum(f.end_ns - f.start_ns for f in floods) / (stop_ns - start_ns),
        top=top,
        top_share=sum(a.share for a in top),
        stale=metrics.stale(begun, ended),
        fleeting=metrics.fleeting(begun[ended < stop_ns], ended[ended < stop_ns]),
        by_severity=_bands(rung),
        unanswered=conduct.unanswered(rung, events),
        acknowledge_s_median=float(np.median(waits)) if waits else None,
        acknowledge=conduct.waits(events),
        acknowledged_only=conduct.acknowledged_only(events),
        realarms=conduct.realarms(events),
        covered=len(arisen) - len(rung),
        shelving=conduct.shelving(events, stop_ns, {a.name: a.life.shelve_s_max for a in alarms}),
        unauthorised=conduct.unauthorised(events),
        days=conduct.days(times.tolist(), start_ns, stop_ns),
        configured=_configured(alarms),
        targets=metrics.DISTRIBUTION,
        longest_active_s=float((ended - begun).max(initial=0) / metrics.SECOND_NS),
        performance=metrics.performance_class(rates.per_10_min, rates.most_in_10_min),
        steady=metrics.steady_class(times, floods, start_ns, stop_ns),
        upset=metrics.upset_class(floods),
    )


def _spans(
    events: list[Event], stop_ns: int, old: Mapping[str, int]
) -> tuple[metrics.Times, metrics.Times]:
    """When each activation began and ended; one still active ends with the span.

    `old` are those that are active since before the span. An activation that only ends in the
    span began when its end says so.
    """
    open_: dict[str, int] = {}
    spans: list[tuple[int, int]] = []
    for event in events:
        name = str(event.data["alarm"])
        if event.kind == "alarm.arisen":
            open_.setdefault(name, event.time_ns)
        elif event.kind in _ENDS:
            known = int(event.data.get("active_ns", 0)) if event.kind == "alarm.gone" else 0
            if begun := open_.pop(name, known):
                spans.append((begun, event.time_ns))
    spans += [(begun, stop_ns) for begun in (dict(old) | open_).values()]
    table = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _waits(events: list[Event]) -> list[float]:
    """Seconds from ringing to acknowledging."""
    rung = {conduct.activation(e): e.time_ns for e in events if conduct.rings(e)}
    return [
        (e.time_ns - rung[conduct.activation(e)]) / metrics.SECOND_NS
        for e in events
        if e.kind == "alarm.acknowledged" and conduct.activation(e) in rung
    ]


def _configured(alarms: list[Alarm]) -> dict[str, int]:
    found = dict.fromkeys((p.value for p in Priority), 0)
    for alarm in alarms:
        found[priority_of(alarm.severity()).value] += 1
    return found


def _bands(rung: list[Event]) -> dict[str, int]:
    found = {"low": 0, "medium": 0, "high": 0, "critical": 0}
    names = list(found)
    for event in rung:
        found[names[min((int(event.data["severity"]) - 1) // 250, 3)]] += 1
    return found
