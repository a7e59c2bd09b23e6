"""Who may see one hall only learns nothing of the other, whatever is asked of operations."""

import json

import pytest
from tests.twins.living.plants import plant, publish, until

OURS, THEIRS = "acme/hall-1/press", "acme/hall-2/saw"
SECRET = 4242.0
UNITS = "".join(
    f"""
[[work_units]]
path = "{path}"
good = "{path}/good"
[[work_units.states]]
name = "runs"
when = "speed > 0"
item = "executing"
"""
    for path in (OURS, THEIRS)
)
ALARM = f"""
[[alarms]]
name = "saw hot"
point = "{THEIRS}/speed"
hi = {{ value = 1 }}

[[alarms]]
name = "saw odd"
point = "{THEIRS}/speed"
when = "nil > 1.0"
"""


def expression(point: str) -> str:
    return f"`{point}` * 1.0"


BODIES = [
    ("derived/check", {"point": f"{OURS}/x", "expression": expression(f"{THEIRS}/speed")}),
    (
        "derived/preview",
        {"derived": {"point": f"{OURS}/x", "expression": expression(f"{THEIRS}/speed")}},
    ),
    (
        "alarms/preview",
        {
            "alarm": {
                "name": "a",
                "point": f"{OURS}/speed",
                "value": expression(f"{THEIRS}/speed"),
                "hi": {"value": 1.0},
            }
        },
    ),
    (
        "frames/preview",
        {
            "template": {
                "name": "f",
                "assets": [OURS],
                "begin": f"`{THEIRS}/speed` > 0.0",
                "attributes": [{"name": "v", "of": expression(f"{THEIRS}/speed"), "take": "max"}],
            }
        },
    ),
    ("states/reason", {"unit": THEIRS, "start_ns": 1, "code": "x"}),
    ("states/correct", {"unit": THEIRS, "start_ns": 1, "stop_ns": 2, "state": "runs"}),
    ("alarms/answer", {"alarm": "saw hot", "deed": {"do": "comment"}, "comment": "x"}),
    ("derived/recompute", {"point": f"{THEIRS}/work_state", "start": "-1h"}),
]
READS = [
    "states",
    f"states/timeline?unit={THEIRS}",
    f"states/stops?unit={THEIRS}",
    f"kpis?unit={THEIRS}",
    "kpis?branch=acme&by=whole",
    "kpis/now",
    f"kpis/explain?figure=oee&unit={THEIRS}",
    f"kpis/losses?unit={THEIRS}",
    f"kpis/report?unit={THEIRS}",
    "alarms",
    "alarms/journal",
    "alarms/rationalisation",
    "derived",
    "charts",
    "frames",
    "notices",
    "notices/outbox",
]


@pytest.fixture
async def halls(tmp_path):
    async with plant(tmp_path, UNITS + ALARM) as (made, http):
        for value in (1.0, SECRET):
            await publish(made, *((f"{p}/speed", value) for p in (OURS, THEIRS)))
        await publish(made, *((f"{p}/good", 3.0) for p in (OURS, THEIRS)))

        async def rung():
            items = (await http.get("/api/v1/alarms")).json()["items"]
            return items[0]["state"]["active"]

        await until(rung)
        wish = {"name": "t", "actions": ["look", "write", "configure"], "branches": ["acme/hall-1"]}
        word = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
        http.cookies.clear()
        yield http, {"Authorization": f"Bearer {word}"}


async def test_what_is_read_tells_nothing_of_the_other_hall(halls):
    http, ours = halls
    for path in READS:
        answer = await http.get(f"/api/v1/{path}", headers=ours)
        assert answer.status_code in (200, 400, 403, 404), path
        told = answer.text.replace(f"unit {THEIRS!r}", "").replace(f"unit '{THEIRS}'", "")
        if answer.status_code == 200:
            assert "hall-2" not in told, path
            assert "saw" not in told, path
        assert str(SECRET) not in told, path


async def test_nothing_is_evaluated_or_done_over_points_of_the_other_hall(halls):
    http, ours = halls
    for path, body in BODIES:
        answer = await http.post(f"/api/v1/{path}", json=body, headers=ours)
        told = answer.text
        assert "4242" not in told, path
        if answer.status_code == 200:
            found = answer.json()
            assert found.get("wrong") or found.get("missing"), (path, told[:300])
        else:
            assert answer.status_code in (400, 403, 404), (path, answer.status_code, told[:200])
            there = told
            absent = await http.post(
                f"/api/v1/{path}",
                headers=ours,
                content=_as_absent(body),
            )
            assert absent.status_code == answer.status_code, (path, there, absent.text)


def _as_absent(body: dict) -> bytes:
    """The same question about what does not exist at all."""
    return json.dumps(body).replace(THEIRS, "acme/hall-2/nil").replace("saw hot", "nil").encode()


async def test_what_is_told_of_the_whole_plant_is_not_for_who_sees_one_hall(halls):
    http, ours = halls
    assert (await http.get("/metrics", headers=ours)).status_code == 403
    ready = (await http.get("/health/ready", headers=ours)).json()
    assert ready["problems"]
    assert not [p for p in ready["problems"] if "saw" in p or "hall-2" in p]
