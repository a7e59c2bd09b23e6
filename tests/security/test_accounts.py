"""Accounts: passwords, wrong ones, and what administrators may do."""

import asyncio

import pytest

from lineshaft.core.access import SYSTEM
from lineshaft.core.errors import Invalid, Missing, Unavailable, Unknown
from lineshaft.security.accounts import Wish, check_name
from lineshaft.security.passwords import Hasher, check_password, one_time_password

ADDRESS = "10.0.0.7"
PASSWORD = "four quiet green lathes"


async def wrong(security, name="eva", address=ADDRESS, password="not the password"):
    with pytest.raises(Unknown, match="name or password is wrong"):
        await security.login(name, password, address=address)


async def test_a_password_is_kept_as_argon2id(desk, security):
    record = await desk.records.get("users", "admin")
    assert b'"$argon2id$v=19$m=1024,t=1,p=4$' in record.data
    assert PASSWORD.encode() not in record.data


async def test_a_password_counts_however_its_letters_are_composed():
    hasher = Hasher(memory_mib=1, rounds=1, threads=1)
    kept = await hasher.hash("grüne Drehbänke")
    assert await hasher.fits("gru\u0308ne Dreba\u0308nke".replace("Dreb", "Drehb"), kept)
    assert not await hasher.fits("grune Drehbanke", kept)
    assert not await hasher.fits("grüne Drehbänke", None)
    assert not await hasher.fits("x" * 100_000, kept)
    assert not await hasher.fits("\ud800", kept)


async def test_a_login_brings_an_old_hash_up_to_date(desk, security):
    security = await desk.open(hash_rounds=3)
    await security.login("admin", PASSWORD, address=ADDRESS)
    assert b"t=3,p=4" in (await desk.records.get("users", "admin")).data
    assert await security.login("admin", PASSWORD, address=ADDRESS)


@pytest.mark.parametrize(
    ("password", "says"),
    [("elevenchars", "11 characters"), ("x" * 257, "257"), ("Eva-Lathe.2000", "is the name")],
)
def test_the_rule_for_passwords_is_told(password, says):
    with pytest.raises(Invalid, match=says):
        check_password(password, "eva-lathe.2000")


def test_one_time_passwords_differ_and_meet_the_rule():
    made = {one_time_password() for _ in range(100)}
    assert len(made) == 100
    assert all(check_password(p, "eva") for p in made)


@pytest.mark.parametrize("name", ["", " ", "a/b", "a b", "x" * 65, "a\tb", "a'b", "<b>"])
def test_a_name_that_cannot_be_is_told(name):
    with pytest.raises(Invalid):
        check_name(name)


async def test_names_are_the_same_however_they_are_typed(security, join):
    await join("Éva")
    assert (await security.login(" ÉVA ", PASSWORD, address=ADDRESS))[1].name == "éva"
    with pytest.raises(Invalid, match="already"):
        await security.accounts.create("E\u0301va", "viewer", by=SYSTEM, address=ADDRESS)


async def test_a_wrong_password_an_unknown_and_a_disabled_account_look_the_same(security, join):
    await join("eva")
    await wrong(security)
    await wrong(security, "nobody")
    await security.accounts.change("eva", Wish(disabled=True), by=SYSTEM, address=ADDRESS)
    await wrong(security, password=PASSWORD)


async def test_an_account_that_is_guessed_at_must_wait(desk, security, join):
    await join("eva")
    for n in range(10):
        await wrong(security, address=f"10.0.1.{n}")
    with pytest.raises(Unavailable, match="too many"):
        await security.login("eva", PASSWORD, address="10.0.2.1")
    assert await security.login("admin", PASSWORD, address="10.0.2.1")
    desk.wait(20)
    assert await security.login("eva", PASSWORD, address="10.0.2.1")


async def test_an_address_that_guesses_must_wait_whatever_the_name(desk, security, join):
    await join("eva")
    for n in range(10):
        await wrong(security, f"name-{n}")
    with pytest.raises(Unavailable) as caught:
        await security.login("eva", PASSWORD, address=ADDRESS)
    assert "20 seconds" in caught.value.remedy
    assert await security.login("eva", PASSWORD, address="10.0.0.8")


async def test_right_passwords_are_never_throttled(security):
    for _ in range(12):
        await security.login("admin", PASSWORD, address=ADDRESS)


async def test_guessing_the_old_password_of_a_session_is_throttled_too(security, join):
    _, eva = await join("eva")
    for _ in range(10):
        with pytest.raises(Unknown):
            await security.accounts.set_password(eva, "not the password", "x" * 12, ADDRESS)
    with pytest.raises(Unavailable):
        await security.accounts.set_password(eva, PASSWORD, "x" * 12, ADDRESS)


async def test_too_many_passwords_at_once_are_turned_away():
    hasher = Hasher(memory_mib=1, rounds=1, threads=1)
    done = []

    async def check():
        try:
            await hasher.fits("x", None)
            done.append(True)
        except Unavailable:
            done.append(False)

    async with asyncio.TaskGroup() as group:
        for _ in range(34):
            group.create_task(check())
    assert done.count(False) == 2
    assert await hasher.fits("x", None) is False


async def test_the_last_administrator_stays(security, join):
    for wish in (Wish(role="viewer"), Wish(disabled=True)):
        with pytest.raises(Invalid, match="only administrator"):
            await security.accounts.change("admin", wish, by=SYSTEM, address=ADDRESS)
    with pytest.raises(Invalid, match="only administrator"):
        await security.accounts.delete("admin", by=SYSTEM, address=ADDRESS)
    await join("eva", "admin")
    await security.accounts.delete("admin", by=SYSTEM, address=ADDRESS)
    with pytest.raises(Invalid, match="only administrator"):
        await security.accounts.delete("eva", by=SYSTEM, address=ADDRESS)


async def test_an_administrator_sees_everything(security):
    with pytest.raises(Invalid, match="limited"):
        await security.accounts.create("eva", "admin", ("a",), by=SYSTEM, address=ADDRESS)
    await security.accounts.create("eva", "engineer", ("a",), by=SYSTEM, address=ADDRESS)
    with pytest.raises(Invalid, match="limited"):
        await security.accounts.change("eva", Wish(role="admin"), by=SYSTEM, address=ADDRESS)


async def test_who_is_not_there_cannot_be_changed(security):
    with pytest.raises(Missing):
        await security.accounts.change("eva", Wish(disabled=True), by=SYSTEM, address=ADDRESS)
    with pytest.raises(Missing):
        await security.accounts.delete("eva", by=SYSTEM, address=ADDRESS)
    with pytest.raises(Invalid, match="no role"):
        await security.accounts.create("eva", "king", by=SYSTEM, address=ADDRESS)


async def test_two_who_make_the_same_user_make_one(security):
    outcomes = []

    async def make():
        try:
            await security.accounts.create("eva", "viewer", by=SYSTEM, address=ADDRESS)
            outcomes.append("made")
        except Invalid:
            outcomes.append("told")

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(make())
    assert sorted(outcomes) == ["made", "told", "told"]


async def test_a_caller_who_goes_away_leaves_memory_and_records_the_same(desk, security, join):
    await join("eva")
    wish = Wish(role="operator")
    async with security._book._lock, asyncio.TaskGroup() as group:
        task = group.create_task(security.accounts.change("eva", wish, by=SYSTEM, address=ADDRESS))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
    assert task.cancelled()
    # The change was begun, so it is brought to its end; the next one waits for it.
    await security.accounts.change("eva", Wish(branches=("a",)), by=SYSTEM, address=ADDRESS)
    for held in (security, await desk.open()):
        user = held.accounts.named("eva")
        assert (user.role, user.branches) == ("operator", ("a",))
