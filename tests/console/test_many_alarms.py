"""Ten thousand alarms that ring at once, in a real browser: scrolled, picked, answered."""

import time

import pytest
from playwright.sync_api import APIRequestContext, Page, expect
from tests.console.journey import PRESS

pytestmark = pytest.mark.timeout(540)

MANY = 10_000
WAIT_MS = 240_000
"""Ten thousand that ring at once are work for the plant."""
ROWS_MAX = 60
"""Rows that a screen of 860 pixels may hold, with those just outside of it."""
HEADERS = {"X-Requested-With": "lineshaft"}


def ring(wire: APIRequestContext) -> None:
    """Define the alarms on a point that a real device counts up; each rings at its next value."""
    alarms = [
        {
            "name": f"tank-{i // 100:03} level {i % 100:02}",
            "point": f"{PRESS}/strokes",
            "hi": {"value": -1 - i, "priority": ("low", "medium", "high")[i % 3]},
        }
        for i in range(MANY)
    ]
    begun = time.monotonic()
    body = {"alarms": alarms}
    answer = wire.put("/api/v1/alarms/several", data=body, headers=HEADERS, timeout=WAIT_MS)
    assert answer.ok, answer.text()
    print(f"{MANY} alarms defined in {time.monotonic() - begun:.1f} s")


def timed(what: str, page: Page, act: str, rows: str) -> None:
    """Say how long the page takes from a key to the picture that follows."""
    taken = page.evaluate(
        """async ([key, rows]) => {
            const start = performance.now();
            document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            return [performance.now() - start, document.querySelectorAll(rows).length];
        }""",
        [act, rows],
    )
    print(f"{what}: {taken[0]:.0f} ms, {taken[1]} rows in the page")


def scrolled(page: Page) -> None:
    """To the end and back, by wheel and by keys: what is not on screen is not in the page."""
    rows = page.locator("[data-alarm]")
    grid = page.get_by_role("grid", name="Alarms")
    expect(grid).to_have_attribute("aria-rowcount", str(MANY + 1))
    assert 0 < rows.count() < ROWS_MAX

    rows.nth(3).hover()
    page.mouse.wheel(0, 44 * 5000)
    expect(page.locator('[aria-rowindex="5002"]')).to_be_visible()
    assert rows.count() < ROWS_MAX
    page.keyboard.press("End")
    last = page.locator(f'[aria-rowindex="{MANY + 1}"]')
    expect(last).to_be_in_viewport()
    expect(last).to_have_attribute("aria-current", "true")
    assert rows.count() < ROWS_MAX
    for key in ("ArrowUp", "PageUp", "Home", "PageDown", "ArrowDown"):
        timed(key, page, key, "[data-alarm]")
    page.keyboard.press("Home")
    expect(page.locator('[aria-rowindex="2"]')).to_have_attribute("aria-current", "true")


def test_ten_thousand_ringing_alarms_are_scrolled_picked_and_acknowledged(visit):
    page, _ = visit("/alarms")
    ring(page.context.request)
    begun = time.monotonic()
    expect(page.get_by_text("10,000 unacknowledged")).to_be_visible(timeout=WAIT_MS)
    print(f"rang and shown after {time.monotonic() - begun:.1f} s")
    scrolled(page)
    rows = page.locator("[data-alarm]")
    grid = page.get_by_role("grid", name="Alarms")
    page.keyboard.press(" ")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
    expect(page.get_by_role("button", name="Acknowledge 5")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Acknowledge 5")).to_have_count(0)
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Acknowledge 1")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_text("9,999 unacknowledged")).to_be_visible(timeout=WAIT_MS)

    page.get_by_role("searchbox", name="Name, point or group").fill("tank-042")
    expect(grid).to_have_attribute("aria-rowcount", "101")
    page.get_by_role("checkbox", name="All", exact=True).check()
    page.get_by_role("button", name="Acknowledge 100").click()
    expect(page.get_by_text("9,899 unacknowledged")).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("searchbox", name="Name, point or group").fill("")
    expect(grid).to_have_attribute("aria-rowcount", str(MANY + 1))
    grid.focus()
    page.keyboard.press("Control+a")
    begun = time.monotonic()
    page.keyboard.press("a")
    expect(page.get_by_text("· 0 unacknowledged")).to_be_visible(timeout=WAIT_MS)
    print(f"9,899 acknowledged in {time.monotonic() - begun:.1f} s")
    assert rows.count() < ROWS_MAX
    expect(page.get_by_role("row", selected=True)).to_have_count(0)
