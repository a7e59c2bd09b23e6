"""The ClickHouse store beside its engine used bare: the same process, data, types and syncs.

Bare is a MergeTree without versions, filled and asked with clickhouse-connect in SQL; ours is the
same through `Store`: the last write of a key wins, rows are counted after each insert, paths come
back in the order asked for. The engine is chdb; rounds are interleaved, figures are medians.

    python benchmarks/clickhouse.py [--quick]
"""

import argparse
import asyncio
import os
import platform
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import chdb
import clickhouse_connect
import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Batch
from lineshaft.core.plugin import build
from lineshaft.stores import Store
from workload import names, reference

POINTS = 1000
BARE = """
    CREATE TABLE bare.samples (
        point LowCardinality(String) CODEC(ZSTD(1)),
        time_ns Int64 CODEC(DoubleDelta, ZSTD(1)),
        number Nullable(Float64) CODEC(Delta, ZSTD(1)),
        text Nullable(String) CODEC(ZSTD(1)),
        quality UInt32 CODEC(ZSTD(1))
    ) ENGINE = MergeTree PARTITION BY intDiv(time_ns, 2592000000000000) ORDER BY (point, time_ns)
    SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1
"""
MINUTE = 60_000_000_000
ARROW = {
    "output_format_arrow_low_cardinality_as_dictionary": 1,
    "output_format_arrow_use_signed_indexes_for_dictionary": 1,
}
SUMS = ("count", "min", "max", "sum")


class Bench:
    """Both, in one engine."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.folder = folder
        self.paths = names(POINTS)
        self.columns = reference(POINTS, rows // POINTS)
        self.rows = len(self.columns[0])
        self.client = clickhouse_connect.get_client(dsn=f"chdb://{folder}")

    def store(self) -> Store:
        """Ours, with no pause between inserts, so that each counts."""
        table = {"kind": "clickhouse", "path": str(self.folder), "pace_s": 0}
        return build(Store, table)

    def batches(self, size: int) -> list[Batch]:
        """The rows, so many at a time."""
        point, time_ns, number, quality = self.columns
        points = pa.array(self.paths)
        return [
            Batch.of(
                points,
                point[at : at + size],
                time_ns[at : at + size],
                number=number[at : at + size],
                quality=quality[at : at + size],
            )
            for at in range(0, self.rows, size)
        ]

    def fill_bare(self, made: list[Batch]) -> float:
        """Rows a second."""
        for statement in (
            "CREATE DATABASE IF NOT EXISTS bare",
            "DROP TABLE IF EXISTS bare.samples SYNC",
            BARE,
        ):
            self.client.command(statement)
        began = time.perf_counter()
        for batch in made:
            table = pa.Table.from_batches([batch.arrow])
            self.client.insert_arrow(
                "samples", table, database="bare", settings={"async_insert": 0}
            )
        return sum(map(len, made)) / (time.perf_counter() - began)

    async def fill_ours(self, made: list[Batch], in_flight: int) -> float:
        """Rows a second, to the last acknowledgement."""
        self.client.command("DROP DATABASE IF EXISTS lineshaft SYNC")
        store = self.store()
        async with store.opened():
            rest = iter(made)

            async def lane() -> None:
                for batch in rest:
                    await store.append(batch)

            began = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for _ in range(in_flight):
                    group.create_task(lane())
            took = time.perf_counter() - began
            assert store.counts().stored == sum(map(len, made)), store.counts()
        return sum(map(len, made)) / took

    # ---- questions

    def questions(self) -> dict[str, tuple[list[str], int, int, bool]]:
        """Points, span, and whether it is to be summed up by the minute."""
        first, last = int(self.columns[1][0]), int(self.columns[1][-1])
        begin = first - first % MINUTE + MINUTE
        return {
            "raw, one point, all": ([self.paths[7]], first, last, False),
            "raw, one point, a tenth": (
                [self.paths[7]],
                first,
                first + (last - first) // 10,
                False,
            ),
            "raw, 100 points": (self.paths[::10], first, last, False),
            "1-min sums, one point": ([self.paths[7]], begin, last - last % MINUTE, True),
            "1-min sums, 100 points": (self.paths[::10], begin, last - last % MINUTE, True),
        }

    def ask_bare(self, points: list[str], start: int, stop: int, summed: bool) -> int:
        """Rows of the answer."""
        some = ", ".join(f"'{p}'" for p in points)
        where = (
            f"FROM bare.samples WHERE point IN ({some}) AND time_ns >= {start} AND time_ns < {stop}"
        )
        query = f"SELECT point, time_ns, number, text, quality {where} ORDER BY point, time_ns"
        if summed:
            query = (
                f"SELECT point, intDiv(time_ns, {MINUTE}) * {MINUTE} AS begins, count(),"
                f" min(number), max(number), sum(number) {where}"
                " GROUP BY point, begins ORDER BY point, begins"
            )
        return self.client.query_arrow(query, settings=ARROW).num_rows

    async def ask_ours(
        self, store: Store, points: list[str], start: int, stop: int, summed: bool
    ) -> int:
        """Rows of the answer."""
        if not summed:
            return len(await store.read(points, start, stop))
        edges = np.arange(start, stop + 1, MINUTE, dtype=np.int64)
        return (await store.summaries(points, edges, columns=SUMS)).num_rows


def took(rounds: list[tuple[float, float]]) -> tuple[float, float]:
    """Medians of both."""
    bare, ours = zip(*rounds, strict=True)
    return statistics.median(bare), statistics.median(ours)


async def compare_queries(bench: Bench, rounds: int) -> None:
    """Print a line for each question."""
    store = bench.store()
    async with store.opened():
        for table in ("bare.samples", "lineshaft.samples"):
            bench.client.command(f"OPTIMIZE TABLE {table} FINAL")
        for name, asked in bench.questions().items():
            found = []
            for _ in range(rounds):
                began = time.perf_counter()
                bare_rows = await asyncio.to_thread(bench.ask_bare, *asked)
                middle = time.perf_counter()
                our_rows = await bench.ask_ours(store, *asked)
                assert bare_rows == our_rows, (name, bare_rows, our_rows)
                found.append((middle - began, time.perf_counter() - middle))
            bare, ours = took(found)
            print(
                f"| {name}, ms | {bare * 1e3:.1f} | {ours * 1e3:.1f} | {ours / bare:.2f} |",
                flush=True,
            )


def main() -> None:
    """Parse the arguments, run, print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rows, for a smoke test")
    quick = parser.parse_args().quick
    rows, rounds = (200_000, 1) if quick else (2_000_000, 5)
    folder = Path(tempfile.mkdtemp(prefix="clickhouse-"))
    bench = Bench(folder / "data", rows)
    print(
        f"{POINTS} points, {bench.rows:,} rows, medians of {rounds} rounds; {platform.machine()},"
        f" {os.cpu_count()} CPUs, chdb {chdb.__version__}, clickhouse-connect"
        f" {clickhouse_connect.__version__}. Goal: within 1.3 × bare.\n"
    )
    print("| | bare | ours | ours takes × |\n|---|---|---|---|")
    for size, most, in_flight in ((1_000, 50_000, 1), (1_000, 50_000, 16), (100_000, rows, 1)):
        made = bench.batches(size)[: most // size]
        found = [
            (bench.fill_bare(made), asyncio.run(bench.fill_ours(made, in_flight)))
            for _ in range(min(rounds, 3))
        ]
        bare, ours = took(found)
        print(
            f"| insert {size:,} rows a batch, {in_flight} in flight, k rows/s | {bare / 1e3:,.0f}"
            f" | {ours / 1e3:,.0f} | {bare / ours:.2f} |",
            flush=True,
        )
    asyncio.run(compare_queries(bench, rounds * 3))
    bench.client.close()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
