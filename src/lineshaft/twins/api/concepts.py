"""Concept descriptions."""

from lineshaft.records import And, Compare, Predicate, Some
from lineshaft.twins import Class
from lineshaft.twins.api import answers, filters, kept
from lineshaft.twins.api.answers import Answer
from lineshaft.twins.api.requests import Request
from lineshaft.twins.api.routing import Route
from lineshaft.twins.api.services import Services
from lineshaft.twins.model.identifier import encode_id

CONCEPT = Class.CONCEPT


async def all_(to: Services, request: Request) -> Answer:
    """GetAllConceptDescriptions."""
    parts: list[Predicate] = []
    name = request.one("idShort")
    if name is not None:
        parts.append(filters.named(name, CONCEPT))
    for parameter, column in (
        ("isCaseOf", "is_case_of"),
        ("dataSpecificationRef", "data_specification"),
    ):
        wanted = request.one(parameter)
        if wanted is not None:
            key = filters.first_key(filters.decode_text(wanted, parameter))
            parts.append(Some(Compare(column, "=", key)))
    found, cursor = await kept.listed(to, request, CONCEPT, And(tuple(parts)) if parts else None)
    return answers.page((d.data for d in found), cursor)


async def post(to: Services, request: Request) -> Answer:
    """PostConceptDescription."""
    made = await kept.post(to, request, CONCEPT, await kept.verified(request, CONCEPT))
    return answers.created(made.data, _location(request, made.id), made)


async def get(to: Services, request: Request) -> Answer:
    """GetConceptDescriptionById."""
    return answers.document(
        await kept.read(to, request, CONCEPT, request.id("cdIdentifier")), request
    )


async def put(to: Services, request: Request) -> Answer:
    """PutConceptDescriptionById."""
    obj = await kept.verified(request, CONCEPT, request.id("cdIdentifier"))
    made, new = await kept.put(to, request, CONCEPT, obj)
    if not new:
        return answers.done(made)
    return answers.created(made.data, _location(request, made.id), made)


async def delete(to: Services, request: Request) -> Answer:
    """DeleteConceptDescriptionById."""
    await kept.remove(to, request, CONCEPT, request.id("cdIdentifier"))
    return answers.done()


def _location(request: Request, id_: str) -> str:
    return f"{request.base}/concept-descriptions/{encode_id(id_)}"


ROUTES = [
    Route("GET", "/concept-descriptions", all_),
    Route("POST", "/concept-descriptions", post),
    Route("GET", "/concept-descriptions/{cdIdentifier}", get),
    Route("PUT", "/concept-descriptions/{cdIdentifier}", put),
    Route("DELETE", "/concept-descriptions/{cdIdentifier}", delete),
]
