"""What a part cannot take is set aside for it alone; what the world is to blame for holds back."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.batch import Batch
from lineshaft.core.errors import Unavailable
from lineshaft.core.flow import supervise
from lineshaft.core.settings import Settings
from lineshaft.operations.listening import ATTEMPTS, PIECES_MAX, TOLD_NS, Listener
from lineshaft.plant import Plant
from lineshaft.settings import load_text
from lineshaft.spines.memory import Memory
from lineshaft.testing.virtual import virtual_time

BAD = 666.0
NAME = "broken"
NOW = 1_700_000_000_000_000_000


class Broken:
    """A part that has a defect: it cannot take one number."""

    def __init__(self, spine: Memory) -> None:
        self.taken: list[tuple[str, int]] = []
        self.runs = 0
        self.trouble: Exception | None = None
        self.now = NOW
        self.listener = Listener(spine, NAME, self.take, clock=lambda: self.now)

    async def run(self) -> None:
        self.runs += 1
        await self.listener.run()

    async def take(self, batch: Batch) -> None:
        if self.trouble is not None:
            raise self.trouble
        if BAD in batch.number.tolist():
            raise ZeroDivisionError("the defect")
        self.taken += [(row.point, row.time_ns) for row in batch.rows()]


def rows_of(*values: tuple[str, float], start_ns: int = NOW) -> Batch:
    return Batch.of_rows([(p, start_ns + n, v) for n, (p, v) in enumerate(values)])


@asynccontextmanager
async def running() -> AsyncGenerator[tuple[Memory, Broken]]:
    spine = Memory("spine", Settings())
    spine.durable(NAME, "data.>", size_max=8)
    part = Broken(spine)
    task = asyncio.get_running_loop().create_task(supervise(NAME, part.run))
    yield spine, part
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@virtual_time
async def test_only_what_cannot_be_taken_is_set_aside() -> None:
    async with running() as (spine, part):
        await spine.publish("data.x", rows_of(("a", 1.0), ("b", BAD), ("b", 2.0), ("c", 3.0)))
        assert sorted(part.taken) == [("a", NOW), ("b", NOW + 2), ("c", NOW + 3)]
        assert part.listener.rows == 1
        assert part.runs == 1 + ATTEMPTS
        [problem] = part.listener.problems()
        assert "broken: goes on without 1 samples" in problem
        assert "of b (ZeroDivisionError: the defect)" in problem


@virtual_time
async def test_a_defect_that_comes_again_starts_the_part_anew_no_more() -> None:
    async with running() as (spine, part):
        for n in range(20):
            await spine.publish("data.x", rows_of(("b", BAD), ("c", 1.0), start_ns=NOW + 10 * n))
        assert part.runs == 1 + ATTEMPTS
        assert part.listener.rows == 20
        assert len(part.taken) == 20


@virtual_time
async def test_what_passes_by_itself_sets_nothing_aside() -> None:
    async with running() as (spine, part):
        part.trouble = Unavailable("the disk is full")
        publishing = asyncio.get_running_loop().create_task(
            spine.publish("data.x", rows_of(("a", BAD - 1)))
        )
        await asyncio.sleep(60)
        assert part.runs > ATTEMPTS + 1
        assert not publishing.done()
        part.trouble = None
        await publishing
        assert part.taken == [("a", NOW)]
        assert part.listener.rows == 0
        assert part.listener.problems() == []


@virtual_time
async def test_a_part_that_can_take_nothing_holds_up_nobody() -> None:
    async with running() as (spine, part):
        wide = rows_of(*((f"p{n}", BAD) for n in range(4 * PIECES_MAX)))
        await spine.publish("data.x", wide)
        assert part.listener.rows == len(wide)
        [problem] = part.listener.problems()
        assert f"and {4 * PIECES_MAX - 5} more points" in problem


@virtual_time
async def test_a_loss_is_told_for_an_hour_and_counted_for_ever() -> None:
    async with running() as (spine, part):
        await spine.publish("data.x", rows_of(("b", BAD)))
        part.now += TOLD_NS
        assert part.listener.problems() == []
        assert part.listener.rows == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([1.0, 2.0, BAD])), max_size=40))
@virtual_time
async def test_the_rest_is_taken_once_and_in_the_order_of_its_point(values: list) -> None:
    async with running() as (spine, part):
        batch = rows_of(*values)
        await spine.publish("data.x", batch)
        wanted = [(r.point, r.time_ns) for r in batch.rows() if r.value != BAD]
        assert sorted(part.taken) == sorted(wanted)
        for point in "abc":
            mine = [t for p, t in part.taken if p == point]
            assert mine == sorted(mine)
        assert part.listener.rows == len(values) - len(wanted)


async def test_a_broken_part_of_a_plant_takes_nothing_from_history(tmp_path: Path) -> None:
    made = Plant(load_text("[server]\nport = 0\n", folder=tmp_path))
    made.spine.durable(NAME, "data.>", size_max=8)
    part = Broken(made.spine)
    made.operations.parts[NAME] = part
    up: asyncio.Future = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        group.create_task(made.run(lambda s: up.done() or up.set_result(s)))
        await up
        batch = rows_of(("a", 1.0), ("b", BAD))
        await made.spine.publish("data.x", batch)
        stored = await made.store.read(["a", "b"], NOW, NOW + 10)
        assert [r.value for r in stored.rows()] == [1.0, BAD]
        assert part.taken == [("a", NOW)]
        assert part.listener.rows == 1
        figures = {m.name: m for m in made.operations.listeners.metrics()}
        told = figures["operations_set_aside_total"].values
        assert {labels["subscription"]: n for labels, n in told} == dict.fromkeys(
            ["derived", "alarms", "states", "frames", "spc"], 0.0
        )
        made.stop()
