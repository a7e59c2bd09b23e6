"""Discovery: from the identifiers of an asset to those of its shells."""

from lineshaft.core.errors import Invalid, Missing, Stale
from lineshaft.records import Or, Predicate
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.access import Right
from lineshaft.twins.api import answers, filters, kept
from lineshaft.twins.api.answers import Answer
from lineshaft.twins.api.registry import merged
from lineshaft.twins.api.requests import Request
from lineshaft.twins.api.routing import Route
from lineshaft.twins.api.services import Services
from lineshaft.twins.api.shells import Link, link_of, links_of
from lineshaft.twins.model.checking import check

LINKS = Class.LINKS
SOURCES = (Class.SHELL, LINKS)
LINKS_MAX = 100
"""Links that one question may name."""
LOOKED_MAX = 1000
"""Shells that are looked at for one page."""


async def _found(to: Services, request: Request, links: list[Link]) -> Answer:
    """A page of the identifiers of shells that have all the links."""
    if len(links) > LINKS_MAX:
        raise Invalid(f"{len(links)} asset links, wanted at most {LINKS_MAX}")
    limit, after = request.limit(), to.seal.open(request.one("cursor") or "")
    any_: Predicate | None = Or(tuple(filters.linked(*link) for link in links)) if links else None
    indexed = not links or (len(links) == 1 and not to.access.is_ruled)
    found: list[str] = []
    looked, place = await merged(to, request, SOURCES, after, limit=LOOKED_MAX, where=any_)
    for at, document in enumerate(looked):
        # One link may stand in the shell and another among those that were posted, and what the
        # index knows may be hidden from the caller.
        if indexed or set(links) <= set(await _links(to, request, document.id)):
            found.append(document.id)
        if len(found) == limit:
            more = bool(place) or at + 1 < len(looked)
            return answers.page_of(found, to.seal.close(document.id if more else ""))
    return answers.page_of(found, to.seal.close(place))


async def _links(to: Services, request: Request, id_: str) -> list[Link]:
    return [
        (link["name"], link["value"])
        for document in await _documents(to, request, id_)
        for link in links_of(kept.shown(to, request, document))
    ]


async def _documents(to: Services, request: Request, id_: str) -> list[Document]:
    both = [await to.documents.get(class_, id_) for class_ in SOURCES]
    return [d for d in both if d is not None and kept.may(to, request, Right.READ, d)]


async def by_query(to: Services, request: Request) -> Answer:
    """GetAllAssetAdministrationShellIdsByAssetLink."""
    return await _found(to, request, [link_of(text) for text in request.many("assetIds")])


async def by_link(to: Services, request: Request) -> Answer:
    """SearchAllAssetAdministrationShellIdsByAssetLink."""
    links = _checked("AssetLink", await request.items())
    return await _found(to, request, [(link["name"], link["value"]) for link in links])


async def get(to: Services, request: Request) -> Answer:
    """GetAllAssetLinksById."""
    id_ = request.id("aasIdentifier")
    documents = await _documents(to, request, id_)
    if not documents:
        raise kept.missing(Class.SHELL, id_)
    return answers.encoded(
        [link for d in documents for link in links_of(kept.shown(to, request, d))]
    )


async def post(to: Services, request: Request) -> Answer:
    """PostAllAssetLinksById: they take the place of those that were posted before."""
    id_ = request.id("aasIdentifier")
    links = _checked("SpecificAssetId", await request.items())
    await kept.put(to, request, LINKS, {"id": id_, "specificAssetIds": links})
    return answers.encoded(links)._replace(status=answers.CREATED)


async def delete(to: Services, request: Request) -> Answer:
    """DeleteAllAssetLinksById: what stands in the shell itself stays."""
    id_ = request.id("aasIdentifier")
    try:
        await kept.remove(to, request, LINKS, id_)
    except Missing:
        if await _documents(to, request, id_):
            raise Stale(
                f"the asset links of {id_!r} stand in the shell itself",
                remedy="Change its assetInformation.",
            ) from None
        raise
    return answers.done()


def _checked(type_: str, links: list[Json]) -> list[Json]:
    for at, link in enumerate(links):
        findings = check(type_, link)
        if findings:
            raise Invalid(f"asset link {at}: {findings[0].path}: {findings[0].message}")
    return links


ROUTES = [
    Route("GET", "/lookup/shells", by_query),
    Route("POST", "/lookup/shellsByAssetLink", by_link),
    Route("GET", "/lookup/shells/{aasIdentifier}", get),
    Route("POST", "/lookup/shells/{aasIdentifier}", post),
    Route("DELETE", "/lookup/shells/{aasIdentifier}", delete),
]
