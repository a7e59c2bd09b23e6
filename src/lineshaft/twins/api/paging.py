"""Pages of lists that stand in one document."""

from typing import TypeVar

from lineshaft.core.errors import Invalid
from lineshaft.twins.api.requests import Request
from lineshaft.web.paging import cursor_of, key_of

T = TypeVar("T")


def part(request: Request, items: list[T]) -> tuple[list[T], str]:
    """The page of a list that the request asks for, and the cursor of the next.

    Raises:
        Invalid: limit or cursor is none.
    """
    limit, cursor = request.limit(), request.one("cursor") or ""
    start = key_of(cursor) if cursor else "0"
    if not start.isascii() or not start.isdigit() or len(start) > 9:  # noqa: PLR2004 - digits
        raise Invalid(f"{cursor[:40]!r} is not a cursor", remedy="Give back what a page gave.")
    stop = int(start) + limit
    return items[int(start) : stop], cursor_of(str(stop)) if stop < len(items) else ""
