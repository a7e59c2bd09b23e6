"""Aggregates beyond the printed tables: any samples, any intervals, any order."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.historian.naive_aggregates import Naive

from lineshaft.core.batch import Ints
from lineshaft.core.errors import Invalid
from lineshaft.historian.aggregates import Function
from lineshaft.historian.aggregates.compute import FOR_TEXTS, compute, compute_each
from lineshaft.historian.aggregates.series import (
    BAD,
    BAD_NO_DATA,
    CALCULATED,
    DATA_VALUE,
    GOOD,
    INTERPOLATED,
    PARTIAL,
    Configuration,
    Rows,
    Series,
)

S = 1_000_000_000
SEVERITIES = np.array([0, 0x4000_0000, 0x8000_0000], dtype=np.uint32)
EVERY = tuple(Function)
PLAIN = Configuration()


def series(rows: list[tuple[int, float, int]]) -> Series:
    """Of time in nanoseconds, value and severity 0 to 2."""
    return Series(
        np.array([r[0] for r in rows], dtype=np.int64),
        np.array([math.nan if r[2] == 2 else r[1] for r in rows], dtype=np.float64),
        SEVERITIES[[r[2] for r in rows]],
    )


def table(*pairs: tuple[int, int]) -> Ints:
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def good(*rows: tuple[int, float]) -> Series:
    """Of seconds and values, all good."""
    return series([(t * S, v, 0) for t, v in rows])


def severities(rows: Rows) -> list[int]:
    return [int(s) >> 30 for s in rows.status]


def assert_same(one: Rows, two: Rows) -> None:
    np.testing.assert_array_equal(one.time_ns, two.time_ns)
    np.testing.assert_allclose(one.value, two.value, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(one.status, two.status)


configurations = st.builds(
    Configuration,
    stepped=st.booleans(),
    treat_uncertain_as_bad=st.booleans(),
    percent_data_bad=st.sampled_from([100, 50, 75]),
    percent_data_good=st.sampled_from([100, 50, 60]),
    sloped_extrapolation=st.booleans(),
)
samples = st.lists(
    st.tuples(
        st.integers(0, 60).map(lambda n: n * S // 2),
        st.integers(-3, 3).map(float),
        st.sampled_from([0, 0, 0, 1, 2]),
    ),
    min_size=1,
    max_size=25,
    unique_by=lambda r: r[0],
).map(sorted)
spans = st.lists(
    st.tuples(st.integers(-5, 35), st.integers(1, 12)).map(lambda p: (p[0] * S, sum(p) * S)),
    min_size=1,
    max_size=8,
)


@given(samples, spans, configurations)
def test_every_aggregate_agrees_with_a_plain_one_interval_at_a_time(rows, pairs, configuration):
    found = compute_each(EVERY, series(rows), table(*pairs), configuration)
    for function, got in zip(EVERY, found, strict=True):
        for i, (a, b) in enumerate(pairs):
            value, severity = Naive(rows, a, b, configuration).answer(function)
            place = f"{function.value} {a / S} to {b / S}"
            assert int(got.status[i]) >> 30 == severity, place
            if function in (Function.WORST_QUALITY, Function.WORST_QUALITY_2):
                got_value = math.nan if math.isnan(got.value[i]) else int(got.value[i]) >> 30
            else:
                got_value = got.value[i]
            assert got_value == pytest.approx(value, abs=1e-6, nan_ok=True), place


@settings(max_examples=20)
@given(samples, spans, configurations)
def test_intervals_in_any_order_give_the_same_rows(rows, pairs, configuration):
    there = compute_each(EVERY, series(rows), table(*pairs), configuration)
    back = compute_each(EVERY, series(rows), table(*pairs[::-1]), configuration)
    for one, two in zip(there, back, strict=True):
        assert_same(one, Rows(two.time_ns[::-1], two.value[::-1], two.status[::-1]))


@settings(max_examples=30)
@given(samples, configurations, st.integers(1, 58), st.integers(1, 20))
def test_the_neighbours_said_in_series_are_enough(rows, configuration, begin, length):
    """Leaving out all other samples around the intervals changes nothing."""
    a, b = begin * S // 2 + S // 4, (begin + length) * S // 2 + S // 4
    limit = 0 if configuration.treat_uncertain_as_bad else 1
    before, after = [r for r in rows if r[0] < a], [r for r in rows if r[0] >= b]
    usable = [r for r in before if r[2] <= limit], [r for r in after if r[2] <= limit]
    inside = [r for r in rows if a <= r[0] < b]
    kept = {*before[-1:], *usable[0][-2:], *inside, *after[:1], *usable[1][:1]}
    if not kept:
        return
    pairs = table((a, b), (a, (a + b) // 2), ((a + b) // 2, b))
    whole = compute_each(EVERY, series(rows), pairs, configuration)
    few = compute_each(EVERY, series(sorted(kept)), pairs, configuration)
    for one, two in zip(whole, few, strict=True):
        assert_same(one, two)


@pytest.mark.parametrize("function", EVERY)
def test_without_samples_there_is_no_data(function):
    rows = compute(function, series([]), table((0, S), (S, 3 * S)), PLAIN)
    assert rows.time_ns.tolist() == [0, S]
    assert np.isnan(rows.value).all()
    assert set(rows.status) == {BAD_NO_DATA | DATA_VALUE}


@pytest.mark.parametrize("function", EVERY)
def test_without_intervals_there_are_no_rows(function):
    rows = compute(function, good((1, 5.0)), table(), PLAIN)
    assert len(rows.time_ns) == len(rows.value) == len(rows.status) == 0


def test_one_sample_makes_what_can_be_made_of_it():
    pair, one = table((0, 10 * S)), good((4, 8.0))
    values = {f: compute(f, one, pair, PLAIN).value[0] for f in EVERY}
    assert values[Function.AVERAGE] == values[Function.MAXIMUM] == values[Function.START] == 8
    assert values[Function.RANGE] == values[Function.DELTA] == 0
    assert values[Function.VARIANCE_SAMPLE] == values[Function.STANDARD_DEVIATION_POPULATION] == 0
    assert values[Function.TOTAL] == 48
    assert values[Function.DURATION_GOOD] == 1
    assert values[Function.DURATION_BAD] == 4000
    assert values[Function.COUNT] == values[Function.NUMBER_OF_TRANSITIONS] == 1
    assert math.isnan(values[Function.INTERPOLATIVE])


def test_of_bad_samples_alone_only_quality_and_durations_are_known():
    bad = series([(t * S, 0.0, 2) for t in range(10)])
    known = {Function.DURATION_GOOD: 0, Function.DURATION_BAD: 4000, Function.PERCENT_GOOD: 0}
    known |= {Function.PERCENT_BAD: 100, Function.ANNOTATION_COUNT: 0}
    known |= {Function.WORST_QUALITY: BAD, Function.WORST_QUALITY_2: BAD}
    # The bound at the start is the sample there; the one at the end is without data.
    for function in EVERY:
        row = compute(function, bad, table((2 * S, 6 * S)), PLAIN)
        if function in known:
            assert row.value[0] == known[function], function
        else:
            assert math.isnan(row.value[0]), function
            assert severities(row) == [2], function


def test_an_interval_holds_its_start_and_not_its_end():
    rows = compute(Function.COUNT, good((0, 1.0), (1, 1.0), (2, 1.0)), table((0, 2 * S)), PLAIN)
    assert rows.value.tolist() == [2]


def test_an_interval_that_runs_backwards_holds_its_later_edge():
    line = good((0, 0.0), (1, 10.0), (2, 20.0), (3, 30.0))
    back = table((2 * S, 0))

    def of(function: Function) -> tuple[float, float]:
        rows = compute(function, line, back, PLAIN)
        return rows.time_ns[0] / S, rows.value[0]

    assert of(Function.COUNT) == (2, 2)
    assert of(Function.AVERAGE) == (2, 15)
    assert of(Function.START) == (2, 20)
    assert of(Function.END) == (1, 10)
    assert of(Function.START_BOUND) == (2, 20)
    assert of(Function.END_BOUND) == (2, 0)
    assert of(Function.DELTA_BOUNDS) == (2, -20)
    assert of(Function.INTERPOLATIVE) == (2, 20)
    assert of(Function.MINIMUM_ACTUAL_TIME_2) == (0.001, 0)


@settings(max_examples=30)
@given(samples, spans, configurations)
def test_areas_and_durations_are_the_same_in_both_directions(rows, pairs, configuration):
    times = {t for t, _, _ in rows}
    pairs = [(a, b) for a, b in pairs if not times & {a, b}]
    there, back = table(*pairs), table(*pairs)[:, ::-1]
    functions = [f for f in EVERY if f.value.startswith(("Time", "Total", "Dur", "Percent", "Av"))]
    for function in functions:
        one = compute(function, series(rows), there, configuration)
        two = compute(function, series(rows), back, configuration)
        assert_same(one, two._replace(time_ns=one.time_ns))
        assert two.time_ns.tolist() == back[:, 0].tolist()


def test_rows_say_where_their_value_is_from():
    line = good((0, 0.0), (10, 10.0), (20, 20.0))
    rows = compute(Function.INTERPOLATIVE, line, table((10 * S, 12 * S), (12 * S, 14 * S)), PLAIN)
    assert rows.status.tolist() == [GOOD | DATA_VALUE, GOOD | DATA_VALUE | INTERPOLATED]
    rows = compute(Function.AVERAGE, line, table((0, 11 * S)), PLAIN)
    assert rows.status.tolist() == [GOOD | DATA_VALUE | CALCULATED]


def test_an_interval_that_was_cut_short_says_so():
    line, pair = good((0, 0.0), (10, 10.0)), table((2 * S, 4 * S), (4 * S, 6 * S))
    rows = compute(Function.TIME_AVERAGE, line, pair, PLAIN, partial=np.array([True, False]))
    assert [int(s) & PARTIAL for s in rows.status] == [PARTIAL, 0]


def test_nan_counts_as_bad_and_keeps_the_status_that_the_device_gave():
    samples = Series(
        np.array([0, S, 2 * S]), np.array([1.0, math.nan, 3.0]), np.zeros(3, dtype=np.uint32)
    )
    pair = table((0, 2 * S))
    assert compute(Function.COUNT, samples, pair, PLAIN).value.tolist() == [1]
    assert compute(Function.PERCENT_BAD, samples, pair, PLAIN).value.tolist() == [50]
    assert compute(Function.WORST_QUALITY, samples, pair, PLAIN).value.tolist() == [GOOD]
    assert severities(compute(Function.END, samples, pair, PLAIN)) == [2]


def test_the_bits_of_a_device_do_not_leak_into_the_rows():
    overflow = Series(np.array([0, S]), np.array([1.0, 2.0]), np.array([0x48F, 0], dtype=np.uint32))
    rows = compute(Function.START, overflow, table((0, S)), PLAIN)
    assert rows.status.tolist() == [0x480]


def test_samples_twice_count_once():
    once = good((0, 1.0), (1, 2.0), (2, 5.0))
    twice = Series(*(np.repeat(c, 2) for c in once[:3]))
    for function in EVERY:
        pair = table((0, 2 * S))
        assert_same(compute(function, once, pair, PLAIN), compute(function, twice, pair, PLAIN))


def test_infinities_make_no_noise():
    wild = good((0, math.inf), (1, -math.inf), (2, 1.0), (3, math.inf))
    compute_each(EVERY, wild, table((0, 2 * S), (S, 4 * S)), PLAIN)


def test_texts_are_held_counted_and_never_calculated_with():
    texts = good((0, 0.0), (4, 1.0), (8, 1.0))._replace(texts=True)
    pair = table((2 * S, 8 * S))
    assert compute(Function.INTERPOLATIVE, texts, pair, PLAIN).value.tolist() == [0]
    assert compute(Function.NUMBER_OF_TRANSITIONS, texts, pair, PLAIN).value.tolist() == [1]
    for function in set(EVERY) - FOR_TEXTS:
        with pytest.raises(Invalid, match=f"{function.value} cannot be taken of texts"):
            compute(function, texts, pair, PLAIN)


@pytest.mark.parametrize(
    ("bad", "fine", "words"), [(40, 50, "below 100"), (101, 100, "0 to 100"), (100, -1, "0 to 100")]
)
def test_shares_that_leave_a_gap_are_refused(bad, fine, words):
    configuration = Configuration(percent_data_bad=bad, percent_data_good=fine)
    with pytest.raises(Invalid, match=words):
        compute(Function.COUNT, good((0, 1.0)), table((0, S)), configuration)


def test_an_empty_interval_is_refused():
    with pytest.raises(Invalid, match="interval 1 starts and ends at 5"):
        compute(Function.COUNT, good((0, 1.0)), table((0, 5), (5, 5)), PLAIN)


def test_a_deviation_far_from_zero_does_not_cancel():
    far = good(*((t, 1e9 + t % 2) for t in range(1000)))
    rows = compute(Function.VARIANCE_POPULATION, far, table((0, 1000 * S)), PLAIN)
    assert rows.value[0] == pytest.approx(0.25, rel=1e-6)
