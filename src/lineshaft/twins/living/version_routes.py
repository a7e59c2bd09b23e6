"""What documents were: listed, read, compared, and put back, over HTTP."""

from typing import Annotated

import msgspec
from litestar.params import QueryParameter

from lineshaft.core.access import Action, Identity
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.access import Right
from lineshaft.twins.documents import Write
from lineshaft.twins.living import rights
from lineshaft.twins.living.life import Life
from lineshaft.twins.model.comparing import Comparison, compared
from lineshaft.twins.versions import Version, decoded
from lineshaft.web import get, post
from lineshaft.web.paging import Items

TAGS = ["twins"]
Id = Annotated[str, QueryParameter(max_length=2048)]
Kind = Annotated[Class, QueryParameter(name="class")]
At = Annotated[str, QueryParameter(max_length=32)]


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a document."""

    id: str
    at: str
    """Of the list of versions."""
    class_: Class = msgspec.field(name="class", default=Class.SUBMODEL)


@get("/twins/versions", action=Action.LOOK, summary="What a document was before", tags=TAGS)
async def versions(
    life: Life,
    who: Identity,
    id: Id,  # noqa: A002 - the word of the standard
    class_: Kind = Class.SUBMODEL,
) -> Items[Version]:
    """Versions that people replaced, the newest first; also of a document that is gone."""
    found = await life.versions.all(class_, id)
    now = await life.services.documents.get(class_, id)
    if now is None and not found:
        raise rights.missing(class_, id)
    rights.demand(life.services, who, Right.READ, now or found[0][1])
    return Items(items=[v for v, d in found if rights.may(life.services, who, Right.READ, d)])


@get("/twins/versions/document", action=Action.LOOK, summary="One version", tags=TAGS)
async def version(
    life: Life,
    who: Identity,
    id: Id,  # noqa: A002 - the word of the standard
    at: At,
    class_: Kind = Class.SUBMODEL,
) -> Json:
    """The document as it was."""
    return _shown(life, who, await _old(life, who, class_, id, at))


@get("/twins/versions/compare", action=Action.LOOK, summary="Two versions compared", tags=TAGS)
async def compare(
    life: Life,
    who: Identity,
    id: Id,  # noqa: A002 - the word of the standard
    *,
    before: At,
    after: At = "",
    class_: Kind = Class.SUBMODEL,
) -> Comparison:
    """What changed from the version `before` to the version `after`, or to the present one."""
    old = await _old(life, who, class_, id, before)
    if after:
        new = await _old(life, who, class_, id, after)
    else:
        new = await rights.document(life.services, who, Right.READ, class_, id)
    return compared(_shown(life, who, old), _shown(life, who, new))


@post(
    "/twins/versions/restore",
    action=Action.CONFIGURE,
    summary="Put a version back",
    tags=TAGS,
    status_code=204,
)
async def restore(life: Life, who: Identity, data: Chosen) -> None:
    """The document becomes what it was, as a new version; one that was deleted is there again.

    What it was until now is kept as a version, too.
    """
    services = life.services
    old = await _old(life, who, data.class_, data.id, data.at)
    now = await services.documents.get(data.class_, data.id)
    rights.demand_whole(services, who, Right.UPDATE if now else Right.CREATE, now or old)
    write = Write(
        class_=data.class_,
        id=data.id,
        obj=decoded(old),
        expected=now.version if now else 0,
        path=now.path if now else old.path,
        origin=now.origin if now else old.origin,
        detail={"restored": old.tag},
    )
    await services.documents.commit(who, write)


async def _old(life: Life, who: Identity, class_: Class, id_: str, at: str) -> Document:
    """A version that the caller may read, as the document that there is now.

    Raises:
        Missing: it is not kept, or it or the document is not for the caller to know.
    """
    now = await life.services.documents.get(class_, id_)
    if now is not None:
        rights.demand(life.services, who, Right.READ, now)
    found = await life.versions.get(class_, id_, at)
    rights.demand(life.services, who, Right.READ, found)
    return found


def _shown(life: Life, who: Identity, found: Document) -> Json:
    """The document as it is stored, without what is hidden from the caller."""
    return rights.shown(life.services, who, found, decoded(found))


handlers = [versions, version, compare, restore]
"""Given the plant's service `life`."""
