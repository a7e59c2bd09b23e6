"""A real plant with real devices on loopback, and a real browser that looks at it."""

import asyncio
import json
import os
import queue
import re
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import hatch_build
import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from lineshaft.core.plugin import find

ROOT = Path(hatch_build.__file__).parent
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "a long enough password"
START_S = 60.0
CNC, PRESS, AWAY = "acme/hall/cnc", "acme/hall/press", "acme/hall/oven"

expect.set_options(timeout=15_000)


class Devices:
    """An OPC UA server and a Modbus device, on an event loop in a thread of their own."""

    def __init__(self) -> None:
        self.tables: list[dict[str, Any]] = []
        self._loop = asyncio.new_event_loop()
        self._up, self._down = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="devices")

    def __enter__(self) -> "Devices":
        self._thread.start()
        assert self._up.wait(START_S), "the devices did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._down.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        async with AsyncExitStack() as stack:
            for kind, name, at in (("opcua", "cnc", CNC), ("modbus", "press", PRESS)):
                bench = await stack.enter_async_context(find("drivers", kind).bench())
                table = msgspec.to_builtins(bench.settings)
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
        lines: queue.Queue[str] = queue.Queue()
        with (self.folder / "plant.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "lineshaft", "run", "plant.toml"],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._process = process
        out = process.stdout
        assert out is not None
        self._reader = threading.Thread(target=lambda: [lines.put(line) for line in out])
        self._reader.start()
        self._await(lines)

    def _await(self, lines: "queue.Queue[str]") -> None:
        log = self.folder / "plant.log"
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
            pytest.fail(f"the plant did not start: {log.read_text()[-2000:]}")

    def stop(self) -> None:
        """End it as Ctrl-C would."""
        if self._process is not None and self._reader is not None:
            self._process.terminate()
            self._process.wait(START_S)
            self._reader.join()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


class Watched:
    """What a page asked for and what it complained of."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.origin = origin
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.lenient = False
        context.on("request", lambda r: self.requests.append(r.url))
        context.on("console", self._said)
        context.on("weberror", lambda e: self.complaints.append(str(e.error)))

    def _said(self, message: Any) -> None:
        if message.type not in ("error", "warning"):
            return
        # The browser itself reports that nobody is logged in yet, or that a password is wrong.
        refused = "401" in message.text and message.location["url"].endswith("/api/v1/session")
        if not refused:
            self.complaints.append(f"{message.text} ({message.location['url']})")

    def check(self) -> None:
        """Nothing left the origin, nothing went wrong."""
        foreign = [u for u in self.requests if not u.startswith((self.origin, "data:", "blob:"))]
        assert foreign == []
        assert self.lenient or self.complaints == []


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is; without it the browser tests cannot run."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    problem = "no Chromium on this machine: apt-get install chromium"
    if os.environ.get("CI") == "true":
        pytest.fail(problem)
    pytest.skip(problem)


@pytest.fixture(scope="session")
def console() -> None:
    """The console, built from the sources beside these tests."""
    hatch_build.build()


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory, console: None):
    """A plant with two devices that answer and one that does not."""
    folder = tmp_path_factory.mktemp("plant")
    with Devices() as devices, socket.socket() as own, socket.socket() as nobody:
        for free in (own, nobody):
            free.bind(("127.0.0.1", 0))
        ports = own.getsockname()[1], nobody.getsockname()[1]
        # `nobody` stays bound and never listens: whoever connects is turned away.
        away = {"kind": "modbus", "name": "oven", "at": AWAY, "host": "127.0.0.1", "port": ports[1],
                "points": [{"name": "heat", "address": 0}]}  # fmt: skip
        write = {"point": f"{PRESS}/set_point", "low": 0, "high": 50}
        tables = {"plant": {"name": "Test hall"}, "server": {"port": ports[0]}}
        text = [f"[{name}]\n{toml_lines(table)}" for name, table in tables.items()]
        text += [f"[[drivers]]\n{toml_lines(table)}" for table in (*devices.tables, away)]
        text += [f"[[writes]]\n{toml_lines(write)}"]
        (folder / "plant.toml").write_text("\n".join(text))
        own.close()
        running = RunningPlant(folder, ports[0])
        running.start()
        yield running
        running.stop()


def toml_lines(table: dict[str, Any]) -> str:
    """A table in TOML, one key a line; what is None is left out."""
    return "".join(f"{k} = {toml(v)}\n" for k, v in table.items() if v is not None)


def toml(value: Any) -> str:
    """A value in TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items() if v is not None) + "}"  # fmt: skip
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


@pytest.fixture(scope="session")
def browser(chromium: str):
    """One Chromium for all tests; each gets a profile of its own."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
        yield started
        started.close()


def opened(browser: Browser, plant: RunningPlant, **options: Any) -> tuple[Page, Watched]:
    """A page in a fresh profile."""
    context = browser.new_context(
        base_url=plant.url, locale="en-GB", viewport={"width": 1366, "height": 860}, **options
    )
    watched = Watched(context, plant.url)
    return context.new_page(), watched


def log_in(page: Page, name: str, password: str) -> None:
    """Fill in the form."""
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()


@pytest.fixture(scope="session")
def administrator(browser: Browser, plant: RunningPlant) -> Any:
    """The administrator's session, after the change of the one-time password."""
    page, watched = opened(browser, plant)
    page.goto("/")
    log_in(page, "admin", plant.one_time)
    expect(page.get_by_role("heading", name="Choose your own password")).to_be_visible()
    page.get_by_label("Present password").fill(plant.one_time)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password, once more").fill(PASSWORD)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("heading", name="Whole plant")).to_be_visible()
    watched.check()
    state = page.context.storage_state()
    page.context.close()
    return state


@pytest.fixture
def visit(browser: Browser, plant: RunningPlant, administrator: Any):
    """Opens pages, logged in unless told otherwise, and judges afterwards what they did."""
    visits: list[tuple[Page, Watched]] = []

    def go(path: str, *, anonymous: bool = False, **options: Any) -> Page:
        state = None if anonymous else administrator
        page, watched = opened(browser, plant, storage_state=state, **options)
        visits.append((page, watched))
        page.goto(path)
        return page

    go.visits = visits  # type: ignore[attr-defined]
    yield go
    for page, watched in visits:
        page.context.close()
        watched.check()
