"""Kill the store with SIGKILL at random moments, and see what it still knows afterwards.

Each round forks a process that appends random batches (several in flight, keys that come again,
late times, tiny thresholds so that settling and merging go on all the time) and writes every
acknowledged key to a pipe. Now and then it deletes a span of a point that belongs to this
alone, and tells that too. It is killed at a random moment, also while it opens. Another process
then opens the folder and looks: is every acknowledged key there, with a value at least as new as
the acknowledged one, and is no key there twice?

    python benchmarks/kill9.py --rounds 500
"""

import argparse
import asyncio
import itertools
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a process that forks must have no threads

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lineshaft.core.batch import Batch
from lineshaft.core.plugin import build, find
from lineshaft.stores import Store

POINTS = [f"plant/hall/machine-{i // 4}/signal-{i % 4}" for i in range(20)]
TIMES = 3000
KEYS = len(POINTS) * TIMES
KEPT = KEYS - TIMES
"""Keys from here on, those of the last point, may be deleted."""
DOUBT, GONE = -3, -2
"""Instead of a serial: a deletion was begun, was acknowledged."""
STEP_NS = 60_000_000_000
"""3000 minutes: a little more than two days, so that segments of several days are at stake."""
T0 = 1_760_000_000_000_000_000
IN_FLIGHT = 6
LATEST = ("keys", "settlings", "segments")
"""Figures of which the last is told, not the sum."""


class Figures(msgspec.Struct, kw_only=True):
    """What the rounds add up to."""

    rounds: int = 0
    acknowledged: int = 0
    keys: int = 0
    lost: int = 0
    stale: int = 0
    doubled: int = 0
    foreign: int = 0
    deleted: int = 0
    risen: int = 0
    """Deleted keys that came back."""
    killed_while_opening: int = 0
    torn: int = 0
    replayed: int = 0
    settlings: int = 0
    segments: int = 0
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether nothing was lost and nothing doubled."""
        return not (self.lost or self.stale or self.doubled or self.foreign or self.risen)


def make(folder: Path) -> Store:
    """A store that settles all the time."""
    table = {"kind": "parquet", "path": str(folder), "buffer_rows_max": 700, "flush_s": 0.03}
    return build(Store, table | {"memory_mb": 256, "readers": 1})


def batch_of(keys: np.ndarray, serials: np.ndarray) -> Batch:
    """Rows whose values tell the key and when they were made; every eighth is text."""
    values = serials * KEYS + keys
    number = values.astype(np.float64)
    as_text = serials % 8 == 0
    return Batch.of(
        POINTS,
        (keys // TIMES).astype(np.int32),
        T0 + keys % TIMES * STEP_NS,
        number=pc.if_else(as_text, None, number),
        text=[str(v) if t else None for v, t in zip(values, as_text, strict=True)],
    )


async def feed(folder: Path, ledger: int, serial: int) -> None:
    """Append for ever; tell the ledger what was acknowledged."""
    dice = random.Random()
    number = itertools.count(serial)
    store = make(folder)
    async with store.opened():
        os.write(ledger, np.array([-1, -1]).tobytes())

        async def lane() -> None:
            while True:
                size = dice.choice((1, 5, 20, 60, 400))
                start = dice.randrange(KEPT)
                keys = (start + np.arange(size) * dice.choice((1, 1, 7))) % KEPT
                if size > 5:
                    keys[-3:] = keys[:3]
                serials = np.array([next(number) for _ in range(size)])
                await store.append(batch_of(keys, serials))
                os.write(ledger, np.column_stack([keys, serials]).astype(np.int64).tobytes())

        def tell(keys: np.ndarray, serials: np.ndarray | int) -> None:
            both = np.column_stack([keys, np.broadcast_to(serials, keys.shape)])
            os.write(ledger, both.astype(np.int64).tobytes())

        async def eraser() -> None:
            """Fill a point, delete part of it, fill again; what may come or go is told before."""
            while True:
                keys = KEPT + np.sort(dice.sample(range(TIMES), 40))
                serials = np.array([next(number) for _ in keys])
                tell(keys, DOUBT)
                await store.append(batch_of(keys, serials))
                tell(keys, serials)
                first, last = sorted(dice.sample(keys.tolist(), 2))
                span = np.arange(first, last)
                tell(span, DOUBT)
                times = [T0 + (k - KEPT) * STEP_NS for k in (first, last)]
                await store.delete([POINTS[-1]], *times)
                tell(span, GONE)

        async with asyncio.TaskGroup() as group:
            for _ in range(dice.choice((0, IN_FLIGHT))):
                group.create_task(lane(), name="lane")
            group.create_task(eraser(), name="eraser")


async def verify(folder: Path, newest: np.ndarray) -> dict[str, int]:
    """Open the folder, hold it against the newest acknowledged serial of each key."""
    store = make(folder)
    async with store.opened():
        health = store.health()
        assert not health.problem, health
        got = await store.read(POINTS, T0, T0 + TIMES * STEP_NS)
        count = await store.count(POINTS, T0, T0 + TIMES * STEP_NS)
        point = np.array([POINTS.index(p) for p in got.points], dtype=np.int64)
        keys = point[got.index] * TIMES + (got.time_ns - T0) // STEP_NS
        text = pc.cast(got.text, "float64").to_numpy(zero_copy_only=False)
        values = np.where(got.has_text, text, got.number).astype(np.int64)
        serials = np.full(KEYS, -1)
        serials[keys] = values // KEYS
        await store.settle()
        return {
            "keys": len(got),
            "lost": int(((newest >= 0) & (serials < 0)).sum()),
            "stale": int(((newest >= 0) & (serials >= 0) & (serials < newest)).sum()),
            "doubled": len(keys) - len(np.unique(keys)) + count - len(keys) + doubled(folder),
            "foreign": int((values % KEYS != keys).sum()),
            "risen": int(((newest == GONE) & (serials >= 0)).sum()),
            "replayed": int(health.figures["log_replayed_rows"]),
            "settlings": generation(folder) if len(got) else 0,
            "segments": int(store.health().figures["segments"]),
            "torn": int(health.figures["log_torn_bytes"] > 0),
        }


def generation(folder: Path) -> int:
    """How often the manifest was written."""
    return msgspec.json.decode((folder / "manifest.json").read_bytes())["generation"]


def doubled(folder: Path) -> int:
    """Keys that stand in the settled files more than once, as a foreign reader sees them."""
    if not (folder / "manifest.json").exists():
        return 0
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes())
    files = [folder / "segments" / s["file"] for s in manifest["segments"]]
    if not files:
        return 0
    parts = [pq.ParquetFile(f).read(["point", "time", "nanos"]) for f in files]
    # The files tell the time in milliseconds or microseconds.
    table = pa.concat_tables(parts, promote_options="permissive")
    return table.num_rows - table.group_by(table.column_names).aggregate([]).num_rows


def fork(work) -> tuple[int, int]:
    """Run `work(descriptor)` in a process of its own: its id, and where it writes to."""
    source, sink = os.pipe()
    pid = os.fork()
    if pid:
        os.close(sink)
        return pid, source
    code = 1
    try:
        os.close(source)
        work(sink)
        code = 0
    except BaseException:  # noqa: BLE001 - the process ends here whatever it was
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def drain(source: int, until: float | None = None) -> bytes:
    """All that comes out of the pipe until it closes, or until that time."""
    data = bytearray()
    while until is None or (left := until - time.monotonic()) > 0:
        if until is None or select.select([source], [], [], left)[0]:
            chunk = os.read(source, 1 << 20)
            if not chunk:
                break
            data += chunk
    return bytes(data)


def one_round(folder: Path, newest: np.ndarray, serial: int, figures: Figures, dice) -> int:
    """Feed, kill, verify; the next serial."""
    pid, source = fork(lambda sink: asyncio.run(feed(folder, sink, serial)))
    data = drain(source, time.monotonic() + dice.uniform(0.0, 0.1))
    if dice.random() < 0.85:  # else it is killed while it opens
        while not data:
            data += os.read(source, 1 << 20)
        longest = 1.2 if dice.random() < 0.25 else 0.25  # seconds; deleting takes some
        data += drain(source, time.monotonic() + dice.uniform(0.0, longest))
    os.kill(pid, signal.SIGKILL)
    data += drain(source)
    os.close(source)
    os.waitpid(pid, 0)
    told = np.frombuffer(data[: len(data) // 16 * 16], dtype=np.int64).reshape(-1, 2)
    figures.killed_while_opening += not len(told)
    told = told[1:]
    kept = told[told[:, 0] < KEPT]
    np.maximum.at(newest, kept[:, 0], kept[:, 1])
    for key, serial_told in told[told[:, 0] >= KEPT].tolist():
        newest[key] = serial_told  # these come one after another
    newest[newest == DOUBT] = -1
    figures.deleted += int((told[:, 1] == GONE).sum())
    figures.acknowledged += len(told)

    pid, source = fork(
        lambda sink: os.write(sink, msgspec.json.encode(asyncio.run(verify(folder, newest))))
    )
    data = drain(source)
    os.close(source)
    _, status = os.waitpid(pid, 0)
    if status:
        raise SystemExit(f"round {figures.rounds + 1}: the store could not be read, see above")
    for name, value in msgspec.json.decode(data).items():
        so_far = 0 if name in LATEST else getattr(figures, name)
        setattr(figures, name, so_far + value)
    figures.rounds += 1
    return serial + 10_000_000


def run(rounds: int, seconds: float, folder: Path, *, seed: int | None = None) -> Figures:
    """Some rounds on one folder, until something is wrong or the time is up."""
    # What is imported late (the backend, pandas by pyarrow) comes now, so that a round is quick.
    find("stores", "parquet")
    batch_of(np.arange(5), np.arange(5)).to_ipc()
    figures = Figures()
    newest = np.full(KEYS, -1, dtype=np.int64)
    dice = random.Random(seed)
    serial = 0
    began = time.monotonic()
    for _ in range(rounds):
        serial = one_round(folder, newest, serial, figures, dice)
        figures.seconds = time.monotonic() - began
        if figures.rounds % 20 == 0:
            print(figures, file=sys.stderr, flush=True)
        if not figures.ok or figures.seconds > seconds:
            break
    return figures


def main() -> None:
    """Parse the arguments, run, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=1e9, help="stop sooner after so many")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--keep", action="store_true", help="leave the folder for a look")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kill9-"))
    figures = run(asked.rounds, asked.seconds, folder, seed=asked.seed)
    if asked.json:
        print(msgspec.json.encode(figures).decode())
    else:
        print("| figure | value |\n|---|---|")
        for name, value in msgspec.structs.asdict(figures).items():
            print(f"| {name.replace('_', ' ')} | {value:,.10g} |")
    if asked.keep or not figures.ok:
        print(f"folder: {folder}")
    else:
        shutil.rmtree(folder)
    sys.exit(0 if figures.ok else 1)


if __name__ == "__main__":
    main()
