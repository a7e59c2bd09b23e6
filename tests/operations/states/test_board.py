"""Work units as they are now."""

from tests.operations.states.lines import FAULT, PRESS, RUN, SETUP, Clock, S, press, story

from lineshaft.core.access import SYSTEM
from lineshaft.operations.states.board import AGE_NS, SETTLE_NS


async def test_the_board_tells_what_a_unit_does_and_what_nobody_explained(tmp_path):
    async with press(tmp_path) as made:
        board = made.states.board
        assert (await board.view(PRESS)).state == ""
        made.clock.now += AGE_NS + 1
        await made.went((99_000, RUN), (99_500, FAULT), (99_600, RUN), (99_900, FAULT))
        view = await board.view(PRESS)
        assert (view.state, view.item, view.since_ns) == ("fault", "not-executing", 99_900 * S)
        assert view.unexplained == 2
        await made.states.deeds.explain(SYSTEM, PRESS, 99_950 * S, reason="M-1")
        view = await board.view(PRESS)
        assert (view.unexplained, view.reason, view.reason_text) == (1, "M-1", "Die broken")


async def test_a_change_shows_at_once_and_late_data_after_a_while(tmp_path):
    async with press(tmp_path, clock=Clock(98_000 * S)) as made:
        made.clock.now = 100_000 * S
        board, follower = made.states.board, made.states.follower
        await made.went((99_000, RUN))
        await follower.take(story((99_000, RUN)))
        made.clock.now += SETTLE_NS + 1
        assert (await board.view(PRESS)).state == "running"
        await made.went((99_100, SETUP))
        assert (await board.view(PRESS)).state == "running"
        made.clock.now += AGE_NS + 1
        assert (await board.view(PRESS)).state == "set-up"
        await made.went((99_200, FAULT))
        await follower.take(story((99_200, FAULT)))
        assert (await board.view(PRESS)).state == "fault"


async def test_nothing_is_kept_that_was_read_before_the_store_had_the_change(tmp_path):
    async with press(tmp_path, clock=Clock(98_000 * S)) as made:
        made.clock.now = 100_000 * S
        board, follower = made.states.board, made.states.follower
        await made.went((99_000, RUN))
        await follower.take(story((99_000, RUN), (99_100, FAULT)))
        assert (await board.view(PRESS)).state == "running"
        await made.went((99_100, FAULT))
        assert (await board.view(PRESS)).state == "fault"
