"""Answers and errors as Prometheus writes them."""

from typing import Any

import msgspec
import numpy as np
from litestar import Request, Response
from litestar.exceptions import HTTPException

from lineshaft.core.batch import Floats, Ints
from lineshaft.core.clock import NS_PER_S
from lineshaft.core.errors import LineshaftError
from lineshaft.core.flow import assert_off_loop
from lineshaft.historian.prometheus.evaluate import Matrix
from lineshaft.historian.prometheus.frame import Frame
from lineshaft.historian.prometheus.querying import Answer
from lineshaft.web.problem import answer as as_problem
from lineshaft.web.problem import problem

MEDIA_TYPE = "application/json"
TIMEOUT = 503
_TYPES = {
    400: "bad_data",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "bad_data",
    413: "bad_data",
    422: "execution",
    503: "unavailable",
}
"""Prometheus' word for each status."""


def success(data: object, warnings: list[str] | None = None) -> Response[bytes]:
    """The envelope around what was asked for."""
    body: dict[str, object] = {"status": "success", "data": data}
    if warnings:
        body["warnings"] = warnings
    return Response(msgspec.json.encode(body), status_code=200, media_type=MEDIA_TYPE)


def failure(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The envelope around an error; a defect is logged, and not explained."""
    if isinstance(error, TimeoutError):
        text = "query timed out in expression evaluation"
        return _failed(TIMEOUT, "timeout", f"{text}: shorten the range, or widen the step")
    told = problem(error)
    headers = as_problem(request, error).headers
    detail = f"{told.detail.rstrip('.')}. {told.remedy}" if told.remedy else told.detail
    return _failed(told.status, _TYPES.get(told.status, "internal"), detail, headers)


def _failed(
    status: int, word: str, detail: str, headers: dict[str, Any] | None = None
) -> Response[bytes]:
    body = msgspec.json.encode({"status": "error", "errorType": word, "error": detail})
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def instant(answer: Answer) -> bytes:
    """The answer to `query`."""
    assert_off_loop()
    at = _time(int(answer.at_ns[0]))
    value = answer.value
    match value:
        case str():
            return _body("string", [at, value])
        case Matrix():
            rows = sorted(value.series, key=lambda s: sorted(s[0].items()))
            low, high = int(value.at_ns[0]) - value.range_ns, int(value.at_ns[0])
            parts = []
            for labels, time_ns, values in rows:
                mask = (time_ns >= low) & (time_ns <= high)
                if mask.any():
                    parts.append(_curve(labels, time_ns[mask], values[mask]))
            return _body("matrix", parts)
        case Frame():
            some = np.flatnonzero(value.present[:, 0])
            return _body(
                "vector",
                [
                    {"metric": value.labels[i], "value": [at, _number(float(value.value[i, 0]))]}
                    for i in some.tolist()
                ],
            )
        case _:
            return _body("scalar", [at, _number(float(value[0]))])


def steps(answer: Answer) -> bytes:
    """The answer to `query_range`."""
    assert_off_loop()
    value = answer.value
    if isinstance(value, np.ndarray):
        return _body("matrix", [_curve({}, answer.at_ns, value)])
    assert isinstance(value, Frame)  # noqa: S101 - others are refused before
    order = sorted(range(len(value.labels)), key=lambda i: sorted(value.labels[i].items()))
    parts = []
    for i in order:
        mask = value.present[i]
        if mask.any():
            parts.append(_curve(value.labels[i], answer.at_ns[mask], value.value[i][mask]))
    return _body("matrix", parts)


def _body(kind: str, result: object) -> bytes:
    return msgspec.json.encode(
        {"status": "success", "data": {"resultType": kind, "result": result}}
    )


def _curve(labels: dict[str, str], time_ns: Ints, value: Floats) -> dict[str, object]:
    times = [_time(t) for t in time_ns.tolist()]
    values = [_number(v) for v in value.tolist()]
    return {"metric": labels, "values": list(zip(times, values, strict=True))}


def _time(time_ns: int) -> msgspec.Raw:
    """Seconds, with as many digits as they need."""
    seconds, rest = divmod(time_ns, NS_PER_S)
    text = f"{seconds}.{rest:09d}".rstrip("0") if rest else str(seconds)
    return msgspec.Raw(text.encode())


def _number(value: float) -> str:
    if value != value:  # noqa: PLR0124 - NaN
        return "NaN"
    text = repr(value)
    if text.endswith(".0"):
        return text[:-2]
    return {"inf": "+Inf", "-inf": "-Inf"}.get(text, text)


HANDLERS: dict[int | type[Exception], Any] = dict.fromkeys(
    (LineshaftError, HTTPException, TimeoutError, Exception), failure
)
"""What Litestar calls for each class of error; the narrowest counts, so that all are named."""
