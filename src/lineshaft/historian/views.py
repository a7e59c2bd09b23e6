"""Saved views: what somebody put together on a screen, to come back to or to share."""

from typing import Any

import msgspec

from lineshaft.core.access import Action, Identity
from lineshaft.core.clock import uuid7
from lineshaft.core.errors import Denied, Invalid, Missing
from lineshaft.records import Cell, Collection, Column, Compare, Delete, Or, Put, Record, Records

COLLECTION = Collection(
    name="views",
    columns={"owner": Column.TEXT, "shared": Column.BOOLEAN, "name": Column.TEXT},
)
NAME_CHARS_MAX = 200
DATA_BYTES_MAX = 64_000
VIEWS_MAX = 500
"""Views that one owner may keep."""


class NewView(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one says to save a view."""

    name: str
    shared: bool = False
    """Whether everybody may open it."""
    data: dict[str, Any] = {}
    """Whatever the screen needs."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A saved view."""

    id: str
    name: str
    owner: str
    shared: bool
    version: int
    """Give it back as If-Match when changing the view."""
    data: dict[str, Any]


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    owner: str
    shared: bool
    data: dict[str, Any]


class Views:
    """All saved views; everybody sees their own and the shared ones."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def visible(self, who: Identity) -> list[View]:
        """Own views and shared ones, by name."""
        mine = Compare(column="owner", op="=", value=_owner(who))
        shared = Compare(column="shared", op="=", value=True)
        page = await self._records.find(
            COLLECTION.name, Or((mine, shared)), order=("name",), limit=1000
        )
        return [_view(r) for r in page.records]

    async def get(self, key: str, who: Identity) -> View:
        """The view.

        Raises:
            Missing: there is none, or it is somebody else's own.
        """
        record = await self._records.get(COLLECTION.name, key)
        view = _view(record) if record else None
        if view is None or not (view.shared or view.owner == _owner(who)):
            raise Missing(f"there is no view {key!r}", remedy="List them with GET /api/v1/views.")
        return view

    async def add(self, new: NewView, who: Identity) -> View:
        """Save a new view.

        Raises:
            Invalid: it has no name, is too large, or the owner has too many.
        """
        mine = Compare(column="owner", op="=", value=_owner(who))
        page = await self._records.find(COLLECTION.name, mine, limit=VIEWS_MAX)
        if len(page.records) >= VIEWS_MAX:
            raise Invalid(f"{_owner(who)} has {VIEWS_MAX} views", remedy="Delete some first.")
        return await self._put(uuid7(), new, owner=_owner(who), expected=0)

    async def change(self, key: str, new: NewView, who: Identity, *, version: int) -> View:
        """Save a view in place of the one that has this version.

        Raises:
            Missing: there is none.
            Denied: it is somebody else's.
            Stale: it is not of this version any more.
        """
        view = await self._own(key, who)
        return await self._put(key, new, owner=view.owner, expected=version)

    async def delete(self, key: str, who: Identity) -> None:
        """Delete a view.

        Raises:
            Missing: there is none.
            Denied: it is somebody else's.
        """
        view = await self._own(key, who)
        await self._records.commit(
            Delete(collection=COLLECTION.name, key=key, expected=view.version)
        )

    async def _own(self, key: str, who: Identity) -> View:
        view = await self.get(key, who)
        if view.owner != _owner(who) and Action.CONFIGURE not in who.actions:
            raise Denied(
                f"view {view.name!r} belongs to {view.owner}", remedy="Save it under another name."
            )
        return view

    async def _put(self, key: str, new: NewView, *, owner: str, expected: int) -> View:
        if not 0 < len(new.name) <= NAME_CHARS_MAX:
            raise Invalid(f"name has {len(new.name)} characters, wanted 1 to {NAME_CHARS_MAX}")
        kept = _Kept(name=new.name, owner=owner, shared=new.shared, data=new.data)
        data = msgspec.json.encode(kept)
        if len(data) > DATA_BYTES_MAX:
            raise Invalid(
                f"view {new.name!r} has {len(data)} bytes, wanted at most {DATA_BYTES_MAX}"
            )
        row: dict[str, Cell] = {"owner": owner, "shared": new.shared, "name": new.name}
        (version,) = await self._records.commit(
            Put(collection=COLLECTION.name, key=key, data=data, rows=(row,), expected=expected)
        )
        return View(
            id=key, name=new.name, owner=owner, shared=new.shared, version=version, data=new.data
        )


def _owner(who: Identity) -> str:
    """The user, also when a token of theirs asks."""
    return who.name.partition("/")[0]


def _view(record: Record) -> View:
    kept = msgspec.json.decode(record.data, type=_Kept)
    return View(
        id=record.key,
        name=kept.name,
        owner=kept.owner,
        shared=kept.shared,
        version=record.version,
        data=kept.data,
    )
