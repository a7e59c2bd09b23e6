"""Every kind of chart against an example whose answer is printed; figures against theory."""

import math

import numpy as np
import pytest

from lineshaft.operations.spc import Baseline, Kind
from lineshaft.operations.spc.chart import Chart, Memory, Phase
from lineshaft.operations.spc.constants import constants
from lineshaft.operations.spc.limits import of_groups, of_values, spread_limits, value_limits
from lineshaft.operations.spc.normality import _probability, normality
from lineshaft.operations.spc.rules import WESTERN_ELECTRIC, Rule
from lineshaft.operations.spc.settings import ChartTable
from lineshaft.operations.spc.study import _outside, _within, histogram

# NIST/SEMATECH e-Handbook, 6.3.3.1: defects on 25 wafers.
WAFERS = "16 14 28 16 12 20 10 12 10 17 19 17 14 16 15 13 14 16 11 20 11 19 16 31 13"
# NIST/SEMATECH e-Handbook, 6.3.3.2: share of defective chips in 30 lots of 50.
LOTS = (
    ".24 .30 .16 .20 .08 .14 .32 .18 .28 .20 .10 .12 .34 .24 .44"
    " .16 .20 .10 .26 .22 .40 .36 .48 .30 .18 .24 .14 .26 .18 .12"
)


def column(text: str) -> np.ndarray:
    return np.array(text.split(), dtype=float)


def drawn(kind: Kind, known: Baseline, values, sizes=None, **options):
    chart = Chart(kind, [Phase(start_ns=0, known=known)], **options)
    given = None if sizes is None else np.array(sizes, dtype=float)
    return chart.push(np.arange(len(values)), np.array(values, dtype=float), given)


def test_nist_counts_example_marks_the_wafer_that_it_marks():
    values = column(WAFERS)
    known = of_values(Kind.C, values, None, 1)
    assert known.centre == 16
    done = drawn(Kind.C, known, values, rules=[Rule.NELSON_1])
    assert np.flatnonzero(done.rules[0]).tolist() == [23]
    assert (done.lower[0], done.upper[0]) == (4, 28)


def test_nist_proportions_example_marks_the_lots_that_it_marks():
    counts = column(LOTS) * 50
    known = of_values(Kind.P, counts, np.full(30, 50.0), 1)
    assert known.centre == pytest.approx(0.2313, abs=5e-5)
    done = drawn(Kind.P, known, counts, np.full(30, 50.0), rules=[Rule.NELSON_1])
    assert np.flatnonzero(done.rules[0]).tolist() == [14, 22]
    assert done.upper[0] == pytest.approx(0.4102, abs=1e-4)


def test_numbers_of_one_size_have_the_limits_that_montgomery_prints():
    # Montgomery, Introduction to Statistical Quality Control, np chart: p 0.2313, n 50
    known = of_values(Kind.NP, column(LOTS) * 50, None, 50)
    limits = value_limits(Kind.NP, known)
    assert limits.upper == pytest.approx(20.510, abs=3e-3)
    assert limits.lower == pytest.approx(2.620, abs=3e-3)


def test_rates_have_the_limits_that_montgomery_prints():
    # Montgomery, u chart: 193 nonconformities on 20 samples of 5 computers
    limits = value_limits(Kind.U, Baseline(centre=193 / 100), 5)
    assert limits.upper == pytest.approx(3.79, abs=5e-3)
    assert limits.lower == pytest.approx(0.07, abs=5e-3)


def test_means_and_ranges_have_the_limits_that_montgomery_prints():
    # Montgomery, flow width of a hard-bake process: n 5, grand mean 1.5056, mean range 0.32521
    known = Baseline(centre=1.5056, sigma=0.32521 / constants(5).d2, size=5)
    means, ranges = value_limits(Kind.XBAR_R, known), spread_limits(Kind.XBAR_R, known)
    assert means.upper == pytest.approx(1.69325, abs=1e-3)
    assert means.lower == pytest.approx(1.31795, abs=1e-3)
    assert ranges.upper == pytest.approx(0.68749, abs=1e-3)


def test_means_and_deviations_have_the_limits_that_montgomery_prints():
    # Montgomery, piston rings: n 5, grand mean 74.001, mean deviation 0.0094
    known = Baseline(centre=74.001, sigma=0.0094 / constants(5).c4, size=5)
    means, deviations = value_limits(Kind.XBAR_S, known), spread_limits(Kind.XBAR_S, known)
    assert (round(means.upper, 3), round(means.lower, 3)) == (74.014, 73.988)
    assert deviations.upper == pytest.approx(0.0196, abs=1e-4)


def test_nist_ewma_example_as_a_chart():
    # NIST/SEMATECH e-Handbook, 6.3.2.4: λ = 0.3, target 50, s = 2.0539
    values = [52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5]
    known = Baseline(centre=50, sigma=2.0539)
    done = drawn(Kind.EWMA, known, values, memory=Memory(weight=0.3, width=3))
    assert done.value.round(2).tolist()[:4] == pytest.approx(
        [50.60, 49.52, 50.56, 50.18], abs=0.011
    )
    assert np.isnan(done.spread).all()
    assert not done.rules.any()


def test_nist_cusum_example_as_a_chart_of_subgroup_means():
    # NIST/SEMATECH e-Handbook, 6.3.2.3.1: k = 0.3175 and h = 4.1959 in the unit of the means
    values = [324.925, 324.675, 324.725, 324.350, 325.350, 325.225, 324.125, 324.525, 325.225]
    values += [324.600, 324.625, 325.150, 328.325, 327.250]
    known = Baseline(centre=325, sigma=1.0)
    done = drawn(Kind.CUSUM, known, values, memory=Memory(slack=0.3175, decision=4.1959))
    assert done.value[13] == pytest.approx(4.94, abs=0.01)
    assert np.flatnonzero(done.rules[0]).tolist() == [13]


@pytest.mark.parametrize("kind", [Kind.XBAR_R, Kind.XBAR_S])
def test_subgroups_of_several_sizes_give_back_the_deviation(kind):
    source = np.random.default_rng(8)
    size = source.integers(2, 9, 20_000).astype(float)
    groups = [source.normal(10, 3, int(n)) for n in size]
    spread = [np.ptp(g) if kind is Kind.XBAR_R else g.std(ddof=1) for g in groups]
    means = np.array([g.mean() for g in groups])
    known = of_groups(kind, means, np.array(spread), size, 5)
    assert known.sigma == pytest.approx(3, rel=0.01)
    assert known.centre == pytest.approx(10, rel=0.01)


def test_short_subgroups_have_wider_limits_and_single_values_none():
    known = Baseline(centre=0, sigma=1, size=4)
    chart = Chart(Kind.XBAR_R, [Phase(start_ns=0, known=known)], rules=WESTERN_ELECTRIC)
    keys = np.array([1, 1, 1, 1, 1, 2, 2, 3, 4])
    done = chart.push(np.arange(9), np.arange(9.0), None, keys)
    assert done.size.tolist() == [4, 2]
    assert done.value.tolist() == [1.5, 5.5]
    assert done.upper.tolist() == pytest.approx([1.5, 3 / math.sqrt(2)])


# ---- capability


def test_moving_ranges_are_worth_the_freedom_that_is_told():
    n, source = 40, np.random.default_rng(6)
    runs = source.normal(0, 1, (20_000, n))
    sigmas = np.abs(np.diff(runs, axis=1)).mean(axis=1) / constants(2).d2
    table = ChartTable(name="x", point="x")
    sigma, freedom = _within(table, runs[0], None)
    assert sigma == pytest.approx(sigmas[0])
    assert 1 / (2 * sigmas.var()) == pytest.approx(freedom, rel=0.05)


@pytest.mark.parametrize(("statistic", "level"), [(0.631, 0.10), (0.752, 0.05), (1.035, 0.01)])
def test_the_normality_test_has_the_printed_critical_values(statistic, level):
    # D'Agostino and Stephens (1986), table 4.7, case 3
    assert _probability(statistic) == pytest.approx(level, rel=0.03)


def test_normal_values_are_doubted_as_often_as_the_level_says():
    source = np.random.default_rng(12)
    found = [normality(source.normal(3, 2, 60)).verdict for _ in range(3000)]
    assert found.count("doubtful") / 3000 == pytest.approx(0.05, abs=0.012)
    assert normality(source.exponential(1, 60)).verdict == "doubtful"


@pytest.mark.parametrize("values", [np.ones(50), np.arange(5.0), np.empty(0)])
def test_of_too_little_nothing_is_said(values):
    assert normality(values).verdict == "unknown"


def test_the_share_outside_is_that_of_the_normal_distribution():
    assert _outside(0, 1, -3, 3) == pytest.approx(0.0027, abs=1e-5)
    assert _outside(0, 1, None, 6) == pytest.approx(9.866e-10, rel=1e-3)


def test_a_histogram_counts_every_value_once():
    values = np.random.default_rng(0).normal(0, 1, 1000)
    made = histogram(values)
    assert sum(made.counts) == 1000
    assert len(made.edges) == len(made.counts) + 1
    assert histogram(np.array([2.0, 2.0])).counts == [2]
