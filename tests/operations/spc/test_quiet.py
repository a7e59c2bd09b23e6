"""A chart that is given one value at a time stands where one stands that is given all at once."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.operations.expressions.tails import Samples
from lineshaft.operations.spc import Baseline, Kind
from lineshaft.operations.spc.chart import CARRY, Phase
from lineshaft.operations.spc.quiet import completed
from lineshaft.operations.spc.rules import Rule, violations
from lineshaft.operations.spc.settings import ChartTable
from lineshaft.operations.spc.watcher import Kept, Watcher

S = 10**9
PHASES = (
    Phase(start_ns=5 * S, known=Baseline(centre=10.0, sigma=2.0)),
    Phase(start_ns=60 * S, known=Baseline(centre=12.0, sigma=0.5)),
)
values = st.lists(
    st.floats(2, 20) | st.sampled_from([10.0, 12.0, 16.0, math.nan, math.inf]), max_size=120
)


def watcher(kind: Kind, rules: str) -> Watcher:
    chart = ChartTable(name="c", point="line/force", kind=kind, rules=rules)
    return Watcher(chart, lambda _: None, Kept(mark=chart.mark, phases=PHASES))


def samples(times, values) -> dict[str, Samples]:
    bad = np.isnan(values)
    codes = np.where(bad, np.uint32(0x8000_0000), np.uint32(0))
    return {"line/force": Samples(np.array(times), np.array(values, dtype=float), codes)}


@pytest.mark.parametrize("rules", ["nelson", "western-electric"])
@pytest.mark.parametrize("kind", [Kind.I_MR, Kind.EWMA, Kind.CUSUM, Kind.C])
@settings(max_examples=60, deadline=None)
@given(values, st.booleans())
def test_one_by_one_is_the_same_as_all_at_once(kind, rules, values, twice):
    one, other = watcher(kind, rules), watcher(kind, rules)
    times = np.arange(len(values)) * S
    told = []
    for place in range(len(values)):
        told += one.push(samples(times[place : place + 1], values[place : place + 1]))
        if twice:  # what comes again is late, and nothing else
            told += one.push(samples(times[place : place + 1], values[place : place + 1]))
    whole = other.push(samples(times, values)) if values else []
    assert list(map(repr, told)) == list(map(repr, whole))
    assert repr(one.chart.state) == repr(other.chart.state)
    assert one.standing.late == (len(values) if twice else 0)
    for field in other.standing.__struct_fields__:
        if field != "late":
            assert repr(getattr(one.standing, field)) == repr(getattr(other.standing, field))


@given(st.lists(st.floats(-4, 4) | st.just(math.nan), min_size=1, max_size=CARRY + 1))
def test_patterns_of_the_last_value_are_those_of_columns(z):
    rules = tuple(Rule)
    table = violations(np.array(z[-1:]), rules, np.array(z[:-1]))
    assert completed(z, rules) == [r for r, on in zip(rules, table[:, 0], strict=True) if on]
