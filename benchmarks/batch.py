"""What a batch costs: an Arrow record batch (`core.batch.Batch`) beside plain NumPy columns.

The peer keeps the same columns as NumPy arrays in a named tuple, with the paths in a list, and
checks nothing but lengths. It is what `Batch` would be without Arrow, so handing it to something
that speaks Arrow, or to DuckDB, converts. Best of several repetitions, in CPU time of the process.

    python benchmarks/batch.py [--quick]
"""

import argparse
import os
import platform
import time
import timeit
from collections.abc import Callable, Sequence
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lineshaft.core.batch import SCHEMA, Batch

SIZES = (10, 500, 10_000)
JOINED = 10
"""Batches that are joined into one."""
SQL = "SELECT point, avg(number), max(time_ns) FROM rows GROUP BY point"


class Columns(NamedTuple):
    """The peer: a batch without Arrow."""

    points: list[str]
    index: npt.NDArray[np.int32]
    time_ns: npt.NDArray[np.int64]
    number: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint32]

    @classmethod
    def of(cls, points, index, time_ns, number, quality) -> "Columns":
        """From arrays of equal length."""
        if not len(index) == len(time_ns) == len(number) == len(quality):
            raise ValueError("lengths differ")
        return cls(points, index, time_ns, number, quality)

    @classmethod
    def concat(cls, parts: Sequence["Columns"]) -> "Columns":
        """All rows, with one list of points."""
        names: dict[str, int] = {}
        index = []
        for part in parts:
            place = [names.setdefault(p, len(names)) for p in part.points]
            index.append(np.array(place, dtype=np.int32)[part.index])
        columns = zip(*(p[2:] for p in parts), strict=True)
        return cls(list(names), np.concatenate(index), *map(np.concatenate, columns))

    def take(self, mask: npt.NDArray[np.bool_]) -> "Columns":
        """The rows that a mask holds true."""
        return Columns(self.points, *(c[mask] for c in self[1:]))

    def to_arrow(self) -> pa.RecordBatch:
        """What the store, the API and DuckDB take."""
        point = pa.DictionaryArray.from_arrays(pa.array(self.index), pa.array(self.points))
        text = pa.nulls(len(self.index), pa.string())
        columns = [point, *map(pa.array, (self.time_ns, self.number)), text, pa.array(self.quality)]
        return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def microseconds(work: Callable[[], object], spend_s: float) -> float:
    """CPU time of one call, the best of five repetitions that together take about so long."""
    timer = timeit.Timer(work, timer=time.process_time)
    work()
    began = time.perf_counter()
    work()
    calls = max(1, int(spend_s / 5 / max(time.perf_counter() - began, 1e-7)))
    return min(timer.repeat(5, calls)) / calls * 1e6


def contenders(rows: int) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """What is done with batches of so many rows, ours and the peer's."""
    random = np.random.default_rng(1)
    names = [f"acme/hall/line-{i // 100}/press-{i % 100}/signal" for i in range(rows)][:1000]
    index = np.arange(rows, dtype=np.int32) % len(names)
    time_ns = 1_760_000_000_000_000_000 + np.arange(rows, dtype=np.int64) * 1_000_000
    number, quality = random.normal(50, 1, rows), np.zeros(rows, dtype=np.uint32)
    known = pa.array(names)
    mask = random.random(rows) < 0.5
    ours = [Batch.of(known, index, time_ns, number=number, quality=quality)] * JOINED
    peers = [Columns.of(names, index, time_ns, number, quality)] * JOINED
    base = duckdb.connect()

    def ask(batch: pa.RecordBatch) -> object:
        base.register("rows", pa.Table.from_batches([batch]))
        return base.execute(SQL).fetchall()

    return {
        "make from columns": (
            lambda: Batch.of(known, index, time_ns, number=number, quality=quality),
            lambda: Columns.of(names, index, time_ns, number, quality),
        ),
        "make, paths as a list of str": (
            lambda: Batch.of(names, index, time_ns, number=number, quality=quality),
            lambda: Columns.of(names, index, time_ns, number, quality),
        ),
        f"join {JOINED}": (lambda: Batch.concat(ours), lambda: Columns.concat(peers)),
        "select half by mask": (lambda: ours[0].take(mask), lambda: peers[0].take(mask)),
        "slice a quarter": (
            lambda: ours[0].slice(0, rows // 4),
            lambda: Columns(names, *(c[: rows // 4] for c in peers[0][1:])),
        ),
        "look at numbers in NumPy": (lambda: ours[0].number[0], lambda: peers[0].number[0]),
        "hand to Arrow": (lambda: ours[0].arrow, peers[0].to_arrow),
        "make, hand to Arrow": (
            lambda: Batch.of(known, index, time_ns, number=number, quality=quality).arrow,
            lambda: Columns.of(names, index, time_ns, number, quality).to_arrow(),
        ),
        "ask DuckDB": (lambda: ask(ours[0].arrow), lambda: ask(peers[0].to_arrow())),
    }


def main() -> None:
    """Parse the arguments, run, print a Markdown table."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="few repetitions")
    spend_s = 0.02 if arguments.parse_args().quick else 1.0
    print(
        f"Batch as Arrow record batch beside plain NumPy columns, CPU µs a call;"
        f" {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()},"
        f" pyarrow {pa.__version__}, numpy {np.__version__}, duckdb {duckdb.__version__}\n"
    )
    print("| rows | what | Arrow µs | NumPy µs | Arrow ÷ NumPy |")
    print("|---|---|---|---|---|")
    for rows in SIZES:
        for what, (ours, peer) in contenders(rows).items():
            a, b = microseconds(ours, spend_s), microseconds(peer, spend_s)
            ratio = f"{a / b:.2f}" if b else ""
            print(f"| {rows:,} | {what} | {a:,.1f} | {b:,.1f} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
