"""The twin browser: shells, their submodels, and what one does with them."""

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import APIRequestContext, Browser, Page, StorageState, expect
from tests.console import twin
from tests.console.conftest import Visit
from tests.console.journey import CNC, PRESS, RunningPlant

pytestmark = pytest.mark.timeout(240)

WRITE = {"X-Requested-With": "lineshaft"}
MANY = 250


def encoded(identifier: str) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(identifier.encode()).decode().rstrip("=")


def at(submodel: str = "", element: str = "") -> str:
    """The address of the press, of one of its submodels, of an element."""
    path = f"/twins/shells/{encoded(twin.SHELL)}"
    if submodel:
        path += f"/{encoded(submodel)}"
    return path + (f"?e={quote(element)}" if element else "")


@pytest.fixture(scope="module")
def wire(
    browser: Browser, plant: RunningPlant, administrator: StorageState
) -> Iterator[APIRequestContext]:
    """The HTTP interface, with the administrator's session and no page."""
    context = browser.new_context(base_url=plant.url, storage_state=administrator)
    yield context.request
    context.close()


@pytest.fixture
def press(wire: APIRequestContext) -> None:
    """The press with its submodels as they are made, whatever a test before has done to them."""
    shell, submodels = twin.press()
    for kind, one in (*(("submodels", s) for s in submodels), ("shells", shell)):
        url = f"/api/v3.1/{kind}/{encoded(one['id'])}"
        answer = wire.put(url, data=one, headers=WRITE)
        assert answer.ok, answer.text()


@pytest.fixture(scope="module")
def crowd(wire: APIRequestContext) -> None:
    """More shells than come at once."""
    for i in range(MANY):
        one = twin.shell(f"Pump{i:03}", f"urn:acme:pump:{i:03}", f"urn:acme:asset:{i:03}")
        answer = wire.post("/api/v3.1/shells", data=one, headers=WRITE)
        assert answer.ok, answer.text()


def edit(page: Page) -> None:
    """Open the form of the chosen element."""
    page.get_by_label("Details of the element").get_by_role("button", name="Edit").click()


def test_shells_come_as_one_scrolls_and_are_searched_by_the_server(
    visit: Visit, press: None, crowd: None
):
    page, _ = visit("/twins")
    rows = page.locator("[data-shell]")
    expect(rows.first).to_be_visible()
    expect(page.get_by_text("The first 100; more come as you scroll")).to_be_visible()
    assert rows.count() < MANY
    page.locator(".virtual").evaluate("box => box.scrollTop = box.scrollHeight")
    expect(page.get_by_text("The first 200")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("press1")
    expect(rows).to_have_count(1)
    expect(page.get_by_role("link", name="Press1")).to_be_visible()
    page.get_by_label("Search by name").fill("no such thing")
    expect(page.get_by_text("Nothing matches these filters.")).to_be_visible()


def test_a_shell_shows_its_plate_with_the_link_as_a_code(visit: Visit, press: None):
    page, _ = visit(at())
    plate = page.get_by_role("region", name="Nameplate")
    expect(plate.get_by_text("Acme Presses")).to_be_visible()
    expect(plate.get_by_text("HP4-417")).to_be_visible()
    expect(plate.get_by_text("CE", exact=True)).to_be_visible()
    expect(plate.locator(".ant-qrcode svg")).to_be_visible()
    expect(plate.get_by_role("link", name=twin.ASSET)).to_have_attribute("href", twin.ASSET)


@pytest.mark.parametrize(
    ("locale", "name", "kind"),
    [("de-DE", "Hydraulische Presse", "Typenschild"), ("zh-CN", "Hydraulic press", "铭牌")],
)
def test_plates_speak_the_readers_language(
    visit: Visit, press: None, locale: str, name: str, kind: str
):
    page, _ = visit(at(), locale=locale)
    expect(page.get_by_text(name)).to_be_visible()
    expect(page.get_by_text(kind, exact=True)).to_be_visible()


def test_what_is_known_of_a_submodel_is_drawn(visit: Visit, press: None):
    page, _ = visit(at(twin.SERIES))
    expect(page.locator('[data-line="Force"] canvas')).to_be_visible()
    page.locator(f'[data-submodel="{twin.PAPERS}"]').click()
    expect(page.get_by_role("heading", name="Operating instructions")).to_be_visible()
    expect(page.get_by_text(re.compile("MAN-4711"))).to_be_visible()
    page.locator(f'[data-submodel="{twin.CARBON}"]').click()
    expect(page.get_by_text("17,450.5")).to_be_visible()
    expect(page.get_by_text("per 1 piece")).to_be_visible()


def test_the_tree_is_walked_by_keyboard(visit: Visit, press: None):
    page, _ = visit(at(twin.DATA, "Limits"))
    low = page.locator('[data-element="Limits.Low"]')
    tree = page.get_by_role("tree", name="Elements")
    tree.focus()
    expect(low).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(low).to_have_count(0)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(low).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("heading", name="Low")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Edit Limits.Low")


def test_a_wrong_value_is_told_beside_its_field_and_a_right_one_is_kept(visit: Visit, press: None):
    page, _ = visit(at(twin.DATA, "MaxForce"))
    edit(page)
    value = page.get_by_role("dialog").get_by_label("Value", exact=True)
    value.fill("a lot")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Not a value of type int; it looks like 42.")).to_be_visible()
    value.fill("3000000000")
    expect(page.get_by_text("From -2147483648 to 2147483647.")).to_be_visible()
    value.fill("450")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator('[data-element="MaxForce"]')).to_contain_text("450")


def test_what_the_server_finds_wrong_is_told(visit: Visit, press: None):
    page, watched = visit(at(twin.DATA, "Force"))
    watched.expected = ("/submodel-elements/",)
    edit(page)
    page.get_by_role("dialog").get_by_text("JSON", exact=True).click()
    wrong = {"modelType": "Range", "idShort": "Force", "valueType": "xs:double", "min": "low"}
    page.get_by_role("textbox", name="JSON").fill(json.dumps(wrong))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()


def test_who_saves_second_is_told_and_chooses(visit: Visit, press: None, wire: APIRequestContext):
    page, watched = visit(at(twin.DATA, "MaxForce"))
    watched.expected = ("/submodel-elements/",)
    edit(page)
    url = f"/api/v3.1/submodels/{encoded(twin.DATA)}/submodel-elements/MaxForce"
    theirs = twin.prop("MaxForce", "410", "xs:int")
    assert wire.put(url, data=theirs, headers=WRITE).ok
    page.get_by_role("dialog").get_by_label("Value", exact=True).fill("420")
    page.get_by_role("button", name="Save").click()
    conflict = page.get_by_role("dialog", name="Somebody was faster")
    expect(conflict.locator('[data-diff="value"]')).to_contain_text("410")
    expect(conflict.locator('[data-diff="value"]')).to_contain_text("420")
    assert wire.get(url).json()["value"] == "410"
    conflict.get_by_role("button", name="Save mine").click()
    expect(page.locator('[data-element="MaxForce"]')).to_contain_text("420")
    assert wire.get(url).json()["value"] == "420"


def test_elements_are_added_and_deleted(visit: Visit, press: None):
    page, _ = visit(at(twin.DATA, "Limits"))
    page.get_by_role("button", name="Add below").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("idShort").fill("2nd")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Letters, digits, _ and -")).to_be_visible()
    dialog.get_by_label("idShort").fill("Middle")
    dialog.get_by_label("Value", exact=True).fill("45")
    page.get_by_role("button", name="Add", exact=True).click()
    middle = page.locator('[data-element="Limits.Middle"]')
    expect(middle).to_contain_text("45")
    page.get_by_role("button", name="Delete: Middle").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(middle).to_have_count(0)


def test_a_file_is_put_into_its_element_and_taken_out_again(visit: Visit, press: None):
    page, _ = visit(at(twin.DATA, "Note"))
    edit(page)
    note = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"oil it"}
    page.get_by_role("dialog").locator("input[type=file]").set_input_files(note)
    page.get_by_role("button", name="Save").click()
    link = page.locator('[data-element="Note"]').get_by_role("link", name="note.txt")
    expect(link).to_be_visible()
    with page.expect_download() as download:
        link.click()
    assert download.value.path().read_bytes() == b"oil it"


def test_a_file_is_imported_after_a_look_and_the_import_undone(visit: Visit):
    page, _ = visit("/twins")
    shell = twin.shell("Mixer", "urn:acme:mixer", "urn:acme:asset:mixer", "urn:acme:mixer:data")
    content = twin.submodel("Data", "urn:acme:mixer:data", "urn:acme:data", twin.prop("A", "1"))
    env = {"assetAdministrationShells": [shell], "submodels": [content]}
    page.get_by_label("Choose a file to import").set_input_files(
        {"name": "mixer.json", "mimeType": "application/json", "buffer": json.dumps(env).encode()}
    )
    dialog = page.get_by_role("dialog", name="Import mixer.json")
    expect(dialog.get_by_text("New: 2")).to_be_visible()
    dialog.get_by_role("button", name="Import 2").click()
    expect(dialog.get_by_text("2 imported.")).to_be_visible()
    expect(page.locator('[data-shell="urn:acme:mixer"]')).to_have_count(1)
    dialog.get_by_role("button", name="Undo").click()
    expect(dialog.get_by_text("The import is undone")).to_be_visible()
    dialog.get_by_text("Close", exact=True).click()
    expect(page.locator('[data-shell="urn:acme:mixer"]')).to_have_count(0)


def test_a_shell_is_exported_with_its_submodels(visit: Visit, press: None):
    page, _ = visit(at())
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="JSON").click()
    env = json.loads(download.value.path().read_bytes())
    assert [s["id"] for s in env["assetAdministrationShells"]] == [twin.SHELL]
    assert {s["id"] for s in env["submodels"]} >= {twin.PLATE, twin.DATA}


def test_two_submodels_are_compared(visit: Visit, press: None):
    page, _ = visit(f"/twins/compare?left={encoded(twin.DATA)}")
    page.get_by_label("Right", exact=True).fill(twin.CARBON)
    page.keyboard.press("Enter")
    expect(page.locator('[data-diff="idShort"]')).to_contain_text("CarbonFootprint")
    expect(page.locator('[data-diff="MaxForce"]')).to_be_visible()


def test_a_new_shell_gets_its_first_submodel(visit: Visit):
    page, _ = visit("/twins")
    page.get_by_role("button", name="New shell").click()
    page.get_by_label("idShort").fill("Robot")
    page.get_by_role("dialog").get_by_label("Asset", exact=True).fill("urn:acme:asset:robot")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Robot")).to_be_visible()
    page.get_by_role("button", name="New submodel").click()
    page.get_by_label("idShort").fill("Data")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("No elements yet.")).to_be_visible()


def test_who_may_only_look_sees_no_way_to_change(visit: Visit, press: None):
    page, _ = visit("/twins")
    page.route(
        "**/api/v1/session",
        lambda route: route.fulfill(
            json={"name": "eve", "role": "viewer", "actions": ["own", "look"]}
            | {"must_change_password": False}
        ),
    )
    page.goto(at(twin.DATA, "MaxForce"))
    expect(page.get_by_label("Details of the element")).to_be_visible()
    expect(page.get_by_role("button", name="Edit")).to_have_count(0)
    expect(page.get_by_role("button", name="Add an element")).to_have_count(0)
    expect(page.get_by_role("button", name="Export")).to_be_visible()


def generated(plant_slug: str, path: str, name: str) -> str:
    """The identifier of a submodel that the plant makes by itself."""
    return f"urn:lineshaft:{plant_slug}:submodel/{path}/{name}"


def test_a_machine_has_a_twin_that_lives(visit: Visit, wire: APIRequestContext):
    page, _ = visit("/twins?q=urn:lineshaft:test-hall:shell/" + quote(PRESS))
    page.get_by_role("link", name="press", exact=True).click()
    page.get_by_role("link", name="OperationalData").click()
    line = page.locator('[data-element="set_point"]')
    reading = line.locator(f'[data-value="{PRESS}/set_point"]')
    expect(reading).to_have_text(re.compile(r"\d"))
    line.click()
    details = page.get_by_label("Details of the element")
    expect(details.get_by_role("link", name=f"{PRESS}/set_point")).to_be_visible()
    details.get_by_role("button", name="Write").click()
    expect(page.get_by_role("dialog", name="Write a value")).to_contain_text(f"{PRESS}/set_point")
    page.keyboard.press("Escape")
    details.get_by_role("button", name="Edit").click()
    expect(page.get_by_role("dialog").get_by_text("The value is that of a point")).to_be_visible()


def test_an_element_is_bound_to_a_point_and_freed_again(visit: Visit, press: None):
    page, _ = visit(at(twin.DATA, "Limits.Low"))
    details = page.get_by_label("Details of the element")
    details.get_by_role("button", name="Bind to a point").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Point", exact=True).fill(f"{PRESS}/set_point")
    page.locator(".ant-select-item-option").filter(has_text="set_point").first.click()
    dialog.get_by_role("button", name="Bind to a point").click()
    reading = page.locator(f'[data-element="Limits.Low"] [data-value="{PRESS}/set_point"]')
    expect(reading).to_have_text(re.compile(r"\d"))
    details.get_by_role("button", name="Bind to a point").click()
    page.get_by_role("dialog").get_by_role("button", name="Unbind").click()
    expect(reading).to_have_count(0)


def test_what_people_changed_is_compared_with_what_was_generated(
    visit: Visit, wire: APIRequestContext
):
    plate = generated("test-hall", PRESS, "Nameplate")
    url = f"/api/v3.1/submodels/{encoded(plate)}/submodel-elements/SerialNumber"
    fresh = twin.prop("SerialNumber", "HP4-418")
    answer = wire.put(url, data=fresh, headers=WRITE)
    assert answer.ok, answer.text()
    page, _ = visit(f"/twins/submodels/{encoded(plate)}")
    page.get_by_role("button", name="Compare this submodel").click()
    page.get_by_role("menuitem", name="With what was generated").click()
    changed = page.locator('[data-diff^="SerialNumber"]').first
    expect(changed).to_contain_text("HP4-418")
    page.goto(f"/twins/submodels/{encoded(plate)}")
    page.get_by_role("button", name="Compare this submodel").click()
    page.get_by_role("menuitem", name="Back to what was generated").click()
    page.get_by_role("dialog").get_by_role("button", name="Back to what was generated").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("HP4-418")).to_have_count(0)


def test_a_document_is_added_to_a_machine(visit: Visit, press: None):
    page, _ = visit(at())
    page.get_by_role("button", name="Add a document").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog.get_by_text("Choose the file.")).to_be_visible()
    dialog.locator("input[type=file]").set_input_files(
        {"name": "lubrication_plan.txt", "mimeType": "text/plain", "buffer": b"every week"}
    )
    expect(dialog.get_by_label("Title")).to_have_value("lubrication plan")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="lubrication plan")).to_be_visible()
    page.locator(".document", has_text="lubrication plan").get_by_role(
        "button", name="Look"
    ).click()
    expect(page.get_by_text("every week")).to_be_visible()


def test_rules_are_read_as_lines_and_put_in_force(visit: Visit, wire: APIRequestContext):
    page, watched = visit("/twins/rules")
    watched.expected = ("/twins/rules",)
    expect(page.get_by_text("No rules: roles and branches decide.")).to_be_visible()
    page.get_by_role("button", name="Begin with an example").click()
    expect(page.get_by_text("READ, VIEW", exact=True)).to_be_visible()
    text = page.get_by_role("textbox", name="Rules as JSON")
    right = text.input_value()
    text.fill(right.replace('"VIEW"', '"FLY"'))
    page.get_by_role("button", name="Save").click()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("FLY")
    text.fill(right)
    page.get_by_role("button", name="Save").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_text("The rules are in force.")).to_be_visible()
    assert wire.put("/api/v1/twins/rules", data={}, headers=WRITE).ok


def test_a_machine_that_a_file_describes_is_connected_and_disconnected(
    visit: Visit, wire: APIRequestContext
):
    known = generated("test-hall", CNC, "AssetInterfacesDescription")
    description = wire.get(f"/api/v3.1/submodels/{encoded(known)}").json()
    description["id"] = "urn:acme:spare:interfaces"
    env = {
        "assetAdministrationShells": [
            twin.shell("Spare", "urn:acme:spare", "urn:acme:asset:spare", description["id"])
        ],
        "submodels": [description],
    }
    page, _ = visit("/twins")
    page.get_by_label("Choose a file to import").set_input_files(
        {"name": "spare.json", "mimeType": "application/json", "buffer": json.dumps(env).encode()}
    )
    page.get_by_role("button", name="Import 2").click()
    page.get_by_role("link", name="AssetInterfacesDescription").click()
    expect(page.locator("[data-connection]")).to_contain_text("opcua")
    page.get_by_role("button", name=re.compile("Connect$")).click()
    expect(page.get_by_text("Connected. The plant follows this description.")).to_be_visible()
    expect(page.locator("[data-connection]")).to_contain_text("connected")
    page.get_by_role("button", name="Disconnect").click()
    page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("Nothing is connected before you confirm.")).to_be_visible()
