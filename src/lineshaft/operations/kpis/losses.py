"""Where the time went: the waterfall from planned busy time to OEE time, and causes by length."""

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from lineshaft.core.batch import Ints, Mask
from lineshaft.operations.kpis.answers import Cause, Fall, InState, Stretch
from lineshaft.operations.kpis.pieces import By, pieces
from lineshaft.operations.kpis.sums import Sums
from lineshaft.operations.kpis.working import ELEMENTS, PLACE, Work
from lineshaft.operations.states.settings import StateRule
from lineshaft.operations.states.timing import Element

STATE_UNKNOWN = StateRule(name="", when="false")
WHOSE = ("own", "outside", "unclear")


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """One cause in one unit."""

    reason: str
    state: str
    loss: str
    ns: int
    stops: int


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit brings into the losses of all."""

    sums: Sums
    delays: dict[str, int]
    """ADET in nanoseconds by whose loss it is."""
    lost: list[Lost]
    stop_ns: int


def account(work: Work) -> Account:
    """The losses of one unit."""
    return Account(
        sums=sum((p.sums for p in pieces(work, By.WHOLE)), Sums()),
        delays={whose: _delay(work, whose) for whose in WHOSE},
        lost=lost(work),
        stop_ns=work.material.timeline.stop_ns,
    )


def lost(work: Work) -> list[Lost]:
    """Stops in planned busy time by reason, or by state where nobody has explained them."""
    timeline = work.material.timeline
    mask = work.lost
    if not mask.any():
        return []
    stretch = work.stretch[mask]
    state, reason = timeline.state[stretch], timeline.reason[stretch]
    n = len(timeline.states) + 1
    key = reason.astype(np.int64) * n + state + 1
    found, group = np.unique(key, return_inverse=True)
    ns = np.zeros(len(found), dtype=np.int64)
    np.add.at(ns, group, work.lasts_ns[mask])
    # A stop with two states of one reason is counted once, at the state it begins with.
    run = np.where(work.run[mask] >= 0, work.run[mask], -2 - stretch)
    _, firsts = np.unique(np.stack([run, reason]), axis=1, return_index=True)
    stops = np.bincount(group[firsts], minlength=len(found))
    rules = (STATE_UNKNOWN, *timeline.states)
    return [
        Lost(
            reason=timeline.reasons[int(k) // n],
            state=rules[int(k) % n].name,
            loss=rules[int(k) % n].loss,
            ns=int(ns[i]),
            stops=int(stops[i]),
        )
        for i, k in enumerate(found)
    ]


def pareto(causes: Iterable[Lost]) -> list[Cause]:
    """Causes of any units summed up, the longest first."""
    joined: dict[tuple[str, str, str], list[Lost]] = {}
    for cause in causes:
        # What has a reason goes by it, whatever the state was called.
        name = "" if cause.reason else cause.state
        joined.setdefault((cause.reason, name, cause.loss), []).append(cause)
    totals = {k: sum(c.ns for c in v) for k, v in joined.items()}
    whole, running = sum(totals.values()), 0
    found = []
    for key in sorted(joined, key=lambda k: (-totals[k], k)):
        running += totals[key]
        same = joined[key]
        found.append(
            Cause(
                reason=key[0],
                state=max(same, key=lambda c: c.ns).state,
                loss=key[2],
                ns=totals[key],
                stops=sum(c.stops for c in same),
                share=totals[key] / whole if whole else 0.0,
                running=running / whole if whole else 0.0,
            )
        )
    return found


def waterfall(accounts: Sequence[Account]) -> list[Fall]:
    """From planned busy time, loss by loss, to OEE time (PRI·GQ); what is left may be negative."""
    sums = sum((a.sums for a in accounts), Sums())
    delays = {whose: sum(a.delays[whose] for a in accounts) for whose in WHOSE}
    made, good = round(sums.ideal), round(sums.ideal_good)
    return _falls(
        [
            ("pbt", None, sums.pbt),
            *((whose, ns, 0) for whose, ns in delays.items()),
            ("no_order", sums.adot, 0),
            ("repair", sums.acmt_in_pbt, 0),
            ("unknown", sums.unknown, 0),
            ("setup", sums.aust, 0),
            ("apt", None, sums.apt),
            ("micro_stops", sums.micro, 0),
            ("speed", sums.apt - sums.micro - made, 0),
            ("ideal", None, made),
            ("scrap", made - good, 0),
            ("oee", None, good),
        ]
    )


def _falls(steps: list[tuple[str, int | None, int]]) -> list[Fall]:
    left, found = 0, []
    for name, taken, level in steps:
        left = level if taken is None else left - taken
        found.append(
            Fall(
                name=name, loss=taken is not None, ns=left if taken is None else taken, left_ns=left
            )
        )
    return found


def _delay(work: Work, whose: str) -> int:
    """ADET in states of that loss."""
    timeline = work.material.timeline
    of = np.array([*(r.loss == whose for r in timeline.states), whose == "unclear"])
    mask = (work.element == PLACE[Element.ADET]) & of[timeline.state[work.stretch]]
    return int(work.lasts_ns[mask].sum())


def in_states(work: Work) -> list[InState]:
    """How long each state lasted in planned operation time, the longest first."""
    timeline = work.material.timeline
    planned = work.material.spans.planned[work.span]
    ns = np.zeros(len(timeline.states) + 1, dtype=np.int64)
    np.add.at(ns, timeline.state[work.stretch[planned]], work.lasts_ns[planned])
    names = [*(r.name for r in timeline.states), ""]
    whole = int(ns.sum())
    found = [
        InState(state=n, ns=int(v), share=int(v) / whole)
        for n, v in zip(names, ns, strict=True)
        if v
    ]
    return sorted(found, key=lambda s: -s.ns)


def stretches(work: Work, wanted: Mask) -> list[Stretch]:
    """The wanted atoms, neighbours that count as the same joined, in order of time."""
    at = np.flatnonzero(wanted)
    if not len(at):
        return []
    material = work.material
    timeline, spans = material.timeline, material.spans
    shift = spans.shift[work.span] + spans.day[work.span].astype(np.int64) * len(spans.shifts)
    parts = (work.stretch, work.element, work.micro, work.order, work.product, shift)
    new = _breaks(at, [p[at] for p in parts])
    firsts, lasts = at[new], at[np.append(np.flatnonzero(new)[1:], len(at)) - 1]
    orders = material.order.names if material.order else ("",)
    names = [*(r.name for r in timeline.states), ""]
    return [
        Stretch(
            unit=timeline.unit.path,
            start_ns=int(work.start_ns[i]),
            stop_ns=int(work.stop_ns[j]),
            state=names[timeline.state[work.stretch[i]]],
            reason=timeline.reasons[timeline.reason[work.stretch[i]]],
            element=ELEMENTS[work.element[i]].value,
            micro=bool(work.micro[i]),
            shift=spans.shifts[spans.shift[work.span[i]]],
            order=orders[work.order[i]],
            product=material.product.names[work.product[i]],
            corrected=bool(timeline.corrected[work.stretch[i]]),
        )
        for i, j in zip(firsts.tolist(), lasts.tolist(), strict=True)
    ]


def _breaks(at: Ints, parts: Sequence[np.ndarray]) -> Mask:
    """(n,) where a stretch begins: something changes, or there is a gap before it."""
    new = np.ones(len(at), dtype=np.bool_)
    new[1:] = np.any([p[1:] != p[:-1] for p in parts], axis=0) | (np.diff(at) > 1)
    return new
