"""Searches: a compiled query over the documents, page by page, with a bound on each page."""

import asyncio
import base64
import binascii
from collections.abc import Callable, Sequence

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.records import And, Compare, Predicate
from lineshaft.twins import Document
from lineshaft.twins.documents import Documents
from lineshaft.twins.query import Compiled

OPENED_MAX = 2000
"""Most documents opened for one page; the cursor goes on where it stopped."""
OPENED_BYTES_MAX = 64_000_000
COST_MAX = 2_000_000
"""Steps of regular expressions after which a page ends early."""
BATCH_MAX = 200
LIMIT_MAX = 1000

Keep = Callable[[Document], bool]


class Scope(msgspec.Struct, frozen=True):
    """Which documents of a class somebody may do something to."""

    where: Predicate | None
    """Every such document fits; None for all."""
    keep: Keep | None
    """Which of those that fit are meant; None for all of them."""


async def search(
    documents: Documents,
    query: Compiled,
    *,
    allowed: Predicate | None = None,
    keep: Keep | None = None,
    cursor: str = "",
    limit: int = 100,
) -> tuple[list[Document], str]:
    """Documents that answer the query, ordered by identifier, and the cursor of the next part.

    `allowed` and `keep` are what the reader may see. A page may hold fewer than `limit`, even
    none, and yet have a cursor: then more documents than it may open had to be looked at.

    Raises:
        Invalid: the cursor is not one of ours, limit is outside 1 to 1000, a regular
            expression takes too many steps, or the query is not `linked` yet.
    """
    if query.is_foreign:
        raise Invalid(
            "the query looks at documents of another class",
            remedy="Ask shells for fields of $aas, submodels for fields of $sm and $sme.",
        )
    if not 1 <= limit <= LIMIT_MAX:
        raise Invalid(f"limit is {limit}, wanted 1 to {LIMIT_MAX}", remedy="Ask page by page.")
    found: list[Document] = []
    last = read_place(cursor) if cursor else None
    opened = size = 0
    while True:
        wanted = limit - len(found) if query.exact and keep is None else BATCH_MAX
        where = _joined(query.predicate, allowed, last)
        some, more = await documents.find(query.class_, where, limit=wanted)
        if query.exact and keep is None:
            fitting = [True] * len(some)
        else:
            fitting = await asyncio.to_thread(_fitting, query, keep, some)
        for document, fits in zip(some, fitting, strict=False):
            last = document.id
            size += len(document.data)
            if fits:
                found.append(document)
            if len(found) == limit:
                break
        whole = len(fitting) == len(some) and (not some or last == some[-1].id)
        if whole and not more:
            return found, ""
        opened += len(some)
        spent = opened >= OPENED_MAX or size >= OPENED_BYTES_MAX or query.cost() >= COST_MAX
        if len(found) == limit or spent:
            return found, write_place(last or "")


def _fitting(query: Compiled, keep: Keep | None, some: Sequence[Document]) -> list[bool]:
    """For each document whether it answers; fewer when the steps are used up, but one at least."""
    fitting: list[bool] = []
    for document in some:
        fits = query.exact or query.fits(msgspec.json.decode(document.data))
        fitting.append(fits and (keep is None or keep(document)))
        if query.cost() >= COST_MAX:
            break
    return fitting


def _joined(*parts: Predicate | str | None) -> Predicate | None:
    """All of them hold; a text is the identifier after which to go on."""
    wheres = tuple(
        Compare("key", ">", p) if isinstance(p, str) else p for p in parts if p is not None
    )
    return And(wheres) if wheres else None


def write_place(id_: str) -> str:
    """A cursor that says after which identifier to go on."""
    return base64.urlsafe_b64encode(id_.encode()).decode().rstrip("=")


def read_place(cursor: str) -> str:
    """The identifier in a cursor.

    Raises:
        Invalid: it was not made by `write_place`.
    """
    try:
        return base64.b64decode(
            cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True
        ).decode()
    except (binascii.Error, ValueError):
        raise Invalid(
            f"cursor {cursor[:40]!r} is none of ours", remedy="Begin again without a cursor."
        ) from None
