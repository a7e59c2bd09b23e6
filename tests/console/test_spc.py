"""Control charts in a real browser: defined, learned, out of control, commented on, studied."""

import numpy as np
import pytest
from playwright.sync_api import Browser, StorageState, expect
from tests.console.journey import HALL, RunningPlant

from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns

pytestmark = pytest.mark.timeout(240)

BORE = f"{HALL}/lathe/bore"
S = 1_000_000_000
COUNT = 120


@pytest.fixture(scope="module")
def bore(browser: Browser, plant: RunningPlant, administrator: StorageState) -> None:
    """Two hours of bores, one a minute: in control, but for one towards the end."""
    values = np.random.default_rng(3).normal(25.0, 0.02, COUNT)
    values[100] = 25.2
    begin = now_ns() - COUNT * 60 * S
    times = begin + np.arange(COUNT) * 60 * S
    batch = Batch.of([BORE], np.zeros(COUNT, dtype=np.int32), times, number=values)
    context = browser.new_context(base_url=plant.url, storage_state=administrator)
    answer = context.request.post(
        "/api/v1/samples", data=batch.to_ipc(), headers={"X-Requested-With": "lineshaft"}
    )
    assert answer.ok, answer.text()
    context.close()


@pytest.mark.usefixtures("bore")
def test_a_chart_is_defined_learned_and_its_violation_gets_a_cause(visit):
    page, _ = visit("/spc")
    expect(page.get_by_text("No control charts yet.")).to_be_visible()
    page.get_by_role("button", name="Define a chart").click()
    page.get_by_label("Name", exact=True).fill("bore")
    page.get_by_label("Point", exact=True).fill(BORE)
    page.get_by_label("LSL").fill("24.9")
    page.get_by_label("USL").fill("25.1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="bore")).to_be_visible()
    # Without a phase the limits are those of the span.
    expect(page.get_by_text("There is no phase yet.")).to_be_visible()
    plot = page.locator('[data-plot="Value"]')
    expect(plot).to_have_attribute("data-points", str(COUNT))
    expect(page.locator('[data-plot="Moving range"]')).to_be_visible()

    page.keyboard.press("l")
    page.get_by_label("From", exact=True).fill("-3h")
    page.get_by_role("button", name="Compute").click()
    expect(page.get_by_role("dialog").get_by_text(str(COUNT), exact=True)).to_be_visible()
    page.get_by_role("button", name="Let this phase begin").click()
    expect(page.get_by_text("There is no phase yet.")).not_to_be_visible()
    expect(page.get_by_text("In control", exact=False).first).to_be_visible()

    row = page.get_by_role("row").filter(has_text="One point beyond 3σ")
    expect(row).to_have_count(1)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    row.get_by_role("button", name="Name the cause").click()
    page.get_by_label("Cause", exact=True).fill("chip between part and chuck")
    page.get_by_role("button", name="Save").click()
    expect(row.get_by_text("chip between part and chuck")).to_be_visible()

    capability = page.locator("[data-capability]")
    expect(capability.get_by_text("Cpk")).to_be_visible()
    expect(capability.get_by_role("img", name="Histogram")).to_be_visible()
    page.keyboard.press("Escape")
    line = page.locator('[data-chart="bore"]')
    expect(line).to_have_attribute("data-tone", "in")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="bore")).to_be_visible()


@pytest.mark.usefixtures("bore")
def test_charts_speak_german_and_chinese_in_the_dark(visit):
    for locale, word in (("de-DE", "Karte anlegen"), ("zh-CN", "定义控制图")):
        page, _ = visit("/spc", locale=locale, color_scheme="dark")
        expect(page.get_by_role("button", name=word)).to_be_visible()
