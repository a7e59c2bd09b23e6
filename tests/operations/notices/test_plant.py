"""Notices of a whole plant: over HTTP, on the command line, with rights, over kill -9."""

import asyncio
import random
import subprocess
import sys
from collections import Counter

import pytest
from msgspec.structs import replace
from tests.operations.notices.servers import hook, post
from tests.twins.living.plants import plant, publish, until

from lineshaft.cli import parser
from lineshaft.operations.notices.notice import Notice, Status
from lineshaft.plant import Plant
from lineshaft.settings import load_text

pytestmark = pytest.mark.timeout(240)
TABLES = """
[[alarms]]
name = "oil hot"
point = "acme/press/oil"
hi = {{ value = 80 }}

[[recipients]]
name = "program"
url = "{url}"
secret = "word-of-honour"

[[notices]]
name = "all"
on = ["arisen", "returned"]
steps = [{{ to = ["program"] }}]
"""
MAIL = """
[[recipients]]
name = "li"
mail = "li@acme.example"
language = "de"

[[notices]]
name = "mail"
branch = "acme/press"
steps = [{{ to = ["li"] }}]

[delivery.smtp]
host = "127.0.0.1"
port = {port}
encryption = "none"
sender = "plant@acme.example"
"""


async def test_an_alarm_reaches_program_and_person_and_stands_in_the_outbox(tmp_path):
    async with hook("500") as server, post() as box:
        tables = TABLES.format(url=server.url) + MAIL.format(port=box.port)
        async with plant(tmp_path, tables) as (made, http):
            await publish(made, ("acme/press/oil", 90.0))
            await server.until(1)
            assert server.taken[0]["alarm"]["name"] == "oil hot"
            assert "webhook-signature" in server.tried[0][0]

            async def all_sent():
                found = (await http.get("/api/v1/notices/outbox?status=sent")).json()["items"]
                return len(found) == 2

            await until(all_sent)
            assert box.taken[0]["Subject"] == "[Lineshaft] Alarm, mittel: oil hot (Hi)"
            await publish(made, ("acme/press/oil", 70.0))
            await server.until(2)
            assert server.taken[1]["alarm"]["on"] == "returned"
            overview = (await http.get("/api/v1/notices")).text
            assert "li@acme.example" in overview
            assert "word-of-honour" not in overview
            assert "inside" not in overview
            figures = (await http.get("/metrics")).text
            assert 'lineshaft_notices_failed_total{channel="webhook"} 1.0' in figures
            assert 'lineshaft_notices_sent_total{channel="mail"} 1.0' in figures
            audit = await made.records.events(kind="notice.sent")
            assert {e.event.path for e in audit} == {"acme/press/oil"}


async def test_a_viewer_of_another_branch_knows_of_nothing(tmp_path):
    async with hook() as server, plant(tmp_path, TABLES.format(url=server.url)) as (made, http):
        await publish(made, ("acme/press/oil", 90.0))
        await server.until(1)
        for name, role, branch in (("far", "engineer", "acme/paint"), ("near", "viewer", "acme")):
            wish = {"name": name, "role": role, "branches": [branch]}
            made_user = (await http.post("/api/v1/users", json=wish)).json()
            old = made_user["password"]
            login = {"name": name, "password": old}
            http.cookies.clear()
            assert (await http.post("/api/v1/session", json=login)).is_success
            change = {"old": old, "new": "a-long-new-password-2"}
            assert (await http.put("/api/v1/password", json=change)).is_success
            login = {"name": name, "password": "a-long-new-password-2"}
            assert (await http.post("/api/v1/session", json=login)).is_success
            items = (await http.get("/api/v1/notices/outbox")).json()["items"]
            assert len(items) == (name == "near")
            overview = (await http.get("/api/v1/notices")).json()
            assert (overview["recipients"], overview["rules"]) == ([], [])
            asked = await http.post("/api/v1/notices/test", json={"recipient": "program"})
            assert asked.status_code == 403
            login = {"name": "admin", "password": "a-long-new-password-1"}
            http.cookies.clear()
            assert (await http.post("/api/v1/session", json=login)).is_success


async def test_what_a_server_answered_is_not_for_those_who_only_look(tmp_path):
    async with hook("400") as server, plant(tmp_path, TABLES.format(url=server.url)) as (_, http):
        asked = await http.post("/api/v1/notices/test", json={"recipient": "program"})
        path = "/api/v1/notices/outbox"

        async def given_up():
            (found,) = (await http.get(path)).json()["items"]
            return found["status"] == "given-up"

        await until(given_up)
        assert asked.is_success
        assert "answers 400" in (await http.get(path)).json()["items"][0]["error"]
        wish = {"name": "t", "actions": ["look"], "branches": [""]}
        word = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
        http.cookies.clear()
        (seen,) = (await http.get(path, headers={"Authorization": f"Bearer {word}"})).json()[
            "items"
        ]
        assert (seen["status"], "400" in seen["error"]) == ("given-up", False)


async def test_the_command_line_tests_a_recipient_and_shows_the_outbox(tmp_path, capsys):
    async with (
        hook("410") as server,
        plant(tmp_path, TABLES.format(url=server.url)) as (_, http),
    ):
        wish = {"name": "cli", "actions": ["look", "configure"]}
        token = (await http.post("/api/v1/tokens", json=wish)).json()["token"]

        async def lineshaft(*words: str) -> tuple[int, str]:
            at = ["--url", str(http.base_url).rstrip("/"), "--token", token]
            args = parser("notice").parse_args(["notice", *words, *at])
            code = await asyncio.to_thread(args.call, args)
            return code, capsys.readouterr().out

        code, text = await lineshaft("test", "program")
        assert code == 1
        assert "given-up" in text
        code, text = await lineshaft("outbox", "--status", "given-up")
        assert "410" in text
        code, _ = await lineshaft("retry", text.split()[2])
        await server.until(1)
        assert (await lineshaft("test", "program")) == (0, "program: taken\n")
        code, text = await lineshaft("list")
        assert "program: webhook http://127.0.0.1:" in text
        assert "rule all: arisen, returned → 0 s: program" in text


async def test_a_reload_takes_new_recipients_and_begins_with_what_happens_then(tmp_path):
    async with hook() as server:
        file = tmp_path / "plant.toml"
        alarm = TABLES.format(url=server.url).partition("[[recipients]]")[0]
        file.write_text(f"{alarm}\n[server]\nport = 0\n")
        async with plant(tmp_path, alarm) as (made, _):
            made.loaded = replace(made.loaded, path=file)
            await publish(made, ("acme/press/oil", 90.0))
            await publish(made, ("acme/press/oil", 70.0))
            file.write_text(f"{TABLES.format(url=server.url)}\n[server]\nport = 0\n")
            await made.reload()

            async def reading():
                return made.operations.notices._reader.following

            await until(reading)
            await publish(made, ("acme/press/oil", 91.0))
            await server.until(1)
            (journal,) = await made.records.events(kind="alarm.arisen", newest_first=True, limit=1)
            assert [b["alarm"]["event_id"] for b in server.taken] == [
                journal.event.data["event_id"]
            ]


PLANT = """
import asyncio, sys
from pathlib import Path
from lineshaft.core.batch import Batch
from lineshaft.core.clock import now_ns
from lineshaft.plant import Plant
from lineshaft.settings import load_text

async def main(folder, tables, start):
    plant = Plant(load_text(tables + "[server]\\nport = 0\\n", folder=Path(folder)))
    async with asyncio.TaskGroup() as group:
        up = asyncio.Event()
        group.create_task(plant.run(lambda _: up.set()))
        await up.wait()
        for n in range(start, start + 1000):
            for value in (90.0 + n / 1000, 70.0):
                row = ("acme/press/oil", now_ns(), value)
                await plant.spine.publish("data.t", Batch.of_rows([row]))
            print(n, flush=True)

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def test_killed_at_random_moments_no_notice_is_lost_and_doubles_are_known(tmp_path):
    dice = random.Random(7)
    async with hook("204", "lose", "500", "204", "cut", "lose", "204", "500") as server:
        tables = TABLES.format(url=server.url).replace(
            'secret = "word-of-honour"', "at_most = 1000"
        )
        acknowledged = 0
        for round_ in range(3):
            command = [sys.executable, "-c", PLANT, str(tmp_path), tables, str(round_ * 1000)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                for _ in range(dice.randrange(2, 12)):
                    assert await asyncio.to_thread(process.stdout.readline)
                    acknowledged += 1
                process.kill()
        made = Plant(load_text(f"{tables}\n[server]\nport = 0\n", folder=tmp_path))
        async with asyncio.TaskGroup() as group:
            up = asyncio.Event()
            running = group.create_task(made.run(lambda _: up.set()))
            await up.wait()
            rung: list[str] = []
            found: list[Notice] = []

            async def all_told():
                log = await made.records.events(kind="alarm.arisen", limit=1000)
                rung[:] = [e.event.data["event_id"] for e in log]
                found[:] = (await made.operations.notices.outbox.find(limit=1000))[0]
                known = [n.told.event_id for n in found if n.told and n.told.on == "arisen"]
                return sorted(known) == sorted(rung) and not len(made.operations.notices.outbox)

            await until(all_told)
            made.stop()
            await running
    assert len(rung) >= acknowledged
    assert {n.status for n in found} <= {Status.SENT, Status.JOINED}
    told = [a for b in server.taken for a in ([b["alarm"]] if "alarm" in b else b["alarms"])]
    assert {a["event_id"] for a in told if a["on"] == "arisen"} == set(rung)
    bodies = Counter((b["id"], b["text"]) for b in server.taken)
    assert len(bodies) == len({b["id"] for b in server.taken}), "a double says the same"
