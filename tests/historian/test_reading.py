"""Curves: few enough points, in tidy buckets, right sums, texts as they are."""

from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid
from lineshaft.core.plugin import build
from lineshaft.core.point import Kind, Point
from lineshaft.historian.query.charts import column_ns
from lineshaft.historian.reading import Buckets, Raw, Reading, check_buckets
from lineshaft.stores import Store

T0 = 1_700_000_000 * NS_PER_S
OIL, JOB = Point(path="a/oil"), Point(path="a/job", kind=Kind.TEXT)


@asynccontextmanager
async def reading(*rows):
    store = build(Store, {"kind": "memory"})
    async with store.opened():
        if rows:
            await store.append(Batch.of_rows(rows))
        yield Reading(store)


@given(st.integers(1, 10**19), st.integers(2, 5000))
def test_buckets_are_few_enough_wherever_the_span_begins(span, most):
    length = column_ns(span, most)
    assert length >= 10**6
    assert span // length + 1 <= most


@pytest.mark.parametrize(
    ("hours", "seconds"), [(1, 2), (8, 15), (24, 60), (24 * 7, 360), (24 * 365, 21_600)]
)
def test_buckets_have_tidy_lengths(hours, seconds):
    assert column_ns(hours * 3600 * NS_PER_S, 2000) == seconds * NS_PER_S


async def test_samples_come_single_as_long_as_they_are_few():
    rows = [("a/oil", T0 + i * NS_PER_S, float(i)) for i in range(20)]
    async with reading(*rows) as read:
        few = await read.curves([OIL], (T0, T0 + 20 * NS_PER_S), samples_max=20)
        many = await read.curves([OIL], (T0, T0 + 20 * NS_PER_S), samples_max=19)
        raw = await read.curves([OIL], (T0, T0 + 20 * NS_PER_S), samples_max=5, form="raw")
    (one,), (two,), (three,) = few.series, many.series, raw.series
    assert isinstance(one, Raw)
    assert one.value == [float(i) for i in range(20)]
    assert isinstance(two, Buckets)
    assert (two.bucket_ms, sum(two.count)) == (2000.0, 20)
    assert (two.min[0], two.max[0], two.avg[0], two.first[0], two.last[0]) == (0, 1, 0.5, 0, 1)
    assert isinstance(three, Raw)
    assert (len(three.value), three.truncated) == (5, True)


async def test_buckets_can_be_asked_for_with_their_length():
    rows = [("a/oil", T0 + i * NS_PER_S, float(i)) for i in range(20)]
    async with reading(*rows) as read:
        span = (T0, T0 + 20 * NS_PER_S)
        curves = await read.curves([OIL], span, samples_max=9, form="buckets", bucket=10 * NS_PER_S)
        with pytest.raises(Invalid, match="buckets of"):
            await read.curves([OIL], span, samples_max=9, form="buckets", bucket=1000)
    (curve,) = curves.series
    assert isinstance(curve, Buckets)
    assert curve.time_ms == [T0 / 1e6, T0 / 1e6 + 10_000]


async def test_texts_come_as_they_are_and_say_when_there_are_more():
    rows = [("a/job", T0 + i, f"job {i}") for i in range(9)]
    rows += [("a/oil", T0 + i, "strange") for i in range(9)]
    async with reading(*rows) as read:
        curves = await read.curves([JOB, OIL], (T0, T0 + 100), samples_max=4)
    for curve, word in zip(curves.series, ("job 3", "strange"), strict=True):
        assert isinstance(curve, Raw)
        assert (curve.value[-1], len(curve.value), curve.truncated) == (word, 4, True)


async def test_a_point_without_samples_has_an_empty_curve():
    async with reading() as read:
        curves = await read.curves([OIL], (T0, T0 + 100), samples_max=4)
    (curve,) = curves.series
    assert curve.time_ms == []


@pytest.mark.parametrize(
    ("points", "options", "says"),
    [
        ([], {}, "0 points"),
        ([OIL] * 101, {}, "101 points"),
        ([OIL] * 100, {"samples_max": 100_000}, "in all"),
        ([OIL], {"samples_max": 0}, "points_max"),
        ([OIL], {"form": "round"}, "form"),
    ],
)
async def test_what_is_out_of_bounds_is_said_so(points, options, says):
    async with reading() as read:
        with pytest.raises(Invalid, match=says):
            await read.curves(points, (T0, T0 + 1), **{"samples_max": 10, **options})


def test_buckets_are_bounded_over_all_points():
    check_buckets((0, 100_000), 1, 1)
    with pytest.raises(Invalid, match="at most 10000"):
        check_buckets((0, 100_000), 1, 100)
