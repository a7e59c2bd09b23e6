"""Event frames in a real browser: a template tried and defined, frames found and compared."""

import re

import pytest
from playwright.sync_api import Page, expect
from tests.console.journey import FURNACE

pytestmark = pytest.mark.timeout(240)

NAME = "hot half"


def defined(page: Page) -> None:
    """A template over the furnace's days, of which the temperature swings about 550 each day."""
    page.get_by_role("button", name="Define a template").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Template", exact=True).fill(NAME)
    form.get_by_label("Assets", exact=True).fill(FURNACE)
    page.keyboard.press("Enter")
    form.get_by_label("Begins", exact=True).fill("temperature >")
    form.get_by_role("button", name="Try on the last 7 days").click()
    expect(form.get_by_role("alert").last).to_contain_text("wanted a value, at character 14")
    form.get_by_label("Begins", exact=True).fill("temperature > 550.0")
    form.get_by_role("button", name="Add a value").click()
    form.get_by_label("Name of the value").fill("mean")
    form.get_by_label("Expression", exact=True).fill("temperature")
    form.get_by_role("button", name="Try on the last 7 days").click()
    expect(form.get_by_text(re.compile(r"It would have given [78] frames"))).to_be_visible()
    form.get_by_role("button", name="Save").click()


def test_a_template_is_tried_and_defined_and_its_frames_are_found_compared_and_answered(
    visit, past
):
    page, watched = visit("/frames")
    watched.expected = ("/frames/preview",)
    expect(page.get_by_text("No frames are defined.")).to_be_visible()
    defined(page)
    page.get_by_text("Templates", exact=True).click()
    row = page.locator(f'[data-template="{NAME}"]')
    expect(row).to_contain_text(FURNACE)
    row.get_by_role("button", name="Recompute 30 days").click()
    page.get_by_text("Frames", exact=True).last.click()
    page.get_by_text("30 days", exact=True).click()
    rows = page.locator("tr[data-frame]")
    expect(rows.nth(12)).to_be_visible()
    expect(rows.nth(1)).to_contain_text("mean 581")
    expect(page.locator(f'[data-row="{FURNACE}|{NAME}"] a')).to_have_count(rows.count())
    for at in (1, 2, 3):
        rows.nth(at).get_by_role("checkbox").check()
    page.get_by_role("button", name="Compare (3)").click()
    expect(page.get_by_text("Choose points to see their course.")).to_be_visible()
    page.get_by_label("Points to draw").click()
    page.get_by_title("./temperature").click()
    page.keyboard.press("Escape")
    expect(page.locator('[data-line="./temperature"] canvas')).to_be_visible()
    page.get_by_text("Warped", exact=True).click()
    expect(page).to_have_url(re.compile("align=dtw"))
    expect(page.get_by_role("cell", name="0.000").first).to_be_visible()
    page.get_by_role("link", name=re.compile(NAME)).first.click()
    expect(page.get_by_text("Duration")).to_be_visible()
    page.get_by_label("Reason").fill("R-7")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("R-7")).to_be_visible()
    expect(page.get_by_text("admin,")).to_be_visible()


def test_frames_speak_german_and_chinese_in_the_dark(visit):
    for locale, word in (("de-DE", "Vorlage festlegen"), ("zh-CN", "定义模板")):
        page, _ = visit("/frames", locale=locale, color_scheme="dark")
        expect(page.get_by_role("button", name=word)).to_be_visible()
