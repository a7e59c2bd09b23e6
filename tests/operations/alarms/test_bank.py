import itertools
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.operations.alarms.bank import Bank, Thresholds

FIELDS = ("time_ns", "channel", "on")


def thresholds(*rows) -> Thresholds:
    limit, above, dead_band, on_ns, off_ns = zip(*rows, strict=True)
    return Thresholds(
        limit=np.array(limit, dtype=float),
        above=np.array(above),
        dead_band=np.array(dead_band, dtype=float),
        on_ns=np.array(on_ns, dtype=np.int64),
        off_ns=np.array(off_ns, dtype=np.int64),
    )


def push(bank: Bank, *samples):
    channel, time_ns, value = zip(*samples, strict=True) if samples else ((), (), ())
    done = bank.push(
        np.array(channel, dtype=np.intp),
        np.array(time_ns, dtype=np.int64),
        np.array(value, dtype=float),
    )
    return told(done)


def told(done) -> list[tuple[int, int, bool]]:
    return list(zip(*(getattr(done, f).tolist() for f in FIELDS), strict=True))


def test_a_value_above_its_limit_is_told_at_once_without_delay():
    bank = Bank(thresholds((80, True, 0, 0, 0)))
    assert push(bank, (0, 1, 80.0), (0, 2, 80.1), (0, 3, 80.0)) == [(2, 0, True), (3, 0, False)]


def test_a_low_limit_looks_downward():
    bank = Bank(thresholds((10, False, 1, 0, 0)))
    assert push(bank, (0, 1, 9.0), (0, 2, 10.5), (0, 3, 11.0)) == [(1, 0, True), (3, 0, False)]


def test_inside_the_dead_band_nothing_changes():
    bank = Bank(thresholds((80, True, 5, 0, 0)))
    assert push(bank, (0, 1, 79.0)) == []
    assert push(bank, (0, 2, 81.0), (0, 3, 76.0)) == [(2, 0, True)]
    assert push(bank, (0, 4, 75.0)) == [(4, 0, False)]


def test_a_condition_shorter_than_its_delay_is_not_told():
    bank = Bank(thresholds((80, True, 0, 10, 0)))
    assert push(bank, (0, 1, 81.0), (0, 10, 79.0)) == []
    assert push(bank, (0, 20, 81.0), (0, 30, 79.0)) == [(30, 0, True), (30, 0, False)]


def test_a_delay_ends_with_the_sample_that_ends_the_condition_however_they_are_cut():
    bank = Bank(thresholds((80, True, 0, 10, 5)))
    assert push(bank, (0, 1, 81.0)) == []
    assert push(bank, (0, 11, 70.0)) == [(11, 0, True)]
    assert push(bank, (0, 16, 70.0)) == [(16, 0, False)]


def test_a_delay_ends_by_time_when_no_sample_comes():
    bank = Bank(thresholds((80, True, 0, 10, 5)))
    assert push(bank, (0, 1, 81.0)) == []
    assert told(bank.tick(10)) == []
    assert told(bank.tick(11)) == [(11, 0, True)]
    assert push(bank, (0, 20, 70.0)) == []
    assert told(bank.tick(30)) == [(25, 0, False)]
    assert told(bank.tick(40)) == []


def test_a_value_that_is_no_number_changes_nothing():
    bank = Bank(thresholds((80, True, 0, 0, 0)))
    assert push(bank, (0, 1, 81.0), (0, 2, math.nan)) == [(1, 0, True)]


def test_what_comes_too_late_is_left_out_and_counted():
    bank = Bank(thresholds((80, True, 0, 0, 0)))
    push(bank, (0, 5, 1.0))
    assert push(bank, (0, 5, 90.0), (0, 4, 90.0)) == []
    assert bank.late == 2


ROWS = [(2, True, 0, 0, 0), (2, True, 2, 3, 0), (2, False, 1, 0, 4), (3, True, 1, 2, 2)]
VALUES = st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, math.nan])


def naive(samples) -> list[tuple[int, int, bool]]:
    """One channel after another, one sample after another."""
    found = []
    for n, (limit, above, band, on_ns, off_ns) in enumerate(ROWS):
        raw = out = False
        since = -math.inf
        for _, time, value in sorted(s for s in samples if s[0] == n):
            beyond = (value - limit) * (1 if above else -1)
            now = True if beyond > 0 else False if beyond <= -band else raw
            due = since + (on_ns if raw else off_ns)
            if raw != out and time >= due:
                out = raw
                found.append((due, n, out))
            if now != raw:
                raw, since = now, time
            due = since + (on_ns if raw else off_ns)
            if raw != out and time >= due:
                out = raw
                found.append((due, n, out))
    return sorted(found)


@given(
    st.lists(st.tuples(st.integers(0, 3), VALUES), max_size=60),
    st.lists(st.integers(0, 60), max_size=8),
    st.lists(st.integers(1, 3), min_size=60, max_size=60),
)
def test_it_tells_what_a_walk_sample_by_sample_tells_however_it_is_cut(rows, cuts, steps):
    times = np.cumsum(steps).tolist()
    samples = [(c, times[i], v) for i, (c, v) in enumerate(rows)]
    bank, found = Bank(thresholds(*ROWS)), []
    edges = [0, *sorted(min(c, len(samples)) for c in cuts), len(samples)]
    for a, b in itertools.pairwise(edges):
        found += push(bank, *reversed(samples[a:b]))
    assert sorted(found) == naive(samples)
    assert bank.late == 0
