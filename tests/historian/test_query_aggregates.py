"""Aggregates by query: what `compute` says of all samples, whatever was read at a time."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Kind, Point
from lineshaft.historian.aggregates import Function
from lineshaft.historian.aggregates.compute import compute_each
from lineshaft.historian.aggregates.series import Configuration, Series
from lineshaft.historian.calendar import Interval, Shift
from lineshaft.historian.query import Aggregate, Filter, Query, Shape, While, aggregating, summed

T0 = 1_760_000_000 * NS_PER_S
BAD, UNCERTAIN = 0x8000_0000, 0x4000_0000
OIL, SPEED = Point(path="press/oil"), Point(path="press/speed")
STATE = Point(path="press/state", kind=Kind.ENUM, names={"0": "Idle", "1": "Executing"})
JOB = Point(path="press/job", kind=Kind.TEXT)


def ask(seconds, *functions, every="10s", points=("press/oil",), filter_=None, **more):
    shape = more.pop("shape", Shape.LONG)
    return Query(
        points=points,
        start=str(T0),
        stop=str(T0 + seconds * NS_PER_S),
        do=Aggregate(functions=functions, interval=Interval(every=every), **more),
        filter=filter_ or Filter(),
        shape=shape,
    )


async def values(asked, wanted):
    table = await (await asked.answer(wanted)).table()
    return table.column("value").to_pylist()


async def test_each_interval_has_a_row_of_each_function(history):
    async with history(OIL) as asked:
        await asked.add(
            [("press/oil", T0 + t * NS_PER_S, float(t)) for t in range(31)], settle=True
        )
        wanted = ask(30, Function.AVERAGE, Function.COUNT, Function.MAXIMUM_ACTUAL_TIME)
        table = await (await asked.answer(wanted)).table()
    rows = table.to_pylist()
    assert [(r["function"], r["value"]) for r in rows] == [
        ("Average", 4.5), ("Average", 14.5), ("Average", 24.5),
        ("Count", 10), ("Count", 10), ("Count", 10),
        ("MaximumActualTime", 9), ("MaximumActualTime", 19), ("MaximumActualTime", 29),
    ]  # fmt: skip
    seconds = table.column("time").cast("int64").to_numpy() // NS_PER_S - T0 // NS_PER_S
    assert seconds.tolist() == [0, 10, 20, 0, 10, 20, 9, 19, 29]


async def test_points_and_functions_stand_side_by_side(history):
    async with history(OIL, SPEED) as asked:
        await asked.add([("press/oil", T0 + t * NS_PER_S, float(t)) for t in range(20)])
        wanted = ask(20, Function.START, Function.COUNT, points=("press/speed", "press/oil"),
                     shape=Shape.WIDE)  # fmt: skip
        table = await (await asked.answer(wanted)).table()
    assert table.column_names == [
        "time", "stop", "press/speed Start", "press/speed Count", "press/oil Start",
        "press/oil Count",
    ]  # fmt: skip
    assert [list(r.values())[2:] for r in table.to_pylist()] == [
        [None, None, 0, 10],
        [None, None, 10, 10],
    ]


async def test_texts_come_back_and_do_not_calculate(history):
    async with history(JOB) as asked:
        await asked.add([("press/job", T0 + t * NS_PER_S, f"J{t // 7}") for t in range(20)])
        wanted = ask(20, Function.START, Function.NUMBER_OF_TRANSITIONS, points=("press/job",))
        table = await (await asked.answer(wanted)).table()
        with pytest.raises(Invalid, match="Average"):
            await values(asked, ask(20, Function.AVERAGE, points=("press/job",)))
    assert table.column("text").to_pylist() == ["J0", "J1", None, None]
    assert table.column("value").to_pylist()[2:] == [2, 1]  # the very first one counts


async def test_shifts_are_named(history):
    day = 86_400 * NS_PER_S
    start = T0 // day * day
    shifts = (Shift(name="early", start="06:00", stop="14:00"),)
    async with history(OIL) as asked:
        await asked.add([("press/oil", start + h * 3600 * NS_PER_S, float(h)) for h in range(48)])
        do = Aggregate(functions=(Function.AVERAGE,), interval=Interval(shifts=shifts))
        query = Query(points=("press/oil",), start=str(start), stop=str(start + 2 * day), do=do)
        table = await (await asked.answer(query)).table()
    assert table.column("shift").to_pylist() == ["early", "early"]
    assert table.column("value").to_pylist() == [9.5, 33.5]


async def test_only_the_time_in_a_state_counts(history):
    """Oil rises by one a second; the press executes from 3.5 s to 6 s and from 8 s on."""
    async with history(OIL, STATE) as asked:
        await asked.add([("press/oil", T0 + t * NS_PER_S, float(t)) for t in range(-1, 12)])
        await asked.add([
            ("press/state", T0 - NS_PER_S, 0),
            ("press/state", T0 + 35 * NS_PER_S // 10, 1),
            ("press/state", T0 + 6 * NS_PER_S, 0),
            ("press/state", T0 + 8 * NS_PER_S, 1),
        ])  # fmt: skip
        only = Filter(whiles=(While(point="press/state", value="Executing"),))

        async def one(function):
            return (await values(asked, ask(10, function, filter_=only)))[0]

        assert await one(Function.COUNT) == 4  # 4, 5, 8 and 9
        assert await one(Function.AVERAGE) == 6.5
        assert await one(Function.MINIMUM) == 4
        assert await one(Function.DURATION_GOOD) == 4500  # milliseconds
        whole = (6**2 - 3.5**2 + 10**2 - 8**2) / 2
        assert await one(Function.TOTAL_2) == pytest.approx(whole)
        assert await one(Function.TIME_AVERAGE_2) == pytest.approx(whole / 4.5)


ROW = st.tuples(
    st.integers(-40, 140),
    st.integers(-9, 9),
    st.sampled_from([0, 0, 0, UNCERTAIN, BAD]),
)


@given(
    rows=st.lists(ROW, max_size=60, unique_by=lambda r: r[0]),
    read_max=st.integers(1, 40),
    uncertain=st.booleans(),
    sloped=st.booleans(),
    stepped=st.booleans(),
)
async def test_reading_in_parts_changes_nothing(made, rows, read_max, uncertain, sloped, stepped):
    functions = tuple(f for f in Function if f is not Function.ANNOTATION_COUNT)
    options = {
        "treat_uncertain_as_bad": uncertain,
        "sloped_extrapolation": sloped,
        "stepped": stepped,
    }
    rows = sorted(rows)
    series = Series(
        np.array([T0 + t * NS_PER_S for t, _, _ in rows], dtype=np.int64),
        np.array([v for _, v, _ in rows], dtype=np.float64),
        np.array([q for _, _, q in rows], dtype=np.uint32),
    )
    starts = T0 + np.arange(0, 100, 10) * NS_PER_S
    spans = np.stack([starts, starts + 10 * NS_PER_S], axis=1)
    expected = compute_each(functions, series, spans, Configuration(**options))
    async with made("memory", OIL, SPEED) as asked:
        if rows:
            await asked.add([("press/oil", T0 + t * NS_PER_S, float(v), q) for t, v, q in rows])
            await asked.add([("press/speed", T0 + t * NS_PER_S, 1.0) for t in range(5)])
        with patch.object(aggregating, "READ_MAX", read_max):
            wanted = ask(100, *functions, points=("press/speed", "press/oil"), **options)
            table = await (await asked.answer(wanted)).table()
    mine = table.filter(np.array(table.column("point").to_pylist()) == "press/oil")
    for function, want in zip(functions, expected, strict=True):
        got = mine.filter(np.array(mine.column("function").to_pylist()) == function.value)
        value = np.array([np.nan if v is None else v for v in got.column("value").to_pylist()])
        np.testing.assert_array_equal(got.column("quality").to_numpy(), want.status, function.value)
        np.testing.assert_allclose(value, want.value, err_msg=function.value, atol=1e-9)
        times = got.column("time").cast("int64").to_numpy()
        np.testing.assert_array_equal(times, want.time_ns, function.value)


@settings(max_examples=30)
@given(
    rows=st.lists(st.tuples(st.integers(-40, 140), st.integers(-9, 9)), max_size=60,
                  unique_by=lambda r: r[0]),
    odd=st.none() | st.tuples(st.integers(0, 99), st.sampled_from([UNCERTAIN, BAD, 1])),
    stepped=st.booleans(),
    every=st.sampled_from(["10s", "7s", ""]),
)  # fmt: skip
async def test_summaries_tell_what_samples_tell(made, rows, odd, stepped, every):
    functions = tuple(sorted(summed.TOLD, key=lambda f: f.value))
    points = ("press/speed", "press/oil")
    wanted = ask(100, *functions, every=every, points=points, stepped=stepped)
    async with made("memory", OIL, SPEED) as asked:
        if rows:
            await asked.add([("press/oil", T0 + t * NS_PER_S, float(v)) for t, v in rows])
            await asked.add([("press/speed", T0 + t * NS_PER_S, 1.0) for t in range(50)])
        if odd:
            await asked.add([("press/oil", T0 + odd[0] * NS_PER_S, 3.0, odd[1])])
        with patch.object(aggregating, "DENSE_MIN", 0):
            quick = (await (await asked.answer(wanted)).table()).to_pydict()
        with patch.object(summed, "TOLD", frozenset()):
            slow = (await (await asked.answer(wanted)).table()).to_pydict()
    values = [np.array(a.pop("value"), dtype=np.float64) for a in (quick, slow)]
    assert quick == slow
    np.testing.assert_allclose(*values, rtol=1e-9, atol=1e-9)


async def test_too_large_an_interval_is_refused(made):
    async with made("memory", OIL) as asked:
        await asked.add([("press/oil", T0 + t, float(t)) for t in range(30)])
        with (
            patch.multiple(aggregating, READ_MAX=5, INTERVAL_MAX=20),
            pytest.raises(Invalid, match="holds 30 samples, and the limit is 20"),
        ):
            await values(asked, ask(10, Function.AVERAGE))
