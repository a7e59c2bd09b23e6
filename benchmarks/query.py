"""What questions to history take: best and median of several askings, on a store with roll-ups.

One point has a million samples a second apart, nineteen have 20,000 five seconds apart. The bare
read of the store stands beside the questions, as the floor.

    python benchmarks/query.py [--quick]
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable

import numpy as np

from lineshaft.core.batch import Batch
from lineshaft.core.plugin import build
from lineshaft.core.point import Point
from lineshaft.historian.aggregates import Function
from lineshaft.historian.calendar import Interval
from lineshaft.historian.namespace import Namespace
from lineshaft.historian.query import Aggregate, At, Chart, Query, Shape
from lineshaft.historian.query.asking import Questions
from lineshaft.records import Records
from lineshaft.stores import Store

S = 1_000_000_000
T0 = 1_760_000_000 * S
SETTLE_S = 15.0
"""Seconds in which roll-ups are made in the background."""


async def fill(store: Store, rows: int) -> None:
    rng = np.random.default_rng(1)
    for number in range(20):
        count, step = (rows, S) if not number else (20_000, 5 * S)
        values = np.cumsum(rng.normal(size=count)).round(2)
        times = T0 + np.arange(count) * step
        index = np.zeros(count, dtype=np.int32)
        await store.append(Batch.of([f"p{number}"], index, times, number=values))
    await store.settle()


def asked(rows: int) -> dict[str, Query]:
    def every(length: str, *functions: Function) -> Aggregate:
        return Aggregate(functions=functions, interval=Interval(every=length))

    one, all_ = ("p0",), tuple(f"p{n}" for n in range(20))
    start, hour, stop = str(T0), str(T0 + 3600 * S), str(T0 + rows * S)
    six = {"start": start, "stop": str(T0 + 6 * 3600 * S)}
    whole = {"start": start, "stop": stop}
    extremes = (Function.TIME_AVERAGE, Function.MINIMUM, Function.MAXIMUM)
    times = tuple(str(T0 + i * rows * S // 1000) for i in range(1000))
    return {
        "samples of an hour": Query(points=one, start=start, stop=hour),
        "chart of an hour": Query(points=one, start=start, stop=hour, do=Chart()),
        "chart of all": Query(points=one, do=Chart(), **whole),
        "chart of all, LTTB": Query(points=one, do=Chart(method="lttb"), **whole),
        "chart of 20 points": Query(points=all_, do=Chart(), **whole),
        "hourly averages of all": Query(points=one, do=every("1h", Function.AVERAGE), **whole),
        "hourly extremes of all": Query(points=one, do=every("1h", *extremes), **whole),
        "averages by minute, 20 × 6 h": Query(points=all_, do=every("1m", Function.AVERAGE), **six),
        "20 × 6 h side by side": Query(points=all_, shape=Shape.WIDE, **six),
        "20 × 6 h side by side, as of": Query(points=all_, shape=Shape.WIDE, join="asof", **six),
        "values at 1,000 times": Query(points=one, do=At(times=times)),
        "all samples": Query(points=one, **whole),
    }


async def timed(work: Callable[[], Awaitable[int]], times: int) -> tuple[float, float, int]:
    found, size = [], 0
    for _ in range(times):
        begun = time.perf_counter()
        size = await work()
        found.append((time.perf_counter() - begun) * 1000)
    return min(found), statistics.median(found), size


async def main(rows: int, times: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = build(Store, {"kind": "parquet", "path": folder})
        names = Namespace(build(Records, {"kind": "memory"}), points_max=100)
        names.declare(Point(path=f"p{n}") for n in range(20))
        questions = Questions(store, names)
        async with store.opened():
            await fill(store, rows)
            await asyncio.sleep(SETTLE_S)
            print(f"| {rows:,} rows, load {os.getloadavg()[0]:.1f} | best ms | median | rows |")
            print("|---|--:|--:|--:|")

            async def bare() -> int:
                return len(await store.read(["p0"], T0, T0 + 3600 * S))

            works: dict[str, Callable[[], Awaitable[int]]] = {"bare read of an hour": bare}
            for name, query in asked(rows).items():

                async def ask(query: Query = query) -> int:
                    answer = await questions.ask(questions.plan(query))
                    return sum([b.num_rows async for b in answer.batches])

                works[name] = ask
            for name, work in works.items():
                best, median, size = await timed(work, times)
                print(f"| {name} | {best:.1f} | {median:.1f} | {size} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    options = parser.parse_args()
    asyncio.run(main(100_000 if options.quick else 1_000_000, 3 if options.quick else 5))
