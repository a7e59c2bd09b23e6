"""The historian beside other historians: same data, same machine, same run.

2,000 points of mixed sensors every 5 s (`workload.py`). Lineshaft and the DuckDB table take a whole
day, 34.56 million rows; the servers take its first hours, since they are slower to fill, and
the questions stay within these hours. Batches of 10,000 rows come one after the other; each is
acknowledged before the next. A question is cold when its points and times were never asked for
before in this process, and hot when the same one was asked before; figures are medians. Answers
are read to the end; servers are asked over their own protocol on loopback.

    python benchmarks/historian.py [--quick] [--only NAME …]
"""

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lineshaft.core.batch import Batch
from peers import Columns, Peer
from peers.duckdb_table import DuckDBTable
from peers.influxdb import InfluxDB
from peers.lineshaft_store import Lineshaft
from peers.postgresql import PostgreSQL
from peers.sqlite import SQLite
from peers.victoriametrics import VictoriaMetrics
from workload import PERIOD_NS, T0, names, reference

PEERS: dict[type[Peer], str] = {
    Lineshaft: "day",
    DuckDBTable: "day",
    InfluxDB: "hours",
    PostgreSQL: "hours",
    VictoriaMetrics: "hours",
    SQLite: "hours",
}
"""How much each takes."""
BATCH = 10_000
ROUNDS = 7
HOUR_NS = 3_600_000_000_000
BIG_ROWS = 10_000_000
BIG_PERIOD_NS = 100_000_000
BIG_COLUMNS = 1000
ASKED_PER_S = 24


def ms(work: Callable[[], object]) -> float:
    """Milliseconds that it takes."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


class Figures(dict[str, float]):
    """What was measured of one peer, by name."""


def load(peer: Peer, rows: Columns) -> Figures:
    """Bring all rows in, batch by batch, and settle them."""
    took, took_each = 0.0, []
    for at in range(0, len(rows.point), BATCH):
        prepared = peer.prepare(rows.part(at, at + BATCH))
        took_each.append(ms(lambda p=prepared: peer.ingest(p)))
        took += took_each[-1]
    settle = ms(peer.settle)
    n = len(rows.point)
    return Figures(
        {
            "ingest, k rows/s": n / took,
            "settled, k rows/s": n / (took + settle),
            "batch p99, ms": float(np.percentile(took_each, 99)),
            "bytes a row": peer.size() / n,
        }
    )


def ask(peer: Peer, hours: int, points: int) -> tuple[Figures, dict[str, int]]:
    """Every question: milliseconds, and the number of rows answered."""
    span = hours * HOUR_NS
    some = list(range(3, points, max(points // 100, 1)))[:100]
    hour = (T0 + span - HOUR_NS, T0 + span)
    questions: dict[str, Callable[[int], int]] = {
        "last value of a point": lambda i: peer.last(17 * i % points),
        "raw 1 h of a point, cold": lambda i: peer.raw(
            (31 * i + 5) % points, T0 + i % hours * HOUR_NS, T0 + (i % hours + 1) * HOUR_NS
        ),
        "raw 1 h of a point, hot": lambda _: peer.raw(points // 2, *hour),
        "raw 6 h of a point, hot": lambda _: peer.raw(points // 2 + 1, T0, T0 + span),
        "1-min aggregates, a point": lambda _: peer.minutes([7], T0, T0 + span),
        "1-min aggregates, 100 points": lambda _: peer.minutes(some, T0, T0 + span),
        "1-min aggregates, all points, 1 h": lambda _: peer.minutes(None, *hour),
    }
    figures, answers = Figures(), {}
    for name, question in questions.items():
        if "cold" not in name:
            answers[name] = question(0)
        figures[name] = statistics.median(ms(lambda i=i, q=question: q(i)) for i in range(ROUNDS))
        if "cold" in name:
            answers[name] = question(0)
    return figures, answers


def big(peer: Lineshaft | DuckDBTable, rows: int) -> float:
    """Ten million samples of one point, as 1,000 columns with least and greatest."""
    random = np.random.default_rng(5)
    number = np.cumsum(random.normal(0, 0.01, rows)).round(3)
    time_ns = T0 + np.arange(rows) * BIG_PERIOD_NS
    edges = np.linspace(T0, T0 + rows * BIG_PERIOD_NS, BIG_COLUMNS + 1).astype(np.int64)
    minute = 60_000_000_000
    edges = np.unique(edges // minute * minute)
    edges[-1] = T0 + rows * BIG_PERIOD_NS
    if isinstance(peer, Lineshaft):
        for at in range(0, rows, 1_000_000):
            part = slice(at, at + 1_000_000)
            batch = Batch.of(
                ["acme/big"], np.zeros(len(time_ns[part]), "i4"), time_ns[part], number=number[part]
            )
            peer.ingest(batch)
        peer.settle()

        def question() -> object:
            wanted = ("min", "min_ns", "max", "max_ns", "first", "last", "count", "quality")
            return peer.run(peer.store.summaries(["acme/big"], edges, columns=wanted))
    else:
        big_names = np.full(len(time_ns), len(peer.points), dtype="i4")
        peer.points.append("acme/big")
        peer.ingest(peer.prepare(Columns(big_names, time_ns, number, np.zeros(len(time_ns), "u4"))))
        width = rows * BIG_PERIOD_NS // BIG_COLUMNS

        def question() -> object:
            return peer._db.sql(
                f"SELECT (time_ns - {T0}) // {width} AS c, min(number), arg_min(time_ns, number),"
                " max(number), arg_max(time_ns, number), count(*), max(quality) FROM s"
                " WHERE point = 'acme/big' GROUP BY c ORDER BY c"
            ).to_arrow_table()

    question()
    return statistics.median(ms(question) for _ in range(ROUNDS))


def beside(folder: Path, rows: Columns, points: list[str], seconds: float) -> tuple[float, ...]:
    """Rows a second that are taken alone, and beside 24 questions a second; their p50 and p99."""
    import asyncio  # noqa: PLC0415 - the only part that has two things to do at once

    peer = Lineshaft(folder / "beside", points)
    peer.start()
    there = len(points) * 2 * HOUR_NS // PERIOD_NS
    for at in range(0, there, 100_000):
        peer.ingest(peer.prepare(rows.part(at, min(at + 100_000, there))))
    peer.settle()
    made = [peer.prepare(rows.part(at, at + BATCH)) for at in range(there, len(rows.point), BATCH)]
    rest = iter(made)

    async def run(asking: bool) -> tuple[float, list[float]]:
        took: list[float] = []
        done = 0
        until = time.perf_counter() + seconds

        async def feed() -> None:
            nonlocal done
            for batch in rest:
                await peer.store.append(batch)
                done += len(batch)
                if time.perf_counter() > until:
                    return

        async def question(i: int) -> None:
            began = time.perf_counter()
            start = T0 + i % 2 * HOUR_NS
            await peer.store.read([points[(i * 37) % len(points)]], start, start + HOUR_NS)
            took.append((time.perf_counter() - began) * 1e3)

        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            feeding = group.create_task(feed())
            i = 0
            while asking and not feeding.done():
                group.create_task(question(i))
                i += 1
                await asyncio.sleep(1 / ASKED_PER_S)
        return done / (time.perf_counter() - began), took

    alone, _ = peer.run(run(False))
    loaded, took = peer.run(run(True))
    peer.stop()
    return alone, loaded, float(np.percentile(took, 50)), float(np.percentile(took, 99))


def measure(kind: type[Peer], folder: Path, rows: Columns, hours: int, points: list[str]):
    """All figures of one peer."""
    peer = kind(folder / kind.__name__, list(points))
    peer.start()
    try:
        figures = Figures({"rows, million": len(rows.point) / 1e6}) | load(peer, rows)
        asked, answers = ask(peer, hours, len(points))
        figures |= asked
        if isinstance(peer, Lineshaft | DuckDBTable):
            figures["10 M rows of a point to 1,000 columns"] = big(peer, BIG_ROWS)
        return f"{peer.name}: {peer.version()}; durable: {peer.durable}", figures, answers
    finally:
        peer.stop()
        shutil.rmtree(folder / kind.__name__, ignore_errors=True)


def table(found: dict[str, Figures]) -> None:
    """Print figures, and after each peer's how many times ours it is."""
    ours = found.get("Lineshaft")
    print("| | " + " | ".join(found) + " |")
    print("|---|" + "--:|" * len(found))
    for row in dict.fromkeys(n for f in found.values() for n in f):
        cells = []
        for name, figures in found.items():
            value = figures.get(row)
            cell = "" if value is None else f"{value:,.2f}" if value < 100 else f"{value:,.0f}"
            if value is not None and ours and name != "Lineshaft" and row != "rows, million":
                cell += f" (× {value / ours[row]:.2f})"
            cells.append(cell)
        print(f"| {row} | " + " | ".join(cells) + " |")


def agree(answers: dict[str, dict[str, int]]) -> None:
    """Print where a peer's answer has another number of rows than ours."""
    ours = answers.get("Lineshaft", {})
    for name, rows in answers.items():
        for question, n in rows.items():
            if question in ours and n != ours[question]:
                print(
                    f"- {name} answers {question!r} with {n:,} rows, Lineshaft {ours[question]:,}"
                )


def main() -> None:
    """Parse the arguments, run, print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rows, for a smoke test")
    parser.add_argument("--only", nargs="*", choices=[k.__name__ for k in PEERS])
    asked = parser.parse_args()
    points = 200 if asked.quick else 2000
    day, hours = (4, 1) if asked.quick else (24, 6)
    steps = day * HOUR_NS // PERIOD_NS
    rows = Columns(*reference(points, steps))
    first = rows.part(0, points * hours * HOUR_NS // PERIOD_NS)
    print(
        f"{points:,} points every 5 s; batches of {BATCH:,} rows; medians of {ROUNDS};"
        f" {platform.machine()}, {os.cpu_count()} CPUs. Questions reach over {hours} h unless they"
        " say otherwise. Milliseconds; × is the ratio to Lineshaft.\n"
    )
    folder = Path(tempfile.mkdtemp(prefix="historian-"))
    found: dict[str, Figures] = {}
    answers: dict[str, dict[str, int]] = {}
    notes = []
    try:
        for kind, size in PEERS.items():
            if asked.only and kind.__name__ not in asked.only:
                continue
            print(f"+ {kind.name}", file=sys.stderr, flush=True)
            taken = rows if size == "day" else first
            note, found[kind.name], answers[kind.name] = measure(
                kind, folder, taken, hours, names(points)
            )
            notes.append(note)
        table(found)
        print("\n" + "\n".join(f"- {n}" for n in notes))
        agree(answers)
        if not asked.only or "Lineshaft" in asked.only:
            alone, loaded, p50, p99 = beside(folder, rows, names(points), 1 if asked.quick else 6)
            print(
                f"\nIngest alone {alone / 1e6:.2f} M rows/s, beside {ASKED_PER_S} questions/s"
                f" (raw 1 h of a point) {loaded / 1e6:.2f} M rows/s, {loaded / alone:.2f} ×;"
                f" the questions took p50 {p50:.1f} ms, p99 {p99:.1f} ms."
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
