"""Every page of operations on a tablet: named controls, none too wide, many machines."""

import pytest
from playwright.sync_api import Page, expect
from tests.console.journey import HALL, PRESS
from tests.console.seen import faults

pytestmark = pytest.mark.timeout(300)

TABLET = {"width": 1024, "height": 768}
MACHINES = 50
UNIT = f"{HALL}/line-with-a-rather-long-name/machining-centre-of-the-second-generation"
REASONS = '[[reasons]]\ncode = "J"\ntext = "Chips jammed"\n'
PAGES = (
    "/board",
    f"/unit/{UNIT}-00",
    "/stops",
    f"/stops/{UNIT}-00",
    "/report",
    "/alarms",
    "/alarms/journal",
    "/alarms/figures",
    "/alarms/rationalisation",
    "/alarms/notices",
    "/derived",
    "/frames",
    "/frames/templates",
    "/spc",
)
DIALOGS = (
    ("/alarms", "Define an alarm"),
    ("/derived", "Define a derived point"),
    ("/frames", "Define a template"),
    ("/spc", "Define a chart"),
)


def units() -> str:
    return REASONS + "".join(
        f'[[work_units]]\npath = "{UNIT}-{i:02}"\n'
        '[[work_units.states]]\nname = "running"\nwhen = "false"\nitem = "executing"\n'
        '[[work_units.states]]\nname = "jammed"\nwhen = "false"\nloss = "own"\n'
        for i in range(MACHINES)
    )


@pytest.fixture(scope="module")
def machines(browser, plant, administrator) -> None:
    """Fifty machines with long names, and an alarm that rings."""
    file = plant.folder / "plant.toml"
    file.write_text(f"{file.read_text()}\n{units()}")
    context = browser.new_context(base_url=plant.url, storage_state=administrator)
    headers = {"X-Requested-With": "lineshaft"}
    done = context.request.post("/api/v1/reload", headers=headers)
    assert done.ok, done.text()
    name = "the strokes of the press are more than anybody would have thought " * 2
    alarm = {"name": name.strip(), "point": f"{PRESS}/strokes", "hi": {"value": -1000}}
    done = context.request.put("/api/v1/alarms", data=alarm, headers=headers)
    assert done.ok, done.text()
    context.close()


def settled(page: Page) -> None:
    """Wait until the page shows what it has, and no longer that it is waiting."""
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(".waiting, .ant-spin-spinning")).to_have_count(0)


@pytest.mark.parametrize("locale", ["en-GB", "de-DE", "zh-CN"])
def test_every_page_names_its_controls_and_fits_a_tablet(visit, machines, locale):
    page, _ = visit("/board", locale=locale, viewport=TABLET)
    found = {}
    for path in PAGES:
        page.goto(path)
        settled(page)
        if wrong := faults(page):
            found[path] = wrong
    assert found == {}


@pytest.mark.parametrize(("path", "button"), DIALOGS)
def test_a_dialog_takes_the_focus_names_its_fields_and_gives_the_focus_back(
    visit, machines, path, button
):
    page, _ = visit(path, viewport=TABLET)
    settled(page)
    opener = page.get_by_role("button", name=button)
    opener.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator(":focus")).to_have_count(1)
    assert faults(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()


def test_fifty_machines_stand_on_the_board_and_a_long_name_is_told_whole(visit, machines):
    page, _ = visit("/board", viewport=TABLET)
    tiles = page.locator("[data-unit]")
    expect(tiles).to_have_count(MACHINES)
    tiles.last.scroll_into_view_if_needed()
    expect(tiles.last).to_be_in_viewport()
    expect(tiles.first.get_by_role("heading")).to_have_attribute("title", f"{UNIT}-00")
    page.goto("/alarms")
    row = page.locator("[data-alarm]")
    expect(row).to_have_attribute("data-letter", "B")
    assert row.evaluate("(e) => e.scrollWidth <= e.clientWidth + 1")
    row.click()
    expect(page.get_by_role("dialog").get_by_text("than anybody would have").first).to_be_visible()
    assert faults(page) == []
