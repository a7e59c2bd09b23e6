"""Shells: the AAS repository without submodels, and the single AAS at `/aas`."""

import msgspec

from lineshaft.core.errors import Invalid, Missing, Stale
from lineshaft.records import And, Predicate
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.api import answers, filters, kept
from lineshaft.twins.api.answers import Answer
from lineshaft.twins.api.holding import Edit
from lineshaft.twins.api.paging import part
from lineshaft.twins.api.requests import Request, decode
from lineshaft.twins.api.routing import Route
from lineshaft.twins.api.services import Services
from lineshaft.twins.model.checking import checked
from lineshaft.twins.model.identifier import encode_id
from lineshaft.twins.model.views import reference

SHELL = Class.SHELL
GLOBAL = "globalAssetId"

Link = tuple[str, str]
"""Name and value of an asset identifier."""


async def shell_id(to: Services, request: Request) -> str:
    """The identifier of the shell that the path names, or that `/aas` serves.

    That is the one that the query names, else the settings, else the first.

    Raises:
        Invalid: it is not base64url.
        Missing: `/aas` has nothing to serve.
    """
    if "aasIdentifier" in request.params:
        return request.id("aasIdentifier")
    named = request.one("aasIdentifier")
    if named is not None:
        return filters.decode_text(named, "aasIdentifier")
    return to.shell or await first(to, request, SHELL)


async def first(to: Services, request: Request, class_: Class) -> str:
    """The identifier of the first document that the caller may see.

    Raises:
        Missing: there is none.
    """
    # With rules, what is looked at for one document grows with the limit.
    found, _ = await kept.found(to, request, class_, limit=100 if to.access.is_ruled else 1)
    if not found:
        raise Missing(f"there is no {kept.NAMES[class_]} to serve here", remedy="Add one first.")
    return found[0].id


async def _read(to: Services, request: Request) -> Document:
    return await kept.read(to, request, SHELL, await shell_id(to, request))


def _decoded(found: Document) -> Json:
    return msgspec.json.decode(found.data)  # type: ignore[no-any-return]


# ---- the repository


async def _filtered(to: Services, request: Request) -> tuple[list[Document], str]:
    parts: list[Predicate] = []
    name = request.one("idShort")
    if name is not None:
        parts.append(filters.named(name, SHELL))
    links = {link_of(text) for text in request.many("assetIds")}
    parts += [filters.linked(*link) for link in links]
    found, cursor = await kept.listed(to, request, SHELL, And(tuple(parts)) if parts else None)
    if links and to.access.is_ruled:  # what the index knows may be hidden from the caller
        found = [d for d in found if links <= _links(kept.shown(to, request, d))]
    return found, cursor


def _links(shell: Json) -> set[Link]:
    return {(link["name"], link["value"]) for link in links_of(shell)}


def links_of(obj: Json) -> list[Json]:
    """The asset identifiers in a shell, or among those that were posted for one."""
    asset = obj.get("assetInformation", obj)
    whole = asset.get(GLOBAL)
    first = [{"name": GLOBAL, "value": whole}] if whole is not None else []
    return [*first, *asset.get("specificAssetIds", ())]


async def all_(to: Services, request: Request) -> Answer:
    """GetAllAssetAdministrationShells."""
    found, cursor = await _filtered(to, request)
    return answers.page((kept.shown_bytes(to, request, d) for d in found), cursor)


async def all_references(to: Services, request: Request) -> Answer:
    """GetAllAssetAdministrationShells-Reference."""
    found, cursor = await _filtered(to, request)
    return answers.page_of([reference(_decoded(d), d.id, ()) for d in found], cursor)


async def post(to: Services, request: Request) -> Answer:
    """PostAssetAdministrationShell."""
    obj = await kept.verified(request, SHELL)
    made = await kept.post(to, request, SHELL, obj)
    return answers.created(made.data, f"{request.base}/shells/{encode_id(made.id)}", made)


async def get(to: Services, request: Request) -> Answer:
    """GetAssetAdministrationShellById."""
    found = await _read(to, request)
    if kept.is_stored(to, request, found, blobs=True):
        return answers.document(found, request)
    return answers.encoded(kept.shown(to, request, found))


async def put(to: Services, request: Request) -> Answer:
    """PutAssetAdministrationShellById."""
    obj = await kept.verified(request, SHELL, await shell_id(to, request))
    made, new = await kept.put(to, request, SHELL, obj)
    if not new:
        return answers.done(made)
    return answers.created(made.data, f"{request.base}/shells/{encode_id(made.id)}", made)


async def delete(to: Services, request: Request) -> Answer:
    """DeleteAssetAdministrationShellById."""
    await kept.remove(to, request, SHELL, await shell_id(to, request))
    return answers.done()


async def get_reference(to: Services, request: Request) -> Answer:
    """GetAssetAdministrationShellById-Reference."""
    found = await _read(to, request)
    return answers.encoded(reference(_decoded(found), found.id, ()))


# ---- what a shell holds


async def get_asset(to: Services, request: Request) -> Answer:
    """GetAssetInformation."""
    found = await _read(to, request)
    asset = kept.shown(to, request, found)["assetInformation"]
    return answers.encoded(asset, answers.tag_of(found))


async def put_asset(to: Services, request: Request) -> Answer:
    """PutAssetInformation."""
    asset = checked("AssetInformation", await request.json_bytes())

    def alter(shell: Json) -> None:
        shell["assetInformation"] = asset

    made, _ = await kept.change(
        to, request, SHELL, await shell_id(to, request), alter, edit=Edit.REPLACES
    )
    return answers.done(made)


async def submodel_references(to: Services, request: Request) -> Answer:
    """GetAllSubmodelReferences."""
    found = await _read(to, request)
    return answers.page_of(*part(request, _decoded(found).get("submodels", [])))


async def post_reference(to: Services, request: Request) -> Answer:
    """PostSubmodelReference."""
    wanted = checked("Reference", await request.json_bytes())
    id_ = await shell_id(to, request)
    refers = target(wanted)
    if refers is None:
        raise Invalid(
            "the reference does not lead to a submodel",
            remedy="Send a ModelReference whose only key has the type Submodel.",
        )

    def alter(shell: Json) -> None:
        if any(target(r) == refers for r in shell.get("submodels", [])):
            raise Stale(f"shell {id_!r} refers to {refers!r} already")
        shell.setdefault("submodels", []).append(wanted)

    await kept.change(to, request, SHELL, id_, alter)
    location = f"{request.base}/shells/{encode_id(id_)}/submodel-refs/{encode_id(refers)}"
    return answers.created(msgspec.json.encode(wanted), location)


async def delete_reference(to: Services, request: Request) -> Answer:
    """DeleteSubmodelReference."""
    id_, gone = await shell_id(to, request), request.id("submodelIdentifier")

    def alter(shell: Json) -> None:
        take_reference(shell, gone)

    await kept.change(to, request, SHELL, id_, alter)
    return answers.done()


def target(found: Json) -> str | None:
    """The identifier of the submodel that a reference leads to, or None."""
    keys = found.get("keys") or [{}]
    return keys[0].get("value") if keys[0].get("type") == "Submodel" else None


def take_reference(shell: Json, submodel_id: str) -> None:
    """Take the references to a submodel out of a shell.

    Raises:
        Missing: there is none.
    """
    old = shell.get("submodels", [])
    left = [r for r in old if target(r) != submodel_id]
    if len(left) == len(old):
        raise Missing(f"shell {shell['id']!r} does not refer to submodel {submodel_id!r}")
    if left:
        shell["submodels"] = left
    else:
        del shell["submodels"]


def link_of(text: str) -> tuple[str, str]:
    """Name and value of one `assetIds` of a query.

    Raises:
        Invalid: it is not base64url of a SpecificAssetId.
    """
    found = decode(filters.decode_text(text, "assetIds").encode())
    name, value = (found.get("name"), found.get("value")) if isinstance(found, dict) else (0, 0)
    if not isinstance(name, str) or not isinstance(value, str):
        raise Invalid(
            f"assetIds {text[:40]!r} holds no name with a value",
            remedy='Send {"name": …, "value": …} as JSON in base64url.',
        )
    return name, value


def routes(base: str) -> list[Route]:
    """The routes of one shell below `base`."""
    return [
        Route("GET", base, get),
        Route("PUT", base, put),
        Route("GET", f"{base}/$reference", get_reference),
        Route("GET", f"{base}/asset-information", get_asset),
        Route("PUT", f"{base}/asset-information", put_asset),
        Route("GET", f"{base}/submodel-refs", submodel_references),
        Route("POST", f"{base}/submodel-refs", post_reference),
        Route("DELETE", f"{base}/submodel-refs/{{submodelIdentifier}}", delete_reference),
    ]


ROUTES = [
    Route("GET", "/shells", all_),
    Route("POST", "/shells", post),
    Route("GET", "/shells/$reference", all_references),
    *routes("/shells/{aasIdentifier}"),
    Route("DELETE", "/shells/{aasIdentifier}", delete),
    *routes("/aas"),
]
