"""Live rows are those of one evaluator over all samples, whatever happens in between."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.operations.derived.benches import BEGIN, Bench, S, bench
from tests.operations.expressions.histories import EXPRESSIONS, histories
from tests.operations.expressions.written import FLAGS, NUMBERS, TEXTS

from lineshaft.core.point import Kind, Point
from lineshaft.operations.derived.definition import Definition

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
