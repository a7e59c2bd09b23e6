"""Summaries, nearest samples and what is stored are what plain arithmetic says."""

import numpy as np

from lineshaft.core.batch import Batch, Sample
from lineshaft.core.errors import Invalid
from lineshaft.core.summary import SUMMARY_SCHEMA
from lineshaft.testing.oracle import Oracle, assert_summaries, same
from lineshaft.testing.stores.basis import T0, Making, S, anything, put, ramp


async def summaries_agree_with_plain_arithmetic(making: Making) -> None:
    """For any edges, in memory and settled, with late rows, bad ones, texts and NaN."""
    store, oracle = making.fresh(), Oracle()
    random = np.random.default_rng(11)
    async with store.opened():
        for round_ in range(4):
            times = T0 + 60 * S * random.integers(-200, 200, 300) // 7
            rows = [Sample(f"p{random.integers(3)}", int(t), *anything(random)) for t in times]
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
        await store.append(Batch.of_rows(ramp("p", *range(10))))
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
    rows = [*ramp("a", -400 * day, 5, 7, 9, 30 * day), *ramp("b", 7), *ramp("a", 40 * day)]
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
        await store.append(Batch.of_rows([*ramp("a", *range(100)), *ramp("b", 7)]))
        await store.settle()
        await store.append(Batch.of_rows(ramp("a", 200, 5)))
        await store.settle()
        told = {s.point: s for s in await store.storage()}
        assert (told["a"].rows, told["b"].rows) == (101, 1)
        assert (told["a"].first_ns, told["a"].last_ns) == (T0, T0 + 200)
        assert told["a"].bytes > told["b"].bytes >= 0
        assert [s.point for s in await store.storage(["b", "nobody"])] == ["b"]
