"""Tokens: what they may, how long, and who makes them."""

import pytest

from lineshaft.core.access import SYSTEM, Action
from lineshaft.core.errors import Denied, Invalid, Missing
from lineshaft.security.accounts import Wish

ADDRESS = "10.0.0.7"


async def by(security, word):
    return await security.identify(session="", token=word, address=ADDRESS)


async def test_a_token_may_what_it_was_made_for_and_no_more(security, join):
    _, eva = await join("eva", "engineer")
    made, word = await security.tokens.create(
        eva, "script", actions=["look", "configure"], branches=["a/b"], address=ADDRESS
    )
    who = await by(security, word)
    assert word.startswith("ls_")
    assert who.name == "eva/script"
    assert who.actions == {Action.LOOK, Action.CONFIGURE, Action.OWN}
    assert who.branches == ("a/b",)
    assert who.session == ""
    assert made.id not in word


async def test_without_a_wish_a_token_only_looks(security, join):
    _, eva = await join("eva", "engineer", ("a", "b"))
    _, word = await security.tokens.create(eva, "script", address=ADDRESS)
    who = await by(security, word)
    assert who.actions == {Action.LOOK, Action.OWN}
    assert who.branches == ("a", "b")


@pytest.mark.parametrize(
    "wish",
    [{"actions": ["write"]}, {"actions": ["administer"]}, {"branches": ["b"]}, {"branches": [""]}],
)
async def test_nobody_gives_a_token_more_than_they_have(security, join, wish):
    _, eva = await join("eva", "viewer", ("a",))
    with pytest.raises(Denied):
        await security.tokens.create(eva, "script", address=ADDRESS, **wish)


@pytest.mark.parametrize(
    "wish",
    [
        {"name": "a/b"},
        {"name": ""},
        {"name": "t", "actions": ["fly"]},
        {"name": "t", "actions": ["public"]},
        {"name": "t", "expires_days": 0},
        {"name": "t", "expires_days": float("nan")},
        {"name": "t", "branches": ["a//b"]},
    ],
)
async def test_a_wish_that_makes_no_sense_is_told(security, join, wish):
    _, eva = await join("eva")
    with pytest.raises(Invalid):
        await security.tokens.create(eva, address=ADDRESS, **wish)


async def test_a_token_loses_what_its_owner_loses(security, join):
    _, eva = await join("eva", "engineer")
    _, word = await security.tokens.create(
        eva, "script", actions=["look", "write"], branches=["a", "b/c"], address=ADDRESS
    )
    wish = Wish(role="viewer", branches=("a/x", "b"))
    await security.accounts.change("eva", wish, by=SYSTEM, address=ADDRESS)
    who = await by(security, word)
    assert who.actions == {Action.LOOK, Action.OWN}
    assert who.branches == ("a/x", "b/c")
    await security.accounts.change("eva", Wish(disabled=True), by=SYSTEM, address=ADDRESS)
    assert await by(security, word) is None


async def test_a_token_ends_with_its_time_or_when_taken_back(desk, security, join):
    _, eva = await join("eva")
    _, short = await security.tokens.create(eva, "short", expires_days=1, address=ADDRESS)
    made, long = await security.tokens.create(eva, "long", address=ADDRESS)
    desk.wait(86_399)
    assert await by(security, short)
    desk.wait(1)
    assert await by(security, short) is None
    assert await by(security, long)
    await security.tokens.delete(eva, made.id, address=ADDRESS)
    assert await by(security, long) is None
    with pytest.raises(Missing):
        await security.tokens.delete(eva, made.id, address=ADDRESS)
    again = await desk.open()
    assert await by(again, long) is None


async def test_nobody_takes_back_the_token_of_another(security, join):
    _, eva = await join("eva")
    _, adam = await join("adam")
    made, word = await security.tokens.create(eva, "script", address=ADDRESS)
    with pytest.raises(Missing):
        await security.tokens.delete(adam, made.id, address=ADDRESS)
    assert await by(security, word)


async def test_a_token_makes_no_tokens_and_changes_no_password(security, join):
    _, eva = await join("eva", "engineer")
    made, word = await security.tokens.create(eva, "script", address=ADDRESS)
    who = await by(security, word)
    with pytest.raises(Denied):
        await security.tokens.create(who, "child", address=ADDRESS)
    with pytest.raises(Denied):
        await security.tokens.delete(who, made.id, address=ADDRESS)
    with pytest.raises(Denied):
        await security.accounts.set_password(who, "x", "y" * 12, ADDRESS)


async def test_names_are_taken_once_and_tokens_are_bounded(desk, security, join):
    _, eva = await join("eva")
    await security.tokens.create(eva, "one", address=ADDRESS)
    with pytest.raises(Invalid, match="already"):
        await security.tokens.create(eva, "ONE", address=ADDRESS)
    security = await desk.open(tokens_max=2)
    await security.tokens.create(eva, "two", address=ADDRESS)
    with pytest.raises(Invalid, match="more are not allowed"):
        await security.tokens.create(eva, "three", address=ADDRESS)


async def test_last_use_is_seen_at_once_and_kept(desk, security, join):
    _, eva = await join("eva")
    _, word = await security.tokens.create(eva, "script", address=ADDRESS)
    assert security.tokens.of("eva")[0].last_used_ns is None
    desk.wait(5)
    await by(security, word)
    assert security.tokens.of("eva")[0].last_used_ns == desk.now_ns
    await security.tidy()
    again = await desk.open()
    assert again.tokens.of("eva")[0].last_used_ns == desk.now_ns
