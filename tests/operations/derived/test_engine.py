"""Live rows are those of one evaluator over all samples, whatever happens in between."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.operations.derived.benches import BEGIN, Bench, S, bench
from tests.operations.expressions.histories import EXPRESSIONS, histories
from tests.operations.expressions.written import FLAGS, NUMBERS, TEXTS

from lineshaft.core.batch import Batch
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Kind, Point
from lineshaft.historian.corrections import Corrections
from lineshaft.operations.derived.definition import Definition
from lineshaft.operations.derived.sources import Sources

POINTS = [
    *(Point(path=f"hall/{n}") for n in NUMBERS),
    *(Point(path=f"hall/{n}", kind=Kind.BOOLEAN) for n in FLAGS),
    *(Point(path=f"hall/{n}", kind=Kind.TEXT) for n in TEXTS),
]


def rows_of(history) -> list[tuple]:
    """Samples as rows, all some seconds after the engine begins."""
    return [
        (f"hall/{name}", BEGIN + S + t, v, q)
        for name, found in history.items()
        for t, v, q in found
    ]


async def check(made: Bench, definitions) -> None:
    for definition in definitions:
        until = made.clock.now - 100 * S  # no source is taken to be further behind
        wanted = [r for r in await made.wanted(definition, definitions) if r.time_ns <= until]
        found = [r for r in await made.stored(definition.point) if r.time_ns <= until]
        differ = {*map(repr, found)} ^ {*map(repr, wanted)}
        assert not differ, (definition.expression, len(found), len(wanted), sorted(differ)[:6])


@settings(max_examples=12)
@given(
    st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=4, unique=True),
    histories(size_max=8),
    st.randoms(use_true_random=False),
)
async def test_live_rows_are_those_of_history_in_any_order_and_however_late(texts, history, random):
    definitions = [
        Definition(point=f"hall/d{n}", expression=text, lateness_s=random.choice([0, 1, 2, 30]))
        for n, text in enumerate(texts)
    ]
    definitions.append(Definition(point="hall/top", expression="has(d0) && quality(a) != 'bad'"))
    rows = rows_of(history)
    random.shuffle(rows)
    async with bench(POINTS) as made, made.running(*definitions):
        while rows:
            count = random.randint(1, 6)
            made.clock.now += random.choice([0, S // 2, 3 * S])
            await made.publish(*rows[:count])
            if random.random() < 0.3:
                await asyncio.sleep(0.01)
            del rows[:count]
        made.clock.now = BEGIN + 200 * S
        await made.settled()
        await check(made, definitions)


@settings(max_examples=12)
@given(
    st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=3, unique=True),
    histories(size_max=6),
    st.randoms(use_true_random=False),
)
async def test_a_process_that_ends_anywhere_leaves_no_row_missing_or_wrong(texts, history, random):
    definitions = [
        Definition(point=f"hall/d{n}", expression=text, lateness_s=random.choice([0, 2]))
        for n, text in enumerate(texts)
    ]
    definitions.append(Definition(point="hall/top", expression="has(d0) || quality(b) == 'bad'"))
    rows = rows_of(history)
    random.shuffle(rows)
    async with bench(POINTS) as made:
        while rows:
            async with made.running(*definitions):
                for _ in range(random.randint(0, 4)):
                    await asyncio.sleep(random.choice([0, 0, 0.001, 0.01]))
                    count = random.randint(1, 6)
                    made.clock.now += random.choice([0, S // 2, 3 * S])
                    await made.publish(*rows[:count])
                    del rows[:count]
                # The source of the last batch hears nothing, and will send it again.
                sending = asyncio.get_running_loop().create_task(made.publish(*rows[:3]))
                for _ in range(random.randint(0, 40)):
                    await asyncio.sleep(0)
                sending.cancel()
        async with made.running(*definitions):
            made.clock.now = BEGIN + 200 * S
            await made.settled()
            await check(made, definitions)


def at(second: float) -> int:
    """A time some seconds after the engine begins."""
    return BEGIN + round(second * S)


async def values(made: Bench, point: str) -> list[tuple[float, object]]:
    return [((r.time_ns - BEGIN) / S, r.value) for r in await made.stored(point)]


async def test_a_chain_goes_through_in_one_step_and_late_samples_put_all_of_it_right():
    chain = [Definition(point="hall/d0", expression="a * 2", lateness_s=0)]
    chain += [
        Definition(point=f"hall/d{n}", expression=f"d{n - 1} + 1", lateness_s=0)
        for n in range(1, 30)
    ]
    async with bench(POINTS) as made, made.running(*chain):
        await made.settled()
        made.clock.now = at(10)
        await made.publish(("hall/a", at(1), 1.0), ("hall/a", at(3), 3.0))
        await made.settled()
        assert await values(made, "hall/d29") == [(1.0, 31.0), (3.0, 35.0)]
        await made.publish(("hall/a", at(2), 2.0))
        await made.settled()
        assert await values(made, "hall/d29") == [(1.0, 31.0), (2.0, 33.0), (3.0, 35.0)]


async def test_a_definition_that_changes_goes_on_where_the_old_one_was():
    async with bench(POINTS) as made, made.running() as engine:
        await engine.put("derived", [Definition(point="hall/d", expression="a", lateness_s=0)])
        await made.settled()
        made.clock.now = at(1)
        await made.publish(("hall/a", at(1), 1.0))
        await made.settled()
        await engine.put("derived", [Definition(point="hall/d", expression="a * 10", lateness_s=0)])
        made.clock.now = at(3)
        await made.publish(("hall/a", at(2), 2.0))
        await made.settled()
        assert await values(made, "hall/d") == [(1.0, 1.0), (2.0, 20.0)]
        await made.publish(("hall/a", at(0.5), 5.0))
        await made.settled()
        assert await values(made, "hall/d") == [(1.0, 1.0), (2.0, 20.0)]
        await engine.recompute("hall/d", at(0), at(10))
        await made.settled()
        assert await values(made, "hall/d") == [(0.5, 50.0), (1.0, 10.0), (2.0, 20.0)]


async def test_samples_ahead_of_the_clock_wait_for_their_time():
    async with bench(POINTS) as made:
        async with made.running(Definition(point="hall/d", expression="a + b", lateness_s=0)):
            await made.settled()
            made.clock.now = at(1)
            await made.publish(
                ("hall/a", at(5000), 9.0), ("hall/a", at(1), 1.0), ("hall/b", at(1), 1.0)
            )
            made.clock.now = at(3)
            await made.publish(("hall/b", at(2), 2.0))
            await made.settled()
            assert await values(made, "hall/d") == [(1.0, 2.0), (2.0, 3.0)]
        async with made.running(Definition(point="hall/d", expression="a + b", lateness_s=0)):
            made.clock.now = at(6000)
            await made.settled()
            assert await values(made, "hall/d") == [(1.0, 2.0), (2.0, 3.0), (5000.0, 11.0)]


async def test_rows_that_find_no_room_are_computed_again():
    rule = Definition(point="hall/d", expression="a", lateness_s=0)
    async with bench(POINTS) as made, made.running(rule) as engine:
        await made.settled()
        engine._outbox._rows_max = 10
        made.clock.now = at(200)
        await made.publish(*(("hall/a", at(n), float(n)) for n in range(1, 100)))
        await made.settled()
        assert engine._outbox.given_up >= 89
        assert await values(made, "hall/d") == [(float(n), float(n)) for n in range(1, 100)]


async def test_deletions_and_imports_are_put_right_even_if_nobody_looked():
    rule = Definition(point="hall/d", expression="avg(a, '2s')", every_s=0, lateness_s=0)
    async with bench(POINTS) as made, made.running(rule) as engine:
        await made.settled()
        made.clock.now = at(20)
        await made.publish(*(("hall/a", at(n), float(n)) for n in range(1, 10)))
        await made.settled()
        old = Batch.of_rows([("hall/a", at(4.5), 100.0)])
        await made.store.append(old)
        await engine.kept_aside(old)
        await made.settled()
        await check(made, [rule])
        await made.store.delete(["hall/a"], at(4), at(6))
        await engine.deleted(["hall/a"], at(4), at(6))
        await made.settled()
        assert [t for t, _ in await values(made, "hall/d")] == [1, 2, 3, 6, 7, 8, 9]
        await check(made, [rule])


async def test_what_lacks_something_waits_and_says_so():
    async with bench(POINTS) as made, made.running() as engine:
        await engine.put(
            "derived",
            [
                Definition(point="hall/d", expression="nobody + a", lateness_s=0),
                Definition(point="hall/e", expression="d > 1", lateness_s=0),
                Definition(point="hall/f", expression="convert(d, 'kPa')", lateness_s=0),
            ],
        )
        assert "hall/nobody" in engine.state("hall/d").trouble
        assert "hall/d" in engine.state("hall/e").trouble
        assert len(engine.problems()) == 3
        made.names.declare([Point(path="hall/nobody", unit="Cel")])

        async def known() -> bool:
            return engine.state("hall/e").phase.value == "live"

        await made.until(known)
        assert len(engine.problems()) == 1
        assert "kPa" in engine.state("hall/f").trouble
        made.clock.now = at(2)
        await made.publish(("hall/nobody", at(1), 1.0), ("hall/a", at(1), 1.0))
        await made.settled()
        assert await values(made, "hall/e") == [(1.0, 1.0)]


@pytest.mark.parametrize(
    ("text", "says"),
    [("e + 1", "hall/e → hall/d"), ("d", "itself"), ("a +", "character 4")],
)
async def test_what_can_never_be_is_refused_and_changes_nothing(text, says):
    async with bench(POINTS) as made, made.running() as engine:
        await engine.put("derived", [Definition(point="hall/e", expression="d * 2")])
        with pytest.raises(Invalid, match=says):
            await engine.put("states", [Definition(point="hall/d", expression=text)])
        with pytest.raises(Invalid, match="belongs to derived"):
            await engine.put("states", [Definition(point="hall/e", expression="a")])
        assert [d.point for d in engine.definitions()] == ["hall/e"]


async def test_an_enum_names_its_values_and_bad_input_stays_bad():
    rule = Definition(
        point="hall/state",
        expression="a > 1 ? 2 : 1",
        enum={"1": "stopped", "2": "runs"},
        lateness_s=0,
    )
    top = Definition(point="hall/up", expression="state == 'runs'", lateness_s=0)
    async with bench(POINTS) as made, made.running(rule, top):
        await made.settled()
        made.clock.now = at(9)
        nothing = ("hall/a", at(2), None, 0x8031_0000)
        odd = ("hall/a", at(3), "text on a number")
        await made.publish(("hall/a", at(1), 5.0), nothing, odd, ("hall/a", at(4), float("nan")))
        await made.settled()
        assert made.names.find("hall/state").names == {"1": "stopped", "2": "runs"}
        rows = await made.stored("hall/up")
        assert [(r.value, r.quality >= 0x8000_0000) for r in rows] == [
            (1.0, False), (None, True), (None, True), (None, True),
        ]  # fmt: skip


async def test_what_was_deleted_while_nobody_ran_is_put_right_at_the_next_start():
    rule = Definition(point="hall/d", expression="a + b", lateness_s=0)
    async with bench(POINTS) as made:
        async with made.running(rule):
            await made.settled()
            made.clock.now = at(20)
            await made.publish(*((f"hall/{p}", at(n), 1.0) for n in range(1, 6) for p in "ab"))
            await made.settled()
            assert len(await made.stored("hall/d")) == 5
        corrections = Corrections(
            made.store,
            made.records,
            append=made.store.append,
            refresh=lambda *_: None,
            announce=made.spine.announce,
        )
        span = (at(2), at(4))
        await corrections.delete(["hall/a", "hall/b"], span, reason="test", by="li")
        async with made.running(rule):
            await made.settled()

            async def gone() -> bool:
                return [t for t, _ in await values(made, "hall/d")] == [1, 4, 5]

            await made.until(gone)


async def test_a_hidden_point_is_calculated_and_belongs_to_its_owner():
    hidden = Definition(point="hall/c1", expression="a > 1", lateness_s=0, hidden=True)
    async with bench(POINTS) as made, made.running() as engine:
        await engine.put("alarms", [hidden])
        await made.settled()
        made.clock.now = at(2)
        await made.publish(("hall/a", at(1), 5.0))
        await made.settled()
        assert await values(made, "hall/c1") == [(1.0, 1.0)]
        assert engine.owned() == [("alarms", hidden)]
        await engine.put("alarms", [])
        assert engine.state("hall/c1") is None


def test_a_source_that_is_behind_is_waited_for_and_one_that_is_silent_is_not():
    sources = Sources()
    assert sources.heard_ns("mill", 100 * S) == 100 * S
    sources.take({"mill": (90 * S, 95 * S)}, 100 * S)
    assert sources.heard_ns("mill", 100 * S) == 90 * S
    assert sources.heard_ns("mill", 500 * S) == 490 * S
    sources.take({"mill": (400 * S, 400 * S)}, 500 * S)  # old news says nothing of its pace
    assert sources.heard_ns("mill", 500 * S) == 490 * S
    for n in range(200):
        sources.take({"mill": (501 * S + n * S, 501 * S + n * S)}, 501 * S + n * S)
    assert sources.heard_ns("mill", 800 * S) > 799 * S
