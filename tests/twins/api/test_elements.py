"""Elements over HTTP: put in, read in every form, changed, taken out."""

import pytest
from tests.conformance.environment import environment, prop
from tests.twins.api.house import fill

from lineshaft.twins.api.services import Still
from lineshaft.twins.model.identifier import encode_id

SUBMODEL = environment()["submodels"][0]
AT = f"/submodels/{encode_id(SUBMODEL['id'])}/submodel-elements"


@pytest.fixture
async def http(plant):
    async with plant.http() as http:
        await fill(http, {"submodels": [SUBMODEL]})
        yield http


@pytest.mark.parametrize(
    ("parent", "element", "path"),
    [
        ("", prop("New", "1"), "New"),
        ("/Motor.Bearing", prop("New", "1"), "Motor.Bearing.New"),
        ("/Housing", prop("New", "1"), "Housing.New"),
        ("/Stages", {"modelType": "Property", "valueType": "xs:int", "value": "4"}, "Stages[3]"),
    ],
)
async def test_an_element_is_added_where_it_was_sent(http, parent, element, path):
    made = await http.post(AT + parent, json=element)
    assert made.status_code == 201
    assert made.headers["location"].endswith(f"/submodel-elements/{path}")
    assert (await http.get(made.headers["location"].removeprefix("/api/v3.1"))).json() == element


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "", prop("Speed", "1"), 409),
        ("POST", "/Speed", prop("New", "1"), 400),
        ("POST", "/Nowhere", prop("New", "1"), 404),
        ("POST", "/Stages", prop("New", "text"), 400),
        ("POST", "", {"modelType": "Submodel", "id": "x"}, 400),
        ("POST", "", {"modelType": "Property"}, 400),
        ("PUT", "/0", {"modelType": "Capability"}, 400),
        ("PUT", "/Fresh", {"modelType": "Capability"}, 201),
        ("PUT", "/Speed", prop("Speed", "1"), 204),
        ("PUT", "/Speed", prop("Other", "1"), 400),
        ("PUT", "/Stages[9]", {"modelType": "Property", "valueType": "xs:int"}, 404),
        ("PATCH", "/Speed", {"modelType": "Property", "value": "2"}, 204),
        ("PATCH", "/Speed", {"valueType": "xs:wrong"}, 400),
        ("PATCH", "/Speed?level=deep", {"value": "2"}, 400),
        ("PATCH", "/Speed/$metadata", {"category": "CONSTANT"}, 204),
        ("PATCH", "/Speed/$metadata", {"value": "3"}, 400),
        ("PATCH", "/Speed/$value", 3, 204),
        ("PATCH", "/Speed/$value", "fast", 400),
        ("PATCH", "/Motor/$value", {"Power": 3.3}, 204),
        ("PATCH", "/Span/$value", {"min": 1, "max": 2}, 204),
        ("PATCH", "/Pumping/$value", 1, 400),
        ("DELETE", "/Motor.Bearing.Kind", None, 204),
        ("DELETE", "/Motor.Bearing.None", None, 404),
        ("GET", "/Speed/$path", None, 400),
        ("GET", "/Pumping/$metadata", None, 400),
        ("GET", "/Speed/attachment", None, 405),
        ("DELETE", "/Manual/attachment", None, 404),
    ],
)
async def test_every_change_is_done_or_refused_for_its_reason(http, method, path, body, status):
    before = (await http.get(AT)).json()
    answer = await http.request(method, AT + path, json=body)
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert (await http.get(AT)).json() == before


async def test_blobs_travel_only_when_asked_for(http):
    assert "value" not in (await http.get(f"{AT}/Curve")).json()
    full = await http.get(f"{AT}/Curve?extent=withBlobValue")
    assert full.json()["value"] == "AAECAw=="
    whole = (await http.get(AT.removesuffix("/submodel-elements"))).json()
    assert not any(e.get("value") == "AAECAw==" for e in whole["submodelElements"])


async def test_a_whole_submodel_takes_values_at_once(http):
    at = AT.removesuffix("/submodel-elements") + "/$value"
    values = (await http.get(at)).json()
    assert (values["Speed"], values["Stages"]) == (1450, [1, 2, 3])
    assert (await http.patch(at, json={"Speed": 7, "Stages": [4, 5, 6]})).status_code == 204
    assert (await http.get(at)).json() == values | {"Speed": 7, "Stages": [4, 5, 6]}


async def test_a_stale_reader_moves_no_machine(plant, http):
    class Machine(Still):
        async def set_values(self, who, submodel_id, steps, value):
            raise AssertionError("the machine was moved")

    plant.twins.living = Machine()
    late = {"If-Match": '"0"'}
    answer = await http.patch(f"{AT}/Speed/$value", json=7, headers=late)
    assert answer.status_code == 412


async def test_what_machines_took_is_not_kept(plant, http):
    class Machine(Still):
        async def set_values(self, who, submodel_id, steps, value):
            return {("Motor", "Power")}

    plant.twins.living = Machine()
    new = {"Power": 9.9, "Bearing": {"Kind": "6205"}}
    assert (await http.patch(f"{AT}/Motor/$value", json=new)).status_code == 204
    assert (await http.get(f"{AT}/Motor/$value")).json() == new | {"Power": 2.2}


async def test_an_attachment_comes_back_as_it_was_and_never_as_a_page(http):
    page = b"<script>alert(1)</script>"
    form = {"file": ("näme.html", page, "text/html")}
    assert (await http.put(f"{AT}/Manual/attachment", files=form)).status_code == 204
    answer = await http.get(f"{AT}/Manual/attachment")
    assert answer.content == page
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")
    known = {"If-None-Match": answer.headers["etag"]}
    assert (await http.get(f"{AT}/Manual/attachment", headers=known)).status_code == 304
    head = await http.head(f"{AT}/Manual/attachment")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(page)))
    element = (await http.get(f"{AT}/Manual")).json()
    assert element["contentType"] == "text/html"
    assert (await http.delete(f"{AT}/Manual/attachment")).status_code == 200
    assert (await http.get(f"{AT}/Manual/attachment")).status_code == 404


async def test_an_odd_type_of_a_file_does_not_spoil_the_document(http):
    form = {"file": ("a.bin", b"1", "no type at all")}
    assert (await http.put(f"{AT}/Manual/attachment", files=form)).status_code == 204
    whole = (await http.get(AT.removesuffix("/submodel-elements"))).json()
    assert (await http.put(AT.removesuffix("/submodel-elements"), json=whole)).status_code == 204


async def test_a_form_without_a_file_or_with_two_is_refused(http):
    two = [("file", ("a", b"1")), ("file", ("b", b"2"))]
    for what in ({"files": two}, {"files": {"other": ("a", b"1")}}, {"json": {}}):
        answer = await http.put(f"{AT}/Manual/attachment", **what)
        assert answer.status_code in (400, 415), answer.text
