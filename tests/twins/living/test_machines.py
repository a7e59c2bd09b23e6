"""Through its twin a machine is written and called, behind the same guard as everything else."""

from contextlib import asynccontextmanager

import pytest
import tomli_w
from tests.twins.living.plants import plant, publish, until

from lineshaft.core.plugin import find
from lineshaft.twins.model.checking import check
from lineshaft.twins.model.identifier import encode_id

BASE = "urn:lineshaft:lineshaft:"
DATA = f"/api/v3.1/submodels/{encode_id(f'{BASE}submodel/bench/OperationalData')}"
SET_POINT = f"{DATA}/submodel-elements/set_point/$value"


@asynccontextmanager
async def pressing(folder, device, *rules, more=()):
    """A plant with the device, once its twin shows a value."""
    points = [
        {"name": "set_point", "address": 0, "scale": 0.1, "unit": "Cel"},
        {"name": "pump_on", "table": "coil", "address": 0},
        *more,
    ]
    driver = {
        "kind": "modbus",
        "name": "press",
        "host": "127.0.0.1",
        "port": device.settings.port,
        "at": "bench",
        "poll_s": 0.05,
        "points": points,
    }
    text = tomli_w.dumps({"drivers": [driver], "writes": list(rules)})
    async with plant(folder, text) as (made, http):

        async def shown():
            return (await http.get(SET_POINT)).is_success and (await http.get(SET_POINT)).json()

        await until(shown)
        yield made, http


RULE = {"point": "bench/set_point", "low": 10.0, "high": 30.0}


@pytest.mark.timeout(60)
async def test_a_value_set_in_the_twin_reaches_the_machine_within_its_limits(tmp_path):
    async with (
        find("drivers", "modbus").bench() as device,
        pressing(tmp_path, device, RULE) as (made, http),
    ):
        version = (await http.get(DATA)).headers["etag"]
        answer = await http.patch(SET_POINT, json=21.5)
        assert answer.status_code == 204, answer.text

        async def set_():
            return (await http.get(SET_POINT)).json() == 21.5

        await until(set_)
        for value, word in ((99.0, "outside 10.0 to 30.0"),):
            answer = await http.patch(SET_POINT, json=value)
            assert 400 <= answer.status_code < 500
            assert word in answer.text
        pump = f"{DATA}/submodel-elements/pump_on/$value"
        answer = await http.patch(pump, json=not (await http.get(pump)).json())
        assert 400 <= answer.status_code < 500
        assert "[[writes]]" in answer.text
        assert (await http.get(DATA)).headers["etag"] == version
        whole = (await http.get(f"{DATA}/$value")).json()
        assert (await http.patch(f"{DATA}/$value", json=whole | {"set_point": 22})).is_success
        await until(lambda: _is(http, SET_POINT, 22.0))
        events = await made.records.events(kind="twin.value")
        assert [e.event.data.get("idShortPath") for e in events] == ["set_point", None]
        kinds = [e.event.kind for e in await made.records.events(path="bench/set_point")]
        assert kinds.count("write.done") == 2
        assert "write.refused" in kinds


@pytest.mark.timeout(60)
async def test_of_values_set_together_none_is_written_when_one_is_refused(tmp_path):
    async with (
        find("drivers", "modbus").bench() as device,
        pressing(tmp_path, device, RULE) as (made, http),
    ):
        whole = (await http.get(f"{DATA}/$value")).json()
        # The pump stands after the set point in the document, and in no rule.
        for order in (("set_point", "pump_on"), ("pump_on", "set_point")):
            new = {"set_point": 25.0, "pump_on": not whole["pump_on"]}
            answer = await http.patch(f"{DATA}/$value", json={n: new[n] for n in order})
            assert answer.status_code == 422, answer.text
            assert "bench/pump_on" in answer.text
        kinds = {e.event.kind for e in await made.records.events(kind="write")}
        assert "write.confirmed" not in kinds
        assert kinds <= {"write.prepared", "write.refused", "write.cancelled"}
        driver = made.devices.owner("bench/set_point").driver
        assert (await driver.read("bench/set_point")).value == whole["set_point"]


@pytest.mark.timeout(60)
async def test_what_was_written_before_a_machine_said_no_is_told(tmp_path):
    nowhere = {"name": "z_nowhere", "address": 60_000}
    rules = (RULE, {"point": "bench/z_nowhere", "low": 0.0, "high": 9.0})
    async with (
        find("drivers", "modbus").bench() as device,
        pressing(tmp_path, device, *rules, more=[nowhere]) as (made, http),
    ):
        answer = await http.patch(f"{DATA}/$value", json={"set_point": 25.0, "z_nowhere": 1})
        assert answer.status_code >= 400
        assert "; written: bench/set_point; not written: nothing else" in answer.text
        driver = made.devices.owner("bench/set_point").driver
        assert (await driver.read("bench/set_point")).value == 25.0


async def _is(http, url, value):
    return (await http.get(url)).json() == value


@pytest.mark.timeout(60)
async def test_who_may_not_write_the_machine_may_not_set_its_twin(tmp_path):
    async with (
        find("drivers", "modbus").bench() as device,
        pressing(tmp_path, device, RULE) as (_, http),
    ):
        before = (await http.get(SET_POINT)).json()
        for actions in (["look"], ["look", "configure"]):
            wish = {"name": "-".join(actions), "actions": actions, "branches": [""]}
            word = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
            answer = await http.patch(
                SET_POINT, json=25.0, headers={"Authorization": f"Bearer {word}"}
            )
            assert answer.status_code == 403, answer.text
        assert (await http.get(SET_POINT)).json() == before


START = {"name": "start", "object": "ns=2;s=Machine", "method": "ns=2;s=Machine.Start"}
OWN = {
    "modelType": "Submodel",
    "id": "urn:own",
    "submodelElements": [
        {
            "modelType": "Operation",
            "idShort": "Start",
            "inputVariables": [
                {"value": {"modelType": "Property", "idShort": "speed", "valueType": "xs:int"}},
                {"value": {"modelType": "Property", "idShort": "order", "valueType": "xs:string"}},
            ],
            "outputVariables": [
                {
                    "value": {
                        "modelType": "Property",
                        "idShort": "accepted",
                        "valueType": "xs:boolean",
                    }
                }
            ],
        }
    ],
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("allowed", [True, False])
async def test_an_operation_of_a_twin_is_a_method_of_the_machine_where_settings_allow(
    tmp_path, allowed
):
    async with find("drivers", "opcua").bench() as device:
        driver = {
            "kind": "opcua",
            "name": "m",
            "url": device.url,
            "at": "bench",
            "points": [{"name": "speed", "node": "ns=2;s=Machine.Speed"}],
            "methods": [START],
        }
        rule = {"method": "bench/start", "arguments": {"speed": {"low": 0, "high": 200}}}
        more = tomli_w.dumps({"drivers": [driver], "calls": [rule] if allowed else []})
        async with plant(tmp_path, more) as (made, http):
            await until(lambda: _there(http, DATA))
            assert (await http.post("/api/v3.1/submodels", json=OWN)).status_code == 201
            bound = {"submodel": "urn:own", "path": "Start", "point": "bench/start"}
            answer = await http.put("/api/v1/twins/bindings", json=bound)
            assert answer.is_success is allowed
            own = f"/api/v3.1/submodels/{encode_id('urn:own')}/submodel-elements/Start"
            body = {
                "inputArguments": {"speed": 123, "order": "B-7"},
                "clientTimeoutDuration": "PT10S",
            }
            before = device.started
            answer = await http.post(f"{own}/invoke/$value", json=body)
            assert device.started == before + allowed
            if allowed:
                assert answer.json()["outputArguments"] == {"accepted": True, "count": before + 1}
                kinds = [e.event.kind for e in await made.records.events(path="bench/start")]
                assert kinds == ["call.begun", "call.done"]
            else:
                assert answer.status_code == 405


OPERATIONS = f"/api/v3.1/submodels/{encode_id(f'{BASE}submodel/bench/Operations')}"
CALL = f"{OPERATIONS}/submodel-elements/start/invoke"


@pytest.mark.timeout(60)
async def test_methods_that_settings_allow_are_operations_of_the_twin_by_themselves(tmp_path):
    async with find("drivers", "opcua").bench() as device:
        points = [
            {"name": "speed", "node": "ns=2;s=Machine.Speed"},
        ]
        driver = {"kind": "opcua", "name": "m", "url": device.url, "at": "bench"}
        driver |= {"points": points, "methods": [START]}
        rule = {
            "method": "bench/start",
            "arguments": {"speed": {"low": 100, "high": 200}, "order": {"values": ["B-7"]}},
            "interlock": {"point": "bench/ready", "equals": True, "age_s_max": 3600},
        }
        more = tomli_w.dumps({"drivers": [driver], "calls": [rule]})
        async with plant(tmp_path, more) as (made, http):
            await until(lambda: _there(http, OPERATIONS))
            whole = (await http.get(OPERATIONS)).json()
            assert check("Submodel", whole) == []
            (start,) = whole["submodelElements"]
            inputs = {v["value"]["idShort"]: v["value"] for v in start["inputVariables"]}
            assert set(inputs) == {"speed", "order"}
            assert "From 100.0 to 200.0" in inputs["speed"]["description"][0]["text"]
            assert "value" not in start

            async def call(speed, order):
                given = {"speed": speed, "order": order}
                body = {"inputArguments": given, "clientTimeoutDuration": "PT10S"}
                return (await http.post(f"{CALL}/$value", json=body)).json()

            before = device.started
            assert "has no value" in str(await call(150, "B-7"))
            await publish(made, ("bench/ready", True))
            for speed, order, word in (
                (99, "B-7", "from 100 to 200"),
                (201, "B-7", "from 100 to 200"),
                (150, "C-1", "one of ['B-7']"),
            ):
                outcome = await call(speed, order)
                assert not outcome["success"]
                assert word in outcome["messages"][0]["text"]
            assert device.started == before
            outcome = await call(150, "B-7")
            assert (outcome["success"], device.started) == (True, before + 1)
            assert outcome["outputArguments"]["accepted"] is True
            kinds = [e.event.kind for e in await made.records.events(path="bench/start")]
            assert kinds == ["call.refused"] * 4 + ["call.begun", "call.done"]


async def _there(http, url):
    return (await http.get(url)).is_success
