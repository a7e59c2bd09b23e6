"""The historian over HTTP."""

import io
import json

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.point import Kind, Point

PRESS = "acme/hall-1/press"


async def test_what_a_driver_publishes_can_be_read_back(plant):
    plant.historian.namespace.declare([Point(path=f"{PRESS}/on", kind=Kind.BOOLEAN, unit="")])
    await plant.publish((f"{PRESS}/oil", 41.5), (f"{PRESS}/on", True), (f"{PRESS}/job", "A7"))
    async with plant.http("ls_viewer") as http:
        tree = (await http.get("/tree", params={"branch": "acme/hall-1"})).json()
        last = (await http.get("/last", params={"branch": PRESS})).json()
        found = (await http.get("/points", params={"search": "PRESS oil"})).json()
    assert tree["children"] == [
        {"name": "press", "path": PRESS, "points": 3, "children": True, "point": None}
    ]
    assert {v["point"][-3:]: v["value"] for v in last["items"]} == {
        "oil": 41.5,
        "/on": True,
        "job": "A7",
    }
    assert [v["quality_name"] for v in last["items"]] == ["Good"] * 3
    assert [p["path"] for p in found["items"]] == [f"{PRESS}/oil"]
    assert found["cursor"] == ""


async def test_pages_of_points_follow_each_other_without_gap(plant):
    plant.historian.namespace.declare(Point(path=f"acme/p{i:03}") for i in range(25))
    seen, cursor = [], ""
    async with plant.http() as http:
        while True:
            page = (await http.get("/points", params={"limit": 7, "cursor": cursor})).json()
            seen += [p["path"] for p in page["items"]]
            cursor = page["cursor"]
            if not cursor:
                break
    assert seen == [f"acme/p{i:03}" for i in range(25)]


async def test_history_is_raw_when_short_and_summed_up_when_long(plant):
    now = now_ns() // NS_PER_S * NS_PER_S
    rows = [(f"{PRESS}/oil", now - i * NS_PER_S, float(i)) for i in range(1000)]
    rows += [(f"{PRESS}/few", now - i * NS_PER_S, float("nan") if i else 7.0) for i in range(5)]
    await plant.historian.append(Batch.of_rows(rows))
    ask = {"points": [f"{PRESS}/oil", f"{PRESS}/few"], "start": "-30m", "points_max": 100}
    async with plant.http() as http:
        answer = (await http.get("/history", params=ask)).json()
    oil, few = answer["series"]
    assert (oil["form"], oil["point"]) == ("buckets", f"{PRESS}/oil")
    assert len(oil["time_ms"]) <= 100
    assert sum(oil["count"]) == 1000
    assert (max(oil["max"]), min(oil["min"])) == (999, 0)
    assert (few["form"], few["value"]) == ("raw", [None] * 4 + [7.0])


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow"])
async def test_history_is_downloaded_row_by_row(plant, kind):
    rows = [(f"{PRESS}/oil", 1_700_000_000_123_456_789, 1.5), (f"{PRESS}/job", 10**18, "A7")]
    await plant.historian.append(Batch.of_rows(rows))
    ask = {"points": [r[0] for r in rows], "start": "2000-01-01", "format": kind}
    async with plant.http() as http:
        answer = await http.get("/history", params=ask)
    assert answer.status_code == 200, answer.text
    assert f".{kind}" in answer.headers["content-disposition"]
    if kind == "csv":
        assert "2023-11-14T22:13:20.123456789Z" in answer.text
        table = csv.read_csv(io.BytesIO(answer.content))
    elif kind == "parquet":
        table = parquet.read_table(io.BytesIO(answer.content))
    else:
        table = pa.ipc.open_stream(answer.content).read_all()
    assert table.column_names == ["point", "time", "value", "text", "quality"]
    assert table.column("point").to_pylist() == [r[0] for r in rows]
    if kind != "csv":
        assert table.column("time").cast(pa.int64()).to_pylist() == [r[1] for r in rows]


async def test_samples_are_accepted_once_stored_and_bad_ones_are_explained(plant):
    batch = Batch.of_rows([(f"{PRESS}/oil", 10**18, 3.5)])
    async with plant.http() as http:
        good = await http.post("/samples", content=batch.to_ipc())
        bad = await http.post("/samples", content=b"nonsense")
        wild = Batch.of_rows([("a b/c", 10**18, 3.5)])
        ill = await http.post("/samples", content=wild.to_ipc())
        never = Batch.of_rows([(f"{PRESS}/oil", t, 3.5) for t in (10**18, 2**63 - 1)])
        absurd = await http.post("/samples", content=never.to_ipc())
        own = Batch.of_rows([("lineshaft/drivers/press/state", 10**18, 2.0)])
        forged = await http.post("/samples", content=own.to_ipc())
        last = (await http.get("/last", params={"points": f"{PRESS}/oil"})).json()
    assert forged.status_code == 403
    assert good.json() == {"accepted": 1}
    assert (bad.status_code, ill.status_code, absurd.status_code) == (400, 400, 400)
    assert "1824 and 2116" in absurd.json()["remedy"]
    assert bad.headers["content-type"].startswith("application/problem+json")
    assert "Arrow" in bad.json()["detail"]
    assert bad.json()["remedy"]
    assert [v["value"] for v in last["items"]] == [3.5]


async def test_an_import_is_resumed_and_repeated_without_doubles(plant):
    batch = Batch.of_rows([(f"{PRESS}/oil", 10**18 + i, float(i)) for i in range(10)])
    new = {"name": "old.csv", "fingerprint": "f1", "rows_total": 10}
    async with plant.http() as http:
        begun = (await http.post("/imports", json=new)).json()
        chunks = f"/imports/{begun['id']}/chunks"

        async def send(offset, start, stop):
            part = batch.slice(start, stop).to_ipc()
            return await http.post(chunks, params={"offset": offset}, content=part)

        first = await send(0, 0, 4)
        gap = await send(6, 6, 10)
        again = await send(0, 0, 4)
        resumed = (await http.post("/imports", json=new)).json()
        overlapping = await send(2, 2, 10)
        listed = (await http.get("/imports")).json()["items"]
    assert first.json()["rows_done"] == 4
    assert gap.status_code == 409
    assert "offset 4" in gap.json()["remedy"]
    assert again.json()["rows_done"] == 4
    assert (resumed["id"], resumed["rows_done"]) == (begun["id"], 4)
    assert overlapping.json()["rows_done"] == 10
    assert overlapping.json()["finished"]
    assert [i["rows_done"] for i in listed] == [10]
    assert plant.historian.store.counts().accepted == 10
    events = await plant.historian.imports._records.events()
    assert [(e.event.kind, e.event.actor) for e in events] == [("import.begun", "emil/laptop")]


async def test_an_import_of_another_is_not_moved_on_from_a_branch(plant):
    new = {"name": "old.csv", "fingerprint": "f1", "rows_total": 10}
    batch = Batch.of_rows([("acme/hall-2/saw/speed", 1, 1.0)]).to_ipc()
    async with plant.http() as emil, plant.http("ls_guest") as gina:
        begun = (await emil.post("/imports", json=new)).json()
        chunks = f"/imports/{begun['id']}/chunks?offset=0"
        moved = await gina.post(chunks, content=batch)
        ended = await gina.post("/imports", json={**new, "rows_total": 0})
        seen = (await gina.get("/imports")).json()["items"]
        own = (await gina.post("/imports", json={**new, "fingerprint": "f2"})).json()
        sent = await gina.post(f"/imports/{own['id']}/chunks?offset=0", content=batch)
        listed = (await emil.get("/imports")).json()["items"]
    assert (moved.status_code, ended.status_code, seen) == (403, 403, [])
    assert sent.json()["rows_done"] == 1
    assert {(i["id"], i["rows_done"]) for i in listed} == {(begun["id"], 0), (own["id"], 1)}


async def test_views_are_own_or_shared_and_versions_guard_them(plant):
    async with plant.http("ls_engineer") as emil, plant.http("ls_viewer") as vera:
        own = (await emil.post("/views", json={"name": "mine", "data": {"a": 1}})).json()
        shared = (await emil.post("/views", json={"name": "ours", "shared": True})).json()
        seen = (await vera.get("/views")).json()["items"]
        hidden = await vera.get(f"/views/{own['id']}")
        forbidden = await vera.delete(f"/views/{shared['id']}")
        url = f"/views/{own['id']}"
        changed = await emil.put(url, json={"name": "new"}, headers={"If-Match": '"1"'})
        stale = await emil.put(url, json={"name": "newer"}, headers={"If-Match": '"1"'})
        gone = await emil.delete(url)
        left = (await emil.get("/views")).json()["items"]
    assert own["owner"] == "emil"
    assert [v["name"] for v in seen] == ["ours"]
    assert (hidden.status_code, forbidden.status_code) == (404, 403)
    assert changed.json()["version"] == 2
    assert (stale.status_code, gone.status_code) == (409, 204)
    assert [v["name"] for v in left] == ["ours"]


async def test_forbidden_and_absent_look_the_same(plant):
    await plant.publish((f"{PRESS}/oil", 1.0), ("acme/hall-2/saw/speed", 2.0))
    async with plant.http("ls_guest") as http:
        pairs = [
            (await http.get(path + "acme/hall-1/press/oil"), await http.get(path + "acme/no/no/no"))
            for path in ("/point?path=", "/last?points=", "/history?points=", "/tree?branch=")
        ]
        root = (await http.get("/tree")).json()
        last = (await http.get("/last")).json()
        found = (await http.get("/points")).json()
        batch = Batch.of_rows([(f"{PRESS}/oil", 1, 1.0)]).to_ipc()
        brought = await http.post("/samples", content=batch)
    for forbidden, absent in pairs:
        assert (forbidden.status_code, absent.status_code) == (404, 404)
        hide = json.dumps(forbidden.json()).replace("acme/hall-1/press/oil", "acme/no/no/no")
        assert json.loads(hide) == absent.json()
    assert [(c["path"], c["points"]) for c in root["children"]] == [("acme", 1)]
    assert [v["point"] for v in last["items"]] == ["acme/hall-2/saw/speed"]
    assert [p["path"] for p in found["items"]] == ["acme/hall-2/saw/speed"]
    assert brought.status_code == 403


async def test_system_tells_the_books(plant):
    await plant.publish((f"{PRESS}/oil", 1.0))
    async with plant.http("ls_viewer") as http:
        system = (await http.get("/system")).json()
    assert system["store"]["counts"]["accepted"] == 1
    assert system["points"] == 1
    assert system["problems"] == []
    assert [f["name"] for f in system["flows"]] == ["historian"]
