"""Identifiers as they stand in URLs: base64url of their UTF-8, without padding (IDTA-01002)."""

import base64
import binascii
import contextlib

from lineshaft.core.errors import Invalid

CHARACTERS_MAX = 2048
"""Longest identifier (IDTA-01001 v3.1, Identifier)."""

_ENCODED_MAX = CHARACTERS_MAX * 4 * 4 // 3 + 4
"""Base64 of as many characters of four bytes each, with padding."""


def encode_id(id_: str) -> str:
    """The identifier for a URL.

    Raises:
        Invalid: it holds half a surrogate pair, so it is not text.
    """
    try:
        return base64.urlsafe_b64encode(id_.encode()).rstrip(b"=").decode()
    except UnicodeEncodeError:
        raise Invalid(f"identifier {id_!r} is not Unicode text") from None


def decode_id(text: str) -> str:
    """The identifier that a URL holds; padding is accepted, as older clients send it.

    Raises:
        Invalid: not base64url, not UTF-8, empty, or longer than 2,048 characters.
    """
    bare = text.rstrip("=")
    id_ = ""
    if len(text) <= _ENCODED_MAX:
        with contextlib.suppress(binascii.Error, ValueError):
            id_ = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4)).decode()
    # The decoder skips characters that it does not know; only what encodes back was base64url.
    if not id_ or len(id_) > CHARACTERS_MAX or encode_id(id_) != bare:
        raise Invalid(
            f"identifier {text[:80]!r} in the URL is not base64url of 1 to 2,048 characters",
            remedy="encode the UTF-8 of the id as base64url without padding (RFC 4648, 5)",
        )
    return id_
