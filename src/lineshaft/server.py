"""The server joins the routes of every slice into one application and answers for all of it."""

import asyncio
import contextlib
import socket
import ssl
import warnings
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, get_type_hints, runtime_checkable

import msgspec
import uvicorn
from litestar import Litestar, Request, Response, Router
from litestar.di import Provide
from litestar.exceptions.base_exceptions import LitestarDeprecationWarning
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import Message, Scope

import lineshaft
from lineshaft.core.access import Action, Authenticator, Authorizer, Identity
from lineshaft.core.errors import Denied, Missing, SettingsError
from lineshaft.core.settings import Settings
from lineshaft.web import API, Handlers, get, metrics
from lineshaft.web.front import Front, Mount
from lineshaft.web.identify import COOKIE, Refusal, guard, identity, middleware
from lineshaft.web.metrics import Watch
from lineshaft.web.problem import HANDLERS
from lineshaft.web.site import CONTENT_POLICY, Site

BODY_BYTES_MAX = 1 << 20
"""Largest body of a request; routes that take batches say their own."""
STOP_S = 1
"""How long open requests may go on when the server stops."""
CONSOLE = Path(__file__).parent / "console"
"""Where the wheel build puts the console."""


class ServerSettings(Settings, frozen=True):
    """Where the console and the API are served."""

    host: str = "127.0.0.1"
    """Address to listen on; `0.0.0.0` for every network this machine is in."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8080
    """TCP port; 0 takes any free one."""
    tls_certificate: str = ""
    """File with the certificate chain (PEM); empty serves plain HTTP."""
    tls_key: str = ""
    """File with the certificate's private key (PEM)."""


# ---- routes of the server itself


@get("/health/live", action=Action.PUBLIC, include_in_schema=False)
async def live() -> dict[str, str]:
    """Whether the process runs."""
    return {"status": "ok"}


@get("/health/ready", action=Action.PUBLIC, include_in_schema=False)
async def ready(watch: Watch, authorizer: Authorizer, who: Identity) -> Response[dict[str, object]]:
    """Whether it can take and keep data; what is wrong is told to those who see the whole plant."""
    problems, told = watch.problems(), watch.problems()
    if not authorizer.allows(who, Action.LOOK):
        seen = Action.LOOK in who.actions
        told = ["told to those who see the whole plant" if seen else "log in to read it"]
        told *= len(problems)
    body: dict[str, object] = {"status": "problems" if problems else "ok", "problems": told}
    return Response(body, status_code=503 if problems else 200)


@get("/metrics", action=Action.LOOK, include_in_schema=False)
async def figures(watch: Watch, authorizer: Authorizer, who: Identity) -> Response[str]:
    """The figures of all parts, for Prometheus; they are of the whole plant."""
    if not authorizer.allows(who, Action.LOOK):
        raise Denied(
            f"{who.name} may not see figures of the whole plant",
            remedy="Take a token that is not limited to branches.",
        )
    return Response(metrics.write(watch.metrics()), media_type=metrics.MEDIA_TYPE)


@get("/api/openapi.json", action=Action.LOOK, include_in_schema=False)
async def openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The description of the API (OpenAPI 3.1)."""
    schema = request.app.openapi_schema.to_schema()
    return Response(msgspec.json.encode(schema), media_type="application/json")


@get(["/api/docs", "/api/docs/{path:path}"], action=Action.LOOK, include_in_schema=False)
async def docs(request: Request[Any, Any, Any], site: Site, path: str = "/") -> Response[bytes]:
    """The pages that describe the API."""
    name = path.strip("/") or "index.html"
    asset = await site.asset(f"docs/{name}")
    if asset is None:
        raise Missing(
            f"the API pages hold no file {name!r}",
            remedy="Build the console: python hatch_build.py.",
        )
    return await site.page(request, f"docs/{name}")


@get(["/", "/{path:path}"], action=Action.PUBLIC, include_in_schema=False)
async def console(request: Request[Any, Any, Any], site: Site, path: str = "/") -> Response[bytes]:
    """The console; its pages have addresses of their own, all answered by the same file."""
    name = path.strip("/")
    if name == "api" or name.startswith("api/"):
        raise Missing(f"there is no address /{name}")
    return await site.page(request, name)


# ---- the application


def app(  # noqa: PLR0913 - each is said once, in plant.py
    services: Mapping[str, object],
    handlers: Handlers,
    *,
    authenticator: Authenticator,
    authorizer: Authorizer,
    denied: Refusal | None = None,
    console_folder: Path = CONSOLE,
    mounts: Sequence[Mount] = (),
) -> Front:
    """The ASGI application.

    `services` are given to handlers by parameter name, beside `who`, `authorizer` and `watch`.
    `handlers` and `mounts` are those of every slice. A service's `metrics()` and `problems()`
    are asked.

    Raises:
        AssertionError: a handler does not say which action it needs.
    """
    given = {
        "authorizer": authorizer,
        "watch": Watch(services.values()),
        "site": Site(console_folder),
        **services,
    }
    _open_protocols(handlers)
    routes = Router(API, route_handlers=list(handlers))
    own: list[Any] = [live, ready, figures, openapi, docs, console]
    with warnings.catch_warnings():
        # Handlers get services by parameter name, which Litestar 2 does and 3 will not; the
        # dependency is held below 3 until then.
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        made = _application(given, [routes, *own], authenticator, denied)
    check_actions(made)
    return Front(
        made,
        mounts,
        services=given,
        authenticator=authenticator,
        denied=denied,
        headers=_HEADERS,
    )


def _application(
    given: Mapping[str, object],
    handlers: list[Any],
    authenticator: Authenticator,
    denied: Refusal | None,
) -> Litestar:
    return Litestar(
        route_handlers=handlers,
        dependencies={n: _provide(s) for n, s in given.items()}
        | {"who": Provide(identity, sync_to_thread=False)},
        middleware=[middleware(authenticator)],
        guards=[guard(denied)],
        exception_handlers=HANDLERS,
        before_send=[_add_headers],
        request_max_body_size=BODY_BYTES_MAX,
        logging_config=None,
        openapi_config=_openapi_config(),
    )


def _open_protocols(handlers: Handlers) -> None:
    """Let Litestar ask whether a service fills the protocol that a handler names."""
    for handler in handlers:
        for wanted in get_type_hints(handler.fn).values():
            if getattr(wanted, "_is_protocol", False):
                runtime_checkable(wanted)


def _provide(service: object) -> Provide:
    return Provide(lambda: service, sync_to_thread=False)


def check_actions(made: Litestar) -> None:
    """See that every route says which action it needs.

    Raises:
        AssertionError: one does not; that is a defect of ours, so the server does not start.
    """
    for path, handler in every_route(made):
        action = handler.opt.get("action")
        if not isinstance(action, Action):
            raise AssertionError(  # noqa: TRY004 - our bug
                f"route {path} ({handler.handler_name}) names no action: make it with"
                " lineshaft.web.get, post, … and `action=`"
            )


def every_route(made: Litestar) -> Iterator[tuple[str, BaseRouteHandler]]:
    """Every path with each of its handlers."""
    for route in made.routes:
        for handler in getattr(route, "route_handlers", None) or [route.route_handler]:  # type: ignore[union-attr]
            # Litestar adds an answer to OPTIONS by itself; the guard asks for LOOK there.
            if getattr(handler, "http_methods", None) != {"OPTIONS"}:
                yield route.path, handler


def _openapi_config() -> OpenAPIConfig:
    schemes = {
        "token": SecurityScheme(type="http", scheme="bearer"),
        "session": SecurityScheme(type="apiKey", name=COOKIE, security_scheme_in="cookie"),
    }
    return OpenAPIConfig(
        title="Lineshaft",
        version=lineshaft.__version__,
        description="Machines, their values and their history. Errors are problem+json.",
        use_handler_docstrings=True,
        components=Components(security_schemes=schemes),  # type: ignore[arg-type]
        security=[{"token": []}, {"session": []}],
        render_plugins=[JsonRenderPlugin()],
        # Litestar's own pages load from elsewhere; its router is kept where nobody needs it.
        openapi_router=Router(
            "/api/schema", route_handlers=[], include_in_schema=False, opt={"action": Action.LOOK}
        ),
    )


_HEADERS = [
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
"""No route says one of these itself."""


async def _add_headers(message: Message, scope: Scope) -> None:
    if message["type"] != "http.response.start":
        return
    headers = [*message.get("headers", ()), *_HEADERS]
    if scope["path"].startswith(API) and not any(k.lower() == b"cache-control" for k, _ in headers):
        headers.append((b"cache-control", b"no-store"))
    message["headers"] = headers


# ---- serving it


class _Quiet(uvicorn.Server):
    """A server that leaves the process's signals to the plant."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def served(made: Front, settings: ServerSettings) -> AsyncGenerator[str]:
    """The time in which the application is served; yields its address, `http://host:port`.

    Leaving it closes what is open within two seconds.

    Raises:
        SettingsError: the port is taken, or the certificate cannot be used.
    """
    config = _config(made, settings)
    sockets = await asyncio.to_thread(_listen, settings)
    server = _Quiet(config)
    port = sockets[0].getsockname()[1]
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.serve(sockets=sockets), name="server")
        try:
            name = f"[{settings.host}]" if ":" in settings.host else settings.host
            yield f"{'https' if settings.tls_certificate else 'http'}://{name}:{port}"
        finally:
            server.should_exit = True
            await asyncio.wait({task}, timeout=STOP_S + 1)
            for listener in sockets:
                listener.close()
            task.cancel()


async def serve(made: Front, settings: ServerSettings) -> None:
    """Serve the application until cancelled.

    Raises:
        SettingsError: the port is taken, or the certificate cannot be used.
    """
    async with served(made, settings):
        await asyncio.Event().wait()


def _config(made: Front, settings: ServerSettings) -> uvicorn.Config:
    config = uvicorn.Config(
        made,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=1 << 20,
        lifespan="off",
        log_config=None,
        access_log=False,
        log_level="error",
        server_header=False,
        proxy_headers=False,  # what a client says of its own address is not believed
        timeout_graceful_shutdown=STOP_S,
        ssl_certfile=settings.tls_certificate or None,
        ssl_keyfile=settings.tls_key or None,
    )
    try:
        config.load()
    except (ssl.SSLError, OSError) as error:
        raise SettingsError(
            f"server: certificate {settings.tls_certificate!r} with key {settings.tls_key!r}"
            f" cannot be used: {error}",
            remedy="Name PEM files that belong together and that this user may read.",
        ) from error
    return config


def _listen(settings: ServerSettings) -> list[socket.socket]:
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        return [
            socket.create_server(
                (settings.host, settings.port), family=family, backlog=512, reuse_port=False
            )
        ]
    except OSError as error:
        raise SettingsError(
            f"server: cannot listen on {settings.host}:{settings.port}: {error.strerror or error}",
            remedy="Stop the other program, or set another `port` in the table [server].",
        ) from error
