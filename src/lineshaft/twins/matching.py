"""Tags: whether a document is still the one that its reader saw (RFC 9110, 13.1.1).

A tag is of the version and of what was drawn when the document was made, so that one made anew
after a deletion never fits a tag of the one before.
"""

from lineshaft.core.errors import Stale
from lineshaft.twins import Document


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
