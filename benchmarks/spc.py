"""What control charts cost on one core: a whole history at once, and as it streams in.

The peer is the package `shewhart`, which is made for tables at hand: for a stream it is given the
new values with the fourteen before them and frozen limits, since it keeps no state. Both draw
single values with moving ranges and judge Nelson's eight rules (EWMA: limits only) on the same
values; before timing it is seen that both mark the same points beyond 3σ. Best of several
repetitions, CPU time. Without the package its columns are empty (`pip install shewhart`).

    python benchmarks/spc.py [--quick]
"""

import argparse
import importlib
import importlib.metadata
import importlib.util
import platform
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from lineshaft.core.batch import Batch
from lineshaft.operations.spc import Baseline, Kind
from lineshaft.operations.spc.chart import Chart, Phase
from lineshaft.operations.spc.feed import split
from lineshaft.operations.spc.rules import CARRY, NELSON
from lineshaft.operations.spc.settings import ChartTable
from lineshaft.operations.spc.watcher import Kept, Watcher

KNOWN = Baseline(centre=100.0, sigma=1.0)
PHASES = (Phase(start_ns=0, known=KNOWN),)
KINDS = {"I-MR, Nelson": Kind.I_MR, "EWMA": Kind.EWMA}
LEAST = 2
"""Values that the peer takes at least."""
PEER = importlib.util.find_spec("shewhart") is not None


def rate(work: Callable[[], object], items: int, spend_s: float) -> float:
    """Items a second of CPU time, the best of the repetitions that fit."""
    work()
    best, end = float("inf"), time.perf_counter() + spend_s
    while best == float("inf") or time.perf_counter() < end:
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return items / max(best, 1e-9)


def peer(kind: Kind) -> Callable[[np.ndarray], Any]:
    """The peer's chart with the same limits."""
    sw = importlib.import_module("shewhart")

    if kind is Kind.EWMA:
        return lambda values: sw.ewma(values, center=100.0, sigma=1.0)
    moving = 1.0 * 2 / np.sqrt(np.pi)
    stats = {"i_center": 100.0, "sigma_within": 1.0, "mr_center": moving}
    limits = sw.Baseline(
        chart="imr", stats=stats, n=1000, created_at="2026-01-01T00:00:00+00:00", version="0.1.1"
    )
    return lambda values: sw.imr(values, rules="nelson", limits=limits)


def agree(values: np.ndarray) -> None:
    """Both mark the same points beyond 3σ."""
    done = Chart(Kind.I_MR, PHASES, rules=NELSON).push(np.arange(len(values)), values)
    ours = np.flatnonzero(done.rules[0]).tolist()
    found = peer(Kind.I_MR)(values)
    theirs = sorted(
        p for s in found.signals if (s.rule, s.chart) == ("nelson_1", "i") for p in s.points
    )
    assert ours == theirs, (ours[:5], theirs[:5])


def streamed(kind: Kind, values: np.ndarray, size: int) -> Callable[[], None]:
    def ours() -> None:
        chart = Chart(kind, PHASES, rules=NELSON)
        for begin in range(0, len(values), size):
            part = values[begin : begin + size]
            chart.push(np.arange(begin, begin + len(part)), part)

    return ours


def windowed(kind: Kind, values: np.ndarray, size: int) -> Callable[[], None]:
    chart = peer(kind)

    def theirs() -> None:
        for begin in range(0, len(values), size):
            chart(values[max(begin - CARRY, 0) : max(begin + size, LEAST)])

    return theirs


def kinds(quick: bool) -> None:
    spend_s = 0.3 if quick else 2.0
    sizes = (10, 1000, 0) if quick else (1, 10, 100, 1000, 0)
    print("\nValues a second on one core, in thousands.\n")
    print("| chart | values at a time | ours | shewhart | ratio |")
    print("|---|---|---|---|---|")
    for name, kind in KINDS.items():
        for size in sizes:
            total = (20_000 if quick else 200_000) if size == 0 else max(size * 20, 200)
            values = np.random.default_rng(1).normal(100, 1, total)
            step = size or total
            ours = rate(streamed(kind, values, step), total, spend_s)
            theirs = rate(windowed(kind, values, step), total, spend_s) if PEER else 0.0
            shown = f"{theirs / 1e3:.1f} | {ours / theirs:.1f}" if theirs else "– | –"
            print(f"| {name} | {size or f'all {total}'} | {ours / 1e3:.1f} | {shown} |", flush=True)


def plant(quick: bool) -> None:
    """Whole charts as the plant runs them: batches of many points, state between them."""
    charts = 100 if quick else 1000
    samples = 10
    paths = [f"acme/line/machine-{i}/force" for i in range(charts)]
    watchers = []
    for path in paths:
        table = ChartTable(name=path, point=path, rules="nelson")
        kept = Kept(mark=table.mark, phases=PHASES)
        watchers.append(Watcher(table, lambda _: None, kept))
    values = np.random.default_rng(2).normal(100, 1, charts * samples)
    index = np.repeat(np.arange(charts, dtype=np.int32), samples)
    now = [0]

    def batch() -> None:
        now[0] += 1
        times = now[0] * 10**9 + np.tile(np.arange(samples), charts)
        columns = split(Batch.of(paths, index, times, number=values), set(paths))
        for watcher in watchers:
            watcher.push({watcher.table.point: columns[watcher.table.point]})

    found = rate(batch, charts * samples, 0.5 if quick else 3.0)
    print(f"\n{charts} charts, {samples} samples of each in a batch, events and state included:")
    print(
        f"{found / 1e3:.0f} thousand samples a second,"
        f" {charts * samples / found * 1e3:.1f} ms a batch."
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="to see that it works")
    quick = arguments.parse_args().quick
    version = importlib.metadata.version("shewhart") if PEER else "not installed"
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, shewhart {version}.")
    if PEER:
        agree(np.random.default_rng(0).normal(100, 1.3, 5000))
    kinds(quick)
    plant(quick)


if __name__ == "__main__":
    main()
