"""The actors of the browser tests: devices, a plant process, and what a page is watched for."""

import asyncio
import json
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request

from lineshaft.core.plugin import find

PASSWORD = "a long enough password"
START_S = 60.0
HALL = "acme/hall"
CNC, PRESS, OVEN = f"{HALL}/cnc", f"{HALL}/press", f"{HALL}/oven"
FURNACE = f"{HALL}/furnace"
"""Has a past and no device."""


class Devices:
    """An OPC UA server and a Modbus device, on an event loop in a thread of their own."""

    def __init__(self) -> None:
        self.tables: list[dict[str, Any]] = []
        self._up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._down: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="devices")

    def __enter__(self) -> "Devices":
        self._thread.start()
        assert self._up.wait(START_S), "the devices did not start"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._down is not None
        self._loop.call_soon_threadsafe(self._down.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._down = asyncio.get_running_loop(), asyncio.Event()
        async with AsyncExitStack() as stack:
            for kind, at in (("opcua", CNC), ("modbus", PRESS)):
                bench = await stack.enter_async_context(find("drivers", kind).bench())
                table = msgspec.to_builtins(bench.settings, enc_hook=str)
                name = at.rpartition("/")[2]
                self.tables.append({**table, "kind": kind, "name": name, "at": at})
            self._up.set()
            await self._down.wait()


class RunningPlant:
    """`lineshaft run` in a process of its own, which can be ended and started again."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.one_time = ""
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Start it, and wait until it says where it is."""
        with (self.folder / "plant.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "lineshaft", "run", "plant.toml"],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        lines: queue.Queue[str] = queue.Queue()
        self._process = process
        self._reader = threading.Thread(target=self._read, args=(process, lines))
        self._reader.start()
        try:
            while " is up at " not in (line := lines.get(timeout=START_S)):
                pass
            assert self.url in line
            if not self.one_time:
                word = re.search(r"one-time password (\S+)", lines.get(timeout=START_S))
                assert word
                self.one_time = word[1]
        except queue.Empty:
            self.stop()
            log_text = (self.folder / "plant.log").read_text()
            pytest.fail(f"the plant did not start: {log_text[-2000:]}")

    @staticmethod
    def _read(process: "subprocess.Popen[str]", lines: "queue.Queue[str]") -> None:
        assert process.stdout is not None
        with process.stdout as out:
            for line in out:
                lines.put(line)

    def stop(self) -> None:
        """End it as a service manager would."""
        if self._process is None or self._reader is None:
            return
        self._process.terminate()
        self._process.wait(START_S)
        self._reader.join()
        self._process = None


class Watched:
    """What a browser profile asked for and what it complained of."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.origin = origin
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.expected: Sequence[str] = ()
        """Parts of complaints that the test itself provokes."""
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("console", self._said)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        # The browser itself notes that nobody is logged in yet, or that a password is wrong.
        refused = "401" in message.text and message.location["url"].endswith("/api/v1/session")
        if not refused:
            self.complaints.append(f"{message.text} ({message.location['url']})")

    def check(self) -> None:
        """Nothing left the origin, nothing went wrong."""
        own = (f"{self.origin}/", "data:", "blob:")
        assert [u for u in self.requests if not u.startswith(own)] == []
        assert [c for c in self.complaints if not any(e in c for e in self.expected)] == []


def log_in(page: Page, name: str, password: str) -> None:
    """Fill in the form."""
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()


def value_of(page: Page, point: str) -> Locator:
    """Where a point's live value stands."""
    return page.locator(f'[data-value="{point}"]').first


def histories(page: Page) -> list[dict[str, Any]]:
    """The questions for curves that the page asks from now on."""
    asked: list[dict[str, Any]] = []

    def note(request: Request) -> None:
        if urlsplit(request.url).path == "/api/v1/query":
            question = json.loads(request.post_data or "{}")
            if question["do"]["read"] == "chart":
                asked.append(question)

    page.on("request", note)
    return asked


def drag(page: Page, start: float, stop: float, *, shift: bool = False) -> None:
    """Drag over a part of the topmost chart, from one share of its width to another."""
    chart = page.locator(".u-over").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    if shift:
        page.keyboard.down("Shift")
    page.mouse.move(box["x"] + box["width"] * start, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * stop, middle, steps=6)
    page.mouse.up()
    if shift:
        page.keyboard.up("Shift")


def window_of(page: Page) -> tuple[float, float]:
    """Start and stop of the trend in the address, in seconds."""
    page.wait_for_function("() => new URLSearchParams(location.search).has('from')")
    start, stop = page.evaluate(
        "() => ['from', 'to'].map((n) => Date.parse(new URLSearchParams(location.search).get(n)))"
    )
    return start / 1000, stop / 1000


def toml_lines(table: dict[str, Any]) -> str:
    """A table in TOML, one key a line; what is None is left out."""
    return "".join(f"{k} = {toml(v)}\n" for k, v in table.items() if v is not None)


def toml(value: Any) -> str:
    """A value in TOML."""
    if isinstance(value, dict):
        kept = (f"{json.dumps(k)} = {toml(v)}" for k, v in value.items() if v is not None)
        return "{" + ", ".join(kept) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)
