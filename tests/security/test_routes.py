"""Security over HTTP, behind the real server on loopback."""

import httpx
import pytest

from lineshaft.security.routes import handlers
from lineshaft.server import ServerSettings, app, served

PASSWORD = "four quiet green lathes"
OURS = {"X-Requested-With": "lineshaft"}


@pytest.fixture
async def url(security, tmp_path):
    made = app(
        {"security": security},
        handlers,
        authenticator=security,
        authorizer=security.authorizer,
        denied=security.denied,
        console_folder=tmp_path,
    )
    async with served(made, ServerSettings(port=0)) as address:
        yield f"{address}/api/v1"


@pytest.fixture
async def browser(url):
    """A browser with nobody logged in."""
    async with httpx.AsyncClient(base_url=url, headers=OURS) as client:
        yield client


@pytest.fixture
async def admin(browser):
    """A browser with the administrator logged in."""
    await log_in(browser, "admin")
    return browser


async def log_in(client, name, password=PASSWORD):
    answer = await client.post("/session", json={"name": name, "password": password})
    assert answer.status_code == 200, answer.text
    return answer


async def test_a_browser_logs_in_looks_and_logs_out(browser):
    assert (await browser.get("/session")).status_code == 401
    answer = await log_in(browser, "admin")
    me = answer.json()
    assert me == {
        "name": "admin",
        "role": "admin",
        "actions": ["administer", "configure", "look", "own", "write"],
        "branches": [""],
        "must_change_password": False,
    }
    assert (await browser.get("/session")).json() == me
    assert (await browser.delete("/session")).status_code == 204
    assert not browser.cookies
    assert (await browser.get("/session")).status_code == 401


async def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(browser):
    cookie = (await log_in(browser, "admin")).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie


async def test_a_cookie_that_was_logged_out_is_refused(admin, url):
    cookie = admin.cookies["lineshaft_session"]
    await admin.delete("/session")
    async with httpx.AsyncClient(base_url=url, cookies={"lineshaft_session": cookie}) as thief:
        assert (await thief.get("/session")).status_code == 401


async def test_a_wrong_password_is_a_problem_that_tells_nothing(browser):
    bodies = []
    for name in ("admin", "nobody"):
        answer = await browser.post("/session", json={"name": name, "password": "x" * 12})
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        bodies.append(answer.json())
    assert bodies[0] == bodies[1]


async def test_too_many_wrong_passwords_are_answered_with_503(browser):
    for _ in range(10):
        await browser.post("/session", json={"name": "admin", "password": "x" * 12})
    answer = await browser.post("/session", json={"name": "admin", "password": PASSWORD})
    assert answer.status_code == 503
    assert "Try again in" in answer.json()["remedy"]


async def test_a_new_user_must_change_the_password_before_anything_else(admin, url):
    made = (await admin.post("/users", json={"name": "eva", "role": "admin"})).json()
    assert made["name"] == "eva"
    async with httpx.AsyncClient(base_url=url, headers=OURS) as eva:
        me = (await log_in(eva, "eva", made["password"])).json()
        assert me["must_change_password"]
        assert me["actions"] == ["own"]
        assert (await eva.get("/users")).status_code == 403
        assert (await eva.post("/tokens", json={"name": "t"})).status_code == 403
        change = {"old": made["password"], "new": "too short"}
        assert (await eva.put("/password", json=change)).status_code == 400
        change = {"old": "wrong", "new": PASSWORD}
        assert (await eva.put("/password", json=change)).status_code == 401
        change = {"old": made["password"], "new": PASSWORD}
        assert (await eva.put("/password", json=change)).status_code == 204
        assert (await eva.get("/users")).status_code == 200


async def test_a_program_uses_a_token_until_it_is_taken_back(admin, url):
    made = await admin.post(
        "/tokens", json={"name": "script", "actions": ["look"], "expires_days": 30}
    )
    assert made.status_code == 201
    word = made.json()["token"]
    async with httpx.AsyncClient(
        base_url=url, headers={"Authorization": f"Bearer {word}"}
    ) as program:
        me = (await program.get("/session")).json()
        assert (me["name"], me["actions"]) == ("admin/script", ["look", "own"])
        assert (await program.get("/users")).status_code == 403
        assert (await program.post("/tokens", json={"name": "child"})).status_code == 403
        (line,) = (await admin.get("/tokens")).json()["items"]
        assert line["id"] == made.json()["id"]
        assert line["last_used"]
        assert line["expires"] > line["created"]
        assert word not in str(line)
        assert (await admin.delete(f"/tokens/{line['id']}")).status_code == 204
        assert (await program.get("/session")).status_code == 401
        assert (await admin.delete(f"/tokens/{line['id']}")).status_code == 404


async def test_an_administrator_looks_after_users(admin):
    await admin.post("/users", json={"name": "eva", "role": "viewer", "branches": ["a/b"]})
    wish = {"role": "operator", "branches": ["c"], "disabled": True, "reset_password": True}
    changed = (await admin.patch("/users/eva", json=wish)).json()
    assert changed["password"]
    (_, line) = (await admin.get("/users")).json()["items"]
    assert line["name"] == "eva"
    assert (line["role"], line["branches"], line["disabled"]) == ("operator", ["c"], True)
    assert line["last_login"] is None
    assert "password" not in line
    assert (await admin.patch("/users/eva", json={"disabled": False})).json()["disabled"] is False
    assert (await admin.delete("/users/eva")).status_code == 204
    assert (await admin.delete("/users/eva")).status_code == 404
    assert (await admin.delete("/users/admin")).status_code == 400
    assert (await admin.post("/users", json={"name": "x", "role": "king"})).status_code == 400
    assert (await admin.post("/users", json={"name": "x", "rolle": "king"})).status_code == 400


async def test_the_audit_trail_can_be_read_and_checked(admin):
    await admin.post("/users", json={"name": "eva", "role": "viewer"})
    items = (await admin.get("/audit?kind=access.user-created&newest_first=true")).json()["items"]
    assert [i["data"]["user"] for i in items] == ["eva", "admin"]
    assert items[0]["actor"] == "admin"
    assert items[0]["data"]["address"] == "127.0.0.1"
    assert items[0]["time"].endswith("Z")
    after = (await admin.get(f"/audit?after={items[0]['seq'] - 1}&limit=1")).json()["items"]
    assert after == items[:1]
    count = (await admin.get("/audit/verify")).json()
    assert count == {"events": items[0]["seq"], "ok": True, "problem": ""}
    assert (await admin.get("/audit?limit=1001")).status_code == 400


async def test_a_token_for_a_branch_does_not_read_the_log_of_the_plant(admin, url):
    wish = {"name": "t", "actions": ["administer"], "branches": ["a"]}
    word = (await admin.post("/tokens", json=wish)).json()["token"]
    async with httpx.AsyncClient(
        base_url=url, headers={"Authorization": f"Bearer {word}"}
    ) as program:
        assert (await program.get("/audit")).status_code == 403
        assert (await program.get("/audit/verify")).status_code == 403


async def test_a_refused_route_is_in_the_log(admin, url):
    made = (await admin.post("/users", json={"name": "eva", "role": "viewer"})).json()
    async with httpx.AsyncClient(base_url=url, headers=OURS) as eva:
        await log_in(eva, "eva", made["password"])
        assert (await eva.get("/audit")).status_code == 403
    (refusal,) = (await admin.get("/audit?kind=access.refused")).json()["items"]
    assert refusal["actor"] == "eva"
    assert refusal["data"] == {
        "reason": "not-allowed",
        "address": "127.0.0.1",
        "action": "administer",
        "route": "/api/v1/audit",
    }
