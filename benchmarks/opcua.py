"""End to end OPC UA: 1,000 points that change once a second, from the server to the disk.

The server (asyncua) runs in a process of its own. First a whole plant subscribes to it and keeps
everything in a Parquet store; then, in the same run and from the same server, the peer: a bare
asyncua client whose callback does nothing. Each point counts up by one, so that a value that
is missing shows. CPU is that of the plant's or the peer's process alone.

    python benchmarks/opcua.py [--quick]
"""

import argparse
import asyncio
import contextlib
import datetime
import importlib.metadata
import logging
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from asyncua import Client, Server, ua

from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.plugin import build
from lineshaft.stores import Store

POINTS, PERIOD_S = 1000, 1.0
BRANCH = "acme/hall/plc"
SETTLING_S = 5.0
"""After the start, so that connecting and subscribing is not in the figures."""


class Result(NamedTuple):
    """What one contender took over the span."""

    rate: float
    """Samples a second that arrived (the peer) or were stored (ours)."""
    cpu_percent: float
    rss_mb: float
    missing: str


async def serve(port: int) -> None:
    """The server, until killed: it says `up`, then counts."""
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = await server.register_namespace("urn:bench")
    machine = await server.nodes.objects.add_object(space, "Machine")
    nodes = [
        await machine.add_variable(
            ua.NodeId(f"P{i}", space), ua.QualifiedName(f"P{i}", space), 0.0, ua.VariantType.Double
        )
        for i in range(POINTS)
    ]
    async with server:
        print("up", flush=True)
        loop = asyncio.get_running_loop()
        due, tick = loop.time(), 0
        while True:
            tick, due = tick + 1, due + PERIOD_S
            when = datetime.datetime.fromtimestamp(now_ns() / NS_PER_S, datetime.UTC)
            value = ua.Variant(float(tick), ua.VariantType.Double)
            for node in nodes:
                await node.write_value(ua.DataValue(value, SourceTimestamp=when))
            await asyncio.sleep(max(0.0, due - loop.time()))


class Counter:
    """The peer's callback."""

    count = 0

    def datachange_notification(self, node, val, data) -> None:
        """Do nothing but count."""
        self.count += 1


async def peer(url: str) -> None:
    """The bare client, until killed; prints its count whenever it is asked by a line."""
    counter = Counter()
    async with Client(url) as client:
        subscription = await client.create_subscription(500, counter)
        nodes = [client.get_node(f"ns=2;s=P{i}") for i in range(POINTS)]
        await subscription.subscribe_data_change(nodes, queuesize=10)
        print("up", flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(counter.count, flush=True)


@contextlib.contextmanager
def started(*command: str) -> Iterator["subprocess.Popen[str]"]:
    """A Python process, killed at the end; its first line says that it is up."""
    running = subprocess.Popen(
        [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert running.stdout
        if not running.stdout.readline():
            raise SystemExit(f"{command} ended with code {running.wait()}")
        yield running
    finally:
        running.terminate()
        try:
            running.wait(30)
        except subprocess.TimeoutExpired:
            print(f"{command[-1]} did not stop within 30 s and was killed\n", file=sys.stderr)
            running.kill()
            running.wait()


def span(pid: int, seconds: float) -> tuple[float, float, int, int]:
    """CPU in percent of a core and resident MB over the time; and from when till when."""
    start_ns, began, before = now_ns(), time.perf_counter(), cpu_s(pid)
    time.sleep(seconds)
    used = (cpu_s(pid) - before) / (time.perf_counter() - began)
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return used * 100, pages * os.sysconf("SC_PAGE_SIZE") / 1e6, start_ns, now_ns()


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ours(url: str, folder: Path, seconds: float) -> Result:
    """The plant: driver, spine, historian, store, server; then what the store holds."""
    points = "\n".join(f'  {{ name = "p{i}", node = "ns=2;s=P{i}" }},' for i in range(POINTS))
    text = (
        '[plant]\ndata = "data"\n[server]\nport = 0\n[store]\nkind = "parquet"\n[[drivers]]\n'
        f'name = "plc"\nkind = "opcua"\nurl = "{url}"\nat = "{BRANCH}"\npoints = [\n{points}\n]\n'
    )
    (folder / "plant.toml").write_text(text)
    with started("-m", "lineshaft", "run", str(folder / "plant.toml")) as running:
        time.sleep(SETTLING_S)
        cpu, rss, start_ns, stop_ns = span(running.pid, seconds)
        time.sleep(3)  # what is under way arrives
    stored, missing = asyncio.run(look(folder / "data" / "stores", start_ns, stop_ns))
    rate = stored / (stop_ns - start_ns) * NS_PER_S
    return Result(rate, cpu, rss, "complete" if not missing else f"{missing:,} missing")


async def look(folder: Path, start_ns: int, stop_ns: int) -> tuple[int, int]:
    """How many samples of the span are stored, and how many are not."""
    store = build(Store, {"kind": "parquet", "path": str(folder)})
    names = [f"{BRANCH}/p{i}" for i in range(POINTS)]
    async with store.opened():
        batch = await store.read(names, start_ns, stop_ns)
    if not len(batch):
        return 0, POINTS
    ticks = batch.number
    expected = POINTS * int(np.max(ticks) - np.min(ticks) + 1)
    pairs = len(np.unique(batch.index.astype(np.int64) * (1 << 32) + ticks.astype(np.int64)))
    return len(batch), expected - pairs


def bare(url: str, seconds: float) -> Result:
    """The peer."""
    with started(__file__, "--peer", url) as running:
        assert running.stdin
        assert running.stdout

        def count() -> int:
            print(file=running.stdin, flush=True)
            return int(running.stdout.readline())

        time.sleep(SETTLING_S)
        first = count()
        cpu, rss, start_ns, stop_ns = span(running.pid, seconds)
        rate = (count() - first) / (stop_ns - start_ns) * NS_PER_S
    return Result(rate, cpu, rss, "not kept")


def main() -> None:
    """Parse the arguments, run, print a Markdown table."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="5 s each")
    arguments.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    arguments.add_argument("--peer", help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    logging.getLogger("asyncua").setLevel(logging.ERROR)
    if asked.serve:
        asyncio.run(serve(asked.serve))
    elif asked.peer:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(peer(asked.peer))
    else:
        compare(5 if asked.quick else 20)


def compare(seconds: float) -> None:
    version = importlib.metadata.version("asyncua")
    print(
        f"OPC UA end to end, {POINTS:,} points, each changing every {PERIOD_S:g} s, {seconds} s;"
        f" {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()},"
        f" asyncua {version}\n"
    )
    print("| what | samples/s | CPU % of a core | CPU µs/sample | MB resident | complete? |")
    print("|---|---|---|---|---|---|")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"opc.tcp://127.0.0.1:{port}/"
    with started(__file__, "--serve", str(port)), tempfile.TemporaryDirectory() as folder:
        for what, result in (
            ("lineshaft, to the disk", ours(url, Path(folder), seconds)),
            (f"peer: asyncua {version} client, empty callback", bare(url, seconds)),
        ):
            each = result.cpu_percent / 100 / result.rate * 1e6 if result.rate else float("nan")
            print(
                f"| {what} | {result.rate:,.0f} | {result.cpu_percent:.1f} | {each:,.0f}"
                f" | {result.rss_mb:.0f} | {result.missing} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
