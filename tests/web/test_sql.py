"""SQL over HTTP."""

import io

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.point import Point

NOON = 1_780_000_000 * NS_PER_S


@pytest.fixture
async def filled(plant):
    rows = [("acme/hall-1/oil", NOON + i * NS_PER_S, float(i)) for i in range(10)]
    rows += [("acme/hall-2/oil", NOON + i * NS_PER_S, f"t{i}") for i in range(5)]
    await plant.historian.append(Batch.of_rows(rows))
    plant.historian.namespace.declare([Point(path="acme/hall-1/oil", unit="Cel", low=0.0)])
    return plant


async def test_an_answer_has_columns_types_and_rows(filled):
    text = (
        "SELECT s.point, time, time_ns, number, unit FROM samples s JOIN points p"
        " ON s.point = p.point WHERE number >= 8 ORDER BY time"
    )
    async with filled.http("ls_viewer") as http:
        answer = (await http.post("/sql", json={"text": text})).json()
    assert answer["columns"] == [
        {"name": "point", "type": "VARCHAR"},
        {"name": "time", "type": "TIMESTAMP WITH TIME ZONE"},
        {"name": "time_ns", "type": "BIGINT"},
        {"name": "number", "type": "DOUBLE"},
        {"name": "unit", "type": "VARCHAR"},
    ]
    assert answer["rows"] == [
        ["acme/hall-1/oil", "2026-05-28T20:26:48Z", str(NOON + 8 * NS_PER_S), 8.0, "Cel"],
        ["acme/hall-1/oil", "2026-05-28T20:26:49Z", str(NOON + 9 * NS_PER_S), 9.0, "Cel"],
    ]
    assert not answer["truncated"]
    assert answer["elapsed_ms"] > 0


async def test_more_rows_than_the_limit_are_told(filled):
    ask = {"text": "SELECT * FROM samples", "limit": 3}
    async with filled.http() as http:
        answer = (await http.post("/sql", json=ask)).json()
    assert len(answer["rows"]) == 3
    assert answer["truncated"]


async def test_files_hold_the_same_rows(filled):
    text = "SELECT point, time, number FROM samples ORDER BY point, time"
    async with filled.http() as http:
        bodies = {
            kind: (await http.post("/sql", json={"text": text, "format": kind})).content
            for kind in ("csv", "arrow", "parquet")
        }
    of_csv = csv.read_csv(io.BytesIO(bodies["csv"]))
    of_arrow = pa.ipc.open_stream(bodies["arrow"]).read_all()
    of_parquet = parquet.read_table(io.BytesIO(bodies["parquet"]))
    assert of_arrow.num_rows == 15
    assert of_arrow.to_pylist() == of_parquet.to_pylist()
    assert of_csv["number"].to_pylist() == of_arrow["number"].to_pylist()


async def test_what_is_wrong_with_the_text_is_told_before_any_row(filled):
    async with filled.http() as http:
        for kind in ("json", "csv", "arrow", "parquet"):
            for text in ("SELECT * FROM 'x.parquet'", "SELECT nothing FROM samples", "SELEC"):
                answer = await http.post("/sql", json={"text": text, "format": kind})
                assert answer.status_code == 400, (kind, text)
                assert answer.json()["remedy"]


async def test_a_guest_sees_only_the_own_branch(filled):
    async with filled.http("ls_guest") as http:
        ask = {"text": "SELECT DISTINCT point FROM samples"}
        answer = (await http.post("/sql", json=ask)).json()
        known = (await http.post("/sql", json={"text": "SELECT point FROM points"})).json()
    assert answer["rows"] == [["acme/hall-2/oil"]]
    assert known["rows"] == [["acme/hall-2/oil"]]


async def test_nobody_asks_without_an_identity(filled):
    async with filled.http("") as http:
        assert (await http.post("/sql", json={"text": "SELECT 1"})).status_code == 401
        assert (await http.get("/sql/schema")).status_code == 401


async def test_each_example_of_the_schema_can_be_asked(filled):
    async with filled.http() as http:
        schema = (await http.get("/sql/schema")).json()
        for example in schema["examples"]:
            answer = await http.post("/sql", json={"text": example["text"]})
            assert answer.status_code == 200, answer.text


async def test_each_view_has_the_columns_that_the_schema_tells(filled):
    async with filled.http() as http:
        schema = (await http.get("/sql/schema")).json()
        for view in schema["views"]:
            ask = {"text": f"SELECT * FROM {view['name']}"}
            answer = (await http.post("/sql", json=ask)).json()
            told = [{"name": c["name"], "type": c["type"]} for c in view["columns"]]
            assert answer["columns"] == told


async def test_values_that_json_cannot_hold_come_as_text_or_null(filled):
    text = (
        "SELECT 9007199254740993, 1e999, 'nan'::DOUBLE, 1.50::DECIMAL(4,2), x'ab',"
        " INTERVAL 1 DAY, {'a': [1, 2]}, DATE '2026-01-01', NULL"
    )
    async with filled.http() as http:
        answer = (await http.post("/sql", json={"text": text})).json()
    first = answer["rows"][0]
    assert first[:5] == ["9007199254740993", None, None, "1.50", "qw=="]
    assert first[6:] == [{"a": [1, 2]}, "2026-01-01", None]


async def test_days_beyond_all_calendars_are_told(plant):
    far = "SELECT DATE '290000-01-01' a, DATE 'infinity' b, NULL::DATE c, DATE '2026-02-03' d"
    nested = "SELECT [DATE '290000-01-01'] a"
    async with plant.http("ls_viewer") as http:
        answer = (await http.post("/sql", json={"text": far})).json()
        refused = await http.post("/sql", json={"text": nested})
    assert answer["rows"] == [["infinity", "infinity", None, "2026-02-03"]]
    assert refused.status_code == 400
    assert "cast others" in refused.json()["remedy"]
