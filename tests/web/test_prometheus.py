"""Grafana's data source for Prometheus reads us: its requests, as it sends them."""

import base64

import httpx
import pytest

from lineshaft.core.batch import Batch
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.point import Kind, Point

PRESS = "acme/hall-1/press"
OTHER = "acme/hall-2/press"
API = "/prometheus/api/v1"
T0 = 1_790_000_000
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OIL = {
    "__name__": "oil",
    "area": "",
    "asset": "press",
    "enterprise": "acme",
    "kind": "number",
    "path": f"{PRESS}/oil",
    "site": "hall-1",
    "source": "press-1",
    "unit": "Cel",
}
del OIL["area"]


@pytest.fixture
async def filled(plant):
    plant.historian.namespace.declare(
        [
            Point(path=f"{PRESS}/oil", unit="Cel", source="press-1", description="Oil in the tank"),
            Point(path=f"{PRESS}/running", kind=Kind.BOOLEAN),
            Point(path=f"{PRESS}/job", kind=Kind.TEXT),
            Point(path=f"{OTHER}/oil", unit="Cel", source="press-2"),
        ]
    )
    rows = [
        (path, (T0 + i * 15) * NS_PER_S, value)
        for i in range(40)
        for path, value in [
            (f"{PRESS}/oil", 40.0 + i),
            (f"{PRESS}/running", i % 2 == 0),
            (f"{PRESS}/job", "A7"),
            (f"{OTHER}/oil", 50.5),
        ]
    ]
    await plant.historian.append(Batch.of_rows(rows))
    return plant


def data(answer: httpx.Response):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    body = answer.json()
    assert body["status"] == "success"
    return body["data"]


async def test_save_and_test_finds_the_data_source_healthy(filled):
    async with filled.http("ls_viewer") as http:
        one = data(await http.post(f"{API}/query", content="query=1%2B1&time=4", headers=FORM))
        build = data(await http.get(f"{API}/status/buildinfo"))
        rules = data(await http.get(f"{API}/rules"))
        alerts = data(await http.get(f"{API}/alerts"))
    assert one == {"resultType": "scalar", "result": [4, "2"]}
    assert build["version"] == "2.42.0"
    assert set(build) == {*("version", "revision", "branch", "buildUser", "buildDate", "goVersion")}
    assert (rules, alerts) == ({"groups": []}, {"alerts": []})


async def test_a_panel_gets_its_curves(filled):
    body = f"end={T0 + 60}&query=oil%7Bsite%3D%22hall-1%22%7D&start={T0}&step=15"
    async with filled.http("ls_viewer") as http:
        answer = data(await http.post(f"{API}/query_range", content=body, headers=FORM))
        by_get = data(
            await http.get(
                f"{API}/query_range",
                params={
                    "query": 'oil{site="hall-1"}',
                    "start": f"{T0}.000",
                    "end": "2026-09-21T14:14:20Z",
                    "step": "15s",
                    "timeout": "30s",
                },
            )
        )
    assert answer == {
        "resultType": "matrix",
        "result": [{"metric": OIL, "values": [[T0 + i * 15, str(40 + i)] for i in range(5)]}],
    }
    assert by_get == answer


async def test_a_panel_with_rate_interval_and_legend_gets_its_curves(filled):
    query = "sum by (site) (rate(oil[1m0s]))"
    asked = {"query": query, "start": T0 + 300, "end": T0 + 420, "step": "60"}
    async with filled.http("ls_viewer") as http:
        found = data(await http.post(f"{API}/query_range", data=asked))["result"]
    assert [r["metric"] for r in found] == [{"site": "hall-1"}, {"site": "hall-2"}]
    assert [float(v) for _, v in found[0]["values"]] == pytest.approx([1 / 15] * 3)
    assert [v for _, v in found[1]["values"]] == ["0"] * 3


async def test_a_table_panel_and_explore_get_values_at_one_time(filled):
    asked = {"query": "topk(1, oil)", "time": f"{T0 + 15}.5"}
    async with filled.http("ls_viewer") as http:
        table = data(await http.post(f"{API}/query", data=asked))
        raw = data(await http.get(f"{API}/query", params={"query": "oil[30s]", "time": T0 + 30}))
        exemplars = data(
            await http.post(f"{API}/query_exemplars", data={"query": "oil", "start": 1, "end": 2})
        )
    assert [(r["metric"]["site"], r["value"]) for r in table["result"]] == [
        ("hall-2", [T0 + 15.5, "50.5"])
    ]
    assert raw["resultType"] == "matrix"
    assert [len(r["values"]) for r in raw["result"]] == [3, 3]
    assert exemplars == []


async def test_metric_find_queries_fill_variables_and_the_builder(filled):
    span = {"start": T0, "end": T0 + 600}
    async with filled.http("ls_viewer") as http:
        names = data(await http.get(f"{API}/label/__name__/values", params=span))
        sites = data(await http.get(f"{API}/label/site/values", params=span | {"match[]": "oil"}))
        labels = data(
            await http.post(f"{API}/labels", data=span | {"match[]": 'running{site="hall-1"}'})
        )
        all_labels = data(await http.get(f"{API}/labels"))
        series = data(
            await http.get(
                f"{API}/series", params=[("match[]", 'oil{site="hall-1"}'), ("match[]", "running")]
            )
        )
        posted = data(await http.post(f"{API}/series", data={"match[]": '{path=~".+/oil"}'}))
        metadata = data(await http.get(f"{API}/metadata"))
        limited = (await http.get(f"{API}/label/__name__/values", params={"limit": 1})).json()
    assert names == ["oil", "running"]
    assert sites == ["hall-1", "hall-2"]
    assert labels == ["__name__", "asset", "enterprise", "kind", "path", "site"]
    assert all_labels == sorted([*labels, "source", "unit"])
    assert [s["path"] for s in series] == [f"{PRESS}/oil", f"{PRESS}/running"]
    assert series[0] == OIL
    assert len(posted) == 2
    assert {"type": "gauge", "help": "Oil in the tank", "unit": "Cel"} in metadata["oil"]
    assert limited["data"] == ["oil"]
    assert limited["warnings"] == ["results truncated due to limit"]


async def test_ad_hoc_filters_narrow_every_selector(filled):
    query = 'oil{site="hall-1",kind!="enum",path=~"acme/.*"} - on(site) oil{site="hall-1"}'
    async with filled.http("ls_viewer") as http:
        keys = data(await http.get(f"{API}/labels", params={"match[]": "oil"}))
        values = data(await http.get(f"{API}/label/kind/values", params={"match[]": "oil"}))
        found = data(await http.post(f"{API}/query", data={"query": query, "time": T0}))
        tidy = data(await http.get(f"{API}/format_query", params={"query": "sum(oil)by(site)"}))
    assert "site" in keys
    assert values == ["number"]
    assert found["result"] == [{"metric": {"site": "hall-1"}, "value": [T0, "0"]}]
    assert tidy == "sum by (site) (oil)"


async def test_a_longer_lookback_can_be_asked_for(filled):
    asked = {"query": "running", "time": T0 + 3600}
    async with filled.http("ls_viewer") as http:
        assert data(await http.get(f"{API}/query", params=asked))["result"] == []
        asked |= {"lookback_delta": "2h"}
        assert len(data(await http.get(f"{API}/query", params=asked))["result"]) == 1


async def test_a_token_works_as_the_password_of_basic_auth(filled):
    async with filled.http("") as http:
        answer = await http.get(f"{API}/query", params={"query": "1"}, auth=("any", "ls_viewer"))
        assert data(answer)["resultType"] == "scalar"
        wrong = await http.get(f"{API}/query", params={"query": "1"}, auth=("ls_viewer", "x"))
        none = await http.get(f"{API}/query", params={"query": "1"})
        for word in ("Basic !!!", "Basic " + base64.b64encode(b"\xff\xfe").decode(), "Basic"):
            broken = await http.get(f"{API}/labels", headers={"Authorization": word})
            assert broken.status_code == 401
    for refused in (wrong, none):
        assert refused.status_code == 401
        assert refused.json()["status"] == "error"
        assert refused.json()["errorType"] == "unauthorized"


async def test_rights_hold_for_every_request(filled):
    async with filled.http("ls_guest") as http:
        asked = {"query": "oil", "time": T0}
        found = data(await http.get(f"{API}/query", params=asked))["result"]
        sites = data(await http.get(f"{API}/label/site/values"))
        names = data(await http.get(f"{API}/metadata"))
        hidden = data(
            await http.get(f"{API}/series", params={"match[]": f'{{path="{PRESS}/oil"}}'})
        )
    assert [r["metric"]["path"] for r in found] == [f"{OTHER}/oil"]
    assert sites == ["hall-2"]
    assert names == {"oil": [{"type": "gauge", "help": "", "unit": "Cel"}]}
    assert hidden == []


@pytest.mark.parametrize(
    ("way", "asked", "status", "word", "part"),
    [
        ("query", {"query": "oil["}, 400, "bad_data", "invalid expression"),
        ("query", {}, 400, "bad_data", "expression"),
        ("query", {"query": "holt_winters(oil[1m], 0.1, 0.1)"}, 400, "bad_data", "holt_winters"),
        ("query", {"query": 'oil{site=~"*"}'}, 400, "bad_data", "reg"),
        ("query", {"query": "oil", "time": "soon"}, 400, "bad_data", '"soon"'),
        ("query", {"query": "oil", "time": "1e300"}, 400, "bad_data", "1e300"),
        ("query", {"query": "oil", "time": "nan"}, 400, "bad_data", "nan"),
        ("query", {"query": "oil", "timeout": "never"}, 400, "bad_data", "never"),
        ("query", {"query": "oil @ 99999999999999"}, 400, "bad_data", "far"),
        ("query", {"query": "rate(oil[250y])"}, 400, "bad_data", "far"),
        ("query", {"query": "min_over_time(oil[250y:1y])"}, 400, "bad_data", "far"),
        ("query", {"query": "oil offset 9000y"}, 400, "bad_data", "far"),
        ("query", {"query": "oil + on() oil", "time": T0}, 422, "execution", "duplicate series"),
        ("query_range", {"query": "oil"}, 400, "bad_data", "start"),
        ("query_range", {"query": "oil", "start": 9, "end": 8, "step": 1}, 400, "bad_data", "end"),
        ("query_range", {"query": "oil", "start": 1, "end": 8, "step": 0}, 400, "bad_data", "step"),
        ("query_range", {"query": "oil", "start": 1, "end": 8}, 400, "bad_data", "step"),
        (
            "query_range",
            {"query": "oil", "start": 0, "end": 11_001, "step": 1},
            400,
            "bad_data",
            "11,000 points",
        ),
        ("query_range", {"query": "x[5m]", "start": 1, "end": 2, "step": 1}, 400, "bad_data", "r"),
        ("series", {}, 400, "bad_data", "match[]"),
        ("series", {"match[]": "rate(oil[5m])"}, 400, "bad_data", "selector"),
        ("labels", {"limit": "many"}, 400, "bad_data", "limit"),
        ("label/a-b/values", {}, 400, "bad_data", "a-b"),
    ],
)  # fmt: skip
async def test_errors_are_those_of_prometheus(filled, way, asked, status, word, part):
    async with filled.http("ls_viewer") as http:
        answer = await http.get(f"{API}/{way}", params=asked)
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert (body["status"], body["errorType"]) == ("error", word)
    assert part in body["error"]


async def test_a_query_that_takes_too_long_times_out(filled):
    asked = {"query": "oil", "time": T0, "timeout": "1ms"}
    async with filled.http("ls_viewer") as http:
        for _ in range(50):
            answer = await http.get(f"{API}/query", params=asked)
            if answer.status_code != 200:
                break
    assert answer.status_code in (200, 503)
    if answer.status_code == 503:
        assert answer.json()["errorType"] == "timeout"
