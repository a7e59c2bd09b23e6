"""What expressions cost on one core: rules over aligned columns, and windows over streams.

The peer is Polars, whose expressions do the same on columns: comparisons and arithmetic for
rules, `rolling_*_by` for windows over a whole history. Ours carries quality beside every value,
checks that results are finite, and gives the same digits however the stream is cut; Polars does
none of these. Both are held to one thread. A rule of one sample is one evaluation. Best of several
repetitions.

    python benchmarks/expressions.py [--quick]
"""

import argparse
import os
import platform
import time
from collections.abc import Callable

os.environ["POLARS_MAX_THREADS"] = "1"

import numpy as np
import polars as pl

from lineshaft.core.point import Kind, Point
from lineshaft.operations.expressions.columns import Column, texts
from lineshaft.operations.expressions.expression import compile_expression
from lineshaft.operations.expressions.tails import Samples

S = 10**9
NAMES = {
    **{n: Point(path=n) for n in ("temp", "pressure", "a", "b", "speed", "vib")},
    "state": Point(path="state", kind=Kind.TEXT),
}
C = pl.col
RULES = {
    "temp > 80 && pressure < 2.5": (C("temp") > 80) & (C("pressure") < 2.5),
    "(a - b) / (b + 0.001) * 100 > 5": (C("a") - C("b")) / (C("b") + 0.001) * 100 > 5,
    "state == 'RUN' && speed > 100 && (temp > 80 || vib > 4.5)": (C("state") == "RUN")
    & (C("speed") > 100)
    & ((C("temp") > 80) | (C("vib") > 4.5)),
}
WINDOWS = {
    "avg": "rolling_mean_by",
    "sum": "rolling_sum_by",
    "min": "rolling_min_by",
    "stddev": "rolling_std_by",
    "mean": "",
    "rate": "",
    "increase": "",
}
HZ = 10


def rate(work: Callable[[], object], items: int, spend_s: float) -> float:
    """Items a second of CPU time, the best of the repetitions that fit."""
    work()
    best, end = float("inf"), time.perf_counter() + spend_s
    while best == float("inf") or time.perf_counter() < end:
        began = time.process_time()
        calls = 0
        while (taken := time.process_time() - began) < spend_s / 10:
            work()
            calls += 1
        best = min(best, taken / calls)
    return items / best


def columns(rows: int) -> dict[str, np.ndarray]:
    chance = np.random.default_rng(1)
    found = {n: chance.normal(80, 10, rows) for n in ("temp", "a", "b", "speed", "vib")}
    found["pressure"] = chance.normal(2.5, 0.5, rows)
    found["state"] = chance.choice(np.array(["RUN", "STOP", "HELD"], dtype=object), rows)
    return found


def rules(sizes: tuple[int, ...], spend_s: float) -> None:
    print("\nEvaluations a second on one core, in millions.\n")
    print("| rule | rows | ours | ours, every input of mixed quality | Polars |")
    print("|---|---|---|---|---|")
    for text, polars in RULES.items():
        expression = compile_expression(text, NAMES)
        for rows in sizes:
            data = columns(rows)
            wanted = [p.path for p in expression.inputs]
            times = np.arange(rows)
            quality = np.where(times % 7 == 0, 0x8031_0000, 0).astype(np.uint32)
            good = {n: texts(data[n], None) if n == "state" else Column(data[n]) for n in wanted}
            mixed = {n: Column(c.data, quality, c.words) for n, c in good.items()}
            frame = pl.DataFrame({n: data[n].tolist() if n == "state" else data[n] for n in wanted})
            found = [
                rate(lambda e=expression, c=good, t=times: e.rows(t, c), rows, spend_s),
                rate(lambda e=expression, c=mixed, t=times: e.rows(t, c), rows, spend_s),
                rate(lambda f=frame, p=polars: f.select(p), rows, spend_s),
            ]
            shown = " | ".join(f"{f / 1e6:.0f}" for f in found)
            print(f"| `{text.replace('|', chr(92) + '|')}` | {rows:,} | {shown} |")


def windows(rows: int, batches: tuple[int, ...], seconds: int, spend_s: float) -> None:
    print(
        f"\nSamples a second on one core, in millions: a window of {seconds} s over a signal of"
        f" {HZ} Hz, {rows:,} samples, pushed into an evaluator in batches; Polars takes all in one."
        "\n"
    )
    heads = " | ".join(f"ours, batches of {b:,}" for b in batches)
    print(f"| function | {heads} | ours, whole history | Polars, whole history |")
    print("|---|" + "---|" * (len(batches) + 2))
    time_ns = np.arange(rows, dtype=np.int64) * (S // HZ)
    values = np.random.default_rng(1).normal(80, 10, rows)
    quality = np.zeros(rows, dtype=np.uint32)
    whole = Samples(time_ns, values, quality)
    frame = pl.DataFrame({"t": time_ns, "x": values}).with_columns(C("t").cast(pl.Datetime("ns")))
    for function, peer in WINDOWS.items():
        expression = compile_expression(f"{function}(temp, '{seconds}s')", NAMES, every_ns=0)

        def streamed(batch: int, expression=expression) -> None:
            evaluator = expression.evaluator()
            for at in range(0, rows, batch):
                evaluator.push({"temp": Samples(*(c[at : at + batch] for c in whole))})

        found = [rate(lambda b=b, s=streamed: s(b), rows, spend_s) for b in batches]
        found.append(rate(lambda e=expression: e.over({"temp": whole}, 0, 2**61), rows, spend_s))
        shown = [f"{f / 1e6:.1f}" for f in found]
        if peer:
            rolling = getattr(C("x"), peer)("t", window_size=f"{seconds}s")
            shown.append(f"{rate(lambda r=rolling: frame.select(r), rows, spend_s) / 1e6:.1f}")
        print(f"| `{function}` | {' | '.join([*shown, *([] if peer else ['-'])])} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    spend_s = 0.1 if quick else 2.0
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, Polars {pl.__version__}.")
    rules((1_000, 10_000) if quick else (1_000, 10_000, 100_000, 1_000_000), spend_s)
    rows = 100_000 if quick else 1_000_000
    windows(rows, (1_000, 10_000) if quick else (1_000, 10_000, 100_000), 60, spend_s)


if __name__ == "__main__":
    main()
