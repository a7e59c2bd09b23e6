"""Counters: resets, roll-over, what came before the first sample, names that hold."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.batch import Batch
from lineshaft.core.quality import Quality
from lineshaft.operations.kpis.counting import Counter, Naming, counted


def rises(values, modulus=0.0):
    found = counted(
        np.arange(len(values), dtype=np.int64), np.array(values, dtype=float), modulus=modulus
    )
    return found.rise.tolist(), found.reset.tolist()


@pytest.mark.parametrize(
    ("values", "modulus", "rise", "reset"),
    [
        ([], 0, [], []),
        ([7], 0, [], []),
        ([5, 5, 9], 0, [0, 4], [False, False]),
        ([5, 9, 2, 4], 0, [4, 2, 2], [False, True, False]),
        ([65530, 4], 65536, [10], [False]),
        ([40000, 4], 65536, [25540], [False]),
        # More than half of the modulus is no roll-over but a restart.
        ([30000, 4], 65536, [4], [True]),
        ([65530, 4], 0, [4], [True]),
        # The value was above the modulus: another counter than was said.
        ([70000, 4], 65536, [4], [True]),
        ([5, -3, 2], 0, [0, 5], [True, False]),
    ],
)
def test_what_a_counter_rose_by(values, modulus, rise, reset):
    assert rises(values, modulus) == (rise, reset)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=50), st.integers(0, 1023))
def test_a_counter_that_rolls_over_counts_as_one_that_does_not(steps, start):
    total = np.cumsum([start, *steps])
    assert rises(total % 1024, 1024)[0] == rises(total)[0] == [float(s) for s in steps]


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=50))
def test_with_resets_nothing_is_counted_that_was_not_made(steps):
    value, values, made = 100, [100], 0
    for step, restart in steps:
        value = step if restart else value + step
        made += step
        values.append(value)
    found, resets = rises(values)
    # A restart that already counted past the old value cannot be told; it counts less, never more.
    assert all(r >= 0 for r in found)
    assert sum(found) <= made
    assert sum(resets) <= sum(r for _, r in steps)


def test_bad_samples_and_those_that_are_no_number_count_nothing():
    batch = Batch.of_rows(
        [
            ("c", 1, 10.0),
            ("c", 2, 0.0, Quality.BAD_COMMUNICATION_ERROR),
            ("c", 3, math.nan),
            ("c", 4, 13.0, Quality.UNCERTAIN),
        ]
    )
    counter = Counter(factor=0.5)
    counter.add(batch)
    found = counter.counted()
    assert (found.time_ns.tolist(), found.rise.tolist()) == ([4], [1.5])


def test_a_name_holds_until_the_next_one():
    batch = Batch.of_rows(
        [
            ("o", 10, "A"),
            ("o", 20, "A"),
            ("o", 30, "", 0),
            ("o", 40, "B", Quality.BAD),
            ("o", 50, 7.0),
            ("o", 60, " A "),
        ]
    )
    naming = Naming()
    naming.add(batch)
    found = naming.signal()
    held = [found.names[c] for c in found.at(np.array([5, 10, 29, 30, 49, 50, 60, 99]))]
    assert held == ["", "A", "A", "", "", "7", "A", "A"]
    assert len(found.time_ns) == 4


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=40), st.integers(1, 7))
def test_however_samples_are_cut_into_batches_the_same_is_counted(rows, size):
    whole = [("p", i, float(v), 0 if ok else Quality.BAD) for i, (v, ok) in enumerate(rows)]
    once, often = (Counter(), Naming()), (Counter(), Naming())
    for taker in once:
        taker.add(Batch.of_rows(whole))
    for begin in range(0, len(whole), size):
        for taker in often:
            taker.add(Batch.of_rows(whole[begin : begin + size]))
    found, parts = once[0].counted(), often[0].counted()
    assert all((a == b).all() for a, b in zip(found, parts, strict=True))
    names = once[1].signal(), often[1].signal()
    times = np.arange(len(whole) + 1, dtype=np.int64)
    held = [[s.names[c] for c in s.at(times)] for s in names]
    assert held[0] == held[1]
    good = [(i, v) for i, (v, ok) in enumerate(rows) if ok]
    steps = [b - a if b >= a else b for (_, a), (_, b) in itertools.pairwise(good)]
    assert found.rise.sum() == sum(steps)
