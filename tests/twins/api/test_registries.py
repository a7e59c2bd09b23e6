"""Registries, discovery, packages, bulk and queries over HTTP."""

import json

import pytest
from tests.conformance.environment import environment
from tests.twins.api.house import fill

from lineshaft.twins.model.identifier import encode_id

SHELL, OTHER = "urn:lineshaft:shell:1", "urn:elsewhere:shell"
ENDPOINT = {"interface": "AAS-3.1", "protocolInformation": {"href": "https://elsewhere.example"}}


def registered(id_: str, **more) -> dict:
    return {"id": id_, "endpoints": [ENDPOINT], **more}


@pytest.fixture
async def http(plant):
    async with plant.http() as http:
        await fill(http, environment())
        yield http


async def test_what_is_served_is_registered_by_itself_and_reached_by_its_address(plant, http):
    all_ = (await http.get("/shell-descriptors")).json()["result"]
    assert [d["id"] for d in all_] == ["urn:lineshaft:shell:1", "urn:lineshaft:shell:2"]
    assert len(all_[0]["submodelDescriptors"]) == 2
    href = all_[0]["endpoints"][0]["protocolInformation"]["href"]
    assert href.startswith(plant.url)
    assert (await http.get(href)).json()["id"] == SHELL


async def test_registered_descriptors_stand_among_the_others_and_go_before_them(http):
    assert (await http.post("/shell-descriptors", json=registered(OTHER))).status_code == 201
    own = registered(SHELL, idShort="Mine")
    assert (await http.post("/shell-descriptors", json=own)).status_code == 201
    seen, cursor = [], ""
    while True:
        page = (await http.get(f"/shell-descriptors?limit=1&cursor={cursor}")).json()
        seen += page["result"]
        cursor = page["paging_metadata"].get("cursor", "")
        if not cursor:
            break
    assert [d["id"] for d in seen] == [OTHER, SHELL, "urn:lineshaft:shell:2"]
    assert seen[1] == own
    at = f"/shell-descriptors/{encode_id(SHELL)}"
    assert [(await http.delete(at)).status_code for _ in range(2)] == [204, 400]
    assert (await http.get(at)).json()["idShort"] == "Pump1"


async def test_submodels_are_registered_below_a_shell(http):
    at = f"/shell-descriptors/{encode_id(SHELL)}/submodel-descriptors"
    new = registered("urn:new")
    made = await http.post(at, json=new)
    assert made.status_code == 201
    assert (await http.get(made.headers["location"].removeprefix("/api/v3.1"))).json() == new
    assert (await http.post(at, json=new)).status_code == 409
    one = f"{at}/{encode_id('urn:new')}"
    assert (await http.put(one, json=new)).status_code == 204
    assert [(await http.delete(one)).status_code for _ in range(2)] == [204, 404]
    assert len((await http.get(at)).json()["result"]) == 2


async def test_assets_lead_to_shells_here_and_elsewhere(http):
    links = [{"name": "serial", "value": "S-1"}]
    at = f"/lookup/shells/{encode_id(OTHER)}"
    assert (await http.post(at, json=links)).status_code == 201
    found = (await http.post("/lookup/shellsByAssetLink", json=links)).json()["result"]
    assert found == [OTHER, SHELL]
    both = [*links, {"name": "globalAssetId", "value": "urn:lineshaft:asset:1"}]
    assert (await http.post("/lookup/shellsByAssetLink", json=both)).json()["result"] == [SHELL]
    asked = [("assetIds", encode_id(json.dumps(link))) for link in both]
    assert (await http.get("/lookup/shells", params=asked)).json()["result"] == [SHELL]
    assert (await http.get(at)).json() == links
    assert [(await http.delete(at)).status_code for _ in range(2)] == [204, 404]
    assert (await http.delete(f"/lookup/shells/{encode_id(SHELL)}")).status_code == 409


async def test_packages_come_back_byte_for_byte(http):
    form = {"file": ("plant.aasx", b"PK\x03\x04", "application/octet-stream")}
    made = await http.post("/packages", files=form, data={"aasIds": SHELL})
    assert made.json()["aasIds"] == [SHELL]
    got = await http.get(made.headers["location"].removeprefix("/api/v3.1"))
    assert (got.content, got.headers["x-filename"]) == (b"PK\x03\x04", "plant.aasx")
    listed = await http.get("/packages", params={"aasId": encode_id(SHELL)})
    assert listed.json()["result"] == [made.json()]
    assert (await http.get("/packages", params={"aasId": encode_id(OTHER)})).json()["result"] == []


async def test_a_package_that_is_not_there_fits_no_tag(http):
    form = {"file": ("plant.aasx", b"PK\x03\x04", "application/octet-stream")}
    at = f"/packages/{encode_id('urn:package')}"
    assert (await http.put(at, files=form, headers={"If-Match": "*"})).status_code == 404
    assert (await http.get("/packages")).json()["result"] == []
    made = await http.put(at, files=form)
    assert made.status_code == 201
    tag = {"If-Match": made.headers["etag"]}
    assert (await http.put(at, files=form, headers=tag)).status_code == 204
    assert (await http.put(at, files=form, headers=tag)).status_code == 412


async def test_bulk_does_all_or_nothing(http):
    async def sent(method: str, body: list) -> int:
        answer = await http.request(method, "/bulk/shell-descriptors", json=body)
        assert answer.status_code == 202, answer.text
        status = await http.get(answer.headers["location"].removeprefix("/api/v3.1"))
        assert status.status_code == 302
        result = await http.get(status.headers["location"].removeprefix("/api/v3.1"))
        return result.status_code

    assert await sent("POST", [registered("urn:a"), registered("urn:b")]) == 204
    assert await sent("POST", [registered("urn:c"), registered("urn:a")]) == 400
    assert (await http.get(f"/shell-descriptors/{encode_id('urn:c')}")).status_code == 404
    assert await sent("DELETE", ["urn:a", "urn:none"]) == 400
    assert await sent("DELETE", ["urn:a", "urn:b"]) == 204
    refused = await http.post("/bulk/shell-descriptors", json=[{"id": "urn:a", "endpoints": []}])
    assert refused.status_code == 400


@pytest.mark.parametrize(
    ("place", "field", "value", "found"),
    [
        ("shells", "$aas#idShort", "Pump1", [SHELL]),
        ("submodels", "$sme.Motor.Bearing.Kind#value", "6204", 2),
        ("concept-descriptions", "$cd#idShort", "SpeedConcept", 1),
        ("shell-descriptors", "$aasdesc#idShort", "Pump1", [SHELL]),
        ("submodel-descriptors", "$smdesc#idShort", "Small", 2),
    ],
)
async def test_questions_are_answered_by_documents_or_identifiers(http, place, field, value, found):
    condition = {"$eq": [{"$field": field}, {"$strVal": value}]}
    whole = (await http.post(f"/query/{place}", json={"$condition": condition})).json()
    ids = [d["id"] for d in whole["result"]]
    assert ids == found if isinstance(found, list) else len(ids) == found
    assert whole["paging_metadata"]["resultType"]
    question = {"$select": "id", "$condition": condition}
    chosen = (await http.post(f"/query/{place}", json=question)).json()["result"]
    assert [c["id"] if isinstance(c, dict) else c for c in chosen] == ids
    assert (await http.post(f"/query/{place}", json={"$condition": {"$no": 1}})).status_code == 400


async def test_a_serialization_below_a_shell_or_submodel_is_of_it_alone(http):
    at = f"/shells/{encode_id(SHELL)}/serialization"
    got = (await http.get(at)).json()
    assert [s["id"] for s in got["assetAdministrationShells"]] == [SHELL]
    own = ["urn:lineshaft:submodel:1:a", "urn:lineshaft:submodel:1:b"]
    assert [s["id"] for s in got["submodels"]] == own
    assert not got.get("conceptDescriptions")  # none of it says that it means that concept
    one = (await http.get(at, params={"submodelIds": encode_id(own[1])})).json()
    assert [s["id"] for s in one["submodels"]] == own[1:]
    other = {"submodelIds": encode_id("urn:lineshaft:submodel:2:a")}
    assert (await http.get(at, params=other)).status_code == 404
    small = (await http.get(f"/submodels/{encode_id(own[1])}/serialization")).json()
    assert [s["id"] for s in small["submodels"]] == own[1:]
    assert not small.get("assetAdministrationShells")
    for missing in (f"/shells/{encode_id('urn:none')}", f"/submodels/{encode_id('urn:none')}"):
        assert (await http.get(f"{missing}/serialization")).status_code == 404


async def test_a_serialization_holds_what_is_named_and_no_more(http):
    one = {"aasIds": encode_id(SHELL)}
    got = await http.get("/serialization", params=one, headers={"Accept": "application/json"})
    assert [s["id"] for s in got.json()["assetAdministrationShells"]] == [SHELL]
    assert not got.json().get("submodels")
    everything = (await http.get("/serialization")).json()
    assert [len(v) for v in everything.values()] == [2, 4, 1]
    xml = await http.get("/serialization", headers={"Accept": "application/xml"})
    assert (xml.headers["content-type"], xml.content[:5]) == ("application/xml", b"<?xml")
    media = "application/asset-administration-shell-package+xml"
    package = await http.get("/serialization", headers={"Accept": media})
    assert (package.headers["content-type"], package.content[:2]) == (media, b"PK")
