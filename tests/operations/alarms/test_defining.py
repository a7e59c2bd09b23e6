"""Alarms defined at run time: on what somebody has seen, by whom, over HTTP and in the shell."""

import asyncio
import sys
import tomllib

import pytest
from tests.twins.living.plants import plant, publish

import lineshaft
from lineshaft.cli import parser
from lineshaft.core.errors import Stale

API = "/api/v1/alarms"
POINT = "acme/press/oil"
ALARM = {"name": "oil hot", "point": POINT, "hi": {"value": 80.0, "priority": "high"}}
FILE = f'[[alarms]]\nname = "of the file"\npoint = "{POINT}"\nhi = {{ value = 95.0 }}\n'


async def test_an_alarm_is_changed_only_as_it_was_seen(tmp_path):
    async with plant(tmp_path) as (_, http):
        assert (await http.put(API, json=ALARM, headers={"If-None-Match": "*"})).is_success
        again = await http.put(API, json=ALARM, headers={"If-None-Match": "*"})
        assert (again.status_code, "exists already" in again.json()["detail"]) == (409, True)
        seen = await http.get(f"{API}/definition?name=oil hot")
        tag = seen.headers["ETag"]
        assert tag == f'"{seen.json()["tag"]}"'
        changed = {**seen.json()["alarm"], "hi": {"value": 85.0}}
        assert (await http.put(API, json=changed, headers={"If-Match": tag})).is_success
        late = await http.put(API, json=ALARM, headers={"If-Match": tag})
        assert (late.status_code, "changed meanwhile" in late.json()["detail"]) == (409, True)
        present = (await http.get(f"{API}/definition?name=oil hot")).json()
        assert present["alarm"]["hi"] == {"value": 85.0, "priority": "medium"}
        assert (await http.delete(f"{API}?name=oil hot")).is_success
        gone = await http.put(API, json=ALARM, headers={"If-Match": f'"{present["tag"]}"'})
        assert (gone.status_code, "not defined any more" in gone.json()["detail"]) == (409, True)
        told = (await http.get(f"{API}/journal")).json()["items"]
        kinds = [i["event"]["kind"] for i in told]
        assert kinds == ["alarm.removed", "alarm.defined", "alarm.defined"]
        assert told[1]["event"]["data"]["before"]["hi"]["value"] == 80.0


async def test_of_two_who_change_the_same_one_is_told(tmp_path):
    async with plant(tmp_path) as (_, http):
        await http.put(API, json=ALARM)
        tag = (await http.get(f"{API}/definition?name=oil hot")).headers["ETag"]
        async with asyncio.TaskGroup() as group:
            both = [
                group.create_task(
                    http.put(API, json={**ALARM, "hi": {"value": v}}, headers={"If-Match": tag})
                )
                for v in (85.0, 90.0)
            ]
        assert sorted(a.result().status_code for a in both) == [200, 409]


async def test_what_a_file_has_is_shown_and_stays(tmp_path):
    async with plant(tmp_path, FILE) as (_, http):
        found = (await http.get(f"{API}/definition?name=of the file")).json()
        assert (found["in_file"], found["device"]) == (True, "")
        done = await http.put(API, json=found["alarm"], headers={"If-Match": f'"{found["tag"]}"'})
        assert (done.status_code, "settings file" in done.json()["detail"]) == (400, True)


async def test_who_may_not_look_finds_no_definition(tmp_path):
    async with plant(tmp_path) as (_, http):
        await http.put(API, json=ALARM)
        wish = {"name": "pen", "actions": ["look"], "branches": ["acme/chiller"]}
        made_token = await http.post("/api/v1/tokens", json=wish)
        assert made_token.is_success
        http.cookies.clear()
        headers = {"Authorization": f"Bearer {made_token.json()['token']}"}
        found = await http.get(f"{API}/definition?name=oil hot", headers=headers)
        none = await http.get(f"{API}/definition?name=oil cold", headers=headers)
        assert (found.status_code, none.status_code) == (404, 404)
        assert found.json()["detail"] == none.json()["detail"].replace("cold", "hot")
        refused = await http.put(API, json=ALARM, headers=headers)
        assert refused.status_code == 403


async def test_the_command_line_shows_edits_copies_answers_and_removes(
    tmp_path, capsys, monkeypatch
):
    async with plant(tmp_path, FILE) as (made, http):
        await http.put(API, json=ALARM)
        await publish(made, (POINT, 90.0))
        wish = {"name": "cli", "actions": ["look", "write", "configure"]}
        token = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
        at = ["--url", str(http.base_url).rstrip("/"), "--token", token]

        async def cli(*words: str) -> str:
            args = parser("alarm").parse_args(["alarm", *words, *at])
            assert await asyncio.to_thread(args.call, args) == 0
            return capsys.readouterr().out

        shown = tomllib.loads(await cli("show", "oil hot"))
        assert shown == {"alarms": [ALARM]}
        await cli("copy", "of the file", "ours", "--point", "acme/press/gear", "--permit", "MOC-1")
        assert tomllib.loads(await cli("show", "ours"))["alarms"] == [
            {"name": "ours", "point": "acme/press/gear", "hi": {"value": 95.0}}
        ]
        with pytest.raises(Stale, match="exists already"):
            await cli("copy", "of the file", "oil hot")

        editor = tmp_path / "editor.py"
        editor.write_text(
            "import pathlib, sys\n"
            "file = pathlib.Path(sys.argv[1])\n"
            "file.write_text(file.read_text().replace('80.0', '70.5'))\n"
        )
        monkeypatch.setenv("EDITOR", f"{sys.executable} {editor}")
        monkeypatch.delenv("VISUAL", raising=False)
        assert await cli("edit", "oil hot") == "oil hot: changed\n"
        assert await cli("edit", "oil hot") == "oil hot: nothing changed\n"
        assert tomllib.loads(await cli("show", "oil hot"))["alarms"][0]["hi"]["value"] == 70.5

        assert await cli("ack", "--all", "--comment", "seen") == "oil hot: acknowledged\n"
        assert "Hi" in await cli("answer", "oil hot", "comment", "--comment", "belt ordered")
        assert (await cli("answer", "oil hot", "out-of-service", "--permit", "WO-1"))[0] == "I"
        assert (await cli("answer", "oil hot", "in-service"))[0] == "C"
        journal = await cli("journal", "--alarm", "oil hot")
        assert "commented Hi belt ordered" in journal
        assert await cli("remove", "ours", "--permit", "MOC-2") == "ours: removed\n"


async def test_definitions_of_a_file_that_are_new_do_not_take_the_place_of_others(tmp_path):
    async with plant(tmp_path) as (_, http):
        await http.put(API, json=ALARM)
        wish = {"name": "py", "actions": ["look", "write", "configure"]}
        token = (await http.post("/api/v1/tokens", json=wish)).json()["token"]

        def client() -> None:
            with lineshaft.connect(str(http.base_url), token) as connected:
                alarms = connected.alarms
                with pytest.raises(Stale):
                    alarms.define({**ALARM, "dead_band": 1.0}, expected="")
                copied = alarms.copy("oil hot", "oil hot too", hi={"value": 99.0})
                assert copied["alarm"]["hi"]["value"] == 99.0
                tag = alarms.definition("oil hot")["tag"]
                alarms.define({**ALARM, "dead_band": 1.0}, expected=tag)
                with pytest.raises(Stale):
                    alarms.define(ALARM, expected=tag)

        await asyncio.to_thread(client)


async def test_a_list_that_has_not_changed_is_not_sent_again(tmp_path):
    async with plant(tmp_path) as (made, http):
        await http.put(API, json=ALARM)

        async def asked(tag: str, scope: str = "all") -> tuple[int, str, list]:
            answer = await http.get(f"{API}?scope={scope}", headers={"If-None-Match": tag})
            items = answer.json()["items"] if answer.content else []
            return answer.status_code, answer.headers["ETag"], [v["letter"] for v in items]

        status, tag, letters = await asked("")
        assert (status, letters) == (200, ["A"])
        assert await asked(tag) == (304, tag, [])
        assert (await asked(tag, "open"))[::2] == (200, [])
        await publish(made, (POINT, 70.0))
        assert (await asked(tag))[0] == 304
        await publish(made, (POINT, 90.0))
        status, rung, letters = await asked(tag)
        assert (status, letters) == (200, ["B"])
        (view,) = (await http.get(API)).json()["items"]
        ids = {"oil hot": view["state"]["event_id"]}
        await http.post(f"{API}/acknowledge", json={"event_ids": ids})
        status, seen, letters = await asked(rung)
        assert (status, letters) == (200, ["C"])
        await http.put(API, json={**ALARM, "description": "of the gear"})
        status, changed, _ = await asked(seen)
        assert status == 200
        wish = {"name": "pen", "actions": ["look"], "branches": ["acme/chiller"]}
        token = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
        http.cookies.clear()
        http.headers["Authorization"] = f"Bearer {token}"
        status, other, letters = await asked(changed)
        assert (status, letters) == (200, [])
        assert other != changed


async def test_many_are_defined_together_or_none(tmp_path):
    several = [{**ALARM, "name": f"oil {i}", "hi": {"value": i}} for i in range(50)]
    async with plant(tmp_path, FILE) as (made, http):

        async def defined(*alarms: dict, new: bool = False) -> tuple[int, str]:
            body = {"alarms": alarms, "new": new}
            answer = await http.put(f"{API}/several?permit=MOC-3", json=body)
            return answer.status_code, answer.json().get("detail", "")

        for wrong in (
            (*several, {**ALARM, "name": "of the file"}),
            (*several, several[7]),
            (*several, {"name": "x", "point": POINT}),
        ):
            status, why = await defined(*wrong)
            assert status == 400, why
            assert len((await http.get(API)).json()["items"]) == 1
        assert (await defined(*several, new=True))[0] == 200
        assert (await defined(several[0], new=True))[0] == 409
        assert (await defined(*several))[0] == 200
        await publish(made, (POINT, 25.5))
        views = (await http.get(API)).json()["items"]
        assert sum(v["letter"] == "B" for v in views) == 26
        journal = (await http.get(f"{API}/journal?limit=500")).json()["items"]
        told = [i["event"] for i in journal if i["event"]["kind"] == "alarm.defined"]
        assert len(told) == 100
        assert {e["data"]["permit"] for e in told} == {"MOC-3"}
