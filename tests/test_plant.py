"""The whole plant: from a real device to a stored value, and what changes while it runs."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager, contextmanager, suppress

import httpx
import pytest

from lineshaft.core.errors import Invalid, SettingsError
from lineshaft.core.plugin import find
from lineshaft.gather.device import State
from lineshaft.plant import Plant
from lineshaft.settings import load

PASSWORD = "a long enough password"


@asynccontextmanager
async def running(path):
    """A plant from its settings file, and a client that is logged in as its administrator."""
    plant = Plant(await asyncio.to_thread(load, path))
    up = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(plant.run(lambda s: up.done() or up.set_result(s)))
        await asyncio.wait([task, up], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        started = up.result()
        headers = {"X-Requested-With": "lineshaft"}
        async with httpx.AsyncClient(
            base_url=started.url + "/api/v1", headers=headers, timeout=30
        ) as client:
            old = started.password or PASSWORD
            done = await client.post("/session", json={"name": "admin", "password": old})
            assert done.status_code == 200, done.text
            if started.password:
                done = await client.put("/password", json={"old": old, "new": PASSWORD})
                assert done.status_code == 204, done.text
            yield plant, client
        plant.stop()


@contextmanager
def refused_with(words):
    """The plant does not start, and the one error says why."""
    with pytest.RaisesGroup(SettingsError, match=None, flatten_subgroups=True) as caught:
        yield
    assert words in str(caught.value.exceptions[0])


@asynccontextmanager
async def chiller():
    plugin = await asyncio.to_thread(find, "drivers", "modbus")
    async with plugin.bench() as bench:
        yield bench


def press(settings, name="press"):
    return f"""
[[drivers]]
name = "{name}"
kind = "modbus"
host = "127.0.0.1"
port = {settings.port}
at = "site/{name}"
poll_s = 0.05
points = [{{ name = "strokes", table = "input", address = 4, type = "uint32" }},
          {{ name = "flow", table = "holding", address = 0, type = "uint16", unit = "L/min" }}]
"""


HEAD = '[server]\nport = 0\n[store]\nkind = "parquet"\n'


async def until(condition):
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_real_value_is_live_stored_and_there_after_a_restart(tmp_path):
    file = tmp_path / "plant.toml"
    async with chiller() as bench:
        file.write_text(HEAD + press(bench.settings))
        async with running(file) as (plant, client):
            await until(lambda: plant.historian.latest("site/press/strokes"))
            last = (await client.get("/last", params={"points": "site/press/strokes"})).json()
            value = last["items"][0]
            assert value["value"] >= 1
            points = (await client.get("/points", params={"branch": "site"})).json()["items"]
            assert {p["path"] for p in points} == {"site/press/strokes", "site/press/flow"}
            flow = next(p for p in points if p["path"].endswith("flow"))
            assert flow["unit"] == "L/min"
    file.write_text(HEAD)
    async with running(file) as (plant, client):
        query = {"points": "site/press/strokes", "start": "-1h", "form": "raw"}
        series = (await client.get("/history", params=query)).json()["series"][0]
        assert value["value"] in series["value"]


async def test_reload_restarts_only_what_changed(tmp_path):
    file = tmp_path / "plant.toml"
    async with chiller() as bench:
        file.write_text(HEAD + press(bench.settings) + press(bench.settings, "other"))
        async with running(file) as (plant, client):
            await until(lambda: all(d.state is State.CONNECTED for d in plant.devices.all()))
            kept = plant.devices.device("press")
            text = press(bench.settings, "other").replace("0.05", "0.06")
            file.write_text(HEAD + press(bench.settings) + text + press(bench.settings, "third"))
            done = (await client.post("/reload")).json()
            assert done == {
                "changed": ["other"],
                "added": ["third"],
                "removed": [],
                "restart_needed": [],
            }
            assert plant.devices.device("press") is kept
            await until(lambda: plant.devices.device("third").state is State.CONNECTED)

            file.write_text(HEAD + '[plant]\nname = "Other"\n' + press(bench.settings))
            done = (await client.post("/reload")).json()
            assert done["removed"] == ["other", "third"]
            assert done["restart_needed"] == ["plant"]


async def test_a_server_table_that_cannot_be_served_leaves_the_plant_running(tmp_path):
    file = tmp_path / "plant.toml"
    async with chiller() as bench:
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = other.getsockname()[1]
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            head = HEAD.replace("port = 0", f"port = {port}")
            file.write_text(head + press(bench.settings))
            async with running(file) as (plant, client):
                await until(lambda: plant.historian.latest("site/press/strokes"))
                file.write_text(head.replace(str(port), str(taken)) + press(bench.settings))
                assert (await client.post("/reload")).json()["changed"] == ["server"]
                await until(plant.problems)
                assert str(taken) in plant.problems()[0]
                device = plant.devices.device("press")
                before = device.samples
                await until(lambda: device.samples > before)
                async with asyncio.timeout(15):
                    while await _status(client) != 200:
                        await asyncio.sleep(0.05)
                file.write_text(head + press(bench.settings))
                await client.post("/reload")
                await until(lambda: not plant.problems())


async def _status(client):
    with suppress(httpx.TransportError):
        return (await client.get("/devices")).status_code


async def test_a_wrong_file_changes_nothing(tmp_path):
    file = tmp_path / "plant.toml"
    async with chiller() as bench:
        file.write_text(HEAD + press(bench.settings))
        async with running(file) as (plant, client):
            file.write_text(HEAD + press(bench.settings).replace("modbus", "modbuss"))
            done = await client.post("/reload")
            assert done.status_code == 400
            assert "modbuss" in done.json()["detail"]
            assert plant.devices.device("press")


async def test_a_connection_made_at_run_time_is_kept_and_exported(tmp_path):
    file = tmp_path / "plant.toml"
    async with chiller() as bench:
        file.write_text(HEAD)
        table = {
            "name": "chiller",
            "kind": "modbus",
            "host": "127.0.0.1",
            "port": bench.settings.port,
            "at": "site/chiller",
            "points": [{"name": "p", "table": "input", "address": 4, "type": "uint32"}],
        }
        async with running(file) as (plant, client):
            done = await client.post("/devices", content=json.dumps(table))
            assert done.status_code == 201, done.text
            await until(lambda: plant.devices.device("chiller").state is State.CONNECTED)
            assert (await client.post("/devices", content=json.dumps(table))).status_code == 400
        async with running(file) as (plant, client):
            await until(lambda: plant.devices.device("chiller").state is State.CONNECTED)
            assert (await client.delete("/devices/chiller")).status_code == 204
            assert not list(plant.devices.all())
            audit = (await client.get("/audit", params={"kind": "device"})).json()["items"]
            assert [e["kind"] for e in audit] == ["device.connected", "device.disconnected"]


async def test_an_engineer_of_a_branch_changes_nothing_outside_it(tmp_path):
    file = tmp_path / "plant.toml"
    async with chiller() as bench:
        file.write_text(HEAD + press(bench.settings))
        async with running(file) as (_, client):
            new = {"name": "emil", "role": "engineer", "branches": ["site/saw"]}
            old = (await client.post("/users", json=new)).json()["password"]
            headers = dict(client.headers)
            async with httpx.AsyncClient(base_url=client.base_url, headers=headers) as emil:
                await emil.post("/session", json={"name": "emil", "password": old})
                await emil.put("/password", json={"old": old, "new": PASSWORD})
                table = {"name": "x", "kind": "modbus", "host": "127.0.0.1"}
                table |= {"port": bench.settings.port, "points": [{"name": "p", "address": 0}]}
                denied = [
                    await emil.post("/devices", json=table),
                    await emil.post("/devices", json=table | {"at": "site/press"}),
                    await emil.post("/reload"),
                ]
                absent = [
                    await emil.post("/devices/press/retry"),
                    await emil.delete("/devices/press"),
                ]
                broker = {"name": "y", "kind": "mqtt", "host": "127.0.0.1", "at": "site/saw/y"}
                broker |= {"topics": [{"filter": "#"}], "username": "u"}
                stolen = broker | {"password": {"file": str(file)}}
                denied.append(await emil.post("/devices", json=stolen))
                own = await emil.post("/devices", json=table | {"at": "site/saw/x"})
                gone = await emil.delete("/devices/x")
    assert [d.status_code for d in denied] == [403, 403, 403, 403]
    assert [a.status_code for a in absent] == [404, 404]
    assert (own.status_code, gone.status_code) == (201, 204)


async def test_a_name_in_both_homes_is_an_error(tmp_path):
    file = tmp_path / "plant.toml"
    async with chiller() as bench:
        file.write_text(HEAD)
        async with running(file) as (_plant, client):
            table = {
                "name": "press",
                "kind": "modbus",
                "host": "127.0.0.1",
                "at": "x",
                "points": [{"name": "p", "table": "input", "address": 4, "type": "uint32"}],
            }
            assert (await client.post("/devices", content=json.dumps(table))).status_code == 201
            file.write_text(HEAD + press(bench.settings))
            refused = await client.post("/reload")
            assert refused.status_code == 400
            assert "run time" in refused.json()["detail"]
        with refused_with("run time"):
            async with running(file):
                pass


async def test_a_secret_is_not_kept_as_text(tmp_path):
    file = tmp_path / "plant.toml"
    file.write_text(HEAD)
    async with running(file) as (plant, client):
        table = {
            "name": "b",
            "kind": "mqtt",
            "host": "127.0.0.1",
            "password": "canary",
            "topics": [{"filter": "a/+", "at": "x", "values": "*"}],
        }
        done = await client.post("/devices", content=json.dumps(table))
        assert done.status_code == 400
        assert "env" in done.json()["remedy"]
        with pytest.raises(Invalid):
            await plant.connect(None, table)


async def test_a_second_plant_on_the_same_folder_is_refused(tmp_path):
    file = tmp_path / "plant.toml"
    file.write_text(HEAD)
    async with running(file):
        with refused_with("in use"):
            async with running(file):
                pass


async def test_a_guarded_write_goes_all_the_way_and_is_audited(tmp_path):
    file = tmp_path / "plant.toml"
    async with chiller() as bench:
        rule = '[[writes]]\npoint = "site/press/flow"\nlow = 100\nhigh = 200\n'
        file.write_text(HEAD + press(bench.settings) + rule)
        async with running(file) as (plant, client):
            await until(lambda: plant.historian.latest("site/press/flow"))
            wish = {"point": "site/press/flow", "value": 150}
            ticket = (await client.post("/writes", json=wish)).json()
            assert ticket["unit"] == "L/min"
            done = await client.post(f"/writes/{ticket['id']}/confirm", json={"reason": "test"})
            assert done.json()["ok"], done.text
            refused = await client.post("/writes", json=wish | {"value": 201})
            assert refused.status_code == 422
            assert refused.json()["remedy"]
            await until(lambda: plant.historian.latest("site/press/flow").value == 150)
            audit = (await client.get("/audit", params={"kind": "write"})).json()["items"]
            kinds = [e["kind"] for e in audit]
            assert kinds == ["write.prepared", "write.confirmed", "write.done", "write.refused"]
            assert (await client.get("/audit/verify")).json()["ok"]
