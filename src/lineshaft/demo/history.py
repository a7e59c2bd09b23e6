"""Fourteen days of history, told by the same physics at a coarser step, as Parquet files.

`python -m lineshaft.demo.history --folder demo-data/factory --stop 1767225600000000000` writes one
file a day, the newest day first, and prints the path of each as soon as it is whole.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from lineshaft.core.batch import SCHEMA
from lineshaft.core.clock import NS_PER_S, to_iso
from lineshaft.core.point import Kind
from lineshaft.demo.hall import Deed
from lineshaft.demo.machines import PLACES, SPECS, Factory
from lineshaft.demo.noise import Ints
from lineshaft.demo.spec import Column, Spec
from lineshaft.demo.timeline import DAY_S

DAYS = 14
STEP_S = 30
"""Step at which the physics is asked; points take every one or every second."""
REPEAT_S = 3600
"""What does not change is told again after this long, so that each hour has it."""
LEFT_OUT = {"seq"}
"""The number of a message that was never sent."""
NICE = 10


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
    """The rows as one Arrow table of the schema of batches."""
    counts = [len(r.time_ns) for r in rows]
    index = pa.array(np.repeat(np.arange(len(rows), dtype=np.int32), counts))
    names = pa.array([r.path for r in rows])
    numbers, texts = [], []
    for row in rows:
        if row.value.dtype.kind == "U":
            numbers.append(pa.nulls(len(row.value), pa.float64()))
            texts.append(pa.array(row.value.tolist(), pa.string()))
        else:
            # A digit in a million is beyond any sensor, and the files halve by leaving it out.
            numbers.append(pa.array(np.round(row.value.astype(np.float64), 3)))
            texts.append(pa.nulls(len(row.value), pa.string()))
    columns = [
        pa.DictionaryArray.from_arrays(index, names),
        pa.array(np.concatenate([r.time_ns for r in rows])),
        pa.concat_arrays(numbers),
        pa.concat_arrays(texts),
        pa.array(np.zeros(sum(counts), dtype=np.uint32)),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def write(factory: Factory, folder: Path, stop_ns: int, count: int = DAYS) -> Iterator[Path]:
    """Write the files; yields the path of each once it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    for start, stop in days(stop_ns, count):
        path = folder / f"{to_iso(start)[:10]}.parquet"
        if not path.exists():
            part = path.with_suffix(".part")
            pq.write_table(table_of(list(rows_of(factory, start, stop))), part)
            part.replace(path)
        yield path


def main(arguments: list[str] | None = None) -> None:
    """Write the history of a demo's folder."""
    parser = argparse.ArgumentParser(prog="python -m lineshaft.demo.history", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="folder of the factory")
    parser.add_argument("--stop", type=int, required=True, help="where it ends, ns since 1970")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--parent", type=int, help="end when this process does")
    args = parser.parse_args(arguments)
    if args.parent:
        from lineshaft.demo.device import die_with  # noqa: PLC0415 - rarely needed

        die_with(args.parent)
    deed = msgspec.json.decode((args.folder / "factory.json").read_bytes(), type=Deed)
    factory = Factory(deed.seed, deed.epoch_ns, args.folder / "logbook.jsonl")
    for path in write(factory, args.folder / "history", args.stop, args.days):
        print(path, flush=True)  # noqa: T201 - the demo reads these lines


if __name__ == "__main__":
    # The live plant comes first.
    os.nice(NICE)
    pa.set_cpu_count(1)
    main()
