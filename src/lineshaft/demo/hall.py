"""The machine hall: starts the device servers, watches them, starts them again, ends them."""

import asyncio
import fcntl
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from lineshaft.core.clock import now_ns
from lineshaft.core.errors import LinkLost, SettingsError
from lineshaft.core.flow import supervise
from lineshaft.demo.device import READY
from lineshaft.demo.logbook import Logbook
from lineshaft.demo.world import first_midnight

READY_S_MAX = 60.0
"""A device that does not answer by then is started again."""
STOP_S_MAX = 2.0


class Device(NamedTuple):
    """One process of the hall."""

    protocol: str
    machines: tuple[str, ...]
    """The machines in it."""
    port_of: str
    """The device whose port it is told: its own, or the broker's."""


DEVICES = {
    "broker": Device("MQTT broker", ("broker",), "broker"),
    "packing": Device("MQTT", ("packing",), "broker"),
    "meter": Device("MQTT", ("meter",), "broker"),
    "press": Device("Modbus TCP", ("press",), "press"),
    "chiller": Device("Modbus TCP", ("chiller",), "chiller"),
    "cell-1": Device("OPC UA", ("cnc-1", "cnc-2"), "cell-1"),
    "cnc-3": Device("OPC UA", ("cnc-3",), "cnc-3"),
}
"""All processes by name, in the order they are started: the quickest first."""


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """What a factory stays the same by from one start of the demo to the next."""

    seed: int
    epoch_ns: int
    ports: dict[str, int]


class Hall:
    """The running device servers."""

    def __init__(self, folder: Path, deed: Deed, *, ledgers: bool = False) -> None:
        self.folder = folder
        self.deed = deed
        self.logbook = Logbook(folder / "logbook.jsonl")
        self.watch: Callable[[str], None] = lambda _: None
        """Called with the name of a device each time it answers again."""
        self._ledgers = ledgers
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._away_s: dict[str, float] = {}
        self._ready = {name: asyncio.Event() for name in DEVICES}

    @property
    def ports(self) -> dict[str, int]:
        """Port by name of the device."""
        return self.deed.ports

    def ledger(self, device: str) -> Path:
        """Where an MQTT device notes the times of the messages that the broker has taken."""
        return self.folder / f"{device}.ledger"

    async def ready(self, *names: str) -> None:
        """Wait until these devices answer, or all."""
        for name in names or DEVICES:
            await self._ready[name].wait()

    def is_ready(self, name: str) -> bool:
        """Whether the device answers, as far as is known."""
        return self._ready[name].is_set()

    def kill(self, name: str, *, away_s: float = 0.0) -> None:
        """Pull the plug of a device; it is started again after that many seconds."""
        self._away_s[name] = away_s
        self._send(name, signal.SIGKILL)

    async def freeze(self, name: str, seconds: float) -> None:
        """Cut the link to a device: it stands still, with its sockets open, for that long."""
        self._send(name, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._send(name, signal.SIGCONT)

    async def run(self) -> None:
        """Keep all devices running until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name in DEVICES:
                group.create_task(supervise(name, partial(self._keep, name)), name=name)

    def _send(self, name: str, number: signal.Signals) -> None:
        process = self._running.get(name)
        if process and process.returncode is None:
            process.send_signal(number)

    async def _keep(self, name: str) -> None:
        """Run one device until it ends."""
        await asyncio.sleep(self._away_s.pop(name, 0.0))
        log_path = self.folder / f"{name}.log"
        with log_path.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *self._command(name),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                # Ctrl-C is for the demo, which then ends its devices in good order.
                start_new_session=True,
            )
        self._running[name] = process
        try:
            async with asyncio.timeout(READY_S_MAX):
                await (_answers(self.ports[name]) if name == "broker" else _says_ready(process))
            self._ready[name].set()
            self.watch(name)
            code = await process.wait()
            raise LinkLost(f"device {name} has ended with {code}; see {log_path}")
        except TimeoutError:
            raise LinkLost(f"device {name} does not answer after {READY_S_MAX} s") from None
        finally:
            self._ready[name].clear()
            await _end(process)

    def _command(self, name: str) -> list[str]:
        device = DEVICES[name]
        command = [sys.executable, "-m", "lineshaft.demo.device", *device.machines]
        command += ["--port", str(self.ports[device.port_of]), "--folder", str(self.folder)]
        command += ["--seed", str(self.deed.seed), "--epoch", str(self.deed.epoch_ns)]
        if self._ledgers and device.protocol == "MQTT":
            command += ["--ledger", str(self.ledger(name))]
        return [*command, "--parent", str(os.getpid())]


async def _says_ready(process: asyncio.subprocess.Process) -> None:
    assert process.stdout  # noqa: S101 - asked for above
    line = await process.stdout.readline()
    if line.decode().strip() != READY:
        raise LinkLost(f"the device ended before it was ready, saying {line!r}")


async def _answers(port: int) -> None:
    """Wait until somebody listens at the port."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the process, gently if it lets itself, and take leave of it."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGCONT)
    process.terminate()
    try:
        async with asyncio.timeout(STOP_S_MAX):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def prepare(folder: Path, seed: int) -> Deed:
    """The factory of a folder: the one that was there before, or a new one.

    Raises:
        SettingsError: the folder holds a factory of another seed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "factory.json"
    if path.exists():
        old = msgspec.json.decode(path.read_bytes(), type=Deed)
        if old.seed != seed:
            raise SettingsError(
                f"{folder} holds a factory with seed {old.seed}, asked was {seed}",
                remedy="Name another folder with --data, or begin anew with --fresh.",
            )
        epoch_ns, wanted = old.epoch_ns, old.ports
    else:
        epoch_ns, wanted = first_midnight(now_ns()), {}
    deed = Deed(seed=seed, epoch_ns=epoch_ns, ports=_free_ports(wanted))
    path.write_bytes(msgspec.json.encode(deed))
    return deed


def _free_ports(wanted: dict[str, int]) -> dict[str, int]:
    """A free port for each device that listens, the wanted one if it is free."""
    found: dict[str, int] = {}
    held: list[socket.socket] = []
    for name in {d.port_of: None for d in DEVICES.values()}:
        for port in (wanted.get(name, 0), 0):
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.append(listener)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            found[name] = listener.getsockname()[1]
            break
    for listener in held:
        listener.close()
    return found


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """The time in which the factory of a folder is ours alone.

    Raises:
        SettingsError: another process runs it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(
                f"another demo runs in {folder.parent}",
                remedy="Stop it, or name another folder with --data.",
            ) from None
        yield


@asynccontextmanager
async def opened(folder: Path, seed: int, *, ledgers: bool = False) -> AsyncGenerator[Hall]:
    """A running hall whose files are in `folder`; on leaving, no process is left.

    Raises:
        SettingsError: the folder holds another factory, or another process runs it.
    """
    with held(folder):
        deed = await asyncio.to_thread(prepare, folder, seed)
        hall = Hall(folder, deed, ledgers=ledgers)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(hall.run(), name="hall")
            try:
                yield hall
            finally:
                task.cancel()
