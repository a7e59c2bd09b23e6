"""Who is asking: every request is given an identity before a route sees it."""

import base64
import inspect
from collections.abc import Awaitable, Callable, Mapping
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
_READ = frozenset({b"authorization", b"cookie", b"host", b"origin", HEADER.encode()})
"""Headers that say who asks, from where."""


def middleware(authenticator: Authenticator) -> Callable[[ASGIApp], ASGIApp]:
    """Puts `who` and `recheck` into the state of each request and socket."""

    def around(app: ASGIApp) -> ASGIApp:
        async def identified(scope: Scope, receive: Receive, send: Send) -> None:
            recheck = asking(authenticator, scope)
            scope["state"]["who"] = await recheck()
            scope["state"]["recheck"] = recheck
            await app(scope, receive, send)

        return identified

    return around


def asking(authenticator: Authenticator, scope: Scope) -> Recheck:
    """What says who sends this request, asked as often as somebody wants to know.

    Raises:
        Denied: it looks as if a page of another site used the visitor's cookie.
    """
    said: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _READ and name not in said:
            said[name] = value.decode("latin-1")
    # A token is named on purpose, a cookie is only along for the ride.
    token = _token_of(said.get(b"authorization", ""))
    session = ""
    if not token and b"cookie" in said:
        connection: Connection = ASGIConnection(scope)
        session = connection.cookies.get(COOKIE, "")
    address = address_of(scope)
    check_origin(scope, said, by_cookie=bool(session))

    async def recheck() -> Identity | None:
        if not session and not token:
            return None
        return await authenticator.identify(session=session, token=token, address=address)

    return recheck


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


def check_origin(scope: Scope, said: Mapping[bytes, str], *, by_cookie: bool) -> None:
    """See that a page of another site does not use the visitor's cookie.

    `said` is what the headers say, by their names in small letters.

    Raises:
        Denied: it looks as if one did.
    """
    changes = scope.get("method", "GET") not in _SAFE
    if not changes and scope["type"] != ScopeType.WEBSOCKET:
        return
    origin = said.get(b"origin", "")
    host = _host_of(origin)
    if origin and (not host or host != said.get(b"host", "")):
        raise Denied(
            f"the request comes from a page of {origin}, which is not this server",
            remedy="Open the console at this server's own address.",
        )
    if changes and by_cookie and said.get(HEADER.encode(), "") != HEADER_VALUE:
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
        who: Identity | None = connection.scope["state"]["who"]
        await admit(who, action, denied, connection.url.path, address_of(connection.scope))

    return check


async def admit(
    who: Identity | None, action: Action, denied: Refusal | None, path: str, address: str
) -> None:
    """See that somebody may do this; `denied` is told when not.

    Raises:
        Unknown: nobody known asks.
        Denied: it may not.
        Unavailable: the refusal cannot be put on record.
    """
    if action is Action.PUBLIC:
        return
    if who is None:
        raise Unknown("the request carries no valid session or token")
    if action is Action.OWN or action in who.actions:
        return
    if denied is not None:
        told = denied(who, action, path, address)
        if inspect.isawaitable(told):
            await told
    fresh = who.actions <= {Action.OWN}
    raise Denied(
        f"{who.name} may not do this: it needs the action {action.value!r}",
        remedy="Change the one-time password first." if fresh else "",
    )


def identity(scope: Scope) -> Identity:
    """The identity that asks; `NOBODY` on public routes without one."""
    return scope["state"].get("who") or NOBODY


def address_of(scope: Scope) -> str:
    """Network address of the other end."""
    client = scope.get("client")
    return str(client[0]) if client else ""
