"""Summaries add up: whatever is split, merged or left out, the whole comes out the same."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core import sums
from lineshaft.core.batch import Batch, Sample
from lineshaft.core.summary import SUMMARY_SCHEMA, merge, needed, summarize
from lineshaft.testing.oracle import Oracle, assert_summaries

S = 1_000_000_000
LOW, HIGH = -(2**63), 2**63 - 1
numbers = st.one_of(
    st.integers(-3, 3).map(float), st.floats(-1e6, 1e6), st.just(math.nan), st.just("text")
)
values = st.tuples(numbers, st.sampled_from([0, 0, 0, 0x4000_0000, 0x8000_0000, 0x8005_0000]))
near = st.integers(0, 60)
far = st.one_of(st.integers(LOW, LOW + 5), st.integers(-5, 5), st.integers(HIGH - 5, HIGH - 1))


def rows_at(times):
    key = st.tuples(st.sampled_from("abc"), times)
    return st.dictionaries(key, values, max_size=40).map(
        lambda d: [Sample(p, t, *v) for (p, t), v in sorted(d.items())]
    )


def edges_of(times):
    uniform = st.builds(
        lambda at, width, count: [at + width * i for i in range(count + 1)],
        st.integers(-10, 10),
        st.integers(1, 30),
        st.integers(0, 20),
    )
    return st.one_of(uniform, st.lists(times, max_size=8, unique=True).map(sorted))


def ns(edges):
    return np.array(edges, dtype=np.int64)


def check(rows, edges, columns=()):
    oracle = Oracle()
    oracle.append(rows)
    table = summarize(Batch.of_rows(rows), ns(edges), columns=columns)
    wanted = oracle.summaries([r.point for r in rows], edges)
    if columns:
        assert set(table.schema.names) == {"point", "time_ns", *columns}
        assert table.num_rows == len(wanted)
    else:
        assert table.schema.equals(SUMMARY_SCHEMA)
        assert_summaries(table, wanted)
    return table


@given(rows_at(near), edges_of(near))
def test_summaries_are_those_of_plain_arithmetic(rows, edges):
    check(rows, edges)


@given(rows_at(far), edges_of(far))
def test_times_may_be_as_far_apart_as_there_are(rows, edges):
    check(rows, edges)


@given(rows_at(st.one_of(near, far)), st.lists(near, max_size=5), st.lists(near, max_size=9))
def test_merging_the_parts_gives_the_whole(rows, wide, narrow):
    edges = sorted({*wide, 0, 61})
    fine = sorted({*edges, *narrow})
    batch = Batch.of_rows(rows)
    merged = merge(summarize(batch, ns(fine)), ns(edges))
    oracle = Oracle()
    oracle.append(rows)
    assert_summaries(merged, oracle.summaries([r.point for r in rows], edges))


@given(rows_at(near), st.integers(1, 7))
def test_rows_summed_up_in_chunks_give_the_whole(rows, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "CHUNK", size)
        check(rows, [0, 7, 14, 21, 28, 61])


@given(
    rows_at(near),
    st.lists(st.sampled_from(SUMMARY_SCHEMA.names[2:]), min_size=1, max_size=3, unique=True),
)
def test_columns_asked_for_are_those_of_the_whole(rows, columns):
    batch, edges = Batch.of_rows(rows), ns([0, 10, 20, 61])
    whole = summarize(batch, edges)
    fine = summarize(batch, ns(range(62)))
    for table in (
        summarize(batch, edges, columns=columns),
        merge(fine, edges, columns=columns),
        merge(fine.select(needed(columns)), edges, columns=columns),
    ):
        for name in table.schema.names:
            mine, theirs = table.column(name).to_pylist(), whole.column(name).to_pylist()
            assert mine == pytest.approx(theirs, abs=1e-5) if None not in theirs else True
            assert [m is None for m in mine] == [t is None for t in theirs]


def test_nothing_sums_up_to_nothing():
    for edges in ([], [0], [0, 10]):
        assert summarize(Batch.empty(), ns(edges)).equals(SUMMARY_SCHEMA.empty_table())
        assert merge(SUMMARY_SCHEMA.empty_table(), ns(edges)).num_rows == 0
    check([Sample("a", 5, 1.0)], [0])


def test_infinite_values_stay_where_they_are():
    rows = [Sample("a", i * S, v) for i, v in enumerate([1.0, math.inf, 2.0, -math.inf])]
    table = check(rows, [0, S, 3 * S, 10 * S])
    assert table.column("stepped").to_pylist() == [0.0, math.inf, 0.0]
    whole = merge(table, ns([0, 10 * S])).to_pylist()[0]
    assert whole["max_ns"] == S
    assert math.isinf(whole["stepped"])
    assert math.isnan(whole["sum"])


def test_gap_between_two_summaries_is_known_when_the_end_of_the_first_is():
    rows = [Sample("a", 0, 1.0), Sample("a", 10 * S, 3.0), Sample("a", 20 * S, None, 0x8000_0000)]
    fine = summarize(Batch.of_rows(rows), ns([0, 5 * S, 15 * S, 25 * S]))
    assert fine.column("known_ns").to_pylist() == [0, 0, 0]
    whole = merge(fine, ns([0, 25 * S])).to_pylist()[0]
    assert (whole["stepped"], whole["sloped"]) == (10.0 + 30.0, 20.0 + 30.0)
    assert whole["known_ns"] == 20 * S


def test_tables_of_several_chunks_merge():
    rows = [Sample(p, i * S, float(i)) for p in "ab" for i in range(4)]
    parts = [summarize(Batch.of_rows([r]), ns([0, S, 2 * S, 3 * S, 4 * S])) for r in rows]
    whole = merge(pa.concat_tables(parts), ns([0, 4 * S]))
    assert whole.column("sum").to_pylist() == [6.0, 6.0]
    assert whole.column("point").to_pylist() == ["a", "b"]
