"""The data explorer: what is stored of each point, and history asked in SQL."""

import io
import re

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect
from tests.console.conftest import Visit
from tests.console.journey import FURNACE
from tests.console.past import LEVEL, TEMPERATURE, Past

pytestmark = pytest.mark.timeout(240)
COUNTS = f"""SELECT point, count(*) AS samples
FROM samples WHERE point LIKE '{FURNACE}/%' GROUP BY point ORDER BY point"""


def run(page: Page, text: str) -> None:
    """Write a query and run it with the keyboard."""
    page.get_by_role("textbox", name="SQL").fill(text)
    page.keyboard.press("Control+Enter")


def test_each_point_is_listed_with_how_much_how_often_and_how_well(visit: Visit, past: Past):
    page, _ = visit("/data")
    page.get_by_label("Filter by path").fill("furnace")
    level, temperature = (page.locator(f'[data-point="{p}"]') for p in (LEVEL, TEMPERATURE))
    # The last hour has not begun in the past, so at most 23 of 24 hours are there.
    expect(level.locator("[data-cell=rate]")).to_have_text(re.compile(r"^3[456]\d$"))
    expect(level.locator("[data-cell=good]")).to_have_text("100.0 %")
    expect(temperature.locator("[data-cell=gap]")).to_have_text(re.compile(r"\d (s|min)$"))
    expect(page.get_by_text(re.compile("^2 points"))).to_be_visible()
    page.get_by_label("Filter by path").fill("no such thing")
    expect(page.get_by_text("No point matches these filters.")).to_be_visible()


def test_the_list_is_sorted_and_points_are_opened_as_a_trend(visit: Visit, past: Past):
    page, _ = visit("/data")
    rates = page.locator("[data-cell=rate]")
    expect(rates.first).to_be_visible()
    page.get_by_role("button", name="Sort by Per hour").click()
    shown = [float(t.replace(",", "")) for t in rates.all_inner_texts() if t != "–"]
    assert shown == sorted(shown, reverse=True)
    page.get_by_label("Filter by path").fill("furnace")
    for point in (LEVEL, TEMPERATURE):
        page.get_by_label(f"Choose {point}").check()
    page.get_by_role("button", name="Trend of 2 points").click()
    for point in (LEVEL, TEMPERATURE):
        expect(page.locator(f'[data-curve="{point}"]')).to_be_visible()


def test_a_query_is_run_by_keyboard_and_its_rows_stand_in_a_grid(visit: Visit, past: Past):
    page, _ = visit("/data/sql")
    run(page, COUNTS)
    expect(page.locator("[data-rows='2']")).to_be_visible()
    grid = page.get_by_role("table", name="Rows")
    expect(grid.get_by_role("columnheader")).to_have_text(
        [re.compile("point"), re.compile("samples")]
    )
    expect(grid.get_by_role("cell", name="120960")).to_be_visible()
    page.reload()
    # What stood in the editor is still there, and what was run is remembered.
    expect(page.get_by_role("textbox", name="SQL")).to_have_value(COUNTS)
    page.get_by_role("button", name="Earlier queries").click()
    expect(page.get_by_role("button", name=re.compile("SELECT point, count"))).to_be_visible()


def test_numbers_over_times_are_drawn(visit: Visit, past: Past):
    page, _ = visit("/data/sql")
    text = f"SELECT time, min, max FROM rollup_1h WHERE point = '{TEMPERATURE}' ORDER BY time"
    run(page, text)
    page.get_by_role("radiogroup").get_by_text("Chart", exact=True).click()
    expect(page.locator(".result-chart canvas")).to_be_visible()
    expect(page.locator("[data-line]")).to_have_count(2)
    run(page, COUNTS)
    expect(page.locator(".result-chart")).to_have_count(0)


def test_a_mistake_is_shown_where_it_is(visit: Visit):
    page, watched = visit("/data/sql")
    watched.expected = ("/api/v1/sql",)
    run(page, "SELECT point\nFROM samples WERE point = 'x'")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("[data-place]")).to_have_attribute("data-place", re.compile("^2:"))
    expect(page.locator(".sql-wrong")).to_have_count(1)
    run(page, "DROP TABLE samples")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("textbox", name="SQL").fill("SELECT 1")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_an_answer_is_downloaded_and_a_query_is_saved(visit: Visit, past: Past):
    page, _ = visit("/data/sql")
    run(page, COUNTS)
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Parquet").click()
    table = pq.read_table(io.BytesIO(download.value.path().read_bytes()))
    assert table.column_names == ["point", "samples"]
    page.get_by_role("button", name="Saved queries").click()
    page.get_by_role("button", name="Save the query").click()
    page.get_by_label("Name of the query").fill("Furnace counts")
    page.get_by_role("button", name="Save", exact=True).click()
    other, _ = visit("/data/sql")
    other.get_by_role("button", name="Saved queries").click()
    other.get_by_role("button", name="Furnace counts", exact=True).click()
    expect(other.get_by_role("textbox", name="SQL")).to_have_value(COUNTS)
    other.goto("/trend")
    other.get_by_role("button", name="Saved views").click()
    expect(other.get_by_text("Furnace counts")).to_have_count(0)


def test_views_and_examples_help_one_to_begin(visit: Visit):
    page, _ = visit("/data/sql")
    view = page.locator("[data-view=samples]")
    view.get_by_role("button", name="Insert quality").click()
    expect(page.get_by_role("textbox", name="SQL")).to_have_value("quality")
    page.get_by_role("button", name="The newest samples of an hour").click()
    expect(page.locator("[data-rows]")).to_be_visible()
