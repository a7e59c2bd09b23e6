"""Figures over HTTP, in Python and on the command line; everyone sees their own branch only."""

import asyncio
import csv
import io
import re

import msgspec
import pytest
from tests.twins.living.plants import plant

from lineshaft.cli import parser
from lineshaft.client import connect
from lineshaft.core.batch import Batch
from lineshaft.core.clock import from_iso
from lineshaft.core.errors import Invalid, Missing
from lineshaft.core.point import Kind, Point
from lineshaft.operations.tables import Tables, check_tables

HOUR_NS = 3600 * 10**9
BEGIN = from_iso("2026-10-20T00:00:00Z")
SPAN = {"start": "2026-10-20T00:00:00Z", "stop": "2026-10-20T16:00:00Z"}
TABLES = """
[[calendars]]
name = "two"
shifts = [
  { name = "early", start = "00:00", stop = "08:00" },
  { name = "late", start = "08:00", stop = "16:00" },
]
"""
UNITS = "".join(
    f"""
[[work_units]]
path = "acme/{hall}/press"
calendar = "two"
good = "acme/{hall}/press/good"
scrap = "acme/store/{hall}_scrap"
energy = "acme/{hall}/press/energy"
cycle_s = 36.0
co2_kg_per_kwh = 0.5
[[work_units.states]]
name = "run"
when = "false"
item = "executing"
[[work_units.states]]
name = "=jam"
when = "false"
loss = "own"
"""
    for hall in ("hall-1", "hall-2")
)


async def fed(made) -> None:
    """Hall 1: 4 h jam in the early shift; hall 2 runs through. 50 and 100 parts an hour."""
    rows = []
    for hall, rate, stops in (("hall-1", 50, (2, 3, 4, 5)), ("hall-2", 100, ())):
        path = f"acme/{hall}/press"
        energy = Point(path=f"{path}/energy", kind=Kind.NUMBER, unit="MJ")
        made.historian.namespace.declare((energy,))
        for hour in range(17):
            at = BEGIN + hour * HOUR_NS
            rows.append((f"{path}/work_state", at, 1.0 if hour in stops else 0.0))
            rows.append((f"{path}/good", at, float(hour * rate)))
            rows.append((f"acme/store/{hall}_scrap", at, float(hour)))
            rows.append((f"{path}/energy", at, hour * 36.0))
    await made.spine.publish("data.derived", Batch.of_rows(rows))


async def token(http, *branches: str) -> dict:
    wish = {"name": "t", "actions": ["look"], "branches": list(branches)}
    word = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
    return {"Authorization": f"Bearer {word}"}


async def ask(http, what: str, headers=None, **params: str):
    return await http.get(f"/api/v1/{what}", params={**SPAN, **params}, headers=headers)


async def test_a_branch_is_summed_up_and_never_averaged(tmp_path):
    async with plant(tmp_path, TABLES + UNITS) as (made, http):
        await fed(made)
        found = (await ask(http, "kpis", branch="acme", by="shift")).json()
        assert found["units"] == ["acme/hall-1/press", "acme/hall-2/press"]
        early, late = found["rows"]
        availability = early["figures"]["availability"]
        assert (availability["above"], availability["below"]) == (12 * HOUR_NS, 16 * HOUR_NS)
        assert early["sums"]["gq"] == late["sums"]["gq"] == 8 * 150
        assert found["whole"]["sums"]["pot"] == 32 * HOUR_NS
        # 36 MJ are 10 kWh an hour and machine.
        per_part = found["whole"]["figures"]["energy_per_part"]
        assert per_part["value"] == pytest.approx(320 / 2400)
        assert found["whole"]["figures"]["co2_per_part"]["value"] == pytest.approx(160 / 2400)


async def test_what_somebody_may_not_see_does_not_exist(tmp_path):
    async with plant(tmp_path, TABLES + UNITS) as (made, http):
        await fed(made)
        one = await token(http, "acme/hall-1")
        found = (await ask(http, "kpis", one)).json()
        assert found["units"] == ["acme/hall-1/press"]
        assert found["whole"]["sums"]["gq"] == 800
        now = (await ask(http, "kpis/now", one)).json()["items"]
        assert [n["unit"] for n in now] == ["acme/hall-1/press"]
        report = (await ask(http, "kpis/report", one, day="2026-10-20")).json()
        assert [u["unit"] for u in report["units"]] == ["acme/hall-1/press"]
        losses = (await ask(http, "kpis/losses", one)).json()
        assert losses["units"] == ["acme/hall-1/press"]
        opened = (await ask(http, "kpis/explain", one, figure="quality")).json()
        assert {s["point"] for s in opened["sources"]} == {"acme/hall-1/press/good"}
        for what in ("kpis", "kpis/now", "kpis/losses", "kpis/report", "kpis/explain"):
            hidden = await ask(http, what, one, unit="acme/hall-2/press", figure="oee")
            absent = await ask(http, what, one, unit="acme/hall-3/press", figure="oee")
            assert (hidden.status_code, absent.status_code) == (404, 404)
            assert hidden.json()["detail"].replace("-2", "-3") == absent.json()["detail"]


async def test_a_report_has_states_stops_causes_products_and_alarms(tmp_path):
    alarm = '[[alarms]]\nname = "x"\npoint = "acme/hall-1/press/oil"\nhi = { value = 50.0 }\n'
    async with plant(tmp_path, TABLES + UNITS + alarm) as (made, http):
        await fed(made)
        oil = Batch.of_rows([("acme/hall-1/press/oil", BEGIN + HOUR_NS, 60.0)])
        await made.spine.publish("data.test", oil)
        asked = {"day": "2026-10-20", "shift": "early"}
        found = (await ask(http, "kpis/report", **asked)).json()
        assert found["stop_ns"] - found["start_ns"] == 8 * HOUR_NS
        press = found["units"][0]
        assert {s["state"]: s["ns"] // HOUR_NS for s in press["states"]} == {"run": 4, "=jam": 4}
        (stop,) = press["stops"]
        assert (stop["stop_ns"] - stop["start_ns"], stop["element"]) == (4 * HOUR_NS, "adet")
        assert [c["state"] for c in found["pareto"]] == ["=jam"]
        assert found["alarms"] == {"low": 0, "medium": 1, "high": 0, "critical": 0}
        table = await ask(http, "kpis/report", format="csv", **asked)
        assert table.headers["content-type"].startswith("text/csv")
        lines = list(csv.DictReader(io.StringIO(table.text)))
        assert [ln["of"] for ln in lines] == ["acme/hall-1/press", "acme/hall-2/press", "all"]
        assert [float(ln["adet_s"]) for ln in lines] == [14_400, 0, 14_400]
        assert {(ln["day"], ln["shift"]) for ln in lines} == {("2026-10-20", "early")}
        named = 'filename="shift-report-2026-10-20-early-figures.csv"'
        assert named in table.headers["content-disposition"]
        for part, wanted in (("stops", ["14400.0"]), ("states", ["14400.0", "14400.0"])):
            table = await ask(http, "kpis/report", format="csv", part=part, **asked)
            rows = [r for r in csv.DictReader(io.StringIO(table.text)) if "hall-1" in r["unit"]]
            assert [r["lasts_s"] for r in rows] == wanted
        none = await ask(http, "kpis/report", day="2026-10-20", shift="night")
        assert none.status_code == 404


async def test_what_is_asked_wrongly_is_refused_with_a_remedy(tmp_path):
    async with plant(tmp_path, TABLES + UNITS) as (_, http):
        for params, detail in (
            ({"only": "oee,oea"}, "no figure 'oea'"),
            ({"start": "1750-01-01T00:00:00Z"}, "2 units for"),
            ({"by": "week"}, ""),
        ):
            answer = await ask(http, "kpis", **params)
            assert answer.status_code == 400, answer.text
            assert detail in answer.json()["detail"]
        nowhere = await token(http, "acme/hall-9")
        assert (await ask(http, "kpis/now", nowhere)).json() == {"items": []}
        answer = await ask(http, "calendars/spans", name="three")
        assert answer.status_code == 404
        assert "Known are: two." in answer.text
        assert (await ask(http, "calendars")).json() == {"names": ["two"]}
        spans = (await ask(http, "calendars/spans", name="two")).json()["spans"]
        assert [s["shift"] for s in spans] == ["early", "late"]


async def test_the_client_and_the_command_line_show_the_same(tmp_path, capsys):
    async with plant(tmp_path, TABLES + UNITS) as (made, http):
        await fed(made)
        header = await token(http, "acme")
        word = header["Authorization"].removeprefix("Bearer ")
        url = str(http.base_url)

        def asked() -> tuple[dict, list]:
            with connect(url, token=word) as found:
                figures = found.kpis.figures("acme/hall-1/press", **SPAN, by="shift", only=["oee"])
                assert found.kpis.losses("acme/hall-1/press", **SPAN)["pareto"][0]["stops"] == 1
                assert found.kpis.explain("oee", "acme/hall-1/press", **SPAN)["left_out"] == 0
                assert found.kpis.report(day="2026-10-20")["shift"] == ""
                assert len(found.kpis.now(branch="acme")) == 2
                assert found.kpis.calendars() == ["two"]
                with pytest.raises(Missing):
                    found.kpis.calendar("three")
                return figures, found.kpis.calendar("two", **SPAN)

        figures, spans = await asyncio.to_thread(asked)
        assert figures["rows"][0]["figures"]["oee"]["value"] == pytest.approx(0.5)
        assert len(spans) == 2
        at = ["--url", url, "--token", word]
        span = ["--start", SPAN["start"], "--stop", SPAN["stop"]]
        for verb in (
            ["show", "acme/hall-1/press", "--by", "shift", *span],
            ["now", "--branch", "acme"],
            ["explain", "availability", "acme/hall-1/press", *span],
            ["losses", "--branch", "acme", *span],
            ["report", "--day", "2026-10-20"],
            ["calendar", "two", *span],
        ):
            args = parser().parse_args(["kpi", *verb, *at])
            assert await asyncio.to_thread(args.call, args) == 0
        shown = capsys.readouterr().out
        assert "oee 50.0 %" in shown
        assert "=jam: 4.00 h in 1 stops, 100.0 % (own)" in shown
        assert re.search(r"^acme/hall-2/press \d{4}-\d\d-\d\d (early|late)", shown, re.MULTILINE)
        assert "availability = APT/PBT" in shown
        assert "from state: acme/hall-1/press/work_state" in shown
        assert '"day": "2026-10-20"' in shown
        assert "2026-10-20T08:00:00Z 2026-10-20T16:00:00Z 2026-10-20 late" in shown


def test_a_work_unit_with_a_calendar_that_is_not_there_is_refused():
    table = {"work_units": [{"path": "a/b", "calendar": "two"}], "calendars": [{"name": "too"}]}
    with pytest.raises(Invalid, match="work unit 'a/b': there is no calendar 'two'"):
        check_tables(msgspec.convert(table, Tables))
    twice = {"calendars": [{"name": "two"}, {"name": "two"}]}
    with pytest.raises(Invalid, match="'two' stands twice"):
        check_tables(msgspec.convert(twice, Tables))
