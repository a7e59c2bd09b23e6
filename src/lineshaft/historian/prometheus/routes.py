"""The HTTP API of Prometheus, below `/api/v1/prometheus`."""

import asyncio
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from litestar import Request, Response

import lineshaft
from lineshaft.core.access import Action, Identity
from lineshaft.core.batch import Ints
from lineshaft.core.clock import NS_PER_MS, NS_PER_S, from_iso, now_ns
from lineshaft.core.errors import Invalid
from lineshaft.historian import Historian
from lineshaft.historian.prometheus import answers, syntax
from lineshaft.historian.prometheus.answers import success
from lineshaft.historian.prometheus.loading import TIME_NS_MAX
from lineshaft.historian.prometheus.querying import STEPS_MAX
from lineshaft.web import get, post

PREFIX = "/prometheus/api/v1"
VERSION = "2.42.0"
"""The version of Prometheus whose semantics these are; Grafana chooses requests by it."""
TIMEOUT_S = 120.0

AnyRequest = Request[Any, Any, Any]

_DURATION = re.compile(
    r"^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$", re.ASCII
)
_UNITS_MS = (31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1000, 1)
_LABEL = re.compile(r"^[a-zA-Z_][a-zA-Z0-9_]*$", re.ASCII)

OPTIONS: dict[str, Any] = {
    "action": Action.LOOK,
    "include_in_schema": False,  # Prometheus' own documentation describes it
    "exception_handlers": answers.HANDLERS,
}


class Parameters:
    """What a request asks, in its address or as a form."""

    def __init__(self, lists: Mapping[str, list[str]]) -> None:
        self._lists = lists

    @classmethod
    async def of(cls, request: AnyRequest) -> "Parameters":
        """Those of the address, and for POST those of the form before them."""
        lists: dict[str, list[str]] = {}
        if request.method == "POST":
            form = await request.form()
            for name, value in form.multi_items():
                if isinstance(value, str):
                    lists.setdefault(name, []).append(value)
        for name, value in request.query_params.multi_items():
            lists.setdefault(name, []).append(str(value))
        return cls(lists)

    def all(self, name: str) -> list[str]:
        """Every value of that name."""
        return self._lists.get(name, [])

    def one(self, name: str, default: str = "") -> str:
        """The first value of that name."""
        return next(iter(self.all(name)), default)

    def time_ns(self, name: str, default: int | None = None) -> int:
        """A time in seconds, or in RFC 3339."""
        text = self.one(name)
        if not text:
            if default is None:
                raise Invalid(f'invalid parameter "{name}": cannot parse "" to a valid timestamp')
            return default
        try:
            seconds = float(text)
            when = round(seconds * 1000) * NS_PER_MS if math.isfinite(seconds) else TIME_NS_MAX
        except ValueError:
            try:
                when = from_iso(text)
            except (Invalid, OverflowError):
                when = TIME_NS_MAX
        if abs(when) >= TIME_NS_MAX:
            raise Invalid(f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp')
        return when

    def duration_ns(self, name: str) -> int | None:
        """A span in seconds, or as `5m`; None when there is none."""
        text = self.one(name)
        if not text:
            return None
        found = _DURATION.match(text)
        if found:
            whole = sum(int(n or 0) * u for n, u in zip(found.groups(), _UNITS_MS, strict=True))
        else:
            try:
                whole = round(float(text) * 1000)
            except (ValueError, OverflowError):
                whole = 0
        if not 0 < whole < TIME_NS_MAX // NS_PER_MS:
            raise Invalid(
                f'invalid parameter "{name}": "{text}" is not a duration above zero',
                remedy="Write seconds, or a number with its unit: 30s, 5m, 1h.",
            )
        return whole * NS_PER_MS

    def count(self, name: str) -> int:
        """A whole number; 0 when there is none."""
        text = self.one(name, "0")
        if not text.isascii() or not text.removeprefix("-").isdigit() or len(text) > 18:  # noqa: PLR2004 - digits of an int64
            raise Invalid(f'invalid parameter "{name}": "{text}" is not a whole number')
        return max(int(text), 0)

    def timeout_s(self) -> float:
        """How long the query may take."""
        asked = self.duration_ns("timeout")
        return TIMEOUT_S if asked is None else min(asked / NS_PER_S, TIMEOUT_S)


# ---- queries


async def _query(request: AnyRequest, historian: Historian, who: Identity) -> Response[bytes]:
    asked = await Parameters.of(request)
    at_ns = asked.time_ns("time", now_ns())
    async with asyncio.timeout(asked.timeout_s()):
        found = await historian.prometheus.instant(
            asked.one("query"), who, at_ns, lookback_ns=asked.duration_ns("lookback_delta")
        )
        body = await asyncio.to_thread(answers.instant, found)
    return Response(body, status_code=200, media_type=answers.MEDIA_TYPE)


async def _query_range(request: AnyRequest, historian: Historian, who: Identity) -> Response[bytes]:
    asked = await Parameters.of(request)
    at_ns = _steps(asked)
    async with asyncio.timeout(asked.timeout_s()):
        found = await historian.prometheus.steps(
            asked.one("query"), who, at_ns, lookback_ns=asked.duration_ns("lookback_delta")
        )
        body = await asyncio.to_thread(answers.steps, found)
    return Response(body, status_code=200, media_type=answers.MEDIA_TYPE)


def _steps(asked: Parameters) -> Ints:
    start, end = asked.time_ns("start"), asked.time_ns("end")
    if end < start:
        raise Invalid('invalid parameter "end": end timestamp must not be before start time')
    step = asked.duration_ns("step")
    if step is None:
        raise Invalid('invalid parameter "step": cannot parse "" to a valid duration')
    count = (end - start) // step + 1
    if count > STEPS_MAX + 1:
        raise Invalid(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query"
            " resolution (?step=XX)"
        )
    return start + step * np.arange(count, dtype=np.int64)


@get(f"{PREFIX}/query", **OPTIONS)
async def query(request: AnyRequest, historian: Historian, who: Identity) -> Response[bytes]:
    """An expression at one time."""
    return await _query(request, historian, who)


@post(f"{PREFIX}/query", **OPTIONS)
async def post_query(request: AnyRequest, historian: Historian, who: Identity) -> Response[bytes]:
    """An expression at one time, asked for by a form."""
    return await _query(request, historian, who)


@get(f"{PREFIX}/query_range", **OPTIONS)
async def query_range(request: AnyRequest, historian: Historian, who: Identity) -> Response[bytes]:
    """An expression at many times."""
    return await _query_range(request, historian, who)


@post(f"{PREFIX}/query_range", **OPTIONS)
async def post_query_range(
    request: AnyRequest, historian: Historian, who: Identity
) -> Response[bytes]:
    """An expression at many times, asked for by a form."""
    return await _query_range(request, historian, who)


async def _format(request: AnyRequest) -> Response[bytes]:
    asked = await Parameters.of(request)
    return success(syntax.parsed(asked.one("query")).prettify())


@get(f"{PREFIX}/format_query", **OPTIONS)
async def format_query(request: AnyRequest) -> Response[bytes]:
    """An expression, tidily written."""
    return await _format(request)


@post(f"{PREFIX}/format_query", **OPTIONS)
async def post_format_query(request: AnyRequest) -> Response[bytes]:
    """An expression, tidily written, asked for by a form."""
    return await _format(request)


# ---- what there is


async def _series(request: AnyRequest, historian: Historian, who: Identity) -> Response[bytes]:
    asked = await Parameters.of(request)
    if not asked.all("match[]"):
        raise Invalid("no match[] parameter provided")
    found = await historian.prometheus.series(asked.all("match[]"), who)
    return await asyncio.to_thread(_listed, [labels for _, labels in found], asked)


@get(f"{PREFIX}/series", **OPTIONS)
async def series(request: AnyRequest, historian: Historian, who: Identity) -> Response[bytes]:
    """Labels of all series that match."""
    return await _series(request, historian, who)


@post(f"{PREFIX}/series", **OPTIONS)
async def post_series(request: AnyRequest, historian: Historian, who: Identity) -> Response[bytes]:
    """Labels of all series that match, asked for by a form."""
    return await _series(request, historian, who)


async def _labels(request: AnyRequest, historian: Historian, who: Identity) -> Response[bytes]:
    asked = await Parameters.of(request)
    found = await historian.prometheus.series(asked.all("match[]"), who)
    return _listed(sorted({name for _, labels in found for name in labels}), asked)


@get(f"{PREFIX}/labels", **OPTIONS)
async def labels(request: AnyRequest, historian: Historian, who: Identity) -> Response[bytes]:
    """Names of labels."""
    return await _labels(request, historian, who)


@post(f"{PREFIX}/labels", **OPTIONS)
async def post_labels(request: AnyRequest, historian: Historian, who: Identity) -> Response[bytes]:
    """Names of labels, asked for by a form."""
    return await _labels(request, historian, who)


@get(f"{PREFIX}/label/{{name:str}}/values", **OPTIONS)
async def label_values(
    request: AnyRequest, historian: Historian, who: Identity, name: str
) -> Response[bytes]:
    """Values of a label."""
    if not _LABEL.match(name):
        raise Invalid(f'invalid label name: "{name}"')
    asked = await Parameters.of(request)
    found = await historian.prometheus.series(asked.all("match[]"), who)
    return _listed(sorted({labels[name] for _, labels in found if name in labels}), asked)


@get(f"{PREFIX}/metadata", **OPTIONS)
async def metadata(request: AnyRequest, historian: Historian, who: Identity) -> Response[bytes]:
    """Kind, unit and description of metrics."""
    asked = await Parameters.of(request)
    metric, limit = asked.one("metric"), asked.count("limit")
    each = asked.count("limit_per_metric")
    told: dict[str, dict[tuple[str, str], None]] = {}
    for point, of in await historian.prometheus.series([], who):
        if not metric or of["__name__"] == metric:
            told.setdefault(of["__name__"], {})[point.description, point.unit] = None
    names = list(told)[: limit or None]
    return success(
        {
            name: [
                {"type": "gauge", "help": text, "unit": unit}
                for text, unit in list(told[name])[: each or None]
            ]
            for name in names
        }
    )


def _listed(found: list[Any], asked: Parameters) -> Response[bytes]:
    limit = asked.count("limit")
    if limit and len(found) > limit:
        return success(found[:limit], ["results truncated due to limit"])
    return success(found)


# ---- what Grafana asks besides


@get(f"{PREFIX}/status/buildinfo", **OPTIONS)
async def buildinfo() -> Response[bytes]:
    """Which Prometheus this behaves like."""
    return success(
        {
            "version": VERSION,
            "revision": f"lineshaft-{lineshaft.__version__}",
            "branch": "",
            "buildUser": "",
            "buildDate": "",
            "goVersion": "",
        }
    )


@get(f"{PREFIX}/rules", **OPTIONS)
async def rules() -> Response[bytes]:
    """No rules: alarms are not made here."""
    return success({"groups": []})


@get(f"{PREFIX}/alerts", **OPTIONS)
async def alerts() -> Response[bytes]:
    """No alerts."""
    return success({"alerts": []})


@get(f"{PREFIX}/query_exemplars", **OPTIONS)
async def exemplars() -> Response[bytes]:
    """No exemplars."""
    return success([])


@post(f"{PREFIX}/query_exemplars", **OPTIONS)
async def post_exemplars() -> Response[bytes]:
    """No exemplars."""
    return success([])


handlers = (
    query,
    post_query,
    query_range,
    post_query_range,
    format_query,
    post_format_query,
    series,
    post_series,
    labels,
    post_labels,
    label_values,
    metadata,
    buildinfo,
    rules,
    alerts,
    exemplars,
    post_exemplars,
)
