"""Each detector of OPC UA Part 9, 5.8, and that history tells what live told."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.operations.alarms.histories import ON, T0, WANTED, S, X, Y, judge, names, rows, store

from lineshaft.core.errors import Invalid
from lineshaft.core.quality import Quality
from lineshaft.operations.alarms.detectors import compiled, formulas
from lineshaft.operations.alarms.happenings import Arisen, Suppressed
from lineshaft.operations.alarms.judging import BAD_INPUT
from lineshaft.operations.alarms.preview import Walk, preview
from lineshaft.operations.alarms.rules import AlarmGroup
from lineshaft.operations.alarms.settings import (
    SEVERITY,
    Alarm,
    Discrepancy,
    Limit,
    OnBad,
    Priority,
    Rate,
    check_alarm,
)

HIGH = Limit(value=3.0, priority=Priority.HIGH)
DETECTORS = {
    "limit": Alarm(name="a", point=X, hi=Limit(value=3.0), lo=Limit(value=-3.0), dead_band=1.0),
    "non-exclusive": Alarm(name="a", point=X, hihi=HIGH, hi=Limit(value=1.0), exclusive=False),
    "deviation": Alarm(name="a", point=X, hi=HIGH, deviation_from=Y, on_delay_s=1.5),
    "deviation of a number": Alarm(
        name="a", point=X, hi=HIGH, lo=Limit(value=0.0), deviation_from=1
    ),
    "rate": Alarm(name="a", point=X, hi=HIGH, rate=Rate(over="4s")),
    "rate per minute": Alarm(name="a", point=X, lolo=HIGH, rate=Rate(over="4s", per="min")),
    "off-normal": Alarm(name="a", point=ON, off_normal=Limit(value=1)),
    "trip": Alarm(name="a", point=ON, trip=Limit(value=1)),
    "discrepancy": Alarm(name="a", point=ON, discrepancy=Discrepancy(command=WANTED, within_s=2)),
    "discrepancy of numbers": Alarm(
        name="a", point=X, discrepancy=Discrepancy(command=Y, within_s=1, tolerance=2)
    ),
    "stale": Alarm(name="a", point=X, stale_s=3.0),
    "condition": Alarm(name="a", point=X, when="avg(x, '5s') > 1 && on", off_delay_s=1),
    "condition that lasts": Alarm(name="a", point=X, when="duration(x > y) > duration('3s')"),
    "value": Alarm(name="a", point=X, value="x * y", hi=HIGH, on_bad=OnBad.RAISE),
    "suppressed": Alarm(name="a", point=X, hi=HIGH, suppress_when="on", names={"on": ON}),
}


def told(found):
    return [
        (
            type(what).__name__.lower(),
            (what.time_ns - T0) / S,
            *([what.limit] if isinstance(what, Arisen) else []),
        )
        for _, what in found
    ]


def live(alarm, *samples, until=60.0):
    made = judge(alarm)
    found = made.push(rows(*samples))[0] if samples else []
    return told([*found, *made.tick(T0 + round(until * S), all_told=True)[0]])


# ---- one after the other


def test_non_exclusive_limits_are_activities_of_their_own():
    alarm = Alarm(
        name="a", point=X, hihi=HIGH, hi=Limit(value=1.0), lo=Limit(value=0), exclusive=False
    )
    found, _ = judge(alarm).push(rows((X, 1, 2), (X, 2, 4), (X, 3, 2), (X, 4, 0.5), (X, 5, -1)))
    assert [(w.limits if isinstance(w, Arisen) else None) for _, w in found] == [
        ("Hi",),
        ("HiHi", "Hi"),
        ("Hi",),
        None,
        ("Lo",),
    ]
    assert found[1][1].severity == SEVERITY[Priority.HIGH]


def test_a_deviation_counts_either_way_when_only_hi_is_given():
    alarm = Alarm(name="a", point=X, hi=HIGH, deviation_from=Y)
    samples = [(Y, 0, 10), (X, 1, 10), (X, 2, 14), (X, 3, 11), (X, 4, 6)]
    assert live(alarm, *samples) == [("arisen", 2, "Hi"), ("gone", 3), ("arisen", 4, "Hi")]


def test_a_deviation_has_a_sign_when_lo_is_given_too():
    alarm = Alarm(name="a", point=X, hi=HIGH, lo=Limit(value=-5), deviation_from=10.0)
    samples = [(X, 1, 10), (X, 2, 14), (X, 3, 6), (X, 4, 4)]
    assert live(alarm, *samples) == [("arisen", 2, "Hi"), ("gone", 3), ("arisen", 4, "Lo")]


def test_a_moving_set_point_moves_the_limit():
    alarm = Alarm(name="a", point=X, hi=HIGH, deviation_from=Y)
    assert live(alarm, (Y, 0, 0), (X, 1, 1), (Y, 2, -5)) == [("arisen", 2, "Hi")]


def test_a_rate_is_the_change_over_its_window():
    alarm = Alarm(name="a", point=X, hi=Limit(value=1.0), rate=Rate(over="10s"))
    ramp = [(X, t, 0.0 if t < 20 else 1.5 * (t - 20)) for t in range(40)]
    # 1.5 a second fills the window of ten seconds to 1 a second after 6.67 s.
    assert live(alarm, *ramp, until=39.0) == [("arisen", 27, "Hi")]


def test_a_rate_per_minute_is_sixty_times_that():
    per_minute = Alarm(name="a", point=X, hi=Limit(value=60), rate=Rate(over="10s", per="min"))
    ramp = [(X, t, 0.0 if t < 20 else 1.5 * (t - 20)) for t in range(40)]
    assert live(per_minute, *ramp, until=39.0) == [("arisen", 27, "Hi")]


def test_a_discrepancy_rings_when_the_feedback_takes_too_long():
    alarm = Alarm(name="a", point=ON, discrepancy=Discrepancy(command=WANTED, within_s=5))
    quick = [(WANTED, 0, False), (ON, 0, False), (WANTED, 1, True), (ON, 4, True)]
    assert live(alarm, *quick) == []
    slow = [*quick[:3], (ON, 10, True)]
    assert live(alarm, *slow) == [("arisen", 6, "Condition"), ("gone", 10)]


def test_a_discrepancy_needs_no_sample_to_ring():
    alarm = Alarm(name="a", point=ON, discrepancy=Discrepancy(command=WANTED, within_s=5))
    assert live(alarm, (ON, 0, False), (WANTED, 1, True)) == [("arisen", 6, "Condition")]


def test_a_stale_point_rings_without_a_sample_and_a_bad_one_at_once():
    alarm = Alarm(name="a", point=X, stale_s=10)
    assert live(alarm, (X, 0, 1), (X, 5, 1)) == [("arisen", 15, "Condition")]
    bad = (X, 6, None, Quality.BAD_DEVICE_FAILURE)
    assert live(alarm, (X, 5, 1), bad, (X, 8, 1), until=12) == [
        ("arisen", 6, "Condition"),
        ("gone", 8),
    ]


def test_a_trip_rings_on_its_value_and_latches():
    alarm = Alarm(name="a", point=ON, trip=Limit(value=1, priority=Priority.CRITICAL))
    assert live(alarm, (ON, 0, False), (ON, 1, True)) == [("arisen", 1, "Trip")]
    assert alarm.traits().latching


def test_an_instrument_diagnostic_is_off_normal_of_its_point():
    assert live(DETECTORS["off-normal"], (ON, 0, 0), (ON, 3, 1), (ON, 4, 0)) == [
        ("arisen", 3, "OffNormal"),
        ("gone", 4),
    ]


def test_a_condition_rings_while_it_is_true_and_not_while_it_is_unknown():
    alarm = Alarm(name="a", point=X, when="x > 3 && y > 3")
    samples = [(X, 0, 5), (Y, 1, 5), (Y, 2, None, Quality.BAD), (Y, 3, 1)]
    assert live(alarm, *samples) == [("arisen", 1, "Condition"), ("gone", 3)]


def test_a_value_that_is_bad_may_ring_itself():
    alarm = Alarm(name="a", point=X, value="1 / x", hi=HIGH, on_bad=OnBad.RAISE)
    assert live(alarm, (X, 1, 1), (X, 2, 0), (X, 3, 1)) == [("arisen", 2, BAD_INPUT), ("gone", 3)]


def test_points_of_several_sources_wait_for_late_samples():
    made = judge(Alarm(name="a", point=X, when="x > y", wait_s=2))
    assert made.push(rows((Y, 0, 1), (X, 0, 0)))[0] == []
    assert made.push(rows((X, 10, 2)))[0] == []
    assert made.push(rows((Y, 9.5, 3)))[0] == []
    assert told(made.tick(T0 + 13 * S)[0]) == []
    assert told(made.push(rows((Y, 14, 0), (X, 14, 2)))[0]) == []
    assert told(made.tick(T0 + 16 * S)[0]) == [("arisen", 14, "Condition")]


def test_what_comes_too_late_for_its_row_is_not_missed():
    made = judge(Alarm(name="a", point=X, when="x > y", wait_s=1))
    made.push(rows((X, 0, 2), (Y, 0, 3)))
    made.tick(T0 + 100 * S)
    found = told(made.push(rows((Y, 50, 1)))[0])
    assert [(what, limit) for what, _, limit in found] == [("arisen", "Condition")]
    assert found[0][1] == pytest.approx(99, abs=1e-6)


def test_a_state_of_the_plant_suppresses_by_design():
    alarm = Alarm(name="a", point=X, hi=HIGH, suppress_when="!on")
    found = judge(alarm).push(rows((ON, 0, True), (ON, 5, False), (X, 5, 9), (ON, 8, True)))[0]
    assert [w for _, w in found] == [
        Suppressed(time_ns=T0 + 5 * S, on=True, by="state"),
        Arisen(time_ns=T0 + 5 * S, severity=SEVERITY[Priority.HIGH], limit="Hi"),
        Suppressed(time_ns=T0 + 8 * S, on=False, by="state"),
    ]


def test_a_group_suppresses_all_its_alarms():
    group = AlarmGroup(name="g", suppress_when=f"`{ON}`")
    alarms = [Alarm(name=n, point=X, hi=HIGH, group="g") for n in "ab"]
    found = judge(*alarms, groups=[group]).push(rows((ON, 1, True)))[0]
    on = Suppressed(time_ns=T0 + S, on=True, by="group")
    assert found == [("a", on), ("b", on)]


def test_one_evaluator_serves_all_alarms_with_the_same_expression():
    group = AlarmGroup(name="g", suppress_when=f"`{ON}`")
    alarms = [Alarm(name=f"a{i}", point=X, hi=HIGH, group="g") for i in range(50)]
    assert len(judge(*alarms, groups=[group]).signals.by_key) == 1


# ---- what cannot ring


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"when": "x > 1", "hi": HIGH}, "limits are hi, when"),
        ({"value": "x"}, "limits are value"),
        ({"rate": Rate(), "deviation_from": 1.0, "hi": HIGH}, "deviation_from, rate"),
        ({"off_normal": HIGH, "trip": HIGH}, "off_normal, trip"),
        ({"rate": Rate(over="soon"), "hi": HIGH}, "soon"),
        ({"deviation_from": "a//b", "hi": HIGH}, "level"),
        ({"discrepancy": Discrepancy(command="a//b")}, "level"),
        ({}, "none"),
    ],
)
def test_a_detector_that_cannot_be_is_refused(more, word):
    with pytest.raises(Invalid, match=word):
        check_alarm(Alarm(name="a", point=X, **more))


@pytest.mark.parametrize(
    ("text", "word"),
    [("x >", "character"), ("x > 1 && z", "unknown name 'z'"), ("x + 1", "wanted a bool")],
)
def test_a_condition_that_is_no_expression_is_told_with_alarm_and_place(text, word):
    (formula,) = formulas(Alarm(name="a", point=X, when=text), {})
    with pytest.raises(Invalid, match=word) as error:
        compiled("alarm 'a'", formula, names())
    assert str(error.value).startswith("alarm 'a': ")


def test_a_point_that_is_hidden_is_unknown():
    (formula,) = formulas(Alarm(name="a", point=X, when="x > y"), {})
    with pytest.raises(Invalid, match="unknown name 'y'"):
        compiled("a", formula, names(), lambda path: path != Y)


# ---- history tells what live told

NUMBERS = st.sampled_from([-4.0, 0.0, 0.5, 2.0, 5.0, 2**60, None])
SAMPLES = st.lists(
    st.tuples(st.integers(0, 30_000), st.sampled_from([X, Y, ON, WANTED]), NUMBERS), max_size=30
)


def sample(ms: int, path: str, number: float | None):
    if number is None:
        return (path, ms / 1000, None, int(Quality.BAD))
    return (path, ms / 1000, number > 1 if path in (ON, WANTED) else number)


@pytest.mark.parametrize("kind", DETECTORS)
@settings(max_examples=12)
@given(drawn=SAMPLES, cuts=st.lists(st.integers(0, 30), max_size=6))
async def test_a_preview_of_history_is_what_live_told_to_the_last_digit(kind, drawn, cuts):
    alarm = DETECTORS[kind]
    by_key = {(ms, p): sample(ms, p, n) for ms, p, n in drawn}
    samples = [by_key[k] for k in sorted(by_key)]
    stop_ns = T0 + 40 * S
    made, walk = judge(alarm), Walk(alarm)
    walk.begin(T0)
    edges = [0, *sorted(min(c, len(samples)) for c in cuts), len(samples)]
    for a, b in itertools.pairwise(edges):
        if a < b:
            walk.go(made.push(rows(*samples[a:b]))[0])
            walk.go(made.tick(T0 + round(samples[b - 1][1] * S))[0])
    walk.go(made.tick(stop_ns, all_told=True)[0])
    count = sum(s[0] in made.points for s in samples)
    async with store(*samples) as kept:
        found = await preview(kept, names(), alarm, T0, stop_ns)
    assert found == walk.end(stop_ns, count)


async def test_a_preview_knows_what_its_windows_need_from_before():
    samples = [(X, t, 5.0 if t % 20 < 10 else 0.0) for t in range(100)]
    alarm = Alarm(name="a", point=X, when="avg(x, '10s') > 3")
    async with store(*samples) as kept:
        whole = await preview(kept, names(), alarm, T0, T0 + 100 * S)
        late = await preview(kept, names(), alarm, T0 + 35 * S, T0 + 100 * S)
    assert [a for a in whole.activations if a.start_ns >= T0 + 35 * S] == late.activations
    assert len(late.activations) == 3


async def test_a_preview_does_not_count_what_is_suppressed():
    samples = [(ON, 0, True), (X, 1, 9), (X, 2, 0), (ON, 3, False), (X, 4, 9)]
    async with store(*samples) as kept:
        found = await preview(kept, names(), DETECTORS["suppressed"], T0, T0 + 9 * S)
    assert (found.rung, found.suppressed, len(found.activations)) == (1, 1, 2)
