"""Fixtures: a real plant with real devices on loopback, and a real browser that looks at it."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from typing import Any

import hatch_build
import pytest
from playwright.sync_api import Browser, Page, StorageState, expect, sync_playwright
from tests.console.journey import (
    OVEN,
    PASSWORD,
    PRESS,
    Devices,
    RunningPlant,
    Watched,
    log_in,
    toml_lines,
)
from tests.console.past import Past

from lineshaft.core.clock import NS_PER_S, now_ns

CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=20_000)

Visit = Callable[..., tuple[Page, Watched]]


@pytest.fixture(scope="module")
def chromium() -> str:
    """Where Chromium is; without it the browser tests cannot run."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    problem = "no Chromium on this machine: apt-get install chromium"
    if os.environ.get("CI") == "true":
        pytest.fail(problem)
    pytest.skip(problem)


@pytest.fixture(scope="module")
def console() -> None:
    """The console, built from the sources beside these tests."""
    hatch_build.build()


@pytest.fixture(scope="module")
def plant(
    tmp_path_factory: pytest.TempPathFactory,
    chromium: str,  # first, so that nothing starts in vain
    console: None,
) -> Iterator[RunningPlant]:
    """A plant with two devices that answer and one that does not."""
    folder = tmp_path_factory.mktemp("plant")
    with Devices() as devices, socket.socket() as own, socket.socket() as nobody:
        for free in (own, nobody):
            free.bind(("127.0.0.1", 0))
        port = own.getsockname()[1]
        oven = {
            "kind": "modbus",
            "name": "oven",
            "at": OVEN,
            "host": "127.0.0.1",
            # Bound and never listening: whoever connects is turned away.
            "port": nobody.getsockname()[1],
            "points": [{"name": "heat", "address": 0}],
        }
        text = [
            f'[plant]\nname = "Test hall"\n[server]\nport = {port}',
            *(f"[[drivers]]\n{toml_lines(table)}" for table in (*devices.tables, oven)),
            f'[[writes]]\npoint = "{PRESS}/set_point"\nlow = 0.0\nhigh = 50.0',
        ]
        (folder / "plant.toml").write_text("\n".join(text))
        own.close()
        running = RunningPlant(folder, port)
        running.start()
        try:
            yield running
        finally:
            running.stop()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for all tests; each gets a profile of its own."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
        yield started
        started.close()


def opened(browser: Browser, plant: RunningPlant, **options: Any) -> tuple[Page, Watched]:
    """A page in a fresh profile, without animations: a click on what still moves may miss it."""
    standard = {
        "locale": "en-GB",
        "viewport": {"width": 1366, "height": 860},
        "reduced_motion": "reduce",
    }
    context = browser.new_context(base_url=plant.url, **(standard | options))
    return context.new_page(), Watched(context, plant.url)


@pytest.fixture(scope="module")
def administrator(browser: Browser, plant: RunningPlant) -> StorageState:
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


@pytest.fixture(scope="module")
def past(browser: Browser, plant: RunningPlant, administrator: StorageState) -> Past:
    """A furnace with two weeks behind it, which end at the last whole hour."""
    made = Past.until(now_ns() // NS_PER_S // 3600 * 3600)
    context = browser.new_context(base_url=plant.url, storage_state=administrator)
    for batch in made.batches():
        answer = context.request.post(
            "/api/v1/samples", data=batch.to_ipc(), headers={"X-Requested-With": "lineshaft"}
        )
        assert answer.ok, answer.text()
    context.close()
    return made


@pytest.fixture
def visit(browser: Browser, plant: RunningPlant, administrator: StorageState) -> Iterator[Visit]:
    """Opens pages, logged in unless told otherwise, and judges afterwards what they did."""
    visits: list[tuple[Page, Watched]] = []

    def go(path: str, *, anonymous: bool = False, **options: Any) -> tuple[Page, Watched]:
        state = None if anonymous else administrator
        page, watched = opened(browser, plant, storage_state=state, **options)
        visits.append((page, watched))
        page.goto(path)
        return page, watched

    yield go
    for page, watched in visits:
        page.context.close()
        watched.check()
