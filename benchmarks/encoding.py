"""How the columns of a segment are best encoded: bytes and CPU a row, on the reference workload.

The mix of `workload.py`, sorted by point and time: a settled day (17,280 rows a point) and an hour
of an open one (720), with times in nanoseconds or in the unit that they need, and with each way to
store numbers. Reading is one row group, which is what an hour of one point takes.

    python benchmarks/encoding.py [--quick]
"""

import argparse
import io
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workload import PERIOD_NS, T0, signal

LIMIT = 8192


class Layout(NamedTuple):
    """How much stands in a file."""

    name: str
    points: int
    steps: int


class Plan(NamedTuple):
    """One way to write a file."""

    name: str
    unit: str
    """`ns` for an int64 column, `us` for a timestamp and a column of nanoseconds."""
    rows: int
    """Rows of a row group."""
    options: dict[str, object]


class Cost(NamedTuple):
    """What a way costs."""

    total: float
    """Bytes a row of the whole file."""
    time: float
    number: float
    write_us: float
    """CPU microseconds a row."""
    read_ms: float
    """Milliseconds to read the row group in the middle."""


def columns(layout: Layout, jitter_ns: int) -> pa.Table:
    """Sorted rows; every second point has a jitter of 2 ms in multiples of `jitter_ns`."""
    random = np.random.default_rng(1)
    index = np.repeat(np.arange(layout.points, dtype=np.int32), layout.steps)
    number = np.concatenate([signal(random, p % 20, layout.steps) for p in range(layout.points)])
    step = np.tile(np.arange(layout.steps), layout.points)
    jitter = random.normal(0, 2e6 / jitter_ns, len(index)).astype(np.int64) * jitter_ns
    time_ns = T0 + step * PERIOD_NS + np.where(index % 2, jitter, 0)
    quality = np.where(random.random(len(index)) < 0.001, 0x8005_0000, 0).astype(np.uint32)
    names = [
        f"acme/hall/line-{i // 100:02}/press-{i % 100:02}/signal" for i in range(layout.points)
    ]
    point = pa.DictionaryArray.from_arrays(index, names)
    text = pa.nulls(len(index), pa.string())
    return pa.table(
        {"point": point, "time_ns": time_ns, "number": number, "text": text, "quality": quality}
    )


def shaped(table: pa.Table, unit: str) -> pa.Table:
    """The table with its times as the file has them."""
    if unit == "ns":
        return table
    time_ns = table.column("time_ns").to_numpy()
    whole = pa.array(time_ns // 1000).view(pa.timestamp("us", "UTC"))
    rest = pa.array((time_ns % 1000).astype(np.int16))
    return table.set_column(1, "time", whole).add_column(2, "nanos", rest)


def plans() -> Iterator[Plan]:
    """The ways that are compared; the last is ours."""
    dictionary = ["point", "text", "quality", "nanos"]
    plain: dict[str, object] = {"use_dictionary": dictionary}
    packed: dict[str, object] = {"use_dictionary": [*dictionary, "number"]}
    streams = {"number": "BYTE_STREAM_SPLIT"}
    limited = packed | {"dictionary_pagesize_limit": LIMIT}
    yield Plan("plain, time in ns (version 1)", "ns", 131_072, plain)
    yield Plan("plain", "us", 131_072, plain)
    yield Plan("byte streams", "us", 131_072, plain | {"column_encoding": streams})
    yield Plan("dictionary of at most 1 MB", "us", 131_072, packed)
    yield Plan("dictionary of at most 8 kB", "us", 131_072, limited)
    yield Plan("plain", "us", 17_280, plain)
    yield Plan(
        "dictionary of at most 64 kB", "us", 17_280, packed | {"dictionary_pagesize_limit": 65_536}
    )
    yield Plan("dictionary of at most 8 kB", "us", 17_280, limited)


def measure(table: pa.Table, plan: Plan) -> Cost:
    """Write the table, and read one row group back."""
    table = shaped(table, plan.unit)
    clock = table.schema.names[1]
    options = dict(plan.options)
    given = options.pop("column_encoding", {})
    names = [n for n in options.pop("use_dictionary") if n in table.schema.names]  # type: ignore[attr-defined]
    sink = io.BytesIO()
    began = time.process_time()
    pq.write_table(
        table,
        sink,
        row_group_size=plan.rows,
        compression="zstd",
        compression_level=3,
        use_dictionary=names,
        column_encoding={clock: "DELTA_BINARY_PACKED", **given},
        store_schema=False,
        write_page_checksum=True,
        **options,
    )
    write_us = (time.process_time() - began) / len(table) * 1e6
    size = sink.tell()
    file = pq.ParquetFile(sink)
    sizes = dict.fromkeys(table.schema.names, 0.0)
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        for i in range(group.num_columns):
            sizes[group.column(i).path_in_schema] += group.column(i).total_compressed_size
    took = []
    for _ in range(7):
        began = time.perf_counter()
        file.read_row_group(
            file.metadata.num_row_groups // 2,
            columns=[n for n in table.schema.names if n not in ("point", "text")],
            use_threads=False,
        )
        took.append((time.perf_counter() - began) * 1e3)
    clocks = sizes[clock] + sizes.get("nanos", 0)
    rows = len(table)
    return Cost(size / rows, clocks / rows, sizes["number"] / rows, write_us, min(took))


def main() -> None:
    """Parse the arguments, run, print a Markdown table for each layout."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rows, for a smoke test")
    points = 20 if parser.parse_args().quick else 100
    layouts = [
        (Layout("a day", points, 17_280), 1000),
        (Layout("an hour", points * 10, 720), 1000),
        (Layout("a day, jitter in 100 ns", points, 17_280), 100),
    ]
    for layout, jitter_ns in layouts:
        table = columns(layout, jitter_ns)
        print(f"\n{layout.name}: {layout.points} points, {len(table):,} rows\n")
        print("| numbers | rows a group | B/row | time | number | CPU µs/row | read ms |")
        print("|---|--:|--:|--:|--:|--:|--:|")
        for plan in plans():
            cost = measure(table, plan)
            print(
                f"| {plan.name} | {plan.rows:,} | {cost.total:.2f} | {cost.time:.2f}"
                f" | {cost.number:.2f} | {cost.write_us:.2f} | {cost.read_ms:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
