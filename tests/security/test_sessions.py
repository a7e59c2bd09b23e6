"""Logging in, staying in, getting out."""

import asyncio

import pytest

from lineshaft.core.access import SYSTEM, Action
from lineshaft.core.errors import Invalid, Unknown
from lineshaft.records import Put
from lineshaft.security.accounts import Wish

ADDRESS = "10.0.0.7"
PASSWORD = "four quiet green lathes"


async def who(security, cookie="", token=""):
    return await security.identify(session=cookie, token=token, address=ADDRESS)


async def test_the_first_start_makes_an_administrator_whose_password_lasts_for_one_login(desk):
    security = await desk.open()
    once = desk.first_password
    cookie, admin = await security.login("admin", once, address=ADDRESS)
    assert admin.actions == {Action.OWN}
    assert security.must_change_password(admin)
    with pytest.raises(Invalid, match="11 characters"):
        await security.accounts.set_password(admin, once, "short-short", ADDRESS)
    with pytest.raises(Invalid, match="is the old one"):
        await security.accounts.set_password(admin, once, once, ADDRESS)
    await security.accounts.set_password(admin, once, PASSWORD, ADDRESS)
    admin = await who(security, cookie)
    assert admin.actions == set(Action) - {Action.PUBLIC}
    assert not security.must_change_password(admin)
    with pytest.raises(Unknown):
        await security.login("admin", once, address=ADDRESS)


async def test_the_second_start_makes_no_administrator(desk):
    await desk.open()
    assert desk.first_password
    await desk.open()
    assert desk.first_password == ""


async def test_a_session_survives_a_restart(desk, security):
    cookie, _ = await security.login("admin", PASSWORD, address=ADDRESS)
    again = await desk.open()
    assert (await who(again, cookie)).name == "admin"


async def test_a_session_ends_when_it_is_not_used(desk, security):
    cookie, _ = await security.login("admin", PASSWORD, address=ADDRESS)
    idle_s = security.config.session_idle_s
    for _ in range(2):
        desk.wait(idle_s - 1)
        assert await who(security, cookie)
    desk.wait(idle_s)
    assert await who(security, cookie) is None


async def test_a_session_ends_however_busy_it_is(desk, security):
    cookie, _ = await security.login("admin", PASSWORD, address=ADDRESS)
    for _ in range(23):
        desk.wait(3600)
        assert await who(security, cookie)
    desk.wait(3600)
    assert await who(security, cookie) is None


async def test_last_use_is_written_down_so_that_a_restart_does_not_end_a_session(desk, security):
    cookie, _ = await security.login("admin", PASSWORD, address=ADDRESS)
    desk.wait(security.config.session_idle_s - 10)
    assert await who(security, cookie)
    await security.tidy()
    again = await desk.open()
    desk.wait(60)
    assert await who(again, cookie)


async def test_tidying_drops_the_sessions_that_are_over(desk, security):
    await security.login("admin", PASSWORD, address=ADDRESS)
    desk.wait(security.config.session_max_s)
    await security.tidy()
    assert (await desk.records.find("sessions")).records == ()


async def test_logging_out_ends_the_session_at_once(desk, security):
    cookie, admin = await security.login("admin", PASSWORD, address=ADDRESS)
    await security.logout(admin, ADDRESS)
    assert await who(security, cookie) is None
    assert (await desk.kinds())[-1] == "access.logout"
    again = await desk.open()
    assert await who(again, cookie) is None


async def test_logging_in_ends_the_session_that_the_browser_had(security):
    old, _ = await security.login("admin", PASSWORD, address=ADDRESS)
    new, _ = await security.login("admin", PASSWORD, address=ADDRESS, previous=old)
    assert old != new
    assert await who(security, old) is None
    assert await who(security, new)


async def test_a_changed_password_ends_the_other_sessions(security, join):
    one, _ = await join("eva")
    two, me = await security.login("eva", PASSWORD, address=ADDRESS)
    await security.accounts.set_password(me, PASSWORD, PASSWORD + "!", ADDRESS)
    assert await who(security, one) is None
    assert (await who(security, two)).name == "eva"


@pytest.mark.parametrize("wish", [Wish(disabled=True), Wish(reset_password=True)])
async def test_disabling_or_a_reset_ends_all_sessions_at_once(desk, security, join, wish):
    cookie, _ = await join("eva")
    await security.accounts.change("eva", wish, by=SYSTEM, address=ADDRESS)
    assert await who(security, cookie) is None
    again = await desk.open()
    assert await who(again, cookie) is None


async def test_enabling_again_does_not_bring_old_sessions_back(security, join):
    cookie, _ = await join("eva")
    for disabled in (True, False):
        await security.accounts.change("eva", Wish(disabled=disabled), by=SYSTEM, address=ADDRESS)
    assert await who(security, cookie) is None
    assert await security.login("eva", PASSWORD, address=ADDRESS)


async def test_a_new_account_of_the_same_name_has_nothing_of_the_old_one(security, join):
    cookie, me = await join("eva")
    _, word = await security.tokens.create(me, "script", address=ADDRESS)
    await security.accounts.delete("eva", by=SYSTEM, address=ADDRESS)
    assert await who(security, cookie) is None
    await join("eva")
    assert await who(security, cookie) is None
    assert await who(security, token=word) is None
    assert security.tokens.of("eva") == []


async def test_sessions_and_tokens_that_come_back_from_a_backup_are_not_the_new_accounts(
    desk, security, join
):
    cookie, me = await join("eva")
    _, word = await security.tokens.create(me, "script", address=ADDRESS)
    old = [
        Put(collection=name, key=r.key, data=r.data)
        for name in ("sessions", "tokens")
        for r in (await desk.records.find(name)).records
    ]
    await security.accounts.delete("eva", by=SYSTEM, address=ADDRESS)
    await join("eva")
    await desk.records.commit(*old)
    again = await desk.open()
    assert me.session in again._book.sessions
    assert await who(again, cookie) is None
    assert await who(again, token=word) is None


async def test_a_new_role_counts_with_the_next_request(security, join):
    cookie, me = await join("eva", "engineer")
    assert Action.WRITE in me.actions
    await security.accounts.change(
        "eva", Wish(role="viewer", branches=("a",)), by=SYSTEM, address=ADDRESS
    )
    now = await who(security, cookie)
    assert now.actions == {Action.LOOK, Action.OWN}
    assert now.branches == ("a",)


async def test_the_oldest_session_goes_when_there_are_too_many(desk, security):
    security = await desk.open(sessions_max=2)
    cookies = []
    for _ in range(3):
        desk.wait(1)
        cookies.append((await security.login("admin", PASSWORD, address=ADDRESS))[0])
    assert [bool(await who(security, c)) for c in cookies] == [False, True, True]


async def test_nonsense_identifies_nobody(security):
    for cookie, token in [("x", ""), ("", "ls_x"), ("", "x"), ("x" * 9999, ""), ("", "")]:
        assert await who(security, cookie, token) is None
    cookie, _ = await security.login("admin", PASSWORD, address=ADDRESS)
    assert await who(security, cookie, "ls_wrong") is None


async def test_neither_cookie_nor_token_stands_in_the_records(desk, security):
    cookie, admin = await security.login("admin", PASSWORD, address=ADDRESS)
    _, word = await security.tokens.create(admin, "script", address=ADDRESS)
    kept = b""
    for file in sorted(desk.folder.iterdir()):
        kept += file.read_bytes()
    assert b"access.token-created" in kept
    for secret in (cookie, word, word[3:], PASSWORD):
        assert secret.encode() not in kept


async def test_knowing_sessions_and_tokens_asks_nothing_of_the_records(desk, security):
    cookie, admin = await security.login("admin", PASSWORD, address=ADDRESS)
    _, word = await security.tokens.create(admin, "script", address=ADDRESS)
    await desk.stack.aclose()
    assert await who(security, cookie)
    assert await who(security, token=word)


async def test_the_plant_that_ends_writes_down_what_was_left(desk, security):
    cookie, _ = await security.login("admin", PASSWORD, address=ADDRESS)
    desk.wait(100)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(security.run())
        await asyncio.sleep(0)
        await who(security, cookie)
        running.cancel()
    kept = (await desk.records.find("sessions")).records
    assert len([r for r in kept if str(desk.now_ns).encode() in r.data]) == 1
