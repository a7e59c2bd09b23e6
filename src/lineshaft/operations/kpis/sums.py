"""The times and quantities that figures are made of; every field adds up."""

import msgspec

SECOND_NS = 1_000_000_000


class Sums(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Sums over any span, asset, order or product. Times are whole nanoseconds.

    The time model is nested: POT ≥ PBT ≥ AUBT ≥ AUPT ≥ APT, where PBT = POT − PDOT,
    AUBT = AUPT + ADET and AUPT = APT + AUST. Nothing is lost between: PBT = AUBT + ADOT +
    unknown + corrective maintenance outside breaks.
    """

    pot: int = 0
    """Planned operation time: the shift calendar says work."""
    pdot: int = 0
    """Planned down time inside it: breaks, planned maintenance."""
    apt: int = 0
    """Actual production time."""
    aust: int = 0
    """Actual unit set-up time."""
    adet: int = 0
    """Actual unit delay time: an order is there, the machine does not go on."""
    adot: int = 0
    """Actual unit down time: planned busy, and nothing to do or not able to."""
    att: int = 0
    """Actual transport time of orders."""
    aqt: int = 0
    """Actual queuing time of orders."""
    apmt: int = 0
    """Actual planned (preventive) maintenance time."""
    acmt: int = 0
    """Actual corrective maintenance time."""
    apwt: int = 0
    """Actual personnel work time."""
    apat: int = 0
    """Actual personnel attendance time."""
    tbf: int = 0
    """Time between failures, open intervals included."""
    ttf: int = 0
    """Operating time to failure, open intervals included."""
    ttr: int = 0
    """Time to repair."""
    failures: int = 0
    """Failure events."""
    unknown: int = 0
    """Planned busy time without a state of good quality: part of PBT, of nothing inside it."""
    off: int = 0
    """Time outside planned operation time."""
    acmt_in_pbt: int = 0
    """What of the corrective maintenance lies in planned busy time, and not in a break."""
    micro: int = 0
    """What of APT were stops shorter than the threshold."""
    micro_stops: int = 0
    """How many these were."""
    stops: int = 0
    """Longer stops in planned busy time."""
    resets: int = 0
    """Times that a counter began anew."""
    unplanned_pq: float = 0.0
    """What of the produced quantity was counted outside planned operation time."""
    pq: float = 0.0
    """Produced quantity."""
    gq: float = 0.0
    """Good quantity."""
    sq: float = 0.0
    """Scrap quantity."""
    rq: float = 0.0
    """Rework quantity."""
    gp: float = 0.0
    """Parts good at the first pass."""
    ip: float = 0.0
    """Parts inspected."""
    first_pq: float = 0.0
    """Produced quantity of the first operation of the route."""
    planned_sq: float = 0.0
    """Planned scrap quantity."""
    capacity: float = 0.0
    """Equipment production capacity, in items."""
    material: float = 0.0
    """Consumed material (CM), in one unit with the following losses and goods."""
    integrated: float = 0.0
    """Integrated good quantity."""
    production_loss: float = 0.0
    storage_loss: float = 0.0
    other_loss: float = 0.0
    throughput: float = 0.0
    """Throughput for inventory turns, in the unit of the inventory."""
    inventory: float = 0.0
    """Mean inventory."""
    ideal: float = 0.0
    """Σ PRI × PQ over products, in nanoseconds: the time that what was made should have taken."""
    ideal_good: float = 0.0
    """Σ PRI × GQ over products, in nanoseconds."""
    energy_kwh: float = 0.0
    """Energy used, in kWh."""
    co2_kg: float = 0.0
    """Greenhouse gases of that energy, in kg of CO₂ equivalent."""

    @property
    def pbt(self) -> int:
        """Planned busy time."""
        return self.pot - self.pdot

    @property
    def aupt(self) -> int:
        """Actual unit processing time."""
        return self.apt + self.aust

    @property
    def aubt(self) -> int:
        """Actual unit busy time."""
        return self.aupt + self.adet

    @property
    def aoet(self) -> int:
        """Actual order execution time."""
        return self.aubt + self.att + self.aqt

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(**{f: getattr(self, f) + getattr(other, f) for f in Sums.__struct_fields__})


def produced(*, pri_s: float, made: float, good: float) -> Sums:
    """The quantities of one product, `pri_s` being its planned run time per item in seconds."""
    ns = pri_s * SECOND_NS
    return Sums(pq=made, gq=good, ideal=ns * made, ideal_good=ns * good)
