"""Answers of the interface: bodies, status codes, headers, and errors as the standard has them."""

import secrets
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
from litestar.types import Send

from lineshaft.core import errors
from lineshaft.core.clock import NS_PER_MS, now_ns, to_iso
from lineshaft.core.errors import LineshaftError
from lineshaft.twins import Document
from lineshaft.twins.api.requests import NotAllowed, Request, TooLarge, WrongMedia
from lineshaft.twins.files import FileRef

JSON = b"application/json"
OK, CREATED, ACCEPTED, NO_CONTENT = 200, 201, 202, 204
FOUND, NOT_MODIFIED = 302, 304
BAD, DENIED, NOT_FOUND, NOT_ALLOWED = 400, 403, 404, 405
CONFLICT, PRECONDITION, DEFECT = 409, 412, 500

STATUS: dict[type[LineshaftError], int] = {
    NotAllowed: 405,
    TooLarge: 413,
    WrongMedia: 415,
    errors.Invalid: 400,
    errors.SettingsError: 400,
    errors.Unknown: 401,
    errors.Denied: DENIED,
    errors.Missing: NOT_FOUND,
    errors.Stale: CONFLICT,
    errors.Refused: 422,
    errors.LinkLost: 503,
    errors.Unavailable: 503,
}
"""The status of each class of error; the first that fits counts."""

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Types that are told; a picture in SVG can carry a script."""

Header = tuple[bytes, bytes]
FRESH: Header = (b"cache-control", b"private, no-cache")
"""Kept by the client alone, and asked for again by its tag."""


class Answer(NamedTuple):
    """What goes back to the client."""

    status: int = OK
    body: bytes = b""
    headers: tuple[Header, ...] = ()
    media: bytes = JSON
    parts: AsyncGenerator[bytes] | None = None
    """The body, when it is too large to be held at once."""


# ---- successes


def encoded(found: object, *headers: Header) -> Answer:
    """Anything as JSON."""
    return Answer(OK, msgspec.json.encode(found), headers)


def document(found: Document, request: Request) -> Answer:
    """The stored bytes, or word that the client has them already."""
    tag = tag_of(found)
    asked = request.header(b"if-none-match")
    if asked and (asked == "*" or f'"{found.tag}"' in asked):
        return Answer(NOT_MODIFIED, headers=(tag,))
    return Answer(OK, found.data, (tag,))


def page(items: Iterable[bytes], cursor: str, **more: str) -> Answer:
    """A page of what is JSON already; an empty cursor says that it is the last."""
    head = msgspec.json.encode({"cursor": cursor, **more} if cursor else more)
    return Answer(OK, b'{"paging_metadata":%s,"result":[%s]}' % (head, b",".join(items)))


def page_of(items: object, cursor: str, **more: str) -> Answer:
    """A page of what is to be encoded: mostly a list, an object where the standard has one."""
    head = {"cursor": cursor, **more} if cursor else more
    return Answer(OK, msgspec.json.encode({"paging_metadata": head, "result": items}))


def created(body: bytes, location: str, made: Document | None = None) -> Answer:
    """What is there now, and where; `location` is a path, `made` the document that it is in."""
    headers: list[Header] = [(b"location", location.encode())]
    if made is not None:
        headers.append(tag_of(made))
    return Answer(CREATED, body, tuple(headers))


def done(made: Document | None = None) -> Answer:
    """It is done, and there is nothing more to say; `made` is the document as it is now."""
    return Answer(NO_CONTENT, headers=(tag_of(made),) if made else ())


def accepted(location: str) -> Answer:
    """It will be done; `location` is the path to ask at."""
    return Answer(ACCEPTED, headers=((b"location", location.encode()),))


def elsewhere(location: str) -> Answer:
    """What is asked for is at another path."""
    return Answer(FOUND, headers=((b"location", location.encode()),))


def tag_of(found: Document) -> Header:
    """The header ETag of a document as it is."""
    return (b"etag", b'"%s"' % found.tag.encode())


def file(ref: FileRef, name: str, parts: AsyncGenerator[bytes], request: Request) -> Answer:
    """A file, to be saved; pictures as such to who asks for pictures."""
    # What a stranger sent must not run as a page of ours, so its own type is seldom told.
    shown = ref.media_type in PICTURES and "image/" in request.header(b"accept")
    media = ref.media_type if shown else "application/octet-stream"
    headers = (
        *saved_as(name),
        (b"content-length", b"%d" % ref.size),
        tag_of_file(ref),
    )
    return Answer(OK, headers=headers, media=media.encode(), parts=parts)


def tag_of_file(ref: FileRef) -> Header:
    """The header ETag of a file: its hash."""
    return (b"etag", b'"%s"' % ref.hash.encode())


def saved_as(name: str) -> tuple[Header, ...]:
    """The header that has the client save a file under its name."""
    quoted = quote(name, safe="")
    return ((b"content-disposition", f"attachment; filename*=UTF-8''{quoted}".encode()),)


def ascii_of(text: str) -> bytes:
    """A text as it can stand in any header."""
    return "".join(c if " " <= c <= "~" else "_" for c in text).encode()


# ---- errors


def failed(error: LineshaftError, request: Request | None = None) -> Answer:
    """An error with its sentence and remedy."""
    status = status_of(error)
    if status == CONFLICT and request is not None and request.header(b"if-match"):
        status = PRECONDITION
    return failure(status, sentence(str(error), error.remedy))


def status_of(error: LineshaftError) -> int:
    """The status of the first class of `STATUS` that fits."""
    return next((s for c, s in STATUS.items() if isinstance(error, c)), DEFECT)


def sentence(what: str, remedy: str) -> str:
    """Both in one text."""
    end = "" if what.endswith((".", "!", "?")) else "."
    return f"{what}{end} {remedy[:1].upper()}{remedy[1:]}".strip()


def failure(status: int, text: str, *headers: Header) -> Answer:
    """An error as the standard has it: nothing but messages."""
    extra: tuple[Header, ...] = headers
    if status == STATUS[errors.Unknown]:
        extra += ((b"www-authenticate", b"Bearer"),)
    if status == STATUS[errors.Unavailable]:
        extra += ((b"retry-after", b"2"),)
    if status == NOT_ALLOWED and not headers:
        extra += ((b"allow", b"GET"),)
    kind = "Exception" if status >= DEFECT else "Error"
    return Answer(status, msgspec.json.encode({"messages": [message(kind, status, text)]}), extra)


def message(kind: str, code: int, text: str) -> dict[str, Any]:
    """One entry of `messages`; kind is Info, Warning, Error or Exception."""
    return {
        "messageType": kind,
        "text": text,
        "code": str(code),
        "correlationId": secrets.token_hex(8),
        "timestamp": to_iso(now_ns() // NS_PER_MS * NS_PER_MS),
    }


# ---- on the wire


async def send_answer(answer: Answer, send: Send, *, head: bool = False) -> None:
    """Send it; the answer to HEAD has no body."""
    headers: list[Header] = [*answer.headers, FRESH]
    parts = answer.parts
    if answer.body or parts is not None:
        headers.append((b"content-type", answer.media))
    if parts is None and answer.status not in (NO_CONTENT, NOT_MODIFIED):
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if parts is not None:
        async with aclosing(parts):
            async for part in parts:
                if head:  # begun, so that closing reaches the file behind it
                    break
                await send({"type": "http.response.body", "body": part, "more_body": True})
    body = b"" if head else answer.body
    await send({"type": "http.response.body", "body": body, "more_body": False})
