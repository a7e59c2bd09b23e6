"""Settings, addresses and values of OPC UA, without a server."""

import asyncio
import datetime as dt
import uuid

import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.errors import Invalid, Refused, SettingsError
from lineshaft.core.point import Kind
from lineshaft.drivers.opcua import OpcUa
from lineshaft.drivers.opcua.link import Link, cancelled_plainly, split_node
from lineshaft.drivers.opcua.values import columns, variant_for


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"points": [{"name": "a", "node": "Press.T"}]}, "names no node"),
        ({"points": [{"name": "a", "node": "i=1", "unit": "degC"}]}, "did you mean 'Cel'"),
        ({"points": [{"name": "a b", "node": "i=1"}]}, "level 'a b'"),
        ({"points": [{"name": "a", "node": "i=1"}] * 2}, "'a' is there twice"),
        ({"points": []}, "none of `points`, `roots`"),
        ({"url": "http://x"}, r"\$\.url"),
        ({"security": "Basic256Sha256"}, "`certificate` and `private_key`"),
        ({"roots": ["q=1"]}, "names no node"),
    ],
)
def test_wrong_settings_are_told(changes, words):
    table = {"url": "opc.tcp://h:4840", "points": [{"name": "a", "node": "i=1"}]} | changes
    with pytest.raises(SettingsError, match=words):
        OpcUa.from_table("m", table)


@given(
    st.integers(0, 65535),
    st.one_of(
        st.integers(0, 2**32 - 1),
        st.text(min_size=1, alphabet=st.characters(codec="utf-8")),
        st.uuids(),
        st.binary(min_size=1),
    ),
)
def test_a_node_goes_to_text_and_back(space, identifier):
    node = ua.NodeId(identifier, space)
    link = Link.__new__(Link)
    link.namespaces = []
    assert link.node(node.to_string()) == node


def test_a_node_of_a_siemens_controller_keeps_its_quotes_and_semicolons():
    assert split_node('ns=3;s="DB"."a;b"') == ("3", "", "s", '"DB"."a;b"')


@pytest.mark.parametrize("text", ["", "i=", "i=x", "ns=2", "ns=x;i=1", "g=12", "b=?", "s="])
def test_what_is_no_node_is_told(text):
    with pytest.raises(Invalid, match="names no node"):
        split_node(text)


TIME = dt.datetime(2026, 1, 31, 13, 45, 0, 250_000, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("value", "kind", "number", "text"),
    [
        (2**53, Kind.INTEGER, 2.0**53, None),
        (2**53 + 1, Kind.INTEGER, None, "9007199254740993"),
        (-(2**63), Kind.INTEGER, None, "-9223372036854775808"),
        (True, Kind.BOOLEAN, 1.0, None),
        (TIME, Kind.TEXT, None, "2026-01-31T13:45:00.25Z"),
        (uuid.UUID(int=7), Kind.TEXT, None, "00000000-0000-0000-0000-000000000007"),
        (ua.LocalizedText("Tür"), Kind.TEXT, None, "Tür"),
        (ua.NodeId("a", 2), Kind.TEXT, None, "ns=2;s=a"),
        (b"\x00\xff", Kind.JSON, None, '"AP8="'),
        ([1, [2.5, float("nan")]], Kind.JSON, None, "[1,[2.5,null]]"),
        (ua.Range(1.0, 2.0), Kind.JSON, None, '{"Low":1.0,"High":2.0}'),
        (ua.StatusCode(0x80000000), Kind.INTEGER, 2147483648.0, None),
        (None, Kind.NUMBER, None, None),
    ],
)
def test_values_become_columns(value, kind, number, text):
    assert columns(value, kind) == (number, text, True)


@given(st.integers(-(2**63), 2**64 - 1))
def test_any_integer_survives(value):
    number, text, fits = columns(value, Kind.INTEGER)
    assert fits
    assert (int(text) if text else int(number)) == value


@given(st.one_of(st.integers(), st.floats(), st.booleans(), st.text()))
def test_a_write_is_exact_or_refused(value):
    for type_ in (ua.VariantType.Byte, ua.VariantType.Int64, ua.VariantType.Boolean):
        try:
            assert variant_for(value, type_, "x").Value == value
        except Refused:
            continue


def test_a_cancellation_that_met_an_answer_becomes_a_plain_one():
    class WithResult(asyncio.CancelledError):
        """As the library that asyncua waits through raises it."""

    with pytest.raises(asyncio.CancelledError) as caught, cancelled_plainly():
        raise WithResult
    assert type(caught.value) is asyncio.CancelledError
