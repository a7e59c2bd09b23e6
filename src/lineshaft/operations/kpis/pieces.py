"""Sums of a unit's work by shift, day, order or product; pieces add up to the whole."""

import datetime as dt
import enum
from collections.abc import Mapping

import msgspec
import numpy as np

from lineshaft.core.batch import Floats, Ints, Mask
from lineshaft.operations.kpis.sums import Sums
from lineshaft.operations.kpis.working import ELEMENTS, PLACE, Work, pri_ns
from lineshaft.operations.states.timing import Element

COUNTERS = ("made", "good", "scrap", "rework")


class By(enum.Enum):
    """What pieces a span is cut into."""

    WHOLE = "whole"
    SHIFT = "shift"
    DAY = "day"
    ORDER = "order"
    PRODUCT = "product"


class Key(msgspec.Struct, frozen=True, order=True):
    """What a piece is of; what it was not cut by is empty."""

    day: str = ""
    """`2026-10-25`: the local day that the shift began on."""
    shift: str = ""
    """Empty with a day: outside of all shifts of that day."""
    order: str = ""
    product: str = ""


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of one piece."""

    key: Key
    start_ns: int
    """Where its first stretch begins; pieces of a product or an order may have gaps."""
    stop_ns: int
    sums: Sums


def pieces(work: Work, by: By) -> list[Piece]:
    """The work in pieces, in order of time."""
    if not len(work.start_ns):
        return []
    group, firsts = _groups(work, by)
    k = len(firsts)
    n = len(ELEMENTS)
    times = np.zeros(k * n, dtype=np.int64)
    np.add.at(times, group * n + work.element, work.lasts_ns)
    table = times.reshape(k, n)
    amounts = _amounts(work, group, k)
    begin = work.start_ns[firsts]
    end = np.zeros(k, dtype=np.int64)
    np.maximum.at(end, group, work.stop_ns)
    more = _more(work, group, k)
    found = [
        Piece(
            key=_key(work, int(firsts[i]), by),
            start_ns=int(begin[i]),
            stop_ns=int(end[i]),
            sums=_sums(
                {e: int(table[i, PLACE[e]]) for e in ELEMENTS},
                {f: int(v[i]) for f, v in more.items()},
                {f: float(v[i]) for f, v in amounts.items()},
            ),
        )
        for i in range(k)
    ]
    return sorted(found, key=lambda p: p.start_ns)


def of_key(work: Work, by: By, key: Key) -> Mask:
    """(n,) the atoms of the piece with that key."""
    if by is By.WHOLE or not len(work.start_ns):
        return np.ones(len(work.start_ns), dtype=np.bool_)
    group, firsts = _groups(work, by)
    same = [_key(work, int(i), by) == key for i in firsts]
    return np.array(same, dtype=np.bool_)[group]


def _groups(work: Work, by: By) -> tuple[Ints, Ints]:
    """(n,) the group of each atom, and (k,) the first atom of each group."""
    _, firsts, group = np.unique(_codes(work, by), return_index=True, return_inverse=True)
    return group, firsts


def _codes(work: Work, by: By) -> Ints:
    spans = work.material.spans
    match by:
        case By.WHOLE:
            return np.zeros(len(work.start_ns), dtype=np.int64)
        case By.DAY:
            return spans.day[work.span].astype(np.int64)
        case By.SHIFT:
            day = spans.day[work.span].astype(np.int64)
            return day * len(spans.shifts) + spans.shift[work.span]
        case By.ORDER:
            return work.order.astype(np.int64)
        case By.PRODUCT:
            return work.product.astype(np.int64)


def _key(work: Work, atom: int, by: By) -> Key:
    material = work.material
    spans, span = material.spans, work.span[atom]
    match by:
        case By.DAY:
            return Key(day=_date(int(spans.day[span])))
        case By.SHIFT:
            return Key(day=_date(int(spans.day[span])), shift=spans.shifts[spans.shift[span]])
        case By.ORDER:
            return Key(order=material.order.names[work.order[atom]] if material.order else "")
        case By.PRODUCT:
            return Key(product=material.product.names[work.product[atom]])
        case _:
            return Key()


def _date(day: int) -> str:
    return (dt.date(1970, 1, 1) + dt.timedelta(days=day)).isoformat()


def _more(work: Work, group: Ints, k: int) -> dict[str, Ints]:
    """(k,) of each group what is not an element: breaks in maintenance, stops, failures."""
    lasts = work.lasts_ns
    spans = work.material.spans
    planned, busy = spans.planned[work.span], spans.busy[work.span]
    corrective = work.element == PLACE[Element.ACMT]

    def total(mask: Mask, weight: Ints) -> Ints:
        found = np.zeros(k, dtype=np.int64)
        np.add.at(found, group[mask], weight[mask])
        return found

    one = np.ones(len(lasts), dtype=np.int64)
    return {
        "acmt_in_pbt": total(corrective & busy, lasts),
        "micro": total(work.micro, lasts),
        "micro_stops": total(_first_of(work, work.micro), one),
        "stops": total(_first_of(work, work.lost), one),
        "ttr": total(work.failure & planned, lasts),
        "failures": total(work.fails, one),
        "resets": _resets(work, group, k),
    }


def _first_of(work: Work, mask: Mask) -> Mask:
    """(n,) the first atom of each stop within the mask, so that pieces add up."""
    at = np.flatnonzero(mask)
    run = np.where(work.run[at] >= 0, work.run[at], -2 - work.stretch[at])
    _, firsts = np.unique(run, return_index=True)
    found = np.zeros(len(mask), dtype=np.bool_)
    found[at[firsts]] = True
    return found


def _resets(work: Work, group: Ints, k: int) -> Ints:
    found = np.zeros(k, dtype=np.int64)
    for counter in work.material.counters.values():
        place, inside = work.place(counter.time_ns[counter.reset])
        np.add.at(found, group[place[inside]], 1)
    return found


def _amounts(work: Work, group: Ints, k: int) -> dict[str, Floats]:
    """(k,) of each group what was made, good and so on, and what time it should have taken."""
    unit = work.material.timeline.unit
    pri = pri_ns(work)
    plain: dict[str, Floats] = {}
    ideal: dict[str, Floats] = {}
    unplanned: dict[str, Floats] = {}
    off = ~work.material.spans.planned[work.span]
    for role, counter in work.material.counters.items():
        place, inside = work.place(counter.time_ns)
        place, rise = place[inside], counter.rise[inside]
        at = group[place]
        plain[role] = _per_group(at, rise, k)
        if role in COUNTERS:
            ideal[role] = _per_group(at, rise * pri[work.product[place]], k)
            unplanned[role] = _per_group(at, rise * off[place], k)
    pq, gq, sq, rq = _quantities(plain, k)
    ideal_pq, ideal_gq, *_ = _quantities(ideal, k)
    energy = plain.get("energy", np.zeros(k))
    return {
        "pq": pq,
        "gq": gq,
        "sq": sq,
        "rq": rq,
        "gp": gq,
        "ip": pq,
        "ideal": ideal_pq,
        "ideal_good": ideal_gq,
        "unplanned_pq": _quantities(unplanned, k)[0],
        "energy_kwh": energy,
        "co2_kg": energy * unit.co2_kg_per_kwh,
    }


def _per_group(group: Ints, value: Floats, k: int) -> Floats:
    return np.bincount(group, weights=value, minlength=k).astype(np.float64)


def _quantities(told: Mapping[str, Floats], k: int) -> tuple[Floats, Floats, Floats, Floats]:
    """PQ, GQ, SQ and RQ from the counters that there are; the rest is what is left."""
    zero = np.zeros(k)
    good, scrap, rework = told.get("good"), told.get("scrap"), told.get("rework", zero)
    if "made" not in told:
        good = zero if good is None else good
        scrap = zero if scrap is None else scrap
        return good + scrap, good, scrap, rework
    made = told["made"]
    if good is None:
        scrap = zero if scrap is None else scrap
        return made, made - scrap - rework, scrap, rework
    return made, good, made - good - rework if scrap is None else scrap, rework


def _sums(time: Mapping[Element, int], more: dict[str, int], amounts: dict[str, float]) -> Sums:
    apmt, acmt = time[Element.APMT], time[Element.ACMT]
    in_pbt = more["acmt_in_pbt"]
    pdot = time[Element.PDOT] + apmt + acmt - in_pbt
    busy = sum(time[e] for e in (Element.APT, Element.AUST, Element.ADET, Element.ADOT))
    aupt = time[Element.APT] + time[Element.AUST]
    return Sums(
        pot=pdot + busy + in_pbt + time[Element.UNKNOWN],
        pdot=pdot,
        apt=time[Element.APT],
        aust=time[Element.AUST],
        adet=time[Element.ADET],
        adot=time[Element.ADOT],
        apmt=apmt,
        acmt=acmt,
        unknown=time[Element.UNKNOWN],
        off=time[Element.OFF],
        ttf=aupt,
        tbf=aupt + more["ttr"],
        **more,
        **amounts,  # type: ignore[arg-type]
    )
