"""What a request says, read as far as somebody asks, each part checked when it is read."""

import re
from collections.abc import AsyncGenerator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

import msgspec
from litestar.types import Receive

from lineshaft.core.access import Identity
from lineshaft.core.errors import Invalid
from lineshaft.twins import Json
from lineshaft.twins.model.identifier import decode_id
from lineshaft.twins.model.views import Level
from lineshaft.web.identify import NOBODY

BODY_BYTES_MAX = 16 << 20
"""Largest document that is taken."""
FILE_BYTES_MAX = 256 << 20
"""Largest attachment, thumbnail or package that is taken."""
LIMIT = 100
"""Entries of a page, when the request does not say."""
LIMIT_MAX = 1000
"""Entries of a page at most; who asks for more gets this many, and a cursor."""
QUERY_FIELDS_MAX = 1000
IDS_KEPT = 4096
"""Identifiers of which the decoded form is remembered."""
_decoded = lru_cache(IDS_KEPT)(decode_id)
_TAG = r'(?:W/)?"?\d{1,18}(?:-[0-9a-f]{1,32})?"?'
_TAGS = re.compile(rf"\*|{_TAG}(?:\s*,\s*{_TAG})*", re.ASCII)
_WHOLE = re.compile(r"0*[1-9][0-9]*", re.ASCII)
_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json\s*(?:;.*)?|\*/\*", re.ASCII | re.IGNORECASE)


class TooLarge(Invalid):
    """The body has more bytes than are taken."""


class NotAllowed(Invalid):
    """What stands there does not have this operation."""


class WrongMedia(Invalid):
    """The body is of a kind that the operation does not take."""


class Request:
    """One request, with the words of its path."""

    __slots__ = ("_query", "_receive", "_scope", "base", "method", "old", "params", "path", "who")

    def __init__(
        self,
        scope: Mapping[str, Any],
        receive: Receive,
        params: dict[str, str],
        *,
        path: str,
        base: str,
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._query: dict[str, list[str]] | None = None
        self.base = base
        """Path that the interface is served at, such as `/api/v3.1`."""
        self.path = path
        """The rest of the path, without slashes at its ends."""
        self.old = base.endswith("0")
        """Whether it came to the interface as version 3.0 had it."""
        self.method: str = scope["method"]
        self.params = params
        """What the path says in place of the names in braces, percent signs resolved."""
        self.who: Identity = scope["state"].get("who") or NOBODY
        """Who asks."""

    # ---- path and headers

    def id(self, name: str) -> str:
        """An identifier that the path carries in base64url.

        Raises:
            Invalid: it is not base64url.
        """
        return _decoded(self.params[name])

    def header(self, name: bytes) -> str:
        """A header by its name in small letters, or nothing."""
        for key, value in self._scope["headers"]:
            if key == name:
                return value.decode("latin-1")  # type: ignore[no-any-return]
        return ""

    def matching(self) -> str:
        """What the header If-Match says; empty when it asks nothing.

        Raises:
            Invalid: it holds no tag of ours.
        """
        given = self.header(b"if-match").strip()
        if given and not _TAGS.fullmatch(given):
            raise Invalid(
                f"If-Match is {given[:40]!r}, wanted a tag that an answer gave in its header ETag",
                remedy='Read the document again and send its ETag, such as "3-0a1b2c3d4e5f".',
            )
        return given

    @property
    def origin(self) -> str:
        """Scheme and host as the client knows them."""
        host = self.header(b"host") or "localhost"
        return f"{self._scope['scheme']}://{host}"

    # ---- query

    def many(self, name: str) -> list[str]:
        """All values of a query parameter."""
        if self._query is None:
            text = self._scope["query_string"]
            try:
                self._query = (
                    parse_qs(
                        text.decode("ascii"),
                        keep_blank_values=True,
                        max_num_fields=QUERY_FIELDS_MAX,
                        errors="strict",
                    )
                    if text
                    else {}
                )
            except ValueError:
                raise Invalid(
                    "the query is not UTF-8 with percent signs, or has too many fields",
                    remedy=f"Send at most {QUERY_FIELDS_MAX} fields name=value, joined by &.",
                ) from None
        return self._query.get(name, [])

    def one(self, name: str) -> str | None:
        """The value of a query parameter, or None.

        Raises:
            Invalid: it stands more than once.
        """
        found = self.many(name)
        if len(found) > 1:
            raise Invalid(f"{name} stands {len(found)} times", remedy="Say it once.")
        return found[0] if found else None

    def choice(self, name: str, first: str, *others: str) -> str:
        """The value of a query parameter that has a closed set; `first` is its default.

        Raises:
            Invalid: it is none of them.
        """
        given = self.one(name)
        if given is None:
            return first
        if given != first and given not in others:
            raise Invalid(
                f"{name} is {given[:40]!r}, wanted {' or '.join((first, *others))}",
                remedy=f"Leave {name} out for {first}.",
            )
        return given

    def limit(self) -> int:
        """How many entries the page may have.

        Raises:
            Invalid: it is not a whole number above zero.
        """
        given = self.one("limit")
        if given is None:
            return LIMIT
        if not _WHOLE.fullmatch(given):
            raise Invalid(f"limit is {given[:40]!r}, wanted a whole number from 1")
        return int(given) if len(given) < 5 and int(given) < LIMIT_MAX else LIMIT_MAX  # noqa: PLR2004 - digits

    def level(self) -> Level:
        """How far down is asked for.

        Raises:
            Invalid: the level is neither `deep` nor `core`.
        """
        return "core" if self.is_core() else "deep"

    def is_core(self) -> bool:
        """Whether only the uppermost elements are asked for.

        Raises:
            Invalid: the level is neither `deep` nor `core`.
        """
        return self.choice("level", "deep", "core") == "core"

    def with_blobs(self) -> bool:
        """Whether the values of blobs are asked for.

        Raises:
            Invalid: the extent is neither of the two.
        """
        return self.choice("extent", "withoutBlobValue", "withBlobValue") == "withBlobValue"

    # ---- body

    async def chunks(self, size_max: int) -> AsyncGenerator[bytes]:
        """The body, piece by piece.

        Raises:
            TooLarge: it has more than `size_max` bytes.
        """
        size = 0
        more = True
        announced = self.header(b"content-length")
        if announced.isdecimal() and int(announced[:20]) > size_max:
            raise _too_large(size_max)
        while more:
            message: Mapping[str, Any] = await self._receive()
            if message["type"] == "http.disconnect":
                raise Invalid("the client went away while it sent the body")
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > size_max:
                raise _too_large(size_max)
            more = message.get("more_body", False)
            yield part

    async def body(self, size_max: int = BODY_BYTES_MAX) -> bytes:
        """The whole body.

        Raises:
            TooLarge: it has more than `size_max` bytes.
        """
        return b"".join([part async for part in self.chunks(size_max)])

    async def json_bytes(self) -> bytes:
        """The body, which says that it is JSON.

        Raises:
            Invalid: it says that it is something else, or is too large.
        """
        kind = self.header(b"content-type")
        if kind and not _JSON.fullmatch(kind.strip()):
            raise WrongMedia(
                f"the body is of type {kind[:60]!r}, wanted application/json",
                remedy="Send JSON with the header Content-Type: application/json.",
            )
        return await self.body()

    async def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        """The body, decoded from JSON.

        Raises:
            Invalid: it is not JSON, or too large.
        """
        return decode(await self.json_bytes())

    async def object(self) -> Json:
        """The body, decoded from JSON, which must be an object.

        Raises:
            Invalid: it is not.
        """
        found = await self.json()
        if not isinstance(found, dict):
            raise Invalid(f"the body is {_named(found)}, wanted a JSON object")
        return found

    async def items(self) -> list[Any]:
        """The body, decoded from JSON, which must be an array.

        Raises:
            Invalid: it is not.
        """
        found = await self.json()
        if not isinstance(found, list):
            raise Invalid(f"the body is {_named(found)}, wanted a JSON array")
        return found


def _too_large(size_max: int) -> TooLarge:
    return TooLarge(f"the body has more than {size_max} bytes", remedy="Send it in smaller parts.")


def decode(data: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    """JSON, decoded.

    Raises:
        Invalid: it is not JSON.
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"the body is not JSON: {error}") from None


def _named(found: object) -> str:
    names = {dict: "a JSON object", list: "a JSON array", str: "a text", bool: "true or false"}
    return "null" if found is None else names.get(type(found), "a number")
