"""Questions to history over HTTP."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Annotated, Any, Protocol, TypeVar, cast

import msgspec
from litestar import Request, Response
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream

from lineshaft.core.access import Action, Identity
from lineshaft.core.clock import to_iso
from lineshaft.core.errors import LineshaftError, Unavailable
from lineshaft.historian.namespace import Namespace
from lineshaft.historian.query import Chart, Cost, Query
from lineshaft.historian.query.asking import Questions
from lineshaft.historian.query.explore import Stored
from lineshaft.historian.query.formats import MEDIA_TYPES, encoded, format_of
from lineshaft.historian.query.plan import Plan
from lineshaft.web import get, post
from lineshaft.web.paging import Items

T = TypeVar("T")
AnyRequest = Request[Any, Any, Any]
ROWS_HEADER = "Lineshaft-Rows"
"""Header with the number of samples that the answer takes reading, for a display of progress."""


class Asked(Protocol):
    """What these routes need of the historian."""

    questions: Questions
    namespace: Namespace


@post(
    "/query",
    action=Action.LOOK,
    summary="Ask history",
    tags=["values"],
    status_code=200,
)
async def query(
    request: AnyRequest,
    historian: Asked,
    who: Identity,
    data: Query,
    *,
    kind: Annotated[str, QueryParameter(name="format")] = "",
    accept: Annotated[str, HeaderParameter(name="Accept")] = "",
) -> Response[Any]:
    """Samples, values at times, aggregates or curves of any points.

    `format` is json, ndjson, csv, parquet or arrow; without it the header Accept decides. Raw
    samples as json come in pages: give the `cursor` back until it is empty.
    """
    wanted = historian.questions.plan(data, who)
    chosen = format_of(kind, accept)
    return await attentive(request, respond(historian.questions, wanted, chosen))


@post("/query/cost", action=Action.LOOK, summary="What a question takes", tags=["values"],
      status_code=200)  # fmt: skip
async def cost(historian: Asked, who: Identity, data: Query) -> Cost:
    """How much would be read and returned, without doing so."""
    return await historian.questions.cost(historian.questions.plan(data, who))


@get("/storage", action=Action.LOOK, summary="What there is of each point", tags=["points"])
async def storage(
    historian: Asked,
    who: Identity,
    *,
    branch: str = "",
    search: str = "",
    cursor: str = "",
    limit: int = 100,
) -> Items[Stored]:
    """Samples, bytes, times, and how the last day was, of points in the order of their paths."""
    found, after = historian.namespace.listed(
        who, branch=branch, search=search, cursor=cursor, limit=limit
    )
    return Items(items=await historian.questions.explored(found), cursor=after)


async def respond(questions: Questions, wanted: Plan, kind: str) -> Response[Any]:
    """The response; its first part is there already, so that what fails at once is told."""
    if kind == "json" and isinstance(wanted.query.do, Chart):
        curves = await questions.curves(wanted)
        return Response(
            await asyncio.to_thread(msgspec.json.encode, curves), media_type="application/json"
        )
    answer = await questions.ask(wanted, paged=kind == "json")
    parts = encoded(answer, kind)
    first = await anext(parts, b"")
    headers = {ROWS_HEADER: str(answer.cost.rows)}
    if kind not in ("json", "ndjson"):
        name = f"lineshaft-{to_iso(wanted.start_ns)[:19].replace(':', '')}.{kind}"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Stream(_chained(first, parts), media_type=MEDIA_TYPES[kind], headers=headers)


async def _chained(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(rest):
        yield first
        async for part in rest:
            yield part


async def attentive(request: AnyRequest, work: Coroutine[Any, Any, T]) -> T:
    """Do the work, and give it up when the client goes away.

    Raises:
        Unavailable: it went away; nobody will read this.
    """
    failed: list[LineshaftError] = []

    async def tried() -> T | None:
        try:
            return await work
        except LineshaftError as error:  # it comes out as itself, not in a group
            failed.append(error)
            return None

    async with asyncio.TaskGroup() as group:
        job = group.create_task(tried())
        gone = group.create_task(_gone(request))
        await asyncio.wait((job, gone), return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        job.cancel()
    if failed:
        raise failed[0]
    if job.cancelled():
        raise Unavailable("the client went away")
    return cast(T, job.result())


async def _gone(request: AnyRequest) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


handlers = (query, cost, storage)
