"""Groups, first-out, designed suppression, floods and the limits of shelving, at the desk."""

import asyncio

import msgspec
import pytest
from tests.operations.alarms.desks import Clock, desk, tick
from tests.operations.alarms.histories import ON, T0, S, X, Y, names, rows, store

from lineshaft.core.access import SYSTEM, Action, Identity
from lineshaft.core.errors import Denied, Invalid, Stale
from lineshaft.core.point import Kind, Point
from lineshaft.operations.alarms.desk import TROUBLES_TOLD
from lineshaft.operations.alarms.happenings import (
    Acknowledged,
    Disabled,
    Enabled,
    OneShotShelved,
    Suppressed,
    TimedShelved,
)
from lineshaft.operations.alarms.rules import AlarmGroup, AlarmRules, check_rules, priority_of
from lineshaft.operations.alarms.settings import SEVERITY, Alarm, Limit, Priority
from lineshaft.operations.alarms.view import Annunciation, Letter

HI = Limit(value=3.0)
LOW = Limit(value=3.0, priority=Priority.LOW)


def letters(made):
    return {v.alarm.name: v.letter.value for v in made.views(SYSTEM)}


async def events(made, kind="alarm"):
    return [e.event for e in await made.book.records.events(kind=kind)]


# ---- suppression


@pytest.mark.parametrize("delay", [0, 3])
async def test_a_point_that_never_had_a_sample_is_stale(tmp_path, delay):
    clock = Clock()
    alarm = Alarm(name="silent", point=X, stale_s=10, on_delay_s=delay)
    async with desk(tmp_path, alarm, clock=clock) as made, asyncio.timeout(20):
        await tick(made, clock, 9.5 + delay)
        assert not made.view(SYSTEM, "silent").state.active
        for k in range(4):
            await tick(made, clock, 11 + delay + k)
        assert made.view(SYSTEM, "silent").state.active
        await made.take(rows((X, 20, 1)))
        assert not made.view(SYSTEM, "silent").state.active


async def test_suppression_by_state_covers_and_its_lift_annunciates(tmp_path):
    alarm = Alarm(name="a", point=X, hi=HI, suppress_when="!on")
    async with desk(tmp_path, alarm) as made:
        await made.take(rows((ON, 0, False), (X, 1, 9)))
        view = made.view(SYSTEM, "a")
        assert (view.letter, view.annunciation) == (Letter.SUPPRESSED, Annunciation.NONE)
        assert view.state.active
        await made.take(rows((ON, 2, True)))
        assert made.view(SYSTEM, "a").annunciation is Annunciation.SOUND_AND_BLINK
        kinds = [(e.kind, e.data.get("by"), e.data["annunciated"]) for e in await events(made)]
        assert kinds == [
            ("alarm.suppressed", "state", False),
            ("alarm.arisen", None, False),
            ("alarm.suppressed", "state", True),
        ]


async def test_each_logic_lifts_only_its_own_cover(tmp_path):
    group = AlarmGroup(name="g", suppress_when=f"`{ON}`")
    alarm = Alarm(name="a", point=X, hi=HI, suppress_when="y > 1", group="g")
    async with desk(tmp_path, alarm, groups=[group]) as made:
        await made.take(rows((ON, 0, True), (Y, 0, 2)))
        await made.answer(SYSTEM, "a", Suppressed(time_ns=T0, on=True))
        assert set(made.view(SYSTEM, "a").state.suppressors) == {"state", "group", "person"}
        await made.take(rows((ON, 1, False), (Y, 1, 0)))
        assert made.view(SYSTEM, "a").letter is Letter.SUPPRESSED
        await made.answer(SYSTEM, "a", Suppressed(time_ns=T0, on=False))
        assert made.view(SYSTEM, "a").letter is Letter.NORMAL


async def test_what_is_not_known_does_not_suppress(tmp_path):
    async with desk(tmp_path, Alarm(name="a", point=X, hi=HI, suppress_when="!on")) as made:
        await made.take(rows((X, 1, 9)))
        assert made.view(SYSTEM, "a").letter is Letter.UNACKNOWLEDGED


# ---- first-out


async def test_the_first_of_a_group_is_marked_and_the_others_stand_beneath(tmp_path):
    group = AlarmGroup(name="g", first_out=True)
    high = Limit(value=3.0, priority=Priority.HIGH)
    alarms = [
        Alarm(name="cause", point=X, hi=HI, group="g"),
        Alarm(name="effect", point=Y, hi=high, group="g"),
        Alarm(name="other", point=Y, hi=high),
    ]
    async with desk(tmp_path, *alarms, groups=[group]) as made:
        await made.take(rows((X, 1, 9), (Y, 2, 9)))
        views = made.views(SYSTEM)
        assert [v.alarm.name for v in views] == ["other", "cause", "effect"]
        assert [(v.state.first, v.after) for v in views] == [
            (False, ""),
            (True, ""),
            (False, "cause"),
        ]
        arisen = [e.data["alarm"] for e in await events(made) if e.data.get("first")]
        assert arisen == ["cause"]


async def test_a_group_that_was_closed_has_a_new_first(tmp_path):
    group = AlarmGroup(name="g", first_out=True)
    alarms = [Alarm(name=n, point=p, hi=HI, group="g") for n, p in (("a", X), ("b", Y))]
    async with desk(tmp_path, *alarms, groups=[group]) as made:
        await made.take(rows((X, 1, 9), (X, 2, 0)))
        await made.take(rows((Y, 3, 9)))
        assert made.view(SYSTEM, "b").state.first is False  # a is not acknowledged yet
        await made.take(rows((Y, 4, 0)))
        for name in "ab":
            event_id = made.view(SYSTEM, name).state.event_id
            await made.answer(SYSTEM, name, Acknowledged(time_ns=T0, event_id=event_id, by="li"))
        await made.take(rows((Y, 5, 9)))
        assert made.view(SYSTEM, "b").state.first


# ---- floods

RULES = AlarmRules(flood_suppress=(Priority.LOW,), flood_begins=3, flood_ends=2)


def many(count):
    low = [
        Alarm(name=f"low{i}", point=X, hi=Limit(value=i, priority=Priority.LOW))
        for i in range(count)
    ]
    return [*low, Alarm(name="high", point=X, hi=Limit(value=2, priority=Priority.HIGH))]


async def test_a_flood_puts_low_priorities_aside_until_it_ends(tmp_path):
    clock = Clock()
    async with desk(tmp_path, *many(8), rules=RULES, clock=clock) as made:
        for t in range(9):
            await made.take(rows((X, t, t)))
        found = letters(made)
        assert found.pop("high") == "B"
        assert set(found.values()) == {"H"}
        await tick(made, clock, 599)
        assert letters(made)["low7"] == "H"
        await tick(made, clock, 700)
        assert set(letters(made).values()) == {"B"}
        covers = [e.data["on"] for e in await events(made, "alarm.suppressed")]
        assert covers == [True] * 8 + [False] * 8


async def test_floods_suppress_nothing_unless_asked(tmp_path):
    async with desk(tmp_path, *many(30)) as made:
        for t in range(31):
            await made.take(rows((X, t, t)))
        assert set(letters(made).values()) == {"B"}


async def test_a_flood_goes_on_after_a_restart_and_ends(tmp_path):
    clock = Clock()
    async with desk(tmp_path, *many(8), rules=RULES, clock=clock) as made:
        for t in range(9):
            await made.take(rows((X, t, t)))
    async with desk(tmp_path, *many(8), rules=RULES, clock=clock) as made:
        assert letters(made)["low7"] == "H"
        await tick(made, clock, 700)
        assert set(letters(made).values()) == {"B"}


async def test_a_flood_stays_within_its_operator_position(tmp_path):
    clock = Clock()
    known = names()
    known.declare([Point(path="acme/saw/x"), Point(path="acme/paint/x")])
    low = Limit(value=1, priority=Priority.LOW)
    others = [Alarm(name=n, point=f"acme/{n}/x", hi=low) for n in ("saw", "paint")]
    rules = msgspec.structs.replace(RULES, flood_branches=("acme/saw", "acme/press"))
    async with desk(tmp_path, *many(8), *others, rules=rules, clock=clock, names=known) as made:
        await made.take(rows(("acme/saw/x", 0, 2)))
        for t in range(9):
            await made.take(rows((X, t, t)))
        await made.take(rows(("acme/paint/x", 9, 2)))
        found = letters(made)
        assert (found["low7"], found["saw"], found["paint"]) == ("H", "B", "B")
    elsewhere = msgspec.structs.replace(RULES, flood_branches=("acme/saw",))
    async with desk(tmp_path, *many(8), *others, rules=rules, clock=clock, names=known) as made:
        assert letters(made)["low7"] == "H", "the position is known after a restart"
        await made.reload([*many(8), *others], rules=elsewhere)
        await tick(made, clock, 700)
        assert set(letters(made).values()) == {"B"}, "and lifts what it covered"


def test_positions_are_branches_that_stand_once():
    with pytest.raises(Invalid, match="twice"):
        check_rules(AlarmRules(flood_branches=("acme", "acme")))
    with pytest.raises(Invalid, match="path"):
        check_rules(AlarmRules(flood_branches=("acme//x",)))


def test_a_flood_that_cannot_end_is_refused():
    with pytest.raises(Invalid, match="flood_ends"):
        check_rules(AlarmRules(flood_begins=3, flood_ends=4))


def test_priorities_are_four_equal_bands_of_severity():
    assert {priority_of(s) for s in (1, 125, 250)} == {Priority.LOW}
    assert [priority_of(s) for s in SEVERITY.values()] == list(SEVERITY)
    assert priority_of(1000) is Priority.CRITICAL


# ---- shelving by priority


async def test_a_priority_has_its_own_longest_shelf(tmp_path):
    rules = AlarmRules(shelve_s_max={Priority.CRITICAL: 0.0, Priority.MEDIUM: 60.0})
    critical = Alarm(name="c", point=X, hi=Limit(value=1, priority=Priority.CRITICAL))
    async with desk(tmp_path, critical, Alarm(name="m", point=X, hi=HI), rules=rules) as made:
        for shelve in (TimedShelved(time_ns=T0, seconds=1), OneShotShelved(time_ns=T0)):
            with pytest.raises(Stale, match="Bad_ShelvingTimeOutOfRange"):
                await made.answer(SYSTEM, "c", shelve)
        with pytest.raises(Stale, match="Bad_ShelvingTimeOutOfRange"):
            await made.answer(SYSTEM, "m", TimedShelved(time_ns=T0, seconds=61))
        await made.answer(SYSTEM, "m", TimedShelved(time_ns=T0, seconds=60))


# ---- many at once


async def test_many_are_acknowledged_in_one_step_and_the_refused_are_named(tmp_path):
    alarms = [Alarm(name=n, point=p, hi=HI) for n, p in (("a", X), ("b", X), ("c", Y))]
    async with desk(tmp_path, *alarms) as made:
        await made.take(rows((X, 1, 9)))
        ids = {n: made.view(SYSTEM, n).state.event_id for n in "abc"}
        refused = await made.acknowledge(SYSTEM, {**ids, "a": "old", "no": "x"}, comment="seen")
        assert {r.alarm: r.why.split(":")[0] for r in refused} == {
            "a": "Bad_EventIdUnknown",
            "no": "there is no alarm 'no'",
            "c": "Bad_EventIdUnknown",
        }
        assert letters(made) == {"a": "B", "b": "C", "c": "A"}
        stranger = Identity(name="wu", actions=frozenset({Action.LOOK}))
        (told,) = await made.acknowledge(stranger, {"a": ids["a"]})
        assert "may not answer" in told.why


# ---- expressions at the desk


async def test_an_alarm_whose_point_is_not_there_yet_waits_for_it(tmp_path):
    known = names()
    alarm = Alarm(name="a", point="acme/saw/speed", when="speed > 3")
    clock = Clock()
    async with desk(tmp_path, alarm, names=known, clock=clock) as made:
        assert "alarm 'a': unknown name 'speed'" in made.problems()[0]
        known.infer(rows(("acme/saw/speed", 0, 1)))
        await tick(made, clock, 1)
        assert made.problems() == []
        await made.take(rows(("acme/saw/speed", 2, 5)))
        assert made.view(SYSTEM, "a").letter is Letter.UNACKNOWLEDGED


async def test_an_alarm_that_no_sample_can_make_ring_says_so(tmp_path):
    known, clock = names(), Clock()
    known.declare([Point(path="acme/saw/serial", kind=Kind.TEXT)])
    dead = Alarm(name="a", point="acme/saw/sped", hi=Limit(value=1.0))
    words = Alarm(name="b", point="acme/saw/serial", hi=Limit(value=1.0))
    async with desk(tmp_path, dead, words, names=known, clock=clock) as made:
        assert made.problems() == [
            "alarm 'a' waits for the point 'acme/saw/sped', which nobody has named",
            "alarm 'b' wants numbers, 'acme/saw/serial' has text",
        ]
        known.infer(rows(("acme/saw/sped", 0, 1)))
        await tick(made, clock, 1)
        assert [p[:9] for p in made.problems()] == ["alarm 'b'"]


async def test_many_alarms_without_points_are_counted(tmp_path):
    alarms = [
        Alarm(name=f"a{n}", point=f"acme/{n}", hi=Limit(value=1.0))
        for n in range(TROUBLES_TOLD + 2)
    ]
    async with desk(tmp_path, *alarms) as made:
        assert made.problems()[TROUBLES_TOLD:] == ["2 more alarms wait for points"]


async def test_windows_know_what_was_before_a_restart(tmp_path):
    alarm = Alarm(name="a", point=X, when="avg(x, '60s') > 5", on_delay_s=10)
    samples = [(X, t, 10.0 if t > 20 else 0.0) for t in range(61)]
    clock = Clock()
    whole = []
    async with desk(tmp_path / "w", alarm, clock=clock) as made:
        for sample in samples:
            await made.take(rows(sample))
        await tick(made, clock, 70)
        whole = [(e.kind, e.time_ns) for e in await events(made)]
    assert [kind for kind, _ in whole] == ["alarm.arisen"]
    async with store(*samples[:50]) as history:
        async with desk(tmp_path / "r", alarm, clock=clock) as made:
            for sample in samples[:50]:
                await made.take(rows(sample))
        clock.now = T0 + 50 * S
        async with desk(tmp_path / "r", alarm, clock=clock, store=history) as made:
            for sample in samples[50:]:
                await made.take(rows(sample))
            await tick(made, clock, 70)
            assert [(e.kind, e.time_ns) for e in await events(made)] == whole


async def test_a_change_of_another_alarm_leaves_windows_as_they_are(tmp_path):
    alarm = Alarm(name="a", point=X, when="max(x, '60s') > 5")
    async with desk(tmp_path, alarm) as made:
        await made.take(rows((X, 0, 9)))
        await made.define(SYSTEM, Alarm(name="b", point=Y, hi=HI))
        await made.take(rows((X, 10, 0)))
        assert made.view(SYSTEM, "a").state.active


async def test_who_may_not_see_a_point_cannot_watch_it_by_an_expression(tmp_path):
    branch = Identity(name="wu", actions=frozenset(Action), branches=(X,))
    async with desk(tmp_path) as made:
        await made.define(SYSTEM, Alarm(name="a", point=X, when="x > y"))
        with pytest.raises(Invalid, match="unknown name 'y'"):
            await made.define(branch, Alarm(name="b", point=X, when="x > y"))
        viewer = Identity(name="li", actions=frozenset({Action.LOOK}))
        with pytest.raises(Denied):
            await made.define(viewer, Alarm(name="b", point=X, when="x > 1"))


async def test_an_enabled_alarm_is_judged_by_its_next_value(tmp_path):
    async with desk(tmp_path, Alarm(name="a", point=X, hi=HI)) as made:
        await made.take(rows((X, 1, 9)))
        await made.answer(SYSTEM, "a", Disabled(time_ns=T0))
        await made.answer(SYSTEM, "a", Enabled(time_ns=T0))
        assert made.view(SYSTEM, "a").letter is Letter.NORMAL
        await made.take(rows((X, 2, 9)))
        assert made.view(SYSTEM, "a").letter is Letter.UNACKNOWLEDGED


async def test_a_change_is_on_record_with_what_was_before_and_its_permit(tmp_path):
    async with desk(tmp_path) as made:
        await made.define(SYSTEM, Alarm(name="a", point=X, hi=HI))
        await made.define(SYSTEM, Alarm(name="a", point=X, hi=HI, on_delay_s=9), permit="MOC-12")
        await made.remove(SYSTEM, "a")
        first, second, third = await events(made)
        assert (first.data["new"], second.data["new"]) == (True, False)
        assert second.data["before"] == {"on_delay_s": 0.0}
        assert [e.data["permit"] for e in (first, second, third)] == ["", "MOC-12", ""]


# ---- changed while it rings


async def test_an_alarm_whose_limit_is_raised_while_it_rings_can_return(tmp_path):
    async with desk(tmp_path) as made:
        await made.define(SYSTEM, Alarm(name="a", point=X, hi=HI))
        await made.take(rows((X, 1, 9)))
        await made.define(SYSTEM, Alarm(name="a", point=X, hi=Limit(value=20)))
        assert made.view(SYSTEM, "a").state.active
        await made.take(rows((X, 2, 9)))
        assert not made.view(SYSTEM, "a").state.active


async def test_an_alarm_that_loses_the_limit_that_holds_returns(tmp_path):
    async with desk(tmp_path) as made:
        await made.define(SYSTEM, Alarm(name="a", point=X, hi=HI))
        await made.take(rows((X, 1, 9)))
        await made.define(SYSTEM, Alarm(name="a", point=X, lo=Limit(value=0)))
        assert made.view(SYSTEM, "a").letter is Letter.RETURNED_UNACKNOWLEDGED


async def test_a_cover_that_nothing_watches_any_more_is_lifted(tmp_path):
    group = AlarmGroup(name="g", suppress_when=f"`{ON}`")
    alarm = Alarm(name="a", point=X, hi=HI, group="g")
    async with desk(tmp_path, alarm, groups=[group]) as made:
        await made.take(rows((ON, 0, True), (X, 1, 9)))
        assert made.view(SYSTEM, "a").letter is Letter.SUPPRESSED
        await made.reload([alarm], [AlarmGroup(name="g")])
        assert made.view(SYSTEM, "a").annunciation is Annunciation.SOUND_AND_BLINK


async def test_a_cover_stays_when_its_alarm_is_changed_and_lifts_as_before(tmp_path):
    alarm = Alarm(name="a", point=X, hi=HI, suppress_when="on")
    async with desk(tmp_path) as made:
        await made.define(SYSTEM, alarm)
        await made.take(rows((ON, 0, True)))
        await made.define(SYSTEM, msgspec.structs.replace(alarm, dead_band=1.0))
        assert made.view(SYSTEM, "a").letter is Letter.SUPPRESSED
        await made.take(rows((ON, 1, False)))
        assert made.view(SYSTEM, "a").letter is Letter.NORMAL


async def test_the_open_ones_are_listed_by_themselves_and_figures_count_all(tmp_path):
    alarms = [Alarm(name=n, point=p, hi=HI) for n, p in (("a", X), ("b", Y))]
    async with desk(tmp_path, *alarms) as made:
        await made.take(rows((X, 2, 9)))
        await made.take(rows((X, 1, 0)))
        assert [v.alarm.name for v in made.views(SYSTEM, opened=True)] == ["a"]
        assert made.book.count(SYSTEM) == 2
        found = {m.name: m.values[0][1] for m in made.metrics()}
    assert (found["alarms"], found["alarms_active"], found["alarm_samples_late_total"]) == (2, 1, 1)
