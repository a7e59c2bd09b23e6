"""How derived points fare: for people, for neighbours, for the health and the metrics."""

from collections import Counter

import msgspec

from lineshaft.operations.derived.bank import Bank
from lineshaft.operations.derived.calculation import Calculation, Phase
from lineshaft.operations.derived.outbox import Outbox
from lineshaft.operations.expressions.tails import LONG_AGO
from lineshaft.web.metrics import Metric

PROBLEMS_MAX = 20
"""Troubles told one by one."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How a derived point fares."""

    phase: Phase = Phase.WAITING
    trouble: str = ""
    """Why it has no rows, or is not right now; empty when all is well."""
    until_ns: int = 0
    """Rows up to here are given, as far as the inputs have told; 0 when there is none."""
    since_ns: int = 0
    """When it was first defined, or how far back it was computed."""
    rows: int = 0
    """Rows given since the process began."""
    changed: int = 0
    """Rows that were put right afterwards since the process began."""
    todo_ns: tuple[int, int] | None = None
    """From when to when rows are to be computed anew."""


def state_of(calculation: Calculation) -> State:
    """How one fares."""
    until, mark, dropped = calculation.given_ns, calculation.mark, calculation.dropped
    too_many = f"{calculation.path}: {dropped} samples did not fit into its windows"
    return State(
        phase=calculation.phase,
        trouble=calculation.trouble or (too_many if dropped else ""),
        until_ns=0 if until == LONG_AGO else until,
        since_ns=calculation.kept.since_ns,
        rows=calculation.rows,
        changed=calculation.changed,
        todo_ns=(mark.start_ns, min(mark.stop_ns, until + 1)) if mark else None,
    )


def problems_of(bank: Bank) -> list[str]:
    """What is wrong now."""
    troubles = [s.trouble for s in map(state_of, bank.calculations.values()) if s.trouble]
    found = [f"derived: {trouble}" for trouble in troubles[:PROBLEMS_MAX]]
    if len(troubles) > PROBLEMS_MAX:
        found.append(f"derived: {len(troubles) - PROBLEMS_MAX} more points are in trouble")
    if bank.ahead_dropped:
        found.append(
            f"derived: {bank.ahead_dropped} samples lay more than a minute ahead of the clock,"
            " and too many waited; set the clocks, then recompute"
        )
    return found


def metrics_of(bank: Bank, outbox: Outbox) -> list[Metric]:
    """Figures of all together."""
    every = list(bank.calculations.values())
    phases = Counter(c.phase for c in every)
    points = tuple(({"phase": p.value}, float(phases[p])) for p in Phase)
    rows = (
        ({"rows": "given"}, float(sum(c.rows for c in every))),
        ({"rows": "put right"}, float(sum(c.changed for c in every))),
        ({"rows": "given up"}, float(outbox.given_up)),
    )
    return [
        Metric("derived_points", "gauge", "Derived points by how they fare.", points),
        Metric("derived_rows_total", "counter", "Rows of derived points.", rows),
    ]
