"""Questions at the edge: odd names, numbers that are none, cursors that nobody gave out."""

import base64
import json

import msgspec
import pytest

from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Kind, Point
from lineshaft.historian.aggregates import Function
from lineshaft.historian.calendar import Interval, Shift, intervals
from lineshaft.historian.query import Aggregate, At, Chart, Filter, Query, Raw, Shape, While
from lineshaft.historian.query.formats import encoded

T0 = 1_760_000_000 * NS_PER_S
SPAN = {"start": str(T0), "stop": str(T0 + 1000 * NS_PER_S)}
OIL = Point(path="press/oil")
ON = Point(path="press/on", kind=Kind.BOOLEAN)
SERIAL = Point(path="press/serial", kind=Kind.INTEGER)
JOB = Point(path="press/job", kind=Kind.TEXT)


async def said(history, query, kind="json"):
    """The answer as it goes over the wire."""
    answer = await history.answer(query, paged=kind == "json")
    data = b"".join([part async for part in encoded(answer, kind)])
    return json.loads(data) if kind == "json" else [json.loads(x) for x in data.splitlines()]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("low", [None, 2.0])
async def test_pages_have_the_bounds_too(history, limit, low):
    saw = Point(path="saw")
    times = [T0 - 5, T0, T0 + 7, T0 + NS_PER_S, T0 + 2 * NS_PER_S]
    rows = [(p, t, float(i)) for p in (OIL.path, saw.path) for i, t in enumerate(times)]
    query = Query(
        points=(saw.path, OIL.path, ON.path),
        start=str(T0),
        stop=str(T0 + 8),
        do=Raw(bounds=True),
        filter=Filter(low=low),
        limit=limit,
    )
    found, cursor = [], ""
    async with history(OIL, saw, ON) as made:
        await made.add(rows)
        whole = [r[:3] for r in await made.rows(query)]
        while True:
            answer = await made.answer(_with(query, cursor=cursor), paged=True)
            table = await answer.table()
            found += zip(
                table.column("point").to_pylist(),
                table.column("time").cast("int64").to_pylist(),
                table.column("value").to_pylist(),
                strict=True,
            )
            cursor = answer.cursor
            if not cursor:
                break
    assert found == whole
    assert len(whole) == (8 if low is None else 4)


def _with(query, **changed):
    return msgspec.structs.replace(query, **changed)


NUMBERS = {Function.COUNT: 3, Function.PERCENT_GOOD: 100.0}


@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize("function", list(NUMBERS))
async def test_what_is_reckoned_of_a_state_is_a_number(history, shape, function):
    do = Aggregate(functions=(function,))
    stop = str(T0 + 3 * NS_PER_S)
    query = Query(points=(ON.path,), start=str(T0), stop=stop, do=do, shape=shape)
    async with history(ON) as made:
        await made.add([(ON.path, T0 + i * NS_PER_S, i != 1) for i in range(4)])
        answer = await said(made, query)
    column = answer["columns"].index("value" if shape is Shape.LONG else ON.path)
    value = answer["rows"][0][column]
    assert type(value) is not bool
    assert value == NUMBERS[function]


async def test_points_may_be_named_as_columns_are(history):
    names = ("value", "text", "quality", "point")
    points = [Point(path=n, kind=Kind.BOOLEAN) for n in names]
    async with history(*points) as made:
        await made.add([(n, T0, True) for n in names])
        wide = Query(points=names, shape=Shape.WIDE, **SPAN)
        answer = await said(made, wide)
        lines = await said(made, wide, "ndjson")
        long = await said(made, Query(points=names, **SPAN))
    assert answer["columns"] == ["time", *names]
    assert answer["rows"][0][1:] == [True] * 4
    assert lines[0] == dict(zip(answer["columns"], answer["rows"][0], strict=True))
    assert [r[2:] for r in long["rows"]] == [[True, 0]] * 4
    assert type(long["rows"][0][3]) is int


async def test_two_columns_of_one_name_are_refused(history):
    async with history(Point(path="time"), OIL) as made:
        with pytest.raises(Invalid, match="'time'"):
            await made.answer(Query(points=("time", OIL.path), shape=Shape.WIDE, **SPAN))


@pytest.mark.parametrize("join", ["exact", "asof", "lead"])
async def test_an_integer_too_large_for_a_number_is_no_hole_in_a_wide_answer(history, join):
    async with history(SERIAL) as made:
        await made.add([(SERIAL.path, T0, "9007199254740993"), (SERIAL.path, T0 + 1, 5)])
        wide = Query(points=(SERIAL.path,), shape=Shape.WIDE, join=join, **SPAN)
        rows = await made.rows(wide)
        at = _with(wide, do=At(times=(str(T0), str(T0 + 1))), join="exact")
        there = await made.rows(at)
    assert [v for _, v in rows] == [9007199254740992.0, 5.0]
    assert [v for _, v in there] == [9007199254740992.0, 5.0]


@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize(
    "mark",
    [
        [10**30, 10**31, OIL.path, 5],
        [T0, 2**63, OIL.path, T0],
        [T0, T0 + 1, OIL.path, -(10**30)],
    ],
)
async def test_a_cursor_beyond_all_time_is_refused(history, shape, mark):
    cursor = base64.urlsafe_b64encode(json.dumps(mark).encode()).decode()
    async with history(OIL) as made:
        with pytest.raises(Invalid, match="not a cursor"):
            await made.answer(Query(points=(OIL.path,), cursor=cursor, shape=shape), paged=True)


async def test_a_mean_of_texts_is_refused_before_anything_is_sent(history):
    do = Aggregate(functions=(Function.AVERAGE,), interval=Interval(every="1m"))
    async with history(OIL, JOB) as made:
        await made.add([(OIL.path, T0, 1.0), (JOB.path, T0, "A7")])
        with pytest.raises(Invalid, match=r"press/job.*Average"):
            await made.answer(Query(points=(OIL.path, JOB.path), do=do, **SPAN))


async def test_infinities_have_no_line_between_them(history):
    inf = float("inf")
    async with history(OIL) as made:
        await made.add([(OIL.path, T0, inf), (OIL.path, T0 + 2, -inf), (OIL.path, T0 + 4, 2.0)])
        do = At(times=(str(T0 + 1), str(T0 + 3), str(T0 + 5)))
        answer = await said(made, Query(points=(OIL.path,), do=do))
    assert [r[2] for r in answer["rows"]] == [None, None, 2.0]


@pytest.mark.parametrize("wanted", [Filter(high=1.0), Filter(quality="good"), Filter(low=1.0)])
async def test_a_chart_that_sifts_is_charged_for_what_it_reads(history, wanted):
    async with history(OIL) as made:
        await made.add([(OIL.path, T0 + i, 1.0) for i in range(100)])
        query = Query(points=(OIL.path,), do=Chart(samples_max=8), filter=wanted, **SPAN)
        assert (await made.questions.cost(made.questions.plan(query))).rows >= 100


async def test_a_condition_said_many_times_is_looked_at_once(history):
    async with history(OIL, ON) as made:
        await made.add([(ON.path, T0 + i, True) for i in range(100)])
        often = Filter(whiles=(While(point=ON.path),) * 100)
        plan = made.questions.plan(Query(points=(OIL.path,), filter=often, **SPAN))
    assert len(plan.conditions) == 1


def test_more_shifts_than_a_week_has_hours_are_refused_at_once():
    shifts = tuple(Shift(name=str(i), start="06:00", stop="14:00") for i in range(200))
    with pytest.raises(Invalid, match="200 shifts"):
        intervals(0, 50 * 365 * 86_400 * NS_PER_S, Interval(shifts=shifts))


@pytest.mark.parametrize(
    ("wanted", "values"),
    [
        (Filter(low=2.0), [5.0, None, 7.0]),
        (Filter(quality="good"), [5.0, 1.0, None]),
        (Filter(whiles=(While(point=ON.path),)), [5.0, 1.0, None]),
    ],
)
async def test_a_value_at_a_time_fits_whatever_else_is_asked_for(history, wanted, values):
    s = NS_PER_S
    times = [T0, T0 + 15 * s, T0 + 30 * s]
    async with history(OIL, ON) as made:
        rows = [(OIL.path, T0, 5.0), (OIL.path, T0 + 10 * s, 1.0), (OIL.path, T0 + 20 * s, 7.0)]
        rows += [(ON.path, T0 - s, True), (ON.path, T0 + 12 * s, True), (ON.path, T0 + 25 * s, 0)]
        await made.add(rows)
        for some in (times, times[:1], times[1:2], times[2:], times[1:]):
            do = At(times=tuple(map(str, some)), stepped=True)
            found = await made.rows(Query(points=(OIL.path,), do=do, filter=wanted))
            assert [r[2] for r in found] == [values[times.index(t)] for t in some]
