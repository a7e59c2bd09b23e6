"""Cold start and resident memory with 10,000 points configured, and what an empty server takes.

Ten Modbus connections of 1,000 points each, to devices that are not there. Time runs from the
start of the process to the first 200 of /health/ready; memory is looked at some seconds later.
The peer in the same run is an empty application of the same server (uvicorn, Litestar). Rounds
are interleaved, figures are medians; CPU is what the process used until it was ready.

    python benchmarks/coldstart.py [--quick]
"""

import argparse
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

DEVICES, POINTS = 10, 1000
POINT = '{{ name = "signal-{0}", table = "input", address = {1}, type = "float32", unit = "Cel" }},'
PATIENCE_S = 120.0
BARE = """
import sys
class Hidden:
    def find_spec(name, path=None, target=None):
        if name == "pandas":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hidden)
from lineshaft.cli import main
main()
"""
"""As `pip install lineshaft` has it: pyarrow imports pandas by itself where it finds it."""
EMPTY = """
import uvicorn
from litestar import Litestar, get
@get("/health/ready", sync_to_thread=False)
def ready() -> str:
    return "ok"
uvicorn.run(Litestar([ready]), port={port}, log_level="error")
"""


class Result(NamedTuple):
    """What one start took."""

    wall_s: float
    cpu_s: float
    rss_mb: float
    peak_mb: float


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def settings(folder: Path, port: int, away: int) -> Path:
    """A settings file with all those points."""
    points = "\n  ".join(POINT.format(i, 2 * i) for i in range(POINTS))
    drivers = [
        f'[[drivers]]\nname = "plc-{d}"\nkind = "modbus"\nhost = "127.0.0.1"\nport = {away}\n'
        f'at = "acme/hall/plc-{d}"\npoints = [\n  {points}\n]\n'
        for d in range(DEVICES)
    ]
    file = folder / "plant.toml"
    file.write_text(f'[plant]\ndata = "data"\n[server]\nport = {port}\n' + "\n".join(drivers))
    return file


def start(command: list[str], port: int, idle_s: float) -> Result:
    """Start the program, wait until it is ready, look at its memory, stop it."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            _wait_ready(running, port)
            wall_s, cpu = time.perf_counter() - began, cpu_s(running.pid)
            time.sleep(idle_s)
            memory = Path(f"/proc/{running.pid}/status").read_text()
        finally:
            running.terminate()
    sizes = dict(line.split(":", 1) for line in memory.splitlines())
    rss, peak = (int(sizes[n].split()[0]) / 1024 for n in ("VmRSS", "VmHWM"))
    return Result(wall_s, cpu, rss, peak)


def _wait_ready(running: "subprocess.Popen[str]", port: int) -> None:
    stop = time.perf_counter() + PATIENCE_S
    while time.perf_counter() < stop:
        if running.poll() is not None:
            assert running.stderr
            raise RuntimeError(f"ended with code {running.returncode}: {running.stderr.read()}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.01)
    raise RuntimeError(f"not ready after {PATIENCE_S} s")


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run_once(command: list[str]) -> tuple[float, float]:
    """Wall and CPU seconds of a program that ends by itself."""
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    cpu = after.children_user + after.children_system
    return time.perf_counter() - began, cpu - before.children_user - before.children_system


def starts(rounds: int, idle_s: float) -> None:
    """Print the table of what serves."""
    results: dict[str, list[Result]] = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="coldstart-") as name, socket.socket() as away:
            away.bind(("127.0.0.1", 0))  # bound, not listening: every connection is refused
            folder, port = Path(name), free_port()
            file = settings(folder, port, away.getsockname()[1])
            (folder / "empty").mkdir()
            bare = folder / "empty" / "plant.toml"
            bare.write_text(f"[server]\nport = {port}\n")
            ours = [sys.executable, "-c", BARE, "run"]
            label = f"lineshaft, {DEVICES * POINTS:,} points"
            for what, command in (
                (f"{label}, very first start", [*ours, str(file)]),
                (f"{label}, started again", [*ours, str(file)]),
                (
                    f"{label}, pandas beside it",
                    [sys.executable, "-m", "lineshaft", "run", str(file)],
                ),
                ("lineshaft, empty settings", [*ours, str(bare)]),
                (
                    "peer: empty uvicorn + Litestar",
                    [sys.executable, "-c", EMPTY.format(port=port)],
                ),
            ):
                try:
                    results.setdefault(what, []).append(start(command, port, idle_s))
                except RuntimeError as error:
                    print(f"{what}: {error}", file=sys.stderr)
    print("| what | s to ready | CPU s to ready | MB resident, idle | MB peak |")
    print("|---|---|---|---|---|")
    for what, found in results.items():
        if not found:
            print(f"| {what} | did not start | | | |")
            continue
        wall, cpu, rss, peak = map(statistics.median, zip(*found, strict=True))
        print(f"| {what} | {wall:.2f} | {cpu:.2f} | {rss:.0f} | {peak:.0f} |", flush=True)


def imports(rounds: int) -> None:
    """Print the table of what begins and ends."""
    python = sys.executable
    plans = {
        "python, nothing": [python, "-c", ""],
        "import lineshaft": [python, "-c", "import lineshaft"],
        "lineshaft --version": [python, "-m", "lineshaft", "--version"],
        "lineshaft --help": [python, "-m", "lineshaft", "--help"],
        "peer: import litestar, uvicorn": [python, "-c", "import litestar, uvicorn"],
    }
    results: dict[str, list[tuple[float, float]]] = {w: [] for w in plans}
    for _ in range(rounds):
        for what, command in plans.items():
            results[what].append(run_once(command))
    print("\n| what | s | CPU s |\n|---|---|---|")
    for what, found in results.items():
        wall, cpu = map(statistics.median, zip(*found, strict=True))
        print(f"| {what} | {wall:.2f} | {cpu:.2f} |", flush=True)


def main() -> None:
    """Parse the arguments, run, print Markdown tables."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="one round")
    quick = arguments.parse_args().quick
    rounds = 1 if quick else 5
    print(
        f"Cold start, {DEVICES} Modbus connections with {POINTS:,} points each; medians of"
        f" {rounds} rounds; {platform.machine()}, {os.cpu_count()} CPUs,"
        f" Python {platform.python_version()}\n"
    )
    starts(rounds, 2 if quick else 10)
    imports(rounds)


if __name__ == "__main__":
    main()
