"""What live values cost: server CPU for 0, 1, 5 and 20 browsers' worth of WebSocket clients.

100 signals at 10 Hz on 5 machines, every client watches all of them. The server runs in a
process of its own, so that its CPU is its own; the clients share this one. The peer in the
same run is a server that encodes every message for every client as JSON.

    python benchmarks/live.py [--seconds 10]
"""

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import uvloop
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve as serve_peer
from websockets.exceptions import ConnectionClosed

from lineshaft.core.access import Action, Identity
from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.core.plugin import build
from lineshaft.historian import COLLECTIONS, DURABLE, Config, Historian
from lineshaft.historian.routes import handlers
from lineshaft.records import Records
from lineshaft.server import ServerSettings, app, served
from lineshaft.spines import Spine
from lineshaft.stores import Store

MACHINES, SIGNALS, HZ = 5, 20, 10
POINTS = [f"bench/m{m}/s{s}" for m in range(MACHINES) for s in range(SIGNALS)]
CLIENTS = (0, 1, 5, 20)
EVERYBODY = Identity(name="bench", actions=frozenset(Action))


class Open:
    """Lets everybody in: what is measured is live values, not passwords."""

    async def identify(self, *, session: str, token: str, address: str) -> Identity:
        """Everybody is the same."""
        return EVERYBODY

    def allows(self, who: Identity, action: Action, path: str = "") -> bool:
        """Everything is allowed."""
        return True

    def about(self) -> dict[str, str]:
        """Nothing to say."""
        return {"plant": "bench", "version": "0", "started": ""}


def values(tick: int) -> Batch:
    now = now_ns()
    return Batch.of_rows([(p, now, float(i + tick % 17)) for i, p in enumerate(POINTS)])


async def server() -> None:
    """Lineshaft with its publisher, until killed; the first line is its address."""
    spine, store = build(Spine, {"kind": "memory"}), build(Store, {"kind": "memory"})
    records = build(Records, {"kind": "memory"})
    door = Open()
    spine.durable(DURABLE, "data.>", size_max=64)
    async with store.opened(), records.opened(COLLECTIONS), asyncio.TaskGroup() as group:
        historian = Historian(Config(), spine, store, records)
        group.create_task(historian.run())
        services = {"historian": historian, "plant": door}
        made = app(services, handlers, authenticator=door, authorizer=door)
        async with served(made, ServerSettings(port=0)) as url:
            print(url.replace("http", "ws") + "/api/v1/live", flush=True)
            tick = 0
            while True:
                await spine.publish("data.bench", values(tick))
                tick += 1
                await asyncio.sleep(1 / HZ)


async def peer() -> None:
    """The same signals, encoded as JSON for each client, as many dashboards do."""
    open_now = set()

    async def handle(socket) -> None:
        open_now.add(socket)
        try:
            await socket.wait_closed()
        finally:
            open_now.discard(socket)

    async with serve_peer(handle, "127.0.0.1", 0, compression=None) as running:
        print(f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}", flush=True)
        tick = 0
        while True:
            rows = [(p, now_ns(), float(i + tick % 17)) for i, p in enumerate(POINTS)]
            for socket in tuple(open_now):
                said = json.dumps([{"point": p, "time": t, "value": v} for p, t, v in rows])
                with contextlib.suppress(ConnectionClosed):
                    await socket.send(said)
            tick += 1
            await asyncio.sleep(1 / HZ)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def client(url: str, seen: list[int], ready: asyncio.Semaphore) -> None:
    headers = {"Authorization": "Bearer ls_bench"}
    async with connect(url, compression=None, additional_headers=headers) as socket:
        await socket.send(json.dumps({"subscribe": {"branches": ["bench"]}, "credit": 32}))
        ready.release()
        async for item in socket:
            seen[0] += 1
            seen[1] += len(item)
            if isinstance(item, bytes):
                await socket.send('{"credit": 1}')


async def measure(url: str, pid: int, count: int, seconds: float) -> tuple[float, int, int, float]:
    seen, ready = [0, 0], asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(client(url, seen, ready)) for _ in range(count)]
        for _ in range(count):
            await ready.acquire()
        await asyncio.sleep(1)
        before, seen[0], seen[1] = cpu_s(pid), 0, 0
        await asyncio.sleep(seconds)
        used = cpu_s(pid) - before
        for task in tasks:
            task.cancel()
    return used / seconds * 100, seen[0], seen[1], rss_mb(pid)


async def run(seconds: float) -> None:
    print("| server | clients | CPU % of a core | messages/s | kB/s per client | RSS MB |")
    print("|---|---|---|---|---|---|")
    for name, option in (("lineshaft", "--serve"), ("JSON for each client", "--peer")):
        started = subprocess.Popen([sys.executable, __file__, option], stdout=subprocess.PIPE)
        try:
            assert started.stdout
            url = (await asyncio.to_thread(started.stdout.readline)).decode().strip()
            for count in CLIENTS:
                cpu, messages, size, rss = await measure(url, started.pid, count, seconds)
                each = size / seconds / 1000 / max(count, 1)
                print(
                    f"| {name} | {count} | {cpu:.1f} | {messages / seconds:.0f} |"
                    f" {each:.1f} | {rss:.0f} |",
                    flush=True,
                )
        finally:
            started.kill()
            started.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    uvloop.run(server() if asked.serve else peer() if asked.peer else run(asked.seconds))
