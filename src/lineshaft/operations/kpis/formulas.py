"""The formulas of ISO 22400-2 over sums, each able to say how its figure came about."""

from collections.abc import Callable

import msgspec

from lineshaft.operations.kpis.sums import SECOND_NS, Sums

HOUR_NS = 3600 * SECOND_NS


class Formula(msgspec.Struct, frozen=True):
    """A quotient of what adds up."""

    name: str
    text: str
    """The formula in the symbols of the standard."""
    above: Callable[[Sums], float]
    below: Callable[[Sums], float]
    unit: str = "1"
    """UCUM code of the figure."""
    one_max: bool = True
    """Whether a figure above one says that an input is wrong."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure and how it came about."""

    name: str
    text: str
    unit: str
    value: float | None
    """None where the denominator is zero: there is no such figure, which is not 0."""
    above: float
    below: float
    doubtful: bool = False
    """Above one where that cannot be, or of negative inputs: flagged, never clipped."""


def _formula(name: str, text: str, above: str, below: str, **more: object) -> Formula:
    """A formula whose both sides are fields, or properties, of the sums."""
    return Formula(name, text, lambda s: getattr(s, above), lambda s: getattr(s, below), **more)  # type: ignore[arg-type]


def _per_failure(name: str, text: str, above: str, plus: int) -> Formula:
    """A mean in hours; ISO 22400 divides by failures plus one, SEMI E10 by failures."""
    return Formula(
        name,
        text,
        lambda s: getattr(s, above) / HOUR_NS,
        lambda s: s.failures + plus if s.failures or plus else 0,
        "h",
        one_max=False,
    )


FORMULAS = (
    _formula("oee", "(APT/PBT) × (PRI·PQ/APT) × (GQ/PQ) = PRI·GQ/PBT", "ideal_good", "pbt"),
    Formula(
        "nee",
        "(AUPT/PBT) × (PRI·PQ/APT) × (GQ/PQ)",
        lambda s: s.aupt * s.ideal_good,
        lambda s: float(s.pbt) * s.apt,
    ),
    _formula("availability", "APT/PBT", "apt", "pbt"),
    _formula("effectiveness", "PRI·PQ/APT", "ideal", "apt"),
    _formula("quality", "GQ/PQ", "gq", "pq"),
    _formula("quality_by_time", "PRI·GQ/(PRI·PQ)", "ideal_good", "ideal"),
    _formula("worker_efficiency", "APWT/APAT", "apwt", "apat"),
    _formula("allocation", "ΣAUBT/AOET", "aubt", "aoet"),
    Formula(
        "throughput_rate",
        "PQ/AOET",
        lambda s: s.pq,
        lambda s: s.aoet / HOUR_NS,
        "/h",
        one_max=False,
    ),
    _formula("allocation_efficiency", "AUBT/PBT", "aubt", "pbt"),
    _formula("utilisation_efficiency", "APT/AUBT", "apt", "aubt"),
    _formula("setup_ratio", "AUST/AUPT", "aust", "aupt"),
    Formula("technical_efficiency", "APT/(APT+ADET)", lambda s: s.apt, lambda s: s.apt + s.adet),
    _formula("production_process", "ΣAPT/AOET", "apt", "aoet"),
    _formula("scrap_ratio", "SQ/PQ", "sq", "pq"),
    _formula("actual_to_planned_scrap", "SQ/PSQ", "sq", "planned_sq", one_max=False),
    _formula("rework_ratio", "RQ/PQ", "rq", "pq"),
    _formula("first_pass_yield", "GP/IP", "gp", "ip"),
    _formula("fall_off", "SQ/PQ of the first operation", "sq", "first_pq"),
    _formula("inventory_turns", "TH/mean inventory", "throughput", "inventory", one_max=False),
    _formula("finished_goods", "GQ/CM", "gq", "material"),
    _formula("integrated_goods", "IGQ/CM", "integrated", "material"),
    _formula("production_loss", "PL/CM", "production_loss", "material"),
    _formula("storage_loss", "STL/CM", "storage_loss", "material"),
    _formula("other_loss", "OL/CM", "other_loss", "material"),
    _formula("equipment_load", "PQ/EPC", "pq", "capacity"),
    Formula("corrective_maintenance", "CMT/(CMT+PMT)", lambda s: s.acmt, lambda s: s.acmt + s.apmt),
    _per_failure("mtbf_iso_22400", "ΣTBF/(FE+1)", "tbf", 1),
    _per_failure("mtbf_semi_e10", "ΣTBF/FE", "tbf", 0),
    _per_failure("mttf_iso_22400", "ΣTTF/(FE+1)", "ttf", 1),
    _per_failure("mttf_semi_e10", "ΣTTF/FE", "ttf", 0),
    _per_failure("mttr_iso_22400", "ΣTTR/(FE+1)", "ttr", 1),
    _per_failure("mttr_semi_e10", "ΣTTR/FE", "ttr", 0),
    _formula("energy_per_part", "E/GQ", "energy_kwh", "gq", unit="kW.h", one_max=False),
    _formula("co2_per_part", "CO₂e/GQ", "co2_kg", "gq", unit="kg", one_max=False),
)
"""Set-up time lowers availability, as ISO 22400 has it; other systems count it as planned."""

BY_NAME = {f.name: f for f in FORMULAS}


def figure(formula: Formula, sums: Sums) -> Figure:
    """The figure of these sums."""
    above, below = float(formula.above(sums)), float(formula.below(sums))
    value = above / below if below else None
    wrong = value is not None and (value < 0 or (formula.one_max and value > 1))
    return Figure(
        name=formula.name,
        text=formula.text,
        unit=formula.unit,
        value=value,
        above=above,
        below=below,
        doubtful=wrong or below < 0,
    )


def figures(sums: Sums) -> dict[str, Figure]:
    """All figures by name."""
    return {f.name: figure(f, sums) for f in FORMULAS}
