import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.errors import Invalid
from lineshaft.operations.spc import Baseline, Kind
from lineshaft.operations.spc.chart import Chart, Phase, Plotted
from lineshaft.operations.spc.constants import constants
from lineshaft.operations.spc.limits import baseline, spread_limits, value_limits
from lineshaft.operations.spc.rules import NELSON, WESTERN_ELECTRIC


@pytest.mark.parametrize(
    ("size", "table"),
    # ASTM E2587 Table 6, as printed
    [
        (2, (1.128, 0.853, 0.7979, 1.880, 3.267, 3.267)),
        (3, (1.693, 0.888, 0.8862, 1.023, 2.575, 2.568)),
        (5, (2.326, 0.864, 0.9400, 0.577, 2.115, 2.089)),
        (10, (3.078, 0.797, 0.9727, 0.308, 1.777, 1.716)),
        (25, (3.931, 0.708, 0.9896, 0.153, 1.541, 1.435)),
    ],
)
def test_constants_are_those_of_the_tables(size, table):
    d2, d3, c4, a2, upper_range, b4 = table
    one = constants(size)
    assert (round(one.d2, 3), round(one.c4, 4)) == (d2, c4)
    assert one.d3 == pytest.approx(d3, abs=6e-4)
    assert one.a2 == pytest.approx(a2, abs=6e-4)
    assert one.upper_range == pytest.approx(upper_range, abs=2e-3)
    assert one.b4 == pytest.approx(b4, abs=1e-3)


def test_a_moving_range_has_the_known_constant():
    assert constants(2).e2 == pytest.approx(1.5 * math.sqrt(math.pi))  # tables print 3 / 1.128


def test_nist_individuals_example_has_its_printed_limits():
    # NIST/SEMATECH e-Handbook, 6.3.2.2, flowrate: 10 values, mean 50.81, mean range 1.8778.
    flow = np.array([49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1])
    known = baseline(Kind.I_MR, flow)
    limits = value_limits(Kind.I_MR, known)
    assert limits.centre == pytest.approx(50.81)
    assert limits.upper == pytest.approx(55.8041, abs=2e-3)
    assert limits.lower == pytest.approx(45.8159, abs=2e-3)
    moving = spread_limits(Kind.I_MR, known)
    assert moving.centre == pytest.approx(1.8778, abs=1e-4)
    assert moving.lower == 0


def test_nist_counts_control_chart_has_its_printed_limits():
    # NIST/SEMATECH e-Handbook, 6.3.3.1: 400 defects on 25 wafers.
    limits = value_limits(Kind.C, Baseline(centre=16.0))
    assert (limits.lower, limits.centre, limits.upper) == (4.0, 16.0, 28.0)


def test_nist_proportions_control_chart_has_its_printed_limits():
    # NIST/SEMATECH e-Handbook, 6.3.3.2: mean share 0.2313 in samples of 50.
    limits = value_limits(Kind.P, Baseline(centre=0.2313), 50)
    assert limits.sigma == pytest.approx(0.0596, abs=1e-4)
    assert limits.upper == pytest.approx(0.4102, abs=1e-4)
    assert limits.lower == pytest.approx(0.0524, abs=1e-4)


def test_counts_of_one_size_and_their_shares_agree():
    known = Baseline(centre=0.1, size=200)
    counts, shares = value_limits(Kind.NP, known), value_limits(Kind.P, known, 200)
    assert counts.upper == pytest.approx(200 * shares.upper)
    assert counts.lower == pytest.approx(200 * shares.lower)


def test_subgroups_give_back_the_deviation_they_were_drawn_with():
    values = np.random.default_rng(1).normal(20, 2, (40_000, 5))
    for kind in (Kind.XBAR_R, Kind.XBAR_S):
        known = baseline(kind, values)
        assert known.sigma == pytest.approx(2, rel=0.01)
        assert known.centre == pytest.approx(20, rel=0.01)


def test_samples_of_several_sizes_are_weighed_by_their_size():
    known = baseline(Kind.P, np.array([1.0, 9.0]), np.array([10.0, 90.0]))
    assert known.centre == 0.1


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Kind.I_MR, [1.0]),
        (Kind.I_MR, [1.0, np.nan]),
        (Kind.XBAR_R, [1.0, 2.0]),
        (Kind.P, [1.0, 2.0]),
    ],
)
def test_a_baseline_of_too_little_is_refused(kind, values):
    with pytest.raises(Invalid):
        baseline(kind, np.array(values))


def _cut(chart: Chart, times, values, cuts) -> list[Plotted]:
    edges = [0, *sorted(cuts), len(values)]
    return [chart.push(times[a:b], values[a:b]) for a, b in itertools.pairwise(edges)]


@pytest.mark.parametrize("kind", [Kind.XBAR_R, Kind.XBAR_S, Kind.I_MR, Kind.C, Kind.NP])
@given(
    values=st.lists(
        st.sampled_from([-4.0, -1.5, -0.5, 0.5, 1.5, 2.5, 4.0, float("nan")]), max_size=80
    ),
    cuts=st.lists(st.integers(0, 80), max_size=6),
    change=st.integers(0, 80),
)
def test_where_a_stream_is_cut_changes_nothing(kind, values, cuts, change):
    column = np.array(values, dtype=float)
    times = np.arange(len(values), dtype=np.int64)
    phases = [
        Phase(start_ns=-1, known=Baseline(centre=0.2, sigma=1, size=3)),
        Phase(start_ns=change, known=Baseline(centre=0.4, sigma=2, size=2)),
    ]
    rules = (*NELSON, *WESTERN_ELECTRIC)
    whole = Chart(kind, phases, rules=rules).push(times, column)
    parts = _cut(
        Chart(kind, phases, rules=rules), times, column, [min(c, len(values)) for c in cuts]
    )
    for field in Plotted.__struct_fields__:
        joined = np.concatenate([getattr(p, field) for p in parts], axis=-1)
        np.testing.assert_array_equal(joined, getattr(whole, field))


def test_a_chart_goes_on_from_its_kept_state():
    phases = [Phase(start_ns=0, known=Baseline(centre=0, sigma=1, size=2))]
    first = Chart(Kind.XBAR_R, phases)
    first.push(np.arange(3), np.array([1.0, 2.0, 3.0]))
    again = Chart(Kind.XBAR_R, phases, state=first.state).push(np.array([3]), np.array([5.0]))
    assert again.value.tolist() == [4.0]
    assert again.time_ns.tolist() == [3]


def test_values_before_the_first_phase_are_not_plotted():
    chart = Chart(Kind.C, [Phase(start_ns=10, known=Baseline(centre=4))])
    assert chart.push(np.arange(12), np.ones(12)).time_ns.tolist() == [10, 11]


def test_phases_out_of_order_are_refused():
    phase = Phase(start_ns=0, known=Baseline(centre=4))
    with pytest.raises(Invalid):
        Chart(Kind.C, [phase, phase])


def test_a_share_chart_widens_for_small_samples():
    chart = Chart(Kind.P, [Phase(start_ns=0, known=Baseline(centre=0.5))])
    done = chart.push(np.arange(2), np.array([5.0, 500.0]), np.array([10.0, 1000.0]))
    assert done.value.tolist() == [0.5, 0.5]
    assert done.upper[0] > done.upper[1]
