"""Alarms of a whole plant over HTTP: defined, rung, answered, looked back on."""

import asyncio

import pytest
from tests.twins.living.plants import plant, publish

from lineshaft.cli import parser
from lineshaft.core.access import Identity
from lineshaft.core.errors import Invalid
from lineshaft.plant import Plant
from lineshaft.settings import load_text

ALARM = {"name": "oil hot", "point": "acme/press/oil", "hi": {"value": 80.0, "priority": "high"}}


async def reading(made: Plant, value: float) -> None:
    await publish(made, ("acme/press/oil", value))


async def test_an_alarm_is_defined_rings_is_answered_and_looked_back_on(tmp_path):
    async with plant(tmp_path) as (made, http):
        assert (await http.put("/api/v1/alarms", json=ALARM)).is_success
        await reading(made, 70)
        await reading(made, 90)
        (view,) = (await http.get("/api/v1/alarms")).json()["items"]
        assert (view["letter"], view["annunciation"]) == ("B", "sound-and-blink")
        deed = {"do": "acknowledge", "event_id": view["state"]["event_id"]}
        answer = {"alarm": "oil hot", "deed": deed, "comment": "on my way"}
        done = await http.post("/api/v1/alarms/answer", json=answer)
        assert done.json()["letter"] == "C"
        again = await http.post("/api/v1/alarms/answer", json=answer)
        assert again.status_code == 409
        assert "Bad_ConditionBranchAlreadyAcked" in again.json()["detail"]
        await reading(made, 60)
        journal = (await http.get("/api/v1/alarms/journal")).json()["items"]
        kinds = [i["event"]["kind"] for i in journal[:-1]]
        assert journal[-1]["event"]["kind"] == "alarm.defined"
        assert kinds == ["alarm.gone", "alarm.refused", "alarm.acknowledged", "alarm.arisen"]
        report = (await http.get("/api/v1/alarms/report?start=-1h")).json()
        assert (report["rates"]["count"], report["unanswered"]) == (1, 0)
        trial = {"alarm": ALARM, "start": "-1h"}
        preview = (await http.post("/api/v1/alarms/preview", json=trial)).json()
        assert (preview["rung"], preview["samples"]) == (1, 3)
        (activation,) = preview["activations"]
        assert activation["start_ns"] == view["state"]["active_ns"]
    async with plant(tmp_path) as (_, http):
        (view,) = (await http.get("/api/v1/alarms")).json()["items"]
        assert view["letter"] == "A"
        opened = (await http.get("/api/v1/alarms?scope=open")).json()
        assert (opened["items"], opened["total"]) == ([], 1)
        assert (await http.get("/api/v1/alarms?scope=nil")).status_code == 400
        assert (await http.delete("/api/v1/alarms?name=oil hot")).is_success
        assert (await http.get("/api/v1/alarms")).json()["items"] == []


async def test_alarms_of_the_settings_file_ring_and_change_with_it(tmp_path):
    table = '[[alarms]]\nname = "oil hot"\npoint = "acme/press/oil"\nhi = { value = 80 }\n'
    async with plant(tmp_path, table) as (made, http):
        await reading(made, 90)
        (view,) = (await http.get("/api/v1/alarms")).json()["items"]
        assert view["in_file"]
        assert view["state"]["active"]


async def test_what_another_settings_file_changes_is_on_record(tmp_path):
    table = '[[alarms]]\nname = "{}"\npoint = "acme/press/oil"\nhi = {{ value = {} }}\n'
    async with plant(tmp_path, table.format("oil hot", 80)) as (made, http):
        for text in (table.format("oil hot", 85), table.format("oil warm", 85)):
            file = load_text(text, folder=tmp_path).file
            await made.operations.reload(file, Identity(name="eva"))
        items = (await http.get("/api/v1/alarms/journal")).json()["items"]
        told = [i["event"] for i in reversed(items)]
        assert [(e["kind"], e["actor"], e["data"]["alarm"]) for e in told] == [
            ("alarm.defined", "eva", "oil hot"),
            ("alarm.defined", "eva", "oil warm"),
            ("alarm.removed", "eva", "oil hot"),
        ]
        assert told[0]["data"]["before"]["hi"]["value"] == 80.0


async def test_a_settings_file_that_cannot_be_changes_nothing(tmp_path):
    alarm = '[[alarms]]\nname = "{}"\npoint = "acme/press/oil"\nhi = {{ value = {} }}\n'
    derived = '[[derived]]\npoint = "acme/press/twice"\nexpression = "`acme/press/oil` * 2.0"\n'
    frame = '[[frames]]\nname = "run"\nassets = ["acme/press"]\nbegin = "oil > 1.0"\n'
    async with plant(tmp_path, alarm.format("oil warm", 80)) as (made, http):
        await reading(made, 90)
        run = {"name": "run", "assets": ["acme/press"], "begin": "oil > 5.0"}
        assert (await http.put("/api/v1/frames/templates", json=run)).is_success
        before = [(await http.get(f"/api/v1/{p}")).json() for p in ("alarms", "derived")]
        file = load_text(alarm.format("oil warm", 85) + derived + frame, folder=tmp_path).file
        with pytest.raises(Invalid, match="'run' stand twice"):
            await made.operations.reload(file, Identity(name="eva"))
        after = [(await http.get(f"/api/v1/{p}")).json() for p in ("alarms", "derived")]
        assert after == before


async def test_nobody_answers_without_being_known(tmp_path):
    async with plant(tmp_path) as (_, http):
        http.cookies.clear()
        assert (await http.get("/api/v1/alarms")).status_code == 401


async def test_the_command_line_answers_alarms(tmp_path, capsys):
    async with plant(tmp_path) as (made, http):
        await http.put("/api/v1/alarms", json=ALARM)
        await reading(made, 90)
        wish = {"name": "cli", "actions": ["look", "write"]}
        token = (await http.post("/api/v1/tokens", json=wish)).json()["token"]

        async def lineshaft(*words: str) -> str:
            at = ["--url", str(http.base_url).rstrip("/"), "--token", token]
            args = parser("alarm").parse_args(["alarm", *words, *at])
            assert await asyncio.to_thread(args.call, args) == 0
            return capsys.readouterr().out

        assert "B Hi" in await lineshaft("list")
        assert "C Hi" in await lineshaft("ack", "oil hot", "--comment", "seen")
        assert "G Hi" in await lineshaft("shelve", "oil hot", "--minutes", "30")
        assert "C Hi" in await lineshaft("unshelve", "oil hot")
        assert "acknowledged Hi seen" in await lineshaft("journal")
        assert '"count": 1' in await lineshaft("report", "--start=-1h")
        file = tmp_path / "alarms.toml"
        file.write_text('[[alarms]]\nname = "x"\npoint = "acme/press/oil"\nhi = { value = 80 }\n')
        assert "x: would have rung 1 times" in await lineshaft("preview", str(file))
