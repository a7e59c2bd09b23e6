"""Durable ingest through the Python API, beside the bare log floor in the same run.

The floor writes the same raw columns to a file and syncs it, batch after batch, and does nothing
else. Ours takes batches through `Store.append`, one at a time and eight in flight, and is timed to
the last acknowledgement; CPU and bytes a row include settling everything into Parquet.
The rounds of all contenders are interleaved; figures are medians.

    python benchmarks/ingest.py [--quick]
"""

import argparse
import asyncio
import os
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb
import msgspec
import pyarrow as pa

from lineshaft.core.batch import Batch
from lineshaft.core.plugin import build
from lineshaft.stores import Store
from workload import names, reference

POINTS = 1000


class Result(NamedTuple):
    """What one round of one contender took."""

    rate: float
    """Rows a second, acknowledged."""
    settled_rate: float
    """Rows a second with all rows settled; NaN for the floor."""
    cpu_us: float
    """CPU microseconds a row, of the whole process, settling included."""
    bytes_row: float
    """Bytes a row in settled files."""


def batches(columns, size: int) -> list[Batch]:
    """The columns cut into batches, that share one dictionary of points."""
    points = pa.array(names(POINTS))
    point, time_ns, number, quality = columns
    return [
        Batch.of(
            points,
            point[at : at + size],
            time_ns[at : at + size],
            number=number[at : at + size],
            quality=quality[at : at + size],
        )
        for at in range(0, len(point), size)
    ]


def floor(folder: Path, columns, size: int) -> Result:
    """Write and sync the raw bytes of each batch."""
    raw = [[c[at : at + size].tobytes() for c in columns] for at in range(0, len(columns[0]), size)]
    fd = os.open(folder / "floor.log", os.O_CREAT | os.O_WRONLY)
    began, cpu = time.perf_counter(), time.process_time()
    for parts in raw:
        os.writev(fd, parts)
        os.fdatasync(fd)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    os.close(fd)
    rows = len(columns[0])
    return Result(rows / took, float("nan"), cpu / rows * 1e6, float("nan"))


def ours(folder: Path, made: list[Batch], in_flight: int) -> Result:
    """Append all batches, so many in flight, then settle."""
    return asyncio.run(_ours(folder, made, in_flight))


async def _ours(folder: Path, made: list[Batch], in_flight: int) -> Result:
    store = build(Store, {"kind": "parquet", "path": str(folder / "store")})
    async with store.opened():
        rest = iter(made)

        async def lane() -> None:
            for batch in rest:
                await store.append(batch)

        began, cpu = time.perf_counter(), time.process_time()
        async with asyncio.TaskGroup() as group:
            for _ in range(in_flight):
                group.create_task(lane(), name="lane")
        took = time.perf_counter() - began
        await store.settle()
        settled, cpu = time.perf_counter() - began, time.process_time() - cpu
        rows = sum(map(len, made))
        figures = store.health().figures
        assert store.counts().stored == rows, store.counts()
        size = figures["segment_bytes"] / figures["settled_rows"]
        return Result(rows / took, rows / settled, cpu / rows * 1e6, size)


def compare(rows: int, size: int, rounds: int) -> dict[str, Result]:
    """Medians of interleaved rounds for one size of batch."""
    columns = reference(POINTS, rows // POINTS)
    made = batches(columns, size)
    contenders: dict[str, Callable[[Path], Result]] = {
        "floor": lambda folder: floor(folder, columns, size),
        "ours, 1 in flight": lambda folder: ours(folder, made, 1),
        "ours, 8 in flight": lambda folder: ours(folder, made, 8),
    }
    results: dict[str, list[Result]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            folder = Path(tempfile.mkdtemp(prefix="ingest-"))
            results[name].append(contender(folder))
            shutil.rmtree(folder)
    return {n: Result(*map(statistics.median, zip(*r, strict=True))) for n, r in results.items()}


def main() -> None:
    """Parse the arguments, run, print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rows, for a smoke test")
    quick = parser.parse_args().quick
    plans = [(1_000, 100_000), (10_000, 1_000_000), (100_000, 4_000_000)]
    rounds = 1 if quick else 5
    print(
        f"Durable ingest, {POINTS} points, medians of {rounds} rounds; {platform.machine()},"
        f" {os.cpu_count()} CPUs, Python {platform.python_version()}, pyarrow {pa.__version__},"
        f" duckdb {duckdb.__version__}, msgspec {msgspec.__version__}\n"
    )
    print(
        "| rows a batch | contender | k rows/s | × floor | settled k rows/s | CPU µs/row | B/row |"
    )
    print("|---|---|---|---|---|---|---|")
    for size, rows in plans:
        found = compare(rows // 10 if quick else rows, size, rounds)
        base = found["floor"].rate
        for name, r in found.items():
            settled = "" if name == "floor" else f"{r.settled_rate / 1e3:,.0f}"
            disk = "" if name == "floor" else f"{r.bytes_row:.2f}"
            print(
                f"| {size:,} | {name} | {r.rate / 1e3:,.0f} | {r.rate / base:.2f} | {settled}"
                f" | {r.cpu_us:.2f} | {disk} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
