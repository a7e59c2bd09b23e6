"""Raw samples: as they are stored, in pages, side by side, filtered."""

from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import Invalid, Missing
from lineshaft.core.point import Kind, Point
from lineshaft.historian.query import At, Filter, Last, Query, Raw, Shape, While, single, wide

T0 = 1_760_000_000 * NS_PER_S
BAD = 0x8000_0000
UNCERTAIN = 0x4000_0000
OIL, SPEED = Point(path="press/oil"), Point(path="press/speed")
STATE = Point(path="press/state", kind=Kind.ENUM, names={"0": "Idle", "1": "Executing"})
JOB = Point(path="press/job", kind=Kind.TEXT)
SPAN = {"start": str(T0), "stop": str(T0 + 1000 * NS_PER_S)}


def rows_of(path, *values, step=NS_PER_S):
    return [(path, T0 + i * step, v) for i, v in enumerate(values)]


async def test_raw_samples_come_point_by_point_in_the_order_asked_for(history):
    async with history(OIL, SPEED, JOB) as asked:
        await asked.add(rows_of("press/oil", 1.0, 2.0), settle=True)
        await asked.add([*rows_of("press/job", "A", "B"), ("press/speed", T0, 7.0, UNCERTAIN)])
        found = await asked.rows(
            Query(points=("press/speed", "press/job", "press/oil", "press/job"), **SPAN)
        )
    assert found == [
        ("press/speed", T0, 7.0, UNCERTAIN),
        ("press/job", T0, "A", 0),
        ("press/job", T0 + NS_PER_S, "B", 0),
        ("press/oil", T0, 1.0, 0),
        ("press/oil", T0 + NS_PER_S, 2.0, 0),
    ]


async def test_a_branch_stands_for_all_points_below(history):
    async with history(OIL, SPEED, Point(path="saw/speed")) as asked:
        await asked.add(rows_of("press/oil", 1.0) + rows_of("press/speed", 2.0))
        await asked.add(rows_of("saw/speed", 3.0))
        found = await asked.rows(Query(branch="press", points=("press/speed",), **SPAN))
    assert [r[0] for r in found] == ["press/speed", "press/oil"]


async def pages(asked, query):
    """All rows, and how many pages they came in."""
    found, cursor, count = [], "", 0
    while True:
        answer = await asked.answer(_with(query, cursor), paged=True)
        part = [b async for b in answer.batches]
        rows = sum(b.num_rows for b in part)
        assert rows <= query.limit
        found += [r for b in part for r in b.to_pylist()]
        cursor, count = answer.cursor, count + 1
        if not cursor:
            return found, count


def _with(query, cursor):
    fields = {n: getattr(query, n) for n in query.__struct_fields__}
    return Query(**{**fields, "cursor": cursor})


@pytest.mark.parametrize("shape", [Shape.LONG, Shape.WIDE])
@settings(max_examples=15)
@given(
    sizes=st.lists(st.integers(0, 12), min_size=1, max_size=20),
    limit=st.integers(1, 30),
    low=st.none() | st.integers(0, 12),
)
async def test_pages_together_are_the_whole_answer(made, shape, sizes, limit, low):
    points = [Point(path=f"p/{i:02}") for i in range(len(sizes))]
    rows = [
        (p.path, T0 + k, float(k)) for p, n in zip(points, sizes, strict=True) for k in range(n)
    ]
    query = Query(branch="p", shape=shape, limit=limit, filter=Filter(low=low), **SPAN)
    async with made("memory", *points) as asked:
        if rows:
            await asked.add(rows)
        whole = (await (await asked.answer(query)).table()).to_pylist()
        found, _ = await pages(asked, query)
    assert found == whole
    if shape is Shape.LONG:
        assert len(found) == sum(1 for r in rows if low is None or r[2] >= low)


async def test_a_page_asks_of_the_same_span_as_the_first(history):
    async with history(OIL) as asked:
        await asked.add(rows_of("press/oil", *map(float, range(10))))
        query = Query(points=("press/oil",), start=str(T0), stop="now", limit=4)
        first = await asked.answer(query, paged=True)
        _ = [b async for b in first.batches]
        second = asked.questions.plan(_with(query, first.cursor))
    assert (second.start_ns, second.stop_ns) == (first.start_ns, first.stop_ns)


async def test_bounds_are_the_neighbours_outside(history):
    async with history(OIL, SPEED) as asked:
        await asked.add(rows_of("press/oil", *map(float, range(10))), settle=True)
        await asked.add([("press/speed", T0 - NS_PER_S, 5.0), ("press/speed", T0 + 10**12, 6.0)])
        span = {"start": str(T0 + 2 * NS_PER_S), "stop": str(T0 + 4 * NS_PER_S)}
        found = await asked.rows(
            Query(points=("press/speed", "press/oil"), do=Raw(bounds=True), **span)
        )
    assert [(p[6:], v) for p, _, v, _ in found] == [
        ("speed", 5.0), ("speed", 6.0), ("oil", 1.0), ("oil", 2.0), ("oil", 3.0), ("oil", 4.0)
    ]  # fmt: skip


async def test_the_last_sample_is_the_newest_or_the_newest_before_the_stop(history):
    async with history(OIL, SPEED) as asked:
        await asked.add(rows_of("press/oil", 1.0, 2.0, 3.0) + rows_of("press/speed", 4.0))
        await asked.add([("press/oil", T0 + 3 * NS_PER_S, None, BAD)])
        newest = await asked.rows(Query(branch="press", do=Last()))
        early = await asked.rows(
            Query(branch="press", do=Last(before=True), start="0", stop=str(T0 + NS_PER_S))
        )
        usable = await asked.rows(Query(branch="press", do=Last(), filter=Filter(quality="usable")))
    assert [(v, q) for _, _, v, q in newest] == [(None, BAD), (4.0, 0)]
    assert [v for _, _, v, _ in early] == [1.0, 4.0]
    assert [v for _, _, v, _ in usable] == [3.0, 4.0]


# ---- side by side


def beside(rows, paths, join, start):
    """The naive way: for each time, what each point has then."""
    known = {(p, t): (None if q & BAD else v) for p, t, v, q in rows}
    times = sorted({t for _, t, _, _ in rows if t >= start})
    found = []
    for time in times:
        line = []
        for path in paths:
            if join == "exact":
                line.append(known.get((path, time)))
            else:
                before = [t for p, t in known if p == path and t <= time]
                line.append(known[path, max(before)] if before else None)
        if join != "lead" or (paths[0], time) in known:
            found.append((time, *line))
    return found


ROW = st.tuples(
    st.sampled_from(["a", "b", "c"]),
    st.integers(-5, 40).map(lambda t: T0 + t),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from([0, 0, UNCERTAIN, BAD]),
)


@settings(max_examples=40)
@given(
    rows=st.lists(ROW, max_size=60, unique_by=lambda r: r[:2]),
    join=st.sampled_from(["exact", "asof", "lead"]),
    cells_max=st.integers(1, 20),
    slice_max=st.integers(1, 20),
)
async def test_points_stand_side_by_side_as_a_naive_join_says(
    made, rows, join, cells_max, slice_max
):
    limits = {"CELLS_MAX": cells_max, "SLICE_ROWS_MAX": slice_max}
    paths = ("c", "a", "b")
    async with made("memory", *(Point(path=p) for p in paths)) as asked:
        if rows:
            await asked.add(rows)
        with patch.multiple(wide, **limits):
            found = await asked.rows(Query(points=paths, shape=Shape.WIDE, join=join, **SPAN))
    assert found == beside(rows, paths, join, T0)


async def test_texts_and_qualities_have_columns_too(history):
    async with history(OIL, JOB) as asked:
        await asked.add([("press/oil", T0, 1.0, UNCERTAIN), ("press/job", T0 + 1, "A7")])
        answer = await asked.answer(Query(branch="press", shape=Shape.WIDE, qualities=True, **SPAN))
        table = await answer.table()
    assert table.column_names == [
        "time", "press/job", "press/job quality", "press/oil", "press/oil quality"
    ]  # fmt: skip
    assert [list(r.values())[1:] for r in table.to_pylist()] == [
        [None, None, 1.0, UNCERTAIN],
        ["A7", 0, None, None],
    ]


# ---- filters


async def test_rows_are_kept_by_value_and_quality(history):
    async with history(OIL) as asked:
        await asked.add(rows_of("press/oil", 1.0, 2.0, float("nan"), "strange", 3.0))
        await asked.add([("press/oil", T0 + 9, 2.5, BAD), ("press/oil", T0 + 8, 2.6, UNCERTAIN)])

        async def values(**wanted):
            query = Query(points=("press/oil",), filter=Filter(**wanted), **SPAN)
            return [v for _, _, v, _ in await asked.rows(query)]

        assert await values(low=2.0) == [2.6, 2.5, 2.0, 3.0]
        assert await values(low=2.0, high=2.6) == [2.6, 2.5, 2.0]
        assert await values(high=2.5, quality="good") == [1.0, 2.0]
        assert await values(low=2.1, quality="usable") == [2.6, 3.0]
        assert await values(quality="bad") == [2.5]


async def test_rows_are_kept_while_another_point_is_in_a_state(history):
    async with history(OIL, STATE) as asked:
        await asked.add(rows_of("press/oil", *map(float, range(10))), settle=True)
        half = NS_PER_S // 2
        await asked.add([
            ("press/state", T0 - NS_PER_S, 1),
            ("press/state", T0 + 2 * NS_PER_S, 0),
            ("press/state", T0 + 5 * NS_PER_S - half, 1),
            ("press/state", T0 + 6 * NS_PER_S, 1),
            ("press/state", T0 + 8 * NS_PER_S - half, None, BAD),
        ])  # fmt: skip

        async def values(is_, value):
            filter_ = Filter(whiles=(While(point="press/state", is_=is_, value=value),))
            query = Query(points=("press/oil",), filter=filter_, **SPAN)
            return [v for _, _, v, _ in await asked.rows(query)]

        assert await values("=", "Executing") == [0, 1, 5, 6, 7]
        assert await values("!=", 1) == [2, 3, 4]
        assert await values("<", True) == [2, 3, 4]
        with pytest.raises(Invalid, match="no value named 'Running'") as error:
            await values("=", "Running")
    assert "Idle, Executing" in error.value.remedy


# ---- at times


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 30), st.integers(-9, 9), st.sampled_from([0, 0, 0, BAD])),
        max_size=12,
        unique_by=lambda r: r[0],
    ),
    wanted=st.lists(st.integers(-3, 33), min_size=1, max_size=8),
    stepped=st.booleans(),
    held=st.integers(1, 4),
)
async def test_values_at_times_are_held_or_on_the_line(made, rows, wanted, stepped, held):
    async with made("memory", OIL) as asked:
        if rows:
            await asked.add([("press/oil", T0 + t, float(v), q) for t, v, q in rows])
        times = tuple(str(T0 + t) for t in wanted)
        query = Query(points=("press/oil",), do=At(times=times, stepped=stepped))
        with patch.object(single, "HELD_MAX", held):
            found = await asked.rows(query)
    assert [r[1] - T0 for r in found] == wanted
    for time, (_, _, value, quality) in zip(wanted, found, strict=True):
        assert (value, quality) == at(sorted(rows), time, stepped=stepped), time


def at(rows, time, *, stepped):
    """What stands at a time, said slowly."""
    for t, v, q in rows:
        if t == time:
            return v, q
    before = [r for r in rows if r[0] < time]
    after = [r for r in rows if r[0] > time]
    good_before = [r for r in before if not r[2]]
    good_after = [r for r in after if not r[2]]
    if not good_before:
        return None, 0x809B_0000
    left = good_before[-1]
    sure = left == before[-1] and bool(after)
    value = left[1]
    if not stepped:
        sure = sure and bool(good_after) and after[0] == good_after[0]
        if good_after:
            right = good_after[0]
            part = (time - left[0]) / (right[0] - left[0])
            value = left[1] + (right[1] - left[1]) * part
    return value, 0x402 if sure else 0x40A4_0402


# ---- what cannot be asked


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (Query(), "names no point"),
        (Query(points=("press/oil",), start="now", stop="-1h"), "not before"),
        (Query(points=("press/oil",), do=Last(), shape=Shape.WIDE), "not wide"),
        (Query(points=("press/oil",), do=Raw(bounds=True), shape=Shape.WIDE), "bounds"),
        (Query(points=("press/oil",), cursor="@@"), "not a cursor"),
    ],
)
async def test_what_makes_no_sense_is_said_so(made, query, says):
    async with made("memory", OIL) as asked:
        with pytest.raises(Invalid, match=says) as error:
            asked.questions.plan(query)
    assert error.value.remedy


async def test_a_question_beyond_the_limits_is_refused_with_the_figure(made):
    async with made("memory", OIL, query_rows_max=9) as asked:
        await asked.add(rows_of("press/oil", *map(float, range(10))))
        with pytest.raises(Invalid, match="would read 10 samples, and the limit is 9") as error:
            await asked.answer(Query(points=("press/oil",), **SPAN))
        with pytest.raises(Missing):
            asked.questions.plan(Query(points=("press/none",)))
    assert "query_rows_max" in error.value.remedy
