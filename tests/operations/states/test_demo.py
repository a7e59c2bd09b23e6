"""What the demo says of states and reasons can be calculated from what its machines tell."""

import tomllib
from importlib import resources

import msgspec
import pytest

from lineshaft.core.point import Point
from lineshaft.demo.machines import PLACES, SPECS
from lineshaft.operations.derived.definition import Compiled, Definition, compiled
from lineshaft.operations.states.naming import expression_of, states_of
from lineshaft.operations.states.part import definition
from lineshaft.operations.states.ruling import definition_of_rules, numbered, rules_for
from lineshaft.operations.states.settings import ReasonRule, WorkUnit
from lineshaft.operations.states.units import Known

TEXT = (resources.files("lineshaft.demo") / "operations" / "work_units.toml").read_text("utf-8")
for machine, place in PLACES.items():
    TEXT = TEXT.replace(f"<{machine}>", place)
FILE = tomllib.loads(TEXT)
UNITS = msgspec.convert(FILE["work_units"], tuple[WorkUnit, ...])
RULES = msgspec.convert(FILE["reason_rules"], tuple[ReasonRule, ...])
POINTS = {
    f"{PLACES[machine]}/{s.name}": Point(
        path=f"{PLACES[machine]}/{s.name}", kind=s.kind, unit=s.unit, names=s.names
    )
    for machine, specs in SPECS.items()
    for s in specs
}


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.path)
def test_states_and_reason_rules_of_the_demo_compile(unit):
    states = states_of(unit)
    assert expression_of(unit, states)
    state = made(definition(Known(unit=unit, states=states, since_ns=0, begin_ns=0)), POINTS)
    rules = rules_for(unit.path, RULES)
    assert rules
    found = made(
        definition_of_rules(unit, rules, numbered(rules)), {**POINTS, state.point.path: state.point}
    )
    assert found.point.names["1"] == rules[0].name


def made(what: Definition | None, points: dict[str, Point]) -> Compiled:
    assert what is not None
    return compiled(what, points.get)
