"""Numbers of states, and the expression that gives them."""

import itertools

import msgspec
import numpy as np
import pytest
from tests.operations.states.lines import REASONS, UNIT, press

from lineshaft.core.errors import Invalid
from lineshaft.core.point import Kind, Point
from lineshaft.operations.expressions.expression import compile_expression
from lineshaft.operations.expressions.tails import Samples
from lineshaft.operations.states.checking import check_work_units
from lineshaft.operations.states.naming import (
    expression_of,
    needs_reason,
    number_of,
    stands,
    state_point,
    states_of,
)
from lineshaft.operations.states.packml import State
from lineshaft.operations.states.settings import Reason, StateRule, WorkUnit
from lineshaft.operations.states.timing import as_item, loss_of

GOOD, BAD = 0, 0x8031_0000
POINTS = {
    "state": Point(path="hall/state", kind=Kind.NUMBER),
    "guard": Point(path="hall/guard", kind=Kind.BOOLEAN),
    "hall/packml": Point(path="hall/packml"),
    "hall/mode": Point(path="hall/mode"),
}


def number(unit, **values):
    """The number of the state for one sample of each input: (value, quality), or only the value."""
    expression = compile_expression(expression_of(unit, states_of(unit)), POINTS, every_ns=0)
    columns = {}
    for name, given in values.items():
        value, quality = given if isinstance(given, tuple) else (given, GOOD)
        columns[f"hall/{name}"] = Samples(
            np.array([1]), np.array([float(value)]), np.array([quality], dtype=np.uint32)
        )
    found = expression.over(columns, 0, 10)
    return float(found.values[0]), int(found.quality[0])


RULES = WorkUnit(
    path="hall",
    states=(
        StateRule(name="running", when="state == 2", item="executing"),
        StateRule(name="open", when="!guard || state == 9"),
    ),
)


def test_the_first_rule_that_holds_counts_and_none_is_stopped():
    assert [s.name for s in states_of(RULES)] == ["running", "open", "stopped"]
    assert number(RULES, state=2, guard=0)[0] == 0
    assert number(RULES, state=1, guard=0)[0] == 1
    assert number(RULES, state=9, guard=1)[0] == 1
    assert number(RULES, state=1, guard=1)[0] == 2


def test_bad_input_is_bad_unless_the_state_does_not_depend_on_it():
    assert number(RULES, state=2, guard=(0, BAD)) == (0, GOOD)
    assert number(RULES, state=1, guard=(0, BAD))[1] >= 0x8000_0000
    assert number(RULES, state=(2, BAD), guard=1)[1] >= 0x8000_0000


def test_a_number_once_given_stays_with_its_name():
    first = states_of(RULES)
    fresh = StateRule(name="set-up", when="state == 4", mode="setup")
    grown = msgspec.structs.replace(RULES, states=(fresh, RULES.states[0]))
    second = states_of(grown, first)
    assert [s.name for s in second] == ["running", "open", "stopped", "set-up"]
    assert expression_of(grown, second) == "(state == 4) ? 3.0 : (state == 2) ? 0.0 : 2.0"
    assert states_of(RULES, second) == second


def test_a_changed_rule_keeps_its_number_with_what_it_says_now():
    changed = msgspec.structs.replace(RULES.states[1], reason="M-1")
    unit = msgspec.structs.replace(RULES, states=(RULES.states[0], changed))
    assert states_of(unit, states_of(RULES))[1].reason == "M-1"


def test_a_rule_named_stopped_says_more_of_where_none_holds():
    rule = StateRule(name="stopped", when="false", loss="own")
    unit = msgspec.structs.replace(RULES, states=(rule, *RULES.states))
    states = states_of(unit)
    assert ([s.name for s in states], states[0].loss) == (["stopped", "running", "open"], "own")
    assert number(unit, state=1, guard=1)[0] == 0


async def test_numbers_outlive_a_restart_and_rules_that_were_taken_away(tmp_path):
    async with press(tmp_path):
        pass
    fewer = msgspec.structs.replace(UNIT, states=UNIT.states[2:])
    async with press(tmp_path, fewer) as made:
        names = [s.name for s in made.states.units.find(UNIT.path).states]
        assert names == ["running", "fault", "set-up", "waits", "stopped"]
        (definition,) = made.engine.definitions("states")
        assert (definition.point, definition.enum["2"]) == (state_point(UNIT.path), "set-up")
        assert definition.expression == "(state == 4) ? 2.0 : (state == 1) ? 3.0 : 4.0"


async def test_settings_that_cannot_be_change_nothing(tmp_path):
    twice = msgspec.structs.replace(UNIT, states=(UNIT.states[0], UNIT.states[0]))
    async with press(tmp_path) as made:
        with pytest.raises(Invalid, match="'running'"):
            await made.states.reload([twice], REASONS)
        assert len(made.states.units.find(UNIT.path).states) == 5


# ---- PackML

PACKML = WorkUnit(path="hall", packml="hall/packml")
WITH_MODE = WorkUnit(path="hall", packml="hall/packml", packml_mode="hall/mode")


@pytest.mark.parametrize("state", State)
def test_every_packml_state_has_its_number_and_its_words(state):
    index, quality = number(PACKML, packml=state.value)
    rule = states_of(PACKML)[int(index)]
    item, mode = as_item(state)
    assert (index, quality, rule.name) == (state.value - 1, GOOD, state.name.lower())
    assert rule.item.replace("-", "_").upper() == item.name
    assert (rule.mode.upper(), rule.loss) == (mode.name, loss_of(state).value)
    assert rule.failure is (state is State.ABORTED)


@pytest.mark.parametrize(("state", "mode"), list(itertools.product(State, (1, 2, 3, 4))))
def test_outside_of_production_a_packml_state_is_maintenance(state, mode):
    index, _ = number(WITH_MODE, packml=state.value, mode=mode)
    rule = states_of(WITH_MODE)[int(index)]
    assert rule.name == state.name.lower() + ("" if mode == 1 else " (not in production)")
    assert (rule.mode == "maintenance") is (mode != 1)


@pytest.mark.parametrize("value", [0, 18, -1, (6, BAD)])
def test_what_is_no_packml_state_is_bad(value):
    assert number(PACKML, packml=value)[1] >= 0x8000_0000
    assert number(WITH_MODE, packml=value, mode=1)[1] >= 0x8000_0000


def test_bad_mode_is_bad():
    assert number(WITH_MODE, packml=6, mode=(1, BAD))[1] >= 0x8000_0000


# ---- what needs a reason


def test_set_up_and_maintenance_say_themselves_why():
    kinds = {
        m: (stands(r), needs_reason(r))
        for m in ("processing", "setup", "maintenance", "none")
        for r in [StateRule(name="x", when="true", mode=m)]
    }
    assert kinds == {
        "processing": (True, True),
        "setup": (True, False),
        "maintenance": (True, False),
        "none": (True, True),
    }
    assert not stands(StateRule(name="x", when="true", item="executing"))


def test_an_unknown_state_is_told_with_those_there_are():
    with pytest.raises(Invalid, match="no state 'dancing'"):
        number_of(UNIT.states, "dancing")


# ---- settings that cannot be


@pytest.mark.parametrize(
    ("unit", "reasons", "message"),
    [
        ({"path": "a b"}, (), "whitespace|holds"),
        ({"packml": "x/y"}, (), "both"),
        ({"states": (), "packml_mode": "x/y"}, (), "without"),
        ({"states": (UNIT.states[0], UNIT.states[0])}, (), "twice"),
        ({}, (), "no table"),
        ({}, (Reason(code="L-1", text=""), Reason(code="L-1", text="")), "stand twice"),
        ({}, (Reason(code="L-1", text="", parent="X"),), "which is none"),
        ({}, (Reason(code="L-1", text="", parent="M"), Reason(code="M", text="", parent="L-1")),
         "circle"),
        ({}, (Reason(code="L-1", text="", parent="L-1"),), "circle"),
        ({}, (Reason(code=" ", text=""),), "code ' '"),
    ],
)  # fmt: skip
def test_settings_are_refused_with_what_is_wrong(unit, reasons, message):
    with pytest.raises(Invalid, match=message):
        check_work_units([msgspec.structs.replace(UNIT, **unit)], reasons)


def test_a_unit_stands_once():
    with pytest.raises(Invalid, match="stands twice"):
        check_work_units([UNIT, UNIT], REASONS)


@pytest.mark.parametrize("field", ["micro_stop_s", "backfill_d", "correct_h"])
@pytest.mark.parametrize("value", [1e300, float("inf"), float("nan"), -1.0])
def test_times_that_no_clock_can_count_are_refused(field, value):
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.convert({"path": "a/b", field: value}, WorkUnit)
