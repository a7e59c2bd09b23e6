"""Registries of shells and submodels: what was registered, and all that is served here."""

from collections.abc import Callable, Iterable

import msgspec

from lineshaft.core.errors import Invalid, Missing, Stale
from lineshaft.records import And, Compare, Predicate, Some
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.access import Right
from lineshaft.twins.api import answers, descriptors, filters, kept
from lineshaft.twins.api.answers import Answer
from lineshaft.twins.api.paging import part
from lineshaft.twins.api.requests import Request
from lineshaft.twins.api.routing import Route
from lineshaft.twins.api.services import Services
from lineshaft.twins.model.identifier import encode_id

SHELL, SUBMODEL = Class.SHELL_DESCRIPTOR, Class.SUBMODEL_DESCRIPTOR
SERVED = {SHELL: Class.SHELL, SUBMODEL: Class.SUBMODEL}
"""What a descriptor is made from when none was registered."""
PLACES = {SHELL: "shell-descriptors", SUBMODEL: "submodel-descriptors"}
KINDS = ("Instance", "NotApplicable", "Role", "Type")


# ---- both registries


async def page(
    to: Services, request: Request, class_: Class, where: Predicate | None = None
) -> tuple[list[Json], str]:
    """A page of descriptors by identifier, registered ones before made ones, and the cursor.

    Raises:
        Invalid: limit or cursor is none.
    """
    limit, after = request.limit(), to.seal.open(request.one("cursor") or "")
    both = (class_, SERVED[class_])
    documents, place = await merged(to, request, both, after, limit=limit, where=where)
    return [await shown(to, request, d) for d in documents], to.seal.close(place)


async def merged(
    to: Services,
    request: Request,
    classes: Iterable[Class],
    after: str,
    *,
    limit: int,
    where: Predicate | None = None,
) -> tuple[list[Document], str]:
    """Documents of several classes by identifier, each identifier once, of its first class.

    Also the identifier after which to go on; empty when there are no more. It may be that of a
    document that the caller may not see. `limit` is at most 1000.
    """
    parts: list[Predicate] = [Compare("key", ">", after)] if after else []
    if where is not None:
        parts.append(where)
    wanted = And(tuple(parts)) if parts else None
    found: dict[str, Document] = {}
    ends: list[str] = []
    for class_ in classes:
        some, cursor, last = await kept.looked(to, request, class_, wanted, limit=limit)
        for document in some:
            found.setdefault(document.id, document)
        if cursor:
            # What a list did not give stands behind its last: the others go no further either.
            ends.append(last)
    within = sorted(i for i in found if not ends or i <= min(ends))
    if len(within) > limit:
        return [found[i] for i in within[:limit]], within[limit - 1]
    return [found[i] for i in within], min(ends, default="")


async def shown(to: Services, request: Request, document: Document) -> Json:
    """A descriptor as it was registered, or the one made of what is served."""
    if document.class_ is Class.SHELL:
        return await descriptors.of_shell(to, request, document)
    if document.class_ is Class.SUBMODEL:
        return descriptors.of_submodel(to, request, document)
    obj = kept.shown(to, request, document)
    if document.class_ is SHELL and _sees_part(to, request):
        inner = [
            d
            for d in obj.pop("submodelDescriptors", ())
            if not await is_hidden(to, request, d["id"])
        ]
        obj |= {"submodelDescriptors": inner} if inner else {}
    return obj


def _sees_part(to: Services, request: Request) -> bool:
    return to.access.is_ruled or "" not in request.who.branches


async def is_hidden(to: Services, request: Request, submodel: str) -> bool:
    """Whether a submodel is served here, and the caller may not know of it."""
    if not _sees_part(to, request):
        return False
    found = await to.documents.get(Class.SUBMODEL, submodel)
    return found is not None and not kept.may(to, request, Right.READ, found)


async def with_hidden(to: Services, request: Request, obj: Json) -> tuple[Json, int | None]:
    """The descriptor of a shell with the submodels of the old one that the caller cannot see.

    Also the version that it must have now; None when it does not matter.

    Raises:
        Stale: it brings a submodel that is there, hidden from the caller.
    """
    old = await to.documents.get(SHELL, obj["id"])
    if old is None or not _sees_part(to, request):
        return obj, None
    inner = kept.decoded(old).get("submodelDescriptors", ())
    hidden = [d for d in inner if await is_hidden(to, request, d["id"])]
    new = obj.get("submodelDescriptors", [])
    for descriptor in hidden:
        if any(d["id"] == descriptor["id"] for d in new):
            raise _taken(obj["id"], descriptor["id"])
    if not hidden:
        return obj, None
    return obj | {"submodelDescriptors": [*new, *hidden]}, old.version


def _taken(shell: str, submodel: str) -> Stale:
    return Stale(f"the descriptor of shell {shell!r} has submodel {submodel!r} already")


async def one(to: Services, request: Request, class_: Class, id_: str) -> Json:
    """The descriptor of an identifier, registered or made.

    Raises:
        Missing: there is none, or the caller may not know of it.
    """
    for each in (class_, SERVED[class_]):
        found = await to.documents.get(each, id_)
        if found is not None and kept.may(to, request, Right.READ, found):
            return await shown(to, request, found)
    raise kept.missing(class_, id_)


async def _post(to: Services, request: Request, class_: Class) -> Answer:
    obj = await kept.verified(request, class_)
    made = await kept.post(to, request, class_, obj)
    return answers.created(made.data, _location(request, class_, made.id), made)


async def _put(to: Services, request: Request, class_: Class, id_: str) -> Answer:
    obj, expected = await kept.verified(request, class_, id_), None
    if class_ is SHELL:
        obj, expected = await with_hidden(to, request, obj)
    made, new = await kept.put(to, request, class_, obj, expected)
    if not new:
        return answers.done(made)
    return answers.created(made.data, _location(request, class_, made.id), made)


async def _delete(to: Services, request: Request, class_: Class, id_: str) -> Answer:
    if await to.documents.get(class_, id_) is None:
        await one(to, request, class_, id_)
        raise Invalid(
            f"the {kept.NAMES[class_]} {id_!r} is made from what is served here",
            remedy=f"Delete the {kept.NAMES[SERVED[class_]]} itself.",
        )
    await kept.remove(to, request, class_, id_)
    return answers.done()


def _location(request: Request, class_: Class, id_: str) -> str:
    return f"{request.base}/{PLACES[class_]}/{encode_id(id_)}"


# ---- shells


async def all_shells(to: Services, request: Request) -> Answer:
    """GetAllAssetAdministrationShellDescriptors."""
    parts: list[Predicate] = []
    kind, type_ = request.one("assetKind"), request.one("assetType")
    if kind is not None:
        parts.append(Some(Compare("asset_kind", "=", request.choice("assetKind", *KINDS))))
    if type_ is not None:
        text = filters.decode_text(type_, "assetType")
        parts.append(Some(Compare("asset_type", "=", text)))
    return answers.page_of(*await page(to, request, SHELL, And(tuple(parts)) if parts else None))


async def post_shell(to: Services, request: Request) -> Answer:
    """PostAssetAdministrationShellDescriptor."""
    return await _post(to, request, SHELL)


async def get_shell(to: Services, request: Request) -> Answer:
    """GetAssetAdministrationShellDescriptorById."""
    return answers.encoded(await one(to, request, SHELL, request.id("aasIdentifier")))


async def put_shell(to: Services, request: Request) -> Answer:
    """PutAssetAdministrationShellDescriptorById."""
    return await _put(to, request, SHELL, request.id("aasIdentifier"))


async def delete_shell(to: Services, request: Request) -> Answer:
    """DeleteAssetAdministrationShellDescriptorById."""
    return await _delete(to, request, SHELL, request.id("aasIdentifier"))


# ---- submodels


async def all_submodels(to: Services, request: Request) -> Answer:
    """GetAllSubmodelDescriptors."""
    return answers.page_of(*await page(to, request, SUBMODEL))


async def post_submodel(to: Services, request: Request) -> Answer:
    """PostSubmodelDescriptor."""
    return await _post(to, request, SUBMODEL)


async def get_submodel(to: Services, request: Request) -> Answer:
    """GetSubmodelDescriptorById."""
    return answers.encoded(await one(to, request, SUBMODEL, request.id("submodelIdentifier")))


async def put_submodel(to: Services, request: Request) -> Answer:
    """PutSubmodelDescriptorById."""
    return await _put(to, request, SUBMODEL, request.id("submodelIdentifier"))


async def delete_submodel(to: Services, request: Request) -> Answer:
    """DeleteSubmodelDescriptorById."""
    return await _delete(to, request, SUBMODEL, request.id("submodelIdentifier"))


# ---- submodels within the descriptor of a shell


async def all_inner(to: Services, request: Request) -> Answer:
    """GetAllSubmodelDescriptorsThroughSuperpath."""
    shell = await one(to, request, SHELL, request.id("aasIdentifier"))
    return answers.page_of(*part(request, shell.get("submodelDescriptors", [])))


async def get_inner(to: Services, request: Request) -> Answer:
    """GetSubmodelDescriptorByIdThroughSuperpath."""
    shell = await one(to, request, SHELL, request.id("aasIdentifier"))
    return answers.encoded(_inner(shell, request.id("submodelIdentifier")))


async def post_inner(to: Services, request: Request) -> Answer:
    """PostSubmodelDescriptor-ThroughSuperpath."""
    new = await kept.verified(request, SUBMODEL)
    id_ = request.id("aasIdentifier")

    def alter(shell: Json) -> None:
        if any(d["id"] == new["id"] for d in shell.get("submodelDescriptors", ())):
            raise _taken(id_, new["id"])
        shell.setdefault("submodelDescriptors", []).append(new)

    await _alter_shell(to, request, id_, alter)
    return answers.created(msgspec.json.encode(new), _inner_location(request, id_, new["id"]))


async def put_inner(to: Services, request: Request) -> Answer:
    """PutSubmodelDescriptorByIdThroughSuperpath."""
    id_, inner_id = request.id("aasIdentifier"), request.id("submodelIdentifier")
    new = await kept.verified(request, SUBMODEL, inner_id)
    hidden = await is_hidden(to, request, inner_id)

    def alter(shell: Json) -> bool:
        all_ = shell.setdefault("submodelDescriptors", [])
        for at, old in enumerate(all_):
            if old["id"] == inner_id:
                if hidden:
                    raise _taken(id_, inner_id)
                all_[at] = new
                return False
        all_.append(new)
        return True

    if not await _alter_shell(to, request, id_, alter):
        return answers.done()
    return answers.created(msgspec.json.encode(new), _inner_location(request, id_, inner_id))


async def delete_inner(to: Services, request: Request) -> Answer:
    """DeleteSubmodelDescriptorByIdThroughSuperpath."""
    id_, inner_id = request.id("aasIdentifier"), request.id("submodelIdentifier")
    hidden = await is_hidden(to, request, inner_id)

    def alter(shell: Json) -> None:
        shell["submodelDescriptors"].remove(_inner(shell, inner_id, hidden=hidden))

    await _alter_shell(to, request, id_, alter)
    return answers.done()


async def _alter_shell(
    to: Services, request: Request, id_: str, alter: Callable[[Json], bool | None]
) -> bool | None:
    """Alter a registered descriptor; one that was made is registered with the change."""
    if await to.documents.get(SHELL, id_) is not None:
        return (await kept.change(to, request, SHELL, id_, alter))[1]
    await one(to, request, SHELL, id_)  # else it is missing
    served = await kept.read(to, request, Class.SHELL, id_)
    # Whole, since it is for everybody from now on, not as this caller sees it.
    made = await descriptors.of_shell(to, request, served, whole=True)
    said = alter(made)
    await kept.post(to, request, SHELL, made)
    return said


def _inner(shell: Json, id_: str, *, hidden: bool = False) -> Json:
    for found in shell.get("submodelDescriptors", ()):
        if found["id"] == id_ and not hidden:
            return found  # type: ignore[no-any-return]
    raise Missing(f"the descriptor of shell {shell['id']!r} has no submodel {id_!r}")


def _inner_location(request: Request, id_: str, inner_id: str) -> str:
    return f"{_location(request, SHELL, id_)}/submodel-descriptors/{encode_id(inner_id)}"


_INNER = "/shell-descriptors/{aasIdentifier}/submodel-descriptors"

ROUTES = [
    Route("GET", "/shell-descriptors", all_shells),
    Route("POST", "/shell-descriptors", post_shell),
    Route("GET", "/shell-descriptors/{aasIdentifier}", get_shell),
    Route("PUT", "/shell-descriptors/{aasIdentifier}", put_shell),
    Route("DELETE", "/shell-descriptors/{aasIdentifier}", delete_shell),
    Route("GET", "/submodel-descriptors", all_submodels),
    Route("POST", "/submodel-descriptors", post_submodel),
    Route("GET", "/submodel-descriptors/{submodelIdentifier}", get_submodel),
    Route("PUT", "/submodel-descriptors/{submodelIdentifier}", put_submodel),
    Route("DELETE", "/submodel-descriptors/{submodelIdentifier}", delete_submodel),
    Route("GET", _INNER, all_inner),
    Route("POST", _INNER, post_inner),
    Route("GET", f"{_INNER}/{{submodelIdentifier}}", get_inner),
    Route("PUT", f"{_INNER}/{{submodelIdentifier}}", put_inner),
    Route("DELETE", f"{_INNER}/{{submodelIdentifier}}", delete_inner),
]
