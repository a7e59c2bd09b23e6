"""Cursors: good for the one who made them, and silent to all others."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.errors import Invalid
from lineshaft.core.plugin import build
from lineshaft.records import Records
from lineshaft.twins.sealing import COLLECTION, PAD_BYTES, Seal

PLACES = st.text(max_size=300)


@given(PLACES)
def test_a_place_comes_back_out_of_its_cursor(place):
    seal = Seal()
    assert seal.open(seal.close(place)) == place


@given(st.text("abcdefgh", min_size=8, max_size=PAD_BYTES - 2), st.text("ij", max_size=40))
def test_a_cursor_tells_neither_the_place_nor_its_length(place, other):
    seal = Seal()
    one, again, third = seal.close(place), seal.close(place), seal.close(other[:1] + "k")
    assert one != again
    assert len(one) == len(again) == len(third)
    raw = base64.urlsafe_b64decode(one + "=" * (-len(one) % 4))
    assert not any(place[n : n + 8].encode() in raw for n in range(len(place) - 7))


@given(PLACES.filter(bool), st.integers(0), st.integers(1, 63))
def test_a_cursor_that_was_touched_is_none(place, at, other):
    seal = Seal()
    cursor = list(seal.close(place))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    at %= len(cursor) - 1  # the last letter has bits that mean nothing
    cursor[at] = letters[(letters.index(cursor[at]) + other) % 64]
    with pytest.raises(Invalid, match="is not a cursor"):
        seal.open("".join(cursor))


@pytest.mark.parametrize(
    "wrong", ["x", "MDAw", "é", "a" * 30_000, "====", "A" * 31, base64.b64encode(b"urn:x").decode()]
)
def test_what_is_no_cursor_is_refused(wrong):
    with pytest.raises(Invalid, match="is not a cursor"):
        Seal().open(wrong)


async def test_the_key_is_the_plants_so_that_a_restart_ends_no_list():
    records = build(Records, {"kind": "memory"})
    async with records.opened((COLLECTION,)):
        first, second = Seal(records), Seal(records)
        await first.load()
        cursor = first.close("urn:x")
        await second.load()
        assert second.open(cursor) == "urn:x"
    with pytest.raises(Invalid):
        Seal().open(cursor)
