"""Submodels as wholes, by whichever of the four ways the path leads to them."""

from typing import cast

import msgspec

from lineshaft.core.errors import Missing, Stale, Unavailable
from lineshaft.records import And, Predicate
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.access import Right
from lineshaft.twins.api import answers, filters, holding, kept, shells
from lineshaft.twins.api.answers import Answer
from lineshaft.twins.api.requests import Request
from lineshaft.twins.api.routing import Route
from lineshaft.twins.api.services import Services
from lineshaft.twins.documents import Write
from lineshaft.twins.model.identifier import encode_id
from lineshaft.twins.model.values import value_of
from lineshaft.twins.model.views import (
    core,
    metadata,
    patched,
    patched_metadata,
    path_list,
    reference,
    without_blobs,
)

SUBMODEL = Class.SUBMODEL
ROUNDS = 5
"""How often a shell is read anew when somebody else changes it at the same moment."""
DOCUMENTS_MAX = 1000
"""Submodels that are looked through for one page of paths."""
WAYS = (
    "/submodels/{submodelIdentifier}",
    "/shells/{aasIdentifier}/submodels/{submodelIdentifier}",
    "/aas/submodels/{submodelIdentifier}",
    "/submodel",
)


# ---- which submodel


async def submodel_id(to: Services, request: Request) -> str:
    """The identifier of the submodel that the path leads to.

    Raises:
        Invalid: an identifier is not base64url.
        Missing: the shell in the path does not refer to it, or `/submodel` has nothing to serve.
    """
    if "submodelIdentifier" not in request.params:
        named = request.one("submodelIdentifier")
        if named is not None:
            return filters.decode_text(named, "submodelIdentifier")
        return to.submodel or await shells.first(to, request, SUBMODEL)
    id_ = request.id("submodelIdentifier")
    if _by_shell(request):
        shell = await _shell(to, request)
        if not _refers(shell, id_):
            raise Missing(
                f"shell {shell['id']!r} does not refer to submodel {id_!r}",
                remedy="Look at its submodel-refs, or ask the submodel repository.",
            )
    return id_


def _by_shell(request: Request) -> bool:
    return "aasIdentifier" in request.params or request.path.startswith("aas/")


async def _shell(to: Services, request: Request) -> Json:
    id_ = await shells.shell_id(to, request)
    found = await kept.read(to, request, Class.SHELL, id_)
    return msgspec.json.decode(found.data)  # type: ignore[no-any-return]


def _refers(shell: Json, id_: str) -> bool:
    return any(shells.target(r) == id_ for r in shell.get("submodels", ()))


async def found(to: Services, request: Request) -> Document:
    """The submodel that the path leads to.

    Raises:
        Missing: there is none, or the caller may not know of it.
    """
    return await kept.read(to, request, SUBMODEL, await submodel_id(to, request))


async def looked(to: Services, request: Request) -> tuple[Document, Json]:
    """The submodel that the path leads to, and what the caller may see of it.

    Raises:
        Missing: there is none, or the caller may not know of it.
    """
    document = await found(to, request)
    return document, kept.shown(to, request, document)


# ---- the repository


async def _filtered(to: Services, request: Request) -> tuple[list[Document], str]:
    return await kept.listed(to, request, SUBMODEL, _filter(request))


def _filter(request: Request) -> Predicate | None:
    parts: list[Predicate] = []
    name, meaning = request.one("idShort"), request.one("semanticId")
    if name is not None:
        parts.append(filters.named(name, SUBMODEL))
    if meaning is not None:
        parts.append(filters.means(filters.decode_text(meaning, "semanticId", filters.MEANING_MAX)))
    return And(tuple(parts)) if parts else None


async def all_(to: Services, request: Request) -> Answer:
    """GetAllSubmodels."""
    is_core, blobs = request.is_core(), request.with_blobs()
    documents, cursor = await _filtered(to, request)
    return answers.page(
        (_bytes(to, request, d, is_core=is_core, blobs=blobs) for d in documents), cursor
    )


def _bytes(
    to: Services, request: Request, document: Document, *, is_core: bool, blobs: bool
) -> bytes:
    if not is_core and kept.is_stored(to, request, document, blobs=blobs):
        return document.data
    return msgspec.json.encode(
        _cut(kept.shown(to, request, document), is_core=is_core, blobs=blobs)
    )


def _cut(obj: Json, *, is_core: bool, blobs: bool) -> Json:
    obj = core(obj) if is_core else obj
    return obj if blobs else without_blobs(obj)


async def all_metadata(to: Services, request: Request) -> Answer:
    """GetAllSubmodels-Metadata."""
    documents, cursor = await _filtered(to, request)
    return answers.page_of([metadata(kept.shown(to, request, d)) for d in documents], cursor)


async def all_values(to: Services, request: Request) -> Answer:
    """GetAllSubmodels-ValueOnly: a list in version 3.0, by identifier in 3.1."""
    is_core, blobs = request.is_core(), request.with_blobs()
    documents, cursor = await _filtered(to, request)
    values = {
        d.id: value_of(kept.shown(to, request, d), core=is_core, blobs=blobs) for d in documents
    }
    return answers.page_of([*values.values()] if request.old else values, cursor)


async def all_references(to: Services, request: Request) -> Answer:
    """GetAllSubmodels-Reference."""
    request.choice("level", "core")
    documents, cursor = await _filtered(to, request)
    return answers.page_of(
        [reference(msgspec.json.decode(d.data), d.id, ()) for d in documents], cursor
    )


async def all_paths(to: Services, request: Request) -> Answer:
    """GetAllSubmodels-Path: the paths of all, one after the other; a page counts paths."""
    is_core, limit, where = request.is_core(), request.limit(), _filter(request)
    inside, _, cursor = (to.seal.open(request.one("cursor") or "") or "0 ").partition(" ")
    skip = int(inside) if inside.isascii() and inside.isdigit() and len(inside) < 10 else 0  # noqa: PLR2004 - digits
    paths: list[str] = []
    for _ in range(DOCUMENTS_MAX):
        documents, after = await kept.found(to, request, SUBMODEL, where, cursor=cursor, limit=1)
        for document in documents:
            obj = kept.shown(to, request, document)
            own = path_list(obj, (), "core" if is_core else "deep")
            room = limit - len(paths)
            paths += own[skip : skip + room]
            if len(own) > skip + room:
                return answers.page_of(paths, to.seal.close(f"{skip + room} {cursor}"))
        skip, cursor = 0, after
        if not after or len(paths) >= limit:
            break
    return answers.page_of(paths, to.seal.close(f"0 {cursor}" if cursor else ""))


async def post(to: Services, request: Request) -> Answer:
    """PostSubmodel."""
    obj = await kept.verified(request, SUBMODEL)
    made = await kept.post(to, request, SUBMODEL, obj)
    return _created(request, made)


def _created(request: Request, made: Document) -> Answer:
    location = f"{request.base}/submodels/{encode_id(made.id)}"
    return answers.created(made.data, location, made)


# ---- one submodel


async def get(to: Services, request: Request) -> Answer:
    """GetSubmodelById."""
    is_core, blobs = request.is_core(), request.with_blobs()
    document = await found(to, request)
    if not is_core and kept.is_stored(to, request, document, blobs=blobs):
        return answers.document(document, request)
    obj = _cut(kept.shown(to, request, document), is_core=is_core, blobs=blobs)
    # For If-Match: what is written is the stored document, whatever lives over it.
    return answers.encoded(obj, answers.tag_of(document))


async def put(to: Services, request: Request) -> Answer:
    """PutSubmodelById; by way of a shell it is added to what the shell refers to."""
    request.choice("level", "deep")
    if _by_shell(request):
        return await _put_below(to, request)
    if "submodelIdentifier" in request.params:
        id_ = request.id("submodelIdentifier")
    else:
        id_ = await submodel_id(to, request)
    made, new = await kept.put(to, request, SUBMODEL, await kept.verified(request, SUBMODEL, id_))
    return _created(request, made) if new else answers.done(made)


async def _put_below(to: Services, request: Request) -> Answer:
    obj = await kept.verified(request, SUBMODEL, request.id("submodelIdentifier"))
    for _ in range(ROUNDS):
        shell = await kept.read(to, request, Class.SHELL, await shells.shell_id(to, request))
        old = await to.documents.get(SUBMODEL, obj["id"])
        writes, new = await _written_below(to, request, obj, shell, old)
        try:
            made, *_ = await to.documents.commit(request.who, *writes)
        except Stale:
            now = await to.documents.get(Class.SHELL, shell.id)
            if now is None or now.tag == shell.tag:
                raise
            continue  # the shell was changed meanwhile, by somebody with another concern
        made = cast(Document, made)
        return _created(request, made) if new else answers.done(made)
    raise Unavailable(
        f"the shell around {obj['id']!r} is changed all the time",
        remedy="Try again in a moment.",
    )


async def _written_below(
    to: Services, request: Request, obj: Json, shell: Document, old: Document | None
) -> tuple[list[Write], bool]:
    """What has to be written, the submodel first and its shell where that changes; whether new.

    A header If-Match speaks of the submodel.
    """
    # What the caller may not know of answers as what is not there.
    new = old is None or not kept.may(to, request, Right.READ, old)
    if old is None or new:
        if request.header(b"if-match"):
            raise kept.missing(SUBMODEL, obj["id"])
        kept.demand_new(to, request, SUBMODEL, obj)
        write = Write(class_=SUBMODEL, id=obj["id"], obj=obj, expected=0)
    else:
        kept.demand(to, request, Right.UPDATE, old)
        held = old.version if await holding.hold(to, request, old, obj) else None
        write = Write(class_=SUBMODEL, id=old.id, obj=obj, expected=held, match=request.matching())
    around: Json = msgspec.json.decode(shell.data)
    if _refers(around, obj["id"]):
        return [write], new
    kept.demand(to, request, Right.UPDATE, shell)
    around.setdefault("submodels", []).append(
        {"type": "ModelReference", "keys": [{"type": "Submodel", "value": obj["id"]}]}
    )
    more = Write(class_=Class.SHELL, id=shell.id, obj=around, expected=shell.version)
    return [write, more], new


async def patch(to: Services, request: Request) -> Answer:
    """PatchSubmodelById."""
    request.choice("level", "core")
    wanted, id_ = await request.object(), await submodel_id(to, request)
    return await _replaced(to, request, id_, lambda obj: patched(obj, wanted))


async def patch_metadata(to: Services, request: Request) -> Answer:
    """PatchSubmodelById-Metadata."""
    request.choice("level", "core")
    wanted, id_ = await request.object(), await submodel_id(to, request)
    return await _replaced(to, request, id_, lambda obj: patched_metadata(obj, wanted))


async def _replaced(to: Services, request: Request, id_: str, make: kept.Make) -> Answer:
    made = await kept.replace(to, request, SUBMODEL, id_, make)
    return answers.done(made)


async def delete(to: Services, request: Request) -> Answer:
    """DeleteSubmodelById; by way of a shell its reference goes too."""
    id_ = await submodel_id(to, request)
    if not _by_shell(request):
        await kept.remove(to, request, SUBMODEL, id_)
        return answers.done()
    shell = await kept.read(to, request, Class.SHELL, await shells.shell_id(to, request))
    old = await found(to, request)
    kept.demand(to, request, Right.UPDATE, shell)
    kept.demand(to, request, Right.DELETE, old)
    obj = msgspec.json.decode(shell.data)
    shells.take_reference(obj, id_)
    await to.documents.commit(
        request.who,
        Write(class_=Class.SHELL, id=shell.id, obj=obj, expected=shell.version),
        await kept.removal(to, request, old),
    )
    return answers.done()


async def get_metadata(to: Services, request: Request) -> Answer:
    """GetSubmodelById-Metadata."""
    document, obj = await looked(to, request)
    return answers.encoded(metadata(obj), answers.tag_of(document))


async def get_value(to: Services, request: Request) -> Answer:
    """GetSubmodelById-ValueOnly."""
    is_core, blobs = request.is_core(), request.with_blobs()
    _, obj = await looked(to, request)
    return answers.encoded(value_of(obj, core=is_core, blobs=blobs))


async def get_reference(to: Services, request: Request) -> Answer:
    """GetSubmodelById-Reference."""
    request.choice("level", "core")
    document, obj = await looked(to, request)
    return answers.encoded(reference(obj, document.id, ()))


async def get_path(to: Services, request: Request) -> Answer:
    """GetSubmodelById-Path."""
    level = request.level()
    _, obj = await looked(to, request)
    return answers.encoded(path_list(obj, (), level))


def _routes(base: str) -> list[Route]:
    return [
        Route("GET", base, get),
        Route("PUT", base, put),
        Route("PATCH", base, patch),
        Route("GET", f"{base}/$metadata", get_metadata),
        Route("PATCH", f"{base}/$metadata", patch_metadata),
        Route("GET", f"{base}/$value", get_value),
        Route("GET", f"{base}/$reference", get_reference),
        Route("GET", f"{base}/$path", get_path),
    ]


ROUTES = [
    Route("GET", "/submodels", all_),
    Route("POST", "/submodels", post),
    Route("GET", "/submodels/$metadata", all_metadata),
    Route("GET", "/submodels/$value", all_values),
    Route("GET", "/submodels/$reference", all_references),
    Route("GET", "/submodels/$path", all_paths),
    *(route for way in WAYS for route in _routes(way)),
    *(Route("DELETE", way, delete) for way in WAYS[:3]),
]
