"""OEE and its factors as points: what they show is what the questions for figures answer."""

import asyncio

import msgspec
import pytest
from tests.operations.kpis.test_current import BEGIN, DAY, UNIT, M, minute_rows, parts
from tests.twins.living.plants import plant, until

from lineshaft.core.access import SYSTEM
from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.core.event import Event
from lineshaft.core.plugin import build
from lineshaft.core.point import Point
from lineshaft.core.quality import Quality
from lineshaft.operations.kpis.pieces import By
from lineshaft.operations.kpis.publishing import AGAIN_NS, EVERY_NS, SETTLED_NS, Publisher
from lineshaft.spines import Spine
from lineshaft.stores import Store

S = 10**9
OEE = f"{UNIT.path}/oee"
LAST = f"{UNIT.path}/last_shift/oee"
LAST_AVAILABILITY = f"{UNIT.path}/last_shift/availability"
NONE = Quality.BAD_NO_DATA


class Known:
    """A namespace."""

    version = 0

    def __init__(self) -> None:
        self.points: dict[str, Point] = {}

    def under(self, branch, who):
        return []

    def find(self, path: str) -> Point | None:
        return self.points.get(path)

    def declare(self, points) -> None:
        self.points |= {p.path: p for p in points}


class Bench:
    """A press that publishes, with its store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.spine = build(Spine, {"kind": "memory", "name": "s"})
        self.spine.durable("all", "data.derived", size_max=8)
        self.lines, self.kpis, self.current = parts(store)
        self.publish(True)
        self.names = Known()
        self.published = 0
        self.begin()

    def publish(self, yes: bool) -> None:
        self.lines._units = [msgspec.structs.replace(UNIT, publish=yes)]

    def begin(self) -> None:
        """A new start of the process."""
        lines = self.lines
        self.publisher = Publisher(
            self.kpis.reader,
            self.current,
            names=self.names,
            store=self.store,
            spine=self.spine,
            clock=lambda: lines.now,
        )

    async def record(self) -> None:
        async with self.spine.subscribe(name="all") as batches:
            async for batch in batches:
                self.published += len(batch)
                await self.store.append(batch)

    async def look(self) -> list[str]:
        return await self.publisher.look()

    async def rows(self, point: str) -> list[tuple]:
        """Minutes, value, quality."""
        found = await self.store.read([point], 0, 2**62)
        columns = (found.time_ns.tolist(), found.number.tolist(), found.quality.tolist())
        return [((t - BEGIN) / M, n, q) for t, n, q in zip(*columns, strict=True)]

    async def figure(self, start_m: int, stop_m: int, name: str = "oee") -> float:
        """What the question for figures answers."""
        scope = self.kpis.scope(SYSTEM, BEGIN + start_m * M, BEGIN + stop_m * M, unit=UNIT.path)
        return (await self.kpis.figures(scope, By.WHOLE, [name])).whole.figures[name].value

    async def went(self, start: int, stop: int, *, jam: tuple[int, int] = (0, 0)) -> None:
        """Minutes of running, five parts each."""
        rows = []
        for minute in range(start, stop):
            rows += minute_rows(minute, 1 if jam[0] <= minute < jam[1] else 0, minute * 5, "A")
        await self.store.append(Batch.of_rows(rows))


@pytest.fixture
async def bench():
    store = build(Store, {"kind": "memory", "name": "m"})
    async with store.opened(), asyncio.TaskGroup() as group:
        made = Bench(store)
        recording = group.create_task(made.record())
        yield made
        recording.cancel()


async def test_the_running_shift_has_a_row_a_minute_with_the_figure_of_its_time(bench):
    await bench.went(0, 200, jam=(50, 80))
    wanted = []
    for minute in (100, 101, 101.5, 102):
        bench.lines.now = int(BEGIN + minute * M)
        await bench.look()
        wanted.append(await bench.figure(0, 102 if minute == 102 else int(minute)))
    found = await bench.rows(OEE)
    assert [m for m, _, _ in found] == [100, 101, 102]
    assert [v for _, v, _ in found] == [wanted[0], wanted[1], wanted[3]]
    assert {q for _, _, q in found} == {Quality.GOOD}
    factors = [f"{UNIT.path}/{n}" for n in ("availability", "effectiveness", "quality_ratio")]
    product = 1.0
    for point in factors:
        product *= (await bench.rows(point))[0][1]
    assert product == pytest.approx(found[0][1])


async def test_where_no_shift_follows_the_end_says_that_none_runs(bench):
    await bench.went(0, 960)
    for minute in (959, 970, 980):
        bench.lines.now = BEGIN + minute * M
        await bench.look()
    bench.begin()
    bench.lines.now += EVERY_NS
    await bench.look()
    found = await bench.rows(OEE)
    assert [(m, q) for m, _, q in found] == [(959, Quality.GOOD), (960, NONE)]


async def test_each_shift_that_has_ended_has_its_figure_at_its_end(bench):
    await bench.went(0, 1000, jam=(400, 420))
    bench.lines.now = BEGIN + 480 * M + SETTLED_NS - 1
    await bench.look()
    assert await bench.rows(LAST) == []
    bench.lines.now = BEGIN + 1000 * M
    bench.begin()
    await bench.look()
    assert await bench.rows(LAST) == [
        (480, await bench.figure(0, 480), Quality.GOOD),
        (960, await bench.figure(480, 960), Quality.GOOD),
    ]


async def test_late_samples_put_shifts_right_that_have_ended_and_what_is_right_is_left(bench):
    await bench.went(0, 1000)
    bench.lines.now = BEGIN + 1000 * M
    await bench.look()
    before, count = await bench.rows(LAST_AVAILABILITY), bench.published
    bench.lines.now += AGAIN_NS
    await bench.look()
    assert bench.published == count
    await bench.went(100, 200, jam=(100, 200))
    bench.lines.now += AGAIN_NS
    await bench.look()
    after = await bench.rows(LAST_AVAILABILITY)
    assert after[0] == (480, await bench.figure(0, 480, "availability"), Quality.GOOD)
    assert (after[0][1] < before[0][1], after[1]) == (True, before[1])


async def test_what_people_correct_is_put_right_weeks_back(bench):
    await bench.went(0, 1000)
    bench.lines.now = BEGIN + 20 * DAY
    await bench.look()
    await bench.went(100, 200, jam=(100, 200))
    bench.lines.now += AGAIN_NS
    await bench.look()
    count = bench.published
    async with asyncio.TaskGroup() as group:
        hears = group.create_task(bench.publisher._hear("state.>"))
        await asyncio.sleep(0)
        for kind, path in (("state.explained", UNIT.path), ("state.corrected", "hall/other")):
            await bench.spine.announce(Event(kind=kind, path=path))
        await bench.look()
        assert bench.published == count
        await bench.spine.announce(Event(kind="state.corrected", path=UNIT.path))
        await asyncio.sleep(0)
        await bench.look()
        hears.cancel()
    assert (await bench.rows(LAST_AVAILABILITY))[0] == (
        480,
        await bench.figure(0, 480, "availability"),
        Quality.GOOD,
    )


async def test_a_shift_whose_states_are_not_kept_any_more_stays_as_it_was(bench):
    await bench.went(0, 1000)
    bench.lines.now = BEGIN + 1000 * M
    await bench.look()
    before = await bench.rows(LAST)
    points = [f"{UNIT.path}/work_state", UNIT.good, UNIT.product]
    await bench.store.delete(points, 0, BEGIN + 400 * M)
    bench.lines.now += AGAIN_NS
    await bench.look()
    assert await bench.rows(LAST) == before


async def test_a_point_of_the_machine_of_the_same_name_is_left_alone(bench):
    bench.names.declare([Point(path=OEE, source="press-plc")])
    await bench.went(0, 100)
    bench.lines.now = BEGIN + 100 * M
    (trouble,) = await bench.look()
    assert f"{OEE} is a point of press-plc already" in trouble
    assert await bench.rows(OEE) == []


async def test_who_does_not_ask_for_it_has_no_points(bench):
    bench.publish(False)
    await bench.went(0, 100)
    bench.lines.now = BEGIN + 100 * M
    assert await bench.look() == []
    assert (bench.published, bench.names.points) == (0, {})


TABLES = """
[[work_units]]
path = "acme/saw"
publish = true
good = "acme/saw/parts"
cycle_s = 10.0
states = [{ name = "running", when = "motor == 1", item = "executing" }]

[[alarms]]
name = "saw is slow"
point = "acme/saw/oee"
lo = { value = 0.99 }
"""


async def test_a_plant_stores_shows_and_watches_them(tmp_path):
    async with plant(tmp_path, TABLES) as (made, http):
        start = now_ns() - 600 * S
        rows = [("acme/saw/motor", start, 1.0), ("acme/saw/motor", start + 300 * S, 0.0)]
        rows += [("acme/saw/parts", start + t * S, t / 20) for t in range(0, 300, 20)]
        await made.spine.publish("data.test", Batch.of_rows(rows))

        async def counted() -> bool:
            found = await http.get("/api/v1/kpis", params={"unit": "acme/saw", "start": "-1h"})
            sums = found.json()["whole"]["sums"]
            return sums.get("gq", 0) == 14 and sums.get("apt", 0) > 0

        await until(counted)
    async with plant(tmp_path, TABLES) as (made, http):

        async def shown() -> bool:
            values = await made.store.read(["acme/saw/oee"], 0, 2**62)
            return len(values) > 0 and values.number[-1] > 0

        async def rang() -> bool:
            items = (await http.get("/api/v1/alarms")).json()["items"]
            return any(i["alarm"]["name"] == "saw is slow" and i["letter"] == "B" for i in items)

        await until(shown)
        await until(rang)
        point = made.historian.namespace.find("acme/saw/oee")
        assert (point.source, point.unit) == ("kpis", "1")
