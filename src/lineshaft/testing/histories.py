"""What every store must do with a history: sum it up, find in it, delete and keep of it."""

import asyncio

import numpy as np

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Invalid
from lineshaft.core.summary import SUMMARY_SCHEMA
from lineshaft.stores import Rule
from lineshaft.testing.making import (
    ALWAYS,
    T0,
    Check,
    Making,
    S,
    any_value,
    balanced,
    holds,
    put,
    rows_at,
)
from lineshaft.testing.oracle import Oracle, assert_summaries, same


async def summaries_agree_with_plain_arithmetic(making: Making) -> None:
    """For any edges, in memory and settled, with late rows, bad ones, texts and NaN."""
    store, oracle = making.fresh(), Oracle()
    random = np.random.default_rng(11)
    async with store.opened():
        for round_ in range(4):
            times = T0 + 60 * S * random.integers(-200, 200, 300) // 7
            rows = [Sample(f"p{random.integers(3)}", int(t), *any_value(random)) for t in times]
            await put(store, oracle, rows)
            for edges in (
                [T0 + i * 60 * S for i in range(-40, 41)],
                [T0 - 7, T0 + 1, T0 + 3600 * S],
                [T0 - T0 % (3600 * S) + i * 3600 * S for i in range(-1, 3)],
                sorted({int(e) for e in T0 + S * random.integers(-2000, 2000, 9)}),
            ):
                points = ["p2", "nobody", "p0"]
                table = await store.summaries(points, np.array(edges, dtype=np.int64))
                assert table.schema.equals(SUMMARY_SCHEMA), table.schema
                assert_summaries(table, oracle.summaries(points, edges))
            if round_ != 2:
                await store.settle()


async def summaries_have_the_columns_asked_for(making: Making) -> None:
    """And nothing is an answer too: no point, no edge, no row."""
    store = making.fresh()
    async with store.opened():
        edges = np.array([T0, T0 + 5, T0 + 10], dtype=np.int64)
        assert (await store.summaries(["p"], edges)).equals(SUMMARY_SCHEMA.empty_table())
        await store.append(Batch.of_rows(rows_at("p", *range(10))))
        for _ in range(2):
            table = await store.summaries(["p"], edges, columns=["max", "max_ns", "count"])
            assert table.to_pydict() == {
                "point": ["p", "p"],
                "time_ns": [T0, T0 + 5],
                "count": [5, 5],
                "max": [4.0, 9.0],
                "max_ns": [T0 + 4, T0 + 9],
            }
            for points, few in ((["p"], edges[:1]), (["p"], edges[:0]), ([], edges)):
                table = await store.summaries(points, few, columns=["sum"])
                assert table.schema.names == ["point", "time_ns", "sum"]
                assert table.num_rows == 0
            await store.settle()
        try:
            await store.summaries(["p"], edges[::-1])
        except Invalid:
            pass
        else:
            raise AssertionError("edges that fall were taken")


async def the_nearest_samples_are_found(making: Making) -> None:
    """Before and after any time, however far, in memory and settled, passing over bad ones."""
    store, oracle = making.fresh(), Oracle()
    bad = 0x8005_0000
    day = 86_400 * S
    rows = [*rows_at("a", -400 * day, 5, 7, 9, 30 * day), *rows_at("b", 7), *rows_at("a", 40 * day)]
    rows += [Sample("a", T0 + t, None, bad) for t in (6, 8, 11, 50 * day)]
    rows += [Sample("worst", T0 + t * 3600 * S, None, bad) for t in range(20)]
    async with store.opened():
        for batch in (rows, [Sample("a", T0 + 7, None, bad)], [Sample("a", T0 + 8, 1.0)]):
            await put(store, oracle, batch)
            for _ in range(2):
                for time in (0, 5, 6, 7, 8, 9, 10, 12, 31 * day, 60 * day, -400 * day, -500 * day):
                    for usable in (False, True):
                        points = ["worst", "b", "nobody", "a"]
                        got = await store.before(points, T0 + time, usable=usable)
                        assert same(got.rows(), oracle.before(points, T0 + time, usable=usable))
                        got = await store.after(points, T0 + time, usable=usable)
                        assert same(got.rows(), oracle.after(points, T0 + time, usable=usable))
                await store.settle()
        assert len(await store.before([], T0)) == len(await store.after([], T0)) == 0


async def storage_tells_what_each_point_takes(making: Making) -> None:
    """Rows exactly, first and last time, and a share of the bytes; of what is settled."""
    store = making.fresh()
    async with store.opened():
        assert await store.storage() == []
        await store.append(Batch.of_rows([*rows_at("a", *range(100)), *rows_at("b", 7)]))
        await store.settle()
        await store.append(Batch.of_rows(rows_at("a", 200, 5)))
        await store.settle()
        told = {s.point: s for s in await store.storage()}
        assert (told["a"].rows, told["b"].rows) == (101, 1)
        assert (told["a"].first_ns, told["a"].last_ns) == (T0, T0 + 200)
        assert told["a"].bytes > told["b"].bytes >= 0
        assert [s.point for s in await store.storage(["b", "nobody"])] == ["b"]


async def retention_keeps_what_the_rules_say(making: Making) -> None:
    """The longest branch decides, samples are there or not as a whole day; dry changes nothing."""
    store, oracle = making.fresh(), Oracle()
    day = 86_400 * S
    today = now_ns() // day * day
    rules = [Rule(branch="hall", raw_s=10 * 86_400.0), Rule(branch="hall/b", raw_s=3 * 86_400.0)]
    points = ["hall/a", "hall/b", "hallway"]
    async with store.opened():
        for days in (30, 5, 1):
            for point in points:
                rows = [Sample(point, today - days * day + i * S, float(i)) for i in range(20)]
                await put(store, oracle, rows)
            await store.settle()
        assert (await store.retain([], 0, dry=False)).rows == 0
        told = await store.retain(rules, 0, dry=True)
        await holds(store, oracle)
        done = await store.retain(rules, 0, dry=False)
        assert (done.rows, set(done.reasons)) == (told.rows, {"hall", "hall/b"})
        oracle.delete(["hall/a"], 0, today - 10 * day)
        oracle.delete(["hall/b"], 0, today - 3 * day)
        await holds(store, oracle)
        assert balanced(store.counts())
        assert not (await store.retain(rules, 0, dry=False)).reasons
    reopened = making.again()
    if reopened is not None:
        async with reopened.opened():
            await holds(reopened, oracle)


async def the_budget_lets_the_oldest_samples_go(making: Making) -> None:
    """And no more of them than it must, file by file."""
    store = making.fresh()
    day = 86_400 * S
    async with store.opened():
        for days in range(5):
            rows = [Sample("p", T0 + days * day + i * S, float(i)) for i in range(500)]
            await store.append(Batch.of_rows(rows))
            await store.settle()
        size = sum(s.bytes for s in await store.storage())
        assert not (await store.retain([], 2 * size, dry=False)).reasons
        told = await store.retain([], size * 7 // 10, dry=True)
        done = await store.retain([], size * 7 // 10, dry=False)
        assert (done.bytes, set(done.reasons)) == (told.bytes, {"disk budget"})
        got = await store.read(["p"], *ALWAYS)
        assert 1000 <= len(got) < 2500
        assert got.time_ns[0] > T0
        assert got.time_ns[-1] == T0 + 4 * day + 499 * S


async def what_is_deleted_is_gone(making: Making) -> None:
    """From memory and settled rows, with the last values; what is appended after it stays."""
    store, oracle = making.fresh(), Oracle()

    async def delete(points: list[str], start: int, stop: int) -> None:
        wanted = oracle.delete(points, T0 + start, T0 + stop)
        assert await store.delete(points, T0 + start, T0 + stop) == wanted
        await holds(store, oracle)
        last = {r.point: r for r in (await store.last()).rows()}
        assert same(sorted(last.values()), sorted(oracle.last().values())), last
        assert balanced(store.counts()), store.counts()

    async with store.opened():
        await delete(["a", "no"], 0, 100)
        await put(store, oracle, rows_at("a", *range(20)) + rows_at("b", *range(20)))
        await store.settle()
        await put(store, oracle, [*rows_at("a", 20, 21), *rows_at("c", 5), Sample("t", T0, "x")])
        await delete([], 0, 100)
        await delete(["a"], 5, 5)
        await delete(["a", "a", "no"], 5, 9)
        await delete(["a", "t"], 19, 30)  # the newest of a, from both
        await delete(["b"], 100, 200)
        await delete(["c", "b"], 0, 100)  # all there is of both
        assert store.counts().dropped["deleted"] == oracle.accepted - len(oracle.rows)
        await put(store, oracle, [*rows_at("b", 3), *rows_at("a", 5, 25), Sample("t", T0 + 1, "y")])
        await delete(["t"], 1, 2)
        await holds(store, oracle)
        await store.settle()
        await holds(store, oracle)
    reopened = making.again()
    if reopened is None:
        return
    async with reopened.opened():
        await holds(reopened, oracle)
        last = {r.point: r for r in (await reopened.last()).rows()}
        assert same(sorted(last.values()), sorted(oracle.last().values())), last
        points = sorted({p for p, _ in oracle.rows})
        oracle.delete(points, *ALWAYS)
        await reopened.delete(points, *ALWAYS)
        assert balanced(reopened.counts()), reopened.counts()
        assert not len(await reopened.last())


async def deleting_takes_what_was_acknowledged_before_it(making: Making) -> None:
    """Not more, and not less, while others append."""
    store = making.fresh()
    async with store.opened():

        async def feed(number: int) -> None:
            for i in range(30):
                await store.append(Batch.of_rows(rows_at(f"p{number}", i)))

        async with asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(feed(number), name=f"feed {number}")
            for _ in range(5):
                await asyncio.sleep(0)
                before = await store.count(["p0", "p1"], *ALWAYS)
                assert await store.delete(["p0", "p1"], *ALWAYS) >= before
                assert balanced(store.counts()), store.counts()
        assert await store.count(["p2", "p3"], *ALWAYS) == 60
        rest = await store.count(["p0", "p1"], *ALWAYS)
        assert rest + store.counts().dropped.get("deleted", 0) == 60


HISTORIES: tuple[Check, ...] = (
    summaries_agree_with_plain_arithmetic,
    summaries_have_the_columns_asked_for,
    the_nearest_samples_are_found,
    storage_tells_what_each_point_takes,
    retention_keeps_what_the_rules_say,
    the_budget_lets_the_oldest_samples_go,
    what_is_deleted_is_gone,
    deleting_takes_what_was_acknowledged_before_it,
)
"""All checks of this file."""
