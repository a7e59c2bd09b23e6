"""Mounted interfaces: what holds for every request holds for theirs."""

from contextlib import asynccontextmanager

import httpx
import pytest

from lineshaft.core.access import Action
from lineshaft.core.errors import LineshaftError
from lineshaft.server import ServerSettings, app, served
from lineshaft.web.front import Mount, Reply


async def echo(scope, receive, send):
    """Says back what it is given; fails when asked to."""
    path = scope["path"]
    if path.endswith("/fails"):
        raise RuntimeError("canary 4711")
    body = f"{path} {scope['state']['who'].name}".encode()
    length = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    if path.endswith("/breaks"):
        raise RuntimeError("canary 4712")
    await send({"type": "http.response.body", "body": body, "more_body": False})


def fail(path, error):
    body = f"{path}: {type(error).__name__}".encode()
    status = 400 if isinstance(error, LineshaftError) else 500
    return Reply(status, ((b"content-length", str(len(body)).encode()),), body)


@asynccontextmanager
async def serving(people, action=Action.LOOK):
    mounts = [Mount("/api/v3", action=action, make=lambda _: echo, fail=fail)]
    made = app(
        {},
        [],
        mounts=mounts,
        authenticator=people,
        authorizer=people,
        denied=people.denied,
    )
    async with (
        served(made, ServerSettings(port=0)) as url,
        httpx.AsyncClient(base_url=url, headers={"Authorization": "Bearer ls_viewer"}) as http,
    ):
        yield http


async def test_a_mount_is_given_the_rest_of_the_path_and_who_asks(people):
    async with serving(people) as http:
        assert (await http.get("/api/v3.1/shells/")).text == ".1/shells/ vera"
        assert (await http.get("/api///v3.1//shells")).text == ".1/shells vera"
        assert (await http.get("/api/v3")).text == " vera"
        assert (await http.get("/api/v4")).status_code == 404


async def test_its_answers_and_its_errors_carry_the_headers_of_all_others(people):
    async with serving(people) as http:
        other = await http.get("/health/live")
        for path in ("/api/v3.1/shells", "/api/v3.1/fails"):
            answer = await http.get(path)
            for name in (
                "content-security-policy",
                "x-content-type-options",
                "x-frame-options",
                "referrer-policy",
                "cross-origin-opener-policy",
            ):
                assert answer.headers[name] == other.headers[name]


async def test_a_defect_is_an_answer_and_the_next_request_is_served(people):
    async with serving(people) as http:
        answer = await http.get("/api/v3.1/fails")
        assert (answer.status_code, answer.text) == (500, "/api/v3.1/fails: RuntimeError")
        assert (await http.head("/api/v3.1/fails")).content == b""
        with pytest.raises(httpx.HTTPError):  # begun already: the connection ends
            await http.get("/api/v3.1/breaks")
        assert (await http.get("/api/v3.1/shells")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer ls_wrong"},
        {"Authorization": "Bearer ls_wrong", "Cookie": "lineshaft_session=s-viewer"},
        {"Authorization": "", "Cookie": "lineshaft_session=x"},
    ],
)
async def test_strangers_are_turned_away(people, headers):
    async with serving(people) as http:
        answer = await http.get("/api/v3.1/shells", headers=headers)
        assert answer.text == "/api/v3.1/shells: Unknown"


async def test_who_may_not_is_turned_away_and_told_of(people):
    async with serving(people, Action.CONFIGURE) as http:
        assert (await http.get("/api/v3.1/shells")).text == "/api/v3.1/shells: Denied"
    assert people.refusals == [("vera", Action.CONFIGURE, "/api/v3.1/shells", "127.0.0.1")]


async def test_a_page_of_another_site_cannot_use_the_cookie(people):
    ours = {"Authorization": "", "Cookie": "lineshaft_session=s-viewer"}
    mark = {"X-Requested-With": "lineshaft"}
    foreign = {"Origin": "https://evil.example"}
    async with serving(people) as http:
        path = "/api/v3.1/shells"
        assert (await http.get(path, headers=ours)).status_code == 200
        assert (await http.put(path, headers=ours)).text.endswith("Denied")
        assert (await http.put(path, headers=ours | mark)).status_code == 200
        assert (await http.put(path, headers=ours | mark | foreign)).text.endswith("Denied")


async def test_a_host_that_is_none_is_refused(people):
    async with serving(people) as http:
        answer = await http.get("/api/v3.1/shells", headers={"Host": "a b"})
        assert answer.text == "/api/v3.1/shells: Invalid"
