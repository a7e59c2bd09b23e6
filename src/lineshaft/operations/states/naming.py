"""The states of a work unit, their numbers, and the expression that gives the number.

A number, once given to a name, stays: history is full of it. So a rule put before others, or one
taken away, changes nothing of what was.
"""

from collections.abc import Sequence

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.operations.states import packml
from lineshaft.operations.states.settings import STATE_POINT, StateRule, WorkUnit
from lineshaft.operations.states.timing import Item, Mode, as_item, loss_of

STOPPED = StateRule(name="stopped", when="")
"""What a unit is in where none of its rules holds; a rule of that name describes it."""
PACKML_STATES = len(packml.State)
_ITEMS = {
    None: "not-available",
    Item.EXECUTING: "executing",
    Item.NOT_EXECUTING: "not-executing",
    Item.NOT_AVAILABLE: "not-available",
    Item.OUT_OF_SERVICE: "out-of-service",
}
_MODES = {
    Mode.PROCESSING: "processing",
    Mode.SETUP: "setup",
    Mode.MAINTENANCE: "maintenance",
    Mode.NONE: "none",
}


def state_point(path: str) -> str:
    """Path of the point that keeps the state of a unit."""
    return f"{path}/{STATE_POINT}"


def states_of(unit: WorkUnit, known: Sequence[StateRule] = ()) -> tuple[StateRule, ...]:
    """All states by number; `known` are those that history may hold already, by number."""
    if unit.packml:
        return _packml_states(modes=bool(unit.packml_mode))
    now = {r.name: r for r in (STOPPED, *unit.states)}
    kept = [now.pop(r.name, r) for r in known]
    rules = [r for r in unit.states if r.name in now]
    return (*kept, *rules, *([now[STOPPED.name]] if _adds_stopped(now, unit) else []))


def _adds_stopped(now: dict[str, StateRule], unit: WorkUnit) -> bool:
    return STOPPED.name in now and all(r.name != STOPPED.name for r in unit.states)


def _packml_states(*, modes: bool) -> tuple[StateRule, ...]:
    """The seventeen in the order of their numbers; then once more outside mode Production."""
    made = [_packml_rule(s, production=True) for s in packml.State]
    return (*made, *(_packml_rule(s, production=False) for s in packml.State if modes))


def _packml_rule(state: packml.State, *, production: bool) -> StateRule:
    item, mode = as_item(state, production=production)
    name = state.name.lower()
    table = {
        "name": name if production else f"{name} (not in production)",
        "when": "",
        "item": _ITEMS[item],
        "mode": _MODES[mode],
        "failure": production and state is packml.State.ABORTED,
        "loss": loss_of(state).value,
    }
    return msgspec.convert(table, StateRule)


def expression_of(unit: WorkUnit, states: Sequence[StateRule]) -> str:
    """An expression for the number of the state; empty if the unit says nothing of states.

    Bad input gives bad, never a stop. A number that is no PackML state gives bad too.
    """
    if unit.packml:
        return _packml_expression(unit)
    if not unit.states:
        return ""
    number = {r.name: i for i, r in enumerate(states)}
    rules = [f"({r.when}) ? {number[r.name]}.0 : " for r in unit.states]
    return f"{''.join(rules)}{number[STOPPED.name]}.0"


def _packml_expression(unit: WorkUnit) -> str:
    state = f"`{unit.packml}`"
    valid = f"{state} >= 1.0 && {state} <= {PACKML_STATES}.0"
    number = f"{state} - 1.0"
    if unit.packml_mode:
        number = f"(`{unit.packml_mode}` == 1.0 ? {number} : {state} + {PACKML_STATES - 1}.0)"
    return f"{valid} ? {number} : ({state} - {state}) / ({state} - {state})"


def stands(rule: StateRule) -> bool:
    """Whether the unit stands still in it, so that there can be a reason for it."""
    return rule.item != "executing"


def needs_reason(rule: StateRule) -> bool:
    """Whether somebody should say why: set-up and maintenance say it themselves."""
    return stands(rule) and rule.mode in ("processing", "none")


def number_of(states: Sequence[StateRule], name: str) -> int:
    """The number of a state.

    Raises:
        Invalid: the unit has none of that name.
    """
    for i, rule in enumerate(states):
        if rule.name == name:
            return i
    raise Invalid(f"there is no state {name!r}", remedy=f"Take one of {[r.name for r in states]}.")
