"""What the records keep of a derived point: since when it is, and what is to be computed anew."""

from collections.abc import AsyncGenerator

import msgspec

from lineshaft.operations.deletions import Place
from lineshaft.operations.derived.definition import Definition
from lineshaft.records import Collection, Put, Records

DERIVED = Collection(name="derived")
"""Definitions made at run time, by point; the others stand in the settings file."""
KEPT = Collection(name="derived_marks")
COLLECTIONS = (DERIVED, KEPT)
SEEN = Place(KEPT.name, "#deletions")
"""What is known of deletions; no path holds `#`."""
FOREVER = 2**62


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Rows in [`start_ns`, `stop_ns`) that are to be computed anew."""

    start_ns: int
    stop_ns: int = FOREVER
    gentle: bool = False
    """Whether rows stay that cannot be computed any more: retention may have taken their inputs."""

    def joined(self, other: "Mark | None") -> "Mark":
        """One that covers both."""
        if other is None:
            return self
        return Mark(
            start_ns=min(self.start_ns, other.start_ns),
            stop_ns=max(self.stop_ns, other.stop_ns),
            gentle=self.gentle or other.gentle,
        )

    def covers(self, other: "Mark") -> bool:
        """Whether nothing of the other is outside."""
        return self.joined(other) == self


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One document."""

    owner: str
    definition: Definition
    """As it was when its rows began."""
    since_ns: int
    """When it was first defined, or the beginning of what was computed back."""
    from_ns: int
    """Rows from here on are made by this expression; older ones by one before."""
    mark: Mark | None = None
    """Not done yet; after a restart it reaches to the last row that is stored."""


def put_kept(kept: Kept) -> Put:
    """The change that keeps it."""
    key = kept.definition.point
    return Put(collection=KEPT.name, key=key, data=msgspec.json.encode(kept))


async def everything(records: Records, collection: str) -> AsyncGenerator[tuple[str, bytes]]:
    """All documents of a collection, with their keys."""
    cursor = ""
    while True:
        page = await records.find(collection, cursor=cursor, limit=1000)
        for record in page.records:
            yield record.key, record.data
        cursor = page.cursor
        if not cursor:
            return


def same_rows(one: Definition, other: Definition) -> bool:
    """Whether both give the same rows."""
    alike = msgspec.structs.replace(
        one, description=other.description, hidden=other.hidden, lateness_s=other.lateness_s
    )
    return alike == other
