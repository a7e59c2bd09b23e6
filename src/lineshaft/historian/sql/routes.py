"""SQL over HTTP."""

import time
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response
from litestar.response import Stream
from msgspec import Meta

from lineshaft.core.access import Action, Identity
from lineshaft.historian import Historian
from lineshaft.historian.sql import answers, schema
from lineshaft.historian.sql.asking import Sql
from lineshaft.web import get, post

ROWS = 10_000
"""Rows for a screen, unless the caller says otherwise."""


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A query."""

    text: str
    """One SELECT."""
    limit: Annotated[int, Meta(ge=0)] | None = None
    """Rows at most; without it 10,000 for `json`, and for files as many as the settings allow."""
    format: Literal["json", "csv", "arrow", "parquet"] = "json"


@post("/sql", action=Action.LOOK, summary="Ask in SQL", tags=["sql"], status_code=200)
async def ask(historian: Historian, who: Identity, data: Asked) -> Response[Any]:
    """Answer one SELECT over the views of `GET /sql/schema`, within the caller's branches.

    JSON tells with `truncated` whether there are more rows than the limit. A file that would
    have more rows than the settings allow breaks off, so send a limit.
    """
    sql: Sql = historian.sql
    begun = time.perf_counter()
    answer = sql.ask(data.text, who)
    rows_max = sql.limits.sql_rows_max
    limit = data.limit if data.limit is None else min(data.limit, rows_max)
    if data.format == "json":
        wanted = min(ROWS, rows_max) if limit is None else limit
        body = await answers.table(answer, wanted, lambda: (time.perf_counter() - begun) * 1000)
        return Response(body, media_type="application/json")
    rows = answers.file(answer, data.format, limit, rows_max)
    # The first part before the status is sent: what is wrong with the text shows here.
    first = await anext(rows, b"")
    name = f'attachment; filename="lineshaft.{data.format}"'
    return Stream(
        _after(first, rows),
        media_type=answers.MEDIA_TYPES[data.format],
        headers={"Content-Disposition": name},
    )


async def _after(first: bytes, rows: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    try:
        yield first
        async for part in rows:
            yield part
    finally:
        await rows.aclose()


@get("/sql/schema", action=Action.LOOK, summary="What SQL may use", tags=["sql"])
async def told() -> schema.Schema:
    """Views with their columns, functions, types, and examples."""
    return schema.schema()


handlers = (ask, told)
