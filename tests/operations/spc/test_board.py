"""Charts at work: what they tell live, after any restart, and on history."""

import asyncio
import itertools

import msgspec
import numpy as np
import pytest
from hypothesis import Phase as Phases
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.operations.spc.boards import (
    COUNT,
    ORDER,
    POINT,
    STATE,
    STROKES,
    T0,
    Hall,
    S,
    forces,
    hall,
)

from lineshaft.core.access import SYSTEM, Action, Identity
from lineshaft.core.batch import Batch
from lineshaft.core.errors import Denied, Invalid, Missing
from lineshaft.core.point import Kind as PointKind
from lineshaft.core.point import Point
from lineshaft.operations.spc import Baseline, Kind, past
from lineshaft.operations.spc.chart import Phase
from lineshaft.operations.spc.rules import Rule
from lineshaft.operations.spc.settings import ChartTable, Learn, PhaseTable, Subgroup
from lineshaft.operations.spc.watcher import Standing, chart_of, walked

KNOWN = PhaseTable(centre=100.0, sigma=1.0)
FORCE = ChartTable(name="force", point=POINT, phases=(KNOWN,), rules="nelson")


def level(values) -> list[float]:
    return [100.0 + v for v in values]


async def backtest(found: Hall, chart: ChartTable) -> list[tuple]:
    """What the same chart tells of the whole history."""
    phases = await past.resolved(found.store, chart, found.names.find)
    stop = T0 + 100_000 * S
    plotted, exact = await past.plot(found.store, chart, found.names.find, phases, T0, stop)
    assert exact
    marks = chart_of(chart, phases).marks
    _, told = walked(marks, Standing(), plotted)
    return [(f"spc.{h.what}", h.time_ns, h.marks) for h in told]


async def test_a_violation_and_the_return_are_on_record_with_rule_and_values(tmp_path):
    async with hall(tmp_path, FORCE) as found:
        await found.bring(forces(level([0.1, -0.2, 3.2, 1.5])))
        await found.bring(forces(level([9.0]), start_s=4))
        assert await found.told() == [
            ("spc.phase_started", T0, ()),
            ("spc.violated", T0 + 2 * S, ("nelson-1",)),
            ("spc.returned", T0 + 3 * S, ()),
            ("spc.violated", T0 + 4 * S, ("nelson-1", "nelson-5", "spread")),
        ]
        newest = (await found.records.events(kind="spc", newest_first=True))[0].event
        assert newest.path == POINT
        assert newest.data["value"] == 109
        assert newest.data["spread"] == pytest.approx(7.5)


async def test_the_state_is_a_point_that_alarms_can_watch(tmp_path):
    chart = msgspec.structs.replace(FORCE, rules=(Rule.NELSON_1,))
    async with hall(tmp_path, chart) as found:
        await found.bring(forces(level([0, 3.3, 3.2, 0.3])))
        rows = [row for batch in _outs(found) for row in batch.rows()]
        assert {r.point for r in rows} == {"acme/press/force_out"}
        assert [(r.time_ns - T0, r.value) for r in rows] == [(0, 0), (S, 1), (3 * S, 0)]
        assert found.names.find("acme/press/force_out").kind is PointKind.BOOLEAN


def _outs(found: Hall):
    while (batch := found.board.ledger.outs.get_nowait()) is not None:
        yield batch


CHARTS = {
    "i-mr": FORCE,
    "xbar-r": msgspec.structs.replace(FORCE, kind=Kind.XBAR_R, size=3),
    "xbar-s by time": msgspec.structs.replace(
        FORCE, kind=Kind.XBAR_S, size=4, subgroup=Subgroup.TIME, every_s=7.0
    ),
    "ewma": msgspec.structs.replace(FORCE, kind=Kind.EWMA),
    "cusum of subgroups": msgspec.structs.replace(FORCE, kind=Kind.CUSUM, size=2),
    "running only": msgspec.structs.replace(FORCE, when="state == 1", names={"state": STATE}),
    "of an order": msgspec.structs.replace(
        FORCE, kind=Kind.XBAR_R, size=3, subgroup=Subgroup.CHANGE, by=ORDER
    ),
    "u": ChartTable(
        name="force",
        point=POINT,
        kind=Kind.U,
        size_point=COUNT,
        phases=(PhaseTable(centre=2.0), PhaseTable(start="1970-01-12T13:47:10Z", centre=1.0)),
    ),
    "each stroke": ChartTable(
        name="force",
        point=STROKES,
        expression="force",
        when="changed(strokes)",
        names={"force": POINT},
        phases=(KNOWN,),
    ),
}
POINTS = (
    Point(path=POINT, source="press"),
    Point(path=STROKES, source="press", kind=PointKind.INTEGER),
    Point(path=STATE, source="press", kind=PointKind.ENUM),
    Point(path=ORDER, source="mes", kind=PointKind.TEXT),
    Point(path=COUNT, source="press"),
)


def shop(seed: int) -> list[tuple]:
    """Samples of all points in the order of their times, as tuples."""
    source = np.random.default_rng(seed)
    rows: list[tuple] = []
    for second in range(60):
        time_ns = T0 + second * S
        if second % 20 == 0:
            rows.append((ORDER, time_ns, f"order {second // 20}"))
        if second % 9 == 0:
            rows += [(STATE, time_ns, 1 if second % 27 == 0 else 0)]
        rows.append((STROKES, time_ns, second * 2 // 3))
        rows.append((COUNT, time_ns, float(source.integers(20, 60))))
        bad = source.random() < 0.05
        value = 100 + source.normal(0, 1.7)
        rows.append((POINT, time_ns, None if bad else value, 0x8000_0000 if bad else 0))
    return rows


@pytest.mark.parametrize("kind", CHARTS)
@given(cuts=st.lists(st.integers(0, 260), max_size=8), seed=st.integers(0, 50))
@settings(max_examples=12, deadline=None, phases=[Phases.explicit, Phases.reuse, Phases.generate])
def test_live_is_what_history_gives_however_the_stream_is_cut(kind, cuts, seed):
    chart = CHARTS[kind]

    async def go() -> None:
        async with hall(None, chart, points=POINTS, kept=False) as found:
            rows = shop(seed)
            edges = [0, *sorted(min(c, len(rows)) for c in cuts), len(rows)]
            for begin, end in itertools.pairwise(edges):
                if end > begin:
                    await found.bring(Batch.of_rows(rows[begin:end]))
            await found.board.tick()
            told = await found.told()
            assert told == await backtest(found, chart)
            assert told
            assert found.standing("force").late == 0

    asyncio.run(go())


@pytest.mark.parametrize("saved", [True, False])
@pytest.mark.parametrize("kind", ["i-mr", "xbar-s by time", "running only"])
async def test_a_restart_at_any_place_loses_nothing_and_doubles_nothing(tmp_path, kind, saved):
    chart, rows = CHARTS[kind], shop(3)
    for cut in (20, 90):
        folder = tmp_path / f"{cut}"
        folder.mkdir()
        async with hall(folder, chart, points=POINTS, now=T0) as found:
            await found.bring(Batch.of_rows(rows[:cut]))
            await found.board.tick(save=saved)
            # Stored, and never judged: the process ends between the two.
            await found.store.append(Batch.of_rows(rows[cut : cut + 15]))
        async with hall(folder, chart, points=POINTS) as found:
            # Not confirmed, so it comes once more.
            await found.bring(Batch.of_rows(rows[cut - 9 :]))
            await found.board.tick()
            told = await found.told()
            assert told == await backtest(found, chart)
            assert len(told) == len(set(told)) > 2


async def test_late_samples_are_left_out_and_counted(tmp_path):
    async with hall(tmp_path, FORCE) as found:
        await found.bring(forces(level([0, 0, 0]), start_s=10))
        await found.bring(forces(level([9.0, 9.0]), start_s=5))
        standing = found.standing("force")
        assert (standing.late, standing.marks, standing.plotted) == (2, (), 3)
        # On request history is computed with them.
        assert ("spc.violated", T0 + 5 * S, ("nelson-1",)) in await backtest(found, FORCE)


async def test_a_chart_that_is_new_goes_on_from_history_and_tells_nothing_of_it(tmp_path):
    async with hall(tmp_path) as found:
        await found.bring(forces(level([0.5] * 8)))
        await found.board.define(SYSTEM, FORCE)
        assert await found.told() == []
        assert found.standing("force").plotted == 8
        await found.bring(forces(level([0.5]), start_s=8))
        assert ("spc.violated", T0 + 8 * S, ("nelson-2",)) in await found.told()


async def test_a_baseline_is_learned_from_history_once(tmp_path):
    learn = Learn(start="1970-01-12T13:46:40Z", stop="1970-01-12T13:48:20Z")
    chart = msgspec.structs.replace(FORCE, phases=(PhaseTable(learn=learn),))
    values = np.random.default_rng(1).normal(50, 2, 100)
    async with hall(tmp_path, chart, points=[Point(path=POINT)]) as found:
        assert "at least 20" in found.board.view_of(chart).trouble
        await found.bring(forces(values))
        await found.join()
        (phase,) = found.board.view_of(chart).phases
        assert phase.start_ns == T0 + 100 * S
        assert phase.known.centre == pytest.approx(values.mean())
        assert found.board.view_of(chart).trouble == ""
        await found.store.delete([POINT], T0, T0 + 100 * S)
    async with hall(tmp_path, chart) as found:
        assert found.board.view_of(chart).phases == (phase,)


async def test_a_change_that_judges_alike_keeps_the_state(tmp_path):
    async with hall(tmp_path) as found:
        await found.board.define(SYSTEM, FORCE)
        await found.bring(forces(level([0.5] * 5)))
        await found.board.define(SYSTEM, msgspec.structs.replace(FORCE, usl=105.0))
        assert found.standing("force").plotted == 5
        view = await found.board.define(SYSTEM, msgspec.structs.replace(FORCE, rules=()))
        assert (view.chart.rules, view.standing.plotted) == ((), 5)


async def test_charts_made_at_run_time_stay_and_go(tmp_path):
    async with hall(tmp_path) as found:
        await found.board.define(SYSTEM, FORCE)
        await found.bring(forces(level([4.5])))
    async with hall(tmp_path) as found:
        (view,) = found.board.views(SYSTEM)
        assert view.standing.marks == ("nelson-1",)
        await found.board.remove(SYSTEM, "force")
        assert found.board.views(SYSTEM) == []
    async with hall(tmp_path) as found:
        assert found.board.views(SYSTEM) == []


@pytest.mark.parametrize("kind", [PointKind.TEXT, PointKind.JSON])
async def test_a_chart_of_what_is_no_number_plots_nothing_and_says_so(tmp_path, kind):
    async with hall(tmp_path, FORCE, points=[Point(path=POINT, kind=kind)]) as found:
        await found.bring(Batch.of_rows([(POINT, T0, "99999999999999999999")]))
        told = f"chart 'force' wants numbers, {POINT!r} has {kind.value}"
        (view,) = found.board.views(SYSTEM)
        assert (view.trouble, view.standing.plotted) == (told, 0)
        assert found.board.problems() == [told]
        found.names.declare([Point(path=POINT)])
        assert found.board.problems() == []


async def test_a_chart_says_that_nobody_has_named_its_point(tmp_path):
    async with hall(tmp_path, FORCE) as found:
        assert "nobody has named" in found.board.views(SYSTEM)[0].trouble
        await found.bring(forces(level([0.1])))
        assert found.board.views(SYSTEM)[0].trouble == ""


async def test_integers_that_stand_in_text_are_plotted_as_numbers(tmp_path):
    phase = PhaseTable(centre=2.0**60, sigma=2.0**50)
    chart = ChartTable(name="count", point=POINT, phases=(phase,), rules="nelson")
    values = [2**60, 5.0, 2**60 + 2**50]
    async with hall(tmp_path, chart, points=[Point(path=POINT, kind=PointKind.INTEGER)]) as found:
        samples = [(POINT, T0 + n * S, v) for n, v in enumerate(values)]
        await found.bring(Batch.of_rows(samples))
        assert [t for t in await found.told() if t[0] == "spc.violated"] == [
            ("spc.violated", T0 + S, ("nelson-1", "spread"))
        ]
        assert found.standing("count").value == float(values[-1])
        assert await backtest(found, chart) == await found.told()


async def test_charts_of_the_file_are_changed_in_the_file(tmp_path):
    async with hall(tmp_path, FORCE) as found:
        with pytest.raises(Invalid, match="settings file"):
            await found.board.define(SYSTEM, FORCE)
        with pytest.raises(Invalid, match="settings file"):
            await found.board.remove(SYSTEM, "force")
        await found.board.reload([])
        assert found.board.views(SYSTEM) == []


async def test_who_may_not_see_a_point_sees_no_chart_of_it(tmp_path):
    viewer = Identity(name="li", actions=frozenset({Action.LOOK}))
    elsewhere = Identity(name="wu", actions=frozenset(Action), branches=("acme/saw",))
    reads = msgspec.structs.replace(
        FORCE, name="peep", point="acme/saw/speed", when="f > 0", names={"f": POINT}
    )
    async with hall(tmp_path, FORCE) as found:
        assert found.board.views(elsewhere) == []
        with pytest.raises(Missing):
            found.board.book.known(elsewhere, "force")
        with pytest.raises(Denied):
            await found.board.define(viewer, msgspec.structs.replace(FORCE, name="mine"))
        with pytest.raises(Missing):
            await found.board.define(elsewhere, reads)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": " "}, "characters"),
        ({"kind": Kind.XBAR_R}, "size"),
        ({"kind": Kind.P}, "size_point"),
        ({"size": 5}, "size"),
        ({"subgroup": Subgroup.CHANGE}, "subgroups by change"),
        ({"lsl": 3.0, "usl": 2.0}, "usl"),
        ({"phases": (PhaseTable(centre=1.0),)}, "sigma"),
        ({"phases": (PhaseTable(),)}, "centre"),
        ({"kind": Kind.NP, "size": 9, "phases": (PhaseTable(centre=1.5),)}, "centre 1.5"),
        ({"phases": (KNOWN, KNOWN)}, "no start"),
        ({"when": "force >"}, "wanted a value"),
        ({"when": "force + 1"}, "bool"),
        ({"expression": "speed"}, "speed"),
    ],
)
async def test_a_chart_that_cannot_be_drawn_is_refused(tmp_path, change, told):
    async with hall(tmp_path) as found:
        with pytest.raises(Invalid, match=told):
            await found.board.define(SYSTEM, msgspec.structs.replace(FORCE, **change))
        assert found.board.views(SYSTEM) == []


async def test_a_new_phase_is_told_and_forgets_the_patterns_before_it(tmp_path):
    later = PhaseTable(start="1970-01-12T13:46:45Z", centre=101.0, sigma=1.0)
    chart = msgspec.structs.replace(FORCE, phases=(KNOWN, later))
    async with hall(tmp_path, chart) as found:
        await found.bring(forces(level([1.5] * 9)))
        told = await found.told()
        assert [k for k, *_ in told].count("spc.phase_started") == 2
        assert found.standing("force").phase == 1
        assert not any("nelson-2" in marks for *_, marks in told)


async def test_history_too_long_to_read_is_still_drawn_and_said_to_be_inexact(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(past, "WARM_ROWS", 50)
    chart = msgspec.structs.replace(FORCE, kind=Kind.XBAR_R, size=2)
    async with hall(tmp_path, kept=False) as found:
        await found.bring(forces(level([0.0] * 400)))
        phases = (Phase(start_ns=0, known=Baseline(centre=100.0, sigma=1.0, size=2)),)
        plotted, exact = await past.plot(
            found.store, chart, found.names.find, phases, T0 + 300 * S, T0 + 400 * S
        )
        assert (len(plotted), exact) == (50, False)


@pytest.mark.parametrize("kind", CHARTS)
async def test_a_part_of_a_span_is_drawn_as_the_whole_is(kind):
    chart = CHARTS[kind]
    async with hall(None, points=POINTS, kept=False) as found:
        await found.store.append(Batch.of_rows(shop(5)))
        phases = await past.resolved(found.store, chart, found.names.find)
        ask = (found.store, chart, found.names.find, phases)
        whole, _ = await past.plot(*ask, T0, T0 + 60 * S)
        for start_s in (1, 17, 39, 58):
            part, exact = await past.plot(*ask, T0 + start_s * S, T0 + 60 * S)
            kept = whole.time_ns >= T0 + start_s * S
            assert exact
            for field in past.Plotted.__struct_fields__:
                expected = getattr(whole, field)[..., kept]
                np.testing.assert_array_equal(getattr(part, field), expected)


@pytest.mark.parametrize("every_s", [1e-12, 1e20, 1e300])
def test_an_interval_that_no_clock_can_count_is_refused(every_s):
    table = {"name": "force", "point": POINT, "subgroup": "time", "every_s": every_s}
    with pytest.raises(msgspec.ValidationError, match="every_s"):
        msgspec.convert(table, ChartTable)


async def test_windows_on_sparse_samples_over_months_are_plotted_to_the_end(tmp_path):
    day = 86_400
    chart = msgspec.structs.replace(FORCE, expression="avg(force, '40d')")
    async with hall(tmp_path, now=T0 + 200 * day * S) as found:
        values = [100.0 + n % 3 for n in range(60)]
        await found.store.append(forces(values, step_s=day))
        phases = (Phase(start_ns=0, known=Baseline(centre=100.0, sigma=1.0)),)
        start = T0 + 55 * day * S
        plotted, exact = await past.plot(
            found.store, chart, found.names.find, phases, start, start + 100 * day * S
        )
        wanted = [np.mean(values[max(n - 39, 0) : n + 1]) for n in range(55, 60)]
        assert plotted.value.tolist() == pytest.approx(wanted)
        assert not exact
