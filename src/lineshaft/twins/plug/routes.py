"""Connecting machines by their descriptions, over HTTP."""

from typing import Any

import msgspec

from lineshaft.core.access import Action, Identity
from lineshaft.twins import Document, Json
from lineshaft.twins.model.identifier import decode_id
from lineshaft.twins.plug.kept import Plug
from lineshaft.twins.plug.plugger import Plugger
from lineshaft.twins.plug.views import PlugView, view, without
from lineshaft.web import delete, get, post
from lineshaft.web.paging import Items, check_limit

TAGS = ["twins"]
LISTED_MAX = 200
"""Descriptions in one list."""


class Agreement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an engineer adds to a description."""

    at: str = ""
    """Branch of the namespace for its points; empty for the one that is proposed."""
    given: dict[str, Json] = {}
    """What each connection needs, by its name: `{"twin-…": {"username": "u", "password":
    {"file": "/run/secrets/press"}}}`."""


@get("/twins/plug", action=Action.LOOK, summary="Machines that describe themselves", tags=TAGS)
async def list_plugs(
    plugger: Plugger, who: Identity, *, cursor: str = "", limit: int = 50
) -> Items[PlugView]:
    """Interfaces descriptions with what each asks for and what has become of it."""
    after = plugger.seal.open(cursor)
    found, more = await plugger.machines.page(after, min(check_limit(limit), LISTED_MAX))
    items = [
        await plug_view(plugger, who, one, await plugger.kept(one), whole=False)
        for one in found
        if plugger.may_see(who, one)
    ]
    return Items(items=items, cursor=plugger.seal.close(more))


@get("/twins/plug/{submodel:str}", action=Action.LOOK, summary="One of them", tags=TAGS)
async def show_plug(submodel: str, plugger: Plugger, who: Identity) -> PlugView:
    """One description; `submodel` is its identifier in base64url."""
    found = await plugger.seen(who, decode_id(submodel))
    return await plug_view(plugger, who, found, await plugger.kept(found))


@post(
    "/twins/plug/{submodel:str}",
    action=Action.CONFIGURE,
    summary="Connect a machine as it describes itself",
    tags=TAGS,
    status_code=200,
)
async def plug(
    submodel: str, plugger: Plugger, who: Identity, data: Agreement | None = None
) -> PlugView:
    """Agree to the connections and bindings that a description asks for, and make them now."""
    said = data or Agreement()
    id_ = decode_id(submodel)
    done = await plugger.plug(who, id_, at=said.at, given=said.given)
    return await plug_view(plugger, who, await plugger.seen(who, id_), done)


@delete(
    "/twins/plug/{submodel:str}",
    action=Action.CONFIGURE,
    summary="Disconnect such a machine",
    tags=TAGS,
)
async def unplug(submodel: str, plugger: Plugger, who: Identity) -> None:
    """Take its connections and bindings away; its history stays."""
    await plugger.unplug(who, decode_id(submodel))


async def plug_view(
    plugger: Plugger, who: Identity, found: Document, kept: Plug, *, whole: bool = True
) -> PlugView:
    """What somebody may know of a description; `whole` with all that it says."""
    wanted = await plugger.machines.interpreted(found, kept.at)
    told = view(found, kept, wanted, plugger.connected, whole=whole)
    hidden = plugger.hidden(who, found)
    told = told if hidden is None else without(told, wanted, hidden)
    sinks = [b for b in told.bindings if await plugger.sees(who, b.submodel, b.path)]
    problems = {k: v for k, v in told.problems.items() if await _told(plugger, who, k)}
    return msgspec.structs.replace(told, bindings=tuple(sinks), problems=problems)


async def _told(plugger: Plugger, who: Identity, name: str) -> bool:
    """Whether somebody may know of what a problem is about: a connection, or `submodel#path`."""
    submodel, _, path = name.rpartition("#")
    return not submodel or await plugger.sees(who, submodel, path)


handlers: list[Any] = [list_plugs, show_plug, plug, unplug]
"""Given the plant's service `plugger`."""
