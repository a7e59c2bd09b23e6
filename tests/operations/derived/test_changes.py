"""Rows on change: those of all rows that are news, however they come about."""

import asyncio

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.operations.derived.benches import BEGIN, S, bench
from tests.operations.derived.test_engine import POINTS, at, check, values
from tests.operations.expressions.histories import EXPRESSIONS, histories

from lineshaft.core.batch import Batch
from lineshaft.core.point import Point
from lineshaft.operations.derived.changes import HOUR_NS, Changes
from lineshaft.operations.derived.definition import Definition
from lineshaft.operations.derived.rows import taken, together
from lineshaft.operations.expressions.tails import Samples

BEFORE_S = 3590
"""The histories, 20 s long, begin shortly before an hour ends."""
CONSTANT = ["p ? 1 : 2", "quality(a) != 'bad' ? 1 : 0", "a > 2.0 && p", "p ? s : u"]


def plainly(rows: Samples) -> list[int]:
    """Places of the rows that are news, by a loop."""
    found, before = [], None
    for n, (time_ns, value, quality) in enumerate(zip(*rows, strict=True)):
        now = (time_ns // HOUR_NS, repr(value), quality)
        if now != before:
            found.append(n)
        before = now
    return found


@given(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.0, 1.0, np.nan])), max_size=30),
    st.lists(st.integers(0, 30), max_size=4),
    st.booleans(),
)
def test_what_is_news_does_not_depend_on_how_rows_are_cut(steps, cuts, texts):
    times = np.cumsum([1, *(s for s, _ in steps)])[1:] * (HOUR_NS // 3) + np.arange(len(steps))
    numbers = np.array([v for _, v in steps])
    quality = np.where(np.isnan(numbers), 0x8031_0000, 0).astype(np.uint32)
    plain = [None if np.isnan(v) else str(v) for v in numbers] if texts else numbers
    rows = Samples(times, plain, quality)
    changes = Changes()
    parts = [
        changes.of(taken(rows, part)) for part in np.split(np.arange(len(times)), sorted(cuts))
    ]
    found = parts[0]
    for part in parts[1:]:
        found = together(found, part)
    assert found.time_ns.tolist() == times[plainly(rows)].tolist()


def rows_of(history) -> list[tuple]:
    return [
        (f"hall/{name}", BEGIN + BEFORE_S * S + t, v, q)
        for name, found in history.items()
        for t, v, q in found
    ]


def definitions_of(texts, random) -> list[Definition]:
    made = [
        Definition(
            point=f"hall/d{n}",
            expression=text,
            lateness_s=random.choice([0, 1, 30]),
            on_change=True,
        )
        for n, text in enumerate(texts)
    ]
    top = Definition(point="hall/top", expression="has(d0) || quality(b) == 'bad'")
    return [*made, top]


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from(CONSTANT + EXPRESSIONS), min_size=1, max_size=3, unique=True),
    histories(size_max=8),
    st.randoms(use_true_random=False),
)
async def test_live_rows_are_those_of_history_however_late_and_over_restarts(
    texts, history, random
):
    definitions, rows = definitions_of(texts, random), rows_of(history)
    random.shuffle(rows)
    async with bench(POINTS) as made:
        while rows:
            async with made.running(*definitions):
                for _ in range(random.randint(1, 4)):
                    count = random.randint(1, 6)
                    step = random.choice([0, S // 2, 3 * S])
                    made.clock.now = max(made.clock.now + step, at(BEFORE_S))
                    await made.publish(*rows[:count])
                    if random.random() < 0.3:
                        await asyncio.sleep(0.01)
                    del rows[:count]
        async with made.running(*definitions):
            made.clock.now = at(BEFORE_S + 200)
            await made.settled()
            await check(made, definitions)


async def test_a_row_comes_where_the_value_changes_and_once_an_hour():
    definition = Definition(point="hall/d", expression="a > 5", lateness_s=0, on_change=True)
    async with bench(POINTS) as made, made.running(definition):
        await made.settled()
        made.clock.now = at(7300)
        for second in range(10, 7300, 10):
            await made.publish(("hall/a", at(second), 9.0 if 1000 <= second < 1500 else 1.0))
        await made.settled()
        wanted = [(10.0, False), (1000.0, True), (1500.0, False), (3600.0, False), (7200.0, False)]
        assert [(t, bool(v)) for t, v in await values(made, "hall/d")] == wanted


async def test_late_samples_and_deletions_move_the_row_behind_them_too():
    definition = Definition(point="hall/d", expression="a > 5", lateness_s=0, on_change=True)
    async with bench(POINTS) as made, made.running(definition):
        await made.settled()
        made.clock.now = at(100)
        await made.publish(*(("hall/a", at(s), 1.0) for s in (10, 20, 30, 40)))
        await made.settled()
        assert [t for t, _ in await values(made, "hall/d")] == [10.0]
        await made.publish(("hall/a", at(25), 9.0))
        await made.settled()
        assert [t for t, _ in await values(made, "hall/d")] == [10.0, 25.0, 30.0]
        await made.store.delete(["hall/a"], at(25), at(26))
        await made.engine.deleted(["hall/a"], at(25), at(26))
        await made.settled()
        assert [t for t, _ in await values(made, "hall/d")] == [10.0]
        await made.publish(("hall/a", at(45), 1.0), ("hall/a", at(50), 9.0))
        await made.settled()
        assert [t for t, _ in await values(made, "hall/d")] == [10.0, 50.0]


async def test_a_late_sample_that_changes_the_last_row_tells_what_the_next_one_is():
    definition = Definition(point="hall/d", expression="a + b > 5", lateness_s=0, on_change=True)
    async with bench(POINTS) as made, made.running(definition):
        await made.settled()
        made.clock.now = at(100)
        await made.publish(
            ("hall/a", at(10), 9.0), ("hall/b", at(10), 0.0), ("hall/b", at(20), 0.0)
        )
        made.clock.now = at(300)  # a source that is silent for so long has told all
        await made.settled()
        assert await values(made, "hall/d") == [(10.0, 1.0)]
        await made.publish(("hall/a", at(15), 1.0))
        await made.settled()
        made.clock.now = at(600)
        await made.publish(("hall/b", at(310), 0.0), ("hall/b", at(320), 9.0))
        await made.settled()
        assert await values(made, "hall/d") == [(10.0, 1.0), (15.0, 0.0), (320.0, 1.0)]


async def test_history_before_the_first_definition_joins_without_a_row_too_many():
    definition = Definition(point="hall/d", expression="a > 5", lateness_s=0, on_change=True)
    async with bench([Point(path="hall/a")]) as made:
        rows = [("hall/a", at(s - 100), 1.0) for s in (10, 20, 30)]
        await made.store.append(Batch.of_rows(rows))
        async with made.running(definition) as engine:
            await made.settled()
            made.clock.now = at(60)
            await made.publish(("hall/a", at(10), 1.0), ("hall/a", at(20), 1.0))
            await made.settled()
            await engine.recompute("hall/d", at(-1000), engine.state("hall/d").since_ns)
            await made.settled()
            # A row at the first hour, one at the next: nothing where the two spans meet.
            assert [t for t, _ in await values(made, "hall/d")] == [-90.0, 10.0]
