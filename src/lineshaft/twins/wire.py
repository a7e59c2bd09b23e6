"""Requests to a server of twins: addresses, pages, and errors in both forms that there are."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import httpx
import msgspec

from lineshaft.core.errors import Invalid, LineshaftError, LinkLost, Refused, Stale, Unavailable
from lineshaft.twins import Json
from lineshaft.web.problem import CLASSES, Problem, failure

BASE = "/api/v3.1"
PAGE = 100
"""Objects that one request asks for; more come as the caller goes on."""

T = TypeVar("T")
Params = Sequence[tuple[str, str]]

_CLASSES: dict[int, type[LineshaftError]] = {
    **CLASSES,
    405: Refused,
    412: Stale,
    415: Invalid,
}
"""The error that a status stands for; the last ones are used by the standard's interface only."""

_REMEDIES = {
    401: "Make a token on the account page of the console, and give it to connect().",
    403: "Ask an administrator for a role or rule that allows it.",
    404: "See what there is with shells(), submodels() or elements().",
    409: "Read it again, then decide.",
    412: "Somebody else changed it: read it again, then decide.",
}


class _Cursor(msgspec.Struct):
    cursor: str = ""


class _Page(msgspec.Struct):
    result: list[Json]
    paging_metadata: _Cursor = msgspec.field(default_factory=_Cursor)


class _Message(msgspec.Struct):
    text: str = ""


class _Result(msgspec.Struct):
    messages: list[_Message]


class Wire:
    """Requests below the standard's address of a server, or any path that begins with `/api/`."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def pages(self, url: str, params: Params, query: Json | None = None) -> Iterator[Json]:
        """Every object, page after page, as the caller asks for the next."""
        given = [(name, value) for name, value in params if value]
        cursor = ""
        while True:
            asked = [*given, ("limit", str(PAGE)), *([("cursor", cursor)] if cursor else [])]
            if query is None:
                answer = self.ask("GET", url, params=asked)
            else:
                answer = self.send("POST", url, query, params=asked)
            page = decoded(answer, _Page)
            yield from page.result
            if not (cursor := page.paging_metadata.cursor):
                return

    def send(self, method: str, url: str, body: object, **options: Any) -> httpx.Response:  # noqa: ANN401
        """Send JSON; the good answer to it."""
        headers = {"Content-Type": "application/json", **options.pop("headers", {})}
        content = msgspec.json.encode(body)
        return self.ask(method, url, content=content, headers=headers, **options)

    def ask(self, method: str, url: str, **options: Any) -> httpx.Response:  # noqa: ANN401
        """The answer, known to be good.

        Raises:
            LineshaftError: what the server says went wrong; its status tells the class.
            LinkLost: it does not answer.
        """
        with self._lost():
            answer = self._http.request(method, self._address(url), **options)
        if answer.is_success:
            return answer
        raise _failed(answer)

    @contextlib.contextmanager
    def stream(
        self, url: str, params: Params, accept: str, *, timeout_s: float
    ) -> Iterator[Iterator[bytes]]:
        """The body of a good answer, part by part."""
        options: dict[str, Any] = {
            "params": httpx.QueryParams(list(params)),
            "headers": {"Accept": accept},
            "timeout": timeout_s,
        }
        with self._lost(), self._http.stream("GET", self._address(url), **options) as got:
            if not got.is_success:
                got.read()
                raise _failed(got)
            yield got.iter_bytes()

    def _address(self, url: str) -> httpx.URL:
        return self._http.base_url.join(url if url.startswith("/api/") else BASE + url)

    @contextlib.contextmanager
    def _lost(self) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            url = self._http.base_url
            raise LinkLost(
                f"{url.scheme}://{url.netloc.decode()} does not answer: {error}",
                remedy="Check the address, and that the plant runs.",
            ) from error


def decoded(answer: httpx.Response, wanted: type[T]) -> T:
    """The body as what is wanted.

    Raises:
        Unavailable: it is something else.
    """
    try:
        return msgspec.json.decode(answer.content, type=wanted)
    except msgspec.DecodeError as error:
        raise Unavailable(
            f"the answer to {answer.request.method} {answer.request.url} is none of twins: {error}",
            remedy="check the address; is there a proxy between, or a server of another version?",
        ) from error


def _failed(answer: httpx.Response) -> LineshaftError:
    """The error that an answer tells, in the form of the standard or in that of the plant."""
    with contextlib.suppress(msgspec.DecodeError):
        result = msgspec.json.decode(answer.content, type=_Result)
        text = " ".join(message.text for message in result.messages) or answer.reason_phrase
        found = _CLASSES.get(answer.status_code, Unavailable)
        return found(text, remedy=_REMEDIES.get(answer.status_code, ""))
    with contextlib.suppress(msgspec.DecodeError):
        return failure(msgspec.json.decode(answer.content, type=Problem))
    return Unavailable(
        f"{answer.request.url} answers with status {answer.status_code}, not as a plant does",
        remedy="check the address; is there a proxy between?",
    )
