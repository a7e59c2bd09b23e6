import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.operations.alarms.metrics import (
    DAY_NS,
    FLOOD_BEGINS,
    FLOOD_ENDS,
    HOUR_NS,
    MINUTE_NS,
    SECOND_NS,
    TEN_MINUTES_NS,
    chatter_index,
    chatters,
    fleeting,
    floods,
    performance_class,
    rates,
    stale,
    top,
)


def at(*minutes: float) -> np.ndarray:
    return np.array([int(m * MINUTE_NS) for m in minutes], dtype=np.int64)


def test_rates_are_per_ten_minutes_hour_and_day():
    found = rates(np.arange(150) * (DAY_NS // 150), 0, DAY_NS)
    assert found.per_day == 150
    assert found.per_hour == 6.25
    assert found.per_10_min == pytest.approx(1.0417, abs=1e-4)
    assert (found.windows_over, found.hours_over) == (0, 0)


def test_windows_and_hours_that_are_too_busy_are_counted_on_the_clock():
    burst = np.arange(31) * 10 * SECOND_NS + HOUR_NS
    found = rates(burst, 0, 4 * HOUR_NS)
    assert found.hours_over == 0.25
    assert found.windows_over == pytest.approx(1 / 24)
    assert found.most_in_10_min == 31


def test_the_busiest_ten_minutes_need_not_begin_on_the_clock():
    found = rates(at(*[9.5] * 8, *[10.5] * 8), 0, HOUR_NS)
    assert found.most_in_10_min == 16
    assert found.windows_over == 0


def test_a_flood_begins_above_ten_and_ends_below_five():
    # Eleven in a minute, then one a minute for ten minutes: the last leave one by one.
    times = at(*(i * 0.1 for i in range(11)), *range(2, 12))
    (flood,) = floods(times, HOUR_NS)
    assert flood.start_ns == times[10]
    assert flood.peak == 19  # up to minute 9: eleven of the burst and eight after it
    # At 17 min those of 8, 9, 10 and 11 are left: four.
    assert flood.end_ns == 17 * MINUTE_NS
    assert flood.alarms == 11


def test_ten_in_ten_minutes_are_no_flood():
    assert floods(at(*range(10)), HOUR_NS) == []


def test_a_flood_that_goes_on_ends_with_the_span():
    (flood,) = floods(at(*(50 + i * 0.5 for i in range(15))), HOUR_NS)
    assert flood.end_ns == HOUR_NS


@given(st.lists(st.integers(0, 3 * 3600), max_size=120))
def test_floods_agree_with_a_walk_second_by_second(seconds):
    times = np.array(sorted(seconds), dtype=np.int64) * SECOND_NS
    span = 5 * HOUR_NS
    expected, start = [], None
    for second in range(5 * 3600):
        now = second * SECOND_NS
        inside = int(((times > now - TEN_MINUTES_NS) & (times <= now)).sum())
        if start is None and inside > FLOOD_BEGINS:
            start = now
        elif start is not None and inside < FLOOD_ENDS:
            expected.append((start, now))
            start = None
    assert [(f.start_ns, f.end_ns) for f in floods(times, span)] == expected


def test_three_in_a_minute_chatter():
    assert chatters(at(0, 0.5, 1))
    assert not chatters(at(0, 0.5, 1.1))
    assert not chatters(at(0))


def test_the_chatter_index_is_that_of_its_run_lengths():
    assert chatter_index(at(0, 1 / 3, 2 / 3, 1)) == pytest.approx(0.05)  # three a minute
    assert chatter_index(np.array([0, 1, 11]) * SECOND_NS) == pytest.approx(0.5 + 0.05)
    assert chatter_index(at(3)) == 0


def test_the_top_alarms_come_first_with_their_share():
    alarm = np.array([2, 0, 2, 2], dtype=np.int32)
    first, second = top(at(0, 1, 2, 3), alarm, ["a", "b", "c"])
    assert (first.alarm, first.count, first.share) == ("c", 3, 0.75)
    assert second.alarm == "a"


def test_stale_and_fleeting_activations_are_counted():
    start = np.zeros(3, dtype=np.int64)
    end = np.array([2 * SECOND_NS, DAY_NS, DAY_NS + 1], dtype=np.int64)
    assert stale(start, end) == 1
    assert fleeting(start, end) == 1


@pytest.mark.parametrize(
    ("mean", "most", "expected"),
    [
        (0.5, 1, "predictive"),
        (0.5, 8, "robust"),
        (2, 8, "stable"),
        (0.5, 60, "stable"),
        (20, 60, "reactive"),
        (2, 500, "reactive"),
        (200, 500, "overloaded"),
        (2, 2000, "overloaded"),
    ],
)
def test_the_class_is_that_of_the_published_grid(mean, most, expected):
    assert performance_class(mean, most) == expected
