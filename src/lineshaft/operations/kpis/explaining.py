"""A figure, opened: which symbols went into it, from which unit, stretches and raw points."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lineshaft.core.access import Identity
from lineshaft.core.batch import Mask
from lineshaft.core.settings import field_docs
from lineshaft.operations.kpis.answers import Explained, Input, OfUnit, Source, Stretch
from lineshaft.operations.kpis.book import Kpis, Scope, check_names, total
from lineshaft.operations.kpis.formulas import BY_NAME, Formula, figure
from lineshaft.operations.kpis.losses import stretches
from lineshaft.operations.kpis.pieces import By, Key, Piece, of_key, pieces
from lineshaft.operations.kpis.reading import points_of
from lineshaft.operations.kpis.sums import Sums
from lineshaft.operations.kpis.working import PLACE, Work
from lineshaft.operations.states.settings import STATE_POINT, WorkUnit
from lineshaft.operations.states.timing import Element

STRETCHES_MAX = 2000
"""Stretches in one answer."""
_BUSY = {Element.APT, Element.AUST, Element.ADET, Element.ADOT, Element.ACMT, Element.UNKNOWN}
ELEMENTS_OF: dict[str, set[Element]] = {
    "apt": {Element.APT},
    "aust": {Element.AUST},
    "adet": {Element.ADET},
    "adot": {Element.ADOT},
    "aupt": {Element.APT, Element.AUST},
    "ttf": {Element.APT, Element.AUST},
    "aubt": {Element.APT, Element.AUST, Element.ADET},
    "aoet": {Element.APT, Element.AUST, Element.ADET},
    "apmt": {Element.APMT},
    "acmt": {Element.ACMT},
    "pbt": _BUSY,
    "tbf": {Element.APT, Element.AUST},
    "unknown": {Element.UNKNOWN},
}
"""Time elements behind a symbol; quantities have samples behind them instead."""
ROLES_OF = {
    "pq": ("made", "good", "scrap"),
    "gq": ("good", "made", "scrap", "rework"),
    "sq": ("scrap", "made", "good", "rework"),
    "rq": ("rework",),
    "gp": ("good", "made", "scrap", "rework"),
    "ip": ("made", "good", "scrap"),
    "ideal": ("product", "made", "good", "scrap"),
    "ideal_good": ("product", "good", "made", "scrap", "rework"),
    "energy_kwh": ("energy",),
    "co2_kg": ("energy",),
}
"""Points behind a symbol; times rest on state and order."""
PROPERTIES = {
    "pbt": "Planned busy time: POT − PDOT.",
    "aupt": "Actual unit processing time: APT + AUST.",
    "aubt": "Actual unit busy time: AUPT + ADET.",
    "aoet": "Actual order execution time: AUBT + ATT + AQT.",
}


class _Listening:
    """Stands in for sums, and hears which ones a formula asks for."""

    def __init__(self) -> None:
        self.heard: dict[str, None] = {}

    def __getattr__(self, name: str) -> float:
        self.heard[name] = None
        return 1.0


def symbols(formula: Formula) -> tuple[str, ...]:
    """Fields and properties of the sums that a formula is made of."""
    listening = _Listening()
    formula.above(listening)  # type: ignore[arg-type]
    formula.below(listening)  # type: ignore[arg-type]
    return tuple(listening.heard)


def inputs(formula: Formula, sums: Sums) -> list[Input]:
    """The symbols of a formula with their values."""
    docs = field_docs(Sums)
    whole = {n for n, t in Sums.__annotations__.items() if t is int}
    counts = {"failures", "stops", "micro_stops", "resets"}
    return [
        Input(
            symbol=name,
            value=float(getattr(sums, name)),
            time=name in PROPERTIES or name in (whole - counts) or name.startswith("ideal"),
            meaning=PROPERTIES.get(name) or docs.get(name, ""),
        )
        for name in symbols(formula)
    ]


async def explain(
    kpis: Kpis, who: Identity, scope: Scope, name: str, by: By, key: Key
) -> Explained:
    """One figure of a scope, or of the piece of it that has a key.

    Raises:
        Invalid: the figure is not known.
    """
    check_names([name])
    formula = BY_NAME[name]
    opened = await kpis.each(scope, lambda work: _opened(work, formula, by, key))
    there = [(u, o) for u, o in zip(scope.units, opened, strict=True) if o.part]
    parts = [p for _, o in there for p in o.part]
    sums = total(p.sums for p in parts)
    found = [s for _, o in there for s in o.stretches]
    return Explained(
        figure=figure(formula, sums),
        key=key,
        start_ns=min((p.start_ns for p in parts), default=scope.start_ns),
        stop_ns=max((p.stop_ns for p in parts), default=scope.start_ns),
        inputs=inputs(formula, sums),
        units=[_of_unit(unit, formula, o.part) for unit, o in there],
        sources=[
            s for u, o in there for s in _sources(u, formula, o.part) if kpis.may_look(who, s.point)
        ],
        stretches=found[:STRETCHES_MAX],
        left_out=sum(o.left_out for _, o in there) + max(len(found) - STRETCHES_MAX, 0),
    )


class _Opened(NamedTuple):
    """What one unit brings in."""

    part: list[Piece]
    stretches: list[Stretch]
    left_out: int


def _opened(work: Work, formula: Formula, by: By, key: Key) -> _Opened:
    part = [p for p in pieces(work, by) if by is By.WHOLE or p.key == key]
    if not part:
        return _Opened([], [], 0)
    found = stretches(work, _behind(work, formula) & of_key(work, by, key))
    return _Opened(part, found[:STRETCHES_MAX], max(len(found) - STRETCHES_MAX, 0))


def _of_unit(unit: WorkUnit, formula: Formula, part: list[Piece]) -> OfUnit:
    own = total(p.sums for p in part)
    return OfUnit(unit=unit.path, figure=figure(formula, own), inputs=inputs(formula, own))


def _behind(work: Work, formula: Formula) -> Mask:
    """(n,) atoms that a formula rests on."""
    names = symbols(formula)
    codes = [PLACE[e] for n in names for e in ELEMENTS_OF.get(n, ())]
    mask = np.isin(work.element, codes)
    if {"ttr", "tbf", "failures"} & set(names):
        mask |= work.failure & work.material.spans.planned[work.span]
    if "pbt" in names:
        mask &= work.material.spans.busy[work.span]
    return mask


def _sources(unit: WorkUnit, formula: Formula, part: list[Piece]) -> Iterator[Source]:
    names = symbols(formula)
    roles = {r for n in names for r in ROLES_OF.get(n, ("state", "order"))}
    points = {"state": f"{unit.path}/{STATE_POINT}", **dict(points_of(unit))}
    for role, point in points.items():
        if role in roles:
            for piece in part:
                yield Source(
                    unit=unit.path,
                    role=role,
                    point=point,
                    start_ns=piece.start_ns,
                    stop_ns=piece.stop_ns,
                )
