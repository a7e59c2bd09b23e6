"""OEE of every shift of a year of many machines, worked out anew from the store.

Each machine changes its state 50 times a day. Its two counters (good, scrap) are read every ten
minutes and say something when they have changed, some 140 and 29 times a day; one in fifty days a
counter begins anew. A calendar has three shifts; stops below two
minutes are micro-stops. Ours is the way of `GET /kpis?by=shift`: timelines from the state points
in the Parquet store, with the records asked for corrections, cut by the calendar, summed up. The
peer is the same in Polars over Parquet files that it wrote itself in its best form (machine,
time, state; machine, time, count), without corrections, reasons, orders or products, and
with shifts on a fixed grid of eight hours. Both give the same figures, which is checked.

    python benchmarks/kpis.py [--quick]
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from lineshaft.core.access import SYSTEM
from lineshaft.core.batch import Batch
from lineshaft.core.plugin import build
from lineshaft.core.point import Point
from lineshaft.operations.calendars.book import Calendars
from lineshaft.operations.calendars.settings import CalendarTable, Shift
from lineshaft.operations.kpis.book import Kpis
from lineshaft.operations.kpis.current import Current
from lineshaft.operations.kpis.pieces import By
from lineshaft.operations.kpis.reading import Reader
from lineshaft.operations.states.intervals import Intervals
from lineshaft.operations.states.part import COLLECTIONS
from lineshaft.operations.states.settings import StateRule, WorkUnit
from lineshaft.operations.states.units import Units
from lineshaft.records import Records
from lineshaft.stores import Store

S = 10**9
DAY_S = 86_400
BEGIN_S = 20_000 * DAY_S
CHANGES_A_DAY = 50
EVERY_S = 600
MICRO_S = 120
PRI_S = 20.0
RULES = (
    StateRule(name="run", when="false", item="executing"),
    StateRule(name="jam", when="false", loss="own"),
    StateRule(name="starved", when="false", loss="outside"),
)
SHIFTS = (
    Shift(name="early", start="00:00", stop="08:00"),
    Shift(name="late", start="08:00", stop="16:00"),
    Shift(name="night", start="16:00", stop="24:00"),
)


class Everything:
    """Lets everybody do everything, and knows no units of measure."""

    version = 0

    def allows(self, who, action, path=""):
        return True

    def under(self, branch, who):
        return []

    def find(self, path: str) -> Point | None:
        return None


def unit_of(machine: int) -> WorkUnit:
    path = f"acme/hall/m{machine:03}"
    return WorkUnit(
        path=path,
        calendar="three",
        states=RULES,
        good=f"{path}/good",
        scrap=f"{path}/scrap",
        cycle_s=PRI_S,
        micro_stop_s=MICRO_S,
    )


def states_of(machine: int, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Second and state of each change: running and stops take turns, some stops are short."""
    chance = np.random.default_rng([1, machine])
    n = days * CHANGES_A_DAY // 2
    stop = np.where(
        chance.random(n) < 0.4, chance.integers(20, 120, n), chance.integers(120, 900, n)
    )
    run = chance.exponential(days * DAY_S / n - stop.mean(), n).astype(np.int64) + 1
    both = np.stack([run, stop], axis=1).ravel()
    start = np.concatenate(([0], np.cumsum(both)[:-1]))
    state = np.stack([np.zeros(n, np.int64), chance.integers(1, 3, n)], axis=1).ravel()
    kept = start < days * DAY_S
    return start[kept], state[kept]


def counters_of(machine: int, days: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Second and value of each change of good and of scrap, from the first second on."""
    chance = np.random.default_rng([2, machine])
    times = np.arange(0, days * DAY_S + 1, EVERY_S)
    good = np.cumsum(chance.integers(0, 28, len(times)))
    scrap = np.cumsum(chance.random(len(times)) < 0.2)
    for anew in np.flatnonzero(chance.random(len(times)) < EVERY_S / DAY_S / 50):
        good[anew:] -= good[anew] - 3
    found = {}
    for name, value in (("good", good), ("scrap", scrap)):
        changed = np.append(True, value[1:] != value[:-1])
        found[name] = times[changed], value[changed]
    return found


def rows_of(machine: int, days: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Second, which of three points, and value of all samples of a machine, in order of time."""
    start, state = states_of(machine, days)
    columns = [(start, state), *counters_of(machine, days).values()]
    at = np.concatenate([c[0] for c in columns])
    value = np.concatenate([c[1] for c in columns]).astype(np.float64)
    index = np.repeat(np.arange(3, dtype=np.int32), [len(c[0]) for c in columns])
    order = np.argsort(at, kind="stable")
    return at[order], index[order] + 3 * machine, value[order]


def batches(machines: int, days: int) -> Iterator[Batch]:
    """All samples as they come in a plant: of all machines, week by week."""
    units = [unit_of(m) for m in range(machines)]
    names = [n for u in units for n in (f"{u.path}/work_state", u.good, u.scrap)]
    known = [rows_of(m, days) for m in range(machines)]
    for week in range(0, days + 1, 7):
        edges = [np.searchsorted(at, (week * DAY_S, (week + 7) * DAY_S)) for at, _, _ in known]
        parts = [
            [column[low:high] for column in rows]
            for rows, (low, high) in zip(known, edges, strict=True)
        ]
        at, index, value = (np.concatenate(c) for c in zip(*parts, strict=True))
        if len(at):
            yield Batch.of(names, index, (BEGIN_S + at) * S, number=value)


async def ours(folder: Path, machines: int, days: int) -> dict[str, float]:
    """OEE by shift of all machines together, after printing what it took."""
    store = build(Store, {"kind": "parquet", "path": str(folder / "store")})
    records = build(Records, {"kind": "sqlite", "path": str(folder / "records.db")})
    end_ns = (BEGIN_S + days * DAY_S) * S
    async with store.opened(), records.opened(COLLECTIONS):
        rows = 0
        for batch in batches(machines, days):
            rows += len(batch)
            await store.append(batch)
            await store.settle()
        units = Units(records)
        units.take(await units.read([unit_of(m) for m in range(machines)], ()), ())
        now = [end_ns]
        lines = Intervals(units, store, records, clock=lambda: now[0])
        calendars = Calendars()
        calendars.take([CalendarTable(name="three", shifts=SHIFTS)])
        anyone = Everything()
        reader = Reader(timelines=lines, calendars=calendars, store=store, names=anyone)
        kpis = Kpis(reader, anyone)
        scope = kpis.scope(SYSTEM, BEGIN_S * S, end_ns)
        began, cpu = time.perf_counter(), time.process_time()
        found = await kpis.figures(scope, By.SHIFT, ["oee"])
        report("Lineshaft", rows, time.perf_counter() - began, time.process_time() - cpu)
        await overview(kpis, now, end_ns)
    return {r.key.day + r.key.shift: r.figures["oee"].value for r in found.rows}


async def overview(kpis: Kpis, now: list[int], end_ns: int) -> None:
    """What an overview of all running shifts takes: the first time, and every ten seconds."""
    now[0] = end_ns - 1800 * S
    current = Current(kpis, clock=lambda: now[0])
    took = []
    for _ in range(4):
        began = time.perf_counter()
        shown = await current.now(SYSTEM)
        took.append(time.perf_counter() - began)
        now[0] += 10 * S
    print(
        f"\nThe running shift of {len(shown)} machines, 7.5 h into it: {took[0]:.2f} s at first,"
        f" {min(took[1:]):.2f} s every ten seconds from then on."
    )


def write_peer(folder: Path, machines: int, days: int) -> None:
    states: list[pl.DataFrame] = []
    counts: dict[str, list[pl.DataFrame]] = {"good": [], "scrap": []}
    for machine in range(machines):
        start, state = states_of(machine, days)
        states.append(pl.DataFrame({"machine": machine, "t": start, "state": state}))
        for name, (times, value) in counters_of(machine, days).items():
            counts[name].append(pl.DataFrame({"machine": machine, "t": times, "value": value}))
    pl.concat(states).write_parquet(folder / "states.parquet")
    for name, frames in counts.items():
        pl.concat(frames).write_parquet(folder / f"{name}.parquet")


def peer(folder: Path, machines: int, days: int) -> dict[str, float]:
    """The same in Polars."""
    began, cpu = time.perf_counter(), time.process_time()
    shift_s, end = 8 * 3600, days * DAY_S
    states = pl.scan_parquet(folder / "states.parquet")
    last = pl.col("t").shift(-1).over("machine").fill_null(end)
    lasting = states.with_columns(stop=last).with_columns(
        apt=(pl.col("state") == 0) | ((pl.col("stop") - pl.col("t")) < MICRO_S)
    )
    grid = pl.LazyFrame({"t": np.arange(0, end, shift_s)}).join(
        pl.LazyFrame({"machine": np.arange(machines, dtype=np.int32)}), how="cross"
    )
    cut = (
        pl.concat([lasting.select("machine", "t", "apt"), grid.join(lasting.select(
            "machine", "t", "apt"), on=["machine", "t"], how="anti").with_columns(
            apt=pl.lit(None, pl.Boolean)).select("machine", "t", "apt")])
        .sort("machine", "t")
        .with_columns(
            apt=pl.col("apt").forward_fill().over("machine"),
            stop=pl.col("t").shift(-1).over("machine").fill_null(end),
        )
    )  # fmt: skip
    times = cut.group_by(shift=pl.col("t") // shift_s).agg(
        apt=(pl.col("stop") - pl.col("t")).filter("apt").sum(),
        pbt=(pl.col("stop") - pl.col("t")).sum(),
    )

    def made(name: str) -> pl.LazyFrame:
        step = pl.col("value").diff().over("machine")
        rise = pl.when(step < 0).then(pl.col("value")).otherwise(step).fill_null(0)
        return (
            pl.scan_parquet(folder / f"{name}.parquet")
            .with_columns(rise.alias(name))
            .filter(pl.col("t") > 0)
            .group_by(shift=(pl.col("t") - 1) // shift_s)
            .agg(pl.col(name).sum())
        )

    counts = made("good").join(made("scrap"), on="shift", how="left").fill_null(0)
    table = times.join(counts, on="shift").with_columns(
        oee=(pl.col("apt") / pl.col("pbt"))
        * (PRI_S * (pl.col("good") + pl.col("scrap")) / pl.col("apt"))
        * (pl.col("good") / (pl.col("good") + pl.col("scrap")))
    )
    found = table.sort("shift").collect()
    took = time.perf_counter() - began, time.process_time() - cpu
    files = [folder / f"{name}.parquet" for name in ("states", "good", "scrap")]
    report("Polars", sum(pq.read_metadata(file).num_rows for file in files), *took)
    days_of = np.datetime_as_string(
        (BEGIN_S // DAY_S + found["shift"].to_numpy() // 3).astype("datetime64[D]")
    )
    names = [SHIFTS[s % 3].name for s in found["shift"]]
    return {d + n: v for d, n, v in zip(days_of, names, found["oee"], strict=True)}


def report(who: str, rows: int, took_s: float, cpu_s: float) -> None:
    print(f"| {who} | {took_s:.2f} s | {cpu_s:.2f} s | {rows / took_s / 1e6:.1f} M |")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="10 machines, 30 days")
    arguments.add_argument("--machines", type=int, default=200)
    arguments.add_argument("--days", type=int, default=365)
    asked = arguments.parse_args()
    machines, days = (10, 30) if asked.quick else (asked.machines, asked.days)
    print(f"\n{machines} machines, {days} days, OEE of every shift.\n")
    print("| | wall | CPU | samples a second |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_peer(folder, machines, days)
        theirs = peer(folder, machines, days)
        own = asyncio.run(ours(folder, machines, days))
    off = max(abs(own[k] - v) for k, v in theirs.items())
    assert own.keys() == theirs.keys()
    assert off < 1e-12, off
    print(f"\nBoth give the same OEE of {len(own)} shifts, to {off:.0e}.")


if __name__ == "__main__":
    main()
