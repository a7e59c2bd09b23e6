"""States of a whole plant over HTTP."""

import asyncio
import tomllib

import httpx
import msgspec
from tests.twins.living.plants import plant, publish, until

from lineshaft.cli import parser
from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.operations.states.settings import WorkUnit
from lineshaft.plant import Plant

PRESS = "acme/hall/press"
TABLE = f"""
[[work_units]]
path = "{PRESS}"
states = [
  {{ name = "running", when = "state == 2", item = "executing" }},
  {{ name = "fault", when = "state == 3", failure = true, loss = "own" }},
]

[[reasons]]
code = "M"
text = "Machine"
[[reasons]]
code = "M-1"
text = "Die broken"
parent = "M"
"""


async def went(made: Plant, *rows: tuple[int, int]) -> None:
    """Seconds before now, and state."""
    now = now_ns()
    point = f"{PRESS}/work_state"
    batch = Batch.of_rows([(point, now - ago * NS_PER_S, state) for ago, state in rows])
    await made.spine.publish("data.derived", batch)


async def test_a_stop_is_seen_explained_corrected_and_taken_back(tmp_path):
    async with plant(tmp_path, TABLE) as (made, http):
        await went(made, (900, 0), (600, 1), (300, 0))
        (view,) = (await http.get("/api/v1/states")).json()["items"]
        assert (view["state"], view["item"], view["unexplained"]) == ("running", "executing", 1)
        ask = f"/api/v1/states/stops?unit={PRESS}&start=-1h&unexplained=true"
        (stop,) = (await http.get(ask)).json()["items"]
        body = {"unit": PRESS, "start_ns": stop["start_ns"], "code": "M-1", "comment": "again"}
        done = await http.post("/api/v1/states/reason", json=body)
        assert done.status_code == 200, done.text
        (note,) = done.json()["items"]
        assert (await http.get(ask)).json()["items"] == []
        line = (await http.get(f"/api/v1/states/timeline?unit={PRESS}&start=-10h")).json()
        names = [line["states"][i]["name"] if i >= 0 else "" for i in line["state"]]
        assert names == ["", "running", "fault", "running"]
        assert [line["reasons"][i] for i in line["reason"]] == ["", "", "M-1", ""]
        undo = {"id": note["id"], "comment": "wrong button"}
        assert (await http.post("/api/v1/states/withdraw", json=undo)).is_success
        assert len((await http.get(ask)).json()["items"]) == 1
        body = {"unit": PRESS, "start_ns": stop["start_ns"], "stop_ns": stop["stop_ns"]}
        done = await http.post("/api/v1/states/correct", json=body | {"state": "running"})
        assert done.json()["items"][0]["before"] == "fault"
        assert (await http.get(ask)).json()["items"] == []
        said = (await http.get(f"/api/v1/states/corrections?unit={PRESS}")).json()["items"]
        assert [i["note"]["what"] for i in said] == ["state", "reason"]
        assert said[1]["note"]["withdrawn_by"] == "admin"
        reasons = (await http.get(f"/api/v1/states/reasons?unit={PRESS}")).json()["items"]
        assert [r["code"] for r in reasons] == ["M", "M-1"]
        wrong = await http.post("/api/v1/states/reason", json={**undo, "unit": PRESS})
        assert wrong.status_code == 400
        assert (await http.get("/api/v1/states/timeline?unit=acme/none")).status_code == 404


async def test_every_change_is_an_event_once(tmp_path):
    async with plant(tmp_path, TABLE) as (made, http):
        await went(made, (-1, 0), (-2, 0), (-3, 1), (-6, 0))
        await went(made, (-6, 0), (-4, 1), (-8, 0))
        events = await made.records.events(kind="state.changed")
        assert [e.event.data["state"] for e in events] == ["running", "fault", "running"]
        assert http is not None


async def test_the_command_line_explains_and_corrects(tmp_path, capsys):
    async with plant(tmp_path, TABLE) as (made, http):
        await went(made, (900, 0), (600, 1), (300, 0))
        wish = {"name": "cli", "actions": ["look", "write"]}
        token = (await http.post("/api/v1/tokens", json=wish)).json()["token"]

        async def lineshaft(*words: str) -> str:
            at = ["--url", str(http.base_url).rstrip("/"), "--token", token]
            args = parser("state").parse_args(["state", words[0], *at, *words[1:]])
            assert await asyncio.to_thread(args.call, args) == 0
            return capsys.readouterr().out

        assert f"{PRESS}: running since" in await lineshaft("list")
        assert "300 s fault  unexplained" in await lineshaft("stops", PRESS)
        said = await lineshaft("explain", PRESS, "M-1", "--comment", "seen")
        assert "M-1" in said
        assert "300 s fault M-1" in await lineshaft("timeline", PRESS, "--start=-1h")
        assert await lineshaft("stops", PRESS, "--unexplained") == "no stops\n"
        assert "M-1 seen (admin/cli)" in await lineshaft("said", PRESS)
        assert "taken back" in await lineshaft("withdraw", said.split()[0])
        assert "(taken back by admin/cli)" in await lineshaft("said", PRESS)
        assert await lineshaft("reasons") == "M  Machine\n  M-1  Die broken\n"
        await went(made, (250, 1), (220, 0))
        merged = await lineshaft("merge", PRESS, "M-1", "--", "-400s", "-230s")
        assert merged.rstrip().endswith(": fault")
        assert " s fault M-1 (corrected)" in await lineshaft("timeline", PRESS)
        corrected = await lineshaft("correct", PRESS, "fault", "--start=-150s", "--stop=-50s")
        assert corrected.rstrip().endswith(": fault")
        assert "100 s fault (corrected)" in (await lineshaft("timeline", PRESS)).replace("  ", " ")


async def test_states_follow_the_signals_of_the_machine_and_bad_is_unknown(tmp_path):
    async with plant(tmp_path, TABLE) as (made, http):

        async def state() -> str:
            (view,) = (await http.get("/api/v1/states")).json()["items"]
            return view["state"]

        for value, quality, name in ((2, 0, "running"), (3, 0, "fault"), (0, 0, "stopped")):
            await publish(made, (f"{PRESS}/state", value, quality))
            await until(lambda name=name: is_so(state, name))
        await publish(made, (f"{PRESS}/state", None, 0x8031_0000))
        await until(lambda: is_so(state, ""))
        events = await made.records.events(kind="state.changed")
        names = [e.event.data["state"] for e in events]
        assert names == ["running", "fault", "stopped", "unknown"]


async def is_so(ask, wanted: str) -> bool:
    return await ask() == wanted


async def test_the_history_of_a_new_unit_is_worked_out(tmp_path):
    async with plant(tmp_path) as (made, http):
        now = now_ns()
        rows = [(7200, 2), (3600, 3), (1800, 2)]
        old = [(f"{PRESS}/state", now - ago * NS_PER_S, value) for ago, value in rows]
        await made.spine.publish("data.test", Batch.of_rows(old))
        unit = msgspec.convert(tomllib.loads(TABLE)["work_units"][0], WorkUnit)
        await made.operations.states.reload([unit], [])

        async def there() -> bool:
            ask = f"/api/v1/states/timeline?unit={PRESS}&start=-3h"
            line = (await http.get(ask)).json()
            names = [line["states"][i]["name"] if i >= 0 else "" for i in line["state"]]
            return names == ["", "running", "fault", "running"]

        await until(there)


async def test_what_somebody_may_not_see_does_not_exist(tmp_path):
    async with plant(tmp_path, TABLE) as (made, http):
        await went(made, (900, 0), (600, 1), (300, 0))
        (stop, *_) = (await http.get(f"/api/v1/states/stops?unit={PRESS}")).json()["items"]
        explanation = {"unit": PRESS, "start_ns": stop["start_ns"], "code": "M-1"}
        (note,) = (await http.post("/api/v1/states/reason", json=explanation)).json()["items"]
        span = {"unit": PRESS, "start_ns": stop["start_ns"], "stop_ns": stop["stop_ns"]}
        asked = [
            *(("GET", f"/states/{w}?unit={PRESS}", None) for w in ("timeline", "stops", "reasons")),
            ("GET", f"/states/corrections?unit={PRESS}", None),
            ("POST", "/states/reason", explanation),
            ("POST", "/states/correct", span | {"state": "fault"}),
            ("POST", "/states/merge", span | {"code": "M-1"}),
            ("POST", "/states/withdraw", {"id": note["id"]}),
        ]
        for branches, code in (["acme/hall/saw"], 404), ([PRESS], 403):
            wish = {"name": f"t{code}", "actions": ["look"], "branches": branches}
            if code == 404:
                wish["actions"].append("write")
            token = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(base_url=http.base_url, headers=headers) as other:
                seen = (await other.get("/api/v1/states")).json()["items"]
                assert len(seen) == (code == 403)
                for method, path, body in asked:
                    answer = await other.request(method, f"/api/v1{path}", json=body)
                    wanted = code if code == 404 or method == "POST" else 200
                    assert answer.status_code == wanted, (path, answer.text)
        assert len(await made.records.events(kind="state.explained")) == 1
