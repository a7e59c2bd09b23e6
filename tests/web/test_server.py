"""The server: who comes in, what it answers to nonsense, how it starts and stops."""

import asyncio
import json
import logging
import signal
import socket as sockets
import ssl
import subprocess
import time

import httpx
import pytest
from litestar import get as bare
from websockets.asyncio.client import connect

import lineshaft.gather.routes
import lineshaft.historian.routes
import lineshaft.security.routes
from lineshaft.core.access import Action
from lineshaft.core.errors import SettingsError
from lineshaft.server import ServerSettings, app, every_route, served
from lineshaft.web import get

EVERY_SLICE = [
    *lineshaft.gather.routes.handlers,
    *lineshaft.historian.routes.handlers,
    *lineshaft.security.routes.handlers,
]
PUBLIC = {"/", "/{path:path}", "/api/v1/session", "/health/live", "/health/ready"}


@get("/broken", action=Action.LOOK)
async def broken() -> None:
    """Fail as no handler should."""
    raise RuntimeError("canary 4711")


def test_every_route_names_an_action_and_few_are_public(people):
    made = app({}, EVERY_SLICE, authenticator=people, authorizer=people)
    found = [(path, handler.opt["action"]) for path, handler in every_route(made.litestar)]
    assert {p for p, a in found if a is Action.PUBLIC} == PUBLIC
    assert {"/api/v1/live", "/api/v1/devices", "/api/v1/users"} <= {p for p, _ in found}


def test_a_route_without_action_keeps_the_server_from_starting(people):
    @bare("/open")
    async def open_door() -> None: ...

    with pytest.raises(AssertionError, match="/api/v1/open"):
        app({}, [open_door], authenticator=people, authorizer=people)


@pytest.mark.parametrize("path", ["/api/v1/tree", "/metrics", "/api/docs", "/api/openapi.json"])
async def test_strangers_are_asked_to_log_in(plant, path):
    async with httpx.AsyncClient(base_url=plant.url) as http:
        for headers in (
            {},
            {"Authorization": "Bearer ls_wrong"},
            {"Cookie": "lineshaft_session=x"},
        ):
            answer = await http.get(path, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.headers["content-type"] == "application/problem+json"
            assert set(answer.json()) == {"type", "title", "status", "detail", "remedy"}


async def test_a_refusal_is_told_to_security(plant):
    async with plant.http("ls_viewer") as http:
        answer = await http.post("/imports", json={"name": "n", "fingerprint": "f"})
    assert answer.status_code == 403
    assert plant.people.refusals == [("vera", Action.CONFIGURE, "/api/v1/imports", "127.0.0.1")]


async def test_a_cookie_changes_nothing_without_the_header_or_from_another_page(plant):
    new = {"name": "v"}
    ours = {"X-Requested-With": "lineshaft"}
    async with httpx.AsyncClient(
        base_url=plant.url, cookies={"lineshaft_session": "s-viewer"}
    ) as http:
        bare = await http.post("/api/v1/views", json=new)
        foreign = await http.post(
            "/api/v1/views", json=new, headers=ours | {"Origin": "http://evil.example"}
        )
        own = await http.post("/api/v1/views", json=new, headers=ours | {"Origin": plant.url})
        read = await http.get("/api/v1/views", headers={"Origin": "http://evil.example"})
    assert (bare.status_code, foreign.status_code) == (403, 403)
    assert (own.status_code, read.status_code) == (201, 200)
    assert "access-control-allow-origin" not in read.headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/nothing/at/all", 404),
        ("GET", "/api/v1/points?limit=zero", 400),
        ("GET", "/api/v1/points?limit=100000", 400),
        ("GET", "/api/v1/points?cursor=%FF%FE", 400),
        ("GET", "/api/v1/point", 400),
        ("GET", "/api/v1/history?points=a/b&start=yesterday", 400),
        ("PUT", "/api/v1/views/x", 400),
        ("DELETE", "/api/v1/tree", 405),
        ("POST", "/api/v1/imports", 400),
    ],
)
async def test_every_wrong_request_is_a_problem_with_a_remedy(plant, method, path, status):
    async with httpx.AsyncClient(
        base_url=plant.url, headers={"Authorization": "Bearer ls_engineer"}
    ) as http:
        answer = await http.request(method, path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["detail"]
    assert body["remedy"]


async def test_a_body_that_is_too_large_is_refused(plant):
    async with plant.http() as http:
        small = await http.post("/imports", content=b"x" * (2 << 20))
        large = await http.post("/samples", content=b"x" * (17 << 20))
    assert (small.status_code, large.status_code) == (413, 413)
    assert large.json()["remedy"]


async def test_a_defect_is_logged_once_and_told_without_its_inside(tmp_path, running, caplog):
    async with running(ServerSettings(port=0), tmp_path, [broken]) as plant, plant.http() as http:
        answer = await http.get("/broken")
    assert answer.status_code == 500
    assert "canary" not in answer.text
    errors = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert "canary 4711" in str(errors[0].exc_info)


async def test_the_console_answers_every_page_of_its_own(plant):
    async with httpx.AsyncClient(base_url=plant.url) as http:
        pages = [await http.get(p) for p in ("/", "/trend/abc", "/devices")]
        script = await http.get("/assets/index-AbCd1234.js")
        again = await http.get(
            "/assets/index-AbCd1234.js", headers={"If-None-Match": script.headers["etag"]}
        )
        absent = await http.get("/assets/gone.js")
        outside = [
            await http.get(p) for p in ("/..%2f..%2fetc%2fpasswd", "/assets/..%2f..%2fsecret.txt")
        ]
    assert {p.text for p in pages} == {"<!doctype html><title>console</title>"}
    assert {p.headers["cache-control"] for p in pages} == {"no-cache"}
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-encoding"] == "gzip"
    assert pages[0].headers["content-type"] == "text/html; charset=utf-8"
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.text.startswith("console.log")
    assert again.status_code == 304
    assert absent.status_code == 404
    assert all("root:" not in o.text for o in outside)
    policy = pages[0].headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy
    assert pages[0].headers["x-content-type-options"] == "nosniff"


async def test_what_strangers_send_amiss_is_no_defect_of_ours(plant, caplog):
    async with plant.http("ls_engineer") as http:
        deep = b'{"name": "x", "data": {"a": ' + b"[" * 30_000 + b"]" * 30_000 + b"}}"
        nested = await http.post("/views", content=deep)
        foreign = await http.post("/views", json={"name": "x"}, headers={"Origin": "http://["})
    assert (nested.status_code, foreign.status_code) == (400, 403)
    assert not [r for r in caplog.records if r.levelname == "ERROR"]


async def test_one_file_is_not_remembered_under_many_spellings(plant):
    async with httpx.AsyncClient(base_url=plant.url) as http:
        assert (await http.get("/assets/index-AbCd1234.js")).status_code == 200
        for spelling in ("/%2e/assets", "/assets/%2e", "/docs/%2e%2e/assets"):
            answer = await http.get(f"{spelling}/index-AbCd1234.js")
            assert answer.status_code == 404, spelling


async def test_a_checkout_without_console_says_how_to_build_it(tmp_path, running):
    async with (
        running(ServerSettings(port=0), tmp_path / "none") as plant,
        httpx.AsyncClient(base_url=plant.url) as http,
    ):
        page = await http.get("/")
    assert page.status_code == 200
    assert "hatch_build.py" in page.text


async def test_the_api_describes_itself(plant):
    async with plant.http("ls_viewer") as http:
        answer = await http.get(f"{plant.url}/api/openapi.json")
        docs = await http.get(f"{plant.url}/api/docs")
    schema = answer.json()
    assert schema["openapi"].startswith("3.1")
    assert {"/api/v1/history", "/api/v1/tree", "/api/v1/imports"} <= set(schema["paths"])
    assert "token" in schema["components"]["securitySchemes"]
    names = {p["name"] for p in schema["paths"]["/api/v1/history"]["get"]["parameters"]}
    assert names == {"points", "start", "stop", "points_max", "form", "bucket_s", "format"}
    assert "docs" in docs.text


async def test_health_and_metrics_tell_how_it_fares(plant):
    await plant.publish(("acme/press/oil", 1.0))
    async with plant.http("ls_viewer") as http:
        live = await http.get(f"{plant.url}/health/live", headers={"Authorization": ""})
        ready = await http.get(f"{plant.url}/health/ready")
        page = await http.get(f"{plant.url}/metrics")
        plant.historian.recorder.trouble = "disk full"
        sick = await http.get(f"{plant.url}/health/ready")
        secret = await http.get(f"{plant.url}/health/ready", headers={"Authorization": ""})
    assert (live.status_code, ready.status_code, sick.status_code) == (200, 200, 503)
    assert sick.json()["problems"] == ["historian: disk full"]
    assert secret.status_code == 503
    assert "disk" not in secret.text
    assert 'lineshaft_store_rows{state="accepted"} 1.0' in page.text
    assert 'lineshaft_flow_confirmed_total{flow="historian"}' in page.text
    assert "# TYPE lineshaft_points gauge" in page.text
    assert page.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_a_taken_port_is_explained(people):
    with sockets.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        made = app({}, [], authenticator=people, authorizer=people)
        with pytest.raises(SettingsError, match=str(port)) as refused:
            async with served(made, ServerSettings(port=port)):
                pass
    assert "port" in refused.value.remedy


async def test_it_stops_within_two_seconds_with_sockets_and_streams_open(tmp_path, running):
    async with running(ServerSettings(port=0), tmp_path) as plant:
        await plant.publish(("acme/press/oil", 1.0))
        headers = {"Authorization": "Bearer ls_viewer"}
        url = plant.url.replace("http", "ws") + "/api/v1/live"
        ws = await connect(url, additional_headers=headers)
        await ws.send(json.dumps({"subscribe": {"branches": ["acme"]}, "credit": 5}))
        await ws.recv()
        http = plant.http("ls_viewer")
        stream = http.stream("GET", "/live/events")
        await stream.__aenter__()
        started = time.monotonic()
    assert time.monotonic() - started < 2.5
    await ws.close()
    await http.aclose()


async def test_tls_is_served_from_files_and_wrong_files_are_explained(tmp_path, running, people):
    key, chain = tmp_path / "key.pem", tmp_path / "chain.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", chain, "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    settings = ServerSettings(port=0, tls_certificate=str(chain), tls_key=str(key))
    async with running(settings, tmp_path) as plant:
        context = ssl.create_default_context(cafile=chain)
        async with httpx.AsyncClient(verify=context) as http:
            answer = await http.get(f"{plant.url}/health/live")
    assert plant.url.startswith("https://")
    assert answer.status_code == 200
    made = app({}, [], authenticator=people, authorizer=people)
    wrong = ServerSettings(port=0, tls_certificate=str(key), tls_key=str(key))
    with pytest.raises(SettingsError, match=r"key\.pem"):
        async with served(made, wrong):
            pass


async def test_the_process_keeps_its_own_signal_handlers(tmp_path, running):
    before = signal.getsignal(signal.SIGTERM)
    async with running(ServerSettings(port=0), tmp_path):
        await asyncio.sleep(0)
        assert signal.getsignal(signal.SIGTERM) is before
