"""What is deleted goes, by hand or by rule, and nothing else does."""

import asyncio

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.clock import now_ns
from lineshaft.stores import Rule
from lineshaft.testing.oracle import Oracle, same
from lineshaft.testing.stores.basis import (
    ALWAYS,
    T0,
    Making,
    S,
    balanced,
    holds,
    put,
    ramp,
)


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
        await put(store, oracle, ramp("a", *range(20)) + ramp("b", *range(20)))
        await store.settle()
        await put(store, oracle, [*ramp("a", 20, 21), *ramp("c", 5), Sample("t", T0, "x")])
        await delete([], 0, 100)
        await delete(["a"], 5, 5)
        await delete(["a", "a", "no"], 5, 9)
        await delete(["a", "t"], 19, 30)  # the newest of a, from both
        await delete(["b"], 100, 200)
        await delete(["c", "b"], 0, 100)  # all there is of both
        assert store.counts().dropped["deleted"] == oracle.accepted - len(oracle.rows)
        await put(store, oracle, [*ramp("b", 3), *ramp("a", 5, 25), Sample("t", T0 + 1, "y")])
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
                await store.append(Batch.of_rows(ramp(f"p{number}", i)))

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
