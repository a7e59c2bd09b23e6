"""The columns of a segment's file, and how a query reads them back as `time_ns`.

Times stand as `time`, a timestamp in milliseconds if all of the file are whole ones, else in
microseconds, and `nanos`, the nanoseconds past it. So a regular or coarse clock costs nothing for
the digits that it does not have, every tool sees a timestamp, and no bit is lost. Files of version
1, and those with times of the first microsecond that int64 reaches, have `time_ns` instead.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from lineshaft.core.batch import Ints
from lineshaft.stores.parquet.manifest import Segment

NS = {"ms": 1_000_000, "us": 1_000, "ns": 1}
"""Nanoseconds in each unit."""
EDGE_NS = -(2**63) + 1_000
"""Below, microseconds times a thousand leave int64, which query engines refuse."""

SCHEMA = pa.schema(
    [
        pa.field("point", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("time_ns", pa.int64(), nullable=False),
        pa.field("number", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("quality", pa.uint32(), nullable=False),
    ]
)
"""The columns as the store knows them, and as they stand in files of unit `ns`."""
COLUMNS = ", ".join(SCHEMA.names)


def schema_of(unit: str) -> pa.Schema:
    """The columns of a file with times of this unit."""
    if unit == "ns":
        return SCHEMA
    point, _, *values = SCHEMA
    time = pa.field("time", pa.timestamp(unit, "UTC"), nullable=False)
    return pa.schema([point, time, pa.field("nanos", pa.int16(), nullable=False), *values])


def unit_of(time: Ints) -> str:
    """The coarsest unit that keeps these times exact."""
    if len(time) and int(time.min()) < EDGE_NS:
        return "ns"
    return "us" if (time % NS["ms"]).any() else "ms"


def coarsest(segments: Iterable[Segment]) -> str:
    """The unit that is sure to keep all times of these segments exact."""
    units = {s.unit for s in segments if s.unit != "ns" or s.time_min < EDGE_NS}
    return "ns" if "ns" in units else "ms" if units == {"ms"} else "us"


def to_file(table: pa.Table, unit: str) -> pa.Table:
    """The table of `SCHEMA` with the columns of the file."""
    if unit == "ns":
        return table
    time = table.column("time_ns").to_numpy()
    whole = time // NS[unit]
    nanos = (time - whole * NS[unit]).astype(np.int16)
    schema = schema_of(unit)
    columns = [table.column(0), pa.array(whole).view(schema.field("time").type), pa.array(nanos)]
    return pa.Table.from_arrays([*columns, *table.columns[2:]], schema=schema)


def time_columns(names: Sequence[str]) -> list[str]:
    """Which columns of a file tell the time."""
    return ["time_ns"] if "time_ns" in names else ["time", "nanos"]


def times_of(table: pa.Table) -> Ints:
    """Nanoseconds of each row read from a file."""
    if "time_ns" in table.schema.names:
        return table.column("time_ns").to_numpy()  # type: ignore[no-any-return]
    time = table.column("time").combine_chunks()
    ns: Ints = time.view(pa.int64()).to_numpy() * np.int64(NS[time.type.unit])
    if "nanos" in table.schema.names:
        ns += table.column("nanos").to_numpy()
    return ns


# ---- in SQL


def quoted(paths: Iterable[Path]) -> str:
    """The files as a list in SQL."""
    return "[" + ", ".join("'" + str(p).replace("'", "''") + "'" for p in paths) + "]"


def rows_of(
    segments: Sequence[Segment],
    folder: Path,
    span: tuple[int, int] | None = None,
    *,
    where: str = "true",
) -> str:
    """A SELECT of `SCHEMA`'s columns from segments in `folder`.

    `span` is the first nanosecond and the one behind the last, `where` a condition on columns
    other than the time. Row groups that lie outside are not read.
    """
    parts = []
    old = [s for s in segments if s.unit == "ns"]
    new = [s for s in segments if s.unit != "ns"]
    if old:
        files = quoted(folder / s.file for s in old)
        parts.append(
            f"SELECT {COLUMNS} FROM read_parquet({files})"  # noqa: S608 - our own files
            f" WHERE {where}{_within(span)}"
        )
    if new:
        files = quoted(folder / s.file for s in new)
        time = "(epoch_us(time) * 1000 + nanos)"
        rest = ", ".join(SCHEMA.names[2:])
        parts.append(
            f"SELECT point, {time} AS time_ns, {rest} FROM read_parquet({files})"  # noqa: S608
            f" WHERE {where}{_within(span, time)}"
        )
    return " UNION ALL ".join(parts)


def _within(span: tuple[int, int] | None, time: str = "") -> str:
    """The times as a condition: in the file's own unit, and exactly where that is not enough."""
    if span is None:
        return ""
    start_ns, stop_ns = span
    if not time:
        return f" AND time_ns >= {start_ns} AND time_ns < {stop_ns}"
    tests = [
        f"time >= make_timestamptz({start_ns // 1000})",
        f"time <= make_timestamptz({(stop_ns - 1) // 1000})",
    ]
    if start_ns % 1000:
        tests.append(f"{time} >= {start_ns}")
    if stop_ns % 1000:
        tests.append(f"{time} < {stop_ns}")
    return "".join(f" AND {t}" for t in tests)
