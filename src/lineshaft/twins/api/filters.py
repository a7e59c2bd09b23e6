"""What the filters of a query ask of the index."""

import base64
import binascii

from lineshaft.core.errors import Invalid
from lineshaft.records import And, Compare, IsNull, Predicate, Some
from lineshaft.twins import Class
from lineshaft.twins.api.requests import decode

TEXT_MAX = 16_384
"""Characters of a parameter in base64url: an identifier of 2,048 characters fits in any script."""
MEANING_MAX = 3072
"""Of a semantic id, as the OpenAPI document says."""


def named(id_short: str, class_: Class) -> Predicate:
    """That a document itself, not an element of it, has this idShort."""
    is_it = Compare("id_short", "=", id_short)
    return Some(And((is_it, IsNull("at")))) if class_ is Class.SUBMODEL else Some(is_it)


def linked(name: str, value: str) -> Predicate:
    """That a shell or its descriptor has this asset identifier; `globalAssetId` is a name too."""
    return Some(And((Compare("asset_name", "=", name), Compare("asset_value", "=", value))))


def means(semantic: str) -> Predicate:
    """That a submodel itself has this semantic id: the value of its first key, or a Reference."""
    return Some(And((Compare("semantic_id", "=", first_key(semantic)), IsNull("at"))))


def first_key(text: str) -> str:
    """The value of the first key, of a Reference in JSON or given alone.

    Raises:
        Invalid: it begins like JSON and is no Reference.
    """
    if not text.startswith("{"):
        return text
    keys = decode(text.encode()).get("keys")
    if not isinstance(keys, list) or not keys or not isinstance(keys[0], dict):
        raise Invalid(f"{text[:60]!r} is no reference", remedy="Send its keys, or a value alone.")
    return str(keys[0].get("value", ""))


def decode_text(text: str, name: str, size_max: int = TEXT_MAX) -> str:
    """A query parameter that is base64url of a text.

    Raises:
        Invalid: it is not.
    """
    bare = text.rstrip("=")
    if not bare or len(text) > size_max:
        raise Invalid(f"{name} has {len(text)} characters, wanted 1 to {size_max}")
    try:
        raw = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
        # The decoder skips characters that it does not know.
        if base64.urlsafe_b64encode(raw).decode().rstrip("=") == bare:
            return raw.decode()
    except (binascii.Error, ValueError):
        pass
    raise Invalid(
        f"{name} is {text[:40]!r}, which is not base64url of a text",
        remedy="Encode it as base64url without padding (RFC 4648, 5).",
    )
