"""Run every benchmark, one after the other, and write docs/reference/benchmarks.md.

Each script here prints its Markdown on standard output and names its peer; it runs in a process of
its own, never two at once. A script that fails is named on the page, and the others go on.

    python benchmarks/all.py [--quick] [--only NAME …]
"""

import argparse
import importlib.metadata
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from lineshaft.core.clock import now_ns, to_iso

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "reference" / "benchmarks.md"
PACKAGES = ("pyarrow", "duckdb", "numpy", "msgspec", "asyncua", "pymodbus", "litestar", "uvicorn")
SYNC_BYTES, SYNCS = 64 * 1024, 200
SHOWN_ERROR_CHARS = 400


class Plan(NamedTuple):
    """One script, and what it is told."""

    name: str
    title: str
    full: tuple[str, ...] = ()
    quick: tuple[str, ...] = ("--quick",)
    wait_s: int = 3600


PLANS = (
    Plan("ingest", "Durable ingest through the Python API"),
    Plan("historian", "The historian beside its peers", wait_s=5400),
    Plan("clickhouse", "The ClickHouse store beside its engine used bare"),
    Plan("twins", "Twins beside the BaSyx Python SDK"),
    Plan(
        "twin_scale",
        "Twins by the hundred thousand",
        ("--shells", "100000"),
        ("--shells", "1000"),
        wait_s=7200,
    ),
    Plan("expressions", "Expressions beside Polars"),
    Plan("kpis", "A year of OEE beside Polars"),
    Plan("alarms", "Alarms beside a loop in Python"),
    Plan("spc", "Control charts beside the package shewhart"),
    Plan("opcua", "OPC UA end to end"),
    Plan("coldstart", "Cold start and memory"),
    Plan("live", "Live values to many browsers", quick=("--seconds", "1")),
    Plan("batch", "What a batch costs"),
    Plan("kill9", "Killed at random moments", ("--rounds", "500"), ("--rounds", "5")),
    Plan("chaos", "Devices cut off at random", ("--seconds", "300"), ("--seconds", "30")),
)


def run(plan: Plan, quick: bool) -> str:
    """The section of one script."""
    options = plan.quick if quick else plan.full
    command = f"python benchmarks/{plan.name}.py {' '.join(options)}".strip()
    print(f"+ {command}", flush=True)
    began = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, str(HERE / f"{plan.name}.py"), *options],
            capture_output=True,
            text=True,
            timeout=plan.wait_s,
            check=False,
        )
        code, printed, errors = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired:
        code, printed, errors = -1, "", f"not done after {plan.wait_s} s"
    took_s, when = time.perf_counter() - began, f"{to_iso(now_ns())[:16]}Z"
    print(printed, errors if code else "", flush=True)
    printed = re.sub(r"^## ", "### ", printed, flags=re.MULTILINE)
    if "\n|" not in f"\n{printed}":
        printed = f"```\n{printed.strip()}\n```" if printed.strip() else ""
    parts = [
        f"## {plan.title}",
        f"`{command}`, {took_s:.0f} s, {when}, {cpu()}.",
        printed.strip(),
    ]
    if code:
        last = errors.strip()[-SHOWN_ERROR_CHARS:]
        parts.append(f"**Failed** with code {code}:\n\n```\n{last}\n```")
    return "\n\n".join(p for p in parts if p)


def cpu() -> str:
    """The processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = (n.partition(":")[2].strip() for n in lines if n.startswith("model name"))
    return next(named, platform.machine())


def machine() -> list[str]:
    """What it ran on."""
    memory_kb = int(Path("/proc/meminfo").read_text().split()[1])
    versions = [f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{name} not installed")
    return [
        f"- date: {to_iso(now_ns())[:16]}Z",
        f"- machine: {cpu()}, {os.cpu_count()} CPUs,"
        f" {memory_kb / 2**20:.1f} GiB RAM, {platform.system()} {platform.release()}",
        f"- load at the start: {os.getloadavg()[0]:.2f}",
        f"- disk: {disk()}",
        f"- versions: {', '.join(versions)}",
    ]


def disk() -> str:
    """How fast the disk of the temporary folder takes writes that must stay."""
    folder = tempfile.mkdtemp(prefix="disk-")
    block, took = os.urandom(SYNC_BYTES), []
    fd = os.open(f"{folder}/block", os.O_CREAT | os.O_WRONLY)
    try:
        for _ in range(SYNCS):
            began = time.perf_counter()
            os.write(fd, block)
            os.fdatasync(fd)
            took.append(time.perf_counter() - began)
    finally:
        os.close(fd)
        shutil.rmtree(folder)
    ordered = sorted(took)
    return (
        f"write + fdatasync of {SYNC_BYTES // 1024} KiB: median"
        f" {statistics.median(took) * 1e3:.2f} ms, p95"
        f" {ordered[int(0.95 * SYNCS)] * 1e3:.2f} ms,"
        f" {SYNC_BYTES * SYNCS / sum(took) / 1e6:.0f} MB/s"
    )


def head(quick: bool) -> str:
    """The beginning of the page."""
    intro = (
        "# Benchmarks\n\n"
        "Each ratio compares two programs of one run on one shared machine, so it says more than"
        " the absolute figures beside it. `./do bench` runs all this again. The machine named here"
        " is that of the newest sections; each section names its own, the oldest none.\n"
    )
    if quick:
        intro += "\n**This was a quick run, to see that the scripts work: no figure counts.**\n"
    return "\n".join([intro, *machine(), "", ""])


def main() -> None:
    """Parse the arguments, run, write the page."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="short versions of all")
    names = [p.name for p in PLANS]
    arguments.add_argument("--only", nargs="*", choices=names, help="only these sections anew")
    arguments.add_argument("--output", type=Path, default=PAGE, help="where the page is written")
    asked = arguments.parse_args()
    old = sections_of(asked.output) if asked.only else {}
    begin = head(asked.quick)
    for plan in PLANS:
        if not asked.only or plan.name in asked.only:
            old[plan.title] = run(plan, asked.quick)
        # Written after each, so that a broken run leaves what it has found.
        found = [old[p.title] for p in PLANS if p.title in old]
        asked.output.parent.mkdir(parents=True, exist_ok=True)
        asked.output.write_text(begin + "\n\n".join(found) + "\n", encoding="utf-8")
    print(f"written to {asked.output}")


def sections_of(page: Path) -> dict[str, str]:
    """What stands on the page now, by title."""
    text = page.read_text("utf-8") if page.exists() else ""
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    return {p.partition("\n")[0]: f"## {p.strip()}" for p in parts}


if __name__ == "__main__":
    main()
