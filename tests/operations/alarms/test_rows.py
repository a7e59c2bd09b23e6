"""Every row of the tables of ISA-18.2 and OPC UA Part 9, by its name: what it does and refuses.

What the rows share, and their finer points, stands in the tests of each part.
"""

import msgspec
import pytest
from tests.operations.alarms.desks import Clock, desk
from tests.operations.alarms.histories import T0, S, Y, rows

from lineshaft.core.access import SYSTEM
from lineshaft.core.batch import Batch
from lineshaft.core.quality import Quality
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
from lineshaft.operations.alarms.judging import Judge
from lineshaft.operations.alarms.metrics import DAY_NS
from lineshaft.operations.alarms.report import entries, report
from lineshaft.operations.alarms.settings import Alarm, Limit, OnBad, Priority
from lineshaft.operations.alarms.state import Code, Rejected, Shelf, State, Traits
from lineshaft.operations.alarms.transitions import after
from lineshaft.operations.alarms.view import annunciation, retain
from lineshaft.security.access import Branches

PLAIN = Traits()
LATCH = Traits(latching=True)
CONFIRM = Traits(confirm=True)
HI = Arisen(time_ns=S, severity=500, limit="Hi")
HIHI = Arisen(time_ns=3 * S, severity=900, limit="HiHi")
GONE = Gone(time_ns=2 * S)
FIRST, SECOND = f"{S:x}-1", f"{3 * S:x}-2"
"""Identifiers of the events of `HI`, and of what rings after it at three seconds."""
ACK = Acknowledged(time_ns=2 * S, event_id=FIRST, by="li")
ONE_SHOT, TIMED = OneShotShelved(time_ns=S), TimedShelved(time_ns=S, seconds=60)
OUT, OFF = RemovedFromService(time_ns=S, permit="WO-17"), Disabled(time_ns=S)
COVER = Suppressed(time_ns=S, on=True, by="group")


def went(steps, traits=PLAIN) -> State:
    state = State()
    for step in steps:
        state = after(state, step, traits)
        assert isinstance(state, State), state
    return state


DIMENSIONS = {
    "active: the detector": ((HI,), "active", True),
    "acked: an operator": ((HI, ACK), "acked", True),
    "shelved: an operator": ((HI, TIMED), "shelf", Shelf.TIMED),
    "suppressed: logic": ((HI, COVER), "suppressed", True),
    "out of service: maintenance": ((HI, OUT), "out_of_service", True),
    "enabled: an engineer": ((HI, OFF), "enabled", False),
}


@pytest.mark.parametrize("row", DIMENSIONS)
def test_a_dimension_changes_and_leaves_the_others_as_they_are(row):
    steps, field, value = DIMENSIONS[row]
    before, state = went(steps[:-1]), went(steps)
    assert getattr(state, field) == value != getattr(before, field)
    others = {n.split(":")[0] for n in DIMENSIONS} - {row.split(":")[0], "acked"}
    for name in others:
        of = {"shelved": "shelf", "out of service": "out_of_service"}.get(name, name)
        assert getattr(state, of) == getattr(before, of)
    rings = row.startswith(("active", "acked"))
    assert (annunciation(state).value != "none") is rings, "it annunciates while nothing covers it"
    assert retain(state) is state.enabled


EFFECTS = {
    "condition true": ((), HI, PLAIN, {"active": True, "acked": False, "event_id": FIRST}),
    "condition true, no need to acknowledge": (
        (),
        HI,
        Traits(acknowledge=False),
        {"active": True, "acked": True},
    ),
    "condition true, confirm used": ((), HI, CONFIRM, {"confirmed": False, "active_ns": S}),
    "condition true, one-shot shelf": ((ONE_SHOT,), HI, PLAIN, {"shelf": Shelf.ONE_SHOT}),
    "condition false": ((HI,), GONE, PLAIN, {"active": False, "acked": False}),
    "condition false, acknowledges by itself": (
        (HI,),
        GONE,
        Traits(acknowledge_on_return=True),
        {"active": False, "acked": True},
    ),
    "condition false, one-shot shelf": ((HI, ONE_SHOT), GONE, PLAIN, {"shelf": Shelf.NO}),
    "condition false, latching": (
        (HI,),
        GONE,
        LATCH,
        {"active": True, "condition": False, "latched": True},
    ),
    "reset": (
        (HI, ACK, GONE),
        Reset(time_ns=3 * S),
        LATCH,
        {"active": False, "latched": False},
    ),
    "acknowledge": ((HI,), ACK, PLAIN, {"acked": True, "acked_by": "li", "acked_ns": 2 * S}),
    "confirm": (
        (HI, ACK),
        Confirmed(time_ns=3 * S, event_id=FIRST),
        CONFIRM,
        {"confirmed": True},
    ),
    "re-alarm": (
        (HI, ACK),
        Passed(time_ns=3 * S),
        Traits(realarm_s=1),
        {"acked": False, "event_id": SECOND, "repeats": 1},
    ),
    "escalation": (
        (HI, ACK),
        HIHI,
        PLAIN,
        {"acked": False, "event_id": SECOND, "limit": "HiHi", "active_ns": S},
    ),
    "re-activation": ((HI, GONE), HIHI, PLAIN, {"active": True, "event_id": SECOND}),
    "timed shelve": ((HI,), TIMED, PLAIN, {"shelf": Shelf.TIMED, "shelf_ends_ns": 61 * S}),
    "one-shot shelve": (
        (HI,),
        ONE_SHOT,
        PLAIN,
        {"shelf": Shelf.ONE_SHOT, "shelf_ends_ns": 28_801 * S},
    ),
    "unshelve": ((HI, TIMED), Unshelved(time_ns=2 * S), PLAIN, {"shelf": Shelf.NO}),
    "unshelve, by time": ((HI, TIMED), Passed(time_ns=61 * S), PLAIN, {"shelf": Shelf.NO}),
    "suppress": ((HI,), COVER, PLAIN, {"suppressed": True, "active": True}),
    "unsuppress": (
        (HI, COVER),
        Suppressed(time_ns=2 * S, on=False, by="group"),
        PLAIN,
        {"suppressed": False, "acked": False},
    ),
    "remove from service": ((HI,), OUT, PLAIN, {"out_of_service": True, "active": True}),
    "place in service": (
        (HI, OUT),
        PlacedInService(time_ns=2 * S),
        PLAIN,
        {"out_of_service": False, "acked": False},
    ),
    "disable": ((HI,), OFF, PLAIN, {"enabled": False}),
    "enable": ((HI, OFF), Enabled(time_ns=2 * S), PLAIN, {"enabled": True, "active": False}),
    "add comment": ((HI,), Commented(time_ns=2 * S), PLAIN, {"acked": False, "changed_ns": S}),
    "silence": ((HI,), Silenced(time_ns=2 * S), PLAIN, {"silenced": True, "acked": False}),
}


@pytest.mark.parametrize("row", EFFECTS)
def test_the_row_has_its_effect(row):
    steps, event, traits, effect = EFFECTS[row]
    state = after(went(steps, traits), event, traits)
    assert {field: getattr(state, field) for field in effect} == effect


def test_the_row_re_activation_keeps_the_old_activation_as_a_branch():
    state = went((HI, GONE, HIHI), Traits(branches=True))
    assert [b.event_id for b in state.branches] == [FIRST]


REFUSALS = {
    "reset, condition there": ((HI, ACK), Reset(time_ns=3 * S), LATCH, Code.INVALID_STATE),
    "reset, not acknowledged": ((HI, GONE), Reset(time_ns=3 * S), LATCH, Code.INVALID_STATE),
    "acknowledge, other event": (
        (HI,),
        Acknowledged(time_ns=2 * S, event_id=SECOND, by="li"),
        PLAIN,
        Code.EVENT_ID_UNKNOWN,
    ),
    "acknowledge, again": ((HI, ACK), ACK, PLAIN, Code.ALREADY_ACKED),
    "confirm, again": (
        (HI, ACK, Confirmed(time_ns=3 * S, event_id=FIRST)),
        Confirmed(time_ns=3 * S, event_id=FIRST),
        CONFIRM,
        Code.ALREADY_CONFIRMED,
    ),
    "timed shelve, too long": (
        (HI,),
        TimedShelved(time_ns=S, seconds=28_801),
        PLAIN,
        Code.SHELVING_TIME,
    ),
    "one-shot shelve, again": ((HI, ONE_SHOT), ONE_SHOT, PLAIN, Code.ALREADY_SHELVED),
    "unshelve, not shelved": ((HI,), Unshelved(time_ns=S), PLAIN, Code.NOT_SHELVED),
    "remove from service, no permit": (
        (HI,),
        RemovedFromService(time_ns=S, permit=""),
        PLAIN,
        Code.ARGUMENT,
    ),
    "place in service, in service": (
        (HI,),
        PlacedInService(time_ns=S),
        PLAIN,
        Code.INVALID_STATE,
    ),
    "enable, enabled": ((), Enabled(time_ns=S), PLAIN, Code.ALREADY_ENABLED),
    "disable, disabled": ((OFF,), OFF, PLAIN, Code.ALREADY_DISABLED),
    "silence, acknowledged": ((HI, ACK), Silenced(time_ns=3 * S), PLAIN, Code.INVALID_STATE),
}


@pytest.mark.parametrize("row", REFUSALS)
def test_the_row_refuses_with_the_code_of_opc_ua(row):
    steps, event, traits, code = REFUSALS[row]
    done = after(went(steps, traits), event, traits)
    assert isinstance(done, Rejected)
    assert done.code is code


BAD_INPUT = {"hold": (OnBad.HOLD, []), "raise": (OnBad.RAISE, [int(Quality.BAD)])}


@pytest.mark.parametrize("way", BAD_INPUT, ids=lambda way: f"input quality bad: {way}")
def test_the_row_input_quality_bad_is_never_normal(way):
    on_bad, rung = BAD_INPUT[way]
    alarm = Alarm(name="a", point=Y, hi=Limit(value=3), on_bad=on_bad)
    told, _ = Judge([alarm]).push(Batch.of_rows([(Y, S, None, int(Quality.BAD))]))
    assert [what.quality for _, what in told] == rung
    judge = Judge([alarm])
    judge.push(Batch.of_rows([(Y, S, 9.0)]))
    told, _ = judge.push(Batch.of_rows([(Y, 2 * S, None, int(Quality.BAD))]))
    assert not any(isinstance(what, Gone) for _, what in told)


LOW = Alarm(name="low", point=Y, hi=Limit(value=3.0, priority=Priority.LOW), on_delay_s=4)
RESTARTS = {
    "active and acked": ACK,
    "shelved": TimedShelved(time_ns=T0, seconds=60),
    "suppressed": Suppressed(time_ns=T0, on=True),
    "out of service": OUT,
    "enabled": OFF,
    "delay": None,
}


@pytest.mark.parametrize("row", RESTARTS, ids=lambda row: f"restart: {row}")
async def test_the_row_restart_finds_all_as_it_was(tmp_path, row):
    deed = RESTARTS[row]
    async with desk(tmp_path, LOW) as made:
        await made.take(rows((Y, 1, 9)))
        if deed is not None:
            await made.take(rows((Y, 6, 9)))
        if isinstance(deed, Acknowledged):
            event_id = made.view(SYSTEM, "low").state.event_id
            deed = Acknowledged(time_ns=T0 + 9 * S, event_id=event_id, by="li")
        if deed is not None:
            await made.answer(SYSTEM, "low", deed)
        before = made.view(SYSTEM, "low").state
    async with desk(tmp_path, LOW) as made:
        assert made.view(SYSTEM, "low").state == before
        await made.take(rows((Y, 6, 9)))
        assert made.view(SYSTEM, "low").state.active, "a delay goes on from source time"


BURST = tuple((k * 10, 5) for k in range(12))
"""Twelve activations in two minutes: when each begins, and how long it lasts, in seconds."""
BUSY = tuple((300 * burst + start, 5) for burst in range(3) for start, _ in BURST)
ONE = ((3600, 600),)
DAYS = 2
METRICS = {
    "annunciated rate: 10 minutes": (BURST, lambda r: r.rates.per_10_min, pytest.approx(12 / 288)),
    "annunciated rate: hour": (BURST, lambda r: r.rates.per_hour, pytest.approx(12 / 48)),
    "annunciated rate: day": (BURST, lambda r: r.rates.per_day, pytest.approx(6)),
    "10-minute windows with more than 10": (
        BURST,
        lambda r: r.rates.windows_over,
        pytest.approx(1 / 288),
    ),
    "hours with more than 30": (BUSY, lambda r: r.rates.hours_over, pytest.approx(1 / 48)),
    "most in any 10 minutes": (BUSY, lambda r: r.rates.most_in_10_min, 24),
    "flood": (BURST, lambda r: [(f.alarms, f.peak) for f in r.floods], [(2, 12)]),
    "top-10 share": (BURST, lambda r: r.top_share, pytest.approx(1)),
    "chattering": (BURST, lambda r: [a.chattering for a in r.top], [True]),
    "fleeting": (((0, 2), *ONE), lambda r: r.fleeting, 1),
    "stale": (((0, 90_000),), lambda r: r.stale, 1),
    "priority distribution": (BURST, lambda r: r.by_severity["low"], 12),
    "unauthorised suppression": (ONE, lambda r: r.unauthorised, 1),
    "shelved": (ONE, lambda r: (r.shelving.count, r.shelving.still), (1, 1)),
    "time to acknowledge": (ONE, lambda r: r.acknowledge["low"].p50_s, pytest.approx(30)),
    "class": (ONE, lambda r: r.performance, "predictive"),
    "class in floods": (BURST, lambda r: bool(r.upset), True),
}


def deed_of(row, state):
    """What is done to the alarm while it is active for the last time."""
    now_ns = state.active_ns + 30 * S
    return {
        "unauthorised suppression": Suppressed(time_ns=now_ns, on=True),
        "shelved": TimedShelved(time_ns=now_ns, seconds=28_800),
        "time to acknowledge": Acknowledged(time_ns=now_ns, event_id=state.event_id, by="li"),
    }.get(row)


@pytest.mark.parametrize("row", METRICS)
async def test_the_row_of_the_figures_is_told(tmp_path, row):
    script, told, expected = METRICS[row]
    clock = Clock()
    clock.now = stop_ns = T0 + DAYS * DAY_NS
    alarm = msgspec.structs.replace(LOW, on_delay_s=0)
    async with desk(tmp_path, alarm, clock=clock) as made:
        for start, length in script:
            await made.take(rows((Y, start, 9)))
            if start == script[-1][0] and (deed := deed_of(row, made.view(SYSTEM, "low").state)):
                await made.answer(SYSTEM, "low", deed)
            await made.take(rows((Y, start + length, 0)))
        found = await entries(made.book.records, Branches(), SYSTEM, start_ns=T0, stop_ns=stop_ns)
        assert told(report(found, T0, stop_ns, made.book.alarms.values())) == expected
