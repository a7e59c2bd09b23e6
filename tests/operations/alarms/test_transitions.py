"""Each row of the transition table of ISA-18.2 / OPC UA Part 9, and what the rows share."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.operations.alarms.happenings import (
    Acknowledged,
    Arisen,
    Commented,
    Confirmed,
    Disabled,
    Enabled,
    Gone,
    OneShotShelved,
    Passed,
    PlacedInService,
    RemovedFromService,
    Reset,
    Silenced,
    Suppressed,
    TimedShelved,
    Unshelved,
)
from lineshaft.operations.alarms.state import BRANCHES_MAX, Code, Rejected, Shelf, State, Traits
from lineshaft.operations.alarms.transitions import after
from lineshaft.operations.alarms.view import (
    Annunciation,
    Letter,
    annunciation,
    letter,
    retain,
    suppressed_or_shelved,
)

S = 1_000_000_000
PLAIN = Traits()
LATCHING = Traits(latching=True)
HI = Arisen(time_ns=S, severity=500, limit="Hi")


def went(*steps, traits=PLAIN, start=None) -> State:
    state = start or State()
    for step in steps:
        state = after(state, step, traits)
        assert isinstance(state, State), state
    return state


def ack(state: State, at: int = 2) -> Acknowledged:
    return Acknowledged(time_ns=at * S, event_id=state.event_id, by="li")


def code(state: State, step, traits=PLAIN) -> Code:
    done = after(state, step, traits)
    assert isinstance(done, Rejected)
    assert done.why
    return done.code


# ---- rows: condition


def test_condition_true_activates_and_asks_for_acknowledgement():
    state = went(HI)
    assert (state.active, state.acked, state.active_ns, state.limit) == (True, False, S, "Hi")
    assert state.event_id
    assert letter(state) is Letter.UNACKNOWLEDGED
    assert annunciation(state) is Annunciation.SOUND_AND_BLINK


def test_condition_true_without_need_of_acknowledgement_is_acknowledged():
    assert letter(went(HI, traits=Traits(acknowledge=False))) is Letter.ACKNOWLEDGED


def test_condition_true_keeps_a_one_shot_shelf():
    state = went(OneShotShelved(time_ns=0), HI)
    assert state.shelf is Shelf.ONE_SHOT
    assert annunciation(state) is Annunciation.NONE


def test_condition_said_again_changes_nothing():
    state = went(HI)
    assert after(state, HI, PLAIN) is state


def test_condition_false_returns_and_stays_unacknowledged():
    state = went(HI, Gone(time_ns=2 * S))
    assert letter(state) is Letter.RETURNED_UNACKNOWLEDGED
    assert annunciation(state) is Annunciation.BLINK
    assert letter(went(ack(state), start=state)) is Letter.NORMAL


def test_condition_false_may_acknowledge_by_itself():
    traits = Traits(acknowledge_on_return=True)
    assert letter(went(HI, Gone(time_ns=2 * S), traits=traits)) is Letter.NORMAL


def test_condition_false_ends_a_one_shot_shelf():
    assert went(HI, OneShotShelved(time_ns=S), Gone(time_ns=2 * S)).shelf is Shelf.NO


def test_condition_false_keeps_a_timed_shelf():
    state = went(HI, TimedShelved(time_ns=S, seconds=60), Gone(time_ns=2 * S))
    assert state.shelf is Shelf.TIMED


def test_a_latching_alarm_stays_active_without_its_condition():
    state = went(HI, Gone(time_ns=2 * S), traits=LATCHING)
    assert (state.active, state.condition, state.latched) == (True, False, True)
    assert letter(state) is Letter.LATCHED_UNACKNOWLEDGED
    assert letter(went(ack(state), traits=LATCHING, start=state)) is Letter.LATCHED_ACKNOWLEDGED


# ---- rows: reset, acknowledge, confirm


def test_reset_lets_go_of_an_acknowledged_latch():
    state = went(HI, Gone(time_ns=2 * S), traits=LATCHING)
    assert code(state, Reset(time_ns=3 * S), LATCHING) is Code.INVALID_STATE
    state = went(ack(state), Reset(time_ns=4 * S), traits=LATCHING, start=state)
    assert letter(state) is Letter.NORMAL


def test_reset_needs_no_acknowledgement_when_so_set():
    traits = Traits(latching=True, reset_after_acknowledge=False)
    state = went(HI, Gone(time_ns=2 * S), Reset(time_ns=3 * S), traits=traits)
    assert letter(state) is Letter.RETURNED_UNACKNOWLEDGED


@pytest.mark.parametrize("steps", [(), (HI,)])
def test_reset_without_a_latch_is_an_invalid_state(steps):
    assert code(went(*steps, traits=LATCHING), Reset(time_ns=3 * S), LATCHING) is Code.INVALID_STATE


def test_acknowledge_keeps_who_and_when():
    state = went(HI)
    state = went(ack(state), start=state)
    assert (state.acked, state.acked_by, state.acked_ns) == (True, "li", 2 * S)
    assert annunciation(state) is Annunciation.STEADY


def test_acknowledge_of_another_event_is_unknown():
    state = went(HI)
    other = Acknowledged(time_ns=S, event_id="other", by="li")
    assert code(state, other) is Code.EVENT_ID_UNKNOWN
    assert code(State(), Acknowledged(time_ns=S, event_id="", by="li")) is Code.EVENT_ID_UNKNOWN


def test_acknowledge_twice_is_rejected():
    state = went(HI)
    state = went(ack(state), start=state)
    assert code(state, ack(state)) is Code.ALREADY_ACKED


def test_confirm_follows_acknowledge():
    traits = Traits(confirm=True)
    state = went(HI, traits=traits)
    confirm = Confirmed(time_ns=3 * S, event_id=state.event_id)
    assert code(state, confirm, traits) is Code.INVALID_STATE
    state = went(ack(state), Gone(time_ns=3 * S), traits=traits, start=state)
    assert retain(state)
    state = went(confirm, traits=traits, start=state)
    assert not retain(state)
    assert code(state, confirm, traits) is Code.ALREADY_CONFIRMED
    other = Confirmed(time_ns=3 * S, event_id="other")
    assert code(state, other, traits) is Code.EVENT_ID_UNKNOWN


# ---- rows: re-alarm, escalation, re-activation


def test_an_acknowledged_alarm_rings_again_a_bounded_number_of_times():
    traits = Traits(realarm_s=10, realarm_count_max=2)
    state = went(HI, traits=traits)
    for n in range(1, 4):
        state = went(ack(state, 20 * n), traits=traits, start=state)
        before = state
        assert went(Passed(time_ns=(20 * n + 9) * S), traits=traits, start=state) is before
        state = went(Passed(time_ns=(20 * n + 10) * S), traits=traits, start=state)
        assert state.acked is (n == 3)
        assert (state.event_id != before.event_id) is (n < 3)


def test_a_rise_of_severity_rings_anew():
    state = went(HI)
    state = went(ack(state), start=state)
    risen = went(Arisen(time_ns=3 * S, severity=900, limit="HiHi"), start=state)
    assert (risen.acked, risen.limit) == (False, "HiHi")
    assert risen.event_id != state.event_id
    assert risen.active_ns == state.active_ns


def test_a_rise_of_severity_may_stay_acknowledged():
    traits = Traits(unacknowledge_on_rise=False)
    state = went(HI, traits=traits)
    state = went(ack(state), Arisen(time_ns=3 * S, severity=900), traits=traits, start=state)
    assert state.acked


def test_a_fall_of_severity_asks_nothing():
    state = went(Arisen(time_ns=S, severity=900, limit="HiHi"))
    state = went(ack(state), start=state)
    fallen = went(Arisen(time_ns=3 * S, severity=500, limit="Hi"), start=state)
    assert (fallen.acked, fallen.limit, fallen.event_id) == (True, "Hi", state.event_id)


def test_reactivation_keeps_the_unanswered_activation_as_a_branch():
    traits = Traits(branches=True)
    first = went(HI, Gone(time_ns=2 * S), traits=traits)
    again = went(Arisen(time_ns=3 * S, severity=500), traits=traits, start=first)
    assert [b.event_id for b in again.branches] == [first.event_id]
    done = went(ack(first), traits=traits, start=again)
    assert (done.branches, done.acked) == ((), False)


def test_reactivation_without_branches_has_a_new_event_only():
    first = went(HI, Gone(time_ns=2 * S))
    again = went(Arisen(time_ns=3 * S, severity=500), start=first)
    assert again.branches == ()
    assert again.event_id != first.event_id


def test_branches_are_bounded_and_what_goes_is_counted():
    traits, state = Traits(branches=True), State()
    for n in range(BRANCHES_MAX + 4):
        steps = (Arisen(time_ns=2 * n * S, severity=5), Gone(time_ns=(2 * n + 1) * S))
        state = went(*steps, traits=traits, start=state)
    assert (len(state.branches), state.branches_lost) == (BRANCHES_MAX, 3)


# ---- rows: shelving


def test_a_timed_shelf_ends_by_itself_and_the_alarm_rings():
    state = went(HI, TimedShelved(time_ns=S, seconds=60))
    assert (letter(state), suppressed_or_shelved(state)) == (Letter.SHELVED, True)
    assert went(Passed(time_ns=60 * S), start=state) is state
    state = went(Passed(time_ns=61 * S), start=state)
    assert annunciation(state) is Annunciation.SOUND_AND_BLINK


@pytest.mark.parametrize("seconds", [0, -1, 28_800.5, float("nan")])
def test_a_shelving_time_out_of_range_is_rejected(seconds):
    assert code(went(HI), TimedShelved(time_ns=S, seconds=seconds)) is Code.SHELVING_TIME


def test_one_shot_shelving_twice_is_rejected():
    step = OneShotShelved(time_ns=S)
    assert code(went(HI, step), step) is Code.ALREADY_SHELVED


def test_one_shot_shelving_is_bounded_too():
    state = went(HI, OneShotShelved(time_ns=S), Passed(time_ns=28_801 * S))
    assert state.shelf is Shelf.NO


def test_unshelving_shows_what_is_under_the_cover():
    state = went(HI, OneShotShelved(time_ns=S), Unshelved(time_ns=2 * S))
    assert annunciation(state) is Annunciation.SOUND_AND_BLINK
    assert code(state, Unshelved(time_ns=3 * S)) is Code.NOT_SHELVED


def test_a_shelved_alarm_keeps_evaluating():
    state = went(TimedShelved(time_ns=0, seconds=60), HI)
    assert (state.active, letter(state)) == (True, Letter.SHELVED)


# ---- rows: suppression, service, enabling, comment, silence


def test_suppression_covers_and_lifting_rings():
    state = went(HI, Suppressed(time_ns=S, on=True))
    assert (letter(state), annunciation(state)) == (Letter.SUPPRESSED, Annunciation.NONE)
    state = went(Suppressed(time_ns=2 * S, on=False), start=state)
    assert annunciation(state) is Annunciation.SOUND_AND_BLINK


def test_out_of_service_needs_a_permit():
    assert code(went(HI), RemovedFromService(time_ns=S, permit=" ")) is Code.ARGUMENT
    state = went(HI, RemovedFromService(time_ns=S, permit="WO-17"))
    assert letter(state) is Letter.OUT_OF_SERVICE
    again = RemovedFromService(time_ns=S, permit="WO-18")
    assert code(state, again) is Code.INVALID_STATE
    state = went(PlacedInService(time_ns=2 * S), start=state)
    assert letter(state) is Letter.UNACKNOWLEDGED
    assert code(state, PlacedInService(time_ns=3 * S)) is Code.INVALID_STATE


def test_a_disabled_alarm_is_not_evaluated_and_starts_from_the_present_value():
    state = went(HI, Disabled(time_ns=2 * S))
    assert not retain(state)
    assert annunciation(state) is Annunciation.NONE
    assert went(Gone(time_ns=3 * S), start=state) is state
    assert code(state, ack(state)) is Code.DISABLED
    assert code(state, Disabled(time_ns=3 * S)) is Code.ALREADY_DISABLED
    state = went(Enabled(time_ns=4 * S), start=state)
    assert letter(state) is Letter.NORMAL
    assert code(state, Enabled(time_ns=5 * S)) is Code.ALREADY_ENABLED
    assert letter(went(Arisen(time_ns=5 * S, severity=1), start=state)) is Letter.UNACKNOWLEDGED


def test_a_comment_changes_nothing():
    state = went(HI)
    assert after(state, Commented(time_ns=2 * S), PLAIN) is state


def test_silence_leaves_it_unacknowledged():
    state = went(HI, Silenced(time_ns=2 * S))
    assert (state.acked, annunciation(state)) == (False, Annunciation.BLINK)
    assert code(went(ack(state), start=state), Silenced(time_ns=3 * S)) is Code.INVALID_STATE


# ---- what holds after any life


def _steps():
    times = st.integers(0, 10**6).map(lambda t: t * S)
    ids = st.sampled_from(["present", "other"])
    return st.lists(
        st.one_of(
            st.builds(Arisen, time_ns=times, severity=st.sampled_from([300, 900])),
            st.builds(Acknowledged, time_ns=times, event_id=ids, by=st.just("li")),
            st.builds(Confirmed, time_ns=times, event_id=ids),
            st.builds(TimedShelved, time_ns=times, seconds=st.sampled_from([0, 5, 1e6])),
            st.builds(Suppressed, time_ns=times, on=st.booleans()),
            st.builds(RemovedFromService, time_ns=times, permit=st.sampled_from(["", "p"])),
            *(
                st.builds(kind, time_ns=times)
                for kind in (Gone, Passed, Reset, OneShotShelved, Unshelved, PlacedInService)
            ),
            *(st.builds(kind, time_ns=times) for kind in (Enabled, Disabled, Silenced, Commented)),
        ),
        max_size=30,
    )


@given(
    _steps(),
    st.builds(
        Traits,
        acknowledge=st.booleans(),
        confirm=st.booleans(),
        latching=st.booleans(),
        branches=st.booleans(),
        realarm_s=st.sampled_from([0.0, 10.0]),
    ),
)
def test_after_any_life_the_facts_fit_together(steps, traits):
    state = State()
    for given_step in sorted(steps, key=lambda s: s.time_ns):
        present = getattr(given_step, "event_id", "") == "present"
        named = {"event_id": state.event_id} if present else {}
        done = after(state, msgspec.structs.replace(given_step, **named), traits)
        if isinstance(done, Rejected):
            continue
        state = done
        assert state.active or not state.condition
        assert not state.latched or traits.latching
        assert state.acked or state.event_id
        assert traits.acknowledge or state.acked
        assert len(state.branches) <= BRANCHES_MAX
        covered = suppressed_or_shelved(state) or not state.enabled
        assert not covered or annunciation(state) is Annunciation.NONE
        assert (state.shelf is Shelf.NO) == (state.shelf_ends_ns == 0)
        assert msgspec.json.decode(msgspec.json.encode(state), type=State) == state
