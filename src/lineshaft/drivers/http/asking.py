"""One HTTP client for one host: requests with a bound on time, size and number."""

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple, Self
from urllib.parse import urljoin

import httpx
import msgspec

from lineshaft.core.errors import Refused
from lineshaft.core.quality import Quality
from lineshaft.core.settings import Settings

# They log every request with its whole address, in which a key may stand.
for _talker in ("httpx", "httpcore"):
    logging.getLogger(_talker).setLevel(logging.WARNING)

CLIENT_ERROR = 400
REDIRECT = 300
QUALITIES = {
    401: Quality.BAD_USER_ACCESS_DENIED,
    403: Quality.BAD_USER_ACCESS_DENIED,
    404: Quality.BAD_NODE_ID_UNKNOWN,
    405: Quality.BAD_NOT_SUPPORTED,
    408: Quality.BAD_TIMEOUT,
    410: Quality.BAD_NODE_ID_UNKNOWN,
    429: Quality.BAD_NO_DATA,
    501: Quality.BAD_NOT_SUPPORTED,
    503: Quality.BAD_NO_DATA,
    504: Quality.BAD_TIMEOUT,
}
"""What the statuses mean for a point; others of 4xx are our mistake, of 5xx the device's."""


class Tls(Settings, frozen=True, kw_only=True):
    """Whom to trust, and who we are."""

    ca: str = ""
    """File with the certificates to trust; when empty, those of the system."""
    cert: str = ""
    """File with our own certificate, if the device asks for one."""
    key: str = ""
    """File with its private key."""


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Where the device is, who we are to it, and what it may cost."""

    base_url: str
    headers: dict[str, str]
    query: dict[str, str] = {}
    """Secrets that go with each address, and into no message."""
    user: tuple[str, str] | None
    tls: Tls
    timeout_s: float
    requests_max: int
    body_max: int


class Ask(NamedTuple):
    """One request."""

    method: str
    href: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class Fault(NamedTuple):
    """Why a request has no answer."""

    text: str
    quality: Quality
    is_link: bool = False
    """Whether the device did not answer at all."""
    is_denied: bool = False
    """Whether it does not take who we are."""

    @property
    def is_taken(self) -> bool:
        """Whether the device said yes, and only its answer cannot be read."""
        return self.quality is Quality.BAD_DECODING_ERROR


class Asker:
    """An open client; `opened` makes and closes it."""

    def __init__(self, access: Access, client: httpx.AsyncClient) -> None:
        self._access, self._client = access, client
        self._room = asyncio.Semaphore(access.requests_max)

    @classmethod
    @asynccontextmanager
    async def opened(cls, name: str, access: Access) -> AsyncGenerator[Self]:
        """A client, closed at the end.

        Raises:
            Refused: the certificates cannot be read.
        """
        try:
            context = await asyncio.to_thread(_context, access.tls)
        except (OSError, ssl.SSLError) as error:
            raise Refused(
                f"{name}: the certificates of `tls` cannot be used: {error}",
                remedy="Set `ca`, `cert` and `key` to files in PEM form.",
            ) from error
        client = httpx.AsyncClient(
            verify=context,
            auth=access.user,
            # An answer that unpacks to more than it weighs would slip through the bound.
            headers={"Accept-Encoding": "identity", "User-Agent": "lineshaft", **access.headers},
            timeout=access.timeout_s,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=access.requests_max),
        )
        async with client:
            yield cls(access, client)

    async def ask(self, ask: Ask) -> bytes | Fault:
        """The body of the answer, or why there is none."""
        url = urljoin(self._access.base_url, ask.href)
        async with self._room:
            try:
                async with asyncio.timeout(self._access.timeout_s):
                    return await self._stream(ask, url)
            except (TimeoutError, httpx.TimeoutException):
                within = f"no answer within {self._access.timeout_s:g} s"
                return Fault(f"{url}: {within}", Quality.BAD_TIMEOUT, is_link=True)
            except (httpx.LocalProtocolError, httpx.UnsupportedProtocol) as error:
                return Fault(f"{url}: {error}", Quality.BAD_CONFIGURATION_ERROR)
            except (httpx.TransportError, httpx.StreamError, OSError) as error:
                return _broken(url, error)
            except (httpx.InvalidURL, httpx.HTTPError, ValueError) as error:
                return Fault(f"{url}: {error}", Quality.BAD_CONFIGURATION_ERROR)

    async def _stream(self, ask: Ask, url: str) -> bytes | Fault:
        whole = httpx.URL(url).copy_merge_params(self._access.query) if self._access.query else url
        async with self._client.stream(
            ask.method, whole, content=ask.body or None, headers=list(ask.headers)
        ) as response:
            if response.status_code >= REDIRECT:
                return _refusal(ask.method, url, response)
            if response.headers.get("content-encoding", "identity") != "identity":
                return Fault(
                    "the answer is packed, though not asked for", Quality.BAD_DECODING_ERROR
                )
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > self._access.body_max:
                    return Fault(
                        f"the answer has more than {self._access.body_max} bytes (`body_max`)",
                        Quality.BAD_DECODING_ERROR,
                    )
            return bytes(body)


def _broken(url: str, error: BaseException) -> Fault:
    """Why there was no answer: a strange certificate is no reason to try again."""
    words = f"{url}: {str(error) or type(error).__name__}"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Fault(words, Quality.BAD_USER_ACCESS_DENIED, is_denied=True)
        cause = cause.__cause__ or cause.__context__
    return Fault(words, Quality.BAD_COMMUNICATION_ERROR, is_link=True)


def _refusal(method: str, url: str, response: httpx.Response) -> Fault:
    status = response.status_code
    words = f"{method} {url} is answered with {status}"
    words = f"{words} {response.reason_phrase}".rstrip()
    if status < CLIENT_ERROR:
        where = response.headers.get("location", "").partition("?")[0][:200]
        return Fault(
            f"{words} to {where!r}, and redirects are not followed", Quality.BAD_CONFIGURATION_ERROR
        )
    others = Quality.BAD_DEVICE_FAILURE if status >= 500 else Quality.BAD_CONFIGURATION_ERROR  # noqa: PLR2004
    return Fault(words, QUALITIES.get(status, others), is_denied=status in (401, 403, 407))


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca or None)
    if tls.cert:
        context.load_cert_chain(tls.cert, tls.key or None)
    return context
