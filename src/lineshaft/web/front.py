"""The front: whole interfaces that slices mount are answered before the rest of the routes.

A mounted interface has routes, errors and bodies of its own, so it needs nothing of Litestar but
time. What holds for every request holds here too: the host header, the identity, the origin, the
right, and the headers of each answer.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from litestar import Litestar
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from lineshaft.core.access import Action, Authenticator
from lineshaft.core.errors import Invalid
from lineshaft.web.identify import Refusal, address_of, admit, asking

Header = tuple[bytes, bytes]
_HOST = re.compile(rb"[0-9A-Za-z!$&'()*+,;=\-._~:\[\]@%]*")
_SLASHES = re.compile("//+")


class Reply(NamedTuple):
    """A whole answer."""

    status: int
    headers: tuple[Header, ...]
    body: bytes


class Mount(NamedTuple):
    """An application of a slice for all that is below a path; `routes.py` lists its `mounts`.

    It is asked once somebody may do `action`; what is finer it checks itself.
    """

    path: str
    """From the root of the server. The application is given the rest as the scope's path, which
    begins with what follows and has no two slashes in a row."""
    action: Action
    make: Callable[[Mapping[str, object]], ASGIApp]
    """Gives the application, made from the plant's services and `denied`, a `Refusal` or None."""
    fail: Callable[[str, Exception], Reply]
    """The answer to an error before or in the application; the request's path comes first."""


class _Mounted(NamedTuple):
    """A mount with its application."""

    mount: Mount
    app: ASGIApp


class Front:
    """The server as one ASGI application: mounts first, everything else is Litestar's."""

    def __init__(
        self,
        litestar: Litestar,
        mounts: Sequence[Mount],
        *,
        services: Mapping[str, object],
        authenticator: Authenticator,
        denied: Refusal | None,
        headers: Sequence[Header],
    ) -> None:
        """`headers` stand in every answer of a mount."""
        self.litestar = litestar
        self._authenticator = authenticator
        self._denied = denied
        self._headers = tuple(headers)
        given = {**services, "denied": denied}
        self._mounts = tuple(_Mounted(m, m.make(given)) for m in mounts)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - any server's
        """Answer one request, or hold one socket."""
        if scope["type"] == "http":
            path: str = scope["path"]
            if "//" in path:
                path = _SLASHES.sub("/", path)
            for mounted in self._mounts:
                if path.startswith(mounted.mount.path):
                    await self._answer(mounted, path, scope, receive, send)
                    return
        await self.litestar(scope, receive, send)

    async def _answer(
        self, mounted: _Mounted, path: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        mount, started = mounted.mount, False

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        try:
            await self._admit(mount.action, path, scope)
            scope["path"] = path[len(mount.path) :]
            await mounted.app(scope, receive, with_headers)
        except Exception as error:
            if started:  # the server logs it and ends the connection
                raise
            status, headers, body = mount.fail(path, error)
            await with_headers(
                {"type": "http.response.start", "status": status, "headers": [*headers]}
            )
            body = b"" if scope["method"] == "HEAD" else body  # type: ignore[typeddict-item]
            await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _admit(self, action: Action, path: str, scope: Scope) -> None:
        """See who asks, which the scope's state says from then on, and that it may do this.

        Raises:
            Invalid: the header Host names no host.
            Denied: it may not, or the request comes from a page of another site.
            Unknown: nobody known asks.
        """
        for name, value in scope["headers"]:
            if name == b"host" and not _HOST.fullmatch(value):
                raise Invalid("the header Host names no host", remedy="Send the server's name.")
        who = scope["state"]["who"] = await asking(self._authenticator, scope)()
        await admit(who, action, self._denied, path, address_of(scope))
