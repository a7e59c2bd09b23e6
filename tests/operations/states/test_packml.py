import pytest

from lineshaft.operations.states.packml import (
    ACTING,
    WAITING,
    Command,
    Edition,
    State,
    commanded,
    completed,
    follows,
    mode_may_change,
)
from lineshaft.operations.states.timing import (
    Element,
    Item,
    Loss,
    Mode,
    loss_of,
    of_item,
    of_packml,
)

# The table of ISA-TR88.00.02-2022: what each command does from each state that takes it.
TABLE = {
    "RESET": "STOPPED COMPLETE -> RESETTING",
    "START": "IDLE -> STARTING",
    "HOLD": "EXECUTE STARTING SUSPENDED UNSUSPENDING UNHOLDING -> HOLDING",
    "UNHOLD": "HELD -> UNHOLDING",
    "SUSPEND": "EXECUTE STARTING UNHOLDING -> SUSPENDING",
    "UNSUSPEND": "SUSPENDED -> UNSUSPENDING",
    "COMPLETE": "EXECUTE HELD SUSPENDED -> COMPLETING",
    "STOP": "RESETTING IDLE STARTING EXECUTE COMPLETING COMPLETE HOLDING HELD UNHOLDING"
    " SUSPENDING SUSPENDED UNSUSPENDING -> STOPPING",
    "ABORT": "STOPPED RESETTING IDLE STARTING EXECUTE COMPLETING COMPLETE CLEARING STOPPING HOLDING"
    " HELD UNHOLDING SUSPENDING SUSPENDED UNSUSPENDING -> ABORTING",
    "CLEAR": "ABORTED -> CLEARING",
}


@pytest.mark.parametrize("command", list(Command), ids=lambda c: c.name)
@pytest.mark.parametrize("state", list(State), ids=lambda s: s.name)
def test_a_command_does_what_the_table_says_from_every_state(state, command):
    sources, _, target = TABLE[command.name].partition(" -> ")
    expected = State[target] if state.name in sources.split() else None
    assert commanded(state, command) is expected


@pytest.mark.parametrize("state", [State.HELD, State.SUSPENDED])
def test_complete_from_waiting_states_came_with_2022(state):
    assert commanded(state, Command.COMPLETE, Edition.TR88_2015) is None
    assert commanded(state, Command.COMPLETE, Edition.TR88_2022) is State.COMPLETING


@pytest.mark.parametrize(
    ("state", "then"),
    [
        ("RESETTING", "IDLE"),
        ("STARTING", "EXECUTE"),
        ("EXECUTE", "COMPLETING"),
        ("COMPLETING", "COMPLETE"),
        ("HOLDING", "HELD"),
        ("UNHOLDING", "EXECUTE"),
        ("SUSPENDING", "SUSPENDED"),
        ("UNSUSPENDING", "EXECUTE"),
        ("STOPPING", "STOPPED"),
        ("ABORTING", "ABORTED"),
        ("CLEARING", "STOPPED"),
    ],
)
def test_an_acting_state_goes_on_when_it_is_done(state, then):
    assert completed(State[state]) is State[then]


def test_there_are_eleven_acting_and_six_waiting_states():
    assert (len(ACTING), len(WAITING)) == (11, 6)
    assert all(completed(s) is None for s in WAITING)


def test_from_everywhere_a_machine_can_get_to_execute():
    for start in State:
        seen, todo = {start}, [start]
        while todo:
            here = todo.pop()
            new = {s for s in State if follows(here, s)} - seen
            seen |= new
            todo += new
        assert State.EXECUTE in seen


def test_the_mode_changes_in_waiting_states_only():
    assert mode_may_change(State.STOPPED)
    assert not mode_may_change(State.EXECUTE)


@pytest.mark.parametrize(
    ("state", "mode", "more", "expected"),
    [
        (Item.EXECUTING, Mode.PROCESSING, {}, Element.APT),
        (Item.EXECUTING, Mode.SETUP, {}, Element.AUST),
        (Item.NOT_EXECUTING, Mode.PROCESSING, {}, Element.ADET),
        (Item.NOT_AVAILABLE, Mode.NONE, {}, Element.ADET),
        (Item.OUT_OF_SERVICE, Mode.NONE, {}, Element.ADET),
        (Item.NOT_EXECUTING, Mode.PROCESSING, {"order": False}, Element.ADOT),
        (Item.EXECUTING, Mode.MAINTENANCE, {}, Element.APMT),
        (Item.NOT_EXECUTING, Mode.MAINTENANCE, {"corrective": True}, Element.ACMT),
        (Item.EXECUTING, Mode.PROCESSING, {"busy": False}, Element.PDOT),
        (Item.EXECUTING, Mode.PROCESSING, {"planned": False}, Element.OFF),
        (None, Mode.PROCESSING, {}, Element.UNKNOWN),
    ],
)
def test_time_counts_as_the_mapping_of_opc_40001_says(state, mode, more, expected):
    given = {"planned": True, "busy": True, "order": True} | more
    assert of_item(state, mode, **given) is expected


@pytest.mark.parametrize(
    ("states", "expected", "loss"),
    [
        ("EXECUTE COMPLETING", Element.APT, Loss.UNCLEAR),
        ("RESETTING STARTING", Element.AUST, Loss.UNCLEAR),
        ("HOLDING HELD UNHOLDING", Element.ADET, Loss.OWN),
        ("SUSPENDING SUSPENDED UNSUSPENDING", Element.ADET, Loss.OUTSIDE),
        ("STOPPING STOPPED ABORTING ABORTED CLEARING", Element.ADET, Loss.UNCLEAR),
    ],
)
def test_packml_states_count_as_the_reference_says(states, expected, loss):
    for name in states.split():
        assert of_packml(State[name], planned=True, busy=True, order=True) is expected
        assert loss_of(State[name]) is loss


def test_without_an_order_a_stop_of_packml_is_down_time():
    assert of_packml(State.HELD, planned=True, busy=True, order=False) is Element.ADOT
