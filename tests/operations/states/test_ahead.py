"""What is read ahead answers as the store does."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.core.batch import Batch
from lineshaft.core.plugin import build
from lineshaft.core.quality import Quality
from lineshaft.operations.states.ahead import Ahead
from lineshaft.stores import Store

POINTS = ("a", "b", "c")
qualities = st.sampled_from([Quality.GOOD, Quality.BAD, Quality.UNCERTAIN])
samples = st.dictionaries(
    st.tuples(st.sampled_from(POINTS[:2]), st.integers(0, 40)), qualities, max_size=40
)
questions = st.lists(
    st.tuples(
        st.sampled_from(["before", "after", "read"]),
        st.lists(st.sampled_from(POINTS), min_size=1, max_size=2, unique=True),
        st.integers(0, 45),
        st.integers(1, 20),
        st.booleans(),
    ),
    min_size=1,
    max_size=30,
)


@settings(deadline=None, max_examples=150)
@given(samples, questions, st.integers(0, 40), st.integers(1, 20))
def test_every_question_has_the_answer_of_the_store(given_samples, asked, start, length):
    asyncio.run(compared(given_samples, asked, start, length))


async def compared(given_samples, asked, start, length) -> None:
    store = build(Store, {"kind": "memory", "name": "m"})
    async with store.opened():
        rows = [(p, t, float(t), q) for (p, t), q in given_samples.items()]
        await store.append(Batch.of_rows(rows))
        ahead = await Ahead.of(store, POINTS, start, start + length)
        for what, points, time, lasts, usable in asked:
            if what == "read":
                args = (points, time, time + lasts)
                assert await ahead.read(*args) == await store.read(*args)
            else:
                wanted = await getattr(store, what)(points, time, usable=usable)
                assert await getattr(ahead, what)(points, time, usable=usable) == wanted
