"""Webhooks: each message is a signed HTTP POST, as Standard Webhooks has it.

Source: Standard Webhooks 1.0 (headers and signature); draft-ietf-httpapi-idempotency-key-header.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import LinkLost, Refused
from lineshaft.operations.notices.channels import Later
from lineshaft.operations.notices.settings import Recipient
from lineshaft.operations.notices.writing import Message

if TYPE_CHECKING:
    import httpx

PREFIX = "whsec_"
"""Before keys that are written in base64."""
REFUSALS = frozenset({400, 405, 406, 410, 411, 413, 414, 415, 421, 422, 431, 451})
"""Answers after which the same request will not be taken either."""
ANSWER_BYTES_MAX = 2048
"""Of an answer that says no, so much is looked at."""
AGAIN_S_MAX = 3600.0
CONNECTIONS_MAX = 32


class Webhooks:
    """A client for all webhooks, made with the first message: most plants start without one."""

    def __init__(self, timeout_s: float, clock: Callable[[], int], ca: str = "") -> None:
        self._timeout_s, self._clock, self._ca = timeout_s, clock, ca
        self._client: httpx.AsyncClient | None = None
        self._making = asyncio.Lock()

    async def _ready(self) -> "httpx.AsyncClient":
        async with self._making:
            if self._client is None:
                # On a thread, since the import and the list of authorities take their time.
                self._client = await asyncio.to_thread(_client, self._timeout_s, self._ca)
            return self._client

    async def send(self, recipient: Recipient, message: Message) -> None:
        """Post it; any answer of 2xx has taken it.

        Raises:
            LinkLost: nobody took it; it may be taken later.
            Refused: the server does not want this request.
        """
        client = await self._ready()
        import httpx  # noqa: PLC0415 - imported with the client

        name, body = recipient.name, message.payload()
        head = signed(recipient.secret.reveal(), message.id, self._clock() // NS_PER_S, body)
        try:
            async with asyncio.timeout(self._timeout_s):
                request = client.build_request("POST", recipient.url, content=body, headers=head)
                answer = await client.send(request, stream=True)
                try:
                    text = await _beginning(answer) if not answer.is_success else ""
                finally:
                    await answer.aclose()
        except (TimeoutError, httpx.TimeoutException) as error:
            raise LinkLost(f"{name}: no answer within {self._timeout_s:g} s") from error
        # A ValueError: of a host name that cannot be looked up.
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise LinkLost(f"{name}: {type(error).__name__}: {error}") from error
        _check(name, answer, text)

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()


def _client(timeout_s: float, ca: str) -> "httpx.AsyncClient":
    import httpx  # noqa: PLC0415 - takes as long as a tenth of a start

    return httpx.AsyncClient(
        verify=ssl.create_default_context(cafile=ca) if ca else True,
        timeout=timeout_s,
        follow_redirects=False,
        trust_env=False,
        limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
        headers={"User-Agent": "lineshaft", "Accept-Encoding": "identity"},
    )


async def _beginning(answer: "httpx.Response") -> str:
    found = b""
    async for part in answer.aiter_raw(ANSWER_BYTES_MAX):
        found += part
        if len(found) >= ANSWER_BYTES_MAX:
            break
    return found[:200].decode("utf-8", "replace")


def _check(name: str, answer: "httpx.Response", text: str) -> None:
    code = answer.status_code
    if answer.is_success:
        return
    said = f"{name}: the server answers {code} {' '.join(text.split())}".rstrip()
    if answer.is_redirect:
        raise LinkLost(
            f"{name}: the server answers {code}, which is not followed",
            remedy="Set `url` to the address that it leads to.",
        )
    if code in REFUSALS:
        raise Refused(said)
    after = answer.headers.get("retry-after", "")
    if after.isdecimal():
        raise Later(said, min(float(after[:6]), AGAIN_S_MAX))
    raise LinkLost(said)


def signed(secret: str, id_: str, time_s: int, body: bytes) -> dict[str, str]:
    """The headers of a request; without a secret, unsigned."""
    head = {
        "Content-Type": "application/json",
        "Idempotency-Key": id_,
        "webhook-id": id_,
        "webhook-timestamp": str(time_s),
    }
    if secret:
        mark = hmac.new(key_of(secret), f"{id_}.{time_s}.".encode() + body, hashlib.sha256)
        head["webhook-signature"] = f"v1,{base64.b64encode(mark.digest()).decode()}"
    return head


def key_of(secret: str) -> bytes:
    """The bytes that sign: after `whsec_` base64, else the text itself."""
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            return secret.encode()
    return secret.encode()
