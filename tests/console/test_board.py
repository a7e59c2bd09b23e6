"""The board, the page of a work unit, the shift report and derived points in a real browser."""

import re

import pytest
from playwright.sync_api import expect
from tests.console.journey import HALL, PRESS

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S, now_ns

pytestmark = pytest.mark.timeout(240)

MILL = f"{HALL}/mill"
TABLES = f"""
[[calendars]]
name = "always"
shifts = [{{ name = "all day", start = "00:00", stop = "24:00" }}]
[[work_units]]
path = "{MILL}"
calendar = "always"
good = "{MILL}/good"
scrap = "{MILL}/scrap"
cycle_s = 30.0
[[work_units.states]]
name = "running"
when = "speed > 1.0"
item = "executing"
[[work_units.states]]
name = "jammed"
when = "jam"
loss = "own"
reason = "J-1"
[[reasons]]
code = "J-1"
text = "Chips jammed"
"""


@pytest.fixture(scope="module")
def mill(browser, plant, administrator):
    """A mill that ran an hour with a stop of twenty minutes in it."""
    file = plant.folder / "plant.toml"
    file.write_text(file.read_text() + TABLES)
    now = now_ns()
    states = [(3600, 0), (2400, 1), (1200, 0)]
    rows = [(f"{MILL}/work_state", now - t * NS_PER_S, s) for t, s in states]
    for minute in range(61):
        at = now - (60 - minute) * 60 * NS_PER_S
        rows += [(f"{MILL}/good", at, minute * 1.0), (f"{MILL}/scrap", at, minute // 20)]
    context = browser.new_context(base_url=plant.url, storage_state=administrator)
    headers = {"X-Requested-With": "lineshaft"}
    done = context.request.post("/api/v1/reload", headers=headers)
    assert done.ok, done.text()
    batch = Batch.of_rows(rows)
    done = context.request.post("/api/v1/samples", data=batch.to_ipc(), headers=headers)
    assert done.ok, done.text()
    context.close()
    return MILL


def test_from_the_board_to_a_number_to_its_samples(visit, mill):
    page, _ = visit("/board")
    tile = page.locator(f'[data-unit="{mill}"]')
    expect(tile).to_have_attribute("data-item", "executing")
    expect(tile).to_contain_text("running")
    expect(tile).to_contain_text("OEE")
    tile.get_by_role("link", name="mill").click()
    expect(page.get_by_role("heading", name="mill")).to_be_visible()
    expect(page.locator('[data-fall="own"]')).to_contain_text("Own stops")
    expect(page.locator('[data-reason="J-1"]')).to_contain_text("Chips jammed")
    page.locator('[data-figure="availability"]').click()
    expect(page.get_by_text("APT/PBT")).to_be_visible()
    page.get_by_role("link", name=f"{mill}/work_state").click()
    expect(page).to_have_url(re.compile("/trend.*work_state"))


def test_a_shift_report_can_be_read_and_taken_along(visit, mill):
    page, _ = visit("/report?unit=" + mill)
    page.get_by_role("combobox", name="Shift").click()
    page.get_by_title("Whole day").click()
    expect(page.locator(f'[data-unit="{mill}"]')).to_contain_text("mill")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert mill in download.value.path().read_text()
    page.get_by_role("button", name="More tables").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Stops").get_by_role("link").click()
    assert download.value.path().read_text().startswith("unit,day,shift,start")


def test_a_derived_point_is_checked_tried_and_kept(visit):
    page, _ = visit("/derived")
    page.get_by_role("button", name="Define a derived point").click()
    page.get_by_label("Point", exact=True).fill(f"{PRESS}/strokes_thousand")
    page.get_by_label("Expression").fill("strokes / 'many'")
    expect(page.locator(".derived-wrong mark")).to_contain_text("'many'")
    page.get_by_label("Expression").fill("strokes / 1000")
    expect(page.get_by_text("Gives number")).to_be_visible()
    page.get_by_role("button", name="Try on the last day").click()
    expect(page.get_by_text("rows in the last day")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name=f"{PRESS}/strokes_thousand")).to_be_visible()
    expect(page.locator('[data-phase="live"]')).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "board", "derived"),
    [("de-DE", "Werk", "Abgeleitete Punkte"), ("zh-CN", "看板", "派生点")],
)
def test_they_speak_german_and_chinese_in_the_dark(visit, mill, locale, board, derived):
    page, _ = visit("/board", locale=locale, color_scheme="dark")
    expect(page.get_by_role("heading", name=board, exact=True)).to_be_visible()
    page.goto("/derived")
    expect(page.get_by_role("heading", name=derived)).to_be_visible()
