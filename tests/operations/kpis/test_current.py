"""The running shift: what is kept adds up to what is worked out whole, through late data."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.core.access import SYSTEM
from lineshaft.core.batch import Batch
from lineshaft.core.errors import Missing
from lineshaft.core.plugin import build
from lineshaft.core.point import Point
from lineshaft.operations.calendars.book import Calendars
from lineshaft.operations.calendars.settings import CalendarTable, Shift
from lineshaft.operations.kpis.book import Kpis
from lineshaft.operations.kpis.current import FRESH_NS, KEPT_NS, Current
from lineshaft.operations.kpis.pieces import By
from lineshaft.operations.kpis.reading import Reader
from lineshaft.operations.kpis.watching import WAITING_MAX, Watch
from lineshaft.operations.states.settings import StateRule, WorkUnit
from lineshaft.operations.states.timeline import Timeline
from lineshaft.spines import Spine
from lineshaft.stores import Store

M = 60 * 10**9
DAY = 1440 * M
BEGIN = 20_000 * DAY
UNIT = WorkUnit(
    path="hall/press",
    calendar="two",
    good="hall/press/good",
    product="hall/press/product",
    cycle_s=10.0,
    micro_stop_s=180.0,
)
STATES = (
    StateRule(name="run", when="a", item="executing"),
    StateRule(name="jam", when="a", loss="own"),
    StateRule(name="fault", when="a", item="not-available", failure=True),
)
CALENDAR = CalendarTable(
    name="two",
    shifts=(
        Shift(name="a", start="00:00", stop="08:00"),
        Shift(name="b", start="08:00", stop="16:00"),
    ),
)


class Stored:
    """Timelines as the samples of a state point have them."""

    def __init__(self, store, units: Sequence[WorkUnit]) -> None:
        self.store, self._units = store, units
        self.now = 0
        self.read_ns = 0

    def units(self) -> Sequence[WorkUnit]:
        return self._units

    async def timeline(self, path: str, start_ns: int, stop_ns: int) -> Timeline:
        unit = next(u for u in self._units if u.path == path)
        stop_ns = min(stop_ns, self.now)
        self.read_ns += stop_ns - start_ns
        point = f"{path}/work_state"
        before = await self.store.before([point], start_ns + 1)
        rest = await self.store.read([point], start_ns + 1, stop_ns)
        state = before.number.tolist()[-1:] or [-1.0]
        since = before.time_ns.tolist()[-1:] or [start_ns]
        times = np.array([start_ns, *rest.time_ns.tolist()], dtype=np.int64)
        states = np.array([*state, *rest.number.tolist()]).astype(np.int32)
        new = np.append(True, states[1:] != states[:-1])
        after = await self.store.after([point], stop_ns)
        return Timeline(
            unit=unit,
            start_ns=times[new],
            stop_ns=stop_ns,
            state=states[new],
            states=STATES,
            reason=np.zeros(int(new.sum()), np.int32),
            corrected=np.zeros(int(new.sum()), np.bool_),
            lasting_since_ns=since[0],
            lasting_until_ns=min(int(after.time_ns[0]), self.now) if len(after) else self.now,
        )

    async def timelines(self, paths, start_ns, stop_ns, *, known=None) -> list[Timeline]:
        return [await self.timeline(path, start_ns, stop_ns) for path in paths]


class Named:
    """A namespace that knows no units of measure."""

    version = 0

    def under(self, branch, who):
        return []

    def find(self, path: str) -> Point | None:
        return None


class Everything:
    """Lets everybody do everything."""

    def allows(self, who, action, path=""):
        return True


def parts(store) -> tuple[Stored, Kpis, Current]:
    lines = Stored(store, [UNIT])
    calendars = Calendars()
    calendars.take([CALENDAR])
    reader = Reader(timelines=lines, calendars=calendars, store=store, names=Named())
    kpis = Kpis(reader, Everything())
    return lines, kpis, Current(kpis, clock=lambda: lines.now)


def memory() -> Store:
    return build(Store, {"kind": "memory", "name": "m"})


def minute_rows(minute: int, state: int, good: int, product: str) -> list[tuple]:
    at = BEGIN + minute * M
    return [
        (f"{UNIT.path}/work_state", at, float(state)),
        (UNIT.good, at, float(good)),
        (UNIT.product, at, product),
    ]


async def whole(kpis: Kpis, start_ns: int, stop_ns: int):
    scope = kpis.scope(SYSTEM, start_ns, stop_ns, unit=UNIT.path)
    return (await kpis.figures(scope, By.WHOLE, ["oee"])).whole


walks = st.lists(
    st.tuples(
        st.lists(
            st.tuples(st.sampled_from([0, 0, 0, 1, 2]), st.integers(1, 8), st.integers(0, 6)),
            min_size=1,
            max_size=6,
        ),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=60)
@given(walks, st.randoms(use_true_random=False))
def test_what_is_kept_and_what_came_since_is_the_whole(walk, random):
    asyncio.run(walked(walk, random))


async def walked(walk, random) -> None:
    store = memory()
    async with store.opened():
        lines, kpis, current = parts(store)
        minute, good = 0, 100
        kept_back: list[tuple] = []
        for parts_of_step, late in walk:
            rows = []
            for state, lasts, rise in parts_of_step:
                for _ in range(lasts):
                    good += rise
                    rows += minute_rows(minute, state, good, random.choice("AB"))
                    minute += 1
            if late:
                kept_back += [rows.pop(random.randrange(len(rows))) for _ in range(2) if rows]
            elif kept_back:
                rows += kept_back
                kept_back = []
            batch = Batch.of_rows(rows)
            await store.append(batch)
            current.take(batch)
            lines.now = BEGIN + minute * M + random.randrange(M)
            (now,) = await current.now(SYSTEM)
            wanted = await whole(kpis, now.start_ns, lines.now)
            assert now.sums == wanted.sums
            assert now.figures["oee"] == wanted.figures["oee"]
            assert now.until_ns == wanted.stop_ns


async def a_long_shift(store: Store, lines: Stored) -> None:
    rows = []
    for minute in range(440):
        rows += minute_rows(minute, 1 if 100 <= minute < 110 else 0, minute * 5, "A")
    await store.append(Batch.of_rows(rows))
    lines.now = BEGIN + 440 * M


async def test_a_question_reads_only_what_came_since_the_last():
    store = memory()
    async with store.opened():
        lines, _, current = parts(store)
        await a_long_shift(store, lines)
        (first,) = await current.now(SYSTEM)
        lines.read_ns = 0
        lines.now += 2 * FRESH_NS
        (second,) = await current.now(SYSTEM)
        assert lines.read_ns < 7 * M
        assert second.sums.gq == first.sums.gq == 439 * 5
        lines.read_ns = 0
        assert await current.now(SYSTEM) == [second]
        assert lines.read_ns == 0


async def test_late_samples_corrections_and_time_make_it_worked_out_anew():
    store = memory()
    async with store.opened():
        lines, _, current = parts(store)
        await a_long_shift(store, lines)
        await current.now(SYSTEM)
        late = Batch.of_rows([(f"{UNIT.path}/work_state", BEGIN + 109 * M, 0.0)])
        await store.append(late)
        current.take(late)
        (now,) = await current.now(SYSTEM)
        assert now.sums.adet == 9 * M

        for change in (lambda: current.forget_at(f"{UNIT.path}/anything"), current.forget):
            change()
            lines.read_ns = 0
            await current.now(SYSTEM)
            assert lines.read_ns >= 439 * M
        lines.now += KEPT_NS
        lines.read_ns = 0
        await current.now(SYSTEM)
        assert lines.read_ns >= 439 * M


async def test_samples_of_others_and_new_ones_leave_it_alone():
    store = memory()
    async with store.opened():
        lines, _, current = parts(store)
        await a_long_shift(store, lines)
        await current.now(SYSTEM)
        current.take(Batch.of_rows([("hall/other/work_state", BEGIN, 0.0)]))
        current.take(Batch.of_rows([(UNIT.good, lines.now, 9999.0)]))
        lines.now += 2 * FRESH_NS
        lines.read_ns = 0
        await current.now(SYSTEM)
        assert lines.read_ns < 7 * M


async def test_out_of_shifts_the_last_one_is_shown():
    store = memory()
    async with store.opened():
        lines, kpis, current = parts(store)
        await a_long_shift(store, lines)
        lines.now = BEGIN + 1200 * M
        (now,) = await current.now(SYSTEM)
        assert (now.shift, now.running, now.until_ns) == ("b", False, BEGIN + 960 * M)
        assert now.sums == (await whole(kpis, BEGIN + 480 * M, BEGIN + 960 * M)).sums


async def test_there_is_no_unit_of_that_name():
    store = memory()
    async with store.opened():
        _, _, current = parts(store)
        with pytest.raises(Missing, match="no work unit 'hall/pres'"):
            await current.now(SYSTEM, unit="hall/pres")
        with pytest.raises(Missing, match="below 'cellar'"):
            await current.now(SYSTEM, branch="cellar")


async def test_a_batch_that_is_lost_on_the_way_makes_all_be_worked_out_anew():
    store = memory()
    spine = build(Spine, {"kind": "memory", "name": "s"})
    async with store.opened():
        lines, _, current = parts(store)
        await a_long_shift(store, lines)
        watch = Watch(current, spine)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(watch.run())
            await asyncio.sleep(0)
            await current.now(SYSTEM)
            lines.now += 2 * FRESH_NS
            lines.read_ns = 0
            one = Batch.of_rows([("hall/other/x", lines.now, 1.0)])
            # Nothing lets the reader run in between, so that the oldest are dropped.
            for _ in range(WAITING_MAX * 2):
                await spine.publish("data.x", one)
            for _ in range(5):
                await asyncio.sleep(0)
            await current.now(SYSTEM)
            running.cancel()
        assert lines.read_ns >= 439 * M
