import functools
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.operations.kpis.formulas import BY_NAME, FORMULAS, figure, figures
from lineshaft.operations.kpis.sums import SECOND_NS, Sums, produced

M = 60 * SECOND_NS
# A shift of 8 h with a break of 30 min: 45 min of set-up, 60 min of delays, 15 min without order,
# 330 min of production at 20 s an item: 891 made, of them 26 scrap and 4 rework.
SHIFT = Sums(
    pot=480 * M,
    pdot=30 * M,
    apt=330 * M,
    aust=45 * M,
    adet=60 * M,
    adot=15 * M,
    sq=26,
    rq=4,
    gp=861,
    ip=891,
    first_pq=900,
    planned_sq=20,
    capacity=1350,
    material=1000,
    integrated=861,
    production_loss=26,
    storage_loss=3,
    other_loss=2,
    throughput=900,
    inventory=300,
    att=10 * M,
    aqt=30 * M,
    apwt=420 * M,
    apat=450 * M,
    apmt=20 * M,
    acmt=60 * M,
    tbf=480 * M,
    ttf=420 * M,
    ttr=60 * M,
    failures=3,
    energy_kwh=430.5,
    co2_kg=172.2,
) + produced(pri_s=20, made=891, good=861)

BY_HAND = {
    "oee": 20 * 861 / 27_000,
    "nee": 375 / 450 * (17_820 / 19_800) * (861 / 891),
    "availability": 330 / 450,
    "effectiveness": 17_820 / 19_800,
    "quality": 861 / 891,
    "quality_by_time": 861 / 891,
    "worker_efficiency": 420 / 450,
    "allocation": 435 / 475,
    "throughput_rate": 891 / (475 / 60),
    "allocation_efficiency": 435 / 450,
    "utilisation_efficiency": 330 / 435,
    "setup_ratio": 45 / 375,
    "technical_efficiency": 330 / 390,
    "production_process": 330 / 475,
    "scrap_ratio": 26 / 891,
    "actual_to_planned_scrap": 1.3,
    "rework_ratio": 4 / 891,
    "first_pass_yield": 861 / 891,
    "fall_off": 26 / 900,
    "inventory_turns": 3.0,
    "finished_goods": 0.861,
    "integrated_goods": 0.861,
    "production_loss": 0.026,
    "storage_loss": 0.003,
    "other_loss": 0.002,
    "equipment_load": 0.66,
    "corrective_maintenance": 0.75,
    "mtbf_iso_22400": 2.0,
    "mtbf_semi_e10": 8 / 3,
    "mttf_iso_22400": 1.75,
    "mttf_semi_e10": 7 / 3,
    "mttr_iso_22400": 0.25,
    "mttr_semi_e10": 1 / 3,
    "energy_per_part": 0.5,
    "co2_per_part": 0.2,
}


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f.name)
def test_each_figure_agrees_with_a_hand_calculation(formula):
    assert figure(formula, SHIFT).value == pytest.approx(BY_HAND[formula.name], rel=1e-12)
    assert not figure(formula, SHIFT).doubtful or BY_HAND[formula.name] > 1


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda f: f.name)
def test_a_figure_of_nothing_is_no_figure(formula):
    found = figure(formula, Sums())
    assert found.value is None or formula.name.endswith("iso_22400")


def test_no_failure_is_no_mean_of_semi_but_an_open_interval_of_iso():
    quiet = Sums(tbf=480 * M)
    assert figure(BY_NAME["mtbf_semi_e10"], quiet).value is None
    assert figure(BY_NAME["mtbf_iso_22400"], quiet).value == 8


def test_an_effectiveness_above_one_is_flagged_and_not_clipped():
    fast = Sums(apt=60 * M) + produced(pri_s=20, made=200, good=200)
    found = figure(BY_NAME["effectiveness"], fast)
    assert found.value == pytest.approx(4000 / 3600)
    assert found.doubtful


def test_two_machines_roll_up_by_their_sums_not_by_their_mean():
    slow = Sums(pot=100 * M, apt=10 * M) + produced(pri_s=60, made=10, good=10)
    quick = Sums(pot=300 * M, apt=300 * M) + produced(pri_s=60, made=300, good=300)
    assert figures(slow + quick)["oee"].value == pytest.approx(310 / 400)
    assert pytest.approx(310 / 400) != (0.1 + 1.0) / 2


def test_products_of_different_speed_weigh_by_their_time():
    both = produced(pri_s=1, made=100, good=50) + produced(pri_s=99, made=100, good=100)
    assert figures(both)["quality"].value == 0.75
    assert figures(both)["quality_by_time"].value == pytest.approx(0.995)


spans = st.integers(0, 10**6).map(lambda s: s * SECOND_NS)
quantities = st.integers(0, 10**6)


@st.composite
def shifts(draw) -> Sums:
    apt, aust, adet, adot, pdot = (draw(spans) for _ in range(5))
    made = draw(quantities)
    good = draw(st.integers(0, made))
    pri = draw(st.sampled_from([0.25, 1.0, 20.0]))
    times = Sums(
        pot=apt + aust + adet + adot + pdot, pdot=pdot, apt=apt, aust=aust, adet=adet, adot=adot
    )
    return times + produced(pri_s=pri, made=made, good=good)


@given(shifts())
def test_the_times_are_nested(sums):
    assert sums.pot >= sums.pbt >= sums.aubt >= sums.aupt >= sums.apt
    assert sums.aoet >= sums.aubt


@given(shifts())
def test_oee_times_planned_busy_time_is_the_ideal_time_of_what_is_good(sums):
    found = figures(sums)
    if found["oee"].value is not None:
        assert found["oee"].value * sums.pbt == pytest.approx(sums.ideal_good, rel=1e-12)


@given(shifts())
def test_oee_is_the_product_of_its_three_factors(sums):
    found = figures(sums)
    factors = [found[n].value for n in ("availability", "effectiveness", "quality")]
    if found["oee"].value is not None and None not in factors:
        assert found["oee"].value == pytest.approx(functools.reduce(operator.mul, factors))


@given(st.lists(shifts(), max_size=6), st.randoms())
def test_sums_add_up_in_any_order(parts, random):
    shuffled = list(parts)
    random.shuffle(shuffled)
    first, second = sum(parts, Sums()), sum(shuffled, Sums())
    assert first.pot == second.pot
    assert first.gq == second.gq
    assert first.ideal == pytest.approx(second.ideal)
