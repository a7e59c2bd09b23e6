"""Charts: few rows that look like all of them, extremes in place, gaps seen as gaps."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.core.clock import NS_PER_S
from lineshaft.core.point import Kind, Point
from lineshaft.historian.query import Chart, Filter, Query, While, charts, lttb

T0 = 1_760_000_000 * NS_PER_S
BAD, NO_DATA = 0x8000_0000, 0x809B_0000
OIL = Point(path="press/oil")
STATE = Point(path="press/state", kind=Kind.ENUM, names={"0": "Idle", "1": "Executing"})
JOB = Point(path="press/job", kind=Kind.TEXT)


def query(seconds, path="press/oil", start=T0, filter_=None, **chart):
    return Query(
        points=(path,),
        start=str(start),
        stop=str(start + int(seconds * NS_PER_S)),
        do=Chart(**chart),
        filter=filter_ or Filter(),
    )


async def curve(asked, wanted):
    curves = await asked.questions.curves(asked.questions.plan(wanted))
    return curves.series[0]


def wave(n, step_s=1.0, path="press/oil"):
    rng = np.random.default_rng(1)
    values = np.cumsum(rng.normal(size=n)).round(3)
    return [(path, T0 + int(i * step_s * NS_PER_S), float(v)) for i, v in enumerate(values)]


async def test_few_samples_come_as_they_are(history):
    rows = wave(50)
    async with history(OIL) as asked:
        await asked.add(rows, settle=True)
        found = await curve(asked, query(100, samples_max=60))
    assert (found.form, found.count, found.column_ms, found.usual_ms) == ("raw", 50, 0, 1000)
    assert found.time_ms == [t / 1e6 for _, t, _ in rows]
    assert found.value == [v for _, _, v in rows]


@pytest.mark.parametrize("method", ["minmax", "lttb"])
async def test_many_samples_become_few_with_both_ends(history, method):
    rows = wave(5000)
    async with history(OIL) as asked:
        await asked.add(rows, settle=True)
        found = await curve(asked, query(10_000, samples_max=200, method=method))
    known = {(t / 1e6, v) for _, t, v in rows}
    pairs = list(zip(found.time_ms, found.value, strict=True))
    assert (found.form, found.count) == (method, 5000)
    assert 80 <= len(pairs) <= 200
    assert set(pairs) <= known
    assert pairs[0] == (rows[0][1] / 1e6, rows[0][2])
    assert pairs[-1] == (rows[-1][1] / 1e6, rows[-1][2])
    assert pairs == sorted(pairs)


async def test_a_shape_of_very_many_samples_is_chosen_from_extremes(history):
    rows = wave(5000)
    async with history(OIL) as asked:
        await asked.add(rows, settle=True)
        with patch.object(charts, "SHAPED_MAX", 1000):
            found = await curve(asked, query(5000, samples_max=100, method="lttb"))
    pairs = list(zip(found.time_ms, found.value, strict=True))
    assert (found.form, found.count, len(pairs)) == ("lttb", 5000, 100)
    assert set(pairs) <= {(t / 1e6, v) for _, t, v in rows}
    assert (pairs[0][1], pairs[-1][1]) == (rows[0][2], rows[-1][2])


async def test_every_extreme_of_a_column_stands_at_its_true_time(history):
    rows = wave(5000)
    async with history(OIL) as asked:
        await asked.add(rows, settle=True)
        found = await curve(asked, query(5000, samples_max=200))
    width = found.column_ms * 1e6
    pairs = set(zip(found.time_ms, found.value, strict=True))
    columns = {}
    for _, t, v in rows:
        columns.setdefault(t // width, []).append((t / 1e6, v))
    for inside in columns.values():
        low, high = min(v for _, v in inside), max(v for _, v in inside)
        assert next(p for p in inside if p[1] == low) in pairs
        assert next(p for p in inside if p[1] == high) in pairs


async def test_a_silence_is_a_gap_whether_samples_are_few_or_many(history):
    rows = wave(4000)
    rows = rows[:1000] + rows[2000:]
    async with history(OIL) as asked:
        await asked.add(rows, settle=True)
        few = await curve(asked, query(4000, samples_max=4000))
        many = await curve(asked, query(4000, samples_max=300))
        shape = await curve(asked, query(4000, samples_max=300, method="lttb"))
        never = await curve(asked, query(4000, samples_max=300, gap_s=0))
        wide = await curve(asked, query(4000, samples_max=300, gap_s=3000))
    assert [c.form for c in (few, many, shape)] == ["raw", "minmax", "lttb"]
    for found in (few, many, shape):
        (at,) = [i for i, v in enumerate(found.value) if v is None]
        assert found.quality[at] == NO_DATA
        assert found.time_ms[at] == (T0 + 1000 * NS_PER_S) / 1e6  # when the next one was due
    assert None not in never.value
    assert None not in wide.value


async def test_a_bad_sample_breaks_the_line_until_the_next_good_one(history):
    rows = wave(4000)
    rows[1000:2000] = [(rows[1000][0], rows[1000][1], None, BAD)]
    async with history(OIL) as asked:
        await asked.add(rows, settle=True)
        few = await curve(asked, query(4000, samples_max=4000))
        many = await curve(asked, query(4000, samples_max=300))
    for found in (few, many):
        (at,) = [i for i, v in enumerate(found.value) if v is None]
        assert (found.quality[at], found.time_ms[at]) == (BAD, rows[1000][1] / 1e6)


async def test_worst_quality_of_a_column_stands_on_its_rows(history):
    rows = wave(4000)
    uncertain = [
        (p, t, v, 0x4000_0000 if 1000 <= i < 1003 else 0) for i, (p, t, v) in enumerate(rows)
    ]
    async with history(OIL) as asked:
        await asked.add(uncertain)
        found = await curve(asked, query(4000, samples_max=300))
    doubtful = [t for t, q in zip(found.time_ms, found.quality, strict=True) if q]
    assert 1 <= len(doubtful) <= 4
    assert all(abs(t - rows[1001][1] / 1e6) <= 2 * found.column_ms for t in doubtful)


async def test_a_state_has_no_gaps_but_bad_ones(history):
    rows = [("press/state", T0 + t * NS_PER_S, v) for t, v in ((0, 0), (1, 1), (2, 0), (900, 1))]
    async with history(STATE) as asked:
        await asked.add(rows)
        found = await curve(asked, query(1000, "press/state"))
    assert found.value == [0, 1, 0, 1]


async def test_texts_come_as_they_are_and_say_when_there_are_more(history):
    rows = [("press/job", T0 + t * NS_PER_S, f"J{t}") for t in range(20)]
    async with history(JOB) as asked:
        await asked.add(rows)
        found = await curve(asked, query(1000, "press/job", samples_max=8))
        all_ = await curve(asked, query(1000, "press/job", samples_max=20))
    assert (found.value, found.truncated) == ([f"J{t}" for t in range(8)], True)
    assert (len(all_.value), all_.truncated) == (20, False)


async def test_bounds_lead_the_line_in_from_outside(history):
    async with history(OIL) as asked:
        await asked.add(wave(100))
        start = T0 + 10 * NS_PER_S
        found = await curve(asked, query(20, start=start, bounds=True))
        many = await curve(asked, query(80, start=start, bounds=True, samples_max=20))
    assert found.time_ms == [(T0 + i * NS_PER_S) / 1e6 for i in range(9, 31)]
    assert (many.form, len(many.value) <= 20) == ("minmax", True)
    assert many.time_ms[0] == (T0 + 9 * NS_PER_S) / 1e6
    assert many.time_ms[-1] == (T0 + 90 * NS_PER_S) / 1e6


async def test_bounds_break_no_line_between_columns(history):
    noise = np.random.default_rng(1).normal(size=4000)
    rows = [("press/oil", T0 + i * NS_PER_S, float(v)) for i, v in enumerate(noise)]
    async with history(OIL) as asked:
        await asked.add(rows, settle=True)
        start = T0 + 50 * NS_PER_S
        found = await curve(asked, query(3900, start=start, bounds=True, samples_max=60))
    assert (found.form, None in found.value) == ("minmax", False)


@pytest.mark.parametrize("samples_max", [100, 5000])
async def test_what_does_not_pass_the_filter_breaks_the_line(history, samples_max):
    rows = wave(4000)
    async with history(OIL, STATE) as asked:
        await asked.add(rows, settle=True)
        await asked.add([
            ("press/state", T0, 1),
            ("press/state", T0 + 1000 * NS_PER_S, 0),
            ("press/state", T0 + 3000 * NS_PER_S, 1),
        ])  # fmt: skip
        only = Filter(whiles=(While(point="press/state", value="Executing"),))
        found = await curve(asked, query(4000, filter_=only, samples_max=samples_max))
    seen = [t for t, v in zip(found.time_ms, found.value, strict=True) if v is not None]
    inside = [t for t in seen if T0 + 1000 * NS_PER_S <= t * 1e6 < T0 + 3000 * NS_PER_S]
    assert not inside
    assert len(seen) > 30
    assert None in found.value


async def test_a_point_without_samples_has_an_empty_line(history):
    async with history(OIL, STATE) as asked:
        await asked.add([("press/state", T0, 1)])
        found = await curve(asked, query(10))
    assert (found.form, found.time_ms, found.count) == ("raw", [], 0)


@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 2000),
            st.floats(-1e6, 1e6),
            st.sampled_from([0, 0, 0, 0, 0x4000_0000, BAD]),
        ),
        max_size=150,
        unique_by=lambda r: r[0],
    ),
    samples_max=st.integers(8, 60),
    method=st.sampled_from(["minmax", "lttb"]),
    gap_s=st.sampled_from([None, 0.0, 1e-9, 5e-8]),
    start=st.integers(0, 300),
)
async def test_a_line_is_never_too_long_and_never_invents(
    made, rows, samples_max, method, gap_s, start
):
    async with made("memory", OIL) as asked:
        if rows:
            await asked.add([("press/oil", T0 + t * NS_PER_S, v, q) for t, v, q in rows])
        wanted = query(
            2001 - start, start=T0 + start * NS_PER_S, samples_max=samples_max, method=method,
            gap_s=gap_s and gap_s * 1e9,
        )  # fmt: skip
        found = await curve(asked, wanted)
    inside = sorted(r for r in rows if r[0] >= start)
    good = [(t, v) for t, v, q in inside if not q & BAD]
    times = [t * 1e6 for t in found.time_ms]
    assert len(times) <= samples_max
    assert len(set(times)) == len(times)
    assert times == sorted(times)
    shown = [
        (round((t - T0) / 1e9), v) for t, v in zip(times, found.value, strict=True) if v is not None
    ]
    assert set(shown) <= set(good)
    assert found.count == len(inside)
    if good:
        assert shown[0] == good[0]
        assert shown[-1] == good[-1]
    if good and found.form != "lttb":
        values = [v for _, v in good]
        assert {min(values), max(values)} <= {v for _, v in shown}


# ---- shape


@settings(max_examples=100)
@given(
    values=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=200), samples_max=st.integers(2, 50)
)
def test_a_shape_keeps_both_ends_and_rises(values, samples_max):
    time_ns = np.arange(len(values), dtype=np.int64) * 1000
    found = lttb.chosen(time_ns, np.array(values), samples_max)
    assert len(found) == min(len(values), max(samples_max, 2))
    assert (found[0], found[-1]) == (0, len(values) - 1)
    assert (np.diff(found) > 0).all()


def test_a_shape_keeps_the_lonely_peak():
    values = np.zeros(10_000)
    values[4321] = 1.0
    assert 4321 in lttb.chosen(np.arange(10_000), values, 50)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=20), st.integers(0, 500))
def test_pieces_share_the_room(lengths, more):
    room = 2 * len(lengths) + more
    found = lttb.shared(np.array(lengths), room)
    assert int(found.sum()) <= max(room, 0)
    assert (found <= lengths).all()
    assert (found >= np.minimum(lengths, 2)).all()
