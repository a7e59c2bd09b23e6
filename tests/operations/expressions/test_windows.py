"""Functions that look back, beside the plainest way to write them: one time after the other."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.operations.expressions.histories import BAD, GOOD, UNCERTAIN, S, columns, histories, wild
from tests.operations.expressions.written import NAMES, one_sample

from lineshaft.operations.expressions import exact
from lineshaft.operations.expressions.expression import compile_expression

FOREVER = 2**62
SUB_NORMAL, INITIAL, NO_DATA, WAITING = 0x4095_0000, 0x4092_0000, 0x809B_0000, 0x8032_0000


def usable(samples):
    return [(t, v) for t, v, q in samples if q < BAD]


def inside(samples, t, w):
    return [s for s in samples if t - w < s[0] <= t]


def mark(within):
    return SUB_NORMAL if any(q != GOOD for _, _, q in within) else GOOD


def naive_avg(samples, t, w):
    within = inside(samples, t, w)
    values = [v for _, v in usable(within)]
    return (math.fsum(values) / len(values), mark(within)) if values else (None, NO_DATA)


def naive_sum(samples, t, w):
    within = inside(samples, t, w)
    values = [v for _, v in usable(within)]
    return (math.fsum(values), mark(within)) if values else (None, NO_DATA)


def naive_min(samples, t, w):
    within = inside(samples, t, w)
    values = [v for _, v in usable(within)]
    return (min(values), mark(within)) if values else (None, NO_DATA)


def naive_max(samples, t, w):
    within = inside(samples, t, w)
    values = [v for _, v in usable(within)]
    return (max(values), mark(within)) if values else (None, NO_DATA)


def naive_count(samples, t, w):
    return len(usable(inside(samples, t, w))), GOOD


def naive_stddev(samples, t, w):
    within = inside(samples, t, w)
    values = [Fraction(v) for _, v in usable(within)]
    if len(values) < 2:
        return None, NO_DATA
    mean = sum(values) / len(values)
    return math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1)), mark(within)


def held(samples, t):
    return max((s for s in samples if s[0] <= t), default=None, key=lambda s: s[0])


def naive_delta(samples, t, w):
    now, then = held(samples, t), held(samples, t - w)
    short = then is None
    then = then or (min(samples, key=lambda s: s[0]) if samples else None)
    if now is None:
        return None, NO_DATA
    quality = max(now[2], then[2], INITIAL if short else GOOD)
    return (None if quality >= BAD else now[1] - then[1]), quality


def naive_rate(samples, t, w):
    change, quality = naive_delta(samples, t, w)
    if change is None and quality == NO_DATA:
        return None, NO_DATA
    first = min(s[0] for s in samples)
    passed = w if held(samples, t - w) else t - first
    if not passed:
        return None, NO_DATA
    return (None if change is None else change / (passed / S)), quality


def naive_increase(samples, t, w, modulus=0):
    rising = sorted(usable(samples))
    if not [s for s in rising if s[0] <= t]:
        return None, NO_DATA
    total, before = Fraction(0), None
    for time, value in rising:
        if before is not None and t - w < time <= t:
            up = value - before
            if up < 0:
                up = value - before + modulus if modulus else value
            total += Fraction(up)
        before = value
    short = not [s for s in rising if s[0] <= t - w]
    return float(total), max(mark(inside(samples, t, w)), INITIAL if short else GOOD)


def naive_mean(samples, t, w):
    rising = sorted(samples)
    begin = t - w
    short = not [s for s in rising if s[0] <= begin]
    if not [s for s in rising if s[0] <= t]:
        return None, NO_DATA
    begin = rising[0][0] if short else begin
    area, known, seen = Fraction(0), 0, []
    for place, (time, value, quality) in enumerate(rising):
        end = min(rising[place + 1][0] if place + 1 < len(rising) else t, t)
        start = max(time, begin)
        if time > t or (end <= begin and end != t) or (start == end and time != t):
            continue
        seen.append((time, value, quality))
        if quality < BAD:
            area += Fraction(value) * (end - start)
            known += end - start
    quality = max(mark(seen), INITIAL if short else GOOD)
    if not known:
        now = held(samples, t)
        if t == begin and now[2] < BAD:
            return now[1], quality
        return None, NO_DATA
    return float(area / known), quality


NAIVE = {
    "avg": naive_avg, "sum": naive_sum, "min": naive_min, "max": naive_max, "count": naive_count,
    "stddev": naive_stddev, "delta": naive_delta, "rate": naive_rate, "mean": naive_mean,
    "increase": naive_increase,
}  # fmt: skip


@pytest.mark.parametrize("function", NAIVE)
@given(histories(), st.integers(1, 8 * S) | st.integers(1, 8).map(lambda n: n * S), st.booleans())
def test_windows_give_what_the_plain_way_gives(function, rows, window_ns, on_a_grid):
    window_ns = max(window_ns, 10**6)
    expression = compile_expression(
        f"{function}(a, '{window_ns}ns')", NAMES, every_ns=S // 2 if on_a_grid else 0
    )
    found = expression.over(columns(rows, "a"), -FOREVER, FOREVER)
    for time, value, quality in zip(*found[:3], strict=True):
        wanted, code = NAIVE[function](rows["a"], int(time), window_ns)
        assert hex(quality) == hex(code)
        if wanted is not None and code < BAD:
            scale = max([abs(v) for _, v, _ in rows["a"]], default=0.0)
            assert value == pytest.approx(wanted, rel=1e-13, abs=1e-15 * scale)


@given(histories(), st.sampled_from([10.0, 1e7]))
def test_a_counter_that_rolls_over_loses_nothing(rows, modulus):
    samples = [(t, abs(v) % modulus, q) for t, v, q in rows["a"]]
    expression = compile_expression(f"increase(a, '3s', {modulus})", NAMES, every_ns=0)
    found = expression.over(columns({"a": samples}), -FOREVER, FOREVER)
    for time, value, quality in zip(*found[:3], strict=True):
        wanted, code = naive_increase(samples, int(time), 3 * S, modulus)
        assert quality == code
        if wanted is not None:
            assert value == pytest.approx(wanted, rel=1e-12, abs=1e-9)


def test_counters_are_summed_up_over_resets_and_over_bad_samples():
    rows = {"a": [(0, 5, 0), (S, 9, 0), (2 * S, 0, BAD), (3 * S, 11, 0), (4 * S, 2, 0)]}
    expression = compile_expression("increase(a, '1m')", NAMES, every_ns=0)
    found = expression.over(columns(rows), 0, FOREVER)
    assert found.values.tolist() == [0, 4, 4, 6, 8]


@given(st.lists(wild, min_size=1, max_size=40), st.integers(0, 39), st.integers(0, 39))
def test_sums_of_windows_are_rounded_once(values, one, other):
    lo, hi = sorted((min(one, len(values)), min(other, len(values))))
    total = exact.running(np.array(values)).between(np.array([lo]), np.array([hi]))
    assert total.high[0] == math.fsum(values[lo:hi])


@given(
    st.lists(st.floats(-1e300, 1e300) | st.floats(-1e-290, 1e-290), min_size=2, max_size=30),
    st.integers(1, 28),
)
def test_sums_do_not_depend_on_what_was_summed_before(values, cut):
    cut = min(cut, len(values) - 1)
    n = len(values)
    whole = exact.running(np.array(values)).between(np.array([cut]), np.array([n]))
    alone = exact.running(np.array(values[cut:])).between(np.array([0]), np.array([n - cut]))
    assert whole.high[0] == alone.high[0]
    assert whole.low[0] == alone.low[0]


@given(st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=40), st.sampled_from([0.0, 1e6, 1e12]))
def test_deviations_keep_their_digits_on_a_high_level(values, level):
    shifted = [level + v for v in values]
    rows = {"a": [(t, v, GOOD) for t, v in enumerate(shifted)]}
    expression = compile_expression("stddev(a, '1h')", NAMES, every_ns=0)
    found = expression.over(columns(rows), 0, FOREVER).values[-1]
    mean = sum(map(Fraction, shifted)) / len(shifted)
    wanted = math.sqrt(sum((Fraction(v) - mean) ** 2 for v in shifted) / (len(shifted) - 1))
    assert found**2 == pytest.approx(wanted**2, rel=1e-12, abs=1e-30 * level**2 + 1e-300)


def test_numbers_beyond_the_squares_of_floats_make_a_deviation_bad_not_wrong():
    rows = {"a": [(0, 1e200, 0), (S, -1e200, 0), (3 * S, 1.0, 0), (4 * S, 2.0, 0)]}
    expression = compile_expression("stddev(a, '2s')", NAMES, every_ns=0)
    found = expression.over(columns(rows), 0, FOREVER)
    assert [q >= BAD for q in found.quality] == [True, True, True, False]


def test_what_looks_back_waits_for_the_first_sample():
    rows = {"a": [(5 * S, 1.0, GOOD)], "b": [(S, 1.0, GOOD)]}
    for text, code in {
        "prev(a) + b": WAITING,
        "avg(a, '1s') + b": NO_DATA,
        "mean(a, '1s') + b": NO_DATA,
        "delta(a, '1s') + b": NO_DATA,
        "increase(a, '1s') + b": NO_DATA,
        "changed(a) || b < 0": WAITING,
        "duration(a > 0) > duration('1s') || b < 0": WAITING,
    }.items():
        expression = compile_expression(text, NAMES, every_ns=0)
        found = expression.over(columns(rows), 0, FOREVER)
        assert int(found.quality[0]) == code, text


def test_looking_back_follows_single_steps():
    rows = {"a": [(S, 1, 0), (2 * S, 3, 0), (3 * S, 3, BAD), (4 * S, 3, 0), (6 * S, 0, UNCERTAIN)]}
    wanted = {
        "prev(a)": [None, 1, 3, None, 3],
        "changed(a)": [None, True, None, None, True],
        "duration(a > 0)": [0, S, None, 0, 0],
        "stale(a, '2s')": [False] * 5,
    }
    for text, values in wanted.items():
        expression = compile_expression(text, NAMES, every_ns=0)
        found = expression.over(columns(rows), 0, FOREVER)
        shown = [
            None if q >= BAD else v
            for v, q in zip(found.values.tolist(), found.quality, strict=True)
        ]
        assert shown == values, text
    assert found.quality.tolist() == [GOOD] * 5


def test_one_sample_is_its_own_mean():
    expression = compile_expression("mean(a, '5s')", NAMES, every_ns=0)
    found = expression.over({"hall/a": one_sample(S, 7.5)}, 0, FOREVER)
    assert found.values.tolist() == [7.5]
    assert found.quality.tolist() == [INITIAL]
