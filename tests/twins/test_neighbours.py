"""What engineers of one branch cannot reach in another, whatever they bring in."""

from contextlib import asynccontextmanager

import msgspec
import pytest
from tests.twins.living.plants import plant, publish, until

from lineshaft.twins.model.identifier import encode_id

PLATE = "urn:lineshaft:lineshaft:submodel/acme/hall/saw/Nameplate"
DATA = "urn:lineshaft:lineshaft:submodel/acme/hall/saw/OperationalData"


def at(id_, path=""):
    return f"/api/v3.1/submodels/{encode_id(id_)}{path}"


def submodel(id_, *names):
    elements = [{"modelType": "Property", "idShort": n, "valueType": "xs:double"} for n in names]
    return {"modelType": "Submodel", "id": id_, "submodelElements": elements}


async def bring(http, *submodels, **more):
    """Import them; the identifier of the import."""
    body = msgspec.json.encode({"submodels": submodels})
    answer = await http.post("/api/v1/twins/import", content=body, **more)
    assert answer.is_success, answer.text
    return answer.json()["id"]


@asynccontextmanager
async def yard(folder):
    """A plant, its administrator's client, and what an engineer of acme/yard sends along."""
    async with plant(folder) as (made, http):
        wish = {"name": "yard", "actions": ["look", "configure"], "branches": ["acme/yard"]}
        word = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
        yield made, http, {"headers": {"Authorization": f"Bearer {word}"}}


async def test_who_takes_the_identifier_of_a_twin_to_come_sees_no_values_of_it(tmp_path):
    async with yard(tmp_path) as (made, http, theirs):
        await bring(http, submodel(DATA, "speed"), params={"branch": "acme/yard"}, **theirs)
        await publish(made, ("acme/hall/saw/speed", 77.0))

        async def grown():
            return (await http.get(at(PLATE))).is_success

        await until(grown)
        answer = await http.get(at(DATA, "/$value"), **theirs)
        assert answer.status_code == 200
        assert "77" not in answer.text


@pytest.mark.parametrize("place", ["submodels", "packages"])
async def test_a_hidden_document_answers_a_change_as_one_that_is_not_there(tmp_path, place):
    async with yard(tmp_path) as (_, http, theirs):

        async def put(id_, **more):
            url = f"/api/v3.1/{place}/{encode_id(id_)}"
            if place == "packages":
                return await http.put(url, files={"file": ("a.aasx", b"x")}, **more)
            return await http.put(url, json=submodel(id_, "speed"), **more)

        assert (await put("urn:there")).status_code == 201
        there, nowhere = await put("urn:there", **theirs), await put("urn:nowhere", **theirs)
        assert there.status_code == nowhere.status_code
        told = [a.json()["messages"][0]["text"] for a in (there, nowhere)]
        assert told[0].replace("urn:there", "urn:nowhere") == told[1]


async def test_undo_does_not_remove_what_was_made_anew_under_the_same_identifier(tmp_path):
    async with plant(tmp_path) as (_, http):
        receipt = await bring(http, submodel("urn:own", "old"))
        assert (await http.delete(at("urn:own"))).is_success
        assert (await http.post("/api/v3.1/submodels", json=submodel("urn:own", "new"))).is_success
        undone = await http.post(f"/api/v1/twins/imports/{receipt}/undo")
        assert undone.status_code == 409, undone.text
        assert (await http.get(at("urn:own"))).json() == submodel("urn:own", "new")


async def test_who_takes_the_identifier_of_a_deleted_twin_sees_no_values_bound_to_it(tmp_path):
    async with yard(tmp_path) as (made, http, theirs):
        await publish(made, ("acme/hall/saw/speed", 77.0), ("acme/yard/gate", 1.0))
        await bring(http, submodel("urn:own", "speed"), params={"branch": "acme/yard"})
        bound = {"submodel": "urn:own", "path": "speed", "point": "acme/hall/saw/speed"}
        assert (await http.put("/api/v1/twins/bindings", json=bound)).is_success
        # So the administrator wanted it: the yard is shown how fast the saw runs.
        assert (await http.get(at("urn:own", "/$value"), **theirs)).json() == {"speed": 77.0}

        await bring(http, submodel("urn:other", "speed"), params={"branch": "acme/hall"})
        assert (
            await http.put("/api/v1/twins/bindings", json=bound | {"submodel": "urn:other"})
        ).is_success
        assert (await http.delete(at("urn:other"))).is_success
        await bring(http, submodel("urn:other", "speed"), params={"branch": "acme/yard"}, **theirs)
        answer = await http.get(at("urn:other", "/$value"), **theirs)
        assert answer.status_code == 200
        assert "77" not in answer.text


async def test_what_happens_to_an_element_that_rules_hide_is_not_told(tmp_path):
    async with yard(tmp_path) as (_, http, _):
        made = submodel("urn:own", "open", "shut")
        assert (await http.post("/api/v3.1/submodels", json=made)).status_code == 201
        for name in ("open", "shut"):
            url = at("urn:own", f"/submodel-elements/{name}/$value")
            assert (await http.patch(url, json=1.0)).status_code == 204
        rule = {
            "ACL": {"ATTRIBUTES": [{"GLOBAL": "ANONYMOUS"}], "RIGHTS": ["READ"], "ACCESS": "ALLOW"},
            "OBJECTS": [{"REFERABLE": '$sme("urn:own").open'}],
            "FORMULA": {"$boolean": True},
        }
        rules = {"AllAccessPermissionRules": {"rules": [rule]}}
        assert (await http.put("/api/v1/twins/rules", json=rules)).is_success
        wish = {"name": "all", "actions": ["look"], "branches": [""]}
        word = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
        answer = await http.get("/api/v1/twins/events", headers={"Authorization": f"Bearer {word}"})
        told = {
            e["data"].get("idShortPath") for e in answer.json() if e.get("subject") == "urn:own"
        }
        assert told == {None, "open"}


async def test_an_asset_identifier_that_rules_hide_finds_no_shell(tmp_path):
    ids = [{"name": "open", "value": "1"}, {"name": "shut", "value": "2"}]
    asset = {"assetKind": "Instance", "globalAssetId": "urn:g", "specificAssetIds": ids}
    shell = {"modelType": "AssetAdministrationShell", "id": "urn:s", "assetInformation": asset}
    held = "$aas#assetInformation.specificAssetIds[]"
    rule = {
        "ACL": {"ATTRIBUTES": [{"GLOBAL": "ANONYMOUS"}], "RIGHTS": ["READ"], "ACCESS": "ALLOW"},
        "OBJECTS": [{"IDENTIFIABLE": '$aas("urn:s")'}],
        "FORMULA": {"$boolean": True},
        "FILTERLIST": [
            {
                "FRAGMENT": held,
                "CONDITION": {"$eq": [{"$field": f"{held}.name"}, {"$strVal": "open"}]},
            }
        ],
    }
    async with plant(tmp_path) as (_, http):
        assert (await http.post("/api/v3.1/shells", json=shell)).status_code == 201
        rules = {"AllAccessPermissionRules": {"rules": [rule]}}
        assert (await http.put("/api/v1/twins/rules", json=rules)).is_success
        wish = {"name": "all", "actions": ["look"], "branches": [""]}
        word = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
        theirs = {"headers": {"Authorization": f"Bearer {word}"}}
        for link, count in zip(ids, (1, 0), strict=True):
            asked = {"assetIds": encode_id(msgspec.json.encode(link).decode())}
            for place in ("shells", "lookup/shells", "shells/$reference"):
                answer = await http.get(f"/api/v3.1/{place}", params=asked, **theirs)
                assert len(answer.json()["result"]) == count, (place, answer.text)
            url = "/api/v3.1/lookup/shellsByAssetLink"
            answer = await http.post(url, json=[link], **theirs)
            assert len(answer.json()["result"]) == count


async def test_a_submodel_that_may_not_be_added_leaves_no_reference_behind(tmp_path):
    shell = {
        "modelType": "AssetAdministrationShell",
        "id": "urn:s",
        "assetInformation": {"assetKind": "Instance", "globalAssetId": "urn:g"},
    }
    async with yard(tmp_path) as (_, http, theirs):
        body = msgspec.json.encode({"assetAdministrationShells": [shell]})
        await http.post("/api/v1/twins/import", content=body, params={"branch": "acme/yard"})
        url = f"/api/v3.1/shells/{encode_id('urn:s')}"
        below = f"{url}/submodels/{encode_id('urn:own')}"
        assert (
            await http.put(below, json=submodel("urn:own", "speed"), **theirs)
        ).status_code == 403
        assert (await http.get(url)).json() == shell
