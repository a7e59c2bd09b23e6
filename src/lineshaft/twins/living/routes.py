"""Bindings, history, and the way back to what was generated, over HTTP."""

from typing import Annotated

import msgspec
from litestar.params import QueryParameter

from lineshaft.core.access import Action, Authorizer, Identity
from lineshaft.core.errors import Denied, Invalid, Missing
from lineshaft.twins import Class, Json
from lineshaft.twins.access import Right
from lineshaft.twins.living import rights
from lineshaft.twins.living.edits import edits
from lineshaft.twins.living.life import Life
from lineshaft.twins.living.pasts import Past
from lineshaft.twins.model.elements import find
from lineshaft.twins.model.paths import parse_path
from lineshaft.twins.plug import Binding
from lineshaft.web import delete, get, post, put
from lineshaft.web.paging import Items

TAGS = ["twins"]
Id = Annotated[str, QueryParameter(max_length=2048)]
Limit = Annotated[int, QueryParameter(ge=1, le=10_000)]


class Generated(msgspec.Struct, frozen=True, kw_only=True):
    """A generated document, and what people made of it."""

    base: Json
    """As it was generated."""
    deleted: bool
    """Whether people deleted it."""
    changed: list[str]
    """Attributes and idShortPaths that people set."""
    removed: list[str]
    """Attributes and idShortPaths that people took away."""


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Which document is meant."""

    id: str
    class_: Class = msgspec.field(name="class", default=Class.SUBMODEL)


# ---- history


@get("/twins/history", action=Action.LOOK, summary="History of an element", tags=TAGS)
async def history(  # noqa: PLR0913 - of what, from when to when
    life: Life,
    who: Identity,
    submodel: Id,
    path: Id,
    *,
    start: str = "",
    end: str = "",
    limit: Limit = 1000,
) -> Past:
    """What the element at the idShortPath `path` was, oldest first; the last hour by default.

    The same is answered below the standard's paths, at
    `/api/v3.1/submodels/{submodelIdentifier}/submodel-elements/{idShortPath}/$history` with the
    same `start`, `end` and `limit`, for clients that are there already.
    """
    return await life.pasts.read(who, submodel, path, start=start, end=end, limit=limit)


# ---- bindings


@get("/twins/bindings", action=Action.LOOK, summary="Bindings of a submodel", tags=TAGS)
async def bindings(life: Life, who: Identity, submodel: Id) -> Items[Binding]:
    """Which elements show which points; those that are hidden from the caller are left out."""
    found = await rights.document(life.services, who, Right.READ, Class.SUBMODEL, submodel)
    hidden = rights.hides(life.services, who, found)
    bound = life.bindings.shown(submodel, found.path).items()
    return Items(
        items=[Binding(submodel=submodel, path=p, point=n) for p, n in bound if not hidden(p)]
    )


@put("/twins/bindings", action=Action.CONFIGURE, summary="Bind an element to a point", tags=TAGS)
async def bind(life: Life, authorizer: Authorizer, who: Identity, data: Binding) -> None:
    """From now on the element shows the newest value of the point, and has its history.

    An Operation is bound to a method of a machine, which must stand in [[calls]] of the settings.
    Who may read the submodel sees the value, so both must be for the caller to configure.
    """
    found = await rights.document(
        life.services, who, Right.UPDATE, Class.SUBMODEL, data.submodel, data.path
    )
    element = find(msgspec.json.decode(found.data), parse_path(data.path))
    match element["modelType"]:
        case "Property":
            known = life.knows(data.point)
        case "Operation":
            known = life.calls(data.point)
        case other:
            raise Invalid(
                f"element {data.path!r} is a {other}, which shows no point",
                remedy="Bind a Property to a point, or an Operation to a method.",
            )
    if not known or not authorizer.allows(who, Action.LOOK, data.point):
        raise Missing(
            f"there is no {data.point!r} that it can be bound to",
            remedy="Find points with GET /api/v1/points; methods stand in [[calls]].",
        )
    if not authorizer.allows(who, Action.CONFIGURE, data.point):
        raise Denied(f"{who.name} may not configure {data.point}")
    bound = msgspec.structs.replace(data, branch=found.path, script="", inputs=(), sink="")
    await life.bindings.bind(who, _source(data.submodel, data.path), (bound,))


@delete("/twins/bindings", action=Action.CONFIGURE, summary="Unbind an element", tags=TAGS)
async def unbind(life: Life, who: Identity, submodel: Id, path: Id) -> None:
    """Take a binding away that was made with PUT; a generated one comes back."""
    await rights.document(life.services, who, Right.UPDATE, Class.SUBMODEL, submodel, path)
    source = _source(submodel, path)
    if not life.bindings.kept(source):
        raise Missing(
            f"nobody bound element {path!r} of submodel {submodel!r}",
            remedy="What was generated, or came with an interface mapping, cannot be unbound here.",
        )
    await life.bindings.bind(who, source, ())


def _source(submodel: str, path: str) -> str:
    return f"people {submodel}#{path}"


# ---- what was generated


@get("/twins/generated", action=Action.LOOK, summary="A document as it was generated", tags=TAGS)
async def generated(
    life: Life,
    who: Identity,
    id: Id,  # noqa: A002 - the word of the standard
    class_: Annotated[Class, QueryParameter(name="class")] = Class.SUBMODEL,
) -> Generated:
    """The base of a generated document, and what people changed in it."""
    services = life.services
    base = await life.gardener.base(class_, id)
    now = await services.documents.get(class_, id)
    there = now or life.gardener.gone(class_, id)
    rights.demand(services, who, Right.READ, there)
    base = rights.shown(services, who, there, base)
    if now is None:
        return Generated(base=base, deleted=True, changed=[], removed=[])
    made = edits(base, rights.shown(services, who, now, msgspec.json.decode(now.data)))
    return Generated(
        base=base,
        deleted=False,
        changed=[*made.attributes, *made.elements],
        removed=[*made.dropped, *made.removed],
    )


@post(
    "/twins/reset",
    action=Action.CONFIGURE,
    summary="Put a document back to what was generated",
    tags=TAGS,
    status_code=204,
)
async def reset(life: Life, who: Identity, data: Named) -> None:
    """All that people changed in it is undone, also its deletion."""
    now = await life.services.documents.get(data.class_, data.id)
    right = Right.UPDATE if now else Right.CREATE
    rights.demand_whole(life.services, who, right, now or life.gardener.gone(data.class_, data.id))
    await life.gardener.reset(who, data.class_, data.id)


handlers = [history, bindings, bind, unbind, generated, reset]
