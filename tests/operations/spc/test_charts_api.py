"""Control charts of a whole plant: over HTTP, as its own user sees them."""

import asyncio

import pytest
from tests.twins.living.plants import plant, publish, until

from lineshaft.cli import parser
from lineshaft.core.batch import Batch
from lineshaft.core.clock import from_iso, now_ns, to_iso
from lineshaft.operations.spc.client import Charts

S = 1_000_000_000
FORCE = "acme/press/force"
TABLE = f"""
[[charts]]
name = "force"
point = "{FORCE}"
phases = [{{ centre = 100.0, sigma = 1.0 }}]
lsl = 94.0
usl = 106.0

[[alarms]]
name = "force out of control"
point = "acme/press/force_out"
off_normal = {{ value = 1 }}
"""


def values(*given: float, ago_s: int = 60) -> Batch:
    begin = now_ns() - ago_s * S
    return Batch.of_rows([(FORCE, begin + i * S, v) for i, v in enumerate(given)])


async def _told(http) -> dict:
    (view,) = (await http.get("/api/v1/charts")).json()["items"]
    return view


async def test_a_chart_goes_out_of_control_rings_an_alarm_and_gets_its_cause(tmp_path):
    async with plant(tmp_path, TABLE) as (made, http):
        await made.spine.publish("data.test", values(99.5, 100.2, 104.0))
        view = await _told(http)
        assert view["standing"]["marks"] == ["western-1", "spread"]
        assert view["in_file"]

        async def rung() -> bool:
            (alarm,) = (await http.get("/api/v1/alarms")).json()["items"]
            return alarm["state"]["active"]

        await until(rung)
        data = (await http.get("/api/v1/charts/data", params={"name": "force"})).json()
        assert data["value"] == [99.5, 100.2, 104.0]
        assert data["upper"] == [103.0] * 3
        (violation,) = data["violations"]
        assert violation["marks"] == ["western-1", "spread"]
        body = {"name": "force", "time": violation["time"], "cause": "die cracked"}
        assert (await http.post("/api/v1/charts/comment", json=body)).status_code == 200
        body["time"] = to_iso(violation["time_ns"] - S)
        refused = await http.post("/api/v1/charts/comment", json=body)
        assert (refused.status_code, "no violation" in refused.text) == (404, True)
        data = (await http.get("/api/v1/charts/data", params={"name": "force"})).json()
        assert [c["cause"] for c in data["comments"]] == ["die cracked"]
        assert data["comments"][0]["by"] == "admin"
        kinds = [e.event.kind for e in await made.records.events(kind="spc")]
        assert kinds == ["spc.phase_started", "spc.violated", "spc.commented"]
        assert "lineshaft_spc_charts_out 1" in (await http.get("/metrics")).text


async def test_a_chart_is_defined_learned_confirmed_studied_and_removed(tmp_path):
    chart = {"name": "mass", "point": FORCE, "kind": "xbar-r", "size": 5, "lsl": 98.0, "usl": 102.0}
    given = [100 + ((i * 7919) % 101 - 50) / 50 for i in range(200)]
    async with plant(tmp_path) as (made, http):
        await made.spine.publish("data.test", values(*given, ago_s=400))
        view = (await http.put("/api/v1/charts", json=chart)).json()
        assert view["phases"] == []
        data = (await http.get("/api/v1/charts/data", params={"name": "mass"})).json()
        assert (data["provisional"], data["total"]) == (True, 40)

        async def ask(method: str, path: str, **options):
            answer = await http.request(method, f"/api/v1{path}", **options)
            assert answer.is_success, answer.text
            return answer.json() if answer.content else {}

        lesson = {"name": "mass", "start": "-1h"}
        proposal = await ask("POST", "/charts/learn", json=lesson)
        assert proposal["learned"]["points"] == 40
        assert proposal["phase"]["centre"] == pytest.approx(100, abs=0.1)
        view = await ask("PUT", "/charts", json=chart | {"phases": [proposal["phase"]]})
        assert (view["standing"]["plotted"], view["standing"]["phase"]) == (40, 0)
        study = await ask("GET", "/charts/capability", params={"name": "mass", "start": "-1h"})
        assert study["values"] == 200
        assert study["indices"]["cp"]["low"] < study["indices"]["cp"]["value"]
        assert study["indices"]["ppk"]["value"] == pytest.approx(1.15, abs=0.05)
        assert study["machine_values"] == 100
        assert study["indices"]["cm"]["value"] >= study["indices"]["cmk"]["value"] > 0
        assert sum(study["histogram"]["counts"]) == 200
        assert study["normality"]["verdict"] == "doubtful"
        await ask("DELETE", "/charts", params={"name": "mass"})
        assert (await ask("GET", "/charts")) == {"items": []}
        missing = await http.get("/api/v1/charts/data", params={"name": "mass"})
        assert missing.status_code == 404


async def test_a_settings_file_changes_charts_without_a_new_start(tmp_path):
    file = tmp_path / "plant.toml"
    file.write_text(f"[server]\nport = 0\n{TABLE}")
    async with plant(tmp_path, TABLE) as (made, http):
        await publish(made, (FORCE, 100.0))
        assert (await _told(http))["standing"]["plotted"] == 1
        made.loaded = type(made.loaded)(
            file=made.loaded.file, drivers=made.loaded.drivers, data=made.loaded.data, path=file
        )
        file.write_text(f"[server]\nport = 0\n{TABLE}".replace("usl = 106.0", "usl = 107.0"))
        await made.reload()
        view = await _told(http)
        assert (view["chart"]["usl"], view["standing"]["plotted"]) == (107.0, 1)


async def test_the_client_finds_by_name_and_confirms_phases():
    asked = []
    chart = {"name": "a", "phases": [{"start": ""}, {"start": "2026-03-01T00:00:00Z"}]}
    phases = [{"start_ns": 0}, {"start_ns": from_iso("2026-03-01T00:00:00Z")}]

    def ask(method: str, path: str, **options):
        asked.append((method, path, options))
        return {"items": [{"chart": chart, "phases": phases}]}

    Charts(ask).confirm("a", {"start": "2026-02-01T00:00:00Z"})
    starts = [p["start"] for p in asked[-1][2]["json"]["phases"]]
    assert starts == ["", "2026-02-01T00:00:00Z"]


async def test_the_command_line_lists_shows_learns_and_studies(tmp_path, capsys):
    chart = {"name": "mass", "point": FORCE, "lsl": 90.0, "usl": 110.0}
    given = [100 + ((i * 7919) % 101 - 50) / 50 for i in range(100)]

    async with plant(tmp_path) as (made, http):
        await made.spine.publish("data.test", values(*given, 130.0, ago_s=400))
        assert (await http.put("/api/v1/charts", json=chart)).is_success
        body = {"name": "cli", "actions": ["look", "write", "configure"]}
        token = (await http.post("/api/v1/tokens", json=body)).json()["token"]

        async def run(*words: str) -> str:
            at = ["--url", str(http.base_url).rstrip("/"), "--token", token]
            args = parser("spc").parse_args(["spc", *words, *at])
            assert await asyncio.to_thread(args.call, args) == 0
            return capsys.readouterr().out

        assert "no phase yet" in await run("list")
        told = await run("learn", "mass", "--start=-1h", "--confirm")
        assert "101 points" in told
        assert "confirmed" in told
        assert "western-1" in await run("list")
        shown = await run("show", "mass", "--start=-1h")
        assert "western-1" in shown
        assert "101 points" in shown
        told = await run("capability", "mass", "--start=-1h")
        assert all(name in told for name in ("Cpk", "Cmk", "values in a row"))
        time = next(line for line in shown.splitlines() if "western-1" in line).split()[0]
        assert "new coil" in await run("comment", "mass", time, "new coil")
        assert "– new coil" in await run("show", "mass", "--start=-1h")
        file = tmp_path / "charts.toml"
        file.write_text(f'[[charts]]\nname = "other"\npoint = "{FORCE}"\n')
        assert await run("define", str(file)) == "other: defined\n"
        assert "other  i-mr" in await run("list")
        assert await run("remove", "other") == "other: removed\n"
