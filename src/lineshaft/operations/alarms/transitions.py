"""All that can happen to an alarm: each happening gives the next state, or is rejected.

What is not written here is rejected.
"""

from typing import assert_never

from msgspec.structs import replace

from lineshaft.operations.alarms.happenings import (
    Acknowledged,
    AnyHappening,
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
from lineshaft.operations.alarms.state import (
    BRANCHES_MAX,
    Branch,
    Code,
    Rejected,
    Shelf,
    State,
    Traits,
)

SECOND_NS = 1_000_000_000
Outcome = State | Rejected


def after(state: State, what: AnyHappening, traits: Traits) -> Outcome:
    """The state after it happened; the same object when nothing changed."""
    if not state.enabled and not isinstance(what, Enabled | Disabled | Commented):
        if isinstance(what, Arisen | Gone | Passed):
            return state
        if isinstance(what, Suppressed) and what.by != "person":
            return _suppressed(state, what.by, on=what.on)
        return Rejected(Code.DISABLED, "the alarm is disabled")
    done = _of_detector(state, what, traits)
    if done is None:
        done = _of_people(state, what, traits)
    if isinstance(done, State) and done is not state:
        return replace(done, changed_ns=what.time_ns)
    return done


def _of_detector(state: State, what: AnyHappening, traits: Traits) -> Outcome | None:
    match what:
        case Arisen():
            return _arisen(state, what, traits)
        case Gone():
            return _gone(state, what, traits)
        case Passed():
            return _passed(state, what.time_ns, traits)
        case Suppressed(on=on, by=by):
            return _suppressed(state, by, on=on)
        case _:
            return None


def _of_people(state: State, what: AnyHappening, traits: Traits) -> Outcome:
    match what:
        case Acknowledged() | Confirmed() | Reset() | Silenced():
            return _answered(state, what, traits)
        case TimedShelved() | OneShotShelved() | Unshelved():
            return _shelved(state, what, traits)
        case RemovedFromService() | PlacedInService() | Enabled() | Disabled():
            return _maintained(state, what)
        case Commented():
            return state
        case Arisen() | Gone() | Passed() | Suppressed():
            raise AssertionError("what the detector says is handled before")
        case _:
            assert_never(what)


# ---- what the detector and time do


def _arisen(state: State, what: Arisen, traits: Traits) -> State:
    if state.active and state.condition:
        now = (what.severity, what.limit, what.limits)
        if (state.severity, state.limit, state.limits) == now:
            return state
        # Limits that do not exclude each other ask for an answer each.
        rises = what.severity > state.severity or bool({*what.limits} - {*state.limits})
        changed = replace(
            state,
            severity=what.severity,
            limit=what.limit,
            limits=what.limits,
            quality=what.quality,
        )
        return _rung(changed, what.time_ns, traits) if rises else changed
    state = _with_branch(state) if traits.branches else state
    return _rung(
        replace(
            state,
            condition=True,
            active=True,
            severity=what.severity,
            limit=what.limit,
            limits=what.limits,
            first=what.first,
            quality=what.quality,
            active_ns=what.time_ns,
            repeats=0,
        ),
        what.time_ns,
        traits,
        anew=True,
    )


def _rung(state: State, time_ns: int, traits: Traits, *, anew: bool = False) -> State:
    """It asks for attention under a new identifier."""
    asks = traits.acknowledge and (anew or traits.unacknowledge_on_rise)
    count = state.count + 1
    return replace(
        state,
        count=count,
        event_id=f"{time_ns:x}-{count}",
        acked=False if asks else state.acked or anew,
        confirmed=not traits.confirm if asks or anew else state.confirmed,
        silenced=False,
    )


def _with_branch(state: State) -> State:
    """The activation before stays listed while nobody has answered it."""
    if state.acked or not state.event_id:
        return state
    old = Branch(event_id=state.event_id, active_ns=state.active_ns, severity=state.severity)
    kept = (*state.branches, old)
    lost = max(len(kept) - BRANCHES_MAX, 0)
    return replace(state, branches=kept[lost:], branches_lost=state.branches_lost + lost)


def _gone(state: State, what: Gone, traits: Traits) -> State:
    if not state.condition:
        return state
    state = replace(state, condition=False, quality=what.quality)
    if traits.latching:
        return state
    if traits.acknowledge_on_return:
        state = replace(state, acked=True, confirmed=True)
    return _back_to_normal(state)


def _back_to_normal(state: State) -> State:
    state = replace(state, active=False, limit="", limits=(), severity=0)
    return _off_shelf(state) if state.shelf is Shelf.ONE_SHOT else state


def _off_shelf(state: State) -> State:
    return replace(state, shelf=Shelf.NO, shelf_ends_ns=0)


def _suppressed(state: State, by: str, *, on: bool) -> State:
    """Each logic lifts only its own cover."""
    old = state.suppressors or (("person",) if state.suppressed else ())
    if (by in old) is on:
        return state
    now = (*old, by) if on else tuple(b for b in old if b != by)
    return replace(state, suppressors=now, suppressed=bool(now))


def _passed(state: State, now_ns: int, traits: Traits) -> State:
    if state.shelf is not Shelf.NO and now_ns >= state.shelf_ends_ns:
        state = _off_shelf(state)
    due = state.acked_ns + int(traits.realarm_s * SECOND_NS)
    if (
        traits.realarm_s
        and traits.acknowledge
        and state.active
        and state.acked
        and state.acked_ns
        and state.repeats < traits.realarm_count_max
        and now_ns >= due
    ):
        rung = _rung(state, now_ns, traits, anew=True)
        state = replace(rung, repeats=state.repeats + 1)
    return state


# ---- what people do


def _answered(
    state: State, what: Acknowledged | Confirmed | Reset | Silenced, traits: Traits
) -> Outcome:
    match what:
        case Acknowledged():
            return _acknowledged(state, what)
        case Confirmed(event_id=event_id):
            return _confirmed(state, event_id)
        case Reset():
            return _reset(state, traits)
        case Silenced():
            if state.acked or not state.active:
                return Rejected(Code.INVALID_STATE, "only an unacknowledged alarm sounds")
            return replace(state, silenced=True)
        case _:
            assert_never(what)


def _confirmed(state: State, event_id: str) -> Outcome:
    if event_id != state.event_id:
        return Rejected(Code.EVENT_ID_UNKNOWN, f"{event_id!r} is not its present event")
    if state.confirmed:
        return Rejected(Code.ALREADY_CONFIRMED, "it is confirmed, or needs none")
    if not state.acked:
        return Rejected(Code.INVALID_STATE, "it must be acknowledged first")
    return replace(state, confirmed=True)


def _reset(state: State, traits: Traits) -> Outcome:
    if not state.latched:
        return Rejected(Code.INVALID_STATE, "it holds no latch, or its condition is there")
    if traits.reset_after_acknowledge and not state.acked:
        return Rejected(Code.INVALID_STATE, "it must be acknowledged first")
    return _back_to_normal(state)


def _acknowledged(state: State, what: Acknowledged) -> Outcome:
    rest = tuple(b for b in state.branches if b.event_id != what.event_id)
    if len(rest) < len(state.branches):
        return replace(state, branches=rest)
    if not what.event_id or what.event_id != state.event_id:
        return Rejected(Code.EVENT_ID_UNKNOWN, f"{what.event_id!r} is not its present event")
    if state.acked:
        return Rejected(Code.ALREADY_ACKED, f"{state.acked_by or 'a rule'} has done so before")
    return replace(state, acked=True, acked_ns=what.time_ns, acked_by=what.by, silenced=False)


def _shelved(
    state: State, what: TimedShelved | OneShotShelved | Unshelved, traits: Traits
) -> Outcome:
    match what:
        case TimedShelved(time_ns=now_ns, seconds=seconds):
            return _put_away(state, Shelf.TIMED, now_ns, seconds, traits)
        case OneShotShelved() if state.shelf is Shelf.ONE_SHOT:
            return Rejected(Code.ALREADY_SHELVED, "it is on the shelf for one shot")
        case OneShotShelved(time_ns=now_ns):
            return _put_away(state, Shelf.ONE_SHOT, now_ns, traits.shelve_s_max, traits)
        case Unshelved() if state.shelf is Shelf.NO:
            return Rejected(Code.NOT_SHELVED, "it is not on the shelf")
        case Unshelved():
            return _off_shelf(state)
        case _:
            assert_never(what)


def _put_away(state: State, shelf: Shelf, now_ns: int, seconds: float, traits: Traits) -> Outcome:
    if not 0 < seconds <= traits.shelve_s_max:
        why = f"{seconds:g} s asked, wanted above 0 and at most {traits.shelve_s_max:g} s"
        return Rejected(Code.SHELVING_TIME, why)
    return replace(state, shelf=shelf, shelf_ends_ns=now_ns + int(seconds * SECOND_NS))


def _maintained(
    state: State, what: RemovedFromService | PlacedInService | Enabled | Disabled
) -> Outcome:
    match what:
        case RemovedFromService(permit=permit) if not permit.strip():
            return Rejected(Code.ARGUMENT, "a permit must be named")
        case RemovedFromService() | PlacedInService():
            return _serviced(state, out=isinstance(what, RemovedFromService))
        case Enabled() | Disabled():
            return _switched(state, on=isinstance(what, Enabled))
        case _:
            assert_never(what)


def _serviced(state: State, *, out: bool) -> Outcome:
    if state.out_of_service is out:
        return Rejected(Code.INVALID_STATE, f"it is {'out of' if out else 'in'} service")
    return replace(state, out_of_service=out)


def _switched(state: State, *, on: bool) -> Outcome:
    if state.enabled is on:
        code = Code.ALREADY_ENABLED if on else Code.ALREADY_DISABLED
        return Rejected(code, f"it is {'enabled' if on else 'disabled'}")
    if not on:
        return replace(state, enabled=False, branches=())
    # Evaluated from the present value on: whatever holds arises anew.
    return replace(state, enabled=True, condition=False, active=False, acked=True, limits=())
