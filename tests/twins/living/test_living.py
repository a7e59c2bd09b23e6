"""Twins that nobody typed, on a running plant."""

from tests.twins.living.plants import plant, publish, until

from lineshaft.core.quality import Quality
from lineshaft.twins.model.identifier import encode_id

PRESS = "acme/hall/press"
BASE = "urn:lineshaft:lineshaft:"
DATA = encode_id(f"{BASE}submodel/{PRESS}/OperationalData")
SERIES = encode_id(f"{BASE}submodel/{PRESS}/TimeSeries")


async def test_every_machine_gets_a_twin_with_living_values(tmp_path):
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5), (f"{PRESS}/state", "running"))

        async def grown():
            shells = (await http.get("/api/v3.1/shells")).json()["result"]
            return {s["idShort"] for s in shells} >= {"press", "hall", "acme"}

        await until(grown)
        value = (await http.get(f"/api/v3.1/submodels/{DATA}/$value")).json()
        assert value == {"oil": 61.5, "state": "running"}
        await publish(made, (f"{PRESS}/oil", 62.5))
        element = f"/api/v3.1/submodels/{DATA}/submodel-elements/oil"
        assert (await http.get(f"{element}/$value")).json() == 62.5
        before = (await http.get(f"/api/v3.1/submodels/{DATA}")).headers["etag"]
        await publish(made, (f"{PRESS}/oil", None, Quality.BAD_NO_COMMUNICATION))
        bad = await http.get(element)
        assert "value" not in bad.json()
        assert bad.json()["qualifiers"][0]["value"] == "BadNoCommunication"
        assert (await http.get(f"/api/v3.1/submodels/{DATA}")).headers["etag"] == before


async def test_history_is_read_by_an_operation_of_the_twin(tmp_path):
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5), (f"{PRESS}/strokes", 7))
        await publish(made, (f"{PRESS}/oil", 62.5))
        url = f"/api/v3.1/submodels/{SERIES}/submodel-elements/ReadRecords/invoke/$value"

        async def grown():
            return (await http.get(f"/api/v3.1/submodels/{SERIES}")).is_success

        await until(grown)
        span = {"min": "2020-01-01T00:00:00Z", "max": "2099-01-01T00:00:00Z"}
        body = {"inputArguments": {"Timespan": span}, "clientTimeoutDuration": "PT10S"}
        answer = (await http.post(url, json=body)).json()
        records = answer["outputArguments"]["Records"]
        assert records["Record_0"]["oil"] == 61.5
        assert records["Record_0"]["strokes"] == 7
        assert records["Record_1"]["oil"] == 62.5


async def test_the_past_of_an_element_is_below_its_own_address_too(tmp_path):
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5))
        await publish(made, (f"{PRESS}/oil", 62.5))
        at = f"/api/v3.1/submodels/{DATA}/submodel-elements"

        async def grown():
            return (await http.get(f"{at}/oil")).is_success

        await until(grown)
        past = (await http.get(f"{at}/oil/$history", params={"limit": 1})).json()
        assert [m["value"] for m in past["items"]] == [61.5]
        rest = (await http.get(f"{at}/oil/$history", params={"start": past["next"]})).json()
        assert [m["value"] for m in rest["items"]] == [62.5]
        asked = {"submodel": f"{BASE}submodel/{PRESS}/OperationalData", "path": "oil"}
        same = await http.get("/api/v1/twins/history", params=asked | {"limit": 1})
        assert same.json() == past
        lately = (await http.get(f"{at}/oil/$history?start=-1h")).json()
        assert [m["value"] for m in lately["items"]] == [61.5, 62.5]
        for path, more, status in (
            ("none", {}, 404),
            ("oil", {"limit": "0"}, 400),
            ("oil", {"start": "yesterday"}, 400),
            ("oil", {"start": past["next"], "end": past["next"]}, 400),
        ):
            answer = await http.get(f"{at}/{path}/$history", params=more)
            assert (answer.status_code, set(answer.json())) == (status, {"messages"})
        # What is bound to nothing has the values that people set.
        note = {"modelType": "Property", "idShort": "Note", "valueType": "xs:int", "value": "1"}
        assert (await http.post(at, json=note)).status_code == 201
        assert (await http.get(f"{at}/Note/$history")).status_code == 404
        for value in (2, 3, 4):
            assert (await http.patch(f"{at}/Note/$value", json=value)).is_success
        past = (await http.get(f"{at}/Note/$history", params={"limit": 2})).json()
        told = [(m["value"], m["by"], m["quality"]) for m in past["items"]]
        assert (past["point"], told) == ("", [(2, "admin", "Good"), (3, "admin", "Good")])
        rest = await http.get(f"{at}/Note/$history", params={"start": past["next"]})
        assert [m["value"] for m in rest.json()["items"]] == [4]


async def test_what_people_changed_outlives_new_points_and_a_restart(tmp_path):
    plate = encode_id(f"{BASE}submodel/{PRESS}/Nameplate")
    field = f"/api/v3.1/submodels/{plate}/submodel-elements/OrderCodeOfManufacturer"
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5))

        async def grown():
            return (await http.get(field)).is_success

        await until(grown)
        assert (await http.patch(f"{field}/$value", json="P-4711")).status_code == 204
    maker = '[twins]\nmaker = { name = "Acme", country = "CN" }\n'
    async with plant(tmp_path, maker) as (_, http):
        name = f"/api/v3.1/submodels/{plate}/submodel-elements/ManufacturerName/$value"

        async def renewed():
            return (await http.get(name)).json() == [{"en": "Acme"}]

        await until(renewed)
        assert (await http.get(f"{field}/$value")).json() == "P-4711"


async def test_a_place_is_told_by_what_it_consists_of(tmp_path):
    hall = encode_id(f"{BASE}submodel/acme/hall/HierarchicalStructures")
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5), ("acme/hall/saw/speed", 3.0))

        async def grown():
            answer = await http.get(f"/api/v3.1/submodels/{hall}/submodel-elements/EntryNode")
            return answer.is_success and len(answer.json()["statements"]) == 4

        await until(grown)
        node = await http.get(f"/api/v3.1/submodels/{hall}/submodel-elements/EntryNode.saw")
        assert node.json()["globalAssetId"] == f"{BASE}asset/acme/hall/saw"


async def test_shells_are_found_by_what_their_submodels_hold(tmp_path):
    async with plant(tmp_path, '[twins]\nmaker = { name = "Acme" }\n') as (made, http):
        await publish(made, (f"{PRESS}/oil", 61.5), ("acme/hall/saw/speed", 3.0))

        async def found():
            field = {"$field": "$sme.UniqueFacilityIdentifier#value"}
            condition = {"$eq": [field, {"$strVal": PRESS}]}
            query = {"$condition": condition}
            answer = await http.post("/api/v3.1/query/shells", json=query)
            assert answer.is_success, answer.text
            return [s["idShort"] for s in answer.json()["result"]]

        async def only_press():
            return await found() == ["press"]

        await until(only_press)


async def test_who_takes_an_identifier_of_a_twin_before_it_grows_is_named(tmp_path):
    async with plant(tmp_path) as (made, http):
        mine = {"modelType": "Submodel", "id": f"{BASE}submodel/{PRESS}/OperationalData"}
        assert (await http.post("/api/v3.1/submodels", json=mine)).status_code == 201
        await publish(made, (f"{PRESS}/oil", 61.5))

        async def told():
            problems = (await http.get("/health/ready")).json()["problems"]
            return any("OperationalData" in p for p in problems)

        await until(told)
