"""Stops in a real browser: explained in three touches on a tablet, split, taken back."""

import pytest
from playwright.sync_api import APIRequestContext, Page, expect
from tests.console.journey import HALL

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S, now_ns

pytestmark = pytest.mark.timeout(240)

SAW = f"{HALL}/saw"
TABLES = f"""
[[work_units]]
path = "{SAW}"
states = [
  {{ name = "running", when = "speed > 1.0", item = "executing" }},
  {{ name = "fault", when = "alarm > 0.0", failure = true }},
]
[[work_units]]
path = "{HALL}/drill"
[[reasons]]
code = "L"
text = "Logistics"
[[reasons]]
code = "L-1"
text = "No parts"
parent = "L"
[[reasons]]
code = "M"
text = "Machine"
[[reasons]]
code = "M-1"
text = "Blade broken"
parent = "M"
[[reasons]]
code = "M-2"
text = "Chips jammed"
parent = "M"
[[reason_rules]]
name = "chip conveyor"
when = "chips > 0.0"
code = "M-2"
units = ["{SAW}"]
"""
HEADERS = {"X-Requested-With": "lineshaft"}
TABLET = {"viewport": {"width": 1024, "height": 768}, "has_touch": True}
TOUCH_PX_MIN = 48


@pytest.fixture(scope="module")
def saw(browser, plant, administrator):
    """A saw that has run, stood still twice, and runs again."""
    file = plant.folder / "plant.toml"
    file.write_text(file.read_text() + TABLES)
    now = now_ns()
    rows = [(3600, 0), (2400, 1), (1800, 0), (1200, 2), (900, 0)]
    context = browser.new_context(base_url=plant.url, storage_state=administrator)
    done = context.request.post("/api/v1/reload", headers=HEADERS)
    assert done.ok, done.text()
    send(context.request, [(f"{SAW}/work_state", now - t * NS_PER_S, s) for t, s in rows])
    context.close()
    return SAW


def send(request: APIRequestContext, rows: list[tuple]) -> None:
    """Bring samples: path, time and value."""
    data = Batch.of_rows(rows).to_ipc()
    done = request.post("/api/v1/samples", data=data, headers=HEADERS)
    assert done.ok, done.text()


def touch(page: Page, selector: str) -> None:
    """Touch a target, which must be big enough for a finger."""
    target = page.locator(selector).first
    expect(target).to_be_enabled()
    box = target.bounding_box()
    assert box is not None
    assert box["height"] >= TOUCH_PX_MIN
    assert box["width"] >= TOUCH_PX_MIN
    target.tap()


def test_an_operator_explains_a_stop_in_three_touches_and_takes_it_back(visit, saw):
    page, _ = visit("/stops", **TABLET)
    frame = page.locator(".state-timeline-frame")
    expect(page.locator(".state-timeline-labels")).to_have_text("sawdrill")
    expect(frame).to_have_attribute("aria-busy", "false")
    frame.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".state-timeline-told")).to_contain_text("saw · running")
    touch(page, f'[data-unit="{saw}"]')
    stops = page.locator("[data-stop]")
    expect(stops).to_have_count(2)
    expect(stops.nth(1)).to_contain_text("10 min")
    touch(page, '[data-stop="fault"]')
    touch(page, '[data-code="M"]')
    touch(page, '[data-code="M-1"]')
    expect(page.get_by_text("Explained: Blade broken")).to_be_visible()
    expect(stops).to_have_count(1)
    page.get_by_text("All stops").tap()
    expect(page.locator('[data-stop="fault"]')).to_contain_text("Blade broken")
    page.get_by_role("button", name="Undo").tap()
    expect(page.get_by_text("Taken back")).to_be_visible()
    expect(page.locator('[data-stop="fault"]')).to_contain_text("no reason")


def test_a_part_of_a_stop_is_explained_with_a_comment(visit, saw):
    page, _ = visit(f"/stops/{saw}", **TABLET)
    touch(page, '[data-stop="stopped"]')
    expect(page.get_by_role("heading", name="Why: stopped?")).to_be_visible()
    page.get_by_role("button", name="Explain only a part").click()
    end = page.get_by_role("slider", name="End of the part")
    for _ in range(60):
        end.press("ArrowLeft")
    page.get_by_role("button", name="Add a comment").click()
    page.get_by_label("Comment").fill("lorry was late")
    touch(page, '[data-code="L"]')
    touch(page, '[data-code="L-1"]')
    expect(page.get_by_text("Explained: No parts")).to_be_visible()
    page.get_by_text("All stops").click()
    parts = page.locator('[data-stop="stopped"]')
    expect(parts).to_have_count(2)
    expect(parts.filter(has_text="No parts")).to_contain_text("4 min")
    expect(parts.filter(has_text="no reason")).to_contain_text("60 s")


def test_the_timeline_is_walked_by_keys_and_opens_the_stop(visit, saw):
    page, _ = visit(f"/stops/{saw}")
    expect(page.locator("[data-stop]").first).to_be_visible()
    told = page.locator(".state-timeline-told")
    frame = page.locator(".state-timeline-frame")
    expect(frame).to_have_attribute("aria-busy", "false")
    frame.focus()
    page.keyboard.press("ArrowRight")
    expect(told).to_contain_text("running")
    page.keyboard.press("ArrowLeft")
    expect(told).to_contain_text("stopped")
    page.keyboard.press("+")
    for _ in range(5):
        if "fault" in told.inner_text():
            break
        page.keyboard.press("ArrowLeft")
    expect(told).to_contain_text("fault · ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Why: fault?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="saw")).to_be_visible()


def choose(page: Page, label: str, option: str) -> None:
    """Take one of a list of choices."""
    page.get_by_label(label, exact=True).click()
    page.locator(".ant-select-item-option").filter(has_text=option).first.click()


def open_stretch(page: Page, state: str) -> None:
    """Walk back in the timeline to a stretch in a state, and open it."""
    frame = page.locator(".state-timeline-frame")
    expect(frame).to_have_attribute("aria-busy", "false")
    told = page.locator(".state-timeline-told")
    frame.focus()
    page.keyboard.press("ArrowRight")
    for _ in range(8):
        if told.inner_text().startswith(state):
            break
        page.keyboard.press("ArrowLeft")
    expect(told).to_contain_text(state)
    page.keyboard.press("Enter")


def test_a_state_is_corrected_from_the_timeline_and_taken_back(visit, saw):
    page, _ = visit(f"/unit/{saw}")
    open_stretch(page, "fault")
    choose(page, "State", "stopped")
    page.get_by_label("Comment").fill("only a sensor")
    page.get_by_role("button", name="Save").click()
    said = page.locator('[data-said="state"]')
    expect(said).to_contain_text("State: stopped")
    expect(said).to_contain_text("only a sensor")
    expect(page.get_by_role("dialog")).to_be_hidden()
    said.get_by_role("button", name="Take back").click()
    expect(said).to_contain_text("taken back by")


def test_two_stops_are_merged_from_the_list_of_stops(visit, saw):
    page, _ = visit(f"/stops/{saw}")
    page.locator('[data-stop="fault"]').click()
    page.get_by_role("button", name="Correct the state").click()
    page.get_by_text("Merge with another stop").click()
    choose(page, "The other stop", "stopped")
    choose(page, "Reason", "Blade broken")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_text("All stops").click()
    merged = page.locator('[data-reason="M-1"]')
    expect(merged).to_have_count(1)
    expect(merged).to_contain_text("Blade broken")
    expect(page.locator('[data-stop="stopped"]')).to_have_count(0)


def test_stops_speak_german_and_chinese_in_the_dark(visit, saw):
    for locale, word in (("de-DE", "Welche Maschine?"), ("zh-CN", "哪台设备？")):
        page, _ = visit("/stops", locale=locale, color_scheme="dark")
        expect(page.get_by_role("heading", name=word)).to_be_visible()
    assert saw


def test_a_reason_that_a_rule_gave_says_so(visit, saw):
    page, _ = visit("/stops", **TABLET)
    begin = now_ns() - 20 * 3600 * NS_PER_S
    rows = [("work_state", 0, 0), ("work_state", 60, 1), ("work_state", 660, 0)]
    rows += [("work_reason", 60, 1), ("work_reason", 660, 0)]
    send(page.request, [(f"{saw}/{n}", begin + t * NS_PER_S, v) for n, t, v in rows])
    page.locator(f'[data-unit="{saw}"]').tap()
    page.get_by_text("All stops").tap()
    stop = page.locator('.touch-stop[data-reason="M-2"]').last
    expect(stop).to_contain_text("Chips jammed")
    expect(stop).to_contain_text("by rule: chip conveyor")
