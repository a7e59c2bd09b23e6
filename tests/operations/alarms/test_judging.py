import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid
from lineshaft.core.quality import Quality
from lineshaft.operations.alarms.happenings import Arisen, Gone
from lineshaft.operations.alarms.judging import BAD_INPUT, Judge
from lineshaft.operations.alarms.settings import (
    Alarm,
    Limit,
    OnBad,
    Priority,
    check_alarm,
)

S = 1_000_000_000
P = "acme/press/oil"
OIL = Alarm(
    name="oil",
    point=P,
    hihi=Limit(value=90, priority=Priority.HIGH),
    hi=Limit(value=80),
    lo=Limit(value=20),
    lolo=Limit(value=10, priority=Priority.HIGH),
)


def rows(*samples, point=P) -> Batch:
    return Batch.of_rows([(point, t * S, *rest) for t, *rest in samples])


def short(told):
    return [
        (name, what.time_ns // S, what.limit if isinstance(what, Arisen) else "")
        for name, what in told
    ]


def test_the_gravest_limit_counts():
    judge = Judge([OIL])
    told, _ = judge.push(rows((1, 85.0), (2, 95.0), (3, 85.0), (4, 50.0), (5, 5.0), (6, 15.0)))
    assert short(told) == [
        ("oil", 1, "Hi"),
        ("oil", 2, "HiHi"),
        ("oil", 3, "Hi"),
        ("oil", 4, ""),
        ("oil", 5, "LoLo"),
        ("oil", 6, "Lo"),
    ]


def test_a_jump_over_two_limits_arises_once():
    told, _ = Judge([OIL]).push(rows((1, 95.0), (2, 50.0)))
    assert short(told) == [("oil", 1, "HiHi"), ("oil", 2, "")]
    assert told[0][1].severity == 625


def test_an_off_normal_value_rings_while_it_is_there():
    alarm = Alarm(name="door", point=P, off_normal=Limit(value=1))
    told, _ = Judge([alarm]).push(rows((1, 0), (2, 1), (3, 0), (4, 2)))
    assert short(told) == [("door", 2, "OffNormal"), ("door", 3, "")]


def test_a_bad_value_is_never_normal():
    judge = Judge([OIL])
    judge.push(rows((1, 85.0)))
    told, _ = judge.push(rows((2, None, Quality.BAD), (3, 85.0)))
    assert told == []


def test_a_bad_value_may_ring_itself():
    judge = Judge([Alarm(name="oil", point=P, hi=Limit(value=80), on_bad=OnBad.RAISE)])
    told, _ = judge.push(rows((1, 50.0), (2, None, Quality.BAD), (3, 50.0)))
    assert short(told) == [("oil", 2, BAD_INPUT), ("oil", 3, "")]
    assert told[0][1].quality == Quality.BAD
    assert isinstance(told[1][1], Gone)


def test_points_that_nobody_watches_cost_nothing_and_tell_nothing():
    assert Judge([OIL]).push(rows((1, 95.0), point="acme/press/other")) == ([], set())
    assert Judge([]).push(rows((1, 95.0))) == ([], set())


def test_alarms_whose_memory_changed_are_named_though_nothing_is_told():
    judge = Judge([Alarm(name="oil", point=P, hi=Limit(value=80), on_delay_s=10)])
    told, moved = judge.push(rows((1, 85.0)))
    assert (told, moved) == ([], {"oil"})
    assert judge.push(rows((2, 86.0)))[1] == set()


def test_a_delay_goes_on_after_a_restart():
    alarm = Alarm(name="oil", point=P, hi=Limit(value=80), on_delay_s=10)
    judge = Judge([alarm])
    judge.push(rows((1, 85.0)))
    again = Judge([alarm], {"oil": judge.seen("oil")})
    assert short(again.tick(11 * S)[0]) == [("oil", 11, "Hi")]


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([5.0, 15, 50, 85, 95])), max_size=40),
    st.lists(st.integers(0, 40), max_size=5),
)
def test_where_a_stream_is_cut_changes_nothing(samples, cuts):
    alarms = [
        OIL,
        Alarm(name="two", point="b", hi=Limit(value=80), dead_band=40, on_delay_s=2, off_delay_s=1),
    ]
    all_rows = [(P if n == "a" else "b", (i + 1) * S, v) for i, (n, v) in enumerate(samples)]
    whole, _ = Judge(alarms).push(Batch.of_rows(all_rows))
    judge, parts = Judge(alarms), []
    edges = [0, *sorted(min(c, len(samples)) for c in cuts), len(samples)]
    for a, b in itertools.pairwise(edges):
        parts += judge.push(Batch.of_rows(all_rows[a:b]))[0]
    assert sorted(parts, key=_place) == sorted(whole, key=_place)


def _place(told):
    return told[0], told[1].time_ns, repr(told[1])


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"name": " "}, "name"),
        ({"point": "a//b"}, "level"),
        ({"hi": None, "hihi": None, "lo": None, "lolo": None}, "none"),
        ({"off_normal": Limit(value=1)}, "off_normal"),
        ({"hi": Limit(value=95)}, "fall"),
        ({"hi": Limit(value=float("nan"))}, "finite"),
    ],
)
def test_an_alarm_that_cannot_ring_is_refused_by_name(more, word):
    fields = {f: getattr(OIL, f) for f in Alarm.__struct_fields__} | more
    with pytest.raises(Invalid, match=word):
        check_alarm(Alarm(**fields))


def test_ten_thousand_alarms_are_judged_in_one_step():
    alarms = [Alarm(name=f"a{i}", point=f"p/{i}", hi=Limit(value=80)) for i in range(10_000)]
    judge = Judge(alarms)
    points = [f"p/{i}" for i in range(10_000)]
    batch = Batch.of(points, np.arange(10_000), np.full(10_000, S), number=np.arange(10_000.0))
    told, moved = judge.push(batch)
    assert len(told) == len(moved) == 10_000 - 81


LONG = 2**53 + 2
"""The first that has no column of numbers."""


@given(
    st.lists(
        st.one_of(st.integers(-LONG, LONG), st.sampled_from((LONG, -LONG, 10**25, "word"))),
        max_size=20,
    )
)
def test_an_integer_that_stands_in_text_rings_as_its_float_does(values):
    whole = (Alarm(name="count", point=P, hi=Limit(value=2.0**53), lo=Limit(value=-(2.0**53))),)
    told, _ = Judge(whole).push(rows(*enumerate(values, 1)))
    plain = [float("nan") if v == "word" else float(v) for v in values]
    as_floats, _ = Judge(whole).push(rows(*enumerate(plain, 1)))
    assert told == as_floats


def test_digits_of_a_text_are_no_number():
    alarm = Alarm(name="serial", point=P, hi=Limit(value=1))
    told, _ = Judge([alarm], texts=frozenset({P})).push(rows((1, "99999999999999999999")))
    assert told == []
