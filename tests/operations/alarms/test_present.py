"""What holds when an alarm is made, changed or enabled; clocks ahead; numbers that are none."""

import math

import pytest
from msgspec.structs import replace
from tests.operations.alarms.desks import Clock, desk, tick
from tests.operations.alarms.histories import ON, T0, S, X, Y, rows, store

from lineshaft.core.access import SYSTEM, Action, Identity
from lineshaft.core.errors import Denied, Invalid, SettingsError
from lineshaft.core.settings import decode
from lineshaft.operations.alarms.happenings import Acknowledged, Disabled, Enabled
from lineshaft.operations.alarms.rules import AlarmGroup, AlarmRules
from lineshaft.operations.alarms.settings import Alarm, Limit, Priority, check_alarm
from lineshaft.operations.alarms.state import Traits
from lineshaft.operations.alarms.view import Letter

HI = Alarm(name="a", point=X, hi=Limit(value=3.0))
LOW = Limit(value=3.0, priority=Priority.LOW)


def at(seconds: float) -> Clock:
    clock = Clock()
    clock.now = T0 + round(seconds * S)
    return clock


@pytest.mark.parametrize(
    "alarm",
    [HI, replace(HI, hi=None, when="x > 3"), replace(HI, hi=None, off_normal=Limit(value=9))],
)
@pytest.mark.parametrize("way", ["define", "reload", "start"])
async def test_an_alarm_rings_for_the_value_that_stands_when_it_is_made(tmp_path, alarm, way):
    # Nobody sends a value that does not change: the next one may come in days.
    async with store((X, 1, 9.0)) as history:
        made_at_start = [alarm] if way == "start" else []
        async with desk(tmp_path, *made_at_start, clock=at(60), store=history) as made:
            if way == "define":
                await made.define(SYSTEM, alarm)
            elif way == "reload":
                await made.reload([alarm])
            state = made.view(SYSTEM, "a").state
            assert (state.active, state.acked) == (True, False)
            assert state.active_ns == T0 + 60 * S or alarm.when
            # What was sampled before the alarm was made, and comes after, is not too late.
            await made.take(rows((X, 59, 0.0)))
            await tick(made, made._clock, 62)
            assert made.view(SYSTEM, "a").letter is Letter.RETURNED_UNACKNOWLEDGED
            assert made.book.late == bool(alarm.when)  # that one is looked at anew


async def test_the_delay_of_a_new_alarm_begins_when_it_is_made(tmp_path):
    clock = at(60)
    async with store((X, 1, 9.0)) as history, desk(tmp_path, clock=clock, store=history) as made:
        await made.define(SYSTEM, replace(HI, on_delay_s=10))
        await tick(made, clock, 69)
        assert not made.view(SYSTEM, "a").state.active
        await tick(made, clock, 70)
        assert made.view(SYSTEM, "a").state.active


async def test_a_change_of_words_does_not_stop_a_delay_for_ever(tmp_path):
    clock = at(1)
    slow = replace(HI, on_delay_s=30)
    async with store((X, 1, 9.0)) as kept, desk(tmp_path, slow, clock=clock, store=kept) as made:
        await made.reload([replace(slow, description="says more")])
        await tick(made, clock, 40)
        assert made.view(SYSTEM, "a").state.active


async def test_an_enabled_alarm_is_judged_by_the_value_that_stands(tmp_path):
    both = [HI, Alarm(name="b", point=X, when="x > 3")]
    clock = at(60)
    async with store((X, 1, 9.0)) as kept, desk(tmp_path, *both, clock=clock, store=kept) as made:
        for name in ("a", "b"):
            await made.answer(SYSTEM, name, Disabled(time_ns=T0 + 61 * S))
            await made.answer(SYSTEM, name, Enabled(time_ns=T0 + 62 * S))
            assert made.view(SYSTEM, name).letter is Letter.UNACKNOWLEDGED


async def test_a_new_alarm_takes_nothing_from_one_that_was_there(tmp_path):
    clock = at(4)
    async with store((X, 5, 9.0)) as kept, desk(tmp_path, HI, clock=clock, store=kept) as made:
        await made.take(rows((X, 2, 0.0)))
        clock.now = T0 + 6 * S
        await made.define(SYSTEM, replace(HI, name="b"))
        assert made.view(SYSTEM, "b").state.active
        assert not made.view(SYSTEM, "a").state.active
        await made.take(rows((X, 3, 9.0), (X, 4, 0.0), (X, 5, 9.0)))
        assert made.view(SYSTEM, "a").state.count == 2


# ---- clocks


async def test_a_sample_of_next_year_does_not_make_an_alarm_deaf(tmp_path):
    clock = at(10)
    async with desk(tmp_path, HI, Alarm(name="b", point=X, when="x > 3"), clock=clock) as made:
        await made.take(rows((X, 31_536_000, 0.0)))
        clock.now = T0 + 20 * S
        await made.take(rows((X, 19, 9.0)))
        await tick(made, clock, 30)
        assert [v.state.active for v in made.views(SYSTEM)] == [True, True]
        assert made.book.ahead == 1


# ---- a reload takes ringing alarms away


async def test_a_flood_passes_over_alarms_that_a_reload_took_away(tmp_path):
    rules = AlarmRules(flood_suppress=(Priority.LOW,), flood_begins=1, flood_ends=1)
    low = [Alarm(name=n, point=p, hi=LOW) for n, p in (("a", X), ("b", Y))]
    gone = Alarm(name="gone", point=X, hi=LOW)
    clock = at(0)
    async with desk(tmp_path, *low, gone, rules=rules, clock=clock) as made:
        await made.take(rows((ON, 0, True)))
        made.book.rules = AlarmRules()
        await made.reload([*low, gone], rules=AlarmRules())
        await made.take(rows((X, 1, 9.0)))
        await made.reload(low, rules=rules)
        await made.take(rows((X, 2, 0.0)))
        await made.take(rows((Y, 3, 9.0), (X, 3, 9.0)))
        assert made.view(SYSTEM, "b").letter is not Letter.NORMAL
        assert {m.name: m.values[0][1] for m in made.metrics()}["alarms_active"] == 2


async def test_an_alarm_that_comes_back_in_the_file_begins_anew(tmp_path):
    async with desk(tmp_path, HI) as made:
        await made.take(rows((X, 1, 9.0)))
        await made.reload([])
        await made.reload([HI])
        assert made.view(SYSTEM, "a").letter is Letter.NORMAL
        await made.reload([])
    async with desk(tmp_path, HI) as made:
        assert made.view(SYSTEM, "a").letter is Letter.NORMAL


# ---- numbers


@pytest.mark.parametrize(
    "alarm",
    [
        {"off_normal": {"value": math.nan}},
        {"trip": {"value": math.inf}},
        {"hi": {"value": 1.0}, "dead_band": math.inf},
        {"hi": {"value": 1.0}, "deviation_from": math.nan},
        {"discrepancy": {"command": Y, "tolerance": math.inf}},
    ],
)
def test_a_number_that_is_none_is_refused(alarm):
    with pytest.raises(Invalid, match="wanted a finite number"):
        check(alarm)


@pytest.mark.parametrize("life", [{"realarm_s": math.inf}, {"shelve_s_max": math.inf}])
def test_a_time_without_end_is_refused(life):
    with pytest.raises(SettingsError, match="<= 31536000"):
        check({"hi": {"value": 1.0}, "life": life})


def check(table):
    return check_alarm(decode({"name": "a", "point": X} | table, Alarm))


# ---- who sees one branch


async def test_who_rang_first_elsewhere_is_not_told(tmp_path):
    group = AlarmGroup(name="g", first_out=True)
    alarms = [Alarm(name=n, point=p, hi=LOW, group="g") for n, p in (("theirs", Y), ("ours", X))]
    ours = Identity(name="wu", actions=frozenset(Action), branches=(X,))
    async with desk(tmp_path, *alarms, groups=[group]) as made:
        await made.take(rows((Y, 1, 9.0), (X, 2, 9.0)))
        assert made.view(SYSTEM, "ours").after == "theirs"
        assert made.view(ours, "ours").after == ""
        assert [v.after for v in made.views(ours)] == [""]
        event_id = made.view(ours, "ours").state.event_id
        done = await made.answer(ours, "ours", Acknowledged(time_ns=T0, event_id=event_id, by="wu"))
        assert done.after == ""


async def test_a_name_that_is_taken_elsewhere_does_not_say_where(tmp_path):
    ours = Identity(name="wu", actions=frozenset(Action), branches=(X,))
    async with desk(tmp_path) as made:
        await made.define(SYSTEM, Alarm(name="theirs", point=Y, hi=LOW, life=Traits()))
        with pytest.raises(Denied) as refused:
            await made.define(ours, Alarm(name="theirs", point=X, hi=LOW))
        assert Y not in str(refused.value)


async def test_a_disabled_alarm_counts_as_active_nowhere(tmp_path):
    async with desk(tmp_path, HI) as made:
        await made.take(rows((X, 1, 9.0)))
        assert {m.name: m.values[0][1] for m in made.metrics()}["alarms_active"] == 1
        await made.answer(SYSTEM, "a", Disabled(time_ns=T0))
        assert {m.name: m.values[0][1] for m in made.metrics()}["alarms_active"] == 0
