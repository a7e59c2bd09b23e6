"""One machine with four interfaces, from its file to values that flow both ways."""

import asyncio
import base64
from contextlib import AsyncExitStack

import pytest

from lineshaft.core.plugin import find
from lineshaft.twins.exchange.aasx import write_aasx

SETTINGS = "[server]\nport = 0\n[gather]\nwrite_timeout_s = 20\n"
RULE = '[[writes]]\npoint = "hall/press/{}"\nlow = 0\nhigh = 100\n'
POINTS = {
    "Modbus": "hall/press/Modbus/set_point",
    "Ua": "hall/press/Ua/speed",
    "Broker": "hall/press/Broker/state/set_point",
    "Web": "hall/press/Web/set_point/value",
}
PATIENCE_S = 30.0


def id_of(submodel):
    return base64.urlsafe_b64encode(submodel.encode()).decode().rstrip("=")


@pytest.fixture
async def benches():
    """A real device of each protocol on loopback."""
    async with AsyncExitStack() as stack:
        found = {}
        for kind in ("modbus", "opcua", "mqtt", "http"):
            plugin = await asyncio.to_thread(find, "drivers", kind)
            found[kind] = await stack.enter_async_context(plugin.bench())
        yield found


def both(machines, *forms):
    """A read form and a write form."""
    made = [
        machines.smc(f"f{n}", *(machines.prop(k, v) for k, v in form.items()))
        for n, form in enumerate(forms)
    ]
    return machines.smc("forms", *made)


def description(machines, benches):
    m = machines
    register = m.form("40001", modv_entity="HoldingRegister", modv_type="xsd:unsignedShort")
    node = m.form("/?id=ns=2;s=Machine.Speed")
    topics = both(
        m,
        {"href": "bench/press/state", "mqv_controlPacket": "subscribe"},
        {"href": "bench/press/set", "mqv_controlPacket": "publish"},
    )
    pages = both(
        m,
        {"href": "set_point", "htv_methodName": "GET"},
        {"href": "set_point", "htv_methodName": "PUT"},
    )
    modbus = f"modbus+tcp://127.0.0.1:{benches['modbus'].port}"
    return m.description(
        m.interface("Modbus", modbus, m.value("set_point", "integer", forms=register)),
        m.interface("Ua", benches["opcua"].url, m.value("speed", "integer", forms=node)),
        m.interface(
            "Broker",
            f"mqtt://127.0.0.1:{benches['mqtt'].port}",
            m.value("state", "object", forms=topics, nested=[m.value("set_point", "number")]),
        ),
        m.interface(
            "Web",
            benches["http"].url,
            m.value("set_point", "object", forms=pages, nested=[m.value("value", "number")]),
        ),
    )


def environment(machines, benches):
    sinks = [machines.prop(name, "0", "xs:double") for name in POINTS]
    data = machines.submodel(machines.DATA, "Data", "urn:data", machines.smc("Live", *sinks))
    names = {
        "Modbus": ("set_point",),
        "Ua": ("speed",),
        "Broker": ("state", "set_point"),
        "Web": ("set_point", "value"),
    }
    pairs = [
        (
            machines.source_keys(face, *path),
            [("SubmodelElementCollection", "Live"), ("Property", face)],
        )
        for face, path in names.items()
    ]
    mapping = machines.mapping(*pairs, poll_s=0.1)
    return machines.environment(description(machines, benches), mapping, data)


async def values(client, machines):
    address = f"/api/v3.1/submodels/{id_of(machines.DATA)}/submodel-elements/Live/$value"
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def until(client, machines, wanted):
    async with asyncio.timeout(PATIENCE_S):
        while (found := await values(client, machines)) != wanted:
            await asyncio.sleep(0.05)
    return found


@pytest.mark.timeout(120)
async def test_a_machine_from_a_file_is_live_over_every_protocol(
    running, machines, benches, tmp_path
):
    file = tmp_path / "plant.toml"
    rules = "".join(RULE.format(p.removeprefix("hall/press/")) for p in POINTS.values())
    await asyncio.to_thread(file.write_text, SETTINGS + rules)
    aasx = await asyncio.to_thread(write_aasx, environment(machines, benches))
    plug = f"/api/v1/twins/plug/{id_of(machines.AID)}"
    first = {"Modbus": 180, "Ua": 5, "Broker": 20, "Web": 20}
    written = {"Modbus": 17, "Ua": 42, "Broker": 33, "Web": 61}
    async with running(file) as (plant, client):
        address = "/api/v1/twins/import?name=press.aasx&branch=hall/press"
        done = await client.post(address, content=aasx)
        assert done.status_code == 200, done.text
        assert not list(plant.devices.all())
        done = await client.post(plug)
        assert done.status_code == 200, done.text
        assert done.json()["problems"] == {}
        assert all(c["connected"] for c in done.json()["connections"])
        await until(client, machines, first)
        for name, value in written.items():
            done = await client.patch(
                f"/api/v3.1/submodels/{id_of(machines.DATA)}/submodel-elements/Live.{name}/$value",
                json=value,
            )
            assert done.status_code == 204, f"{name}: {done.text}"
        await until(client, machines, written)
        for name, point in POINTS.items():
            done = await client.get(f"/api/v1/history?points={point}&start=-5m&form=raw")
            (curve,) = done.json()["series"]
            assert {first[name], written[name]} <= set(curve["value"]), curve
    # What an engineer agreed to outlives the process.
    async with running(file) as (plant, client):
        await until(client, machines, written)
        done = await client.delete(f"/api/v3.1/submodels/{id_of(machines.AID)}")
        assert done.status_code == 204, done.text
        async with asyncio.timeout(PATIENCE_S):
            while list(plant.devices.all()):
                await asyncio.sleep(0.05)
