"""Questions in the query language, on what is kept and on the registries."""

from lineshaft.core.errors import Invalid
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.access import Right
from lineshaft.twins.api import answers, kept
from lineshaft.twins.api.answers import Answer
from lineshaft.twins.api.registry import SERVED, merged, shown
from lineshaft.twins.api.requests import Request
from lineshaft.twins.api.routing import Route
from lineshaft.twins.api.services import Services
from lineshaft.twins.query import Compiled, compile_query
from lineshaft.twins.query.linking import linked
from lineshaft.twins.query.searching import search

LOOKED_MAX = 1000
"""Descriptors that are looked at for one page."""


async def _asked(request: Request, class_: Class) -> Compiled:
    """The question in the body.

    Raises:
        Invalid: it is not of the language.
    """
    return compile_query(class_, await request.json())


async def _linked(to: Services, request: Request, compiled: Compiled) -> Compiled:
    """The question with what it asks of shells by their submodels, or the other way, answered.

    Raises:
        Invalid: too many answer that part, or access rules hide elements that it might look at.
    """
    if compiled.is_foreign and to.access.is_ruled:
        raise Invalid(
            "a query over shells and submodels together is not answered while access rules hold,"
            " since it would tell of elements that they hide",
            remedy="Ask for the submodels first, then for their shells.",
        )
    return await linked(
        to.documents, compiled, lambda c: to.access.scope(request.who, Right.READ, c)
    )


async def _found(to: Services, request: Request, class_: Class) -> Answer:
    compiled = await _linked(to, request, await _asked(request, class_))
    scope = to.access.scope(request.who, Right.READ, class_)

    def keep(document: Document) -> bool:
        """Whether it answers by what the caller may see of it, and may be seen."""
        if scope.keep is not None and not scope.keep(document):
            return False
        return compiled.fits(kept.shown(to, request, document))

    documents, cursor = await search(
        to.documents,
        compiled,
        allowed=scope.where,
        keep=keep if to.access.is_ruled else None,
        cursor=to.seal.open(request.one("cursor") or ""),
        limit=request.limit(),
    )
    cursor = to.seal.close(cursor)
    if compiled.ids_only:
        return answers.page_of([d.id for d in documents], cursor, resultType="Identifier")
    found = [kept.shown_bytes(to, request, d) for d in documents]
    return answers.page(found, cursor, resultType=kept.TYPES[class_])


async def _described(to: Services, request: Request, class_: Class) -> Answer:
    """Descriptors that were registered and those of what is served, looked at one by one."""
    compiled = await _asked(request, class_)
    limit, after = request.limit(), to.seal.open(request.one("cursor") or "")
    both = (class_, SERVED[class_])
    looked, place = await merged(to, request, both, after, limit=LOOKED_MAX)
    found: list[Json] = []
    for at, document in enumerate(looked):
        descriptor = await shown(to, request, document)
        if compiled.fits(descriptor):
            found.append({"id": document.id} if compiled.ids_only else descriptor)
        if len(found) == limit:
            place = document.id if place or at + 1 < len(looked) else ""
            break
    return answers.page_of(found, to.seal.close(place), resultType=kept.TYPES[class_])


async def shells(to: Services, request: Request) -> Answer:
    """QueryAssetAdministrationShells."""
    return await _found(to, request, Class.SHELL)


async def submodels(to: Services, request: Request) -> Answer:
    """QuerySubmodels."""
    return await _found(to, request, Class.SUBMODEL)


async def concepts(to: Services, request: Request) -> Answer:
    """QueryConceptDescriptions."""
    return await _found(to, request, Class.CONCEPT)


async def shell_descriptors(to: Services, request: Request) -> Answer:
    """QueryAssetAdministrationShellDescriptors."""
    return await _described(to, request, Class.SHELL_DESCRIPTOR)


async def submodel_descriptors(to: Services, request: Request) -> Answer:
    """QuerySubmodelDescriptors."""
    return await _described(to, request, Class.SUBMODEL_DESCRIPTOR)


ROUTES = [
    Route("POST", "/query/shells", shells),
    Route("POST", "/query/submodels", submodels),
    Route("POST", "/query/concept-descriptions", concepts),
    Route("POST", "/query/shell-descriptors", shell_descriptors),
    Route("POST", "/query/submodel-descriptors", submodel_descriptors),
]
