"""Every change of state is an event of the log, once."""

import asyncio
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.operations.states.lines import FAULT, PRESS, RUN, SETUP, Clock, S, press, story

from lineshaft.core.quality import Quality
from lineshaft.operations.states.following import SUBJECT


async def changes(made) -> list[tuple]:
    """Second, state before, state."""
    events = await made.records.events(kind="state.changed", limit=1000)
    rows = [e.event for e in events]
    assert {e.path for e in rows} <= {PRESS}
    return [(e.time_ns // S, e.data["before"], e.data["state"]) for e in rows]


async def test_changes_are_written_once_and_old_samples_write_nothing(tmp_path):
    async with press(tmp_path, clock=Clock(0)) as made:
        follower = made.states.follower
        await follower.take(story((10, RUN), (20, RUN), (30, FAULT)))
        await follower.take(story((30, FAULT), (25, SETUP), (40, FAULT), (50, RUN)))
        await follower.take(story((60, RUN, Quality.BAD)))
        assert await changes(made) == [
            (10, "", "running"),
            (30, "running", "fault"),
            (50, "fault", "running"),
            (60, "running", "unknown"),
        ]
        assert follower.written == 4


async def test_what_came_while_nothing_ran_is_written_from_the_store(tmp_path):
    async with press(tmp_path, clock=Clock(0)) as made:
        await made.states.follower.take(story((10, RUN)))
    async with press(tmp_path, clock=Clock(0)) as made:
        made.clock.now = 35 * S
        await made.went((10, RUN), (20, FAULT), (30, RUN))
        running = asyncio.get_running_loop().create_task(made.states.run())
        await made.spine.publish(SUBJECT, story((30, RUN), (40, SETUP)))
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        assert [s for _, _, s in await changes(made)] == ["running", "fault", "running", "set-up"]


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 3)), max_size=30, unique_by=lambda r: r[0]
    ),
    st.data(),
)
@settings(max_examples=40)
def test_however_samples_are_cut_into_batches_and_repeated_the_log_is_the_same(rows, data):
    rows = sorted(rows)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=5)))
    batches = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    again = data.draw(st.integers(0, max(len(batches) - 1, 0)))

    async def log(folder) -> list[tuple]:
        async with press(folder, clock=Clock(0)) as made:
            for batch in [*batches[: again + 1], *batches[again:]]:
                if batch:
                    await made.states.follower.take(story(*batch))
            return await changes(made)

    import pathlib  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(log(pathlib.Path(folder)))
    kept = [r for i, r in enumerate(rows) if i == 0 or rows[i - 1][1] != r[1]]
    assert [t for t, _, _ in found] == [t for t, _ in kept]


async def test_history_from_before_the_first_definition_writes_nothing_but_is_known(tmp_path):
    async with press(tmp_path, clock=Clock(100 * S)) as made:
        follower = made.states.follower
        await follower.take(story((10, RUN), (20, FAULT)))
        await follower.take(story((30, RUN), (100, RUN), (120, SETUP)))
        assert await changes(made) == [(120, "running", "set-up")]


async def test_what_was_calculated_before_anything_was_written_is_not_forgotten(tmp_path):
    async with press(tmp_path, clock=Clock(0)) as made:
        await made.went((10, RUN), (20, FAULT))
        made.clock.now = 50 * S
        running = asyncio.get_running_loop().create_task(made.states.run())
        await made.spine.publish(SUBJECT, story((30, RUN)))
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        assert [s for _, _, s in await changes(made)] == ["running", "fault", "running"]
