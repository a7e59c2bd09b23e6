"""What every store must do: a suite that any backend can be put through.

`STORE` holds the checks, each a coroutine function that takes a `Making`. A plain test runs them:

    @pytest.mark.parametrize("check", STORE, ids=lambda c: c.__name__)
    async def test_my_store(check, tmp_path):
        await check(MyMaking(tmp_path))
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.clock import now_ns
from lineshaft.core.errors import Invalid
from lineshaft.core.point import Value
from lineshaft.core.quality import is_bad
from lineshaft.core.summary import SUMMARY_SCHEMA
from lineshaft.stores import BUCKET_SCHEMA, Counts, Rule, Store
from lineshaft.testing.oracle import Oracle, assert_summaries, same

ALWAYS = (-(2**63), 2**63 - 1)
T0 = 1_760_000_000_000_000_000
S = 1_000_000_000


class Making(Protocol):
    """How a check gets the stores it tries."""

    def fresh(self) -> Store:
        """A store that holds nothing; not open yet."""

    def again(self) -> Store | None:
        """A new store in the place of the last one made; None when it keeps nothing."""


Check = Callable[[Making], Awaitable[None]]


def balanced(counts: Counts) -> bool:
    """Whether the books balance."""
    known = counts.stored + counts.buffered + counts.replaced + sum(counts.dropped.values())
    return counts.accepted == known


async def holds(store: Store, oracle: Oracle) -> None:
    """See that the store gives back all that the oracle knows."""
    points = sorted({p for p, _ in oracle.rows})
    got = list((await store.read(points, *ALWAYS)).rows())
    wanted = oracle.read(points, *ALWAYS)
    assert same(got, wanted), f"{len(got)} rows, wanted {len(wanted)}"
    assert await store.count(points, *ALWAYS) == len(wanted)


def _rows(point: str, *times: int) -> list[Sample]:
    return [Sample(point, T0 + t, float(t)) for t in times]


async def _append(store: Store, oracle: Oracle, rows: list[Sample]) -> None:
    await store.append(Batch.of_rows(rows))
    oracle.append(rows)
    assert balanced(store.counts()), store.counts()


# ---- the checks


async def samples_come_back_in_the_order_asked_for(making: Making) -> None:
    """Sorted by point as asked for, then by time."""
    store = making.fresh()
    async with store.opened():
        await store.append(Batch.of_rows(_rows("b", 3, 1) + _rows("a", 2) + _rows("c", 1)))
        await store.settle()
        await store.append(Batch.of_rows(_rows("b", 2) + _rows("a", 1)))
        got = await store.read(["c", "b", "a"], *ALWAYS)
        keys = [(s.point, s.time_ns - T0) for s in got.rows()]
        assert keys == [("c", 1), ("b", 1), ("b", 2), ("b", 3), ("a", 1), ("a", 2)]


async def a_range_holds_its_start_and_not_its_stop(making: Making) -> None:
    """Half-open, in memory and settled, for every question."""
    store = making.fresh()
    async with store.opened():
        await store.append(Batch.of_rows(_rows("p", *range(10))))
        for _ in range(2):
            got = await store.read(["p"], T0 + 2, T0 + 5)
            assert (got.time_ns - T0).tolist() == [2, 3, 4]
            assert await store.count(["p"], T0 + 2, T0 + 5) == 3
            table = await store.buckets(["p"], T0 + 2, T0 + 5, 100)
            assert table.column("count").to_pylist() == [3]
            assert len(await store.read(["p"], T0 + 5, T0 + 5)) == 0
            assert len(await store.read(["p"], T0 + 5, T0 + 2)) == 0
            await store.settle()


async def the_last_write_of_a_key_wins_and_is_counted(making: Making) -> None:
    """In one batch, across batches, and against what is settled; identical or not."""
    store, oracle = making.fresh(), Oracle()
    async with store.opened():
        await _append(store, oracle, [Sample("p", T0, 1.0), Sample("p", T0, 2.0)])
        await _append(store, oracle, [Sample("p", T0, 3.0), Sample("q", T0, 3.0)])
        await holds(store, oracle)
        await store.settle()
        await _append(store, oracle, [Sample("p", T0, 4.0), Sample("q", T0, 3.0)])
        await holds(store, oracle)
        await store.settle()
        await holds(store, oracle)
        counts = store.counts()
        assert (counts.accepted, counts.stored, counts.replaced) == (6, 2, 4), counts
        await _append(store, oracle, [Sample("p", T0, "now text", 0x4000_0000)])
        await _append(store, oracle, [Sample("q", T0, None, 0x8000_0000)])
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
        await _append(store, oracle, [Sample("p", t, 1.0) for t in times])
        await holds(store, oracle)
        await store.settle()
        await holds(store, oracle)


async def late_data_is_welcome(making: Making) -> None:
    """Rows older than what is settled take their place, and the newest stays the last."""
    store, oracle = making.fresh(), Oracle()
    async with store.opened():
        for start in (1000, 0, 500, 250, 1001):
            await _append(store, oracle, _rows("p", *range(start, start + 300, 3)))
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
        await store.append(Batch.of_rows([*_rows("a", 5, 9, 7), Sample("b", T0, "x")]))
        await store.append(Batch.of_rows([*_rows("a", 8), Sample("c", T0, None, 0x8000_0000)]))
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
            assert (await store.buckets(["no"], T0, T0 + S, S)).num_rows == 0
            assert (await store.buckets([], T0, T0 + S, S)).num_rows == 0
            assert [b async for b in store.scan(["no"], *ALWAYS)] == []
            await store.append(Batch.of_rows(_rows("p", 1)))
            await store.settle()
        assert len(await store.read(["no", "p", "nor"], *ALWAYS)) == 1


async def a_limit_takes_the_oldest_of_each_point(making: Making) -> None:
    """Counted after keys were replaced, across memory and settled rows."""
    store, oracle = making.fresh(), Oracle()
    async with store.opened():
        names = [f"p{i}" for i in range(20)]
        await _append(store, oracle, [r for n in names for r in _rows(n, 1, 5, 3, 9)])
        await store.settle()
        fresh = [r for n in names[::2] for r in _rows(n, 0, 2, 11)]
        await _append(store, oracle, [*fresh, Sample(names[0], T0 + 1, 7.0)])
        for limit in (0, 1, 2, 3, 100):
            for points in (names, names[:3], names[1:2]):
                got = await store.read(points, T0, T0 + 10, limit=limit)
                assert same(got.rows(), oracle.read(points, T0, T0 + 10, limit)), limit


async def a_scan_gives_the_rows_of_a_read(making: Making) -> None:
    """In batches no larger than asked for, none of them empty."""
    store, oracle = making.fresh(), Oracle()
    async with store.opened():
        for start in (0, 37, 20):
            rows = [r for n in ("a", "b", "c") for r in _rows(n, *range(start, start + 50))]
            await _append(store, oracle, rows)
            if start:
                await store.settle()
        for rows_max in (1, 7, 1000):
            batches = [b async for b in store.scan(["c", "a"], T0 + 5, T0 + 80, rows_max=rows_max)]
            assert all(0 < len(b) <= rows_max for b in batches)
            got = [r for b in batches for r in b.rows()]
            assert same(got, oracle.read(["c", "a"], T0 + 5, T0 + 80))


async def buckets_agree_with_plain_arithmetic(making: Making) -> None:
    """Bad, NaN and text count, and do not enter into the figures."""
    store, oracle = making.fresh(), Oracle()
    random = np.random.default_rng(7)
    async with store.opened():
        for round_ in range(3):
            rows = [
                Sample(f"p{random.integers(3)}", T0 + int(random.integers(1000)), *_any(random))
                for _ in range(200)
            ]
            await _append(store, oracle, rows)
            for points in (["p2", "p0"], ["p1"]):
                for start, stop, width in ((T0, T0 + 1000, 100), (T0 - 7, T0 + 333, 50)):
                    table = await store.buckets(points, start, stop, width)
                    assert_buckets(table, oracle.buckets(points, start, stop, width))
            if round_ != 1:
                await store.settle()
        try:
            await store.buckets(["p0"], T0, T0 + 1, 0)
        except Invalid:
            pass
        else:
            raise AssertionError("a bucket of no width was taken")


def _any(random: np.random.Generator) -> tuple[Any, int]:
    match int(random.integers(6)):
        case 0:
            return "text", 0
        case 1:
            return math.nan, 0
        case 2:
            return float(random.normal()), 0x8005_0000
        case _:
            return float(random.normal()), int(random.choice([0, 0x4000_0000]))


def assert_buckets(table: pa.Table, wanted: list[tuple[Any, ...]]) -> None:
    """See that a table of buckets is as wanted, averages to rounding."""
    assert table.schema.equals(BUCKET_SCHEMA), table.schema
    got = [tuple(r.values()) for r in table.to_pylist()]
    assert [g[:4] + g[5:] for g in got] == [w[:4] + w[5:] for w in wanted]
    for mine, theirs in zip(got, wanted, strict=True):
        if theirs[4] is None:
            assert mine[4] is None
        else:
            assert math.isclose(mine[4], theirs[4], rel_tol=1e-9, abs_tol=1e-9), (mine, theirs)


async def summaries_agree_with_plain_arithmetic(making: Making) -> None:
    """For any edges, in memory and settled, with late rows, bad ones, texts and NaN."""
    store, oracle = making.fresh(), Oracle()
    random = np.random.default_rng(11)
    async with store.opened():
        for round_ in range(4):
            times = T0 + 60 * S * random.integers(-200, 200, 300) // 7
            rows = [Sample(f"p{random.integers(3)}", int(t), *_any(random)) for t in times]
            await _append(store, oracle, rows)
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
        await store.append(Batch.of_rows(_rows("p", *range(10))))
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
    rows = [*_rows("a", -400 * day, 5, 7, 9, 30 * day), *_rows("b", 7), *_rows("a", 40 * day)]
    rows += [Sample("a", T0 + t, None, bad) for t in (6, 8, 11, 50 * day)]
    rows += [Sample("worst", T0 + t * 3600 * S, None, bad) for t in range(20)]
    async with store.opened():
        for batch in (rows, [Sample("a", T0 + 7, None, bad)], [Sample("a", T0 + 8, 1.0)]):
            await _append(store, oracle, batch)
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
        await store.append(Batch.of_rows([*_rows("a", *range(100)), *_rows("b", 7)]))
        await store.settle()
        await store.append(Batch.of_rows(_rows("a", 200, 5)))
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
                await _append(store, oracle, rows)
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


async def concurrent_appends_are_all_kept(making: Making) -> None:
    """Any number in flight, beside readers and settling; the books balance meanwhile."""
    store, oracle = making.fresh(), Oracle()
    async with store.opened():

        async def feed(number: int) -> None:
            for i in range(20):
                await _append(store, oracle, _rows(f"p{number}", *range(i * 10, i * 10 + 10)))

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
        await _append(store, oracle, [*_rows("a", 1, 2, 3), Sample("t", T0, "text")])
        await store.settle()
        await _append(store, oracle, [*_rows("a", 3, 4), Sample("b", T0, None, 0x8000_0000)])
    for _ in range(3):
        reopened = making.again()
        if reopened is None:
            return
        async with reopened.opened():
            await holds(reopened, oracle)
            last = {r.point: r.time_ns for r in (await reopened.last()).rows()}
            assert last == {"a": T0 + 4, "t": T0, "b": T0}
            assert balanced(reopened.counts())


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
        await _append(store, oracle, _rows("a", *range(20)) + _rows("b", *range(20)))
        await store.settle()
        await _append(store, oracle, [*_rows("a", 20, 21), *_rows("c", 5), Sample("t", T0, "x")])
        await delete([], 0, 100)
        await delete(["a"], 5, 5)
        await delete(["a", "a", "no"], 5, 9)
        await delete(["a", "t"], 19, 30)  # the newest of a, from both
        await delete(["b"], 100, 200)
        await delete(["c", "b"], 0, 100)  # all there is of both
        assert store.counts().dropped["deleted"] == oracle.accepted - len(oracle.rows)
        await _append(store, oracle, [*_rows("b", 3), *_rows("a", 5, 25), Sample("t", T0 + 1, "y")])
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
                await store.append(Batch.of_rows(_rows(f"p{number}", i)))

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
    buckets_agree_with_plain_arithmetic,
    summaries_agree_with_plain_arithmetic,
    summaries_have_the_columns_asked_for,
    the_nearest_samples_are_found,
    storage_tells_what_each_point_takes,
    retention_keeps_what_the_rules_say,
    the_budget_lets_the_oldest_samples_go,
    concurrent_appends_are_all_kept,
    an_empty_batch_is_nothing,
    many_points_are_fine,
    a_restart_keeps_everything,
    what_is_deleted_is_gone,
    deleting_takes_what_was_acknowledged_before_it,
)
"""All checks."""
