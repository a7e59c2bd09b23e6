import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.errors import Invalid
from lineshaft.twins.model.identifier import decode_id, encode_id


@given(st.text(min_size=1, max_size=2048))
def test_what_is_encoded_decodes_to_the_same(id_: str) -> None:
    assert decode_id(encode_id(id_)) == id_


@given(st.text())
def test_any_text_is_decoded_or_refused(text: str) -> None:
    with contextlib.suppress(Invalid):
        assert encode_id(decode_id(text)) == text.rstrip("=")


def test_padding_is_left_out_and_accepted() -> None:
    assert encode_id("urn:x") == "dXJuOng"
    assert decode_id("dXJuOng=") == "urn:x"


@pytest.mark.parametrize("text", ["", "=", "a", "dXJ u", "dX/+", "_w", "dXJuOnh=x", "A" * 100_000])
def test_malformed_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        decode_id(text)
    assert "base64url" in refusal.value.remedy


def test_identifiers_have_at_most_2048_characters() -> None:
    assert decode_id(encode_id("\N{FACTORY}" * 2048)) == "\N{FACTORY}" * 2048
    with pytest.raises(Invalid):
        decode_id(encode_id("x" * 2049))


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(Invalid):
        encode_id("\ud800")
