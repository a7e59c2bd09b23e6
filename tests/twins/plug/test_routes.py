"""Connecting machines by their descriptions, over HTTP, against a plant that serves it."""

import asyncio
import base64
import json

from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.twins.exchange.jsonfile import write_json

SETTINGS = '[server]\nport = 0\n[store]\nkind = "memory"\n'


def id_of(submodel):
    return base64.urlsafe_b64encode(submodel.encode()).decode().rstrip("=")


async def test_over_http_machines_are_listed_agreed_to_and_taken_away(running, machines, tmp_path):
    part = machines.value("a", forms=machines.form("0?quantity=2", modv_type="float"))
    face = machines.interface("Modbus", "modbus+tcp://127.0.0.1:1", part)
    aid = machines.description(face)
    file = tmp_path / "plant.toml"
    await asyncio.to_thread(file.write_text, SETTINGS)
    async with running(file) as (plant, client):
        address = "/api/v1/twins/import?name=a.json&branch=hall/m"
        done = await client.post(address, content=write_json(machines.environment(aid)))
        assert done.status_code == 200, done.text
        (listed,) = (await client.get("/api/v1/twins/plug")).json()["items"]
        assert (listed["submodel"], listed["state"]) == (machines.AID, "proposed")
        assert listed["connections"][0]["address"] == "127.0.0.1:1"
        one = f"/api/v1/twins/plug/{id_of(machines.AID)}"
        for body, status in (
            ({"at": "a//b"}, 400),
            ({"given": {"press": {"username": "u"}}}, 400),
            ({"colour": "red"}, 400),
        ):
            done = await client.post(one, content=json.dumps(body))
            assert done.status_code == status, done.text
        done = await client.post(one, json={"at": "hall/other"})
        assert done.status_code == 200, done.text
        assert done.json()["points"] == {
            "Modbus.InteractionMetadata.properties.a": "hall/other/Modbus/a"
        }
        assert [d.name for d in plant.devices.all()] == [done.json()["connections"][0]["name"]]
        assert (await client.delete(one)).status_code == 204
        assert not list(plant.devices.all())
        assert (await client.get(one)).json()["state"] == "unplugged"
        assert (await client.get(f"/api/v1/twins/plug/{id_of('urn:none')}")).status_code == 404
        assert (await client.get("/api/v1/twins/plug/%20")).status_code == 400


async def test_what_a_script_of_the_mapping_works_out_is_the_value_of_its_element(
    running, machines, tmp_path
):
    m = machines
    forms = m.form("0?quantity=2", modv_type="float")
    face = m.interface("Modbus", "modbus+tcp://127.0.0.1:1", m.value("a", forms=forms))
    sink = [("SubmodelElementCollection", "Live"), ("Property", "Double")]
    script = "function aimc_main(sources) return { v0 = 2 * sources.v0 } end"
    blob = base64.b64encode(script.encode()).decode()
    mapping = m.mapping((m.source_keys("Modbus", "a"), sink), transformation=blob)
    data = m.submodel(m.DATA, "Data", "urn:data", m.smc("Live", m.prop("Double", "0", "xs:double")))
    file = tmp_path / "plant.toml"
    await asyncio.to_thread(file.write_text, SETTINGS)
    async with running(file) as (plant, client):
        whole = write_json(m.environment(m.description(face), mapping, data))
        done = await client.post("/api/v1/twins/import?name=a.json&branch=hall/m", content=whole)
        assert done.status_code == 200, done.text
        done = await client.post(f"/api/v1/twins/plug/{id_of(m.AID)}", json={})
        assert done.status_code == 200, done.text
        (binding,) = done.json()["bindings"]
        assert binding["inputs"] == [["v0", "hall/m/Modbus/a"]]
        batch = Batch.of_rows([("hall/m/Modbus/a", now_ns(), 21.5)])
        await plant.spine.publish("data.test", batch)
        address = f"/api/v3.1/submodels/{id_of(m.DATA)}/submodel-elements/Live.Double/$value"
        async with asyncio.timeout(30):
            while (await client.get(address)).json() != 43.0:
                await asyncio.sleep(0.05)
        assert (await client.patch(address, json=5)).status_code == 422
        gone = await client.delete(f"/api/v1/twins/plug/{id_of(m.AID)}")
        assert gone.status_code == 204
        assert (await client.get(address)).json() == 0
