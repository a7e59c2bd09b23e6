"""Submodel elements: lists of them, and one by its path."""

import msgspec

from lineshaft.core.errors import Invalid
from lineshaft.twins import Document, Json
from lineshaft.twins.access import Right
from lineshaft.twins.api import answers, kept, submodels
from lineshaft.twins.api.answers import Answer
from lineshaft.twins.api.holding import Edit
from lineshaft.twins.api.paging import part
from lineshaft.twins.api.requests import Request, decode
from lineshaft.twins.api.routing import Route
from lineshaft.twins.api.services import Services
from lineshaft.twins.model.checking import check, checked
from lineshaft.twins.model.elements import LIST, children, find, insert
from lineshaft.twins.model.elements import put as put_in
from lineshaft.twins.model.elements import remove as take_out
from lineshaft.twins.model.identifier import encode_id
from lineshaft.twins.model.paths import Steps, parse_path, path_text
from lineshaft.twins.model.values import value_of
from lineshaft.twins.model.views import (
    core,
    listed_metadata,
    metadata,
    patched,
    patched_metadata,
    path_list,
    reference,
    without_blobs,
)

SUBMODEL = submodels.SUBMODEL
KINDS = frozenset(
    (
        "AnnotatedRelationshipElement",
        "BasicEventElement",
        "Blob",
        "Capability",
        "Entity",
        "File",
        "MultiLanguageProperty",
        "Operation",
        "Property",
        "Range",
        "ReferenceElement",
        "RelationshipElement",
        "SubmodelElementCollection",
        "SubmodelElementList",
    )
)
PATHED = frozenset({"SubmodelElementCollection", "SubmodelElementList", "Entity"})
"""What a list of paths can be asked of."""
WITHOUT_VALUE = frozenset({"Capability", "Operation"})
"""What has no value, and is left out of lists of values."""


def steps_of(request: Request) -> Steps:
    """The path of the element that the address names.

    Raises:
        Invalid: it is no path.
    """
    return parse_path(request.params["idShortPath"])


async def one(to: Services, request: Request) -> tuple[Document, Json, Steps]:
    """The submodel, the element that the address names, and its path.

    Raises:
        Missing: there is none, or the caller may not know of it.
    """
    steps = steps_of(request)
    document = await submodels.found(to, request)
    return document, kept.seen(to, request.who, document, steps), steps


async def _body(request: Request, name: str | int = 0) -> Json:
    """The body, which must be a whole and right submodel element.

    It gets the idShort `name`, if that is one and it came without.
    """
    data = await request.json_bytes()
    kind = kind_of(data)
    if isinstance(name, str):
        named = decode(data)
        if "idShort" not in named:
            data = msgspec.json.encode(named | {"idShort": name})
    return await kept.whole(kind, data)


class _Typed(msgspec.Struct):
    modelType: str  # noqa: N815 - the standard's spelling


def kind_of(data: bytes) -> str:
    """The type of a submodel element in JSON.

    Raises:
        Invalid: it has none, or one that no submodel element has.
    """
    try:
        kind = msgspec.json.decode(data, type=_Typed).modelType
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"the body is no submodel element: {error}") from None
    if kind not in KINDS:
        raise Invalid(
            f"the body has the modelType {kind[:40]!r}",
            remedy=f"Send one of: {', '.join(sorted(KINDS))}.",
        )
    return kind


# ---- lists


async def _top(to: Services, request: Request) -> tuple[list[Json], str]:
    _, obj = await submodels.looked(to, request)
    return part(request, children(obj))


async def all_(to: Services, request: Request) -> Answer:
    """GetAllSubmodelElements."""
    is_core, blobs = request.is_core(), request.with_blobs()
    items, cursor = await _top(to, request)
    return answers.page_of([_cut(e, is_core=is_core, blobs=blobs) for e in items], cursor)


def _cut(element: Json, *, is_core: bool, blobs: bool) -> Json:
    element = core(element) if is_core else element
    return element if blobs else without_blobs(element)


async def all_metadata(to: Services, request: Request) -> Answer:
    """GetAllSubmodelElements-Metadata."""
    items, cursor = await _top(to, request)
    found = [listed_metadata(e, required=request.old) for e in items]
    return answers.page_of(found, cursor)


async def all_values(to: Services, request: Request) -> Answer:
    """GetAllSubmodelElements-ValueOnly: a list in version 3.0, by idShort in 3.1."""
    is_core, blobs = request.is_core(), request.with_blobs()
    _, obj = await submodels.looked(to, request)
    valued = [e for e in children(obj) if e["modelType"] not in WITHOUT_VALUE]
    items, cursor = part(request, valued)
    named = {e["idShort"]: value_of(e, core=is_core, blobs=blobs) for e in items}
    return answers.page_of([{k: v} for k, v in named.items()] if request.old else named, cursor)


async def all_references(to: Services, request: Request) -> Answer:
    """GetAllSubmodelElements-Reference."""
    request.choice("level", "core")
    document, obj = await submodels.looked(to, request)
    items, cursor = part(request, children(obj))
    found = [reference(obj, document.id, (e["idShort"],)) for e in items]
    return answers.page_of(found, cursor)


async def all_paths(to: Services, request: Request) -> Answer:
    """GetAllSubmodelElements-Path."""
    level, _ = request.level(), request.with_blobs()
    _, obj = await submodels.looked(to, request)
    return answers.page_of(*part(request, path_list(obj, (), level)))


def _check_list(parent: Json, path: str) -> None:
    """See that a list is right with what was put into it; other parents take anything.

    Raises:
        Invalid: it holds what its type does not allow.
    """
    if parent.get("modelType") != LIST:
        return
    findings = check(LIST, parent)
    if findings:
        first = findings[0]
        raise Invalid(
            f"the list {path!r} does not take it: {first.path}: {first.message}",
            remedy="Send an element of the type that the list names.",
        )


async def post(to: Services, request: Request) -> Answer:
    """PostSubmodelElement, into the submodel or the element that the path names."""
    steps = steps_of(request) if "idShortPath" in request.params else ()
    element = await _body(request)
    id_ = await submodels.submodel_id(to, request)

    def alter(submodel: Json) -> str:
        path = insert(submodel, steps, element)
        _check_list(find(submodel, steps), path_text(steps))
        return path

    right = Right.CREATE
    made, path = await kept.change(
        to, request, SUBMODEL, id_, alter, right=right, at=path_text(steps)
    )
    location = f"{request.base}/submodels/{encode_id(id_)}/submodel-elements/{path}"
    return answers.created(msgspec.json.encode(element), location, made)


# ---- one element


async def get(to: Services, request: Request) -> Answer:
    """GetSubmodelElementByPath."""
    is_core, blobs = request.is_core(), request.with_blobs()
    element = (await one(to, request))[1]
    return answers.encoded(_cut(element, is_core=is_core, blobs=blobs))


async def put(to: Services, request: Request) -> Answer:
    """PutSubmodelElementByPath."""
    request.choice("level", "deep")
    steps = steps_of(request)
    element = await _body(request, steps[-1])
    id_ = await submodels.submodel_id(to, request)

    def alter(submodel: Json) -> bool:
        new = put_in(submodel, steps, element)
        _check_list(find(submodel, steps[:-1]), path_text(steps[:-1]))
        return new

    path = path_text(steps)
    made, new = await kept.change(to, request, SUBMODEL, id_, alter, at=path, edit=Edit.REPLACES)
    if not new:
        return answers.done(made)
    location = f"{request.base}/submodels/{encode_id(id_)}/submodel-elements/{path}"
    return answers.created(msgspec.json.encode(element), location, made)


async def delete(to: Services, request: Request) -> Answer:
    """DeleteSubmodelElementByPath."""
    steps, id_ = steps_of(request), await submodels.submodel_id(to, request)
    made, _ = await kept.change(
        to,
        request,
        SUBMODEL,
        id_,
        lambda submodel: take_out(submodel, steps),
        right=Right.DELETE,
        at=path_text(steps),
    )
    return answers.done(made)


async def patch(to: Services, request: Request) -> Answer:
    """PatchSubmodelElementByPath."""
    request.choice("level", "core")
    wanted = await request.object()
    return await _patched(to, request, lambda element: patched(element, wanted))


async def patch_metadata(to: Services, request: Request) -> Answer:
    """PatchSubmodelElementByPath-Metadata."""
    wanted = await request.object()
    return await _patched(to, request, lambda element: patched_metadata(element, wanted))


async def _patched(to: Services, request: Request, make: kept.Make) -> Answer:
    steps, id_ = steps_of(request), await submodels.submodel_id(to, request)

    def alter(submodel: Json) -> None:
        element = make(find(submodel, steps))
        # The bytes are checked, as those of a body are: a patch may bring anything.
        put_in(submodel, steps, checked(element["modelType"], msgspec.json.encode(element)))
        _check_list(find(submodel, steps[:-1]), path_text(steps[:-1]))

    made, _ = await kept.change(
        to, request, SUBMODEL, id_, alter, at=path_text(steps), edit=Edit.PATCHES
    )
    return answers.done(made)


async def get_metadata(to: Services, request: Request) -> Answer:
    """GetSubmodelElementByPath-Metadata."""
    element = (await one(to, request))[1]
    return answers.encoded(metadata(element))


async def get_reference(to: Services, request: Request) -> Answer:
    """GetSubmodelElementByPath-Reference."""
    request.choice("level", "core")
    document, _, steps = await one(to, request)
    return answers.encoded(reference(decode(document.data), document.id, steps))


async def get_path(to: Services, request: Request) -> Answer:
    """GetSubmodelElementByPath-Path."""
    level = request.level()
    _, element, steps = await one(to, request)
    if element["modelType"] not in PATHED:
        raise Invalid(
            f"element {path_text(steps)!r} is a {element['modelType']}, which holds no elements",
            remedy="Ask for the $path of a collection, list or entity.",
        )
    return answers.encoded(path_list(element, steps, level))


def _routes(base: str) -> list[Route]:
    every, single = f"{base}/submodel-elements", f"{base}/submodel-elements/{{idShortPath}}"
    return [
        Route("GET", every, all_),
        Route("POST", every, post),
        Route("GET", f"{every}/$metadata", all_metadata),
        Route("GET", f"{every}/$value", all_values),
        Route("GET", f"{every}/$reference", all_references),
        Route("GET", f"{every}/$path", all_paths),
        Route("GET", single, get),
        Route("POST", single, post),
        Route("PUT", single, put),
        Route("PATCH", single, patch),
        Route("DELETE", single, delete),
        Route("GET", f"{single}/$metadata", get_metadata),
        Route("PATCH", f"{single}/$metadata", patch_metadata),
        Route("GET", f"{single}/$reference", get_reference),
        Route("GET", f"{single}/$path", get_path),
    ]


ROUTES = [route for way in submodels.WAYS for route in _routes(way)]
