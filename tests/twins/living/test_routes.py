"""Bindings, history, and the way back to what was generated, on a running plant."""

import msgspec
from tests.twins.living.plants import plant, publish, until

from lineshaft.core.access import SYSTEM
from lineshaft.twins import Class
from lineshaft.twins.model.identifier import encode_id
from lineshaft.twins.plug import Binding

PRESS = "acme/hall/press"
BASE = "urn:lineshaft:lineshaft:"
DATA = f"{BASE}submodel/{PRESS}/OperationalData"
PLATE = f"{BASE}submodel/{PRESS}/Nameplate"
OWN = {
    "modelType": "Submodel",
    "id": "urn:own",
    "submodelElements": [
        {"modelType": "Property", "idShort": "Oil", "valueType": "xs:double"},
        {"modelType": "Capability", "idShort": "Pressing"},
    ],
}


def at(id_, path=""):
    return f"/api/v3.1/submodels/{encode_id(id_)}{path}"


async def grown(http, id_=DATA):
    async def there():
        return (await http.get(at(id_))).is_success

    await until(there)


async def test_the_past_of_an_element_is_that_of_its_point(tmp_path):
    async with plant(tmp_path) as (made, http):
        for value in (1.5, 2.5, 3.5):
            await publish(made, (f"{PRESS}/oil", value))
        await publish(made, (f"{PRESS}/state", "running"))
        await grown(http)
        asked = {"submodel": DATA, "path": "oil", "limit": 2}
        past = (await http.get("/api/v1/twins/history", params=asked)).json()
        assert [m["value"] for m in past["items"]] == [1.5, 2.5]
        assert past["items"][0]["quality"] == "Good"
        rest = await http.get("/api/v1/twins/history", params=asked | {"start": past["next"]})
        assert [m["value"] for m in rest.json()["items"]] == [3.5]
        assert rest.json().get("next", "") == ""
        text = await http.get("/api/v1/twins/history", params=asked | {"path": "state"})
        assert text.json()["items"][0]["value"] == "running"
        for params, status in (
            ({"path": "none"}, 404),
            ({"submodel": "urn:none"}, 404),
            ({"start": "noon"}, 400),
            ({"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}, 400),
        ):
            answer = await http.get("/api/v1/twins/history", params=asked | params)
            assert answer.status_code == status, answer.text


async def test_people_bind_elements_of_their_own_and_unbind_them(tmp_path):
    bound = {"submodel": "urn:own", "path": "Oil", "point": f"{PRESS}/oil"}
    oil = at("urn:own", "/submodel-elements/Oil/$value")
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5))
        assert (await http.post("/api/v3.1/submodels", json=OWN)).status_code == 201
        for wrong, status in (
            ({"path": "Pressing"}, 400),
            ({"path": "None"}, 404),
            ({"point": "acme/none"}, 404),
            ({"submodel": "urn:none"}, 404),
        ):
            answer = await http.put("/api/v1/twins/bindings", json=bound | wrong)
            assert answer.status_code == status, answer.text
        assert (await http.put("/api/v1/twins/bindings", json=bound)).is_success
        assert (await http.get(oil)).json() == 61.5
    async with plant(tmp_path) as (_, http):
        listed = await http.get("/api/v1/twins/bindings", params={"submodel": "urn:own"})
        assert listed.json()["items"] == [bound]
        assert (await http.get(oil)).json() == 61.5
        gone = {"submodel": "urn:own", "path": "Oil"}
        assert (await http.delete("/api/v1/twins/bindings", params=gone)).is_success
        assert (await http.get(oil)).json() is None
        assert (await http.delete("/api/v1/twins/bindings", params=gone)).status_code == 404


async def test_an_element_shows_what_a_script_works_out_and_cannot_be_set(tmp_path):
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5), (f"{PRESS}/strokes", 7))
        await grown(http, DATA)
        note = {"modelType": "Property", "idShort": "Sum", "valueType": "xs:double", "value": "0"}
        posted = await http.post(at(DATA, "/submodel-elements"), json=note)
        assert posted.status_code == 201
        script = Binding(
            submodel=DATA,
            path="Sum",
            point=f"{PRESS}/oil",
            branch=PRESS,
            script="function aimc_main(s) return { sum = s.a + s.b } end",
            inputs=(("a", f"{PRESS}/oil"), ("b", f"{PRESS}/strokes")),
            sink="sum",
        )
        await made.life.bindings.bind(SYSTEM, "urn:aid", (script,))
        total = at(DATA, "/submodel-elements/Sum/$value")
        assert (await http.get(total)).json() == 68.5
        await publish(made, (f"{PRESS}/strokes", 8))

        async def follows():
            return (await http.get(total)).json() == 69.5

        await until(follows)
        assert (await http.patch(total, json=70)).status_code == 422
        assert (await http.patch(total, json=69.5)).status_code == 204
        whole = await http.patch(at(DATA, "/$value"), json={"Sum": 70})
        assert whole.status_code == 422
        # Nobody brings a script along with a binding of their own.
        sent = msgspec.json.encode(msgspec.structs.replace(script, path="oil"))
        bound = await http.put("/api/v1/twins/bindings", content=sent)
        assert bound.is_success, bound.text
        assert not made.life.bindings.kept(f"people {DATA}#oil")[0].script


async def test_what_people_changed_is_shown_and_can_be_undone(tmp_path):
    code = at(PLATE, "/submodel-elements/OrderCodeOfManufacturer/$value")
    city = at(PLATE, "/submodel-elements/AddressInformation.CityTown")
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5))
        await grown(http, PLATE)
        before = (await http.get(at(PLATE))).json()
        assert (await http.patch(code, json="P-4711")).is_success
        assert (await http.delete(city)).is_success
        asked = {"id": PLATE, "class": "submodels"}
        shown = (await http.get("/api/v1/twins/generated", params=asked)).json()
        assert shown["changed"] == ["OrderCodeOfManufacturer"]
        assert shown["removed"] == ["AddressInformation.CityTown"]
        assert shown["base"] == before
        assert (await http.post("/api/v1/twins/reset", json=asked)).status_code == 204
        assert (await http.get(at(PLATE))).json() == before
        none = await http.get("/api/v1/twins/generated", params={"id": "urn:none"})
        assert none.status_code == 404


async def test_a_document_that_people_deleted_stays_deleted_until_it_is_asked_back(tmp_path):
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5))
        await grown(http, PLATE)
        assert (await http.delete(at(PLATE))).is_success
        assert (await http.delete(at(DATA))).is_success
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/strokes", 7))  # so that the press is generated anew

        async def renewed():
            series = await http.get(at(f"{BASE}submodel/{PRESS}/TimeSeries"))
            return "strokes" in series.text

        await until(renewed)
        assert (await http.get(at(DATA))).status_code == 404
        assert (await http.get(at(PLATE))).status_code == 404
        shown = await http.get("/api/v1/twins/generated", params={"id": PLATE})
        assert shown.json()["deleted"] is True
        assert (await http.post("/api/v1/twins/reset", json={"id": PLATE})).status_code == 204
        assert (await http.get(at(PLATE))).is_success
        kept = made.life.services.documents
        assert await kept.path_of(Class.SUBMODEL, PLATE) == PRESS


async def test_nobody_learns_of_twins_beyond_their_branches(tmp_path):
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5), ("acme/yard/gate", 1.0))
        await grown(http)
        wish = {"name": "yard", "actions": ["look", "configure"], "branches": ["acme/yard"]}
        word = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
        theirs = {"headers": {"Authorization": f"Bearer {word}"}}
        bound = {"submodel": DATA, "path": "oil", "point": "acme/yard/gate"}
        for method, path, more in (
            ("GET", "history", {"params": {"submodel": DATA, "path": "oil"}}),
            ("GET", "bindings", {"params": {"submodel": DATA}}),
            ("PUT", "bindings", {"json": bound}),
            ("GET", "generated", {"params": {"id": DATA}}),
            ("POST", "reset", {"json": {"id": DATA}}),
        ):
            url = f"/api/v1/twins/{path}"
            answer = await http.request(method, url, **more, **theirs)
            assert answer.status_code == 404, (method, path, answer.text)
        gate = f"{BASE}submodel/acme/yard/OperationalData"
        own = await http.get(
            "/api/v1/twins/history", params={"submodel": gate, "path": "gate"}, **theirs
        )
        assert own.json()["items"][0]["value"] == 1.0
        stolen = bound | {"submodel": gate, "path": "gate", "point": f"{PRESS}/oil"}
        answer = await http.put("/api/v1/twins/bindings", json=stolen, **theirs)
        assert answer.status_code == 404


async def test_what_a_linked_segment_names_answers_with_the_history(tmp_path):
    series = f"{BASE}submodel/{PRESS}/TimeSeries"
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5), (f"{PRESS}/öl", 7.5))
        await grown(http, series)
        link = (await http.get(at(series, "/$value"))).json()["Segments"]["LinkedSegment"]
        answer = await http.get(f"{link['Endpoint']}?{link['Query']}&start=2020-01-01T00:00:00Z")
        assert answer.is_success, answer.text
        assert "61.5" in answer.text
        assert "7.5" in answer.text


async def test_versions_are_listed_compared_and_put_back(tmp_path):
    async with plant(tmp_path) as (made, http):
        own = {"modelType": "Submodel", "id": "urn:own", "category": "A"}
        assert (await http.post("/api/v3.1/submodels", json=own)).status_code == 201
        for word in "BC":
            done = await http.put(at("urn:own"), json=own | {"category": word})
            assert done.status_code == 204
        of = {"id": "urn:own"}
        listed = (await http.get("/api/v1/twins/versions", params=of)).json()["items"]
        assert [(v["by"], v["deed"]) for v in listed] == [("admin", "updated")] * 2
        newer, older = (v["at"] for v in listed)
        one = await http.get("/api/v1/twins/versions/document", params=of | {"at": older})
        assert one.json() == own
        url = "/api/v1/twins/versions/compare"
        (found,) = (await http.get(url, params=of | {"before": older})).json()["differences"]
        assert (found["path"], found["before"], found["after"]) == ("category", "A", "C")
        asked = of | {"before": older, "after": newer}
        (found,) = (await http.get(url, params=asked)).json()["differences"]
        assert found["after"] == "B"

        assert (await http.delete(at("urn:own"))).status_code == 204
        (first, *_) = (await http.get("/api/v1/twins/versions", params=of)).json()["items"]
        assert first["deed"] == "deleted"
        chosen = {"id": "urn:own", "at": older}
        restored = await http.post("/api/v1/twins/versions/restore", json=chosen)
        assert restored.status_code == 204, restored.text
        assert (await http.get(at("urn:own"))).json() == own
        events = await made.records.events(kind="twin.created")
        assert events[-1].event.data["restored"].startswith("1-")


async def test_versions_of_other_branches_do_not_exist(tmp_path):
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5), ("acme/yard/gate", 1.0))
        await grown(http)
        plate = {"id": PLATE}
        field = f"{at(PLATE)}/submodel-elements/OrderCodeOfManufacturer"
        assert (await http.delete(field)).is_success
        (only,) = (await http.get("/api/v1/twins/versions", params=plate)).json()["items"]
        wish = {"name": "yard", "actions": ["look", "configure"], "branches": ["acme/yard"]}
        word = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
        theirs = {"headers": {"Authorization": f"Bearer {word}"}}
        for path, more in (
            ("", {}),
            ("/document", {"at": only["at"]}),
            ("/compare", {"before": only["at"]}),
        ):
            url = f"/api/v1/twins/versions{path}"
            answer = await http.get(url, params=plate | more, **theirs)
            assert answer.status_code == 404, (path, answer.text)
        chosen = plate | {"at": only["at"]}
        answer = await http.post("/api/v1/twins/versions/restore", json=chosen, **theirs)
        assert answer.status_code == 404
        assert (await http.post("/api/v1/twins/versions/restore", json=chosen)).is_success
        assert (await http.get(field)).is_success


async def test_elements_that_rules_hide_are_hidden_in_what_is_told_of_their_submodel(tmp_path):
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5), (f"{PRESS}/secret", 1.0))
        await grown(http)
        rule = {
            "ACL": {
                "ATTRIBUTES": [{"GLOBAL": "ANONYMOUS"}],
                "RIGHTS": ["READ"],
                "ACCESS": "ALLOW",
            },
            "OBJECTS": [{"REFERABLE": f'$sme("{DATA}").oil'}],
            "FORMULA": {"$boolean": True},
        }
        mine = {"modelType": "Property", "idShort": "mine", "valueType": "xs:string"}
        added = await http.post(at(DATA, "/submodel-elements"), json=mine)
        assert added.status_code == 201, added.text
        rules = {"AllAccessPermissionRules": {"rules": [rule]}}
        assert (await http.put("/api/v1/twins/rules", json=rules)).status_code == 204
        wish = {"name": "eye", "actions": ["look"], "branches": [""]}
        word = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
        headers = {"Authorization": f"Bearer {word}"}
        asked = {"params": {"submodel": DATA, "id": DATA}, "headers": headers}
        bound = (await http.get("/api/v1/twins/bindings", **asked)).json()["items"]
        assert [b["path"] for b in bound] == ["oil"]
        shown = (await http.get("/api/v1/twins/generated", **asked)).json()
        assert [e["idShort"] for e in shown["base"]["submodelElements"]] == ["oil"]
        assert (shown["changed"], shown["removed"]) == ([], [])
        versions = (await http.get("/api/v1/twins/versions", **asked)).json()["items"]
        older = {"id": DATA, "at": versions[0]["at"]}
        old = await http.get("/api/v1/twins/versions/document", params=older, headers=headers)
        assert [e["idShort"] for e in old.json()["submodelElements"]] == ["oil"]


async def test_what_is_hidden_has_no_history_and_no_binding_as_what_is_not_there(tmp_path):
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5), (f"{PRESS}/secret", 1.0))
        await grown(http)
        rule = {
            "ACL": {
                "ATTRIBUTES": [{"GLOBAL": "ANONYMOUS"}],
                "RIGHTS": ["READ", "UPDATE"],
                "ACCESS": "ALLOW",
            },
            "OBJECTS": [{"ROUTE": "*"}],
            "FORMULA": {"$boolean": True},
            "FILTER": {
                "FRAGMENT": "$sme",
                "CONDITION": {"$ne": [{"$field": "$sme#idShort"}, {"$strVal": "secret"}]},
            },
        }
        rules = {"AllAccessPermissionRules": {"rules": [rule]}}
        assert (await http.put("/api/v1/twins/rules", json=rules)).status_code == 204
        wish = {"name": "eng", "actions": ["look", "configure"], "branches": [""]}
        word = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
        headers = {"Authorization": f"Bearer {word}"}
        history = "/api/v1/twins/history"
        seen = await http.get(history, params={"submodel": DATA, "path": "oil"}, headers=headers)
        assert seen.is_success, seen.text
        told = []
        for name in ("secret", "absent"):
            asked = {"params": {"submodel": DATA, "path": name}, "headers": headers}
            body = {"submodel": DATA, "path": name, "point": f"{PRESS}/oil"}
            below = at(DATA, f"/submodel-elements/{name}/$history")
            answers = [
                await http.get(history, **asked),
                await http.get(below, headers=headers),
                await http.delete("/api/v1/twins/bindings", **asked),
                await http.put("/api/v1/twins/bindings", json=body, headers=headers),
            ]
            told.append([(a.status_code, _said(a).replace(name, "…")) for a in answers])
        assert told[0] == told[1]
        assert [status for status, _ in told[0]] == [404, 404, 404, 404]
        whole = {"id": DATA, "class": "submodels"}
        reset = await http.post("/api/v1/twins/reset", json=whole, headers=headers)
        assert reset.status_code == 403


def _said(answer):
    body = answer.json()
    return body["messages"][0]["text"] if "messages" in body else body["detail"]
