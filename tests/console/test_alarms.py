"""Alarms in a real browser: defined, rung, answered, looked back on."""

import pytest
from playwright.sync_api import expect
from tests.console.journey import PRESS

pytestmark = pytest.mark.timeout(240)

NAME = "press too warm"


def test_an_alarm_is_defined_rings_is_acknowledged_and_stands_in_the_journal(visit):
    page, _ = visit("/alarms")
    expect(page.get_by_text("No alarms are defined.")).to_be_visible()
    page.get_by_role("button", name="Define an alarm").click()
    page.get_by_label("Alarm", exact=True).fill(NAME)
    page.get_by_label("Point", exact=True).fill(f"{PRESS}/strokes")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Give at least one limit.")).to_be_visible()
    page.get_by_label("Above (Hi)", exact=True).fill("-1000")
    page.get_by_role("button", name="Try on the last 7 days").click()
    expect(page.get_by_text("It would have rung")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    row = page.locator(f'[data-alarm="{NAME}"]')
    expect(row).to_have_attribute("data-letter", "B")
    expect(page.get_by_text("1 unacknowledged")).to_be_visible()
    page.keyboard.press("a")
    expect(row).to_have_attribute("data-letter", "C")
    row.click()
    page.get_by_label("Comment").fill("on my way")
    page.get_by_role("button", name="Shelve").click()
    page.get_by_text("1 hour").click()
    expect(row).to_have_attribute("data-letter", "G")
    page.keyboard.press("Escape")
    page.get_by_text("Journal", exact=True).first.click()
    expect(page.get_by_role("cell", name="shelved Hi · on my way")).to_be_visible()
    expect(page.get_by_role("cell", name="arisen Hi").first).to_be_visible()
    page.get_by_text("Figures", exact=True).click()
    expect(page.get_by_text("Most frequent alarms")).to_be_visible()
    expect(page.get_by_role("cell", name=NAME)).to_be_visible()


def test_an_alarm_of_an_expression_is_tried_while_it_is_written(visit):
    page, watched = visit("/alarms")
    watched.expected = ("/api/v1/alarms/preview",)
    page.get_by_role("button", name="Define an alarm").click()
    page.get_by_label("Alarm", exact=True).fill("strokes are known")
    page.get_by_label("Point", exact=True).fill(f"{PRESS}/strokes")
    page.get_by_label("Detector").click()
    page.get_by_text("Condition (expression)", exact=True).click()
    page.get_by_label("Expression", exact=True).fill("strokes > nothing")
    expect(page.get_by_text("unknown name 'nothing'")).to_be_visible()
    page.get_by_label("Expression", exact=True).fill("strokes > -1000")
    expect(page.get_by_text("It would have rung")).to_be_visible()
    expect(page.get_by_role("img", name="activations in the last 7 days")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    row = page.locator('[data-alarm="strokes are known"]')
    expect(row).to_have_attribute("data-letter", "B")
    page.keyboard.press("c")
    expect(page.get_by_label("Comment")).to_be_focused()
    page.keyboard.press("Escape")
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Acknowledge 1").click()
    expect(row).to_have_attribute("data-letter", "C")
    page.get_by_text("Rationalisation", exact=True).click()
    expect(page.get_by_text("lack something")).to_be_visible()
    expect(page.get_by_role("cell", name="strokes > -1000")).to_be_visible()


def test_alarms_speak_german_and_chinese_in_the_dark(visit):
    for locale, word in (("de-DE", "Alarm festlegen"), ("zh-CN", "定义报警")):
        page, _ = visit("/alarms", locale=locale, color_scheme="dark")
        expect(page.get_by_role("button", name=word)).to_be_visible()


def test_who_is_told_of_alarms_is_said_even_when_it_is_nobody(visit):
    for locale, word in (
        ("en-GB", "Nobody is told of alarms yet."),
        ("de-DE", "Noch erfährt niemand"),
        ("zh-CN", "报警尚未通知任何人。"),
    ):
        page, _ = visit("/alarms/notices", locale=locale)
        expect(page.get_by_text(word)).to_be_visible()
