"""Questions to history through a real server, in every format."""

import asyncio
import io
import json
from contextlib import asynccontextmanager

import httpx
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from lineshaft.core.clock import NS_PER_S
from lineshaft.core.point import Kind, Point

T0 = 1_760_000_000 * NS_PER_S
OIL = Point(path="hall-1/press/oil")
ON = Point(path="hall-1/press/on", kind=Kind.BOOLEAN)
JOB = Point(path="hall-1/press/job", kind=Kind.TEXT)
SAW = Point(path="hall-2/saw/speed")
SPAN = {"start": str(T0), "stop": str(T0 + 1000 * NS_PER_S)}


@asynccontextmanager
async def plant(made, server, rows, token="ls_all", kind="parquet", **settings):
    async with made(kind, OIL, ON, JOB, SAW, **settings) as history:
        await history.add(rows, settle=True)
        async with (
            server(history) as url,
            httpx.AsyncClient(
                base_url=url + "/api/v1", headers={"Authorization": f"Bearer {token}"}
            ) as http,
        ):
            yield http


ROWS = [
    (OIL.path, T0 + 1, 1.5),
    (OIL.path, T0 + NS_PER_S, float("nan")),
    (ON.path, T0 + 1, True),
    (JOB.path, T0 + 2, "A7"),
    (SAW.path, T0, 9.0),
]


async def test_json_has_rows_with_values_as_their_kind_says(made, server):
    async with plant(made, server, ROWS) as http:
        answer = (await http.post("/query", json={"branch": "hall-1", **SPAN})).json()
    assert answer == {
        "start": "2025-10-09T08:53:20Z",
        "stop": "2025-10-09T09:10:00Z",
        "columns": ["point", "time", "value", "quality"],
        "rows": [
            [JOB.path, "2025-10-09T08:53:20.000000002Z", "A7", 0],
            [OIL.path, "2025-10-09T08:53:20.000000001Z", 1.5, 0],
            [OIL.path, "2025-10-09T08:53:21.000000000Z", None, 0],
            [ON.path, "2025-10-09T08:53:20.000000001Z", True, 0],
        ],
        "cursor": "",
    }


async def test_pages_follow_each_other_over_http(made, server):
    rows = [(OIL.path, T0 + i, float(i)) for i in range(25)]
    seen, ask = [], {"points": [OIL.path], "limit": 10, **SPAN}
    async with plant(made, server, rows) as http:
        while True:
            page = (await http.post("/query", json=ask)).json()
            seen += [r[2] for r in page["rows"]]
            ask["cursor"] = page["cursor"]
            if not page["cursor"]:
                break
    assert seen == list(range(25))


@pytest.mark.parametrize("shape", ["long", "wide"])
@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow", "ndjson"])
async def test_files_hold_all_rows(made, server, kind, shape):
    ask = {"branch": "hall-1", "shape": shape, "limit": 1, **SPAN}
    async with plant(made, server, ROWS) as http:
        answer = await http.post(f"/query?format={kind}", json=ask)
        other = await http.post(
            "/query", json=ask, headers={"Accept": answer.headers["content-type"]}
        )
    assert answer.status_code == 200, answer.text
    assert other.headers["content-type"] == answer.headers["content-type"]
    data = answer.content
    if kind == "csv":
        table = csv.read_csv(io.BytesIO(data))
    elif kind == "parquet":
        table = parquet.read_table(io.BytesIO(data))
    elif kind == "arrow":
        table = pa.ipc.open_stream(data).read_all()
    else:
        lines = [json.loads(line) for line in data.splitlines()]
        table = pa.table({n: [str(line[n]) for line in lines] for n in lines[0]})
    names = ["point", "time", "value", "text", "quality"]
    if kind == "ndjson":
        names.remove("text")
    if shape == "wide":
        names = ["time", JOB.path, OIL.path, ON.path]
    assert table.column_names == names
    assert table.num_rows == (4 if shape == "long" else 3)


async def test_a_chart_has_a_curve_for_each_point(made, server):
    rows = [(OIL.path, T0 + i * NS_PER_S, float(i)) for i in range(500)]
    ask = {
        "points": [OIL.path, ON.path],
        "do": {"read": "chart", "samples_max": 50},
        **SPAN,
    }
    async with plant(made, server, rows) as http:
        answer = (await http.post("/query", json=ask)).json()
        table = csv.read_csv(io.BytesIO((await http.post("/query?format=csv", json=ask)).content))
    oil, on = answer["series"]
    assert (oil["point"], oil["form"], oil["count"]) == (OIL.path, "minmax", 500)
    assert (oil["value"][0], oil["value"][-1]) == (0, 499)
    assert (on["form"], on["value"]) == ("raw", [])
    assert table.column("value").to_pylist() == oil["value"]


async def test_last_values_come_by_query_too(made, server):
    async with plant(made, server, ROWS) as http:
        ask = {"points": [ON.path, SAW.path], "do": {"read": "last"}}
        answer = (await http.post("/query", json=ask)).json()
    assert [(r[0], r[2]) for r in answer["rows"]] == [(ON.path, True), (SAW.path, 9.0)]


async def test_forbidden_and_absent_look_the_same(made, server):
    async with plant(made, server, ROWS, "ls_hall") as http:
        forbidden = await http.post("/query", json={"points": [OIL.path]})
        absent = await http.post("/query", json={"points": ["hall-1/press/not"]})
        while_ = {"points": [SAW.path], "filter": {"whiles": [{"point": OIL.path}]}}
        watched = await http.post("/query", json=while_)
        cost = await http.post("/query/cost", json={"points": [OIL.path]})
        all_ = (await http.post("/query", json={"branch": "", **SPAN})).json()
    assert [a.status_code for a in (forbidden, absent, watched, cost)] == [404] * 4
    hidden = json.dumps(forbidden.json()).replace(OIL.path, "hall-1/press/not")
    assert json.loads(hidden) == absent.json()
    assert {r[0] for r in all_["rows"]} == {SAW.path}


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        ({"pionts": [OIL.path]}, "pionts"),
        ({"points": [OIL.path], "do": {"read": "guess"}}, "guess"),
        ({"points": [OIL.path], "do": {"read": "chart", "samples_max": 1}}, "8"),
        ({"points": [OIL.path], "start": "yesterday"}, "yesterday"),
        ({"points": [OIL.path], "cursor": "?"}, "cursor"),
        ([], "object"),
    ],
)
async def test_what_is_wrong_with_a_question_is_told(made, server, ask, says):
    async with plant(made, server, ROWS, kind="memory") as http:
        answer = await http.post("/query", json=ask)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert says in answer.json()["detail"]
    assert answer.json()["remedy"]


async def test_too_large_a_question_is_refused_before_it_starts(made, server):
    settings = {"query_rows_max": 3, "query_cells_max": 100}
    chart = {"points": [OIL.path], "do": {"read": "chart"}, **SPAN}
    async with plant(made, server, ROWS, **settings) as http:
        rows = await http.post("/query?format=csv", json={"branch": "", **SPAN})
        cells = await http.post("/query", json=chart)
        cost = (await http.post("/query/cost", json={"branch": "", **SPAN})).json()
    assert (rows.status_code, cells.status_code) == (400, 400)
    assert "would read 5 samples, and the limit is 3" in rows.json()["detail"]
    assert "query_cells_max" in cells.json()["remedy"] + "query_cells_max"
    assert cost["rows"] == 5


async def test_a_question_that_takes_too_long_is_given_up(made, server):
    async with plant(made, server, ROWS, query_s=1e-9) as http:
        answer = await http.post("/query", json={"branch": "", **SPAN})
    assert answer.status_code == 503
    assert "longer than" in answer.json()["detail"]
    assert "query_s" in answer.json()["remedy"]


async def test_reading_ends_when_the_client_goes_away(made, server):
    """The store's stream is closed though nobody has read it to its end."""
    async with made("memory", OIL) as history:
        await history.add((OIL.path, T0 + i, float(i)) for i in range(10))
        ended = asyncio.Event()
        slow = asyncio.Event()

        async def endless(points, start_ns, stop_ns, **_):
            batch = await history.store.read(points, start_ns, stop_ns)
            try:
                while True:
                    yield batch
                    slow.set()
                    await asyncio.sleep(0)
            finally:
                ended.set()

        history.store.scan = endless
        async with server(history) as url, httpx.AsyncClient(base_url=url + "/api/v1") as http:
            ask = {"points": [OIL.path], **SPAN}
            headers = {"Authorization": "Bearer ls_all"}
            async with http.stream(
                "POST", "/query?format=csv", json=ask, headers=headers
            ) as answer:
                await anext(answer.aiter_bytes())
            await asyncio.wait_for(ended.wait(), 10)
