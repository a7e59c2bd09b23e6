"""What every store must do: a suite that any backend can be put through.

`STORE` holds the checks, each a coroutine function that takes a `Making`. A plain test runs them:

    @pytest.mark.parametrize("check", STORE, ids=lambda c: c.__name__)
    async def test_my_store(check, tmp_path):
        await check(MyMaking(tmp_path))
"""

import asyncio
import math
from typing import Any

import numpy as np

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.point import Value
from lineshaft.core.quality import is_bad
from lineshaft.stores import Counts, Store
from lineshaft.testing.histories import HISTORIES
from lineshaft.testing.making import (
    ALWAYS,
    T0,
    Check,
    Making,
    S,
    balanced,
    holds,
    put,
    rows_at,
)
from lineshaft.testing.oracle import Oracle, same

# ---- the checks


async def samples_come_back_in_the_order_asked_for(making: Making) -> None:
    """Sorted by point as asked for, then by time."""
    store = making.fresh()
    async with store.opened():
        await store.append(Batch.of_rows(rows_at("b", 3, 1) + rows_at("a", 2) + rows_at("c", 1)))
        await store.settle()
        await store.append(Batch.of_rows(rows_at("b", 2) + rows_at("a", 1)))
        got = await store.read(["c", "b", "a"], *ALWAYS)
        keys = [(s.point, s.time_ns - T0) for s in got.rows()]
        assert keys == [("c", 1), ("b", 1), ("b", 2), ("b", 3), ("a", 1), ("a", 2)]


async def a_range_holds_its_start_and_not_its_stop(making: Making) -> None:
    """Half-open, in memory and settled, for every question."""
    store = making.fresh()
    async with store.opened():
        await store.append(Batch.of_rows(rows_at("p", *range(10))))
        for _ in range(2):
            got = await store.read(["p"], T0 + 2, T0 + 5)
            assert (got.time_ns - T0).tolist() == [2, 3, 4]
            assert await store.count(["p"], T0 + 2, T0 + 5) == 3
            table = await store.summaries(["p"], np.array([T0 + 2, T0 + 5]))
            assert table.column("count").to_pylist() == [3]
            assert len(await store.read(["p"], T0 + 5, T0 + 5)) == 0
            assert len(await store.read(["p"], T0 + 5, T0 + 2)) == 0
            await store.settle()


async def the_last_write_of_a_key_wins_and_is_counted(making: Making) -> None:
    """In one batch, across batches, and against what is settled; identical or not."""
    store, oracle = making.fresh(), Oracle()
    async with store.opened():
        await put(store, oracle, [Sample("p", T0, 1.0), Sample("p", T0, 2.0)])
        await put(store, oracle, [Sample("p", T0, 3.0), Sample("q", T0, 3.0)])
        await holds(store, oracle)
        await store.settle()
        await put(store, oracle, [Sample("p", T0, 4.0), Sample("q", T0, 3.0)])
        await holds(store, oracle)
        await store.settle()
        await holds(store, oracle)
        counts = store.counts()
        assert (counts.accepted, counts.stored, counts.replaced) == (6, 2, 4), counts
        await put(store, oracle, [Sample("p", T0, "now text", 0x4000_0000)])
        await put(store, oracle, [Sample("q", T0, None, 0x8000_0000)])
        await holds(store, oracle)
        await store.settle()
        await holds(store, oracle)
        assert balanced(store.counts())


async def values_come_back_exactly(making: Making) -> None:
    """NaN is not null, text is text, big integers keep every digit, quality every bit."""
    store, oracle = making.fresh(), Oracle()
    tricky: list[Value] = [
        *(math.nan, math.inf, -math.inf, 0.0, 5e-324, 1.7976931348623157e308, 0.1, 2**53, True),
        *("", "überall 汉字 '\" \\ \n", "x" * 5000, 2**53 + 1, -(2**70), '{"a": [1]}', "NaN"),
    ]
    codes = [0, 1, 0x4000_0000, 0x8000_0000, 0xFFFF_FFFF, 0x0000_0480, 0x809B_0000]
    rows = [Sample("p", T0 + i, v) for i, v in enumerate(tricky)]
    rows += [Sample("q'; --", T0 + i, 1.0, c) for i, c in enumerate(codes)]
    rows += [Sample("q'; --", T0 - 1 - i, None, c) for i, c in enumerate(codes) if is_bad(c)]
    wanted = [r._replace(value=_stored(r)) for r in rows]
    async with store.opened():
        await store.append(Batch.of_rows(rows))
        oracle.append(wanted)
        await holds(store, oracle)
        await store.settle()
        await holds(store, oracle)
        for row in (await store.read(["p"], T0, T0 + 1)).rows():
            assert isinstance(row.value, float)
            assert math.isnan(row.value)


def _stored(row: Sample) -> Any:  # noqa: ANN401 - any value
    exact = isinstance(row.value, int) and abs(row.value) > 2**53
    return str(row.value) if exact else row.value


async def times_reach_both_ends_of_int64(making: Making) -> None:
    """From the year 1677 to 2262, and the first and last nanosecond of a day."""
    store, oracle = making.fresh(), Oracle()
    day = 86_400 * S
    times = [-(2**63), -day, -1, 0, 1, day - 1, day, T0, 2**63 - 2]
    async with store.opened():
        await put(store, oracle, [Sample("p", t, 1.0) for t in times])
        await holds(store, oracle)
        await store.settle()
        await holds(store, oracle)


async def late_data_is_welcome(making: Making) -> None:
    """Rows older than what is settled take their place, and the newest stays the last."""
    store, oracle = making.fresh(), Oracle()
    async with store.opened():
        for start in (1000, 0, 500, 250, 1001):
            await put(store, oracle, rows_at("p", *range(start, start + 300, 3)))
            await holds(store, oracle)
            await store.settle()
        await holds(store, oracle)
        (last,) = (await store.last(["p"])).rows()
        assert last.time_ns == T0 + 1001 + 297


async def last_is_the_newest_of_each_point(making: Making) -> None:
    """From any batch, in any order; of equal times the one that came last."""
    store = making.fresh()
    async with store.opened():
        assert len(await store.last()) == 0
        await store.append(Batch.of_rows([*rows_at("a", 5, 9, 7), Sample("b", T0, "x")]))
        await store.append(Batch.of_rows([*rows_at("a", 8), Sample("c", T0, None, 0x8000_0000)]))
        for _ in range(2):
            got = {r.point: r for r in (await store.last()).rows()}
            assert sorted(got) == ["a", "b", "c"]
            assert (got["a"].time_ns, got["b"].value) == (T0 + 9, "x")
            assert (got["c"].value, got["c"].quality) == (None, 0x8000_0000)
            asked = list((await store.last(["c", "nobody", "a"])).rows())
            assert [r.point for r in asked] == ["c", "a"]
            await store.settle()
        await store.append(Batch.of_rows([Sample("a", T0 + 9, "again"), Sample("b", T0, 1.0)]))
        got = {r.point: r for r in (await store.last()).rows()}
        assert (got["a"].value, got["b"].value) == ("again", 1.0)


async def unknown_points_give_nothing(making: Making) -> None:
    """Neither rows nor errors, alone or beside known ones."""
    store = making.fresh()
    async with store.opened():
        for _ in range(2):
            assert len(await store.read(["no"], *ALWAYS)) == 0
            assert len(await store.read([], *ALWAYS)) == 0
            assert await store.count(["no"], *ALWAYS) == 0
            edges = np.array([T0, T0 + S])
            assert (await store.summaries(["no"], edges)).num_rows == 0
            assert (await store.summaries([], edges)).num_rows == 0
            assert [b async for b in store.scan(["no"], *ALWAYS)] == []
            await store.append(Batch.of_rows(rows_at("p", 1)))
            await store.settle()
        assert len(await store.read(["no", "p", "nor"], *ALWAYS)) == 1


async def a_limit_takes_the_oldest_of_each_point(making: Making) -> None:
    """Counted after keys were replaced, across memory and settled rows."""
    store, oracle = making.fresh(), Oracle()
    async with store.opened():
        names = [f"p{i}" for i in range(20)]
        await put(store, oracle, [r for n in names for r in rows_at(n, 1, 5, 3, 9)])
        await store.settle()
        fresh = [r for n in names[::2] for r in rows_at(n, 0, 2, 11)]
        await put(store, oracle, [*fresh, Sample(names[0], T0 + 1, 7.0)])
        for limit in (0, 1, 2, 3, 100):
            for points in (names, names[:3], names[1:2]):
                got = await store.read(points, T0, T0 + 10, limit=limit)
                assert same(got.rows(), oracle.read(points, T0, T0 + 10, limit)), limit


async def a_scan_gives_the_rows_of_a_read(making: Making) -> None:
    """In batches no larger than asked for, none of them empty."""
    store, oracle = making.fresh(), Oracle()
    async with store.opened():
        for start in (0, 37, 20):
            rows = [r for n in ("a", "b", "c") for r in rows_at(n, *range(start, start + 50))]
            await put(store, oracle, rows)
            if start:
                await store.settle()
        for rows_max in (1, 7, 1000):
            batches = [b async for b in store.scan(["c", "a"], T0 + 5, T0 + 80, rows_max=rows_max)]
            assert all(0 < len(b) <= rows_max for b in batches)
            got = [r for b in batches for r in b.rows()]
            assert same(got, oracle.read(["c", "a"], T0 + 5, T0 + 80))


async def concurrent_appends_are_all_kept(making: Making) -> None:
    """Any number in flight, beside readers and settling; the books balance meanwhile."""
    store, oracle = making.fresh(), Oracle()
    async with store.opened():

        async def feed(number: int) -> None:
            for i in range(20):
                await put(store, oracle, rows_at(f"p{number}", *range(i * 10, i * 10 + 10)))

        async def look() -> None:
            for _ in range(10):
                got = await store.read(["p0", "p1"], *ALWAYS)
                assert len(got) == await _steady(store, len(got))
                await store.settle()
                assert balanced(store.counts())

        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(feed(number), name=f"feed {number}")
            group.create_task(look(), name="look")
        await holds(store, oracle)
        assert store.counts().accepted == oracle.accepted == 4000
        assert store.counts().replaced == 0


async def _steady(store: Store, rows: int) -> int:
    """Rows never vanish while they move from memory into settled storage."""
    later = len(await store.read(["p0", "p1"], *ALWAYS))
    assert later >= rows, f"{rows} rows became {later}"
    return rows


async def an_empty_batch_is_nothing(making: Making) -> None:
    """It is taken and changes nothing; so does settling an empty store."""
    store = making.fresh()
    async with store.opened():
        await store.append(Batch.empty())
        await store.settle()
        assert store.counts() == Counts()
        assert store.health().ok


async def many_points_are_fine(making: Making) -> None:
    """A hundred thousand paths in one batch, each with its last value."""
    store = making.fresh()
    names = [f"plant/hall-{i % 7}/machine-{i % 1000}/signal-{i}" for i in range(100_000)]
    index = np.arange(len(names))
    async with store.opened():
        await store.append(Batch.of(names, index, index + T0, number=index.astype(float)))
        await store.settle()
        await store.append(Batch.of(names, index, index + T0 + S, number=index + 0.5))
        last = await store.last()
        assert len(last) == len(names)
        assert set((last.number % 1).tolist()) == {0.5}
        got = await store.read([names[99_999], names[5]], *ALWAYS)
        assert got.number.tolist() == [99_999.0, 99_999.5, 5.0, 5.5]
        assert balanced(store.counts())


async def a_restart_keeps_everything(making: Making) -> None:
    """What was acknowledged is there again, once, with the last values."""
    store, oracle = making.fresh(), Oracle()
    async with store.opened():
        await put(store, oracle, [*rows_at("a", 1, 2, 3), Sample("t", T0, "text")])
        await store.settle()
        await put(store, oracle, [*rows_at("a", 3, 4), Sample("b", T0, None, 0x8000_0000)])
    for _ in range(3):
        reopened = making.again()
        if reopened is None:
            return
        async with reopened.opened():
            await holds(reopened, oracle)
            last = {r.point: r.time_ns for r in (await reopened.last()).rows()}
            assert last == {"a": T0 + 4, "t": T0, "b": T0}
            assert balanced(reopened.counts())


STORE: tuple[Check, ...] = (
    samples_come_back_in_the_order_asked_for,
    a_range_holds_its_start_and_not_its_stop,
    the_last_write_of_a_key_wins_and_is_counted,
    values_come_back_exactly,
    times_reach_both_ends_of_int64,
    late_data_is_welcome,
    last_is_the_newest_of_each_point,
    unknown_points_give_nothing,
    a_limit_takes_the_oldest_of_each_point,
    a_scan_gives_the_rows_of_a_read,
    concurrent_appends_are_all_kept,
    an_empty_batch_is_nothing,
    many_points_are_fine,
    a_restart_keeps_everything,
    *HISTORIES,
)
"""All checks."""
