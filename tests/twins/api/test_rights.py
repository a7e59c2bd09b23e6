"""Who may see and change what, over HTTP."""

import pytest
from tests.conformance.environment import environment, prop, submodel
from tests.twins.api.house import PEOPLE, fill, house

from lineshaft.core.access import SYSTEM, Action
from lineshaft.twins import Class
from lineshaft.twins.documents import Write
from lineshaft.twins.model.identifier import encode_id

HALL = {"acme/hall-1": "urn:s:hall-1", "acme/hall-2": "urn:s:hall-2"}


@pytest.fixture
async def halls(plant):
    """One submodel in each of two halls, and one that belongs to no asset."""
    for path, id_ in HALL.items():
        obj = submodel(id_, "Small", [prop("Note", "none")])
        await plant.twins.documents.commit(
            PEOPLE["engineer"], Write(class_=Class.SUBMODEL, id=id_, obj=obj, path=path)
        )
    async with plant.http() as http:
        await fill(http, {"submodels": [submodel("urn:s:free", "Small", [prop("Note", "none")])]})
    return plant


async def test_a_guest_sees_the_own_branch_and_the_rest_does_not_exist(halls):
    async with halls.http("guest") as http:
        listed = (await http.get("/submodels")).json()["result"]
        assert [s["id"] for s in listed] == ["urn:s:hall-2"]
        found = (await http.get("/submodel-descriptors")).json()["result"]
        assert [s["id"] for s in found] == ["urn:s:hall-2"]
        for id_, read in (("urn:s:hall-2", 200), ("urn:s:hall-1", 404), ("urn:s:free", 404)):
            at = f"/submodels/{encode_id(id_)}"
            for path in (at, f"{at}/$value", f"{at}/submodel-elements/Note"):
                assert (await http.get(path)).status_code == read, path
            assert (await http.delete(at)).status_code == (204 if read == 200 else 404)
        condition = {"$eq": [{"$field": "$sm#idShort"}, {"$strVal": "Small"}]}
        asked = await http.post("/query/submodels", json={"$condition": condition})
        assert asked.json()["result"] == []


async def test_in_bulk_what_may_not_be_seen_answers_as_what_is_not_there(plant):
    hidden = {"id": "urn:d:hall-1", "idShort": "Hidden", "endpoints": []}
    kind = Class.SUBMODEL_DESCRIPTOR
    engineer = PEOPLE["engineer"]
    for path, id_ in (("acme/hall-1", "urn:d:hall-1"), ("acme/hall-2", "urn:d:hall-2")):
        new = Write(class_=kind, id=id_, obj=hidden | {"id": id_}, path=path)
        await plant.twins.documents.commit(engineer, new)

    async def told(http, ids):
        answer = await http.request("DELETE", "/bulk/submodel-descriptors", json=ids)
        assert answer.status_code == 202
        at = answer.headers["location"].removeprefix("/api/v3.1")
        result = await http.get(at.replace("/status/", "/result/"))
        return result.status_code, [m["text"] for m in result.json()["messages"]]

    async with plant.http("guest") as http:
        of_hidden = await told(http, ["urn:d:hall-2", "urn:d:hall-1"])
        of_none = await told(http, ["urn:d:hall-2", "urn:d:none"])
        status, texts = of_hidden
        assert (status, [t.replace("hall-1", "none") for t in texts]) == of_none
        for method, status in (("POST", 403), ("PUT", 403)):
            answers = [
                await http.request(method, "/bulk/submodel-descriptors", json=[registered(id_)])
                for id_ in ("urn:d:hall-1", "urn:d:none")
            ]
            assert [a.status_code for a in answers] == [status, status]
    for id_ in ("urn:d:hall-1", "urn:d:hall-2"):
        assert await plant.twins.documents.get(kind, id_)


def registered(id_):
    interface = {"interface": "SUBMODEL-3.1", "protocolInformation": {"href": "http://h/x"}}
    return {"id": id_, "idShort": "New", "endpoints": [interface]}


async def test_refusals_are_on_record(tmp_path):
    told = []
    async with house(tmp_path, denied=lambda *what: told.append(what)) as plant:
        async with plant.http() as http:
            await fill(
                http, {"submodels": [submodel("urn:s:free", "Small", [prop("Note", "none")])]}
            )
        at = f"/submodels/{encode_id('urn:s:free')}"
        async with plant.http("viewer") as http:
            note = f"{at}/submodel-elements/Note/$value"
            assert (await http.patch(note, json="x")).status_code == 403
            assert (await http.delete(at)).status_code == 403
            assert (await http.get(at)).status_code == 200
    assert [(who.name, action, path) for who, action, path, _ in told] == [
        ("vera", Action.WRITE, f"/api/v3.1{note}"),
        ("vera", Action.CONFIGURE, f"/api/v3.1{at}"),
    ]


@pytest.mark.parametrize(
    ("who", "value", "other"),
    [("viewer", 403, 403), ("operator", 204, 403), ("engineer", 204, 204)],
)
async def test_operators_set_values_and_engineers_change_what_there_is(halls, who, value, other):
    at = f"/submodels/{encode_id('urn:s:free')}"
    async with halls.http(who) as http:
        assert (
            await http.patch(f"{at}/submodel-elements/Note/$value", json="x")
        ).status_code == value
        changed = await http.put(f"{at}/submodel-elements/Note", json=prop("Note", "y"))
        assert changed.status_code == other


async def test_with_rules_nothing_is_seen_that_no_rule_gives(plant):
    async with plant.http() as http:
        await fill(http, environment())
        at = f"/submodels/{encode_id('urn:lineshaft:submodel:1:a')}"
        rules = {
            "AllAccessPermissionRules": {
                "rules": [
                    {
                        "ACL": {
                            "ATTRIBUTES": [{"GLOBAL": "ANONYMOUS"}],
                            "RIGHTS": ["READ"],
                            "ACCESS": "ALLOW",
                        },
                        "OBJECTS": [
                            {"REFERABLE": '$sme("urn:lineshaft:submodel:1:a").Motor'},
                        ],
                        "FORMULA": {"$boolean": True},
                    }
                ]
            }
        }
        await plant.twins.access.replace(SYSTEM, rules)
        seen = (await http.get(at)).json()
        assert [e["idShort"] for e in seen["submodelElements"]] == ["Motor"]
        assert (await http.get(f"{at}/submodel-elements/Speed")).status_code == 404
        assert (await http.get("/shells")).json()["result"] == []


@pytest.mark.parametrize(
    "place", ["submodel-descriptors", "submodels", "query/submodel-descriptors", "lookup/shells"]
)
async def test_lists_go_on_behind_what_is_hidden_however_much_that_is(plant, place):
    class_ = Class.SHELL if place == "lookup/shells" else Class.SUBMODEL
    hidden = [f"urn:{n:03}" for n in range(60)]
    for id_ in (*hidden, "urn:z:seen"):
        obj = {"modelType": "Submodel", "id": id_}
        if class_ is Class.SHELL:
            obj = {
                "modelType": "AssetAdministrationShell",
                "id": id_,
                "assetInformation": {"assetKind": "Instance", "globalAssetId": id_},
            }
        await plant.twins.documents.commit(SYSTEM, Write(class_=class_, id=id_, obj=obj))
    root = "$aas" if class_ is Class.SHELL else "$sm"
    rule = {
        "ACL": {
            "ATTRIBUTES": [{"GLOBAL": "ANONYMOUS"}],
            "RIGHTS": ["READ"],
            "ACCESS": "ALLOW",
        },
        "OBJECTS": [{"ROUTE": "*"}],
        # The index cannot answer a pattern.
        "FORMULA": {"$regex": [{"$field": f"{root}#id"}, {"$strVal": "^urn:z:.+$"}]},
    }
    await plant.twins.access.replace(SYSTEM, {"AllAccessPermissionRules": {"rules": [rule]}})
    found, cursor = [], ""
    async with plant.http("viewer") as http:
        if place == "submodels":
            assert (await http.get("/submodel")).json()["id"] == "urn:z:seen"
        for _ in range(70):
            params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
            if place.startswith("query"):
                body = {"$condition": {"$boolean": True}}
                answer = await http.post(f"/{place}", params=params, json=body)
            else:
                answer = await http.get(f"/{place}", params=params)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += [d if isinstance(d, str) else d["id"] for d in page["result"]]
            cursor = page["paging_metadata"].get("cursor", "")
            if not cursor:
                break
    assert found == ["urn:z:seen"]
    assert not cursor


async def test_places_in_a_list_are_the_same_for_who_may_not_see_all_of_it(plant):
    values = [{"modelType": "Property", "valueType": "xs:int", "value": str(n)} for n in range(3)]
    whole = {
        "modelType": "SubmodelElementList",
        "idShort": "Numbers",
        "typeValueListElement": "Property",
        "valueTypeListElement": "xs:int",
        "value": values,
    }
    rule = {
        "ACL": {
            "ATTRIBUTES": [{"GLOBAL": "ANONYMOUS"}],
            "RIGHTS": ["READ"],
            "ACCESS": "ALLOW",
        },
        "OBJECTS": [{"REFERABLE": '$sme("urn:s:list").Numbers[1]'}],
        "FORMULA": {"$boolean": True},
    }
    async with plant.http() as http:
        await fill(http, {"submodels": [submodel("urn:s:list", "Small", [whole])]})
        await plant.twins.access.replace(SYSTEM, {"AllAccessPermissionRules": {"rules": [rule]}})
        at = f"/submodels/{encode_id('urn:s:list')}/submodel-elements"
        (seen,) = (await http.get(f"{at}/Numbers")).json()["value"]
        assert seen["value"] == "1"
        assert (await http.get(f"{at}/Numbers[1]/$value")).json() == 1
        told = [(await http.get(f"{at}/Numbers[{n}]")) for n in (0, 2, 7)]
        assert [t.status_code for t in told] == [404, 404, 404]
        texts = {t.json()["messages"][0]["text"].replace("[0]", "[7]") for t in (told[0], told[2])}
        assert len(texts) == 1
