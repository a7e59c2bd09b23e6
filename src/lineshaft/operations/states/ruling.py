"""Reasons that stops are given by rules.

Which rule holds is a derived point, `<unit>/work_reason`: the number of the first rule that is
true, 0 for none. A stop has the reason of the rule that holds at its start, or else of the first
one that begins to hold within it, no later than that rule allows.

A number, once given to the name of a rule, stays, as those of states do.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lineshaft.core.batch import Ints
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.path import is_under
from lineshaft.operations.derived.definition import Definition
from lineshaft.operations.states.naming import needs_reason
from lineshaft.operations.states.settings import (
    REASON_POINT,
    STATE_POINT,
    ReasonRule,
    StateRule,
    WorkUnit,
)
from lineshaft.operations.states.stretches import Numbers, Stretches


def reason_point(path: str) -> str:
    """Path of the point that keeps which rule of a unit holds."""
    return f"{path}/{REASON_POINT}"


def rules_for(path: str, rules: Sequence[ReasonRule]) -> tuple[ReasonRule, ...]:
    """Those that hold in a unit, the first in the settings first."""
    return tuple(r for r in rules if not r.units or any(is_under(path, b) for b in r.units))


def numbered(
    rules: Sequence[ReasonRule], known: Sequence[ReasonRule] = ()
) -> tuple[ReasonRule, ...]:
    """All rules by number less one; `known` are those that history may hold already."""
    now = {r.name: r for r in rules}
    kept = [now.pop(r.name, r) for r in known]
    return (*kept, *now.values())


def definition_of_rules(
    unit: WorkUnit, rules: Sequence[ReasonRule], every: Sequence[ReasonRule]
) -> Definition | None:
    """The derived point that keeps which of `rules` holds, by the numbers of `every`.

    Where none is left of rules that there were it says so, so that the last one does not stay.
    """
    if not every:
        return None
    number = {r.name: i for i, r in enumerate(every, 1)}
    # What a rule cannot know does not hold, and does not hide the rules behind it.
    chain = [f"has({r.when}) && ({r.when}) ? {number[r.name]}.0 : " for r in rules]
    last = "0.0" if rules else f"has({STATE_POINT}) ? 0.0 : 0.0"
    return Definition(
        point=reason_point(unit.path),
        expression="".join(chain) + last,
        names=unit.names,
        enum={"0": "no rule", **{str(n): name for name, n in number.items()}},
        description="Which reason rule holds",
        on_change=True,
    )


class Ruling(NamedTuple):
    """Which rule held when."""

    time_ns: Ints
    """(k,) rising; from here on, up to the next."""
    number: Numbers
    """(k,) number of the rule, 1 for the first; 0 or less for none."""
    rules: tuple[ReasonRule, ...]
    """By number less one."""

    def of_stops(self, line: Stretches, states: Sequence[StateRule]) -> Numbers:
        """(n,) number of the rule that gives each stretch its reason, 0 for none.

        Set-up and maintenance say themselves why, as a unit does that runs. Neighbours in `line`
        differ in state.
        """
        found = np.zeros(len(line), dtype=np.int32)
        held = np.flatnonzero(self.number > 0)
        if not len(held):
            return found
        by_state = np.array([*map(needs_reason, states), False], dtype=np.bool_)
        left = np.flatnonzero(by_state[line.state])
        within = np.array([0, *(r.within_s * NS_PER_S for r in self.rules)])
        begins = np.searchsorted(self.time_ns, line.start_ns[left], side="right") - 1
        place = np.searchsorted(held, begins)
        while len(left):
            inside = place < len(held)
            left, place = left[inside], place[inside]
            at, rule = self.time_ns[held[place]], self.number[held[place]]
            start = line.start_ns[left]
            near = (at < line.ends_ns[left]) & (at - start <= within.max())
            fits = near & ((at <= start) | (at - start <= within[rule]))
            found[left[fits]] = rule[fits]
            left, place = left[near & ~fits], place[near & ~fits] + 1
        return found


NO_RULES = Ruling(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32), ())
