import math

import numpy as np
import pytest

from lineshaft.core.errors import Invalid
from lineshaft.operations.spc.capability import Spec, capability, chi_square, of_machine
from lineshaft.operations.spc.memory import Cusum, Ewma
from lineshaft.operations.spc.rules import WESTERN_ELECTRIC, Rule, violations
from lineshaft.operations.spc.study import in_a_row

CASES = {
    # name of the rule: (values, indexes of the points that complete it)
    "NELSON_1": ([0, 3, 3.1, -3.1], [2, 3]),
    "NELSON_2": ([0.1] * 9 + [-0.1] + [-0.2] * 8, [8, 17]),
    "NELSON_3": ([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.5], [5, 6]),
    "NELSON_4": ([0.5, -0.5] * 7 + [0.5, 0.6], [13, 14]),
    "NELSON_5": ([2.1, 0, 2.1, 0, 0, -2.1, -2.2, 2.3], [2, 6]),
    "NELSON_6": ([1.1, 1.1, 0, 1.1, 1.1, 0, -1.1], [4]),
    "NELSON_7": ([0.9, -0.9, 0.1] * 5 + [1.1], [14]),
    "NELSON_8": ([1.1, -1.1] * 4 + [0], [7]),
    "WESTERN_1": ([3, -3.1], [1]),
    "WESTERN_2": ([2.1, 2.1, 0, 2.1], [1, 3]),
    "WESTERN_3": ([-1.1] * 3 + [0, -1.1], [4]),
    "WESTERN_4": ([-0.1] * 8 + [0.1], [7]),
}


@pytest.mark.parametrize("rule", list(Rule), ids=lambda r: r.name)
def test_each_rule_marks_the_point_that_completes_its_pattern(rule):
    values, expected = CASES[rule.name]
    (found,) = violations(np.array(values, dtype=float), [rule])
    assert np.flatnonzero(found).tolist() == expected


@pytest.mark.parametrize("rule", [Rule.NELSON_2, Rule.NELSON_3, Rule.NELSON_7, Rule.WESTERN_4])
def test_a_bad_value_breaks_a_run(rule):
    values = list(np.array(CASES[rule.name][0], dtype=float))
    values[3] = math.nan
    assert not violations(np.array(values[:10]), [rule]).any()


def _mean_run(chart, shift: float, runs: int, seed: int) -> float:
    """Mean number of values to a signal, beginning anew after each."""
    source, lengths, seen = np.random.default_rng(seed), 0, 0
    while seen < runs:
        values = source.normal(shift, 1, 1 << 16)
        signals = np.flatnonzero(chart.push(values)[2])
        seen += len(signals)
        lengths += len(values)
    return lengths / seen


@pytest.mark.parametrize(
    ("decision", "shift", "published"),
    # Montgomery, Introduction to Statistical Quality Control; Hawkins (1993)
    [
        *((4, 0, 168), (4, 0.5, 26.6), (4, 1, 8.38), (4, 2, 3.34)),
        *((5, 0, 465), (5, 0.5, 38.0), (5, 1, 10.4), (5, 2, 4.01)),
    ],
)
def test_cusum_runs_as_long_as_published(decision, shift, published):
    found = _mean_run(Cusum(0.5, decision), shift, 16_000 if shift else 8_000, 7)
    assert found == pytest.approx(published, rel=0.02)


@pytest.mark.parametrize(("shift", "published"), [(0, 500), (0.5, 41.8), (1, 10.5), (2, 3.7)])
def test_ewma_runs_as_long_as_published(shift, published):
    # Lucas and Saccucci (1990), λ = 0.2, L = 2.962, limits of the steady state
    lengths, source = [], np.random.default_rng(3)
    values = source.normal(shift, 1, 1_200_000 if shift else 5_000_000)
    at, step = 0, {0: 600, 0.5: 60}.get(shift, 20)
    chart = Ewma(0.2, 2.962, exact=False)
    before = 0
    while len(lengths) < 8000 and at < len(values) - 2000:
        if not before:
            chart = Ewma(0.2, 2.962, exact=False)
        part = chart.push(values[at : at + step])[2]
        found = np.flatnonzero(part)
        if found.size:
            lengths.append(before + found[0] + 1)
            at, before = at + int(found[0]) + 1, 0
        else:
            at, before = at + len(part), before + len(part)
    assert np.mean(lengths) == pytest.approx(published, rel=0.02)


def test_western_electric_rules_run_as_long_as_published():
    # Champ and Woodall (1987): 91.75 values between false alarms, all four rules
    z = np.random.default_rng(11).normal(0, 1, 1_200_000)
    marked = violations(z, WESTERN_ELECTRIC).any(axis=0)
    at, lengths = 0, []
    spots = np.flatnonzero(marked)
    while at < len(z) - 4000:
        # The rules begin anew after a signal: look again from there.
        near = spots[np.searchsorted(spots, at)]
        first = np.flatnonzero(violations(z[at : near + 30], WESTERN_ELECTRIC).any(axis=0))
        if not first.size:
            first = np.flatnonzero(violations(z[at : at + 4000], WESTERN_ELECTRIC).any(axis=0))
        lengths.append(int(first[0]) + 1)
        at += lengths[-1]
    assert np.mean(lengths) == pytest.approx(91.75, rel=0.02)


def test_three_sigma_limits_ring_as_often_as_they_must():
    z = np.random.default_rng(5).normal(0, 1, 20_000_000)
    found = violations(z, [Rule.NELSON_1]).sum()
    assert len(z) / found == pytest.approx(370.4, rel=0.02)


@pytest.mark.parametrize("chart", [Ewma, Cusum])
def test_where_a_stream_is_cut_changes_no_digit_of_charts_with_memory(chart):
    z = np.random.default_rng(2).normal(0.7, 1, 500)
    z[100] = math.nan
    whole, parts = chart().push(z), chart()
    pieces = [parts.push(z[a : a + 7]) for a in range(0, 500, 7)]
    for column in range(3):
        np.testing.assert_array_equal(np.concatenate([p[column] for p in pieces]), whole[column])


def test_nist_cusum_example_signals_where_it_is_printed():
    # NIST/SEMATECH e-Handbook, 6.3.2.3.1: target 325, k = 0.3175, h = 4.1959, sigma 0.635 units
    values = [324.925, 324.675, 324.725, 324.350, 325.350, 325.225, 324.125, 324.525, 325.225]
    values += [324.600, 324.625, 325.150, 328.325, 327.250, 327.825, 328.500, 326.675, 327.775]
    values += [326.875, 328.350]
    ups, _, signals = Cusum(0.3175, 4.1959).push(np.array(values) - 325)
    assert ups[12] == pytest.approx(3.01, abs=0.01)
    assert int(np.flatnonzero(signals)[0]) == 13  # the fourteenth group
    assert ups[13] == pytest.approx(4.94, abs=0.01)


def test_nist_ewma_example_has_its_printed_averages():
    # NIST/SEMATECH e-Handbook, 6.3.2.4: λ = 0.3, target 50, s = 2.0539
    values = [52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5]
    levels, limits, signals = Ewma(0.3, 3, exact=False).push((np.array(values) - 50) / 2.0539)
    printed = [50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33]
    assert (levels * 2.0539 + 50).round(2).tolist() == pytest.approx(printed, abs=0.011)
    assert 50 + limits[-1] * 2.0539 == pytest.approx(52.5884, abs=1e-3)
    assert not signals.any()


@pytest.mark.parametrize(
    ("probability", "freedom", "printed"),
    # NIST/SEMATECH e-Handbook, 1.3.6.7.4
    [
        (0.95, 10, 18.307),
        (0.975, 50, 71.420),
        (0.025, 20, 9.591),
        (0.05, 1, 0.004),
        (0.99, 100, 135.807),
    ],
)
def test_chi_square_quantiles_are_those_of_the_table(probability, freedom, printed):
    assert chi_square(probability, freedom) == pytest.approx(printed, abs=6e-4)


def test_nist_capability_example():
    # NIST/SEMATECH e-Handbook, 6.1.6: USL 20, LSL 8, mean 16, s 2
    done = capability(Spec(lower=8, upper=20), mean=16, within=2, overall=2, count=50)
    assert done.cp is not None
    assert done.cp.value == 1
    assert done.cpk.value == pytest.approx(0.6667, abs=1e-4)
    assert done.cp.low < done.cp.value < done.cp.high
    # Half the interval of Cpk: 1.96·√(1/(9·50) + 0.6667²/(2·49))
    assert done.cpk.high - done.cpk.value == pytest.approx(0.1610, abs=1e-3)


def test_one_sided_specifications_have_no_cp():
    done = capability(Spec(upper=20), mean=16, within=2, overall=4, count=50)
    assert done.cp is None
    assert (done.cpk.value, done.ppk.value) == (pytest.approx(2 / 3), pytest.approx(1 / 3))


def test_the_machine_indices_take_mean_and_deviation_of_its_sample():
    # ISO 22400-2: Cm = (USL − LSL) / 6s; Cmk = min(USL − x̄, x̄ − LSL) / 3s
    spec, sample = Spec(lower=8, upper=20), 16 + 2 * np.tile([-1.0, 1.0], 25)
    s = math.sqrt(50 * 4 / 49)
    process = capability(spec, mean=14, within=3, overall=3, count=500)
    done = of_machine(process, spec, sample)
    assert done.cm is not None
    assert done.cmk is not None
    assert done.cm.value == pytest.approx(12 / (6 * s))
    assert done.cmk.value == pytest.approx(4 / (3 * s))
    assert done.cmk.low < done.cmk.value < done.cmk.high
    assert (done.cp, done.ppk) == (process.cp, process.ppk)
    one_sided = of_machine(process, Spec(upper=20), sample)
    assert (one_sided.cm, one_sided.cmk.value) == (None, pytest.approx(4 / (3 * s)))
    assert of_machine(process, spec, sample[1:]) == process, "49 values are too few"
    assert of_machine(process, spec, np.full(60, 16.0)) == process, "no spread"


def test_a_machine_is_judged_by_its_newest_values_in_a_row():
    times, values = np.arange(300) * 10, np.arange(300.0)
    assert in_a_row(times, values).tolist() == values[200:].tolist()
    bad = np.where(values == 240, np.nan, values)
    assert in_a_row(times, bad).tolist() == values[241:].tolist()
    later = np.where(times >= 2600, times + 1000, times)
    assert in_a_row(later, bad).tolist() == values[140:240].tolist(), "a pause ends a row"
    assert in_a_row(times[:49], values[:49]).tolist() == []
    assert in_a_row(times[:0], values[:0]).tolist() == []
    groups = times + 100_000 * (np.arange(300) // 5)
    assert in_a_row(groups, values).tolist() == [], "five now and then are not in a row"


@pytest.mark.parametrize("given", [{"within": 0}, {"count": 1}, {"spec": Spec()}])
def test_capability_of_nothing_is_refused(given):
    given = {"spec": Spec(lower=0), "within": 1, "count": 9} | given
    with pytest.raises(Invalid):
        capability(given.pop("spec"), mean=1, overall=1, **given)
