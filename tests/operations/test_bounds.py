"""What is asked or said of absurd times and numbers is refused with a remedy, and nothing stops."""

import asyncio

import pytest
from tests.twins.living.plants import plant, publish

from lineshaft.core.clock import now_ns

UNIT = "acme/press"
SETTINGS = f"""
[[calendars]]
name = "day"
zone = "Europe/Berlin"
shifts = [{{ name = "early", start = "06:00", stop = "14:00" }}]
[[work_units]]
path = "{UNIT}"
calendar = "day"
good = "{UNIT}/good"
states = [{{ name = "running", when = "run", item = "executing" }}]
[[reasons]]
code = "M"
text = "Machine"
[[charts]]
name = "plain"
point = "{UNIT}/good"
phases = [{{ centre = 1.0, sigma = 1.0 }}]
usl = 9.0
[[charts]]
name = "window"
point = "{UNIT}/good"
expression = "avg(good, '366d')"
phases = [{{ centre = 1.0, sigma = 1.0 }}]
usl = 9.0
[[frames]]
name = "run"
assets = ["{UNIT}"]
begin = "run"
"""
AGES = {"start": "1700-01-01T00:00:00Z", "stop": "2200-01-01T00:00:00Z"}
SPANS = (
    AGES,
    {"start": "9223372036854775806", "stop": "9223372036854775807"},
    {"start": "1677-09-21T00:12:44Z", "stop": "1677-10-21T00:12:44Z"},
)
CHARTS = ("plain", "window")
ASKED = (
    ("states/timeline", {"unit": UNIT}),
    ("states/stops", {"unit": UNIT}),
    ("states/corrections", {"unit": UNIT}),
    ("kpis", {"unit": UNIT, "by": "shift"}),
    ("kpis/explain", {"unit": UNIT, "figure": "oee"}),
    ("kpis/losses", {"unit": UNIT}),
    ("calendars/spans", {"name": "day"}),
    ("frames", {}),
    *((f"charts/{what}", {"name": n}) for what in ("data", "capability") for n in CHARTS),
)
DAYS = ("0001-01-01", "9999-12-31", "1677-09-21", "1600-01-01")
HUGE = 10**30


def said(now: int) -> list[tuple[str, dict]]:
    """What cannot be done."""
    unit = {"unit": UNIT}
    corrected = unit | {"state": "running"}
    explained = unit | {"code": "M"}
    template = {"name": "x", "assets": [UNIT], "begin": "avg(good, '366d') > 1.0"}
    derived = {"point": f"{UNIT}/d", "expression": "good"}
    return [
        ("states/correct", corrected | {"start_ns": -HUGE, "stop_ns": now}),
        ("states/correct", corrected | {"start_ns": -(2**63), "stop_ns": now}),
        ("states/correct", corrected | {"start_ns": 0, "stop_ns": now}),
        ("states/correct", corrected | {"start_ns": now - 100, "stop_ns": HUGE}),
        ("states/reason", explained | {"start_ns": HUGE}),
        ("states/reason", explained | {"start_ns": 0, "stop_ns": now}),
        ("states/merge", explained | {"start_ns": -HUGE, "stop_ns": HUGE}),
        ("states/merge", explained | {"start_ns": 0, "stop_ns": now}),
        ("frames/annotate", {"frame": f"run|{UNIT}|{'9' * 5000}", "comment": "x"}),
        ("frames/preview", {"template": template} | AGES),
        ("frames/preview", {"template": template, "start": "-399d"}),
        ("derived/preview", {"derived": derived} | AGES),
    ]


@pytest.mark.timeout(120)
async def test_absurd_times_and_numbers_are_refused_and_nothing_stops(tmp_path):
    async with plant(tmp_path, SETTINGS) as (made, http):
        await publish(made, (f"{UNIT}/run", True), (f"{UNIT}/good", 1.0))
        await asyncio.sleep(0.2)
        for path, body in said(now_ns()):
            answer = await http.post(f"/api/v1/{path}", json=body)
            assert answer.status_code == 400, (path, body, answer.text)
            assert answer.json()["remedy"]
        for path, what in ASKED:
            for span in SPANS:
                answer = await http.get(f"/api/v1/{path}", params=what | span)
                assert answer.status_code in (200, 400), (path, span, answer.text)
        for day in DAYS:
            answer = await http.get("/api/v1/kpis/report", params={"unit": UNIT, "day": day})
            assert answer.status_code == 400, (day, answer.text)
        assert (await http.get("/api/v1/states")).is_success
