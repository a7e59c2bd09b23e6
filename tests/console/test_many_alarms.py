"""Ten thousand alarms that ring at once, in a real browser: scrolled, picked, answered."""

import time

import pytest
from playwright.sync_api import Page, expect
from tests.console.journey import HALL

from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns

pytestmark = pytest.mark.timeout(540)

MANY = 10_000
POINTS = 100
"""Each is watched by a hundred alarms."""
ROWS_MAX = 60
"""Rows that a screen of 860 pixels may hold, with those just outside of it."""
HEADERS = {"X-Requested-With": "lineshaft"}


def point(i: int) -> str:
    return f"{HALL}/tank-{i:03}/level"


@pytest.fixture(scope="module")
def ringing(browser, plant, administrator) -> None:
    """The alarms, defined over HTTP, and the values that make them ring."""
    context = browser.new_context(base_url=plant.url, storage_state=administrator)
    wire = context.request
    begun = time.monotonic()
    alarms = [
        {
            "name": f"tank {i // POINTS:03} level {i % POINTS:03}",
            "point": point(i // POINTS),
            "hi": {"value": i % POINTS, "priority": ("low", "medium", "high")[i % 3]},
        }
        for i in range(MANY)
    ]
    answer = wire.put("/api/v1/alarms/several", data={"alarms": alarms}, headers=HEADERS)
    assert answer.ok, answer.text()
    print(f"{MANY} alarms defined in {time.monotonic() - begun:.1f} s")
    now, begun = now_ns(), time.monotonic()
    batch = Batch.of_rows([(point(i), now, 1000.0) for i in range(MANY // POINTS)])
    answer = wire.post("/api/v1/samples", data=batch.to_ipc(), headers=HEADERS)
    assert answer.ok, answer.text()
    print(f"brought in in {time.monotonic() - begun:.1f} s")
    context.close()


def timed(what: str, page: Page, act: str, rows: str) -> None:
    """Say how long the page takes from a key to the picture that follows."""
    taken = page.evaluate(
        """async ([key, rows]) => {
            const start = performance.now();
            document.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            return [performance.now() - start, document.querySelectorAll(rows).length];
        }""",
        [act, rows],
    )
    print(f"{what}: {taken[0]:.0f} ms, {taken[1]} rows in the page")


def test_of_ten_thousand_ringing_alarms_the_page_holds_those_on_screen(visit, ringing):
    page, _ = visit("/alarms")
    begun = time.monotonic()
    expect(page.get_by_text("10,000 unacknowledged")).to_be_visible(timeout=120_000)
    print(f"shown after {time.monotonic() - begun:.1f} s")
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


def test_ten_thousand_ringing_alarms_are_picked_and_acknowledged_by_keyboard(visit, ringing):
    page, _ = visit("/alarms")
    expect(page.get_by_text("10,000 unacknowledged")).to_be_visible(timeout=120_000)
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
    expect(page.get_by_text("9,999 unacknowledged")).to_be_visible()

    page.get_by_role("searchbox", name="Name, point or group").fill("tank-042")
    expect(grid).to_have_attribute("aria-rowcount", "101")
    page.get_by_role("checkbox", name="All", exact=True).check()
    page.get_by_role("button", name="Acknowledge 100").click()
    expect(page.get_by_text("9,899 unacknowledged")).to_be_visible()
    page.get_by_role("searchbox", name="Name, point or group").fill("")
    expect(grid).to_have_attribute("aria-rowcount", str(MANY + 1))
    grid.focus()
    page.keyboard.press("Control+a")
    begun = time.monotonic()
    page.keyboard.press("a")
    expect(page.get_by_text("· 0 unacknowledged")).to_be_visible(timeout=240_000)
    print(f"9,899 acknowledged in {time.monotonic() - begun:.1f} s")
    assert rows.count() < ROWS_MAX
    expect(page.get_by_role("row", selected=True)).to_have_count(0)
