"""Events of twins: to followers on the socket, and to a broker, over breaks of either side."""

import asyncio
import shutil
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from tests.twins.api.house import PEOPLE, People, services
from tests.twins.living.plants import plant, until
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from lineshaft.core.access import SYSTEM
from lineshaft.core.flow import Channel, Full
from lineshaft.core.plugin import build
from lineshaft.drivers.mqtt.bench import free_port, start_nats
from lineshaft.records import Records
from lineshaft.server import ServerSettings, app, served
from lineshaft.spines import Spine
from lineshaft.twins import Class
from lineshaft.twins.api.services import COLLECTIONS
from lineshaft.twins.documents import Remove, Write
from lineshaft.twins.living import Broker
from lineshaft.twins.living.broker import COLLECTION, Publisher
from lineshaft.twins.living.event_routes import handlers
from lineshaft.twins.living.events import Events
from lineshaft.twins.model.identifier import encode_id
from lineshaft.twins.routes import mounts

EMIL = PEOPLE["engineer"]


class House:
    def __init__(self, url, twins, events, records):
        self.url, self.twins, self.events, self.records = url, twins, events, records

    async def change(self, id_="urn:s", path="acme/hall-1", **more):
        obj = {"modelType": "Submodel", "id": id_} | more
        await self.twins.documents.commit(
            EMIL, Write(class_=Class.SUBMODEL, id=id_, obj=obj, path=path)
        )

    def socket(self, after=None, token="engineer"):
        query = "" if after is None else f"?after={after}"
        address = f"{self.url.replace('http', 'ws')}/api/v1/twins/events{query}"
        return connect(address, additional_headers={"Authorization": f"Bearer {token}"})

    def http(self, token="engineer"):
        return httpx.AsyncClient(base_url=self.url, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
async def house(tmp_path):
    records, spine = build(Records, {"kind": "memory"}), build(Spine, {"kind": "memory"})
    people = People()
    async with records.opened((*COLLECTIONS, COLLECTION)):
        twins = services(records, people, tmp_path / "files", spine.announce)
        events = Events(records, spine, twins, source="urn:plant")
        made = app(
            {"twins": twins, "twin_events": events},
            handlers,
            mounts=mounts,
            authenticator=people,
            authorizer=people,
        )
        async with asyncio.TaskGroup() as group, served(made, ServerSettings(port=0)) as url:
            task = group.create_task(events.run())
            try:
                yield House(url, twins, events, records)
            finally:
                task.cancel()


async def told(socket, count):
    return [msgspec.json.decode(await socket.recv()) for _ in range(count)]


async def test_a_change_comes_over_the_socket_as_a_cloud_event_and_a_follower_goes_on_where_it_was(
    house,
):
    await house.change()
    async with house.socket(after=0) as socket:
        (made,) = await told(socket, 1)
        assert made["specversion"] == "1.0"
        assert (made["type"], made["source"]) == ("lineshaft.twin.created", "urn:plant")
        assert made["subject"] == "urn:s"
        assert made["data"]["version"] == 1
        await house.change(idShort="Other")
        (second,) = await told(socket, 1)
    await house.change(idShort="Third")
    async with house.socket(after=int(second["sequence"])) as socket:
        (third,) = await told(socket, 1)
    assert [e["data"]["version"] for e in (second, third)] == [2, 3]
    assert made["sequence"] < second["sequence"] < third["sequence"]


async def test_every_acknowledged_write_is_one_event_that_tells_put_from_patch_and_value(house):
    element = {"modelType": "Property", "idShort": "Speed", "valueType": "xs:int", "value": "1"}
    submodel = {"modelType": "Submodel", "id": "urn:a", "submodelElements": [element]}
    at = f"/api/v3.1/submodels/{encode_id('urn:a')}"
    async with house.http() as http:
        for method, path, body in (
            ("POST", "/api/v3.1/submodels", submodel),
            ("PUT", at, submodel),
            ("PATCH", at, {"category": "VARIABLE"}),
            ("PATCH", f"{at}/submodel-elements/Speed", {"category": "PARAMETER"}),
            ("PATCH", f"{at}/submodel-elements/Speed/$value", 2),
            ("DELETE", at, None),
        ):
            answer = await http.request(method, path, json=body)
            assert answer.is_success, answer.text
        refused = await http.patch(f"{at}/$value", json={"Speed": 2})
        assert refused.status_code == 404
        batch = await http.get("/api/v1/twins/events")
    assert batch.headers["content-type"] == "application/cloudevents-batch+json"
    found = [(e["type"].rpartition(".")[2], e["data"].get("method")) for e in batch.json()]
    assert found == [
        ("created", "POST"),
        ("updated", "PUT"),
        ("updated", "PATCH"),
        ("updated", "PATCH"),
        ("value", "PATCH"),
        ("deleted", None),
    ]
    assert batch.json()[3]["data"]["idShortPath"] == "Speed"


async def test_a_follower_is_told_nothing_of_what_it_may_not_see(house):
    await house.change("urn:1", "acme/hall-1")
    await house.change("urn:2", "acme/hall-2/press")
    await house.twins.documents.commit(EMIL, Remove(class_=Class.SUBMODEL, id="urn:1"))
    async with house.http("guest") as http:
        batch = await http.get("/api/v1/twins/events")
        assert [e["subject"] for e in batch.json()] == ["urn:2"]
        after = batch.headers["x-next-after"]
        assert int(after) > int(batch.json()[-1]["sequence"])
        more = await http.get("/api/v1/twins/events", params={"after": after})
        assert (more.json(), more.headers["x-next-after"]) == ([], after)
    async with house.http("stranger") as http:
        assert (await http.get("/api/v1/twins/events")).status_code == 401


async def test_what_was_hidden_while_it_was_there_is_hidden_when_it_is_gone(house):
    secret = {"$eq": [{"$field": "$sm#idShort"}, {"$strVal": "Secret"}]}
    acl = {"ATTRIBUTES": [{"CLAIM": "sub"}], "RIGHTS": ["READ"], "ACCESS": "ALLOW"}
    rule = {"ACL": acl, "OBJECTS": [{"ROUTE": "*"}], "FORMULA": {"$not": secret}}
    rules = {"AllAccessPermissionRules": {"rules": [rule]}}
    await house.twins.access.replace(SYSTEM, rules)
    await house.change("urn:open", "", idShort="Open")
    await house.change("urn:secret", "", idShort="Secret")
    for id_ in ("urn:open", "urn:secret"):
        await house.twins.documents.commit(EMIL, Remove(class_=Class.SUBMODEL, id=id_))
    async with house.http("viewer") as http:
        batch = await http.get("/api/v1/twins/events")
    assert "urn:secret" not in batch.text
    every = {"ACL": acl, "OBJECTS": [{"ROUTE": "*"}], "FORMULA": {"$boolean": True}}
    rules = {"AllAccessPermissionRules": {"rules": [every]}}
    await house.twins.access.replace(SYSTEM, rules)
    async with house.http("viewer") as http:
        batch = await http.get("/api/v1/twins/events")
    assert [e["subject"] for e in batch.json()] == ["urn:open", "urn:secret"] * 2
    assert "lineshaft.twin.rules" not in batch.text


async def test_a_socket_is_told_nothing_once_its_token_has_ended(house, monkeypatch):
    async with house.socket(after=0) as socket:
        await house.change("urn:before")
        assert (await told(socket, 1))[0]["subject"] == "urn:before"
        monkeypatch.delitem(PEOPLE, "engineer")
        await house.change("urn:after")
        (ended,) = await told(socket, 1)
        assert ended["error"]["status"] == 401
        with pytest.raises(ConnectionClosed):
            await socket.recv()


# ---- the broker


class Ear:
    """A client of the broker that notes what comes."""

    def __init__(self, port, loop):
        self.heard = Channel("heard", size_max=1000, full=Full.WAIT)
        self.ready = asyncio.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="ear", clean_session=False)
        self._client.on_connect = lambda c, *_: c.subscribe("acme/#", qos=1)
        self._client.on_subscribe = lambda *_: loop.call_soon_threadsafe(self.ready.set)
        self._client.on_message = lambda c, d, m: loop.call_soon_threadsafe(
            self.heard.put_nowait, (m.topic, msgspec.json.decode(m.payload))
        )
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


@asynccontextmanager
async def running(house, port):
    publisher = Publisher(
        Broker(host="127.0.0.1", port=port, topic="acme/twins"), house.events, house.records
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(publisher.run())
        yield publisher
        task.cancel()


async def hear_until(ear, version):
    """Versions heard, in order, until that one."""
    found = []
    while not found or found[-1] != version:
        topic, event = await ear.heard.get()
        assert topic.startswith(f"acme/twins/submodels/{encode_id('urn:s')}/")
        found.append(event["data"]["version"])
    return found


@pytest.mark.timeout(60)
async def test_the_broker_gets_every_change_also_those_while_it_or_we_were_away(house, tmp_path):
    port, folder = free_port(), tmp_path / "nats"
    folder.mkdir()
    await house.change()  # before there was a publisher: not told
    broker = await asyncio.to_thread(start_nats, folder, port)
    try:
        ear = await asyncio.to_thread(Ear, port, asyncio.get_running_loop())
        await ear.ready.wait()
        async with running(house, port):
            while await house.records.get(COLLECTION.name, "mqtt") is None:
                await asyncio.sleep(0)
            await house.change(idShort="v2")
            assert await hear_until(ear, 2) == [2]
            broker.kill()
            await asyncio.to_thread(broker.wait)
            await house.change(idShort="v3")
            broker = await asyncio.to_thread(start_nats, folder, port)
            await house.change(idShort="v4")
            assert {3, 4} <= {*await hear_until(ear, 4)} <= {2, 3, 4}  # some may come twice
        await house.change(idShort="v5")  # nobody publishes now
        async with running(house, port):
            assert {*await hear_until(ear, 5)} <= {2, 3, 4, 5}
        ear.close()
    finally:
        broker.kill()
        await asyncio.to_thread(broker.wait)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.timeout(60)
async def test_a_plant_tells_the_broker_of_its_settings_what_becomes_of_its_twins(tmp_path):
    port, folder = free_port(), tmp_path / "nats"
    folder.mkdir()
    broker = await asyncio.to_thread(start_nats, folder, port)
    ear = await asyncio.to_thread(Ear, port, asyncio.get_running_loop())
    try:
        await ear.ready.wait()
        more = f'[twins.events]\nhost = "127.0.0.1"\nport = {port}\ntopic = "acme/twins"\n'
        async with plant(tmp_path, more) as (made, http):

            async def placed():
                return await made.records.get(COLLECTION.name, "mqtt")

            await until(placed)
            obj = {"modelType": "Submodel", "id": "urn:s"}
            assert (await http.post("/api/v3.1/submodels", json=obj)).status_code == 201
            topic, event = await ear.heard.get()
            assert topic == f"acme/twins/submodels/{encode_id('urn:s')}/created"
            assert (event["source"], event["subject"]) == ("urn:lineshaft:lineshaft", "urn:s")
            assert made.life.problems() == []
    finally:
        ear.close()
        broker.kill()
        await asyncio.to_thread(broker.wait)
