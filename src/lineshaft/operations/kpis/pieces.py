"""Sums of a unit's work by shift, day, order or product; pieces add up to the whole."""

import enum
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
import numpy as np

from lineshaft.core.batch import Floats, Ints, Mask
from lineshaft.operations.kpis.sums import Sums
from lineshaft.operations.kpis.working import ELEMENTS, PLACE, Work, pri_ns
from lineshaft.operations.states.timing import Element

WHOLE = (
    *(
        "pot",
        "pdot",
        "apt",
        "aust",
        "adet",
        "adot",
        "apmt",
        "acmt",
        "acmt_in_pbt",
        "unknown",
        "off",
    ),
    *("micro", "micro_stops", "stops", "ttr", "ttf", "tbf", "failures", "resets"),
)
"""Fields of `Sums` that are whole numbers and known of machines."""
REAL = (
    *("pq", "gq", "sq", "rq", "gp", "ip", "ideal", "ideal_good"),
    *("unplanned_pq", "energy_kwh", "co2_kg"),
)
"""Fields of `Sums` that are quantities and known of machines."""
FIELDS = (*WHOLE, *REAL)
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


class Columns(NamedTuple):
    """Pieces (k,) as columns, which many units add up fast."""

    keys: list[Key]
    start_ns: Ints
    stop_ns: Ints
    whole: Ints
    """(k, len(WHOLE)) times and counts."""
    real: Floats
    """(k, len(REAL)) quantities."""


def whole(parts: Columns) -> Columns:
    """All pieces of one unit as one."""
    if not parts.keys:
        return parts
    return Columns(
        keys=[Key()],
        start_ns=parts.start_ns.min(keepdims=True),
        stop_ns=parts.stop_ns.max(keepdims=True),
        whole=parts.whole.sum(axis=0, keepdims=True),
        real=parts.real.sum(axis=0, keepdims=True),
    )


def pieces(work: Work, by: By) -> list[Piece]:
    """The work in pieces, in order of time."""
    return together([columns(work, by)])


def together(parts: Iterable[Columns]) -> list[Piece]:
    """The pieces of any units, those with the same key summed up, in order of time."""
    given = [p for p in parts if p.keys]
    if not given:
        return []
    places: dict[Key, int] = {}
    at = np.array([places.setdefault(k, len(places)) for p in given for k in p.keys])
    k = len(places)
    start, stop = np.full(k, 2**63 - 1), np.full(k, -(2**63))
    ints, reals = np.zeros((k, len(WHOLE)), np.int64), np.zeros((k, len(REAL)))
    np.minimum.at(start, at, np.concatenate([p.start_ns for p in given]))
    np.maximum.at(stop, at, np.concatenate([p.stop_ns for p in given]))
    np.add.at(ints, at, np.concatenate([p.whole for p in given]))
    np.add.at(reals, at, np.concatenate([p.real for p in given]))
    rows = zip(places, start.tolist(), stop.tolist(), ints.tolist(), reals.tolist(), strict=True)
    found = [
        Piece(
            key=key,
            start_ns=begin,
            stop_ns=end,
            sums=Sums(**dict(zip(FIELDS, (*whole_row, *real_row), strict=True))),  # type: ignore[arg-type]
        )
        for key, begin, end, whole_row, real_row in rows
    ]
    return sorted(found, key=lambda p: (p.start_ns, p.key))


def columns(work: Work, by: By) -> Columns:
    """The work in pieces."""
    if not len(work.start_ns):
        none = np.zeros(0, dtype=np.int64)
        return Columns([], none, none, none.reshape(0, len(WHOLE)), np.zeros((0, len(REAL))))
    group, firsts = _groups(work, by)
    k, n = len(firsts), len(ELEMENTS)
    times = np.zeros(k * n, dtype=np.int64)
    np.add.at(times, group * n + work.element, work.lasts_ns)
    table = times.reshape(k, n)
    stop = np.zeros(k, dtype=np.int64)
    np.maximum.at(stop, group, work.stop_ns)
    more = _more(work, group, k)
    exact = {**_times({e: table[:, PLACE[e]] for e in ELEMENTS}, more), **more}
    real = _amounts(work, group, k)
    return Columns(
        keys=_keys(work, firsts, by),
        start_ns=work.start_ns[firsts],
        stop_ns=stop,
        whole=np.stack([exact[name] for name in WHOLE], axis=1),
        real=np.stack([real[name] for name in REAL], axis=1),
    )


def of_key(work: Work, by: By, key: Key) -> Mask:
    """(n,) the atoms of the piece with that key."""
    if by is By.WHOLE or not len(work.start_ns):
        return np.ones(len(work.start_ns), dtype=np.bool_)
    group, firsts = _groups(work, by)
    same = [k == key for k in _keys(work, firsts, by)]
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


def _keys(work: Work, firsts: Ints, by: By) -> list[Key]:
    material = work.material
    spans, span = material.spans, work.span[firsts]
    days = np.datetime_as_string(spans.day[span].astype("datetime64[D]")).tolist()
    match by:
        case By.DAY:
            return [Key(day=d) for d in days]
        case By.SHIFT:
            names = [spans.shifts[i] for i in spans.shift[span].tolist()]
            return [Key(day=d, shift=s) for d, s in zip(days, names, strict=True)]
        case By.ORDER:
            orders = material.order.names if material.order else ("",)
            return [Key(order=orders[i]) for i in work.order[firsts].tolist()]
        case By.PRODUCT:
            products = material.product.names
            return [Key(product=products[i]) for i in work.product[firsts].tolist()]
        case By.WHOLE:
            return [Key() for _ in days]


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


def _times(time: Mapping[Element, Ints], more: Mapping[str, Ints]) -> dict[str, Ints]:
    """(k,) the nested times from the elements."""
    apmt, acmt = time[Element.APMT], time[Element.ACMT]
    in_pbt = more["acmt_in_pbt"]
    pdot = time[Element.PDOT] + apmt + acmt - in_pbt
    aupt = time[Element.APT] + time[Element.AUST]
    busy = aupt + time[Element.ADET] + time[Element.ADOT] + in_pbt + time[Element.UNKNOWN]
    return {
        **{e.value: time[e] for e in Element if e is not Element.PDOT},
        "pot": pdot + busy,
        "pdot": pdot,
        "ttf": aupt,
        "tbf": aupt + more["ttr"],
    }
