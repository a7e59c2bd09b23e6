"""What alarms cost on one core: the bank of thresholds, and a desk that keeps what happens.

The bank is beside a loop in Python over single samples, as alarm code is usually written, and
beside Polars, which compares columns but has no dead band, no delay and no memory. The desk has the
real spine, sqlite records and 10,000 alarms on 10,000 points that get 100,000 samples a second:
what share of a core it takes.

    python benchmarks/alarms.py [--quick]
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "1"

import numpy as np
import polars as pl

from lineshaft.core.access import Action, Identity
from lineshaft.core.batch import Batch
from lineshaft.core.plugin import build
from lineshaft.operations.alarms.bank import Bank, Thresholds
from lineshaft.operations.alarms.desk import COLLECTIONS, SUBSCRIPTION, Desk
from lineshaft.operations.alarms.settings import Alarm, Limit
from lineshaft.records import Records
from lineshaft.spines import Spine

S = 1_000_000_000
CHANNELS = 10_000
HZ = 10
"""Samples of each point a second."""
BEYOND = (pl.col("value") > 80.0).alias("on")
BATCHES = (1_000, 10_000, 100_000)


class Open:
    """Lets everybody see: what is measured is alarms, not rights."""

    def allows(self, who: Identity, action: Action, path: str = "") -> bool:
        """Everything is allowed."""
        return True


def best(work: Callable[[], object], spend_s: float) -> float:
    """Seconds of CPU of one call, the best of those that fit."""
    work()
    found, end = float("inf"), time.perf_counter() + spend_s
    while found == float("inf") or time.perf_counter() < end:
        began = time.process_time()
        work()
        found = min(found, time.process_time() - began)
    return found


def samples(rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Channel, time and value of interleaved signals; one value in fifty is beyond the limit."""
    chance = np.random.default_rng(1)
    channel = np.arange(rows) % CHANNELS
    time_ns = np.arange(rows) // CHANNELS * (S // HZ) + S
    return channel, time_ns, np.where(chance.random(rows) < 0.02, 90.0, chance.normal(60, 5, rows))


def thresholds() -> Thresholds:
    delay = np.full(CHANNELS, S // 2)
    return Thresholds(
        limit=np.full(CHANNELS, 80.0),
        above=np.ones(CHANNELS, dtype=bool),
        dead_band=np.full(CHANNELS, 2.0),
        on_ns=delay,
        off_ns=delay,
    )


def looped(channel: list[int], time_ns: list[int], value: list[float]) -> int:
    """The same in plain Python, a sample at a time; how many changes it told."""
    raw, told = [False] * CHANNELS, [False] * CHANNELS
    since, count = [-(2**62)] * CHANNELS, 0
    for c, t, v in zip(channel, time_ns, value, strict=True):
        now = True if v > 80.0 else False if v <= 78.0 else raw[c]
        if raw[c] != told[c] and t - since[c] >= S // 2:
            told[c] = raw[c]
            count += 1
        if now != raw[c]:
            raw[c], since[c] = now, t
    return count


def bank(spend_s: float) -> None:
    print("\nSamples judged a second on one core, in millions; 10,000 thresholds.\n")
    print("| rows a batch | bank | loop in Python | Polars, comparison only |")
    print("|---|---|---|---|")
    table = thresholds()
    for rows in BATCHES:
        channel, time_ns, value = samples(rows)
        columns = (channel, time_ns.copy(), value)
        frame = pl.DataFrame({"channel": channel, "value": value})

        made = Bank(table)

        def ours(
            made: Bank = made,
            c: np.ndarray = channel,
            t: np.ndarray = time_ns,
            v: np.ndarray = value,
        ) -> object:
            # Time goes on from call to call: the bank remembers.
            t += S * 60
            return made.push(c, t, v)

        took = [
            best(ours, spend_s),
            best(lambda cs=columns: looped(*(c.tolist() for c in cs)), spend_s),
            best(lambda f=frame: f.select("channel", BEYOND), spend_s),
        ]
        print(f"| {rows:,} | {' | '.join(f'{rows / t / 1e6:.1f}' for t in took)} |")


async def desk(seconds: int, ringing: float) -> tuple[float, int]:
    """Share of a core, and transitions a second, over so many seconds of source time."""
    spine = build(Spine, {"name": "spine", "kind": "memory"})
    spine.durable(SUBSCRIPTION, "data.>", size_max=64)
    points = [f"bench/m{i // 100}/p{i}" for i in range(CHANNELS)]
    alarms = [Alarm(name=p, point=p, hi=Limit(value=80.0), dead_band=2.0) for p in points]
    index = np.arange(CHANNELS, dtype=np.int32)
    chance = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "records")
        records = build(Records, {"name": "records", "kind": "sqlite", "path": path})
        async with records.opened(COLLECTIONS):
            made = Desk(records, spine, Open())
            await made.start(alarms)
            value = np.full(CHANNELS, 60.0)
            moved, took = 0, 0.0
            for tick in range(seconds * HZ):
                flips = chance.integers(0, CHANNELS, int(chance.poisson(ringing / HZ)))
                value[flips] = np.where(value[flips] > 80.0, 60.0, 90.0)
                moved += len(set(flips.tolist()))
                times = np.full(CHANNELS, S + tick * (S // HZ))
                batch = Batch.of(points, index, times, number=value.copy())
                began = time.process_time()
                await made.take(batch)
                took += time.process_time() - began
            return took / seconds, moved // seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    bank(0.1 if quick else 2.0)
    print("\nThe desk: 10,000 alarms, 100,000 samples a second, records on disk.\n")
    asyncio.run(desk(1, 10.0))  # modules and caches are warm
    print("| transitions a second | share of a core |")
    print("|---|---|")
    for ringing in (0.0, 10.0, 100.0):
        share, moved = asyncio.run(desk(2 if quick else 20, ringing))
        print(f"| {moved:,} | {share:.1%} |")


if __name__ == "__main__":
    main()
