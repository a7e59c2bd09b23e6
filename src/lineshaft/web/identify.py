"""Who is asking: every request is given an identity before a route sees it."""

import base64
import inspect
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from lineshaft.core.access import Action, Authenticator, Identity
from lineshaft.core.errors import Denied, Unknown

COOKIE = "lineshaft_session"
HEADER = "x-requested-with"
HEADER_VALUE = "lineshaft"
NOBODY = Identity(name="", branches=())
"""Who asks without an identity; may do what is public."""

Refusal = Callable[[Identity, Action, str, str], Awaitable[None] | None]
"""Told of every refusal: who, what, where (the request's path), from which address."""
Recheck = Callable[[], Awaitable[Identity | None]]
"""Asks again who is at the other end, for connections that stay open."""

Connection = ASGIConnection[Any, Any, Any, Any]

_SAFE = {"GET", "HEAD", "OPTIONS"}


def middleware(authenticator: Authenticator) -> Callable[[ASGIApp], ASGIApp]:
    """Puts `who` and `recheck` into the state of each request and socket."""

    def around(app: ASGIApp) -> ASGIApp:
        async def identified(scope: Scope, receive: Receive, send: Send) -> None:
            connection: Connection = ASGIConnection(scope)
            session = connection.cookies.get(COOKIE, "")
            token = _token_of(connection.headers.get("authorization", ""))
            address = address_of(scope)

            async def recheck() -> Identity | None:
                if not session and not token:
                    return None
                # A token is named on purpose, a cookie is only along for the ride.
                return await authenticator.identify(
                    session="" if token else session, token=token, address=address
                )

            check_origin(connection, by_cookie=bool(session) and not token)
            scope["state"]["who"] = await recheck()
            scope["state"]["recheck"] = recheck
            await app(scope, receive, send)

        return identified

    return around


def _token_of(header: str) -> str:
    """The token after `Bearer`, or the password after `Basic`, for tools that know only that."""
    kind, _, word = header.partition(" ")
    if kind.lower() == "bearer":
        return word.strip()
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(word.strip(), validate=True).decode().partition(":")[2].strip()
    except ValueError:
        return ""


def check_origin(connection: Connection, *, by_cookie: bool) -> None:
    """See that a page of another site does not use the visitor's cookie.

    Raises:
        Denied: it looks as if one did.
    """
    changes = connection.scope.get("method", "GET") not in _SAFE
    socket = connection.scope["type"] == ScopeType.WEBSOCKET
    if not changes and not socket:
        return
    origin = connection.headers.get("origin", "")
    host = _host_of(origin)
    if origin and (not host or host != connection.headers.get("host", "")):
        raise Denied(
            f"the request comes from a page of {origin}, which is not this server",
            remedy="Open the console at this server's own address.",
        )
    if changes and by_cookie and connection.headers.get(HEADER, "") != HEADER_VALUE:
        raise Denied(
            f"a change with a session cookie carries no header {HEADER}: {HEADER_VALUE}",
            remedy=f"Send the header {HEADER}: {HEADER_VALUE}, or use an API token.",
        )


def _host_of(origin: str) -> str:
    """Host and port; empty for what is no address, which no host is equal to."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def guard(denied: Refusal | None) -> Callable[..., Awaitable[None]]:
    """Lets a request pass when its identity may do what the route's action says.

    What the action is done to, the route itself checks: only it knows the points.
    """

    async def check(
        connection: Connection,
        handler: BaseRouteHandler,
    ) -> None:
        action: Action = handler.opt.get("action", Action.LOOK)
        if action is Action.PUBLIC:
            return
        who: Identity | None = connection.scope["state"]["who"]
        if who is None:
            raise Unknown("the request carries no valid session or token")
        if action is Action.OWN or action in who.actions:
            return
        if denied is not None:
            told = denied(who, action, connection.url.path, address_of(connection.scope))
            if inspect.isawaitable(told):
                await told
        fresh = who.actions <= {Action.OWN}
        raise Denied(
            f"{who.name} may not do this: it needs the action {action.value!r}",
            remedy="Change the one-time password first." if fresh else "",
        )

    return check


def identity(scope: Scope) -> Identity:
    """The identity that asks; `NOBODY` on public routes without one."""
    return scope["state"].get("who") or NOBODY


def address_of(scope: Scope) -> str:
    """Network address of the other end."""
    client = scope.get("client")
    return str(client[0]) if client else ""
