"""Connecting machines by their descriptions, over HTTP, against a plant that serves it."""

import asyncio
import base64
import json

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
