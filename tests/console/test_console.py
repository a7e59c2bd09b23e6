"""What people do with the console, done by a real browser on a real plant."""

import re

import pytest
from playwright.sync_api import expect
from tests.console.conftest import Visit
from tests.console.journey import CNC, HALL, PASSWORD, PRESS, log_in, value_of

pytestmark = pytest.mark.timeout(240)


def test_a_wrong_password_is_refused_in_words_and_the_right_one_opens_the_page_asked_for(
    visit: Visit,
):
    page, _ = visit("/devices", anonymous=True)
    log_in(page, "admin", "not the password")
    expect(page.get_by_role("alert")).to_contain_text("password")
    log_in(page, "admin", PASSWORD)
    expect(page.get_by_role("heading", name="Devices", exact=True)).to_be_visible()


def test_the_overview_shows_every_asset_with_live_values(visit: Visit):
    page, _ = visit("/")
    expect(page.locator("[data-link=live]")).to_be_visible()
    for asset in (CNC, PRESS):
        expect(page.locator(f'[data-asset="{asset}"]')).to_be_visible()
    expect(value_of(page, f"{PRESS}/set_point")).to_have_text(re.compile(r"\d"))


def test_values_change_on_screen_by_themselves(visit: Visit):
    page, _ = visit(f"/live/{PRESS}")
    value = value_of(page, f"{PRESS}/strokes")
    expect(value).to_have_text(re.compile(r"\d"))
    seen = value.inner_text()
    expect(value).not_to_have_text(seen)
    # All of it came over the WebSocket: the page asked for no last values.
    assert page.evaluate("performance.getEntriesByType('resource').length") > 0


def test_the_tree_is_walked_by_keyboard(visit: Visit):
    page, _ = visit("/")
    row = page.get_by_role("treeitem")
    expect(row.filter(has_text="hall").first).to_be_visible()
    page.get_by_role("tree").focus()
    for _ in range(6):
        if page.locator(".tree-row.active").get_attribute("data-path") == CNC:
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(page.locator(f'[data-path="{CNC}/temperature"]')).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="cnc", exact=True)).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(f'[data-path="{CNC}/temperature"]')).to_have_count(0)


def test_search_finds_points_from_anywhere_and_leads_to_them(visit: Visit):
    page, _ = visit("/")
    expect(page.get_by_role("treeitem").first).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("pump")
    found = page.locator(f'.tree [data-path="{PRESS}/pump_on"]')
    expect(found).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(f'.point-row.marked[data-point="{PRESS}/pump_on"]')).to_be_visible()
    page.get_by_label("Search points").fill("no such thing")
    expect(page.get_by_text("No point matches")).to_be_visible()


def test_points_are_picked_in_the_tree_and_stand_in_the_address(visit: Visit):
    page, _ = visit("/trend")
    expect(page.get_by_text("No points chosen.")).to_be_visible()
    page.get_by_label("Search points").fill("temperature")
    page.locator(f'.tree [data-path="{CNC}/temperature"]').click()
    expect(page.locator(f'[data-curve="{CNC}/temperature"]')).to_be_visible()
    page.wait_for_function("() => new URLSearchParams(location.search).has('p')")
    page.reload()
    expect(page.locator(f'[data-curve="{CNC}/temperature"]')).to_be_visible()


def test_a_saved_view_has_an_address_of_its_own(visit: Visit):
    page, _ = visit(f"/trend?p={CNC}/temperature&span=900")
    page.get_by_role("button", name="Saved views").click()
    page.get_by_role("button", name="Save as a new view").click()
    page.get_by_label("Name of the view").fill("Cell temperature")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile(r"/trend/[^?]+$"))
    address = page.url
    again, _ = visit(address)
    expect(again.get_by_role("heading", name="Cell temperature")).to_be_visible()
    expect(again.locator(f'[data-curve="{CNC}/temperature"]')).to_be_visible()


def test_a_device_that_is_away_is_named_with_its_state_and_the_reason(visit: Visit):
    page, _ = visit("/devices")
    oven = page.locator('[data-device="oven"]')
    expect(oven.locator("[data-state=lost]")).to_be_visible()
    expect(oven).to_contain_text("127.0.0.1")
    for name in ("cnc", "press"):
        expect(page.locator(f'[data-device="{name}"] [data-state=connected]')).to_be_visible()
    expect(page.get_by_text("1 of 3 devices are not connected.")).to_be_visible()
    oven.click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("Connection lost")).to_be_visible()
    drawer.get_by_role("button", name="Try again now").click()
    expect(page.get_by_text("oven: trying again.")).to_be_visible()


def test_a_value_is_written_in_two_steps_and_read_back(visit: Visit):
    page, watched = visit(f"/live/{PRESS}")
    page.get_by_role("button", name="Write: set_point").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("New value").fill("99")
    watched.expected = ("/api/v1/writes",)
    dialog.get_by_role("button", name="Check").click()
    expect(dialog.get_by_role("alert")).to_contain_text("50")
    dialog.get_by_label("New value").fill("17.5")
    dialog.get_by_role("button", name="Check").click()
    expect(
        dialog.get_by_text("0.0 °C … 50.0 °C").or_(dialog.get_by_text("50.00 °C"))
    ).to_be_visible()
    dialog.get_by_role("button", name="Write to the machine").click()
    expect(dialog.get_by_text("The machine confirms the value.")).to_be_visible()
    dialog.get_by_role("button", name="Close").last.click()
    expect(value_of(page, f"{PRESS}/set_point")).to_contain_text("17.5")
    page.goto("/audit")
    expect(page.get_by_role("cell", name=f"{PRESS}/set_point").first).to_be_visible()


def test_whoever_may_only_look_is_offered_no_writing_and_no_administration(visit: Visit):
    page, _ = visit("/users")
    page.get_by_role("button", name="Add user").click()
    page.get_by_label("Name").fill("guest")
    page.get_by_role("button", name="Save").click()
    word = page.get_by_role("textbox", name="One-time password of guest").input_value()
    guest, _ = visit("/", anonymous=True)
    log_in(guest, "guest", word)
    guest.get_by_label("Present password").fill(word)
    guest.get_by_label("New password", exact=True).fill(PASSWORD + "2")
    guest.get_by_label("New password, once more").fill(PASSWORD + "2")
    guest.get_by_role("button", name="Change password").click()
    expect(guest.get_by_role("heading", name="Whole plant")).to_be_visible()
    expect(guest.get_by_role("link", name="Users")).to_have_count(0)
    guest.goto(f"/live/{PRESS}")
    expect(value_of(guest, f"{PRESS}/set_point")).to_have_text(re.compile(r"\d"))
    expect(guest.get_by_role("button", name="Write: set_point")).to_have_count(0)


@pytest.mark.parametrize(
    ("language", "heading"), [("中文", "整个工厂"), ("Deutsch", "Gesamtes Werk")]
)
def test_the_language_changes_at_once_and_stays(visit: Visit, language: str, heading: str):
    page, _ = visit("/")
    page.get_by_role("button", name="Language").click()
    page.get_by_role("menuitem", name=language).click()
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    assert page.evaluate("document.documentElement.lang") in ("zh", "de")


def test_the_dark_theme_follows_the_system_or_the_person(visit: Visit):
    ground = "getComputedStyle(document.body).backgroundColor"
    page, _ = visit("/", color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Appearance").click()
    page.get_by_role("menuitem", name="Light").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert page.evaluate(ground) != dark
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_the_page_of_the_api_is_served_from_here(visit: Visit):
    page, _ = visit("/api/docs")
    expect(page.locator(".opblock").first).to_be_visible()
    expect(page.get_by_text("/api/v1/history")).to_be_visible()


def test_the_console_fits_a_tablet(visit: Visit):
    for path in (
        "/",
        f"/live/{HALL}",
        f"/trend?p={CNC}/temperature&span=300",
        "/data",
        "/data/sql",
        "/devices",
    ):
        page, _ = visit(path, viewport={"width": 820, "height": 1100})
        expect(page.locator("main")).to_be_visible()
        expect(page.locator(".waiting")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 820


def test_what_nobody_knows_is_said_kindly(visit: Visit):
    page, _ = visit("/nowhere")
    expect(page.get_by_text("There is nothing at this address.")).to_be_visible()
    page.get_by_role("link", name="Go to the overview").click()
    expect(page.get_by_role("heading", name="Whole plant")).to_be_visible()
