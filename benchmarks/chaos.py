"""Kills the demo's device servers at random, and proves that nothing acknowledged is lost.

`python benchmarks/chaos.py --seconds 300` prints, as Markdown, how long each device took to be
connected again once its server was back, and how many samples are missing from the store

- of all that drivers published on the spine and the historian acknowledged (counted there), and
- of all that the MQTT broker acknowledged to the devices (as the devices wrote it down).

The store is closed and opened again before it is asked. Exit code 1 if a sample is lost or a device
took longer than 5 s.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import msgspec
import uvloop

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_MS, NS_PER_S, now_ns
from lineshaft.core.path import SYSTEM
from lineshaft.core.quality import is_bad
from lineshaft.demo import plant_file
from lineshaft.demo.hall import DEVICES, Hall, opened
from lineshaft.demo.machines import PLACES
from lineshaft.gather.device import State
from lineshaft.plant import Plant
from lineshaft.settings import build_at, load
from lineshaft.stores import Store

BACK_S_GOAL = 5.0
PATIENCE_S = 60.0
PAUSE_S = (6.0, 20.0)
"""Shortest and longest time from one misfortune of a device to its next."""
AWAY_S = (0.0, 3.0)
CUT_S = (1.0, 6.0)
WAITING_MAX = 100_000
DRIVERS = {d: "mqtt" if v.port_of == "broker" else d for d, v in DEVICES.items()}
"""Name of the driver that reads a device."""
MACHINES = {**{d: v.machines for d, v in DEVICES.items()}, "broker": ("packing", "meter")}
"""Machines whose samples show that a device is back."""


class Back(msgspec.Struct, frozen=True):
    """One return of a device."""

    device: str
    how: str
    connected_s: float
    """From the server answering to the driver saying that it is connected."""
    sample_s: float
    """From the server answering to the first good sample measured after that."""


class Result(msgspec.Struct, kw_only=True):
    """What came out."""

    seconds: float
    backs: list[Back] = []
    published: int = 0
    missing: int = 0
    by_broker: int = 0
    missing_by_broker: int = 0
    tap_dropped: int = 0
    books: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nothing is lost and everybody came back in time."""
        lost = self.missing + self.missing_by_broker + self.tap_dropped
        return not lost and all(b.connected_s <= BACK_S_GOAL for b in self.backs)


class Tap:
    """Remembers every sample that was published, and who showed good ones when."""

    def __init__(self) -> None:
        self.keys: dict[str, set[int]] = defaultdict(set)
        self.good_ns: dict[str, int] = {}
        """Time of the newest good sample by machine."""

    def take(self, batch: Batch) -> None:
        """Note a batch."""
        for row in batch.rows():
            self.keys[row.point].add(row.time_ns)
            if row.point.startswith(f"{SYSTEM}/") or is_bad(row.quality):
                continue
            for machine, place in PLACES.items():
                if row.point.startswith(f"{place}/"):
                    newest = max(self.good_ns.get(machine, 0), row.time_ns)
                    self.good_ns[machine] = newest

    async def run(self, plant: Plant) -> None:
        """Take everything until cancelled."""
        waits = {"name": "chaos", "size_max": WAITING_MAX}
        async with plant.spine.subscribe("data.>", **waits) as batches:
            async for batch in batches:
                self.take(batch)


class Chaos:
    """One run."""

    def __init__(self, hall: Hall, plant: Plant, tap: Tap, rng: random.Random) -> None:
        self.hall, self.plant, self.tap, self.rng = hall, plant, tap, rng
        self.backs: list[Back] = []
        self.over = asyncio.Event()

    async def torment(self, device: str) -> None:
        """Break one device again and again, and measure how it comes back, until it is over."""
        while not await self._is_over_within(self.rng.uniform(*PAUSE_S)):
            if self.rng.random() < 0.65:
                how = "killed"
                self.hall.kill(device, away_s=self.rng.uniform(*AWAY_S))
                while self.hall.is_ready(device):  # noqa: ASYNC110 - until the kill is noticed
                    await asyncio.sleep(0.005)
                await self.hall.ready(device)
            else:
                how = "cut"
                await self.hall.freeze(device, self.rng.uniform(*CUT_S))
            self.backs.append(await self._back(device, how))

    async def _is_over_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self.over.wait()
        except TimeoutError:
            return False

    async def _back(self, device: str, how: str) -> Back:
        """Wait until the device's driver is connected and its samples come again."""
        # Without its broker an MQTT device cannot show that it is back.
        start_ns = now_ns()
        connected_ns = 0
        async with asyncio.timeout(PATIENCE_S):
            while True:
                if device in ("packing", "meter", "broker"):
                    await self.hall.ready("broker", *MACHINES[device])
                state = self.plant.devices.device(DRIVERS[device]).state
                if not connected_ns and state is State.CONNECTED:
                    connected_ns = now_ns()
                shown = min(self.tap.good_ns.get(m, 0) for m in MACHINES[device])
                if connected_ns and shown >= start_ns - NS_PER_MS:
                    break
                await asyncio.sleep(0.01)
        return Back(
            device, how, (connected_ns - start_ns) / NS_PER_S, (now_ns() - start_ns) / NS_PER_S
        )

    async def calm(self) -> None:
        """Wait until all are connected and show samples."""
        await self.hall.ready()
        for device in MACHINES:
            await self._back(device, "calm")


async def run(folder: Path, seconds: float, seed: int) -> Result:
    """Run the demo for that long under torment, then look what is stored."""
    result = Result(seconds=seconds)
    tap = Tap()
    async with opened(folder / "factory", seed, ledgers=True) as hall:
        loaded = load(plant_file.write(folder, hall.ports, http_port=0))
        plant = Plant(loaded)
        async with asyncio.TaskGroup() as group:
            tapping = group.create_task(tap.run(plant))
            running = group.create_task(plant.run())
            chaos = Chaos(hall, plant, tap, random.Random(seed))
            await chaos.calm()
            begun_ns = now_ns()
            print("all connected; let there be chaos", file=sys.stderr, flush=True)
            torments = [group.create_task(chaos.torment(d)) for d in DEVICES]
            await asyncio.sleep(seconds)
            chaos.over.set()
            await asyncio.wait(torments)
            print("calm again", file=sys.stderr, flush=True)
            await chaos.calm()
            await asyncio.sleep(2.0)
            plant.stop()
            await running
            tapping.cancel()
            result.backs = chaos.backs
            result.tap_dropped = sum(f.dropped for f in plant.spine.flows() if f.name == "chaos")
        by_broker = {d: _ledger(hall.ledger(d), begun_ns) for d in ("packing", "meter")}
    result.books = str(plant.store.counts())
    store = build_at(Store, loaded.file.store, loaded.data)
    async with store.opened():
        await compare(store, tap, by_broker, result)
    return result


def _ledger(path: Path, begun_ns: int) -> set[int]:
    """Times of the messages that the broker has taken, but for the first and last ones."""
    times = {int(line) for line in path.read_text().splitlines() if line}
    # A broker keeps nothing for a session that has never been. What it took while the plant was
    # stopping waits there for its next start.
    stop_ns = max(times, default=0) - 5 * NS_PER_S
    return {t for t in times if begun_ns <= t < stop_ns}


async def compare(store: Store, tap: Tap, by_broker: dict[str, set[int]], result: Result) -> None:
    """Look for every sample in the open store."""
    for point, times in tap.keys.items():
        result.published += len(times)
        result.missing += len(times - await _kept(store, point, times))
    for device, times in by_broker.items():
        kept = await _kept(store, f"{PLACES[device]}/seq", times)
        result.by_broker += len(times)
        result.missing_by_broker += len(times - kept)


async def _kept(store: Store, point: str, times: Iterable[int]) -> set[int]:
    """Times at which the store has samples of the point, in the span of those given."""
    wanted = sorted(times)
    if not wanted:
        return set()
    batch = await store.read([point], wanted[0], wanted[-1] + 1)
    return set(batch.time_ns.tolist())


def report(result: Result) -> str:
    """The figures as Markdown."""
    lines = [
        f"## Chaos for {result.seconds:g} s",
        "",
        "| device | killed | cut | connected again: median s | max s | new sample: median s"
        " | max s |",
        "|---|---|---|---|---|---|---|",
    ]
    for device in DEVICES:
        backs = [b for b in result.backs if b.device == device]
        if not backs:
            lines.append(f"| {device} | 0 | 0 | | | | |")
            continue
        connected = [b.connected_s for b in backs]
        sample = [b.sample_s for b in backs]
        lines.append(
            f"| {device} | {sum(b.how == 'killed' for b in backs)}"
            f" | {sum(b.how == 'cut' for b in backs)}"
            f" | {statistics.median(connected):.2f} | {max(connected):.2f}"
            f" | {statistics.median(sample):.2f} | {max(sample):.2f} |"
        )
    lines += [
        "",
        f"- samples published and acknowledged: {result.published:,}; missing in the store,"
        f" opened anew: **{result.missing}**",
        f"- MQTT messages acknowledged to the devices by the broker: {result.by_broker:,};"
        f" missing in the store: **{result.missing_by_broker}**",
        f"- books of the store: {result.books}",
    ]
    if result.tap_dropped:
        lines.append(f"- the tap was too slow and missed {result.tap_dropped} batches")
    return "\n".join(lines)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="lineshaft-chaos-") as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        result = runner.run(run(Path(folder), args.seconds, args.seed))
    print(report(result))
    return 0 if result.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
