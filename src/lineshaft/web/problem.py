"""Every error leaves the server as `application/problem+json`: one sentence and a remedy."""

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from lineshaft.core import errors
from lineshaft.core.errors import LineshaftError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
STATUS: dict[type[LineshaftError], int] = {
    errors.Invalid: 400,
    errors.SettingsError: 400,
    errors.Unknown: 401,
    errors.Denied: 403,
    errors.Missing: 404,
    errors.Stale: 409,
    errors.Refused: 422,
    errors.LinkLost: 503,
    errors.Unavailable: 503,
}
"""The HTTP status of each class of error."""
CLASSES: dict[int, type[LineshaftError]] = {
    400: errors.Invalid,
    401: errors.Unknown,
    403: errors.Denied,
    404: errors.Missing,
    409: errors.Stale,
    413: errors.Invalid,
    422: errors.Refused,
}
"""The way back, for clients; what is not here is `Unavailable`."""

_REMEDIES = {
    400: "Compare the request with the API description at /api/docs.",
    401: "Log in, or send a valid token as `Authorization: Bearer ls_...`.",
    403: "Ask an administrator for a role that allows it.",
    404: "Check the address; the API is described at /api/docs.",
    405: "Use one of the methods named in the header Allow.",
    413: "Send it in smaller parts.",
    500: "Look for the error in the server's log and report it.",
    503: "Try again in a moment.",
}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error as clients see it (RFC 9457)."""

    type: str
    """Word for the class of error, to branch on: `invalid`, `denied`, `missing`."""
    title: str
    """The status in words."""
    status: int
    """The HTTP status."""
    detail: str
    """One sentence that names the thing, what came and what was wanted."""
    remedy: str
    """One sentence that says what to do."""


def problem(error: BaseException) -> Problem:
    """What clients may know about an error; of a defect, nothing but that there was one."""
    if isinstance(error, LineshaftError):
        status = next((s for c, s in STATUS.items() if isinstance(error, c)), 500)
        name = type(error).__name__.removesuffix("Error").lower()
        return _made(name, status, str(error), error.remedy)
    if isinstance(error, ValidationException):
        return _made("invalid", 400, _explained(error), "")
    if isinstance(error, HTTPException):
        title = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        return _made(title, error.status_code, error.detail, "")
    if isinstance(error, RecursionError) and "deserializing" in str(error):
        return _made("invalid", 400, "the body is nested too deep to be read", "")
    return _made("defect", 500, "the server failed on this request", "")


def failure(answer: Problem) -> LineshaftError:
    """The error that a problem stands for, to be raised by a client."""
    found = CLASSES.get(answer.status, errors.Unavailable)
    return found(answer.detail, remedy=answer.remedy)


def _made(name: str, status: int, detail: str, remedy: str) -> Problem:
    return Problem(
        type=name,
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail or HTTPStatus(status).phrase,
        remedy=remedy or _REMEDIES.get(status) or _REMEDIES[400],
    )


def _explained(error: ValidationException) -> str:
    """The parts that did not fit, in one sentence."""
    parts = []
    for part in error.extra if isinstance(error.extra, list) else []:
        if isinstance(part, dict):
            where = " ".join(str(part[k]) for k in ("source", "key") if part.get(k))
            parts.append(f"{where}: {part.get('message', '')}" if where else str(part["message"]))
    return "; ".join(parts) or error.detail


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The response to a request that failed; a defect is logged here, once."""
    made = problem(error)
    if made.status == 500:  # noqa: PLR2004 - internal error
        log.error("request failed", extra={"path": request.url.path}, exc_info=error)
    headers: dict[str, str] = {"Cache-Control": "no-store"}
    if isinstance(error, HTTPException) and error.headers:
        headers |= error.headers
    if made.status == 401:  # noqa: PLR2004 - not authenticated
        headers["WWW-Authenticate"] = "Bearer"
    if made.status == 503:  # noqa: PLR2004 - unavailable
        headers["Retry-After"] = "2"
    return Response(
        msgspec.json.encode(made),
        status_code=made.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


HANDLERS: dict[int | type[Exception], Any] = {
    LineshaftError: answer,
    HTTPException: answer,
    Exception: answer,
}
"""What Litestar calls for each class of error."""
