"""Alarms that exist already, in a real browser: changed, copied, only looked at."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import APIRequestContext, Page, expect
from tests.console.journey import PRESS

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S, now_ns

pytestmark = pytest.mark.timeout(240)

HEADERS = {"X-Requested-With": "lineshaft"}
POINT = f"{PRESS}/gear_heat"
ALARM = {"name": "gear hot", "point": POINT, "hi": {"value": 80.0, "priority": "high"}}
RICH = {
    "exclusive": False,
    "names": {"g": POINT},
    "wait_s": 2.5,
    "on_bad": "raise",
    "dead_band": 1.5,
    "on_delay_s": 3.0,
    "off_delay_s": 4.0,
    "group": "gears",
    "suppress_when": "g < 0",
    "description": "Of the gear",
    "advice": {"cause": "No oil", "consequence": "Wear", "action": "Oil", "respond_s": 100.0},
    "life": {
        "acknowledge": False,
        "confirm": True,
        "latching": True,
        "branches": True,
        "realarm_s": 90.0,
        "realarm_count_max": 7,
        "shelve_s_max": 1234.0,
    },
}
DETECTORS = {
    "limits": {
        "hihi": {"value": 90.0, "priority": "critical"},
        "hi": {"value": 80.0, "priority": "high"},
        "lo": {"value": 10.0, "priority": "low"},
        "lolo": {"value": 0.0, "priority": "medium"},
    },
    "deviation from a number": {"hi": {"value": 5.0}, "deviation_from": 50.0},
    "deviation from a point": {"hi": {"value": 5.0}, "deviation_from": f"{PRESS}/set_point"},
    "rate": {"hi": {"value": 5.0}, "rate": {"over": "30s", "per": "h"}},
    "value": {"lo": {"value": 5.0}, "value": "g * 2.0"},
    "off normal": {"off_normal": {"value": 0.0, "priority": "critical"}},
    "trip": {"trip": {"value": 2.0, "priority": "low"}},
    "discrepancy": {
        "discrepancy": {"command": f"{PRESS}/set_point", "within_s": 7.5, "tolerance": 2.0},
        "priority": "high",
    },
    "stale": {"stale_s": 12.5, "priority": "low"},
    "condition": {"when": "g > 5", "priority": "critical"},
}


@pytest.fixture(scope="module")
def wire(browser, plant, administrator) -> Iterator[APIRequestContext]:
    """The HTTP interface, with the gear's last two hours behind it."""
    context = browser.new_context(base_url=plant.url, storage_state=administrator)
    now = now_ns()
    rows = [
        (POINT, now - (120 - i) * 60 * NS_PER_S, 85.0 if i % 20 < 5 else 70.0) for i in range(120)
    ]
    done = context.request.post(
        "/api/v1/samples", data=Batch.of_rows(rows).to_ipc(), headers=HEADERS
    )
    assert done.ok, done.text()
    yield context.request
    context.close()


def defined(wire: APIRequestContext, alarm: dict) -> dict:
    """Define an alarm; gives its definition as the plant has it."""
    done = wire.put("/api/v1/alarms", data=alarm, headers=HEADERS)
    assert done.ok, done.text()
    return definition(wire, alarm["name"])


def definition(wire: APIRequestContext, name: str) -> dict:
    return wire.get("/api/v1/alarms/definition", params={"name": name}).json()


def card(page: Page, name: str) -> None:
    """Open the card of an alarm, whatever its state."""
    page.get_by_text("All", exact=True).click()
    page.locator(f'[data-alarm="{name}"]').click()
    expect(page.get_by_role("group", name="For engineers")).to_be_visible()


def test_an_alarm_is_changed_with_its_trial_beside_it(visit, wire):
    before = defined(wire, {**ALARM, **RICH, "suppress_when": ""})
    page, _ = visit("/alarms")
    card(page, "gear hot")
    page.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog", name="gear hot").last
    expect(dialog.get_by_label("Alarm", exact=True)).to_be_disabled()
    expect(dialog.get_by_text("It would have rung 6 times")).to_be_visible()
    dialog.get_by_label("Above (Hi)", exact=True).fill("87")
    expect(dialog.get_by_text("It would not have rung. As it is now: 6 times.")).to_be_visible()
    dialog.get_by_label("Permit or change record").fill("MOC-9")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("gear hot: defined")).to_be_visible()
    expect(page.locator(".ant-drawer").get_by_text("hi 87")).to_be_visible()
    after = definition(wire, "gear hot")
    assert after["alarm"] == {**before["alarm"], "hi": {"value": 87.0, "priority": "high"}}
    told = wire.get("/api/v1/alarms/journal", params={"alarm": "gear hot"}).json()["items"][0]
    assert told["event"]["data"]["permit"] == "MOC-9"
    assert told["event"]["data"]["before"]["hi"]["value"] == 80.0


@pytest.mark.parametrize("detector", DETECTORS)
def test_the_form_loses_nothing_of_an_alarm(visit, wire, detector):
    before = defined(wire, {"name": detector, "point": POINT, **RICH, **DETECTORS[detector]})
    page, _ = visit(f"/alarms?search={detector}")
    card(page, detector)
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("dialog").last.get_by_role("button", name="Save").click()
    expect(page.get_by_text(f"{detector}: defined")).to_be_visible()
    assert definition(wire, detector) == before


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(visit, wire):
    defined(wire, {**ALARM, "name": "gear warm"})
    page, watched = visit("/alarms")
    watched.expected = ("/api/v1/alarms",)
    card(page, "gear warm")
    page.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog").last
    dialog.get_by_label("Above (Hi)", exact=True).fill("81")
    defined(wire, {**ALARM, "name": "gear warm", "hi": {"value": 60.0}})
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("was changed meanwhile")).to_be_visible()
    assert definition(wire, "gear warm")["alarm"]["hi"]["value"] == 60.0
    page.get_by_role("button", name="Begin again with it as it is now").click()
    expect(page.get_by_label("Above (Hi)", exact=True)).to_have_value("60")


def test_an_alarm_is_copied_under_a_name_of_its_own(visit, wire):
    defined(wire, {**ALARM, "name": "pump hot"})
    defined(wire, {**ALARM, "name": "pump hot too"})
    page, watched = visit("/alarms")
    watched.expected = ("/api/v1/alarms",)
    card(page, "pump hot")
    page.get_by_role("button", name="Copy").click()
    dialog = page.get_by_role("dialog", name="Copy of pump hot")
    name = dialog.get_by_label("Alarm", exact=True)
    expect(name).to_have_value("pump hot (copy)")
    name.fill("pump hot too")
    dialog.get_by_label("Below (Lo)", exact=True).fill("90")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("Must not be higher than “Above (Hi)”.")).to_be_visible()
    dialog.get_by_label("Below (Lo)", exact=True).fill("1")
    dialog.get_by_role("button", name="Save").click()
    beside = dialog.locator(".ant-form-item", has=page.get_by_label("Alarm", exact=True))
    expect(beside.get_by_text("exists already")).to_be_visible()
    name.fill("pump hot, second")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator('[data-alarm="pump hot, second"]')).to_be_visible()
    made = definition(wire, "pump hot, second")["alarm"]
    assert (made["hi"]["value"], made["lo"]["value"]) == (80.0, 1.0)


def test_an_alarm_of_the_file_is_shown_with_why_it_stays_and_can_be_copied(visit, wire, plant):
    file = plant.folder / "plant.toml"
    text = file.read_text()
    file.write_text(
        f'{text}\n[[alarms]]\nname = "of the file"\npoint = "{POINT}"\nhi = {{ value = 99.0 }}\n'
    )
    assert wire.post("/api/v1/reload", headers=HEADERS).ok
    page, _ = visit("/alarms")
    card(page, "of the file")
    page.get_by_role("button", name="Definition").click()
    dialog = page.get_by_role("dialog").last
    expect(dialog.get_by_text("This alarm stands in plant.toml")).to_be_visible()
    expect(dialog.get_by_label("Above (Hi)", exact=True)).to_be_disabled()
    expect(dialog.get_by_role("button", name="Save")).to_have_count(0)
    dialog.get_by_role("button", name="Copy").click()
    page.get_by_role("dialog").last.get_by_role("button", name="Save").click()
    expect(page.locator('[data-alarm="of the file (copy)"]')).to_be_visible()
    assert not definition(wire, "of the file (copy)")["in_file"]
    file.write_text(text)
    assert wire.post("/api/v1/reload", headers=HEADERS).ok


def test_keys_meet_the_alarm_one_looks_at_and_none_behind_a_dialog(visit, wire):
    def ringing(name: str, priority: str) -> None:
        limit = {"value": -1000, "priority": priority}
        defined(wire, {"name": name, "point": f"{PRESS}/strokes", "hi": limit})

    ringing("rotor fan", "low")
    page, _ = visit("/alarms?search=rotor")
    fan, motor = (page.locator(f'[data-alarm="rotor {n}"]') for n in ("fan", "motor"))
    expect(fan).to_have_attribute("data-letter", "B")
    expect(fan).to_have_attribute("aria-current", "true")
    ringing("rotor motor", "critical")
    expect(motor).to_have_attribute("aria-rowindex", "2")
    expect(fan).to_have_attribute("aria-rowindex", "3")
    expect(fan).to_have_attribute("aria-current", "true")
    page.get_by_role("button", name="Define an alarm").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").focus()
    for key in ("a", "s", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("a")
    expect(fan).to_have_attribute("data-letter", "C")
    expect(motor).to_have_attribute("data-letter", "B")
