"""The trail: every deed has its event, no event has a secret, no deed is done without."""

import json
import logging
import sqlite3

import pytest

from lineshaft.core.access import SYSTEM, Action, Identity
from lineshaft.core.errors import LinkLost, Unavailable, Unknown
from lineshaft.core.event import Event
from lineshaft.security.accounts import Wish

ADDRESS = "10.0.0.7"
PASSWORD = "four quiet green lathes"


async def events(desk, kind="access"):
    return [e.event for e in await desk.records.events(kind=kind, limit=1000)]


def break_log(desk):
    """From now on, no event can be written to this records file."""
    with sqlite3.connect(desk.folder / "records.db") as db:
        db.execute(
            "CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )
    db.close()


def mend_log(desk):
    with sqlite3.connect(desk.folder / "records.db") as db:
        db.execute("DROP TRIGGER full")
    db.close()


async def test_every_deed_has_its_event_with_the_address(desk, security, join):
    _, eva = await join("eva", "engineer")
    made, _ = await security.tokens.create(eva, "script", address=ADDRESS)
    await security.tokens.delete(eva, made.id, address=ADDRESS)
    await security.logout(eva, ADDRESS)
    wish = Wish(role="viewer", branches=("a",), reset_password=True)
    await security.accounts.change("eva", wish, by=SYSTEM, address=ADDRESS)
    await security.accounts.delete("eva", by=SYSTEM, address=ADDRESS)
    found = await events(desk)
    assert [(e.kind, e.actor) for e in found] == [
        ("access.user-created", "lineshaft"),
        ("access.login", "admin"),
        ("access.password-changed", "admin"),
        ("access.user-created", "lineshaft"),
        ("access.login", "eva"),
        ("access.password-changed", "eva"),
        ("access.login", "eva"),
        ("access.token-created", "eva"),
        ("access.token-deleted", "eva"),
        ("access.logout", "eva"),
        ("access.user-changed", "lineshaft"),
        ("access.password-reset", "lineshaft"),
        ("access.user-deleted", "lineshaft"),
    ]
    assert all(e.data["address"] == ADDRESS for e in found[1:])
    assert all(e.time_ns == desk.now_ns for e in found)
    assert found[10].data == {
        "address": ADDRESS,
        "user": "eva",
        "role": "viewer",
        "branches": ["a"],
    }
    assert [e.id for e in desk.told] == [e.id for e in found]
    assert await desk.records.verify() == 13


async def test_every_refusal_has_its_event(desk, security, join):
    _, eva = await join("eva")
    for name, password in (("eva", "wrong wrong wrong"), ("nobody", PASSWORD)):
        with pytest.raises(Unknown):
            await security.login(name, password, address=ADDRESS)
    await security.accounts.change("eva", Wish(disabled=True), by=SYSTEM, address=ADDRESS)
    with pytest.raises(Unknown):
        await security.login("eva", PASSWORD, address=ADDRESS)
    await security.denied(eva, Action.WRITE, "a/b", ADDRESS)
    await security.denied(eva, Action.ADMINISTER, "/api/v1/users", ADDRESS)
    await security.denied(None, Action.LOOK, "a/b", ADDRESS)
    found = await events(desk, "access.refused")
    assert [(e.actor, e.path, e.data) for e in found] == [
        ("eva", "", {"reason": "wrong-password", "address": ADDRESS}),
        ("unknown", "", {"reason": "unknown-user", "address": ADDRESS}),
        ("eva", "", {"reason": "disabled", "address": ADDRESS}),
        ("eva", "a/b", {"reason": "not-allowed", "address": ADDRESS, "action": "write"}),
        (
            "eva",
            "",
            {
                "reason": "not-allowed",
                "address": ADDRESS,
                "action": "administer",
                "route": "/api/v1/users",
            },
        ),
        ("unknown", "a/b", {"reason": "not-logged-in", "address": ADDRESS, "action": "look"}),
    ]


async def test_refusals_in_a_flood_are_counted_and_none_is_lost(desk, security):
    guest = Identity(name="guest")
    for _ in range(500):
        await security.denied(guest, Action.WRITE, "a/b", ADDRESS)
    assert len(await events(desk, "access.refused")) == 10
    await security.tidy()
    found = await events(desk, "access.refused")
    assert len(found) == 11
    assert found[-1].data == {"reason": "not-allowed", "times": 490}
    await security.tidy()
    assert len(await events(desk, "access.refused")) == 11
    desk.wait(10)
    await security.denied(guest, Action.WRITE, "a/b", ADDRESS)
    assert len(await events(desk, "access.refused")) == 12


async def test_many_who_flood_are_counted_in_bounded_memory(desk, security):
    for n in range(1100):
        security.audit._held_back[(f"guest-{n}", "not-allowed")] = 1
        if n >= 1000:
            del security.audit._held_back[(f"guest-{n}", "not-allowed")]
    guest = Identity(name="one-more")
    for _ in range(15):
        await security.denied(guest, Action.WRITE, "a/b", ADDRESS)
    assert len(security.audit._held_back) == 1001
    assert security.audit._held_back["others", "not-allowed"] == 5


async def test_a_name_typed_by_nobody_known_is_not_kept(desk, security):
    with pytest.raises(Unknown):
        await security.login("my secret password", "x", address=ADDRESS)
    assert b"my secret password" not in (desk.folder / "records.db-wal").read_bytes()


async def test_no_secret_is_in_any_event_or_log_line(desk, security, join, caplog):
    caplog.set_level(logging.DEBUG)
    canary = "canary-4711-canary"
    cookie, eva = await join("eva", "admin")
    with pytest.raises(Unknown):
        await security.login("eva", canary, address=ADDRESS)
    await security.accounts.set_password(eva, PASSWORD, canary, ADDRESS)
    cookie, eva = await security.login("eva", canary, address=ADDRESS)
    _, word = await security.tokens.create(eva, "script", address=ADDRESS)
    _, once = await security.accounts.change(
        "eva", Wish(reset_password=True), by=SYSTEM, address=ADDRESS
    )
    said = json.dumps([[e.kind, e.actor, e.data] for e in await events(desk)]) + caplog.text
    said += repr(security.accounts.all()) + repr(security.tokens.of("eva"))
    for secret in (canary, PASSWORD, cookie, word, once, "argon2"):
        assert secret not in said


async def test_what_cannot_be_logged_does_not_happen(desk, security, join):
    cookie, eva = await join("eva", "engineer")
    _, word = await security.tokens.create(eva, "script", address=ADDRESS)
    break_log(desk)
    deeds = [
        lambda: security.login("eva", PASSWORD, address=ADDRESS),
        lambda: security.login("eva", "wrong wrong wrong", address=ADDRESS),
        lambda: security.logout(eva, ADDRESS),
        lambda: security.accounts.set_password(eva, PASSWORD, "x" * 12, ADDRESS),
        lambda: security.accounts.create("adam", "viewer", by=SYSTEM, address=ADDRESS),
        lambda: security.accounts.change("eva", Wish(role="admin"), by=SYSTEM, address=ADDRESS),
        lambda: security.accounts.delete("eva", by=SYSTEM, address=ADDRESS),
        lambda: security.tokens.create(eva, "other", address=ADDRESS),
        lambda: security.tokens.delete(eva, security.tokens.of("eva")[0].id, address=ADDRESS),
        lambda: security.audit.note(Event(kind="write.prepared")),
        lambda: security.denied(eva, Action.WRITE, "a", ADDRESS),
    ]
    for deed in deeds:
        with pytest.raises(Unavailable):
            await deed()
    mend_log(desk)
    for again in (security, await desk.open()):
        who = await again.identify(session=cookie, token="", address=ADDRESS)
        assert (who.name, again.accounts.named("eva").role) == ("eva", "engineer")
        assert [u.name for u in again.accounts.all()] == ["admin", "eva"]
        assert [t.name for t in again.tokens.of("eva")] == ["script"]
        assert await again.identify(session="", token=word, address=ADDRESS)
    assert await again.login("eva", PASSWORD, address=ADDRESS)


async def test_counted_refusals_wait_until_the_log_can_be_written(desk, security):
    guest = Identity(name="guest")
    for _ in range(15):
        await security.denied(guest, Action.WRITE, "a/b", ADDRESS)
    break_log(desk)
    with pytest.raises(Unavailable):
        await security.tidy()
    mend_log(desk)
    await security.tidy()
    assert (await events(desk))[-1].data["times"] == 5


async def test_a_deed_stands_even_when_nobody_can_be_told(desk, security, caplog):
    async def away(event):
        raise LinkLost("the spine is away")

    security.audit._announce = away
    await security.audit.note(Event(kind="write.confirmed"))
    assert (await events(desk, "write"))[0].kind == "write.confirmed"
    assert "event not announced" in caplog.text
