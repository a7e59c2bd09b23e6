"""What holds for the ClickHouse store alone; run by `clickhouse_check.py`."""

import asyncio

import numpy as np
import pyarrow as pa
import pytest

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Unavailable
from lineshaft.core.summary import summarize
from lineshaft.stores import Question, Rule
from lineshaft.stores.clickhouse import reading, sums

T0 = 1_760_000_000_000_000_000
S = 1_000_000_000
DAY = 86_400 * S
NOWHERE = """(point String, time_ns Int64, number Nullable(Float64), text Nullable(String),
    quality UInt32, version UInt64) ENGINE = Null"""


def rows(point, *times):
    return Batch.of_rows(Sample(point, T0 + t, float(t % 97)) for t in times)


async def many_small_appends_share_an_insert(making):
    store = making.fresh(pace_s=0.2)
    async with store.opened():
        async with asyncio.TaskGroup() as group:
            for i in range(200):
                group.create_task(store.append(rows(f"p{i % 7}", i)))
        assert store.health().figures["inserts"] <= 5
        assert store.counts().stored == 200


async def appends_wait_while_too_many_rows_do(making):
    store = making.fresh(pace_s=0.05, waiting_rows_max=10)
    most = 0
    async with store.opened():

        async def feed(number):
            nonlocal most
            for i in range(10):
                await store.append(rows(f"p{number}", *range(i * 5, i * 5 + 5)))
                most = max(most, int(store.health().figures["waiting_rows"]))

        async with asyncio.TaskGroup() as group:
            for number in range(10):
                group.create_task(feed(number))
        assert most <= 15, most
        assert store.counts().stored == 500


async def what_clickhouse_does_not_take_is_not_acknowledged(making):
    store = making.fresh()
    async with store.opened():
        await store.append(rows("p", 1))
        table = store._layout.samples
        await asyncio.to_thread(
            store._engine.do, f"ALTER TABLE {table} ADD CONSTRAINT small CHECK quality < 5"
        )
        with pytest.raises(Unavailable, match="small"):
            await store.append(Batch.of_rows([Sample("p", T0 + 2, 1.0, 7)]))
        assert not store.health().ok
        assert "small" in store.health().problem
        assert store.counts().accepted == 1
        await store.append(rows("p", 3))
        assert store.health().ok
        assert (await store.read(["p"], 0, 2**62)).number.tolist() == [1.0, 3.0]


async def rows_that_vanish_are_noticed(making):
    store = making.fresh()
    async with store.opened():
        table = store._layout.samples
        for statement in (f"DROP TABLE {table} SYNC", f"CREATE TABLE {table} {NOWHERE}"):
            await asyncio.to_thread(store._engine.do, statement)
        with pytest.raises(Unavailable, match="holds 0"):
            await store.append(rows("p", 1, 2, 3))


async def the_newest_samples_survive_a_start_without_an_end(making):
    store = making.fresh()
    async with store.opened():
        await store.append(rows("a", 1, 9, 5))
        await store.settle()
        await store.append(rows("a", 7))
        await store.append(rows("b", 3))
        # Not saved: as after a crash.
        store._writer.latest.changed.clear()
        store._writer.save = lambda: None
    again = making.again()
    async with again.opened():
        assert {r.point: r.time_ns - T0 for r in (await again.last()).rows()} == {"a": 9, "b": 3}
        await again.append(rows("a", 9))
        assert again.counts().replaced == 1


async def versions_rise_when_the_clock_falls(making):
    store = making.fresh()
    async with store.opened():
        await store.append(rows("p", 1))
        store._writer._version = 2**63
        await store.append(Batch.of_rows([Sample("p", T0 + 1, 5.0)]))
    again = making.again()
    async with again.opened():
        await again.append(Batch.of_rows([Sample("p", T0 + 1, 6.0)]))
        assert (await again.read(["p"], 0, 2**62)).number.tolist() == [6.0]


async def rules_delete_rows_and_the_budget_partitions(making):
    now = now_ns()
    store = making.fresh(partition_days=1)
    old = [Sample(p, now - d * DAY, float(d)) for p in ("a/x", "a/b/y", "c") for d in range(9)]
    async with store.opened():
        await store.append(Batch.of_rows(old))
        rules = (Rule(branch="a", raw_s=5 * 86_400), Rule(branch="a/b"), Rule(raw_s=7.5 * 86_400))
        dry = await store.retain(rules, 0, dry=True)
        assert dry.rows == 4 + 1, dry
        assert set(dry.reasons) == {"a", ""}
        assert await store.count(["a/x", "a/b/y", "c"], 0, 2**62) == 27
        done = await store.retain(rules, 0, dry=False)
        assert done.rows == dry.rows
        kept = {p: await store.count([p], 0, 2**62) for p in ("a/x", "a/b/y", "c")}
        assert kept == {"a/x": 5, "a/b/y": 9, "c": 8}, kept
        counts = store.counts()
        assert counts.dropped == {"retention": 5}
        assert counts.stored == 22
        storage = {s.point: s for s in await store.storage()}
        assert {p: s.rows for p, s in storage.items()} == kept
        assert all(s.bytes > 0 for s in storage.values())
        assert storage["c"].last_ns == now
        cut = await store.retain((), 1, dry=True)
        assert len(cut.files) >= 7
        await store.retain((), 1, dry=False)
        assert {s.point for s in await store.storage()} == {"a/x", "a/b/y", "c"}
        assert len(await store.last()) == 3
        assert await store.count(["a/b/y"], 0, 2**62) <= 2


async def a_select_is_answered(making):
    store = making.fresh()
    async with store.opened():
        await store.append(rows("p", *(i * S for i in range(100))))
        await store.append(rows("q", 5))
        text = "SELECT point, count(*) AS n, max(number) AS top FROM samples GROUP BY 1 ORDER BY 1"
        batches = [b async for b in store.sql(Question(text=text))]
        table = pa.Table.from_batches(batches)
        assert table.to_pylist() == [
            {"point": "p", "n": 100, "top": 96.0},
            {"point": "q", "n": 1, "top": 5.0},
        ]
        some = Question(text="SELECT sum(count) AS n FROM rollup_1m", points=("q",))
        batches = [b async for b in store.sql(some)]
        assert pa.Table.from_batches(batches).to_pylist() == [{"n": 1}]


async def more_rows_than_fit_at_once_are_read_in_pieces(making):
    reading.ROWS_AT_ONCE = 50
    try:
        store = making.fresh()
        async with store.opened():
            await store.append(rows("a", *range(173)))
            await store.append(rows("b", *range(20)))
            await store.append(rows("c", *range(20)))
            batches = [b async for b in store.scan(["c", "a", "b"], T0, T0 + 1000, rows_max=40)]
            found = [(r.point, r.time_ns - T0) for b in batches for r in b.rows()]
            wanted = [("c", 20), ("a", 173), ("b", 20)]
            assert found == [(p, i) for p, n in wanted for i in range(n)]
            edges = np.arange(T0, T0 + 200, 7, dtype=np.int64)
            whole = await store.summaries(["a", "b"], edges, columns=["count", "sum", "stepped"])
            assert sum(whole.column("count").to_pylist()) == 193
            assert whole.column("count").to_pylist()[:25] == [7] * 24 + [5]
    finally:
        reading.ROWS_AT_ONCE = 1_000_000


async def cancelling_an_append_leaves_the_store_usable(making):
    store = making.fresh(pace_s=0.3)
    async with store.opened():
        await store.append(rows("p", 0))
        for _ in range(3):
            try:
                async with asyncio.timeout(0.01):
                    await store.append(rows("p", 1))
            except TimeoutError:
                pass
        await store.append(rows("p", 2))
        assert store.health().figures["waiting_rows"] == 0
        assert await store.count(["p"], 0, 2**62) == 3


async def sums_made_by_clickhouse_are_those_made_here(making):
    store = making.fresh()
    random = np.random.default_rng(3)
    async with store.opened():
        values = [1.5, -2.0, float("nan"), float("inf"), "text", 7.0, 7.0]
        for _ in range(2):
            batch = [
                Sample(f"p{random.integers(3)}", T0 + int(random.integers(-500, 500)), v, q)
                for v in values * 30
                for q in (0, 0x4000_0000, 0x8000_0000)
            ]
            await store.append(Batch.of_rows(batch))
        points = ["p2", "nobody", "p0"]
        columns = list(sums.COLUMNS)
        for stop in (T0 + 400, T0 + 433):
            edges = np.append(np.arange(T0 - 450, stop, 50), stop).astype(np.int64)
            theirs = await store.summaries(points, edges, columns=columns)
            rows = await store.read(points, int(edges[0]), int(edges[-1]))
            ours = summarize(rows, edges, columns=columns)
            assert sums.width_of(edges, columns) == 50
            assert theirs.schema.equals(ours.schema)
            assert theirs.num_rows > 20
            assert repr(theirs.to_pylist()) == repr(ours.to_pylist())
    assert not sums.width_of(edges, ["stepped"])
    assert not sums.width_of(np.array([1, 5, 6, 10]), ["sum"])
    assert not sums.width_of(np.array([-(2**63), 2**62]), ["sum"])


CHECKS = (
    sums_made_by_clickhouse_are_those_made_here,
    many_small_appends_share_an_insert,
    appends_wait_while_too_many_rows_do,
    what_clickhouse_does_not_take_is_not_acknowledged,
    rows_that_vanish_are_noticed,
    the_newest_samples_survive_a_start_without_an_end,
    versions_rise_when_the_clock_falls,
    rules_delete_rows_and_the_budget_partitions,
    a_select_is_answered,
    more_rows_than_fit_at_once_are_read_in_pieces,
    cancelling_an_append_leaves_the_store_usable,
)
