"""Frames that are followed live, restarted, late and recomputed are the same."""

from hypothesis import given, note, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.operations.frames.halls import ASSET, BASE, Hall, S, hall, rows_of

from lineshaft.core.access import SYSTEM
from lineshaft.operations.frames.settings import Attribute, Template

RUN = Template(
    name="run",
    assets=(ASSET,),
    begin="on",
    attributes=(
        Attribute(name="program", of="program", take="begin"),
        Attribute(name="mean", of="heat", take="mean"),
        Attribute(name="hottest", of="heat", take="max"),
        Attribute(name="made", of="parts", take="delta"),
    ),
)


async def test_a_frame_opens_closes_and_has_its_values():
    async with hall(RUN) as h:
        await h.bring(("on", 0, False), ("program", 0, "O1"), ("parts", 0, 5), ("heat", 0, 10.0))
        await h.until(5)
        assert await h.found() == []
        await h.bring(("on", 10, True), ("heat", 12, 30.0))
        await h.until(15)
        ((start, end, values),) = await h.found(running=True)
        assert (start, end, values) == (
            10.0, None, {"program": "O1", "mean": 20.0, "hottest": 30.0, "made": 0.0},
        )  # fmt: skip
        await h.bring(("heat", 18, 20.0), ("parts", 20, 8), ("on", 20, False))
        await h.until(30)
        ((start, end, values),) = await h.found()
        assert (start, end) == (10.0, 20.0)
        mean = (2 * 10 + 6 * 30 + 2 * 20) / 10
        assert values == {"program": "O1", "mean": mean, "hottest": 30.0, "made": 3.0}
        kinds = [e.event.kind for e in await h.records.events(kind="frame")]
        assert kinds == ["frame.opened", "frame.closed"]


CYCLE = Template(
    name="cycle",
    assets=("acme/*",),
    begin="parts",
    min_s=0.5,
    max_s=30,
    attributes=(
        Attribute(name="energy", of="heat", take="integral"),
        Attribute(name="least", of="heat", take="min"),
        Attribute(name="n", of="heat", take="count"),
        Attribute(name="up", of="heat", take="increase"),
    ),
)
PROGRAM = Template(
    name="program",
    assets=(ASSET,),
    begin="program",
    attributes=(
        Attribute(name="id", of="program", take="begin"),
        Attribute(name="next", of="program", take="end"),
    ),
)
BATCH = Template(
    name="batch",
    assets=(ASSET,),
    begin="on",
    end="done",
    kind="batch",
    per_minute_max=2,
    attributes=(Attribute(name="warm", of="avg(heat, '3s')", take="end"),),
)
HOT = Template(name="hot", assets=(ASSET,), begin="duration(heat > 5.0) > duration('2s')")
LONG = Template(name="long", assets=(ASSET,), begin="on", min_s=15)
ALL = tuple(replace(t, backfill_s=300) for t in (RUN, CYCLE, PROGRAM, BATCH, HOT, LONG))
times = st.integers(0, 400).map(lambda n: n / 4)
samples = st.one_of(
    st.tuples(st.just("on"), times, st.booleans()),
    st.tuples(st.just("done"), times, st.booleans()),
    st.tuples(st.just("heat"), times, st.floats(-20, 20)),
    st.tuples(st.just("program"), times, st.sampled_from(["O1", "O2", ""])),
    st.tuples(st.just("parts"), times, st.integers(0, 4)),
)
histories = st.lists(samples, max_size=60, unique_by=lambda s: s[:2])
deeds = st.lists(st.sampled_from(["step", "step", "bring", "bring", "restart"]), max_size=30)


@settings(max_examples=20)
@given(histories, deeds, st.randoms(use_true_random=False))
async def test_live_late_and_restarted_is_what_recomputing_gives(history, todo, chance):
    note(f"{history} {todo}")
    async with hall(*ALL) as live:
        await _live(live, history, todo, chance)
        seen = {t.name: await live.found(t.name) for t in ALL}
        before = len(await live.records.events(kind="frame", limit=1000))
        await _recompute(live)
        again = {t.name: await live.found(t.name) for t in ALL}
        assert again == seen
        assert len(await live.records.events(kind="frame", limit=1000)) == before + len(ALL)
        async with hall(*ALL) as fresh:
            for row in history:
                await fresh.historian.append(rows_of([row]))
            await fresh.until(200)
            assert {t.name: await fresh.found(t.name) for t in ALL} == seen


async def _live(live: Hall, history: list[tuple], todo: list[str], chance) -> None:
    """Samples come more or less by time, some far too late, in batches of any size."""
    waiting = sorted(history, key=lambda s: s[1] + chance.choice([0, 0, 0, 3, 60]))
    for deed in todo:
        if deed == "step":
            await live.until((live.now - BASE) / S + chance.choice([0.3, 2, 20]))
        elif deed == "restart":
            await live.restart(*ALL)
        elif waiting:
            count = chance.randint(1, len(waiting))
            part, waiting = waiting[:count], waiting[count:]
            newest = max(t for _, t, _ in part)
            live.now = max(live.now, BASE + round(newest * S))
            await live.bring(*part)
    if waiting:
        await live.bring(*waiting)
    await live.until(190)
    await live.until(200)


async def _recompute(live: Hall) -> None:
    for template in ALL:
        await live.frames.recompute(SYSTEM, template.name, "", BASE - 60 * S, live.now)
    await live.settle()
