"""Fourteen days of history, told by the same physics at a coarser step, as Parquet files.

`python -m lineshaft.demo.history --folder demo-data/factory --stop 1767225600000000000` writes
three files that `lineshaft import` takes as they are (columns point, time, value), and prints the
path of each as soon as it is whole: the last day first, since people look at that first.
"""

import argparse
import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from lineshaft.core.clock import NS_PER_S
from lineshaft.core.point import Kind
from lineshaft.demo.aside import stand_aside
from lineshaft.demo.hall import Deed
from lineshaft.demo.machines import PLACES, SPECS, Factory
from lineshaft.demo.noise import Ints
from lineshaft.demo.spec import Column, Spec
from lineshaft.demo.timeline import DAY_S

DAYS = 14
STEP_S = 15
"""Step at which the physics is asked; points take every one or every second."""
REPEAT_S = 3600
"""What does not change is told again after this long, so that each hour has it."""
LEFT_OUT = {"seq"}
"""The number of a message that was never sent."""


class Rows(NamedTuple):
    """The samples of one point."""

    path: str
    time_ns: Ints
    value: Column


def days(stop_ns: int, count: int = DAYS) -> list[tuple[int, int]]:
    """Start and stop of each day of history, the newest first; the newest ends at `stop_ns`."""
    day_ns = int(DAY_S) * NS_PER_S
    return [(stop_ns - (n + 1) * day_ns, stop_ns - n * day_ns) for n in range(count)]


def rows_of(factory: Factory, start_ns: int, stop_ns: int) -> Iterator[Rows]:
    """The samples of every point from start to before stop, by path."""
    step_ns = STEP_S * NS_PER_S
    first = -(-start_ns // step_ns) * step_ns
    times = np.arange(first, stop_ns, step_ns, dtype=np.int64)
    for machine in sorted(PLACES, key=lambda m: PLACES[m]):
        columns = factory.values(machine, times)
        for spec in sorted(SPECS[machine]):
            if spec.name in LEFT_OUT:
                continue
            kept = _kept(spec, times, columns[spec.name])
            yield Rows(f"{PLACES[machine]}/{spec.name}", times[kept], columns[spec.name][kept])


def _kept(spec: Spec, times: Ints, values: Column) -> npt.NDArray[np.bool_]:
    """Which steps are told: every so many seconds, or on change for what seldom changes."""
    steady = spec.writable or spec.kind in (Kind.ENUM, Kind.TEXT, Kind.BOOLEAN)
    every_ns = (REPEAT_S if steady else int(spec.history_s)) * NS_PER_S
    kept: npt.NDArray[np.bool_] = times % every_ns == 0
    if steady:
        kept = kept | np.concatenate(([True], values[1:] != values[:-1]))
    return kept


def table_of(rows: Sequence[Rows]) -> pa.Table:
    """The rows as one table, all of numbers or all of texts."""
    index = np.repeat(np.arange(len(rows), dtype=np.int32), [len(r.time_ns) for r in rows])
    names = pa.array([r.path for r in rows], pa.string())
    times = pa.array(np.concatenate([r.time_ns for r in rows]))
    if is_text(rows[0]):
        values = pa.array([v for r in rows for v in r.value.tolist()], pa.string())
    else:
        # A digit in a million is beyond any sensor, and the files halve by leaving it out.
        values = pa.array(np.concatenate([np.round(r.value.astype(float), 3) for r in rows]))
    columns = [
        pa.DictionaryArray.from_arrays(pa.array(index), names),
        times.cast(pa.timestamp("ns", "UTC")),
        values,
    ]
    return pa.Table.from_arrays(columns, names=["point", "time", "value"])


def is_text(rows: Rows) -> bool:
    """Whether the values are no numbers."""
    return rows.value.dtype.kind == "U"


def write(factory: Factory, folder: Path, stop_ns: int, count: int = DAYS) -> Iterator[Path]:
    """Write the files; yields the path of each once it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    newest, *older = days(stop_ns, count)
    parts = {"last-day": [newest], "before": older, "texts": [newest, *older]}
    for name, spans in parts.items():
        path = folder / f"{name}.parquet"
        if spans and not path.exists():
            _write_file(factory, path, spans, of_texts=name == "texts")
        if spans:
            yield path


def _write_file(
    factory: Factory, path: Path, spans: Sequence[tuple[int, int]], *, of_texts: bool
) -> None:
    """Write the days to a file, each a part of its own; the file appears when it is whole."""
    part = path.with_suffix(".part")
    with contextlib.ExitStack() as stack:
        writer: pq.ParquetWriter | None = None
        for start, stop in spans:
            rows = [r for r in rows_of(factory, start, stop) if is_text(r) == of_texts]
            table = table_of(rows)
            if writer is None:
                writer = stack.enter_context(pq.ParquetWriter(part, table.schema))
            writer.write_table(table)
    part.replace(path)


def main(arguments: list[str] | None = None) -> None:
    """Write the history of a demo's folder."""
    parser = argparse.ArgumentParser(prog="python -m lineshaft.demo.history", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="folder of the factory")
    parser.add_argument("--stop", type=int, required=True, help="where it ends, ns since 1970")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--parent", type=int, help="end when this process does")
    args = parser.parse_args(arguments)
    if args.parent:
        stand_aside(args.parent)
    deed = msgspec.json.decode((args.folder / "factory.json").read_bytes(), type=Deed)
    factory = Factory(deed.seed, deed.epoch_ns, args.folder / "logbook.jsonl")
    for path in write(factory, args.folder / "history", args.stop, args.days):
        print(path, flush=True)  # noqa: T201 - the demo reads these lines


if __name__ == "__main__":
    main()
