"""Tags: whether a document is still the one that its reader saw (RFC 9110, 13.1.1).

A tag is of the version and of what was drawn when the document was made, so that one made anew
after a deletion never fits a tag of the one before.
"""

from typing import Protocol

from lineshaft.core.errors import Stale
from lineshaft.twins import Class, Document


class Expecting(Protocol):
    """A change that is made on what somebody has seen."""

    @property
    def class_(self) -> Class:
        """Of the document."""

    @property
    def id(self) -> str:
        """Of the document."""

    @property
    def expected(self) -> int | None:
        """The version it must have now; 0 means it must not exist; None does not ask."""

    @property
    def match(self) -> str:
        """What a header If-Match says of it; empty asks nothing."""


def check_expected(change: Expecting, before: Document | None) -> None:
    """See that a change meets the document that it expects.

    Raises:
        Stale: it does not.
    """
    if before is not None:
        check_match(change.match, before)
    version = before.version if before else 0
    if change.expected is None or change.expected == version:
        return
    if before is None:
        found = "does not exist"
    elif change.expected == 0:
        found = "exists already"
    else:
        found = f"has version {version}, the change was made for version {change.expected}"
    raise Stale(
        f"{change.class_.value} {change.id!r} {found}",
        remedy="Read it again and make the change on what it is now.",
    )


def check_match(if_match: str, found: Document) -> None:
    """See that a document has one of the tags of a header If-Match; empty asks nothing.

    Raises:
        Stale: it has none of them.
    """
    wanted = {tag.strip().removeprefix("W/").strip('"') for tag in if_match.split(",")}
    if not if_match.strip() or "*" in wanted or found.tag in wanted:
        return
    raise Stale(
        f'{found.class_.value} {found.id!r} has the ETag "{found.tag}", If-Match says'
        f" {if_match[:80]}",
        remedy="Read it again and make the change on what it is now.",
    )
