"""The interface as one ASGI application: finds the handler, answers, turns errors into Results."""

import inspect
import logging
from collections.abc import Mapping
from typing import Any, cast

from litestar.types import ASGIApp, Receive, Scope, Send

from lineshaft.core.access import Action
from lineshaft.core.errors import Invalid, LineshaftError
from lineshaft.twins.api import answers
from lineshaft.twins.api.answers import Answer, failed, failure, send_answer
from lineshaft.twins.api.requests import Request
from lineshaft.twins.api.routing import Found, Router
from lineshaft.twins.api.services import Services
from lineshaft.twins.api.table import ROUTES
from lineshaft.web.front import Reply
from lineshaft.web.identify import Refusal, address_of
from lineshaft.web.problem import problem

log = logging.getLogger(__name__)

MOUNT = "/api/v3"
VERSIONS = {".0": True, ".1": False}
"""What follows, and whether it is served as clients of version 3.0 expect it, or as 3.1 says."""
_ROUTER = Router(ROUTES)


def served(services: Services, denied: Refusal | None = None) -> ASGIApp:
    """The application; its path begins with the version. `denied` is told of every refusal."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        version, _, path = scope["path"].partition("/")
        old = VERSIONS.get(version)
        found = None if old is None else _ROUTER.find(path)
        request = Request(
            cast(Mapping[str, Any], scope),
            receive,
            {} if found is None else found.params,
            path=path.rstrip("/"),
            base=MOUNT + version,
        )
        answer = await _answer(services, request, found)
        if answer.status == answers.DENIED and denied is not None:
            answer = await _told(denied, request, scope, answer)
        await send_answer(answer, send, head=request.method == "HEAD")

    return app


async def _told(denied: Refusal, request: Request, scope: Scope, answer: Answer) -> Answer:
    """The answer, once the refusal is on record; what cannot be is an error of its own."""
    where = f"{request.base}/{request.path}"
    try:
        told = denied(request.who, _action(request), where, address_of(scope))
        if inspect.isawaitable(told):
            await told
    except LineshaftError as error:
        return failed(error, request)
    return answer


def _action(request: Request) -> Action:
    """What was asked for, in the words of the plant's rights."""
    if request.method in ("GET", "HEAD"):
        return Action.LOOK
    if request.method == "PATCH" and request.path.endswith("/$value"):
        return Action.WRITE
    if "/invoke" in request.path:
        return Action.WRITE
    return Action.LOOK if request.path.startswith("query/") else Action.CONFIGURE


async def _answer(services: Services, request: Request, found: Found | None) -> Answer:
    if found is None:
        return failure(
            answers.NOT_FOUND,
            f"there is no address {request.base}/{request.path[:200]} in this interface."
            " The services that are served are listed at /description.",
        )
    method = "GET" if request.method == "HEAD" else request.method
    handler = found.handlers.get(method)
    if handler is None:
        allow = ", ".join(sorted(found.handlers))
        text = f"{request.method[:20]} is not possible here, but {allow}."
        return failure(answers.NOT_ALLOWED, text, (b"allow", allow.encode()))
    try:
        return await handler(services, request)
    except LineshaftError as error:
        return failed(error, request)
    except RecursionError:
        return failed(Invalid("the body is nested too deep to be read"), request)


def fail(path: str, error: Exception) -> Reply:
    """The answer to what failed outside the handlers: no identity, no right, a defect."""
    told = problem(error)
    if told.status == answers.DEFECT:
        log.error("request failed", extra={"path": path}, exc_info=error)
    answer = failure(told.status, answers.sentence(told.detail, told.remedy))
    length = (b"content-length", b"%d" % len(answer.body))
    headers = (*answer.headers, answers.FRESH, (b"content-type", answer.media), length)
    return Reply(answer.status, headers, answer.body)
